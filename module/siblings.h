/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SIBLINGS_H
#define _REASSURE_SIBLINGS_H

#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct guarded_mm;
struct signal_struct;

#define SIBLINGS_CLAIMED	0

/**
 * struct siblings - the threads of an address space, and who stops them
 * @lock: of @list, @count, @stopper and @ended
 * @list: struct sibling: the threads of the process, the stopper included
 * @count: how many these are
 * @stale: a thread may have come that is not in @list
 * @ended: a thread has ended since the others were stopped
 * @flags: SIBLINGS_CLAIMED while a call stops the others, or is about to
 * @stop: the siblings of @stopper run no user code; set and cleared by who has
 *	claimed it
 * @run: the call lets them run but at its begin and for a rollback; the same
 * @stopper: the thread that is inside, with a reference; NULL when none is
 * @process: that of @stopper; only ever compared
 * @watchdog: for how long, in jiffies, @stopper may be blocked
 * @waiters: siblings and others that wait for the call to end
 * @settling: the stopper, which waits for siblings
 * @with_memory: how many threads had not ended when they were stopped
 * @io_uring: one of them uses that
 * @under_way: one is amid a system call of which it could not be told afterwards
 *	what it did since
 * @restless: a rollback was refused since one is not at rest yet
 * @sharing_files: how many of the threads have the descriptors of @stopper
 * @paused_by: the thread whose call was given up and has not ended yet; only
 *	ever compared; NULL when there is none
 * @paused_until: in jiffies; nobody stops others before, while @paused
 * @paused: a call was given up, or could not stop the others, of late
 */
struct siblings {
	spinlock_t lock;	/* see above */
	struct list_head list;
	unsigned int count;
	bool stale;
	bool ended;
	unsigned long flags;
	bool stop;
	bool run;
	struct task_struct *stopper;
	struct signal_struct *process;
	unsigned long watchdog;
	wait_queue_head_t waiters;
	wait_queue_head_t settling;
	unsigned int with_memory;
	bool io_uring;
	bool under_way;
	bool restless;
	unsigned int sharing_files;
	struct task_struct *paused_by;
	unsigned long paused_until;
	bool paused;
};

/* Whether current has stopped the other threads. */
static inline bool siblings_are_stopped(const struct siblings *siblings)
{
	return READ_ONCE(siblings->stop) &&
	       READ_ONCE(siblings->stopper) == current;
}

void siblings_init(struct siblings *siblings);

/* Whether current has let them run again after its entry. */
static inline bool siblings_run(const struct siblings *siblings)
{
	return READ_ONCE(siblings->run) &&
	       READ_ONCE(siblings->stopper) == current;
}

int siblings_stop(struct guarded_mm *gm, u32 watchdog_ms);
bool siblings_may_run(struct guarded_mm *gm);
void siblings_let_run(struct guarded_mm *gm);
int siblings_stop_again(struct guarded_mm *gm);
void siblings_wake_for_futexes(struct guarded_mm *gm);
bool siblings_find_own_memory(struct guarded_mm *gm, unsigned long sp);
bool siblings_visit_own_memory(struct guarded_mm *gm, unsigned long address,
			       void (*visit)(unsigned int from, unsigned int to,
					     void *data),
			       void *data);
void siblings_resume(struct guarded_mm *gm);
void siblings_pause(struct guarded_mm *gm, struct task_struct *task);
void siblings_end_pause(struct guarded_mm *gm, struct task_struct *task);
bool siblings_are_same(struct guarded_mm *gm);

bool siblings_must_wait(struct guarded_mm *gm);
void siblings_await(struct guarded_mm *gm);
void siblings_fault_ended(struct guarded_mm *gm);

void siblings_await_parked(struct guarded_mm *gm);
bool siblings_are_restless(struct guarded_mm *gm);
bool siblings_have_written(struct guarded_mm *gm);

void siblings_forget_current(void);
int siblings_start(void);
void siblings_stop_all(void);

#endif
