// SPDX-License-Identifier: GPL-2.0
/*
 * What this module needs of the kernel and the kernel does not export.
 *
 * An address is found by registering a kprobe on the name and taking it off
 * again; the function is called through a static call, which is patched into
 * a direct call.  A plain pointer would fail where the kernel sealed the
 * landing pad of a function that it never calls indirectly, and the kprobe
 * may sit just behind that landing pad.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/static_call.h>
#include <linux/tracepoint.h>

#include <asm/tlbflush.h>

#include "compat.h"
#include "kernel_symbols.h"

typedef void flush_tlb_function(struct mm_struct *mm, unsigned long start,
				unsigned long end, unsigned int stride_shift,
				bool freed_tables);
typedef void split_huge_pmd_function(struct vm_area_struct *vma, pmd_t *pmd,
				     unsigned long address, bool freeze,
				     struct folio *folio);
typedef void notify_resume_function(struct pt_regs *regs);
typedef struct callback_head *(work_cancel_function)(struct task_struct *task,
	bool (*match)(struct callback_head *work, void *data), void *data);
typedef void lru_drain_function(void);
typedef int build_id_function(struct vm_area_struct *vma,
			      unsigned char *build_id, u32 *size);
typedef long system_call_function(const struct pt_regs *regs);
typedef vm_fault_t fault_function(struct vm_area_struct *vma,
				  unsigned long address, unsigned int flags,
				  struct pt_regs *regs);

DEFINE_STATIC_CALL_NULL(reassure_flush_tlb, *(flush_tlb_function *)NULL);
DEFINE_STATIC_CALL_NULL(reassure_split_huge_pmd,
			*(split_huge_pmd_function *)NULL);
DEFINE_STATIC_CALL_NULL(reassure_notify_resume,
			*(notify_resume_function *)NULL);
DEFINE_STATIC_CALL_NULL(reassure_work_cancel,
			*(work_cancel_function *)NULL);
DEFINE_STATIC_CALL_NULL(reassure_lru_drain, *(lru_drain_function *)NULL);
DEFINE_STATIC_CALL_NULL(reassure_lru_drain_all, *(lru_drain_function *)NULL);
DEFINE_STATIC_CALL_NULL(reassure_fault, *(fault_function *)NULL);
DEFINE_STATIC_CALL_NULL(reassure_build_id, *(build_id_function *)NULL);

#define DEFINE_MAPPING_CALL(name)					\
	DEFINE_STATIC_CALL_NULL(reassure_##name,			\
				*(system_call_function *)NULL);		\
	long kernel_##name(const struct pt_regs *regs)			\
	{								\
		long ret = static_call(reassure_##name)(regs);		\
									\
		/* The hooks know our calls by their return address. */	\
		barrier();						\
		return ret;						\
	}
DEFINE_MAPPING_CALL(brk)
DEFINE_MAPPING_CALL(madvise)
DEFINE_MAPPING_CALL(mmap)
DEFINE_MAPPING_CALL(mprotect)
DEFINE_MAPPING_CALL(mremap)
DEFINE_MAPPING_CALL(munmap)
#ifdef CONFIG_ARCH_HAS_PKEYS
DEFINE_MAPPING_CALL(pkey_mprotect)
#endif

