// SPDX-License-Identifier: GPL-2.0
/*
 * The mappings of an address space: recorded at an entry when they may have
 * changed since the last, compared before a rollback.  One that was added is
 * unmapped again, one that has another protection gets its old one back; what
 * else changed has to be put back before (moved_mappings.c).
 */
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "kernel_symbols.h"
#include "mappings.h"
#include "page_log.h"

/* Room for mappings that appear between mappings_reserve() and the lock. */
#define MAPPINGS_SPARE	16

/* Set by the kernel for its own book-keeping, never by a program. */
#define MAPPINGS_IGNORED_FLAGS	(VM_SOFTDIRTY | VM_ACCOUNT)

/* What mprotect() changes. */
#define MAPPINGS_PROTECTION	(VM_READ | VM_WRITE | VM_EXEC)

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

static bool is_stack(struct vm_area_struct *vma)
{
	unsigned long start = vma->vm_mm->start_stack;

	return vma->vm_flags & VM_GROWSDOWN &&
	       vma->vm_start <= start && start < vma->vm_end;
}

/* What tells at the next entry that nothing was mapped or unmapped. */
static void record_sums(struct mappings *maps, struct mm_struct *mm)
{
	maps->brk = mm->brk;
	maps->total_vm = mm->total_vm;
	maps->data_vm = mm->data_vm;
	maps->exec_vm = mm->exec_vm;
	maps->locked_vm = mm->locked_vm;
	/* With the mmap lock held nothing can make it stale meanwhile. */
	WRITE_ONCE(maps->stale, false);
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
	maps->stack_start = 0;
	maps->stack_end = 0;
	record_sums(maps, mm);
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

/* The first mapping that ends behind @address; NULL behind the last. */
static const struct mapping *first_behind(const struct mappings *maps,
					  unsigned long address)
{
	unsigned int low = 0, high = maps->count;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (maps->list[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < maps->count ? &maps->list[low] : NULL;
}

/* Whether any address of [@start, @end) was mapped at the entry. */
bool mappings_intersect(const struct mappings *maps, unsigned long start,
			unsigned long end)
{
	const struct mapping *map = first_behind(maps, start);

	return map && map->start < end;
}

/**
 * mappings_contain() - whether an address was mapped at the entry
 * @maps: the mappings at the entry
 * @address: the address
 * @size: how many bytes from there on are of interest; shortened to where the
 *	answer holds
 */
bool mappings_contain(const struct mappings *maps, unsigned long address,
		      unsigned long *size)
{
	const struct mapping *map = first_behind(maps, address);
	bool contain = map && map->start <= address;

	if (map)
		*size = min(*size, (contain ? map->end : map->start) - address);
	return contain;
}

/*
 * Whether @vma maps from @start on what @map mapped there.  The offset of
 * anonymous memory is the kernel's own affair, and differs when it was
 * touched for the first time where the call had moved it.
 */
static bool same_content(const struct mapping *map, struct vm_area_struct *vma,
			 unsigned long start)
{
	unsigned long pgoff = vma->vm_pgoff +
			      ((start - vma->vm_start) >> PAGE_SHIFT);

	if (vma->vm_file != map->file)
		return false;
	return vma_is_anonymous(vma) ||
	       pgoff == map->pgoff + ((start - map->start) >> PAGE_SHIFT);
}

static int add_change(struct mapping_changes *changes, unsigned long start,
		      unsigned long end, unsigned long flags, bool added)
{
	struct mapping_change *list;
	unsigned int capacity;

	if (changes->count == changes->capacity) {
		capacity = changes->capacity * 2 + 16;
		list = kvmalloc_array(capacity, sizeof(*list), PAGE_LOG_GFP);
		if (!list)
			return -ENOMEM;
		if (changes->count)
			memcpy(list, changes->list,
			       changes->count * sizeof(*list));
		kvfree(changes->list);
		changes->list = list;
		changes->capacity = capacity;
	}
	changes->list[changes->count++] = (struct mapping_change) {
		.start = start,
		.end = end,
		.flags = flags,
		.added = added,
	};
	return 0;
}

/* What @vma has from @start to @end stands where nothing was. */
static int add_added(struct mapping_changes *changes,
		     struct vm_area_struct *vma, unsigned long start,
		     unsigned long end)
{
	/* The stack grows by itself; what it grew by is zero again. */
	if (vma->vm_flags & (MAPPINGS_SPECIAL | VM_GROWSDOWN))
		return 0;
	if (compat_is_sealed(vma))
		return -EACCES;
	return add_change(changes, start, end, 0, true);
}

/* What @vma has from @start to @end is that of @map, perhaps re-protected. */
static int add_reprotected(struct mapping_changes *changes,
			   struct vm_area_struct *vma,
			   const struct mapping *map, unsigned long start,
			   unsigned long end, bool reprotected)
{
	unsigned long changed = (vma->vm_flags & ~MAPPINGS_IGNORED_FLAGS) ^
				map->flags;

	if (!changed)
		return 0;
	if (!reprotected || changed & ~MAPPINGS_PROTECTION)
		return -EACCES;
	return add_change(changes, start, end, map->flags, false);
}

/**
 * mappings_can_revert() - whether a mapping can be made what it was
 * @maps: the mappings at the entry
 * @vma: the mapping, which may have moved
 * @start: an address in it
 * @origin: where that was at the entry
 * @ignored: further VM_* that may differ
 */
bool mappings_can_revert(const struct mappings *maps,
			 struct vm_area_struct *vma, unsigned long start,
			 unsigned long origin, unsigned long ignored)
{
	const struct mapping *map = first_behind(maps, origin);
	unsigned long pgoff = map->pgoff +
			      ((origin - map->start) >> PAGE_SHIFT);
	unsigned long changed = (vma->vm_flags ^ map->flags) &
				~(MAPPINGS_IGNORED_FLAGS | ignored);

	if (vma->vm_file != map->file || changed & ~MAPPINGS_PROTECTION)
		return false;
	/* A protection that a program has given up for ever. */
	if (map->flags & ~vma->vm_flags & VM_EXEC &&
	    compat_denies_write_exec(vma->vm_mm))
		return false;
	return vma_is_anonymous(vma) ||
	       vma->vm_pgoff + ((start - vma->vm_start) >> PAGE_SHIFT) == pgoff;
}

/* How much was mapped at the entry, in bytes. */
unsigned long mappings_size(const struct mappings *maps)
{
	unsigned long size = 0;
	unsigned int i;

	for (i = 0; i < maps->count; i++)
		size += maps->list[i].end - maps->list[i].start;
	return size;
}

/**
 * mappings_changes_reserve() - make room for mappings_compare()
 * @changes: where
 * @maps: the mappings at the entry
 * @mm: the address space of current, locked for reading
 *
 * However the mappings are moved and split, the list does not overflow.
 *
 * Return: 0 or -ENOMEM.
 */
int mappings_changes_reserve(struct mapping_changes *changes,
			     const struct mappings *maps, struct mm_struct *mm)
{
	unsigned int capacity = 2 * (mm->map_count + maps->count) +
				MAPPINGS_SPARE;

	changes->list = kvmalloc_array(capacity, sizeof(*changes->list),
				       PAGE_LOG_GFP);
	if (!changes->list)
		return -ENOMEM;
	changes->capacity = capacity;
	return 0;
}

/**
 * mappings_compare() - see what a call did to the mappings
 * @maps: the mappings at the entry
 * @mm: the address space of current, locked for reading
 * @reprotected: whether the call may have changed protections
 * @changes: receives what mappings_revert() can put back; @changes->list is
 *	the caller's to free
 *
 * Return: 0; -EBUSY when a mapping of the entry is gone or maps something else;
 * -EACCES when its flags cannot be put back, or one was added and sealed;
 * -EOPNOTSUPP when userfaultfd watches one, of which to unmap it may wait for
 * who reads that; -ENOMEM.
 */
int mappings_compare(const struct mappings *maps, struct mm_struct *mm,
		     bool reprotected, struct mapping_changes *changes)
{
	const struct mapping *map = maps->list;
	const struct mapping *last = maps->list + maps->count;
	/* Where the rest of @map that was not found yet begins. */
	unsigned long expected = maps->count ? map->start : 0;
	struct vm_area_struct *vma;
	unsigned long at, until;
	int ret;

	VMA_ITERATOR(vmi, mm, 0);

	changes->count = 0;
	for_each_vma(vmi, vma) {
		if (vma->vm_flags & __VM_UFFD_FLAGS)
			return -EOPNOTSUPP;
		for (at = vma->vm_start; at < vma->vm_end; at = until) {
			until = vma->vm_end;
			if (map == last || at < expected) {
				if (map != last)
					until = min(until, expected);
				ret = add_added(changes, vma, at, until);
				if (ret)
					return ret;
				continue;
			}
			if (at > expected || !same_content(map, vma, at))
				return -EBUSY;
			until = min(until, map->end);
			ret = add_reprotected(changes, vma, map, at, until,
					      reprotected);
			if (ret)
				return ret;
			expected = until;
			if (until == map->end && ++map != last)
				expected = map->start;
		}
	}
	return map == last ? 0 : -EBUSY;
}

/* Where the main stack begins now. */
static unsigned long stack_start(struct mm_struct *mm)
{
	struct vm_area_struct *vma = vma_lookup(mm, mm->start_stack);

	return vma && is_stack(vma) ? vma->vm_start : 0;
}

/**
 * mappings_look_again() - see whether all is as recorded that was not current
 * @maps: the mappings at the entry
 * @mm: the address space of current, not locked
 *
 * The kernel maps its page for probes at the first of them, behind our back.
 *
 * Return: whether nothing else has changed; then they are current.
 */
bool mappings_look_again(struct mappings *maps, struct mm_struct *mm)
{
	struct mapping_changes changes = {};
	bool same;

	mmap_read_lock(mm);
	same = mm->brk == maps->brk && stack_start(mm) == maps->stack_start &&
	       !mappings_compare(maps, mm, false, &changes) && !changes.count;
	if (same)
		record_sums(maps, mm);
	mmap_read_unlock(mm);
	kvfree(changes.list);
	return same;
}

static long reprotect(const struct mapping_change *change)
{
	struct pt_regs regs = {
		.di = change->start,
		.si = change->end - change->start,
		.dx = (change->flags & VM_READ ? PROT_READ : 0) |
		      (change->flags & VM_WRITE ? PROT_WRITE : 0) |
		      (change->flags & VM_EXEC ? PROT_EXEC : 0),
	};
	unsigned int personality = current->personality;
	long ret;

	/* The program's own: what it reads would become executable. */
	current->personality &= ~READ_IMPLIES_EXEC;
	ret = kernel_mprotect(&regs);
	current->personality = personality;
	return ret;
}

/* Those that become writable, or the others. */
static long reprotect_all(const struct mapping_changes *changes, bool writable)
{
	const struct mapping_change *change = changes->list;
	unsigned int i;
	long ret = 0;

	for (i = 0; !ret && i < changes->count; i++, change++)
		if (!change->added && !(change->flags & VM_WRITE) == !writable)
			ret = reprotect(change);
	return ret;
}

/**
 * mappings_revert() - unmap what a call has mapped, and protect as before
 * @maps: the mappings at the entry
 * @mm: the address space of current, not locked
 * @changes: what mappings_compare() has found
 *
 * When the kernel cannot unmap a range it stays, which harms nobody: no
 * pointer to it is left in the program.  What becomes writable comes last, so
 * that there is never more of it than there was: it has a limit.
 *
 * Return: 0, or a negative error where a protection could not be put back.
 */
int mappings_revert(const struct mappings *maps, struct mm_struct *mm,
		    const struct mapping_changes *changes)
{
	const struct mapping_change *change = changes->list;
	unsigned int i;
	long ret;

	for (i = 0; i < changes->count; i++, change++)
		if (change->added)
			vm_munmap(change->start, change->end - change->start);
	ret = reprotect_all(changes, false) ?: reprotect_all(changes, true);
	if (ret)
		return ret;

	if (mm->brk == maps->brk)
		return 0;
	mmap_write_lock(mm);
	if (mm->brk < maps->brk ||
	    !find_vma_intersection(mm, PAGE_ALIGN(maps->brk),
				   PAGE_ALIGN(mm->brk)))
		mm->brk = maps->brk;
	mmap_write_unlock(mm);
	return 0;
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
