// SPDX-License-Identifier: GPL-2.0
/* Functions of the samples; the Makefile says how each of them is made. */
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

#include "test.h"

#include "symbols.h"
#include <reassure.h>

static char error[ERROR_SIZE];

#define LONG_NAME \
	"a_function_whose_name_is_longer_than_the_name_of_a_rescue_point_can_ever_be"

static int open_sample(const char *name, char *path, size_t size)
{
	int fd;

	snprintf(path, size, "%s/%s", getenv("SAMPLES"), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static struct symbols *load(const char *name)
{
	static char path[4096];
	int fd = open_sample(name, path, sizeof(path));
	struct symbols *symbols = symbols_open(fd, path, error);

	close(fd);
	if (!symbols)
		fail_msg("%s", error);
	return symbols;
}

static __u64 find(const char *sample, const char *function)
{
	struct symbols *symbols = load(sample);
	__u64 offset = 0;

	if (!symbols_find(symbols, function, &offset, error))
		fail_msg("%s", error);
	/* What was found must pass for --offset, too. */
	if (!symbols_check_offset(symbols, offset, error))
		fail_msg("%s", error);
	symbols_close(symbols);
	return offset;
}

/* The explanation is in @error. */
static void find_none(const char *sample, const char *function)
{
	struct symbols *symbols = load(sample);
	__u64 offset;

	if (symbols_find(symbols, function, &offset, error))
		fail_msg("%s is in %s", function, sample);
	symbols_close(symbols);
}

static bool check(const char *sample, __u64 offset)
{
	struct symbols *symbols = load(sample);
	bool good = symbols_check_offset(symbols, offset, error);

	symbols_close(symbols);
	return good;
}

static void test_plain(void **state)
{
	(void)state;
	assert_int_equal(find("pie", "only_here"),
			 offset_by_nm("pie", "only_here"));
	assert_int_equal(find("pie", LONG_NAME),
			 offset_by_nm("pie", LONG_NAME));
	assert_int_equal(find("no-pie", "only_here"),
			 offset_by_nm("no-pie", "only_here"));
	assert_int_equal(find("no-pie", "answer"),
			 offset_by_nm("no-pie", "answer"));
	assert_int_equal(find("library.so", "from_library"),
			 offset_by_nm("library.so", "from_library"));
}

static void test_alias(void **state)
{
	(void)state;
	assert_int_equal(find("pie", "alias_of_it"), find("pie", "only_here"));
}

static void test_dynsym(void **state)
{
	struct symbols *symbols = load("stripped");
	__u64 offset;

	(void)state;
	assert_true(symbols_find(symbols, "only_here", &offset, error));
	assert_true(symbols_find(symbols, LONG_NAME, &offset, error));
	assert_true(symbols_check_offset(symbols, offset, error));
	assert_false(symbols_find(symbols, "answer", &offset, error));
	symbols_close(symbols);
}

static void test_partly_stripped(void **state)
{
	(void)state;
	find("partly", "only_here");
	find("partly", "other");
}

static void test_separate(void **state)
{
	(void)state;
	assert_int_equal(find("stripped-link", "only_here"),
			 find("no-pie", "only_here"));
	assert_int_equal(find("stripped-link", "answer"),
			 find("no-pie", "answer"));
	assert_int_equal(find("stripped-beside", "answer"),
			 find("pie", "answer"));
}

static void test_wrong_separate(void **state)
{
	(void)state;
	find_none("wrong-link", "only_here");
	assert_contains(error, "install its debug symbols, or use --offset");
}

static void test_compressed(void **state)
{
	(void)state;
	assert_int_equal(find("mini", "only_here"),
			 find("no-pie", "only_here"));
}

static void test_versions(void **state)
{
	__u64 old = find("library.so", "versioned@OLD_1");
	__u64 new = find("library.so", "versioned@@NEW_2");

	(void)state;
	assert_int_not_equal(old, new);
	assert_int_equal(new, find("library.so", "versioned@NEW_2"));
	assert_int_equal(new, find("library.so", "versioned_new"));
	find_none("library.so", "versioned");
	assert_contains(error, "several functions 'versioned'");
	assert_contains(error, "versioned@@NEW_2");
	assert_contains(error, "versioned@OLD_1");
}

static void test_ambiguous(void **state)
{
	const char *first, *second;

	(void)state;
	find_none("pie", "twice");
	assert_contains(error, "several functions 'twice'");
	assert_contains(error, "--offset");
	/* The candidates are places that --offset takes. */
	first = strstr(error, "\n  0x");
	assert_non_null(first);
	second = strstr(first + 1, "\n  0x");
	assert_non_null(second);
	assert_int_not_equal(strtoull(first, NULL, 0), 0);
	{
		__u64 a = strtoull(first, NULL, 0);
		__u64 b = strtoull(second, NULL, 0);

		assert_int_not_equal(a, b);
		assert_true(check("pie", a));
		assert_true(check("pie", b));
	}
}

static void test_unknown(void **state)
{
	(void)state;
	find_none("pie", "only_hear");
	assert_contains(error, "has no function 'only_hear'");
	assert_contains(error, "near it are: only_here");
	find_none("pie", "zzzzzzzzzzzz");
	assert_null(strstr(error, "near it"));
	/* A variable is not a function. */
	find_none("pie", "data_in_code");
	assert_contains(error, "has no function 'data_in_code'");
}

static void test_imported(void **state)
{
	(void)state;
	find_none("pie", "from_library");
	assert_contains(error, "only uses the function 'from_library'");
	assert_contains(error, "library.so");
	assert_contains(error, "libc.so.6");
	find_none("stripped", "rand");
	assert_contains(error, "only uses the function 'rand'");
}

static void test_indirect(void **state)
{
	(void)state;
	find_none("pie", "chosen");
	assert_contains(error, "indirect function");
}

static void test_cxx(void **state)
{
	__u64 pay = offset_by_nm("cxx", "_ZN4shop3payEi");

	(void)state;
	assert_int_equal(find("cxx", "_ZN4shop3payEi"), pay);
	assert_int_equal(find("cxx", "shop::pay(int)"), pay);
	find_none("cxx", "shop::pay");
	assert_contains(error, "several functions");
	assert_contains(error, "_ZN4shop3payEi  shop::pay(int)");
	assert_contains(error, "shop::pay(unsigned long, char const*)");
	assert_int_equal(find("cxx", "shop::cart::total"),
			 offset_by_nm("cxx", "_ZNK4shop4cart5totalEv"));
	assert_int_equal(find("cxx", "shop::cart::operator()"),
			 offset_by_nm("cxx", "_ZN4shop4cartclEi"));
	find("cxx", "shop::largest<int>");
	find("cxx", "shop::(anonymous namespace)::hidden");
	/* The part that is split off makes nothing ambiguous. */
	offset_by_nm("cxx", "_ZN4shop8checkoutEi.cold");
	assert_int_equal(find("cxx", "shop::checkout"),
			 offset_by_nm("cxx", "_ZN4shop8checkoutEi"));
	find_none("cxx", "shop::chekout");
	assert_contains(error, "near it are: shop::checkout");
}

static void test_boundaries(void **state)
{
	static const char *const samples[] = { "pie", "no-pie" };
	__u64 start;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		start = offset_by_nm(samples[i], "known_code");
		assert_true(check(samples[i], start));
		assert_true(check(samples[i], start + 1));
		assert_false(check(samples[i], start + 2));
		assert_contains(error, "inside the instruction from");
		assert_false(check(samples[i], start + 10));
		assert_true(check(samples[i], start + 11));
		/* The instruction of AVX-512 has 7 bytes. */
		assert_false(check(samples[i], start + 12));
		assert_true(check(samples[i], start + 18));
	}
	/* The same without symbols, by the unwind information. */
	start = offset_by_nm("no-pie", "known_code");
	assert_true(check("wrong-link", start + 11));
	assert_false(check("wrong-link", start + 12));
}

/* Checks that the exits of @function are the places with these names. */
static void check_exits(const char *function, ...)
{
	__u64 exits[REASSURE_EXITS_MAX], start = find("exits.so", function);
	struct symbols *symbols = load("exits.so");
	size_t i, found = symbols_exits(symbols, start, exits,
					REASSURE_EXITS_MAX, error);
	const char *name;
	va_list names;

	symbols_close(symbols);
	if (!found)
		fail_msg("%s: %s", function, error);
	va_start(names, function);
	for (i = 0; (name = va_arg(names, const char *)); i++) {
		assert_true(i < found);
		assert_int_equal(exits[i], offset_by_nm("exits.so", name));
	}
	va_end(names);
	assert_int_equal(found, i);
}

static void check_no_exits(const char *function, size_t max, const char *why)
{
	struct symbols *symbols = load("exits.so");
	__u64 exits[REASSURE_EXITS_MAX];

	assert_int_equal(symbols_exits(symbols,
				       offset_by_nm("exits.so", function),
				       exits, max, error), 0);
	assert_contains(error, why);
	symbols_close(symbols);
}

static void test_exits(void **state)
{
	(void)state;
	check_exits("returns", "returns_1", "returns_2", NULL);
	check_exits("tails", "tails_1", "tails_2", "tails_3", NULL);
	check_exits("switches", "switches_1", "switches_2", NULL);
	/* In the order of the file, where what is seldom used comes first. */
	check_exits("has_cold", "has_cold_2", "has_cold_1", NULL);
	check_no_exits("branches_out", 10, "the conditional jump at 0x");
	check_no_exits("jumps_by_table", 10, "may lead out of it or stay");
	check_no_exits("loops_back", 10, "leads back to its first instruction");
	check_no_exits("never", 10, "it never returns");
	check_no_exits("not_code", 10, "is no instruction");
	check_no_exits("returns", 1, "more than 1 exits");
}

static void test_leaving(void **state)
{
	struct symbols *symbols = load("pie");

	(void)state;
	assert_null(symbols_leaving(symbols));
	symbols_close(symbols);
	symbols = load("cxx");
	assert_non_null(symbols_leaving(symbols));
	symbols_close(symbols);
}

static void test_without_size(void **state)
{
	__u64 start = offset_by_nm("pie", "without_size");

	(void)state;
	assert_int_equal(find("pie", "without_size"), start);
	assert_true(check("pie", start + 1));
	assert_false(check("pie", start + 4));
	assert_true(check("pie", start + 11));
}

static void test_not_code(void **state)
{
	(void)state;
	assert_false(check("pie", 0));
	assert_contains(error, "is not in the code of");
	assert_false(check("pie", 1ull << 40));
	assert_false(check("pie", LLONG_MAX));
	assert_false(check("pie", offset_by_nm("pie", "_IO_stdin_used")));
	assert_contains(error, "is not in the code of");
	assert_false(check("pie", offset_by_nm("pie", "data_in_code")));
	assert_contains(error, "it belongs to the data 'data_in_code'");
	assert_false(check("pie", offset_by_nm("pie", "data_in_code") + 5));
	assert_false(check("pie", offset_by_nm("pie", "unknown_data")));
	assert_contains(error, "it belongs to no function");
	/* Symbols are stripped here, unwind information remains. */
	assert_false(check("wrong-link", offset_by_nm("no-pie", "data_in_code")));
	assert_contains(error, "it belongs to no function");
}

/* Every instruction that objdump sees, and nothing else. */
static void test_against_objdump(void **state)
{
	char command[512], line[512];
	unsigned long long at, start = 0, end = 0;
	struct symbols *symbols;
	int compared = 0;
	FILE *pipe;

	(void)state;
	snprintf(command, sizeof(command),
		 "objdump -d -w --no-show-raw-insn %s/no-pie --disassemble=main",
		 getenv("SAMPLES"));
	pipe = popen(command, "r");
	assert_non_null(pipe);
	symbols = load("no-pie");
	start = offset_by_nm("no-pie", "main");
	end = start;
	while (fgets(line, sizeof(line), pipe)) {
		if (*line != ' ' || sscanf(line, "%llx:", &at) != 1)
			continue;
		/* A non-PIE program is linked at 0x400000. */
		at -= 0x400000;
		for (; end < at; end++)
			assert_false(symbols_check_offset(symbols, end, error));
		assert_true(symbols_check_offset(symbols, at, error));
		end = at + 1;
		compared++;
	}
	pclose(pipe);
	symbols_close(symbols);
	assert_true(compared > 20);
}

static void test_build_id(void **state)
{
	struct symbols *symbols = load("pie");
	char path[4096], content[20];
	__u64 offset = 0;
	const __u8 *id;
	int fd;

	(void)state;
	assert_int_equal(symbols_build_id(symbols, &id, &offset), 20);
	fd = open_sample("pie", path, sizeof(path));
	assert_int_equal(pread(fd, content, 20, offset), 20);
	assert_memory_equal(content, id, 20);
	/* And not a copy of it that is no note. */
	assert_int_equal(pread(fd, content, 16, offset - 16), 16);
	assert_memory_equal(content, "\4\0\0\0\24\0\0\0\3\0\0\0GNU", 16);
	close(fd);
	symbols_close(symbols);
	symbols = load("no-pie");
	assert_int_equal(symbols_build_id(symbols, &id, &offset), 0);
	symbols_close(symbols);
}

static void refuse(const char *name, const char *explanation)
{
	char path[4096];
	int fd = open_sample(name, path, sizeof(path));

	if (symbols_open(fd, path, error))
		fail_msg("%s was taken", name);
	assert_contains(error, explanation);
	close(fd);
}

static void write_sample(const char *name, const void *data, size_t size)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", getenv("SAMPLES"), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void test_other_files(void **state)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_AARCH64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
	};

	(void)state;
	refuse("32-bit", "not a 64-bit program");
	refuse("object.o", "an object file or a core");
	write_sample("arm64", &header, sizeof(header));
	refuse("arm64", "for another machine");
	write_sample("empty", "", 0);
	refuse("empty", "no ELF file");
	write_sample("text", "hello", 5);
	refuse("text", "no ELF file");
	write_sample("short", &header, 40);
	refuse("short", "is cut off");
	write_sample("script", "#! /usr/bin/perl -w\nexit;\n", 26);
	refuse("script", "is a script; name its interpreter, /usr/bin/perl");
}