static void *symbol_address(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *address;

	if (register_kprobe(&probe)) {
		pr_err("this kernel has no function %s, or kprobes are disabled; cannot work here\n",
		       name);
		return NULL;
	}
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

/* What follows the place in a function where ftrace calls its hooks. */
static void *address_behind_hooks(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *address;
	bool traceable;

	if (register_kprobe(&probe)) {
		pr_err("this kernel has no function %s, or kprobes are disabled; cannot work here\n",
		       name);
		return NULL;
	}
	address = (void *)probe.addr + MCOUNT_INSN_SIZE;
	traceable = probe.flags & KPROBE_FLAG_FTRACE;
	unregister_kprobe(&probe);
	if (traceable)
		return address;
	pr_err("ftrace cannot hook the kernel function %s; cannot work here\n",
	       name);
	return NULL;
}

unsigned long __init kernel_function(const char *name)
{
	return (unsigned long)symbol_address(name);
}

/* No probe can be set on data, but the attempt looks up its address. */
static void *data_address(const char *name)
{
	struct kprobe probe = { .symbol_name = name };

	if (!register_kprobe(&probe)) {
		unregister_kprobe(&probe);
		probe.addr = NULL;
	}
	if (!probe.addr)
		pr_err("this kernel has no symbol %s; cannot work here\n",
		       name);
	return probe.addr;
}

const unsigned long *kernel_system_call_table(void)
{
	return data_address("sys_call_table");
}

static const int *max_map_count __ro_after_init;

unsigned int kernel_max_map_count(void)
{
	return max(READ_ONCE(*max_map_count), 0);
}

void kernel_flush_tlb_range(struct mm_struct *mm, unsigned long start,
			    unsigned long end)
{
	static_call(reassure_flush_tlb)(mm, start, end, PAGE_SHIFT, false);
}

void kernel_split_huge_pmd(struct vm_area_struct *vma, pmd_t *pmd,
			   unsigned long address)
{
	static_call(reassure_split_huge_pmd)(vma, pmd, address, false, NULL);
}

/*
 * If the kernel single-steps a probed instruction of current, ends the step as
 * uprobe_deny_signal() would for a signal that is about to be delivered.
 */
void kernel_abort_single_step(void)
{
	struct uprobe_task *utask = current->utask;

	if (!utask || !utask->active_uprobe)
		return;
	if (utask->state == UTASK_SSTEP)
		utask->state = UTASK_SSTEP_TRAPPED;
	static_call(reassure_notify_resume)(task_pt_regs(current));
}

struct callback_head *
kernel_task_work_cancel_match(struct task_struct *task,
			      bool (*match)(struct callback_head *work,
					    void *data),
			      void *data)
{
	return static_call(reassure_work_cancel)(task, match, data);
}

void kernel_drain_lru_batches(void)
{
	static_call(reassure_lru_drain)();
}

void kernel_drain_all_lru_batches(void)
{
	static_call(reassure_lru_drain_all)();
}

int kernel_build_id(struct vm_area_struct *vma, u8 *build_id, u32 *size)
{
	return static_call(reassure_build_id)(vma, build_id, size);
}

vm_fault_t kernel_fault_unhooked(struct vm_area_struct *vma,
				 unsigned long address, unsigned int flags,
				 struct pt_regs *regs)
{
	return static_call(reassure_fault)(vma, address, flags, regs);
}

struct tracepoint_search {
	const char *name;
	struct tracepoint *found;
};

static void match_tracepoint(struct tracepoint *tp, void *data)
{
	struct tracepoint_search *search = data;

	if (!strcmp(tp->name, search->name))
		search->found = tp;
}

struct tracepoint *kernel_tracepoint(const char *name)
{
	struct tracepoint_search search = { .name = name };

	for_each_kernel_tracepoint(match_tracepoint, &search);
	if (!search.found)
		pr_err("this kernel has no tracepoint %s; cannot work here\n",
		       name);
	return search.found;
}

/* False when the kernel has no such system call. */
#define FIND_MAPPING_CALL(name)						\
({									\
	void *address = symbol_address("__x64_sys_" #name);		\
									\
	if (address)							\
		static_call_update(reassure_##name, address);		\
	!!address;							\
})

static int __init find_mapping_calls(void)
{
	bool found = FIND_MAPPING_CALL(brk) && FIND_MAPPING_CALL(madvise) &&
		     FIND_MAPPING_CALL(mmap) && FIND_MAPPING_CALL(mprotect) &&
		     FIND_MAPPING_CALL(mremap) && FIND_MAPPING_CALL(munmap);

#ifdef CONFIG_ARCH_HAS_PKEYS
	found = found && FIND_MAPPING_CALL(pkey_mprotect);
#endif
	return found ? 0 : -EOPNOTSUPP;
}

int __init reassure_kernel_symbols_init(void)
{
	void *flush = symbol_address("flush_tlb_mm_range");
	void *resume = symbol_address("uprobe_notify_resume");
	void *cancel = symbol_address("task_work_cancel_match");
	void *drain = symbol_address("lru_add_drain");
	void *drain_all = symbol_address("lru_add_drain_all");
	void *build_id = symbol_address(COMPAT_BUILD_ID_FUNCTION);
	void *fault = address_behind_hooks("handle_mm_fault");
	void *split = NULL;

	max_map_count = data_address("sysctl_max_map_count");
	if (!flush || !resume || !cancel || !drain || !drain_all || !build_id ||
	    !fault || !max_map_count)
		return -EOPNOTSUPP;
	if (IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE)) {
		split = symbol_address("__split_huge_pmd");
		if (!split)
			return -EOPNOTSUPP;
		static_call_update(reassure_split_huge_pmd, split);
	}
	static_call_update(reassure_flush_tlb, flush);
	static_call_update(reassure_notify_resume, resume);
	static_call_update(reassure_work_cancel, cancel);
	static_call_update(reassure_lru_drain, drain);
	static_call_update(reassure_lru_drain_all, drain_all);
	static_call_update(reassure_build_id, build_id);
	static_call_update(reassure_fault, fault);
	return find_mapping_calls();
}
