// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces that are, or were, inside a rescue point.
 *
 * One is made at the first entry of a process and stays until the process
 * ends or the last rescue point goes, so that later entries find it ready.
 */
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <asm/unistd.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "guarded_mm.h"
#include "hot_pages.h"
#include "protection.h"

/* By mm; changed under table_lock, read under RCU. */
DEFINE_HASHTABLE(guarded_mm_table, GUARDED_MM_HASH_BITS);
static DEFINE_SPINLOCK(table_lock);
/* How long a log keeps spares when no call comes, to twice that. */
#define TRIM_INTERVAL	HZ

/* Attempts, a tick apart, to have the mmap lock for making one. */
#define LOCK_ATTEMPTS	10

static struct guarded_mm *lookup(struct mm_struct *mm)
{
	struct guarded_mm *gm;

	hash_for_each_possible_rcu(guarded_mm_table, gm, node, (unsigned long)mm)
		if (guarded_mm_mm(gm) == mm)
			return gm;
	return NULL;
}

/*
 * Current is about to change mappings.  If it is another task of an address
 * space in which a call is open, made by vfork() for instance, nobody sets
 * aside what it removes.
 *
 * Return: whether current is inside a call that may still be rolled back, or
 * has set memory aside, and in none of our own system calls.
 */
bool notrace guarded_mm_changes_mappings(void)
{
	struct guarded_mm *gm = current->mm ? guarded_mm_peek(current->mm) : NULL;
	struct task_struct *owner = gm ? READ_ONCE(gm->owner) : NULL;

	if (!owner)
		return false;
	if (owner != current) {
		guarded_mm_refuse(gm, REASSURE_REFUSED_THREADS);
		return false;
	}
	return gm->rearranging != current &&
	       (READ_ONCE(gm->refusal) < 0 || gm->moved.count);
}

/*
 * Current is about to change mappings in a way of which neither the kernel's
 * sums nor the MMU notifier need tell.
 */
void notrace guarded_mm_mappings_may_change(void)
{
	struct guarded_mm *gm = current->mm ? guarded_mm_peek(current->mm) : NULL;

	if (gm)
		WRITE_ONCE(gm->maps.stale, true);
}

/**
 * guarded_mm_find() - the guarded_mm of an address space
 * @mm: the address space
 *
 * Return: with a reference; NULL when there is none.
 */
struct guarded_mm *guarded_mm_find(struct mm_struct *mm)
{
	struct guarded_mm *gm;

	rcu_read_lock();
	gm = lookup(mm);
	if (gm && !refcount_inc_not_zero(&gm->users))
		gm = NULL;
	rcu_read_unlock();
	return gm;
}

/**
 * guarded_mm_bypassed() - pages are about to be written to without a fault
 * @mm: the address space
 * @start: first address
 * @end: address behind the last
 * @refusal: why an open checkpoint cannot be rolled back then
 *
 * For any context.  The next entry looks at the mappings again, too: while a
 * page is filled in by userfaultfd, its mapping shows that and no checkpoint
 * is opened.
 */
void guarded_mm_bypassed(struct mm_struct *mm, unsigned long start,
			 unsigned long end, int refusal)
{
	struct guarded_mm *gm;

	rcu_read_lock();
	gm = lookup(mm);
	if (gm) {
		WRITE_ONCE(gm->maps.stale, true);
		unprotected_add_others(&gm->unprotected, start & PAGE_MASK,
				       PAGE_ALIGN(end));
		/* Pairs with the one in guarded_mm_open(). */
		smp_mb();
		if (READ_ONCE(gm->owner))
			guarded_mm_refuse(gm, refusal);
	}
	rcu_read_unlock();
}

static void unhash(struct guarded_mm *gm)
{
	bool hashed;

	spin_lock(&table_lock);
	hashed = !hlist_unhashed(&gm->node);
	if (hashed)
		hash_del_rcu(&gm->node);
	spin_unlock(&table_lock);
	if (hashed)
		guarded_mm_put(gm);
}

