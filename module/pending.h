/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_PENDING_H
#define _REASSURE_PENDING_H

#include <linux/atomic.h>
#include <linux/wait_bit.h>

/*
 * How many threads are, or will be, in a piece of the module that may sleep:
 * who takes the way to it away waits for them.  What they execute behind
 * pending_end() is waited for by write_guard_await().
 */
static inline void pending_begin(atomic_t *pending)
{
	atomic_inc(pending);
}

static inline void pending_end(atomic_t *pending)
{
	if (atomic_dec_and_test(pending))
		wake_up_var(pending);
}

static inline void pending_await(atomic_t *pending)
{
	wait_var_event(pending, !atomic_read(pending));
}

#endif
