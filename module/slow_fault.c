// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults that last as long as somebody else likes.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/shmem_fs.h>

#include "page_table.h"
#include "slow_fault.h"

/* Whether a process or another machine is asked for what @vma maps. */
static bool is_served_by_others(struct vm_area_struct *vma)
{
	struct inode *inode = file_inode(vma->vm_file);
	struct super_block *sb = inode->i_sb;

	return sb->s_magic == FUSE_SUPER_MAGIC ||
	       (!sb->s_bdev && !shmem_mapping(inode->i_mapping));
}

/* It may, too, when a process is about to write to what all see. */
static bool asks_for_page(struct vm_area_struct *vma, unsigned long address,
			  unsigned int flags)
{
	bool writes = flags & FAULT_FLAG_WRITE;
	struct page_table_entry entry;

	if (writes && vma->vm_flags & VM_SHARED)
		return true;
	page_table_get(vma->vm_mm, address & PAGE_MASK, NULL, false, &entry);
	/* A private copy of part of a huge page is made of what the file has. */
	return (writes && entry.state == PAGE_TABLE_HUGE) ||
	       entry.state == PAGE_TABLE_NONE ||
	       entry.state == PAGE_TABLE_NO_TABLE ||
	       entry.state == PAGE_TABLE_NOT_PRESENT;
}

/* Keeps the module, if the fault may be slow and the module is not going. */
bool slow_fault_hold(struct vm_area_struct *vma, unsigned long address,
		     unsigned int flags)
{
	bool slow = vma->vm_flags & __VM_UFFD_FLAGS ||
		    (vma->vm_file && is_served_by_others(vma) &&
		     asks_for_page(vma, address, flags));

	return slow && try_module_get(THIS_MODULE);
}
