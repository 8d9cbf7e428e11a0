// SPDX-License-Identifier: GPL-2.0
/*
 * The hook that sees the first write to each protected page.
 *
 * Every writer to one has to pass handle_mm_fault().  While a checkpoint is
 * open, the hook there puts the old content into the page log; else it only
 * notes the page for the next entry.  Then it lets the kernel go on, which
 * makes the page writable again in place.
 */
#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/wait_bit.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "guarded_mm.h"
#include "hot_pages.h"
#include "kernel_symbols.h"
#include "page_table.h"
#include "protection.h"
#include "slow_fault.h"
#include "write_guard.h"

/* A signal's frame is below what a function may use of its caller's. */
#define RED_ZONE		128
/* More than the kernel puts on the stack for a signal. */
#define SIGNAL_FRAME_MAX	(64 << 10)

/* Attempts to read in a page that reclaim takes away again each time. */
#define READ_IN_ATTEMPTS	8

/* Of a fault after which the page may be writable. */
#define FAULT_FLAGS_WRITING	(FAULT_FLAG_WRITE | FAULT_FLAG_UNSHARE)

/* Faults that are in guarded_fault(), for unloading, and whether one waits. */
static atomic_t faults_inside = ATOMIC_INIT(0);
static bool stopping;

/* The mmap lock is gone, or the page did not come. */
static bool fault_unfinished(vm_fault_t ret)
{
	return ret & (VM_FAULT_ERROR | VM_FAULT_RETRY | VM_FAULT_COMPLETED);
}

/* As the kernel would have done without us. */
static vm_fault_t serve_fault(struct vm_area_struct *vma, unsigned long address,
			      unsigned int flags, struct pt_regs *regs)
{
	bool held = slow_fault_begin(vma, address, flags);
	vm_fault_t ret = kernel_fault_unhooked(vma, address, flags, regs);

	slow_fault_end(held);
	return ret;
}

/* Why there is no checkpoint when the page log says @error. */
static int log_refusal(int error)
{
	switch (error) {
	case -ENOSPC:
		return REASSURE_REFUSED_LIMIT;
	case -EBUSY:
		return REASSURE_REFUSED_MAPPING;
	default:
		return REASSURE_REFUSED_MEMORY;
	}
}

/*
 * The image of @page, a hot one of an earlier call, or else that of the spare,
 * holds the content; @place is where it belongs in the log.
 */
static int log_image(struct guarded_mm *gm, struct xa_state *place,
		     struct logged_page *page, unsigned long address)
{
	if (!page)
		page = page_log_add_at(&gm->log, place, PAGE_LOG_GFP);
	if (IS_ERR(page))
		return PTR_ERR(page);
	page_log_saved(&gm->log, page, guarded_mm_live_from(gm, address));
	if (unlikely(page->cold))
		page_log_warm(&gm->log, page);
	if (unprotected_was_recent(&gm->unprotected, address, gm->log.call))
		hot_pages_came_back(page);
	return 0;
}

/*
 * There is no memory for the log, so the call will not be rescued; what is in
 * the log would be in the way of what the program itself allocates next.  All
 * that is writable now is protected at the next entry.  The thread inside does
 * not look at the log while it is here.
 */
static void give_log_back(struct guarded_mm *gm)
{
	if (gm->owner != current || READ_ONCE(gm->refusal) < 0)
		return;
	page_log_clear(&gm->log);
	unprotected_add_range(&gm->unprotected, 0, TASK_SIZE_MAX);
}

/*
 * Nothing stands at @address that is the process's own, but where @page was hot
 * a call around may want what it held then.
 */
static int log_absent(struct guarded_mm *gm, struct vm_area_struct *vma,
		      struct xa_state *place, struct logged_page *page,
		      unsigned long address)
{
	if (!page || !page_log_wants_any(&gm->log, page))
		return page_log_add_absent_at(&gm->log, place, page);
	if (!vma_is_anonymous(vma))
		return -EBUSY;
	memset(page->image, 0, PAGE_SIZE);
	return log_image(gm, place, page, address);
}

/* What log_page() answers besides errors. */
enum {
	LOG_KEPT,
	/* And nothing stood there at the entry. */
	LOG_KEPT_EMPTY,
	/* No call wants it any more. */
	LOG_CLOSED,
};

/*
 * Puts what stands at @address into the log.
 *
 * Return: LOG_*; -EAGAIN when it has to be read in first; another error with
 * the refusal set.
 */
