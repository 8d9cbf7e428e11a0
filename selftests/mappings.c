// SPDX-License-Identifier: GPL-2.0
/*
 * What a call does to the address space itself: what it has added is taken
 * away again; what it has removed, moved, replaced, discarded or re-protected
 * is put back; where that cannot be done, the fault is fatal as ever.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define AREA_PAGES	8
#define AREA_SIZE	(AREA_PAGES * PAGE_SIZE)
#define HUGE_SIZE	(2UL << 20)

/* Made before the call, with content, and with gaps on both sides. */
static unsigned char *area, *file_area, *elsewhere;

static long __noipa victim(void (*inside)(void))
{
	inside();
	touch_read(BAD_ADDRESS);
	return 1;
}

static void *area_with_gaps(int flags, int fd)
{
	char *start = mmap(NULL, 3 * AREA_SIZE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(start != MAP_FAILED && !munmap(start, 3 * AREA_SIZE));
	start = mmap(start + AREA_SIZE, AREA_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_FIXED | flags, fd, 0);
	CHECK(start != MAP_FAILED);
	memset(start, 0x42, AREA_SIZE);
	return start;
}

static void make_areas(void)
{
	int fd = memfd_create("mappings", MFD_CLOEXEC);

	CHECK(fd >= 0 && !ftruncate(fd, AREA_SIZE));
	area = area_with_gaps(MAP_ANONYMOUS, -1);
	file_area = area_with_gaps(0, fd);
	elsewhere = area_with_gaps(MAP_ANONYMOUS, -1);
	CHECK(!munmap(elsewhere, AREA_SIZE));
	close(fd);
}

static bool area_is_whole(void)
{
	size_t i;

	for (i = 0; i < AREA_SIZE; i++)
		if (area[i] != 0x42 || file_area[i] != 0x42)
			return false;
	return true;
}

static void write_areas(void)
{
	memset(area, 1, AREA_SIZE);
	memset(file_area, 1, AREA_SIZE);
	barrier();
}

#define MAPS_SIZE	65536

/* All mappings but the stack, which grows by itself. */
static void list_mappings(char *text)
{
	char *stack, *end;

	CHECK(!read_text("/proc/self/maps", text, MAPS_SIZE));
	end = strstr(text, "[stack]\n");
	CHECK(end);
	end += strlen("[stack]\n");
	for (stack = end - 2; stack > text && stack[-1] != '\n'; stack--)
		;
	memmove(stack, end, strlen(end) + 1);
}

/* How much is mapped. */
static long mapped_pages(void)
{
	char text[64];

	CHECK(!read_text("/proc/self/statm", text, sizeof(text)));
	return strtol(text, NULL, 10);
}

static unsigned char *shared_area;

/* Like victim(), but returns. */
static long __noipa quiet_victim(void (*inside)(void))
{
	inside();
	return 1;
}

/* How many pages of the process's private memory begin with a value. */
static int count_mappings_like(unsigned char value)
{
	unsigned long start, end;
	char line[512], access[8];
	int count = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	CHECK(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, access) == 3 &&
		    !strcmp(access, "rw-p") && end - start == AREA_SIZE &&
		    *(unsigned char *)start == value)
			count++;
	}
	fclose(maps);
	/* The area of the file is still there. */
	return count - 1;
}

/* What is put back. */
static void unmap(void)
{
	CHECK(!munmap(area, AREA_SIZE));
}

static void unmap_part(void)
{
	write_areas();
	CHECK(!munmap(area + PAGE_SIZE, PAGE_SIZE));
}

static void unmap_file(void)
{
	CHECK(!munmap(file_area, AREA_SIZE));
}

