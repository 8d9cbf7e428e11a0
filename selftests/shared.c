// SPDX-License-Identifier: GPL-2.0
/*
 * Shared memory: a call that writes to it is refused, or what it wrote is left
 * or restored, as the rescue point says; whatever others write is neither
 * undone nor a reason to refuse.
 */
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define PAGES		8
#define SIZE		(PAGES * PAGE_SIZE)
#define HUGE_SIZE	(2UL << 20)

#define OLD		0x11
#define NEW		0x22
#define OTHER		0x33

#define MOUNT		"/tmp/reassure-shared"

/* One for each mode, so that they can alternate in a process. */
static long __noipa refusing(void (*inside)(void *arg), void *arg)
{
	inside(arg);
	touch_read(BAD_ADDRESS);
	return 1;
}

static long __noipa leaving(void (*inside)(void *arg), void *arg)
{
	inside(arg);
	touch_read(BAD_ADDRESS);
	return 2;
}

static long __noipa restoring(void (*inside)(void *arg), void *arg)
{
	inside(arg);
	touch_read(BAD_ADDRESS);
	return 3;
}

static int protect_all(void)
{
	static const struct rescue_point points[] = {
		{ .function = refusing, .name = "refusing",
		  .shared = TEST_SHARED_REFUSE },
		{ .function = leaving, .name = "leaving",
		  .shared = TEST_SHARED_LEAVE },
		{ .function = restoring, .name = "restoring",
		  .shared = TEST_SHARED_RESTORE },
	};
	int i, ret = 0;

	for (i = 0; !ret && i < 3; i++)
		ret = rescue_point_add(&points[i]);
	return ret;
}

static void read_all(void *arg)
{
	int i;

	for (i = 0; i < PAGES; i++)
		touch_read((char *)arg + i * PAGE_SIZE);
}

static void nothing(void *arg)
{
}

/* Ways of writing to the second page. */
static void write_plainly(void *arg)
{
	memory_fill((char *)arg + PAGE_SIZE, PAGE_SIZE, NEW);
}

static void read_and_write(void *arg)
{
	read_all(arg);
	write_plainly(arg);
}

static void source(int pair[2])
{
	char bytes[PAGE_SIZE];

	memory_fill(bytes, PAGE_SIZE, NEW);
	CHECK(!pipe2(pair, O_CLOEXEC));
	CHECK(write(pair[1], bytes, PAGE_SIZE) == PAGE_SIZE);
}

static void let_kernel_write(void *arg)
{
	int pair[2];

	source(pair);
	CHECK(read(pair[0], (char *)arg + PAGE_SIZE, PAGE_SIZE) == PAGE_SIZE);
}

/* Through get_user_pages(). */
static void write_by_pinning(void *arg)
{
	char bytes[PAGE_SIZE];
	struct iovec from = { bytes, PAGE_SIZE };
	struct iovec to = { (char *)arg + PAGE_SIZE, PAGE_SIZE };

	memory_fill(bytes, PAGE_SIZE, NEW);
	CHECK(process_vm_writev(getpid(), &from, 1, &to, 1, 0) == PAGE_SIZE);
}

/* The page is clean in between where the file system cares. */
static void write_and_sync(void *arg)
{
	write_plainly(arg);
	CHECK(!msync(arg, SIZE, MS_SYNC));
	write_plainly(arg);
}

/* The kernel gives the permission to write back without a fault. */
static void write_reprotected(void *arg)
{
	read_all(arg);
	CHECK(!mprotect(arg, SIZE, PROT_READ));
	CHECK(!mprotect(arg, SIZE, PROT_READ | PROT_WRITE));
	write_plainly(arg);
}

#define WAYS	6

static void (*const ways[WAYS])(void *arg) = {
	write_plainly, read_and_write, let_kernel_write, write_by_pinning,
	write_and_sync, write_reprotected,
};

/* Kinds of shared memory; each is a fresh one of SIZE bytes of zeros. */
static void *map_fd(int fd)
{
	void *start;

	CHECK(fd >= 0);
	CHECK(!ftruncate(fd, SIZE));
	start = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(start != MAP_FAILED);
	return start;
}

static void *map_anonymous(void)
{
	return shared_memory(SIZE);
}

static void *map_sysv(void)
{
	int id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
	void *start;

	CHECK(id >= 0);
	start = shmat(id, NULL, 0);
	CHECK(start != (void *)-1);
	shmctl(id, IPC_RMID, NULL);
	return start;
}

static void *map_memfd(void)
{
	return map_fd(memfd_create("shared", MFD_CLOEXEC));
}

static void *map_file_in(const char *folder)
{
	return map_fd(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

static void *map_tmpfs(void)
{
	return map_file_in("/dev/shm");
}

/* Of an overlay, which hands over a file of another file system. */
static void *map_overlay(void)
{
	char path[] = "/tmp/reassure-shared.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return map_fd(fd);
}

static void *map_disk(void)
{
	return map_file_in(MOUNT);
}

static char loop_device[32];

static bool attach_loop(int file)
{
	int control, loop, number;

	if (system("modprobe -q loop; modprobe -q ext4"))
		barrier();
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	number = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	snprintf(loop_device, sizeof(loop_device), "/dev/loop%d", number);
	loop = open(loop_device, O_RDWR | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_SET_FD, file))
		return false;
	close(loop);
	return true;
}

static void detach_loop(void)
{
	int loop = open(loop_device, O_RDWR | O_CLOEXEC);

	ioctl(loop, LOOP_CLR_FD);
	close(loop);
}

/* A file system that counts dirty pages and writes them back. */
static bool mount_disk(void)
{
	int file = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char command[128];

	if (file < 0 || ftruncate(file, 16 << 20) || !attach_loop(file))
		return false;
	close(file);
	snprintf(command, sizeof(command), "/sbin/mkfs.ext4 -q %s", loop_device);
	mkdir(MOUNT, 0700);
	return !system(command) && !mount(loop_device, MOUNT, "ext4", 0, NULL);
}

static void unmount_disk(void)
{
	umount2(MOUNT, MNT_DETACH);
	detach_loop();
	rmdir(MOUNT);
}

FIXTURE(kind)
{
};

FIXTURE_VARIANT(kind)
{
	void *(*map)(void);
};

FIXTURE_VARIANT_ADD(kind, anonymous)
{
	.map = map_anonymous,
};

FIXTURE_VARIANT_ADD(kind, sysv)
{
	.map = map_sysv,
};

FIXTURE_VARIANT_ADD(kind, memfd)
{
	.map = map_memfd,
};

FIXTURE_VARIANT_ADD(kind, tmpfs)
{
	.map = map_tmpfs,
};

FIXTURE_VARIANT_ADD(kind, overlay)
{
	.map = map_overlay,
};

FIXTURE_VARIANT_ADD(kind, disk)
{
	.map = map_disk,
};

FIXTURE_SETUP(kind)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, protect_all());
	if (variant->map == map_disk)
		ASSERT_TRUE(mount_disk());
}