static int log_page(struct guarded_mm *gm, struct vm_area_struct *vma,
		    unsigned long address)
{
	struct page_table_entry entry;
	struct logged_page *page, *room;
	int ret = LOG_KEPT;

	XA_STATE(place, &gm->log.pages, address >> PAGE_SHIFT);

	mutex_lock(&gm->lock);
	if (!gm->owner) {
		ret = LOG_CLOSED;
		goto unlock;
	}
	if (guarded_mm_is_dead(gm, vma, address))
		goto unlock;
	if (page_log_seek(&gm->log, &place, &page)) {
		page_log_writable(&gm->log, &place, page);
		/* Perhaps by a fault that brought no page then. */
		if (page_log_is_absent(&gm->log, address))
			ret = LOG_KEPT_EMPTY;
		goto unlock;
	}
	/* A call around may want what it held then. */
	if (page && page_log_wants(&gm->log, page))
		ret = page_log_keep(&gm->log, page, PAGE_LOG_GFP);
	if (ret < 0)
		goto refuse;
	room = page ?: page_log_spare(&gm->log, PAGE_LOG_GFP);
	page_table_get(vma->vm_mm, address, room ? room->image : NULL, false,
		       &entry);
	switch (entry.state) {
	case PAGE_TABLE_NO_TABLE:
		ret = page_log_add_absent_area(&gm->log, address);
		break;
	case PAGE_TABLE_NONE:
		ret = log_absent(gm, vma, &place, page, address) ?:
		      LOG_KEPT_EMPTY;
		break;
	case PAGE_TABLE_ZERO:
	case PAGE_TABLE_FILE:
		ret = log_absent(gm, vma, &place, page, address);
		break;
	case PAGE_TABLE_ANON:
		ret = room ? log_image(gm, &place, page, address) : -ENOMEM;
		break;
	case PAGE_TABLE_HUGE:
		/*
		 * The huge zero page or a huge page of a file: no private
		 * page is below it.  An anonymous one would have been split
		 * at entry or be in the log, unless khugepaged made it, and
		 * that is refused already.
		 */
		ret = page_log_add_absent_area(&gm->log, address);
		break;
	case PAGE_TABLE_NOT_PRESENT:
		ret = -EAGAIN;
		break;
	case PAGE_TABLE_SPECIAL:
		guarded_mm_refuse(gm, REASSURE_REFUSED_MAPPING);
		ret = -EINVAL;
		break;
	}
refuse:
	/* The first reason stays. */
	if (ret < 0 && ret != -EAGAIN)
		guarded_mm_refuse(gm, log_refusal(ret));
	if (ret == -ENOMEM)
		give_log_back(gm);
unlock:
	mutex_unlock(&gm->lock);
	return ret;
}

/*
 * A page became writable that no call has to put back.  One that is written
 * again soon after it was protected is made hot: the protection would cost
 * more than the copies.
 */
static void note_writable(struct guarded_mm *gm, struct vm_area_struct *vma,
			  unsigned long address)
{
	struct unprotected *un = &gm->unprotected;
	struct page_table_entry entry;
	struct logged_page *page;

	XA_STATE(place, &gm->log.pages, address >> PAGE_SHIFT);

	if (unprotected_is_all(un))
		return;
	page_table_get(vma->vm_mm, address, NULL, false, &entry);
	if (entry.large || entry.state == PAGE_TABLE_HUGE)
		unprotected_add_area(un, address);

	mutex_lock(&gm->lock);
	if (guarded_mm_is_dead(gm, vma, address))
		goto unlock;
	/* What did not exist at the entry is listed when the call ends. */
	if (page_log_seek(&gm->log, &place, &page) || page) {
		page_log_writable(&gm->log, &place, page);
		goto unlock;
	}
	if (entry.state == PAGE_TABLE_ANON && !entry.large &&
	    unprotected_was_recent(un, address, gm->log.call)) {
		page = page_log_add_at(&gm->log, &place, PAGE_LOG_GFP);
		if (!IS_ERR(page)) {
			hot_pages_came_back(page);
			goto unlock;
		}
	}
	unprotected_add_page(un, address, vma->vm_mm, gm->log.call);
unlock:
	mutex_unlock(&gm->lock);
}

static bool is_not_present(struct vm_area_struct *vma, unsigned long address)
{
	struct page_table_entry entry;

	page_table_get(vma->vm_mm, address & PAGE_MASK, NULL, false, &entry);
	return entry.state == PAGE_TABLE_NOT_PRESENT;
}

