/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_USER_COPY_H
#define _REASSURE_USER_COPY_H

#include <linux/types.h>

#include <asm/asm.h>
#include <asm/smap.h>

/**
 * user_copy_words() - copy part of a user page, for who has disabled page faults
 * @to: where to
 * @from: where from, on one page; known to be an address of user memory
 * @size: how many bytes, a multiple of eight
 *
 * The hot pages are copied at each entry; the kernel's own functions look at
 * alignment, and for an odd rest, each time.
 *
 * Return: whether all could be read.
 */
static __always_inline bool user_copy_words(void *to, const void __user *from,
					    unsigned long size)
{
	unsigned long words = size / sizeof(u64);

	stac();
	asm volatile("1:	rep movsq\n"
		     "2:\n"
		     _ASM_EXTABLE_UA(1b, 2b)
		     : "+c" (words), "+D" (to), "+S" (from) : : "memory");
	clac();
	return !words;
}

#endif
