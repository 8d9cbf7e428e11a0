/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_KERNEL_SYMBOLS_H
#define _REASSURE_KERNEL_SYMBOLS_H

#include <linux/buildid.h>
#include <linux/mm_types.h>
#include <linux/ptrace.h>

struct callback_head;
struct task_struct;
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
/* Takes the work that @match finds off @task's list; NULL if none is there. */
struct callback_head *
kernel_task_work_cancel_match(struct task_struct *task,
			      bool (*match)(struct callback_head *work,
					    void *data),
			      void *data);
/* Ends the single step of a probed instruction that current is in. */
void kernel_abort_single_step(void);
/*
 * The build-id of the file of @vma, at most BUILD_ID_SIZE_MAX bytes, with the mmap
 * lock; fails where the file's first page is not in memory or has none.
 */
int kernel_build_id(struct vm_area_struct *vma, u8 *build_id, u32 *size);
/*
 * Puts pages that wait in batches, which hold a reference to each, on the LRU
 * lists: those of this CPU, or, sleeping, those of all.
 */
void kernel_drain_lru_batches(void);
void kernel_drain_all_lru_batches(void);
/*
 * The system calls that change mappings, past our own hooks; the arguments are
 * in @regs as the program passes them.
 */
long kernel_brk(const struct pt_regs *regs);
long kernel_madvise(const struct pt_regs *regs);
long kernel_mmap(const struct pt_regs *regs);
long kernel_mprotect(const struct pt_regs *regs);
long kernel_mremap(const struct pt_regs *regs);
long kernel_munmap(const struct pt_regs *regs);
#ifdef CONFIG_ARCH_HAS_PKEYS
long kernel_pkey_mprotect(const struct pt_regs *regs);
#endif

/*
 * handle_mm_fault(), entered behind the place where ftrace calls hooks: for a
 * fault whose hooks have been called already.
 */
vm_fault_t kernel_fault_unhooked(struct vm_area_struct *vma,
				 unsigned long address, unsigned int flags,
				 struct pt_regs *regs);

/* Where a function begins, or its landing pad ends; 0 where there is none. */
unsigned long kernel_function(const char *name);
/* How many mappings a process may have: vm.max_map_count. */
unsigned int kernel_max_map_count(void);
/* The addresses of the 64-bit system calls by number, or NULL. */
const unsigned long *kernel_system_call_table(void);
/* Tracepoints, NULL when the kernel has none of that name. */
struct tracepoint *kernel_tracepoint(const char *name);

#endif
