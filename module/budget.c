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
	u64 oldest = budget->times[budget->next];

	return !oldest || now - oldest >= period;
}

/* Whether a rescue now would be one too many. */
bool budget_is_spent(struct budget *budget)
{
	bool left;

	if (!budget->rescues)
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

	if (!budget->rescues)
		return true;
	spin_lock(&budget->lock);
	left = has_left(budget, now);
	if (left) {
		budget->times[budget->next] = now;
		budget->next = (budget->next + 1) % budget->rescues;
	}
	spin_unlock(&budget->lock);
	return left;
}

void budget_destroy(struct budget *budget)
{
	kvfree(budget->times);
	budget->times = NULL;
}
