// SPDX-License-Identifier: GPL-2.0
/*
 * Hot pages: those that calls keep writing to.  To copy one at entry costs an
 * eighth of a write fault, so they are left writable and copied each time.
 * One that no longer changes is listed to be protected, and is cold then.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "arch/x86/user_copy.h"
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
static bool read_page(const struct logged_page *page, unsigned int from)
{
	return user_copy_words(page->image + from,
			       (void __user *)(page->address + from),
			       PAGE_SIZE - from);
}

/*
 * Whether the page still holds what it held at the entry before, as far as it
 * can be read just so.
 */
static bool is_unchanged(const struct logged_page *page)
{
	const u64 __user *now = (u64 __user *)page->address;
	const u64 *then = page->image;
	unsigned int i;
	u64 a, b, c, d;

	if (!user_read_access_begin(now, PAGE_SIZE))
		return true;
	for (i = round_down(page->from, 32) / 8; i < PAGE_SIZE / 8; i += 4) {
		unsafe_get_user(a, now + i, unreadable);
		unsafe_get_user(b, now + i + 1, unreadable);
		unsafe_get_user(c, now + i + 2, unreadable);
		unsafe_get_user(d, now + i + 3, unreadable);
		if ((a ^ then[i]) | (b ^ then[i + 1]) | (c ^ then[i + 2]) |
		    (d ^ then[i + 3]))
			break;
	}
	user_read_access_end();
	return i == PAGE_SIZE / 8;

unreadable:
	user_read_access_end();
	return true;
}

/*
 * @page is not to be copied again; an open call may want what was.  It may have
 * been written since, but then by that call.
 */
static void make_cold_inside(struct guarded_mm *gm, struct logged_page *page)
{
	if (!page_log_wants_any(&gm->log, page)) {
		make_cold(gm, page);
		return;
	}
	unprotected_add_page(&gm->unprotected, page->address,
			     guarded_mm_mm(gm), gm->log.call);
	page_log_cool(&gm->log, page);
}

/**
 * hot_pages_copy_inside() - copy the hot pages, at an entry inside a call
 * @gm: the address space of current; @gm->lock is held
 *
 * What the calls around want stays in the log.
 *
 * Return: whether pages are left in @gm->unprotected that are not hot any more;
 * -ENOMEM; -ENOSPC beyond a limit.
 */
int hot_pages_copy_inside(struct guarded_mm *gm)
{
	struct page_log *log = &gm->log;
	struct logged_page *page, *next;
	int cooled = 0, ret = 0;
	unsigned int from;
	bool copied;

	list_for_each_entry_safe(page, next, &log->images, node) {
		if (page->call == log->open ||
		    guarded_mm_is_dead_stack(gm, page->address))
			continue;
		from = guarded_mm_live_from(gm, page->address);
		pagefault_disable();
		copied = !is_due(page) || page->address == gm->dead_end ||
			 !is_unchanged(page);
		if (copied && page_log_wants(log, page))
			ret = page_log_has_room(log) ?
			      page_log_keep(log, page, PAGE_LOG_GFP) : -ENOSPC;
		if (copied && !ret)
			copied = read_page(page, from);
		pagefault_enable();
		if (ret)
			return ret;
		if (copied) {
			page->entries++;
			page_log_saved(log, page, from);
		} else {
			make_cold_inside(gm, page);
			cooled = 1;
		}
	}
	return cooled;
}

/**
 * hot_pages_copy() - copy the hot pages, at the entry
 * @gm: the address space of current; @gm->lock is held
 *
 * Those that are not hot any more are left in @gm->unprotected.
 *
 * Return: whether there are such.
 */
bool hot_pages_copy(struct guarded_mm *gm)
{
	struct page_log *log = &gm->log;
	struct logged_page *page, *next;
	unsigned int from;
	bool cooled = false;
	bool due;

	/* So that a page that is not there is not read in, but refused. */
	pagefault_disable();
	list_for_each_entry_safe(page, next, &log->images, node) {
		/* protection_renew() has copied it just now. */
		if (page->call == log->call)
			continue;
		from = 0;
		due = is_due(page);
		/* One is for calls inside that may come again. */
		if (unlikely(page->older && page->older->older))
			page_log_drop_older(log, page->older);
		if (page->address <= gm->dead_end) {
			if (guarded_mm_is_dead_stack(gm, page->address))
				continue;
			from = guarded_mm_live_from(gm, page->address);
			/* The next call will write below what is live. */
			if (page->address == gm->dead_end)
				due = false;
		}
		if ((due && !page->in_use && is_unchanged(page)) ||
		    !read_page(page, from)) {
			pagefault_enable();
			make_cold(gm, page);
			pagefault_disable();
			cooled = true;
			continue;
		}
		page->entries++;
		page_log_saved(log, page, from);
	}
	pagefault_enable();
	return cooled;
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
	in_use = compat_is_in_use(entry.page);
	put_page(entry.page);
	return in_use;
}

static bool copy_again(const struct logged_page *page)
{
	bool copied;

	pagefault_disable();
	copied = read_page(page, page->from);
	pagefault_enable();
	return copied;
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
		/* What was copied while somebody wrote to it is of no moment. */
		if (!in_use && page->in_use && page->call == gm->log.call &&
		    !copy_again(page))
			continue;
		page_log_set_in_use(&gm->log, page, in_use);
	}
}
