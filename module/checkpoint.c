// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a checkpoint: opened at the entry of a rescue point, closed by
 * the return, by a rollback, or when the call is left in another way.
 */
#include <linux/hashtable.h>
#include <linux/rseq.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "checkpoint.h"
#include "guarded_mm.h"
#include "injection.h"
#include "kernel_symbols.h"
#include "oracle.h"
#include "pending.h"

/* A busy server has threads woken all the time. */
#define PREPARE_ATTEMPTS	4

/* By task; changed under table_lock, read under RCU. */
static DEFINE_HASHTABLE(table, 8);
static DEFINE_SPINLOCK(table_lock);

/* Calls that ended where one cannot sleep. */
static LLIST_HEAD(deferred);

/* The signals of which a rescue point may speak. */
static const int fatal_signals[CHECKPOINT_SIGNALS] = {
	SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS,
};

/**
 * checkpoint_lookup() - the outermost checkpoint of current
 *
 * For any context, under RCU; takes no reference.
 *
 * Return: NULL when there is none.
 */
struct checkpoint *checkpoint_lookup(void)
{
	struct checkpoint *cp;

	hash_for_each_possible_rcu(table, cp, node, (unsigned long)current)
		if (cp->task == current)
			return cp;
	return NULL;
}

/*
 * The same for probe handlers and task work of current: no other than current
 * takes its checkpoint out of the table while one of these may run.
 */
static struct checkpoint *own_checkpoint(void)
{
	struct checkpoint *cp;

	/* Which is RCU too, for less. */
	preempt_disable();
	cp = checkpoint_lookup();
	preempt_enable();
	return cp;
}

/* Closed before, in process context. */
static void checkpoint_free(struct checkpoint *cp)
{
	struct checkpoint *inner;

	if (cp->gm)
		guarded_mm_put(cp->gm);
	for (; cp; cp = inner) {
		inner = cp->inner;
		open_files_free(&cp->files);
		kfree_rcu(cp, rcu);
	}
}

void checkpoint_put(struct checkpoint *cp)
{
	if (refcount_dec_and_test(&cp->first->users))
		checkpoint_free(cp->first);
}

/* Takes @cp out of the table; true for the one who has done so. */
static bool unhash(struct checkpoint *cp)
{
	unsigned long flags;
	bool hashed;

	spin_lock_irqsave(&table_lock, flags);
	hashed = !hlist_unhashed(&cp->node);
	if (hashed)
		hash_del_rcu(&cp->node);
	spin_unlock_irqrestore(&table_lock, flags);
	return hashed;
}

static void drop(struct checkpoint *cp)
{
	if (unhash(cp))
		checkpoint_put(cp);
}

/* What the call did to descriptors and the like is no longer of interest. */
static __always_inline void stop_recording(struct checkpoint *cp)
{
	if (!cp->recording)
		return;
	WRITE_ONCE(cp->recording, false);
	/* The thread may be adding something. */
	if (cp->task != current) {
		spin_lock(&cp->recording_lock);
		spin_unlock(&cp->recording_lock);
	}
	open_files_drop(&cp->files);
	process_state_drop(&cp->state);
}

/* The call is over; @cp->lock is held. */
static __always_inline void end_call(struct checkpoint *cp)
{
	if (cp->deadline.task)
		deadline_cancel(cp);
	stop_recording(cp);
	if (unlikely(cp->given_up)) {
		cp->given_up = false;
		siblings_end_pause(cp->gm, cp->task);
	}
	WRITE_ONCE(cp->rp, NULL);
	if (unlikely(cp->oracle)) {
		oracle_free(cp->oracle);
		cp->oracle = NULL;
	}
	cp->entering = false;
	/* From here on the thread may open the next. */
	smp_store_release(&cp->open, false);
}

/* The memory of the call, which is locked, is not wanted any more. */
static __always_inline unsigned long close_memory(struct checkpoint *cp)
{
	struct guarded_call *call = &cp->memory;
	struct guarded_mm *gm = cp->gm;

	/* Nobody opens one inside while it is locked. */
	if (likely(guarded_mm_call(gm) == call && !call->logged.outer))
		return guarded_mm_close(gm);
	return guarded_mm_close_inside(gm, call);
}

/* Ends the call, if it is one of @rp or @rp is NULL, in the way that @how counts. */
static void close_checkpoint(struct checkpoint *cp, struct rescue_point *rp,
			     enum reassure_counter how)
{
	mutex_lock(&cp->lock);
	/* Pairs with those where it is opened. */
	if ((smp_load_acquire(&cp->open) || READ_ONCE(cp->entering)) &&
	    (!rp || cp->rp == rp)) {
		if (!cp->entering && cp->refusal < 0)
			count_events(&cp->rp->counters,
				     REASSURE_COUNTER_PAGES_SAVED,
				     close_memory(cp));
		if (!cp->entering && cp->opened)
			count_events(&cp->rp->counters, how, 1);
		end_call(cp);
	}
	mutex_unlock(&cp->lock);
}

/* Whether @cp, a checkpoint of current, is one of the program that it runs. */
static bool is_of_program(const struct checkpoint *cp)
{
	return cp->mm == current->mm && cp->exec_id == current->self_exec_id;
}

bool checkpoint_is_of_current(const struct checkpoint *cp)
{
	return cp->task == current && is_of_program(cp);
}

static noinline bool another_has_mm(struct mm_struct *mm)
{
	struct task_struct *process, *thread;
	bool shared = false;

	rcu_read_lock();
	for_each_process_thread(process, thread)
		if (thread != current && READ_ONCE(thread->mm) == mm)
			shared = true;
	rcu_read_unlock();
	return shared;
}

