// SPDX-License-Identifier: GPL-2.0
/*
 * From a signal about to be delivered to a rescue.
 *
 * The tracepoint signal_generate fires under the siglock, before anything is
 * delivered.  It queues task work, which the thread runs on its way back to
 * user mode, still before the signal is taken off its queue.  So whatever
 * goes wrong here, the signal is there and does its work.
 */
#include <linux/hardirq.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <linux/tracepoint.h>

#include <trace/events/signal.h>

#include "checkpoint.h"
#include "fatal_signal.h"
#include "kernel_symbols.h"
#include "pending.h"
#include "rescue.h"

/* Task works that are queued or run, for unloading. */
static atomic_t works_pending = ATOMIC_INIT(0);

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

static void rescue_work(struct callback_head *work)
{
	struct checkpoint *cp = container_of(work, struct checkpoint, work);

	rescue_current(cp->innermost, &cp->info);
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

	/* One that could not be queued is not rescued, but counted. */
	if (result != TRACE_SIGNAL_DELIVERED && result != TRACE_SIGNAL_LOSE_INFO)
		return;
	if (task != current || group || !is_own_fault(sig, info) ||
	    !in_task() || current->flags & PF_EXITING)
		return;
	rcu_read_lock();
	cp = checkpoint_lookup();
	/* One at a time: a second fault before the first is served is fatal. */
	if (cp && !test_and_set_bit_lock(CHECKPOINT_WORK_QUEUED, &cp->flags)) {
		if (checkpoint_try_get(cp)) {
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
	for (cp = checkpoint_lookup(); cp; cp = cp->inner)
		if (READ_ONCE(cp->recording) && checkpoint_is_of_current(cp))
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
