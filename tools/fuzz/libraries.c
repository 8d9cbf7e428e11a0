// SPDX-License-Identifier: GPL-2.0
/* The dynamic linker's cache, of any bytes behind its magic. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "libraries.h"

#define MAGIC "glibc-ld.so.cache1.1"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct library_path paths[4];
	size_t magic = sizeof(MAGIC) - 1, found;
	char *cache = malloc(magic + size);

	if (!cache)
		abort();
	memcpy(cache, MAGIC, magic);
	memcpy(cache + magic, data, size);
	found = find_in_cache(cache, magic + size, "libc.so.6", paths, 4);
	if (found > 4)
		abort();
	while (found--)
		if (!memchr(paths[found].text, 0, PATH_MAX))
			abort();
	free(cache);
	return 0;
}
