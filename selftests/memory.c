// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that comes in unusual ways, and writers other than the program's
 * own instructions.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/swap.h"

#define HUGE_SIZE	(2UL << 20)

FIXTURE(memory)
{
};

FIXTURE_SETUP(memory)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(memory)
{
	test_end(_metadata->passed);
}

/* Calls @inside, and faults. */
static long __noipa victim(void (*inside)(void *arg), void *arg)
{
	inside(arg);
	touch_read(BAD_ADDRESS);
	return 1;
}

/* The kernel writes for the program. */
struct kernel_writes {
	unsigned char *read, *socket, *random, *vector, *futex, *fresh, *path;
	int zero, pair[2];
};

static void let_kernel_write(void *arg)
{
	struct kernel_writes *to = arg;
	struct iovec vector[2] = {
		{ to->vector, 100 },
		{ to->vector + PAGE_SIZE, PAGE_SIZE },
	};

	CHECK(read(to->zero, to->read, 3 * PAGE_SIZE) == 3 * PAGE_SIZE);
	CHECK(send(to->pair[0], "message", 7, 0) == 7);
	CHECK(recv(to->pair[1], to->socket, 100, 0) == 7);
	CHECK(getrandom(to->random, PAGE_SIZE, 0) == PAGE_SIZE);
	CHECK(readv(to->zero, vector, 2) == 100 + PAGE_SIZE);
	CHECK(read(to->zero, to->fresh, PAGE_SIZE) == PAGE_SIZE);
	CHECK(readlink("/proc/self/exe", (char *)to->path, PAGE_SIZE) > 0);
	/* An atomic operation of the kernel on the word. */
	syscall(SYS_futex, to->futex, FUTEX_WAKE_OP, 1, 1, to->futex,
		FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0));
	CHECK(to->futex[0] == 7);
}

static int kernel_writing_program(void *arg)
{
	struct kernel_writes to;
	unsigned char **buffer;
	int i;

	for (buffer = &to.read; buffer <= &to.path; buffer++) {
		*buffer = private_memory(3 * PAGE_SIZE);
		if (*buffer != to.fresh)
			memory_fill(*buffer, 3 * PAGE_SIZE, 0x55);
	}
	to.zero = open("/dev/zero", O_RDONLY);
	CHECK(to.zero >= 0);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, to.pair));
	for (i = 0; i < 2; i++) {
		CHECK(victim(let_kernel_write, &to) == RESCUED);
		for (buffer = &to.read; buffer <= &to.path; buffer++)
			CHECK(memory_holds(*buffer, 3 * PAGE_SIZE,
					   *buffer == to.fresh ? 0 : 0x55));
	}
	return 0;
}

TEST_F(memory, written_by_system_calls)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(kernel_writing_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Pages without write permission, written through /proc/self/mem. */
struct forced_write {
	unsigned char *page;
	int mem;
};

static void force_write(void *arg)
{
	struct forced_write *to = arg;

	CHECK(pwrite(to->mem, "forced", 6, (off_t)to->page) == 6);
	CHECK(pwrite(to->mem, "forced", 6, (off_t)(to->page + PAGE_SIZE)) == 6);
	CHECK(to->page[0] == 'f' && to->page[PAGE_SIZE] == 'f');
}

static int forcing_program(void *arg)
{
	struct forced_write to;

	to.mem = open("/proc/self/mem", O_RDWR);
	CHECK(to.mem >= 0);
	to.page = private_memory(2 * PAGE_SIZE);
	memory_fill(to.page, PAGE_SIZE, 0x66);
	CHECK(!mprotect(to.page, 2 * PAGE_SIZE, PROT_READ));
	CHECK(victim(force_write, &to) == RESCUED);
	CHECK(memory_holds(to.page, PAGE_SIZE, 0x66));
	CHECK(memory_holds(to.page + PAGE_SIZE, PAGE_SIZE, 0));
	CHECK(victim(force_write, &to) == RESCUED);
	CHECK(memory_holds(to.page, PAGE_SIZE, 0x66));
	return 0;
}

TEST_F(memory, read_only_and_written_by_force)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(forcing_program, NULL));
}

/* Transparent huge pages, of which some bytes are written. */
static void write_some(void *arg)
{
	unsigned char *start = arg;
	size_t i;

	for (i = 0; i < 2 * HUGE_SIZE; i += 37 * PAGE_SIZE + 11)
		start[i] = 9;
	barrier();
}

