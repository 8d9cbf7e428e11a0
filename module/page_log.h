/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_PAGE_LOG_H
#define _REASSURE_PAGE_LOG_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/xarray.h>

/* A page that did not exist: a rollback removes what stands there. */
#define PAGE_LOG_ABSENT		xa_mk_value(0)
/* Set for these, to find them among the others. */
#define PAGE_LOG_ABSENT_MARK	XA_MARK_0

/*
 * Memory of the log is the program's: it is charged to its memory cgroup,
 * and must rather fail than have the program killed for it.
 */
#define PAGE_LOG_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/**
 * struct logged_page - a page that calls write to
 * @node: in page_log.images
 * @address: the page
 * @image: PAGE_SIZE bytes: what it held at the entry of call number @call
 * @call: page_log.call when @image was taken
 * @from: the first byte of @image that counts; what is below is dead stack
 * @entries: at how many entries it was copied
 * @in_use: a device may use it: a rollback must find it unchanged
 *
 * Between calls these stay: the page is hot, that is, writable, and copied at
 * each entry.
 */
struct logged_page {
	struct list_head node;
	unsigned long address;
	void *image;
	unsigned long call;
	unsigned int from;
	unsigned int entries;
	bool in_use;
};

/**
 * struct page_log - the pre-images of an address space
 * @pages: struct logged_page or PAGE_LOG_ABSENT, by page number
 * @areas: PAGE_LOG_ABSENT, by number of the PMD-sized area: there was no page
 *	table, so none of its pages existed
 * @images: the logged pages
 * @spares: room for more, allocated already
 * @nr_spares: how many these are
 * @trimmed: @call when page_log_trim() last looked
 * @nr_images: how many these are
 * @nr_saved: how many images were taken in this call
 * @nr_in_use: how many are marked @in_use
 * @call: number of the open, or last, call
 *
 * The caller's lock serialises all of these functions.
 */
struct page_log {
	struct xarray pages;
	struct xarray areas;
	struct list_head images;
	struct list_head spares;
	unsigned int nr_spares;
	unsigned long trimmed;
	unsigned long nr_images;
	unsigned long nr_saved;
	unsigned long nr_in_use;
	unsigned long call;
};

/* Whether the open call wrote to what did not exist. */
static inline bool page_log_has_absent(struct page_log *log)
{
	return xa_marked(&log->pages, PAGE_LOG_ABSENT_MARK) ||
	       !xa_empty(&log->areas);
}

/* Whether the page at @address, and not its whole area, did not exist. */
static inline bool page_log_is_absent(struct page_log *log,
				      unsigned long address)
{
	return xa_get_mark(&log->pages, address >> PAGE_SHIFT,
			   PAGE_LOG_ABSENT_MARK);
}

/* The image of @page was filled from byte @from on. */
static inline void page_log_saved(struct page_log *log,
				  struct logged_page *page, unsigned int from)
{
	page->from = from;
	page->call = log->call;
	log->nr_saved++;
}

int reassure_page_log_init(void);
void reassure_page_log_exit(void);

void page_log_init(struct page_log *log);
bool page_log_covers(struct page_log *log, unsigned long address);
bool page_log_has(struct page_log *log, unsigned long start,
		  unsigned long end);
bool page_log_seek(struct page_log *log, struct xa_state *place,
		   struct logged_page **page);
int page_log_add_absent_at(struct page_log *log, struct xa_state *place,
			   struct logged_page *page);
int page_log_add_absent(struct page_log *log, unsigned long address);
int page_log_add_absent_area(struct page_log *log, unsigned long address);
struct logged_page *page_log_spare(struct page_log *log, gfp_t gfp);
struct logged_page *page_log_add_at(struct page_log *log,
				    struct xa_state *place, gfp_t gfp);
struct logged_page *page_log_add(struct page_log *log, unsigned long address,
				 gfp_t gfp);
void page_log_remove(struct page_log *log, struct logged_page *page);
void page_log_set_in_use(struct page_log *log, struct logged_page *page,
			 bool in_use);
void page_log_forget(struct page_log *log, unsigned long start,
		     unsigned long end);
int page_log_move(struct page_log *log, unsigned long from, unsigned long to,
		  unsigned long size);
bool page_log_hold(const struct page_log *log, unsigned long others,
		   unsigned long pages);
void page_log_unhold(unsigned long pages);
bool page_log_trim(struct page_log *log);
void page_log_clear(struct page_log *log);

#endif
