/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SLOW_FAULT_H
#define _REASSURE_SLOW_FAULT_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/shmem_fs.h>
#include <linux/userfaultfd_k.h>

/*
 * Whether a page there may be as long in coming as a process or another machine
 * likes: one that userfaultfd watches, or of a file without a disk below.
 */
static inline bool fault_may_be_slow(struct vm_area_struct *vma)
{
	struct inode *inode;

	if (unlikely(vma->vm_flags & __VM_UFFD_FLAGS))
		return true;
	if (!vma->vm_file)
		return false;
	inode = file_inode(vma->vm_file);
	return !inode->i_sb->s_bdev && !shmem_mapping(inode->i_mapping);
}

/**
 * slow_fault_begin() - the kernel is about to serve a fault for our caller
 * @vma: where; its lock is held
 *
 * While a fault sleeps that may sleep for ever the module is in use, and who
 * unloads it is told so in place of waiting.  One that begins when unloading
 * has begun is waited for.
 *
 * Return: what slow_fault_end() wants.
 */
static inline bool slow_fault_begin(struct vm_area_struct *vma)
{
	return fault_may_be_slow(vma) && try_module_get(THIS_MODULE);
}

/* Not the last thing in this module that the fault's thread executes. */
static inline void slow_fault_end(bool held)
{
	if (unlikely(held))
		module_put(THIS_MODULE);
}

#endif
