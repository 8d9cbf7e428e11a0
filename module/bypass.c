// SPDX-License-Identifier: GPL-2.0
/*
 * Writers that need not pass handle_mm_fault().
 *
 * Another process that writes to a page which is writable already (ptrace,
 * /proc/PID/mem, process_vm_writev()) does not fault, and a rollback would
 * take its write back unseen.  userfaultfd puts pages in place by itself, and
 * they are writable.  Hooks where both have to pass refuse the open checkpoint,
 * and note the pages for the next entry.  They redirect nothing.
 */
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../uapi/reassure.h"
#include "bypass.h"
#include "compat.h"
#include "guarded_mm.h"

/* get_user_pages_remote() and pin_user_pages_remote(). */
static void notrace remote_hook(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
	struct mm_struct *mm = (void *)regs->di;

	if (regs->cx & FOLL_WRITE && mm != current->mm &&
	    guarded_mm_peek(mm))
		guarded_mm_bypassed(mm, regs->si,
				    regs->si + regs->dx * PAGE_SIZE,
				    REASSURE_REFUSED_FOREIGN);
}

static struct ftrace_ops remote_ops = {
	.func = remote_hook,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION |
		 FTRACE_OPS_FL_PERMANENT,
};

#ifdef CONFIG_USERFAULTFD
/* mfill_atomic_install_pte(), with the mmap lock or that of the mapping. */
static void notrace fill_hook(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops,
			      struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
	struct vm_area_struct *vma = compat_filled_vma(regs);
	unsigned long address = compat_filled_address(regs);

	if (!(vma->vm_flags & VM_SHARED) && guarded_mm_peek(vma->vm_mm))
		guarded_mm_bypassed(vma->vm_mm, address, address + PAGE_SIZE,
				    REASSURE_REFUSED_USERFAULTFD);
}

static struct ftrace_ops fill_ops = {
	.func = fill_hook,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION |
		 FTRACE_OPS_FL_PERMANENT,
};
#endif

#if defined(CONFIG_USERFAULTFD) && defined(COMPAT_MOVE_FUNCTION)
/* What userfaultfd moves is writable where it arrives. */
static void notrace move_hook(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops,
			      struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
	struct mm_struct *mm = compat_moving_mm(regs);

	if (guarded_mm_peek(mm))
		guarded_mm_bypassed(mm, regs->si, regs->si + regs->cx,
				    REASSURE_REFUSED_USERFAULTFD);
}

static struct ftrace_ops move_ops = {
	.func = move_hook,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION |
		 FTRACE_OPS_FL_PERMANENT,
};
#endif

/* What is hooked, and by whom. */
static const struct bypass {
	const char *function;
	struct ftrace_ops *ops;
	bool last;		/* function of @ops */
} bypasses[] = {
	{ "get_user_pages_remote", &remote_ops },
	{ "pin_user_pages_remote", &remote_ops, true },
#ifdef CONFIG_USERFAULTFD
	{ "mfill_atomic_install_pte", &fill_ops, true },
#ifdef COMPAT_MOVE_FUNCTION
	{ COMPAT_MOVE_FUNCTION, &move_ops, true },
#endif
#endif
};

static void stop_before(const struct bypass *end)
{
	const struct bypass *bypass;

	for (bypass = bypasses; bypass < end; bypass++)
		if (bypass->last)
			unregister_ftrace_function(bypass->ops);
}

/**
 * bypass_start() - install the hooks
 *
 * Return: 0, or an error of ftrace.
 */
int bypass_start(void)
{
	const struct bypass *bypass;
	int ret;

	for (bypass = bypasses; bypass < bypasses + ARRAY_SIZE(bypasses);
	     bypass++) {
		if (!bypass->last)
			continue;
		ret = register_ftrace_function(bypass->ops);
		if (ret) {
			stop_before(bypass);
			return ret;
		}
	}
	return 0;
}

/* Nobody is in a hook any more when it returns. */
void bypass_stop(void)
{
	stop_before(bypasses + ARRAY_SIZE(bypasses));
}

/* Names the functions; as in write_guard.c, once for the module's life. */
int __init reassure_bypass_init(void)
{
	const struct bypass *bypass;
	unsigned char name[64];
	int ret;

	for (bypass = bypasses; bypass < bypasses + ARRAY_SIZE(bypasses);
	     bypass++) {
		strscpy(name, bypass->function, sizeof(name));
		ret = ftrace_set_filter(bypass->ops, name, strlen(name), 0);
		if (ret) {
			pr_err("ftrace cannot hook the kernel function %s; cannot work here\n",
			       bypass->function);
			reassure_bypass_exit();
			return ret;
		}
	}
	return 0;
}

void reassure_bypass_exit(void)
{
	const struct bypass *bypass;

	for (bypass = bypasses; bypass < bypasses + ARRAY_SIZE(bypasses);
	     bypass++)
		if (bypass->last)
			ftrace_free_filter(bypass->ops);
}
