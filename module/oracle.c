// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle: notes the covered mappings and copies all of their pages at the
 * entry, and compares them after a rollback.  It asks nothing of what write
 * protection, page log and list of mappings know, so it finds what these miss;
 * only to read a page table does it use the same function.  For tests: an entry
 * costs as much as the program has memory.
 *
 * Documentation/design.rst lists all that is not compared.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "oracle.h"
#include "page_table.h"
#include "rescue_point.h"
#include "switch.h"

/* Was not present at the entry. */
#define ORACLE_UNKNOWN	xa_mk_value(0)

/* Somebody was using it at the entry, who may write to it at any time. */
#define ORACLE_IN_USE	XA_MARK_1

/* What a rollback puts back of a mapping's flags. */
#define ORACLE_PROTECTION	(VM_READ | VM_WRITE | VM_EXEC)

/* Attempts to read in a page that was swapped out meanwhile. */
#define READ_IN_ATTEMPTS	8

bool oracle_wanted;
module_param_named(verify, oracle_wanted, bool, 0644);
MODULE_PARM_DESC(verify, "copy all memory at each entry and compare it after each rollback; differences are logged and counted; slow, for tests (default: N)");

static atomic_long_t unverified;

static int show_unverified(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(&unverified));
}

static int set_unverified(const char *value, const struct kernel_param *param)
{
	return -EPERM;
}

static const struct kernel_param_ops unverified_ops = {
	.set = set_unverified,
	.get = show_unverified,
};
module_param_cb(unverified, &unverified_ops, NULL, 0444);
MODULE_PARM_DESC(unverified, "calls that could not be verified, for want of memory or because a page could not be read back");

static void count_unverified(void)
{
	atomic_long_inc(&unverified);
	pr_warn_ratelimited("verify: a call is not verified: no memory, or a page cannot be read back\n");
}

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

/* Most such references are those of batches on their way to the LRU lists. */
static bool is_in_use(struct oracle *oracle, struct page *page)
{
	if (!compat_is_in_use(page))
		return false;
	if (!oracle->drained)
		kernel_drain_all_lru_batches();
	oracle->drained = true;
	return compat_is_in_use(page);
}

/* 0 or -ENOMEM. */
static int record_pages(struct oracle *oracle, struct vm_area_struct *vma)
{
	struct page_table_entry entry;
	struct page *image = NULL;
	unsigned long address;
	bool in_use = false;
	void *value;
	int ret = 0;

	for (address = vma->vm_start; !ret && address < vma->vm_end;
	     address = next_page(address, &entry)) {
		if (!image)
			image = alloc_page(GFP_KERNEL | __GFP_NOWARN);
		if (!image)
			return -ENOMEM;
		page_table_get(vma->vm_mm, address, page_address(image), true,
			       &entry);
		if (entry.state == PAGE_TABLE_ANON) {
			value = image;
			in_use = is_in_use(oracle, entry.page);
			put_page(entry.page);
		} else if (entry.state == PAGE_TABLE_NOT_PRESENT) {
			value = ORACLE_UNKNOWN;
		} else {
			continue;
		}
		ret = xa_err(xa_store(&oracle->pages, address >> PAGE_SHIFT,
				      value, GFP_KERNEL | __GFP_NOWARN));
		if (ret || value != image)
			continue;
		image = NULL;
		if (in_use)
			xa_set_mark(&oracle->pages, address >> PAGE_SHIFT,
				    ORACLE_IN_USE);
		cond_resched();
	}
	if (image)
		__free_page(image);
	return ret;
}

/* The part of @vma that is dead at the entry, if it is the stack. */
static void record_stack(struct oracle *oracle, struct vm_area_struct *vma,
			 unsigned long sp)
{
	unsigned long start = vma->vm_mm->start_stack;

	if (vma->vm_start > start || vma->vm_end <= start ||
	    sp < vma->vm_start || sp >= vma->vm_end ||
	    sp - current->sas_ss_sp < current->sas_ss_size)
		return;
	oracle->stack_end = vma->vm_end;
	oracle->sp = sp;
}

static int record_all(struct oracle *oracle, struct mm_struct *mm,
		      unsigned long sp)
{
	struct vm_area_struct *vma;
	struct oracle_mapping *map;
	int ret = 0;

	VMA_ITERATOR(vmi, mm, 0);

	oracle->mappings = kvmalloc_array(mm->map_count,
					  sizeof(*oracle->mappings),
					  GFP_KERNEL | __GFP_NOWARN);
	if (!oracle->mappings)
		return -ENOMEM;
	for_each_vma(vmi, vma) {
		if (!is_covered(vma))
			continue;
		map = &oracle->mappings[oracle->count++];
		map->start = vma->vm_start;
		map->end = vma->vm_end;
		map->flags = vma->vm_flags;
		record_stack(oracle, vma, sp);
		ret = record_pages(oracle, vma);
		if (ret)
			break;
	}
	return ret;
}