FIXTURE_TEARDOWN(kind)
{
	test_end(_metadata->passed);
	if (variant->map == map_disk)
		unmount_disk();
}

/**
 * struct job - what a child does
 * @map: the kind of memory
 * @way: how the call writes to it
 * @forget: the process does not have the pages mapped when the call begins
 */
struct job {
	void *(*map)(void);
	void (*way)(void *arg);
	bool forget;
};

static unsigned char *map_filled(const struct job *job)
{
	unsigned char *start = job->map();

	memory_fill(start, SIZE, OLD);
	/* They stay in the file. */
	if (job->forget)
		CHECK(!madvise(start, SIZE, MADV_DONTNEED));
	return start;
}

static int refused_program(void *arg)
{
	const struct job *job = arg;

	refusing(job->way, map_filled(job));
	return 1;
}

TEST_F(kind, refuse)
{
	struct job job = { .map = variant->map };
	int i;

	for (i = 0; i < 2 * WAYS; i++) {
		job.way = ways[i / 2];
		job.forget = i % 2;
		EXPECT_EQ(-SIGSEGV, child_run(refused_program, &job))
			TH_LOG("way %d", i);
	}
	EXPECT_EQ(2 * WAYS, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(2 * WAYS, all_refused_since_mark());
}

/* What was written before, however often, and what is only read. */
static int harmless_program(void *arg)
{
	const struct job *job = arg;
	unsigned char *start = map_filled(job);
	int i;

	for (i = 0; i < 5; i++) {
		CHECK(refusing(read_all, start) == RESCUED);
		memory_fill(start, SIZE, OLD + i);
		CHECK(refusing(nothing, start) == RESCUED);
		CHECK(refusing(read_all, start) == RESCUED);
		CHECK(restoring(read_all, start) == RESCUED);
		CHECK(memory_holds(start, SIZE, OLD + i));
	}
	refusing(job->way, start);
	return 1;
}

TEST_F(kind, refuse_only_what_the_call_wrote)
{
	struct job job = { .map = variant->map };
	int i;

	for (i = 0; i < 2; i++) {
		job.way = ways[i];
		job.forget = i;
		EXPECT_EQ(-SIGSEGV, child_run(harmless_program, &job));
	}
	EXPECT_EQ(40, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(2, all_refused_since_mark());
}

static int left_program(void *arg)
{
	const struct job *job = arg;
	unsigned char *start = map_filled(job);

	CHECK(leaving(job->way, start) == RESCUED);
	CHECK(memory_holds(start, PAGE_SIZE, OLD));
	CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, NEW));
	CHECK(memory_holds(start + 2 * PAGE_SIZE, SIZE - 2 * PAGE_SIZE, OLD));
	return 0;
}

