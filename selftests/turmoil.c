// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once and at random: rescue points come and go, the module too,
 * while processes call, fault, fork, execute, end, are stopped and killed.
 * Whatever is protected at the moment, a call that is rescued leaves all as it
 * was, and one that returns has done all of its work.  Afterwards everything
 * works as on the first day.
 *
 * REASSURE_SEED repeats the choices, REASSURE_SECONDS says for how long.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/world.h"

#define WORKERS		6
#define POINTS		4
#define AREA_SIZE	(6 * PAGE_SIZE)
#define LAST_CALLS	25
#define MANY_SECONDS	180
#define FEW_SECONDS	30

/**
 * struct account - what a worker has seen; outside of what is covered
 * @calls: of rescue points
 * @returned: of these
 * @rescued: of these
 */
struct account {
	unsigned long calls;
	unsigned long returned;
	unsigned long rescued;
};

static struct account *accounts;
static struct world world;
static pid_t self;

/* Of this process; small, and the same everywhere for the same seed. */
static unsigned long random_state;

static unsigned int below(unsigned int n)
{
	random_state = random_state * 6364136223846793005UL + 1;
	return (random_state >> 33) % n;
}

/* What a call may do besides writing. */
static void fork_one(unsigned int how)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child)
		return;
	if (how == 0)
		touch_read(BAD_ADDRESS);
	if (how == 1)
		_exit(0);
	/* Or returns with the parent; see worker(). */
}

