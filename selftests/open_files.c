// SPDX-License-Identifier: GPL-2.0
/*
 * After a rescue the descriptors are those of the entry: what the call opened
 * is closed, regular files that it closed are open again, and offsets are as
 * they were.  What cannot be put back is not rescued.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

/* Most descriptors that a test has. */
#define DESCRIPTORS	4096
/* That one call may close. */
#define KEPT		32

static int written = 1;

static long __noipa victim(void (*inside)(void))
{
	written = 2;
	inside();
	touch_read(BAD_ADDRESS);
	return 1;
}

static long __noipa returning_victim(void (*inside)(void))
{
	inside();
	return 1;
}

/* What can be seen of a descriptor. */
struct descriptor {
	bool open;
	int flags, descriptor_flags;
	off_t offset;
	dev_t device;
	ino_t inode;
};

static void look(struct descriptor *seen)
{
	struct stat stat;
	int fd;

	memset(seen, 0, DESCRIPTORS * sizeof(*seen));
	for (fd = 0; fd < DESCRIPTORS; fd++) {
		seen[fd].descriptor_flags = fcntl(fd, F_GETFD);
		seen[fd].open = seen[fd].descriptor_flags >= 0;
		if (!seen[fd].open)
			continue;
		seen[fd].flags = fcntl(fd, F_GETFL);
		CHECK(!fstat(fd, &stat));
		seen[fd].device = stat.st_dev;
		seen[fd].inode = stat.st_ino;
		/* Standard output is another's, too. */
		if (fd > 2)
			seen[fd].offset = lseek(fd, 0, SEEK_CUR);
	}
}

static struct descriptor before[DESCRIPTORS], after[DESCRIPTORS];

/* One rescue, and all descriptors are as they were. */
static void check_rescue(void (*inside)(void))
{
	int fd;

	look(before);
	CHECK(victim(inside) == RESCUED);
	CHECK(written == 1);
	look(after);
	for (fd = 0; fd < DESCRIPTORS; fd++) {
		if (!memcmp(&before[fd], &after[fd], sizeof(*before)))
			continue;
		dprintf(STDOUT_FILENO,
			"# descriptor %d: open %d and %d, flags %o and %o, %d and %d, offset %ld and %ld, inode %ld and %ld\n",
			fd, before[fd].open, after[fd].open, before[fd].flags,
			after[fd].flags, before[fd].descriptor_flags,
			after[fd].descriptor_flags, (long)before[fd].offset,
			(long)after[fd].offset, (long)before[fd].inode,
			(long)after[fd].inode);
		_exit(253);
	}
}

static void check_rescues(void (*inside)(void))
{
	int i;

	for (i = 0; i < 3; i++)
		check_rescue(inside);
}

/* A file of 4,000 bytes that nobody else has; at 100, with the next number. */
static int make_file(int flags)
{
	char path[] = "/tmp/open_filesXXXXXX", content[4000];
	int fd = mkstemp(path), again;

	CHECK(fd >= 0);
	memset(content, 'a', sizeof(content));
	CHECK(write(fd, content, sizeof(content)) == sizeof(content));
	again = open(path, O_RDWR | flags);
	CHECK(again >= 0);
	CHECK(!unlink(path));
	CHECK(dup3(again, fd, flags & O_CLOEXEC) == fd);
	CHECK(!close(again));
	CHECK(lseek(fd, 100, SEEK_SET) == 100);
	return fd;
}

static void raise_limit(void)
{
	struct rlimit limit = { DESCRIPTORS, DESCRIPTORS };

	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
}

FIXTURE(open_files)
{
};

FIXTURE_SETUP(open_files)
{
	struct rescue_point returning = {
		.function = returning_victim,
		.name = "returning",
	};

	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, rescue_point_add(&returning));
}

FIXTURE_TEARDOWN(open_files)
{
	test_end(_metadata->passed);
}

/* A program in which all calls are rescued. */
#define EXPECT_RESCUED(program) do {				\
	EXPECT_EQ(0, child_run(program, NULL));			\
	EXPECT_EQ(0, all_refused_since_mark());			\
} while (0)

/* What the call opens is closed. */
static int fds[DESCRIPTORS];

static void open_all_kinds(void)
{
	int pair[2], epoll;
	struct epoll_event event = { .events = EPOLLIN };

	CHECK(open("/proc/self/maps", O_RDONLY) >= 0);
	make_file(O_CLOEXEC);
	CHECK(open("/dev/null", O_RDWR) >= 0);
	CHECK(open("/tmp", O_RDONLY | O_DIRECTORY) >= 0);
	CHECK(open("/tmp", O_PATH) >= 0);
	CHECK(!pipe(pair));
	CHECK(write(pair[1], "x", 1) == 1);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	CHECK(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0);
	epoll = epoll_create1(0);
	CHECK(epoll >= 0);
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
	CHECK(dup(pair[0]) >= 0);
	CHECK(dup(STDOUT_FILENO) >= 0);
	CHECK(fcntl(pair[1], F_DUPFD, 60) >= 60);
	CHECK(eventfd(0, 0) >= 0);
	CHECK(timerfd_create(CLOCK_MONOTONIC, 0) >= 0);
	CHECK(memfd_create("inside", 0) >= 0);
}

