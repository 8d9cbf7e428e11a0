// SPDX-License-Identifier: GPL-2.0
/*
 * A rescue: from the decision whether there may be one to what is said of it.
 */
#include <linux/ktime.h>
#include <linux/ratelimit.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>

#include "checkpoint.h"
#include "guarded_mm.h"
#include "injection.h"
#include "kernel_symbols.h"
#include "report.h"
#include "rescue.h"
#include "switch.h"

/* What rescue() answers besides a refusal. */
#define RESCUED			(-1)
#define NOTHING_TO_RESCUE	(-2)
#define LOST			(-3)

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

static const char *injected_text(const struct report *report)
{
	return report->injected ? "injected " : "";
}

static void log_rescue(struct checkpoint *cp, const struct report *report,
		       unsigned long restored)
{
	const kernel_siginfo_t *info = report->info;
	const struct rescue_point_settings *settings = &cp->settings;
	const char *name = cp->rp->config.name;
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	char value[24] = "nothing";

	if (!__ratelimit(&limit))
		return;
	if (settings->has_value)
		snprintf(value, sizeof(value), "%lld", settings->value);
	if (!info)
		pr_info("rescued %s[%d] in %s: inside for %u ms, ip 0x%lx, %lu pages restored, returned %s\n",
			current->comm, task_pid_nr(current), name,
			settings->deadline_ms, report->ip, restored, value);
	else if (info->si_signo == SIGABRT)
		pr_info("rescued %s[%d] in %s: %sSIGABRT, ip 0x%lx, %lu pages restored, returned %s\n",
			current->comm, task_pid_nr(current), name,
			injected_text(report), report->ip, restored, value);
	else
		pr_info("rescued %s[%d] in %s: %s%s code %d address 0x%lx, ip 0x%lx, %lu pages restored, returned %s\n",
			current->comm, task_pid_nr(current), name,
			injected_text(report), signal_name(info->si_signo),
			info->si_code, (unsigned long)info->si_addr,
			report->ip, restored, value);
}

