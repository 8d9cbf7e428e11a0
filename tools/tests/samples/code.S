/* SPDX-License-Identifier: GPL-2.0 */
/* Code that a compiler would not write. */
	.text
	.globl known_code
	.type known_code, @function
known_code:
	.cfi_startproc
	nop
	movabs $0x1122334455667788, %rax
	/* An instruction of AVX-512. */
	vpternlogd $0xff, %zmm0, %zmm0, %zmm0
	ret
	.cfi_endproc
	.size known_code, . - known_code

	.globl data_in_code
	.type data_in_code, @object
data_in_code:
	.fill 16, 1, 0x90
	.size data_in_code, . - data_in_code

	/* In no function and without unwind information. */
	.globl unknown_data
	.type unknown_data, @notype
unknown_data:
	.fill 16, 1, 0x90

	/* As the start-up code of some libraries is written. */
	.section .own, "ax", @progbits
	.globl without_size
	.type without_size, @function
without_size:
	nop
	movabs $0x1122334455667788, %rax
	ret

	.section .note.GNU-stack, "", @progbits
