// SPDX-License-Identifier: GPL-2.0
/*
 * Every kind of fault, in a function that has overwritten every kind of
 * memory: the call returns its error value, memory is what it was, and the
 * program goes on as if nothing had happened.  Calls that do not fault keep
 * what they wrote.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <assert.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/world.h"

/* Faults of one child, one after the other. */
#define ROUNDS	3

static char *read_only_page, *unmapped_page, *unreadable_page, *file_page;
static void (*throw_exception)(void);

static void read_null(void)
{
	touch_read(BAD_ADDRESS);
}

static void write_null(void)
{
	touch_write(BAD_ADDRESS);
}

static void read_unmapped(void)
{
	touch_read(unmapped_page);
}

static void read_non_canonical(void)
{
	touch_read((void *)0xdead000000000000);
}

static void read_kernel(void)
{
	touch_read((void *)0xffff888000000000);
}

static void read_unreadable(void)
{
	touch_read(unreadable_page);
}

static void write_read_only(void)
{
	touch_write(read_only_page);
}

static void write_code(void)
{
	touch_write(write_code);
}

static void execute_data(void)
{
	asm volatile("call *%0" : : "r" (read_only_page) : "memory");
}

static void execute_null(void)
{
	asm volatile("call *%0" : : "r" (0UL) : "memory");
}

static void execute_non_canonical(void)
{
	asm volatile("call *%0" : : "r" (0x4141414141414141) : "memory");
}

static void privileged_instruction(void)
{
	asm volatile("hlt");
}

static void behind_end_of_file(void)
{
	touch_read(file_page + PAGE_SIZE);
}

static void write_behind_end_of_file(void)
{
	touch_write(file_page + PAGE_SIZE);
}

static void divide_by_zero(void)
{
	asm volatile("xorl %%edx, %%edx; movl $1, %%eax; xorl %%ecx, %%ecx; idivl %%ecx"
		     : : : "eax", "ecx", "edx");
}

static void divide_overflow(void)
{
	asm volatile("movl $0x80000000, %%eax; cltd; movl $-1, %%ecx; idivl %%ecx"
		     : : : "eax", "ecx", "edx");
}

static void invalid_instruction(void)
{
	asm volatile("ud2");
}

static void call_abort(void)
{
	abort();
}

static void failed_assertion(void)
{
	int heads = 0;

	asm("" : "+r" (heads));
	assert(heads);
}

static void raise_abort(void)
{
	raise(SIGABRT);
}

static void double_free(void)
{
	void *block = malloc(40);
	void *again = block;

	asm("" : "+r" (again));
	free(block);
	free(again);
}

static void invalid_free(void)
{
	char *block = calloc(1, 40);

	block += 8;
	asm("" : "+r" (block));
	free(block);
}

static void __noipa __attribute__((stack_protect)) smash(size_t size)
{
	char buffer[16];

	asm volatile("" : : "r" (buffer) : "memory");
	memset(buffer, 0x41, size);
	asm volatile("" : : "r" (buffer) : "memory");
}

static void stack_protector(void)
{
	smash(40);
}

static void uncaught_exception(void)
{
	throw_exception();
}

static void breakpoint(void)
{
	asm volatile("int3");
}

static void bad_system_call(void)
{
	syscall(SYS_swapoff, NULL);
}

FIXTURE(fault)
{
};

FIXTURE_VARIANT(fault)
{
	void (*raise)(void);
	int sig;
};

#define FAULT(function, signal) \
	FIXTURE_VARIANT_ADD(fault, function) { .raise = function, .sig = signal }

FAULT(read_null, SIGSEGV);
FAULT(write_null, SIGSEGV);
FAULT(read_unmapped, SIGSEGV);
FAULT(read_non_canonical, SIGSEGV);
FAULT(read_kernel, SIGSEGV);
FAULT(read_unreadable, SIGSEGV);
FAULT(write_read_only, SIGSEGV);
FAULT(write_code, SIGSEGV);
FAULT(execute_data, SIGSEGV);
FAULT(execute_null, SIGSEGV);
FAULT(execute_non_canonical, SIGSEGV);
FAULT(privileged_instruction, SIGSEGV);
FAULT(behind_end_of_file, SIGBUS);
FAULT(write_behind_end_of_file, SIGBUS);
FAULT(divide_by_zero, SIGFPE);
FAULT(divide_overflow, SIGFPE);
FAULT(invalid_instruction, SIGILL);
FAULT(call_abort, SIGABRT);
FAULT(failed_assertion, SIGABRT);
FAULT(raise_abort, SIGABRT);
FAULT(double_free, SIGABRT);
FAULT(invalid_free, SIGABRT);
FAULT(stack_protector, SIGABRT);
FAULT(uncaught_exception, SIGABRT);
FAULT(breakpoint, SIGTRAP);
FAULT(bad_system_call, SIGSYS);

