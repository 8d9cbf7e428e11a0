/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_UNPROTECTED_H
#define _REASSURE_UNPROTECTED_H

#include <linux/mm_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* A power of two. */
#define UNPROTECTED_RECENT	128

/**
 * struct recent_page - a page that was listed
 * @number: its number's lowest bits
 * @call: the number of the call before which it was
 */
struct recent_page {
	u32 number;
	u32 call;
};

/**
 * struct unprotected_range - addresses
 * @start: the first
 * @end: behind the last; 0 when there are none
 */
struct unprotected_range {
	unsigned long start;
	unsigned long end;
};

/**
 * struct unprotected - memory that may have become writable since it was
 *	protected, hot pages excepted
 * @pages: addresses of pages; may name one twice
 * @count: entries of @pages in use
 * @capacity: entries that @pages has room for
 * @lock: of the ranges; taken anywhere
 * @range: in which any page may be writable
 * @others: to which others have set out to write; they may not have come
 *	there yet
 * @recent: UNPROTECTED_RECENT pages that were in @pages lately, by their
 *	number; NULL where nobody asks
 *
 * The lock of the address space serialises all but the ranges.
 */
struct unprotected {
	unsigned long *pages;
	unsigned int count;
	unsigned int capacity;
	spinlock_t lock;	/* see above */
	struct unprotected_range range;
	struct unprotected_range others;
	struct recent_page *recent;
};

void unprotected_init(struct unprotected *un, struct recent_page *recent);
void unprotected_free(struct unprotected *un);
void unprotected_add_range(struct unprotected *un, unsigned long start,
			   unsigned long end);
void unprotected_add_area(struct unprotected *un, unsigned long address);
void unprotected_add_page(struct unprotected *un, unsigned long address,
			  struct mm_struct *mm, u32 call);
bool unprotected_was_recent(struct unprotected *un, unsigned long address,
			    u32 call);
bool unprotected_take_range(struct unprotected *un, unsigned long *start,
			    unsigned long *end);

void unprotected_add_others(struct unprotected *un, unsigned long start,
			    unsigned long end);
bool unprotected_take_others(struct unprotected *un, unsigned long *start,
			     unsigned long *end);

static inline bool
unprotected_range_is_empty(const struct unprotected_range *range)
{
	return !READ_ONCE(range->end);
}

static inline bool unprotected_is_all(const struct unprotected *un)
{
	return !READ_ONCE(un->range.start) &&
	       READ_ONCE(un->range.end) == TASK_SIZE_MAX;
}

static inline bool unprotected_is_empty(const struct unprotected *un)
{
	/* One branch for all three: each entry comes by. */
	return !(un->count | READ_ONCE(un->range.end) |
		 READ_ONCE(un->others.end));
}

#endif
