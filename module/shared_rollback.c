// SPDX-License-Identifier: GPL-2.0
/*
 * Putting shared memory back, as part of a rollback.
 *
 * A page of a file may be written to only as by a process that has it mapped
 * writable: the file system has agreed, and writeback takes the permission
 * away before it writes.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "guarded_mm.h"
#include "page_table.h"
#include "shared_rollback.h"

/* Attempts to find all pages writable that reclaim or writeback takes away. */
#define PREPARE_ATTEMPTS	8

/* The page at @address, which this process may write to; NULL without. */
static struct page *get_writable_page(struct guarded_mm *gm,
				      unsigned long address)
{
	struct mm_struct *mm = guarded_mm_mm(gm);
	struct vm_area_struct *vma = vma_lookup(mm, address);
	struct page *page;
	int attempts;

	if (!vma || !shared_memory_is_watchable(vma) ||
	    !(vma->vm_flags & VM_WRITE))
		return NULL;
	for (attempts = 0; attempts < PREPARE_ATTEMPTS; attempts++) {
		page = page_table_get_shared(mm, address);
		if (page)
			return page;
		/*
		 * Without leave to retry it keeps the mmap lock, and our own
		 * call is not redirected.
		 */
		if (handle_mm_fault(vma, address,
				    FAULT_FLAG_WRITE | FAULT_FLAG_REMOTE,
				    NULL) & VM_FAULT_ERROR)
			return NULL;
		unprotected_add_area(&gm->shared.unprotected, address);
	}
	return NULL;
}

static void unlock_pages(struct shared_rollback *rb)
{
	unsigned long i;

	for (i = 0; i < rb->count; i++) {
		if (rb->pages[i].locked)
			folio_unlock(page_folio(rb->pages[i].live));
		rb->pages[i].locked = false;
	}
}

/* Whether an earlier page of @rb, most likely the last, is of the folio. */
static bool is_locked_by_us(const struct shared_rollback *rb, unsigned long i,
			    struct folio *folio)
{
	while (i--)
		if (page_folio(rb->pages[i].live) == folio)
			return true;
	return false;
}

static bool still_writable(struct guarded_mm *gm,
			   const struct shared_page *page)
{
	struct page *now = page_table_get_shared(guarded_mm_mm(gm),
						 page->logged->address);

	if (now)
		put_page(now);
	return now == page->live;
}

/*
 * Writeback takes the write permission away with the folio locked, and so
 * does truncation the page: while all of them are locked, writing is as good
 * as through the mapping.  Never waits, since it would in no order that others
 * know of.
 */
static bool lock_pages(struct guarded_mm *gm, struct shared_rollback *rb)
{
	struct shared_page *page;
	struct folio *folio;
	unsigned long i;

	for (i = 0; i < rb->count; i++) {
		page = &rb->pages[i];
		folio = page_folio(page->live);
		page->locked = folio_trylock(folio);
		if ((!page->locked && !is_locked_by_us(rb, i, folio)) ||
		    !folio->mapping || !still_writable(gm, page)) {
			unlock_pages(rb);
			return false;
		}
	}
	return true;
}

static void put_pages(struct shared_rollback *rb)
{
	while (rb->count)
		put_page(rb->pages[--rb->count].live);
}

static bool get_pages(struct shared_rollback *rb, struct guarded_mm *gm)
{
	struct logged_page *logged;
	struct page *live;

	list_for_each_entry(logged, &gm->shared.log.images, node) {
		live = get_writable_page(gm, logged->address);
		if (!live)
			return false;
		rb->pages[rb->count].live = live;
		rb->pages[rb->count].logged = logged;
		rb->pages[rb->count].locked = false;
		rb->count++;
		cond_resched();
	}
	return true;
}

/* The log speaks of where pages were when they were written to. */
static bool has_changed_place(struct guarded_mm *gm)
{
	struct logged_page *logged;

	list_for_each_entry(logged, &gm->shared.log.images, node)
		if (moved_mappings_concern(gm, logged->address))
			return true;
	return false;
}

/**
 * shared_rollback_prepare() - do all of a rollback that can fail
 * @rb: what shared_rollback_commit() needs
 * @gm: the address space of current, locked for reading, which has a
 *	checkpoint open there
 *
 * What the call has written to shared memory and then moved, removed or made
 * read-only is not put back.
 *
 * Return: negative, and the folios of @rb are locked: little may be done
 * before shared_rollback_commit(); otherwise the enum reassure_refusal.
 * shared_rollback_cancel() takes back either.
 */
int shared_rollback_prepare(struct shared_rollback *rb, struct guarded_mm *gm)
{
	struct page_log *log = &gm->shared.log;
	int attempts;

	if (!shared_memory_watches(&gm->shared))
		return -1;
	shared_memory_check(gm);
	if (READ_ONCE(gm->refusal) >= 0)
		return READ_ONCE(gm->refusal);
	if (!log->nr_images)
		return -1;
	if (has_changed_place(gm))
		return REASSURE_REFUSED_SHARED;
	rb->pages = kvmalloc_array(log->nr_images, sizeof(*rb->pages),
				   PAGE_LOG_GFP);
	if (!rb->pages)
		return REASSURE_REFUSED_MEMORY;
	for (attempts = 0; attempts < PREPARE_ATTEMPTS; attempts++) {
		if (!get_pages(rb, gm))
			return REASSURE_REFUSED_SHARED;
		if (lock_pages(gm, rb))
			return -1;
		put_pages(rb);
		schedule_timeout_uninterruptible(1);
	}
	return REASSURE_REFUSED_UNREADABLE;
}

/**
 * shared_rollback_commit() - put back what the call wrote to shared memory
 * @rb: prepared
 *
 * The last write first: a page that is mapped twice was logged twice, and
 * only its first image is that of the entry.  All are dirty already, in the
 * page table or themselves: a write fault has made them writable, and who
 * cleans them takes that away, with the folio locked.
 *
 * Return: how many pages were put back.
 */
unsigned long shared_rollback_commit(struct shared_rollback *rb)
{
	unsigned long restored = 0;
	unsigned long i = rb->count;

	while (i--) {
		struct page *live = rb->pages[i].live;
		void *image = rb->pages[i].logged->image;

		if (!memcmp(page_address(live), image, PAGE_SIZE))
			continue;
		copy_page(page_address(live), image);
		restored++;
	}
	shared_rollback_cancel(rb);
	return restored;
}

/* Lets the pages go; also those of a rollback that was not prepared. */
void shared_rollback_cancel(struct shared_rollback *rb)
{
	unlock_pages(rb);
	put_pages(rb);
	kvfree(rb->pages);
	rb->pages = NULL;
}