static void unmap_and_map_again(void)
{
	CHECK(!munmap(area, AREA_SIZE));
	CHECK(mmap(area, AREA_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == area);
	memset(area, 2, AREA_SIZE);
}

static void replace(void)
{
	CHECK(mmap(area, AREA_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == area);
}

static void replace_part_of_file(void)
{
	CHECK(mmap(file_area + PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      file_area + PAGE_SIZE);
}

static void move(void)
{
	CHECK(mremap(area, AREA_SIZE, AREA_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     elsewhere) == elsewhere);
	memset(elsewhere, 3, AREA_SIZE);
}

static void move_away_and_back(void)
{
	move();
	CHECK(mremap(elsewhere, AREA_SIZE, AREA_SIZE,
		     MREMAP_MAYMOVE | MREMAP_FIXED, area) == area);
}

static void move_and_leave_empty(void)
{
	CHECK(mremap(area, AREA_SIZE, AREA_SIZE,
		     MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		     elsewhere) == elsewhere);
	memset(elsewhere, 3, AREA_SIZE);
}

static void shrink(void)
{
	CHECK(mremap(area, AREA_SIZE, PAGE_SIZE, 0) == area);
}

static void protect(void)
{
	CHECK(!mprotect(area, AREA_SIZE, PROT_READ));
}

static void protect_part(void)
{
	CHECK(!mprotect(area + PAGE_SIZE, PAGE_SIZE, PROT_NONE));
}

static void protect_away_and_back(void)
{
	CHECK(!mprotect(area, AREA_SIZE, PROT_READ));
	CHECK(!mprotect(area, AREA_SIZE, PROT_READ | PROT_WRITE));
	write_areas();
}

static void protect_away_and_back_after_writing(void)
{
	write_areas();
	CHECK(!mprotect(area, AREA_SIZE, PROT_NONE));
	CHECK(!mprotect(area, AREA_SIZE, PROT_READ | PROT_WRITE));
}

static void discard(void)
{
	CHECK(!madvise(area, AREA_SIZE, MADV_DONTNEED));
}

static void discard_and_write(void)
{
	write_areas();
	CHECK(!madvise(area, AREA_SIZE, MADV_DONTNEED));
	write_areas();
}

static void discard_file(void)
{
	CHECK(!madvise(file_area, AREA_SIZE, MADV_DONTNEED));
}

static void free_lazily(void)
{
	CHECK(!madvise(area, AREA_SIZE, MADV_FREE));
	madvise(area, AREA_SIZE, MADV_PAGEOUT);
}

static void shrink_heap(void)
{
	CHECK(sbrk(-(long)(2 * PAGE_SIZE)) != (void *)-1);
	CHECK(sbrk(2 * PAGE_SIZE) != (void *)-1);
}

static void shrink_heap_and_leave_it(void)
{
	CHECK(sbrk(-(long)(3 * PAGE_SIZE + 100)) != (void *)-1);
}

/* What is not. */
static void lock(void)
{
	CHECK(!mlock(area, AREA_SIZE));
}

static void advise(void)
{
	CHECK(!madvise(area, AREA_SIZE, MADV_DONTFORK));
}

#ifndef SYS_mseal
#define SYS_mseal	462
#endif

static void seal(void)
{
	if (syscall(SYS_mseal, area, AREA_SIZE, 0))
		_exit(4);
}

/* Refused, before anything is put back. */
static void protect_and_advise(void)
{
	protect();
	advise();
}

static void unmap_and_advise(void)
{
	CHECK(!munmap(file_area, AREA_SIZE));
	advise();
}

static void unmap_shared(void)
{
	CHECK(!munmap(shared_area, AREA_SIZE));
}

/* Memory of the kernel, which is mapped only as a whole. */
static void unmap_special(void)
{
	char *text = shared_memory(MAPS_SIZE), *line;
	unsigned long start, end;

	list_mappings(text);
	line = strstr(text, "[vvar]");
	CHECK(line);
	while (line > text && line[-1] != '\n')
		line--;
	CHECK(sscanf(line, "%lx-%lx", &start, &end) == 2);
	CHECK(!munmap((void *)start, end - start));
}

/* Memory that cannot be set aside.  Made before the call, if there is any. */
static void *special_area;
static size_t special_size;

static void unmap_special_area(void)
{
	CHECK(!munmap(special_area, special_size));
}

static void mergeable_before(void)
{
	special_area = private_memory(AREA_SIZE);
	special_size = AREA_SIZE;
	if (madvise(special_area, AREA_SIZE, MADV_MERGEABLE))
		_exit(4);
	memset(special_area, 1, AREA_SIZE);
}

static void hugetlb_before(void)
{
	CHECK(!write_text("/proc/sys/vm/nr_hugepages", "2"));
	special_size = HUGE_SIZE;
	special_area = mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED |
			    MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	CHECK(!write_text("/proc/sys/vm/nr_hugepages", "0"));
	if (special_area == MAP_FAILED)
		_exit(4);
}

/* The BIOS, which everybody may look at who may look at memory at all. */
static void map_device(int protection)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		_exit(4);
	special_size = PAGE_SIZE;
	special_area = mmap(NULL, PAGE_SIZE, protection, MAP_PRIVATE, fd,
			    0xf0000);
	CHECK(special_area != MAP_FAILED);
	close(fd);
}

static void device_before(void)
{
	map_device(PROT_READ);
}

static void __noipa grow_stack(void)
{
	char local[1500000];

	memset(local, 1, sizeof(local));
	asm volatile("" : : "r" (local) : "memory");
}

static void stack_before(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	grow_stack();
	special_size = PAGE_SIZE;
	special_area = (void *)((here - 1000000) & ~(PAGE_SIZE - 1));
}

/* Of one page, which leaves a hole that is not as large as what comes over it. */
#define HOLE		((char *)0x340000000000)

static void hole_before(void)
{
	char *start = HOLE + 5 * PAGE_SIZE;

	CHECK(mmap(start, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == start);
	memset(start, 0x42, PAGE_SIZE);
}

static void map_over_hole(int flags)
{
	CHECK(!munmap(HOLE + 5 * PAGE_SIZE, PAGE_SIZE));
	CHECK(mmap(HOLE, HUGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | flags, -1, 0) == HOLE);
}

/* What cannot be unmapped in part. */
static void cover_with_hugetlb(void)
{
	map_over_hole(MAP_HUGETLB | MAP_NORESERVE);
}

/* What cannot be unmapped at all. */
static void cover_with_sealed(void)
{
	map_over_hole(0);
	if (syscall(SYS_mseal, HOLE, HUGE_SIZE, 0))
		_exit(4);
}

/* When there is no room for another, none can be moved back. */
static void map_all_that_it_may(void)
{
	char *start = mmap(NULL, 1000 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE |
			   MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int i;

	CHECK(!munmap(area, PAGE_SIZE) && start != MAP_FAILED);
	for (i = 1; i < 1000; i += 2)
		if (mprotect(start + i * PAGE_SIZE, PAGE_SIZE, PROT_READ))
			break;
	CHECK(i < 1000);
}

static void map_and_seal(void)
{
	if (syscall(SYS_mseal, private_memory(AREA_SIZE), AREA_SIZE, 0))
		_exit(4);
}

static void unmap_map_and_seal(void)
{
	unmap();
	map_and_seal();
}

static void move_and_grow(void)
{
	/* Into a place that has been used before. */
	memset(mmap(elsewhere, AREA_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	       5, AREA_SIZE);
	CHECK(mremap(area, AREA_SIZE, 2 * AREA_SIZE,
		     MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == elsewhere);
	memset(elsewhere, 6, 2 * AREA_SIZE);
}

/* Where nothing was, then something new, and then what was elsewhere. */
static void move_into_new_area(void)
{
	char *new = (char *)0x300000000000;

	CHECK(mmap(new, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == new);
	memset(new, 1, AREA_SIZE);
	CHECK(!munmap(new, AREA_SIZE));
	CHECK(mremap(area, AREA_SIZE, AREA_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     new) == new);
	memset(new, 2, AREA_SIZE / 2);
}

/* As realloc() and free() do with large blocks. */
static void move_what_it_made(void)
{
	char *new = private_memory(AREA_SIZE);

	memset(new, 1, AREA_SIZE);
	new = mremap(new, AREA_SIZE, 4 * AREA_SIZE, MREMAP_MAYMOVE);
	CHECK(new != MAP_FAILED);
	/* Not where it could grow. */
	CHECK(mremap(new, 4 * AREA_SIZE, 4 * AREA_SIZE, MREMAP_MAYMOVE |
		     MREMAP_FIXED, (char *)0x310000000000) != MAP_FAILED);
	CHECK(!munmap((char *)0x310000000000, 4 * AREA_SIZE));
}

static void move_and_grow_twice_and_shrink(void)
{
	char *new = (char *)0x320000000000;

	move_and_grow();
	CHECK(mremap(elsewhere, 2 * AREA_SIZE, 4 * AREA_SIZE, MREMAP_MAYMOVE |
		     MREMAP_FIXED, new) == new);
	memset(new, 3, 4 * AREA_SIZE);
	CHECK(mremap(new, 4 * AREA_SIZE, PAGE_SIZE, 0) == new);
}

static void move_and_replace(void)
{
	move();
	CHECK(mmap(area, AREA_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == area);
	memset(area, 7, AREA_SIZE);
	CHECK(!munmap(elsewhere + PAGE_SIZE, PAGE_SIZE));
	CHECK(!mprotect(elsewhere + 3 * PAGE_SIZE, PAGE_SIZE, PROT_NONE));
	CHECK(!madvise(area, PAGE_SIZE, MADV_DONTNEED));
}

static void move_over_the_other(void)
{
	CHECK(mremap(area, AREA_SIZE, AREA_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     file_area) == file_area);
	memset(file_area, 8, AREA_SIZE);
}

static void swap_areas(void)
{
	move();
	CHECK(mremap(file_area, AREA_SIZE, AREA_SIZE,
		     MREMAP_MAYMOVE | MREMAP_FIXED, area) == area);
	CHECK(mremap(elsewhere, AREA_SIZE, AREA_SIZE,
		     MREMAP_MAYMOVE | MREMAP_FIXED, file_area) == file_area);
	write_areas();
}

static void replace_again_and_again(void)
{
	int i;

	for (i = 0; i < 200; i++) {
		replace();
		memset(area, i, AREA_SIZE);
	}
}

static void discard_again_and_again(void)
{
	int i;

	for (i = 0; i < 200; i++)
		discard_and_write();
}

static void replace_populated(void)
{
	CHECK(mmap(area, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0) == area);
}

static void fail_to_replace(void)
{
	/* A descriptor that is not open: nothing is replaced. */
	CHECK(mmap(area, AREA_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, 1000,
		   0) == MAP_FAILED);
	CHECK(area_is_whole());
	write_areas();
}

static void discard_with_a_gap(void)
{
	CHECK(madvise(area, AREA_SIZE + PAGE_SIZE, MADV_DONTNEED));
	CHECK(!area[0] && !area[AREA_SIZE - 1]);
}

/* The child must not keep what was set aside. */
static void unmap_and_fork(void)
{
	int status;
	pid_t child;

	unmap();
	child = fork();
	if (!child)
		_exit(count_mappings_like(0x42));
	CHECK(waitpid(child, &status, 0) == child && !status);
}

FIXTURE(changed)
{
};

FIXTURE_VARIANT(changed)
{
	void (*inside)(void);
	long growth;
};

#define CHANGED(function) \
	FIXTURE_VARIANT_ADD(changed, function) { .inside = function }
#define GROWN(function) \
	FIXTURE_VARIANT_ADD(changed, function) { function, AREA_PAGES }

CHANGED(unmap);
CHANGED(unmap_part);
CHANGED(unmap_file);
CHANGED(unmap_and_map_again);
CHANGED(unmap_and_fork);
CHANGED(replace);
CHANGED(replace_part_of_file);
CHANGED(replace_again_and_again);
CHANGED(replace_populated);
CHANGED(fail_to_replace);
CHANGED(move);
CHANGED(move_away_and_back);
GROWN(move_and_leave_empty);
GROWN(move_and_grow);
CHANGED(move_into_new_area);
CHANGED(move_what_it_made);
CHANGED(move_and_grow_twice_and_shrink);
GROWN(move_and_replace);
CHANGED(move_over_the_other);
CHANGED(swap_areas);
CHANGED(shrink);
CHANGED(protect);
CHANGED(protect_part);
CHANGED(protect_away_and_back);
CHANGED(protect_away_and_back_after_writing);
CHANGED(discard);
CHANGED(discard_and_write);
CHANGED(discard_again_and_again);
CHANGED(discard_with_a_gap);
CHANGED(discard_file);
CHANGED(free_lazily);
CHANGED(shrink_heap);
CHANGED(shrink_heap_and_leave_it);

FIXTURE_SETUP(changed)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
}

FIXTURE_TEARDOWN(changed)
{
	test_end(_metadata->passed);
}

/* What to do, and by how much more is mapped then. */
struct change {
	void (*inside)(void);
	long growth;
};

static const struct rescue_point quiet = {
	.function = quiet_victim,
	.name = "quiet",
};

/* Again and again, then without a fault, then with one. */
static int changing_program(void *arg)
{
	const struct change *change = arg;
	void (*inside)(void) = change->inside;
	char *before = shared_memory(MAPS_SIZE);
	char *after = shared_memory(MAPS_SIZE);
	char *heap, *top;
	long pages;
	int i;

	heap = sbrk(4 * PAGE_SIZE);
	CHECK(heap != (void *)-1);
	memset(heap, 0x17, 4 * PAGE_SIZE);
	top = sbrk(0);
	make_areas();
	CHECK(victim(write_areas) == RESCUED);
	CHECK(area_is_whole());
	list_mappings(before);
	for (i = 0; i < 4; i++) {
		CHECK(victim(inside) == RESCUED);
		list_mappings(after);
		if (strcmp(before, after))
			printf("before:\n%safter:\n%s", before, after);
		CHECK(!strcmp(before, after));
		CHECK(area_is_whole());
		CHECK(sbrk(0) == top && heap[4 * PAGE_SIZE - 1] == 0x17);
		/* They are ordinary memory. */
		write_areas();
		CHECK(area[5] == 1 && file_area[AREA_SIZE - 1] == 1);
		memset(area, 0x42, AREA_SIZE);
		memset(file_area, 0x42, AREA_SIZE);
	}
	/* When it returns, what was set aside is gone. */
	pages = mapped_pages();
	CHECK(quiet_victim(inside) == 1);
	CHECK(mapped_pages() <= pages + change->growth);
	return 0;
}

TEST_F(changed, mapping_is_put_back)
{
	struct change change = { variant->inside, variant->growth };

	ASSERT_EQ(0, rescue_point_add(&quiet));
	EXPECT_EQ(0, child_run(changing_program, &change));
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* The limit of what is set aside is of one time, and what is held given back. */
static int limited_program(void *arg)
{
	int i;

	make_areas();
	for (i = 0; i < 100; i++) {
		CHECK(victim(unmap) == RESCUED);
		CHECK(area_is_whole());
		CHECK(victim(discard) == RESCUED);
	}
	return 0;
}

#define LOG_PAGES_TOTAL	"/sys/module/reassure/parameters/log_pages_total"

TEST(set_aside_again_and_again)
{
	char old[32];

	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, read_text(LOG_PAGES_TOTAL, old, sizeof(old)));
	ASSERT_EQ(0, write_text(LOG_PAGES_TOTAL, "400"));
	EXPECT_EQ(0, child_run(limited_program, NULL));
	EXPECT_EQ(0, write_text(LOG_PAGES_TOTAL, old));
	EXPECT_EQ(0, all_refused_since_mark());
	test_end(_metadata->passed);
}

/* What is set aside counts for the program's limits, but it must not see it. */
static void unmap_and_map_more(void)
{
	unmap();
	private_memory(2 * AREA_SIZE);
}

static int narrow_program(void *arg)
{
	struct rlimit limit;

	make_areas();
	CHECK(quiet_victim(write_areas) == 1);
	limit.rlim_cur = (mapped_pages() + AREA_PAGES + 2) * PAGE_SIZE;
	limit.rlim_max = limit.rlim_cur;
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	CHECK(quiet_victim(unmap_and_map_more) == 1);
	CHECK(mapped_pages() <= (long)(limit.rlim_cur / PAGE_SIZE));
	return 0;
}

TEST(set_aside_within_a_limit)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_add(&quiet));
	EXPECT_EQ(0, child_run(narrow_program, NULL));
	test_end(_metadata->passed);
}

/* At no moment of a rollback is there more writable memory than at the entry. */
static void protect_and_map(void)
{
	protect();
	CHECK(mmap(area + AREA_SIZE, AREA_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	      area + AREA_SIZE);
}

/* The lower half is writable; in the call it is the other. */
static unsigned char *halves;

static void protect_other_half(void)
{
	CHECK(!mprotect(halves, AREA_SIZE, PROT_READ));
	CHECK(!mprotect(halves + AREA_SIZE, AREA_SIZE, PROT_READ | PROT_WRITE));
}

static int writable_program(void *arg)
{
	void (*inside)(void) = arg;
	struct rlimit limit;

	make_areas();
	halves = private_memory(2 * AREA_SIZE);
	CHECK(!mprotect(halves + AREA_SIZE, AREA_SIZE, PROT_READ));
	CHECK(victim(write_areas) == RESCUED);
	limit.rlim_cur = number_in("/proc/self/status", "VmData:") * 1024;
	limit.rlim_max = limit.rlim_cur;
	CHECK(!setrlimit(RLIMIT_DATA, &limit));
	CHECK(victim(inside) == RESCUED);
	CHECK(area_is_whole());
	memset(halves, 1, AREA_SIZE);
	return 0;
}

TEST(protected_within_a_limit)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(writable_program, protect_and_map));
	EXPECT_EQ(0, child_run(writable_program, protect_other_half));
	EXPECT_EQ(0, all_refused_since_mark());
	test_end(_metadata->passed);
}

/* What was not executable does not become so. */
static int executing_program(void *arg)
{
	make_areas();
	CHECK(victim(write_areas) == RESCUED);
	CHECK(personality(READ_IMPLIES_EXEC) != -1);
	CHECK(victim(protect_part) == RESCUED);
	CHECK(area_is_whole());
	CHECK(personality(0xffffffff) & READ_IMPLIES_EXEC);
	return 0;
}

TEST(protected_where_reading_implies_executing)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(executing_program, NULL));
	EXPECT_EQ(0, all_refused_since_mark());
	test_end(_metadata->passed);
}

/* What no sum and no notifier tells of. */
static void protect_untouched(void *untouched)
{
	CHECK(!mprotect(untouched, AREA_SIZE, PROT_READ));
}

static void protect_untouched_with_key(void *untouched)
{
	/* With no key in particular; small kernels know of none. */
	if (syscall(SYS_pkey_mprotect, untouched, AREA_SIZE, PROT_READ, -1))
		protect_untouched(untouched);
}

static void advise_untouched(void *untouched)
{
	protect_untouched(untouched);
	CHECK(victim(write_areas) == RESCUED);
	CHECK(!madvise(untouched, AREA_SIZE, MADV_DONTFORK));
	/* Which is compared even when the call itself changes nothing. */
	CHECK(victim(write_areas) == RESCUED);
}

static int protecting_program(void *arg)
{
	unsigned char *untouched = (unsigned char *)0x330000000000;
	void (*const change)(void *untouched) = arg;

	make_areas();
	CHECK(mmap(untouched, AREA_SIZE, PROT_NONE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == untouched);
	/* Twice, since the first adds the page of the return probes. */
	CHECK(victim(write_areas) == RESCUED);
	CHECK(victim(write_areas) == RESCUED);
	change(untouched);
	CHECK(victim(protect) == RESCUED);
	CHECK(area_is_whole());
	touch_read(untouched);
	return 0;
}

TEST(protected_between_calls)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(protecting_program, protect_untouched));
	EXPECT_EQ(0, child_run(protecting_program, protect_untouched_with_key));
	EXPECT_EQ(0, child_run(protecting_program, advise_untouched));
	test_end(_metadata->passed);
}

/* The rescue point goes while a call has set something aside. */
static uint32_t *inside_now, *go_on;

static void unmap_and_wait(void)
{
	unmap();
	meet_signal(inside_now);
	meet_await(go_on);
}

static int left_program(void *arg)
{
	long pages;
	int i;

	make_areas();
	/* The page of the return probes appears. */
	CHECK(quiet_victim(write_areas) == 1);
	pages = mapped_pages() - AREA_PAGES;
	CHECK(quiet_victim(unmap_and_wait) == 1);
	/* Somebody else unmaps it, soon. */
	for (i = 0; i < 1000 && mapped_pages() > pages; i++)
		usleep(10000);
	CHECK(mapped_pages() == pages);
	return 0;
}

TEST(set_aside_when_the_rescue_point_goes)
{
	pid_t child;

	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_add(&quiet));
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 1;
	child = child_start(left_program, NULL);
	meet_await(inside_now);
	EXPECT_EQ(0, rescue_point_delete("quiet"));
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(child));
	test_end(_metadata->passed);
}

