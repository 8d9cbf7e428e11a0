// SPDX-License-Identifier: GPL-2.0
/*
 * The page log: what pages held when the checkpoint was opened.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "page_log.h"
#include "page_table.h"

static unsigned long log_pages = 65536;
module_param(log_pages, ulong, 0644);
MODULE_PARM_DESC(log_pages, "most pages that the page log of one checkpoint may hold (default: 65536)");

static unsigned long log_pages_total = 262144;
module_param(log_pages_total, ulong, 0644);
MODULE_PARM_DESC(log_pages_total, "most pages that all page logs together may hold (default: 262144)");

/*
 * A log keeps so many pages that are not in use any more, until no call has
 * come for a while: what one call writes first the next may write elsewhere.
 */
#define SPARES_MAX	64

/* Pages that are held now, by all logs; without their spares. */
static atomic_long_t held = ATOMIC_LONG_INIT(0);

/* Whether a call may be opened that needs more; those that are need some. */
bool page_log_has_room(const struct page_log *log)
{
	return log->nr_images < READ_ONCE(log_pages) / 2;
}

/* Makes room for one more page in @log; false beyond a limit. */
static bool reserve(struct page_log *log)
{
	if (log->nr_images >= READ_ONCE(log_pages))
		return false;
	if (atomic_long_inc_return(&held) <= READ_ONCE(log_pages_total))
		return true;
	atomic_long_dec(&held);
	return false;
}

/*
 * Both have a constructor so that nothing is cleared when they are allocated:
 * all of a page or an image is written anyhow.  They are charged to the
 * program's memory cgroup.
 */
static struct kmem_cache *page_cache, *image_cache;

static void construct(void *object)
{
}

static void cancel_reservation(void)
{
	atomic_long_dec(&held);
}

void page_log_init(struct page_log *log)
{
	/* Else who allocates a node first would do so without a charge. */
	xa_init_flags(&log->pages, XA_FLAGS_ACCOUNT);
	xa_init_flags(&log->areas, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&log->images);
	INIT_LIST_HEAD(&log->cold);
	INIT_LIST_HEAD(&log->spares);
}

/* @call, one of several that are open, ends. */
void page_log_end_one(struct page_log *log, struct logged_call *call)
{
	struct logged_call *inner = log->innermost;

	if (inner == call) {
		log->open = call->outer->number;
		/* From here on the others may end, and do so without the lock. */
		smp_store_release(&log->innermost, call->outer);
		return;
	}
	while (inner->outer != call)
		inner = inner->outer;
	WRITE_ONCE(inner->outer, call->outer);
}

/*
 * Whether the page at @address is hot, or what it held at the entry of the
 * innermost call is in the log: it may be writable.
 */
bool page_log_covers(struct page_log *log, unsigned long address)
{
	void *entry = xa_load(&log->pages, address >> PAGE_SHIFT);

	if (entry && !xa_is_value(entry))
		return !((struct logged_page *)entry)->cold;
	if (entry && xa_get_mark(&log->pages, address >> PAGE_SHIFT,
				 PAGE_LOG_FRESH_MARK))
		return true;
	return !xa_empty(&log->areas) &&
	       xa_get_mark(&log->areas, address >> PMD_SHIFT,
			   PAGE_LOG_FRESH_MARK);
}

/* Whether any rollback changes anything in [@start, @end), or may do so. */
bool page_log_has(struct page_log *log, unsigned long start, unsigned long end)
{
	unsigned long index = start >> PAGE_SHIFT;
	unsigned long last = (end - 1) >> PAGE_SHIFT;
	unsigned long area = start >> PMD_SHIFT;
	struct logged_page *page;
	void *entry;

	if (xa_find(&log->areas, &area, (end - 1) >> PMD_SHIFT, XA_PRESENT))
		return true;
	xa_for_each_range(&log->pages, index, entry, index, last) {
		page = xa_is_value(entry) ? NULL : entry;
		if (!page || page->call >= log->first)
			return true;
	}
	return false;
}

