/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_PROTECTION_H
#define _REASSURE_PROTECTION_H

#include <linux/mm.h>

struct guarded_mm;

void protection_of_absent(pte_t *pte);
int protection_renew(struct guarded_mm *gm);
int protection_renew_live_stack(struct guarded_mm *gm, unsigned long start,
				unsigned long end);
void protection_stop_writers(struct guarded_mm *gm);
void protection_renew_area(struct guarded_mm *gm, struct vm_area_struct *vma,
			   unsigned long address);

/*
 * Whether a checkpoint covers private pages of @vma.  These are anonymous.
 * Mappings without write permission have them too: ptrace and /proc/PID/mem
 * write there all the same.
 */
static inline bool has_private_pages(struct vm_area_struct *vma)
{
	return vma->anon_vma && !(vma->vm_flags & (VM_SHARED | VM_HUGETLB));
}

#endif