/*
 * Whether a task of another process runs, or can run, in the address space of
 * current.  Readers of /proc hold mm_users for a moment, so a surplus is looked
 * into.
 */
static bool other_processes_have_mm(void)
{
	struct mm_struct *mm = current->mm;

	return atomic_read(&mm->mm_users) != 1 && another_has_mm(mm);
}

/* The same for any other task. */
static bool mm_is_shared(void)
{
	return !thread_group_empty(current) || other_processes_have_mm();
}

/*
 * Whether the return of the call will be seen: its exits are probed, or the
 * kernel has its return probe.
 */
static bool return_is_watched(const struct checkpoint *cp)
{
	struct return_instance *ri;

	if (cp->return_address)
		return true;
	if (!current->utask)
		return false;
	for (ri = current->utask->return_instances; ri; ri = ri->next)
		if (ri->stack == cp->registers.regs.sp)
			return true;
	return false;
}

/*
 * Whether the exits have their breakpoints.  The kernel tells nobody when it
 * could not set one in a process, for want of memory perhaps, and the process
 * may have written over it.  Code is mapped as it is in the file.
 */
static bool exits_are_probed(const struct checkpoint *cp)
{
	const struct rescue_point *rp = cp->rp;
	uprobe_opcode_t __user *address;
	uprobe_opcode_t found;
	unsigned int i;

	for (i = 0; rp->exits && i < rp->config.nr_exits; i++) {
		address = (void __user *)(cp->registers.regs.ip +
					  rp->exits[i].offset -
					  rp->entry.offset);
		if (get_user(found, address) || found != UPROBE_SWBP_INSN)
			return false;
	}
	return true;
}

/* What stands on the stack as the call's return address; 0 if unknown yet. */
unsigned long checkpoint_returns_to(const struct checkpoint *cp)
{
	return cp->return_address ?: cp->gm->trampoline;
}

/* Where return probes lead to; 0 when none was set in this process. */
static unsigned long find_trampoline(struct checkpoint *cp)
{
	/* None yet where every entry was refused. */
	if (!cp->gm)
		return 0;
	if (!cp->gm->trampoline) {
		mmap_read_lock(cp->mm);
		guarded_mm_trampoline(cp->gm);
		mmap_read_unlock(cp->mm);
	}
	return cp->gm->trampoline;
}

/* What checkpoint_returns_to() answers, found out where it is unknown. */
static unsigned long returns_to(struct checkpoint *cp)
{
	return cp->return_address ?: find_trampoline(cp);
}

/*
 * Whether @address, which stands on the stack as return address, is the
 * call's.  Others may have set a return probe where ours are at the exits.
 */
static bool is_return_address(struct checkpoint *cp, unsigned long address)
{
	return address && (address == cp->return_address ||
			   address == find_trampoline(cp));
}

/* Whether the return address stands on the stack still. */
static bool has_return_address(struct checkpoint *cp)
{
	unsigned long __user *slot = (void __user *)cp->registers.regs.sp;
	unsigned long address;

	return !get_user(address, slot) && is_return_address(cp, address);
}

/*
 * Whether @sp and @other, stack pointers of current, are on two stacks.  They
 * are told apart by their mappings.  A stack that has overflowed ends in what
 * cannot be written.
 */
static bool is_other_stack(unsigned long sp, unsigned long other)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *one, *two;
	bool differ;

	mmap_read_lock(mm);
	one = vma_lookup(mm, sp);
	two = vma_lookup(mm, other);
	differ = one && two && one != two && one->vm_flags & VM_WRITE;
	mmap_read_unlock(mm);
	return differ;
}

/*
 * Whether current runs on another stack than that of the call, to which it
 * may come back: coroutines.
 */
static bool has_switched_stacks(struct checkpoint *cp, unsigned long sp)
{
	if (on_sig_stack(sp) ||
	    sp - cp->memory.altstack < cp->memory.altstack_size)
		return false;
	return is_other_stack(sp, cp->registers.regs.sp);
}

/**
 * checkpoint_return_probe_kills() - whether a return probe here would
 * @regs: the registers of current, which enters a rescue point without exit
 *	probes while another function has a return probe
 *
 * The kernel takes functions with return probes to return in the opposite
 * order of their calls, and kills a thread where they do not.  So none is set
 * on another stack than that of the last one.
 */
bool checkpoint_return_probe_kills(const struct pt_regs *regs)
{
	const struct return_instance *last = current->utask->return_instances;

	return !on_sig_stack(regs->sp) && !on_sig_stack(last->stack) &&
	       is_other_stack(regs->sp, last->stack);
}

/*
 * Whether current, about to call another function with the stack pointer
 * @sp, is still inside @cp.  A longjmp() leaves without a trace, but what is
 * called next soon overwrites the return address.
 */
static bool still_inside(struct checkpoint *cp, unsigned long sp)
{
	if (!checkpoint_is_of_current(cp) || !cp->open)
		return false;
	if (cp->refusal >= 0)
		return sp < cp->registers.regs.sp;
	/* Called from the same place again, after an exception. */
	if (cp->return_address && sp == cp->registers.regs.sp)
		return false;
	return !guarded_call_left(&cp->memory, sp) &&
	       return_is_watched(cp) && has_return_address(cp) &&
	       !has_switched_stacks(cp, sp);
}

/**
 * checkpoint_lock_open() - keep others from ending the open call of current
 *
 * Return: its checkpoint, until checkpoint_unlock(); NULL when none is open
 * whose memory is kept.
 */