static char *mapped_file(size_t size)
{
	int fd = memfd_create("faults", MFD_CLOEXEC);
	char *start;

	CHECK(fd >= 0 && !ftruncate(fd, size));
	start = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(start != MAP_FAILED);
	close(fd);
	return start;
}

static void trap_bad_system_call(void)
{
	forbid_system_call(SYS_swapoff, SECCOMP_RET_TRAP);
}

/* The C++ runtime, without a C++ compiler. */
static void *(*allocate_exception)(size_t size);
static void (*throw)(void *exception, void *type, void (*destroy)(void *));
static void *type_of_int;

static void throw_int(void)
{
	throw(allocate_exception(sizeof(int)), type_of_int, NULL);
}

static void load_cxx(void)
{
	void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_GLOBAL);

	if (!library)
		_exit(4);
	allocate_exception = dlsym(library, "__cxa_allocate_exception");
	throw = dlsym(library, "__cxa_throw");
	type_of_int = dlsym(library, "_ZTIi");
	CHECK(allocate_exception && throw && type_of_int);
	throw_exception = throw_int;
}

static void prepare(const FIXTURE_VARIANT(fault) *variant)
{
	read_only_page = private_memory(PAGE_SIZE);
	memset(read_only_page, 0xc3, PAGE_SIZE);
	mprotect(read_only_page, PAGE_SIZE, PROT_READ);
	unreadable_page = private_memory(PAGE_SIZE);
	mprotect(unreadable_page, PAGE_SIZE, PROT_NONE);
	unmapped_page = private_memory(PAGE_SIZE);
	file_page = mapped_file(PAGE_SIZE);
	if (variant->raise == read_unmapped)
		munmap(unmapped_page, PAGE_SIZE);
	if (variant->sig == SIGSYS)
		trap_bad_system_call();
	if (variant->raise == uncaught_exception)
		load_cxx();
	/* What the C library has to say about it. */
	if (variant->sig == SIGABRT)
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
}

struct call {
	struct world *world;
	unsigned int seed;
	void (*raise)(void);
	FILE *stream;
};

static long __noipa victim(struct call *call)
{
	unsigned char local[3000];

	memset(local, call->seed, sizeof(local));
	asm volatile("" : : "r" (local) : "memory");
	world_overwrite(call->world, call->seed);
	fprintf(call->stream, "from inside %u\n", call->seed);
	call->raise();
	return local[10];
}

static void __noipa victim_void(struct call *call)
{
	victim(call);
	/* Not a jump, which would not return to here. */
	barrier();
}

static void no_fault(void)
{
}

/* What a server does all day. */
static void check_program_goes_on(void)
{
	volatile double third = 1.0, sum = 0;
	char text[100], *blocks[50], *many;
	long double large = 1;
	int i;

	third /= 3;
	for (i = 0; i < 50; i++) {
		blocks[i] = malloc(10 + i * i * 7);
		CHECK(blocks[i]);
		memset(blocks[i], i, 10 + i * i * 7);
		sum += third;
	}
	for (i = 0; i < 50; i++) {
		CHECK(blocks[i][9 + i * i * 7] == i);
		free(blocks[i]);
	}
	many = calloc(1, 400000);
	CHECK(many);
	for (i = 0; i < 400000; i++)
		CHECK(!many[i]);
	free(many);
	CHECK(fabs(sum - 50.0 / 3) < 1e-9);
	for (i = 0; i < 70; i++)
		large *= 2;
	snprintf(text, sizeof(text), "%.3f %.1Lf %d", third, large, 42);
	CHECK(!strcmp(text, "0.333 1180591620717411303424.0 42"));
	CHECK(strtod("2.5e3", NULL) == 2500);
	CHECK(sqrt(third * 27) == 3);
}

static void check_stream(FILE *stream, const char *expected)
{
	char text[300];
	size_t length;

	CHECK(!fflush(stream));
	length = pread(fileno(stream), text, sizeof(text) - 1, 0);
	text[length] = 0;
	CHECK(!strcmp(text, expected));
}

static void __noipa call_and_check(struct call *call, struct world *world,
				   unsigned int seed)
{
	const char *wrong;

	world_fill(world, seed);
	call->seed = seed + 100;
	CHECK(victim(call) == RESCUED);
	wrong = world_wrong(world, seed);
	if (wrong)
		dprintf(STDOUT_FILENO, "# not as before: %s\n", wrong);
	CHECK(!wrong);
}

