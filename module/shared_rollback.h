/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SHARED_ROLLBACK_H
#define _REASSURE_SHARED_ROLLBACK_H

#include <linux/types.h>

struct guarded_mm;
struct logged_page;
struct page;

/**
 * struct shared_page - one page to write back
 * @live: the page as it is now, with a reference
 * @logged: its old content; the log's
 * @locked: its folio was locked for this one
 */
struct shared_page {
	struct page *live;
	struct logged_page *logged;
	bool locked;
};

/**
 * struct shared_rollback - the part of a rollback that is shared memory
 * @pages: what to write back, in the order in which it was logged
 * @count: entries of @pages in use
 */
struct shared_rollback {
	struct shared_page *pages;
	unsigned long count;
};

void shared_rollback_bring_in(struct guarded_mm *gm);
int shared_rollback_prepare(struct shared_rollback *rb, struct guarded_mm *gm);
unsigned long shared_rollback_commit(struct shared_rollback *rb);
void shared_rollback_cancel(struct shared_rollback *rb);

#endif
