/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_PAGE_LOG_H
#define _REASSURE_PAGE_LOG_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/xarray.h>

/* Set for pages that did not exist, to find them among the others. */
#define PAGE_LOG_ABSENT_MARK	XA_MARK_0
/* Set for those, and for such areas, that may be writable by now. */
#define PAGE_LOG_FRESH_MARK	XA_MARK_1

/*
 * Memory of the log is the program's: it is charged to its memory cgroup,
 * and must rather fail than have the program killed for it.
 */
#define PAGE_LOG_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/**
 * struct logged_call - an open call
 * @number: greater than those of all calls that were opened before
 * @outer: the open call inside which it is, or NULL
 */
struct logged_call {
	unsigned long number;
	struct logged_call *outer;
};

/**
 * struct logged_page - a page that calls write to
 * @node: in page_log.images or page_log.cold
 * @address: the page
 * @image: PAGE_SIZE bytes: what it held at the entry of call number @call, and
 *	at those of all open calls since the one of the image before
 * @call: the innermost open call when @image was taken
 * @from: the first byte of @image that counts; what is below is dead stack
 * @entries: at how many entries it was copied
 * @in_use: a device may use it: a rollback must find it unchanged
 * @cold: it is protected, and here for its images
 * @absent: at the entry of this call, and of those around it, it did not exist;
 *	0 when it did
 * @older: the image before, or NULL; one that no open call wants any more may
 *	stay, for its memory
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
	bool cold;
	unsigned long absent;
	struct logged_page *older;
};

/**
 * struct page_log - the pre-images of an address space
 * @pages: struct logged_page, or the number of the innermost call at whose entry
 *	the page did not exist, by page number
 * @areas: the same number, by that of the PMD-sized area: there was no page
 *	table, so none of its pages existed
 * @images: the logged pages that are hot
 * @cold: those that are not
 * @spares: room for more, allocated already
 * @nr_spares: how many these are
 * @trimmed: @call when page_log_trim() last looked
 * @nr_images: how many images there are, older ones included
 * @nr_saved: how many images were taken since the entry of the outermost call
 * @nr_in_use: how many are marked @in_use
 * @call: number of the call that was opened last
 * @open: number of the innermost open, or last, call
 * @first: number of the outermost
 * @innermost: the open calls
 *
 * The caller's lock serialises all of these functions.
 */
struct page_log {
	struct xarray pages;
	struct xarray areas;
	struct list_head images;
	struct list_head cold;
	struct list_head spares;
	unsigned int nr_spares;
	unsigned long trimmed;
	unsigned long nr_images;
	unsigned long nr_saved;
	unsigned long nr_in_use;
	unsigned long call;
	unsigned long open;
	unsigned long first;
	struct logged_call *innermost;
};

/* Whether the open call wrote to what did not exist. */
static inline bool page_log_has_absent(struct page_log *log)
{
	return xa_marked(&log->pages, PAGE_LOG_ABSENT_MARK) ||
	       !xa_empty(&log->areas);
}

/* The call at whose entry there was no page table for @address, or 0. */
static inline unsigned long page_log_absent_area(struct page_log *log,
						 unsigned long address)
{
	void *entry;

	if (xa_empty(&log->areas))
		return 0;
	entry = xa_load(&log->areas, address >> PMD_SHIFT);
	return entry ? xa_to_value(entry) : 0;
}

/* Whether some of that may be writable. */
static inline bool page_log_has_fresh(struct page_log *log)
{
	return xa_marked(&log->pages, PAGE_LOG_FRESH_MARK) ||
	       xa_marked(&log->areas, PAGE_LOG_FRESH_MARK);
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
	page->call = log->open;
	log->nr_saved++;
}

/* A call begins inside @outer, the innermost one, or NULL. */
static inline void page_log_begin(struct page_log *log,
				  struct logged_call *call,
				  struct logged_call *outer)
{
	call->number = ++log->call;
	call->outer = outer;
	log->open = call->number;
	if (!outer) {
		log->first = call->number;
		log->nr_saved = 0;
	}
	log->innermost = call;
}

int reassure_page_log_init(void);
void reassure_page_log_exit(void);

void page_log_init(struct page_log *log);
bool page_log_covers(struct page_log *log, unsigned long address);
bool page_log_has(struct page_log *log, unsigned long start,
		  unsigned long end);
bool page_log_adopt(struct page_log *log, unsigned long start,
		    unsigned long end);
void page_log_end_one(struct page_log *log, struct logged_call *call);
bool page_log_seek(struct page_log *log, struct xa_state *place,
		   struct logged_page **page);
void page_log_writable(struct page_log *log, struct xa_state *place,
		       struct logged_page *page);
bool page_log_wants(const struct page_log *log, const struct logged_page *page);
bool page_log_wants_any(const struct page_log *log,
			const struct logged_page *page);
int page_log_keep(struct page_log *log, struct logged_page *page, gfp_t gfp);
void page_log_warm(struct page_log *log, struct logged_page *page);
void page_log_cool(struct page_log *log, struct logged_page *page);
const struct logged_page *page_log_image(const struct logged_page *page,
					 unsigned long call);
void page_log_restore_absent(struct page_log *log, struct logged_page *page);
void page_log_drop_cold(struct page_log *log);
void page_log_drop_older(struct page_log *log, struct logged_page *image);
bool page_log_has_room(const struct page_log *log);
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