FIXTURE(lost)
{
};

/* What a program does before the call, and in it. */
struct loss {
	void (*before)(void);
	void (*inside)(void);
};

FIXTURE_VARIANT(lost)
{
	struct loss loss;
};

#define LOST(function) \
	FIXTURE_VARIANT_ADD(lost, function) { { NULL, function } }
#define LOST_COVERED(what) \
	FIXTURE_VARIANT_ADD(lost, cover_with_##what) { \
		{ hole_before, cover_with_##what } }
#define LOST_SPECIAL(what) \
	FIXTURE_VARIANT_ADD(lost, unmap_##what) { \
		{ what##_before, unmap_special_area } }

LOST(lock);
LOST(advise);
LOST(protect_and_advise);
LOST(unmap_and_advise);
LOST(unmap_shared);
LOST(unmap_special);
LOST(seal);
LOST(map_and_seal);
LOST(unmap_map_and_seal);
LOST_COVERED(hugetlb);
LOST_COVERED(sealed);
LOST_SPECIAL(mergeable);
LOST_SPECIAL(hugetlb);
LOST_SPECIAL(device);
LOST_SPECIAL(stack);

FIXTURE_SETUP(lost)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
}

FIXTURE_TEARDOWN(lost)
{
	test_end(_metadata->passed);
}

/* The program goes on with its own handler, or it does not. */
#define HANDLED		100

static void on_fault(int sig)
{
	_exit(HANDLED);
}

static int losing_program(void *arg)
{
	const struct loss *loss = arg;

	CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
	if (loss->before)
		loss->before();
	make_areas();
	shared_area = shared_memory(AREA_SIZE);
	/* A first call that does nothing must not make it look harmless. */
	CHECK(victim(write_areas) == RESCUED);
	CHECK(area_is_whole());
	victim(loss->inside);
	return 1;
}

TEST_F(lost, mapping_is_not_rescued)
{
	struct loss loss = variant->loss;
	int ended = child_run(losing_program, &loss);

	if (ended == 4)
		SKIP(return, "there is no such memory here");
	/* Where a rollback fails half-way it is not handled. */
	EXPECT_EQ(HANDLED, ended);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_MAPPING));
	EXPECT_EQ(1, all_refused_since_mark());
}

#define MAX_MAP_COUNT	"/proc/sys/vm/max_map_count"

TEST(lost_among_too_many)
{
	struct loss loss = { .inside = map_all_that_it_may };
	char old[32];

	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, read_text(MAX_MAP_COUNT, old, sizeof(old)));
	ASSERT_EQ(0, write_text(MAX_MAP_COUNT, "200"));
	EXPECT_EQ(HANDLED, child_run(losing_program, &loss));
	EXPECT_EQ(0, write_text(MAX_MAP_COUNT, old));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_MAPPING));
	EXPECT_EQ(1, all_refused_since_mark());
	test_end(_metadata->passed);
}