/*
 * The address space ends.  The log of a call that was abandoned goes when
 * its checkpoint is closed, at the end of the thread.
 */
static void notifier_release(struct mmu_notifier *notifier,
			     struct mm_struct *mm)
{
	struct guarded_mm *gm =
		container_of(notifier, struct guarded_mm, notifier);

	mutex_lock(&gm->lock);
	gm->released = true;
	if (!gm->owner)
		page_log_clear(&gm->log);
	mutex_unlock(&gm->lock);
	unhash(gm);
}

/*
 * mappings_intersect() for another task than the owner, who may be about to
 * record other mappings.
 */
static bool others_may_intersect(struct guarded_mm *gm,
				 const struct mmu_notifier_range *range)
{
	bool intersect;

	if (READ_ONCE(gm->moved.count) || !mutex_trylock(&gm->lock))
		return true;
	intersect = mappings_intersect(&gm->maps, range->start, range->end);
	mutex_unlock(&gm->lock);
	return intersect;
}

static bool in_madvise_remove(void)
{
	struct pt_regs *regs = task_pt_regs(current);

	return regs->orig_ax == __NR_madvise && (int)regs->dx == MADV_REMOVE;
}

static bool in_mprotect(void)
{
	struct pt_regs *regs = task_pt_regs(current);

	return regs->orig_ax == __NR_mprotect ||
	       regs->orig_ax == __NR_pkey_mprotect;
}

/* Whether current may be removing a mapping and is not moving one. */
static bool in_unmapping(void)
{
	switch (task_pt_regs(current)->orig_ax) {
	case __NR_mmap:
	case __NR_munmap:
	case __NR_brk:
		return true;
	default:
		return false;
	}
}

static void note_range(struct guarded_mm *gm, unsigned long start,
		       unsigned long end)
{
	unprotected_add_range(&gm->unprotected, start, end);
	unprotected_add_range(&gm->shared.unprotected, start, end);
}

/*
 * Notes what the next entry has to look at.  Moved pages keep their write
 * permission; mprotect() may give it to pages that nobody else has; a huge
 * page that khugepaged makes is writable.
 */
static void note_change(struct guarded_mm *gm,
			const struct mmu_notifier_range *range)
{
	switch (range->event) {
	case MMU_NOTIFY_UNMAP:
		WRITE_ONCE(gm->maps.stale, true);
		/* Who rearranges looks after this. */
		if (!in_unmapping() &&
		    READ_ONCE(gm->rearranging) != current)
			note_range(gm, 0, TASK_SIZE_MAX);
		break;
	case MMU_NOTIFY_PROTECTION_VMA:
		if (current->mm == guarded_mm_mm(gm) && in_mprotect()) {
			WRITE_ONCE(gm->maps.stale, true);
			note_range(gm, range->start, range->end);
		}
		break;
	case MMU_NOTIFY_CLEAR:
		if (range->end - range->start >= PMD_SIZE)
			note_range(gm, range->start, range->end);
		break;
	default:
		break;
	}
}

/*
 * What the thread inside does to its mappings, told before its pages go.
 * Others that clear entries (reclaim, KSM, migration) bring the content
 * back, but a huge page that khugepaged made would be writable unseen.
 * Waits for no lock: reclaim may call it from anywhere.
 */
