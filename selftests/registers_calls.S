/* SPDX-License-Identifier: GPL-2.0 */
	.text

/* Writes a vector register down, and fills one. */
	.macro store_vector number
	vmovups %ymm\number, 120 + 32 * \number(%rdi)
	.endm
	.macro fill_vector number
	vcmptrueps %ymm\number, %ymm\number, %ymm\number
	.endm
	.macro for_all_vectors what
	.irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\what \number
	.endr
	.endm

/*
 * void call_and_look(struct state *state, void (*function)(void)): gives the
 * registers that a function has to keep known values, calls the function and
 * writes down what it left.  The offsets are those of struct state.
 */
	.globl call_and_look
	.type call_and_look, @function
call_and_look:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdi
	stmxcsr 84(%rdi)
	sub $16, %rsp
	movl $0x5f80, (%rsp)
	ldmxcsr (%rsp)
	fnstcw 8(%rsp)
	movw $0x0c7f, (%rsp)
	fldcw (%rsp)
	mov $0x1111111111111111, %rbx
	mov $0x2222222222222222, %rbp
	mov $0x3333333333333333, %r12
	mov $0x4444444444444444, %r13
	mov $0x5555555555555555, %r14
	mov $0x6666666666666666, %r15
	mov %rsp, 48(%rdi)
	call *%rsi
	/* rsp is not trusted yet. */
	mov current_state(%rip), %rdi
	mov %rsp, 56(%rdi)
	mov 48(%rdi), %rsp
	mov %rbx, 0(%rdi)
	mov %rbp, 8(%rdi)
	mov %r12, 16(%rdi)
	mov %r13, 24(%rdi)
	mov %r14, 32(%rdi)
	mov %r15, 40(%rdi)
	mov %rax, 64(%rdi)
	pushf
	pop 72(%rdi)
	cld
	movl 84(%rdi), %ecx
	stmxcsr 80(%rdi)
	movl $0, 84(%rdi)
	fnstcw 84(%rdi)
	fnstenv 88(%rdi)
	cmpl $0, has_avx(%rip)
	je 1f
	for_all_vectors store_vector
1:
	fninit
	fldcw 8(%rsp)
	movl %ecx, (%rsp)
	ldmxcsr (%rsp)
	add $16, %rsp
	pop %rdi
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
	.size call_and_look, . - call_and_look

/* Leaves everything in a mess, and faults. */
	.globl mess_and_fault
	.type mess_and_fault, @function
mess_and_fault:
	nop
	push %rbp
	sub $5000, %rsp
	andq $-64, %rsp
	xor %ebx, %ebx
	not %rbx
	mov %rbx, %rbp
	mov %rbx, %r12
	mov %rbx, %r13
	mov %rbx, %r14
	mov %rbx, %r15
	fninit
	fld1
	fldpi
	fldl2t
	fldl2e
	fldz
	fldlg2
	fldln2
	fld1
	cmpl $0, has_avx(%rip)
	je 1f
	for_all_vectors fill_vector
1:
	movw $0x037f, (%rsp)
	fldcw (%rsp)
	movl $0x1f80, (%rsp)
	ldmxcsr (%rsp)
	std
	movq 8, %rax
	ud2
	.size mess_and_fault, . - mess_and_fault

/* The same with the x87 registers used by MMX. */
	.globl mmx_and_fault
	.type mmx_and_fault, @function
mmx_and_fault:
	nop
	sub $72, %rsp
	movq %rsp, %mm0
	movq %rsp, %mm7
	std
	ud2
	.size mmx_and_fault, . - mmx_and_fault

	.section .note.GNU-stack, "", @progbits
