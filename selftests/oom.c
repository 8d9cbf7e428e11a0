// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's allocations fail, one after the other: a call is rescued
 * whole or its fault is fatal as ever, and a rescue point is added or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <netlink/attr.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/netlink.h"
#include "lib/reassure_test.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define AREA_SIZE	(6 * PAGE_SIZE)

/* A program that does not get so far has no more allocations. */
#define NTH_MAX		3000

/* What children say. */
#define WHOLE		0
#define REFUSED		6
#define NOT_REACHED	7

static unsigned char *area, *fresh;
static int fail_nth;

static long __noipa victim(void)
{
	char *mapped;

	memset(area, 2, AREA_SIZE);
	memset(fresh, 2, AREA_SIZE);
	mapped = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapped != MAP_FAILED)
		mapped[0] = 1;
	touch_read(BAD_ADDRESS);
	return 1;
}

static bool holds(const unsigned char *start, int value)
{
	return memory_holds(start, AREA_SIZE, value);
}

static void make_areas(void)
{
	area = private_memory(AREA_SIZE);
	memset(area, 1, AREA_SIZE);
	fresh = private_memory(AREA_SIZE);
	fail_nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	CHECK(fail_nth >= 0);
}

static void arm(long nth)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%ld", nth);

	CHECK(write(fail_nth, text, length) == length);
}

/* Whether the failure came; disarms. */
static bool disarm(void)
{
	char text[24] = "";
	bool came;

	CHECK(pread(fail_nth, text, sizeof(text) - 1, 0) > 0);
	came = !atol(text);
	CHECK(write(fail_nth, "0", 1) == 1);
	return came;
}

/* The first call of a process, for which most is allocated. */
static int first_call(void *nth)
{
	bool came;
	long ret;

	make_areas();
	arm((long)nth);
	ret = victim();
	came = disarm();
	CHECK(ret == RESCUED);
	CHECK(holds(area, 1) && holds(fresh, 0));
	/* And the next one is covered again. */
	CHECK(victim() == RESCUED);
	CHECK(holds(area, 1) && holds(fresh, 0));
	return came ? WHOLE : NOT_REACHED;
}

/* A later one, that finds much ready but writes to other pages. */
static int later_call(void *nth)
{
	bool came;
	long ret;

	make_areas();
	CHECK(victim() == RESCUED);
	make_areas();
	arm((long)nth);
	ret = victim();
	came = disarm();
	CHECK(ret == RESCUED);
	CHECK(holds(area, 1) && holds(fresh, 0));
	CHECK(victim() == RESCUED);
	return came ? WHOLE : NOT_REACHED;
}

static int set(const char *fault, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", fault, name);
	return write_text(path, value);
}

/* Without CONFIG_FAULT_INJECTION there is nothing to test. */
static bool cannot_fail(void)
{
	return access(FAIL_NTH, W_OK) || access(DEBUGFS "failslab", F_OK) ||
	       access(DEBUGFS "fail_page_alloc", F_OK);
}

FIXTURE(oom)
{
};

FIXTURE_VARIANT(oom)
{
	bool slab, pages;
};

FIXTURE_VARIANT_ADD(oom, failslab) { .slab = true };
FIXTURE_VARIANT_ADD(oom, fail_page_alloc) { .pages = true };

/*
 * Which kind of allocation fails: fail-nth counts all that are not exempt,
 * and a smallest order beyond all exempts those of pages.
 */
FIXTURE_SETUP(oom)
{
	ASSERT_EQ(0, test_begin_alone());
	set("failslab", "verbose", "0");
	set("fail_page_alloc", "verbose", "0");
	set("failslab", "ignore-gfp-wait", "N");
	set("failslab", "cache-filter", variant->slab ? "N" : "Y");
	set("fail_page_alloc", "ignore-gfp-wait", "N");
	set("fail_page_alloc", "ignore-gfp-highmem", "N");
	set("fail_page_alloc", "min-order", variant->pages ? "0" : "20");
}

FIXTURE_TEARDOWN(oom)
{
	set("failslab", "ignore-gfp-wait", "Y");
	set("failslab", "cache-filter", "N");
	set("fail_page_alloc", "ignore-gfp-wait", "Y");
	test_end_alone(_metadata->passed);
}

/*
 * Makes the first, the second, … allocation of @body fail.  @felt when that
 * must cost a rescue: a slab that gets no large page takes a small one.
 */
