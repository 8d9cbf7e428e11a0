/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SLOW_FAULT_H
#define _REASSURE_SLOW_FAULT_H

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/userfaultfd_k.h>

bool slow_fault_hold(struct vm_area_struct *vma, unsigned long address,
		     unsigned int flags);

/**
 * slow_fault_begin() - the kernel is about to serve a fault for our caller
 * @vma: where; its lock is held
 * @address: of the fault
 * @flags: FAULT_FLAG_*
 *
 * While a fault sleeps that may sleep for ever the module is in use, and who
 * unloads it is told so in place of waiting.  One that begins when unloading
 * has begun is waited for, and so is who waits for a disk or a file system that
 * is frozen.
 *
 * Return: what slow_fault_end() wants.
 */
static inline bool slow_fault_begin(struct vm_area_struct *vma,
				    unsigned long address, unsigned int flags)
{
	if (likely(!vma->vm_file && !(vma->vm_flags & __VM_UFFD_FLAGS)))
		return false;
	return slow_fault_hold(vma, address, flags);
}

/* Not the last thing in this module that the fault's thread executes. */
static inline void slow_fault_end(bool held)
{
	if (unlikely(held))
		module_put(THIS_MODULE);
}

#endif
