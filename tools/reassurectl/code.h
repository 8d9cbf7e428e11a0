/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_CODE_H
#define REASSURECTL_CODE_H

#include <linux/types.h>
#include <stddef.h>

enum decoded {
	/* An instruction begins at the place. */
	DECODED_BEGIN,
	/* The place is inside an instruction. */
	DECODED_INSIDE,
	/* The bytes before it, or there, are no instructions. */
	DECODED_NOTHING,
};

/*
 * Decodes @size bytes of x86-64 code from an instruction's beginning on, until
 * the place @wanted bytes later is reached.  @last is the place of the last
 * instruction, or of the bytes that are none, and @next that behind it.
 */
enum decoded decode_up_to(const __u8 *code, size_t size, size_t wanted,
			  size_t *last, size_t *next);

#endif
