// SPDX-License-Identifier: GPL-2.0
/*
 * Write protection.
 *
 * A protected page has lost its write permission and the mark that this
 * process has it alone, so that every writer, the kernel on the program's
 * behalf included, has to pass handle_mm_fault().  An address space is
 * protected whole at its first entry; later ones look only at what has become
 * writable since.
 */
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>

#include <asm/tlbflush.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "page_table.h"
#include "protection.h"

/*
 * What a walk over one address space carries along.  The count of a large
 * folio costs a look at each of its pages, so it is kept for the next of them.
 * Pages in use are only counted in a first walk, and saved in a @final one.
 */
struct protect_walk {
	struct guarded_mm *gm;
	struct folio *large;
	bool large_in_use;
	bool drained;
	bool final;
	unsigned long in_use;
	int refusal;
};

static bool folio_in_use(struct protect_walk *walk, struct folio *folio)
{
	if (!folio_test_large(folio))
		return compat_unexplained_references(folio) > 0;
	if (walk->large != folio) {
		walk->large = folio;
		walk->large_in_use = compat_unexplained_references(folio) > 0;
	}
	return walk->large_in_use;
}

/*
 * A page that comes back from migration or swap must come back read-only and
 * shared, as change_pte_range() and fork make it.  The page table's lock is
 * held.
 */
void protection_of_absent(pte_t *pte)
{
	swp_entry_t entry = pte_to_swp_entry(*pte);
	pte_t protected;

	if (!non_swap_entry(entry)) {
		if (pte_swp_exclusive(*pte))
			set_pte(pte, pte_swp_clear_exclusive(*pte));
		return;
	}
	if (!is_writable_migration_entry(entry) &&
	    !is_readable_exclusive_migration_entry(entry))
		return;
	entry = make_readable_migration_entry(swp_offset(entry));
	protected = swp_entry_to_pte(entry);
	if (pte_swp_soft_dirty(*pte))
		protected = pte_swp_mksoft_dirty(protected);
	set_pte(pte, protected);
}

/*
 * A device may be writing into @page: sharing it would make the program lose
 * that.  It stays writable and is hot from now on.
 */
static int keep_in_use(struct protect_walk *walk, unsigned long address,
		       struct page *page)
{
	struct page_log *log = &walk->gm->log;
	struct logged_page *logged;

	/* Where calls were inside others it may have images. */
	if (log->call != log->first) {
		walk->refusal = REASSURE_REFUSED_PINNED;
		return -EBUSY;
	}
	logged = page_log_add(log, address,
			      GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
	if (IS_ERR(logged)) {
		walk->refusal = PTR_ERR(logged) == -ENOSPC ?
				REASSURE_REFUSED_LIMIT :
				REASSURE_REFUSED_MEMORY;
		return PTR_ERR(logged);
	}
	copy_page(logged->image, page_address(page));
	page_log_saved(log, logged, guarded_mm_live_from(walk->gm, address));
	page_log_set_in_use(log, logged, true);
	return 0;
}

static int protect_pte(struct vm_area_struct *vma, unsigned long address,
		       pte_t *pte, void *data)
{
	struct protect_walk *walk = data;
	struct guarded_mm *gm = walk->gm;
	struct page *page;
	pte_t entry;

	/* Hot ones stay writable; so do those whose content is safe. */
	if (guarded_mm_is_dead(gm, vma, address) ||
	    page_log_covers(&gm->log, address))
		return 0;
	if (!pte_present(*pte)) {
		if (!pte_none(*pte) && !pte_swp_uffd_wp(*pte))
			protection_of_absent(pte);
		return 0;
	}
	if (pte_special(*pte) || !pfn_valid(pte_pfn(*pte)))
		return 0;
	page = pte_page(*pte);
	if (!PageAnon(page) || (!PageAnonExclusive(page) && !pte_write(*pte)))
		return 0;
	/*
	 * The fast path of get_user_pages(), in the system call of a thread
	 * that was stopped, takes its reference and then looks whether the
	 * entry is still the same: so either we see that or it sees none.
	 */
	entry = ptep_get_and_clear(vma->vm_mm, address, pte);
	if (PageAnonExclusive(page) &&
	    (folio_in_use(walk, page_folio(page)) ||
	     compat_share_anon_page(page))) {
		set_pte_at(vma->vm_mm, address, pte, entry);
		walk->in_use++;
		return walk->final ? keep_in_use(walk, address, page) : 0;
	}
	set_pte_at(vma->vm_mm, address, pte, pte_wrprotect(entry));
	return 0;
}

/*
 * Most references that nothing explains are those of batches on their way to
 * the LRU lists, so these are emptied before a page is taken for pinned.
 */
static bool walk_again(struct protect_walk *walk)
{
	if (!walk->in_use || walk->final)
		return false;
	/* It may have run on another CPU when it touched the page. */
	if (walk->drained) {
		kernel_drain_all_lru_batches();
		walk->final = true;
	} else {
		kernel_drain_lru_batches();
		walk->drained = true;
	}
	walk->in_use = 0;
	walk->large = NULL;
	return true;
}

static void protect_range(struct protect_walk *walk, unsigned long start,
			  unsigned long end)
{
	struct mm_struct *mm = guarded_mm_mm(walk->gm);
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, start);

	for_each_vma_range(vmi, vma, end)
		if (has_private_pages(vma) &&
		    page_table_walk(vma, max(start, vma->vm_start),
				    min(end, vma->vm_end), protect_pte, walk))
			break;
}

