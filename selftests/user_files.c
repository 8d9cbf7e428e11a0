// SPDX-License-Identifier: GPL-2.0
/*
 * Files of a file system in user space (FUSE), whose server looks at the
 * mappings of who asks before it answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define PAGES		8
#define SIZE		(PAGES * PAGE_SIZE)

#define OLD		0x11
#define NEW		0x22

#define MOUNT		"/tmp/reassure-user-files"

#define FILE_NODE	2
#define MAX_WRITE	(16 * PAGE_SIZE)

/*
 * What the server shares with the programs: how often it was asked to read, and
 * whether it is to see then that the module cannot be unloaded.
 */
static uint32_t *reads, *unload;

/* The server's. */
static int device;
static unsigned char content[SIZE];
static union {
	struct fuse_in_header header;
	unsigned char bytes[MAX_WRITE + FUSE_MIN_READ_BUFFER];
} request;

static void reply(int error, const void *data, size_t size)
{
	static unsigned char bytes[sizeof(struct fuse_out_header) + SIZE];
	struct fuse_out_header *out = (struct fuse_out_header *)bytes;

	out->unique = request.header.unique;
	out->error = -error;
	out->len = sizeof(*out) + size;
	if (size)
		memcpy(bytes + sizeof(*out), data, size);
	/* Who asked may have been killed meanwhile. */
	CHECK(write(device, bytes, out->len) == out->len || errno == ENOENT);
}

static struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr attr = {
		.ino = node,
		.nlink = 1,
		.mode = S_IFDIR | 0700,
		.blksize = PAGE_SIZE,
	};

	if (node == FILE_NODE) {
		attr.mode = S_IFREG | 0600;
		attr.size = SIZE;
	}
	return attr;
}

static void look_at_mappings(pid_t pid)
{
	char path[40], text[4096];
	int fd;

	sprintf(path, "/proc/%d/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

static void answer_read(const struct fuse_read_in *in)
{
	size_t size = in->offset < SIZE ? SIZE - in->offset : 0;

	look_at_mappings(request.header.pid);
	__atomic_add_fetch(reads, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(unload, __ATOMIC_SEQ_CST))
		CHECK(module_unload_now() == -EWOULDBLOCK);
	if (size > in->size)
		size = in->size;
	reply(0, content + in->offset, size);
}

static void answer_write(const struct fuse_write_in *in)
{
	struct fuse_write_out out = { .size = in->size };

	CHECK(in->offset + in->size <= SIZE);
	memcpy(content + in->offset, in + 1, in->size);
	reply(0, &out, sizeof(out));
}

static void answer(void)
{
	const void *in = &request.header + 1;
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.max_write = MAX_WRITE,
		.max_readahead = SIZE,
		.time_gran = 1,
	};
	struct fuse_entry_out entry = { .nodeid = FILE_NODE };
	struct fuse_attr_out attr = { };
	struct fuse_open_out opened = { };

	switch (request.header.opcode) {
	case FUSE_INIT:
		reply(0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		entry.attr = attributes(FILE_NODE);
		reply(0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		attr.attr = attributes(request.header.nodeid);
		reply(0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		reply(0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		answer_read(in);
		break;
	case FUSE_WRITE:
		answer_write(in);
		break;
	case FUSE_FLUSH:
	case FUSE_FSYNC:
	case FUSE_RELEASE:
	case FUSE_DESTROY:
		reply(0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(EOPNOTSUPP, NULL, 0);
	}
}

/* Until the file system is unmounted. */
static int serve(void *arg)
{
	while (read(device, &request, sizeof(request)) > 0)
		answer();
	return 0;
}

static long __noipa restoring(void (*inside)(void *arg), void *arg)
{
	inside(arg);
	touch_read(BAD_ADDRESS);
	return 1;
}

FIXTURE(user_files)
{
	pid_t server;
};

FIXTURE_SETUP(user_files)
{
	const struct rescue_point rp = {
		.function = restoring,
		.shared = TEST_SHARED_RESTORE,
	};
	char options[80];

	reads = shared_memory(PAGE_SIZE);
	unload = reads + 1;
	if (system("modprobe -q fuse") || access("/dev/fuse", F_OK))
		SKIP(return, "the kernel has no FUSE");
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_TRUE(!mkdir(MOUNT, 0700) || errno == EEXIST);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, device);
	sprintf(options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	ASSERT_EQ(0, mount("reassure", MOUNT, "fuse", MS_NOSUID | MS_NODEV,
			   options));
	self->server = child_start(serve, NULL);
	close(device);
}

FIXTURE_TEARDOWN(user_files)
{
	umount2(MOUNT, MNT_DETACH);
	EXPECT_EQ(0, child_wait(self->server));
	rmdir(MOUNT);
	test_end(_metadata->passed);
}

static int file;

static bool is_cached(unsigned char *start)
{
	unsigned char pages[PAGES];
	int i;

	CHECK(!mincore(start, SIZE, pages));
	for (i = 0; i < PAGES; i++)
		if (pages[i] & 1)
			return true;
	return false;
}

/*
 * The page cache has nothing of it any more; the server does.  A page that
 * somebody else looks at just then stays.
 */
static void forget(unsigned char *start)
{
	CHECK(!msync(start, SIZE, MS_SYNC));
	CHECK(!madvise(start, SIZE, MADV_DONTNEED));
	do {
		CHECK(!posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED));
	} while (is_cached(start));
}

static void write_and_forget(void *arg)
{
	memset(arg + PAGE_SIZE, NEW, PAGE_SIZE);
	forget(arg);
}

static int forgetful_program(void *arg)
{
	unsigned char *start;
	uint32_t before;
	int i;

	file = open(MOUNT "/file", O_RDWR | O_CLOEXEC);
	CHECK(file >= 0);
	start = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(start != MAP_FAILED);
	memset(start, OLD, SIZE);
	for (i = 0; i < 3; i++) {
		before = __atomic_load_n(reads, __ATOMIC_SEQ_CST);
		__atomic_store_n(unload, 1, __ATOMIC_SEQ_CST);
		CHECK(restoring(write_and_forget, start) == RESCUED);
		__atomic_store_n(unload, 0, __ATOMIC_SEQ_CST);
		CHECK(__atomic_load_n(reads, __ATOMIC_SEQ_CST) > before);
		CHECK(memory_holds(start, SIZE, OLD));
		forget(start);
		CHECK(memory_holds(start, SIZE, OLD));
	}
	return 0;
}

/*
 * The server must not wait for the rollback that waits for it, not even if it
 * unloads the module.
 */
TEST_F(user_files, asked_by_a_rollback)
{
	EXPECT_EQ(0, child_run(forgetful_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
