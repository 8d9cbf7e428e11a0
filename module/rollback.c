// SPDX-License-Identifier: GPL-2.0
/*
 * Putting memory back, in two steps: preparing does all that can fail and
 * changes nothing; committing cannot fail.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "guarded_mm.h"
#include "hot_pages.h"
#include "page_table.h"
#include "protection.h"
#include "rollback.h"
#include "switch.h"

/* Attempts to bring back a page that reclaim takes away again each time. */
#define BRING_BACK_ATTEMPTS	8

/* Attempts to find all shared pages that reclaim or writeback takes away. */
#define PREPARE_ATTEMPTS	8

/* Pages of one mapping mostly follow each other. */
static struct vm_area_struct *find_mapping(struct rollback *rb,
					   unsigned long address)
{
	if (!rb->vma || address < rb->vma->vm_start ||
	    address >= rb->vma->vm_end)
		rb->vma = vma_lookup(guarded_mm_mm(rb->gm), address);
	return rb->vma;
}

/*
 * Finds the page at @address, writable by nobody but this process, brought
 * back from swap or copied from a shared one if need be.
 *
 * Return: the page with a reference; NULL when that cannot be had.
 */
static struct page *get_own_page(struct rollback *rb, unsigned long address)
{
	struct mm_struct *mm = guarded_mm_mm(rb->gm);
	struct vm_area_struct *vma = find_mapping(rb, address);
	struct page_table_entry entry;
	int attempts;
	vm_fault_t ret;

	if (!vma)
		return NULL;
	for (attempts = 0; attempts < BRING_BACK_ATTEMPTS; attempts++) {
		page_table_get(mm, address, NULL, true, &entry);
		if (entry.state == PAGE_TABLE_ANON) {
			if (entry.exclusive)
				return entry.page;
			put_page(entry.page);
		}
		/*
		 * No file system is asked while the mmap lock is held alone.
		 * It need not be: what was in the log was anonymous, and that
		 * comes from swap.
		 */
		if (vma->vm_file && entry.state != PAGE_TABLE_ANON &&
		    entry.state != PAGE_TABLE_NOT_PRESENT)
			return NULL;
		/*
		 * Without leave to retry it keeps the mmap lock.  Our own
		 * call is not redirected to the write-fault hook.
		 */
		ret = handle_mm_fault(vma, address, FAULT_FLAG_WRITE | FAULT_FLAG_REMOTE, NULL);
		/* In a large folio it comes with its neighbours. */
		unprotected_add_area(&rb->gm->unprotected, address);
		if (ret & VM_FAULT_ERROR)
			return NULL;
	}
	return NULL;
}

static bool same_content(struct page *live, const struct logged_page *image)
{
	return !memcmp(page_address(live) + image->from,
		       image->image + image->from, PAGE_SIZE - image->from);
}

struct left_page {
	const char *live;
	char *image;
};

static void leave(unsigned int from, unsigned int to, void *data)
{
	struct left_page *page = data;

	memcpy(page->image + from, page->live + from, to - from);
}

/*
 * What belongs to other threads that have run alone stays what it is: from here
 * on the image holds it, too.  Such calls have none inside them.
 */
static void leave_others(struct rollback *rb, struct page *live,
			 const struct logged_page *image)
{
	struct left_page page = {
		.live = page_address(live), .image = image->image,
	};

	if (rb->others_ran)
		siblings_visit_own_memory(rb->gm, image->address, leave, &page);
}

/*
 * Whether current still sees the image at @address, where its file's page is.
 * One that was hot and has been discarded between calls is the file's again; who
 * writes to it gets a page of his own, so that nobody has, and nothing is to be
 * put back.  Otherwise the file has changed under the page.
 */
static bool is_same_in_file(struct rollback *rb, unsigned long address,
			    const struct logged_page *image)
{
	struct page_table_entry entry;
	unsigned int size, from = image->from;
	bool same = true;
	u8 now[256];

	page_table_get(guarded_mm_mm(rb->gm), address, NULL, false, &entry);
	if (entry.state != PAGE_TABLE_FILE)
		return false;
	/* The mmap lock is held: what reclaim takes away now is not read in. */
	pagefault_disable();
	for (; same && from < PAGE_SIZE; from += size) {
		size = min_t(unsigned int, sizeof(now), PAGE_SIZE - from);
		same = !__copy_from_user_inatomic(now, (void __user *)(address + from),
						  size) &&
		       !memcmp(now, image->image + from, size);
	}
	pagefault_enable();
	return same;
}

