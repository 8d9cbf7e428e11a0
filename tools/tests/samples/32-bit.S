/* SPDX-License-Identifier: GPL-2.0 */
	.globl _start
	.type _start, @function
_start:
	ret
	.section .note.GNU-stack, "", @progbits
