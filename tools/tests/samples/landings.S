/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a C library and the unwinder of exceptions have, by the names of these;
 * what longjmp() calls keeps no name.
 */

	.macro function name
	.globl \name
	.type \name, @function
\name:
	.endm

	.macro end name
	.size \name, . - \name
	.endm

	/* Places in functions, found by nm. */
	.macro mark name
	.globl \name
\name:
	.endm

	.text
.Ljump:
	mov 0x30(%rdi), %r8
	mov 0x38(%rdi), %rdx
	mov %r8, %rsp
	mov 0x8(%rdi), %rbp
mark by_register
	jmp *%rdx

	/* Has its own landing, with nobody's name. */
.Lcalled_back:
	mov %rsi, %rsp
mark called_back
	jmp *8(%rdi)

function longjmp
	push %rbx
	test %edi, %edi
	je 1f
	call .Lvariable_array
1:	call .Ljump
	hlt
end longjmp

	/* A frame of variable size, which ends in its own. */
.Lvariable_array:
	push %rbp
	mov %rsp, %rbp
	mov %rsp, %rbx
	sub %rdi, %rsp
	mov %rbx, %rsp
	mov -8(%rbp), %rsp
	mov %rbx, %rsp
	lea -8(%rbp), %rsp
	pop %rbx
	leave
	ret

	/* A stack that was aligned by force. */
function siglongjmp
	lea 8(%rsp), %r10
	and $-32, %rsp
	lea -8(%r10), %rsp
	jmp longjmp
end siglongjmp

function setcontext
	syscall
	cmp $-4095, %rax
	jae 1f
	mov 0xa0(%rdi), %rsp
	pushq 0xa8(%rdi)
	xor %eax, %eax
mark by_return
	ret
1:	or $-1, %rax
	ret
end setcontext

function swapcontext
	pop %rsp
	cmp %rax, %rdx
	jne 1f
	nop
mark by_return_2
	ret
1:
mark by_return_3
	repz ret
end swapcontext

function __pthread_unwind_next
	lea .Lcalled_back(%rip), %rdx
	call *%rax
	hlt
end __pthread_unwind_next

function _Unwind_Resume
	push %rbp
	mov %rsp, %rbp
	lea 8(%rbp, %rdx), %rcx
	mov (%rbp), %rbp
	mov %rcx, %rsp
	pop %rcx
mark by_eh_return
	jmp *%rcx
end _Unwind_Resume

function _Unwind_RaiseException
	lea 0x10(%rsp, %rcx), %rsp
mark by_eh_return_2
	ret
end _Unwind_RaiseException

	/* Of no interest, whatever it does. */
function something_else
	mov %rdi, %rsp
	ret
end something_else

	.section .note.GNU-stack, "", @progbits
