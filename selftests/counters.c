// SPDX-License-Identifier: GPL-2.0
/*
 * The counters in sysfs add up, globally and for each rescue point, and the
 * kernel log has a line for each rescue.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define NOBODY	65534
#define PAGES	16

static unsigned char *area;

enum how { RETURN, FAULT, LEAVE };

static long __noipa victim(enum how how)
{
	memset(area, area[0] + 1, PAGES * PAGE_SIZE);
	if (how == FAULT)
		touch_read((void *)0x18);
	if (how == LEAVE)
		_exit(9);
	return 1;
}

static long __noipa other_victim(enum how how)
{
	area[0] = 3;
	if (how == FAULT)
		abort();
	return 1;
}

static int program(void *arg)
{
	int i;

	area = private_memory(PAGES * PAGE_SIZE);
	memset(area, 1, PAGES * PAGE_SIZE);
	for (i = 0; i < 5; i++)
		CHECK(victim(RETURN) == 1);
	for (i = 0; i < 3; i++)
		CHECK(victim(FAULT) == RESCUED);
	for (i = 0; i < 2; i++)
		CHECK(other_victim(FAULT) == RESCUED);
	CHECK(other_victim(RETURN) == 1);
	victim(LEAVE);
	return 0;
}

static int dying_program(void *arg)
{
	area = private_memory(PAGES * PAGE_SIZE);
	victim(FAULT);
	return 0;
}

FIXTURE(counters)
{
};

FIXTURE_SETUP(counters)
{
	struct rescue_point other = {
		.function = other_victim,
		.name = "other.one+0x5-b_c",
	};

	ASSERT_EQ(0, test_begin_alone());
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, rescue_point_add(&other));
}

FIXTURE_TEARDOWN(counters)
{
	test_end_alone(_metadata->passed);
}

TEST_F(counters, add_up)
{
	struct counters one, other;
	uint64_t both;
	int i;

	EXPECT_EQ(9, child_run(program, NULL));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
	ASSERT_EQ(0, counters_read("test", &one));
	ASSERT_EQ(0, counters_read("other.one+0x5-b_c", &other));

	EXPECT_EQ(9, one.events[REASSURE_COUNTER_CHECKPOINTS]);
	EXPECT_EQ(5, one.events[REASSURE_COUNTER_COMMITS]);
	EXPECT_EQ(3, one.events[REASSURE_COUNTER_RESCUES]);
	EXPECT_EQ(1, one.events[REASSURE_COUNTER_ABANDONED]);
	EXPECT_EQ(3, other.events[REASSURE_COUNTER_CHECKPOINTS]);
	EXPECT_EQ(1, other.events[REASSURE_COUNTER_COMMITS]);
	EXPECT_EQ(2, other.events[REASSURE_COUNTER_RESCUES]);
	EXPECT_EQ(0, other.events[REASSURE_COUNTER_ABANDONED]);
	EXPECT_LE(9 * PAGES, one.events[REASSURE_COUNTER_PAGES_SAVED]);
	EXPECT_GE(9 * PAGES * 2, one.events[REASSURE_COUNTER_PAGES_SAVED]);
	EXPECT_LE(3 * PAGES, one.events[REASSURE_COUNTER_PAGES_RESTORED]);
	EXPECT_GE(3 * PAGES * 2, one.events[REASSURE_COUNTER_PAGES_RESTORED]);
	EXPECT_LT(0, one.events[REASSURE_COUNTER_ROLLBACK_NS]);
	/* Not a minute. */
	EXPECT_GT(60000000000, one.events[REASSURE_COUNTER_ROLLBACK_NS]);

	for (i = 0; i < REASSURE_COUNTERS; i++) {
		both = one.events[i] + other.events[i];
		EXPECT_EQ(both, events_since_mark(i)) {
			TH_LOG("%s", counter_names[i]);
		}
	}
	for (i = 0; i < REASSURE_REFUSALS; i++)
		EXPECT_EQ(0, one.refused[i] + other.refused[i]);
}

TEST_F(counters, of_refusals)
{
	struct rescue_point rp = {
		.function = victim,
		.name = "refusing",
		.signals = SIGNAL_BIT(SIGABRT),
	};
	struct counters counters;
	int i;

	ASSERT_EQ(0, rescue_point_delete("test"));
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
	ASSERT_EQ(0, counters_read("refusing", &counters));
	for (i = 0; i < REASSURE_REFUSALS; i++)
		EXPECT_EQ(i == REASSURE_REFUSED_SIGNAL, counters.refused[i]);
	EXPECT_EQ(1, counters.events[REASSURE_COUNTER_CHECKPOINTS]);
	EXPECT_EQ(1, counters.events[REASSURE_COUNTER_ABANDONED]);
}

