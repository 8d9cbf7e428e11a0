// SPDX-License-Identifier: GPL-2.0
/*
 * Shared memory: mappings whose pages other processes may see.
 *
 * Only this process's page-table entries are made read-only, so that its
 * writes pass handle_mm_fault() and nobody else's do.  A write refuses the
 * rescue of the call, or is undone, as the rescue point says; a call that
 * leaves shared memory alone protects nothing and looks at nothing.
 *
 * The kernel makes entries of tmpfs, and of whatever has no page_mkwrite(),
 * writable before anybody writes: on read faults, around them, and when it has
 * migrated a huge page.  So the mapping's vm_page_prot loses its write
 * permission too, as where the kernel itself wants to hear of writes; else each
 * read fault would have to look at all that may have come with it.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/fs.h>
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <asm/tlbflush.h>

#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "page_table.h"
#include "protection.h"
#include "shared_memory.h"

void shared_memory_init(struct shared_memory *shared)
{
	shared->mode = REASSURE_SHARED_LEAVE;
	unprotected_init(&shared->unprotected, NULL);
	page_log_init(&shared->log);
	shared->stale = true;
	shared->refusal = -1;
}

void shared_memory_free(struct shared_memory *shared)
{
	page_log_clear(&shared->log);
	unprotected_free(&shared->unprotected);
}

/* Why a call cannot watch what is written to @vma; negative: it can. */
static int mapping_refusal(struct vm_area_struct *vma)
{
	if ((vma->vm_flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return -1;
	/* Its page tables may be shared by processes. */
	if (is_vm_hugetlb_page(vma))
		return REASSURE_REFUSED_HUGETLB;
	if (vma_is_dax(vma))
		return REASSURE_REFUSED_MAPPING;
	return -1;
}

static bool entries_come_writable(const struct vm_area_struct *vma)
{
	return pgprot_val(READ_ONCE(vma->vm_page_prot)) & _PAGE_RW;
}

/* The mapping is kept by its lock or the mmap lock; only its owner does this. */
static void make_entries_read_only(struct vm_area_struct *vma)
{
	WRITE_ONCE(vma->vm_page_prot,
		   __pgprot(pgprot_val(vma->vm_page_prot) & ~_PAGE_RW));
}

/* A walk, and how many writable entries it found. */
struct shared_walk {
	struct page_log *log;
	unsigned long found;
};

static int protect_pte(struct vm_area_struct *vma, unsigned long address,
		       pte_t *pte, void *data)
{
	struct shared_walk *walk = data;

	if (!pte_present(*pte)) {
		protection_of_absent(pte);
		return 0;
	}
	/* What is in the log may be written to. */
	if (!pte_write(*pte) || page_log_covers(walk->log, address))
		return 0;
	ptep_set_wrprotect(vma->vm_mm, address, pte);
	walk->found++;
	return 0;
}

/* Returns how many pages were writable; the caller flushes the TLB. */
static unsigned long protect_mapping(struct guarded_mm *gm,
				     struct vm_area_struct *vma,
				     unsigned long start, unsigned long end)
{
	struct shared_walk walk = { .log = &gm->shared.log };

	start = max(start, vma->vm_start);
	end = min(end, vma->vm_end);
	walk.found = page_table_protect_huge(vma, start, end);
	page_table_walk(vma, start, end, protect_pte, &walk);
	return walk.found;
}

static void protect_range(struct guarded_mm *gm, unsigned long start,
			  unsigned long end)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, guarded_mm_mm(gm), start);

	for_each_vma_range(vmi, vma, end)
		if (shared_memory_is_watchable(vma))
			protect_mapping(gm, vma, start, end);
}

static void flush(struct guarded_mm *gm, unsigned long start, unsigned long end)
{
	bool all = end - start > PMD_SIZE;

	kernel_flush_tlb_range(guarded_mm_mm(gm), all ? 0 : start,
			       all ? TLB_FLUSH_ALL : end);
}

/* Whether all of what is mapped now can be watched. */
static int look_at_mappings(struct guarded_mm *gm)
{
	struct shared_memory *shared = &gm->shared;
	struct vm_area_struct *vma;
	int refusal;

	VMA_ITERATOR(vmi, guarded_mm_mm(gm), 0);

	for_each_vma(vmi, vma) {
		refusal = mapping_refusal(vma);
		if (refusal >= 0)
			return refusal;
		if (!shared_memory_is_watchable(vma) || !entries_come_writable(vma))
			continue;
		make_entries_read_only(vma);
		unprotected_add_range(&shared->unprotected, vma->vm_start,
				      vma->vm_end);
	}
	return -1;
}

/**
 * shared_memory_renew() - protect what has become writable
 * @gm: the address space of current, locked for reading; @gm->lock is held
 *
 * Return: negative, or the enum reassure_refusal for which this call cannot
 * watch shared memory.
 */
