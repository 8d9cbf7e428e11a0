// SPDX-License-Identifier: GPL-2.0
/*
 * Input that is under way when a call begins, or begins inside of one, goes
 * into memory by no page fault.  It is never lost, whatever becomes of the
 * call; and the rings in which the kernel tells of it are never taken back.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/nbd.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define DEVICE		"/dev/nbd0"
#define DEVICE_SIZE	(8 << 20)
/* Reads from here on are answered when the test says so. */
#define SLOW		(4 << 20)
/* And this page, once it is held. */
#define SLOW_PAGE	(5 << 20)
/* And what is before that, once it is wanted in parts, when the first may come. */
#define PART_PAGES	256
#define PART		(PART_PAGES * PAGE_SIZE)
#define DATA		0xd1
#define HALF		2048

static struct {
	uint32_t answer, ready, held, asked, in_parts, first_part;
	unsigned char *page;
} *shared;

static unsigned char *buffer, *other;

static long __noipa victim(void (*inside)(void), bool fault)
{
	inside();
	if (fault)
		touch_read(BAD_ADDRESS);
	return 1;
}

static void call(void (*inside)(void))
{
	CHECK(victim(inside, false) == 1);
}

/* Otherwise it got its signal, and what it wrote is to be there. */
static sigjmp_buf refused_call;

static void on_fault(int sig)
{
	siglongjmp(refused_call, 1);
}

static bool rescued(void (*inside)(void))
{
	signal(SIGSEGV, on_fault);
	if (sigsetjmp(refused_call, 1))
		return false;
	CHECK(victim(inside, true) == RESCUED);
	return true;
}

static void make_buffers(void)
{
	buffer = private_memory(4 * PAGE_SIZE);
	madvise(buffer, 4 * PAGE_SIZE, MADV_NOHUGEPAGE);
	other = buffer + 3 * PAGE_SIZE;
	memory_fill(buffer, 4 * PAGE_SIZE, 0x11);
}

static void write_other(void)
{
	memory_fill(other, PAGE_SIZE, 0x22);
}

static void write_buffer(void)
{
	memory_fill(buffer, PAGE_SIZE, 0x12);
}

static void write_second_half(void)
{
	memory_fill(buffer + HALF, HALF, 0x33);
}

/*
 * A block device whose reads come when they are wanted: this process is its
 * server.
 */
static bool read_all(int fd, void *to, size_t size)
{
	ssize_t got;

	for (; size; size -= got, to = (char *)to + got) {
		got = read(fd, to, size);
		if (got <= 0)
			return false;
	}
	return true;
}

static struct {
	int fd, pair[2];
	pid_t server, runner;
} device;

static bool in_parts(void)
{
	return __atomic_load_n(&shared->in_parts, __ATOMIC_ACQUIRE);
}

/* Not what the kernel reads to find partitions. */
static bool is_slow(uint64_t from, size_t size)
{
	return (from == SLOW && size == HALF) ||
	       (from == SLOW_PAGE &&
		__atomic_load_n(&shared->held, __ATOMIC_ACQUIRE));
}

static int serving_program(void *arg)
{
	int fd = device.pair[1];
	struct nbd_request request;
	struct nbd_reply reply = { .magic = htonl(NBD_REPLY_MAGIC) };
	static unsigned char data[DEVICE_SIZE];
	unsigned int length;

	close(device.pair[0]);
	memory_fill(data, sizeof(data), DATA);
	while (read_all(fd, &request, sizeof(request))) {
		if (ntohl(request.type) == NBD_CMD_DISC)
			break;
		if (is_slow(be64toh(request.from), ntohl(request.len))) {
			meet_signal(&shared->asked);
			meet_await(&shared->answer);
		}
		if (be64toh(request.from) == SLOW - PART && in_parts()) {
			meet_signal(&shared->asked);
			meet_await(&shared->first_part);
		}
		memcpy(reply.handle, request.handle, sizeof(reply.handle));
		CHECK(write(fd, &reply, sizeof(reply)) == sizeof(reply));
		length = ntohl(request.type) == NBD_CMD_READ ?
			 ntohl(request.len) : 0;
		CHECK(length <= sizeof(data));
		CHECK(send(fd, data, length, 0) == length);
	}
	return 0;
}