/* What stands at @from, within a page, if it is there. */
static bool copy_present(char *to, unsigned long from, unsigned long size)
{
	struct page_table_entry entry;
	bool present;

	page_table_get(current->mm, from & PAGE_MASK, NULL, true, &entry);
	present = entry.state == PAGE_TABLE_ANON;
	if (present) {
		memcpy(to, page_address(entry.page) + offset_in_page(from),
		       size);
		put_page(entry.page);
	}
	return present;
}

/**
 * page_log_adopt() - let what is there now stay through all rollbacks
 * @log: the log of current's address space
 * @start: the first byte that somebody else has written since the entry
 * @end: behind the last
 *
 * Does not sleep.
 *
 * Return: false when it cannot be, for the page did not exist at the entry of
 * an open call, or is not present.
 */
bool page_log_adopt(struct page_log *log, unsigned long start,
		    unsigned long end)
{
	unsigned long index = start >> PAGE_SHIFT;
	unsigned long last = (end - 1) >> PAGE_SHIFT;
	unsigned long area = start >> PMD_SHIFT;
	struct logged_page *page;
	unsigned long from, size;
	void *entry;

	if (xa_find(&log->areas, &area, (end - 1) >> PMD_SHIFT, XA_PRESENT))
		return false;
	xa_for_each_range(&log->pages, index, entry, index, last) {
		if (xa_is_value(entry))
			return false;
		page = entry;
		if (page->absent >= log->first)
			return false;
		from = max(start, page->address);
		size = min(end, page->address + PAGE_SIZE) - from;
		for (; page && page->call >= log->first; page = page->older)
			if (!copy_present(page->image + offset_in_page(from),
					  from, size))
				return false;
	}
	return true;
}

/**
 * page_log_seek() - look up a page that is about to be written
 * @log: the log
 * @place: XA_STATE() of @log->pages at the page's number; remembers the way
 *	there for page_log_add_at() until @log changes
 * @page: the logged page, of this call or an earlier one, or NULL
 *
 * Return: whether what the page held at the entry of the innermost call is in
 * the log.
 */
bool page_log_seek(struct page_log *log, struct xa_state *place,
		   struct logged_page **page)
{
	void *entry;

	rcu_read_lock();
	entry = xas_load(place);
	rcu_read_unlock();
	*page = xa_is_value(entry) ? NULL : entry;
	if (*page)
		return (*page)->call >= log->open;
	return (entry && xa_to_value(entry) >= log->open) ||
	       page_log_absent_area(log, place->xa_index << PAGE_SHIFT) >=
	       log->open;
}

/**
 * page_log_writable() - a page becomes writable
 * @log: the log
 * @place: as page_log_seek() has left it
 * @page: and what it has found
 *
 * Where it is in the log already, the next entry has to look at it.
 */
void page_log_writable(struct page_log *log, struct xa_state *place,
		       struct logged_page *page)
{
	unsigned long address = place->xa_index << PAGE_SHIFT;

	if (page) {
		page_log_warm(log, page);
		return;
	}
	if (page_log_is_absent(log, address))
		xa_set_mark(&log->pages, place->xa_index, PAGE_LOG_FRESH_MARK);
	else if (page_log_absent_area(log, address))
		xa_set_mark(&log->areas, address >> PMD_SHIFT,
			    PAGE_LOG_FRESH_MARK);
}

/* Whether an open call would be rolled back to the newest image of @page. */
bool page_log_wants(const struct page_log *log, const struct logged_page *page)
{
	unsigned long before = page->older ? page->older->call : page->absent;
	const struct logged_call *call = log->innermost;

	while (call && call->number > page->call)
		call = call->outer;
	return call && call->number > before;
}

/* Whether one would be to any of its images, or to its absence. */
bool page_log_wants_any(const struct page_log *log,
			const struct logged_page *page)
{
	return max(page->call, page->absent) >= log->first;
}

/* What @page held at the entry of @call; NULL when that is not in the log. */
const struct logged_page *page_log_image(const struct logged_page *page,
					 unsigned long call)
{
	const struct logged_page *image = NULL;

	for (; page && page->call >= call; page = page->older)
		image = page;
	return image;
}

/**
 * page_log_add_absent_at() - a page did not exist
 * @log: the log
 * @place: as page_log_seek() has left it
 * @page: and what it has found: a page that was hot and has been discarded
 *	since, or NULL
 *
 * Return: 0 or -ENOMEM; -EBUSY when an open call wants what it held.
 */
