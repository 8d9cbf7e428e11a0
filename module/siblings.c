// SPDX-License-Identifier: GPL-2.0
/*
 * The other threads of a process, which run no user code while one is inside
 * a rescue point.
 *
 * Each has a piece of task work queued, which it comes to on its way back to
 * user mode, and waits there.  One that sleeps in a system call is left alone
 * and keeps the work; what its system call writes to user memory meanwhile
 * waits in the write-fault hook.  Where the page is writable already it cannot
 * be made to wait: then a rollback would undo it, and is refused.
 *
 * Where a call lets its siblings run they stand still only while it begins and
 * while it is rolled back, which takes back what they have written, too, but for
 * their stacks.
 *
 * Whoever waits also looks after the thread that is inside: it may be blocked
 * on something that only a waiting thread can give.  Then its call is given
 * up.
 */
#include <linux/fdtable.h>
#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <linux/uprobes.h>
#include <uapi/linux/futex.h>

#include "checkpoint.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "pending.h"
#include "sibling_calls.h"
#include "siblings.h"

#define SIBLING_QUEUED	0

/* A call that others wait for may take so many times the watchdog's period. */
#define LONGEST_CALL	50
/* But for no longer than this, or the period, in jiffies. */
#define LONGEST_CALL_MAX	(10 * HZ)

/* How often waiting threads look at the one that is inside, in its period. */
#define LOOKS		4

/* How long, in rounds, to spin for threads that run on other processors. */
#define SPINS		500

/* Threads that come between their counting and the look at all of them. */
#define SPARE_SIBLINGS	8

/* A process that makes threads all the time is not looked at for ever. */
#define RENEW_ATTEMPTS	4

/* Below the stack pointer, of use to functions that call no other. */
#define RED_ZONE	128

/* Waits for a fatal signal, without a share in the load. */
#define SIBLING_PARKED	(TASK_KILLABLE | TASK_NOLOAD)

/**
 * struct sibling - a thread of a guarded address space
 * @node: in the table of siblings.c, by task
 * @list: in siblings.list; both under siblings.lock, @node also under
 *	table_lock
 * @users: the list's reference, and that of queued work
 * @task: the thread, with a reference
 * @gm: its address space, with a reference
 * @work: makes it wait
 * @flags: SIBLING_QUEUED while @work is, or runs
 * @parked: it is in @work, at the end of whatever it did in the kernel
 * @was_parked: it was there at the entry
 * @waits: it waits somewhere else, to be inside or in a page fault
 * @ip: where it would go on in user mode, when the others were stopped
 * @sp: its user stack pointer then
 * @alive: it had its memory at the entry; under siblings.lock
 * @kept: what a rollback leaves of its stack and of what belongs to it alone;
 *	found when it is stopped for that
 * @switches: how often it had been switched away from when the others were
 *	stopped
 * @entry_switches: the same at the entry
 */
struct sibling {
	struct hlist_node node;
	struct list_head list;
	refcount_t users;
	struct task_struct *task;
	struct guarded_mm *gm;
	struct callback_head work;
	unsigned long flags;
	bool parked;
	bool was_parked;
	bool waits;
	bool alive;
	struct {
		unsigned long start, end;
	} kept[2];
	unsigned long ip;
	unsigned long sp;
	unsigned long switches;
	unsigned long entry_switches;
};

/* All of them, by task; under table_lock, inside siblings.lock. */
static DEFINE_HASHTABLE(table, 10);
static DEFINE_SPINLOCK(table_lock);

/* Task works that are queued or run, for unloading. */
static atomic_t works_pending = ATOMIC_INIT(0);

void siblings_init(struct siblings *siblings)
{
	spin_lock_init(&siblings->lock);
	INIT_LIST_HEAD(&siblings->list);
	init_waitqueue_head(&siblings->waiters);
	init_waitqueue_head(&siblings->settling);
	siblings->stale = true;
}

static void put_sibling(struct sibling *sibling)
{
	if (!refcount_dec_and_test(&sibling->users))
		return;
	put_task_struct(sibling->task);
	guarded_mm_put(sibling->gm);
	kfree(sibling);
}

static struct sibling *find(struct task_struct *task)
{
	struct sibling *sibling;

	hash_for_each_possible(table, sibling, node, (unsigned long)task)
		if (sibling->task == task)
			return sibling;
	return NULL;
}

/* Takes @sibling out; true for the one who has done so. */
static bool unlist(struct sibling *sibling)
{
	struct siblings *siblings = &sibling->gm->siblings;
	bool listed;

	spin_lock(&siblings->lock);
	listed = !list_empty(&sibling->list);
	if (listed) {
		list_del_init(&sibling->list);
		siblings->count--;
		siblings->ended |= sibling->alive;
		spin_lock(&table_lock);
		hash_del(&sibling->node);
		spin_unlock(&table_lock);
	}
	spin_unlock(&siblings->lock);
	return listed;
}

/**
 * siblings_must_wait() - whether current may not go on to user mode
 * @gm: an address space
 *
 * Only in that address space, and not when the call cannot be rolled back any
 * more, nor in a child of vfork().
 */
