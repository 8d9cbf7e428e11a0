// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks that see a call change its mappings, before it does.
 *
 * Threads with an open checkpoint, and no others, are redirected from the
 * system calls that change mappings to a function that first has set aside
 * what would be lost, and then calls the original.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>

#include <asm/unistd.h>

#include "checkpoint.h"
#include "compat.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "mapping_guard.h"
#include "pending.h"

/* Calls that are in one of the functions below, for unloading. */
static atomic_t calls_inside = ATOMIC_INIT(0);

typedef long system_call(const struct pt_regs *regs);
typedef long change_call(struct guarded_mm *gm, const struct pt_regs *regs);

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

static bool maps_huge_pages(const struct pt_regs *regs)
{
	unsigned long flags = regs->r10;
	struct file *file;
	bool huge;

	if (flags & (MAP_HUGETLB | MAP_ANONYMOUS))
		return flags & MAP_HUGETLB;
	file = fget(regs->r8);
	huge = file && file_inode(file)->i_sb->s_magic == HUGETLBFS_MAGIC;
	if (file)
		fput(file);
	return huge;
}

static long change_mmap(struct guarded_mm *gm, const struct pt_regs *regs)
{
	unsigned long size = PAGE_ALIGN(regs->si);
	unsigned long flags = regs->r10;

	/* Huge pages would replace more than is asked for. */
	if (!(flags & MAP_FIXED) || flags & MAP_FIXED_NOREPLACE ||
	    !is_valid(regs->di, size) || maps_huge_pages(regs)) {
		gm->rearranging = NULL;
		return kernel_mmap(regs);
	}
	return replace(gm, regs->di, size, kernel_mmap, regs);
}

/* It answers the new break, or the old one when it fails. */
static long change_brk(struct guarded_mm *gm, const struct pt_regs *regs)
{
	struct mm_struct *mm = guarded_mm_mm(gm);
	unsigned long start = PAGE_ALIGN(regs->di);
	unsigned long end = PAGE_ALIGN(mm->brk);
	unsigned int moved = gm->moved.count;
	bool shrinks = regs->di >= mm->start_brk && start < end;
	unsigned long ret;

	if (shrinks)
		clear_away(gm, start, end);
	ret = kernel_brk(regs);
	if (ret == regs->di || regs->di < mm->start_brk)
		return ret;
	if (shrinks)
		bring_back(gm, moved, start, end);
	return gm->moved.count ? -ENOMEM : ret;
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
		gm->rearranging = NULL;
	return kernel_madvise(regs);
}

/*
 * Protected private pages are not this process's alone, so none becomes
 * writable; shared ones do.
 */
static long reprotect(struct guarded_mm *gm, const struct pt_regs *regs,
		      system_call *original)
{
	unsigned long size = PAGE_ALIGN(regs->si);
	long ret;

	gm->reprotected = true;
	ret = original(regs);
	/* It may have failed half-way. */
	if (is_valid(regs->di, size))
		shared_memory_reprotected(gm, regs->di, regs->di + size);
	return ret;
}

static long change_mprotect(struct guarded_mm *gm, const struct pt_regs *regs)
{
	return reprotect(gm, regs, kernel_mprotect);
}

#ifdef CONFIG_ARCH_HAS_PKEYS
static long change_pkey_mprotect(struct guarded_mm *gm,
				 const struct pt_regs *regs)
{
	return reprotect(gm, regs, kernel_pkey_mprotect);
}
#endif

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
		gm->rearranging = NULL;
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

/* Whether the system call can go through as if nobody watched. */
static bool is_lost(struct guarded_mm *gm)
{
	if (!thread_group_empty(current) && !READ_ONCE(gm->siblings.stop) &&
	    !siblings_run(&gm->siblings))
		guarded_mm_refuse(gm, REASSURE_REFUSED_THREADS);
	else
		guarded_mm_note_left(gm, task_pt_regs(current)->sp);
	return READ_ONCE(gm->refusal) >= 0;
}

/*
 * Whether it takes memory away, which would be set aside.  Threads that run
 * would miss it, or come in between.
 */
static bool takes_away(const struct pt_regs *regs, system_call *original)
{
	if (original == kernel_mmap)
		return (regs->r10 & (MAP_FIXED | MAP_FIXED_NOREPLACE)) ==
		       MAP_FIXED;
	if (original == kernel_brk)
		return regs->di >= current->mm->start_brk &&
		       regs->di < current->mm->brk;
#ifdef CONFIG_ARCH_HAS_PKEYS
	if (original == kernel_pkey_mprotect)
		return false;
#endif
	return original != kernel_mprotect;
}

/*
 * It may have failed only because of what is set aside.  What cannot grow in
 * place fails in the same way, but never for that.
 */
static bool fails_for_room(struct guarded_mm *gm, const struct pt_regs *regs,
			   system_call *original, long ret)
{
	if (!gm->moved.count || (ret != -ENOMEM && ret != -EAGAIN))
		return false;
	return original == kernel_mmap || original == kernel_brk ||
	       (original == kernel_mremap && regs->r10 & MREMAP_MAYMOVE);
}

