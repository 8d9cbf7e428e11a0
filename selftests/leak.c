// SPDX-License-Identifier: GPL-2.0
/*
 * Many calls, half of which are rescued, cost no memory that stays: neither
 * the program's nor the kernel's.
 */
#include <fcntl.h>
#include <signal.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define PAGES		8
#define REPORTS		5
/* Calls of each process before anything is measured. */
#define WARM_UP		200

/* What else goes on in a machine moves these a little. */
#define RESIDENT_KB	300
#define SLAB_KB		3000
#define FREE_KB		24000

static unsigned char *area;
static long checksum;

/* Allocates, maps and writes; gives back what it should when it returns. */
static long __noipa victim(bool fault)
{
	char *block = malloc(200), *mapped = NULL;
	int i;

	for (i = 0; i < PAGES; i++)
		area[i * PAGE_SIZE]++;
	memset(block, 1, 200);
	/* What is dear comes every now and then. */
	if (checksum % 8 == 0) {
		mapped = private_memory(3 * PAGE_SIZE);
		mapped[PAGE_SIZE] = 1;
	}
	checksum++;
	if (fault)
		touch_read(BAD_ADDRESS);
	if (mapped)
		munmap(mapped, 3 * PAGE_SIZE);
	free(block);
	return 1;
}

/* With the mapping that the C library makes for its last words. */
static long __noipa aborting_victim(bool fault)
{
	char *block = malloc(40), *again = block;

	area[0]++;
	checksum++;
	asm("" : "+r" (again));
	free(block);
	if (fault)
		free(again);
	return 1;
}

/* What the machine has. */
struct machine {
	long slab_kb, free_kb;
};

static long count_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	long count = 0;
	int c;

	while (file && (c = getc(file)) != EOF)
		count += c == '\n';
	if (file)
		fclose(file);
	return count;
}

static void measure(struct machine *machine)
{
	/* What the kernel frees in its own time. */
	usleep(300000);
	write_text("/proc/sys/vm/drop_caches", "3");
	machine->slab_kb = number_in("/proc/meminfo", "Slab:");
	machine->free_kb = number_in("/proc/meminfo", "MemFree:");
}

/**
 * struct load - what two processes do at once
 * @victim: whom they call
 * @calls: how often each
 * @warm: meeting points
 * @go: of the parent
 * @done: with the children
 * @end: of this
 * @process: what each is given
 */
struct load {
	long (*victim)(bool fault);
	long calls;
	uint32_t warm[2], go, done[2], end;
	struct process {
		struct load *load;
		int number;
	} process[2];
};

static void call(const struct load *load, long calls)
{
	long i;

	for (i = 0; i < calls; i += 2) {
		CHECK(load->victim(true) == RESCUED);
		CHECK(load->victim(false) == 1);
	}
}

static int loaded_program(void *arg)
{
	struct process *process = arg;
	struct load *load = process->load;
	int number = process->number;
	long resident, mappings;
	int part;

	/* The C library's last words are not for here. */
	if (load->victim == aborting_victim)
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	area = private_memory(PAGES * PAGE_SIZE);
	/* First all that is made once and stays. */
	call(load, WARM_UP);
	checksum = 0;
	count_lines("/proc/self/maps");
	resident = number_in("/proc/self/status", "RssAnon:");
	mappings = count_lines("/proc/self/maps");
	CHECK(resident > 0 && mappings > 0);
	meet_signal(&load->warm[number]);
	meet_await(&load->go);
	for (part = 1; part <= REPORTS; part++) {
		call(load, load->calls / REPORTS);
		dprintf(STDOUT_FILENO, "# process %d: %ld calls\n", number,
			part * (load->calls / REPORTS));
	}
	meet_signal(&load->done[number]);
	meet_await(&load->end);
	CHECK(checksum == load->calls / 2);
	dprintf(STDOUT_FILENO,
		"# process %d: resident %ld kB, then %ld kB; mappings %ld, then %ld\n",
		number, resident, number_in("/proc/self/status", "RssAnon:"),
		mappings, count_lines("/proc/self/maps"));
	CHECK(number_in("/proc/self/status", "RssAnon:") <= resident + RESIDENT_KB);
	CHECK(count_lines("/proc/self/maps") == mappings);
	return 0;
}

FIXTURE(leak)
{
};

FIXTURE_SETUP(leak)
{
	ASSERT_EQ(0, test_begin_alone());
}

FIXTURE_TEARDOWN(leak)
{
	test_end_alone(_metadata->passed);
}

static void run_load(struct __test_metadata *_metadata,
		     long (*victim_of_load)(bool fault), long calls)
{
	struct load *load = shared_memory(sizeof(*load));
	struct machine before, after;
	pid_t children[2];
	uint64_t rescues;
	int i;

	ASSERT_EQ(0, rescue_point_protect(victim_of_load));
	load->victim = victim_of_load;
	load->calls = calls / 2;
	for (i = 0; i < 2; i++) {
		load->process[i].load = load;
		load->process[i].number = i;
		children[i] = child_start(loaded_program,
					  &load->process[i]);
	}
	meet_await(&load->warm[0]);
	meet_await(&load->warm[1]);
	measure(&before);
	meet_signal(&load->go);
	meet_await(&load->done[0]);
	meet_await(&load->done[1]);
	/* While they still have all that they use. */
	measure(&after);
	meet_signal(&load->end);
	EXPECT_EQ(0, child_wait(children[0]));
	EXPECT_EQ(0, child_wait(children[1]));

	printf("# slab %ld kB, then %ld kB; free %ld kB, then %ld kB\n",
	       before.slab_kb, after.slab_kb, before.free_kb, after.free_kb);
	fflush(stdout);
	EXPECT_LT(0, before.slab_kb);
	EXPECT_GE(before.slab_kb + SLAB_KB, after.slab_kb);
	EXPECT_LE(before.free_kb - FREE_KB, after.free_kb);
	rescues = calls / 2 + WARM_UP;
	EXPECT_EQ(rescues, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(rescues, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F_TIMEOUT(leak, none_after_many_rescues, 280)
{
	run_load(_metadata, victim, is_debug_kernel() ? 3000 :
		 getenv("REASSURE_SHORT") ? 20000 : 100000);
}

TEST_F(leak, none_after_many_aborts)
{
	run_load(_metadata, aborting_victim, is_debug_kernel() ? 200 : 2000);
}

/* Processes that come, are rescued and go. */
static int short_lived_program(void *arg)
{
	area = private_memory(PAGES * PAGE_SIZE);
	CHECK(victim(true) == RESCUED);
	if (arg)
		victim(true);
	return 0;
}

TEST_F(leak, none_after_many_processes)
{
	long slab, free, count = is_debug_kernel() ? 100 : 500;
	struct machine before, after;
	long i;

	ASSERT_EQ(0, rescue_point_protect(victim));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, child_run(short_lived_program, NULL));
	measure(&before);
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, child_run(short_lived_program, (void *)(i % 2)));
	measure(&after);
	slab = after.slab_kb - before.slab_kb;
	free = before.free_kb - after.free_kb;
	EXPECT_GE(SLAB_KB, slab);
	EXPECT_GE(FREE_KB, free);
}

TEST_HARNESS_MAIN