int page_log_add_absent_at(struct page_log *log, struct xa_state *place,
			   struct logged_page *page)
{
	if (page) {
		if (page_log_wants_any(log, page))
			return -EBUSY;
		page_log_remove(log, page);
		xas_reset(place);
	}
	do {
		xas_lock(place);
		xas_store(place, xa_mk_value(log->open));
		if (!xas_error(place)) {
			xas_set_mark(place, PAGE_LOG_ABSENT_MARK);
			xas_set_mark(place, PAGE_LOG_FRESH_MARK);
		}
		xas_unlock(place);
	} while (xas_nomem(place, PAGE_LOG_GFP));
	return xas_error(place);
}

/* The same for the page at @address, whether it was hot or not. */
int page_log_add_absent(struct page_log *log, unsigned long address)
{
	struct logged_page *page;

	XA_STATE(place, &log->pages, address >> PAGE_SHIFT);

	page_log_seek(log, &place, &page);
	return page_log_add_absent_at(log, &place, page);
}

/* Whether a call around wants something that was in the area at @address. */
static bool wants_in_area(struct page_log *log, unsigned long address)
{
	unsigned long index = (address & PMD_MASK) >> PAGE_SHIFT;
	unsigned long last = index + PTRS_PER_PTE - 1;
	void *entry;

	xa_for_each_range(&log->pages, index, entry, index, last)
		if (!xa_is_value(entry) && page_log_wants_any(log, entry))
			return true;
	return false;
}

/* The same for the whole area around @address. */
int page_log_add_absent_area(struct page_log *log, unsigned long address)
{
	int ret;

	if (log->first != log->open && wants_in_area(log, address))
		return -EBUSY;
	ret = xa_err(xa_store(&log->areas, address >> PMD_SHIFT,
			      xa_mk_value(log->open), PAGE_LOG_GFP));
	if (!ret)
		xa_set_mark(&log->areas, address >> PMD_SHIFT,
			    PAGE_LOG_FRESH_MARK);
	return ret;
}

static void free_logged(struct logged_page *page)
{
	kmem_cache_free(image_cache, page->image);
	kmem_cache_free(page_cache, page);
}

/**
 * page_log_spare() - have room ready for the content of a page
 * @log: the log
 * @gfp: how to allocate
 *
 * Return: what page_log_add_at() will use and return; until then its image may
 * be filled.  NULL without memory.
 */
struct logged_page *page_log_spare(struct page_log *log, gfp_t gfp)
{
	struct logged_page *page;

	page = list_first_entry_or_null(&log->spares, struct logged_page, node);
	if (page)
		return page;
	page = kmem_cache_alloc(page_cache, gfp);
	if (!page)
		return NULL;
	page->image = kmem_cache_alloc(image_cache, gfp);
	if (!page->image) {
		kmem_cache_free(page_cache, page);
		return NULL;
	}
	list_add(&page->node, &log->spares);
	log->nr_spares++;
	return page;
}

/**
 * page_log_add_at() - put the spare into the log
 * @log: the log
 * @place: as page_log_seek() has left it, of a page of which no image is in the
 *	log
 * @gfp: how to allocate
 *
 * Return: the caller fills its image and calls page_log_saved(); ERR_PTR of
 * -ENOMEM, or of -ENOSPC beyond a limit.
 */
struct logged_page *page_log_add_at(struct page_log *log,
				    struct xa_state *place, gfp_t gfp)
{
	struct logged_page *page = page_log_spare(log, gfp);
	void *before;

	if (!page)
		return ERR_PTR(-ENOMEM);
	if (!reserve(log))
		return ERR_PTR(-ENOSPC);
	do {
		xas_lock(place);
		before = xas_store(place, page);
		if (!xas_error(place) && before) {
			xas_clear_mark(place, PAGE_LOG_ABSENT_MARK);
			xas_clear_mark(place, PAGE_LOG_FRESH_MARK);
		}
		xas_unlock(place);
	} while (xas_nomem(place, gfp));
	if (xas_error(place)) {
		cancel_reservation();
		return ERR_PTR(xas_error(place));
	}
	page->address = place->xa_index << PAGE_SHIFT;
	page->call = 0;
	page->from = 0;
	page->entries = 0;
	page->in_use = false;
	page->cold = false;
	page->absent = before ? xa_to_value(before) : 0;
	page->older = NULL;
	list_move_tail(&page->node, &log->images);
	log->nr_images++;
	log->nr_spares--;
	return page;
}