static int notifier_invalidate(struct mmu_notifier *notifier,
			       const struct mmu_notifier_range *range)
{
	struct guarded_mm *gm =
		container_of(notifier, struct guarded_mm, notifier);
	struct task_struct *owner;

	note_change(gm, range);
	/* Pairs with the one in guarded_mm_open(). */
	smp_mb();
	owner = READ_ONCE(gm->owner);
	if (!owner)
		return 0;
	if (owner != current) {
		if (range->event == MMU_NOTIFY_CLEAR &&
		    range->end - range->start >= PMD_SIZE &&
		    others_may_intersect(gm, range))
			guarded_mm_refuse(gm, REASSURE_REFUSED_MAPPING);
		return 0;
	}

	if (gm->rearranging == current)
		return 0;
	switch (range->event) {
	case MMU_NOTIFY_CLEAR:
		/* Not when it is its own reclaim or copy-on-write. */
		if (current->flags & PF_MEMALLOC || gm->in_fault == current)
			return 0;
		/* As if it had written zeros to shared memory. */
		if (in_madvise_remove()) {
			if (shared_memory_watches(&gm->shared))
				guarded_mm_refuse(gm, REASSURE_REFUSED_SHARED);
			return 0;
		}
		break;
	case MMU_NOTIFY_PROTECTION_VMA:
		/* NUMA balancing says so too, from task work. */
		if (!in_mprotect())
			return 0;
		break;
	case MMU_NOTIFY_UNMAP:
		break;
	default:
		return 0;
	}
	/* What the call itself has mapped it may unmap. */
	if (gm->moved.count ||
	    mappings_intersect(&gm->maps, range->start, range->end))
		guarded_mm_refuse(gm, REASSURE_REFUSED_MAPPING);
	return 0;
}

static struct mmu_notifier *notifier_alloc(struct mm_struct *mm)
{
	struct guarded_mm *gm = kzalloc(sizeof(*gm), PAGE_LOG_GFP);

	if (!gm)
		return ERR_PTR(-ENOMEM);
	refcount_set(&gm->users, 1);
	mutex_init(&gm->lock);
	page_log_init(&gm->log);
	moved_mappings_init(&gm->moved);
	unprotected_init(&gm->unprotected, gm->recent);
	shared_memory_init(&gm->shared);
	siblings_init(&gm->siblings);
	gm->maps.stale = true;
	gm->refusal = -1;
	return &gm->notifier;
}

static void notifier_free(struct mmu_notifier *notifier)
{
	struct guarded_mm *gm =
		container_of(notifier, struct guarded_mm, notifier);

	page_log_clear(&gm->log);
	unprotected_free(&gm->unprotected);
	shared_memory_free(&gm->shared);
	mappings_free(&gm->maps);
	kfree_rcu(gm, rcu);
}

static const struct mmu_notifier_ops notifier_ops = {
	.release = notifier_release,
	.invalidate_range_start = notifier_invalidate,
	.alloc_notifier = notifier_alloc,
	.free_notifier = notifier_free,
};

/*
 * Locks the address space of current for writing.  Whoever holds the lock may
 * wait for a process that does not answer; so nobody waits for him here.
 */
static bool lock_for_creation(struct mm_struct *mm)
{
	int attempts = LOCK_ATTEMPTS;

	/* Without the wrapper, which newer kernels do not have. */
	while (!down_write_trylock(&mm->mmap_lock)) {
		if (!attempts--)
			return false;
		schedule_timeout_killable(1);
	}
	return true;
}

/*
 * One that is found although it is not in the table any more is on its way
 * out.  What became writable without its hooks it does not know.
 */
static struct guarded_mm *make(struct mm_struct *mm)
{
	struct mmu_notifier *notifier;
	struct guarded_mm *gm;

	notifier = mmu_notifier_get_locked(&notifier_ops, mm);
	if (IS_ERR(notifier))
		return NULL;
	gm = container_of(notifier, struct guarded_mm, notifier);
	if (gm->listed) {
		mmu_notifier_put(notifier);
		return NULL;
	}
	gm->listed = true;
	refcount_inc(&gm->users);
	spin_lock(&table_lock);
	hash_add_rcu(guarded_mm_table, &gm->node, (unsigned long)mm);
	spin_unlock(&table_lock);
	return gm;
}

