/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_REGISTERS_H
#define _REASSURE_REGISTERS_H

#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/types.h>

#include <asm/user.h>

#include "../../compat.h"

/**
 * struct registers - the registers of current at the entry of a function
 * @regs: the general registers; @regs.sp points at the return address
 * @fs_base: base of the thread-local storage
 * @gs_base: the user's GS base
 * @pkru: the protection keys, 0 where there are none
 * @mxcsr: SSE control and status
 * @x87_control: x87 control word
 *
 * Vector registers are not kept: the ABI lets any call destroy them.
 */
struct registers {
	struct pt_regs regs;
	unsigned long fs_base;
	unsigned long gs_base;
	u32 pkru;
	u32 mxcsr;
	u16 x87_control;
};

/* False in modes whose return cannot be forged: 32-bit, shadow stack. */
static inline bool registers_supported(const struct pt_regs *regs)
{
	if (!user_64bit_mode((struct pt_regs *)regs))
		return false;
#if COMPAT_USER_SHADOW_STACK
	/* The shadow stack would have to lose the frames that we drop. */
	if (current->thread.features)
		return false;
#endif
	return true;
}

/* Whether the instruction before @address is a call. */
bool registers_follow_call(unsigned long address);
/* Whether the instruction at @code, as it is in memory, is a near return. */
bool instruction_is_return(const u8 *code);
/* As ptrace tells them, without the selectors of data segments. */
void registers_tell(struct user_regs_struct *to, const struct pt_regs *regs);
void registers_save(struct registers *saved, const struct pt_regs *regs);
void registers_return(const struct registers *saved, unsigned long ip,
		      bool has_value, u64 value);

#endif
