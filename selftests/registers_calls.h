/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_TEST_REGISTERS_CALLS_H
#define _REASSURE_TEST_REGISTERS_CALLS_H

#include <stdint.h>

/**
 * struct state - what the caller sees; registers_calls.S knows the offsets
 */
struct state {
	uint64_t rbx, rbp, r12, r13, r14, r15;
	uint64_t rsp_before, rsp_after;
	uint64_t rax, flags;
	uint32_t mxcsr, x87_control;
	uint32_t x87_environment[8];
	uint64_t vectors[16][4];
};

extern struct state *current_state;

/* Whether there are the upper halves of vector registers. */
extern int has_avx;

void call_and_look(struct state *state, void (*function)(void));
void mess_and_fault(void);
void mmx_and_fault(void);

#endif