/* Whether a write would not fault now, or nobody can tell what would. */
static bool may_be_writable(struct vm_area_struct *vma, unsigned long address)
{
	struct page_table_entry entry;

	page_table_get(vma->vm_mm, address & PAGE_MASK, NULL, false, &entry);
	return entry.state == PAGE_TABLE_NOT_PRESENT ||
	       (entry.state == PAGE_TABLE_ANON && entry.writable);
}

/*
 * Whether somebody runs who may have written to a page while it was writable for
 * a moment, and nobody knows.
 */
static bool may_be_written(struct guarded_mm *gm, struct vm_area_struct *vma,
			   unsigned long address)
{
	bool covered;

	if (!READ_ONCE(gm->siblings.run) || !may_be_writable(vma, address))
		return false;
	mutex_lock(&gm->lock);
	covered = page_log_covers(&gm->log, address & PAGE_MASK);
	mutex_unlock(&gm->lock);
	return !covered;
}

/*
 * A write while a checkpoint is open.  Whatever happens here, the program's
 * fault is served: when the old content cannot be kept, only the checkpoint
 * is lost.
 */
static vm_fault_t write_fault(struct guarded_mm *gm,
			      struct vm_area_struct *vma,
			      unsigned long address, unsigned int flags,
			      struct pt_regs *regs)
{
	unsigned int read_flags = flags &
				  ~(FAULT_FLAG_WRITE | FAULT_FLAG_UNSHARE);
	unsigned long page = address & PAGE_MASK;
	struct page_table_entry entry;
	int attempts = READ_IN_ATTEMPTS;
	int logged = LOG_CLOSED;
	vm_fault_t ret;

	/* Unsharing for a reader changes no content. */
	if (current->mm != vma->vm_mm && flags & FAULT_FLAG_WRITE)
		guarded_mm_refuse(gm, REASSURE_REFUSED_FOREIGN);

	while (READ_ONCE(gm->refusal) < 0) {
		logged = log_page(gm, vma, page);
		if (logged != -EAGAIN)
			break;
		if (!attempts--) {
			guarded_mm_refuse(gm, REASSURE_REFUSED_UNREADABLE);
			break;
		}
		ret = serve_fault(vma, address, read_flags, regs);
		if (fault_unfinished(ret))
			return ret;
		if (may_be_written(gm, vma, address))
			guarded_mm_refuse(gm, REASSURE_REFUSED_THREADS);
		protection_renew_area(gm, vma, page);
	}

	ret = serve_fault(vma, address, flags, regs);
	if (fault_unfinished(ret))
		return ret;
	if (logged < 0 || logged == LOG_CLOSED) {
		/* So that the next entry sees it. */
		note_writable(gm, vma, page);
	} else if (logged == LOG_KEPT_EMPTY) {
		/* A large folio brought neighbours that are not logged. */
		page_table_get(vma->vm_mm, page, NULL, false, &entry);
		if (entry.large) {
			guarded_mm_refuse(gm, REASSURE_REFUSED_MAPPING);
			unprotected_add_area(&gm->unprotected, page);
		}
	}
	return ret;
}

/*
 * Reading in what is not present may map it writable; and reclaim may have
 * taken it just before the fault.
 */
static vm_fault_t read_fault(struct guarded_mm *gm,
			     struct vm_area_struct *vma, unsigned long address,
			     unsigned int flags, struct pt_regs *regs)
{
	bool comes_back = is_not_present(vma, address);
	bool writable;
	vm_fault_t ret;

	ret = serve_fault(vma, address, flags, regs);
	if (fault_unfinished(ret))
		return ret;
	writable = may_be_writable(vma, address);
	if (may_be_written(gm, vma, address))
		guarded_mm_refuse(gm, REASSURE_REFUSED_THREADS);
	if (writable && current->mm != vma->vm_mm) {
		/* The thread inside runs and may have written there. */
		guarded_mm_refuse(gm, REASSURE_REFUSED_FOREIGN);
		unprotected_add_area(&gm->unprotected, address);
	} else if (writable || comes_back) {
		protection_renew_area(gm, vma, address & PAGE_MASK);
	}
	return ret;
}

/* Any fault while no checkpoint is open. */
static vm_fault_t idle_fault(struct guarded_mm *gm, struct vm_area_struct *vma,
			     unsigned long address, unsigned int flags,
			     struct pt_regs *regs)
{
	bool changes = flags & FAULT_FLAGS_WRITING ||
		       is_not_present(vma, address);
	vm_fault_t ret;

