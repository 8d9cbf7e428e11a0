// SPDX-License-Identifier: GPL-2.0
/*
 * Budgets: an attacker must not be able to crash a program and probe it for
 * ever.  The window slides, so that no period of that length has more
 * rescues than were allowed.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/timekeeping.h>

#include "budget.h"

/**
 * budget_init() - set up a full budget
 * @budget: the budget
 * @rescues: how many, or 0 for no limit
 * @seconds: in how many seconds
 *
 * Return: 0 or -ENOMEM.
 */
int budget_init(struct budget *budget, u32 rescues, u32 seconds)
{
	spin_lock_init(&budget->lock);
	budget->rescues = rescues;
	budget->seconds = seconds;
	budget->next = 0;
	budget->times = NULL;
	if (!rescues)
		return 0;
	budget->times = kvcalloc(rescues, sizeof(*budget->times),
				 GFP_KERNEL_ACCOUNT);
	return budget->times ? 0 : -ENOMEM;
}

/* 0 in @times is "never", so it must not be near 0. */
static u64 now_ns(void)
{
	return ktime_get_boottime_ns() + 1;
}

/* Whether the oldest of the last @budget->rescues rescues is old enough. */
static bool has_left(const struct budget *budget, u64 now)
{
	u64 period = (u64)budget->seconds * NSEC_PER_SEC;
	u64 oldest;

	if (!budget->rescues)
		return true;
	oldest = budget->times[budget->next];
	return !oldest || now - oldest >= period;
}

/* Whether a rescue now would be one too many. */
bool budget_is_spent(struct budget *budget)
{
	bool left;

	if (!READ_ONCE(budget->rescues))
		return false;
	spin_lock(&budget->lock);
	left = has_left(budget, now_ns());
	spin_unlock(&budget->lock);
	return !left;
}

/* Takes one rescue out of the budget; false when it is spent. */
bool budget_take(struct budget *budget)
{
	u64 now = now_ns();
	bool left;

	if (!READ_ONCE(budget->rescues))
		return true;
	spin_lock(&budget->lock);
	left = has_left(budget, now);
	if (left && budget->rescues) {
		budget->times[budget->next] = now;
		budget->next = (budget->next + 1) % budget->rescues;
	}
	spin_unlock(&budget->lock);
	return left;
}

/* Copies the times of the last rescues, the oldest first, to the end of @to. */
static void copy_times(const struct budget *from, u64 *to, u32 size)
{
	u32 count = min(from->rescues, size), first, part;

	if (!count)
		return;
	first = (from->next + from->rescues - count) % from->rescues;
	part = min(count, from->rescues - first);
	to += size - count;
	memcpy(to, from->times + first, part * sizeof(*to));
	memcpy(to + part, from->times, (count - part) * sizeof(*to));
}

/**
 * budget_replace() - give a budget the limits of another
 * @budget: in use
 * @fresh: initialised and never used; it is unlimited afterwards
 *
 * Rescues that were made count, as far as the old limit remembers them.
 */
void budget_replace(struct budget *budget, struct budget *fresh)
{
	spin_lock(&budget->lock);
	copy_times(budget, fresh->times, fresh->rescues);
	swap(budget->times, fresh->times);
	WRITE_ONCE(budget->rescues, fresh->rescues);
	budget->seconds = fresh->seconds;
	budget->next = 0;
	spin_unlock(&budget->lock);
	fresh->rescues = 0;
	budget_destroy(fresh);
}

/**
 * budget_change() - give a budget other limits
 * @budget: in use
 * @rescues: how many, or 0 for no limit
 * @seconds: in how many seconds
 *
 * Rescues that were made count, as far as the old limit remembers them.
 *
 * Return: 0 or -ENOMEM, then nothing has changed.
 */
int budget_change(struct budget *budget, u32 rescues, u32 seconds)
{
	struct budget fresh;
	int ret = budget_init(&fresh, rescues, seconds);

	if (!ret)
		budget_replace(budget, &fresh);
	return ret;
}

/* Moves what is left of @from to @to, which is unlimited; nobody uses them. */
void budget_move(struct budget *to, struct budget *from)
{
	to->rescues = from->rescues;
	to->seconds = from->seconds;
	to->times = from->times;
	to->next = from->next;
	from->rescues = 0;
	from->times = NULL;
}

void budget_destroy(struct budget *budget)
{
	kvfree(budget->times);
	budget->times = NULL;
}
