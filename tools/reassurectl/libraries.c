// SPDX-License-Identifier: GPL-2.0
/* Where the dynamic linker of glibc finds libraries. */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/types.h>

#include "libraries.h"
#include "symbols.h"

#define CACHE "/etc/ld.so.cache"
#define CACHE_MAGIC "glibc-ld.so.cache1.1"
/* In the flags of an entry: for glibc and x86-64. */
#define CACHE_X86_64 0x0303

struct cache_header {
	char magic[sizeof(CACHE_MAGIC) - 1];
	__u32 count;
	__u32 unused[6];
};

struct cache_entry {
	__s32 flags;
	/* Where the name and the path are, from the header on. */
	__u32 name;
	__u32 path;
	__u32 unused[3];
};

/* The string at @at, if it ends in the cache. */
static const char *string_at(const char *cache, size_t size, __u32 at)
{
	return at < size && memchr(cache + at, 0, size - at) ? cache + at :
							       NULL;
}

size_t find_in_cache(const char *cache, size_t size, const char *name,
		     struct library_path *paths, size_t max)
{
	/* An older form may stand before it. */
	const char *start = memmem(cache, size, CACHE_MAGIC,
				   sizeof(CACHE_MAGIC) - 1);
	struct cache_header header;
	struct cache_entry entry;
	const char *text, *path;
	size_t at, found = 0;
	__u32 i;

	if (!start || size - (start - cache) < sizeof(header))
		return 0;
	size -= start - cache;
	memcpy(&header, start, sizeof(header));
	for (i = 0, at = sizeof(header); i < header.count && found < max &&
	     size - at >= sizeof(entry); i++, at += sizeof(entry)) {
		memcpy(&entry, start + at, sizeof(entry));
		text = string_at(start, size, entry.name);
		path = string_at(start, size, entry.path);
		if (entry.flags == CACHE_X86_64 && text && path &&
		    !strcmp(text, name))
			snprintf(paths[found++].text, PATH_MAX, "%s", path);
	}
	return found;
}

static size_t find_by_cache(const char *name, struct library_path *paths,
			    size_t max)
{
	int fd = open(CACHE, O_RDONLY | O_CLOEXEC);
	struct stat status;
	size_t found = 0;
	void *cache;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &status) && status.st_size) {
		cache = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd,
			     0);
		if (cache != MAP_FAILED) {
			found = find_in_cache(cache, status.st_size, name,
					      paths, max);
			munmap(cache, status.st_size);
		}
	}
	close(fd);
	return found;
}

/* Whether @folder, which may begin with $ORIGIN, has the library. */
static bool is_in_folder(const char *folder, size_t length,
			 const char *origin, const char *name, char *path)
{
	static const char *const forms[] = { "$ORIGIN", "${ORIGIN}" };
	const char *before = "";
	size_t i, form;

	for (i = 0; i < 2; i++) {
		form = strlen(forms[i]);
		if (length < form || strncmp(folder, forms[i], form))
			continue;
		before = origin;
		folder += form;
		length -= form;
		break;
	}
	return snprintf(path, PATH_MAX, "%s%.*s/%s", before, (int)length,
			folder, name) < PATH_MAX && !access(path, F_OK);
}

/* In the folders that @list names, with colons between them. */
static bool find_in_folders(const char *list, const char *origin,
			    const char *name, char *path)
{
	size_t length;

	for (; list && *list; list += length + !!list[length]) {
		length = strcspn(list, ":");
		if (length &&
		    is_in_folder(list, length, origin, name, path))
			return true;
	}
	return false;
}

size_t find_library(struct symbols *symbols, const char *path,
		    const char *name, struct library_path *paths, size_t max)
{
	static const char usual[] =
		"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib";
	char *file = realpath(path, NULL);
	size_t found = 0;

	if (file && max) {
		/* Of a path that it was given dirname() makes its folder. */
		found = find_in_folders(symbols_run_path(symbols),
					dirname(file), name, paths[0].text);
		if (!found)
			found = find_by_cache(name, paths, max);
		if (!found)
			found = find_in_folders(usual, "", name, paths[0].text);
	}
	free(file);
	return found;
}
