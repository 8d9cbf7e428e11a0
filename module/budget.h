/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_BUDGET_H
#define _REASSURE_BUDGET_H

#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct budget - so many rescues in so many seconds
 * @lock: protects all; @rescues is also looked at without it
 * @rescues: how many, the size of @times; 0 for no limit
 * @seconds: in how long
 * @times: when the last @rescues rescues were, a ring; boot time in ns
 * @next: the oldest entry of @times, the next to be overwritten
 */
struct budget {
	spinlock_t lock;	/* see above */
	u32 rescues;
	u32 seconds;
	u64 *times;
	u32 next;
};

int budget_init(struct budget *budget, u32 rescues, u32 seconds);
bool budget_take(struct budget *budget);
bool budget_is_spent(struct budget *budget);
void budget_replace(struct budget *budget, struct budget *fresh);
int budget_change(struct budget *budget, u32 rescues, u32 seconds);
void budget_move(struct budget *to, struct budget *from);
void budget_destroy(struct budget *budget);

#endif
