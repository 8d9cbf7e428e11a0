// SPDX-License-Identifier: GPL-2.0
/* Landings, and the libraries in which they are. */
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "test.h"

#include "exits.h"
#include "landings.h"
#include "libraries.h"
#include "symbols.h"
#include <reassure.h>

static char error[ERROR_SIZE];

static struct symbols *load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct symbols *symbols;

	if (fd < 0)
		fail_msg("cannot open %s", path);
	symbols = symbols_open(fd, path, error);
	close(fd);
	if (!symbols)
		fail_msg("%s", error);
	return symbols;
}

static char *sample(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", getenv("SAMPLES"), name);
	return path;
}

/* In the order of the file. */
static void test_sample(void **state)
{
	static const char *const names[] = {
		"by_register", "called_back", "by_return", "by_return_2",
		"by_return_3", "by_eh_return", "by_eh_return_2",
	};
	__u64 found[REASSURE_LANDINGS_MAX];
	struct symbols *symbols = load(sample("landings.so"));
	size_t i, count = sizeof(names) / sizeof(*names);

	(void)state;
	assert_int_equal(symbols_landings(symbols, found,
					  REASSURE_LANDINGS_MAX), count);
	for (i = 0; i < count; i++)
		assert_int_equal(found[i], offset_by_nm("landings.so", names[i]));
	/* No more than there is room for. */
	assert_int_equal(symbols_landings(symbols, found, 2), 2);
	symbols_close(symbols);
	symbols = load(sample("exits.so"));
	assert_int_equal(symbols_landings(symbols, found,
					  REASSURE_LANDINGS_MAX), 0);
	symbols_close(symbols);
}

static bool has_bytes(const __u8 *code)
{
	return code[0] == 0xc3 || (code[0] == 0xff && code[1] >= 0xe0 &&
				   code[1] <= 0xe7);
}