/**
 * guarded_mm_acquire() - the guarded_mm of an address space, made if needed
 * @mm: the address space of current, not locked
 *
 * Return: with a reference; NULL without memory, when current is dying, while
 * somebody else holds the mmap lock, or the last one is not gone yet.
 */
struct guarded_mm *guarded_mm_acquire(struct mm_struct *mm)
{
	struct guarded_mm *gm = guarded_mm_find(mm);

	if (gm || !lock_for_creation(mm))
		return gm;
	/* Another thread may have been faster. */
	gm = guarded_mm_find(mm) ?: make(mm);
	mmap_write_unlock(mm);
	return gm;
}

void guarded_mm_put(struct guarded_mm *gm)
{
	if (refcount_dec_and_test(&gm->users))
		mmu_notifier_put(&gm->notifier);
}

/* @mm is that of current, not locked; false without memory. */
bool guarded_mm_note_switches_stacks(struct mm_struct *mm)
{
	struct guarded_mm *gm = guarded_mm_acquire(mm);

	if (!gm)
		return false;
	WRITE_ONCE(gm->switches_stacks, true);
	guarded_mm_put(gm);
	return true;
}

/* For any context. */
bool guarded_mm_switches_stacks(struct mm_struct *mm)
{
	struct guarded_mm *gm;
	bool switches;

	rcu_read_lock();
	gm = lookup(mm);
	switches = gm && READ_ONCE(gm->switches_stacks);
	rcu_read_unlock();
	return switches;
}

static void trim_logs(struct work_struct *work);
static DECLARE_DELAYED_WORK(trim_work, trim_logs);

/* Lets go of the spares of address spaces in which no call has come. */
static void trim_logs(struct work_struct *work)
{
	struct guarded_mm *gm;
	bool left = false;
	int bucket;

	spin_lock(&table_lock);
	hash_for_each(guarded_mm_table, bucket, gm, node) {
		if (!READ_ONCE(gm->log.nr_spares))
			continue;
		if (!mutex_trylock(&gm->lock)) {
			left = true;
			continue;
		}
		left |= page_log_trim(&gm->log);
		mutex_unlock(&gm->lock);
	}
	spin_unlock(&table_lock);
	if (left)
		schedule_delayed_work(&trim_work, TRIM_INTERVAL);
}

static void trim_later(struct guarded_mm *gm)
{
	if (gm->log.nr_spares)
		schedule_delayed_work(&trim_work, TRIM_INTERVAL);
}

/*
 * Below the stack pointer the stack is dead, unless another stack in the same
 * mapping is in use.  The caller's red zone need not be spared: its call
 * instruction has just written there.
 */
static unsigned long find_live_stack(const struct guarded_mm *gm,
				     const struct guarded_call *call)
{
	unsigned long sp = call->entry_sp;

	if (sp < gm->maps.stack_start || sp >= gm->maps.stack_end ||
	    sp - call->altstack < call->altstack_size)
		return gm->maps.stack_start;
	return sp;
}

/* Whether more is to be done at an entry than to copy the hot pages. */
static bool has_changed(struct guarded_mm *gm, unsigned long live)
{
	return !unprotected_is_empty(&gm->unprotected) ||
	       shared_memory_has_changed(&gm->shared) ||
	       gm->shared.log.nr_images || page_log_has_absent(&gm->log) ||
	       !mappings_are_current(&gm->maps, guarded_mm_mm(gm)) ||
	       (live & PAGE_MASK) < gm->dead_end ||
	       gm->log.nr_in_use || guarded_mm_may_be_in_use(gm);
}

/* The same at an entry inside a call, whose mappings are still those. */
static bool has_changed_inside(struct guarded_mm *gm, unsigned long live)
{
	return !unprotected_is_empty(&gm->unprotected) ||
	       shared_memory_has_changed(&gm->shared) ||
	       page_log_has_fresh(&gm->log) ||
	       (live & PAGE_MASK) < gm->dead_end;
}

