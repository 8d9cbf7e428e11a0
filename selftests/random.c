// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences of what programs do to their memory and their descriptors
 * inside a rescue point, with a fault at a random place: after each rescue the whole process is
 * compared with what it was at the entry.  REASSURE_SEED repeats a run,
 * REASSURE_SEQUENCES says how many.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "kselftest_harness.h"
#include "lib/reassure_test.h"

/* Memory at a fixed place, all that the sequences play with, and the heap. */
#define ARENA_PAGES	96
/* With the end of a page table in the middle. */
#define ARENA		((unsigned char *)0x200000200000 - ARENA_PAGES / 2 * PAGE_SIZE)
#define HEAP_PAGES	32
#define RANGE_PAGES	12

#define MAPS_SIZE	65536
#define STORY_SIZE	4096

/* Descriptors that are compared, and how many of files are played with. */
#define DESCRIPTORS	64
#define FILES		12
#define FILE_NAMES	3

/* A descriptor, as far as a program can tell; @flags is -1 when it is closed. */
struct descriptor {
	int flags, status;
	ino_t inode;
	off_t offset;
};

/*
 * What is kept outside of what rescues put back.
 *
 * @maps: /proc/self/maps
 * @arena: contents
 * @heap: contents
 * @break_address: the break
 * @mask: of signals
 * @action: of a signal that sequences change
 * @umask: of the process
 * @directory: the working directory's inode
 * @descriptors: by number
 */
struct snapshot {
	char maps[MAPS_SIZE];
	unsigned char arena[ARENA_PAGES * PAGE_SIZE];
	unsigned char heap[HEAP_PAGES * PAGE_SIZE];
	void *break_address;
	sigset_t mask;
	struct sigaction action;
	mode_t umask;
	ino_t directory;
	struct descriptor descriptors[DESCRIPTORS];
};

static struct snapshot *before, *after;
static char *scratch;
/* What the sequence has done, for the reader of a failure. */
static char *story;

/* Private, so that rescues put them back with the memory that they speak of. */
static int protection[ARENA_PAGES];	/* or NOT_MAPPED */
static unsigned int heap_pages;
static int files[FILES];	/* descriptors, or -1 */
static bool will_fault;

#define NOT_MAPPED	(-1)

static char *heap;
static int self_mem, self_maps, file, zero, mailbox[2];

/* Outside of the random numbers that rescues take back. */
static unsigned long *random_state;

static unsigned int rnd(unsigned int below)
{
	*random_state = *random_state * 6364136223846793005 + 1442695040888963407;
	return (*random_state >> 33) % below;
}

