// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences of what programs do to their memory and their descriptors
 * inside a rescue point, with a fault at a random place: after each rescue the
 * whole process is compared with what it was at the entry.  REASSURE_SEED
 * repeats a run, REASSURE_SEQUENCES says how many are to be compared: calls
 * that return, or do nothing before they fault, do not count.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/close_range.h>
#include <linux/kcmp.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/cpu.h"
#include "lib/reassure_test.h"
#include "lib/swap.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* Memory at a fixed place, all that the sequences play with, and the heap. */
#define ARENA_PAGES	96
/* With the end of a page table in the middle. */
#define ARENA		((unsigned char *)0x200000200000 - ARENA_PAGES / 2 * PAGE_SIZE)
#define HEAP_PAGES	32
#define RANGE_PAGES	12

/* Alike, so that they are merged; shared with nobody who looks at them. */
#define TWIN_PAGES	16
#define SHARED_PAGES	16

/* That may become one huge page, of which the beginning of each is compared. */
#define HUGE_PAGES	512
#define HUGE_SIZE	(HUGE_PAGES * PAGE_SIZE)
#define HUGE_SAMPLE	16

#define FRAME_SIZE	(3 * PAGE_SIZE)
#define VARIABLES	(2 * PAGE_SIZE)

#define MAPS_SIZE	65536
#define STORY_SIZE	4096
#define WHOLE_SIZE	(4UL << 20)

/* How many may be open, and how many of files are played with. */
#define DESCRIPTORS	64
#define FILES		12
#define FILE_NAMES	3
/* Where open files are kept beside, to be told apart from others like them. */
#define KEPT_BESIDE	1000

/* One in so many may do what is refused, and then is not put back. */
#define DARING		16

#define REFUSED		(-78L)

#define KSM		"/sys/kernel/mm/ksm/"
#define THP_ENABLED	"/sys/kernel/mm/transparent_hugepage/enabled"

/* A descriptor, as far as a program can tell. */
struct descriptor {
	int number, flags, status;
	ino_t inode;
	off_t offset;
};

/*
 * What is kept outside of what rescues put back.
 *
 * @maps: /proc/self/maps
 * @arena: contents
 * @shared: contents of shared memory
 * @samples: of the pages that may become a huge one
 * @break_address: the break
 * @mask: of signals
 * @pending: signals that wait, but for SIGCHLD, which children send
 * @actions: of all signals, as the kernel knows them
 * @stack: of signals
 * @sse_control: MXCSR
 * @x87_control: and the same of the older unit
 * @umask: of the process
 * @directory: the working directory's inode
 * @nr_descriptors: how many are open
 * @descriptors: which, in order
 * @whole_size: the size of all private memory that can be written
 * @whole: and its contents
 */
struct snapshot {
	char maps[MAPS_SIZE];
	unsigned char arena[ARENA_PAGES * PAGE_SIZE];
	unsigned char shared[SHARED_PAGES * PAGE_SIZE];
	unsigned char samples[HUGE_PAGES][HUGE_SAMPLE];
	void *break_address;
	uint64_t mask, pending;
	struct kernel_action {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} actions[NSIG];
	stack_t stack;
	uint32_t sse_control;
	uint16_t x87_control;
	mode_t umask;
	ino_t directory;
	unsigned int nr_descriptors;
	struct descriptor descriptors[DESCRIPTORS];
	size_t whole_size;
	unsigned char whole[WHOLE_SIZE];
};

static struct snapshot *before, *after;
static char *scratch;

/* What became of the calls, for who waits for the program. */
static struct {
	uint64_t compared, rescued, refused;
} *tally;

/* Private, so that rescues put them back with the memory that they speak of. */
static int protection[ARENA_PAGES];	/* or NOT_MAPPED */
static unsigned int heap_pages;
static int files[FILES];	/* descriptors, or -1 */

/*
 * The call itself, of which nothing is compared.
 *
 * @random_state: a rescue takes it back; each call begins with one of its own
 * @story_length: what it has told so far
 * @will_fault: in the end
 * @puts_shared_back: shared memory, too
 * @is_daring: it may do what is refused
 * @refused: where it goes on then
 */
static struct {
	unsigned long random_state;
	off_t story_length;
	bool will_fault, puts_shared_back, is_daring;
	sigjmp_buf refused;
} this_call;

#define NOT_MAPPED	(-1)

static char *heap;
static int self_mem, self_maps, self_pagemap, self_files, file, zero, mailbox[2];
/* The first descriptor that a sequence may get. */
static int first_file;

static unsigned char *twins, *shared, *huge, *never_written;

/* Of all kinds: with a content from the start, without, of a frame above. */
static unsigned char with_content[VARIABLES] = { 1, 2, 3 };
static unsigned char without_content[VARIABLES];
static unsigned char *frame;
static unsigned char signal_stacks[2][4 * PAGE_SIZE];

static unsigned int rnd(unsigned int below)
{
	this_call.random_state = this_call.random_state * 6364136223846793005 +
				 1442695040888963407;
	return (this_call.random_state >> 33) % below;
}

static void begin_random(unsigned long seed, unsigned long number)
{
	this_call.random_state = seed + number * 0x9e3779b97f4a7c15;
	this_call.random_state ^= this_call.random_state >> 29;
	rnd(2);
}

/*
 * What the call has done, for the reader of a failure: a file that is written
 * to stays as it is, where memory does not.
 */
static int story_file;

static void begin_story(void)
{
	CHECK(!ftruncate(story_file, 0));
	this_call.story_length = 0;
}

static void tell(const char *format, ...)
{
	va_list arguments;
	char text[100];
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	CHECK(pwrite(story_file, text, length, this_call.story_length) == length);
	this_call.story_length += length;
}

static bool story_is_empty(void)
{
	char byte;

	return !pread(story_file, &byte, 1, 0);
}

static void print_story(void)
{
	char text[STORY_SIZE];
	ssize_t length = pread(story_file, text, sizeof(text), 0);

	dprintf(STDOUT_FILENO, "%.*s\n", (int)length, text);
}