/* The last version's definition says that the first follows it. */
static void test_endless_versions(void **state)
{
	static unsigned char bytes[1 << 16];
	Elf64_Verdef *definition = NULL;
	Elf64_Ehdr *header = (void *)bytes;
	Elf64_Shdr *section;
	char path[4096];
	size_t at = 0;
	ssize_t size;
	int fd, i;

	(void)state;
	fd = open_sample("library.so", path, sizeof(path));
	size = read(fd, bytes, sizeof(bytes));
	close(fd);
	assert_in_range(size, 4096, sizeof(bytes) - 1);
	section = (void *)(bytes + header->e_shoff);
	for (i = 0; i < header->e_shnum; i++)
		if (section[i].sh_type == SHT_GNU_verdef)
			definition = (void *)(bytes + section[i].sh_offset);
	assert_non_null(definition);
	while (definition->vd_next) {
		at += definition->vd_next;
		definition = (void *)((char *)definition + definition->vd_next);
	}
	definition->vd_next = -at;
	/* It is looked for by symbols of version 3. */
	definition->vd_ndx = 99;
	write_sample("endless", bytes, size);
	alarm(60);
	find("endless", "versioned@OLD_1");
	alarm(0);
}

/*
 * Files that are cut off or have wrong bytes are refused or read; nothing
 * crashes.
 */
