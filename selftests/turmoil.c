// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once and at random: rescue points come, change and go, the module
 * too, while processes with and without threads call, call inside calls, fault,
 * are late, fork, execute, end, are stopped and killed.
 * Whatever is protected at the moment, a call that is rescued leaves all as it
 * was, and one that returns has done all of its work.  Afterwards everything
 * works as on the first day.
 *
 * REASSURE_SEED repeats the choices, REASSURE_SECONDS says for how long.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/world.h"

#define WORKERS		6
/* The last of them have another thread, which calls a rescue point of its own. */
#define THREADED	2
#define POINTS		5
#define POINT_BESIDE	(POINTS - 1)
#define OTHER_ERROR	(-88L)
#define AREA_SIZE	(6 * PAGE_SIZE)
#define LAST_CALLS	25
#define MANY_SECONDS	180
#define FEW_SECONDS	30

/**
 * struct account - what a worker has seen; outside of what is covered
 * @calls: of rescue points
 * @returned: of these
 * @rescued: of these
 * @early: of those that were rescued without a fault: late, or skipped
 * @inside: calls that returned after one inside them had been rescued
 * @beside: calls of the other thread that were rescued
 */
struct account {
	unsigned long calls;
	unsigned long returned;
	unsigned long rescued;
	unsigned long early;
	unsigned long inside;
	unsigned long beside;
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

/**
 * struct plan - what a call is to do
 * @seed: of the world at its entry; it makes that of the next one of it
 * @point: which it is
 * @fault: in the end
 * @active: what act() does
 * @inside: a call that it makes, or NULL
 */
struct plan {
	unsigned int seed;
	unsigned int point;
	bool fault;
	bool active;
	const struct plan *inside;
};

/* Some have a deadline at times, and a budget after which they are skipped. */
static bool ends_early(unsigned int point)
{
	return point < POINT_BESIDE && point % 2;
}

static bool faults(const struct plan *plan)
{
	return plan->fault || (plan->inside && plan->inside->fault);
}

/* The call around may be taken back for the one inside it. */
static bool may_be_rescued(const struct plan *plan)
{
	return faults(plan) || ends_early(plan->point) ||
	       (plan->inside && ends_early(plan->inside->point));
}

static bool is_error(long ret)
{
	return ret == RESCUED || ret == OTHER_ERROR;
}

static bool call(const struct plan *plan);

static void work(const struct plan *plan)
{
	world_overwrite(&world, plan->seed + 1);
	if (plan->active)
		act();
	if (plan->inside) {
		call(plan->inside);
		world_overwrite(&world, plan->seed + 1);
	}
	if (plan->fault)
		touch_read(BAD_ADDRESS);
}

/* Each is a rescue point at times. */
static long __noipa first(const struct plan *plan)
{
	work(plan);
	return 0;
}

static long __noipa second(const struct plan *plan)
{
	work(plan);
	return 1;
}

static long __noipa third(const struct plan *plan)
{
	work(plan);
	return 2;
}

static long __noipa fourth(const struct plan *plan)
{
	work(plan);
	return 3;
}

static long (*const calls[])(const struct plan *plan) = {
	first, second, third, fourth
};

/* That of another thread, which has no other memory than its stack. */
static long __noipa beside(unsigned char *area, unsigned char value, bool fault)
{
	memory_fill(area, AREA_SIZE, value);
	if (fault)
		touch_read(BAD_ADDRESS);
	return POINT_BESIDE;
}

static const void *const functions[POINTS] = {
	first, second, third, fourth, beside
};

static const char *const names[POINTS] = {
	"first", "second", "third", "fourth", "beside"
};

static struct rescue_point point(unsigned int i)
{
	return (struct rescue_point){
		.function = functions[i],
		.name = names[i],
		/* Two are left by exits that are probed. */
		.probe_exits = i == 2 || i == 3,
	};
}

static void add_point(unsigned int i)
{
	struct rescue_point rp = point(i);

	if (ends_early(i) && below(2)) {
		rp.deadline_ms = 1 + below(20);
	} else if (ends_early(i)) {
		rp.budget_rescues = 1 + below(3);
		rp.budget_seconds = 1;
		rp.exhausted = REASSURE_EXHAUSTED_SKIP;
	}
	rescue_point_add(&rp);
}

/* For when every fault has to be rescued, however slow the machine is. */
static int add_last_point(unsigned int i)
{
	struct rescue_point rp = point(i);

	rp.watchdog_ms = 10000;
	return rescue_point_add(&rp);
}

/* Whether it was rescued. */
static bool call(const struct plan *plan)
{
	long ret = calls[plan->point](plan);

	if (getpid() != self)
		_exit(0);
	if (is_error(ret)) {
		CHECK(may_be_rescued(plan));
		CHECK(!world_overwritten_wrong(&world, plan->seed));
		return true;
	}
	CHECK(!plan->fault && ret == plan->point);
	CHECK(!world_overwritten_wrong(&world, plan->seed + 1));
	return false;
}

static void call_one(struct account *account, bool active)
{
	struct plan inside = {
		.point = below(POINT_BESIDE),
		.fault = below(2),
	};
	struct plan plan = {
		.seed = below(250),
		.point = below(POINT_BESIDE),
		.fault = below(2),
		.active = active,
		.inside = below(3) ? NULL : &inside,
	};

	inside.seed = plan.seed + 1;
	world_fill(&world, plan.seed);
	account->calls++;
	if (call(&plan)) {
		account->rescued++;
		account->early += !faults(&plan);
	} else {
		account->returned++;
		account->inside += faults(&plan);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* No thread comes or goes while one is inside, for then a call is refused. */
static enum { ALONE, STARTED, TOGETHER, ENDING } threads;

static void set_threads(int state)
{
	__atomic_store_n(&threads, state, __ATOMIC_SEQ_CST);
}

static bool threads_are(int state)
{
	return __atomic_load_n(&threads, __ATOMIC_SEQ_CST) == state;
}

/* Else it only is there, so that nothing it does is in the way. */
static bool calls_beside;

static void *run_beside(void *arg)
{
	struct account *account = arg;
	unsigned char area[AREA_SIZE], value = 0;
	bool fault;
	long ret;

	set_threads(STARTED);
	while (!threads_are(TOGETHER))
		usleep(1000);
	for (; !threads_are(ENDING); value++) {
		fault = value % 4 == 0;
		memory_fill(area, sizeof(area), value);
		usleep(1000);
		CHECK(memory_holds(area, sizeof(area), value));
		if (!calls_beside)
			continue;
		ret = beside(area, value + 1, fault);
		CHECK(fault ? is_error(ret) : ret == POINT_BESIDE);
		CHECK(memory_holds(area, sizeof(area), value + !fault));
		account->beside += fault;
	}
	return NULL;
}

static pthread_t other_thread;

static void start_work(struct account *account)
{
	const struct plan first_call = { };

	self = getpid();
	random_state = self * 7919UL + random_state;
	if (account < accounts + WORKERS - THREADED)
		return;
	/* The first of a process may be refused where it is not alone. */
	world_fill(&world, first_call.seed);
	call(&first_call);
	CHECK(!pthread_create(&other_thread, NULL, run_beside, account));
	while (!threads_are(STARTED))
		usleep(1000);
	set_threads(TOGETHER);
}

static int worker(void *arg)
{
	calls_beside = true;
	start_work(arg);
	for (;;)
		call_one(arg, true);
	return 0;
}

/* When everything is protected and nobody disturbs. */
static int last_worker(void *arg)
{
	int i;

	start_work(arg);
	for (i = 0; i < LAST_CALLS; i++)
		call_one(arg, false);
	if (threads_are(TOGETHER)) {
		set_threads(ENDING);
		CHECK(!pthread_join(other_thread, NULL));
	}
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

/* One setting; seldom one with which every fault is fatal. */
static void set_point(void)
{
	static const int64_t values[] = { RESCUED, OTHER_ERROR };
	const uint32_t mode = below(4) ? REASSURE_MODE_RESCUE :
					 REASSURE_MODE_OBSERVE;
	const uint32_t threads = below(REASSURE_THREADS_MAX + 1);
	const uint32_t shared = below(4) ? REASSURE_SHARED_LEAVE :
					   below(REASSURE_SHARED_MAX + 1);
	const uint32_t deadline = below(3) * (1 + below(20));
	const uint32_t skip = REASSURE_EXHAUSTED_SKIP;
	const uint32_t die = REASSURE_EXHAUSTED_DIE;
	const uint32_t watchdog = 1 << below(11), escalate = below(4);
	struct rescue_point_change change = {};
	unsigned int point = below(POINTS);

	switch (below(ends_early(point) ? 12 : 6)) {
	case 0:
		change.mode = &mode;
		break;
	case 1:
		change.shared = &shared;
		break;
	case 2:
		change.watchdog_ms = &watchdog;
		break;
	case 3:
		change.escalate = &escalate;
		break;
	case 4:
		change.value = &values[below(ARRAY_SIZE(values))];
		break;
	case 5:
		/* What others do while that one is inside is never undone. */
		if (point == POINT_BESIDE)
			return;
		change.threads = &threads;
		break;
	case 6 ... 8:
		change.deadline_ms = &deadline;
		break;
	case 9:
		change.unlimited = true;
		change.exhausted = &die;
		break;
	default:
		change.budget_rescues = 1 + below(3);
		change.budget_seconds = 1;
		change.exhausted = &skip;
	}
	rescue_point_set(names[point], &change);
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
	case 28 ... 32:
		set_point();
		break;
	default:
		usleep(below(20000));
	}
	return true;
}

static struct account sum_up(void)
{
	struct account sum = { };
	int i;

	for (i = 0; i < WORKERS; i++) {
		sum.calls += accounts[i].calls;
		sum.returned += accounts[i].returned;
		sum.rescued += accounts[i].rescued;
		sum.early += accounts[i].early;
		sum.inside += accounts[i].inside;
		sum.beside += accounts[i].beside;
	}
	return sum;
}

/* A slow machine needs longer for it. */
static bool has_seen_all(void)
{
	struct account sum = sum_up();

	return sum.returned && sum.rescued && sum.early && sum.inside &&
	       sum.beside;
}

TEST_F_TIMEOUT(turmoil, ends_well, 7200)
{
	unsigned long seconds = is_debug_kernel() ? MANY_SECONDS : FEW_SECONDS;
	int i, log = dup(STDERR_FILENO);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct account sum;
	time_t end;

	seconds = number_from_environment("REASSURE_SECONDS", seconds);
	random_state = number_from_environment("REASSURE_SEED", time(NULL));
	printf("# REASSURE_SEED=%lu REASSURE_SECONDS=%lu\n", random_state,
	       seconds);
	/* What is there already, or not there, is no news. */
	ASSERT_EQ(STDERR_FILENO, dup2(nowhere, STDERR_FILENO));
	for (i = 0; i < WORKERS; i++)
		start_worker(self, i);
	for (end = time(NULL) + seconds;
	     time(NULL) < end || !has_seen_all();) {
		ASSERT_TRUE(replace_ended(self));
		ASSERT_TRUE(act_as_administrator(self));
	}
	ASSERT_EQ(STDERR_FILENO, dup2(log, STDERR_FILENO));
	for (i = 0; i < WORKERS; i++) {
		kill(self->workers[i], SIGCONT);
		kill(self->workers[i], SIGKILL);
		child_wait(self->workers[i]);
	}
	sum = sum_up();
	printf("# %lu actions, %lu of them loaded the module again\n",
	       self->actions, self->loads);
	printf("# %lu calls, %lu returned, %lu rescued, %lu of them without a fault\n",
	       sum.calls, sum.returned, sum.rescued, sum.early);
	printf("# %lu rescued inside others, %lu of other threads\n",
	       sum.inside, sum.beside);
	EXPECT_LT(sum.returned + sum.rescued, sum.calls);

	ASSERT_EQ(0, rescue_points_flush());
	counters_mark();
	for (i = 0; i < POINTS; i++)
		ASSERT_EQ(0, add_last_point(i));
	for (i = 0; i < WORKERS; i++)
		self->workers[i] = child_start(last_worker, &accounts[i]);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, child_wait(self->workers[i]));
}

TEST_HARNESS_MAIN
