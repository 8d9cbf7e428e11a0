/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_INJECTION_H
#define _REASSURE_INJECTION_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct checkpoint;

/**
 * struct injection_order - which calls an administrator wants to fault
 * @signal: of what; 0 for none
 * @count: so many calls, or 0
 * @every: else of so many calls the last, again and again
 */
struct injection_order {
	int signal;
	u32 count;
	u32 every;
};

/**
 * struct injection - which calls of a rescue point fault
 * @lock: protects the others
 * @order: what is left of it
 * @version: of the settings with which it came; calls that began with others are
 *	not meant
 * @calls: since the last that faulted, where @order has @every
 */
struct injection {
	spinlock_t lock;	/* see above */
	struct injection_order order;
	u64 version;
	u32 calls;
};

void injection_init(struct injection *injection);
void injection_arm(struct injection *injection,
		   const struct injection_order *order, u64 version);
void injection_disarm(struct injection *injection);
void injection_order(struct injection *injection,
		     struct injection_order *order);
void injection_begin(struct checkpoint *cp);
void injection_stop(void);

#endif