/* For oracle_record(). */
struct oracle *oracle_make(struct mm_struct *mm, unsigned long sp)
{
	struct oracle *oracle = kzalloc(sizeof(*oracle), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!oracle) {
		count_unverified();
		return NULL;
	}
	xa_init(&oracle->pages);
	oracle->now = alloc_page(GFP_KERNEL | __GFP_NOWARN);
	if (oracle->now) {
		mmap_read_lock(mm);
		ret = record_all(oracle, mm, sp);
		mmap_read_unlock(mm);
	}
	if (ret) {
		count_unverified();
		oracle_free(oracle);
		return NULL;
	}
	return oracle;
}

/* Where a mapping of the entry is gone or not as it was, or 0. */
static unsigned long find_lost(const struct oracle *oracle,
			       struct mm_struct *mm)
{
	unsigned int i;

	for (i = 0; i < oracle->count; i++) {
		const struct oracle_mapping *map = &oracle->mappings[i];
		unsigned long address = map->start;
		struct vm_area_struct *vma;

		VMA_ITERATOR(vmi, mm, address);

		for_each_vma_range(vmi, vma, map->end) {
			if (vma->vm_start > address || !is_covered(vma) ||
			    (vma->vm_flags ^ map->flags) & ORACLE_PROTECTION)
				return address;
			address = vma->vm_end;
		}
		if (address < map->end)
			return address;
	}
	return 0;
}

/* Whether all of [@start, @end) was mapped at the entry. */
static bool was_mapped(const struct oracle *oracle, unsigned long start,
		       unsigned long end)
{
	unsigned int i;

	for (i = 0; i < oracle->count && start < end; i++)
		if (start >= oracle->mappings[i].start &&
		    start < oracle->mappings[i].end)
			start = oracle->mappings[i].end;
	return start >= end;
}

static bool is_dead(const struct oracle *oracle,
		    const struct vm_area_struct *vma, unsigned long address)
{
	return vma->vm_end == oracle->stack_end &&
	       address < (oracle->sp & PAGE_MASK);
}

/* The first byte of a page that is not dead stack. */
static unsigned int live_from(const struct oracle *oracle,
			      const struct vm_area_struct *vma,
			      unsigned long address)
{
	return vma->vm_end == oracle->stack_end &&
	       address == (oracle->sp & PAGE_MASK) ?
	       oracle->sp & ~PAGE_MASK : 0;
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

/* The first address of @vma that is not as at the entry, or 0. */
static unsigned long compare_mapping(struct oracle *oracle,
				     struct guarded_mm *gm,
				     struct vm_area_struct *vma)
{
	struct page_table_entry entry;
	unsigned long address, next;
	unsigned int offset;
	void *image;

	/* The stack grows by itself. */
	if (!(vma->vm_flags & VM_GROWSDOWN) &&
	    !was_mapped(oracle, vma->vm_start, vma->vm_end))
		return vma->vm_start;
	for (address = vma->vm_start; address < vma->vm_end; address = next) {
		next = address + PAGE_SIZE;
		image = xa_load(&oracle->pages, address >> PAGE_SHIFT);
		if (image == ORACLE_UNKNOWN || is_dead(oracle, vma, address) ||
		    xa_get_mark(&oracle->pages, address >> PAGE_SHIFT,
				ORACLE_IN_USE))
			continue;
		read_now(gm, vma, address, oracle->now, &entry);
		oracle->incomplete |= entry.state == PAGE_TABLE_NOT_PRESENT;
		if (none_until(oracle, address, next_page(address, &entry)))
			next = next_page(address, &entry);
		offset = difference(vma, live_from(oracle, vma, address), image,
				    oracle->now, &entry);
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
	unsigned long address;

	VMA_ITERATOR(vmi, mm, 0);

	if (!oracle)
		return;
	mmap_read_lock(mm);
	address = find_lost(oracle, mm);
	if (!address) {
		for_each_vma(vmi, vma) {
			if (is_covered(vma))
				address = compare_mapping(oracle, gm, vma);
			if (address)
				break;
		}
	}
	mmap_read_unlock(mm);
	if (oracle->incomplete)
		count_unverified();
	if (!address)
		return;
	count_events(&rp->counters, REASSURE_COUNTER_DIFFERENCES, 1);
	pr_err_ratelimited("verify: %s[%d] in %s: memory at 0x%lx is not as at the entry\n",
			   current->comm, task_pid_nr(current),
			   rp->config.name, address);
	switch_off(REASSURE_OFF_DIFFERENCE);
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
	kvfree(oracle->mappings);
	if (oracle->now)
		__free_page(oracle->now);
	kfree(oracle);
}