bool siblings_must_wait(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;

	return READ_ONCE(siblings->stop) &&
	       READ_ONCE(siblings->stopper) != current &&
	       current->mm == guarded_mm_mm(gm) &&
	       READ_ONCE(siblings->process) == current->signal &&
	       READ_ONCE(gm->refusal) < 0;
}

/**
 * struct watch - what a waiting thread has seen of the one that is inside
 * @stopper: that thread; only ever compared
 * @call: the number of its call
 * @since: when it was seen first, in jiffies
 * @blocked_since: since when it has been blocked at each look, when @blocked
 * @blocked: whether it was at the last look
 */
struct watch {
	struct task_struct *stopper;
	unsigned long call;
	unsigned long since;
	unsigned long blocked_since;
	bool blocked;
};

/*
 * While a probed instruction is stepped the kernel hides signals that have come
 * before, so this looks at the queue itself.
 */
static bool is_killed(void)
{
	return __fatal_signal_pending(current);
}

static unsigned long longest_call(unsigned long period)
{
	return max(period, min_t(unsigned long, LONGEST_CALL * period,
				 LONGEST_CALL_MAX));
}

/* Blocked, and not merely waiting for a processor. */
static bool is_blocked(struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);

	return state != TASK_RUNNING && state != TASK_WAKING &&
	       !READ_ONCE(task->on_cpu);
}

/*
 * Whether the thread inside has been blocked for too long, or, however busy,
 * inside: it may spin for what a waiting thread has.
 */
static bool is_stuck(struct guarded_mm *gm, struct watch *watch)
{
	struct siblings *siblings = &gm->siblings;
	unsigned long period = READ_ONCE(siblings->watchdog);
	unsigned long call = READ_ONCE(gm->log.first);
	struct task_struct *stopper;
	bool blocked = false;

	spin_lock(&siblings->lock);
	stopper = siblings->stopper;
	if (stopper)
		blocked = is_blocked(stopper);
	spin_unlock(&siblings->lock);
	if (watch->stopper != stopper || watch->call != call) {
		watch->stopper = stopper;
		watch->call = call;
		watch->since = jiffies;
		watch->blocked = false;
	}
	if (blocked && !watch->blocked)
		watch->blocked_since = jiffies;
	watch->blocked = blocked;
	if (!stopper)
		return false;
	return (blocked && time_after_eq(jiffies, watch->blocked_since + period)) ||
	       time_after(jiffies, watch->since + longest_call(period));
}

/* Whether the call that is open began with the siblings stopped. */
static bool is_watched(const struct siblings *siblings)
{
	if (READ_ONCE(siblings->stop))
		return true;
	/* Pairs with the one in siblings_let_run(). */
	smp_rmb();
	return READ_ONCE(siblings->run);
}

/*
 * Until @wants does not hold any more, a fatal signal comes, or it is @until, in
 * jiffies, and that is not 0.
 */
static void await_while(struct guarded_mm *gm,
			bool (*wants)(struct guarded_mm *gm),
			unsigned long until)
{
	struct siblings *siblings = &gm->siblings;
	struct watch watch = {};

	DEFINE_WAIT(wait);

	for (;;) {
		prepare_to_wait(&siblings->waiters, &wait, SIBLING_PARKED);
		if (!wants(gm) || is_killed() ||
		    (until && time_after_eq(jiffies, until)))
			break;
		schedule_timeout(max(1UL, READ_ONCE(siblings->watchdog) / LOOKS));
		if (wants(gm) && is_stuck(gm, &watch) &&
		    watch.call == READ_ONCE(gm->log.first))
			guarded_mm_refuse(gm, REASSURE_REFUSED_WATCHDOG);
		/* Nobody waits for a call that cannot be rolled back. */
		if (is_watched(siblings) && READ_ONCE(gm->refusal) >= 0)
			checkpoint_give_up(gm);
	}
	finish_wait(&siblings->waiters, &wait);
}

static void wake(wait_queue_head_t *queue)
{
	/* Pairs with the one in prepare_to_wait(). */
	if (wq_has_sleeper(queue))
		wake_up_all(queue);
}

/* Other threads may count on it that current runs no code but ours. */
static void set_waits(bool waits)
{
	struct sibling *sibling;

	spin_lock(&table_lock);
	sibling = find(current);
	if (sibling)
		WRITE_ONCE(sibling->waits, waits);
	spin_unlock(&table_lock);
}

/* Waits in the write-fault hook; current holds no lock of its address space. */
void siblings_await(struct guarded_mm *gm)
{
	set_waits(true);
	wake(&gm->siblings.settling);
	await_while(gm, siblings_must_wait, 0);
	set_waits(false);
}

/* The fault of a thread is over, and another thread may wait for that. */
void siblings_fault_ended(struct guarded_mm *gm)
{
	if (unlikely(READ_ONCE(gm->siblings.stop)))
		wake(&gm->siblings.settling);
}

static bool is_ending(const struct task_struct *task)
{
	return READ_ONCE(task->flags) & PF_EXITING;
}

static bool must_park(struct guarded_mm *gm)
{
	return !is_ending(current) && siblings_must_wait(gm);
}

/*
 * Current is on its way to user mode.  Also run where it executes another
 * program, and from do_exit(), where the address space is gone.
 */