/* Records the mappings; what is no stack any more was dead and is not now. */
static int renew_mappings(struct guarded_mm *gm)
{
	unsigned long start = gm->maps.stack_start;
	unsigned long end = gm->maps.stack_end;
	unsigned long dead_end = gm->dead_end;
	int refusal;

	refusal = mappings_record(&gm->maps, guarded_mm_mm(gm));
	if (refusal >= 0)
		return refusal;
	if (end != gm->maps.stack_end || start < gm->maps.stack_start) {
		gm->dead_end = 0;
		if (start < dead_end)
			unprotected_add_range(&gm->unprotected, start, dead_end);
	}
	hot_pages_forget_unmapped(gm);
	WRITE_ONCE(gm->shared.stale, true);
	return -1;
}

/* What did not exist may exist now, and be writable. */
static void forget_absent(struct guarded_mm *gm)
{
	struct page_log *log = &gm->log;
	unsigned long index;
	void *entry;

	xa_for_each_marked(&log->pages, index, entry, PAGE_LOG_ABSENT_MARK) {
		xa_erase(&log->pages, index);
		unprotected_add_page(&gm->unprotected, index << PAGE_SHIFT,
				     guarded_mm_mm(gm), log->call);
	}
	xa_for_each(&log->areas, index, entry)
		unprotected_add_area(&gm->unprotected, index << PMD_SHIFT);
	xa_destroy(&log->areas);
}

/*
 * What did not exist at the entry of a call around, and may exist now, has to
 * be protected.
 */
static void list_absent(struct guarded_mm *gm)
{
	struct page_log *log = &gm->log;
	unsigned long index;
	void *entry;

	xa_for_each_marked(&log->pages, index, entry, PAGE_LOG_FRESH_MARK) {
		xa_clear_mark(&log->pages, index, PAGE_LOG_FRESH_MARK);
		unprotected_add_page(&gm->unprotected, index << PAGE_SHIFT,
				     guarded_mm_mm(gm), log->call);
	}
	xa_for_each_marked(&log->areas, index, entry, PAGE_LOG_FRESH_MARK) {
		xa_clear_mark(&log->areas, index, PAGE_LOG_FRESH_MARK);
		unprotected_add_area(&gm->unprotected, index << PMD_SHIFT);
	}
}

/* With the mmap lock and @gm->lock held. */
static int renew(struct guarded_mm *gm, const struct guarded_call *call)
{
	unsigned long live, dead_end = gm->dead_end;
	int refusal = -1;

	if (call->logged.outer) {
		list_absent(gm);
	} else {
		/* Left by another's fault during the last call's end. */
		if (page_log_has_absent(&gm->log))
			forget_absent(gm);
		page_log_drop_cold(&gm->log);
		if (gm->shared.log.nr_images)
			shared_memory_close(&gm->shared);
	}

	if (!mappings_are_current(&gm->maps, guarded_mm_mm(gm))) {
		/* The calls around would be compared with them, too. */
		if (call->logged.outer)
			return REASSURE_REFUSED_MAPPING;
		refusal = renew_mappings(gm);
		if (refusal >= 0)
			return refusal;
		dead_end = gm->dead_end;
	}
	live = find_live_stack(gm, call) & PAGE_MASK;
	if (live < dead_end) {
		gm->dead_end = live;
		refusal = protection_renew_live_stack(gm, live, dead_end);
	}
	if (refusal < 0 && !unprotected_is_empty(&gm->unprotected))
		refusal = protection_renew(gm);
	if (refusal < 0 && shared_memory_has_changed(&gm->shared))
		refusal = shared_memory_renew(gm);
	/* Inside a call there are no others than at its entry. */
	if (refusal < 0 && !call->logged.outer)
		hot_pages_check_use(gm);
	return refusal;
}

/*
 * Locks the address space for reading.  Others hold that lock from when they
 * set out to write until they have come there, or use the page; so nobody is
 * on the way when it could be had alone.  Without the wrappers, of which newer
 * kernels have not all.
 */