/* Runs the device until it is disconnected. */
static int device_program(void *arg)
{
	close(device.pair[1]);
	ioctl(device.fd, NBD_DO_IT);
	return 0;
}

/*
 * The lock checker takes the locks of the device and of its socket for a
 * cycle, and would report that, module or not, and end its work.  It is told
 * to look away as long as there is a device.
 */
static void check_locks(const char *check)
{
	write_text("/proc/sys/kernel/prove_locking", check);
}

static bool device_start(void)
{
	/* Or it is built in. */
	if (access(DEVICE, F_OK) && system("modprobe -q nbd"))
		return false;
	device.fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (device.fd < 0)
		return false;
	check_locks("0");
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, device.pair));
	CHECK(!ioctl(device.fd, NBD_SET_BLKSIZE, 512UL));
	CHECK(!ioctl(device.fd, NBD_SET_SIZE, (unsigned long)DEVICE_SIZE));
	CHECK(!ioctl(device.fd, NBD_SET_SOCK, device.pair[0]));
	device.server = child_start(serving_program, NULL);
	device.runner = child_start(device_program, NULL);
	close(device.pair[0]);
	close(device.pair[1]);
	return true;
}

static void device_stop(void)
{
	meet_signal(&shared->answer);
	ioctl(device.fd, NBD_DISCONNECT);
	child_wait(device.server);
	child_wait(device.runner);
	ioctl(device.fd, NBD_CLEAR_SOCK);
	close(device.fd);
	check_locks("1");
}

/* One request of the kernel's asynchronous input and output. */
static aio_context_t context;
static int input;

static void aio_open(void)
{
	CHECK(!syscall(SYS_io_setup, 8, &context));
}

static void aio_read(int fd, void *to, size_t size, off_t offset)
{
	struct iocb request = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = fd,
		.aio_buf = (unsigned long)to,
		.aio_nbytes = size,
		.aio_offset = offset,
	};
	struct iocb *requests = &request;

	CHECK(syscall(SYS_io_submit, context, 1, &requests) == 1);
}

static int aio_events(long least, long most, struct io_event *events)
{
	struct timespec none = { 0, 0 };

	return syscall(SYS_io_getevents, context, least, most, events,
		       least ? NULL : &none);
}

static void aio_await(long size)
{
	struct io_event event;

	CHECK(aio_events(1, 1, &event) == 1);
	CHECK(event.res == size);
}

static void start_reading(void)
{
	aio_read(input, buffer, HALF, SLOW);
}

static void let_it_come(void)
{
	meet_signal(&shared->answer);
	aio_await(HALF);
	/* The kernel tells of the end a little before it lets the page go. */
	usleep(100000);
	CHECK(memory_holds(buffer, HALF, DATA));
}

static void open_device(void)
{
	input = open(DEVICE, O_RDONLY | O_DIRECT | O_CLOEXEC);
	CHECK(input >= 0);
	make_buffers();
	/* Until the device has its server. */
	while (pread(input, buffer, HALF, 0) != HALF)
		usleep(2000);
	memory_fill(buffer, PAGE_SIZE, 0x11);
	aio_open();
}

FIXTURE(device)
{
	bool started;
};

FIXTURE_SETUP(device)
{
	counters_mark();
	shared = shared_memory(PAGE_SIZE);
	self->started = device_start();
}

FIXTURE_TEARDOWN(device)
{
	if (self->started)
		device_stop();
	test_tell(_metadata->passed);
}

/* The page that is read into was protected, or hot, before. */
static int under_way_program(void *hot)
{
	unsigned char before = hot ? 0x12 : 0x11;
	int i;

	open_device();
	for (i = 0; i < 3; i++)
		call(hot ? write_buffer : write_other);
	memory_fill(other, PAGE_SIZE, 0x11);
	start_reading();
	CHECK(rescued(write_other));
	CHECK(memory_holds(other, PAGE_SIZE, 0x11));
	CHECK(memory_holds(buffer, PAGE_SIZE, before));
	/* On the same page, which must stay the one that is read into. */
	call(write_second_half);
	let_it_come();
	CHECK(memory_holds(buffer + HALF, HALF, 0x33));
	/* And nothing is left of it. */
	CHECK(rescued(write_buffer));
	CHECK(memory_holds(buffer, HALF, DATA));
	CHECK(memory_holds(buffer + HALF, HALF, 0x33));
	return 0;
}

