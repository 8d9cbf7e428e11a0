// SPDX-License-Identifier: GPL-2.0
/*
 * Programs and libraries, as files.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

/* The path, of at most 4096 characters, of what was built with this test. */
void file_beside_us(char *path, const char *name)
{
	char self[4096] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		*self = 0;
	snprintf(path, 4096, "%.3900s/%s", dirname(self), name);
}

struct image {
	struct elf64_hdr *header;
	struct elf64_shdr *sections;
	size_t size;
};

static int map(const char *path, struct image *image)
{
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &stat))
		return -errno;
	image->size = stat.st_size;
	/* Writable, so that the kernel sets no breakpoints here. */
	image->header = mmap(NULL, image->size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE, fd, 0);
	close(fd);
	if (image->header == MAP_FAILED)
		return -errno;
	image->sections = (void *)((char *)image->header +
				   image->header->e_shoff);
	return 0;
}

static void *content(const struct image *image, int section)
{
	return (char *)image->header + image->sections[section].sh_offset;
}

/**
 * file_symbol() - the place of a function of a file that is not loaded
 * @path: the file, with its symbols
 * @name: of the function
 * @offset: receives the place
 *
 * Return: 0 or a negative errno.
 */
int file_symbol(const char *path, const char *name, uint64_t *offset)
{
	struct elf64_sym *symbols;
	struct image image;
	char *names;
	int i, ret;
	size_t k;

	ret = map(path, &image);
	if (ret)
		return ret;
	ret = -ENOENT;
	for (i = 0; i < image.header->e_shnum; i++) {
		if (image.sections[i].sh_type != SHT_SYMTAB)
			continue;
		symbols = content(&image, i);
		names = content(&image, image.sections[i].sh_link);
		for (k = 0; k < image.sections[i].sh_size / sizeof(*symbols); k++) {
			struct elf64_shdr *text;

			if (strcmp(names + symbols[k].st_name, name))
				continue;
			text = &image.sections[symbols[k].st_shndx];
			*offset = symbols[k].st_value - text->sh_addr +
				  text->sh_offset;
			ret = 0;
		}
	}
	munmap(image.header, image.size);
	return ret;
}

/**
 * file_build_id() - where the BUILD_ID_SIZE bytes of a file's build-id are
 * @path: the file
 * @offset: receives the place
 *
 * Return: 0 or a negative errno.
 */
int file_build_id(const char *path, uint64_t *offset)
{
	struct image image;
	char *names;
	int i, ret;

	ret = map(path, &image);
	if (ret)
		return ret;
	ret = -ENOENT;
	names = content(&image, image.header->e_shstrndx);
	for (i = 0; i < image.header->e_shnum; i++) {
		if (strcmp(names + image.sections[i].sh_name,
			   ".note.gnu.build-id"))
			continue;
		*offset = image.sections[i].sh_offset +
			  image.sections[i].sh_size - BUILD_ID_SIZE;
		ret = 0;
	}
	munmap(image.header, image.size);
	return ret;
}

static int copy(const char *from, const char *to, int flags)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CLOEXEC | flags, 0755);
	struct stat stat;
	ssize_t done;

	if (in < 0 || out < 0 || fstat(in, &stat))
		return -1;
	done = sendfile(out, in, NULL, stat.st_size);
	close(in);
	close(out);
	return done == stat.st_size ? 0 : -1;
}

int file_copy(const char *from, const char *to)
{
	return copy(from, to, O_CREAT | O_EXCL);
}

/* Into the same inode, as cp does. */
int file_overwrite(const char *from, const char *to)
{
	return copy(from, to, O_TRUNC);
}
