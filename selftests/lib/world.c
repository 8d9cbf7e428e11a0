// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reassure_test.h"
#include "world.h"

static unsigned char data[3 * PAGE_SIZE] = { 1 };
static unsigned char bss[3 * PAGE_SIZE];
static __thread unsigned char thread_local[300];

static unsigned char world_byte(unsigned int seed, size_t i)
{
	return seed * 31 + i * 7 + (i >> 8);
}

static struct world_area *add(struct world *world, const char *name,
			      void *start, size_t size)
{
	struct world_area *area = &world->areas[world->count++];

	area->name = name;
	area->start = start;
	area->size = size;
	area->fresh = 0;
	area->from_file = 0;
	return area;
}

/* Adds memory of the caller, for example an array on its stack. */
void world_add(struct world *world, const char *name, void *start, size_t size)
{
	add(world, name, start, size);
}

static unsigned char *map_file(size_t size)
{
	int fd = memfd_create("world", MFD_CLOEXEC);
	unsigned char *content = malloc(size);
	unsigned char *start;
	size_t i;

	CHECK(fd >= 0 && content);
	for (i = 0; i < size; i++)
		content[i] = world_byte(WORLD_FILE_SEED, i);
	CHECK(write(fd, content, size) == (ssize_t)size);
	free(content);
	start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(start != MAP_FAILED);
	close(fd);
	return start;
}

void world_init(struct world *world)
{
	struct world_area *area;

	world->count = 0;
	add(world, "initialised data", data, sizeof(data));
	add(world, "zero-initialised data", bss, sizeof(bss));
	add(world, "thread-local data", thread_local, sizeof(thread_local));
	add(world, "heap", malloc(20000), 20000);
	add(world, "large heap block", malloc(300000), 300000);
	add(world, "anonymous mapping", private_memory(16 * PAGE_SIZE),
	    16 * PAGE_SIZE);
	add(world, "private file mapping", map_file(3 * PAGE_SIZE),
	    3 * PAGE_SIZE);
	area = add(world, "fresh anonymous mapping",
		   private_memory(8 * PAGE_SIZE), 8 * PAGE_SIZE);
	area->fresh = 1;
	area = add(world, "fresh private file mapping",
		   map_file(3 * PAGE_SIZE), 3 * PAGE_SIZE);
	area->fresh = 1;
	area->from_file = 1;
}

static void fill_area(struct world_area *area, unsigned int seed)
{
	size_t i;

	for (i = 0; i < area->size; i++)
		area->start[i] = world_byte(seed, i);
}

/* Gives everything but what is to stay fresh a new content. */
void world_fill(struct world *world, unsigned int seed)
{
	int i;

	for (i = 0; i < world->count; i++)
		if (!world->areas[i].fresh)
			fill_area(&world->areas[i], seed);
}

/* Gives everything a new content, from inside a rescue point. */
void world_overwrite(struct world *world, unsigned int seed)
{
	int i;

	for (i = 0; i < world->count; i++)
		fill_area(&world->areas[i], seed);
}

static unsigned char expected_byte(const struct world_area *area,
				   unsigned int seed, size_t i)
{
	if (area->from_file)
		return world_byte(WORLD_FILE_SEED, i);
	return area->fresh ? 0 : world_byte(seed, i);
}

/* The name of a piece that is not as world_fill() left it, or NULL. */
const char *world_wrong(struct world *world, unsigned int seed)
{
	struct world_area *area;
	size_t i;

	for (area = world->areas; area < world->areas + world->count; area++)
		for (i = 0; i < area->size; i++)
			if (area->start[i] != expected_byte(area, seed, i))
				return area->name;
	return NULL;
}

/* The name of a piece that is not as world_overwrite() left it, or NULL. */
const char *world_overwritten_wrong(struct world *world, unsigned int seed)
{
	struct world_area *area;
	size_t i;

	for (area = world->areas; area < world->areas + world->count; area++)
		for (i = 0; i < area->size; i++)
			if (area->start[i] != world_byte(seed, i))
				return area->name;
	return NULL;
}