static int opening_program(void *arg)
{
	check_rescues(open_all_kinds);
	return 0;
}

TEST_F(open_files, opened_are_closed)
{
	EXPECT_RESCUED(opening_program);
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The other end sees it, and what it was told before. */
static int connection[2];

static void open_pipe(void)
{
	CHECK(!pipe(fds));
	CHECK(write(connection[1], fds, sizeof(fds[0])) == sizeof(fds[0]));
}

static int closing_program(void *arg)
{
	int fd;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, connection));
	check_rescue(open_pipe);
	CHECK(read(connection[0], &fd, sizeof(fd)) == sizeof(fd));
	CHECK(fcntl(fd, F_GETFD) < 0);
	return 0;
}

TEST_F(open_files, sent_stays_sent)
{
	EXPECT_RESCUED(closing_program);
}

static long open_in_system(void)
{
	char text[64];

	CHECK(!read_text("/proc/sys/fs/file-nr", text, sizeof(text)));
	return strtol(text, NULL, 10);
}

static int file;

static void open_and_close(void)
{
	make_file(0);
	CHECK(!pipe(fds));
	CHECK(!close(file));
}

#define ROUNDS	1000

static int long_program(void *arg)
{
	long open;
	int i;

	file = make_file(0);
	check_rescue(open_and_close);
	open = open_in_system();
	for (i = 0; i < ROUNDS; i++)
		CHECK(victim(open_and_close) == RESCUED);
	look(after);
	CHECK(!memcmp(before, after, sizeof(before)));
	/* Others open and close, too, and some counts are kept for each CPU. */
	CHECK(open_in_system() < open + ROUNDS / 2);
	return 0;
}

TEST_F(open_files, none_leaks)
{
	EXPECT_RESCUED(long_program);
}

/* Regular files that the call closes are open again. */
static void close_files(void)
{
	int i;

	for (i = 0; fds[i] >= 0; i++)
		CHECK(!close(fds[i]));
}

static int reopening_program(void *arg)
{
	int copy;

	fds[0] = make_file(0);
	fds[1] = make_file(O_APPEND | O_CLOEXEC);
	fds[2] = make_file(O_NONBLOCK);
	fds[3] = open("/tmp", O_RDONLY | O_DIRECTORY);
	fds[4] = open("/proc/self/maps", O_RDONLY);
	fds[5] = memfd_create("memory", MFD_CLOEXEC);
	fds[6] = -1;
	/* The same open file. */
	copy = dup(fds[0]);
	check_rescues(close_files);
	CHECK(lseek(copy, 7, SEEK_SET) == 7);
	CHECK(lseek(fds[0], 0, SEEK_CUR) == 7);
	return 0;
}

TEST_F(open_files, closed_are_open)
{
	EXPECT_RESCUED(reopening_program);
}

/* And have numbers that others get before the fault. */
static void close_and_open_others(void)
{
	close_files();
	CHECK(!pipe(fds + 10));
	CHECK(fds[10] == fds[0] && fds[11] == fds[1]);
	CHECK(make_file(0) >= 0);
	CHECK(!close(fds[11]));
	CHECK(open("/dev/null", O_RDONLY) == fds[11]);
}

static void close_twice(void)
{
	CHECK(!close(fds[0]));
	CHECK(close(fds[0]) < 0);
	CHECK(dup2(STDOUT_FILENO, fds[0]) == fds[0]);
	CHECK(!close(fds[0]));
}

static void close_read_and_open_again(void)
{
	char byte;

	CHECK(read(fds[0], &byte, 1) == 1);
	CHECK(dup2(fds[0], 50) == 50);
	CHECK(!close(fds[0]));
	CHECK(lseek(50, 500, SEEK_SET) == 500);
	CHECK(dup2(50, fds[0]) == fds[0]);
	CHECK(!fcntl(fds[0], F_SETFD, FD_CLOEXEC));
	CHECK(!close(50));
}

static int reusing_program(void *arg)
{
	fds[0] = make_file(0);
	fds[1] = make_file(O_CLOEXEC);
	fds[2] = -1;
	check_rescues(close_and_open_others);
	check_rescues(close_twice);
	check_rescues(close_read_and_open_again);
	return 0;
}

TEST_F(open_files, closed_have_their_numbers)
{
	EXPECT_RESCUED(reusing_program);
}