struct checkpoint *checkpoint_lock_open(void)
{
	struct checkpoint *cp = own_checkpoint();

	/* While one is kept open, not all end. */
	for (cp = cp ? cp->innermost : NULL; cp; cp = cp->outer) {
		mutex_lock(&cp->lock);
		if (cp->open && cp->refusal < 0 && checkpoint_is_of_current(cp))
			return cp;
		mutex_unlock(&cp->lock);
	}
	return NULL;
}

void checkpoint_unlock(struct checkpoint *cp)
{
	mutex_unlock(&cp->lock);
}

static __always_inline void save_signals(struct signal_state *state)
{
	const struct k_sigaction *actions = own_sighand()->action;
	int i;

#pragma GCC unroll 8
	for (i = 0; i < CHECKPOINT_SIGNALS; i++)
		state->handlers[i] = actions[fatal_signals[i] - 1].sa.sa_handler;
	state->blocked = current->blocked;
	state->altstack = current->sas_ss_sp;
	state->altstack_size = current->sas_ss_size;
	state->altstack_flags = current->sas_ss_flags;
	state->unkillable = current->signal->flags & SIGNAL_UNKILLABLE;
}

/*
 * A call has just written it there.  Without that, the page may be one that
 * somebody is long in bringing in, while others wait for the probe.
 */
static bool read_return_address(struct checkpoint *cp, unsigned long sp)
{
	bool missing;

	pagefault_disable();
	missing = get_user(cp->return_address, (unsigned long __user *)sp);
	pagefault_enable();
	return !missing && cp->return_address;
}

/* Why this call cannot be rescued, whatever there is in memory; or negative. */
static __always_inline int check_entry(struct checkpoint *cp, const struct pt_regs *regs)
{
	cp->return_address = 0;
	if (cp->gained_privileges && !cp->settings.allow_setuid)
		return REASSURE_REFUSED_SETUID;
	if (!registers_supported(regs) ||
	    (cp->rp->exits && !read_return_address(cp, regs->sp)))
		return REASSURE_REFUSED_PROBE;
	return -1;
}

static __always_inline bool have_memory(struct checkpoint *cp)
{
	struct checkpoint *first = cp->first;

	if (!first->gm)
		first->gm = guarded_mm_acquire(cp->mm);
	cp->gm = first->gm;
	return cp->gm;
}

/*
 * Opens the checkpoint's other sides, or says why that is not possible.
 * Without it the checkpoint only tells a fault why it is not rescued.  No other
 * thread runs; @sharers of them have current's descriptors, with current.
 */
static __always_inline int open_sides(struct checkpoint *cp, unsigned int sharers)
{
	int refusal;

	/* Until now other threads may have changed actions. */
	save_signals(&cp->signals);
	refusal = open_files_record(&cp->files, sharers);
	if (refusal >= 0)
		return refusal;
	process_state_record(&cp->state);
	refusal = guarded_mm_open(cp->gm, &cp->memory, cp->registers.regs.sp,
				  cp->settings.shared);
	if (refusal >= 0)
		return refusal;
	/* What others write meanwhile is not all put back. */
	if (!cp->lets_run)
		cp->oracle = oracle_record(cp->mm, cp->registers.regs.sp);
	WRITE_ONCE(cp->recording, true);
	return refusal;
}

/* Current's process has no other thread. */
static int open_alone(struct checkpoint *cp)
{
	if (other_processes_have_mm())
		return REASSURE_REFUSED_THREADS;
	return have_memory(cp) ? open_sides(cp, 1) : REASSURE_REFUSED_MEMORY;
}

/* Memory is kept from here on, or @refusal says why not. */
static __always_inline void set_open(struct checkpoint *cp, int refusal)
{
	cp->refusal = refusal;
	cp->opened = refusal < 0;
	if (cp->opened) {
		count_events(&cp->rp->counters, REASSURE_COUNTER_CHECKPOINTS, 1);
		if (cp->settings.deadline_ms)
			deadline_arm(cp, cp->settings.deadline_ms);
		if (unlikely(cp->settings.injects))
			injection_begin(cp);
	}
	/* From here on others may end the call. */
	smp_store_release(&cp->open, true);
}

/* Entries that are queued or run, for unloading. */
static atomic_t entries_pending = ATOMIC_INIT(0);

/* With the other threads stopped, unless @refusal says why they are not. */
static void open_stopped(struct checkpoint *cp, int refusal)
{
	bool stopped = refusal < 0;

	cp->lets_run = cp->settings.threads == REASSURE_THREADS_RUN;
	cp->files.others_run = cp->lets_run;
	if (stopped && cp->lets_run && !siblings_may_run(cp->gm))
		refusal = REASSURE_REFUSED_THREADS;
	else if (stopped)
		refusal = open_sides(cp, cp->gm->siblings.sharing_files);
	/* It has not got so far as to be closed. */
	if (stopped && refusal >= 0 && siblings_are_stopped(&cp->gm->siblings))
		siblings_resume(cp->gm);
	cp->stops = true;
	set_open(cp, refusal);
	/* In this order for find_of(). */
	smp_store_release(&cp->entering, false);
	if (cp->opened && cp->lets_run)
		siblings_let_run(cp->gm);
}

/*
 * The first thing that happens behind the probe, where one may wait: the
 * return probe is set, and the function has not begun.
 */