static int huge_program(void *arg)
{
	unsigned char *start = private_memory(4 * HUGE_SIZE);
	int i;

	start = (void *)(((unsigned long)start + HUGE_SIZE - 1) &
			 ~(HUGE_SIZE - 1));
	madvise(start, 3 * HUGE_SIZE, MADV_HUGEPAGE);
	/* The first is there; the second comes while the call is inside. */
	memory_fill(start, HUGE_SIZE, 0x77);
	for (i = 0; i < 2; i++) {
		CHECK(victim(write_some, start) == RESCUED);
		CHECK(memory_holds(start, HUGE_SIZE, 0x77));
		CHECK(memory_holds(start + HUGE_SIZE, HUGE_SIZE, 0));
	}
	/* Without any page table, then with the huge zero page. */
	CHECK(memory_holds(start + 2 * HUGE_SIZE, HUGE_SIZE, 0));
	CHECK(victim(write_some, start + HUGE_SIZE) == RESCUED);
	CHECK(memory_holds(start + HUGE_SIZE, 2 * HUGE_SIZE, 0));
	CHECK(memory_holds(start, HUGE_SIZE, 0x77));
	write_some(start);
	CHECK(start[0] == 9);
	return 0;
}

/* khugepaged would make the pages huge again, which is refused inside. */
static void rest_khugepaged(const char *milliseconds)
{
	write_text("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs",
		   milliseconds);
}

TEST_F(memory, in_huge_pages)
{
	write_text("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	rest_khugepaged("3600000");
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(huge_program, NULL));
	rest_khugepaged("10000");
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Pages that a child shares: neither may see what the other writes. */
struct family {
	unsigned char *start;
	uint32_t *meet;
};

static void overwrite(void *arg)
{
	memory_fill(arg, 8 * PAGE_SIZE, 2);
}

static int sharing_child(void *arg)
{
	struct family *family = arg;

	meet_await(family->meet);
	CHECK(memory_holds(family->start, 8 * PAGE_SIZE, 1));
	memory_fill(family->start, 8 * PAGE_SIZE, 3);
	CHECK(victim(overwrite, family->start) == RESCUED);
	CHECK(memory_holds(family->start, 8 * PAGE_SIZE, 3));
	return 0;
}

static int sharing_program(void *arg)
{
	struct family family;
	pid_t child;

	family.meet = shared_memory(PAGE_SIZE);
	family.start = private_memory(8 * PAGE_SIZE);
	memory_fill(family.start, 8 * PAGE_SIZE, 1);
	child = child_start(sharing_child, &family);
	CHECK(victim(overwrite, family.start) == RESCUED);
	CHECK(memory_holds(family.start, 8 * PAGE_SIZE, 1));
	meet_signal(family.meet);
	CHECK(!child_wait(child));
	CHECK(memory_holds(family.start, 8 * PAGE_SIZE, 1));
	CHECK(victim(overwrite, family.start) == RESCUED);
	CHECK(memory_holds(family.start, 8 * PAGE_SIZE, 1));
	return 0;
}

TEST_F(memory, shared_after_fork)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(sharing_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Pages that were swapped out before the call, and inside it. */
#define SWAPPED_PAGES	64

static void overwrite_every_second(void *arg)
{
	unsigned char *start = arg;
	int i;

	for (i = 0; i < SWAPPED_PAGES; i += 2)
		memory_fill(start + i * PAGE_SIZE, PAGE_SIZE, 4);
}

static void overwrite_and_page_out(void *arg)
{
	overwrite_every_second(arg);
	madvise(arg, SWAPPED_PAGES * PAGE_SIZE, MADV_PAGEOUT);
}

/* From 6.10 on a page that is only read comes back writable. */
static void read_and_overwrite(void *arg)
{
	volatile unsigned char *start = arg;
	int i;

	for (i = 0; i < SWAPPED_PAGES; i++)
		(void)start[i * PAGE_SIZE];
	overwrite_every_second(arg);
}

static int swapping_program(void *arg)
{
	size_t size = SWAPPED_PAGES * PAGE_SIZE;
	static void (*const inside[])(void *arg) = {
		overwrite_every_second, overwrite_and_page_out,
		read_and_overwrite, overwrite_every_second,
	};
	unsigned char *start = private_memory(size);
	int i;

	madvise(start, size, MADV_NOHUGEPAGE);
	for (i = 0; i < 4; i++) {
		memory_fill(start, size, 0x42 + i);
		CHECK(!madvise(start, size, MADV_PAGEOUT));
		/* The first time it has to work, or this tests nothing. */
		if (!i)
			CHECK(count_swapped(start, SWAPPED_PAGES) > SWAPPED_PAGES / 2);
		CHECK(victim(inside[i], start) == RESCUED);
		CHECK(memory_holds(start, size, 0x42 + i));
	}
	overwrite_every_second(start);
	CHECK(memory_holds(start, PAGE_SIZE, 4));
	CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, 0x45));
	return 0;
}