/* The same for the page at @address, which is not in the log. */
struct logged_page *page_log_add(struct page_log *log, unsigned long address,
				 gfp_t gfp)
{
	XA_STATE(place, &log->pages, address >> PAGE_SHIFT);

	return page_log_add_at(log, &place, gfp);
}

void page_log_set_in_use(struct page_log *log, struct logged_page *page,
			 bool in_use)
{
	log->nr_in_use += in_use - page->in_use;
	page->in_use = in_use;
}

/**
 * page_log_keep() - make room for another image of a page
 * @log: the log
 * @page: the page, of which an open call wants the newest image
 * @gfp: how to allocate
 *
 * Return: 0, and the newest image may be overwritten; -ENOMEM; -ENOSPC beyond a
 * limit.
 */
int page_log_keep(struct page_log *log, struct logged_page *page, gfp_t gfp)
{
	struct logged_page *older = page->older;

	if (!older || page_log_wants(log, older)) {
		older = page_log_spare(log, gfp);
		if (!older)
			return -ENOMEM;
		if (!reserve(log))
			return -ENOSPC;
		list_del_init(&older->node);
		log->nr_spares--;
		log->nr_images++;
		older->older = page->older;
		older->absent = page->absent;
		page->older = older;
	}
	swap(page->image, older->image);
	older->call = page->call;
	older->from = page->from;
	return 0;
}

/* @page becomes writable: it is hot, perhaps again. */
void page_log_warm(struct page_log *log, struct logged_page *page)
{
	page->cold = false;
	list_move_tail(&page->node, &log->images);
}

/* @page is about to be protected, but calls want images of it. */
void page_log_cool(struct page_log *log, struct logged_page *page)
{
	page->cold = true;
	list_move_tail(&page->node, &log->cold);
}

/* Lets go of a page, or an image, that is not in the log any more. */
static void release(struct page_log *log, struct logged_page *page)
{
	log->nr_images--;
	cancel_reservation();
	if (log->nr_spares < SPARES_MAX) {
		list_move(&page->node, &log->spares);
		log->nr_spares++;
	} else {
		list_del(&page->node);
		free_logged(page);
	}
}

static void release_all(struct page_log *log, struct logged_page *page)
{
	struct logged_page *older;

	page_log_set_in_use(log, page, false);
	for (; page; page = older) {
		older = page->older;
		release(log, page);
	}
}

/* Lets go of the images that are older than @image, of which no call is open. */
void page_log_drop_older(struct page_log *log, struct logged_page *image)
{
	struct logged_page *older;

	while ((older = image->older)) {
		image->older = older->older;
		release(log, older);
	}
}

void page_log_remove(struct page_log *log, struct logged_page *page)
{
	xa_erase(&log->pages, page->address >> PAGE_SHIFT);
	release_all(log, page);
}

/* A rollback has removed @page, which did not exist; allocates nothing. */
void page_log_restore_absent(struct page_log *log, struct logged_page *page)
{
	XA_STATE(place, &log->pages, page->address >> PAGE_SHIFT);

	xas_lock(&place);
	xas_store(&place, xa_mk_value(page->absent));
	xas_set_mark(&place, PAGE_LOG_ABSENT_MARK);
	xas_set_mark(&place, PAGE_LOG_FRESH_MARK);
	xas_unlock(&place);
	release_all(log, page);
}

/* The outermost call is over. */
void page_log_drop_cold(struct page_log *log)
{
	struct logged_page *page, *next;

	list_for_each_entry_safe(page, next, &log->cold, node)
		page_log_remove(log, page);
}

static void free_spares(struct page_log *log)
{
	struct logged_page *page, *next;

	list_for_each_entry_safe(page, next, &log->spares, node)
		free_logged(page);
	INIT_LIST_HEAD(&log->spares);
	log->nr_spares = 0;
}