/* What can be put back. */
static void map(void)
{
	char *start = private_memory(100 * PAGE_SIZE);

	memset(start, 4, 100 * PAGE_SIZE);
	write_areas();
}

static void map_beside(void)
{
	/* Merges with what was there, on both sides. */
	memset(mmap(area + AREA_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
	       4, PAGE_SIZE);
	memset(mmap(area - PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
	       4, PAGE_SIZE);
	write_areas();
}

static void map_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	CHECK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0) !=
	      MAP_FAILED);
	CHECK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0) !=
	      MAP_FAILED);
	close(fd);
}

static void map_shared(void)
{
	memset(shared_memory(20 * PAGE_SIZE), 1, 20 * PAGE_SIZE);
}

static void map_and_unmap(void)
{
	char *start = private_memory(10 * PAGE_SIZE);

	memset(start, 1, 10 * PAGE_SIZE);
	CHECK(!munmap(start, 4 * PAGE_SIZE));
	CHECK(!munmap(start + 6 * PAGE_SIZE, 4 * PAGE_SIZE));
	start = private_memory(3 * PAGE_SIZE);
	CHECK(!mprotect(start, PAGE_SIZE, PROT_READ));
	CHECK(mremap(start + PAGE_SIZE, 2 * PAGE_SIZE, 40 * PAGE_SIZE,
		     MREMAP_MAYMOVE) != MAP_FAILED);
	write_areas();
}

