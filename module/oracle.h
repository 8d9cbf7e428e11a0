/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_ORACLE_H
#define _REASSURE_ORACLE_H

#include <linux/xarray.h>

struct guarded_mm;
struct mm_struct;
struct rescue_point;

/**
 * struct oracle_mapping - a covered mapping as it was at the entry
 * @start: first address
 * @end: address behind the last
 * @flags: VM_*
 */
struct oracle_mapping {
	unsigned long start;
	unsigned long end;
	unsigned long flags;
};

/**
 * struct oracle - what every covered page held at the entry
 * @pages: by page number: struct page with the content, or ORACLE_UNKNOWN;
 *	what is not in it did not exist
 * @mappings: the covered mappings, sorted by address
 * @count: entries of @mappings
 * @stack_end: end of the stack mapping, if some of it is dead
 * @sp: the stack pointer; below it that mapping is dead
 * @now: room for a page, to compare with
 * @drained: the batches of the LRU lists were emptied
 * @incomplete: a page could not be read in again
 *
 * Belongs to the checkpoint's thread.
 */
struct oracle {
	struct xarray pages;
	struct oracle_mapping *mappings;
	unsigned int count;
	unsigned long stack_end;
	unsigned long sp;
	struct page *now;
	bool drained;
	bool incomplete;
};

extern bool oracle_wanted;

struct oracle *oracle_make(struct mm_struct *mm, unsigned long sp);
void oracle_compare(struct oracle *oracle, struct guarded_mm *gm,
		    struct rescue_point *rp);
void oracle_free(struct oracle *oracle);

/**
 * oracle_record() - keep what all covered pages hold
 * @mm: the address space of current, in which a checkpoint was just opened
 * @sp: its user stack pointer
 *
 * Return: NULL when nobody asked for it, or without memory.
 */
static inline struct oracle *oracle_record(struct mm_struct *mm,
					   unsigned long sp)
{
	return unlikely(READ_ONCE(oracle_wanted)) ? oracle_make(mm, sp) : NULL;
}

#endif