static void fail_each(struct __test_metadata *_metadata,
		      int (*body)(void *nth), bool felt)
{
	uint64_t refused = 0, refused_now;
	long nth, whole = 0, dead = 0;
	int ended;

	for (nth = 1; nth < NTH_MAX; nth++) {
		ended = child_run(body, (void *)nth);
		if (ended == NOT_REACHED)
			break;
		EXPECT_TRUE(ended == WHOLE || ended == -SIGSEGV) {
			TH_LOG("allocation %ld fails: child ends with %d", nth,
			       ended);
		}
		/* Each for one reason. */
		refused_now = all_refused_since_mark();
		EXPECT_EQ(ended == -SIGSEGV, refused_now - refused) {
			TH_LOG("allocation %ld fails: child ends with %d", nth,
			       ended);
		}
		refused = refused_now;
		whole += ended == WHOLE;
		dead += ended == -SIGSEGV;
	}
	printf("# %ld allocations: rescued %ld times, dead %ld times\n",
	       nth - 1, whole, dead);
	fflush(stdout);
	EXPECT_GT(NTH_MAX, nth);
	/* It did reach the module. */
	if (felt)
		EXPECT_LT(0, refused_since_mark(REASSURE_REFUSED_MEMORY));
	/* Healthy again. */
	EXPECT_EQ(NOT_REACHED, child_run(body, (void *)1000000));
}

TEST_F(oom, in_the_first_call)
{
	if (cannot_fail())
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_EQ(0, rescue_point_protect(victim));
	fail_each(_metadata, first_call, variant->slab);
}

TEST_F(oom, in_a_later_call)
{
	if (cannot_fail())
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_EQ(0, rescue_point_protect(victim));
	fail_each(_metadata, later_call, variant->slab);
}

static bool leaves_nothing_behind(void)
{
	return access(REASSURE_SYSFS "/rescue_points/test", F_OK) &&
	       !file_has("/sys/kernel/tracing/enabled_functions",
			 "handle_mm_fault ");
}

/*
 * Nothing but the request itself may fail: the file system that the test is
 * on need not survive it.
 */
static int add(void *nth)
{
	struct channel channel;
	struct answer answer;
	struct nl_msg *msg;
	uint64_t offset;
	char path[4096];
	bool came;

	make_areas();
	CHECK(!function_place(victim, path, sizeof(path), &offset));
	CHECK(!channel_open(&channel));
	msg = channel_message(&channel, REASSURE_CMD_RESCUE_POINT_ADD,
			      NLM_F_ACK);
	nla_put_string(msg, REASSURE_A_NAME, "test");
	nla_put_s32(msg, REASSURE_A_FILE_FD, open(path, O_RDONLY | O_CLOEXEC));
	nla_put_u64(msg, REASSURE_A_OFFSET, offset);
	nla_put_s64(msg, REASSURE_A_RETURN, RESCUED);
	arm((long)nth);
	channel_send(&channel, msg, &answer);
	came = disarm();
	channel_close(&channel);
	if (answer.error == -ENOBUFS) {
		/* The answer was lost, which tells nothing. */
		CHECK(!rescue_points_flush());
	} else if (!answer.error) {
		CHECK(victim() == RESCUED);
		CHECK(holds(area, 1) && holds(fresh, 0));
		CHECK(!rescue_point_delete("test"));
	}
	CHECK(leaves_nothing_behind());
	return answer.error ? REFUSED : came ? WHOLE : NOT_REACHED;
}

TEST_F_TIMEOUT(oom, when_adding, 580)
{
	/* To add and delete takes long: a third of them, at random which. */
	long step = getenv("REASSURE_SHORT") ? 3 : 1;
	long nth = 1 + time(NULL) % step, refused = 0;
	int ended;

	if (cannot_fail())
		SKIP(return, "this kernel cannot make allocations fail");
	printf("# from the allocation %ld on, each %ld.\n", nth, step);
	for (; nth < NTH_MAX; nth += step) {
		ended = child_run(add, (void *)nth);
		if (ended == NOT_REACHED)
			break;
		EXPECT_TRUE(ended == WHOLE || ended == REFUSED) {
			TH_LOG("allocation %ld fails: child ends with %d", nth,
			       ended);
		}
		refused += ended == REFUSED;
	}
	printf("# %ld allocations: refused %ld times\n", nth - 1, refused);
	fflush(stdout);
	EXPECT_GT(NTH_MAX, nth);
	EXPECT_LT(0, refused);
}

TEST_HARNESS_MAIN