static void park_work(struct callback_head *work)
{
	struct sibling *sibling = container_of(work, struct sibling, work);
	struct guarded_mm *gm = sibling->gm;

	do {
		WRITE_ONCE(sibling->parked, true);
		if (must_park(gm)) {
			wake(&gm->siblings.settling);
			await_while(gm, siblings_must_wait, 0);
		}
		WRITE_ONCE(sibling->parked, false);
		clear_bit(SIBLING_QUEUED, &sibling->flags);
		/*
		 * Pairs with the one in siblings_stop(): either it queues the
		 * work again or we see that we must wait.
		 */
		smp_mb__after_atomic();
	} while (must_park(gm) && !is_killed() &&
		 !test_and_set_bit(SIBLING_QUEUED, &sibling->flags));
	put_sibling(sibling);
	pending_end(&works_pending);
}

/* The reference of what was queued, which will not run, goes. */
static void unqueue(struct sibling *sibling)
{
	clear_bit(SIBLING_QUEUED, &sibling->flags);
	put_sibling(sibling);
	pending_end(&works_pending);
}

/* siblings.lock is held, so the list's reference stays. */
static noinline void queue(struct sibling *sibling)
{
	refcount_inc(&sibling->users);
	pending_begin(&works_pending);
	init_task_work(&sibling->work, park_work);
	if (task_work_add(sibling->task, &sibling->work, TWA_RESUME))
		unqueue(sibling);
}

/*
 * Whether a thread, which is in an exception, has come to a breakpoint, of any
 * rescue point or tracer, that has perhaps not been handled yet; that writes to
 * its stack.  Where a return probe leads to nothing is written.
 */
static bool is_at_breakpoint(struct guarded_mm *gm, struct task_struct *task)
{
	unsigned long ip = task_pt_regs(task)->ip;
	/* Before the place that it will go on at, and there. */
	u8 code[2];

	if (ip - READ_ONCE(gm->trampoline) <= 1 ||
	    /* A debugger's, and who knows when it goes on. */
	    task_is_stopped_or_traced(task))
		return false;
	return !copy_from_user_nofault(code, (void __user *)(ip - 1),
				       sizeof(code)) &&
	       (code[0] == UPROBE_SWBP_INSN || code[1] == UPROBE_SWBP_INSN);
}

/*
 * Whether a thread, whose work is queued, will run no user code from now on.
 * In the kernel it may run: see siblings_have_written().
 */
static bool is_settled(struct guarded_mm *gm, const struct sibling *sibling)
{
	struct task_struct *task = sibling->task;

	if (READ_ONCE(sibling->parked) || READ_ONCE(sibling->waits))
		return true;
	if (unlikely(is_ending(task)))
		return !READ_ONCE(task->mm);
	return !READ_ONCE(task->on_cpu) &&
	       !(sibling_is_in_exception(task) && is_at_breakpoint(gm, task));
}

/* Whether it will have done in the kernel what could not be told afterwards. */
static bool is_under_way(const struct sibling *sibling)
{
	return !READ_ONCE(sibling->parked) && !READ_ONCE(sibling->waits) &&
	       READ_ONCE(sibling->task->mm) &&
	       sibling_call_is_under_way(sibling->task);
}

