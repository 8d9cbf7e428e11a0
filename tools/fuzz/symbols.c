// SPDX-License-Identifier: GPL-2.0
/*
 * ELF files of any bytes: symbols, exits, landings, folders of libraries.  What is
 * found is in the file.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <reassure.h>

#include "error.h"
#include "fuzz.h"
#include "symbols.h"

static char error[ERROR_SIZE];

/* A table of the file: where it is, and how large. */
struct table {
	uint64_t at;
	uint64_t size;
};

/* One of those that a loader or a linker would look at. */
static struct table choose_table(const uint8_t *data, size_t size,
				 unsigned int seed)
{
	struct table table = { 0, sizeof(Elf64_Ehdr) };
	Elf64_Shdr section;
	Elf64_Ehdr header;
	uint64_t at;

	memcpy(&header, data, sizeof(header));
	switch (seed % 8) {
	case 0:
		return table;
	case 1:
		table.at = header.e_phoff;
		table.size = header.e_phnum * sizeof(Elf64_Phdr);
		return table;
	case 2:
		table.at = header.e_shoff;
		table.size = header.e_shnum * sizeof(Elf64_Shdr);
		return table;
	}
	/* What is in a section. */
	at = header.e_shoff;
	if (header.e_shnum)
		at += seed / 8 % header.e_shnum * sizeof(section);
	if (at > size || size - at < sizeof(section))
		return table;
	memcpy(&section, data + at, sizeof(section));
	table.at = section.sh_offset;
	table.size = section.sh_size;
	return table;
}

/* Half of the time a number of a table becomes a strange one. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	static const uint64_t strange[] = {
		0, 1, -1, 0x7fffffff, 0x80000000, 0xffffffff, -8, -24,
		0x7fffffffffffffff, 0x1000, 0x10000,
	};
	struct table table;
	uint64_t value, at;
	size_t width;

	srand(seed);
	if (size < sizeof(Elf64_Ehdr) || rand() % 2)
		return LLVMFuzzerMutate(data, size, max_size);
	table = choose_table(data, size, rand());
	width = 1 << rand() % 4;
	if (table.size < width || table.at > size ||
	    size - table.at < table.size)
		return LLVMFuzzerMutate(data, size, max_size);
	at = table.at + rand() % (table.size / width) * width;
	memcpy(&value, data + at, width);
	switch (rand() % 3) {
	case 0:
		value = strange[rand() % (sizeof(strange) / sizeof(*strange))];
		break;
	case 1:
		value += rand() % 33 - 16;
		break;
	default:
		/* One of the file's own. */
		memcpy(&value, data + rand() % (size / 8) * 8, width);
	}
	memcpy(data + at, &value, width);
	return size;
}

/* Ascending, and in the file of @size bytes. */
static void check_places(const __u64 *places, size_t count, size_t size)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (places[i] >= size || (i && places[i] <= places[i - 1]))
			abort();
}

static void look_at(struct symbols *symbols, __u64 offset, size_t size)
{
	static __u64 exits[REASSURE_EXITS_MAX];
	size_t count;

	symbols_check_offset(symbols, offset, error);
	count = symbols_exits(symbols, offset, exits, REASSURE_EXITS_MAX,
			      error);
	if (count > REASSURE_EXITS_MAX)
		abort();
	check_places(exits, count, size);
}

static void read_symbols(struct symbols *symbols, size_t size)
{
	static const char *const names[] = {
		"twice", "choose", "only_here", "alias_of_it", "f@V1",
		"no_such_function", "shop::pay(int)", "longjmp"
	};
	static __u64 landings[REASSURE_LANDINGS_MAX];
	const __u8 *id;
	__u64 offset;
	size_t i;
	int bytes;

	bytes = symbols_build_id(symbols, &id, &offset);
	if (bytes && offset && (offset > size || size - offset < (size_t)bytes))
		abort();
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (symbols_find(symbols, names[i], &offset, error))
			look_at(symbols, offset, size);
	for (offset = 0x1000; offset < 0x1040; offset += 5)
		look_at(symbols, offset, size);
	i = symbols_landings(symbols, landings, REASSURE_LANDINGS_MAX);
	check_places(landings, i, size);
	symbols_is_executable(symbols);
	symbols_is_dynamic(symbols);
	symbols_leaving(symbols);
	error[0] = 0;
	if (symbols_run_path(symbols))
		append(error, "%s", symbols_run_path(symbols));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symbols *symbols;
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) ||
	    pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	symbols = symbols_open(fd, "/nowhere/fuzz", error);
	if (!symbols)
		return 0;
	read_symbols(symbols, size);
	symbols_close(symbols);
	return 0;
}