/* With the checkpoint locked, so that others do not end the call meanwhile. */
static long change_or_give_up(struct guarded_mm *gm,
			      const struct pt_regs *regs,
			      system_call *original, change_call *change)
{
	long ret;

	if (siblings_run(&gm->siblings) && takes_away(regs, original))
		guarded_mm_refuse(gm, REASSURE_REFUSED_MAPPING);
	if (!is_lost(gm)) {
		gm->rearranging = current;
		ret = change(gm, regs);
		gm->rearranging = NULL;
		if (!fails_for_room(gm, regs, original, ret))
			return ret;
		guarded_mm_refuse(gm, REASSURE_REFUSED_MAPPING);
	}
	moved_mappings_discard(gm);
	return original(regs);
}

static long run_guarded(const struct pt_regs *regs, system_call *original,
			change_call *change)
{
	struct checkpoint *cp;
	long ret;

	pending_begin(&calls_inside);
	cp = checkpoint_lock_open();
	if (cp) {
		ret = change_or_give_up(cp->gm, regs, original, change);
		checkpoint_unlock(cp);
	} else {
		ret = original(regs);
	}
	pending_end(&calls_inside);
	return ret;
}

#define DEFINE_GUARDED(name)						\
	static long guarded_##name(const struct pt_regs *regs)		\
	{								\
		return run_guarded(regs, kernel_##name, change_##name);	\
	}
DEFINE_GUARDED(brk)
DEFINE_GUARDED(madvise)
DEFINE_GUARDED(mmap)
DEFINE_GUARDED(mprotect)
DEFINE_GUARDED(mremap)
DEFINE_GUARDED(munmap)
#ifdef CONFIG_ARCH_HAS_PKEYS
DEFINE_GUARDED(pkey_mprotect)
#endif

/**
 * struct mapping_call - a system call that changes mappings
 * @symbol: the kernel's function
 * @guarded: where to go on in its place
 * @address: where ftrace hooks it, or four bytes before
 */
static struct mapping_call {
	const char *symbol;
	system_call *guarded;
	unsigned long address;
} mapping_calls[] = {
	{ "__x64_sys_brk", guarded_brk },
	{ "__x64_sys_madvise", guarded_madvise },
	{ "__x64_sys_mmap", guarded_mmap },
	{ "__x64_sys_mprotect", guarded_mprotect },
	{ "__x64_sys_mremap", guarded_mremap },
	{ "__x64_sys_munmap", guarded_munmap },
#ifdef CONFIG_ARCH_HAS_PKEYS
	{ "__x64_sys_pkey_mprotect", guarded_pkey_mprotect },
#endif
};

/* Whether an madvise() discards memory.  What allocators do all the time. */
static bool notrace discards(const struct pt_regs *regs)
{
	return regs->dx == MADV_DONTNEED || regs->dx == MADV_FREE;
}

/* Before the next entry; inside a call it does no harm. */
static void notrace note_change(void)
{
	const struct pt_regs *regs = task_pt_regs(current);

	switch (regs->orig_ax) {
	case __NR_mprotect:
	case __NR_pkey_mprotect:
		guarded_mm_mappings_may_change();
		break;
	case __NR_madvise:
		/* That changes no mapping. */
		if (!discards(regs))
			guarded_mm_mappings_may_change();
		break;
	default:
		break;
	}
}

static void notrace call_hook(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops,
			      struct ftrace_regs *fregs)
{
	const struct pt_regs *regs = task_pt_regs(current);
	int i;

	note_change();
	if (!guarded_mm_changes_mappings() || within_module(parent_ip, THIS_MODULE))
		return;
	/* Others need nothing, and may wait long for pages to come. */
	if (regs->orig_ax == __NR_madvise && !discards(regs))
		return;
	/* A landing pad of four bytes may come first. */
	for (i = 0; i < ARRAY_SIZE(mapping_calls); i++)
		if (ip - mapping_calls[i].address <= 4)
			compat_set_ip(fregs,
				      (unsigned long)mapping_calls[i].guarded);
}

/* Permanent as the write-fault hook is. */
static struct ftrace_ops call_ops = {
	.func = call_hook,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY |
		 FTRACE_OPS_FL_RECURSION | FTRACE_OPS_FL_PERMANENT,
};

/**
 * mapping_guard_start() - install the hooks
 *
 * Return: 0; -EBUSY when something else has redirected one of the functions,
 * or ftrace is disabled; another error of ftrace.
 */
int mapping_guard_start(void)
{
	return register_ftrace_function(&call_ops);
}

/*
 * Removes the hooks and waits until nobody is behind them, but for the last
 * instruction: see write_guard_await().
 */
void mapping_guard_stop(void)
{
	/* It returns when those whom a hook has sent to us have arrived. */
	unregister_ftrace_function(&call_ops);
	pending_await(&calls_inside);
}

/* Names the functions to hook, once for the life of the module. */
int __init reassure_mapping_guard_init(void)
{
	struct mapping_call *call;
	char name[64];
	int ret, i;

	for (i = 0; i < ARRAY_SIZE(mapping_calls); i++) {
		call = &mapping_calls[i];
		call->address = kernel_function(call->symbol);
		strscpy(name, call->symbol, sizeof(name));
		ret = call->address ? ftrace_set_filter(&call_ops, name,
							strlen(name), !i) :
				      -EOPNOTSUPP;
		if (ret) {
			pr_err("ftrace cannot hook the kernel function %s; cannot work here\n",
			       call->symbol);
			ftrace_free_filter(&call_ops);
			return ret;
		}
	}
	return 0;
}

void reassure_mapping_guard_exit(void)
{
	ftrace_free_filter(&call_ops);
}