static unsigned char *page_at(unsigned int page)
{
	return ARENA + page * PAGE_SIZE;
}

struct range {
	unsigned int first, count;
};

static struct range random_range(void)
{
	struct range range;

	range.count = 1 + rnd(RANGE_PAGES);
	range.first = rnd(ARENA_PAGES - range.count + 1);
	return range;
}

static unsigned char *start_of(struct range range)
{
	return page_at(range.first);
}

static size_t size_of(struct range range)
{
	return range.count * PAGE_SIZE;
}

static void set_protection(struct range range, int value)
{
	unsigned int i;

	for (i = 0; i < range.count; i++)
		protection[range.first + i] = value;
}

/* The first page from a random one on that may be written, or none. */
static unsigned char *writable_page(void)
{
	unsigned int i, page = rnd(ARENA_PAGES);

	for (i = 0; i < ARENA_PAGES; i++, page = (page + 1) % ARENA_PAGES)
		if (protection[page] != NOT_MAPPED &&
		    protection[page] & PROT_WRITE)
			return page_at(page);
	return NULL;
}

static int random_protection(void)
{
	static const int all[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE,
		PROT_READ | PROT_EXEC,
	};

	return all[rnd(sizeof(all) / sizeof(*all))];
}

static void write_page(void)
{
	unsigned char *page = writable_page();

	if (!page)
		return;
	tell("write %ld; ", (page - ARENA) / PAGE_SIZE);
	page[rnd(PAGE_SIZE)]++;
	page[rnd(PAGE_SIZE)] ^= 0x80;
	barrier();
}

static void read_pages(void)
{
	unsigned int i, page = rnd(ARENA_PAGES);

	tell("read %u; ", page);
	for (i = page; i < page + 8 && i < ARENA_PAGES; i++)
		if (protection[i] != NOT_MAPPED && protection[i] & PROT_READ)
			touch_read(page_at(i));
}

static void write_by_kernel(void)
{
	unsigned char *page = writable_page();
	struct iovec local, remote;
	char byte = rnd(256);

	if (!page)
		return;
	tell("kernel writes %ld; ", (page - ARENA) / PAGE_SIZE);
	switch (rnd(4)) {
	case 0:
		CHECK(read(zero, page, PAGE_SIZE) == PAGE_SIZE);
		break;
	case 1:
		CHECK(write(mailbox[1], "letter", 6) == 6);
		CHECK(read(mailbox[0], page + rnd(1000), 6) == 6);
		break;
	case 2:
		CHECK(getrandom(page, 64, 0) == 64);
		break;
	default:
		local.iov_base = &byte;
		local.iov_len = 1;
		remote.iov_base = page + rnd(PAGE_SIZE);
		remote.iov_len = 1;
		CHECK(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == 1);
	}
}

/* As a debugger does, whatever the protection is. */
static void write_by_force(void)
{
	unsigned int page = rnd(ARENA_PAGES);
	char byte = rnd(256);

	if (protection[page] == NOT_MAPPED)
		return;
	tell("force %u; ", page);
	CHECK(pwrite(self_mem, &byte, 1,
		     (off_t)page_at(page) + rnd(PAGE_SIZE)) == 1);
}

static void map(void)
{
	struct range range = random_range();
	int value = random_protection();
	int populate = rnd(4) ? 0 : MAP_POPULATE;

	tell("mmap %u+%u %d%s; ", range.first, range.count, value,
	     populate ? " populated" : "");
	CHECK(mmap(start_of(range), size_of(range), value, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED | populate, -1, 0) ==
	      start_of(range));
	set_protection(range, value);
}

static void map_file(void)
{
	struct range range = random_range();
	int value = random_protection();
	off_t offset = rnd(4) * PAGE_SIZE;

	tell("map file %u+%u %d; ", range.first, range.count, value);
	CHECK(mmap(start_of(range), size_of(range), value,
		   MAP_PRIVATE | MAP_FIXED, file, offset) == start_of(range));
	set_protection(range, value);
}

static void unmap(void)
{
	struct range range = random_range();

	tell("munmap %u+%u; ", range.first, range.count);
	CHECK(!munmap(start_of(range), size_of(range)));
	set_protection(range, NOT_MAPPED);
}

static void protect(void)
{
	struct range range = random_range();
	int value = random_protection();
	unsigned int i;

	for (i = 0; i < range.count; i++)
		if (protection[range.first + i] == NOT_MAPPED)
			return;
	tell("mprotect %u+%u %d; ", range.first, range.count, value);
	CHECK(!mprotect(start_of(range), size_of(range), value));
	set_protection(range, value);
}

/* What a line of /proc/self/maps says. */
struct mapping {
	unsigned long start, end, offset, inode;
	char access[5];
	char name[64];
};

/* The line at @line; returns the next one.  sscanf() would take most of the time. */
static const char *parse_line(const char *line, struct mapping *map)
{
	const char *end = strchrnul(line, '\n');
	size_t length;
	char *at;

	map->start = strtoul(line, &at, 16);
	map->end = strtoul(at + 1, &at, 16);
	memcpy(map->access, at + 1, 4);
	map->access[4] = 0;
	map->offset = strtoul(at + strlen(" rwxp"), &at, 16);
	/* After the device. */
	at = strchr(at + 1, ' ');
	CHECK(at && at < end);
	map->inode = strtoul(at, &at, 10);
	at += strspn(at, " ");
	length = end - at < sizeof(map->name) ? end - at : sizeof(map->name) - 1;
	memcpy(map->name, at, length);
	map->name[length] = 0;
	return *end ? end + 1 : end;
}

static void read_maps(char *text)
{
	ssize_t length = 0, got;

	do {
		got = pread(self_maps, text + length, MAPS_SIZE - 1 - length,
			    length);
		CHECK(got >= 0);
		length += got;
	} while (got);
	text[length] = 0;
}

