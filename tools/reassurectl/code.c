// SPDX-License-Identifier: GPL-2.0
/* Where instructions begin. */
#include <Zydis/Zydis.h>

#include "code.h"

enum decoded decode_up_to(const __u8 *code, size_t size, size_t wanted,
			  size_t *last, size_t *next)
{
	ZydisDecodedInstruction instruction;
	ZydisDecoder decoder;

	*last = 0;
	*next = 0;
	if (ZYAN_FAILED(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					 ZYDIS_STACK_WIDTH_64)))
		return DECODED_NOTHING;
	while (*next <= wanted) {
		*last = *next;
		if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL,
							      code + *last,
							      size - *last,
							      &instruction)))
			return DECODED_NOTHING;
		*next = *last + instruction.length;
	}
	return *last == wanted ? DECODED_BEGIN : DECODED_INSIDE;
}