/*
 * A page that a device may have used since entry: nothing may be written to
 * it, so it must hold what it held.
 */
static int check_in_use(struct rollback *rb, const struct logged_page *logged)
{
	struct page_table_entry entry;
	bool same;

	page_table_get(guarded_mm_mm(rb->gm), logged->address, NULL, true,
		       &entry);
	if (entry.state == PAGE_TABLE_NOT_PRESENT) {
		/* Reclaim took it, so nobody has it any more. */
		struct page *live = get_own_page(rb, logged->address);

		if (!live)
			return REASSURE_REFUSED_UNREADABLE;
		entry.page = live;
	} else if (entry.state != PAGE_TABLE_ANON) {
		return REASSURE_REFUSED_PINNED;
	}
	same = same_content(entry.page, logged);
	put_page(entry.page);
	return same ? -1 : REASSURE_REFUSED_PINNED;
}

static int prepare_page(struct rollback *rb, struct logged_page *logged,
			const struct logged_page *image)
{
	struct page *live = get_own_page(rb, logged->address);
	bool same;

	if (!live)
		return is_same_in_file(rb, logged->address, image) ?
		       -1 : REASSURE_REFUSED_UNREADABLE;
	leave_others(rb, live, image);
	same = same_content(live, image);
	/*
	 * A request of the call that is under way would write to it later.
	 */
	if ((!same || rb->may_be_in_use) && compat_is_in_use(live)) {
		put_page(live);
		return REASSURE_REFUSED_PINNED;
	}
	/* A hot page that this call did not change. */
	if (same) {
		put_page(live);
		return -1;
	}
	rb->pages[rb->count].live = live;
	rb->pages[rb->count].logged = logged;
	rb->pages[rb->count].image = image;
	rb->count++;
	return -1;
}

/*
 * Whether a device may write into dead stack later, which will be in use
 * again then: a request of the call that has not come back.
 */
static bool dead_stack_in_use(struct guarded_mm *gm)
{
	struct mm_struct *mm = guarded_mm_mm(gm);
	struct page_table_entry entry;
	struct vm_area_struct *vma;
	unsigned long address;
	bool in_use = false;

	vma = find_vma_intersection(mm, gm->maps.stack_start, gm->dead_end);
	if (!vma)
		return false;
	for (address = vma->vm_start; !in_use && address < gm->dead_end;
	     address += PAGE_SIZE) {
		page_table_get(mm, address, NULL, true, &entry);
		if (entry.state != PAGE_TABLE_ANON)
			continue;
		in_use = compat_is_in_use(entry.page);
		put_page(entry.page);
	}
	return in_use;
}

/*
 * A page that no call inside has written to becomes writable.  When there is no
 * rollback after all, they go on, and would have to be rolled back to this.
 */
static int log_for_inner(struct rollback *rb, struct logged_page *logged,
			 struct page *live)
{
	struct page_log *log = &rb->gm->log;

	if (logged->call >= log->open)
		return 0;
	if (page_log_wants(log, logged) &&
	    page_log_keep(log, logged, PAGE_LOG_GFP))
		return -ENOMEM;
	copy_page(logged->image, page_address(live));
	page_log_saved(log, logged, 0);
	return 0;
}

/*
 * The same for one that is protected.  Where it holds what it held it stays so;
 * else it is writable, and hot, from here on.
 */
static int prepare_cold_page(struct rollback *rb, struct logged_page *logged,
			     const struct logged_page *image)
{
	struct guarded_mm *gm = rb->gm;
	struct page_table_entry entry;
	bool same = false;
	struct page *live;
	int ret;

	page_table_get(guarded_mm_mm(gm), logged->address, NULL, true, &entry);
	if (entry.state == PAGE_TABLE_ANON) {
		leave_others(rb, entry.page, image);
		same = same_content(entry.page, image);
		put_page(entry.page);
	}
	if (same)
		return -1;
	live = get_own_page(rb, logged->address);
	if (!live)
		return REASSURE_REFUSED_UNREADABLE;
	mutex_lock(&gm->lock);
	ret = log_for_inner(rb, logged, live);
	page_log_warm(&gm->log, logged);
	mutex_unlock(&gm->lock);
	put_page(live);
	if (ret) {
		guarded_mm_refuse(gm, REASSURE_REFUSED_MEMORY);
		return REASSURE_REFUSED_MEMORY;
	}
	/* The images may have changed places. */
	return prepare_page(rb, logged, page_log_image(logged, rb->call));
}

