// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks that see a call change its mappings, before it does.
 *
 * Threads with an open checkpoint, and no others, are redirected from the
 * system calls that change mappings to a function that first has set aside
 * what would be lost, and then calls the original.
 */
#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/wait_bit.h>

#include "checkpoint.h"
#include "compat.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "mapping_guard.h"

/* Calls that are in one of the functions below, for unloading. */
static atomic_t calls_inside = ATOMIC_INIT(0);

typedef long system_call(const struct pt_regs *regs);

/* Whether [@start, @start + @size) is a range that munmap() would accept. */
static bool is_valid(unsigned long start, unsigned long size)
{
	return size && !offset_in_page(start) && size <= TASK_SIZE &&
	       start <= TASK_SIZE - size;
}

/* [@start, @end) is about to be unmapped. */
static void clear_away(struct guarded_mm *gm, unsigned long start,
		       unsigned long end)
{
	moved_mappings_set_aside(gm, start, end, MOVED_MAPPINGS_UNMAPPED);
	moved_mappings_have_gone(gm, start, end);
}

/* It was not; what the call itself had made there may still be there. */
static void bring_back(struct guarded_mm *gm, unsigned int moved,
		       unsigned long start, unsigned long end)
{
	unprotected_add_range(&gm->unprotected, start, end);
	/* Else it would go on without memory that it believes to have. */
	if (moved_mappings_put_back(gm, moved))
		force_sig(SIGKILL);
}

/*
 * Lets @original unmap or replace [@start, @start + @size), of which it may
 * do all or nothing.
 */
static long replace(struct guarded_mm *gm, unsigned long start,
		    unsigned long size, system_call *original,
		    const struct pt_regs *regs)
{
	unsigned int moved = gm->moved.count;
	long ret;

	clear_away(gm, start, start + size);
	ret = original(regs);
	if (IS_ERR_VALUE(ret))
		bring_back(gm, moved, start, start + size);
	return ret;
}

static long change_munmap(struct guarded_mm *gm, const struct pt_regs *regs)
{
	unsigned long size = PAGE_ALIGN(regs->si);

	if (!is_valid(regs->di, size))
		return kernel_munmap(regs);
	return replace(gm, regs->di, size, kernel_munmap, regs);
}

static long change_mmap(struct guarded_mm *gm, const struct pt_regs *regs)
{
	unsigned long size = PAGE_ALIGN(regs->si);
	unsigned long flags = regs->r10;

	if (!(flags & MAP_FIXED) || flags & MAP_FIXED_NOREPLACE ||
	    !is_valid(regs->di, size))
		return kernel_mmap(regs);
	return replace(gm, regs->di, size, kernel_mmap, regs);
}

/* Answers the new break, or the old one when it fails. */
static long change_brk(struct guarded_mm *gm, const struct pt_regs *regs)
{
	struct mm_struct *mm = guarded_mm_mm(gm);
	unsigned long start = PAGE_ALIGN(regs->di);
	unsigned long end = PAGE_ALIGN(mm->brk);
	unsigned int moved = gm->moved.count;
	unsigned long ret;

	if (regs->di < mm->start_brk || start >= end)
		return kernel_brk(regs);
	clear_away(gm, start, end);
	ret = kernel_brk(regs);
	if (ret != regs->di)
		bring_back(gm, moved, start, end);
	return ret;
}

static long change_madvise(struct guarded_mm *gm, const struct pt_regs *regs)
{
	unsigned long size = PAGE_ALIGN(regs->si);

	/* What it cannot do at one place it has done before that. */
	if (is_valid(regs->di, size) && regs->dx == MADV_DONTNEED)
		moved_mappings_set_aside(gm, regs->di, regs->di + size,
					 MOVED_MAPPINGS_DISCARDED);
	else if (is_valid(regs->di, size) && regs->dx == MADV_FREE)
		moved_mappings_set_aside(gm, regs->di, regs->di + size,
					 MOVED_MAPPINGS_FREED);
	else
		gm->rearranging = false;
	return kernel_madvise(regs);
}

/* Protected pages are not this process's alone, so none becomes writable. */
static long change_mprotect(struct guarded_mm *gm, const struct pt_regs *regs)
{
	gm->reprotected = true;
	return kernel_mprotect(regs);
}

