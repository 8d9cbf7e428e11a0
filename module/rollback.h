/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_ROLLBACK_H
#define _REASSURE_ROLLBACK_H

#include "mappings.h"
#include "shared_rollback.h"

struct guarded_call;
struct guarded_mm;
struct logged_page;

/**
 * struct rollback_page - one page to write back
 * @live: the page as it is now, with a reference
 * @logged: the log's
 * @image: that of its images which is its old content
 */
struct rollback_page {
	struct page *live;
	struct logged_page *logged;
	const struct logged_page *image;
};

/**
 * struct rollback - a rollback that has been prepared
 * @gm: the address space; its mmap lock is held for writing
 * @call: number of the call to whose entry it goes back
 * @vma: the mapping that was looked up last
 * @others_ran: other threads have run meanwhile, and run on from where they are
 * @pages: what to write back
 * @count: entries of @pages in use
 * @shared: what to write back of shared memory
 * @restored: how many pages or areas were put back
 * @changes: of the mappings, to be reverted
 * @may_be_in_use: a device may be using some page
 */
struct rollback {
	struct guarded_mm *gm;
	unsigned long call;
	struct vm_area_struct *vma;
	bool others_ran;
	struct rollback_page *pages;
	unsigned long count;
	struct shared_rollback shared;
	unsigned long restored;
	struct mapping_changes changes;
	bool may_be_in_use;
};

int rollback_prepare(struct rollback *rb, struct guarded_mm *gm,
		     const struct guarded_call *call);
int rollback_commit(struct rollback *rb);
void rollback_cancel(struct rollback *rb);

#endif