static unsigned long switches(const struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/*
 * Whether a thread has run since it had been switched away from so often.  Until it
 * is off its processor it may have come from user mode, or from a system call, to
 * where it waits.
 */
static bool has_run_since(const struct task_struct *task, unsigned long count)
{
	if (READ_ONCE(task->on_cpu))
		return true;
	/* A switch is counted before the thread is off its processor. */
	smp_rmb();
	return switches(task) != count;
}

/* How many threads may still run user code. */
static unsigned int settle(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;
	const struct files_struct *files = current->files;
	unsigned int unsettled = 0, sharing = 0, with_memory = 0;
	struct sibling *sibling;
	bool io_uring = false, under_way = false;

	spin_lock(&siblings->lock);
	list_for_each_entry(sibling, &siblings->list, list) {
		struct task_struct *task = sibling->task;

		sharing += READ_ONCE(task->files) == files;
		with_memory += !!READ_ONCE(task->mm);
		io_uring |= compat_uses_io_uring(task);
		if (task == current)
			continue;
		if (!test_bit(SIBLING_QUEUED, &sibling->flags) &&
		    !test_and_set_bit(SIBLING_QUEUED, &sibling->flags))
			queue(sibling);
		unsettled += !is_settled(gm, sibling);
		under_way |= is_under_way(sibling);
		sibling->was_parked = READ_ONCE(sibling->parked);
		sibling->switches = switches(task);
		sibling->ip = task_pt_regs(task)->ip;
		sibling->sp = task_pt_regs(task)->sp;
		/* At the entry; a rollback that stops them again compares. */
		if (!siblings->run) {
			sibling->alive = READ_ONCE(task->mm);
			sibling->entry_switches = sibling->switches;
		}
	}
	if (!siblings->run)
		siblings->ended = false;
	spin_unlock(&siblings->lock);
	siblings->sharing_files = sharing;
	siblings->with_memory = with_memory;
	siblings->io_uring = io_uring;
	siblings->under_way = under_way;
	return unsettled;
}

/* Whether somebody is inside, or has not cleared up. */
static bool is_inside(struct guarded_mm *gm)
{
	/* In the order in which guarded_mm_close() changes them. */
	return smp_load_acquire(&gm->owner) || smp_load_acquire(&gm->closing);
}

/* Or is about to be. */
static bool is_claimed(struct guarded_mm *gm)
{
	return test_bit(SIBLINGS_CLAIMED, &gm->siblings.flags) || is_inside(gm);
}

static bool is_paused(struct siblings *siblings)
{
	return READ_ONCE(siblings->paused) &&
	       time_before(jiffies, READ_ONCE(siblings->paused_until));
}

static bool try_to_claim(struct guarded_mm *gm)
{
	unsigned long *flags = &gm->siblings.flags;

	if (is_paused(&gm->siblings) || is_claimed(gm) ||
	    test_and_set_bit_lock(SIBLINGS_CLAIMED, flags))
		return false;
	if (!is_inside(gm))
		return true;
	/* Of a call that began when it was the only thread. */
	clear_bit_unlock(SIBLINGS_CLAIMED, flags);
	return false;
}

static struct sibling *make_sibling(struct guarded_mm *gm)
{
	struct sibling *sibling = kzalloc(sizeof(*sibling), PAGE_LOG_GFP);

	if (!sibling)
		return NULL;
	refcount_set(&sibling->users, 1);
	refcount_inc(&gm->users);
	sibling->gm = gm;
	return sibling;
}

/* False when it is already. */
static bool list_sibling(struct sibling *sibling, struct task_struct *task)
{
	struct siblings *siblings = &sibling->gm->siblings;
	bool is_new;

	spin_lock(&siblings->lock);
	spin_lock(&table_lock);
	is_new = !find(task);
	if (is_new) {
		sibling->task = get_task_struct(task);
		list_add_tail(&sibling->list, &siblings->list);
		siblings->count++;
		hash_add(table, &sibling->node, (unsigned long)task);
	}
	spin_unlock(&table_lock);
	spin_unlock(&siblings->lock);
	return is_new;
}

static void free_unlisted(struct sibling *sibling)
{
	guarded_mm_put(sibling->gm);
	kfree(sibling);
}

static bool is_listed(struct task_struct *task)
{
	bool listed;

	spin_lock(&table_lock);
	listed = find(task);
	spin_unlock(&table_lock);
	return listed;
}

/* So that it can be told that it waits; without memory it is not. */
static void list_current(struct guarded_mm *gm)
{
	struct sibling *sibling;

	if (is_listed(current))
		return;
	sibling = make_sibling(gm);
	if (sibling && !list_sibling(sibling, current))
		free_unlisted(sibling);
}

/*
 * Current stops the others from here on.  False when it was killed, or nobody
 * is to be stopped now, or the call of another does not end.
 */
static bool claim(struct guarded_mm *gm, unsigned long watchdog)
{
	struct siblings *siblings = &gm->siblings;
	unsigned long until = jiffies + longest_call(watchdog);
	bool claimed = try_to_claim(gm);

	if (claimed || is_paused(siblings))
		return claimed;
	list_current(gm);
	set_waits(true);
	while (!claimed && !is_paused(siblings) &&
	       !is_killed() && time_before(jiffies, until)) {
		if (!is_watched(siblings) && READ_ONCE(gm->owner))
			checkpoint_give_up(gm);
		await_while(gm, is_claimed, until);
		claimed = try_to_claim(gm);
	}
	set_waits(false);
	return claimed;
}

/* Lists the threads that are not yet; false when there may be others still. */
static bool list_new(struct guarded_mm *gm)
{
	unsigned int threads = get_nr_threads(current);
	unsigned int listed = READ_ONCE(gm->siblings.count);
	unsigned int wanted = SPARE_SIBLINGS +
			      (threads > listed ? threads - listed : 0);
	struct sibling *sibling, *next;
	struct task_struct *task;
	LIST_HEAD(spares);

	while (wanted--) {
		sibling = make_sibling(gm);
		if (!sibling)
			break;
		list_add(&sibling->list, &spares);
	}
	rcu_read_lock();
	for_each_thread(current, task) {
		if (READ_ONCE(task->mm) != guarded_mm_mm(gm) || is_listed(task))
			continue;
		sibling = list_first_entry_or_null(&spares, struct sibling, list);
		if (!sibling) {
			WRITE_ONCE(gm->siblings.stale, true);
			break;
		}
		list_del_init(&sibling->list);
		if (!list_sibling(sibling, task)) {
			list_add(&sibling->list, &spares);
			continue;
		}
		/* It may have left before it could be forgotten. */
		if (!READ_ONCE(task->mm) && unlist(sibling))
			put_sibling(sibling);
	}
	rcu_read_unlock();
	list_for_each_entry_safe(sibling, next, &spares, list)
		free_unlisted(sibling);
	return !READ_ONCE(gm->siblings.stale);
}

static bool has_worker(struct siblings *siblings)
{
	struct sibling *sibling;
	bool has = false;

	spin_lock(&siblings->lock);
	list_for_each_entry(sibling, &siblings->list, list)
		has |= !!(READ_ONCE(sibling->task->flags) & COMPAT_PF_WORKER);
	spin_unlock(&siblings->lock);
	return has;
}

/*
 * Whether another process runs in the address space of current, as a child of
 * vfork() does, or a worker of the kernel for this one.  Readers of /proc hold
 * mm_users for a moment.
 */
static bool others_have_mm(struct guarded_mm *gm)
{
	struct mm_struct *mm = guarded_mm_mm(gm);
	struct task_struct *process, *thread;
	bool have = false;

	if (atomic_read(&mm->mm_users) == gm->siblings.with_memory)
		return false;
	rcu_read_lock();
	for_each_process_thread(process, thread)
		if (READ_ONCE(thread->mm) == mm &&
		    (thread->signal != current->signal ||
		     READ_ONCE(thread->flags) & COMPAT_PF_WORKER))
			have = true;
	rcu_read_unlock();
	return have;
}

/* Learns of threads that have come; the enum reassure_refusal, or negative. */
static int renew(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;
	int attempts = RENEW_ATTEMPTS;

	do {
		if (!attempts--)
			return REASSURE_REFUSED_THREADS;
		WRITE_ONCE(siblings->stale, false);
		/* Pairs with the one in on_fork(). */
		smp_mb();
	} while (!list_new(gm));
	/* They never go to user mode. */
	if (has_worker(siblings)) {
		WRITE_ONCE(siblings->stale, true);
		return REASSURE_REFUSED_THREADS;
	}
	return -1;
}

/*
 * Whether somebody else has current's descriptors, and that may be a thread which
 * has ended but not let go of them yet.
 */
static bool ended_share_files(const struct siblings *siblings)
{
	return atomic_read(&current->files->count) != siblings->sharing_files &&
	       get_nr_threads(current) > READ_ONCE(siblings->count);
}

static bool nobody_runs(struct guarded_mm *gm)
{
	return !settle(gm) && !atomic_read(&gm->other_faults);
}

static bool has_settled(struct guarded_mm *gm)
{
	return nobody_runs(gm) && !gm->siblings.under_way &&
	       !ended_share_files(&gm->siblings);
}

/*
 * Waits until no other thread runs user code or is in a page fault; and not so
 * long until none is amid a system call, or about to let go of descriptors.
 */
static int await_settled(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;
	unsigned long until = jiffies + siblings->watchdog + 1;
	unsigned long rest_until = jiffies + siblings->watchdog / 2 + 1;
	unsigned int spins = SPINS;

	for (;;) {
		if (READ_ONCE(siblings->stale)) {
			int refusal = renew(gm);

			if (refusal >= 0)
				return refusal;
		}
		if (has_settled(gm) || (time_after(jiffies, rest_until) &&
					nobody_runs(gm)))
			return READ_ONCE(gm->refusal);
		if (spins && !need_resched()) {
			spins--;
			cpu_relax();
			continue;
		}
		if (time_after(jiffies, until) || is_killed())
			return REASSURE_REFUSED_WATCHDOG;
		/* Not all of them say when they have. */
		wait_event_killable_timeout(siblings->settling,
					    has_settled(gm), 1);
	}
}

/**
 * siblings_stop() - let no other thread run user code
 * @gm: the address space of current, which has other threads
 * @watchdog_ms: for how long, in milliseconds, current may be blocked then
 *
 * For task work.  Waits for the calls of other threads, and for the threads to
 * come to where they wait; the second for no longer than @watchdog_ms.
 *
 * Return: negative, and siblings_resume() must follow, by guarded_mm_close()
 * when the memory was opened; otherwise the enum reassure_refusal.
 */
int siblings_stop(struct guarded_mm *gm, u32 watchdog_ms)
{
	unsigned long watchdog = max(1UL, msecs_to_jiffies(watchdog_ms));
	struct siblings *siblings = &gm->siblings;
	int refusal;

	if (!claim(gm, watchdog))
		return REASSURE_REFUSED_WATCHDOG;
	WRITE_ONCE(siblings->watchdog, watchdog);
	WRITE_ONCE(siblings->process, current->signal);
	spin_lock(&siblings->lock);
	siblings->stopper = get_task_struct(current);
	spin_unlock(&siblings->lock);
	WRITE_ONCE(gm->refusal, -1);
	WRITE_ONCE(siblings->stop, true);
	/* Pairs with those in park_work(), on_fork() and guarded_fault(). */
	smp_mb();
	refusal = await_settled(gm);
	if (refusal < 0 && others_have_mm(gm))
		refusal = REASSURE_REFUSED_THREADS;
	if (refusal == REASSURE_REFUSED_WATCHDOG)
		siblings_pause(gm, NULL);
	if (refusal >= 0)
		siblings_resume(gm);
	return refusal;
}

/**
 * siblings_may_run() - whether others can be let run during a call
 * @gm: the address space of current, which has stopped them
 *
 * Not while one is amid what would be finished without anybody's notice, nor
 * where it could not be told at a rollback which stack it is on.
 */
bool siblings_may_run(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;
	struct sibling *sibling;
	bool may = true;

	spin_lock(&siblings->lock);
	list_for_each_entry(sibling, &siblings->list, list) {
		if (sibling->task == current || !READ_ONCE(sibling->task->mm))
			continue;
		if (sibling->task->sas_ss_flags & SS_AUTODISARM ||
		    sibling_is_in_owned_futex(sibling->task) ||
		    (!READ_ONCE(sibling->parked) &&
		     sibling_call_is_in_the_way(sibling->task)))
			may = false;
	}
	spin_unlock(&siblings->lock);
	return may;
}

/* They run while current, which has stopped them, is inside. */
void siblings_let_run(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;

	WRITE_ONCE(siblings->run, true);
	/* In this order for is_watched(). */
	smp_wmb();
	WRITE_ONCE(siblings->stop, false);
	wake(&siblings->waiters);
}

/**
 * siblings_stop_again() - stop those that were let run, for a rollback
 * @gm: the address space of current, which is inside
 *
 * Return: negative, and siblings_let_run() or siblings_resume() must follow;
 * otherwise the enum reassure_refusal, and they run.
 */
int siblings_stop_again(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;
	int refusal = READ_ONCE(gm->refusal);

	if (refusal >= 0)
		return refusal;
	WRITE_ONCE(siblings->stop, true);
	/* Pairs with those in park_work(), on_fork() and guarded_fault(). */
	smp_mb();
	/* Before they are looked at anew. */
	if (READ_ONCE(siblings->stale) || READ_ONCE(siblings->ended))
		refusal = REASSURE_REFUSED_THREADS;
	else
		refusal = await_settled(gm);
	if (refusal >= 0)
		siblings_let_run(gm);
	return refusal;
}

/* The call is over: all run. */
void siblings_resume(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;
	struct task_struct *stopper;

	WRITE_ONCE(siblings->run, false);
	WRITE_ONCE(siblings->stop, false);
	spin_lock(&siblings->lock);
	stopper = siblings->stopper;
	WRITE_ONCE(siblings->stopper, NULL);
	spin_unlock(&siblings->lock);
	put_task_struct(stopper);
	clear_bit_unlock(SIBLINGS_CLAIMED, &siblings->flags);
	wake(&siblings->waiters);
}

/**
 * siblings_pause() - for some time no call stops the others
 * @gm: the address space
 * @task: the thread whose call was given up, which may end the pause; or NULL
 */
void siblings_pause(struct guarded_mm *gm, struct task_struct *task)
{
	struct siblings *siblings = &gm->siblings;

	WRITE_ONCE(siblings->paused_by, task);
	WRITE_ONCE(siblings->paused_until,
		   jiffies + longest_call(siblings->watchdog));
	WRITE_ONCE(siblings->paused, true);
}

/* The call of @task, which was given up, has ended. */
void siblings_end_pause(struct guarded_mm *gm, struct task_struct *task)
{
	struct siblings *siblings = &gm->siblings;

	if (READ_ONCE(siblings->paused_by) == task) {
		WRITE_ONCE(siblings->paused_by, NULL);
		WRITE_ONCE(siblings->paused, false);
	}
}

/**
 * siblings_are_same() - whether no thread has come or ended since they were
 *	stopped
 * @gm: the address space of current, which has stopped the others
 *
 * Nor another process, and whether none has ended but the one that is inside.
 */
bool siblings_are_same(struct guarded_mm *gm)
{
	return !READ_ONCE(gm->siblings.stale) &&
	       !READ_ONCE(gm->siblings.ended) && !others_have_mm(gm);
}

static bool is_at_rest(const struct sibling *sibling)
{
	return READ_ONCE(sibling->parked) || READ_ONCE(sibling->waits) ||
	       is_blocked(sibling->task);
}

static bool all_are_at_rest(struct siblings *siblings)
{
	struct sibling *sibling;
	bool rest = true;

	spin_lock(&siblings->lock);
	list_for_each_entry(sibling, &siblings->list, list)
		if (sibling->task != current && !is_at_rest(sibling))
			rest = false;
	spin_unlock(&siblings->lock);
	return rest;
}

/**
 * siblings_await_parked() - let threads come to where they wait
 * @gm: the address space of current, which has stopped them and holds none of
 *	its locks
 *
 * Some may have been waiting for a processor all the time.  For no longer than
 * half the watchdog's period.
 */
void siblings_await_parked(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;
	unsigned long until = jiffies + siblings->watchdog / 2 + 1;

	siblings->restless = false;
	/* Not all of them say when they have come there. */
	while (!all_are_at_rest(siblings) && time_before(jiffies, until) &&
	       !is_killed())
		wait_event_killable_timeout(siblings->settling,
					    all_are_at_rest(siblings), 1);
}

/**
 * siblings_are_restless() - whether a thread has been woken since they were at rest
 * @gm: as for siblings_await_parked()
 *
 * What it writes to memory would wait from now on, and it with that.
 */
bool siblings_are_restless(struct guarded_mm *gm)
{
	if (!siblings_are_stopped(&gm->siblings) ||
	    all_are_at_rest(&gm->siblings))
		return false;
	gm->siblings.restless = true;
	return true;
}

static bool is_on_signal_stack(const struct task_struct *task)
{
	return task_pt_regs(task)->sp - READ_ONCE(task->sas_ss_sp) <
	       READ_ONCE(task->sas_ss_size);
}

/*
 * Whether a thread, which is in an exception, may have written to its stack
 * since the entry, as the handling of a breakpoint does.  That where a return
 * probe leads to, which a rescued call comes to last, only leads back.
 */
static bool has_left_breakpoint(struct guarded_mm *gm,
				const struct sibling *sibling)
{
	const struct pt_regs *regs = task_pt_regs(sibling->task);
	unsigned long trampoline = guarded_mm_trampoline(gm);
	bool returned = trampoline && sibling->ip - trampoline <= 1;

	return regs->sp != sibling->sp || (regs->ip != sibling->ip && !returned);
}

/* What a rollback would undo, or what would come in between. */
static bool is_in_the_way(struct guarded_mm *gm, const struct sibling *sibling)
{
	struct task_struct *task = sibling->task;
	bool parked = READ_ONCE(sibling->parked);
	bool has_run;

	/* Who waits for its end has been woken. */
	if (!READ_ONCE(task->mm))
		return sibling->alive;
	/* What it will come back to is not known to be its stack. */
	if (READ_ONCE(gm->siblings.run) && (is_on_signal_stack(task) ||
					    sibling_is_in_owned_futex(task)))
		return true;
	if (!is_at_rest(sibling)) {
		gm->siblings.restless = true;
		return true;
	}
	/* Where it waits, it does nothing but to look after current. */
	has_run = !(parked && sibling->was_parked) &&
		  has_run_since(task, sibling->switches);
	if (!has_run)
		return !parked && sibling_call_is_in_the_way(task);
	if (compat_uses_io_uring(task))
		return true;
	if (sibling_is_in_exception(task) && has_left_breakpoint(gm, sibling))
		return true;
	return sibling_call_has_written(gm, task, parked);
}

/**
 * siblings_have_written() - whether a rollback would undo what others did
 * @gm: the address space of current, which is inside
 *
 * Also when one is not at rest, which siblings.restless tells.
 *
 * No page that a rollback brings back is writable any more, and what it does
 * to descriptors is settled.  The mmap lock is held.
 */
bool siblings_have_written(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;
	struct sibling *sibling;
	bool have = false;

	mutex_lock(&gm->lock);
	spin_lock(&siblings->lock);
	list_for_each_entry(sibling, &siblings->list, list)
		if (sibling->task != current && !have)
			have = is_in_the_way(gm, sibling);
	spin_unlock(&siblings->lock);
	mutex_unlock(&gm->lock);
	return have;
}

static unsigned long reaches(unsigned long end, unsigned long block,
			     unsigned long start, size_t size)
{
	return start - block < PAGE_SIZE ? max(end, start + size) : end;
}

/*
 * The end of the block that C libraries keep of a thread, from its thread pointer
 * on, as far as they have told the kernel of it.
 */
static unsigned long end_of_block(const struct task_struct *task,
				  unsigned long block)
{
	unsigned long end = block + sizeof(long);

	end = reaches(end, block, (unsigned long)task->robust_list,
		      sizeof(*task->robust_list));
	end = reaches(end, block, (unsigned long)task->clear_child_tid,
		      sizeof(*task->clear_child_tid));
#ifdef CONFIG_RSEQ
	end = reaches(end, block, (unsigned long)task->rseq,
		      sizeof(*task->rseq));
#endif
	return end;
}

/* Whether @vma is the first thread's stack, above which nothing else lies. */
static bool is_first_stack(const struct vm_area_struct *vma)
{
	unsigned long start = vma->vm_mm->start_stack;

	return start >= vma->vm_start && start < vma->vm_end;
}

/*
 * Finds what belongs to a thread alone: its stack from the red zone up, and the
 * block that its thread pointer points into.  C libraries have that at the end of
 * the stack; of the first thread it lies elsewhere, with its thread-local
 * variables before it.  Nothing where it has slept since the entry.
 */
static bool find_own_memory(struct mm_struct *mm, struct sibling *sibling)
{
	unsigned long block = sibling->task->thread.fsbase;
	unsigned long sp = task_pt_regs(sibling->task)->sp - RED_ZONE;
	struct vm_area_struct *stack;

	if (!has_run_since(sibling->task, sibling->entry_switches))
		return true;
	stack = vma_lookup(mm, sp);
	if (!stack)
		return false;
	sibling->kept[0].start = sp;
	if (is_first_stack(stack)) {
		sibling->kept[0].end = stack->vm_end;
		sibling->kept[1].start = block & PAGE_MASK;
		sibling->kept[1].end = end_of_block(sibling->task, block);
		return true;
	}
	sibling->kept[0].end = end_of_block(sibling->task, block);
	return block > sp && block < stack->vm_end;
}

/**
 * siblings_find_own_memory() - find what a rollback leaves to the others
 * @gm: the address space of current, which has stopped them again; its mmap lock
 *	is held
 * @sp: the stack pointer of current at the entry
 *
 * Return: false when it cannot be told of one of them, or from that of current.
 */
bool siblings_find_own_memory(struct guarded_mm *gm, unsigned long sp)
{
	unsigned long end = end_of_block(current, current->thread.fsbase);
	struct siblings *siblings = &gm->siblings;
	struct sibling *sibling;
	bool found = true;
	int i;

	spin_lock(&siblings->lock);
	list_for_each_entry(sibling, &siblings->list, list) {
		memset(sibling->kept, 0, sizeof(sibling->kept));
		if (sibling->task == current || !READ_ONCE(sibling->task->mm))
			continue;
		if (!find_own_memory(guarded_mm_mm(gm), sibling))
			found = false;
		for (i = 0; i < ARRAY_SIZE(sibling->kept); i++)
			if (sibling->kept[i].start < max(sp + 1, end) &&
			    sibling->kept[i].end > sp)
				found = false;
	}
	spin_unlock(&siblings->lock);
	return found;
}

/**
 * siblings_visit_own_memory() - visit what a page has of the others' own
 * @gm: as for siblings_find_own_memory(), which was called before
 * @address: the page
 * @visit: called with each part, as offsets into the page; must not sleep
 * @data: for @visit
 *
 * Return: whether there was any.
 */
bool siblings_visit_own_memory(struct guarded_mm *gm, unsigned long address,
			       void (*visit)(unsigned int from, unsigned int to,
					     void *data),
			       void *data)
{
	struct siblings *siblings = &gm->siblings;
	unsigned long from, to;
	struct sibling *sibling;
	bool any = false;
	int i;

	spin_lock(&siblings->lock);
	list_for_each_entry(sibling, &siblings->list, list)
		for (i = 0; i < ARRAY_SIZE(sibling->kept); i++) {
			from = max(sibling->kept[i].start, address);
			to = min(sibling->kept[i].end, address + PAGE_SIZE);
			if (from >= to)
				continue;
			visit(from - address, to - address, data);
			any = true;
		}
	spin_unlock(&siblings->lock);
	return any;
}

/**
 * siblings_wake_for_futexes() - let others look at their futexes again
 * @gm: the address space of current, which has stopped them and put its memory
 *	back
 *
 * The futex on which one has begun to wait meanwhile is free again, perhaps.
 * Nobody else would wake it, and it expects to be woken for nothing.
 */
void siblings_wake_for_futexes(struct guarded_mm *gm)
{
	struct siblings *siblings = &gm->siblings;
	struct sibling *sibling;

	spin_lock(&siblings->lock);
	list_for_each_entry(sibling, &siblings->list, list)
		if (sibling->task != current && READ_ONCE(sibling->task->mm) &&
		    sibling_is_in_futex(sibling->task))
			wake_up_process(sibling->task);
	spin_unlock(&siblings->lock);
}

static bool is_work(struct callback_head *work, void *data)
{
	return work == data;
}

/* Current ends: its tracepoint, in process context, without sleeping. */
void siblings_forget_current(void)
{
	struct sibling *sibling;

	spin_lock(&table_lock);
	sibling = find(current);
	if (sibling)
		refcount_inc(&sibling->users);
	spin_unlock(&table_lock);
	if (!sibling)
		return;
	if (unlist(sibling))
		put_sibling(sibling);
	/* Nobody finds it any more, and it may be long in coming to its work. */
	if (kernel_task_work_cancel_match(current, is_work, &sibling->work))
		unqueue(sibling);
	put_sibling(sibling);
}

/*
 * Current has made a task, which does not run yet.  In what it shares the
 * memory of a call with, nobody makes it wait.
 */
static void on_fork(void *data, struct task_struct *parent,
		    struct task_struct *child)
{
	struct mm_struct *mm = child->mm;
	struct guarded_mm *gm;
	bool thread, stopped;

	if (!mm || mm != parent->mm)
		return;
	rcu_read_lock();
	gm = guarded_mm_peek(mm);
	if (gm) {
		thread = child->signal == parent->signal;
		if (thread)
			WRITE_ONCE(gm->siblings.stale, true);
		/* Pairs with the one in siblings_stop(). */
		smp_mb();
		stopped = is_watched(&gm->siblings);
		if (thread ? stopped || READ_ONCE(gm->owner) :
			     stopped && READ_ONCE(gm->siblings.stopper) != parent)
			guarded_mm_refuse(gm, REASSURE_REFUSED_THREADS);
	}
	rcu_read_unlock();
}

static struct tracepoint *fork_tracepoint;

int siblings_start(void)
{
	fork_tracepoint = kernel_tracepoint("sched_process_fork");
	if (!fork_tracepoint)
		return -EOPNOTSUPP;
	return tracepoint_probe_register(fork_tracepoint, on_fork, NULL);
}

static struct sibling *first_listed(void)
{
	struct sibling *sibling = NULL;
	int bucket;

	spin_lock(&table_lock);
	hash_for_each(table, bucket, sibling, node)
		break;
	if (sibling)
		refcount_inc(&sibling->users);
	spin_unlock(&table_lock);
	return sibling;
}

/*
 * No call is left and none comes: takes back the work that sleeping threads
 * have, and waits for those that run it.
 */
void siblings_stop_all(void)
{
	struct sibling *sibling;

	tracepoint_probe_unregister(fork_tracepoint, on_fork, NULL);
	tracepoint_synchronize_unregister();
	while ((sibling = first_listed())) {
		if (unlist(sibling))
			put_sibling(sibling);
		if (kernel_task_work_cancel_match(sibling->task, is_work,
						  &sibling->work))
			unqueue(sibling);
		put_sibling(sibling);
	}
	pending_await(&works_pending);
}