static void change_mappings(void)
{
	char *start = mmap(NULL, 2 * AREA_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(start != MAP_FAILED);
	memset(start, 1, 2 * AREA_SIZE);
	CHECK(!munmap(start + AREA_SIZE, AREA_SIZE));
	free(malloc(300000));
	CHECK(!munmap(start, AREA_SIZE));
}

static void use_files(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char bytes[100];

	CHECK(fd >= 0);
	CHECK(read(fd, bytes, sizeof(bytes)) == sizeof(bytes));
	CHECK(!close(fd));
}

static void act(void)
{
	switch (below(40)) {
	case 0 ... 2:
		fork_one(below(3));
		break;
	case 3 ... 8:
		change_mappings();
		break;
	case 9 ... 14:
		use_files();
		break;
	case 15 ... 18:
		usleep(below(3000));
		break;
	case 19:
		execl("/bin/true", "true", NULL);
		break;
	case 20:
		_exit(0);
	}
}

static void work(unsigned int seed, bool fault, bool active)
{
	world_overwrite(&world, seed);
	if (active)
		act();
	if (fault)
		touch_read(BAD_ADDRESS);
}

/* Each is a rescue point at times. */
static long __noipa first(unsigned int seed, bool fault, bool active)
{
	work(seed, fault, active);
	return 0;
}

static long __noipa second(unsigned int seed, bool fault, bool active)
{
	work(seed, fault, active);
	return 1;
}

static long __noipa third(unsigned int seed, bool fault, bool active)
{
	work(seed, fault, active);
	return 2;
}

static long __noipa fourth(unsigned int seed, bool fault, bool active)
{
	work(seed, fault, active);
	return 3;
}

typedef long (*point_function)(unsigned int seed, bool fault, bool active);

static const point_function functions[POINTS] = {
	first, second, third, fourth
};

static const char *const names[POINTS] = {
	"first", "second", "third", "fourth"
};

static int add_point(int i)
{
	const struct rescue_point rp = {
		.function = functions[i],
		.name = names[i],
		/* The last two are left by exits that are probed. */
		.probe_exits = i >= POINTS / 2,
	};

	return rescue_point_add(&rp);
}

static void call_one(struct account *account, bool active)
{
	unsigned int seed = below(250);
	unsigned int point = below(POINTS);
	bool fault = below(2);
	long ret;

	world_fill(&world, seed);
	account->calls++;
	ret = functions[point](seed + 1, fault, active);
	if (getpid() != self)
		_exit(0);
	if (ret == RESCUED) {
		CHECK(fault);
		CHECK(!world_wrong(&world, seed));
		account->rescued++;
	} else {
		CHECK(!fault && ret == point);
		CHECK(!world_overwritten_wrong(&world, seed + 1));
		account->returned++;
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static int worker(void *arg)
{
	struct account *account = arg;

	self = getpid();
	random_state = self * 7919UL + random_state;
	for (;;)
		call_one(account, true);
	return 0;
}

/* When everything is protected and nobody disturbs. */
static int last_worker(void *arg)
{
	struct account *account = arg;
	int i;

	self = getpid();
	random_state = self * 7919UL + random_state;
	for (i = 0; i < LAST_CALLS; i++)
		call_one(account, false);
	return 0;
}

FIXTURE(turmoil)
{
	pid_t workers[WORKERS];
	unsigned long actions;
	unsigned long loads;
};

FIXTURE_SETUP(turmoil)
{
	int i;

	ASSERT_EQ(0, test_begin_alone());
	ASSERT_NE(NULL, getenv("REASSURE_KO"));
	accounts = shared_memory(PAGE_SIZE);
	world_init(&world);
	world_add(&world, "more", private_memory(AREA_SIZE), AREA_SIZE);
	/*
	 * Calls that return have written to what was fresh.  Little of each,
	 * so that there are many calls.
	 */
	for (i = 0; i < world.count; i++) {
		world.areas[i].fresh = 0;
		world.areas[i].from_file = 0;
		if (world.areas[i].size > 2 * PAGE_SIZE)
			world.areas[i].size = 2 * PAGE_SIZE;
	}
}

FIXTURE_TEARDOWN(turmoil)
{
	test_end_alone(_metadata->passed);
}

static void start_worker(FIXTURE_DATA(turmoil) *self, int i)
{
	below(2);
	self->workers[i] = child_start(worker, &accounts[i]);
}

/* Those that have died of what was not rescued, ended or been killed. */
static bool replace_ended(FIXTURE_DATA(turmoil) *self)
{
	int i, status;

	for (i = 0; i < WORKERS; i++) {
		if (waitpid(self->workers[i], &status, WNOHANG) <= 0)
			continue;
		/* What a worker has found wrong it has said. */
		if (WIFEXITED(status) ? WEXITSTATUS(status) :
		    WTERMSIG(status) != SIGSEGV && WTERMSIG(status) != SIGKILL)
			return false;
		start_worker(self, i);
	}
	return true;
}

/* Whatever the answer is: it may be there, or not be there. */
static bool act_as_administrator(FIXTURE_DATA(turmoil) *self)
{
	struct counters counters;
	unsigned int i = below(WORKERS);

	self->actions++;
	switch (below(40)) {
	case 0 ... 9:
		add_point(below(POINTS));
		break;
	case 10 ... 14:
		rescue_point_delete(names[below(POINTS)]);
		break;
	case 15 ... 18:
		kill(self->workers[i], SIGKILL);
		break;
	case 19 ... 22:
		kill(self->workers[i], SIGSTOP);
		usleep(below(5000));
		rescue_point_delete(names[below(POINTS)]);
		kill(self->workers[i], SIGCONT);
		break;
	case 23:
		rescue_points_flush();
		break;
	case 24:
		self->loads++;
		return !module_unload() && !module_load();
	case 25 ... 27:
		return !counters_read(NULL, &counters);
	default:
		usleep(below(20000));
	}
	return true;
}

TEST_F_TIMEOUT(turmoil, ends_well, 7200)
{
	unsigned long seconds = is_debug_kernel() ? MANY_SECONDS : FEW_SECONDS;
	struct account sum = { };
	time_t end;
	int i;

	seconds = number_from_environment("REASSURE_SECONDS", seconds);
	random_state = number_from_environment("REASSURE_SEED", time(NULL));
	printf("# REASSURE_SEED=%lu REASSURE_SECONDS=%lu\n", random_state,
	       seconds);
	/* What is there already, or not there, is no news. */
	ASSERT_NE(NULL, freopen("/dev/null", "w", stderr));
	for (i = 0; i < WORKERS; i++)
		start_worker(self, i);
	for (end = time(NULL) + seconds; time(NULL) < end;) {
		ASSERT_TRUE(replace_ended(self));
		ASSERT_TRUE(act_as_administrator(self));
	}
	for (i = 0; i < WORKERS; i++) {
		kill(self->workers[i], SIGCONT);
		kill(self->workers[i], SIGKILL);
		child_wait(self->workers[i]);
		sum.calls += accounts[i].calls;
		sum.returned += accounts[i].returned;
		sum.rescued += accounts[i].rescued;
	}
	printf("# %lu actions, %lu of them loaded the module again\n",
	       self->actions, self->loads);
	printf("# %lu calls, %lu returned, %lu rescued\n", sum.calls,
	       sum.returned, sum.rescued);
	EXPECT_LT(0, sum.returned);
	EXPECT_LT(0, sum.rescued);
	EXPECT_LT(sum.returned + sum.rescued, sum.calls);

	ASSERT_EQ(0, rescue_points_flush());
	for (i = 0; i < POINTS; i++)
		ASSERT_EQ(0, add_point(i));
	for (i = 0; i < WORKERS; i++)
		self->workers[i] = child_start(last_worker, &accounts[i]);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, child_wait(self->workers[i]));
}

TEST_HARNESS_MAIN
