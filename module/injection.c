// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that an administrator asks for, to see what a program does when a call
 * fails.
 *
 * They strike behind the probe at the entry, where the kernel may have emulated
 * the first instruction, in task work, as deadlines do: so there is no signal
 * before it is known that the call is not rescued, and where somebody has ended
 * the call meanwhile, there is none at all.
 */
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/task_work.h>

#include "checkpoint.h"
#include "injection.h"
#include "pending.h"
#include "rescue.h"

/* Task works that are queued or run, for unloading. */
static atomic_t works_pending = ATOMIC_INIT(0);

void injection_init(struct injection *injection)
{
	spin_lock_init(&injection->lock);
}

/**
 * injection_arm() - let calls fault
 * @injection: of the rescue point
 * @order: which
 * @version: of its settings, which say that there are some
 */
void injection_arm(struct injection *injection,
		   const struct injection_order *order, u64 version)
{
	spin_lock(&injection->lock);
	injection->order.count = order->count;
	injection->order.every = order->every;
	injection->version = version;
	injection->calls = 0;
	WRITE_ONCE(injection->order.signal, order->signal);
	spin_unlock(&injection->lock);
}

/* No call faults any more but those that are about to. */
void injection_disarm(struct injection *injection)
{
	spin_lock(&injection->lock);
	WRITE_ONCE(injection->order.signal, 0);
	spin_unlock(&injection->lock);
}

/* What is left to do; its signal is 0 for nothing. */
void injection_order(struct injection *injection, struct injection_order *order)
{
	spin_lock(&injection->lock);
	*order = injection->order;
	spin_unlock(&injection->lock);
}

/* The lock is held and there is an order. */
static bool is_due(struct injection *injection)
{
	struct injection_order *order = &injection->order;

	if (order->every) {
		if (++injection->calls < order->every)
			return false;
		injection->calls = 0;
		return true;
	}
	if (!--order->count)
		WRITE_ONCE(injection->order.signal, 0);
	return true;
}

/* Counts one call; of what it is to fault, or 0. */
static int take(struct injection *injection, u64 version)
{
	int signal;

	spin_lock(&injection->lock);
	signal = injection->order.signal;
	if (signal && (injection->version != version || !is_due(injection)))
		signal = 0;
	spin_unlock(&injection->lock);
	return signal;
}

/* The same for the call of @cp, which somebody else may end. */
static int take_for(struct checkpoint *cp)
{
	int signal = 0;

	mutex_lock(&cp->lock);
	if (cp->open && cp->refusal < 0 && checkpoint_lost(cp) < 0)
		signal = take(&cp->rp->injection, cp->settings.version);
	mutex_unlock(&cp->lock);
	return signal;
}

static void strike(struct checkpoint *cp)
{
	int signal = take_for(cp);
	kernel_siginfo_t info;

	if (!signal)
		return;
	/* As force_sig() makes it. */
	clear_siginfo(&info);
	info.si_signo = signal;
	info.si_code = SI_KERNEL;
	if (!rescue_injected(cp, &info))
		force_sig(signal);
}

static void injection_work(struct callback_head *work)
{
	struct checkpoint *cp = container_of(work, struct checkpoint, injection);
	unsigned long *flags = &cp->first->flags;

	/* As for any fault; one that is there already has this call. */
	if (!(current->flags & PF_EXITING) &&
	    !test_and_set_bit_lock(CHECKPOINT_WORK_QUEUED, flags)) {
		strike(cp);
		clear_bit_unlock(CHECKPOINT_WORK_QUEUED, flags);
	}
	checkpoint_put(cp);
	pending_end(&works_pending);
}

/**
 * injection_begin() - current has entered a rescue point that may inject faults
 * @cp: its checkpoint, not open for others yet
 *
 * The work runs before current is back in user mode.
 */
void injection_begin(struct checkpoint *cp)
{
	/* A hint, since settings stay when the last has been injected. */
	if (!READ_ONCE(cp->rp->injection.order.signal))
		return;
	checkpoint_get(cp);
	pending_begin(&works_pending);
	init_task_work(&cp->injection, injection_work);
	/* Fails only for a task that has PF_EXITING, which enters nothing. */
	task_work_add(current, &cp->injection, TWA_RESUME);
}

/* No call is left: waits for threads on their way to a fault. */
void injection_stop(void)
{
	pending_await(&works_pending);
}