static void enter_work(struct callback_head *work)
{
	struct checkpoint *cp = container_of(work, struct checkpoint, entry);
	bool wanted = !(current->flags & PF_EXITING) &&
		      checkpoint_is_of_current(cp) &&
		      READ_ONCE(cp->entering);
	int refusal = REASSURE_REFUSED_MEMORY;

	if (wanted && have_memory(cp))
		refusal = siblings_stop(cp->gm, cp->settings.watchdog_ms);
	mutex_lock(&cp->lock);
	if (wanted && cp->entering)
		open_stopped(cp, refusal);
	else if (wanted && refusal < 0)
		siblings_resume(cp->gm);
	else
		cp->entering = false;
	mutex_unlock(&cp->lock);
	clear_bit_unlock(CHECKPOINT_ENTRY_QUEUED, &cp->flags);
	checkpoint_put(cp);
	pending_end(&entries_pending);
}

/* Leaves the rest of the entry to task work. */
static void enter_later(struct checkpoint *cp)
{
	if (test_and_set_bit_lock(CHECKPOINT_ENTRY_QUEUED, &cp->flags))
		return;
	checkpoint_get(cp);
	pending_begin(&entries_pending);
	init_task_work(&cp->entry, enter_work);
	/* From here on others may end the call. */
	smp_store_release(&cp->entering, true);
	/* Fails only for a task that has PF_EXITING, which enters nothing. */
	task_work_add(current, &cp->entry, TWA_RESUME);
}

static struct checkpoint *make_level(void)
{
	struct checkpoint *cp = kzalloc(sizeof(*cp), PAGE_LOG_GFP);

	if (!cp)
		return NULL;
	mutex_init(&cp->lock);
	spin_lock_init(&cp->recording_lock);
	cp->task = current;
	cp->mm = current->mm;
	cp->exec_id = current->self_exec_id;
	return cp;
}

static struct checkpoint *make_checkpoint(void)
{
	struct checkpoint *cp = make_level();

	if (!cp)
		return NULL;
	refcount_set(&cp->users, 1);
	cp->first = cp;
	cp->innermost = cp;
	cp->files.first = &cp->files;
	cp->gained_privileges = process_has_gained_privileges();
	spin_lock_irq(&table_lock);
	hash_add_rcu(table, &cp->node, (unsigned long)current);
	spin_unlock_irq(&table_lock);
	return cp;
}

/* Current has left the calls inside @cp, which is one of its own. */
static void close_inside(struct checkpoint *cp)
{
	struct checkpoint *inner;

	for (inner = cp->first->innermost; inner != cp; inner = inner->outer)
		close_checkpoint(inner, NULL, REASSURE_COUNTER_ABANDONED);
	cp->first->innermost = cp;
}

/* The one inside @cp, made at the first call inside it. */
static struct checkpoint *inner_level(struct checkpoint *cp)
{
	struct checkpoint *inner = cp->inner;

	if (!inner && cp->level + 1 < CHECKPOINT_LEVELS) {
		inner = make_level();
		if (!inner)
			return NULL;
		inner->first = cp->first;
		inner->outer = cp;
		inner->level = cp->level + 1;
		inner->gained_privileges = cp->gained_privileges;
		inner->files.first = &cp->first->files;
		cp->files.inner = &inner->files;
		/* For who looks through them under RCU. */
		smp_store_release(&cp->inner, inner);
	}
	return inner;
}

/*
 * The innermost open call inside which current is, about to call another
 * function with the stack pointer @sp, or NULL.  Those that it has left are
 * closed.
 */
static struct checkpoint *find_enclosing(struct checkpoint *first,
					 unsigned long sp)
{
	struct checkpoint *cp;

	for (cp = first->innermost; cp; cp = cp->outer) {
		/* Pairs with the one in end_call(), when somebody else ends it. */
		if (!smp_load_acquire(&cp->open))
			continue;
		if (still_inside(cp, sp))
			break;
		close_checkpoint(cp, NULL, REASSURE_COUNTER_ABANDONED);
	}
	first->innermost = cp ?: first;
	return cp;
}

/*
 * What an entry writes down by itself.  While a checkpoint is not open, only
 * its thread writes to it.
 *
 * Most settings are those of the entry before.  They were in force then, so
 * on_entry() has asked for whom these are meant.
 *
 * Return: false when the settings have changed and are not meant for current.
 */
static __always_inline bool begin_entry(struct checkpoint *cp,
					struct rescue_point *rp,
					const struct pt_regs *regs)
{
	if (READ_ONCE(rp->settings.version) != cp->settings.version &&
	    !rescue_point_settings_meant(rp, &cp->settings))
		return false;
	WRITE_ONCE(cp->rp, rp);
	registers_save(&cp->registers, regs);
	cp->stops = false;
	cp->lets_run = false;
	cp->files.others_run = false;
	cp->lost = -1;
	cp->observed = false;
	cp->inner_points = 0;
	return true;
}

/* As open_sides() does, but with what the calls around keep. */
static bool open_sides_inside(struct checkpoint *cp, unsigned int sharers)
{
	save_signals(&cp->signals);
	if (open_files_record(&cp->files, sharers) >= 0)
		return false;
	process_state_record(&cp->state);
	if (!guarded_mm_open_inside(cp->gm, &cp->memory, cp->registers.regs.sp,
				    cp->settings.shared))
		return false;
	cp->oracle = oracle_record(cp->mm, cp->registers.regs.sp);
	WRITE_ONCE(cp->recording, true);
	return true;
}

/* @outer, which is locked, is open and its memory kept. */
static bool open_inside(struct checkpoint *cp, struct checkpoint *outer)
{
	struct siblings *siblings = &outer->gm->siblings;
	bool alone = thread_group_empty(current);

	if (alone ? mm_is_shared() : !siblings_are_stopped(siblings))
		return false;
	cp->gm = outer->gm;
	cp->stops = outer->stops;
	return open_sides_inside(cp, alone ? 1 : siblings->sharing_files);
}

