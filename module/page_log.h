/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_PAGE_LOG_H
#define _REASSURE_PAGE_LOG_H

#include <linux/mm_types.h>
#include <linux/xarray.h>

/* A page that did not exist: a rollback removes what stands there. */
#define PAGE_LOG_ABSENT	xa_mk_value(0)
/*
 * A page that was in use by a device at entry: copied, but left writable. A
 * rollback must find it unchanged.
 */
#define PAGE_LOG_PINNED	XA_MARK_0

/*
 * Memory of the log is the program's: it is charged to its memory cgroup,
 * and must rather fail than have the program killed for it.
 */
#define PAGE_LOG_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/**
 * struct page_log - the pre-images of one open checkpoint
 * @pages: struct page or PAGE_LOG_ABSENT, by page number
 * @areas: PAGE_LOG_ABSENT, by number of the PMD-sized area: there was no page
 *	table, so none of its pages existed
 * @nr_images: pages of @pages that hold a content
 *
 * The caller's lock serialises all of these functions.
 */
struct page_log {
	struct xarray pages;
	struct xarray areas;
	unsigned long nr_images;
};

void page_log_init(struct page_log *log);
bool page_log_has(struct page_log *log, unsigned long address);
int page_log_add_absent(struct page_log *log, unsigned long address);
int page_log_add_absent_area(struct page_log *log, unsigned long address);
int page_log_add_image(struct page_log *log, unsigned long address,
		       struct page *image);
int page_log_add_pinned(struct page_log *log, unsigned long address,
			struct page *page);
void page_log_clear(struct page_log *log);

#endif
