// SPDX-License-Identifier: GPL-2.0
/*
 * Writers that need not pass handle_mm_fault().
 *
 * Another process that writes to a page which is writable already (ptrace,
 * /proc/PID/mem, process_vm_writev()) does not fault, and a rollback would
 * take its write back unseen.  userfaultfd puts pages in place by itself, and
 * they are writable.  khugepaged brings in what is in swap by itself.  A hook
 * where all of them have to pass refuses the open checkpoint, and notes the
 * pages for the next entry.  It redirects nothing.
 */
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../uapi/reassure.h"
#include "bypass.h"
#include "compat.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"

typedef void bypass_note(struct pt_regs *regs);

/*
 * __get_user_pages(), which every way to another's pages passes, with the mmap
 * lock, and passes again when a fault has dropped the lock.
 */
static void notrace note_remote(struct pt_regs *regs)
{
	struct mm_struct *mm = (void *)regs->di;

	if (regs->cx & FOLL_WRITE && mm != current->mm &&
	    guarded_mm_peek(mm))
		guarded_mm_bypassed(mm, regs->si,
				    regs->si + regs->dx * PAGE_SIZE,
				    REASSURE_REFUSED_FOREIGN);
}

/*
 * do_swap_page(), with the mmap lock or that of the mapping.  Only who makes
 * huge pages of small ones comes there without handle_mm_fault(), and with no
 * other flag; when he gives up, what he has brought in stays as it came.
 */
static void notrace note_swapped_in(struct pt_regs *regs)
{
	const struct vm_fault *vmf = (void *)regs->di;
	struct mm_struct *mm = vmf->vma->vm_mm;
	unsigned long area = vmf->address & PMD_MASK;

	if (vmf->flags == FAULT_FLAG_ALLOW_RETRY && guarded_mm_peek(mm))
		guarded_mm_bypassed(mm, area, area + PMD_SIZE,
				    REASSURE_REFUSED_MAPPING);
}

#ifdef CONFIG_USERFAULTFD
/* mfill_atomic_install_pte(), with the mmap lock or that of the mapping. */
static void notrace note_filled(struct pt_regs *regs)
{
	struct vm_area_struct *vma = compat_filled_vma(regs);
	unsigned long address = compat_filled_address(regs);

	if (!(vma->vm_flags & VM_SHARED) && guarded_mm_peek(vma->vm_mm))
		guarded_mm_bypassed(vma->vm_mm, address, address + PAGE_SIZE,
				    REASSURE_REFUSED_USERFAULTFD);
}
#endif

#if defined(CONFIG_USERFAULTFD) && defined(COMPAT_MOVE_FUNCTION)
/* What userfaultfd moves is writable where it arrives. */
static void notrace note_moved(struct pt_regs *regs)
{
	struct mm_struct *mm = compat_moving_mm(regs);

	if (guarded_mm_peek(mm))
		guarded_mm_bypassed(mm, regs->si, regs->si + regs->cx,
				    REASSURE_REFUSED_USERFAULTFD);
}
#endif

/* The functions that are hooked; their addresses are found at start. */
static struct bypass {
	const char *function;
	bypass_note *note;
	unsigned long address;
} bypasses[] = {
	{ "__get_user_pages", note_remote },
	{ "do_swap_page", note_swapped_in },
#ifdef CONFIG_USERFAULTFD
	{ "mfill_atomic_install_pte", note_filled },
#ifdef COMPAT_MOVE_FUNCTION
	{ COMPAT_MOVE_FUNCTION, note_moved },
#endif
#endif
};

/* Both may be behind a landing pad of four bytes, or before it. */
static bool notrace is_in(const struct bypass *bypass, unsigned long ip)
{
	return ip - bypass->address + 4 <= 8;
}

/* One for all, since each that is taken away costs the kernel some time. */
static void notrace bypass_hook(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bypasses); i++)
		if (is_in(&bypasses[i], ip))
			bypasses[i].note(ftrace_get_regs(fregs));
}

static struct ftrace_ops bypass_ops = {
	.func = bypass_hook,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION |
		 FTRACE_OPS_FL_PERMANENT,
};

/**
 * bypass_start() - install the hook
 *
 * Return: 0, or an error of ftrace.
 */
int bypass_start(void)
{
	return register_ftrace_function(&bypass_ops);
}

/* Nobody is in the hook any more when it returns. */
void bypass_stop(void)
{
	unregister_ftrace_function(&bypass_ops);
}

static int __init find(struct bypass *bypass)
{
	unsigned char name[64];
	int ret;

	bypass->address = kernel_function(bypass->function);
	if (!bypass->address)
		return -EOPNOTSUPP;
	strscpy(name, bypass->function, sizeof(name));
	ret = ftrace_set_filter(&bypass_ops, name, strlen(name), 0);
	if (ret)
		pr_err("ftrace cannot hook the kernel function %s; cannot work here\n",
		       bypass->function);
	return ret;
}

/* Names the functions; as in write_guard.c, once for the module's life. */
int __init reassure_bypass_init(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(bypasses); i++)
		ret = find(&bypasses[i]);
	if (ret)
		reassure_bypass_exit();
	return ret;
}

void reassure_bypass_exit(void)
{
	ftrace_free_filter(&bypass_ops);
}