static void map_many(void)
{
	int i;

	/* Of alternating protection, so that they do not merge. */
	for (i = 0; i < 200; i++)
		CHECK(mmap(NULL, PAGE_SIZE, i % 2 ? PROT_READ : PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static void map_locked(void)
{
	mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
}

static void grow_heap(void)
{
	char *start = sbrk(30 * PAGE_SIZE + 123);

	memset(start, 1, 30 * PAGE_SIZE + 123);
	CHECK(sbrk(-1000) != (void *)-1);
	write_areas();
}

static void allocate(void)
{
	int i;

	for (i = 1; i < 100; i++)
		memset(malloc(i * 5000), 1, i * 5000);
}

static void allocate_and_free(void)
{
	void *blocks[60];
	int i;

	for (i = 0; i < 60; i++) {
		blocks[i] = malloc(3000 + i * 10000);
		memset(blocks[i], 1, 3000);
	}
	for (i = 0; i < 60; i++)
		free(blocks[i]);
}

FIXTURE(added)
{
};

FIXTURE_VARIANT(added)
{
	void (*inside)(void);
};

#define ADDED(function) \
	FIXTURE_VARIANT_ADD(added, function) { .inside = function }

ADDED(map);
ADDED(map_beside);
ADDED(map_file);
ADDED(map_shared);
ADDED(map_and_unmap);
ADDED(map_many);
ADDED(map_locked);
ADDED(grow_heap);
ADDED(allocate);
ADDED(allocate_and_free);
ADDED(grow_stack);

FIXTURE_SETUP(added)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
}

FIXTURE_TEARDOWN(added)
{
	test_end(_metadata->passed);
}

static int adding_program(void *inside)
{
	/* Outside of what is covered and compared. */
	char *before = shared_memory(MAPS_SIZE);
	char *after = shared_memory(MAPS_SIZE);
	char *top, *block;
	int i, j;

	make_areas();
	/* The page of the return probes appears, the heap is there. */
	CHECK(victim(write_areas) == RESCUED);
	free(malloc(1000));
	list_mappings(before);
	top = sbrk(0);
	for (i = 0; i < 3; i++) {
		CHECK(victim((void (*)(void))inside) == RESCUED);
		list_mappings(after);
		if (strcmp(before, after))
			printf("before:\n%safter:\n%s", before, after);
		CHECK(!strcmp(before, after));
		CHECK(sbrk(0) == top);
		CHECK(area_is_whole());
	}
	/* Memory that the heap gets now is empty, as from the kernel. */
	for (i = 0; i < 20; i++) {
		block = sbrk(PAGE_SIZE);
		CHECK(block != (void *)-1);
		for (j = 0; j < PAGE_SIZE; j++)
			CHECK(!block[j]);
	}
	for (i = 1; i < 60; i++) {
		block = malloc(i * 4000);
		CHECK(block);
		memset(block, i, i * 4000);
	}
	return 0;
}

TEST_F(added, mapping_is_removed)
{
	EXPECT_EQ(0, child_run(adding_program, variant->inside));
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

FIXTURE(special)
{
};

FIXTURE_SETUP(special)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
}

FIXTURE_TEARDOWN(special)
{
	test_end(_metadata->passed);
}

static void nothing(void)
{
}

static void register_userfaultfd(void)
{
	struct uffdio_register range = {
		.range = { (unsigned long)area, AREA_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		_exit(4);
	CHECK(!ioctl(fd, UFFDIO_API, &api));
	CHECK(!ioctl(fd, UFFDIO_REGISTER, &range));
}

/* Who unmaps such memory waits for who reads that it is gone, here nobody. */
static void add_userfaultfd(void)
{
	struct uffdio_register range = {
		.range = { (unsigned long)private_memory(AREA_SIZE), AREA_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_EVENT_UNMAP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0)
		_exit(4);
	CHECK(!ioctl(fd, UFFDIO_API, &api));
	CHECK(!ioctl(fd, UFFDIO_REGISTER, &range));
}

static void add_userfaultfd_and_unmap(void)
{
	add_userfaultfd();
	unmap();
}

static int userfaultfd_added_program(void *arg)
{
	make_areas();
	/* Ends one that waits for ever. */
	alarm(120);
	victim(arg);
	return 1;
}

static int userfaultfd_before_program(void *arg)
{
	make_areas();
	register_userfaultfd();
	victim(nothing);
	return 1;
}

static int userfaultfd_inside_program(void *arg)
{
	make_areas();
	victim(register_userfaultfd);
	return 1;
}

TEST_F(special, userfaultfd_before)
{
	int ended = child_run(userfaultfd_before_program, NULL);

	if (ended == 4)
		SKIP(return, "no userfaultfd");
	EXPECT_EQ(-SIGSEGV, ended);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_USERFAULTFD));
	EXPECT_EQ(1, all_refused_since_mark());
}

TEST_F(special, userfaultfd_inside)
{
	int ended = child_run(userfaultfd_inside_program, NULL);

	if (ended == 4)
		SKIP(return, "no userfaultfd");
	EXPECT_EQ(-SIGSEGV, ended);
	EXPECT_EQ(1, all_refused_since_mark());
}

static void expect_userfaultfd_refused(struct __test_metadata *_metadata,
				       void (*inside)(void))
{
	int ended = child_run(userfaultfd_added_program, inside);

	if (ended == 4)
		SKIP(return, "no userfaultfd");
	EXPECT_EQ(-SIGSEGV, ended);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_USERFAULTFD));
	EXPECT_EQ(1, all_refused_since_mark());
}

TEST_F(special, userfaultfd_added)
{
	expect_userfaultfd_refused(_metadata, add_userfaultfd);
}

TEST_F(special, userfaultfd_added_and_unmapped)
{
	expect_userfaultfd_refused(_metadata, add_userfaultfd_and_unmap);
}

static void *map_huge(int flags)
{
	void *start = mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE,
			   flags | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (start == MAP_FAILED)
		_exit(4);
	memset(start, 1, HUGE_SIZE);
	return start;
}

static int private_hugetlb_program(void *arg)
{
	map_huge(MAP_PRIVATE);
	victim(nothing);
	return 1;
}

static int shared_hugetlb_program(void *arg)
{
	map_huge(MAP_SHARED);
	return victim(nothing) == RESCUED ? 0 : 1;
}

static void map_huge_inside(void)
{
	map_huge(MAP_PRIVATE);
}

static int added_hugetlb_program(void *arg)
{
	return victim(map_huge_inside) == RESCUED ? 0 : 1;
}

TEST_F(special, private_hugetlb)
{
	int ended;

	write_text("/proc/sys/vm/nr_hugepages", "2");
	ended = child_run(private_hugetlb_program, NULL);
	write_text("/proc/sys/vm/nr_hugepages", "0");
	if (ended == 4)
		SKIP(return, "no huge pages");
	EXPECT_EQ(-SIGSEGV, ended);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_HUGETLB));
	EXPECT_EQ(1, all_refused_since_mark());
}