TEST_F(kind, leave)
{
	struct job job = { .map = variant->map };
	int i;

	for (i = 0; i < WAYS; i++) {
		job.way = ways[i];
		EXPECT_EQ(0, child_run(left_program, &job));
	}
	EXPECT_EQ(WAYS, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

static int restored_program(void *arg)
{
	const struct job *job = arg;
	unsigned char *start = map_filled(job);
	int i;

	for (i = 0; i < 3; i++) {
		CHECK(restoring(job->way, start) == RESCUED);
		CHECK(memory_holds(start, SIZE, OLD));
		memory_fill(start, 10, OLD);
	}
	return 0;
}

TEST_F(kind, restore)
{
	struct job job = { .map = variant->map };
	int i;

	for (i = 0; i < 2 * WAYS; i++) {
		job.way = ways[i / 2];
		job.forget = i % 2;
		EXPECT_EQ(0, child_run(restored_program, &job))
			TH_LOG("way %d", i);
	}
	EXPECT_EQ(6 * WAYS, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_LE(6 * WAYS, events_since_mark(REASSURE_COUNTER_PAGES_RESTORED));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Files of which nothing was ever written are zero again. */
static int hole_program(void *arg)
{
	const struct job *job = arg;
	unsigned char *start = job->map();

	CHECK(restoring(write_plainly, start) == RESCUED);
	CHECK(memory_holds(start, SIZE, 0));
	return 0;
}

TEST_F(kind, restore_a_hole)
{
	struct job job = { .map = variant->map };

	EXPECT_EQ(0, child_run(hole_program, &job));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* What counts is the mode of the call that is open. */
static int alternating_program(void *arg)
{
	const struct job *job = arg;
	unsigned char *start = map_filled(job);
	int i;

	for (i = 0; i < 4; i++) {
		CHECK(leaving(write_plainly, start) == RESCUED);
		CHECK(leaving(write_plainly, start) == RESCUED);
		CHECK(refusing(read_all, start) == RESCUED);
		CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, NEW));
		memory_fill(start, SIZE, OLD);
		CHECK(restoring(read_and_write, start) == RESCUED);
		CHECK(memory_holds(start, SIZE, OLD));
		CHECK(leaving(write_plainly, start) == RESCUED);
		CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, NEW));
		memory_fill(start, SIZE, OLD);
		CHECK(restoring(write_plainly, start) == RESCUED);
		CHECK(restoring(write_plainly, start) == RESCUED);
		CHECK(memory_holds(start, SIZE, OLD));
		CHECK(refusing(nothing, start) == RESCUED);
	}
	CHECK(leaving(write_plainly, start) == RESCUED);
	refusing(job->way, start);
	return 1;
}

TEST_F(kind, modes_alternate)
{
	struct job job = { .map = variant->map };
	int i;

	for (i = 0; i < 2; i++) {
		job.way = ways[i];
		EXPECT_EQ(-SIGSEGV, child_run(alternating_program, &job));
	}
	EXPECT_EQ(2 * 33, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(2, all_refused_since_mark());
}

/*
 * Another process, which does as it is told while a call is open.  It is told
 * through pipes: the call must not write to shared memory for it.
 */
struct other {
	unsigned char *start;
	int ask[2];
	int answer[2];
	pid_t pid;
};

/* Writes OTHER to the pages whose numbers it reads. */
static int other_process(void *arg)
{
	struct other *other = arg;
	unsigned char page;

	close(other->ask[1]);
	while (read(other->ask[0], &page, 1) == 1) {
		memory_fill(other->start + page * PAGE_SIZE, PAGE_SIZE, OTHER);
		CHECK(write(other->answer[1], &page, 1) == 1);
	}
	return 0;
}

static void other_start(struct other *other)
{
	CHECK(!pipe2(other->ask, O_CLOEXEC) && !pipe2(other->answer, O_CLOEXEC));
	other->pid = child_start(other_process, other);
	close(other->ask[0]);
}

static void other_writes(struct other *other, unsigned char page)
{
	CHECK(write(other->ask[1], &page, 1) == 1);
	CHECK(read(other->answer[0], &page, 1) == 1);
}

static void other_end(struct other *other)
{
	close(other->ask[1]);
	CHECK(!child_wait(other->pid));
}

static void let_other_write(void *arg)
{
	struct other *other = arg;

	read_all(other->start);
	other_writes(other, 3);
	other_writes(other, 4);
}

static void write_both(void *arg)
{
	struct other *other = arg;

	write_plainly(other->start);
	other_writes(other, 3);
	/* Not the page that this process wrote to: that is undone whole. */
	read_all(other->start);
	other_writes(other, 4);
}

static void other_wrote(const struct other *other, unsigned char here)
{
	unsigned char *start = other->start;

	CHECK(memory_holds(start, PAGE_SIZE, OLD));
	CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, here));
	CHECK(memory_holds(start + 2 * PAGE_SIZE, PAGE_SIZE, OLD));
	CHECK(memory_holds(start + 3 * PAGE_SIZE, 2 * PAGE_SIZE, OTHER));
	CHECK(memory_holds(start + 5 * PAGE_SIZE, SIZE - 5 * PAGE_SIZE, OLD));
	memory_fill(start, SIZE, OLD);
}

static int with_other_program(void *arg)
{
	const struct job *job = arg;
	struct other other = { .start = map_filled(job) };

	other_start(&other);
	CHECK(refusing(let_other_write, &other) == RESCUED);
	other_wrote(&other, OLD);
	CHECK(restoring(let_other_write, &other) == RESCUED);
	other_wrote(&other, OLD);
	CHECK(restoring(write_both, &other) == RESCUED);
	other_wrote(&other, OLD);
	CHECK(leaving(write_both, &other) == RESCUED);
	other_wrote(&other, NEW);
	other_end(&other);
	return 0;
}

TEST_F(kind, another_process_writes)
{
	struct job job = { .map = variant->map };

	EXPECT_EQ(0, child_run(with_other_program, &job));
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Both are inside, of one or of different modes. */
static void (*inner)(void *arg);

static int inside_too(void *arg)
{
	unsigned char *start = arg;

	CHECK(refusing(read_all, start) == RESCUED);
	CHECK(restoring(inner, start) == RESCUED);
	CHECK(leaving(inner, start + 2 * PAGE_SIZE) == RESCUED);
	refusing(inner, start);
	return 1;
}

static void let_other_be_inside(void *arg)
{
	read_all(arg);
	CHECK(child_run(inside_too, arg) == -SIGSEGV);
	read_all(arg);
}

static void write_while_other_is_inside(void *arg)
{
	unsigned char *start = arg;

	memory_fill(start + 4 * PAGE_SIZE, PAGE_SIZE, NEW);
	let_other_be_inside(arg);
	memory_fill(start + 5 * PAGE_SIZE, PAGE_SIZE, NEW);
}

static int both_program(void *arg)
{
	const struct job *job = arg;
	unsigned char *start = map_filled(job);
	int i;

	for (i = 0; i < 2; i++) {
		CHECK((i ? restoring(write_while_other_is_inside, start) :
			   refusing(let_other_be_inside, start)) == RESCUED);
		/* The last call of the other was refused, and died. */
		CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, NEW));
		CHECK(memory_holds(start + 3 * PAGE_SIZE, PAGE_SIZE, NEW));
		CHECK(memory_holds(start + 4 * PAGE_SIZE, 4 * PAGE_SIZE, OLD));
		memory_fill(start, SIZE, OLD);
	}
	return 0;
}