static void tell(const char *format, ...)
{
	size_t length = strlen(story);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(story + length, STORY_SIZE - length, format, arguments);
	va_end(arguments);
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

/* The line at @line; returns the next one. */
static const char *parse_line(const char *line, struct mapping *map)
{
	const char *end = strchrnul(line, '\n');

	map->name[0] = 0;
	CHECK(sscanf(line, "%lx-%lx %4s %lx %*s %lu%*[ ]%63[^\n]", &map->start,
		     &map->end, map->access, &map->offset, &map->inode,
		     map->name) >= 5);
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

static void advise(void)
{
	static const int all[] = {
		MADV_DONTNEED, MADV_DONTNEED, MADV_DONTNEED, MADV_FREE,
		MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_WRITE,
	};
	struct range range = random_range();
	int advice = all[rnd(sizeof(all) / sizeof(*all))];

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
	use_stack(rnd(40));
}

static void block_signals(void)
{
	sigset_t mask;

	tell("mask; ");
	sigemptyset(&mask);
	sigaddset(&mask, 1 + rnd(31));
	sigprocmask(rnd(2) ? SIG_BLOCK : SIG_UNBLOCK, &mask, NULL);
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
	*to = *to < 0 ? dup(*from) : dup3(*from, *to, rnd(2) ? O_CLOEXEC : 0);
	CHECK(*to >= 0);
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

	if (!will_fault)
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

static void change_process(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };

	tell("process; ");
	switch (rnd(3)) {
	case 0:
		umask(rnd(0777));
		break;
	case 1:
		CHECK(!chdir(rnd(2) ? "/" : "/tmp"));
		break;
	default:
		if (rnd(2))
			action.sa_handler = on_signal;
		sigaddset(&action.sa_mask, 1 + rnd(31));
		CHECK(!sigaction(SIGUSR1, &action, NULL));
	}
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
	{ use_file, 5 },
	{ open_others, 2 },
	{ change_process, 2 },
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

static long __noipa sequence(unsigned int length, bool fault)
{
	will_fault = fault;
	while (length--)
		do_something();
	if (fault)
		touch_read(BAD_ADDRESS);
	return 1;
}

static bool continues(const struct mapping *map, const struct mapping *next)
{
	return map->end == next->start && map->inode == next->inode &&
	       !strcmp(map->access, next->access) &&
	       !strcmp(map->name, next->name) &&
	       (!map->inode || map->offset + map->end - map->start == next->offset);
}

static char *put_mapping(char *to, const struct mapping *map)
{
	/* The stack grows by itself. */
	if (!strcmp(map->name, "[stack]"))
		return to;
	return to + sprintf(to, "%lx-%lx %s %lx %lu %s\n", map->start, map->end,
			    map->access, map->inode ? map->offset : 0,
			    map->inode, map->name);
}

/* Mappings that only the kernel's own bounds keep apart are one. */
static void list_mappings(char *text)
{
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
		text = put_mapping(text, &map);
		map = next;
	}
	put_mapping(text, &map);
}

/* As a debugger reads, whatever the protection is; holes are empty. */
static void read_memory(unsigned char *to, const unsigned char *from,
			unsigned int pages)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		if (pread(self_mem, to + i * PAGE_SIZE, PAGE_SIZE,
			  (off_t)from + i * PAGE_SIZE) != PAGE_SIZE)
			memset(to + i * PAGE_SIZE, 0, PAGE_SIZE);
}

static void take_descriptors(struct descriptor *to)
{
	struct stat status;
	int fd;

	for (fd = 0; fd < DESCRIPTORS; fd++, to++) {
		memset(to, 0, sizeof(*to));
		to->flags = fcntl(fd, F_GETFD);
		if (to->flags < 0)
			continue;
		to->status = fcntl(fd, F_GETFL);
		CHECK(!fstat(fd, &status));
		to->inode = status.st_ino;
		if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
			to->offset = lseek(fd, 0, SEEK_CUR);
	}
}

static void take_process(struct snapshot *snapshot)
{
	struct stat status;

	CHECK(!sigaction(SIGUSR1, NULL, &snapshot->action));
	snapshot->umask = umask(0);
	umask(snapshot->umask);
	CHECK(!stat(".", &status));
	snapshot->directory = status.st_ino;
}

static void take_snapshot(struct snapshot *snapshot)
{
	take_descriptors(snapshot->descriptors);
	take_process(snapshot);
	read_memory(snapshot->arena, ARENA, ARENA_PAGES);
	read_memory(snapshot->heap, (unsigned char *)heap, HEAP_PAGES);
	snapshot->break_address = sbrk(0);
	sigemptyset(&snapshot->mask);
	sigprocmask(SIG_BLOCK, NULL, &snapshot->mask);
	list_mappings(snapshot->maps);
}

static void report(const char *what, unsigned int number)
{
	dprintf(STDOUT_FILENO, "# sequence %u: %s: %s\n", number, what, story);
	_exit(253);
}

static void compare(unsigned int number)
{
	unsigned int i;

	if (strcmp(before->maps, after->maps)) {
		dprintf(STDOUT_FILENO, "# before:\n%s# after:\n%s",
			before->maps, after->maps);
		report("the mappings differ", number);
	}
	for (i = 0; i < ARENA_PAGES; i++)
		if (memcmp(before->arena + i * PAGE_SIZE,
			   after->arena + i * PAGE_SIZE, PAGE_SIZE)) {
			dprintf(STDOUT_FILENO, "# page %u\n", i);
			report("memory differs", number);
		}
	if (memcmp(before->heap, after->heap, sizeof(before->heap)))
		report("the heap differs", number);
	if (before->break_address != after->break_address)
		report("the break differs", number);
	if (memcmp(&before->mask, &after->mask, sizeof(before->mask)))
		report("the mask of signals differs", number);
	for (i = 0; i < DESCRIPTORS; i++)
		if (memcmp(&before->descriptors[i], &after->descriptors[i],
			   sizeof(before->descriptors[i]))) {
			dprintf(STDOUT_FILENO,
				"# %u: flags %d, %d; status %o, %o; inode %lu, %lu; offset %ld, %ld\n",
				i, before->descriptors[i].flags,
				after->descriptors[i].flags,
				before->descriptors[i].status,
				after->descriptors[i].status,
				before->descriptors[i].inode,
				after->descriptors[i].inode,
				before->descriptors[i].offset,
				after->descriptors[i].offset);
			report("a descriptor differs", number);
		}
	/* Of the mask the kernel knows 64 signals. */
	if (before->action.sa_handler != after->action.sa_handler ||
	    before->action.sa_flags != after->action.sa_flags ||
	    memcmp(&before->action.sa_mask, &after->action.sa_mask, 8))
		report("the action of a signal differs", number);
	if (before->umask != after->umask || before->directory != after->directory)
		report("umask or working directory differ", number);
}

static void begin(void)
{
	struct range all = { 0, ARENA_PAGES };
	unsigned int i;
	uintptr_t end;

	before = shared_memory(sizeof(*before));
	after = shared_memory(sizeof(*after));
	scratch = shared_memory(MAPS_SIZE);
	self_mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	self_maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	file = memfd_create("random", MFD_CLOEXEC);
	CHECK(self_mem >= 0 && self_maps >= 0 && zero >= 0 && file >= 0);
	CHECK(!pipe(mailbox));
	CHECK(!ftruncate(file, 1024 * PAGE_SIZE));
	CHECK(pwrite(file, "contents of the file", 20, 3 * PAGE_SIZE) == 20);
	set_protection(all, NOT_MAPPED);
	for (i = 0; i < FILES; i++)
		files[i] = -1;
	end = ((uintptr_t)sbrk(0) + PAGE_SIZE - 1) & -PAGE_SIZE;
	heap = (char *)end;
	CHECK(!brk(heap));
}

/* The page of the return probes appears with the first. */
static int random_program(void *arg)
{
	unsigned int i, count = *(unsigned int *)arg;

	begin();
	CHECK(sequence(0, true) == RESCUED);
	for (i = 0; i < count; i++) {
		*story = 0;
		if (!rnd(4)) {
			tell("(kept) ");
			if (sequence(rnd(8), false) != 1)
				report("a call without a fault was rescued", i);
			continue;
		}
		take_snapshot(before);
		if (sequence(rnd(12), true) != RESCUED)
			report("not rescued", i);
		take_snapshot(after);
		compare(i);
	}
	return 0;
}

FIXTURE(random)
{
};

FIXTURE_SETUP(random)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(random)
{
	test_end(_metadata->passed);
}

TEST_F_TIMEOUT(random, sequences_leave_no_trace, 580)
{
	unsigned int count = is_debug_kernel() ? 500 :
			     getenv("REASSURE_VERIFY") ? 1500 :
			     getenv("REASSURE_SHORT") ? 8000 : 10000;
	unsigned long seed = number_from_environment("REASSURE_SEED", time(NULL));
	int ended;

	count = number_from_environment("REASSURE_SEQUENCES", count);
	random_state = shared_memory(PAGE_SIZE);
	story = shared_memory(STORY_SIZE);
	*random_state = seed;
	printf("# REASSURE_SEED=%lu REASSURE_SEQUENCES=%u\n", seed, count);
	fflush(stdout);
	ASSERT_EQ(0, rescue_point_protect(sequence));
	ended = child_run(random_program, &count);
	if (ended)
		printf("# the last sequence: %s\n", story);
	EXPECT_EQ(0, ended);
	EXPECT_EQ(0, all_refused_since_mark());
	EXPECT_LT(count / 2, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