	ret = serve_fault(vma, address, flags, regs);
	if (!fault_unfinished(ret) && has_private_pages(vma) &&
	    (changes || may_be_writable(vma, address)))
		note_writable(gm, vma, address & PAGE_MASK);
	return ret;
}

/*
 * Any fault in shared memory.  With the page made dirty for the first time
 * the kernel has often dropped the lock.
 */
static vm_fault_t shared_fault(struct guarded_mm *gm,
			       struct vm_area_struct *vma,
			       unsigned long address, unsigned int flags,
			       struct pt_regs *regs)
{
	struct mm_struct *mm = vma->vm_mm;
	vm_fault_t ret;

	shared_memory_before_fault(gm, vma);
	ret = serve_fault(vma, address, flags, regs);
	if (ret & (VM_FAULT_ERROR | VM_FAULT_RETRY))
		return ret;
	if (ret & VM_FAULT_COMPLETED) {
		mmap_read_lock(mm);
		vma = vma_lookup(mm, address);
	}
	if (vma)
		shared_memory_after_fault(gm, vma, address & PAGE_MASK,
					  flags & FAULT_FLAG_WRITE);
	if (ret & VM_FAULT_COMPLETED)
		mmap_read_unlock(mm);
	return ret;
}

static vm_fault_t open_fault(struct guarded_mm *gm, struct vm_area_struct *vma,
			     unsigned long address, unsigned int flags,
			     struct pt_regs *regs)
{
	bool inside = current == gm->owner;
	struct guarded_call *call;
	vm_fault_t ret;

	if (inside) {
		guarded_mm_begin_fault(gm);
		call = guarded_mm_call(gm);
		if (regs && flags & FAULT_FLAG_USER && call &&
		    guarded_call_left(call, regs->sp))
			guarded_mm_note_left(gm, regs->sp);
	}
	if (vma->vm_flags & VM_SHARED)
		ret = shared_fault(gm, vma, address, flags, regs);
	else if (flags & FAULT_FLAGS_WRITING)
		ret = write_fault(gm, vma, address, flags, regs);
	else
		ret = read_fault(gm, vma, address, flags, regs);
	if (inside)
		guarded_mm_end_fault(gm);
	return ret;
}

static bool must_wait(struct guarded_mm *gm)
{
	return unlikely(READ_ONCE(gm->siblings.stop)) && siblings_must_wait(gm);
}

static void end_other_fault(struct guarded_mm *gm)
{
	atomic_dec(&gm->other_faults);
	siblings_fault_ended(gm);
}

/*
 * Whether the kernel may be putting a signal's frame on the stack of current,
 * the first part of which may be on a page that did not make it wait.
 */
static bool may_be_signal_frame(unsigned long address)
{
	unsigned long below = task_pt_regs(current)->sp - address;

	/* A probe's handling writes to the stack, too, but not below that. */
	return (below > RED_ZONE && below < SIGNAL_FRAME_MAX) ||
	       address - current->sas_ss_sp < current->sas_ss_size;
}

/*
 * Another thread is inside, and current is a sibling: in a system call, for it
 * runs no user code.  It waits as for userfaultfd, without the lock.
 *
 * Return: false when it cannot wait, and the call is given up.
 */
static bool wait_for_call(struct guarded_mm *gm, struct vm_area_struct *vma,
			  unsigned long address, unsigned int flags,
			  struct pt_regs *regs)
{
	if ((regs && !user_mode(regs) && may_be_signal_frame(address)) ||
	    !(flags & FAULT_FLAG_ALLOW_RETRY) ||
	    flags & FAULT_FLAG_RETRY_NOWAIT ||
	    /* Which may be hidden, so that the fault would be tried for ever. */
	    __fatal_signal_pending(current) ||
	    current->flags & (PF_KTHREAD | COMPAT_PF_WORKER | PF_EXITING)) {
		guarded_mm_refuse(gm, REASSURE_REFUSED_THREADS);
		return false;
	}
	compat_unlock_for_retry(vma, flags);
	siblings_await(gm);
	return true;
}

/*
 * Stands in for handle_mm_fault() in address spaces that are guarded; with
 * the same locks held, and the same leave to drop them.
 */
static vm_fault_t guarded_fault(struct vm_area_struct *vma,
				unsigned long address, unsigned int flags,
				struct pt_regs *regs)
{
	/* While it lasts no checkpoint can be opened. */
	bool other = current->mm != vma->vm_mm || !thread_group_empty(current);
	bool shared = vma->vm_flags & VM_SHARED;
	struct guarded_mm *gm;
	vm_fault_t ret;

