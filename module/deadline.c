// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlines: a call that is inside for too long is rolled back as if it had
 * crashed.
 *
 * A timer queues task work, which interrupts the thread where a signal would:
 * in user mode, and where it sleeps interruptibly in the kernel.
 */
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "checkpoint.h"
#include "deadline.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "pending.h"
#include "rescue.h"

/* Task works that are queued or run, for unloading. */
static atomic_t works_pending = ATOMIC_INIT(0);

static void put_work(struct checkpoint *cp)
{
	clear_bit_unlock(0, &cp->deadline.queued);
	checkpoint_put(cp);
	pending_end(&works_pending);
}

/* The call may have ended, and another begun, since the timer expired. */
static void deadline_work(struct callback_head *work)
{
	struct checkpoint *cp =
		container_of(work, struct checkpoint, deadline.work);

	/* A signal's work is behind this one and serves the call. */
	if (cp->deadline.expired == cp->deadline.call &&
	    !test_bit(CHECKPOINT_WORK_QUEUED, &cp->first->flags))
		rescue_current(cp, NULL);
	put_work(cp);
}

/*
 * In the timer's interrupt; whoever ends the call waits for it.  A call that
 * cannot be rolled back is left alone: a system call that it waits in would
 * be interrupted for nothing.
 */
static enum hrtimer_restart on_expiry(struct hrtimer *timer)
{
	struct checkpoint *cp =
		container_of(timer, struct checkpoint, deadline.timer);
	struct deadline *deadline = &cp->deadline;
	bool observes = cp->settings.mode == REASSURE_MODE_OBSERVE;
	int refusal = checkpoint_lost(cp);

	if (READ_ONCE(cp->observed))
		return HRTIMER_NORESTART;
	if (refusal >= 0) {
		count_refusal(&cp->rp->counters, refusal);
		return HRTIMER_NORESTART;
	}
	if (test_and_set_bit_lock(0, &deadline->queued))
		return HRTIMER_NORESTART;
	checkpoint_get(cp);
	pending_begin(&works_pending);
	deadline->expired = deadline->call;
	init_task_work(&deadline->work, deadline_work);
	/* Nor is one that is only observed. */
	if (task_work_add(deadline->task, &deadline->work,
			  observes ? TWA_RESUME : TWA_SIGNAL))
		/* It ends; who closes the call has a reference, too. */
		put_work(cp);
	return HRTIMER_NORESTART;
}

/**
 * deadline_arm() - current has entered a rescue point
 * @cp: its checkpoint, not open for others yet
 * @milliseconds: how long the call may take
 */
void deadline_arm(struct checkpoint *cp, u32 milliseconds)
{
	struct deadline *deadline = &cp->deadline;

	deadline->task = get_task_struct(current);
	hrtimer_init(&deadline->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	deadline->timer.function = on_expiry;
	hrtimer_start(&deadline->timer, ms_to_ktime(milliseconds),
		      HRTIMER_MODE_REL);
}

static bool is_work(struct callback_head *work, void *data)
{
	return work == data;
}

/*
 * The call, for which one was armed, ends; @cp->lock is held.  When it returns
 * no timer runs.
 */
void deadline_cancel(struct checkpoint *cp)
{
	struct deadline *deadline = &cp->deadline;

	hrtimer_cancel(&deadline->timer);
	/* Work that is queued is too late. */
	deadline->call++;
	/* And may be for ever, where the thread is stopped. */
	if (deadline->task != current &&
	    kernel_task_work_cancel_match(deadline->task, is_work,
					  &deadline->work))
		put_work(cp);
	put_task_struct(deadline->task);
	deadline->task = NULL;
}

/* No call is left: waits for threads on their way to a rollback. */
void deadline_stop(void)
{
	pending_await(&works_pending);
}