/* Each is what it should be, in the library that is installed here. */
static size_t check_library(const char *name)
{
	__u64 found[REASSURE_LANDINGS_MAX];
	struct symbols *symbols = load("/proc/self/exe");
	struct library_path paths[4];
	size_t count, i;
	__u8 code[2];
	int fd;

	assert_true(find_library(symbols, "/proc/self/exe", name, paths, 4));
	symbols_close(symbols);
	fd = open(paths[0].text, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	symbols = load(paths[0].text);
	count = symbols_landings(symbols, found, REASSURE_LANDINGS_MAX);
	for (i = 0; i < count; i++) {
		assert_int_equal(pread(fd, code, sizeof(code), found[i]),
				 sizeof(code));
		assert_true(has_bytes(code));
		assert_true(symbols_check_offset(symbols, found[i], error));
	}
	symbols_close(symbols);
	close(fd);
	return count;
}

static void test_installed(void **state)
{
	(void)state;
	/* longjmp() alone, and as checked; setcontext() and swapcontext(). */
	assert_true(check_library("libc.so.6") >= 4);
	/* Raising, going on, raising again, forced. */
	assert_true(check_library("libgcc_s.so.1") >= 4);
}

static void test_run_path(void **state)
{
	struct symbols *symbols = load(sample("run-path"));
	char wanted[PATH_MAX], *whole;
	struct library_path paths[4];

	(void)state;
	whole = realpath(getenv("SAMPLES"), NULL);
	snprintf(wanted, sizeof(wanted), "%s/folder/libc.so.6", whole);
	free(whole);
	assert_int_equal(find_library(symbols, sample("run-path"), "libc.so.6",
				      paths, 4), 1);
	assert_string_equal(paths[0].text, wanted);
	/* What is not there is looked for elsewhere. */
	assert_true(find_library(symbols, sample("run-path"), "libgcc_s.so.1",
				 paths, 4));
	assert_null(strstr(paths[0].text, "folder"));
	assert_int_equal(find_library(symbols, sample("run-path"),
				      "libnowhere.so", paths, 4), 0);
	symbols_close(symbols);
}

struct cache {
	char older[16];
	char magic[20];
	__u32 header[7];
	struct {
		__s32 flags;
		__u32 name, path, unused[3];
	} entries[4];
	char strings[64];
};

#define AT(field) (offsetof(struct cache, field) - offsetof(struct cache, magic))

static void test_cache(void **state)
{
	struct cache cache = {
		.magic = { "glibc-ld.so.cache1.1" },
		.header = { 4 },
		.entries = {
			{ 0x0303, AT(strings), AT(strings) + 8, {} },
			/* Of 32 bits, and of another library. */
			{ 0x0003, AT(strings), AT(strings) + 16, {} },
			{ 0x0303, AT(strings) + 1, AT(strings) + 16, {} },
			{ 0x0303, AT(strings), AT(strings) + 24, {} },
		},
		.strings = "libc\0\0\0\0/first\0\0/none\0\0\0/second",
	};
	struct library_path paths[4];
	size_t size;

	(void)state;
	assert_int_equal(find_in_cache((char *)&cache, sizeof(cache), "libc",
				       paths, 4), 2);
	assert_string_equal(paths[0].text, "/first");
	assert_string_equal(paths[1].text, "/second");
	assert_int_equal(find_in_cache((char *)&cache, sizeof(cache), "libc",
				       paths, 1), 1);
	/* One that is cut off anywhere, or lies, is read as far as it goes. */
	for (size = 0; size < sizeof(cache); size++) {
		char *copy = malloc(size);

		memcpy(copy, &cache, size);
		assert_true(find_in_cache(copy, size, "libc", paths, 4) <= 2);
		free(copy);
	}
	cache.header[0] = ~0u;
	cache.entries[0].name = ~0u;
	cache.entries[3].path = sizeof(cache);
	assert_int_equal(find_in_cache((char *)&cache, sizeof(cache), "libc",
				       paths, 4), 0);
}

static void test_executable(void **state)
{
	static const struct {
		const char *name;
		bool executable;
		bool dynamic;
	} samples[] = {
		{ "pie", true, true },
		{ "no-pie", true, true },
		{ "library.so", false, true },
		{ "static", true, false },
	};
	struct symbols *symbols;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		symbols = load(sample(samples[i].name));
		assert_int_equal(symbols_is_executable(symbols),
				 samples[i].executable);
		assert_int_equal(symbols_is_dynamic(symbols),
				 samples[i].dynamic);
		symbols_close(symbols);
	}
}

/* Conditional jumps to the next instruction, each of which is looked through. */
struct jumps {
	__u8 code[8000];
	size_t looks;
};

static bool find_jump(void *data, __u64 address, struct code_part *part)
{
	struct jumps *jumps = data;

	jumps->looks++;
	if (address >= sizeof(jumps->code))
		return false;
	part->address = address;
	part->code = jumps->code + address;
	part->size = sizeof(jumps->code) - address;
	return true;
}

/* A file made to take long is not looked through to the end. */
static void test_endless(void **state)
{
	static struct jumps jumps;
	struct landings_search *search;
	__u64 landings[1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(jumps.code); i += 2)
		jumps.code[i] = 0x74;
	search = landings_search_new(find_jump, &jumps, landings, 1);
	assert_non_null(search);
	landings_search_in(search, 0);
	assert_int_equal(landings_search_end(search), 0);
	assert_in_range(jumps.looks, 200, 1000);
}

/* Has what it needs itself. */
static void test_static(void **state)
{
	__u64 found[REASSURE_LANDINGS_MAX];
	struct symbols *symbols = load(sample("static"));

	(void)state;
	assert_true(symbols_landings(symbols, found,
				     REASSURE_LANDINGS_MAX) >= 2);
	symbols_close(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_installed),
		cmocka_unit_test(test_run_path),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_executable),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_static),
	};

	return cmocka_run_group_tests_name("landings", tests, NULL, NULL);
}
