/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_KERNEL_SYMBOLS_H
#define _REASSURE_KERNEL_SYMBOLS_H

#include <linux/mm_types.h>
#include <linux/ptrace.h>

struct tracepoint;

int reassure_kernel_symbols_init(void);

/*
 * Flushes [@start, @end) from the TLBs of every CPU that runs @mm; the whole
 * address space for 0 and TLB_FLUSH_ALL.
 */
void kernel_flush_tlb_range(struct mm_struct *mm, unsigned long start,
			    unsigned long end);
/* Maps the transparent huge page at @address by small entries. */
void kernel_split_huge_pmd(struct vm_area_struct *vma, pmd_t *pmd,
			   unsigned long address);
/* Ends the single step of a probed instruction that current is in. */
void kernel_uprobe_notify_resume(struct pt_regs *regs);
/*
 * Puts pages that wait in batches, which hold a reference to each, on the LRU
 * lists: those of this CPU, or, sleeping, those of all.
 */
void kernel_drain_lru_batches(void);
void kernel_drain_all_lru_batches(void);
/*
 * The system calls that change mappings: what follows __x64_sys_ in their
 * names.
 */
#define KERNEL_MAPPING_CALLS(call) \
	call(brk) \
	call(madvise) \
	call(mmap) \
	call(mprotect) \
	call(mremap) \
	call(munmap) \
	KERNEL_PKEY_MPROTECT(call)

#ifdef CONFIG_ARCH_HAS_PKEYS
#define KERNEL_PKEY_MPROTECT(call)	call(pkey_mprotect)
#else
#define KERNEL_PKEY_MPROTECT(call)
#endif

/* They themselves; the arguments are in @regs as the program passes them. */
#define DECLARE_MAPPING_CALL(name) long kernel_##name(const struct pt_regs *regs);
KERNEL_MAPPING_CALLS(DECLARE_MAPPING_CALL)

/* Where ftrace hooks them, in the order of the list. */
#define COUNT_MAPPING_CALL(name)	+ 1
#define KERNEL_MAPPING_CALLS_COUNT	(0 KERNEL_MAPPING_CALLS(COUNT_MAPPING_CALL))
extern unsigned long kernel_mapping_call_places[KERNEL_MAPPING_CALLS_COUNT];

/*
 * handle_mm_fault(), entered behind the place where ftrace calls hooks: for a
 * fault whose hooks have been called already.
 */
vm_fault_t kernel_fault_unhooked(struct vm_area_struct *vma,
				 unsigned long address, unsigned int flags,
				 struct pt_regs *regs);

/* Where a function begins, or its landing pad ends; 0 where there is none. */
unsigned long kernel_function(const char *name);
/* The addresses of the 64-bit system calls by number, or NULL. */
const unsigned long *kernel_system_call_table(void);
/* Tracepoints, NULL when the kernel has none of that name. */
struct tracepoint *kernel_tracepoint(const char *name);

#endif