static void log_refusal(struct checkpoint *cp, const struct report *report,
			int refusal)
{
	const kernel_siginfo_t *info = report->info;
	const char *name = cp->rp->config.name;
	struct rescue_point_settings settings;
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	/* Its own, so that other refusals do not hide what to do. */
	static DEFINE_RATELIMIT_STATE(budget_limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	const char *what = info ? signal_name(info->si_signo) : "deadline";

	/* Left to the program's handler as it was asked for: normal work. */
	if (refusal == REASSURE_REFUSED_HANDLED)
		return;
	if (refusal == REASSURE_REFUSED_BUDGET) {
		/* The budget is that of now. */
		rescue_point_settings(cp->rp, &settings);
		if (__ratelimit(&budget_limit))
			pr_warn("not rescued %s[%d] in %s: %s%s: the budget of %u rescues in %u seconds is spent; for more: reassurectl set %s --budget N/SECONDS or --budget unlimited\n",
				current->comm, task_pid_nr(current), name,
				injected_text(report), what,
				settings.budget_rescues,
				settings.budget_seconds, name);
	} else if (__ratelimit(&limit)) {
		pr_info("not rescued %s[%d] in %s: %s%s: %s\n",
			current->comm, task_pid_nr(current), name,
			injected_text(report), what,
			reassure_refusal_names[refusal]);
	}
}

static bool has_handler(int sig)
{
	__sighandler_t handler = own_sighand()->action[sig - 1].sa.sa_handler;

	return handler != SIG_DFL && handler != SIG_IGN;
}

/* Why this signal is not to be rescued, whatever the state of memory is. */
static int signal_refusal(struct checkpoint *cp, const kernel_siginfo_t *info)
{
	const struct rescue_point_settings *settings = &cp->settings;
	int sig = info->si_signo;

	if (!(settings->signals & BIT_ULL(sig - 1)))
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
	if (settings->handled == REASSURE_HANDLED_LEAVE && has_handler(sig))
		return REASSURE_REFUSED_HANDLED;
	return -1;
}

/* Whether the signal that we were called for waits in current's own queue. */
static bool signal_is_queued(const kernel_siginfo_t *info)
{
	struct sigqueue *entry;

	list_for_each_entry(entry, &current->pending.list, list)
		if (entry->info.si_signo == info->si_signo)
			return entry->info.si_code == info->si_code;
	return false;
}

/*
 * The signals that the kernel raises for what an instruction did, which it never
 * leaves blocked: those that are have been sent by somebody.
 */
static bool has_fault_queued(void)
{
	static const int faults[] = {
		SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (sigismember(&current->pending.signal, faults[i]) &&
		    !sigismember(&current->blocked, faults[i]))
			return true;
	return false;
}

static bool dequeue(const kernel_siginfo_t *info)
{
	kernel_siginfo_t taken;
	sigset_t mask;

	sigfillset(&mask);
	sigdelset(&mask, info->si_signo);
	return signal_is_queued(info) && compat_dequeue_signal(&mask, &taken);
}

/*
 * The point of no return.  Takes the signal @info off its queue, if it is there,
 * and puts back what the kernel changed when it forced it.
 *
 * Return: RESCUED when it may go on; else nothing is changed.
 * NOTHING_TO_RESCUE when the process is ending or the signal is not there; or,
 * without one, when a fault is.  REASSURE_REFUSED_MEMORY when the kernel had
 * none to queue the signal.
 */
static int take_signal(struct checkpoint *cp, const kernel_siginfo_t *info)
{
	struct signal_struct *signal = current->signal;
	bool ends, taken = false, lost = false;

	spin_lock_irq(&own_sighand()->siglock);
	ends = signal->flags & SIGNAL_GROUP_EXIT || signal->group_exec_task ||
	       sigismember(&current->pending.signal, SIGKILL);
	if (!ends)
		taken = info ? dequeue(info) : !has_fault_queued();
	if (taken)
		checkpoint_restore_signals(cp);
	else if (info && !ends)
		lost = sigismember(&current->pending.signal, info->si_signo);
	spin_unlock_irq(&own_sighand()->siglock);
	if (lost)
		return REASSURE_REFUSED_MEMORY;
	return taken ? RESCUED : NOTHING_TO_RESCUE;
}

static bool is_observer(const struct checkpoint *cp)
{
	return cp->settings.mode == REASSURE_MODE_OBSERVE;
}

/* The call of current around @cp that may be rescued in its place. */
static struct checkpoint *find_outer(const struct checkpoint *cp)
{
	struct checkpoint *outer = cp->outer;

	while (outer && (!outer->open || outer->refusal >= 0 ||
			 is_observer(outer) || outer->memory.left || checkpoint_lost(outer) >= 0))
		outer = outer->outer;
	return outer;
}

/* Where rescues of @rp inside a call are counted; NULL when there were none. */
static struct inner_rescues *find_count(struct checkpoint *outer,
					const struct rescue_point *rp)
{
	unsigned int i;

	for (i = 0; i < outer->inner_points; i++)
		if (outer->rescues[i].rp == rp)
			return &outer->rescues[i];
	return i < CHECKPOINT_INNER_POINTS ? NULL : &outer->rescues[i - 1];
}

/* Whether it is of no use to return an error to the call around once more. */
static bool is_escalated(struct checkpoint *cp)
{
	struct checkpoint *outer = find_outer(cp);
	const struct inner_rescues *rescues;

	if (!outer)
		return false;
	rescues = find_count(outer, cp->rp);
	return (rescues ? rescues->count : 0) >= cp->settings.escalate;
}

static void count_inside(struct checkpoint *cp)
{
	struct checkpoint *outer = find_outer(cp);
	struct inner_rescues *rescues;

	if (!outer)
		return;
	rescues = find_count(outer, cp->rp);
	if (!rescues) {
		rescues = &outer->rescues[outer->inner_points++];
		rescues->rp = cp->rp;
		rescues->count = 0;
	}
	rescues->count++;
}

/*
 * Rescues current from the signal @info that waits in its queue or is injected,
 * or, when that is NULL, from being inside for too long.
 *
 * Return: RESCUED; NOTHING_TO_RESCUE; LOST when it must not go on; otherwise
 * the enum reassure_refusal.
 */
static int rescue(struct checkpoint *cp, const kernel_siginfo_t *info,
		  struct report *report)
{
	struct counters *counters = &cp->rp->counters;
	struct rollback rb;
	u64 start = ktime_get_ns();
	int refusal = -1;

	if (info)
		refusal = signal_refusal(cp, info);
	else if (current->ptrace)
		refusal = REASSURE_REFUSED_TRACED;
	if (refusal < 0 && is_escalated(cp))
		refusal = REASSURE_REFUSED_ESCALATED;
	if (refusal < 0)
		refusal = checkpoint_prepare(cp, &rb);
	if (refusal >= 0)
		return refusal;
	if (is_observer(cp)) {
		checkpoint_cancel(cp, &rb);
		return REASSURE_REFUSED_OBSERVED;
	}
	if (!budget_take(&cp->rp->budget)) {
		checkpoint_cancel(cp, &rb);
		return REASSURE_REFUSED_BUDGET;
	}
	refusal = take_signal(cp, report->injected ? NULL : info);
	if (refusal != RESCUED) {
		checkpoint_cancel(cp, &rb);
		return refusal;
	}
	if (checkpoint_roll_back(cp, &rb))
		return LOST;
	count_inside(cp);
	count_events(counters, REASSURE_COUNTER_RESCUES, 1);
	if (!info)
		count_events(counters, REASSURE_COUNTER_DEADLINES, 1);
	count_events(counters, REASSURE_COUNTER_ROLLBACK_NS,
		     ktime_get_ns() - start);
	log_rescue(cp, report, rb.restored);
	report_rescue(report, cp->rp->config.name, rb.restored);
	return RESCUED;
}

/*
 * The mappings of current could not be put back, so not even a handler of its
 * own may run: it dies of the signal that it would have died of.
 */
static void die(const kernel_siginfo_t *info)
{
	int sig = info ? info->si_signo : SIGKILL;

	spin_lock_irq(&own_sighand()->siglock);
	own_sighand()->action[sig - 1].sa.sa_handler = SIG_DFL;
	sigdelset(&current->blocked, sig);
	current->signal->flags &= ~SIGNAL_UNKILLABLE;
	spin_unlock_irq(&own_sighand()->siglock);
	send_sig_info(sig, info ? (struct kernel_siginfo *)info : SEND_SIG_PRIV,
		      current);
}

static void finish(struct checkpoint *cp, const kernel_siginfo_t *info,
		   int result, struct report *report)
{
	int refusal = result == LOST ? REASSURE_REFUSED_MAPPING : result;

	if (refusal >= 0) {
		count_refusal(&cp->rp->counters, refusal);
		log_refusal(cp, report, refusal);
		report_refusal(report, cp->rp->config.name, refusal);
	}
	/* The other threads must not go on either. */
	if (result == LOST)
		die(siblings_are_stopped(&cp->gm->siblings) ? NULL : info);
	if (result == RESCUED || result == LOST)
		checkpoint_end_call(cp);
}

/*
 * A fault was injected into the call of @cp.  When it is not rescued a handler
 * may go on at the entry itself, where the first instruction has not been
 * executed yet: that call would have another, and so on for ever.
 */
static void end_injection(struct checkpoint *cp, int result)
{
	count_events(&cp->rp->counters, REASSURE_COUNTER_INJECTED, 1);
	if (result >= 0 && result != REASSURE_REFUSED_ESCALATED)
		injection_disarm(&cp->rp->injection);
}

/*
 * The same for one checkpoint; as rescue() where it is open.  A rescue would
 * have ended the call, so what is observed in one counts once.
 */
static int try_rescue(struct checkpoint *cp, const kernel_siginfo_t *info,
		      struct report *report)
{
	/* The call that has it is the first that is tried. */
	bool injects = report->injected && !report->noted;
	int result = NOTHING_TO_RESCUE;

	mutex_lock(&cp->lock);
	if (cp->open && cp->observed) {
		result = REASSURE_REFUSED_OBSERVED;
		report_note(report);
		report_refusal(report, cp->rp->config.name, result);
	} else if (cp->open) {
		/* It may be a push onto a stack that has overflowed. */
		kernel_abort_single_step();
		report_note(report);
		result = rescue(cp, info, report);
		if (result == REASSURE_REFUSED_OBSERVED)
			WRITE_ONCE(cp->observed, true);
		if (injects && result != NOTHING_TO_RESCUE)
			end_injection(cp, result);
		finish(cp, info, result, report);
	}
	mutex_unlock(&cp->lock);
	return result;
}

/*
 * A fault was observed in calls of current, the innermost of which is @cp, and
 * a handler may go on in them.  Nobody waits for that where none of them will
 * be rescued.
 */
static void let_others_go(struct checkpoint *cp)
{
	struct checkpoint *open = NULL;
	bool refused = false;

	for (; cp; cp = cp->outer) {
		if (!cp->open || cp->refusal >= 0)
			continue;
		if (!is_observer(cp))
			return;
		open = cp;
	}
	if (!open || !open->stops)
		return;
	/* While it is locked no other call can begin in its place. */
	mutex_lock(&open->lock);
	if (open->open && open->refusal < 0) {
		guarded_mm_refuse(open->gm, REASSURE_REFUSED_OBSERVED);
		refused = true;
	}
	mutex_unlock(&open->lock);
	/* They may sleep, and look for no call. */
	if (refused)
		checkpoint_give_up(open->gm);
}

/*
 * As rescue_current(); @injected: it is not in the queue.
 *
 * Return: whether current is to have the signal.
 */
static bool rescue_calls(struct checkpoint *cp, const kernel_siginfo_t *info,
			 bool injected)
{
	struct checkpoint *first, *asked = cp;
	bool observed = false;
	struct report report;
	int result;

	/* Task work is also run from do_exit(), where the memory is gone. */
	if (current->flags & PF_EXITING || !checkpoint_is_of_current(cp))
		return false;
	/* The calls are about to be let go. */
	if (switch_is_off())
		return false;
	first = cp->first;
	report_begin(&report, info);
	report.injected = injected;
	for (; cp; cp = cp->outer) {
		if (observed && is_observer(cp))
			continue;
		result = try_rescue(cp, info, &report);
		observed |= result == REASSURE_REFUSED_OBSERVED;
		if (result == RESCUED || result == LOST) {
			checkpoint_end_inside(cp);
			report_end(&report);
			return false;
		}
		/* Nor is there a fault, if the call is over that was to have it. */
		if (result == NOTHING_TO_RESCUE &&
		    (cp->open || (injected && cp == asked))) {
			report_cancel(&report);
			return false;
		}
		/* Each has a deadline of its own. */
		if (!info && result != REASSURE_REFUSED_ESCALATED)
			break;
	}
	if (observed)
		let_others_go(first->innermost);
	report_end(&report);
	return true;
}

/**
 * rescue_current() - take current back to the entry of its call, if it has one
 * @cp: its innermost checkpoint, or the one for which it is too late
 * @info: the fatal signal, which waits in its queue; NULL for a deadline
 *
 * For task work, on the way back to user mode.  What cannot be done at one call
 * is tried at the one around it; where one has observed it, no other does.
 * Where it cannot be done at all nothing is changed and the signal does its
 * work.
 */
void rescue_current(struct checkpoint *cp, const kernel_siginfo_t *info)
{
	rescue_calls(cp, info, false);
}

/**
 * rescue_injected() - the same for a signal that is in no queue
 * @cp: the innermost checkpoint of current, which is to have the fault
 * @info: the signal
 *
 * Return: whether nothing is left to do: current was rescued, or its call was
 * ended meanwhile, so that there is no fault.  If not, it is to have the signal.
 */
bool rescue_injected(struct checkpoint *cp, const kernel_siginfo_t *info)
{
	return !rescue_calls(cp, info, true);
}