/*
 * Current enters @rp inside @outer, whose memory is kept.  Where no checkpoint
 * can be opened there, that of @outer covers this call, too.
 */
static void enter_inside(struct checkpoint *outer, struct rescue_point *rp,
			 const struct pt_regs *regs)
{
	struct checkpoint *cp = inner_level(outer);
	bool opened = false;

	if (!cp)
		return;
	if (!begin_entry(cp, rp, regs) || check_entry(cp, regs) >= 0)
		return;
	mutex_lock(&outer->lock);
	/* Somebody else may have ended it. */
	if (outer->open && outer->refusal < 0)
		opened = open_inside(cp, outer);
	mutex_unlock(&outer->lock);
	if (!opened)
		return;
	cp->first->innermost = cp;
	set_open(cp, -1);
}

/* Current enters @rp, and no memory is kept. */
static void enter_alone(struct checkpoint *cp, struct rescue_point *rp,
			struct pt_regs *regs)
{
	int refusal;

	if (!begin_entry(cp, rp, regs))
		return;
	refusal = check_entry(cp, regs);
	if (refusal < 0 && !thread_group_empty(current)) {
		enter_later(cp);
		return;
	}
	if (refusal < 0)
		refusal = open_alone(cp);
	set_open(cp, refusal);
}

/**
 * checkpoint_enter() - current enters a rescue point
 * @rp: the rescue point
 * @regs: its registers, at the function's first instruction
 *
 * The kernel may run the probe twice for one call; the second finds the first.
 */
void checkpoint_enter(struct rescue_point *rp, struct pt_regs *regs)
{
	struct checkpoint *first = own_checkpoint(), *cp = first, *outer = NULL;

	/* The second time for this call. */
	if (first && unlikely(READ_ONCE(first->innermost->entering)))
		return;
	if (first && unlikely(READ_ONCE(first->innermost->open) ||
			      first->innermost != first))
		outer = find_enclosing(first, regs->sp);
	/* The same, or called by a jump at its end. */
	if (outer && outer->rp == rp && outer->registers.regs.sp == regs->sp)
		return;
	/* Of the program that a thread other than the first executed. */
	if (first && !is_of_program(first)) {
		drop(first);
		cp = NULL;
	}
	/* No return probe can be set: it could never be closed. */
	if (!rp->exits &&
	    current->utask->depth >= COMPAT_MAX_URETPROBE_DEPTH) {
		if (!outer)
			count_refusal(&rp->counters, REASSURE_REFUSED_PROBE);
		return;
	}
	if (outer && outer->refusal < 0) {
		enter_inside(outer, rp, regs);
		return;
	}
	if (outer)
		cp = inner_level(outer);
	else if (!cp)
		cp = make_checkpoint();
	if (!cp) {
		count_refusal(&rp->counters, REASSURE_REFUSED_MEMORY);
		return;
	}
	if (outer)
		first->innermost = cp;
	enter_alone(cp, rp, regs);
}

/**
 * checkpoint_pass() - current enters a rescue point that is not meant for it
 * @regs: its registers, at the function's first instruction
 *
 * It may have been meant before, and have left calls without returning: they
 * must not stay open.  Those inside which current is go on, and cover this one.
 */
void checkpoint_pass(const struct pt_regs *regs)
{
	struct checkpoint *first = own_checkpoint();

	/* The second time for a call that is about to be opened. */
	if (!first || READ_ONCE(first->innermost->entering))
		return;
	if (READ_ONCE(first->innermost->open) || first->innermost != first)
		find_enclosing(first, regs->sp);
}

/**
 * checkpoint_return() - current returns from a rescue point
 * @rp: the rescue point
 * @sp: where on the stack the return address stood
 */
void checkpoint_return(struct rescue_point *rp, unsigned long sp)
{
	struct checkpoint *first = own_checkpoint(), *cp;

	if (!first)
		return;
	cp = first->innermost;
	while (sp != cp->registers.regs.sp || rp != cp->rp) {
		cp = cp->outer;
		if (!cp)
			return;
	}
	/* The fault that a smashed return address leads to is still to come. */
	if (cp->return_address && !has_return_address(cp))
		return;
	if (unlikely(cp != first->innermost))
		close_inside(cp);
	close_checkpoint(cp, rp, REASSURE_COUNTER_COMMITS);
	first->innermost = cp->outer ?: first;
}

/* Commits what current has open of @rp, whose return may not be seen. */
void checkpoint_leave(struct rescue_point *rp)
{
	struct checkpoint *cp = own_checkpoint();

	for (cp = cp ? cp->innermost : NULL; cp; cp = cp->outer)
		close_checkpoint(cp, rp, REASSURE_COUNTER_COMMITS);
}

/* Whether @sp, to which current jumps, is in a frame outside of the call. */
static bool lands_outside(struct checkpoint *cp, unsigned long sp)
{
	unsigned long entry_sp = cp->registers.regs.sp;

	if (cp->refusal >= 0)
		return sp > entry_sp && !is_other_stack(sp, entry_sp);
	if (!guarded_call_left(&cp->memory, sp))
		return false;
	/* A handler's call does not come back to its alternate stack. */
	return entry_sp - cp->memory.altstack < cp->memory.altstack_size ||
	       !has_switched_stacks(cp, sp);
}

/**
 * checkpoint_landed() - current jumps to another frame
 * @sp: its stack pointer there
 *
 * To one on another stack it may have switched, to come back: nothing is known
 * then.
 */
void checkpoint_landed(unsigned long sp)
{
	struct checkpoint *cp = own_checkpoint();

	for (cp = cp ? cp->innermost : NULL; cp; cp = cp->outer) {
		/* Pairs with the one in end_call(), when somebody else ends it. */
		if (!smp_load_acquire(&cp->open))
			continue;
		if (!checkpoint_is_of_current(cp) || !lands_outside(cp, sp))
			break;
		close_checkpoint(cp, NULL, REASSURE_COUNTER_ABANDONED);
	}
}

static void deferred_work(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&deferred);
	struct checkpoint *first, *next, *cp;

	llist_for_each_entry_safe(first, next, list, deferred) {
		for (cp = first; cp; cp = cp->inner)
			close_checkpoint(cp, NULL, REASSURE_COUNTER_ABANDONED);
		checkpoint_put(first);
	}
}

static DECLARE_WORK(deferred_worker, deferred_work);

/* Of a call that is being opened, its thread takes care. */
static bool is_call_of(const struct checkpoint *cp, const struct rescue_point *rp)
{
	/* Pairs with those where it is opened. */
	bool open = READ_ONCE(cp->entering) || smp_load_acquire(&cp->open);

	return open && READ_ONCE(cp->rp) == rp;
}

static struct checkpoint *find_of(struct rescue_point *rp)
{
	struct checkpoint *first, *cp;
	int bucket;

	rcu_read_lock();
	hash_for_each_rcu(table, bucket, first, node)
		/* Pairs with the one in inner_level(). */
		for (cp = first; cp; cp = smp_load_acquire(&cp->inner))
			if (is_call_of(cp, rp) && checkpoint_try_get(cp))
				goto unlock;
	cp = NULL;
unlock:
	rcu_read_unlock();
	return cp;
}

/**
 * checkpoint_commit_all() - commit all calls of a rescue point
 * @rp: the rescue point, which no call enters any more
 *
 * Waits for rollbacks that have begun.  Afterwards no checkpoint knows @rp but
 * those of threads in the handler at its entry, which close them there.  Stops
 * where calls enter it again, since it was enabled meanwhile.
 */
void checkpoint_commit_all(struct rescue_point *rp)
{
	struct checkpoint *cp;

	while (READ_ONCE(rp->closed) && (cp = find_of(rp))) {
		close_checkpoint(cp, rp, REASSURE_COUNTER_COMMITS);
		checkpoint_put(cp);
	}
	/* Those that have just left the table wait for the worker. */
	spin_lock_irq(&table_lock);
	spin_unlock_irq(&table_lock);
	flush_work(&deferred_worker);
}

/* By the thread, which is only compared; with a reference, or NULL. */
static struct checkpoint *find_of_task(const struct task_struct *task)
{
	struct checkpoint *cp;

	rcu_read_lock();
	hash_for_each_possible_rcu(table, cp, node, (unsigned long)task)
		if (cp->task == task && checkpoint_try_get(cp))
			goto unlock;
	cp = NULL;
unlock:
	rcu_read_unlock();
	return cp;
}

/* @first: it is the outermost of them. */
static void give_up(struct checkpoint *cp, int refusal, bool first)
{
	if (cp->deadline.task)
		deadline_cancel(cp);
	stop_recording(cp);
	count_events(&cp->rp->counters, REASSURE_COUNTER_PAGES_SAVED,
		     close_memory(cp));
	if (refusal == REASSURE_REFUSED_WATCHDOG && first) {
		count_events(&cp->rp->counters, REASSURE_COUNTER_GIVEN_UP, 1);
		cp->given_up = true;
		siblings_pause(cp->gm, cp->task);
	}
	WRITE_ONCE(cp->refusal, refusal);
	pr_info_ratelimited("gave up a call of %s[%d] in %s for other threads: %s\n",
			    current->comm, task_tgid_nr(current),
			    cp->rp->config.name,
			    reassure_refusal_names[refusal]);
}

/**
 * checkpoint_give_up() - forget a call's memory, for others to go on
 * @gm: the address space, in which current is another thread, or the one whose
 *	call it is
 *
 * Only if that cannot be rolled back any more, or began when there was no other
 * thread.  The call goes on.  Does nothing while its thread is being rescued or
 * changes mappings.
 */
void checkpoint_give_up(struct guarded_mm *gm)
{
	struct task_struct *owner = READ_ONCE(gm->owner);
	struct checkpoint *first = owner ? find_of_task(owner) : NULL;
	struct checkpoint *cp;
	bool any = false;
	int refusal;

	/* The outermost first: all around one that has been refused are, too. */
	for (cp = first; cp; cp = smp_load_acquire(&cp->inner)) {
		if (!mutex_trylock(&cp->lock))
			break;
		any |= cp->open && cp->given_up;
		if (cp->open && cp->refusal < 0 && cp->gm == gm &&
		    READ_ONCE(gm->owner) == cp->task) {
			refusal = READ_ONCE(gm->refusal);
			/* It began when there was no other thread. */
			if (refusal < 0 && !cp->stops)
				refusal = REASSURE_REFUSED_THREADS;
			if (refusal >= 0)
				give_up(cp, refusal, !any);
			any |= refusal >= 0;
		}
		mutex_unlock(&cp->lock);
	}
	if (first)
		checkpoint_put(first);
}

static struct checkpoint *first_hashed(void)
{
	struct checkpoint *cp = NULL;
	int bucket;

	spin_lock_irq(&table_lock);
	hash_for_each(table, bucket, cp, node)
		break;
	if (cp)
		refcount_inc(&cp->users);
	spin_unlock_irq(&table_lock);
	return cp;
}

/**
 * checkpoint_drop_all() - let go of all checkpoints
 *
 * No rescue point and no call is left, and the signal probe is gone.  Waits for
 * threads that were about to open one.
 */
void checkpoint_drop_all(void)
{
	struct checkpoint *cp;

	pending_await(&entries_pending);

	while ((cp = first_hashed())) {
		drop(cp);
		checkpoint_put(cp);
	}
}

static bool is_executable(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma;
	bool executable;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, address);
	executable = vma && vma->vm_flags & VM_EXEC;
	mmap_read_unlock(mm);
	return executable;
}

/*
 * Whether current is still in the call, as its stack shows.
 *
 * Where another return address stands now than the call's, either the stack
 * was smashed, which is to be rescued, or the call was left by
 * longjmp() and later calls have used its stack: then it is a genuine one.
 */
static bool fault_is_inside(struct checkpoint *cp)
{
	struct pt_regs *regs = task_pt_regs(current);
	unsigned long sp = cp->registers.regs.sp;
	unsigned long address;

	if (get_user(address, (unsigned long __user *)sp))
		return false;
	/* The function's own ret went to a return address that was smashed. */
	if (guarded_call_left(&cp->memory, regs->sp))
		return regs->sp == sp + sizeof(unsigned long) &&
		       address == regs->ip;
	if (has_switched_stacks(cp, regs->sp))
		return false;
	return is_return_address(cp, address) ||
	       !is_executable(cp->mm, address - 1) ||
	       !registers_follow_call(address);
}

static void cancel(struct checkpoint *cp, struct rollback *rb)
{
	open_files_cancel(&cp->files);
	rollback_cancel(rb);
}

/*
 * Whether other threads run, or have run in user mode, since the entry.  One
 * that was made inside has had the memory refused.
 */
static bool others_run(struct checkpoint *cp)
{
	if (siblings_are_stopped(&cp->gm->siblings))
		return !siblings_are_same(cp->gm);
	return mm_is_shared();
}

/*
 * Whether userfaultfd has taken the page away that the call returns by.  The
 * signal that is pending keeps a thread from sleeping for it: it would run in
 * circles here.
 */
static bool stack_is_taken(struct checkpoint *cp)
{
	unsigned long sp = cp->registers.regs.sp;
	struct vm_area_struct *vma;
	unsigned long address;
	bool missing, taken;

	pagefault_disable();
	missing = get_user(address, (unsigned long __user *)sp);
	pagefault_enable();
	if (!missing)
		return false;
	mmap_read_lock(cp->mm);
	vma = vma_lookup(cp->mm, sp);
	taken = vma && vma->vm_flags & __VM_UFFD_FLAGS;
	mmap_read_unlock(cp->mm);
	return taken;
}

static int prepare(struct checkpoint *cp, struct rollback *rb)
{
	int refusal;

	if (siblings_are_stopped(&cp->gm->siblings))
		siblings_await_parked(cp->gm);
	if (others_run(cp))
		return REASSURE_REFUSED_THREADS;
	if (stack_is_taken(cp))
		return REASSURE_REFUSED_USERFAULTFD;
	if (cp->memory.left || !fault_is_inside(cp))
		return REASSURE_REFUSED_LEFT;
	if (cp->lost >= 0)
		return cp->lost;
	if (!return_is_watched(cp) || !returns_to(cp) || !exits_are_probed(cp))
		return REASSURE_REFUSED_PROBE;
	refusal = rollback_prepare(rb, cp->gm, &cp->memory);
	if (refusal == REASSURE_REFUSED_PINNED) {
		/* Perhaps only a batch on its way to the LRU lists has it. */
		kernel_drain_all_lru_batches();
		refusal = rollback_prepare(rb, cp->gm, &cp->memory);
	}
	if (refusal >= 0)
		return refusal;
	refusal = process_state_prepare(&cp->state);
	if (refusal < 0)
		refusal = open_files_prepare(&cp->files);
	if (refusal >= 0) {
		rollback_cancel(rb);
		return refusal;
	}
	/* From here on it would be undone, or not. */
	if (siblings_are_stopped(&cp->gm->siblings) &&
	    siblings_have_written(cp->gm)) {
		cancel(cp, rb);
		return REASSURE_REFUSED_THREADS;
	}
	return -1;
}

/**
 * checkpoint_prepare() - do all of a rollback that can fail
 * @cp: the open checkpoint of current, locked
 * @rb: for checkpoint_roll_back()
 *
 * Return: negative, and checkpoint_roll_back() or checkpoint_cancel() must
 * follow; otherwise the enum reassure_refusal.
 */
int checkpoint_prepare(struct checkpoint *cp, struct rollback *rb)
{
	int refusal, attempts = PREPARE_ATTEMPTS;
	bool run;

	/* It may have come before there was an address space. */
	if (cp->refusal >= 0)
		return cp->refusal;
	run = siblings_run(&cp->gm->siblings);
	if (run) {
		refusal = siblings_stop_again(cp->gm);
		if (refusal >= 0)
			return refusal;
	}
	/* A thread that was woken meanwhile comes to where it waits. */
	do
		refusal = prepare(cp, rb);
	while (refusal == REASSURE_REFUSED_THREADS && --attempts &&
	       siblings_are_stopped(&cp->gm->siblings) &&
	       cp->gm->siblings.restless);
	if (refusal >= 0 && run)
		siblings_let_run(cp->gm);
	return refusal;
}

/* Nothing is rolled back after all; for both see checkpoint_prepare(). */
void checkpoint_cancel(struct checkpoint *cp, struct rollback *rb)
{
	cancel(cp, rb);
	if (siblings_run(&cp->gm->siblings))
		siblings_let_run(cp->gm);
}

/**
 * checkpoint_restore_signals() - put back what forcing a signal has changed
 * @cp: the checkpoint of current, whose siglock is held
 */
void checkpoint_restore_signals(struct checkpoint *cp)
{
	struct signal_state *state = &cp->signals;
	struct k_sigaction *actions = own_sighand()->action;
	int i;

	process_state_restore_actions(&cp->state);
	/* Of an action, forcing the signal changes nothing else. */
	for (i = 0; i < CHECKPOINT_SIGNALS; i++)
		actions[fatal_signals[i] - 1].sa.sa_handler = state->handlers[i];
	if (state->unkillable)
		current->signal->flags |= SIGNAL_UNKILLABLE;
	current->sas_ss_sp = state->altstack;
	current->sas_ss_size = state->altstack_size;
	current->sas_ss_flags = state->altstack_flags;
}

/**
 * checkpoint_roll_back() - take current back to the entry, and return
 * @cp: its checkpoint, locked
 * @rb: prepared
 *
 * With a return probe it goes through the uprobe trampoline, where the kernel
 * drops the return probes of the frames that are gone and other tracers see
 * this function return.
 *
 * Return: 0; a negative error when the process must not go on.
 */
int checkpoint_roll_back(struct checkpoint *cp, struct rollback *rb)
{
	unsigned long address = returns_to(cp);
	int ret;

	ret = rollback_commit(rb);
	if (ret)
		return ret;
	if (siblings_run(&cp->gm->siblings))
		siblings_wake_for_futexes(cp->gm);
	open_files_commit(&cp->files);
	process_state_commit(&cp->state);
	oracle_compare(cp->oracle, cp->gm, cp->rp);

	sigprocmask(SIG_SETMASK, &cp->signals.blocked, NULL);
	clear_restore_sigmask();
	registers_return(&cp->registers, address, cp->settings.has_value,
			 cp->settings.value);
	/*
	 * The CPU number in the restored memory is stale.  The kernel looks at
	 * it by itself only where task work does not interrupt.
	 */
	rseq_set_notify_resume(current);
	count_events(&cp->rp->counters, REASSURE_COUNTER_PAGES_RESTORED,
		     rb->restored);
	return 0;
}

/**
 * checkpoint_end_call() - the call was rolled back
 * @cp: its checkpoint, locked
 *
 * Others may go on.
 */
void checkpoint_end_call(struct checkpoint *cp)
{
	/* For the calls around. */
	guarded_mm_cancel_rollback(cp->gm);
	count_events(&cp->rp->counters, REASSURE_COUNTER_PAGES_SAVED,
		     close_memory(cp));
	end_call(cp);
}

/**
 * checkpoint_end_inside() - a call of current was rolled back
 * @cp: its checkpoint, not locked
 *
 * With it, those inside are over.
 */
void checkpoint_end_inside(struct checkpoint *cp)
{
	close_inside(cp);
	cp->first->innermost = cp->outer ?: cp->first;
}

/*
 * The worker inherits the table's reference.  In one under the lock, so that
 * checkpoint_commit_all() finds @cp here or there.
 */
static void defer_abandoning(struct checkpoint *cp)
{
	unsigned long flags;

	spin_lock_irqsave(&table_lock, flags);
	if (!hlist_unhashed(&cp->node)) {
		hash_del_rcu(&cp->node);
		llist_add(&cp->deferred, &deferred);
		/*
		 * Not where rp->closing runs, of which there may be as many as
		 * one queue runs at a time, all waiting for this one.
		 */
		queue_work(system_unbound_wq, &deferred_worker);
	}
	spin_unlock_irqrestore(&table_lock, flags);
}

/* Current ends or executes another program. */
static void abandon_current(void)
{
	struct checkpoint *cp;

	rcu_read_lock();
	cp = checkpoint_lookup();
	if (cp)
		defer_abandoning(cp);
	rcu_read_unlock();
}

static void on_exit(void *data, struct task_struct *task)
{
	abandon_current();
	siblings_forget_current();
}

static void on_exec(void *data, struct task_struct *task, pid_t old_pid,
		    struct linux_binprm *bprm)
{
	abandon_current();
	siblings_forget_current();
}

static struct tracepoint *exit_tracepoint, *exec_tracepoint;

int __init reassure_checkpoint_init(void)
{
	int ret;

	exit_tracepoint = kernel_tracepoint("sched_process_exit");
	exec_tracepoint = kernel_tracepoint("sched_process_exec");
	if (!exit_tracepoint || !exec_tracepoint)
		return -EOPNOTSUPP;
	ret = tracepoint_probe_register(exit_tracepoint, on_exit, NULL);
	if (ret)
		return ret;
	ret = tracepoint_probe_register(exec_tracepoint, on_exec, NULL);
	if (ret)
		tracepoint_probe_unregister(exit_tracepoint, on_exit, NULL);
	return ret;
}

/* No rescue point is left, so no checkpoint is in the table. */
void reassure_checkpoint_exit(void)
{
	tracepoint_probe_unregister(exec_tracepoint, on_exec, NULL);
	tracepoint_probe_unregister(exit_tracepoint, on_exit, NULL);
	tracepoint_synchronize_unregister();
	flush_work(&deferred_worker);
}
