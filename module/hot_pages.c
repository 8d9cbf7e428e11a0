// SPDX-License-Identifier: GPL-2.0
/*
 * Hot pages: those that calls keep writing to.  To copy one at entry costs an
 * eighth of a write fault, so they are left writable and copied each time.
 * One that no longer changes is listed to be protected, and is cold then.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "guarded_mm.h"
#include "hot_pages.h"
#include "kernel_symbols.h"
#include "page_table.h"
#include "protection.h"

/*
 * Whether a page has changed is looked at when it was copied once, and again
 * each time that it was copied this often; a look costs some copies.
 */
#define ENTRIES_BETWEEN_LOOKS	256
#define ENTRIES_AFTER_ROLLBACK	16

static void make_cold(struct guarded_mm *gm, struct logged_page *page)
{
	unprotected_add_page(&gm->unprotected, page->address,
			     guarded_mm_mm(gm), gm->log.call);
	page_log_remove(&gm->log, page);
}

static bool is_due(const struct logged_page *page)
{
	return page->entries % ENTRIES_BETWEEN_LOOKS == 1;
}

/* A rollback has put @page back, so that it looks as if no call wrote it. */
void hot_pages_rolled_back(struct logged_page *page)
{
	page->entries = ENTRIES_BETWEEN_LOOKS - ENTRIES_AFTER_ROLLBACK + 1;
}

/*
 * @page was written soon after it was made cold: what calls write is what it
 * held already, and another look would tell no more.
 */
void hot_pages_came_back(struct logged_page *page)
{
	page->entries = 2;
}

/*
 * Reads the page at its user address, which needs no look at the page table.
 * When what is there cannot be read just so, it is not hot.
 */
static bool read_page(const struct logged_page *page, void *to,
		      unsigned int from)
{
	return !raw_copy_from_user(to + from,
				   (void __user *)(page->address + from),
				   PAGE_SIZE - from);
}

/* Whether the page still holds what it held at the entry before. */
static bool is_unchanged(const struct logged_page *page)
{
	char now[256];
	unsigned int at;

	for (at = page->from; at < PAGE_SIZE; at += sizeof(now)) {
		unsigned int size = min_t(unsigned int, sizeof(now),
					  PAGE_SIZE - at);

		if (raw_copy_from_user(now, (void __user *)page->address + at,
				       size) ||
		    memcmp(now, page->image + at, size))
			return false;
	}
	return true;
}

/* Those that are not hot any more go to the list @cold. */
static void copy_pages(struct guarded_mm *gm, struct list_head *cold)
{
	struct page_log *log = &gm->log;
	struct logged_page *page, *next;
	unsigned int from;

	list_for_each_entry_safe(page, next, &log->images, node) {
		/* protection_renew() has copied it just now. */
		if (page->call == log->call)
			continue;
		if (guarded_mm_is_dead_stack(gm, page->address))
			continue;
		from = guarded_mm_live_from(gm, page->address);
		if ((is_due(page) && !page->in_use && from >= page->from &&
		     is_unchanged(page)) ||
		    !read_page(page, page->image, from)) {
			list_move(&page->node, cold);
			continue;
		}
		page->entries++;
		page_log_saved(log, page, from);
	}
}

/**
 * hot_pages_copy() - copy the hot pages, at the entry
 * @gm: the address space of current; @gm->lock is held
 *
 * Those that are not hot any more are left in @gm->unprotected.
 */
void hot_pages_copy(struct guarded_mm *gm)
{
	LIST_HEAD(cold);
	struct logged_page *page, *next;

	/* So that a page that is not there is not read in, but refused. */
	pagefault_disable();
	copy_pages(gm, &cold);
	pagefault_enable();
	list_for_each_entry_safe(page, next, &cold, node)
		make_cold(gm, page);
}

/**
 * hot_pages_forget_unmapped() - forget what is not private memory any more
 * @gm: the address space of current, locked for reading; @gm->lock is held
 */
void hot_pages_forget_unmapped(struct guarded_mm *gm)
{
	struct logged_page *page, *next;
	struct vm_area_struct *vma;

	list_for_each_entry_safe(page, next, &gm->log.images, node) {
		vma = vma_lookup(guarded_mm_mm(gm), page->address);
		if (!vma || !has_private_pages(vma))
			page_log_remove(&gm->log, page);
	}
}

/* Whether a device may be using @page. */
static bool is_in_use(struct guarded_mm *gm, const struct logged_page *page)
{
	struct page_table_entry entry;
	bool in_use;

	page_table_get(guarded_mm_mm(gm), page->address, NULL, true, &entry);
	if (entry.state != PAGE_TABLE_ANON)
		return false;
	/* Our own reference is explained. */
	in_use = compat_unexplained_references(page_folio(entry.page)) > 1;
	put_page(entry.page);
	return in_use;
}

/**
 * hot_pages_check_use() - see which hot pages a device may be using
 * @gm: the address space of current, locked for reading; @gm->lock is held
 */
void hot_pages_check_use(struct guarded_mm *gm)
{
	struct logged_page *page;
	bool drained = false;
	bool in_use;

	list_for_each_entry(page, &gm->log.images, node) {
		in_use = is_in_use(gm, page);
		if (in_use && !drained) {
			/* Perhaps only a batch on its way to the LRU lists. */
			kernel_drain_all_lru_batches();
			drained = true;
			in_use = is_in_use(gm, page);
		}
		page_log_set_in_use(&gm->log, page, in_use);
	}
}
