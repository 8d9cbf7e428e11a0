/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls; answers 0, or ends the program where something is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Changes an input, where a target knows better than libFuzzer, which it may ask. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif
