/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_GUARDED_MM_H
#define _REASSURE_GUARDED_MM_H

#include <linux/atomic.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "mappings.h"
#include "moved_mappings.h"
#include "page_log.h"
#include "shared_memory.h"
#include "siblings.h"
#include "unprotected.h"

/**
 * struct guarded_call - a call whose memory is kept
 * @logged: its number, and the call around it
 * @entry_sp: user stack pointer at the entry
 * @altstack: its alternate signal stack then
 * @altstack_size: the size of that
 * @saved: page_log.nr_saved then
 * @left: current ran outside of it, although nobody has seen it return
 *
 * Belongs to who has it opened; linked under the lock of the address space, and
 * freed under RCU.
 */
struct guarded_call {
	struct logged_call logged;
	unsigned long entry_sp;
	unsigned long altstack;
	unsigned long altstack_size;
	unsigned long saved;
	bool left;
};

/**
 * struct guarded_mm - an address space in which checkpoints are opened
 * @notifier: tells of mappings that go; holds the mm (mm_count)
 * @node: in the table of guarded_mm.c; RCU
 * @rcu: for freeing
 * @users: the table's reference, one for each checkpoint, fault and lookup
 * @lock: serialises @log, @unprotected, @shared and changes of @maps; taken
 *	inside the mmap lock, never the reverse
 * @log: the pre-images of the open checkpoint, and the hot pages
 * @unprotected: what the next entry has to protect
 * @recent: what was in it lately
 * @shared: shared memory, of which @log and @unprotected know nothing
 * @maps: the mappings at its entry; written by @owner while none is open
 * @owner: the thread that has the checkpoint open, only ever compared; NULL
 *	when none is.  Set and cleared by that thread or under @lock
 * @closing: a call has ended, and what it left is being cleared up
 * @siblings: the threads that run in it, and who stops them
 * @other_faults: faults of other processes in this address space now, and of
 *	the threads where there are several
 * @dead_end: from here on the stack is live at the entry, or was at that of a
 *	call inside; below it, in the stack mapping, it is neither protected nor
 *	kept.  0 when all is live
 * @live_from: the first word of the page @dead_end in which something is live
 * @released: the address space has ended
 * @listed: it is, or was, in the table
 * @refusal: enum reassure_refusal for which no open call can be rolled back any
 *	more, or negative; the first reason stays.  GUARDED_MM_ROLLING_BACK
 *	when it is too late for one
 * @in_fault: who is in a page fault or protects its pages, if that is @owner;
 *	only ever compared
 * @rearranging: who moves mappings in such a way that nothing is lost; set and
 *	cleared by that task, only ever compared
 * @reprotected: the open call has called mprotect(); its own field
 * @incomplete: the page log is not what it should be any more; its own field
 * @moved: what the open call has moved
 * @trampoline: where return probes lead to, 0 until known
 * @switches_stacks: functions do not return in the opposite order of their
 *	calls, so return probes must not be set; stays
 */
struct guarded_mm {
	struct mmu_notifier notifier;
	struct hlist_node node;
	struct rcu_head rcu;
	refcount_t users;
	struct mutex lock;	/* see above */
	struct page_log log;
	struct unprotected unprotected;
	struct recent_page recent[UNPROTECTED_RECENT];
	struct shared_memory shared;
	struct mappings maps;
	struct task_struct *owner;
	bool closing;
	struct siblings siblings;
	atomic_t other_faults;
	unsigned long dead_end;
	unsigned int live_from;
	bool released;
	bool listed;
	int refusal;
	struct task_struct *in_fault;
	struct task_struct *rearranging;
	bool reprotected;
	bool incomplete;
	struct moved_mappings moved;
	unsigned long trampoline;
	bool switches_stacks;
};

static inline struct mm_struct *guarded_mm_mm(struct guarded_mm *gm)
{
	return gm->notifier.mm;
}

/* The innermost call, NULL when none is open. */
static inline struct guarded_call *guarded_mm_call(struct guarded_mm *gm)
{
	/* Pairs with the one in page_log_end_one(). */
	struct logged_call *call = smp_load_acquire(&gm->log.innermost);

	return call ? container_of(call, struct guarded_call, logged) : NULL;
}

/* The call around @call, or NULL. */
static inline struct guarded_call *guarded_call_outer(struct guarded_call *call)
{
	struct logged_call *outer = READ_ONCE(call->logged.outer);

	return outer ? container_of(outer, struct guarded_call, logged) : NULL;
}

/*
 * Whether an address lies in stack that was dead at the entry, as far as the
 * recorded mappings tell.
 */
static inline bool guarded_mm_is_dead_stack(const struct guarded_mm *gm,
					    unsigned long address)
{
	return address < gm->dead_end && address >= gm->maps.stack_start;
}

/* Whether a page of @vma is stack that was dead at the last entry. */
static inline bool guarded_mm_is_dead(const struct guarded_mm *gm,
				      const struct vm_area_struct *vma,
				      unsigned long address)
{
	return address < gm->dead_end && vma->vm_flags & VM_GROWSDOWN &&
	       vma->vm_end == gm->maps.stack_end;
}

/* Current, the owner, is in a page fault or protects its pages. */
static inline void guarded_mm_begin_fault(struct guarded_mm *gm)
{
	WRITE_ONCE(gm->in_fault, current);
}

/* Somebody else may be the owner by now. */
static inline void guarded_mm_end_fault(struct guarded_mm *gm)
{
	cmpxchg(&gm->in_fault, current, NULL);
}

/* The first byte of a page that has to be kept. */
static inline unsigned int guarded_mm_live_from(const struct guarded_mm *gm,
						unsigned long address)
{
	return address == gm->dead_end ? gm->live_from : 0;
}

#define GUARDED_MM_ROLLING_BACK	(-2)

#define GUARDED_MM_HASH_BITS	8

extern struct hlist_head guarded_mm_table[1 << GUARDED_MM_HASH_BITS];

/*
 * The guarded_mm of an address space without a reference, for hooks that run
 * with preemption disabled, which is all the RCU that it needs.  Called at
 * every page fault of every process.
 */
static __always_inline struct guarded_mm *guarded_mm_peek(struct mm_struct *mm)
{
	struct hlist_head *bucket =
		&guarded_mm_table[hash_min((unsigned long)mm,
					   GUARDED_MM_HASH_BITS)];
	struct guarded_mm *gm;
	struct hlist_node *node;

	for (node = READ_ONCE(bucket->first); node;
	     node = READ_ONCE(node->next)) {
		gm = hlist_entry(node, struct guarded_mm, node);
		if (gm->notifier.mm == mm)
			return gm;
	}
	return NULL;
}

/* Whether a device, or an asynchronous request, may be using some page. */
static inline bool guarded_mm_may_be_in_use(struct guarded_mm *gm)
{
	return compat_may_be_in_use(guarded_mm_mm(gm)) ||
	       (READ_ONCE(gm->siblings.stop) && gm->siblings.io_uring);
}

/* How many images were taken since the entry of the outermost call. */
static inline unsigned long guarded_mm_saved(const struct guarded_mm *gm)
{
	return gm->log.nr_saved + gm->shared.log.nr_saved;
}

/**
 * guarded_call_left() - whether a stack pointer is outside of a call
 * @call: the call, of current
 * @sp: its user stack pointer
 *
 * On an alternate signal stack the call is still inside, unless it was
 * entered there.
 */
static inline bool guarded_call_left(const struct guarded_call *call,
				     unsigned long sp)
{
	unsigned long altstack = call->altstack, size = call->altstack_size;
	bool entry_on_altstack = call->entry_sp - altstack < size;

	/* So it is at each fault. */
	if (likely(!entry_on_altstack && sp <= call->entry_sp))
		return false;
	if (on_sig_stack(sp) || sp - altstack < size)
		return entry_on_altstack && sp > call->entry_sp;
	return entry_on_altstack || sp > call->entry_sp;
}

struct guarded_mm *guarded_mm_find(struct mm_struct *mm);
struct guarded_mm *guarded_mm_acquire(struct mm_struct *mm);
void guarded_mm_put(struct guarded_mm *gm);
bool guarded_mm_changes_mappings(void);
void guarded_mm_mappings_may_change(void);
void guarded_mm_bypassed(struct mm_struct *mm, unsigned long start,
			 unsigned long end, int refusal);

int guarded_mm_open(struct guarded_mm *gm, struct guarded_call *call,
		    unsigned long sp, enum reassure_shared shared);
bool guarded_mm_open_inside(struct guarded_mm *gm, struct guarded_call *call,
			    unsigned long sp, enum reassure_shared shared);
unsigned long guarded_mm_close_inside(struct guarded_mm *gm,
				      struct guarded_call *call);
void guarded_mm_clear_up(struct guarded_mm *gm);
unsigned long guarded_mm_close_beside_others(struct guarded_mm *gm);
void guarded_mm_refuse(struct guarded_mm *gm, int refusal);
bool guarded_mm_begin_rollback(struct guarded_mm *gm);
void guarded_mm_cancel_rollback(struct guarded_mm *gm);
bool guarded_mm_note_switches_stacks(struct mm_struct *mm);
bool guarded_mm_switches_stacks(struct mm_struct *mm);
void guarded_mm_note_left(struct guarded_mm *gm, unsigned long sp);
unsigned long guarded_mm_trampoline(struct guarded_mm *gm);

/**
 * guarded_mm_close() - the pre-images are not wanted any more
 * @gm: the address space
 *
 * Ends all calls that are open there.
 *
 * The pages that were written stay writable and are hot from now on.  Threads
 * that were stopped go on.
 *
 * Return: how many pages had been saved since the entry of the outermost.
 */
static inline unsigned long guarded_mm_close(struct guarded_mm *gm)
{
	unsigned long saved = guarded_mm_saved(gm);
	bool stops = READ_ONCE(gm->siblings.stop) &&
		     READ_ONCE(gm->siblings.stopper) == gm->owner;

	if (unlikely(READ_ONCE(gm->siblings.run) &&
		     READ_ONCE(gm->siblings.stopper) == gm->owner))
		return guarded_mm_close_beside_others(gm);
	WRITE_ONCE(gm->closing, true);
	WRITE_ONCE(gm->log.innermost, NULL);
	/* In this order for who looks whether he may begin. */
	smp_store_release(&gm->owner, NULL);
	/* Another's fault that comes later is seen by the next entry. */
	if (unlikely(page_log_has_absent(&gm->log) || gm->moved.count ||
		     gm->shared.log.nr_images || !list_empty(&gm->log.cold) ||
		     READ_ONCE(gm->released)))
		guarded_mm_clear_up(gm);
	/* What was cleared up is seen by who begins next. */
	smp_store_release(&gm->closing, false);
	/* Last, for the next call then begins. */
	if (unlikely(stops))
		siblings_resume(gm);
	return saved;
}

void reassure_guarded_mm_drop_all(void);
void reassure_guarded_mm_exit(void);

#endif
