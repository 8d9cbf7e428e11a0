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
#include "slow_fault.h"

/* The mapping of @address where this process may write to it; or NULL. */
static struct vm_area_struct *find_writable(struct guarded_mm *gm,
					    unsigned long address)
{
	struct vm_area_struct *vma = vma_lookup(guarded_mm_mm(gm), address);

	if (!vma || !shared_memory_is_watchable(vma) ||
	    !(vma->vm_flags & VM_WRITE))
		return NULL;
	return vma;
}

/* Makes the page at @address present and writable, if that can be had. */
static void bring_in(struct guarded_mm *gm, unsigned long address)
{
	struct vm_area_struct *vma = find_writable(gm, address);
	struct page *page;
	bool held;

	if (!vma)
		return;
	page = page_table_get_shared(guarded_mm_mm(gm), address);
	if (page) {
		put_page(page);
		return;
	}
	/*
	 * Without leave to retry it keeps the mmap lock, and our own call is
	 * not redirected.
	 */
	held = slow_fault_begin(vma, address, FAULT_FLAG_WRITE);
	handle_mm_fault(vma, address, FAULT_FLAG_WRITE | FAULT_FLAG_REMOTE,
			NULL);
	slow_fault_end(held);
	unprotected_add_area(&gm->shared.unprotected, address);
}

/**
 * shared_rollback_bring_in() - have the pages there that are to be put back
 * @gm: the address space of current, which has a checkpoint open there
 *
 * This may ask a file system, and that a process that looks at the mappings of
 * this one before it answers; so the mmap lock is held for reading only.
 * Reclaim or writeback may take a page away again before
 * shared_rollback_prepare().
 */
void shared_rollback_bring_in(struct guarded_mm *gm)
{
	struct logged_page *logged;

	if (!shared_memory_watches(&gm->shared) || !gm->shared.log.nr_images)
		return;
	mmap_read_lock(guarded_mm_mm(gm));
	list_for_each_entry(logged, &gm->shared.log.images, node) {
		bring_in(gm, logged->address);
		cond_resched();
	}
	mmap_read_unlock(guarded_mm_mm(gm));
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

/* Return: negative when all are there; otherwise the enum reassure_refusal. */
static int get_pages(struct shared_rollback *rb, struct guarded_mm *gm)
{
	struct logged_page *logged;
	struct page *live;

	list_for_each_entry(logged, &gm->shared.log.images, node) {
		if (!find_writable(gm, logged->address))
			return REASSURE_REFUSED_SHARED;
		live = page_table_get_shared(guarded_mm_mm(gm),
					     logged->address);
		if (!live)
			return REASSURE_REFUSED_UNREADABLE;
		rb->pages[rb->count].live = live;
		rb->pages[rb->count].logged = logged;
		rb->pages[rb->count].locked = false;
		rb->count++;
		cond_resched();
	}
	return -1;
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
 * @gm: the address space of current, locked, which has a checkpoint open there
 *
 * What the call has written to shared memory and then moved, removed or made
 * read-only is not put back.
 *
 * Return: negative, and the folios of @rb are locked: little may be done
 * before shared_rollback_commit(); otherwise the enum reassure_refusal.  That
 * is REASSURE_REFUSED_UNREADABLE when it may be tried again after
 * shared_rollback_bring_in().  shared_rollback_cancel() takes back either.
 */
int shared_rollback_prepare(struct shared_rollback *rb, struct guarded_mm *gm)
{
	struct page_log *log = &gm->shared.log;
	int refusal;

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
	refusal = get_pages(rb, gm);
	if (refusal < 0 && !lock_pages(gm, rb))
		refusal = REASSURE_REFUSED_UNREADABLE;
	return refusal;
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