static void test_swap(struct __test_metadata *_metadata, size_t size)
{
	if (!swap_on(size))
		SKIP(return, "no swap on a loop device");
	EXPECT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(swapping_program, NULL));
	swap_off();
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(memory, in_swap)
{
	test_swap(_metadata, 16 << 20);
}

/* What comes back leaves swap at once, and is nobody else's. */
TEST_F(memory, in_scarce_swap)
{
	test_swap(_metadata, (SWAPPED_PAGES + 24) * PAGE_SIZE);
}

/* A rescue point goes while its call has pages brought in. */
#define DELETED_ROUNDS	60

static long __noipa deleted(void (*inside)(void *arg), void *arg)
{
	inside(arg);
	return 2;
}

static void write_all(void *arg)
{
	int i;

	for (i = 0; i < SWAPPED_PAGES; i++)
		touch_write((char *)arg + i * PAGE_SIZE);
}

static void overwrite_all(void *arg)
{
	memory_fill(arg, SWAPPED_PAGES * PAGE_SIZE, 5);
}

static int deleted_program(void *arg)
{
	size_t size = SWAPPED_PAGES * PAGE_SIZE;
	unsigned char *start = private_memory(size);
	int i;

	madvise(start, size, MADV_NOHUGEPAGE);
	for (i = 0; i < DELETED_ROUNDS; i++) {
		/* As touch_write() does. */
		memory_fill(start, size, 1);
		CHECK(!madvise(start, size, MADV_PAGEOUT));
		CHECK(deleted(write_all, start) == 2);
		CHECK(victim(overwrite_all, start) == RESCUED);
		CHECK(memory_holds(start, size, 1));
	}
	return 0;
}

/*
 * Reclaim may hold a page just when a call begins; that call is refused then,
 * and the program dies whole.
 */
static int run_while_it_comes_and_goes(const struct rescue_point *rp)
{
	uint64_t pinned = refused_since_mark(REASSURE_REFUSED_PINNED);
	pid_t child = child_start(deleted_program, NULL);
	int status = 0;

	while (!waitpid(child, &status, WNOHANG)) {
		CHECK(!rescue_point_add(rp));
		CHECK(!rescue_point_delete(rp->name));
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV &&
	    refused_since_mark(REASSURE_REFUSED_PINNED) == pinned + 1)
		return -EAGAIN;
	return status;
}