static int many_files(int count)
{
	int i;

	for (i = 0; i < count; i++)
		fds[i] = make_file(i % 2 ? O_CLOEXEC : 0);
	fds[count] = -1;
	check_rescues(close_files);
	return 0;
}

static int many_program(void *arg)
{
	return many_files(KEPT);
}

static int too_many_program(void *arg)
{
	return many_files(KEPT + 1);
}

TEST_F(open_files, many_closed)
{
	EXPECT_RESCUED(many_program);
	EXPECT_EQ(-SIGSEGV, child_run(too_many_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
}

/* What must not stay open behind the program's back is refused. */
static int closing_one(int fd)
{
	fds[0] = fd;
	fds[1] = -1;
	CHECK(fd >= 0);
	return victim(close_files) == RESCUED ? 0 : 1;
}

static int closing_socket(void *arg)
{
	return closing_one(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int closing_pipe(void *arg)
{
	CHECK(!pipe(fds + 2));
	return closing_one(fds[3]);
}

static int closing_device(void *arg)
{
	return closing_one(open("/dev/null", O_RDWR));
}

static int closing_epoll(void *arg)
{
	return closing_one(epoll_create1(0));
}

static int closing_flocked(void *arg)
{
	int fd = make_file(0);

	CHECK(!flock(fd, LOCK_SH));
	return closing_one(fd);
}

static void lock(int fd, int command)
{
	struct flock flock = { .l_type = F_WRLCK, .l_len = 10 };

	CHECK(!fcntl(fd, command, &flock));
}

static int closing_locked(void *arg)
{
	int fd = make_file(0);

	lock(fd, F_SETLK);
	return closing_one(fd);
}

static int closing_description_locked(void *arg)
{
	int fd = make_file(0);

	lock(fd, F_OFD_SETLK);
	return closing_one(fd);
}

static int closing_leased(void *arg)
{
	int fd = make_file(0);

	CHECK(!fcntl(fd, F_SETLEASE, F_WRLCK));
	return closing_one(fd);
}

/* A lock that was there goes with any descriptor of the file. */
static void open_locked_and_close(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0 && !close(fd));
}

static int losing_lock(void *arg)
{
	file = make_file(0);
	lock(file, F_SETLK);
	return victim(open_locked_and_close) == RESCUED ? 0 : 1;
}

static void open_locked(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	CHECK(open(path, O_RDWR) >= 0);
}

/* Also with the one that the rescue would close. */
static int losing_lock_later(void *arg)
{
	file = make_file(0);
	lock(file, F_SETLK);
	return victim(open_locked) == RESCUED ? 0 : 1;
}

static void replace_socket(void)
{
	CHECK(dup2(STDOUT_FILENO, fds[0]) == fds[0]);
}

static int duplicating_over_socket(void *arg)
{
	fds[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	return victim(replace_socket) == RESCUED ? 0 : 1;
}

static void replace_socket_by_dup3(void)
{
	CHECK(dup3(STDOUT_FILENO, fds[0], O_CLOEXEC) == fds[0]);
}

static int duplicating_over_socket_by_dup3(void *arg)
{
	fds[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	return victim(replace_socket_by_dup3) == RESCUED ? 0 : 1;
}

static void close_from(void)
{
	CHECK(!close_range(fds[0], ~0U, 0));
}

static int closing_range_with_socket(void *arg)
{
	fds[0] = make_file(0);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) > fds[0]);
	return victim(close_from) == RESCUED ? 0 : 1;
}

static void close_in_other_mode(void)
{
	int ret;

	/* The 32-bit close() of a number that is not open. */
	asm volatile("int $0x80" : "=a" (ret) : "a" (6), "b" (1000) : "memory");
}

static int in_other_mode(void *arg)
{
	return victim(close_in_other_mode) == RESCUED ? 0 : 1;
}

TEST_F(open_files, others_are_not_rescued)
{
	static const struct {
		const char *name;
		int (*program)(void *arg);
	} programs[] = {
		{ "socket", closing_socket },
		{ "pipe", closing_pipe },
		{ "device", closing_device },
		{ "epoll", closing_epoll },
		{ "flock", closing_flocked },
		{ "POSIX lock", closing_locked },
		{ "OFD lock", closing_description_locked },
		{ "lease", closing_leased },
		{ "lock lost by another descriptor", losing_lock },
		{ "lock that would be lost", losing_lock_later },
		{ "dup2", duplicating_over_socket },
		{ "dup3", duplicating_over_socket_by_dup3 },
		{ "close_range", closing_range_with_socket },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		counters_mark();
		EXPECT_EQ(-SIGSEGV, child_run(programs[i].program, NULL)) {
			TH_LOG("%s", programs[i].name);
		}
		EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR)) {
			TH_LOG("%s", programs[i].name);
		}
	}
	counters_mark();
	EXPECT_EQ(-SIGSEGV, child_run(in_other_mode, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_STATE));
}

/* dup2() closes what was there. */
static void duplicate_over(void)
{
	CHECK(dup2(STDOUT_FILENO, fds[0]) == fds[0]);
	CHECK(dup3(fds[0], fds[1], O_CLOEXEC) == fds[1]);
	CHECK(dup2(fds[2], fds[2]) == fds[2]);
	/* Closes nothing. */
	CHECK(dup2(999, fds[3]) < 0);
	CHECK(dup2(fds[3], fds[3]) == fds[3]);
}

static int duplicating_program(void *arg)
{
	fds[0] = make_file(O_CLOEXEC);
	fds[1] = make_file(0);
	fds[2] = make_file(0);
	fds[3] = socket(AF_UNIX, SOCK_STREAM, 0);
	check_rescues(duplicate_over);
	return 0;
}

TEST_F(open_files, duplicated_over)
{
	EXPECT_RESCUED(duplicating_program);
}

static void close_some(void)
{
	CHECK(!close_range(fds[1], fds[3], 0));
	CHECK(!close_range(fds[4], fds[5], CLOSE_RANGE_CLOEXEC));
}

static int ranging_program(void *arg)
{
	int i;

	for (i = 0; i < 4; i++)
		fds[i] = make_file(i % 2 ? O_CLOEXEC : 0);
	fds[4] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[5] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check_rescues(close_some);
	return 0;
}

TEST_F(open_files, closed_range)
{
	EXPECT_RESCUED(ranging_program);
}

static void change_flags(void)
{
	int one = 1, zero = 0;

	CHECK(!fcntl(fds[0], F_SETFD, FD_CLOEXEC));
	CHECK(!fcntl(fds[1], F_SETFD, 0));
	CHECK(!ioctl(fds[2], FIOCLEX));
	CHECK(!fcntl(fds[0], F_SETFL, O_APPEND | O_NONBLOCK));
	CHECK(!fcntl(fds[1], F_SETFL, 0));
	CHECK(!ioctl(fds[2], FIONBIO, &one));
	CHECK(!ioctl(fds[3], FIONBIO, &zero));
	/* Through another number. */
	CHECK(!fcntl(dup(fds[4]), F_SETFL, O_NONBLOCK));
	CHECK(!close(fds[5]));
	CHECK(!fcntl(fds[6], F_SETFL, O_APPEND));
	CHECK(!fcntl(fds[6], F_SETFD, 0));
	CHECK(!close(fds[6]));
}

static int flags_program(void *arg)
{
	fds[0] = make_file(0);
	fds[1] = make_file(O_APPEND | O_CLOEXEC);
	fds[2] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[3] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	fds[4] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[5] = make_file(O_CLOEXEC);
	fds[6] = make_file(O_CLOEXEC);
	check_rescues(change_flags);
	/* And they are what is in force. */
	CHECK(lseek(fds[0], 0, SEEK_SET) == 0);
	CHECK(write(fds[0], "x", 1) == 1);
	CHECK(lseek(fds[0], 0, SEEK_CUR) == 1);
	CHECK(lseek(fds[1], 0, SEEK_SET) == 0);
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK(lseek(fds[1], 0, SEEK_CUR) == 4001);
	return 0;
}

TEST_F(open_files, flags)
{
	EXPECT_RESCUED(flags_program);
}

static void change_many_flags(void)
{
	int i;

	for (i = 0; i < 9; i++)
		CHECK(!fcntl(fds[i], F_SETFL, O_NONBLOCK));
}

static int many_flags_program(void *arg)
{
	int i;

	for (i = 0; i < 9; i++)
		fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
	return victim(change_many_flags) == RESCUED ? 0 : 1;
}

TEST_F(open_files, too_many_flags)
{
	EXPECT_EQ(-SIGSEGV, child_run(many_flags_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
}

/* Its flags are not kept so well that the other end does not see it closed. */
static void close_flagged(void)
{
	char byte;

	CHECK(!fcntl(connection[1], F_SETFL, O_NONBLOCK));
	CHECK(!close(connection[1]));
	CHECK(read(connection[0], &byte, 1) == 0);
}

static int flagged_program(void *arg)
{
	CHECK(!pipe(connection));
	victim(close_flagged);
	return 1;
}

TEST_F(open_files, flags_of_one_that_is_closed)
{
	EXPECT_EQ(-SIGSEGV, child_run(flagged_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
}

/* Offsets. */
static void move_offsets(void)
{
	char buffer[700];

	CHECK(read(fds[0], buffer, sizeof(buffer)) == sizeof(buffer));
	CHECK(write(fds[1], buffer, 10) == 10);
	CHECK(lseek(fds[2], 0, SEEK_END) == 4000);
	CHECK(write(fds[3], buffer, 3) == 3);
	CHECK(sendfile(fds[4], fds[5], NULL, 20) == 20);
	CHECK(splice(fds[6], NULL, connection[1], NULL, 30, 0) == 30);
	CHECK(copy_file_range(fds[7], NULL, fds[8], NULL, 40, 0) == 40);
	CHECK(lseek(dup(fds[9]), 5, SEEK_SET) == 5);
	CHECK(read(fds[10], buffer, sizeof(buffer)) == sizeof(buffer));
	CHECK(!close(fds[10]));
	CHECK(lseek(fds[11], 9, SEEK_SET) == 9);
	CHECK(pread(fds[12], buffer, 3, 9) == 3);
	CHECK(lseek(fds[13], 77, SEEK_SET) == 77);
}

static int moving_program(void *arg)
{
	void *mapped;
	int i;

	CHECK(!pipe(connection));
	for (i = 0; i < 13; i++)
		fds[i] = make_file(i == 3 ? O_APPEND : 0);
	fds[13] = memfd_create("memory", 0);
	/* A mapping is a reference, too. */
	mapped = mmap(NULL, 4000, PROT_READ, MAP_SHARED, fds[11], 0);
	CHECK(mapped != MAP_FAILED);
	check_rescues(move_offsets);
	return 0;
}

TEST_F(open_files, offsets)
{
	EXPECT_RESCUED(moving_program);
}

static void read_dirs(void)
{
	char buffer[200];
	int i;

	for (i = 0; fds[i] >= 0; i++)
		CHECK(syscall(SYS_getdents64, fds[i], buffer,
			      sizeof(buffer)) > 0);
}

/* What a directory says next is what it would have said. */
static int directory_program(void *arg)
{
	/* The kernel does not write to all of them. */
	static char first[200], second[200], again[200];
	char dir[] = "/tmp/open_filesXXXXXX", path[64];
	long length;
	int i, j;

	CHECK(mkdtemp(dir));
	for (i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "%s/%d", dir, i);
		CHECK(mknod(path, S_IFREG | 0600, 0) == 0);
	}
	fds[0] = open(dir, O_RDONLY | O_DIRECTORY);
	fds[1] = open("/proc", O_RDONLY | O_DIRECTORY);
	fds[2] = open("/usr/bin", O_RDONLY | O_DIRECTORY);
	fds[3] = open("/dev", O_RDONLY | O_DIRECTORY);
	fds[4] = -1;
	for (i = 0; fds[i] >= 0; i++) {
		CHECK(syscall(SYS_getdents64, fds[i], first, sizeof(first)) > 0);
		memset(second, 0, sizeof(second));
		length = syscall(SYS_getdents64, fds[i], second, sizeof(second));
		CHECK(length > 0);
		CHECK(lseek(fds[i], 0, SEEK_SET) == 0);
		CHECK(syscall(SYS_getdents64, fds[i], first, sizeof(first)) > 0);
		for (j = 0; j < 2; j++)
			check_rescue(read_dirs);
		memset(again, 0, sizeof(again));
		CHECK(syscall(SYS_getdents64, fds[i], again, sizeof(again)) ==
		      length);
		CHECK(!memcmp(again, second, length));
	}
	for (i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "%s/%d", dir, i);
		CHECK(!unlink(path));
	}
	CHECK(!rmdir(dir));
	return 0;
}

TEST_F(open_files, directories)
{
	EXPECT_RESCUED(directory_program);
}

/* Another process reads on from where the call came to. */
static uint32_t *go_on;

static void read_some(void)
{
	char buffer[300];

	CHECK(read(file, buffer, sizeof(buffer)) == sizeof(buffer));
}

static int holding_child(void *arg)
{
	meet_await(go_on);
	return lseek(file, 0, SEEK_CUR) == 400 ? 0 : 1;
}

static int sharing_program(void *arg)
{
	pid_t child;

	go_on = shared_memory(PAGE_SIZE);
	file = make_file(0);
	child = child_start(holding_child, NULL);
	CHECK(victim(read_some) == RESCUED);
	CHECK(lseek(file, 0, SEEK_CUR) == 400);
	meet_signal(go_on);
	CHECK(!child_wait(child));
	/* Now it is nobody else's. */
	CHECK(victim(read_some) == RESCUED);
	CHECK(lseek(file, 0, SEEK_CUR) == 400);
	return 0;
}

TEST_F(open_files, offset_of_another_process_is_left)
{
	EXPECT_RESCUED(sharing_program);
}

/* A child made inside keeps what it has. */
static pid_t *child_inside;

static void open_and_fork(void)
{
	*fds = make_file(0);
	*child_inside = child_start(holding_child, NULL);
	CHECK(*child_inside > 0);
}

static int forking_program(void *arg)
{
	go_on = shared_memory(PAGE_SIZE);
	child_inside = shared_memory(PAGE_SIZE);
	file = make_file(0);
	CHECK(lseek(file, 400, SEEK_SET) == 400);
	check_rescue(open_and_fork);
	meet_signal(go_on);
	CHECK(!child_wait(*child_inside));
	return 0;
}

TEST_F(open_files, child_made_inside)
{
	EXPECT_RESCUED(forking_program);
}

static void nothing(void)
{
}

/* Great numbers, and tables that grow. */
static void open_great_numbers(void)
{
	CHECK(fcntl(fds[0], F_DUPFD, 3000) == 3000);
	CHECK(!close(fds[1]));
	CHECK(!close(2000));
	CHECK(dup2(STDOUT_FILENO, 2000) == 2000);
	CHECK(dup2(STDOUT_FILENO, 4000) == 4000);
}

static int great_numbers_program(void *arg)
{
	raise_limit();
	fds[0] = make_file(0);
	fds[1] = make_file(0);
	check_rescue(nothing);
	CHECK(dup2(fds[0], 2000) == 2000);
	check_rescues(open_great_numbers);
	return 0;
}

TEST_F(open_files, great_numbers)
{
	EXPECT_RESCUED(great_numbers_program);
}

static void open_all(void)
{
	int fd;

	do {
		fd = dup(STDOUT_FILENO);
	} while (fd >= 0);
	CHECK(errno == EMFILE);
}

static int exhausting_program(void *arg)
{
	raise_limit();
	check_rescues(open_all);
	return 0;
}

TEST_F(open_files, all_numbers)
{
	EXPECT_RESCUED(exhausting_program);
}

/* A number that the program could not get any more. */
static int beyond_limit_program(void *arg)
{
	struct rlimit limit = { 50, 4096 };

	file = make_file(0);
	CHECK(dup2(file, 100) == 100);
	fds[0] = 100;
	fds[1] = -1;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	check_rescues(close_files);
	return 0;
}

TEST_F(open_files, number_beyond_the_limit)
{
	EXPECT_RESCUED(beyond_limit_program);
}

static int thousand_program(void *arg)
{
	int i;

	raise_limit();
	for (i = 0; i < 1000; i++)
		CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	check_rescues(open_all_kinds);
	return 0;
}

TEST_F(open_files, thousand_sockets)
{
	EXPECT_RESCUED(thousand_program);
}

/* Between calls numbers change their meaning. */
static void move_offset(void)
{
	if (lseek(file, 0, SEEK_CUR) >= 0)
		CHECK(lseek(file, 1, SEEK_CUR) > 0);
}

static void make_it(bool regular, int how)
{
	int fd;

	if (!how)
		CHECK(!close(file));
	fd = regular ? make_file(0) : socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd != file) {
		CHECK(dup2(fd, file) == file);
		CHECK(!close(fd));
	}
}

static void *make_in_thread(void *arg)
{
	make_it((long)arg, 0);
	return (void *)(long)gettid();
}

/* Joined, it may still share the memory until it has left the kernel. */
static void await_end_of(pthread_t thread)
{
	char path[64];
	void *tid;

	CHECK(!pthread_join(thread, &tid));
	snprintf(path, sizeof(path), "/proc/self/task/%ld", (long)tid);
	while (!access(path, F_OK))
		sched_yield();
}

static int make_in_process(void *arg)
{
	make_it((long)arg, 0);
	return 0;
}

/* Of a 32-bit dup2() it is not known what it does. */
static void make_in_other_mode(bool regular)
{
	int fd = regular ? make_file(0) : socket(AF_UNIX, SOCK_STREAM, 0);
	int ret;

	asm volatile("int $0x80" : "=a" (ret) : "a" (63), "b" (fd), "c" (file) :
		     "memory");
	CHECK(ret == file && !close(fd));
}

#define WAYS_TO_MAKE	5

static void make_in_some_way(bool regular, int way)
{
	static char stack[65536];
	void *arg = (void *)(long)regular;
	pthread_t thread;
	pid_t child;

	switch (way) {
	case 0:
	case 1:
		make_it(regular, way);
		break;
	case 2:
		CHECK(!pthread_create(&thread, NULL, make_in_thread, arg));
		await_end_of(thread);
		break;
	case 3:
		child = clone(make_in_process, stack + sizeof(stack),
			      CLONE_FILES | SIGCHLD, arg);
		CHECK(child > 0 && !child_wait(child));
		break;
	case 4:
		make_in_other_mode(regular);
		break;
	}
}

/* A file that is still taken for a socket would keep the offset of the call. */
static int changing_program(void *arg)
{
	int way;

	file = make_file(0);
	for (way = 0; way < WAYS_TO_MAKE; way++) {
		make_it(false, 0);
		check_rescue(move_offset);
		make_in_some_way(true, way);
		check_rescue(move_offset);
		make_in_some_way(false, way);
		check_rescue(move_offset);
	}
	return 0;
}

TEST_F(open_files, changed_between_calls)
{
	EXPECT_RESCUED(changing_program);
	EXPECT_EQ(3 * WAYS_TO_MAKE, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Another process that has the same descriptors. */
static char clone_stack[65536];

static pid_t caller;

static int wait_for_parent(void *arg)
{
	die_with_parent(caller);
	meet_await(go_on);
	return 0;
}

static int sharing_all_program(void *arg)
{
	go_on = shared_memory(PAGE_SIZE);
	caller = getpid();
	CHECK(clone(wait_for_parent, clone_stack + sizeof(clone_stack),
		    CLONE_FILES | SIGCHLD, NULL) > 0);
	return victim(nothing) == RESCUED ? 0 : 1;
}

static void share_all(void)
{
	CHECK(clone(wait_for_parent, clone_stack + sizeof(clone_stack),
		    CLONE_FILES | SIGCHLD, NULL) > 0);
}

static int sharing_all_inside_program(void *arg)
{
	go_on = shared_memory(PAGE_SIZE);
	caller = getpid();
	return victim(share_all) == RESCUED ? 0 : 1;
}

static int close_its(void *arg)
{
	close(fds[0]);
	return 0;
}

static void share_and_wait(void)
{
	pid_t child = clone(close_its, clone_stack + sizeof(clone_stack),
			    CLONE_FILES | SIGCHLD, NULL);

	CHECK(child > 0 && !child_wait(child));
}

static int shared_a_while_program(void *arg)
{
	fds[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	return victim(share_and_wait) == RESCUED ? 0 : 1;
}

TEST_F(open_files, shared_with_another_process)
{
	EXPECT_EQ(-SIGSEGV, child_run(sharing_all_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(-SIGSEGV, child_run(sharing_all_inside_program, NULL));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(-SIGSEGV, child_run(shared_a_while_program, NULL));
	EXPECT_EQ(3, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(3, all_refused_since_mark());
}

/* An epoll set of the entry. */
static void watch_new(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	CHECK(!pipe(fds + 2));
	CHECK(!epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[2], &event));
	CHECK(write(fds[3], "x", 1) == 1);
}

static int watching_program(void *arg)
{
	struct epoll_event event;

	fds[0] = epoll_create1(0);
	check_rescues(watch_new);
	CHECK(epoll_wait(fds[0], &event, 1, 0) == 0);
	return 0;
}

static void watch(int operation, int fd)
{
	struct epoll_event event = { .events = EPOLLOUT };

	CHECK(!epoll_ctl(fds[0], operation, fd, &event));
}

static void change_watched(void)
{
	watch(EPOLL_CTL_MOD, fds[1]);
}

static void watch_another(void)
{
	watch(EPOLL_CTL_ADD, fds[2]);
}

static void watch_no_more(void)
{
	watch(EPOLL_CTL_DEL, fds[1]);
}

static int changing_watched_program(void *change)
{
	fds[0] = epoll_create1(0);
	fds[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[2] = socket(AF_UNIX, SOCK_STREAM, 0);
	watch(EPOLL_CTL_ADD, fds[1]);
	return victim((void (*)(void))change) == RESCUED ? 0 : 1;
}

TEST_F(open_files, epoll)
{
	EXPECT_RESCUED(watching_program);
	EXPECT_EQ(-SIGSEGV, child_run(changing_watched_program, change_watched));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(-SIGSEGV, child_run(changing_watched_program, watch_another));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(-SIGSEGV, child_run(changing_watched_program, watch_no_more));
	EXPECT_EQ(3, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(3, all_refused_since_mark());
}

/* A directory whose changes are signalled for as long as it is open. */
static int closing_watched(void *arg)
{
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY);

	CHECK(fd >= 0);
	if (fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT))
		_exit(4);
	return closing_one(fd);
}

TEST_F(open_files, watched_directory)
{
	int ended = child_run(closing_watched, NULL);

	if (ended == 4)
		SKIP(return, "no F_NOTIFY");
	EXPECT_EQ(-SIGSEGV, ended);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(1, all_refused_since_mark());
}

/*
 * A file is kept open only while it may have to be put back: the file system
 * that it is on can be unmounted then.
 */
static char mounted[64];
static uint32_t *inside_now;
static jmp_buf jump;

static char *make_mounted(void)
{
	strcpy(mounted, "/tmp/open_filesXXXXXX");
	return mkdtemp(mounted);
}

static void mount_and_open(void)
{
	char path[128];

	CHECK(!mount("tmpfs", mounted, "tmpfs", 0, NULL));
	snprintf(path, sizeof(path), "%s/file", mounted);
	file = open(path, O_RDWR | O_CREAT, 0600);
	CHECK(file >= 0);
}

static bool unmount(void)
{
	return !umount(mounted);
}

/* What ended with its process is let go some time later. */
static bool unmount_soon(void)
{
	int ms;

	for (ms = 0; ms < 10000; ms += 10) {
		if (unmount())
			return true;
		usleep(10000);
	}
	return false;
}

static void close_it(void)
{
	CHECK(!close(file));
}

static void close_and_wait(void)
{
	close_it();
	meet_signal(inside_now);
	meet_await(go_on);
}

static void close_and_exit(void)
{
	close_it();
	_exit(0);
}

static void close_and_execute(void)
{
	close_it();
	execl("/bin/sleep", "sleep", "60", NULL);
}

static void jump_out(void)
{
	longjmp(jump, 1);
}

static int returning_program(void *arg)
{
	mount_and_open();
	CHECK(returning_victim(close_it) == 1);
	CHECK(fcntl(file, F_GETFD) < 0);
	CHECK(unmount());
	return 0;
}

static int jumping_program(void *arg)
{
	/* From now on the kernel's own return address is known. */
	check_rescue(nothing);
	mount_and_open();
	if (!setjmp(jump))
		returning_victim(jump_out);
	CHECK(!close(file));
	CHECK(unmount());
	return 0;
}

static int refused_program(void *arg)
{
	mount_and_open();
	CHECK(victim(close_it) == RESCUED);
	CHECK(fcntl(file, F_GETFD) == 0);
	CHECK(!unmount());
	CHECK(!close(file));
	CHECK(unmount());
	return 0;
}

static int waiting_program(void *arg)
{
	mount_and_open();
	CHECK(returning_victim(close_and_wait) == 1);
	return 0;
}

static int exiting_program(void *arg)
{
	mount_and_open();
	returning_victim(close_and_exit);
	return 1;
}

static int executing_program(void *arg)
{
	mount_and_open();
	returning_victim(close_and_execute);
	return 1;
}

TEST_F(open_files, are_let_go)
{
	pid_t child;

	go_on = shared_memory(PAGE_SIZE);
	inside_now = go_on + 1;
	ASSERT_NE(NULL, make_mounted());
	EXPECT_EQ(0, child_run(returning_program, NULL));
	EXPECT_EQ(0, child_run(jumping_program, NULL));
	EXPECT_EQ(0, child_run(refused_program, NULL));

	/* By somebody who ends the call. */
	child = child_start(waiting_program, NULL);
	meet_await(inside_now);
	EXPECT_FALSE(unmount());
	EXPECT_EQ(0, rescue_point_delete("returning"));
	EXPECT_TRUE(unmount());
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(0, rmdir(mounted));
}

TEST_F(open_files, are_let_go_at_the_end)
{
	pid_t child;

	ASSERT_NE(NULL, make_mounted());
	EXPECT_EQ(0, child_run(exiting_program, NULL));
	EXPECT_TRUE(unmount_soon());
	child = child_start(executing_program, NULL);
	EXPECT_EQ(2, events_awaited(REASSURE_COUNTER_ABANDONED, 2));
	EXPECT_TRUE(unmount_soon());
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(-SIGKILL, child_wait(child));
	EXPECT_EQ(0, rmdir(mounted));
}

/*
 * A program that the call has finished writing is executed at once.  Nothing
 * crashes here.
 */
#define PROGRAM		"/tmp/reassure-program"

static long __noipa finishes(mode_t mode)
{
	pid_t child;
	int status;

	CHECK(!close(file));
	CHECK(!mode || !chmod(PROGRAM, mode));
	child = fork();
	if (!child) {
		execl(PROGRAM, PROGRAM, NULL);
		_exit(errno);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return WEXITSTATUS(status);
}

static int program_program(void *arg)
{
	static const char text[] = "#!/bin/sh\nexit 99\n";
	mode_t modes[] = { 0700, 0600 };
	int i;

	for (i = 0; i < 2; i++) {
		unlink(PROGRAM);
		file = open(PROGRAM, O_WRONLY | O_CREAT | O_CLOEXEC, modes[i]);
		CHECK(file >= 0);
		CHECK(write(file, text, sizeof(text) - 1) == sizeof(text) - 1);
		CHECK(finishes(i ? 0700 : 0) == 99);
	}
	unlink(PROGRAM);
	return 0;
}

TEST_F(open_files, closed_and_executed)
{
	const struct rescue_point rp = {
		.function = finishes,
		.name = "finishes",
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(program_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_COMMITS));
}

TEST_HARNESS_MAIN
