/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One piece of each kind of memory, whose content is known at any time.
 */
#ifndef _REASSURE_TEST_WORLD_H
#define _REASSURE_TEST_WORLD_H

#include <stddef.h>

#define WORLD_AREAS	12
#define WORLD_STACK	6000

/**
 * struct world_area - one piece of memory
 * @name: for messages
 * @start: its first byte
 * @size: in bytes
 * @fresh: never written by world_fill(): holds zeros, or the file's content
 * @from_file: the file's content is world_byte(WORLD_FILE_SEED, ...)
 */
struct world_area {
	const char *name;
	unsigned char *start;
	size_t size;
	int fresh;
	int from_file;
};

struct world {
	struct world_area areas[WORLD_AREAS];
	int count;
};

#define WORLD_FILE_SEED	99

void world_init(struct world *world);
void world_add(struct world *world, const char *name, void *start, size_t size);
void world_fill(struct world *world, unsigned int seed);
void world_overwrite(struct world *world, unsigned int seed);
const char *world_wrong(struct world *world, unsigned int seed);
const char *world_overwritten_wrong(struct world *world, unsigned int seed);

#endif
