// SPDX-License-Identifier: GPL-2.0
/*
 * Reading and walking the page tables of one mapping.
 *
 * The caller holds the mmap lock for reading, or, in a fault, the lock of
 * the mapping; either keeps the upper levels.  A page table itself can still
 * go while we look (a huge page collapses), so it is looked at under RCU and
 * believed once its lock is held and its PMD unchanged.
 */
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "compat.h"
#include "kernel_symbols.h"
#include "page_table.h"

/* Inline, as those below: each first write to a page comes by. */
static __always_inline pmd_t *find_pmd(struct mm_struct *mm,
				       unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, address);
	/*
	 * A huge one is bad too; only devices map a whole PUD, and never by
	 * private pages.
	 */
	if (pud_none(*pud) || pud_bad(*pud))
		return NULL;
	return pmd_offset(pud, address);
}

/* None, absent and huge ones are bad too. */
static bool pmd_has_table(pmd_t pmd)
{
	return !pmd_bad(pmd);
}

/*
 * Locks the page table below @pmd and returns the entry of @address, with
 * RCU held; NULL when there is no table.
 */
static __always_inline pte_t *lock_table(struct mm_struct *mm, pmd_t *pmd,
					 unsigned long address,
					 spinlock_t **lock)
{
	pmd_t value;
	pte_t *pte;

	rcu_read_lock();
	for (;;) {
		value = READ_ONCE(*pmd);
		barrier();
		if (!pmd_has_table(value))
			break;
		*lock = pte_lockptr(mm, &value);
		pte = pte_offset_kernel(&value, address);
		spin_lock(*lock);
		if (likely(pmd_same(value, READ_ONCE(*pmd)))) {
			/* For sparse: unlock_table() must follow. */
			__release(*lock);
			__release(RCU);
			return pte;
		}
		spin_unlock(*lock);
	}
	rcu_read_unlock();
	return NULL;
}

static void unlock_table(spinlock_t *lock)
{
	__acquire(RCU);
	__acquire(lock);
	spin_unlock(lock);
	rcu_read_unlock();
}

/* Anonymous huge pages are split; other huge entries hold no private page. */
static void split_anon_huge(struct vm_area_struct *vma, pmd_t *pmd,
			    unsigned long address)
{
	pmd_t value = READ_ONCE(*pmd);

	barrier();
	if (is_swap_pmd(value) ||
	    (pmd_trans_huge(value) && PageAnon(pmd_page(value))))
		kernel_split_huge_pmd(vma, pmd, address);
}

static bool protect_huge(struct vm_area_struct *vma, pmd_t *pmd,
			 unsigned long address)
{
	spinlock_t *lock = pmd_lock(vma->vm_mm, pmd);
	bool migrates = is_swap_pmd(*pmd);
	bool writable = pmd_present(*pmd) && pmd_trans_huge(*pmd) &&
			pmd_write(*pmd);

	if (writable)
		pmdp_set_wrprotect(vma->vm_mm, address & PMD_MASK, pmd);
	spin_unlock(lock);
	/* It is found in its file again. */
	if (migrates)
		kernel_split_huge_pmd(vma, pmd, address);
	return writable;
}

/**
 * page_table_protect_huge() - make huge entries of a file read-only
 * @vma: the mapping, of shared memory
 * @start: first address
 * @end: address behind the last
 *
 * Return: how many were writable.
 */
unsigned long page_table_protect_huge(struct vm_area_struct *vma,
				      unsigned long start, unsigned long end)
{
	unsigned long address, writable = 0;
	pmd_t *pmd;

	for (address = start; address < end;
	     address = pmd_addr_end(address, end)) {
		pmd = find_pmd(vma->vm_mm, address);
		if (pmd && !pmd_none(READ_ONCE(*pmd)) &&
		    !pmd_has_table(READ_ONCE(*pmd)))
			writable += protect_huge(vma, pmd, address);
	}
	return writable;
}

/**
 * page_table_walk() - visit the entries of a range that are not empty
 * @vma: the mapping
 * @start: first address
 * @end: address behind the last
 * @visit: called with the page table's lock held
 * @data: for @visit
 *
 * Anonymous transparent huge pages are mapped by small entries first.
 *
 * Return: 0, or what @visit returned to end the walk.
 */
int page_table_walk(struct vm_area_struct *vma, unsigned long start,
		    unsigned long end, pte_visitor visit, void *data)
{
	unsigned long address, next;
	spinlock_t *lock;	/* of one page table */
	pmd_t *pmd;
	pte_t *pte;
	int ret;

	for (address = start; address < end; address = next) {
		next = pmd_addr_end(address, end);
		pmd = find_pmd(vma->vm_mm, address);
		if (!pmd)
			continue;
		split_anon_huge(vma, pmd, address);
		pte = lock_table(vma->vm_mm, pmd, address, &lock);
		if (!pte)
			continue;
		for (ret = 0; !ret && address < next;
		     address += PAGE_SIZE, pte++)
			if (!pte_none(*pte))
				ret = visit(vma, address, pte, data);
		unlock_table(lock);
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

static __always_inline enum page_table_state pte_state(pte_t pte,
						       struct page **page)
{
	if (pte_none(pte))
		return PAGE_TABLE_NONE;
	if (!pte_present(pte))
		return PAGE_TABLE_NOT_PRESENT;
	if (is_zero_pfn(pte_pfn(pte)))
		return PAGE_TABLE_ZERO;
	/* As vm_normal_page(): what is not special has a struct page. */
	if (pte_special(pte))
		return PAGE_TABLE_SPECIAL;
	*page = pte_page(pte);
	return PageAnon(*page) ? PAGE_TABLE_ANON : PAGE_TABLE_FILE;
}

/**
 * page_table_get() - what stands at an address
 * @mm: the address space
 * @address: the page
 * @copy: PAGE_SIZE bytes that receive the content of an anonymous page, or
 *	NULL
 * @pin: take a reference to an anonymous page
 * @entry: the answer; @entry->page without @pin is good for comparing only
 */
void page_table_get(struct mm_struct *mm, unsigned long address, void *copy,
		    bool pin, struct page_table_entry *entry)
{
	pmd_t *pmd = find_pmd(mm, address);
	spinlock_t *lock;	/* of the page table */
	pmd_t value;
	pte_t *pte;

	memset(entry, 0, sizeof(*entry));
	entry->state = PAGE_TABLE_NO_TABLE;
	if (!pmd)
		return;
	pte = lock_table(mm, pmd, address, &lock);
	if (!pte) {
		value = READ_ONCE(*pmd);
		if (!pmd_none(value))
			entry->state = PAGE_TABLE_HUGE;
		entry->writable = pmd_present(value) && pmd_write(value);
		return;
	}
	entry->state = pte_state(*pte, &entry->page);
	entry->writable = pte_present(*pte) && pte_write(*pte);
	if (entry->page)
		entry->large = folio_test_large(page_folio(entry->page));
	if (entry->state == PAGE_TABLE_ANON) {
		entry->exclusive = PageAnonExclusive(entry->page);
		if (copy)
			copy_page(copy, page_address(entry->page));
		if (pin)
			get_page(entry->page);
	}
	unlock_table(lock);
}

static struct page *get_huge_shared(struct mm_struct *mm, pmd_t *pmd,
				    unsigned long address)
{
	spinlock_t *lock = pmd_lock(mm, pmd);
	struct page *page = NULL;

	if (pmd_present(*pmd) && pmd_trans_huge(*pmd) && pmd_write(*pmd)) {
		page = pmd_page(*pmd) +
		       ((address & ~PMD_MASK) >> PAGE_SHIFT);
		get_page(page);
	}
	spin_unlock(lock);
	return page;
}

/**
 * page_table_get_shared() - the page of shared memory at an address
 * @mm: the address space
 * @address: the page
 *
 * Return: with a reference; NULL where no page is mapped with write
 * permission.
 */
struct page *page_table_get_shared(struct mm_struct *mm, unsigned long address)
{
	pmd_t *pmd = find_pmd(mm, address);
	struct page *page = NULL;
	spinlock_t *lock;	/* of the page table */
	pte_t *pte;

	if (!pmd)
		return NULL;
	pte = lock_table(mm, pmd, address, &lock);
	if (!pte)
		return get_huge_shared(mm, pmd, address);
	if (pte_present(*pte) && pte_write(*pte) &&
	    pte_state(*pte, &page) == PAGE_TABLE_FILE)
		get_page(page);
	else
		page = NULL;
	unlock_table(lock);
	return page;
}