static bool lock_for_renewal(struct guarded_mm *gm)
{
	struct unprotected *un = &gm->unprotected;
	struct mm_struct *mm = guarded_mm_mm(gm);
	unsigned long start, end;

	if (!unprotected_take_others(un, &start, &end)) {
		mmap_read_lock(mm);
		return true;
	}
	if (!down_write_trylock(&mm->mmap_lock)) {
		unprotected_add_others(un, start, end);
		return false;
	}
	downgrade_write(&mm->mmap_lock);
	unprotected_add_range(un, start, end);
	return true;
}

static int lock_and_renew(struct guarded_mm *gm, const struct guarded_call *call)
{
	struct mm_struct *mm = guarded_mm_mm(gm);
	int refusal;

	if (!call->logged.outer) {
		mutex_lock(&gm->lock);
		refusal = mappings_reserve(&gm->maps, mm);
		mutex_unlock(&gm->lock);
		if (refusal)
			return REASSURE_REFUSED_MEMORY;
	}
	if (!lock_for_renewal(gm))
		return REASSURE_REFUSED_FOREIGN;
	mutex_lock(&gm->lock);
	refusal = renew(gm, call);
	trim_later(gm);
	mutex_unlock(&gm->lock);
	mmap_read_unlock(mm);
	return refusal;
}

/* From here on the stack is live; the lock is held. */
static void set_live_stack(struct guarded_mm *gm, unsigned long live)
{
	gm->dead_end = live & PAGE_MASK;
	/* A few dead bytes more do no harm, and whole words are copied. */
	gm->live_from = round_down(live & ~PAGE_MASK, sizeof(u64));
}

static int copy_hot_pages(struct guarded_mm *gm, struct guarded_call *call,
			  unsigned long live)
{
	bool cooled;

	mutex_lock(&gm->lock);
	set_live_stack(gm, live);
	cooled = hot_pages_copy(gm);
	mutex_unlock(&gm->lock);
	return cooled ? lock_and_renew(gm, call) : -1;
}

static void set_entry(struct guarded_call *call, unsigned long sp)
{
	call->entry_sp = sp;
	call->altstack = current->sas_ss_sp;
	call->altstack_size = current->sas_ss_size;
	call->left = false;
}

/**
 * guarded_mm_open() - begin to keep what current's memory holds
 * @gm: its address space, in which no other task runs, or current has stopped
 *	the others
 * @call: what will be known of the call
 * @sp: its user stack pointer
 * @shared: what becomes of writes to shared memory
 *
 * Return: negative, or the enum reassure_refusal for which there is no
 * checkpoint; then the others run again.
 */
int guarded_mm_open(struct guarded_mm *gm, struct guarded_call *call,
		    unsigned long sp, enum reassure_shared shared)
{
	bool stops = siblings_are_stopped(&gm->siblings);
	unsigned long live;
	int refusal = -1;

	/*
	 * That of a thread which has ended, and nobody has closed yet.  In the
	 * order in which guarded_mm_close() changes them.
	 */
	if (smp_load_acquire(&gm->owner) || smp_load_acquire(&gm->closing))
		return REASSURE_REFUSED_THREADS;
	set_entry(call, sp);
	page_log_begin(&gm->log, &call->logged, NULL);
	gm->reprotected = false;
	gm->incomplete = false;
	shared_memory_open(&gm->shared, shared);
	/* Who could not be made to wait has told so already. */
	if (!stops)
		WRITE_ONCE(gm->refusal, -1);
	/* From here on the hook keeps what is written to. */
	WRITE_ONCE(gm->owner, current);
	/* What others did before they saw the owner is seen now. */
	smp_mb();
	if (atomic_read(&gm->other_faults) ||
	    !compat_only_mmu_notifier(&gm->notifier))
		refusal = REASSURE_REFUSED_FOREIGN;
	live = find_live_stack(gm, call);
	if (refusal < 0 && has_changed(gm, live)) {
		refusal = lock_and_renew(gm, call);
		live = find_live_stack(gm, call);
	}
	if (refusal < 0)
		refusal = copy_hot_pages(gm, call, live);
	if (stops && refusal < 0)
		refusal = READ_ONCE(gm->refusal);
	if (refusal >= 0)
		guarded_mm_close(gm);
	return refusal;
}

