// SPDX-License-Identifier: GPL-2.0
/*
 * The mappings of an address space: recorded at an entry when they may have
 * changed since the last, compared before a rollback.  A mapping that went or
 * changed cannot be brought back; one that was added is unmapped again.
 */
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "mappings.h"
#include "page_log.h"

/* Room for mappings that appear between mappings_reserve() and the lock. */
#define MAPPINGS_SPARE	16

/* Set by the kernel for its own book-keeping, never by a program. */
#define MAPPINGS_IGNORED_FLAGS	VM_SOFTDIRTY

/* Not ordinary memory: never unmapped by us. */
#define MAPPINGS_SPECIAL	(VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_DONTEXPAND)

/**
 * mappings_reserve() - make room for mappings_record()
 * @maps: where
 * @mm: the address space of current, not locked
 *
 * Return: 0 or -ENOMEM.
 */
int mappings_reserve(struct mappings *maps, struct mm_struct *mm)
{
	unsigned int wanted = READ_ONCE(mm->map_count) + MAPPINGS_SPARE;
	struct mapping *list;

	if (wanted <= maps->capacity)
		return 0;
	wanted += wanted / 4;
	list = kvmalloc_array(wanted, sizeof(*list), PAGE_LOG_GFP);
	if (!list)
		return -ENOMEM;
	kvfree(maps->list);
	maps->list = list;
	maps->capacity = wanted;
	maps->count = 0;
	maps->stale = true;
	return 0;
}

/* Why no checkpoint covers an address space with @vma; negative: it does. */
static int mapping_refusal(struct vm_area_struct *vma)
{
	if (vma->vm_flags & __VM_UFFD_FLAGS)
		return REASSURE_REFUSED_USERFAULTFD;
	if (vma->vm_flags & VM_SHARED)
		return -1;
	if (is_vm_hugetlb_page(vma) && (vma->vm_flags & VM_MAYWRITE))
		return REASSURE_REFUSED_HUGETLB;
	if ((vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)) &&
	    (vma->vm_flags & VM_WRITE))
		return REASSURE_REFUSED_MAPPING;
	return -1;
}

/**
 * mappings_are_current() - whether what was recorded is still so
 * @maps: the mappings
 * @mm: the address space of current, whose only task it is
 *
 * A new mapping makes the sum of all grow; only removing one, of which the
 * MMU notifier tells, makes it shrink again.  That tells of a new protection
 * too, unless none of the mapping's pages was ever touched; then at worst a
 * rollback finds a difference and is refused.
 */
bool mappings_are_current(const struct mappings *maps, struct mm_struct *mm)
{
	return !READ_ONCE(maps->stale) && maps->brk == READ_ONCE(mm->brk) &&
	       maps->total_vm == READ_ONCE(mm->total_vm) &&
	       maps->data_vm == READ_ONCE(mm->data_vm) &&
	       maps->exec_vm == READ_ONCE(mm->exec_vm);
}

static bool is_stack(struct vm_area_struct *vma)
{
	unsigned long start = vma->vm_mm->start_stack;

	return vma->vm_flags & VM_GROWSDOWN &&
	       vma->vm_start <= start && start < vma->vm_end;
}

/**
 * mappings_record() - record the mappings
 * @maps: where; mappings_reserve() has made room
 * @mm: the address space of current, locked for reading
 *
 * Return: negative, or the enum reassure_refusal for which no checkpoint can
 * be opened.
 */
int mappings_record(struct mappings *maps, struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	struct mapping *map;
	int refusal;

	VMA_ITERATOR(vmi, mm, 0);

	maps->count = 0;
	maps->brk = mm->brk;
	maps->stack_start = 0;
	maps->stack_end = 0;
	maps->total_vm = mm->total_vm;
	maps->data_vm = mm->data_vm;
	maps->exec_vm = mm->exec_vm;
	/* With the mmap lock held nothing can make it stale meanwhile. */
	WRITE_ONCE(maps->stale, false);
	for_each_vma(vmi, vma) {
		refusal = mapping_refusal(vma);
		if (refusal < 0 && maps->count == maps->capacity)
			refusal = REASSURE_REFUSED_MEMORY;
		if (refusal >= 0) {
			WRITE_ONCE(maps->stale, true);
			return refusal;
		}
		if (is_stack(vma)) {
			maps->stack_start = vma->vm_start;
			maps->stack_end = vma->vm_end;
		}
		map = &maps->list[maps->count++];
		map->start = vma->vm_start;
		map->end = vma->vm_end;
		map->flags = vma->vm_flags & ~MAPPINGS_IGNORED_FLAGS;
		map->pgoff = vma->vm_pgoff;
		map->file = vma->vm_file;
	}
	return -1;
}