/* Whether @logged did not exist at the entry. */
static bool was_absent(const struct rollback *rb,
		       const struct logged_page *logged)
{
	return logged->absent >= rb->call ||
	       page_log_absent_area(&rb->gm->log, logged->address) >= rb->call;
}

static int prepare_list(struct rollback *rb, struct list_head *list)
{
	const struct logged_page *image;
	struct logged_page *logged, *next;
	int refusal, pinned = -1;

	list_for_each_entry_safe(logged, next, list, node) {
		image = page_log_image(logged, rb->call);
		if (!image || was_absent(rb, logged))
			continue;
		if (logged->in_use)
			refusal = check_in_use(rb, logged);
		else if (logged->cold)
			refusal = prepare_cold_page(rb, logged, image);
		else
			refusal = prepare_page(rb, logged, image);
		/* The others come back from swap before it is tried again. */
		if (refusal == REASSURE_REFUSED_PINNED)
			pinned = refusal;
		else if (refusal >= 0)
			return refusal;
		cond_resched();
	}
	return pinned;
}

/*
 * The log does not change any more: its owner is current and is here.  A
 * deletion of the rescue point waits for the checkpoint's lock.
 */
static int prepare_pages(struct rollback *rb)
{
	struct page_log *log = &rb->gm->log;
	int refusal, pinned;

	if (log->nr_images) {
		rb->pages = kvmalloc_array(log->nr_images, sizeof(*rb->pages),
					   PAGE_LOG_GFP);
		if (!rb->pages)
			return REASSURE_REFUSED_MEMORY;
	}
	rb->may_be_in_use = guarded_mm_may_be_in_use(rb->gm);
	if (rb->may_be_in_use && dead_stack_in_use(rb->gm))
		return REASSURE_REFUSED_PINNED;
	pinned = prepare_list(rb, &log->images);
	if (pinned >= 0 && pinned != REASSURE_REFUSED_PINNED)
		return pinned;
	refusal = prepare_list(rb, &log->cold);
	return refusal >= 0 ? refusal : pinned;
}

static void release(struct rollback *rb)
{
	unsigned long i;

	for (i = 0; i < rb->count; i++)
		put_page(rb->pages[i].live);
	kvfree(rb->pages);
	kvfree(rb->changes.list);
	shared_rollback_cancel(&rb->shared);
}

/*
 * Whether the call has changed mappings in a way that can be put back.  Then
 * they are compared when that is done.
 */
static bool has_rearranged(const struct guarded_mm *gm)
{
	return gm->moved.count || gm->reprotected;
}

static int prepare_mappings(struct rollback *rb)
{
	struct guarded_mm *gm = rb->gm;
	struct mm_struct *mm = guarded_mm_mm(gm);
	int ret;

	if (has_rearranged(gm)) {
		if (!moved_mappings_have_room(gm))
			return REASSURE_REFUSED_MAPPING;
		if (mappings_changes_reserve(&rb->changes, &gm->maps, mm))
			return REASSURE_REFUSED_MEMORY;
		return moved_mappings_check(gm);
	}
	ret = mappings_compare(&gm->maps, mm, false, &rb->changes);
	if (!ret)
		return -1;
	if (ret == -EOPNOTSUPP)
		return REASSURE_REFUSED_USERFAULTFD;
	/* Or it was another that changed them, unseen, before the entry. */
	WRITE_ONCE(gm->maps.stale, true);
	return ret == -ENOMEM ? REASSURE_REFUSED_MEMORY :
	       REASSURE_REFUSED_MAPPING;
}

/*
 * What system calls of other threads write from here on waits.  The mmap lock is
 * held, and nothing lets them go on any more.
 */
static int stop_writers(struct guarded_mm *gm)
{
	if (!guarded_mm_begin_rollback(gm))
		return READ_ONCE(gm->refusal);
	mutex_lock(&gm->lock);
	protection_stop_writers(gm);
	mutex_unlock(&gm->lock);
	return -1;
}

/* Finds what stays; false when the call's own stack cannot be told from that. */
static bool can_leave_others(struct rollback *rb,
			     const struct guarded_call *call)
{
	rb->others_ran = siblings_run(&rb->gm->siblings);
	return !rb->others_ran ||
	       siblings_find_own_memory(rb->gm, call->entry_sp);
}

