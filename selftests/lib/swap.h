/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_TEST_SWAP_H
#define _REASSURE_TEST_SWAP_H

#include <stdbool.h>
#include <stddef.h>

bool swap_on(size_t size);
bool swap_on_zram(size_t size);
void swap_off(void);
int count_swapped(const void *start, int pages);

#endif
