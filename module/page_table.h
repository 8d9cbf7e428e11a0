/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_PAGE_TABLE_H
#define _REASSURE_PAGE_TABLE_H

#include <linux/mm.h>

/**
 * typedef pte_visitor - what page_table_walk() does with an entry
 * @vma: the mapping
 * @address: the page
 * @pte: its entry, never empty; the page table's lock is held
 * @data: the caller's
 *
 * Return: 0 to go on; anything else ends the walk.
 */
typedef int (*pte_visitor)(struct vm_area_struct *vma, unsigned long address,
			   pte_t *pte, void *data);

unsigned long page_table_protect_huge(struct vm_area_struct *vma,
				      unsigned long start, unsigned long end);
int page_table_walk(struct vm_area_struct *vma, unsigned long start,
		    unsigned long end, pte_visitor visit, void *data);

/**
 * enum page_table_state - what stands at an address
 * @PAGE_TABLE_NO_TABLE: nothing in the whole PMD-sized area
 * @PAGE_TABLE_HUGE: a huge entry
 * @PAGE_TABLE_NONE: an empty entry
 * @PAGE_TABLE_NOT_PRESENT: swap, migration, poison and the like
 * @PAGE_TABLE_ANON: an anonymous page
 * @PAGE_TABLE_ZERO: the zero page
 * @PAGE_TABLE_FILE: a page of a file
 * @PAGE_TABLE_SPECIAL: something without a struct page
 */
enum page_table_state {
	PAGE_TABLE_NO_TABLE,
	PAGE_TABLE_HUGE,
	PAGE_TABLE_NONE,
	PAGE_TABLE_NOT_PRESENT,
	PAGE_TABLE_ANON,
	PAGE_TABLE_ZERO,
	PAGE_TABLE_FILE,
	PAGE_TABLE_SPECIAL,
};

/**
 * struct page_table_entry - the same with what is known of the page
 * @state: what it is
 * @page: of PAGE_TABLE_ANON
 * @exclusive: this process has it alone
 * @large: it is one of several of a folio
 * @writable: the entry, a huge one included, has write permission
 */
struct page_table_entry {
	enum page_table_state state;
	struct page *page;
	bool exclusive;
	bool large;
	bool writable;
};

void page_table_get(struct mm_struct *mm, unsigned long address, void *copy,
		    bool pin, struct page_table_entry *entry);
struct page *page_table_get_shared(struct mm_struct *mm, unsigned long address);

#endif