static void test_damaged(void **state)
{
	static unsigned char whole[1 << 20], damaged[1 << 20];
	unsigned int seed = 1;
	struct symbols *symbols;
	char path[4096];
	ssize_t size;
	__u64 offset;
	int fd, i, k;

	(void)state;
	fd = open_sample("pie", path, sizeof(path));
	size = read(fd, whole, sizeof(whole));
	close(fd);
	assert_true(size > 4096);
	for (i = 0; i < 300; i++) {
		ssize_t kept = i % 2 ? size : rand_r(&seed) % size;

		memcpy(damaged, whole, size);
		for (k = 0; k < 20 && i % 2; k++)
			damaged[rand_r(&seed) % (i % 4 == 1 ? 1024 : size)] =
				rand_r(&seed);
		write_sample("damaged", damaged, kept);
		fd = open_sample("damaged", path, sizeof(path));
		symbols = symbols_open(fd, path, error);
		close(fd);
		if (!symbols)
			continue;
		symbols_find(symbols, "only_here", &offset, error);
		symbols_find(symbols, "twice", &offset, error);
		symbols_find(symbols, "no_such_function", &offset, error);
		for (offset = 0x1000; offset < 0x1400; offset += 7)
			symbols_check_offset(symbols, offset, error);
		symbols_close(symbols);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_dynsym),
		cmocka_unit_test(test_partly_stripped),
		cmocka_unit_test(test_separate),
		cmocka_unit_test(test_wrong_separate),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_endless_versions),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_imported),
		cmocka_unit_test(test_indirect),
		cmocka_unit_test(test_cxx),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_exits),
		cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_without_size),
		cmocka_unit_test(test_not_code),
		cmocka_unit_test(test_against_objdump),
		cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