TEST_F(special, shared_hugetlb)
{
	int ended;

	write_text("/proc/sys/vm/nr_hugepages", "2");
	ended = child_run(shared_hugetlb_program, NULL);
	write_text("/proc/sys/vm/nr_hugepages", "0");
	if (ended == 4)
		SKIP(return, "no huge pages");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Pages without a page fault by which the kernel would see them written to. */
static int private_device_program(void *arg)
{
	map_device(PROT_READ | PROT_WRITE);
	victim(nothing);
	return 1;
}

TEST_F(special, private_device)
{
	int ended = child_run(private_device_program, NULL);

	if (ended == 4)
		SKIP(return, "no /dev/mem");
	EXPECT_EQ(-SIGSEGV, ended);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_MAPPING));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Added and nothing else. */
TEST_F(special, added_hugetlb)
{
	char free_pages[2][32];
	int ended;

	write_text("/proc/sys/vm/nr_hugepages", "2");
	ended = child_run(added_hugetlb_program, NULL);
	write_text("/proc/sys/vm/nr_hugepages", "0");
	if (ended == 4)
		SKIP(return, "no huge pages");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	/* No page stayed behind. */
	read_text("/proc/sys/vm/nr_hugepages", free_pages[0], 32);
	EXPECT_STREQ("0\n", free_pages[0]);
}

