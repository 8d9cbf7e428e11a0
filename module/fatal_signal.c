// SPDX-License-Identifier: GPL-2.0
/*
 * From a signal about to be delivered to a rollback.
 *
 * The tracepoint signal_generate fires under the siglock, before anything is
 * delivered.  It queues task work, which the thread runs on its way back to
 * user mode, still before the signal is taken off its queue.  So whatever
 * goes wrong here, the signal is there and does its work.
 */
#include <linux/hardirq.h>
#include <linux/ktime.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/task_work.h>
#include <linux/tracepoint.h>

#include <trace/events/signal.h>

#include "checkpoint.h"
#include "fatal_signal.h"
#include "kernel_symbols.h"
#include "pending.h"

/* What rescue() answers besides a refusal. */
#define RESCUED			(-1)
#define NOTHING_TO_RESCUE	(-2)
#define LOST			(-3)

/* Task works that are queued or run, for unloading. */
static atomic_t works_pending = ATOMIC_INIT(0);

static const char *signal_name(int sig)
{
	switch (sig) {
	case SIGILL:
		return "SIGILL";
	case SIGTRAP:
		return "SIGTRAP";
	case SIGABRT:
		return "SIGABRT";
	case SIGBUS:
		return "SIGBUS";
	case SIGFPE:
		return "SIGFPE";
	case SIGSEGV:
		return "SIGSEGV";
	default:
		return "SIGSYS";
	}
}

/*
 * Whether this is a fault of current and not somebody's message: raised by
 * the kernel with a code of its own, or SIGABRT by abort() of this thread.
 */
static bool is_own_fault(int sig, const kernel_siginfo_t *info)
{
	if (info == SEND_SIG_NOINFO || info == SEND_SIG_PRIV)
		return false;
	switch (sig) {
	case SIGABRT:
		return info->si_code == SI_TKILL &&
		       info->si_pid == task_tgid_vnr(current);
	case SIGILL:
	case SIGTRAP:
	case SIGBUS:
	case SIGFPE:
	case SIGSEGV:
	case SIGSYS:
		return info->si_code > 0;
	default:
		return false;
	}
}

static void log_rescue(struct checkpoint *cp, const struct pt_regs *fault,
		       unsigned long restored)
{
	const struct rescue_point_config *config = &cp->rp->config;
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	const kernel_siginfo_t *info = &cp->info;
	char value[24] = "nothing";

	if (!__ratelimit(&limit))
		return;
	if (config->has_value)
		snprintf(value, sizeof(value), "%lld", config->value);
	if (info->si_signo == SIGABRT)
		pr_info("rescued %s[%d] in %s: SIGABRT, ip 0x%lx, %lu pages restored, returned %s\n",
			current->comm, task_pid_nr(current), config->name,
			fault->ip, restored, value);
	else
		pr_info("rescued %s[%d] in %s: %s code %d address 0x%lx, ip 0x%lx, %lu pages restored, returned %s\n",
			current->comm, task_pid_nr(current), config->name,
			signal_name(info->si_signo), info->si_code,
			(unsigned long)info->si_addr, fault->ip, restored,
			value);
}

static void log_refusal(struct checkpoint *cp, int refusal)
{
	const struct rescue_point_config *config = &cp->rp->config;
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	/* Its own, so that other refusals do not hide what to do. */
	static DEFINE_RATELIMIT_STATE(budget_limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);

	/* Left to the program's handler as it was asked for: normal work. */
	if (refusal == REASSURE_REFUSED_HANDLED)
		return;
	if (refusal == REASSURE_REFUSED_BUDGET) {
		if (__ratelimit(&budget_limit))
			pr_warn("not rescued %s[%d] in %s: %s: the budget of %u rescues in %u seconds is spent; for more, delete the rescue point and add it with --budget N/SECONDS or --budget unlimited\n",
				current->comm, task_pid_nr(current),
				config->name, signal_name(cp->info.si_signo),
				config->budget_rescues, config->budget_seconds);
	} else if (__ratelimit(&limit)) {
		pr_info("not rescued %s[%d] in %s: %s: %s\n",
			current->comm, task_pid_nr(current), config->name,
			signal_name(cp->info.si_signo),
			reassure_refusal_names[refusal]);
	}
}