/* @gm->lock is held; returns as protection_renew(). */
static int protect(struct guarded_mm *gm, unsigned long start,
		   unsigned long end)
{
	struct protect_walk walk = { .gm = gm, .refusal = -1 };

	do
		protect_range(&walk, start, end);
	while (walk_again(&walk));
	return walk.refusal;
}

static int protect_listed(struct guarded_mm *gm, unsigned long *low,
			  unsigned long *high)
{
	struct unprotected *un = &gm->unprotected;
	struct protect_walk walk = { .gm = gm, .refusal = -1 };
	unsigned int i;

	do {
		for (i = 0; i < un->count && walk.refusal < 0; i++)
			protect_range(&walk, un->pages[i],
				      un->pages[i] + PAGE_SIZE);
	} while (walk_again(&walk));
	for (i = 0; i < un->count; i++) {
		*low = min(*low, un->pages[i]);
		*high = max(*high, un->pages[i] + PAGE_SIZE);
	}
	if (walk.refusal < 0)
		un->count = 0;
	return walk.refusal;
}

/**
 * protection_renew() - protect what has become writable
 * @gm: the address space of current, locked for reading; @gm->lock is held
 *
 * Return: negative, or the enum reassure_refusal that made it fail; then the
 * next entry tries again.
 */
int protection_renew(struct guarded_mm *gm)
{
	struct unprotected *un = &gm->unprotected;
	unsigned long low = TASK_SIZE_MAX, high = 0;
	unsigned long start, end;
	int refusal = -1;

	guarded_mm_begin_fault(gm);
	if (unprotected_take_range(un, &start, &end)) {
		low = start;
		high = end;
		refusal = protect(gm, start, end);
		if (refusal >= 0)
			unprotected_add_range(un, start, end);
	}
	if (refusal < 0)
		refusal = protect_listed(gm, &low, &high);
	if (low < high)
		kernel_flush_tlb_range(guarded_mm_mm(gm),
				       high - low > PMD_SIZE ? 0 : low,
				       high - low > PMD_SIZE ? TLB_FLUSH_ALL :
				       high);
	guarded_mm_end_fault(gm);
	return refusal;
}

static int stop_writer(struct vm_area_struct *vma, unsigned long address,
		       pte_t *pte, void *data)
{
	if (pte_present(*pte) && pte_write(*pte))
		ptep_set_wrprotect(vma->vm_mm, address, pte);
	return 0;
}

static void stop_writers_in(struct mm_struct *mm, unsigned long start,
			    unsigned long size)
{
	struct vm_area_struct *vma;
	unsigned long from, to;

	VMA_ITERATOR(vmi, mm, start);

	for_each_vma_range(vmi, vma, start + size) {
		if (is_vm_hugetlb_page(vma))
			continue;
		from = max(start, vma->vm_start);
		to = min(start + size, vma->vm_end);
		/* Those of private memory are split by the walk. */
		if (vma->vm_flags & VM_SHARED)
			page_table_protect_huge(vma, from, to);
		page_table_walk(vma, from, to, stop_writer, NULL);
	}
}

static void stop_writers_of(struct page_log *log, struct mm_struct *mm)
{
	unsigned long index;
	void *entry;

	xa_for_each(&log->pages, index, entry)
		stop_writers_in(mm, index << PAGE_SHIFT, PAGE_SIZE);
	xa_for_each(&log->areas, index, entry)
		stop_writers_in(mm, index << PMD_SHIFT, PMD_SIZE);
}

/**
 * protection_stop_writers() - let system calls of other threads write nothing
 *	that a rollback brings back
 * @gm: the address space of current, locked for writing, with other threads;
 *	@gm->lock is held
 *
 * They fault then, and wait.
 */
void protection_stop_writers(struct guarded_mm *gm)
{
	struct mm_struct *mm = guarded_mm_mm(gm);

	stop_writers_of(&gm->log, mm);
	stop_writers_of(&gm->shared.log, mm);
	kernel_flush_tlb_range(mm, 0, TLB_FLUSH_ALL);
}

/**
 * protection_renew_live_stack() - protect what was dead stack before
 * @gm: as in protection_renew()
 * @start: the lowest page that is live now
 * @end: the lowest that was before
 *
 * Return: as protection_renew().
 */
int protection_renew_live_stack(struct guarded_mm *gm, unsigned long start,
				unsigned long end)
{
	int refusal;

	guarded_mm_begin_fault(gm);
	refusal = protect(gm, start, end);
	if (refusal >= 0)
		unprotected_add_range(&gm->unprotected, start, end);
	kernel_flush_tlb_range(guarded_mm_mm(gm), start, end);
	guarded_mm_end_fault(gm);
	return refusal;
}

/**
 * protection_renew_area() - protect the neighbourhood of a page again
 * @gm: the address space, in which a checkpoint is open
 * @vma: the mapping; the fault holds its lock or the mmap lock
 * @address: a page that a read fault has brought in: it may have come back
 *	writable, and in a large folio not alone
 */
void protection_renew_area(struct guarded_mm *gm, struct vm_area_struct *vma,
			   unsigned long address)
{
	struct protect_walk walk = { .gm = gm, .refusal = -1 };
	unsigned long start = max(address & PMD_MASK, vma->vm_start);
	unsigned long end = min((address & PMD_MASK) + PMD_SIZE, vma->vm_end);

	if (!has_private_pages(vma))
		return;
	mutex_lock(&gm->lock);
	do
		page_table_walk(vma, start, end, protect_pte, &walk);
	while (walk_again(&walk));
	if (walk.refusal >= 0) {
		guarded_mm_refuse(gm, walk.refusal);
		unprotected_add_area(&gm->unprotected, address);
	}
	mutex_unlock(&gm->lock);
	kernel_flush_tlb_range(vma->vm_mm, start, end);
}