/* Asks the kernel, where it is not plain what it has done. */
static void learn_protection(void)
{
	const struct range all = { 0, ARENA_PAGES };
	const unsigned long arena = (unsigned long)ARENA;
	const char *line = scratch;
	struct mapping map;
	unsigned long at;

	read_maps(scratch);
	set_protection(all, NOT_MAPPED);
	while (*line) {
		line = parse_line(line, &map);
		for (at = map.start; at < map.end; at += PAGE_SIZE)
			if (at - arena < size_of(all))
				protection[(at - arena) / PAGE_SIZE] =
					(map.access[0] == 'r' ? PROT_READ : 0) |
					(map.access[1] == 'w' ? PROT_WRITE : 0) |
					(map.access[2] == 'x' ? PROT_EXEC : 0);
			else
				break;
	}
}

/* Moves within the arena; fails where the range is not one mapping. */
static void move(void)
{
	struct range from = random_range(), to = random_range();
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	int values[RANGE_PAGES];
	unsigned int i;

	if (from.first < to.first + to.count && to.first < from.first + from.count)
		return;
	if (!rnd(3)) {
		to.count = from.count;
		if (to.first + to.count > ARENA_PAGES ||
		    (from.first < to.first + to.count &&
		     to.first < from.first + from.count))
			return;
		flags |= MREMAP_DONTUNMAP;
	}
	for (i = 0; i < from.count; i++)
		values[i] = protection[from.first + i];
	tell("mremap %u+%u to %u+%u%s; ", from.first, from.count, to.first,
	     to.count, flags & MREMAP_DONTUNMAP ? ", leaving it" : "");
	if (mremap(start_of(from), size_of(from), size_of(to), flags,
		   start_of(to)) == MAP_FAILED) {
		/* Where it has unmapped what is there is up to the kernel. */
		learn_protection();
		return;
	}
	if (!(flags & MREMAP_DONTUNMAP))
		set_protection(from, NOT_MAPPED);
	for (i = 0; i < to.count; i++)
		protection[to.first + i] = values[i < from.count ? i : 0];
}

static void resize(void)
{
	struct range range = random_range();
	unsigned int count = 1 + rnd(RANGE_PAGES);

	if (range.first + count > ARENA_PAGES)
		return;
	tell("size %u+%u to %u; ", range.first, range.count, count);
	mremap(start_of(range), size_of(range), count * PAGE_SIZE, 0);
	learn_protection();
}

/* Whether what a call may do now may have it refused. */
static bool may_be_refused(void)
{
	return this_call.is_daring || !this_call.will_fault;
}

static void advise(void)
{
	static const int all[] = {
		MADV_DONTNEED, MADV_DONTNEED, MADV_DONTNEED, MADV_FREE,
		MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_WRITE,
	};
	struct range range = random_range();
	int advice = all[rnd(sizeof(all) / sizeof(*all))];

	/* What is freed lazily, and not put back, is lost at any time. */
	if (advice == MADV_FREE && may_be_refused())
		advice = MADV_DONTNEED;
	tell("madvise %u+%u %d; ", range.first, range.count, advice);
	madvise(start_of(range), size_of(range), advice);
}

static void change_heap(void)
{
	unsigned int pages = rnd(HEAP_PAGES);
	unsigned int bytes = rnd(3) ? 0 : rnd(PAGE_SIZE);

	tell("break %u; ", pages);
	CHECK(!brk(heap + pages * PAGE_SIZE + bytes));
	heap_pages = pages;
}

static void write_heap(void)
{
	if (!heap_pages)
		return;
	tell("write heap; ");
	heap[rnd(heap_pages * PAGE_SIZE)]++;
	barrier();
}

static void fork_and_write(void)
{
	unsigned char *page = writable_page();
	int status;
	pid_t child;

	if (!page)
		return;
	tell("fork; ");
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		page[1]++;
		_exit(0);
	}
	page[2]++;
	barrier();
	CHECK(waitpid(child, &status, 0) == child && !status);
}

static void __noipa use_stack(unsigned int pages)
{
	volatile char frame[PAGE_SIZE];

	frame[0] = 1;
	if (pages)
		use_stack(pages - 1);
	frame[1] = frame[0];
}

static void deepen_stack(void)
{
	unsigned int pages = rnd(40);

	tell("stack %u; ", pages);
	use_stack(pages);
}

static void block_signals(void)
{
	unsigned int sig = 1 + rnd(31);
	bool block = rnd(2);
	sigset_t mask;

	/* Blocked, the fault of a call that is refused could not be caught. */
	if (sig == SIGSEGV && this_call.is_daring)
		return;
	tell("mask %u; ", sig);
	sigemptyset(&mask);
	sigaddset(&mask, sig);
	sigprocmask(block ? SIG_BLOCK : SIG_UNBLOCK, &mask, NULL);
}

/* A place in the table of files, open or not. */
static int *some_file(bool is_open)
{
	unsigned int i, at = rnd(FILES);

	for (i = 0; i < FILES; i++, at = (at + 1) % FILES) {
		bool opened = files[at] >= 0;

		if (opened == is_open)
			return &files[at];
	}
	return NULL;
}

static int open_some_file(void)
{
	char name[32];

	snprintf(name, sizeof(name), "/tmp/random-%u", rnd(FILE_NAMES));
	return open(name, O_RDWR | O_CREAT | (rnd(2) ? O_CLOEXEC : 0), 0600);
}

static void open_file(void)
{
	int *slot = some_file(false);

	if (!slot)
		return;
	*slot = rnd(4) ? open_some_file() : open("/tmp", O_RDONLY | O_DIRECTORY);
	CHECK(*slot >= 0);
	tell("open %d; ", *slot);
}

static void close_file(void)
{
	int *slot = some_file(true);

	if (!slot)
		return;
	tell("close %d; ", *slot);
	CHECK(!close(*slot));
	*slot = -1;
}

static void duplicate_file(void)
{
	int *from = some_file(true), *to = some_file(rnd(2));

	if (!from || !to || from == to)
		return;
	tell("duplicate %d over %d; ", *from, *to);
	if (*to >= 0)
		*to = dup3(*from, *to, rnd(2) ? O_CLOEXEC : 0);
	else if (rnd(2))
		*to = dup(*from);
	else
		*to = fcntl(*from, F_DUPFD_CLOEXEC, 50 + rnd(500));
	CHECK(*to >= 0);
}

