// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of the current thread, as a function finds them and as it
 * must leave them.
 */
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>

#include <asm/fpu/api.h>
#include <asm/fsgsbase.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include "registers.h"

/*
 * Makes the registers of the processor those of current, until
 * fpregs_unlock(): after a context switch they wait in memory.
 */
static void fpu_registers_lock(void)
{
	fpregs_lock();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
}

static unsigned long read_fs_base(void)
{
	if (cpu_feature_enabled(X86_FEATURE_FSGSBASE))
		return rdfsbase();
	return __rdmsr(MSR_FS_BASE);
}

void registers_tell(struct user_regs_struct *to, const struct pt_regs *regs)
{
	*to = (struct user_regs_struct) {
		.r15 = regs->r15,
		.r14 = regs->r14,
		.r13 = regs->r13,
		.r12 = regs->r12,
		.bp = regs->bp,
		.bx = regs->bx,
		.r11 = regs->r11,
		.r10 = regs->r10,
		.r9 = regs->r9,
		.r8 = regs->r8,
		.ax = regs->ax,
		.cx = regs->cx,
		.dx = regs->dx,
		.si = regs->si,
		.di = regs->di,
		.orig_ax = regs->orig_ax,
		.ip = regs->ip,
		.cs = regs->cs,
		.flags = regs->flags,
		.sp = regs->sp,
		.ss = regs->ss,
		.fs_base = read_fs_base(),
		.gs_base = __rdmsr(MSR_KERNEL_GS_BASE),
	};
}

/**
 * registers_save() - keep the registers of current
 * @saved: where
 * @regs: its general registers
 *
 * In the kernel the user's GS base waits in another register for swapgs.
 */
void registers_save(struct registers *saved, const struct pt_regs *regs)
{
	saved->regs = *regs;

	saved->fs_base = read_fs_base();
	/* Not by way of the hypervisor's own function, which does the same. */
	saved->gs_base = __rdmsr(MSR_KERNEL_GS_BASE);

	/* As fpu_registers_lock(), for less: they are only read. */
	local_irq_disable();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		saved->pkru = rdpkru();
	asm volatile("stmxcsr %0" : "=m" (saved->mxcsr));
	asm volatile("fnstcw %0" : "=m" (saved->x87_control));
	local_irq_enable();
}

/*
 * The copies in thread are what a context switch believes on processors
 * where programs cannot write the bases themselves.
 */
static void restore_bases(const struct registers *saved)
{
	unsigned long gs_base;

	preempt_disable();
	if (read_fs_base() != saved->fs_base) {
		current->thread.fsbase = saved->fs_base;
		wrmsrl(MSR_FS_BASE, saved->fs_base);
	}
	rdmsrl(MSR_KERNEL_GS_BASE, gs_base);
	if (gs_base != saved->gs_base) {
		current->thread.gsbase = saved->gs_base;
		wrmsrl(MSR_KERNEL_GS_BASE, saved->gs_base);
	}
	preempt_enable();
}

/*
 * Near calls: e8 and a displacement, or ff /2 with up to five bytes of
 * operand behind its ModRM byte.
 */
bool registers_follow_call(unsigned long address)
{
	static const u8 indirect_sizes[] = { 2, 3, 4, 6, 7 };
	u8 code[7];
	int i, at;

	if (copy_from_user(code, (void __user *)(address - sizeof(code)),
			   sizeof(code)))
		return false;
	if (code[sizeof(code) - 5] == 0xe8)
		return true;
	for (i = 0; i < ARRAY_SIZE(indirect_sizes); i++) {
		at = sizeof(code) - indirect_sizes[i];
		if (code[at] == 0xff && (code[at + 1] >> 3 & 7) == 2)
			return true;
	}
	return false;
}

bool instruction_is_return(const u8 *code)
{
	/* Compilers put a prefix before it: "rep" or "bnd". */
	if (code[0] == 0xf2 || code[0] == 0xf3)
		code++;
	return code[0] == 0xc2 || code[0] == 0xc3;
}

/**
 * registers_return() - make current return from the function it had entered
 * @saved: the registers at the entry
 * @ip: where to go on: the return address, or the uprobe trampoline
 * @has_value: whether the function returns @value; a void function's rax
 *	stays as at entry
 * @value: the value to return
 *
 * As after `ret`: callee-saved registers as at entry, the direction flag
 * clear, the x87 stack empty with the control words of the entry, upper
 * halves of vector registers clear.
 */
void registers_return(const struct registers *saved, unsigned long ip,
		      bool has_value, u64 value)
{
	struct pt_regs *regs = task_pt_regs(current);
	unsigned long cs = regs->cs, ss = regs->ss;

	*regs = saved->regs;
	regs->cs = cs;
	regs->ss = ss;
	regs->ip = ip;
	regs->sp += sizeof(unsigned long);
	if (has_value)
		regs->ax = value;
	regs->flags &= ~(X86_EFLAGS_DF | X86_EFLAGS_RF | X86_EFLAGS_TF);
	/* No system call is to be restarted. */
	regs->orig_ax = -1;

	restore_bases(saved);

	fpu_registers_lock();
	if (cpu_feature_enabled(X86_FEATURE_OSPKE) && rdpkru() != saved->pkru)
		wrpkru(saved->pkru);
	if (boot_cpu_has(X86_FEATURE_AVX))
		asm volatile("vzeroupper" : : : "memory");
	asm volatile("fninit; fldcw %0" : : "m" (saved->x87_control));
	asm volatile("ldmxcsr %0" : : "m" (saved->mxcsr));
	fpregs_unlock();
}