static int prepare(struct rollback *rb, struct guarded_mm *gm,
		   const struct guarded_call *call)
{
	int refusal;

	memset(rb, 0, sizeof(*rb));
	rb->gm = gm;
	rb->call = call->logged.number;
	/* Whoever holds it may wait for another process, and we be killed. */
	if (mmap_write_lock_killable(guarded_mm_mm(gm)))
		return REASSURE_REFUSED_MAPPING;
	refusal = READ_ONCE(gm->refusal);
	if (refusal < 0 && !can_leave_others(rb, call))
		refusal = REASSURE_REFUSED_THREADS;
	if (refusal < 0)
		refusal = prepare_mappings(rb);
	if (refusal < 0)
		refusal = prepare_pages(rb);
	/* Late, because it locks pages. */
	if (refusal < 0)
		refusal = shared_rollback_prepare(&rb->shared, gm);
	if (refusal < 0 && siblings_are_restless(gm))
		refusal = REASSURE_REFUSED_THREADS;
	if (refusal < 0 && siblings_are_stopped(&gm->siblings))
		refusal = stop_writers(gm);
	if (refusal >= 0)
		rollback_cancel(rb);
	return refusal;
}

/**
 * rollback_prepare() - do all of a rollback that can fail
 * @rb: what rollback_commit() needs
 * @gm: the address space of current, which has a checkpoint open there
 * @call: the open call to whose entry to go back; those inside it end then
 *
 * Return: negative, and rollback_commit() or rollback_cancel() must follow
 * with nothing between that could change a mapping; otherwise the enum
 * reassure_refusal, with nothing left to undo.
 *
 * Until then the mmap lock is held alone.  Who writes to this memory from
 * elsewhere holds it, too, from before the hook sees him to when he has come
 * to the page; so he is seen here or comes when all has been put back.
 */
int rollback_prepare(struct rollback *rb, struct guarded_mm *gm,
		     const struct guarded_call *call)
{
	int refusal, attempts = 0;

	guarded_mm_begin_fault(gm);
	for (;;) {
		shared_rollback_bring_in(gm);
		refusal = prepare(rb, gm, call);
		if (refusal != REASSURE_REFUSED_UNREADABLE ||
		    ++attempts == PREPARE_ATTEMPTS)
			break;
		schedule_timeout_uninterruptible(1);
	}
	guarded_mm_end_fault(gm);
	return refusal;
}

void rollback_cancel(struct rollback *rb)
{
	guarded_mm_cancel_rollback(rb->gm);
	mmap_write_unlock(guarded_mm_mm(rb->gm));
	release(rb);
}

struct kept_part {
	unsigned int from, to;
};

static void widen(unsigned int from, unsigned int to, void *data)
{
	struct kept_part *part = data;

	part->from = min(part->from, from);
	part->to = max(part->to, to);
}

/* It did not exist at the entry; around what stays it is zero again. */
static void empty_page(struct rollback *rb, struct vm_area_struct *vma,
		       unsigned long address)
{
	struct kept_part part = { .from = PAGE_SIZE };
	struct page_table_entry entry;
	char *live;

	if (!siblings_visit_own_memory(rb->gm, address, widen, &part)) {
		compat_zap(vma, address, PAGE_SIZE);
		return;
	}
	page_table_get(vma->vm_mm, address, NULL, true, &entry);
	if (entry.state != PAGE_TABLE_ANON)
		return;
	if (entry.exclusive) {
		live = page_address(entry.page);
		memset(live, 0, part.from);
		memset(live + part.to, 0, PAGE_SIZE - part.to);
	}
	put_page(entry.page);
}

/* Empties a part of @vma, but for what stays. */
static void zap_in(struct rollback *rb, struct vm_area_struct *vma,
		   unsigned long from, unsigned long to)
{
	if (!rb->others_ran) {
		compat_zap(vma, from, to - from);
		return;
	}
	for (; from < to; from += PAGE_SIZE)
		empty_page(rb, vma, from);
}

/* Empties [@start, @start + @size) where something is mapped. */
static void zap(struct rollback *rb, unsigned long start, unsigned long size)
{
	unsigned long end = start + size;
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, guarded_mm_mm(rb->gm), start);

	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_flags & (VM_SHARED | VM_HUGETLB))
			continue;
		zap_in(rb, vma, max(start, vma->vm_start),
		       min(end, vma->vm_end));
	}
}

/* Those that calls inside have written to are in the log as pages. */
static void restore_absent(struct rollback *rb, struct list_head *list)
{
	struct page_log *log = &rb->gm->log;
	struct logged_page *logged, *next;

	list_for_each_entry_safe(logged, next, list, node) {
		if (logged->absent >= rb->call)
			page_log_restore_absent(log, logged);
		else if (was_absent(rb, logged))
			page_log_remove(log, logged);
	}
}

