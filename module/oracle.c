// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle: copies every covered page at the entry and compares all of them
 * after a rollback.  It knows nothing of write protection or the page log, so
 * it finds what these miss.  For tests: an entry costs as much as the program
 * has memory.
 *
 * Not compared are pages that were not present at the entry (reading them in
 * would hide what happens to such pages), shared and special mappings, pages
 * of files that were not copied (they follow the file), program text, where
 * others set breakpoints, pages that somebody was using at the entry, and dead
 * stack.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "guarded_mm.h"
#include "oracle.h"
#include "page_table.h"
#include "rescue_point.h"

/* Was not present at the entry. */
#define ORACLE_UNKNOWN	xa_mk_value(0)

/* Attempts to read in a page that was swapped out meanwhile. */
#define READ_IN_ATTEMPTS	8

bool oracle_wanted;
module_param_named(verify, oracle_wanted, bool, 0644);
MODULE_PARM_DESC(verify, "copy all memory at each entry and compare it after each rollback; differences are logged and counted; slow, for tests (default: N)");

static bool is_covered(struct vm_area_struct *vma)
{
	return !(vma->vm_flags & (VM_SHARED | VM_HUGETLB | VM_IO | VM_PFNMAP |
				  VM_MIXEDMAP | VM_DONTEXPAND));
}

/* The page behind @address, or the area behind it where there is no table. */
static unsigned long next_page(unsigned long address,
			       const struct page_table_entry *entry)
{
	if (entry->state == PAGE_TABLE_NO_TABLE ||
	    entry->state == PAGE_TABLE_HUGE)
		return (address & PMD_MASK) + PMD_SIZE;
	return address + PAGE_SIZE;
}

/* 0 or -ENOMEM. */
static int record_mapping(struct oracle *oracle, struct vm_area_struct *vma)
{
	struct page_table_entry entry;
	struct page *image = NULL;
	unsigned long address;
	void *value;
	int ret = 0;

	for (address = vma->vm_start; !ret && address < vma->vm_end;
	     address = next_page(address, &entry)) {
		if (!image)
			image = alloc_page(GFP_KERNEL | __GFP_NOWARN);
		if (!image)
			return -ENOMEM;
		page_table_get(vma->vm_mm, address, page_address(image), false,
			       &entry);
		if (entry.state == PAGE_TABLE_ANON)
			value = image;
		else if (entry.state == PAGE_TABLE_NOT_PRESENT)
			value = ORACLE_UNKNOWN;
		else
			continue;
		ret = xa_err(xa_store(&oracle->pages, address >> PAGE_SHIFT,
				      value, GFP_KERNEL | __GFP_NOWARN));
		if (!ret && value == image)
			image = NULL;
		cond_resched();
	}
	if (image)
		__free_page(image);
	return ret;
}

/* For oracle_record(). */
struct oracle *oracle_make(struct guarded_mm *gm)
{
	struct mm_struct *mm = guarded_mm_mm(gm);
	struct vm_area_struct *vma;
	struct oracle *oracle;
	int ret = 0;

	VMA_ITERATOR(vmi, mm, 0);

	oracle = kmalloc(sizeof(*oracle), GFP_KERNEL);
	if (!oracle)
		return NULL;
	xa_init(&oracle->pages);
	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		if (is_covered(vma))
			ret = record_mapping(oracle, vma);
		if (ret)
			break;
	}
	mmap_read_unlock(mm);
	if (ret) {
		pr_warn_ratelimited("verify: no memory, a call is not verified\n");
		oracle_free(oracle);
		return NULL;
	}
	return oracle;
}

static int visit_nothing(struct vm_area_struct *vma, unsigned long address,
			 pte_t *pte, void *data)
{
	return 1;
}

/*
 * What is at @address, brought back when it was swapped out meanwhile, and
 * apart when it has become part of a huge page.
 */
static void read_now(struct guarded_mm *gm, struct vm_area_struct *vma,
		     unsigned long address, struct page *copy,
		     struct page_table_entry *entry)
{
	int attempts;

	for (attempts = 0; attempts < READ_IN_ATTEMPTS; attempts++) {
		page_table_get(vma->vm_mm, address, page_address(copy), false,
			       entry);
		if (entry->state == PAGE_TABLE_HUGE)
			page_table_walk(vma, address, address + PAGE_SIZE,
					visit_nothing, NULL);
		else if (entry->state != PAGE_TABLE_NOT_PRESENT)
			return;
		/* Without leave to retry it keeps the mmap lock. */
		else if (handle_mm_fault(vma, address, FAULT_FLAG_REMOTE, NULL) &
			 VM_FAULT_ERROR)
			return;
		/* It may have come back writable, past the hook. */
		else
			unprotected_add_area(&gm->unprotected, address);
	}
}

