// SPDX-License-Identifier: GPL-2.0
/*
 * A bank whose clerks, many threads, move money between accounts under a mutex.
 * One transfer in fifty crashes half-way, with the money in nobody's account and
 * the mutex locked.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define ACCOUNTS	23
#define DEPOSIT		1000000L
#define CLERKS_MAX	64

/* Some accounts in a page with others, some not. */
static struct {
	long money;
	char pad[1000];
} accounts[ACCOUNTS];

static pthread_mutex_t mutex;
static pthread_cond_t transferred = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static long transfers;
static bool stop;

/* Where each clerk has his own books, which nobody locks. */
static struct {
	_Alignas(64) long done;
	long crashed;
} books[CLERKS_MAX];

FIXTURE(bank)
{
};

FIXTURE_VARIANT(bank)
{
	int clerks;
	/* How long, unless it has to be short. */
	int seconds;
	bool locked_outside;
	bool robust;
	bool waiting;
};

FIXTURE_VARIANT_ADD(bank, of_8)
{
	.clerks = 8,
	.seconds = 60,
};

FIXTURE_VARIANT_ADD(bank, of_64)
{
	.clerks = 64,
	.seconds = 60,
};

FIXTURE_VARIANT_ADD(bank, of_8_locked_by_the_caller)
{
	.clerks = 8,
	.seconds = 8,
	.locked_outside = true,
};

FIXTURE_VARIANT_ADD(bank, of_64_locked_by_the_caller)
{
	.clerks = 64,
	.seconds = 8,
	.locked_outside = true,
};

FIXTURE_VARIANT_ADD(bank, of_8_with_a_robust_mutex)
{
	.clerks = 8,
	.seconds = 8,
	.robust = true,
};

/* Those lock the mutex outside of calls, so that no call may wait for it. */
FIXTURE_VARIANT_ADD(bank, of_8_some_of_whom_wait)
{
	.clerks = 8,
	.seconds = 8,
	.locked_outside = true,
	.waiting = true,
};

FIXTURE_SETUP(bank)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(bank)
{
	test_end(_metadata->passed);
}

static const FIXTURE_VARIANT(bank) *kind;

static void lock(void)
{
	CHECK(!pthread_mutex_lock(&mutex));
}

static void unlock(void)
{
	CHECK(!pthread_mutex_unlock(&mutex));
}

static long __noipa transfer(int from, int to, long money, bool crash)
{
	if (!kind->locked_outside)
		lock();
	accounts[from].money -= money;
	transfers++;
	if (crash)
		touch_read(BAD_ADDRESS);
	accounts[to].money += money;
	if (!kind->locked_outside)
		unlock();
	return 0;
}

static long audit(void)
{
	long sum = 0;
	int i;

	for (i = 0; i < ACCOUNTS; i++)
		sum += accounts[i].money;
	return sum;
}

static void *serve(void *arg)
{
	long clerk = (long)arg;
	unsigned int seed = clerk + 1;
	long ret;
	bool crash;

	pthread_barrier_wait(&barrier);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		crash = rand_r(&seed) % 50 == 0;
		if (kind->locked_outside)
			lock();
		ret = transfer(rand_r(&seed) % ACCOUNTS,
			       rand_r(&seed) % ACCOUNTS, rand_r(&seed) % 1000,
			       crash);
		/* Inside it would wait for those whom it woke last. */
		if (kind->waiting)
			CHECK(!pthread_cond_broadcast(&transferred));
		if (kind->locked_outside)
			unlock();
		CHECK(ret == (crash ? RESCUED : 0));
		if (crash)
			books[clerk].crashed++;
		else
			books[clerk].done++;
	}
	/* One that ends would have the calls of others refused. */
	pthread_barrier_wait(&barrier);
	return NULL;
}

/* Waits for transfers, and looks whether all money is there after each. */
static void *watch(void *arg)
{
	long seen = 0;

	pthread_barrier_wait(&barrier);
	lock();
	while (!stop) {
		while (transfers == seen && !stop)
			CHECK(!pthread_cond_wait(&transferred, &mutex));
		CHECK(audit() == ACCOUNTS * DEPOSIT);
		seen = transfers;
	}
	unlock();
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void let_them_work(void)
{
	struct timespec time = {
		.tv_sec = getenv("REASSURE_SHORT") ? 4 : kind->seconds,
	};

	while (nanosleep(&time, &time))
		;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	if (!kind->waiting)
		return;
	lock();
	CHECK(!pthread_cond_broadcast(&transferred));
	unlock();
}

static int bank_program(void *arg)
{
	long *crashed = arg, done = 0;
	pthread_mutexattr_t attributes;
	pthread_t threads[CLERKS_MAX];
	long i;

	CHECK(!pthread_mutexattr_init(&attributes));
	if (kind->robust)
		CHECK(!pthread_mutexattr_setrobust(&attributes,
						   PTHREAD_MUTEX_ROBUST));
	CHECK(!pthread_mutex_init(&mutex, &attributes));
	CHECK(!pthread_barrier_init(&barrier, NULL, kind->clerks + 1));
	for (i = 0; i < ACCOUNTS; i++)
		accounts[i].money = DEPOSIT;
	for (i = 0; i < kind->clerks; i++)
		CHECK(!pthread_create(&threads[i], NULL,
				      kind->waiting && i % 4 == 3 ? watch : serve,
				      (void *)i));
	pthread_barrier_wait(&barrier);
	let_them_work();
	pthread_barrier_wait(&barrier);
	for (i = 0; i < kind->clerks; i++) {
		CHECK(!pthread_join(threads[i], NULL));
		done += books[i].done;
		*crashed += books[i].crashed;
	}
	CHECK(audit() == ACCOUNTS * DEPOSIT);
	/* Those that crashed have left nothing behind. */
	CHECK(transfers == done);
	CHECK(!pthread_mutex_trylock(&mutex));
	return 0;
}

TEST_F_TIMEOUT(bank, loses_nothing, 300)
{
	struct rescue_point rp = { .function = transfer, .watchdog_ms = 10000 };
	long *crashed = shared_memory(PAGE_SIZE);

	kind = variant;
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(bank_program, crashed));
	EXPECT_LT(0, *crashed);
	EXPECT_EQ(*crashed, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_HARNESS_MAIN
