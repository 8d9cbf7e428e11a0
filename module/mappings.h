/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_MAPPINGS_H
#define _REASSURE_MAPPINGS_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * struct mapping - a mapping as it was at the entry
 * @start: first address
 * @end: address behind the last
 * @flags: VM_*
 * @pgoff: offset in @file, in pages
 * @file: only ever compared; the mapping's reference is not ours
 */
struct mapping {
	unsigned long start;
	unsigned long end;
	unsigned long flags;
	unsigned long pgoff;
	struct file *file;
};

/**
 * struct mappings - the mappings of an address space at the entry
 * @list: sorted by address
 * @count: entries of @list in use
 * @capacity: entries that @list has room for
 * @brk: end of the heap
 * @stack_start: lowest address of the stack mapping then; 0 without one
 * @stack_end: address behind it
 * @total_vm: the kernel's sum over all mappings, in pages
 * @data_vm: over those of data
 * @exec_vm: over those of programs
 * @locked_vm: over those that are locked
 * @stale: nothing is recorded, or a mapping was removed, moved or re-protected
 *	since
 *
 * Belongs to the thread that has the checkpoint open.
 */
struct mappings {
	struct mapping *list;
	unsigned int count;
	unsigned int capacity;
	unsigned long brk;
	unsigned long stack_start;
	unsigned long stack_end;
	unsigned long total_vm;
	unsigned long data_vm;
	unsigned long exec_vm;
	unsigned long locked_vm;
	bool stale;
};

/**
 * struct mapping_change - a difference to the mappings at the entry
 * @start: first address
 * @end: address behind the last
 * @flags: VM_*, as it was at the entry
 * @added: nothing was there
 */
struct mapping_change {
	unsigned long start;
	unsigned long end;
	unsigned long flags;
	bool added;
};

/**
 * struct mapping_changes - all of them, for a rollback to revert
 * @list: sorted by address
 * @count: entries of @list in use
 * @capacity: entries that @list has room for
 */
struct mapping_changes {
	struct mapping_change *list;
	unsigned int count;
	unsigned int capacity;
};

int mappings_reserve(struct mappings *maps, struct mm_struct *mm);
int mappings_record(struct mappings *maps, struct mm_struct *mm);
bool mappings_intersect(const struct mappings *maps, unsigned long start,
			unsigned long end);
bool mappings_contain(const struct mappings *maps, unsigned long address,
		      unsigned long *size);
bool mappings_can_revert(const struct mappings *maps,
			 struct vm_area_struct *vma, unsigned long start,
			 unsigned long origin, unsigned long ignored);
unsigned long mappings_size(const struct mappings *maps);
int mappings_changes_reserve(struct mapping_changes *changes,
			     const struct mappings *maps, struct mm_struct *mm);
bool mappings_look_again(struct mappings *maps, struct mm_struct *mm);
int mappings_compare(const struct mappings *maps, struct mm_struct *mm,
		     bool reprotected, struct mapping_changes *changes);
int mappings_revert(const struct mappings *maps, struct mm_struct *mm,
		    const struct mapping_changes *changes);
unsigned long mappings_find_trampoline(struct mm_struct *mm);
void mappings_free(struct mappings *maps);

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
static __always_inline bool mappings_are_current(const struct mappings *maps,
						 struct mm_struct *mm)
{
	return !READ_ONCE(maps->stale) && maps->brk == READ_ONCE(mm->brk) &&
	       maps->total_vm == READ_ONCE(mm->total_vm) &&
	       maps->data_vm == READ_ONCE(mm->data_vm) &&
	       maps->exec_vm == READ_ONCE(mm->exec_vm) &&
	       maps->locked_vm == READ_ONCE(mm->locked_vm);
}

#endif