/* Pages that somebody else holds on to, here a pipe. */
static int pipe_fds[2];

static void put_into_pipe(void)
{
	struct iovec vector = { area, PAGE_SIZE };

	CHECK(vmsplice(pipe_fds[1], &vector, 1, 0) == PAGE_SIZE);
}

static unsigned char byte_from_pipe(void)
{
	unsigned char page[PAGE_SIZE];

	CHECK(read(pipe_fds[0], page, PAGE_SIZE) == PAGE_SIZE);
	return page[100];
}

static int pinned_before_program(void *arg)
{
	make_areas();
	CHECK(!pipe(pipe_fds));
	put_into_pipe();
	victim(write_areas);
	return 1;
}

static int pinned_untouched_program(void *arg)
{
	make_areas();
	CHECK(!pipe(pipe_fds));
	put_into_pipe();
	CHECK(victim(nothing) == RESCUED);
	CHECK(area_is_whole());
	/* It is still the very page that the pipe holds. */
	area[100] = 9;
	CHECK(byte_from_pipe() == 9);
	return 0;
}

static void write_and_put_into_pipe(void)
{
	write_areas();
	put_into_pipe();
}

static int pinned_inside_program(void *arg)
{
	make_areas();
	CHECK(!pipe(pipe_fds));
	victim(write_and_put_into_pipe);
	return 1;
}