TEST_F(memory, in_swap_when_a_rescue_point_goes)
{
	const struct rescue_point rp = { .function = deleted, .name = "gone" };
	int status, attempts = 10;

	if (!swap_on(16 << 20))
		SKIP(return, "no swap on a loop device");
	EXPECT_EQ(0, rescue_point_protect(victim));
	do
		status = run_while_it_comes_and_goes(&rp);
	while (status == -EAGAIN && --attempts);
	EXPECT_EQ(0, status);
	swap_off();
	EXPECT_LE(DELETED_ROUNDS, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Pages that were merged with equal ones of other addresses. */
static int merging_program(void *arg)
{
	size_t size = 16 * PAGE_SIZE;
	unsigned char *start = private_memory(size);
	char merged[32];
	int i;

	memory_fill(start, size, 0x21);
	CHECK(!madvise(start, size, MADV_MERGEABLE));
	for (i = 0; i < 200; i++) {
		CHECK(!read_text("/sys/kernel/mm/ksm/pages_sharing", merged,
				 sizeof(merged)));
		if (atoi(merged) >= 8)
			break;
		usleep(20000);
	}
	CHECK(atoi(merged) >= 8);
	/* It holds a reference to the page that it looks at. */
	CHECK(!write_text("/sys/kernel/mm/ksm/run", "0"));
	CHECK(victim(overwrite, start) == RESCUED);
	CHECK(memory_holds(start, size, 0x21));
	memory_fill(start, PAGE_SIZE, 1);
	CHECK(memory_holds(start + PAGE_SIZE, size - PAGE_SIZE, 0x21));
	return 0;
}

TEST_F(memory, merged)
{
	if (write_text("/sys/kernel/mm/ksm/run", "1"))
		SKIP(return, "no KSM");
	write_text("/sys/kernel/mm/ksm/sleep_millisecs", "5");
	write_text("/sys/kernel/mm/ksm/pages_to_scan", "2000");
	EXPECT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(merging_program, NULL));
	write_text("/sys/kernel/mm/ksm/run", "2");
}

/* Private pages of a file: those not copied yet follow it. */
struct mapped_file {
	unsigned char *start;
	int fd;
};

static int file_program(void *arg)
{
	struct mapped_file file;
	unsigned char page[PAGE_SIZE];
	int i;

	file.fd = memfd_create("memory", MFD_CLOEXEC);
	CHECK(file.fd >= 0);
	for (i = 0; i < 8; i++) {
		memory_fill(page, PAGE_SIZE, 0x30);
		CHECK(write(file.fd, page, PAGE_SIZE) == PAGE_SIZE);
	}
	file.start = mmap(NULL, 8 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE, file.fd, 0);
	CHECK(file.start != MAP_FAILED);
	memory_fill(file.start, PAGE_SIZE, 0x31);
	touch_read(file.start + PAGE_SIZE);
	CHECK(victim(overwrite, file.start) == RESCUED);
	CHECK(memory_holds(file.start, PAGE_SIZE, 0x31));
	CHECK(memory_holds(file.start + PAGE_SIZE, 7 * PAGE_SIZE, 0x30));
	/* No copy was left behind. */
	memory_fill(page, PAGE_SIZE, 0x35);
	CHECK(pwrite(file.fd, page, PAGE_SIZE, 2 * PAGE_SIZE) == PAGE_SIZE);
	CHECK(memory_holds(file.start + 2 * PAGE_SIZE, PAGE_SIZE, 0x35));
	return 0;
}

TEST_F(memory, private_of_a_file)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(file_program, NULL));
}

/* A hot page that was discarded is its file's again, and nobody writes to it. */
static void overwrite_first(void *arg)
{
	memory_fill(arg, PAGE_SIZE, 2);
}

static void leave_alone(void *arg)
{
}

static int discarding_program(void *arg)
{
	unsigned char page[PAGE_SIZE], *start;
	int i, fd = memfd_create("memory", MFD_CLOEXEC);

	CHECK(fd >= 0);
	memory_fill(page, PAGE_SIZE, 0x32);
	CHECK(write(fd, page, PAGE_SIZE) == PAGE_SIZE);
	start = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
		     0);
	CHECK(start != MAP_FAILED);
	for (i = 0; i < 5; i++) {
		memory_fill(start, PAGE_SIZE, 1);
		CHECK(victim(overwrite_first, start) == RESCUED);
		CHECK(memory_holds(start, PAGE_SIZE, 1));
		CHECK(!madvise(start, PAGE_SIZE, MADV_DONTNEED));
		touch_read(start);
		CHECK(victim(leave_alone, NULL) == RESCUED);
		CHECK(memory_holds(start, PAGE_SIZE, 0x32));
	}
	return 0;
}

TEST_F(memory, discarded_of_a_file)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(discarding_program, NULL));
}

/* The kernel's own page tables and counters agree after many rescues. */
static long resident_kb(void)
{
	long kb = number_in("/proc/self/status", "RssAnon:");

	CHECK(kb >= 0);
	return kb;
}

static void touch_fresh(void *arg)
{
	memory_fill(arg, 512 * PAGE_SIZE, 5);
}

static int fresh_program(void *arg)
{
	unsigned char *start = private_memory(512 * PAGE_SIZE);
	long before;

	madvise(start, 512 * PAGE_SIZE, MADV_NOHUGEPAGE);
	CHECK(victim(touch_fresh, start) == RESCUED);
	before = resident_kb();
	CHECK(victim(touch_fresh, start) == RESCUED);
	CHECK(victim(touch_fresh, start) == RESCUED);
	/* Pages that did not exist before the call are gone again. */
	CHECK(resident_kb() < before + 200);
	touch_fresh(start);
	CHECK(resident_kb() > before + 1500);
	return 0;
}

TEST_F(memory, fresh_is_given_back)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(fresh_program, NULL));
}

TEST_HARNESS_MAIN
