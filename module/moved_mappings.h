/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_MOVED_MAPPINGS_H
#define _REASSURE_MOVED_MAPPINGS_H

#include <linux/list.h>
#include <linux/types.h>

struct guarded_mm;

/**
 * struct moved_mappings - what the open call has moved, or would have lost
 * @list: struct moved_mapping, in the order in which they were moved
 * @count: how many these are
 * @pages: of how many pages the page log's limits know
 * @end: where the next is set aside, at the earliest
 *
 * Belongs to the thread that has the checkpoint open, under the checkpoint's
 * lock.
 */
struct moved_mappings {
	struct list_head list;
	unsigned int count;
	unsigned long pages;
	unsigned long end;
};

/**
 * enum moved_mappings_cause - why memory is set aside
 * @MOVED_MAPPINGS_UNMAPPED: the mapping goes, or another takes its place
 * @MOVED_MAPPINGS_DISCARDED: its pages go (MADV_DONTNEED)
 * @MOVED_MAPPINGS_FREED: its pages may go (MADV_FREE)
 */
enum moved_mappings_cause {
	MOVED_MAPPINGS_UNMAPPED,
	MOVED_MAPPINGS_DISCARDED,
	MOVED_MAPPINGS_FREED,
};

void moved_mappings_init(struct moved_mappings *moved);
void moved_mappings_set_aside(struct guarded_mm *gm, unsigned long start,
			      unsigned long end,
			      enum moved_mappings_cause cause);
bool moved_mappings_can_move(struct guarded_mm *gm, unsigned long start,
			     unsigned long size);
void moved_mappings_have_moved(struct guarded_mm *gm, unsigned long from,
			       unsigned long to, unsigned long size);
void moved_mappings_have_gone(struct guarded_mm *gm, unsigned long start,
			      unsigned long end);
bool moved_mappings_concern(const struct guarded_mm *gm, unsigned long address);
bool moved_mappings_have_room(struct guarded_mm *gm);
int moved_mappings_check(struct guarded_mm *gm);
int moved_mappings_put_back(struct guarded_mm *gm, unsigned int count);
void moved_mappings_discard(struct guarded_mm *gm);

void reassure_moved_mappings_exit(void);

#endif