/* Whether any address of [@start, @end) was mapped at the entry. */
bool mappings_intersect(const struct mappings *maps, unsigned long start,
			unsigned long end)
{
	unsigned int low = 0, high = maps->count;

	/* The first mapping that ends behind @start. */
	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (maps->list[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < maps->count && maps->list[low].start < end;
}

static bool same_mapping(const struct mapping *map, struct vm_area_struct *vma,
			 unsigned long start)
{
	unsigned long pgoff = vma->vm_pgoff +
			      ((start - vma->vm_start) >> PAGE_SHIFT);

	return (vma->vm_flags & ~MAPPINGS_IGNORED_FLAGS) == map->flags &&
	       vma->vm_file == map->file &&
	       pgoff == map->pgoff + ((start - map->start) >> PAGE_SHIFT);
}

static int add_mapping(struct added_mappings *added, struct vm_area_struct *vma,
		       unsigned long start, unsigned long end)
{
	struct address_range *ranges;
	unsigned int capacity;

	/* The stack grows by itself; what it grew by is zero again. */
	if (vma->vm_flags & (MAPPINGS_SPECIAL | VM_GROWSDOWN))
		return 0;
	if (added->count == added->capacity) {
		capacity = added->capacity * 2 + 16;
		ranges = kvmalloc_array(capacity, sizeof(*ranges), PAGE_LOG_GFP);
		if (!ranges)
			return -ENOMEM;
		if (added->count)
			memcpy(ranges, added->ranges,
			       added->count * sizeof(*ranges));
		kvfree(added->ranges);
		added->ranges = ranges;
		added->capacity = capacity;
	}
	added->ranges[added->count].start = start;
	added->ranges[added->count].end = end;
	added->count++;
	return 0;
}

/**
 * mappings_compare() - see what a call did to the mappings
 * @maps: the mappings at the entry
 * @mm: the address space of current, locked for reading
 * @added: receives what was added; @added->ranges is the caller's to free
 *
 * Return: 0, -EBUSY when a mapping of the entry is not as it was, -ENOMEM.
 */
int mappings_compare(const struct mappings *maps, struct mm_struct *mm,
		     struct added_mappings *added)
{
	const struct mapping *map = maps->list;
	const struct mapping *last = maps->list + maps->count;
	/* Where the rest of @map that was not found yet begins. */
	unsigned long expected = maps->count ? map->start : 0;
	struct vm_area_struct *vma;
	unsigned long at, until;
	int ret;

	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma) {
		for (at = vma->vm_start; at < vma->vm_end; at = until) {
			until = vma->vm_end;
			if (map == last || at < expected) {
				if (map != last)
					until = min(until, expected);
				ret = add_mapping(added, vma, at, until);
				if (ret)
					return ret;
				continue;
			}
			if (at > expected || !same_mapping(map, vma, at))
				return -EBUSY;
			until = min(until, map->end);
			expected = until;
			if (until == map->end && ++map != last)
				expected = map->start;
		}
	}
	return map == last ? 0 : -EBUSY;
}

/**
 * mappings_remove_added() - unmap what a call has mapped
 * @maps: the mappings at the entry
 * @mm: the address space of current, not locked
 * @added: what mappings_compare() has found
 *
 * When the kernel cannot unmap a range it stays, which harms nobody: no
 * pointer to it is left in the program.
 */
void mappings_remove_added(const struct mappings *maps, struct mm_struct *mm,
			   const struct added_mappings *added)
{
	unsigned int i;

	for (i = 0; i < added->count; i++)
		vm_munmap(added->ranges[i].start,
			  added->ranges[i].end - added->ranges[i].start);

	if (mm->brk == maps->brk)
		return;
	mmap_write_lock(mm);
	if (!find_vma_intersection(mm, PAGE_ALIGN(maps->brk),
				   PAGE_ALIGN(mm->brk)))
		mm->brk = maps->brk;
	mmap_write_unlock(mm);
}

/**
 * mappings_find_trampoline() - where return probes lead to
 * @mm: the address space, locked for reading
 *
 * Return: the address, which never changes in an address space; 0 when no
 * probe was hit in it yet.
 */
unsigned long mappings_find_trampoline(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma) {
		const char *name = NULL;

		if (!vma->vm_file && vma->vm_ops && vma->vm_ops->name)
			name = vma->vm_ops->name(vma);
		if (name && !strcmp(name, "[uprobes]"))
			return vma->vm_start;
	}
	return 0;
}

void mappings_free(struct mappings *maps)
{
	kvfree(maps->list);
	memset(maps, 0, sizeof(*maps));
}
