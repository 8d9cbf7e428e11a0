/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_CHECKPOINT_H
#define _REASSURE_CHECKPOINT_H

#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/signal_types.h>
#include <linux/task_work.h>

#include "arch/x86/registers.h"
#include "deadline.h"
#include "guarded_mm.h"
#include "open_files.h"
#include "process_state.h"
#include "rescue_point.h"
#include "rollback.h"

/* The signals of which a rescue point may speak. */
#define CHECKPOINT_SIGNALS	7

#define CHECKPOINT_WORK_QUEUED	0
#define CHECKPOINT_ENTRY_QUEUED	1

/**
 * struct signal_state - what forcing a signal may change
 * @handlers: of the signals of which a rescue point may speak
 * @blocked: the thread's mask
 * @altstack: its alternate stack
 * @altstack_size: the size of that
 * @altstack_flags: SS_*
 * @unkillable: whether the process is the init of a PID namespace
 */
struct signal_state {
	__sighandler_t handlers[CHECKPOINT_SIGNALS];
	sigset_t blocked;
	unsigned long altstack;
	size_t altstack_size;
	unsigned int altstack_flags;
	bool unkillable;
};

/* So many calls of a thread may be open at a time, one inside the other. */
#define CHECKPOINT_LEVELS	64

/* Of so many rescue points the rescues inside one call are counted apart. */
#define CHECKPOINT_INNER_POINTS	4

/**
 * struct inner_rescues - rescues of one rescue point inside a call of another
 * @rp: the one; only ever compared.  The last stands for all others, too
 * @count: how many
 */
struct inner_rescues {
	const struct rescue_point *rp;
	unsigned int count;
};

/**
 * struct checkpoint - one call of a rescue point, by one thread
 * @node: in the table of checkpoint.c, the outermost of each thread; RCU
 * @rcu: for freeing
 * @deferred: in the list of those that wait for the worker
 * @users: of the outermost, the table's reference and one for each user of it
 *	or of one inside it
 * @first: the outermost
 * @outer: the next around this one, or NULL
 * @inner: the next inside it, used or not, or NULL; freed with the outermost
 * @level: how many are around it
 * @innermost: of the outermost, the innermost in use, or itself; of the thread
 * @lock: serialises rolling back with closing from outside, and keeps calls
 *	inside from being opened; of one at a time
 * @flags: CHECKPOINT_WORK_QUEUED while @work is, or @injection runs;
 *	CHECKPOINT_ENTRY_QUEUED while @entry is
 * @open: not committed, abandoned or rolled back yet; set by @task, cleared
 *	under @lock
 * @entering: @entry will open it; as @open
 * @task: the thread; only ever compared
 * @mm: its address space then; only ever compared
 * @exec_id: and its program
 * @gained_privileges: the program did when it was executed
 * @gm: the address space, with the reference of the outermost; NULL before the
 *	first entry that was not refused
 * @memory: what is known of the call there
 * @rp: the rescue point; deleting it ends the call first
 * @settings: of @rp at the entry, by which the call is judged to its end
 * @oracle: all memory at the entry, or NULL
 * @refusal: enum reassure_refusal: memory is not kept, there is only a
 *	refusal to tell when the call faults; or negative.  All around one that
 *	has been refused are, too
 * @lost: enum reassure_refusal for which what the call has done besides writing
 *	to memory cannot be undone, or negative
 * @rescues: since the entry, of rescue points inside
 * @inner_points: entries of @rescues in use
 * @registers: at the entry
 * @return_address: where the call returns to; 0 where a return probe leads it
 *	to the trampoline
 * @signals: at the entry
 * @files: its descriptors then
 * @state: what else the process had
 * @recording_lock: keeps from ending @recording while @task adds something
 *	that has to be let go; a spinlock, since system calls begin anywhere
 * @recording: what the call does to descriptors and the like is watched: it
 *	is open and may be rolled back
 * @deadline: when the call will have been inside for too long
 * @opened: the call began with its memory kept; what became of it is counted
 * @stops: with the other threads stopped
 * @lets_run: they run again after the entry
 * @given_up: the call was, since it was blocked while others waited for it
 * @observed: a fault in the call was, or that its time was over
 * @entry: opens it in a process with several threads
 * @injection: lets it fault
 * @work: of the outermost: brings the thread from a signal to its rollback
 * @info: of the signal
 *
 * Made at a thread's first entry and used for all its calls, until the thread
 * ends, executes another program, or the last rescue point goes.
 */