int shared_memory_renew(struct guarded_mm *gm)
{
	struct shared_memory *shared = &gm->shared;
	struct unprotected *un = &shared->unprotected;
	unsigned long low = TASK_SIZE_MAX, high = 0;
	unsigned long start, end;
	unsigned int i;

	if (shared->stale) {
		WRITE_ONCE(shared->stale, false);
		shared->refusal = look_at_mappings(gm);
		/* What it has not come to is looked at when it may watch. */
		if (shared->refusal >= 0)
			WRITE_ONCE(shared->stale, true);
	}
	if (shared->refusal >= 0)
		return shared->refusal;

	guarded_mm_begin_fault(gm);
	if (unprotected_take_range(un, &start, &end)) {
		low = start;
		high = end;
		protect_range(gm, start, end);
	}
	for (i = 0; i < un->count; i++) {
		protect_range(gm, un->pages[i], un->pages[i] + PAGE_SIZE);
		low = min(low, un->pages[i]);
		high = max(high, un->pages[i] + PAGE_SIZE);
	}
	un->count = 0;
	if (low < high)
		flush(gm, low, high);
	guarded_mm_end_fault(gm);
	return -1;
}

/* The call is over; the lock of the address space is held. */
void shared_memory_close(struct shared_memory *shared)
{
	page_log_clear(&shared->log);
}

static bool is_watching(struct guarded_mm *gm)
{
	return READ_ONCE(gm->owner) && shared_memory_watches(&gm->shared);
}

/*
 * What is writable and not in the log, in a mapping of the entry, may have
 * been written to.
 */
static void protect_again(struct guarded_mm *gm, struct vm_area_struct *vma)
{
	unsigned long found;

	mutex_lock(&gm->lock);
	make_entries_read_only(vma);
	found = protect_mapping(gm, vma, vma->vm_start, vma->vm_end);
	if (found && mappings_intersect(&gm->maps, vma->vm_start, vma->vm_end))
		guarded_mm_refuse(gm, REASSURE_REFUSED_SHARED);
	mutex_unlock(&gm->lock);
	flush(gm, vma->vm_start, vma->vm_end);
}

/**
 * shared_memory_before_fault() - make sure that a read leaves a page protected
 * @gm: the address space
 * @vma: a mapping of shared memory that the fault keeps
 *
 * New mappings, and those that a new one was merged with, have to be told; or
 * cannot be watched.
 */
void shared_memory_before_fault(struct guarded_mm *gm,
				struct vm_area_struct *vma)
{
	int refusal;

	if (!is_watching(gm))
		return;
	refusal = mapping_refusal(vma);
	if (refusal >= 0)
		guarded_mm_refuse(gm, refusal);
	else if (shared_memory_is_watchable(vma) && entries_come_writable(vma))
		protect_again(gm, vma);
}

/* For the next call that watches. */
static void note_writable(struct guarded_mm *gm, unsigned long address,
			  bool area)
{
	struct unprotected *un = &gm->shared.unprotected;

	if (unprotected_is_all(un))
		return;
	if (area) {
		unprotected_add_area(un, address);
		return;
	}
	mutex_lock(&gm->lock);
	unprotected_add_page(un, address, guarded_mm_mm(gm), gm->log.call);
	mutex_unlock(&gm->lock);
}

/*
 * Nobody has written through the entry that the kernel has just made: the
 * page still holds what this process found there.  Read at the user's
 * address, so that huge pages are no matter of their own; a page that is gone
 * again will fault again.  Returns a refusal or -1.
 */
static int keep_page(struct page_log *log, unsigned long address)
{
	struct logged_page *page;
	unsigned long missing;

	if (page_log_covers(log, address))
		return -1;
	page = page_log_add(log, address, PAGE_LOG_GFP);
	if (IS_ERR(page))
		return PTR_ERR(page) == -ENOSPC ? REASSURE_REFUSED_LIMIT :
						  REASSURE_REFUSED_MEMORY;
	pagefault_disable();
	missing = raw_copy_from_user(page->image, (void __user *)address,
				     PAGE_SIZE);
	pagefault_enable();
	if (missing)
		page_log_remove(log, page);
	else
		page_log_saved(log, page, 0);
	return -1;
}