	atomic_inc(&faults_inside);
	gm = guarded_mm_find(vma->vm_mm);
	if (gm && is_vm_hugetlb_page(vma))
		shared_memory_before_fault(gm, vma);
	if (!gm || is_vm_hugetlb_page(vma)) {
		ret = serve_fault(vma, address, flags, regs);
		goto out;
	}
	if (must_wait(gm) && wait_for_call(gm, vma, address, flags, regs)) {
		ret = VM_FAULT_RETRY;
		goto out;
	}
	if (other) {
		atomic_inc(&gm->other_faults);
		/* Pairs with those in guarded_mm_open() and siblings_stop(). */
		smp_mb__after_atomic();
	}
	/* Then it has just been stopped. */
	if (must_wait(gm)) {
		end_other_fault(gm);
		if (wait_for_call(gm, vma, address, flags, regs)) {
			ret = VM_FAULT_RETRY;
			goto out;
		}
		atomic_inc(&gm->other_faults);
	}
	if (shared && !READ_ONCE(gm->shared.used))
		ret = serve_fault(vma, address, flags, regs);
	else if (READ_ONCE(gm->owner))
		ret = open_fault(gm, vma, address, flags, regs);
	else if (shared)
		ret = shared_fault(gm, vma, address, flags, regs);
	else
		ret = idle_fault(gm, vma, address, flags, regs);
	if (other)
		end_other_fault(gm);
out:
	if (gm)
		guarded_mm_put(gm);
	/* Pairs with the one in write_guard_stop(). */
	if (atomic_dec_and_test(&faults_inside) && READ_ONCE(stopping))
		wake_up_var(&faults_inside);
	return ret;
}

/* Rollback brings pages back through the front door, and is let through. */
static noinline notrace void redirect(struct ftrace_regs *fregs,
				      unsigned long parent_ip)
{
	if (!within_module(parent_ip, THIS_MODULE))
		compat_set_ip(fregs, (unsigned long)guarded_fault);
}

/* Apart, so that others' faults need no more than a look into the table. */
static void notrace fault_hook(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops,
			       struct ftrace_regs *fregs)
{
	struct vm_area_struct *vma = (void *)compat_first_argument(fregs);

	if (guarded_mm_peek(vma->vm_mm))
		redirect(fregs, parent_ip);
}

/*
 * Permanent: while kernel.ftrace_enabled is 0 the hook could not work, so
 * the kernel refuses either the one or the other.
 */
static struct ftrace_ops fault_ops = {
	.func = fault_hook,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY |
		 FTRACE_OPS_FL_RECURSION | FTRACE_OPS_FL_PERMANENT,
};

/**
 * write_guard_start() - install the write-fault hook
 *
 * Return: 0; -EBUSY when something else has redirected handle_mm_fault(), or
 * ftrace is disabled; another error of ftrace.
 */
int write_guard_start(void)
{
	return register_ftrace_function(&fault_ops);
}

/**
 * write_guard_stop() - remove the hook
 *
 * Faults that are in guarded_fault() sleep there for as long as who serves them
 * likes, perhaps for ever: they are waited for when the module goes.
 */
void write_guard_stop(void)
{
	/* It returns when those whom it sent to guarded_fault() have arrived. */
	unregister_ftrace_function(&fault_ops);
}

/* Waits until no fault is inside; the hook is removed. */
void write_guard_await(void)
{
	WRITE_ONCE(stopping, true);
	/* Either we see that the last has left or it sees that we wait. */
	smp_mb();
	wait_var_event(&faults_inside, !atomic_read(&faults_inside));
	WRITE_ONCE(stopping, false);
	/*
	 * They, and those of fatal_signal_stop(), mapping_guard_stop(),
	 * skip_stop(), deadline_stop() and injection_stop(), have executed their
	 * last instruction.
	 */
	synchronize_rcu_tasks();
}

/*
 * Names the function to hook.  Once for the life of the module: a filter that
 * was freed leaves pointers behind and cannot be set again.
 */
int __init reassure_write_guard_init(void)
{
	static unsigned char name[] = "handle_mm_fault";
	int ret = ftrace_set_filter(&fault_ops, name, sizeof(name) - 1, 1);

	if (ret)
		pr_err("ftrace cannot hook the kernel function %s; cannot work here\n",
		       name);
	return ret;
}

void reassure_write_guard_exit(void)
{
	ftrace_free_filter(&fault_ops);
}