TEST_F(kind, both_are_inside)
{
	struct job job = { .map = variant->map };

	inner = write_plainly;
	EXPECT_EQ(0, child_run(both_program, &job));
	EXPECT_EQ(8, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(2, all_refused_since_mark());
}

/* A child inherits what is protected, and what is not. */
static int inheriting_program(void *arg)
{
	const struct job *job = arg;
	unsigned char *start = map_filled(job);

	CHECK(refusing(read_all, start) == RESCUED);
	memory_fill(start, PAGE_SIZE, OLD);
	CHECK(child_run(inside_too, start) == -SIGSEGV);
	CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, NEW));
	memory_fill(start, SIZE, OLD);
	CHECK(refusing(read_all, start) == RESCUED);
	CHECK(restoring(write_plainly, start) == RESCUED);
	CHECK(memory_holds(start, SIZE, OLD));
	return 0;
}

TEST_F(kind, inherited)
{
	struct job job = { .map = variant->map };

	inner = write_plainly;
	EXPECT_EQ(0, child_run(inheriting_program, &job));
	EXPECT_EQ(6, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* What a rollback does to mappings leaves no page writable. */
static void reprotect(void *arg)
{
	read_all(arg);
	CHECK(!mprotect(arg, SIZE, PROT_READ));
}

static void move(void *arg)
{
	read_all(arg);
	CHECK(mremap(arg, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     private_memory(SIZE)) != MAP_FAILED);
}

static void move_and_write(void *arg)
{
	void *to = private_memory(SIZE);

	CHECK(mremap(arg, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	write_plainly(to);
}

static int rearranging_program(void *arg)
{
	const struct job *job = arg;
	unsigned char *start = map_filled(job);

	CHECK(refusing(job->way, start) == RESCUED);
	CHECK(restoring(read_and_write, start) == RESCUED);
	CHECK(memory_holds(start, SIZE, OLD));
	CHECK(restoring(job->way, start) == RESCUED);
	CHECK(restoring(write_plainly, start) == RESCUED);
	CHECK(leaving(job->way, start) == RESCUED);
	CHECK(restoring(write_plainly, start) == RESCUED);
	CHECK(memory_holds(start, SIZE, OLD));
	/* The page, which was protected, comes back writable. */
	CHECK(refusing(nothing, start) == RESCUED);
	CHECK(leaving(move_and_write, start) == RESCUED);
	CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, NEW));
	memory_fill(start + PAGE_SIZE, PAGE_SIZE, OLD);
	CHECK(restoring(write_plainly, start) == RESCUED);
	CHECK(memory_holds(start, SIZE, OLD));
	CHECK(leaving(job->way, start) == RESCUED);
	refusing(write_plainly, start);
	return 1;
}

TEST_F(kind, rearranged_inside)
{
	struct job job = { .map = variant->map };

	job.way = reprotect;
	EXPECT_EQ(-SIGSEGV, child_run(rearranging_program, &job));
	job.way = move;
	EXPECT_EQ(-SIGSEGV, child_run(rearranging_program, &job));
	EXPECT_EQ(20, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(2, all_refused_since_mark());
}

/* What was written to and changes its place, or has done so. */
static void write_and_move(void *arg)
{
	write_plainly(arg);
	move(arg);
}

static void write_and_reprotect(void *arg)
{
	write_plainly(arg);
	reprotect(arg);
}

static int not_restored_program(void *arg)
{
	const struct job *job = arg;

	restoring(job->way, map_filled(job));
	return 1;
}

TEST_F(kind, written_and_rearranged)
{
	static void (*const both[])(void *arg) = {
		write_and_move, move_and_write, write_and_reprotect,
	};
	struct job job = { .map = variant->map };
	int i;

	for (i = 0; i < 3; i++) {
		job.way = both[i];
		EXPECT_EQ(-SIGSEGV, child_run(refused_program, &job));
		EXPECT_EQ(-SIGSEGV, child_run(not_restored_program, &job));
	}
	EXPECT_EQ(6, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(6, all_refused_since_mark());
}

FIXTURE(shared)
{
};

FIXTURE_SETUP(shared)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, protect_all());
}

FIXTURE_TEARDOWN(shared)
{
	test_end(_metadata->passed);
}

/* Who says nothing gets the safe one. */
static long __noipa unsaid(void (*inside)(void *arg), void *arg)
{
	inside(arg);
	touch_read(BAD_ADDRESS);
	return 4;
}

static int default_program(void *arg)
{
	unsigned char *start = shared_memory(SIZE);

	memory_fill(start, SIZE, OLD);
	CHECK(unsaid(read_all, start) == RESCUED);
	unsaid(write_plainly, start);
	return 1;
}

TEST_F(shared, is_refused_by_default)
{
	struct rescue_point rp = {
		.function = unsaid,
		.shared = TEST_SHARED_UNSAID,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(default_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Calls that write and return are not harmed, and private memory is. */
static long __noipa returning(unsigned char *start)
{
	start[PAGE_SIZE]++;
	start[3 * PAGE_SIZE]++;
	return 5;
}

static int returning_program(void *arg)
{
	unsigned char *start = shared_memory(SIZE);
	int i;

	for (i = 1; i < 100; i++) {
		CHECK(returning(start) == 5);
		CHECK(start[PAGE_SIZE] == i && start[3 * PAGE_SIZE] == i);
	}
	return 0;
}

TEST_F(shared, calls_return)
{
	struct rescue_point rp = { .function = returning };
	int i;

	for (i = TEST_SHARED_LEAVE; i <= TEST_SHARED_RESTORE; i++) {
		rp.shared = i;
		ASSERT_EQ(0, rescue_point_add(&rp));
		EXPECT_EQ(0, child_run(returning_program, NULL));
		ASSERT_EQ(0, rescue_point_delete("test"));
	}
	EXPECT_EQ(3 * 99, events_since_mark(REASSURE_COUNTER_COMMITS));
}

/* Then the disk has what a rescue takes back, and the page is clean. */
static void write_to_disk(void *arg)
{
	write_plainly(arg);
	CHECK(!msync(arg, SIZE, MS_SYNC));
}

static int durable_program(void *arg)
{
	int fd = open(MOUNT "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unsigned char *start = map_fd(fd);
	unsigned char bytes[PAGE_SIZE];

	memory_fill(start, SIZE, OLD);
	CHECK(!msync(start, SIZE, MS_SYNC));
	CHECK(restoring(write_to_disk, start) == RESCUED);
	CHECK(memory_holds(start, SIZE, OLD));
	CHECK(!fsync(fd));
	CHECK(!munmap(start, SIZE));
	CHECK(!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	CHECK(pread(fd, bytes, PAGE_SIZE, PAGE_SIZE) == PAGE_SIZE);
	CHECK(memory_holds(bytes, PAGE_SIZE, OLD));
	return 0;
}

TEST_F(shared, is_restored_on_disk)
{
	ASSERT_TRUE(mount_disk());
	EXPECT_EQ(0, child_run(durable_program, NULL));
	unmount_disk();
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* A write that the kernel did not allow is none. */
static void write_behind_the_end(void *arg)
{
	touch_write((char *)arg + SIZE - 1);
}

static int short_file_program(void *arg)
{
	int fd = memfd_create("shared", MFD_CLOEXEC);
	unsigned char *start = map_fd(fd);

	CHECK(!ftruncate(fd, PAGE_SIZE));
	CHECK(refusing(write_behind_the_end, start) == RESCUED);
	CHECK(restoring(write_behind_the_end, start) == RESCUED);
	return 0;
}

TEST_F(shared, a_failed_write_is_none)
{
	EXPECT_EQ(0, child_run(short_file_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* One page at two addresses: only the first image is that of the entry. */
static void write_in_turn(void *arg)
{
	unsigned char **at = arg;
	int i;

	for (i = 0; i < 3; i++) {
		memory_fill(at[0] + i * PAGE_SIZE, PAGE_SIZE, NEW);
		memory_fill(at[1] + i * PAGE_SIZE, PAGE_SIZE, OTHER);
	}
	/* As at the entry, so that comparing tells nothing. */
	memory_fill(at[1] + 3 * PAGE_SIZE, PAGE_SIZE, NEW);
	memory_fill(at[0] + 3 * PAGE_SIZE, PAGE_SIZE, OLD);
}

static int twice_program(void *arg)
{
	int fd = memfd_create("shared", MFD_CLOEXEC);
	unsigned char *at[2] = { map_fd(fd), map_fd(fd) };
	int i;

	for (i = 0; i < 3; i++) {
		memory_fill(at[0], SIZE, OLD);
		CHECK(restoring(write_in_turn, at) == RESCUED);
		CHECK(memory_holds(at[0], SIZE, OLD) && memory_holds(at[1], SIZE, OLD));
	}
	return 0;
}

TEST_F(shared, mapped_twice)
{
	EXPECT_EQ(0, child_run(twice_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Mapped by the call itself, onto memory that there was before. */
static int file;

static void map_and_read(void *arg)
{
	void *start = map_fd(file);

	read_all(start);
}

static void map_and_write(void *arg)
{
	read_and_write(map_fd(file));
}

static void map_write_and_unmap(void *arg)
{
	void *start = map_fd(file);

	write_plainly(start);
	CHECK(!munmap(start, SIZE));
}

static int mapping_program(void *arg)
{
	long (*const victim)(void (*inside)(void *arg), void *arg) = arg;
	unsigned char bytes[SIZE];

	file = memfd_create("shared", MFD_CLOEXEC);
	memory_fill(bytes, SIZE, OLD);
	CHECK(write(file, bytes, SIZE) == SIZE);
	CHECK(victim(map_and_read, NULL) == RESCUED);
	CHECK(leaving(map_and_write, NULL) == RESCUED);
	victim(inner, NULL);
	return 1;
}

TEST_F(shared, mapped_inside)
{
	inner = map_and_write;
	EXPECT_EQ(-SIGSEGV, child_run(mapping_program, refusing));
	EXPECT_EQ(-SIGSEGV, child_run(mapping_program, restoring));
	inner = map_write_and_unmap;
	EXPECT_EQ(-SIGSEGV, child_run(mapping_program, refusing));
	EXPECT_EQ(-SIGSEGV, child_run(mapping_program, restoring));
	EXPECT_EQ(8, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(4, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(4, all_refused_since_mark());
}

/*
 * A read that fails maps what is around: as a read, which nobody sees
 * succeed.
 */
#define AROUND_SIZE	65536UL

static void map_read_behind_and_write(void *arg)
{
	unsigned char *start = arg;
	int pair[2];

	CHECK(mmap(start, 2 * SIZE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0) == start);
	CHECK(!pipe2(pair, O_CLOEXEC));
	/* One fault: a second would see what the first has mapped. */
	CHECK(ioctl(pair[0], FIONBIO, start + SIZE) < 0 && errno == EFAULT);
	write_plainly(start);
}

static int reading_behind_program(void *arg)
{
	long (*const victim)(void (*inside)(void *arg), void *arg) = arg;
	unsigned char *start = private_memory(2 * AROUND_SIZE);
	unsigned char bytes[SIZE];

	CHECK(!munmap(start, 2 * AROUND_SIZE));
	start += -(unsigned long)start % AROUND_SIZE;
	file = memfd_create("shared", MFD_CLOEXEC);
	memory_fill(bytes, SIZE, OLD);
	CHECK(write(file, bytes, SIZE) == SIZE);
	victim(map_read_behind_and_write, start);
	return 1;
}

TEST_F(shared, mapped_around_a_failed_read)
{
	EXPECT_EQ(-SIGSEGV, child_run(reading_behind_program, refusing));
	EXPECT_EQ(-SIGSEGV, child_run(reading_behind_program, restoring));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(2, all_refused_since_mark());
}

/* A neighbour of the same file is merged with what was protected. */
static void map_neighbour_and_write(void *arg)
{
	unsigned char *start = arg;

	read_all(start);
	CHECK(mmap(start + SIZE, SIZE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, file, SIZE) != MAP_FAILED);
	read_all(start + SIZE);
	write_plainly(start + SIZE);
}

static int merging_program(void *arg)
{
	unsigned char *start;

	file = memfd_create("shared", MFD_CLOEXEC);
	CHECK(!ftruncate(file, 2 * SIZE));
	start = private_memory(2 * SIZE);
	CHECK(!munmap(start, 2 * SIZE));
	CHECK(mmap(start, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   file, 0) == start);
	memory_fill(start, SIZE, OLD);
	CHECK(refusing(read_all, start) == RESCUED);
	refusing(map_neighbour_and_write, start);
	return 1;
}

TEST_F(shared, merged_inside)
{
	EXPECT_EQ(-SIGSEGV, child_run(merging_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Between calls a program may do what it likes with its mappings. */
static int moving_program(void *arg)
{
	unsigned char *start = shared_memory(2 * SIZE);
	unsigned char *moved;

	memory_fill(start, 2 * SIZE, OLD);
	CHECK(refusing(read_all, start) == RESCUED);
	memory_fill(start, 2 * SIZE, OLD);
	CHECK(!mprotect(start, SIZE, PROT_READ));
	CHECK(!mprotect(start, SIZE, PROT_READ | PROT_WRITE));
	CHECK(restoring(write_plainly, start) == RESCUED);
	CHECK(memory_holds(start, 2 * SIZE, OLD));
	memory_fill(start, 2 * SIZE, OLD);
	moved = mremap(start, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       private_memory(SIZE));
	CHECK(moved != MAP_FAILED);
	CHECK(restoring(read_and_write, moved) == RESCUED);
	CHECK(memory_holds(moved, SIZE, OLD));
	CHECK(!mprotect(moved, SIZE, PROT_NONE));
	CHECK(!mprotect(moved, SIZE, PROT_READ | PROT_WRITE));
	refusing(write_plainly, moved);
	return 1;
}

TEST_F(shared, mappings_change_between_calls)
{
	EXPECT_EQ(-SIGSEGV, child_run(moving_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(1, all_refused_since_mark());
}

static void remove_page(void *arg)
{
	CHECK(!madvise((char *)arg + PAGE_SIZE, PAGE_SIZE, MADV_REMOVE));
}

static int removing_program(void *arg)
{
	long (*const victim)(void (*inside)(void *arg), void *arg) = arg;
	unsigned char *start = shared_memory(SIZE);

	memory_fill(start, SIZE, OLD);
	CHECK(victim(remove_page, start) == RESCUED);
	CHECK(memory_holds(start, PAGE_SIZE, OLD));
	CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, 0));
	return 0;
}

TEST_F(shared, content_removed)
{
	EXPECT_EQ(-SIGSEGV, child_run(removing_program, refusing));
	EXPECT_EQ(-SIGSEGV, child_run(removing_program, restoring));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(0, child_run(removing_program, leaving));
	EXPECT_EQ(2, all_refused_since_mark());
}

/* A debugger's reading maps pages for the process, which it then writes to. */
static int asked[2], answered[2];

static void be_read_and_write(void *arg)
{
	char byte = 0;

	CHECK(write(asked[1], &byte, 1) == 1);
	CHECK(read(answered[0], &byte, 1) == 1);
	if (!byte)
		write_plainly(arg);
}

static int read_program(void *arg)
{
	refusing(be_read_and_write, arg);
	return 1;
}

static void meet_reader(struct __test_metadata *_metadata, bool writes)
{
	unsigned char *start = shared_memory(SIZE), bytes[SIZE];
	struct iovec remote = { start, SIZE }, local = { bytes, SIZE };
	char byte = writes;
	pid_t child;

	ASSERT_EQ(0, pipe2(asked, O_CLOEXEC) | pipe2(answered, O_CLOEXEC));
	memory_fill(start, SIZE, OLD);
	memory_fill(bytes, SIZE, OTHER);
	child = child_start(read_program, start);
	ASSERT_EQ(1, read(asked[0], &byte, 1));
	EXPECT_EQ((ssize_t)SIZE, writes ?
		  process_vm_writev(child, &local, 1, &remote, 1, 0) :
		  process_vm_readv(child, &local, 1, &remote, 1, 0));
	byte = writes;
	ASSERT_EQ(1, write(answered[1], &byte, 1));
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_TRUE(memory_holds(start, PAGE_SIZE, writes ? OTHER : OLD));
}

TEST_F(shared, read_by_a_debugger)
{
	meet_reader(_metadata, false);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(1, all_refused_since_mark());
}

TEST_F(shared, written_by_a_debugger)
{
	meet_reader(_metadata, true);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_FOREIGN));
	EXPECT_EQ(1, all_refused_since_mark());
}

/*
 * Or it is on its way through these pages when the call begins; what it has
 * itself at their addresses is no affair of the call's.
 */
#define FAR_SIZE	(1024 * PAGE_SIZE)

static struct {
	uint32_t ready, begun, done;
} *way;

static void await_done(void *arg)
{
	while (!__atomic_load_n(&way->done, __ATOMIC_ACQUIRE))
		sched_yield();
}

static int written_far_program(void *start)
{
	CHECK(restoring(nothing, NULL) == RESCUED);
	memory_fill(start, FAR_SIZE, OLD);
	meet_signal(&way->ready);
	while (!__atomic_load_n(&way->begun, __ATOMIC_ACQUIRE))
		sched_yield();
	return restoring(await_done, NULL) == RESCUED ? 0 : 1;
}

static void meet_writer_on_its_way(struct __test_metadata *_metadata)
{
	int fd = memfd_create("shared", MFD_CLOEXEC), ended;
	unsigned char *start = private_memory(FAR_SIZE), *view;
	uint32_t begun = 1;
	struct iovec local[2] = {
		{ &begun, sizeof(begun) },
		{ private_memory(FAR_SIZE), FAR_SIZE },
	};
	struct iovec remote[2] = {
		{ &way->begun, sizeof(begun) },
		{ start, FAR_SIZE },
	};
	pid_t child;

	memset(way, 0, sizeof(*way));
	ASSERT_EQ(0, ftruncate(fd, FAR_SIZE));
	view = mmap(NULL, FAR_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_EQ(start, mmap(start, FAR_SIZE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_FIXED, fd, 0));
	child = child_start(written_far_program, start);
	ASSERT_EQ(start, mmap(start, FAR_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	memory_fill(start, FAR_SIZE, OTHER);
	memory_fill(local[1].iov_base, FAR_SIZE, NEW);
	meet_await(&way->ready);
	EXPECT_EQ((ssize_t)(sizeof(begun) + FAR_SIZE),
		  process_vm_writev(child, local, 2, remote, 2, 0));
	meet_signal(&way->done);
	ended = child_wait(child);
	EXPECT_TRUE(!ended || ended == -SIGSEGV);
	EXPECT_TRUE(memory_holds(view, FAR_SIZE, NEW));
	munmap(local[1].iov_base, FAR_SIZE);
	munmap(start, FAR_SIZE);
	munmap(view, FAR_SIZE);
	close(fd);
}

TEST_F(shared, written_by_another_on_its_way)
{
	int i;

	way = shared_memory(PAGE_SIZE);
	for (i = 0; i < 8; i++)
		meet_writer_on_its_way(_metadata);
}

/* More than the log may hold. */
static void write_all(void *arg)
{
	memory_fill(arg, SIZE, NEW);
}

static int limited_program(void *arg)
{
	unsigned char *start = shared_memory(SIZE);

	memory_fill(start, SIZE, OLD);
	restoring(write_all, start);
	return 1;
}

TEST_F(shared, beyond_the_limit)
{
	static const char path[] = "/sys/module/reassure/parameters/log_pages";
	char before[32];

	ASSERT_EQ(0, read_text(path, before, sizeof(before)));
	ASSERT_EQ(0, write_text(path, "6"));
	EXPECT_EQ(-SIGSEGV, child_run(limited_program, NULL));
	ASSERT_EQ(0, write_text(path, before));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_LIMIT));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Where nobody watches, nothing faults. */
#define MANY	256

static long faults_of_writing(unsigned char *start)
{
	struct rusage before, after;
	int i;

	getrusage(RUSAGE_SELF, &before);
	for (i = 0; i < MANY; i++)
		touch_write(start + i * PAGE_SIZE);
	getrusage(RUSAGE_SELF, &after);
	return after.ru_minflt - before.ru_minflt;
}

static int faulting_program(void *arg)
{
	unsigned char *start = shared_memory(MANY * PAGE_SIZE);
	int i;

	memory_fill(start, MANY * PAGE_SIZE, OLD);
	for (i = 0; i < 4; i++) {
		CHECK(leaving(nothing, NULL) == RESCUED);
		CHECK(faults_of_writing(start) < MANY / 8);
	}
	CHECK(refusing(nothing, NULL) == RESCUED);
	CHECK(faults_of_writing(start) >= MANY);
	CHECK(leaving(nothing, NULL) == RESCUED);
	CHECK(faults_of_writing(start) < MANY / 8);
	return 0;
}

TEST_F(shared, leave_costs_nothing)
{
	EXPECT_EQ(0, child_run(faulting_program, NULL));
}

/*
 * Migration maps pages anew while the call is open, and must not give back the
 * write permission.
 */
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

static uint64_t frame(const void *address)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	CHECK(pread(fd, &entry, sizeof(entry), (unsigned long)address /
		    PAGE_SIZE * sizeof(entry)) == sizeof(entry));
	close(fd);
	return entry << 9 >> 9;
}

/* Another process does it, as kcompactd would. */
static int migrate(void *arg)
{
	char *page = (char *)arg + PAGE_SIZE;

	touch_read(page);
	return madvise(page, PAGE_SIZE, MADV_SOFT_OFFLINE) ? errno : 0;
}

static void be_migrated_and_write(void *arg)
{
	char *page = (char *)arg + PAGE_SIZE;
	uint64_t before;

	touch_read(page);
	before = frame(page);
	CHECK(!child_run(migrate, arg));
	/* Or this tests nothing. */
	CHECK(before && frame(page) && before != frame(page));
	write_plainly(arg);
}

static int migrated_program(void *arg)
{
	unsigned char *start = shared_memory(SIZE);

	memory_fill(start, SIZE, OLD);
	CHECK(restoring(be_migrated_and_write, start) == RESCUED);
	CHECK(memory_holds(start, SIZE, OLD));
	refusing(be_migrated_and_write, start);
	return 1;
}

TEST_F(shared, migrated_inside)
{
	if (child_run(migrate, shared_memory(SIZE)) == EINVAL)
		SKIP(return, "the kernel has no memory failure handling");
	EXPECT_EQ(-SIGSEGV, child_run(migrated_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Huge pages of tmpfs. */
static long huge_kilobytes(void)
{
	FILE *maps = fopen("/proc/self/smaps_rollup", "re");
	long size = 0, found = 0;
	char line[256];

	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "ShmemPmdMapped: %ld", &size) == 1)
			found += size;
	fclose(maps);
	return found;
}

static unsigned char *map_huge_shared(void)
{
	unsigned char *start = private_memory(3 * HUGE_SIZE);

	start = (void *)(((unsigned long)start + HUGE_SIZE - 1) &
			 ~(HUGE_SIZE - 1));
	CHECK(mmap(start, 2 * HUGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == start);
	CHECK(!madvise(start, 2 * HUGE_SIZE, MADV_HUGEPAGE));
	memory_fill(start, 2 * HUGE_SIZE, OLD);
	CHECK(huge_kilobytes() >= 2048);
	return start;
}

static int huge_program(void *arg)
{
	unsigned char *start = map_huge_shared();
	int i;

	for (i = 0; i < 3; i++) {
		CHECK(refusing(read_all, start) == RESCUED);
		CHECK(restoring(read_and_write, start) == RESCUED);
		CHECK(memory_holds(start, 2 * HUGE_SIZE, OLD));
		CHECK(leaving(write_plainly, start) == RESCUED);
		CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, NEW));
		memory_fill(start, 2 * HUGE_SIZE, OLD);
		/* The first write makes all of them writable. */
		CHECK(restoring(write_all, start) == RESCUED);
		CHECK(memory_holds(start, 2 * HUGE_SIZE, OLD));
		CHECK(restoring(let_kernel_write, start + HUGE_SIZE) == RESCUED);
		CHECK(memory_holds(start, 2 * HUGE_SIZE, OLD));
		CHECK(refusing(nothing, start) == RESCUED);
		/* Of which this process has nothing mapped. */
		CHECK(!madvise(start, 2 * HUGE_SIZE, MADV_DONTNEED));
		CHECK(restoring(read_and_write, start) == RESCUED);
		CHECK(memory_holds(start, 2 * HUGE_SIZE, OLD));
		CHECK(!madvise(start, 2 * HUGE_SIZE, MADV_DONTNEED));
		CHECK(restoring(write_plainly, start) == RESCUED);
		CHECK(memory_holds(start, 2 * HUGE_SIZE, OLD));
	}
	refusing(arg, start);
	return 1;
}

TEST_F(shared, in_huge_pages)
{
	static const char path[] =
		"/sys/kernel/mm/transparent_hugepage/shmem_enabled";
	int i;

	ASSERT_EQ(0, write_text(path, "advise"));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-SIGSEGV, child_run(huge_program, ways[i]));
	write_text(path, "never");
	EXPECT_EQ(2 * 24, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(2, all_refused_since_mark());
}

/* Nobody can watch these cheaply, so calls that should are refused. */
static int hugetlb_program(void *arg)
{
	long (*const victim)(void (*inside)(void *arg), void *arg) = arg;
	unsigned char *start;

	start = mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	CHECK(start != MAP_FAILED);
	memory_fill(start, SIZE, OLD);
	CHECK(victim(write_plainly, start) == RESCUED);
	CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, NEW));
	return 0;
}

/* When it is gone, calls are watched again. */
static int hugetlb_gone_program(void *arg)
{
	unsigned char *start;

	start = mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	CHECK(start != MAP_FAILED);
	memory_fill(start, SIZE, OLD);
	CHECK(leaving(nothing, NULL) == RESCUED);
	CHECK(returning(start) == 5);
	CHECK(!munmap(start, HUGE_SIZE));
	CHECK(refusing(nothing, NULL) == RESCUED);
	return 0;
}

static void map_hugetlb(void *arg)
{
	char *start;

	start = mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	CHECK(start != MAP_FAILED);
	touch_write(start);
	if (arg)
		CHECK(!munmap(start, HUGE_SIZE));
}

static int hugetlb_inside_program(void *arg)
{
	CHECK(leaving(map_hugetlb, arg) == RESCUED);
	refusing(map_hugetlb, arg);
	return 1;
}

TEST_F(shared, of_hugetlb)
{
	struct rescue_point rp = {
		.function = returning,
		.shared = TEST_SHARED_REFUSE,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, write_text("/proc/sys/vm/nr_hugepages", "2"));
	EXPECT_EQ(-SIGSEGV, child_run(hugetlb_program, refusing));
	EXPECT_EQ(-SIGSEGV, child_run(hugetlb_program, restoring));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_HUGETLB));
	EXPECT_EQ(0, child_run(hugetlb_program, leaving));
	EXPECT_EQ(0, child_run(hugetlb_gone_program, NULL));
	EXPECT_EQ(-SIGSEGV, child_run(hugetlb_inside_program, NULL));
	EXPECT_EQ(-SIGSEGV, child_run(hugetlb_inside_program, &rp));
	write_text("/proc/sys/vm/nr_hugepages", "0");
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(4, refused_since_mark(REASSURE_REFUSED_HUGETLB));
	EXPECT_EQ(4, all_refused_since_mark());
}

/* Memory that the kernel itself cannot read: what was there is not kept. */
typedef long call_function(void (*inside)(void *arg), void *arg);

static int secret_program(void *arg)
{
	call_function *call = arg;
	int fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	unsigned char *start;

	if (fd < 0)
		_exit(4);
	start = map_fd(fd);
	memory_fill(start, SIZE, OLD);
	CHECK(call(read_all, start) == RESCUED);
	CHECK(call(write_plainly, start) == RESCUED);
	CHECK(memory_holds(start + PAGE_SIZE, PAGE_SIZE, NEW));
	return 0;
}

TEST_F(shared, of_memfd_secret)
{
	int ended = child_run(secret_program, leaving);

	if (ended == 4)
		SKIP(return, "no memfd_secret(); see secretmem.enable");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(-SIGSEGV, child_run(secret_program, refusing));
	EXPECT_EQ(-SIGSEGV, child_run(secret_program, restoring));
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SHARED));
	EXPECT_EQ(2, all_refused_since_mark());
}

TEST_HARNESS_MAIN