/* One value a file, for everybody to read and for nobody to write. */
static void check_dir(struct __test_metadata *_metadata, const char *path,
		      int expected)
{
	char file[512], text[4096], *end;
	struct dirent *entry;
	struct stat stat;
	int count = 0;
	DIR *dir;

	dir = opendir(path);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_REG)
			continue;
		count++;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		ASSERT_EQ(0, lstat(file, &stat));
		EXPECT_EQ(0444, stat.st_mode & 07777);
		ASSERT_EQ(0, read_text(file, text, sizeof(text)));
		strtoull(text, &end, 10);
		EXPECT_TRUE(end > text && !strcmp(end, "\n")) {
			TH_LOG("%s holds '%s'", file, text);
		}
	}
	closedir(dir);
	EXPECT_EQ(expected, count);
}

TEST_F(counters, have_a_file_each)
{
	check_dir(_metadata, REASSURE_SYSFS, REASSURE_COUNTERS);
	check_dir(_metadata, REASSURE_SYSFS "/refused", REASSURE_REFUSALS);
	check_dir(_metadata, REASSURE_SYSFS "/rescue_points/test",
		  REASSURE_COUNTERS);
	check_dir(_metadata, REASSURE_SYSFS "/rescue_points/test/refused",
		  REASSURE_REFUSALS);
}

/* Names and numbers are for root, and for whom he lets in. */
static int nobody(void *seen)
{
	static const char *const files[] = {
		REASSURE_SYSFS "/rescues",
		REASSURE_SYSFS "/rescue_points/test/rescues",
		REASSURE_SYSFS "/rescue_points/later/refused/budget",
	};
	size_t i;
	int fd;

	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		fd = open(files[i], O_RDONLY | O_CLOEXEC);
		CHECK(seen ? fd >= 0 : fd < 0 && errno == EACCES);
	}
	return 0;
}

TEST_F(counters, are_shown_to_whom_root_lets_in)
{
	struct rescue_point rp = { .function = dying_program, .name = "later" };
	int opened, closed;

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(nobody, NULL));
	ASSERT_EQ(0, chmod(REASSURE_SYSFS, 0755));
	opened = child_run(nobody, self);
	closed = chmod(REASSURE_SYSFS, 0700);
	EXPECT_EQ(0, opened);
	EXPECT_EQ(0, closed);
	EXPECT_EQ(0, child_run(nobody, NULL));
}

TEST_F(counters, go_with_the_rescue_point)
{
	int fd = open(REASSURE_SYSFS "/rescue_points/test/rescues",
		      O_RDONLY | O_CLOEXEC);
	char text[32];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rescue_point_delete("test"));
	EXPECT_NE(0, access(REASSURE_SYSFS "/rescue_points/test", F_OK));
	EXPECT_EQ(0, access(REASSURE_SYSFS "/rescue_points/other.one+0x5-b_c",
			    F_OK));
	EXPECT_EQ(-1, read(fd, text, sizeof(text)));
	close(fd);
	/* A new one of the same name starts at 0. */
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, read_text(REASSURE_SYSFS "/rescue_points/test/checkpoints",
			       text, sizeof(text)));
	EXPECT_STREQ("0\n", text);
}

static int rescued_program(void *arg)
{
	area = private_memory(PAGES * PAGE_SIZE);
	CHECK(victim(FAULT) == RESCUED);
	CHECK(other_victim(FAULT) == RESCUED);
	return 0;
}

TEST_F(counters, log_has_a_line_for_each_rescue)
{
	char line[1024], who[64];
	int log;
	pid_t child;

	/* The limit on the rate has to be away from its end. */
	sleep(5);
	log = kernel_log_open();
	ASSERT_LE(0, log);
	child = child_start(rescued_program, NULL);
	EXPECT_EQ(0, child_wait(child));
	ASSERT_TRUE(kernel_log_has(log, "rescued", line, sizeof(line)));
	snprintf(who, sizeof(who), "reassure: rescued counters[%d] in test: ",
		 child);
	EXPECT_NE(NULL, strstr(line, who));
	EXPECT_NE(NULL, strstr(line, "SIGSEGV code 1 address 0x18, ip 0x"));
	EXPECT_NE(NULL, strstr(line, "pages restored, returned -77"));
	ASSERT_TRUE(kernel_log_has(log, "rescued", line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "in other.one+0x5-b_c: SIGABRT"));
	close(log);
}

TEST_HARNESS_MAIN