/**
 * page_log_trim() - free the spares if no call came since the last time
 * @log: the log
 *
 * Return: whether there are any left.
 */
bool page_log_trim(struct page_log *log)
{
	if (log->trimmed == log->call)
		free_spares(log);
	log->trimmed = log->call;
	return log->nr_spares;
}

/* What stood in [@start, @end) is gone, and with it what there was to log. */
void page_log_forget(struct page_log *log, unsigned long start,
		     unsigned long end)
{
	unsigned long index;
	void *entry;

	xa_for_each_range(&log->pages, index, entry, start >> PAGE_SHIFT,
			  (end - 1) >> PAGE_SHIFT) {
		if (xa_is_value(entry))
			xa_erase(&log->pages, index);
		else
			page_log_remove(log, entry);
	}
}

/**
 * page_log_move() - the pages of a range have moved, and the log follows
 * @log: the log, in which nothing is of the new place
 * @from: where they were
 * @to: where they are; does not overlap with where they were
 * @size: of the range in bytes
 *
 * Return: 0 or -ENOMEM, then entries are lost.
 */
int page_log_move(struct page_log *log, unsigned long from, unsigned long to,
		  unsigned long size)
{
	unsigned long index, moved;
	struct logged_page *page;
	void *entry;
	int ret = 0;

	xa_for_each_range(&log->pages, index, entry, from >> PAGE_SHIFT,
			  (from + size - 1) >> PAGE_SHIFT) {
		page = xa_is_value(entry) ? NULL : entry;
		moved = index - (from >> PAGE_SHIFT) + (to >> PAGE_SHIFT);
		xa_erase(&log->pages, index);
		if (xa_err(xa_store(&log->pages, moved, entry, PAGE_LOG_GFP))) {
			ret = -ENOMEM;
			if (page)
				page_log_remove(log, page);
		} else if (page) {
			page->address = moved << PAGE_SHIFT;
		} else {
			xa_set_mark(&log->pages, moved, PAGE_LOG_ABSENT_MARK);
			xa_set_mark(&log->pages, moved, PAGE_LOG_FRESH_MARK);
		}
	}
	return ret;
}

/*
 * True, and @pages are held beside the @others of the same call, unless that
 * is beyond a limit.
 */
bool page_log_hold(const struct page_log *log, unsigned long others,
		   unsigned long pages)
{
	if (log->nr_images + others + pages > READ_ONCE(log_pages))
		return false;
	if (atomic_long_add_return(pages, &held) <= READ_ONCE(log_pages_total))
		return true;
	atomic_long_sub(pages, &held);
	return false;
}

/* They are not held any more. */
void page_log_unhold(unsigned long pages)
{
	atomic_long_sub(pages, &held);
}

static void free_list(struct list_head *list)
{
	struct logged_page *page, *next, *older;

	list_for_each_entry_safe(page, next, list, node) {
		for (; page; page = older) {
			older = page->older;
			free_logged(page);
		}
	}
	INIT_LIST_HEAD(list);
}

void page_log_clear(struct page_log *log)
{
	free_list(&log->images);
	free_list(&log->cold);
	free_spares(log);
	xa_destroy(&log->pages);
	xa_destroy(&log->areas);
	atomic_long_sub(log->nr_images, &held);
	log->nr_images = 0;
	log->nr_in_use = 0;
}

int __init reassure_page_log_init(void)
{
	page_cache = kmem_cache_create("reassure_page",
				       sizeof(struct logged_page), 0,
				       SLAB_ACCOUNT, construct);
	if (!page_cache)
		return -ENOMEM;
	/*
	 * What is constructed has the allocator's pointer behind it: aligned
	 * to pages, an image would take two.
	 */
	image_cache = kmem_cache_create("reassure_image", PAGE_SIZE, 0,
					SLAB_ACCOUNT | SLAB_HWCACHE_ALIGN,
					construct);
	if (!image_cache) {
		kmem_cache_destroy(page_cache);
		return -ENOMEM;
	}
	return 0;
}

/* No log is left. */
void reassure_page_log_exit(void)
{
	kmem_cache_destroy(image_cache);
	kmem_cache_destroy(page_cache);
}