static bool has_handler(int sig)
{
	__sighandler_t handler = own_sighand()->action[sig - 1].sa.sa_handler;

	return handler != SIG_DFL && handler != SIG_IGN;
}

/* Why this signal is not to be rescued, whatever the state of memory is. */
static int signal_refusal(struct checkpoint *cp)
{
	const struct rescue_point_config *config = &cp->rp->config;
	const kernel_siginfo_t *info = &cp->info;
	int sig = info->si_signo;

	if (!(config->signals & BIT_ULL(sig - 1)))
		return REASSURE_REFUSED_SIGNAL;
	if (sig == SIGBUS && (info->si_code == BUS_MCEERR_AR ||
			      info->si_code == BUS_MCEERR_AO))
		return REASSURE_REFUSED_HARDWARE;
	/* Sent by perf, or forced by the kernel to end the process. */
	if ((sig == SIGTRAP && info->si_code == TRAP_PERF) ||
	    own_sighand()->action[sig - 1].sa.sa_flags & SA_IMMUTABLE)
		return REASSURE_REFUSED_SIGNAL;
	if (current->ptrace)
		return REASSURE_REFUSED_TRACED;
	if (config->handled == REASSURE_HANDLED_LEAVE && has_handler(sig))
		return REASSURE_REFUSED_HANDLED;
	return -1;
}

/* Whether the signal that we were called for waits in current's own queue. */
static bool signal_is_queued(struct checkpoint *cp)
{
	struct sigqueue *entry;

	list_for_each_entry(entry, &current->pending.list, list)
		if (entry->info.si_signo == cp->info.si_signo)
			return entry->info.si_code == cp->info.si_code;
	return false;
}

/*
 * The point of no return.  Takes the signal off its queue, and puts back
 * what the kernel changed when it forced it.
 *
 * Return: false, with nothing changed, when the process is ending or the
 * signal is not there.
 */
static bool take_signal(struct checkpoint *cp)
{
	struct signal_struct *signal = current->signal;
	kernel_siginfo_t info;
	sigset_t mask;
	bool taken;

	sigfillset(&mask);
	sigdelset(&mask, cp->info.si_signo);

	spin_lock_irq(&own_sighand()->siglock);
	taken = !(signal->flags & SIGNAL_GROUP_EXIT) &&
		!signal->group_exec_task &&
		!sigismember(&current->pending.signal, SIGKILL) &&
		signal_is_queued(cp) && compat_dequeue_signal(&mask, &info);
	if (taken)
		checkpoint_restore_signals(cp);
	spin_unlock_irq(&own_sighand()->siglock);
	return taken;
}

/*
 * Rescues current, whose fault waits in its queue.
 *
 * Return: RESCUED; NOTHING_TO_RESCUE; LOST when it must not go on; otherwise
 * the enum reassure_refusal.
 */
static int rescue(struct checkpoint *cp)
{
	struct counters *counters = &cp->rp->counters;
	struct pt_regs fault;
	struct rollback rb;
	u64 start = ktime_get_ns();
	int refusal;

	refusal = signal_refusal(cp);
	if (refusal < 0)
		refusal = checkpoint_prepare(cp, &rb);
	if (refusal >= 0)
		return refusal;
	if (!budget_take(&cp->rp->budget)) {
		rollback_cancel(&rb);
		return REASSURE_REFUSED_BUDGET;
	}
	if (!take_signal(cp)) {
		rollback_cancel(&rb);
		return NOTHING_TO_RESCUE;
	}
	fault = *task_pt_regs(current);
	if (checkpoint_roll_back(cp, &rb))
		return LOST;
	count_events(counters, REASSURE_COUNTER_RESCUES, 1);
	count_events(counters, REASSURE_COUNTER_ROLLBACK_NS,
		     ktime_get_ns() - start);
	log_rescue(cp, &fault, rb.restored);
	return RESCUED;
}

/*
 * The mappings of current could not be put back, so not even a handler of its
 * own may run: it dies of the signal that it would have died of.
 */