static void write_and_pass_through_pipe(void)
{
	write_areas();
	put_into_pipe();
	CHECK(byte_from_pipe() == 1);
}

static int no_longer_pinned_program(void *arg)
{
	make_areas();
	CHECK(!pipe(pipe_fds));
	CHECK(victim(write_and_pass_through_pipe) == RESCUED);
	CHECK(area_is_whole());
	return 0;
}

TEST_F(special, pinned_before_and_written)
{
	EXPECT_EQ(-SIGSEGV, child_run(pinned_before_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_PINNED));
	EXPECT_EQ(1, all_refused_since_mark());
}

TEST_F(special, pinned_before_and_untouched)
{
	EXPECT_EQ(0, child_run(pinned_untouched_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(special, pinned_inside)
{
	EXPECT_EQ(-SIGSEGV, child_run(pinned_inside_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_PINNED));
	EXPECT_EQ(1, all_refused_since_mark());
}

TEST_F(special, pinned_inside_for_a_while)
{
	EXPECT_EQ(0, child_run(no_longer_pinned_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The kernel writes into registered buffers without any page fault. */
static struct ring {
	int fd;
	unsigned int *head, *tail, *array;
	struct io_uring_sqe *entries;
} ring;

static void ring_open(void)
{
	struct io_uring_params params = {};
	struct iovec buffer = { area, AREA_SIZE };
	char *start;

	ring.fd = syscall(SYS_io_uring_setup, 4, &params);
	if (ring.fd < 0)
		_exit(4);
	start = mmap(NULL, params.sq_off.array + 64, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQ_RING);
	CHECK(start != MAP_FAILED);
	ring.tail = (void *)(start + params.sq_off.tail);
	ring.array = (void *)(start + params.sq_off.array);
	ring.entries = mmap(NULL, params.sq_entries * sizeof(*ring.entries),
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			    ring.fd, IORING_OFF_SQES);
	CHECK(ring.entries != MAP_FAILED);
	CHECK(!syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS,
		       &buffer, 1));
}

static void ring_read_zeros(void)
{
	struct io_uring_sqe *entry = &ring.entries[0];

	memset(entry, 0, sizeof(*entry));
	entry->opcode = IORING_OP_READ_FIXED;
	entry->fd = open("/dev/zero", O_RDONLY);
	entry->addr = (unsigned long)area;
	entry->len = PAGE_SIZE;
	ring.array[0] = 0;
	__atomic_store_n(ring.tail, *ring.tail + 1, __ATOMIC_RELEASE);
	CHECK(syscall(SYS_io_uring_enter, ring.fd, 1, 1,
		      IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	CHECK(!area[0]);
}

static int ring_program(void *arg)
{
	make_areas();
	ring_open();
	victim(ring_read_zeros);
	return 1;
}

static int idle_ring_program(void *arg)
{
	make_areas();
	ring_open();
	CHECK(victim(nothing) == RESCUED);
	CHECK(area_is_whole());
	ring_read_zeros();
	return 0;
}

TEST_F(special, registered_buffer_written_by_a_ring)
{
	int ended = child_run(ring_program, NULL);

	if (ended == 4)
		SKIP(return, "no io_uring");
	EXPECT_EQ(-SIGSEGV, ended);
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, all_refused_since_mark());
}

TEST_F(special, registered_buffer_of_an_idle_ring)
{
	int ended = child_run(idle_ring_program, NULL);

	if (ended == 4)
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