/* With what the sequence has opened between them, and is lost. */
static void close_range_of_files(void)
{
	int *one = some_file(true), *other = some_file(true);
	unsigned int i, from, to, flags = rnd(3) ? 0 : CLOSE_RANGE_CLOEXEC;

	if (!one || abs(*one - *other) >= KEPT_BESIDE / 2)
		return;
	from = *one < *other ? *one : *other;
	to = *one < *other ? *other : *one;
	tell("close %u to %u%s; ", from, to, flags ? " on exec" : "");
	CHECK(!close_range(from, to, flags));
	for (i = 0; i < FILES && !flags; i++)
		if (files[i] >= (int)from && files[i] <= (int)to)
			files[i] = -1;
}

static void use_file(void)
{
	int *slot = some_file(true);
	char text[100];

	if (!slot)
		return;
	tell("use %d; ", *slot);
	switch (rnd(5)) {
	case 0:
		lseek(*slot, rnd(500), SEEK_SET);
		break;
	case 1:
		if (read(*slot, text, sizeof(text)) < 0)
			barrier();
		break;
	case 2:
		if (write(*slot, "some more text", 14) < 0)
			barrier();
		break;
	case 3:
		CHECK(!fcntl(*slot, F_SETFD, rnd(2) ? FD_CLOEXEC : 0));
		break;
	default:
		CHECK(!fcntl(*slot, F_SETFL, rnd(2) ? O_APPEND : O_NONBLOCK));
	}
}

/* What cannot be put back when it is closed is opened only to be lost. */
static void open_others(void)
{
	int fds[2];

	if (!this_call.will_fault)
		return;
	tell("open others; ");
	switch (rnd(4)) {
	case 0:
		CHECK(!pipe(fds));
		CHECK(write(fds[1], "lost", 4) == 4);
		break;
	case 1:
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
		CHECK(!close(fds[0]));
		break;
	case 2:
		CHECK(epoll_create1(0) >= 0);
		break;
	default:
		CHECK(open_some_file() >= 0);
	}
}

static void on_signal(int sig)
{
}

static void change_action(void)
{
	static const int all[] = {
		SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGWINCH, SIGFPE,
	};
	struct sigaction action = { .sa_handler = SIG_IGN };

	action.sa_flags = rnd(2) ? SA_RESTART | SA_ONSTACK : SA_SIGINFO;
	if (rnd(2))
		action.sa_handler = on_signal;
	sigaddset(&action.sa_mask, 1 + rnd(64));
	CHECK(!sigaction(all[rnd(sizeof(all) / sizeof(*all))], &action, NULL));
}

static void change_signal_stack(void)
{
	unsigned char *start = signal_stacks[rnd(2)];
	stack_t stack = {
		.ss_sp = start,
		.ss_size = sizeof(*signal_stacks) - rnd(2) * PAGE_SIZE,
		.ss_flags = rnd(3) ? 0 : SS_DISABLE,
	};

	CHECK(!sigaltstack(&stack, NULL));
}

/* The rounding, of both units. */
static void change_rounding(void)
{
	uint32_t sse = 0x1f80 | rnd(4) << 13;
	uint16_t x87 = 0x37f | rnd(4) << 10;

	asm volatile("ldmxcsr %0\n\tfldcw %1" : : "m" (sse), "m" (x87));
}

static void change_process(void)
{
	tell("process; ");
	switch (rnd(5)) {
	case 0:
		umask(rnd(0777));
		break;
	case 1:
		CHECK(!chdir(rnd(2) ? "/" : "/tmp"));
		break;
	case 2:
		change_signal_stack();
		break;
	case 3:
		change_rounding();
		break;
	default:
		change_action();
	}
}

static void write_elsewhere(void)
{
	tell("write elsewhere; ");
	switch (rnd(4)) {
	case 0:
		with_content[rnd(VARIABLES)]++;
		break;
	case 1:
		without_content[rnd(VARIABLES)]++;
		break;
	case 2:
		frame[rnd(FRAME_SIZE)]++;
		break;
	default:
		free(malloc(rnd(2000)));
	}
	barrier();
}

/* Some stay alike. */
static void write_twin(void)
{
	unsigned int page = rnd(TWIN_PAGES);

	tell("write twin %u; ", page);
	twins[page * PAGE_SIZE] = rnd(3);
	barrier();
}

/* Where it is not put back there would be nothing to compare. */
static void change_shared(void)
{
	unsigned char *page = shared + rnd(SHARED_PAGES) * PAGE_SIZE;

	if (this_call.will_fault && !this_call.puts_shared_back)
		return;
	tell("shared %ld; ", (page - shared) / PAGE_SIZE);
	switch (rnd(4)) {
	case 0:
		if (may_be_refused())
			CHECK(!madvise(page, PAGE_SIZE, MADV_REMOVE));
		break;
	case 1:
		CHECK(getrandom(page, 64, 0) == 64);
		break;
	default:
		page[rnd(PAGE_SIZE)]++;
		barrier();
	}
}

static void write_huge(void)
{
	unsigned int page = rnd(HUGE_PAGES);

	tell("write huge %u; ", page);
	huge[page * PAGE_SIZE + rnd(HUGE_SAMPLE)]++;
	barrier();
}

static void collapse(void)
{
	if (!may_be_refused())
		return;
	tell("make huge; ");
	madvise(huge, HUGE_SIZE, MADV_COLLAPSE);
}

/* Fails where there is one node. */
static void move_pages_to_nodes(void)
{
	struct range range = random_range();
	void *pages[RANGE_PAGES];
	int nodes[RANGE_PAGES], status[RANGE_PAGES];
	unsigned int i;

	if (!may_be_refused())
		return;
	for (i = 0; i < range.count; i++) {
		pages[i] = start_of(range) + i * PAGE_SIZE;
		nodes[i] = rnd(2);
	}
	tell("migrate %u+%u; ", range.first, range.count);
	syscall(SYS_move_pages, 0, (unsigned long)range.count, pages, nodes,
		status, 1 << 1 /* MPOL_MF_MOVE */);
}

