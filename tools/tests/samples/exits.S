/* SPDX-License-Identifier: GPL-2.0 */
/* Functions with their exits named; built as a library without names of cold parts. */

	.macro function name
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc
	.endm

	.macro end name
	.cfi_endproc
	.size \name, . - \name
	.endm

	/* Places in functions, found by nm. */
	.macro mark name
	.globl \name
\name:
	.endm

	.text
function elsewhere
	ret
end elsewhere

function returns
	test %edi, %edi
	je 1f
mark returns_1
	ret
1:	call elsewhere@plt
mark returns_2
	rep ret
	nop
end returns

function tails
	push %rbx
	.cfi_def_cfa_offset 16
	pop %rbx
	.cfi_def_cfa_offset 8
	test %edi, %edi
	je 1f
mark tails_1
	jmp elsewhere@plt
1:	mov elsewhere@GOTPCREL(%rip), %rax
	test %esi, %esi
	je 2f
mark tails_2
	jmp *%rax
2:
mark tails_3
	jmp *8(%rdi)
end tails

function switches
	lea table(%rip), %rdx
	movslq (%rdx, %rdi, 4), %rax
	add %rdx, %rax
	jmp *%rax
.Lone:	mov $1, %eax
mark switches_1
	ret
.Ltwo:	mov $2, %eax
mark switches_2
	ret
end switches

function has_cold
	push %rbx
	.cfi_def_cfa_offset 16
	test %edi, %edi
	je cold_of_it
	pop %rbx
	.cfi_def_cfa_offset 8
mark has_cold_1
	ret
end has_cold

function branches_out
	test %edi, %edi
	je elsewhere
	ret
end branches_out

function jumps_by_table
	jmp *0x1000(, %rdi, 8)
end jumps_by_table

function loops_back
	dec %edi
	jne loops_back
	ret
end loops_back

function never
	nop
1:	jmp 1b
end never

function not_code
	.byte 0x06
	ret
end not_code

	.section .text.unlikely, "ax", @progbits
	/* As compilers put it apart: it has the frame of another. */
	.cfi_startproc
	.cfi_def_cfa_offset 16
cold_of_it:
	pop %rbx
	.cfi_def_cfa_offset 8
mark has_cold_2
	ret
	.cfi_endproc

	.section .rodata
	.balign 4
table:
	.long .Lone - table
	.long .Ltwo - table

	.section .note.GNU-stack, "", @progbits