/* The kernel itself cannot read or write what is there. */
static bool is_secret(const struct vm_area_struct *vma)
{
	return vma->vm_file &&
	       file_inode(vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

static int keep_range(struct guarded_mm *gm, unsigned long start,
		      unsigned long end)
{
	int refusal = -1;

	/* Nobody could put it back once the call has unmapped it. */
	if (!mappings_intersect(&gm->maps, start, end))
		return REASSURE_REFUSED_SHARED;
	for (; refusal < 0 && start < end; start += PAGE_SIZE)
		refusal = keep_page(&gm->shared.log, start);
	return refusal;
}

/* A write to @vma, while a checkpoint is open that restores shared memory. */
static void keep(struct guarded_mm *gm, struct vm_area_struct *vma,
		 unsigned long address, const struct page_table_entry *entry)
{
	unsigned long start = address, end = address + PAGE_SIZE;
	unsigned long area = address & PMD_MASK;
	int refusal;

	if (entry->state == PAGE_TABLE_HUGE) {
		start = max(area, vma->vm_start);
		end = min(area + PMD_SIZE, vma->vm_end);
	}
	mutex_lock(&gm->lock);
	if (gm->owner && gm->refusal < 0) {
		refusal = is_secret(vma) ? REASSURE_REFUSED_SHARED :
			  keep_range(gm, start, end);
		if (refusal >= 0)
			guarded_mm_refuse(gm, refusal);
		/* It may have come with its neighbours. */
		else if (entry->large)
			protect_mapping(gm, vma, area, area + PMD_SIZE);
	}
	mutex_unlock(&gm->lock);
	if (entry->large)
		flush(gm, area, area + PMD_SIZE);
}

/* A read has made something writable: a hint of NUMA balancing was taken. */
static void renew_area(struct guarded_mm *gm, struct vm_area_struct *vma,
		       unsigned long address)
{
	unsigned long start = address & PMD_MASK;

	mutex_lock(&gm->lock);
	/* While others read, the thread inside runs and may have written. */
	if (protect_mapping(gm, vma, start, start + PMD_SIZE) &&
	    (current->mm != vma->vm_mm || READ_ONCE(gm->siblings.run)))
		guarded_mm_refuse(gm, REASSURE_REFUSED_FOREIGN);
	mutex_unlock(&gm->lock);
	flush(gm, start, start + PMD_SIZE);
}

/* What current is about to write to. */
static void written(struct guarded_mm *gm, struct vm_area_struct *vma,
		    unsigned long address, const struct page_table_entry *entry)
{
	if (current->mm != vma->vm_mm)
		guarded_mm_refuse(gm, REASSURE_REFUSED_FOREIGN);
	else if (gm->shared.mode == REASSURE_SHARED_REFUSE)
		guarded_mm_refuse(gm, REASSURE_REFUSED_SHARED);
	else
		keep(gm, vma, address, entry);
}

/**
 * shared_memory_after_fault() - see what a fault has made writable
 * @gm: the address space
 * @vma: a mapping of shared memory; its lock or the mmap lock is held
 * @address: the page
 * @writes: it is about to be written to
 */
void shared_memory_after_fault(struct guarded_mm *gm,
			       struct vm_area_struct *vma,
			       unsigned long address, bool writes)
{
	struct page_table_entry entry;

	if (!shared_memory_is_watchable(vma))
		return;
	page_table_get(vma->vm_mm, address, NULL, false, &entry);
	if (!entry.writable)
		return;
	if (is_watching(gm)) {
		if (!writes) {
			renew_area(gm, vma, address);
			return;
		}
		written(gm, vma, address, &entry);
	}
	/* What was read may have come with its neighbours. */
	note_writable(gm, address, !writes || entry.large ||
		      entry.state == PAGE_TABLE_HUGE);
}

/**
 * shared_memory_reprotected() - current has called mprotect()
 * @gm: its address space, not locked, with a checkpoint open
 * @start: first address
 * @end: address behind the last
 *
 * The call has not come to write to what has become writable.
 */
void shared_memory_reprotected(struct guarded_mm *gm, unsigned long start,
			       unsigned long end)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, guarded_mm_mm(gm), start);

	if (!is_watching(gm))
		return;
	mmap_read_lock(guarded_mm_mm(gm));
	mutex_lock(&gm->lock);
	for_each_vma_range(vmi, vma, end) {
		if (!shared_memory_is_watchable(vma))
			continue;
		make_entries_read_only(vma);
		protect_mapping(gm, vma, start, end);
	}
	mutex_unlock(&gm->lock);
	mmap_read_unlock(guarded_mm_mm(gm));
	flush(gm, start, end);
}

/**
 * shared_memory_came() - pages were moved to a range, or their mapping changed
 * @gm: the address space, locked for reading
 * @start: first address
 * @end: address behind the last
 *
 * For the next call that watches.
 */
void shared_memory_came(struct guarded_mm *gm, unsigned long start,
			unsigned long end)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, guarded_mm_mm(gm), start);

	for_each_vma_range(vmi, vma, end) {
		if (!shared_memory_is_watchable(vma))
			continue;
		WRITE_ONCE(gm->shared.stale, true);
		unprotected_add_range(&gm->shared.unprotected,
				      max(start, vma->vm_start),
				      min(end, vma->vm_end));
	}
}

/**
 * shared_memory_check() - see whether something could not be watched
 * @gm: the address space of current, locked for reading, with a checkpoint open
 *
 * Mappings that were told otherwise during the call and did not fault since,
 * and those that the call has made and nobody can watch.
 */
void shared_memory_check(struct guarded_mm *gm)
{
	struct vm_area_struct *vma;
	int refusal;

	VMA_ITERATOR(vmi, guarded_mm_mm(gm), 0);

	for_each_vma(vmi, vma) {
		refusal = mapping_refusal(vma);
		if (refusal >= 0)
			guarded_mm_refuse(gm, refusal);
		if (shared_memory_is_watchable(vma) && entries_come_writable(vma))
			protect_again(gm, vma);
	}
}