/* Its write is seen where it is refused, and where it is not. */
static void write_from_another(void)
{
	unsigned char *page = writable_page();
	pid_t child, parent = getpid();
	unsigned char byte = rnd(256);
	struct iovec from = { &byte, 1 }, to = { page, 1 };
	int status;

	if (!page || !may_be_refused())
		return;
	tell("write from another; ");
	child = fork();
	CHECK(child >= 0);
	if (!child)
		_exit(process_vm_writev(parent, &from, 1, &to, 1, 0) != 1);
	CHECK(waitpid(child, &status, 0) == child && !status);
}

/* Of the pages nothing is missing for as long as it takes. */
static void register_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct range range = random_range();
	struct uffdio_register reg = {
		.range = { (unsigned long)start_of(range), size_of(range) },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd;

	if (!may_be_refused())
		return;
	fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	CHECK(fd >= 0);
	tell("userfaultfd %u+%u; ", range.first, range.count);
	CHECK(!ioctl(fd, UFFDIO_API, &api));
	/* Not where nothing, or something else, is mapped. */
	if (!ioctl(fd, UFFDIO_REGISTER, &reg))
		CHECK(!ioctl(fd, UFFDIO_UNREGISTER, &reg.range));
	CHECK(!close(fd));
}

/* A request that is done when it has been made, and the memory for it. */
static void read_asynchronously(void)
{
	unsigned char *page = writable_page();
	aio_context_t context = 0;
	struct iocb request = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_buf = (unsigned long)page,
		.aio_nbytes = 100,
	}, *requests[] = { &request };
	struct io_event event;
	int fd;

	if (!page || !may_be_refused())
		return;
	tell("read asynchronously; ");
	fd = open("/proc/self/exe", O_RDONLY);
	CHECK(fd >= 0);
	request.aio_fildes = fd;
	CHECK(!syscall(SYS_io_setup, 1, &context));
	CHECK(syscall(SYS_io_submit, context, 1, requests) == 1);
	CHECK(syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1);
	CHECK(!syscall(SYS_io_destroy, context));
	CHECK(!close(fd));
}

static const struct operation {
	void (*run)(void);
	unsigned int weight;
} operations[] = {
	{ write_page, 20 },
	{ read_pages, 4 },
	{ write_by_kernel, 4 },
	{ write_by_force, 2 },
	{ map, 5 },
	{ map_file, 3 },
	{ unmap, 4 },
	{ protect, 5 },
	{ move, 6 },
	{ resize, 4 },
	{ advise, 6 },
	{ change_heap, 3 },
	{ write_heap, 3 },
	{ fork_and_write, 1 },
	{ deepen_stack, 2 },
	{ block_signals, 1 },
	{ open_file, 4 },
	{ close_file, 4 },
	{ duplicate_file, 3 },
	{ close_range_of_files, 2 },
	{ use_file, 5 },
	{ open_others, 2 },
	{ change_process, 4 },
	{ write_elsewhere, 4 },
	{ write_twin, 4 },
	{ change_shared, 4 },
	{ write_huge, 2 },
	{ collapse, 1 },
	{ move_pages_to_nodes, 2 },
	{ write_from_another, 1 },
	{ register_userfaultfd, 1 },
	{ read_asynchronously, 1 },
};

static void do_something(void)
{
	unsigned int i, sum = 0, at;

	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		sum += operations[i].weight;
	at = rnd(sum);
	for (i = 0; at >= operations[i].weight; i++)
		at -= operations[i].weight;
	operations[i].run();
}

static void do_some_things(unsigned int length, bool fault)
{
	this_call.will_fault = fault;
	while (length--)
		do_something();
	if (fault)
		touch_read(BAD_ADDRESS);
}

/* Two rescue points: one leaves shared memory, the other puts it back. */
static long __noipa sequence(unsigned int length, bool fault)
{
	this_call.puts_shared_back = false;
	do_some_things(length, fault);
	return 1;
}

static long __noipa sequence_with_shared(unsigned int length, bool fault)
{
	this_call.puts_shared_back = true;
	do_some_things(length, fault);
	return 1;
}

static bool continues(const struct mapping *map, const struct mapping *next)
{
	return map->end == next->start && map->inode == next->inode &&
	       !strcmp(map->access, next->access) &&
	       !strcmp(map->name, next->name) &&
	       (!map->inode || map->offset + map->end - map->start == next->offset);
}

static char *put_mapping(char *to, const struct mapping *map,
			 unsigned long *stack_end)
{
	/* The stack grows by itself. */
	if (!strcmp(map->name, "[stack]")) {
		*stack_end = map->end;
		return to;
	}
	return to + sprintf(to, "%lx-%lx %s %lx 0:0 %lu %s\n", map->start,
			    map->end, map->access,
			    map->inode ? map->offset : 0, map->inode, map->name);
}

/*
 * Mappings that only the kernel's own bounds keep apart are one.  Returns
 * where the stack ends.
 */
static unsigned long list_mappings(char *text)
{
	unsigned long stack_end = 0;
	struct mapping map, next;
	const char *line;

	read_maps(scratch);
	line = parse_line(scratch, &map);
	while (*line) {
		line = parse_line(line, &next);
		if (continues(&map, &next)) {
			map.end = next.end;
			continue;
		}
		text = put_mapping(text, &map, &stack_end);
		map = next;
	}
	put_mapping(text, &map, &stack_end);
	return stack_end;
}

/* As a debugger reads, whatever the protection is; holes are empty. */
static void read_memory(unsigned char *to, const unsigned char *from,
			unsigned int pages)
{
	size_t done = 0, size = pages * PAGE_SIZE;
	ssize_t got;

	while (done < size) {
		got = pread(self_mem, to + done, size - done,
			    (off_t)from + done);
		if (got <= 0) {
			got = PAGE_SIZE;
			memset(to + done, 0, got);
		}
		done += got;
	}
}