static void restore_pages(struct rollback *rb)
{
	struct guarded_mm *gm = rb->gm;
	unsigned long index, i;
	void *entry;

	rb->restored = rb->count + shared_rollback_commit(&rb->shared);
	for (i = 0; i < rb->count; i++) {
		const struct logged_page *image = rb->pages[i].image;

		memcpy(page_address(rb->pages[i].live) + image->from,
		       image->image + image->from, PAGE_SIZE - image->from);
		/* Now it looks as if no call had changed it. */
		hot_pages_rolled_back(rb->pages[i].logged);
		/*
		 * Or reclaim takes it for what swap still has.  What is written
		 * out from here on has our content.
		 */
		smp_mb();
		if (!PageDirty(rb->pages[i].live))
			set_page_dirty_lock(rb->pages[i].live);
		cond_resched();
	}
	restore_absent(rb, &gm->log.images);
	restore_absent(rb, &gm->log.cold);
	xa_for_each_marked(&gm->log.pages, index, entry, PAGE_LOG_ABSENT_MARK) {
		if (xa_to_value(entry) < rb->call)
			continue;
		zap(rb, index << PAGE_SHIFT, PAGE_SIZE);
		rb->restored++;
	}
	xa_for_each(&gm->log.areas, index, entry) {
		if (xa_to_value(entry) < rb->call)
			continue;
		zap(rb, index << PMD_SHIFT, PMD_SIZE);
		rb->restored++;
	}
}

static int compare_mappings(struct rollback *rb)
{
	struct mm_struct *mm = guarded_mm_mm(rb->gm);
	int ret;

	mmap_read_lock(mm);
	ret = mappings_compare(&rb->gm->maps, mm, rb->gm->reprotected,
			       &rb->changes);
	mmap_read_unlock(mm);
	return ret;
}

/*
 * Preparing has seen that nothing else is missing, so that only a defect of ours
 * explains it where nobody but current could change its mappings meanwhile: no
 * other thread, and no worker of io_uring.
 */
static int verify_mappings(struct rollback *rb)
{
	int ret = compare_mappings(rb);

	if (ret == -EBUSY && thread_group_empty(current) &&
	    !compat_has_io_uring()) {
		pr_err("%s[%d]: mappings are not as at the entry after they were put back\n",
		       current->comm, task_pid_nr(current));
		switch_off(REASSURE_OFF_ROLLBACK);
	}
	return ret;
}

/* What got its protection back has become writable for shared memory. */
static void note_reprotected(struct rollback *rb)
{
	const struct mapping_change *change = rb->changes.list;
	struct mm_struct *mm = guarded_mm_mm(rb->gm);
	unsigned int i;

	mmap_read_lock(mm);
	for (i = 0; i < rb->changes.count; i++, change++)
		if (!change->added)
			shared_memory_came(rb->gm, change->start, change->end);
	mmap_read_unlock(mm);
}

/* Their pages hold what they held; now the mappings themselves. */
static int restore_mappings(struct rollback *rb)
{
	struct guarded_mm *gm = rb->gm;
	bool rearranged = has_rearranged(gm);
	int ret = 0;

	gm->rearranging = current;
	if (rearranged)
		ret = moved_mappings_put_back(gm, 0) ?: verify_mappings(rb);
	if (!ret)
		ret = mappings_revert(&gm->maps, guarded_mm_mm(gm),
				      &rb->changes);
	if (rearranged)
		note_reprotected(rb);
	if (!ret && rearranged)
		ret = verify_mappings(rb);
	gm->reprotected = false;
	gm->rearranging = NULL;
	return ret;
}

/**
 * rollback_commit() - make memory what it was at the entry
 * @rb: prepared by rollback_prepare()
 *
 * Pages that did not exist are removed: anonymous ones are zero again when
 * next touched, private copies follow their file again.
 *
 * The memory is the call's until guarded_mm_close().
 *
 * Return: 0; a negative error when mappings that the call has changed cannot
 * be put back, for want of memory: the process must not go on.
 */
int rollback_commit(struct rollback *rb)
{
	struct guarded_mm *gm = rb->gm;
	int ret;

	guarded_mm_begin_fault(gm);
	restore_pages(rb);
	mmap_write_unlock(guarded_mm_mm(gm));
	ret = restore_mappings(rb);
	guarded_mm_end_fault(gm);

	release(rb);
	return ret;
}