TEST_F(device, read_under_way)
{
	if (!self->started)
		SKIP(return, "no network block device");
	EXPECT_EQ(0, child_run(under_way_program, NULL));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(device, read_under_way_to_a_hot_page)
{
	if (!self->started)
		SKIP(return, "no network block device");
	EXPECT_EQ(0, child_run(under_way_program, "hot"));
	EXPECT_EQ(0, all_refused_since_mark());
}

/*
 * Another thread's read in parts, of which the first comes while a call is inside;
 * the thread sleeps until all have come.
 */
static unsigned char *parts;

static void *read_parts(void *arg)
{
	CHECK(pread(input, parts, PART + HALF, SLOW - PART) == PART + HALF);
	return NULL;
}

static void write_part(void)
{
	parts[0] = 0x11;
}

static void let_first_part_come(void)
{
	const volatile unsigned char *last = parts + PART - 1;

	meet_signal(&shared->first_part);
	while (*last != DATA)
		usleep(1000);
	/* The kernel lets the pages go a little later. */
	usleep(100000);
}

static int in_parts_program(void *arg)
{
	pthread_t thread;
	int i, page = 0;

	open_device();
	parts = private_memory(PART + PAGE_SIZE);
	madvise(parts, PART + PAGE_SIZE, MADV_NOHUGEPAGE);
	/* In disorder, for pages in a row would be one piece of a part. */
	for (i = 0; i <= PART_PAGES; i++) {
		memory_fill(parts + page * PAGE_SIZE, PAGE_SIZE, 0x11);
		page = (page + 101) % (PART_PAGES + 1);
	}
	for (i = 0; i < 3; i++)
		call(write_part);
	__atomic_store_n(&shared->in_parts, 1, __ATOMIC_RELEASE);
	CHECK(!pthread_create(&thread, NULL, read_parts, NULL));
	meet_await(&shared->asked);
	usleep(100000);
	CHECK(!rescued(let_first_part_come));
	CHECK(memory_holds(parts, PART, DATA));
	meet_signal(&shared->answer);
	CHECK(!pthread_join(thread, NULL));
	CHECK(memory_holds(parts, PART + HALF, DATA));
	return 0;
}

TEST_F(device, read_in_parts_for_another_thread)
{
	if (!self->started)
		SKIP(return, "no network block device");
	EXPECT_EQ(0, child_run(in_parts_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_PINNED));
}

static int written_beside_program(void *arg)
{
	open_device();
	start_reading();
	CHECK(!rescued(write_second_half));
	CHECK(memory_holds(buffer + HALF, HALF, 0x33));
	let_it_come();
	CHECK(memory_holds(buffer + HALF, HALF, 0x33));
	return 0;
}

TEST_F(device, read_under_way_and_written_beside)
{
	if (!self->started)
		SKIP(return, "no network block device");
	EXPECT_EQ(0, child_run(written_beside_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_PINNED));
}

static int comes_inside_program(void *arg)
{
	open_device();
	start_reading();
	CHECK(!rescued(let_it_come));
	CHECK(memory_holds(buffer, HALF, DATA));
	CHECK(rescued(write_buffer));
	CHECK(memory_holds(buffer, HALF, DATA));
	return 0;
}

TEST_F(device, read_under_way_comes_inside)
{
	if (!self->started)
		SKIP(return, "no network block device");
	EXPECT_EQ(0, child_run(comes_inside_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_PINNED));
	EXPECT_EQ(1, all_refused_since_mark());
}

static void read_inside(void)
{
	start_reading();
	let_it_come();
}

static int whole_inside_program(void *arg)
{
	struct io_event event;

	open_device();
	CHECK(!rescued(read_inside));
	CHECK(memory_holds(buffer, HALF, DATA));
	CHECK(memory_holds(buffer + HALF, HALF, 0x11));
	CHECK(!aio_events(0, 1, &event));
	return 0;
}

TEST_F(device, read_inside)
{
	if (!self->started)
		SKIP(return, "no network block device");
	EXPECT_EQ(0, child_run(whole_inside_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Nobody has the page any more when the system call returns. */
static void read_at_once(void)
{
	CHECK(pread(input, buffer, HALF, 0) == HALF);
	CHECK(memory_holds(buffer, HALF, DATA));
}

static int read_at_once_program(void *arg)
{
	int i;

	open_device();
	for (i = 0; i < 3; i++) {
		CHECK(rescued(read_at_once));
		CHECK(memory_holds(buffer, PAGE_SIZE, 0x11));
	}
	return 0;
}

TEST_F(device, read_inside_at_once)
{
	if (!self->started)
		SKIP(return, "no network block device");
	EXPECT_EQ(0, child_run(read_at_once_program, NULL));
	EXPECT_EQ(0, all_refused_since_mark());
}

static int begins_inside_program(void *arg)
{
	open_device();
	CHECK(!rescued(start_reading));
	let_it_come();
	CHECK(memory_holds(buffer + HALF, HALF, 0x11));
	return 0;
}

TEST_F(device, read_begins_inside)
{
	if (!self->started)
		SKIP(return, "no network block device");
	EXPECT_EQ(0, child_run(begins_inside_program, NULL));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Into the stack of the call, which others use when it is over. */
static void read_to_stack(void)
{
	unsigned char frame[4 * PAGE_SIZE];
	unsigned long start = ((unsigned long)frame + PAGE_SIZE - 1) &
			      ~(PAGE_SIZE - 1);

	memory_fill((void *)start, 3 * PAGE_SIZE, 0x44);
	aio_read(input, (void *)start, HALF, SLOW);
	asm volatile("" : : "r" (frame) : "memory");
}

static int begins_on_stack_program(void *arg)
{
	open_device();
	call(write_other);
	CHECK(!rescued(read_to_stack));
	meet_signal(&shared->answer);
	aio_await(HALF);
	return 0;
}

TEST_F(device, read_begins_inside_to_the_stack)
{
	if (!self->started)
		SKIP(return, "no network block device");
	EXPECT_EQ(0, child_run(begins_on_stack_program, NULL));
	EXPECT_EQ(1, all_refused_since_mark());
}

/*
 * A debugger's write to a page that has to be read in first: it began before
 * the call, and makes the page writable inside.
 */
static void be_poked_and_write(void)
{
	meet_signal(&shared->answer);
	meet_await(&shared->ready);
	memory_fill(shared->page, PAGE_SIZE, 0x22);
}

static int poked_program(void *arg)
{
	int fd;

	open_device();
	fd = open(DEVICE, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && !posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	shared->page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE, fd, SLOW_PAGE);
	CHECK(shared->page != MAP_FAILED);
	CHECK(!madvise(shared->page, PAGE_SIZE, MADV_RANDOM));
	call(write_other);
	meet_signal(&shared->held);
	meet_await(&shared->asked);
	CHECK(!rescued(be_poked_and_write));
	CHECK(memory_holds(shared->page, PAGE_SIZE, 0x22));
	return 0;
}

TEST_F(device, write_of_another_under_way)
{
	unsigned char byte = 0x77;
	char path[64];
	pid_t child;
	int mem;

	if (!self->started)
		SKIP(return, "no network block device");
	child = child_start(poked_program, NULL);
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	mem = open(path, O_RDWR | O_CLOEXEC);
	meet_await(&shared->held);
	EXPECT_EQ(1, pwrite(mem, &byte, 1, (off_t)shared->page));
	close(mem);
	meet_signal(&shared->ready);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_FOREIGN));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* The ring of events, and requests that are done at once. */
FIXTURE(ring)
{
};

FIXTURE_SETUP(ring)
{
	counters_mark();
}

FIXTURE_TEARDOWN(ring)
{
	test_tell(_metadata->passed);
}

static void open_file(void)
{
	make_buffers();
	input = memfd_create("in_flight", MFD_CLOEXEC);
	CHECK(input >= 0);
	memory_fill(other, PAGE_SIZE, DATA);
	CHECK(write(input, other, PAGE_SIZE) == PAGE_SIZE);
	memory_fill(other, PAGE_SIZE, 0x11);
	aio_open();
}

static void read_file(void)
{
	aio_read(input, buffer, HALF, 0);
}

static void take_one_event(void)
{
	aio_await(HALF);
	write_other();
}

static int events_program(void *arg)
{
	struct io_event events[8];
	int i;

	open_file();
	for (i = 0; i < 3; i++)
		read_file();
	CHECK(rescued(take_one_event));
	CHECK(memory_holds(other, PAGE_SIZE, 0x11));
	/* What was taken stays so. */
	CHECK(aio_events(0, 8, events) == 2);
	CHECK(!aio_events(0, 8, events));
	/* What is asked for inside has an event, whatever becomes of it. */
	memory_fill(buffer, PAGE_SIZE, 0x11);
	CHECK(!rescued(read_file));
	CHECK(memory_holds(buffer, HALF, DATA));
	aio_await(HALF);
	read_file();
	aio_await(HALF);
	CHECK(memory_holds(buffer, HALF, DATA));
	return 0;
}

TEST_F(ring, events_are_taken_inside)
{
	EXPECT_EQ(0, child_run(events_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(1, all_refused_since_mark());
}

static void open_and_read_file(void)
{
	aio_open();
	read_file();
}

static int opened_inside_program(void *arg)
{
	open_file();
	context = 0;
	CHECK(!rescued(open_and_read_file));
	aio_await(HALF);
	read_file();
	aio_await(HALF);
	CHECK(memory_holds(buffer, HALF, DATA));
	return 0;
}

TEST_F(ring, opened_inside)
{
	EXPECT_EQ(0, child_run(opened_inside_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Somebody takes a page that the call leaves as it was, and may keep it. */
static int taken[2];

static void take(void *start)
{
	struct iovec vector = { start, PAGE_SIZE };

	CHECK(vmsplice(taken[1], &vector, 1, 0) == PAGE_SIZE);
}

static void take_buffer(void)
{
	take(buffer);
}

static void take_stack(void)
{
	unsigned char frame[4 * PAGE_SIZE];
	unsigned long start = ((unsigned long)frame + PAGE_SIZE - 1) &
			      ~(PAGE_SIZE - 1);

	memory_fill((void *)start, 2 * PAGE_SIZE, 0x44);
	take((void *)start);
	asm volatile("" : : "r" (frame) : "memory");
}

static int taken_program(void *inside)
{
	int i;

	open_file();
	CHECK(!pipe(taken));
	for (i = 0; i < 3; i++)
		call(write_buffer);
	CHECK(!rescued(inside));
	return 0;
}

TEST_F(ring, hot_page_is_taken_inside)
{
	EXPECT_EQ(0, child_run(taken_program, take_buffer));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_PINNED));
}

TEST_F(ring, stack_is_taken_inside)
{
	EXPECT_EQ(0, child_run(taken_program, take_stack));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_PINNED));
}

/* io_uring, that reads from a pipe into a registered buffer or any. */
static struct {
	int fd;
	unsigned int *tail, *array, *done_head, *done_tail;
	struct io_uring_sqe *entries;
	int pipe[2];
} uring;

static void uring_open(void)
{
	struct io_uring_params params = {};
	struct iovec registered = { buffer, PAGE_SIZE };
	char *start;

	uring.fd = syscall(SYS_io_uring_setup, 4, &params);
	if (uring.fd < 0)
		_exit(4);
	CHECK(params.features & IORING_FEAT_SINGLE_MMAP);
	start = mmap(NULL, params.cq_off.cqes + params.cq_entries *
		     sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, uring.fd, IORING_OFF_SQ_RING);
	CHECK(start != MAP_FAILED);
	uring.tail = (void *)(start + params.sq_off.tail);
	uring.array = (void *)(start + params.sq_off.array);
	uring.done_head = (void *)(start + params.cq_off.head);
	uring.done_tail = (void *)(start + params.cq_off.tail);
	uring.entries = mmap(NULL, params.sq_entries * sizeof(*uring.entries),
			     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			     uring.fd, IORING_OFF_SQES);
	CHECK(uring.entries != MAP_FAILED);
	CHECK(!syscall(SYS_io_uring_register, uring.fd, IORING_REGISTER_BUFFERS,
		       &registered, 1));
	CHECK(!pipe(uring.pipe));
}

static void uring_read(int opcode, void *to)
{
	struct io_uring_sqe *entry = &uring.entries[0];

	memset(entry, 0, sizeof(*entry));
	entry->opcode = opcode;
	entry->fd = uring.pipe[0];
	entry->addr = (unsigned long)to;
	entry->len = HALF;
	entry->off = -1;
	uring.array[0] = 0;
	__atomic_store_n(uring.tail, *uring.tail + 1, __ATOMIC_RELEASE);
	CHECK(syscall(SYS_io_uring_enter, uring.fd, 1, 0, 0, NULL, 0) == 1);
}

static void uring_comes(void)
{
	unsigned char data[HALF];

	memset(data, DATA, sizeof(data));
	CHECK(write(uring.pipe[1], data, sizeof(data)) == sizeof(data));
	CHECK(!syscall(SYS_io_uring_enter, uring.fd, 0, 1,
		       IORING_ENTER_GETEVENTS, NULL, 0));
	CHECK(__atomic_load_n(uring.done_tail, __ATOMIC_ACQUIRE) ==
	      *uring.done_head + 1);
	__atomic_store_n(uring.done_head, *uring.done_head + 1,
			 __ATOMIC_RELEASE);
}

static int uring_under_way_program(void *arg)
{
	make_buffers();
	uring_open();
	uring_read(IORING_OP_READ_FIXED, buffer);
	CHECK(rescued(write_other));
	CHECK(memory_holds(other, PAGE_SIZE, 0x11));
	CHECK(memory_holds(buffer, PAGE_SIZE, 0x11));
	call(write_second_half);
	uring_comes();
	CHECK(memory_holds(buffer, HALF, DATA));
	CHECK(memory_holds(buffer + HALF, HALF, 0x33));
	/* Once more, and now inside. */
	memory_fill(buffer, PAGE_SIZE, 0x11);
	uring_read(IORING_OP_READ_FIXED, buffer);
	CHECK(!rescued(uring_comes));
	CHECK(memory_holds(buffer, HALF, DATA));
	return 0;
}

TEST_F(ring, registered_buffer_under_way)
{
	int ended = child_run(uring_under_way_program, NULL);

	if (ended == 4)
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* By the thread itself when the data is there, so through a page fault. */
static int uring_any_buffer_program(void *arg)
{
	unsigned char *to;

	make_buffers();
	uring_open();
	to = buffer + PAGE_SIZE;
	uring_read(IORING_OP_READ, to);
	CHECK(rescued(write_other));
	uring_comes();
	CHECK(memory_holds(to, HALF, DATA));
	memory_fill(to, PAGE_SIZE, 0x11);
	uring_read(IORING_OP_READ, to);
	CHECK(!rescued(uring_comes));
	CHECK(memory_holds(to, HALF, DATA));
	/* What was taken from the ring stays so. */
	uring_read(IORING_OP_READ, to);
	uring_comes();
	CHECK(memory_holds(to, HALF, DATA));
	return 0;
}

TEST_F(ring, any_buffer_under_way)
{
	int ended = child_run(uring_any_buffer_program, NULL);

	if (ended == 4)
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Once for all tests: to switch the module on and off takes the kernel long. */
int main(int argc, char **argv)
{
	struct rescue_point rp = { .function = victim, .watchdog_ms = 10000 };
	int ret = test_begin() ?: rescue_point_add(&rp);

	if (ret) {
		printf("Bail out! no rescue point: %d\n", ret);
		return 1;
	}
	ret = test_harness_run(argc, argv);
	rescue_points_flush();
	return ret;
}