/* What is not to be compared, in the image of [@start, @end). */
static void blank(unsigned char *image, unsigned long start, unsigned long end,
		  const volatile void *what, size_t size)
{
	unsigned long at = (unsigned long)what;

	if (at >= start && at < end)
		memset(image + at - start, 0, size);
}

static void take_whole(struct snapshot *snapshot, unsigned long start,
		       unsigned long end)
{
	unsigned char *to = snapshot->whole + snapshot->whole_size;

	CHECK(snapshot->whole_size + end - start <= WHOLE_SIZE);
	memcpy(to, (void *)start, end - start);
	blank(to, start, end, &this_call, sizeof(this_call));
	/* The kernel writes there where the thread runs. */
	if (__rseq_size)
		blank(to, start, end, rseq_area(), sizeof(struct rseq));
	snapshot->whole_size += end - start;
}

static bool is_within(const struct mapping *map, const void *start, size_t size)
{
	return map->start - (uintptr_t)start < size;
}

/* Private and to be written to; the contents of some are taken otherwise. */
static bool is_taken(const struct mapping *map)
{
	return !strncmp(map->access, "rw", 2) && map->access[3] == 'p' &&
	       !is_within(map, ARENA, ARENA_PAGES * PAGE_SIZE) &&
	       !is_within(map, huge, HUGE_SIZE);
}

/* All private memory that can be written; of the stack what lives. */
static void take_private(struct snapshot *snapshot, unsigned long stack_end)
{
	const char *line = snapshot->maps;
	struct mapping map;

	snapshot->whole_size = 0;
	while (*line) {
		line = parse_line(line, &map);
		if (is_taken(&map))
			take_whole(snapshot, map.start, map.end);
	}
	take_whole(snapshot, (unsigned long)frame, stack_end);
}

/* Where a difference between two snapshots' whole memory is. */
static unsigned long address_of(size_t at)
{
	const char *line = before->maps;
	struct mapping map;

	while (*line) {
		line = parse_line(line, &map);
		if (!is_taken(&map))
			continue;
		if (at < map.end - map.start)
			return map.start + at;
		at -= map.end - map.start;
	}
	return (unsigned long)frame + at;
}

static void take_descriptor(struct descriptor *to, int fd)
{
	struct stat status;

	memset(to, 0, sizeof(*to));
	to->number = fd;
	to->flags = fcntl(fd, F_GETFD);
	to->status = fcntl(fd, F_GETFL);
	CHECK(!fstat(fd, &status));
	to->inode = status.st_ino;
	if ((S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) &&
	    fd != self_files)
		to->offset = lseek(fd, 0, SEEK_CUR);
}

/* What the kernel says of a file of a folder. */
struct entry {
	uint64_t inode, offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

/* Calls @take for each that is open and below KEPT_BESIDE, in order. */
static void visit_descriptors(void (*take)(int fd, void *arg), void *arg)
{
	char entries[4096];
	struct entry *entry;
	long got, at;

	CHECK(!lseek(self_files, 0, SEEK_SET));
	while ((got = syscall(SYS_getdents64, self_files, entries,
			      sizeof(entries))) > 0) {
		for (at = 0; at < got; at += entry->length) {
			entry = (struct entry *)(entries + at);
			if (*entry->name != '.' &&
			    atoi(entry->name) < KEPT_BESIDE)
				take(atoi(entry->name), arg);
		}
	}
	CHECK(!got);
}

static void add_descriptor(int fd, void *arg)
{
	struct snapshot *snapshot = arg;

	CHECK(snapshot->nr_descriptors < DESCRIPTORS);
	take_descriptor(&snapshot->descriptors[snapshot->nr_descriptors++], fd);
}

/* As the kernel has them: the C library does not tell about its own. */
static void take_actions(struct snapshot *snapshot)
{
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		CHECK(!syscall(SYS_rt_sigaction, sig, NULL,
			       &snapshot->actions[sig], 8));
}

static void take_process(struct snapshot *snapshot)
{
	struct stat status;

	take_actions(snapshot);
	CHECK(!sigaltstack(NULL, &snapshot->stack));
	CHECK(!syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &snapshot->mask, 8));
	CHECK(!syscall(SYS_rt_sigpending, &snapshot->pending, 8));
	snapshot->pending &= ~SIGNAL_BIT(SIGCHLD);
	asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m" (snapshot->sse_control),
		     "=m" (snapshot->x87_control));
	/* What has happened to a number is not control. */
	snapshot->sse_control &= ~0x3fU;
	snapshot->umask = umask(0);
	umask(snapshot->umask);
	CHECK(!stat(".", &status));
	snapshot->directory = status.st_ino;
}

static void take_snapshot(struct snapshot *snapshot)
{
	unsigned long stack_end;
	unsigned int i;

	snapshot->nr_descriptors = 0;
	visit_descriptors(add_descriptor, snapshot);
	take_process(snapshot);
	read_memory(snapshot->arena, ARENA, ARENA_PAGES);
	memcpy(snapshot->shared, shared, sizeof(snapshot->shared));
	for (i = 0; i < HUGE_PAGES; i++)
		memcpy(snapshot->samples[i], huge + i * PAGE_SIZE, HUGE_SAMPLE);
	snapshot->break_address = sbrk(0);
	stack_end = list_mappings(snapshot->maps);
	/* Last, since it has what all the others have changed. */
	errno = 0;
	take_private(snapshot, stack_end);
}

static void report(const char *what, unsigned int number)
{
	dprintf(STDOUT_FILENO, "# sequence %u: %s: ", number, what);
	print_story();
	_exit(253);
}

static void compare_descriptors(unsigned int number)
{
	const struct descriptor *old, *new;
	unsigned int i;

	for (i = 0; i < before->nr_descriptors || i < after->nr_descriptors; i++) {
		old = &before->descriptors[i];
		new = &after->descriptors[i];
		if (i < before->nr_descriptors && i < after->nr_descriptors &&
		    !memcmp(old, new, sizeof(*old)))
			continue;
		dprintf(STDOUT_FILENO,
			"# of %u, %u descriptors: number %d, %d; flags %d, %d; status %o, %o; inode %lu, %lu; offset %ld, %ld\n",
			before->nr_descriptors, after->nr_descriptors,
			old->number, new->number, old->flags, new->flags,
			old->status, new->status, old->inode, new->inode,
			old->offset, new->offset);
		report("a descriptor differs", number);
	}
}