static int faulting_program(void *arg)
{
	const FIXTURE_VARIANT(fault) *variant = arg;
	unsigned char local[WORLD_STACK];
	struct sigaction action;
	struct world world;
	struct call call;
	sigset_t mask;
	int i;

	world_init(&world);
	world_add(&world, "the caller's stack", local, sizeof(local));
	call.world = &world;
	call.raise = variant->raise;
	call.stream = tmpfile();
	CHECK(call.stream);
	prepare(variant);
	fputs("before\n", call.stream);

	for (i = 0; i < ROUNDS; i++) {
		call_and_check(&call, &world, i);
		check_program_goes_on();
		/* Nothing that forcing the signal changed stays. */
		CHECK(!sigaction(variant->sig, NULL, &action));
		CHECK(action.sa_handler == SIG_DFL);
		CHECK(!sigprocmask(SIG_SETMASK, NULL, &mask));
		CHECK(!sigismember(&mask, variant->sig));
	}

	/* What a call without a fault has written stays. */
	call.raise = no_fault;
	call.seed = 50;
	CHECK(victim(&call) == 50);
	CHECK(!world_overwritten_wrong(&world, 50));
	fputs("after\n", call.stream);
	check_stream(call.stream, "before\nfrom inside 50\nafter\n");
	return 0;
}

FIXTURE_SETUP(fault)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(fault)
{
	test_end(_metadata->passed);
}

TEST_F(fault, is_rescued_whole)
{
	struct rescue_point rp = {
		.function = victim,
		.signals = DEFAULT_SIGNALS | SIGNAL_BIT(variant->sig),
	};
	int ended;

	ASSERT_EQ(0, rescue_point_add(&rp));
	ended = child_run(faulting_program, (void *)variant);
	if (ended == 4)
		SKIP(return, "no C++ runtime library");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(ROUNDS, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(ROUNDS + 1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, all_refused_since_mark());
	EXPECT_LE(ROUNDS * 100, events_since_mark(REASSURE_COUNTER_PAGES_RESTORED));
}

static int unprotected_program(void *arg)
{
	const FIXTURE_VARIANT(fault) *variant = arg;

	prepare(variant);
	variant->raise();
	return 0;
}

/* So that the test above cannot pass because nothing happens. */
TEST_F(fault, is_fatal_without)
{
	int ended = child_run(unprotected_program, (void *)variant);

	if (ended == 4)
		SKIP(return, "no C++ runtime library");
	EXPECT_EQ(-variant->sig, ended);
}

FIXTURE(value)
{
};

FIXTURE_VARIANT(value)
{
	int64_t value;
};

FIXTURE_VARIANT_ADD(value, zero) { .value = 0 };
FIXTURE_VARIANT_ADD(value, http) { .value = 500 };
FIXTURE_VARIANT_ADD(value, minus_one) { .value = -1 };
FIXTURE_VARIANT_ADD(value, smallest) { .value = INT64_MIN };
FIXTURE_VARIANT_ADD(value, largest) { .value = INT64_MAX };
FIXTURE_VARIANT_ADD(value, pattern) { .value = 0x123456789abcdef0 };

FIXTURE_SETUP(value)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(value)
{
	test_end(_metadata->passed);
}

static long __noipa plain_victim(void)
{
	read_null();
	return 1;
}

static int returning_program(void *arg)
{
	const int64_t *value = arg;

	CHECK(plain_victim() == *value);
	return 0;
}

TEST_F(value, is_returned)
{
	struct rescue_point rp = {
		.function = plain_victim,
		.value = &variant->value,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(returning_program, (void *)&variant->value));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

FIXTURE(plain)
{
};

FIXTURE_SETUP(plain)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(plain)
{
	test_end(_metadata->passed);
}

static int void_program(void *arg)
{
	struct world world;
	struct call call = { &world, 9, read_null, stdout };

	world_init(&world);
	world_fill(&world, 1);
	victim_void(&call);
	CHECK(!world_wrong(&world, 1));
	return 0;
}

TEST_F(plain, nothing_is_returned)
{
	struct rescue_point rp = {
		.function = victim_void,
		.returns_void = true,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(void_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Not covered: whom it is shared with may have seen it. */
static unsigned char *shared;

static long __noipa shared_victim(void)
{
	memset(shared, 7, 2 * PAGE_SIZE);
	read_null();
	return 1;
}

static int sharing_program(void *arg)
{
	CHECK(shared_victim() == RESCUED);
	return 0;
}

TEST_F(plain, shared_memory_keeps_what_was_written)
{
	shared = shared_memory(2 * PAGE_SIZE);
	memset(shared, 3, PAGE_SIZE);
	ASSERT_EQ(0, rescue_point_protect(shared_victim));
	EXPECT_EQ(0, child_run(sharing_program, NULL));
	EXPECT_EQ(7, shared[0]);
	EXPECT_EQ(7, shared[2 * PAGE_SIZE - 1]);
}

TEST_HARNESS_MAIN
