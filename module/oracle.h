/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_ORACLE_H
#define _REASSURE_ORACLE_H

#include <linux/xarray.h>

struct guarded_mm;
struct rescue_point;

/**
 * struct oracle - what every covered page held at the entry
 * @pages: by page number: struct page with the content, or ORACLE_UNKNOWN;
 *	what is not in it did not exist
 */
struct oracle {
	struct xarray pages;
};

extern bool oracle_wanted;

struct oracle *oracle_make(struct guarded_mm *gm);
void oracle_compare(struct oracle *oracle, struct guarded_mm *gm,
		    struct rescue_point *rp);
void oracle_free(struct oracle *oracle);

/**
 * oracle_record() - keep what all covered pages hold
 * @gm: the address space of current, in which a checkpoint was just opened
 *
 * Return: NULL when nobody asked for it, or without memory.
 */
static inline struct oracle *oracle_record(struct guarded_mm *gm)
{
	return unlikely(READ_ONCE(oracle_wanted)) ? oracle_make(gm) : NULL;
}

#endif