static void compare_process(unsigned int number)
{
	int sig;

	if (before->mask != after->mask)
		report("the mask of signals differs", number);
	if (before->pending != after->pending)
		report("signals wait, or do not any more", number);
	for (sig = 1; sig < NSIG; sig++)
		if (memcmp(&before->actions[sig], &after->actions[sig],
			   sizeof(before->actions[sig]))) {
			dprintf(STDOUT_FILENO, "# signal %d\n", sig);
			report("the action of a signal differs", number);
		}
	if (before->stack.ss_sp != after->stack.ss_sp ||
	    before->stack.ss_size != after->stack.ss_size ||
	    before->stack.ss_flags != after->stack.ss_flags)
		report("the stack of signals differs", number);
	if (before->sse_control != after->sse_control ||
	    before->x87_control != after->x87_control)
		report("the control of floating point differs", number);
	if (before->umask != after->umask || before->directory != after->directory)
		report("umask or working directory differ", number);
}

static void compare_pages(const unsigned char *old, const unsigned char *new,
			  unsigned int pages, const char *what,
			  unsigned int number)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		if (memcmp(old + i * PAGE_SIZE, new + i * PAGE_SIZE, PAGE_SIZE)) {
			dprintf(STDOUT_FILENO, "# page %u\n", i);
			report(what, number);
		}
}

static void compare_whole(unsigned int number)
{
	size_t at;

	if (before->whole_size == after->whole_size &&
	    !memcmp(before->whole, after->whole, before->whole_size))
		return;
	for (at = 0; before->whole[at] == after->whole[at]; at++)
		;
	dprintf(STDOUT_FILENO, "# at %lx: %x, %x; sizes %zx, %zx\n%s",
		address_of(at), before->whole[at], after->whole[at],
		before->whole_size, after->whole_size, before->maps);
	report("memory of the program differs", number);
}

static void compare(unsigned int number)
{
	if (strcmp(before->maps, after->maps)) {
		dprintf(STDOUT_FILENO, "# before:\n%s# after:\n%s",
			before->maps, after->maps);
		report("the mappings differ", number);
	}
	compare_pages(before->arena, after->arena, ARENA_PAGES,
		      "memory differs", number);
	compare_pages(before->shared, after->shared, SHARED_PAGES,
		      "shared memory differs", number);
	if (memcmp(before->samples, after->samples, sizeof(before->samples)))
		report("what may be huge differs", number);
	if (before->break_address != after->break_address)
		report("the break differs", number);
	compare_process(number);
	compare_descriptors(number);
	compare_whole(number);
}

static void read_pagemap(uint64_t *entries, const void *start,
			 unsigned int pages)
{
	CHECK(pread(self_pagemap, entries, pages * sizeof(*entries),
		    (unsigned long)start / PAGE_SIZE * sizeof(*entries)) ==
	      pages * sizeof(*entries));
}

/*
 * Takes away what a snapshot has read into memory, and nothing of the content:
 * the zero page where there was none, and, into swap, some of the rest.
 */
static void forget_what_was_read(void)
{
	struct range range = random_range();
	uint64_t entries[ARENA_PAGES], zero_page;
	unsigned int i;

	read_pagemap(&zero_page, never_written, 1);
	read_pagemap(entries, ARENA, ARENA_PAGES);
	for (i = 0; i < ARENA_PAGES; i++)
		if (entries[i] >> 63 && entries[i] << 9 == zero_page << 9)
			CHECK(!madvise(page_at(i), PAGE_SIZE, MADV_DONTNEED));
	if (!rnd(4))
		madvise(start_of(range), size_of(range), MADV_PAGEOUT);
}

static bool same_file(int one, int other)
{
	/* Negative where the kernel does not tell. */
	return syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, one,
		       other) <= 0;
}

static void keep_files_beside(void)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		if (files[i] >= 0)
			CHECK(dup2(files[i], KEPT_BESIDE + i) >= 0);
}

static void compare_with_kept(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		if (files[i] >= 0 && !same_file(files[i], KEPT_BESIDE + i))
			report("a descriptor has another file", number);
}

static void close_if_lost(int fd, void *arg)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		if (files[i] == fd)
			return;
	if (fd >= first_file)
		close(fd);
}

static void on_fault(int sig)
{
	siglongjmp(this_call.refused, 1);
}

static long call(long (*function)(unsigned int length, bool fault),
		 unsigned int length, bool fault)
{
	if (sigsetjmp(this_call.refused, 1))
		return REFUSED;
	return function(length, fault);
}

/* Not during a call: ksmd has a reference to each page that it looks at. */
static void let_twins_merge(void)
{
	write_text(KSM "run", "1");
	usleep(3000);
	write_text(KSM "run", "0");
}

/* A call that returns, for the next to find what it leaves. */
static void call_and_keep(void)
{
	tell("(kept) ");
	if (!rnd(8))
		let_twins_merge();
	if (call(rnd(4) ? sequence : sequence_with_shared, rnd(8), false) != 1)
		report("a call without a fault was rescued", tally->compared);
}

static void unblock_faults(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGSEGV);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

static void call_and_compare(void)
{
	bool beside = !rnd(4);
	long ended;

	this_call.is_daring = !rnd(DARING);
	if (this_call.is_daring)
		unblock_faults();
	if (beside)
		keep_files_beside();
	take_snapshot(before);
	if (rnd(2))
		forget_what_was_read();
	ended = call(rnd(4) ? sequence : sequence_with_shared, 1 + rnd(11), true);
	if (ended == RESCUED) {
		tally->rescued++;
		take_snapshot(after);
		compare(tally->compared);
		if (beside)
			compare_with_kept(tally->compared);
		if (!story_is_empty())
			tally->compared++;
	} else if (ended == REFUSED && this_call.is_daring) {
		/*
		 * All that it has done is there.  It has been left, which the
		 * next entry sees; until then what it has lost is set aside.
		 */
		tally->refused++;
		CHECK(call(sequence, 0, false) == 1);
		visit_descriptors(close_if_lost, NULL);
	} else {
		report("not rescued", tally->compared);
	}
	if (beside)
		CHECK(!close_range(KEPT_BESIDE, KEPT_BESIDE + FILES, 0));
	this_call.is_daring = false;
}