/*
 * The offset of the first byte of a page, not below @from, that is not as at
 * the entry; PAGE_SIZE when all are.
 */
static unsigned int difference(struct vm_area_struct *vma, unsigned int from,
			       struct page *image, struct page *copy,
			       const struct page_table_entry *entry)
{
	const char *now = page_address(copy);
	const char *then = image ? page_address(image) : NULL;
	unsigned int i;

	if (entry->state == PAGE_TABLE_NOT_PRESENT)
		return PAGE_SIZE;
	/* Somebody sets or removes breakpoints there. */
	if (vma->vm_file && vma->vm_flags & VM_EXEC)
		return PAGE_SIZE;
	/* It existed and went. */
	if (entry->state != PAGE_TABLE_ANON)
		return then && memchr_inv(then + from, 0, PAGE_SIZE - from) ?
		       from : PAGE_SIZE;
	if (!then && vma->vm_file)
		return from;
	for (i = from; i < PAGE_SIZE; i++)
		if (now[i] != (then ? then[i] : 0))
			break;
	return i;
}

/* Whether no page of [@start, @end) existed at the entry. */
static bool none_until(struct oracle *oracle, unsigned long start,
		       unsigned long end)
{
	unsigned long index = start >> PAGE_SHIFT;

	return !xa_find(&oracle->pages, &index, (end - 1) >> PAGE_SHIFT,
			XA_PRESENT);
}

/*
 * Whether somebody may have been using a page since the entry, who may write to
 * it at any time.  The log is that of current's call, and nobody else's.
 */
static bool is_in_use(struct guarded_mm *gm, unsigned long address)
{
	struct logged_page *logged = xa_load(&gm->log.pages,
					     address >> PAGE_SHIFT);

	return logged && !xa_is_value(logged) && logged->in_use &&
	       logged->call == gm->log.call;
}

/* The first address of @vma that is not as at the entry, or 0. */
static unsigned long compare_mapping(struct oracle *oracle,
				     struct guarded_mm *gm,
				     struct vm_area_struct *vma,
				     struct page *copy)
{
	struct page_table_entry entry;
	unsigned long address, next;
	unsigned int offset;
	void *image;

	for (address = vma->vm_start; address < vma->vm_end; address = next) {
		next = address + PAGE_SIZE;
		image = xa_load(&oracle->pages, address >> PAGE_SHIFT);
		if (image == ORACLE_UNKNOWN ||
		    guarded_mm_is_dead(gm, vma, address) ||
		    is_in_use(gm, address))
			continue;
		read_now(gm, vma, address, copy, &entry);
		if (none_until(oracle, address, next_page(address, &entry)))
			next = next_page(address, &entry);
		offset = difference(vma, guarded_mm_live_from(gm, address),
				    image, copy, &entry);
		if (offset < PAGE_SIZE)
			return address + offset;
		cond_resched();
	}
	return 0;
}

/**
 * oracle_compare() - see whether a rollback has put everything back
 * @oracle: from the entry, or NULL
 * @gm: the address space of current, rolled back
 * @rp: whose counter and name are used
 */
void oracle_compare(struct oracle *oracle, struct guarded_mm *gm,
		    struct rescue_point *rp)
{
	struct mm_struct *mm = guarded_mm_mm(gm);
	struct vm_area_struct *vma;
	unsigned long address = 0;
	struct page *copy;

	VMA_ITERATOR(vmi, mm, 0);

	if (!oracle)
		return;
	copy = alloc_page(GFP_KERNEL);
	if (!copy)
		return;
	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		if (is_covered(vma))
			address = compare_mapping(oracle, gm, vma, copy);
		if (address)
			break;
	}
	mmap_read_unlock(mm);
	__free_page(copy);
	if (!address)
		return;
	count_events(&rp->counters, REASSURE_COUNTER_DIFFERENCES, 1);
	pr_err_ratelimited("verify: %s[%d] in %s: memory at 0x%lx is not as at the entry\n",
			   current->comm, task_pid_nr(current),
			   rp->config.name, address);
}

void oracle_free(struct oracle *oracle)
{
	unsigned long index;
	void *entry;

	if (!oracle)
		return;
	xa_for_each(&oracle->pages, index, entry)
		if (!xa_is_value(entry))
			__free_page(entry);
	xa_destroy(&oracle->pages);
	kfree(oracle);
}