static long change_mremap(struct guarded_mm *gm, const struct pt_regs *regs)
{
	unsigned long from = regs->di, old_size = PAGE_ALIGN(regs->si);
	unsigned long size = PAGE_ALIGN(regs->dx), flags = regs->r10;
	unsigned long kept = min(old_size, size);
	unsigned int moved = gm->moved.count;
	long to;

	/* Errors, what duplicates shared memory, and what cannot move back. */
	if (!is_valid(from, old_size) || !size ||
	    !moved_mappings_can_move(gm, from, old_size)) {
		gm->rearranging = false;
		return kernel_mremap(regs);
	}
	/* The kernel unmaps this before it sees whether it can move. */
	if (flags & MREMAP_FIXED && is_valid(regs->r8, size) &&
	    (regs->r8 + size <= from || from + old_size <= regs->r8))
		clear_away(gm, regs->r8, regs->r8 + size);
	if (size < old_size)
		clear_away(gm, from + size, from + old_size);
	to = kernel_mremap(regs);
	if (IS_ERR_VALUE(to))
		bring_back(gm, moved, 0, TASK_SIZE_MAX);
	else if (to != from)
		moved_mappings_have_moved(gm, from, to, kept);
	return to;
}

/* Others must not end the call meanwhile. */
static long run_guarded(const struct pt_regs *regs, system_call *original,
			long (*change)(struct guarded_mm *gm,
				       const struct pt_regs *regs))
{
	struct checkpoint *cp;
	struct guarded_mm *gm;
	long ret;

	atomic_inc(&calls_inside);
	cp = checkpoint_lock_open();
	if (cp) {
		gm = cp->gm;
		gm->rearranging = true;
		ret = change(gm, regs);
		gm->rearranging = false;
		checkpoint_unlock(cp);
	} else {
		ret = original(regs);
	}
	if (atomic_dec_and_test(&calls_inside))
		wake_up_var(&calls_inside);
	return ret;
}

#define DEFINE_GUARDED(name)						\
	static long guarded_##name(const struct pt_regs *regs)		\
	{								\
		return run_guarded(regs, kernel_##name, change_##name);	\
	}
KERNEL_MAPPING_CALLS(DEFINE_GUARDED)

/* @ops->private is where to go on. */
static void notrace call_hook(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops,
			      struct ftrace_regs *fregs)
{
	if (guarded_mm_is_inside() && !within_module(parent_ip, THIS_MODULE))
		compat_set_ip(fregs, (unsigned long)ops->private);
}

/**
 * struct mapping_call - a system call that changes mappings
 * @symbol: the kernel's function
 * @ops: the hook there
 */
struct mapping_call {
	char *symbol;
	struct ftrace_ops ops;
};

/* Permanent as the write-fault hook is. */
#define MAPPING_CALL(name)						\
	{								\
		.symbol = "__x64_sys_" #name,				\
		.ops = {						\
			.func = call_hook,				\
			.flags = FTRACE_OPS_FL_SAVE_REGS |		\
				 FTRACE_OPS_FL_IPMODIFY |		\
				 FTRACE_OPS_FL_RECURSION |		\
				 FTRACE_OPS_FL_PERMANENT,		\
			.private = guarded_##name,			\
		},							\
	},
static struct mapping_call mapping_calls[] = {
	KERNEL_MAPPING_CALLS(MAPPING_CALL)
};

static void unhook(int count)
{
	while (count--)
		unregister_ftrace_function(&mapping_calls[count].ops);
}

/**
 * mapping_guard_start() - install the hooks
 *
 * Return: 0; -EBUSY when something else has redirected one of the functions,
 * or ftrace is disabled; another error of ftrace.
 */
int mapping_guard_start(void)
{
	int ret, i;

	for (i = 0; i < ARRAY_SIZE(mapping_calls); i++) {
		ret = register_ftrace_function(&mapping_calls[i].ops);
		if (ret) {
			unhook(i);
			/* Nobody was inside a checkpoint. */
			synchronize_rcu_tasks();
			return ret;
		}
	}
	return 0;
}

/* Removes the hooks and waits until nobody is behind them. */
void mapping_guard_stop(void)
{
	unhook(ARRAY_SIZE(mapping_calls));
	/* Those whom a hook has sent to us have arrived, */
	synchronize_rcu_tasks();
	wait_var_event(&calls_inside, !atomic_read(&calls_inside));
	/* and have executed their last instruction. */
	synchronize_rcu_tasks();
}

static void free_filters(int count)
{
	while (count--)
		ftrace_free_filter(&mapping_calls[count].ops);
}

/* Names the functions to hook, once for the life of the module. */
int __init reassure_mapping_guard_init(void)
{
	struct mapping_call *call;
	int ret, i;

	for (i = 0; i < ARRAY_SIZE(mapping_calls); i++) {
		call = &mapping_calls[i];
		ret = ftrace_set_filter(&call->ops, call->symbol,
					strlen(call->symbol), 1);
		if (ret) {
			pr_err("ftrace cannot hook the kernel function %s; cannot work here\n",
			       call->symbol);
			free_filters(i);
			return ret;
		}
	}
	return 0;
}

void reassure_mapping_guard_exit(void)
{
	free_filters(ARRAY_SIZE(mapping_calls));
}