static int open_self(const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	fd = open(path, flags | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static void make_areas(void)
{
	struct range all = { 0, ARENA_PAGES };
	unsigned char *start;
	uintptr_t end;

	set_protection(all, NOT_MAPPED);
	end = ((uintptr_t)sbrk(0) + PAGE_SIZE - 1) & -PAGE_SIZE;
	heap = (char *)end;
	CHECK(!brk(heap));
	shared = shared_memory(SHARED_PAGES * PAGE_SIZE);
	twins = private_memory(TWIN_PAGES * PAGE_SIZE);
	memory_fill(twins, TWIN_PAGES * PAGE_SIZE, 0x21);
	madvise(twins, TWIN_PAGES * PAGE_SIZE, MADV_MERGEABLE);
	never_written = private_memory(PAGE_SIZE);
	touch_read(never_written);
	/* With a gap on both sides. */
	start = private_memory(3 * HUGE_SIZE);
	CHECK(!mprotect(start, 3 * HUGE_SIZE, PROT_NONE));
	huge = (unsigned char *)(((uintptr_t)start + HUGE_SIZE) & -HUGE_SIZE);
	CHECK(!mprotect(huge, HUGE_SIZE, PROT_READ | PROT_WRITE));
}

static void begin(void)
{
	unsigned int i;

	before = shared_memory(sizeof(*before));
	after = shared_memory(sizeof(*after));
	scratch = shared_memory(MAPS_SIZE);
	self_mem = open_self("mem", O_RDWR);
	self_maps = open_self("maps", O_RDONLY);
	self_pagemap = open_self("pagemap", O_RDONLY);
	self_files = open_self("fd", O_RDONLY | O_DIRECTORY);
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	file = memfd_create("random", MFD_CLOEXEC);
	CHECK(zero >= 0 && file >= 0);
	CHECK(!pipe(mailbox));
	first_file = mailbox[1] + 1;
	CHECK(!ftruncate(file, 1024 * PAGE_SIZE));
	CHECK(pwrite(file, "contents of the file", 20, 3 * PAGE_SIZE) == 20);
	for (i = 0; i < FILES; i++)
		files[i] = -1;
	make_areas();
	signal(SIGSEGV, on_fault);
}

struct orders {
	unsigned long seed;
	unsigned int count;
};

/*
 * The page of the return probes appears with the first.  Without a call
 * nothing differs.
 */
static int __noipa run_orders(const struct orders *orders)
{
	unsigned int i;

	begin();
	CHECK(call(sequence, 0, true) == RESCUED);
	CHECK(call(sequence_with_shared, 0, true) == RESCUED);
	tally->rescued = 2;
	for (i = 0; i < 2; i++) {
		take_snapshot(before);
		take_snapshot(after);
		if (i)
			compare(0);
	}
	for (i = 0; tally->compared < orders->count; i++) {
		begin_random(orders->seed, i);
		begin_story();
		if (rnd(4))
			call_and_compare();
		else
			call_and_keep();
	}
	return 0;
}

/* What is above in the stack is compared, and some of it written to. */
static int random_program(void *arg)
{
	unsigned char above[FRAME_SIZE];
	int ended;

	memset(above, 0x42, sizeof(above));
	frame = above;
	barrier();
	ended = run_orders(arg);
	barrier();
	return ended;
}

FIXTURE(random)
{
	bool has_swap;
};

FIXTURE_SETUP(random)
{
	ASSERT_EQ(0, test_begin());
	self->has_swap = swap_on(64UL << 20);
	if (!self->has_swap)
		printf("# without swap\n");
	write_text(KSM "sleep_millisecs", "1");
	if (write_text(KSM "pages_to_scan", "2000"))
		printf("# without KSM\n");
	/* What khugepaged makes in the middle of a call has that refused. */
	write_text(THP_ENABLED, "madvise");
}

FIXTURE_TEARDOWN(random)
{
	write_text(THP_ENABLED, "always");
	write_text(KSM "run", "2");
	if (self->has_swap)
		swap_off();
	test_end(_metadata->passed);
}

TEST_F_TIMEOUT(random, sequences_leave_no_trace, 880)
{
	const struct rescue_point with_shared = {
		.function = sequence_with_shared,
		.name = "with_shared",
		.shared = TEST_SHARED_RESTORE,
	};
	struct orders orders;
	int ended;

	orders.count = is_debug_kernel() ? 500 :
		       getenv("REASSURE_VERIFY") ? 1500 :
		       getenv("REASSURE_SHORT") ? 8000 : 10000;
	orders.count = number_from_environment("REASSURE_SEQUENCES",
					       orders.count);
	orders.seed = number_from_environment("REASSURE_SEED", time(NULL));
	tally = shared_memory(PAGE_SIZE);
	story_file = memfd_create("story", MFD_CLOEXEC);
	ASSERT_LE(0, story_file);
	printf("# REASSURE_SEED=%lu REASSURE_SEQUENCES=%u\n", orders.seed,
	       orders.count);
	fflush(stdout);
	ASSERT_EQ(0, rescue_point_protect(sequence));
	ASSERT_EQ(0, rescue_point_add(&with_shared));
	ended = child_run(random_program, &orders);
	if (ended) {
		printf("# the last sequence: ");
		fflush(stdout);
		print_story();
	}
	printf("# %lu compared; refused, as expected, %lu\n", tally->compared,
	       tally->refused);
	fflush(stdout);
	EXPECT_EQ(0, ended);
	EXPECT_EQ(orders.count, tally->compared);
	EXPECT_EQ(tally->rescued, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(tally->refused, all_refused_since_mark());
	EXPECT_GT(orders.count / DARING, tally->refused);
}

TEST_HARNESS_MAIN