struct checkpoint {
	struct hlist_node node;
	struct rcu_head rcu;
	struct llist_node deferred;
	refcount_t users;
	struct checkpoint *first;
	struct checkpoint *outer;
	struct checkpoint *inner;
	unsigned int level;
	struct checkpoint *innermost;
	struct mutex lock;	/* see above */
	unsigned long flags;
	bool open;
	bool entering;
	struct task_struct *task;
	struct mm_struct *mm;
	u32 exec_id;
	bool gained_privileges;
	struct guarded_mm *gm;
	struct guarded_call memory;
	struct rescue_point *rp;
	struct rescue_point_settings settings;
	struct oracle *oracle;
	int refusal;
	int lost;
	struct inner_rescues rescues[CHECKPOINT_INNER_POINTS];
	unsigned int inner_points;
	struct registers registers;
	unsigned long return_address;
	struct signal_state signals;
	struct open_files files;
	struct process_state state;
	spinlock_t recording_lock;	/* see above */
	bool recording;
	struct deadline deadline;
	bool opened;
	bool stops;
	bool lets_run;
	bool given_up;
	bool observed;
	struct callback_head entry;
	struct callback_head injection;
	struct callback_head work;
	kernel_siginfo_t info;
};

/* A thread's own signal handlers stay while it lives. */
static inline struct sighand_struct *own_sighand(void)
{
	return rcu_dereference_protected(current->sighand, true);
}

/*
 * Another reference, to be given to checkpoint_put(), for who has one or keeps
 * the thread from ending.
 */
static inline void checkpoint_get(struct checkpoint *cp)
{
	refcount_inc(&cp->first->users);
}

/* Under RCU; false when it is on its way out. */
static inline bool checkpoint_try_get(struct checkpoint *cp)
{
	return refcount_inc_not_zero(&cp->first->users);
}

/* Why what the call did cannot be undone, as far as is known; or negative. */
static inline int checkpoint_lost(const struct checkpoint *cp)
{
	int refusal = READ_ONCE(cp->gm->refusal);

	return refusal >= 0 ? refusal : READ_ONCE(cp->lost);
}

bool checkpoint_return_probe_kills(const struct pt_regs *regs);
void checkpoint_enter(struct rescue_point *rp, struct pt_regs *regs);
void checkpoint_pass(const struct pt_regs *regs);
void checkpoint_return(struct rescue_point *rp, unsigned long sp);
void checkpoint_leave(struct rescue_point *rp);
void checkpoint_landed(unsigned long sp);
void checkpoint_commit_all(struct rescue_point *rp);
void checkpoint_give_up(struct guarded_mm *gm);
void checkpoint_drop_all(void);

struct checkpoint *checkpoint_lookup(void);
void checkpoint_put(struct checkpoint *cp);
struct checkpoint *checkpoint_lock_open(void);
void checkpoint_unlock(struct checkpoint *cp);
bool checkpoint_is_of_current(const struct checkpoint *cp);
unsigned long checkpoint_returns_to(const struct checkpoint *cp);
int checkpoint_prepare(struct checkpoint *cp, struct rollback *rb);
void checkpoint_cancel(struct checkpoint *cp, struct rollback *rb);
void checkpoint_restore_signals(struct checkpoint *cp);
int checkpoint_roll_back(struct checkpoint *cp, struct rollback *rb);
void checkpoint_end_call(struct checkpoint *cp);
void checkpoint_end_inside(struct checkpoint *cp);

int reassure_checkpoint_init(void);
void reassure_checkpoint_exit(void);

#endif