/*
 * Whether a call can be opened inside those that are.  What they have changed of
 * mappings would have to be put back to different states.
 */
static bool can_open_inside(struct guarded_mm *gm, enum reassure_shared shared)
{
	return gm->owner == current && READ_ONCE(gm->refusal) == -1 &&
	       shared == gm->shared.mode && shared != REASSURE_SHARED_RESTORE &&
	       !gm->moved.count && !gm->reprotected && !gm->log.nr_in_use &&
	       !guarded_mm_may_be_in_use(gm) &&
	       (mappings_are_current(&gm->maps, guarded_mm_mm(gm)) ||
		mappings_look_again(&gm->maps, guarded_mm_mm(gm)));
}

/* Negative when all is kept that the calls, one more now, may write to. */
static int keep_inside(struct guarded_mm *gm, struct guarded_call *call)
{
	unsigned long live = find_live_stack(gm, call);
	int cooled, refusal = -1;

	if (has_changed_inside(gm, live))
		refusal = lock_and_renew(gm, call);
	if (refusal >= 0)
		return refusal;
	mutex_lock(&gm->lock);
	/* The calls around may have live stack further down, from one before. */
	if ((live & PAGE_MASK) <= gm->dead_end)
		set_live_stack(gm, live);
	cooled = hot_pages_copy_inside(gm);
	mutex_unlock(&gm->lock);
	if (cooled < 0)
		return REASSURE_REFUSED_MEMORY;
	return cooled ? lock_and_renew(gm, call) : -1;
}

/**
 * guarded_mm_open_inside() - keep what memory holds now, too
 * @gm: the address space of current, which has a call open there
 * @call: what will be known of the call
 * @sp: its user stack pointer
 * @shared: what becomes of writes to shared memory
 *
 * Whoever may end the open calls is kept from it.
 *
 * Return: false when that is not possible; the open calls are as they were.
 */
bool guarded_mm_open_inside(struct guarded_mm *gm, struct guarded_call *call,
			    unsigned long sp, enum reassure_shared shared)
{
	if (!can_open_inside(gm, shared))
		return false;
	set_entry(call, sp);
	call->saved = gm->log.nr_saved;
	mutex_lock(&gm->lock);
	page_log_begin(&gm->log, &call->logged, gm->log.innermost);
	mutex_unlock(&gm->lock);
	/* Others' faults of before have been noted, and the later ones see it. */
	smp_mb();
	if (!atomic_read(&gm->other_faults) &&
	    compat_only_mmu_notifier(&gm->notifier) &&
	    keep_inside(gm, call) < 0 && READ_ONCE(gm->refusal) == -1)
		return true;
	guarded_mm_close_inside(gm, call);
	return false;
}

/**
 * guarded_mm_close_inside() - a call ends
 * @gm: the address space
 * @call: the call; its owner, or who keeps him from opening another
 *
 * Others are open, or were a moment ago.
 *
 * Return: how many pages had been saved since its entry and were not in calls
 * inside it; 0 when such are open.
 */
unsigned long guarded_mm_close_inside(struct guarded_mm *gm,
				      struct guarded_call *call)
{
	struct page_log *log = &gm->log;
	unsigned long saved = 0;
	bool alone;

	mutex_lock(&gm->lock);
	alone = log->innermost == &call->logged && !call->logged.outer;
	if (!alone && log->innermost == &call->logged) {
		saved = log->nr_saved - call->saved;
		log->nr_saved = call->saved;
	}
	if (!alone)
		page_log_end_one(log, &call->logged);
	mutex_unlock(&gm->lock);
	return alone ? guarded_mm_close(gm) : saved;
}