static void die(struct checkpoint *cp)
{
	int sig = cp->info.si_signo;

	spin_lock_irq(&own_sighand()->siglock);
	own_sighand()->action[sig - 1].sa.sa_handler = SIG_DFL;
	sigdelset(&current->blocked, sig);
	current->signal->flags &= ~SIGNAL_UNKILLABLE;
	spin_unlock_irq(&own_sighand()->siglock);
	send_sig_info(sig, (struct kernel_siginfo *)&cp->info, current);
}

static void rescue_work(struct callback_head *work)
{
	struct checkpoint *cp = container_of(work, struct checkpoint, work);
	int result = NOTHING_TO_RESCUE;

	/* Also run from do_exit(), where the address space is gone. */
	if (!(current->flags & PF_EXITING) && checkpoint_is_of_current(cp)) {
		/* It may be a push onto a stack that has overflowed. */
		kernel_abort_single_step();
		mutex_lock(&cp->lock);
		if (cp->open)
			result = rescue(cp);
		if (result == LOST) {
			count_refusal(&cp->rp->counters,
				      REASSURE_REFUSED_MAPPING);
			log_refusal(cp, REASSURE_REFUSED_MAPPING);
			die(cp);
		}
		if (result == RESCUED || result == LOST) {
			checkpoint_end_call(cp);
		} else if (result >= 0) {
			count_refusal(&cp->rp->counters, result);
			log_refusal(cp, result);
		}
		mutex_unlock(&cp->lock);
	}
	clear_bit_unlock(CHECKPOINT_WORK_QUEUED, &cp->flags);
	checkpoint_put(cp);
	pending_end(&works_pending);
}

/*
 * Under the siglock of @task: takes no other lock and allocates nothing.
 */
static void on_signal(void *data, int sig, struct kernel_siginfo *info,
		      struct task_struct *task, int group, int result)
{
	struct checkpoint *cp;

	if (task != current || group || result != TRACE_SIGNAL_DELIVERED ||
	    !is_own_fault(sig, info) || !in_task() ||
	    current->flags & PF_EXITING)
		return;
	rcu_read_lock();
	cp = checkpoint_lookup();
	/* One at a time: a second fault before the first is served is fatal. */
	if (cp && !test_and_set_bit_lock(CHECKPOINT_WORK_QUEUED, &cp->flags)) {
		if (refcount_inc_not_zero(&cp->users)) {
			copy_siginfo(&cp->info, info);
			init_task_work(&cp->work, rescue_work);
			pending_begin(&works_pending);
			/* Fails only for a task that has PF_EXITING. */
			task_work_add(current, &cp->work, TWA_RESUME);
		}
	}
	rcu_read_unlock();
}

/*
 * A signal of current is about to be delivered: its handler goes when it is
 * one for a single time.  Under the siglock, too.
 */
static void on_delivery(void *data, int sig, struct kernel_siginfo *info,
			struct k_sigaction *action)
{
	struct checkpoint *cp;

	if (!(action->sa.sa_flags & SA_RESETHAND))
		return;
	rcu_read_lock();
	cp = checkpoint_lookup();
	if (cp && READ_ONCE(cp->recording) && checkpoint_is_of_current(cp))
		process_state_keep_actions(&cp->state);
	rcu_read_unlock();
}

static struct tracepoint *signal_tracepoint, *delivery_tracepoint;

int fatal_signal_start(void)
{
	int ret;

	signal_tracepoint = kernel_tracepoint("signal_generate");
	delivery_tracepoint = kernel_tracepoint("signal_deliver");
	if (!signal_tracepoint || !delivery_tracepoint)
		return -EOPNOTSUPP;
	ret = tracepoint_probe_register(delivery_tracepoint, on_delivery, NULL);
	if (ret)
		return ret;
	ret = tracepoint_probe_register(signal_tracepoint, on_signal, NULL);
	if (ret)
		tracepoint_probe_unregister(delivery_tracepoint, on_delivery,
					    NULL);
	return ret;
}

/* Waits for threads that are on their way from a signal to a rollback. */
void fatal_signal_stop(void)
{
	tracepoint_probe_unregister(signal_tracepoint, on_signal, NULL);
	tracepoint_probe_unregister(delivery_tracepoint, on_delivery, NULL);
	tracepoint_synchronize_unregister();
	pending_await(&works_pending);
}