/* With the lock held. */
static void clear_up(struct guarded_mm *gm)
{
	shared_memory_close(&gm->shared);
	if (gm->released) {
		page_log_clear(&gm->log);
	} else {
		page_log_drop_cold(&gm->log);
		forget_absent(gm);
	}
	trim_later(gm);
}

/* For guarded_mm_close(), when there is something to clear up. */
void guarded_mm_clear_up(struct guarded_mm *gm)
{
	mutex_lock(&gm->lock);
	clear_up(gm);
	mutex_unlock(&gm->lock);
	moved_mappings_discard(gm);
}

/* The same as guarded_mm_close() while others run, and have page faults. */
unsigned long guarded_mm_close_beside_others(struct guarded_mm *gm)
{
	unsigned long saved = guarded_mm_saved(gm);

	mutex_lock(&gm->lock);
	WRITE_ONCE(gm->closing, true);
	WRITE_ONCE(gm->log.innermost, NULL);
	/* In this order for who looks whether he may begin, as there. */
	smp_store_release(&gm->owner, NULL);
	clear_up(gm);
	mutex_unlock(&gm->lock);
	moved_mappings_discard(gm);
	/* What was cleared up is seen by who begins next. */
	smp_store_release(&gm->closing, false);
	siblings_resume(gm);
	return saved;
}

/* Says why the open checkpoint cannot be rolled back; takes no lock. */
void guarded_mm_refuse(struct guarded_mm *gm, int refusal)
{
	cmpxchg(&gm->refusal, -1, refusal);
}

/*
 * From here on no reason lets the other threads go on before the memory is put
 * back; false when there is one already.
 */
bool guarded_mm_begin_rollback(struct guarded_mm *gm)
{
	return cmpxchg(&gm->refusal, -1, GUARDED_MM_ROLLING_BACK) == -1;
}

void guarded_mm_cancel_rollback(struct guarded_mm *gm)
{
	cmpxchg(&gm->refusal, GUARDED_MM_ROLLING_BACK,
		gm->incomplete ? REASSURE_REFUSED_MEMORY : -1);
}

/* Current, the owner, runs at @sp: no call that it has left is rolled back. */
void guarded_mm_note_left(struct guarded_mm *gm, unsigned long sp)
{
	struct guarded_call *call = guarded_mm_call(gm);

	for (; call; call = guarded_call_outer(call)) {
		if (!guarded_call_left(call, sp))
			return;
		call->left = true;
	}
	guarded_mm_refuse(gm, REASSURE_REFUSED_LEFT);
}

/* Where return probes lead to; 0 when none was hit.  The mmap lock is held. */
unsigned long guarded_mm_trampoline(struct guarded_mm *gm)
{
	if (!gm->trampoline)
		gm->trampoline = mappings_find_trampoline(guarded_mm_mm(gm));
	return gm->trampoline;
}

static struct guarded_mm *first_hashed(void)
{
	struct guarded_mm *gm = NULL;
	int bucket;

	spin_lock(&table_lock);
	hash_for_each(guarded_mm_table, bucket, gm, node)
		break;
	if (gm)
		refcount_inc(&gm->users);
	spin_unlock(&table_lock);
	return gm;
}

/**
 * reassure_guarded_mm_drop_all() - let go of all address spaces
 *
 * No rescue point is left, so nobody makes new ones.
 */
void reassure_guarded_mm_drop_all(void)
{
	struct guarded_mm *gm;

	while ((gm = first_hashed())) {
		unhash(gm);
		guarded_mm_put(gm);
	}
}

void reassure_guarded_mm_exit(void)
{
	cancel_delayed_work_sync(&trim_work);
	mmu_notifier_synchronize();
}
