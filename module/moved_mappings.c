// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the entry that a call unmaps, replaces, discards or moves.
 *
 * What would be lost is moved to another address first, whole, with its
 * pages, swap entries and file: nothing is copied.  A rollback moves it back;
 * else it is unmapped when the call ends.  What the program itself moves is
 * noted, to be moved back.  The page log always speaks of where pages are.
 */
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>
#include <linux/workqueue.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "moved_mappings.h"
#include "page_table.h"

/* More in one call are not followed. */
#define MOVED_MAPPINGS_MAX	1024

/*
 * What is of no use at another address, or tells somebody that it moves.
 * Moving what KSM may merge can fail for a signal that comes at the moment, and
 * what userfaultfd watches may wait for whoever reads that it has moved.
 */
#define IMMOVABLE	(VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_DONTEXPAND | \
			 VM_HUGETLB | VM_GROWSDOWN | VM_MERGEABLE | \
			 __VM_UFFD_FLAGS)

/*
 * Memory is set aside from here on, far from where the kernel maps what a
 * program leaves to it; so a hole that the program has just made stays one.
 */
#define ASIDE_START	0x180000000000UL

/* Room for the mappings that moving back may make for a moment. */
#define SPARE_MAPPINGS	64

/**
 * struct moved_mapping - memory that has moved
 * @node: in moved_mappings.list
 * @from: where it was
 * @to: where it is
 * @size: in bytes
 * @set_aside: by us, and the program does not know
 * @inherited: it is to be seen by children, when it is back; until then
 *	VM_DONTCOPY marks it as ours
 */
struct moved_mapping {
	struct list_head node;
	unsigned long from;
	unsigned long to;
	unsigned long size;
	bool set_aside;
	bool inherited;
};

/**
 * struct leftover - set aside by a call that somebody else has ended
 * @node: in the list of those that wait for the worker
 * @gm: the address space, with a reference
 * @list: struct moved_mapping
 */
struct leftover {
	struct llist_node node;
	struct guarded_mm *gm;
	struct list_head list;
};

static LLIST_HEAD(leftovers);

void moved_mappings_init(struct moved_mappings *moved)
{
	INIT_LIST_HEAD(&moved->list);
}

static long kernel_move(unsigned long from, unsigned long to,
			unsigned long size, unsigned long flags)
{
	struct pt_regs regs = {
		.di = from,
		.si = size,
		.dx = size,
		.r10 = MREMAP_MAYMOVE | flags,
		.r8 = to,
	};

	return kernel_mremap(&regs);
}

static long kernel_advise(unsigned long start, unsigned long size, int advice)
{
	struct pt_regs regs = { .di = start, .si = size, .dx = advice };

	return kernel_madvise(&regs);
}

/*
 * Whether what stands at @address was there at the entry, here or elsewhere:
 * then @address becomes the address at the entry.  @size is shortened to where
 * the answer holds.
 */
static bool find_origin(struct guarded_mm *gm, unsigned long *origin,
			unsigned long *size)
{
	unsigned long address = *origin;
	struct moved_mapping *move;

	list_for_each_entry_reverse(move, &gm->moved.list, node) {
		if (address - move->to < move->size) {
			*size = min(*size, move->to + move->size - address);
			address = address - move->to + move->from;
			continue;
		}
		if (address < move->to)
			*size = min(*size, move->to - address);
		if (address - move->from < move->size) {
			*size = min(*size, move->from + move->size - address);
			return false;
		}
		if (address < move->from)
			*size = min(*size, move->from - address);
	}
	*origin = address;
	return mappings_contain(&gm->maps, address, size);
}

static bool is_of_entry(struct guarded_mm *gm, unsigned long address,
			unsigned long *size)
{
	return find_origin(gm, &address, size);
}

static bool is_movable(struct vm_area_struct *vma)
{
	/*
	 * A mapping that stays would keep a shared file from being sealed or
	 * executed.
	 */
	return !(vma->vm_flags & (IMMOVABLE | VM_SHARED)) &&
	       (vma->vm_file || vma_is_anonymous(vma));
}

/* Something is, or was, in the page table. */
static bool has_page(struct mm_struct *mm, unsigned long address)
{
	struct page_table_entry entry;

	page_table_get(mm, address, NULL, false, &entry);
	return entry.state != PAGE_TABLE_NONE &&
	       entry.state != PAGE_TABLE_NO_TABLE;
}

/*
 * The area was empty at the entry, and is no longer what it was: from here on
 * the log says so of each of its pages that exist.
 */
static int dissolve_area(struct guarded_mm *gm, unsigned long area,
			 const struct moved_mapping *move)
{
	unsigned long address, now;
	int ret;

	xa_erase(&gm->log.areas, area >> PMD_SHIFT);
	for (address = area; address < area + PMD_SIZE; address += PAGE_SIZE) {
		now = address;
		if (address - move->from < move->size)
			now = address - move->from + move->to;
		else if (address - move->to < move->size)
			continue;
		if (!has_page(guarded_mm_mm(gm), now))
			continue;
		ret = page_log_add_absent(&gm->log, address);
		if (ret)
			return ret;
	}
	return 0;
}

static int dissolve_areas(struct guarded_mm *gm, unsigned long start,
			  const struct moved_mapping *move)
{
	unsigned long last = (start + move->size - 1) >> PMD_SHIFT;
	unsigned long index;
	void *entry;
	int ret;

	xa_for_each_range(&gm->log.areas, index, entry, start >> PMD_SHIFT,
			  last) {
		/* At the entry of a call inside there may have been pages. */
		if (xa_to_value(entry) < gm->log.open)
			return -EBUSY;
		ret = dissolve_area(gm, index << PMD_SHIFT, move);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Lets the page log follow.  Where that fails the call is lost, and what was
 * hot is protected by the next entry.
 */
static void follow(struct guarded_mm *gm, const struct moved_mapping *move)
{
	struct mm_struct *mm = guarded_mm_mm(gm);
	int ret;

	mmap_read_lock(mm);
	mutex_lock(&gm->lock);
	page_log_forget(&gm->log, move->to, move->to + move->size);
	ret = dissolve_areas(gm, move->from, move) ?:
	      dissolve_areas(gm, move->to, move) ?:
	      page_log_move(&gm->log, move->from, move->to, move->size);
	mutex_unlock(&gm->lock);
	shared_memory_came(gm, move->to, move->to + move->size);
	mmap_read_unlock(mm);
	if (ret) {
		guarded_mm_refuse(gm, REASSURE_REFUSED_MEMORY);
		/* Or later, when there is a rollback now. */
		gm->incomplete = true;
		unprotected_add_range(&gm->unprotected, 0, TASK_SIZE_MAX);
	}
}

static struct moved_mapping *add(struct guarded_mm *gm, unsigned long from,
				 unsigned long size)
{
	struct moved_mapping *move = NULL;

	if (gm->moved.count < MOVED_MAPPINGS_MAX)
		move = kzalloc(sizeof(*move), PAGE_LOG_GFP);
	if (!move)
		return NULL;
	move->from = from;
	move->size = size;
	list_add_tail(&move->node, &gm->moved.list);
	gm->moved.count++;
	return move;
}

static void drop(struct guarded_mm *gm, struct moved_mapping *move)
{
	if (move->set_aside) {
		page_log_unhold(move->size >> PAGE_SHIFT);
		gm->moved.pages -= move->size >> PAGE_SHIFT;
	}
	list_del(&move->node);
	gm->moved.count--;
	kfree(move);
}

/* Where to set aside; aligned as it was, so that page tables can move whole. */
static unsigned long find_room(struct guarded_mm *gm, unsigned long from,
			       unsigned long size)
{
	unsigned long to = ALIGN(max(gm->moved.end, ASIDE_START), PMD_SIZE) +
			   (from & ~PMD_MASK);

	gm->moved.end = to + size;
	return to;
}

/*
 * Whether the process may have some mappings more, to move others back: each
 * move may split what stands there.
 */
bool moved_mappings_have_room(struct guarded_mm *gm)
{
	unsigned int wanted = READ_ONCE(guarded_mm_mm(gm)->map_count) +
			      2 * gm->moved.count + SPARE_MAPPINGS;

	return wanted <= kernel_max_map_count();
}

/* Negative, or why it cannot be done. */
static int set_aside(struct guarded_mm *gm, unsigned long from,
		     unsigned long size, unsigned long vm_flags)
{
	unsigned long pages = size >> PAGE_SHIFT;
	struct moved_mapping *move;
	unsigned long to;

	if (!moved_mappings_have_room(gm))
		return REASSURE_REFUSED_MAPPING;
	move = add(gm, from, size);
	if (!move)
		return REASSURE_REFUSED_MEMORY;
	if (!page_log_hold(&gm->log, gm->moved.pages, pages)) {
		drop(gm, move);
		return REASSURE_REFUSED_LIMIT;
	}
	gm->moved.pages += pages;
	move->set_aside = true;
	/* The mapping stays where it is, empty. */
	to = find_room(gm, from, size);
	move->to = kernel_move(from, to, size, MREMAP_DONTUNMAP);
	if (move->to != to) {
		/* Wherever it is now, it must not stay. */
		if (!IS_ERR_VALUE(move->to) &&
		    kernel_move(move->to, from, size, MREMAP_FIXED) != from)
			force_sig(SIGKILL);
		drop(gm, move);
		return REASSURE_REFUSED_MAPPING;
	}
	move->inherited = !(vm_flags & VM_DONTCOPY);
	follow(gm, move);
	/* Or children would have it for ever. */
	if (move->inherited && kernel_advise(to, size, MADV_DONTFORK))
		return REASSURE_REFUSED_MEMORY;
	return -1;
}

/* Whether the kernel discards there and goes on behind it. */
static bool is_discardable(struct vm_area_struct *vma,
			   enum moved_mappings_cause cause)
{
	if (vma->vm_flags & (VM_LOCKED | VM_PFNMAP))
		return false;
	return cause != MOVED_MAPPINGS_FREED ||
	       vma_is_anonymous(vma);
}

/**
 * moved_mappings_set_aside() - move memory of the entry out of harm's way
 * @gm: the address space of current, not locked
 * @start: first address, of a page
 * @end: address behind the last
 * @cause: what is about to happen there
 *
 * When it cannot be done, the open call will not be rescued.
 */
void moved_mappings_set_aside(struct guarded_mm *gm, unsigned long start,
			      unsigned long end,
			      enum moved_mappings_cause cause)
{
	bool discards = cause != MOVED_MAPPINGS_UNMAPPED;
	struct mm_struct *mm = guarded_mm_mm(gm);
	struct vm_area_struct *vma;
	unsigned long size, flags;
	int refusal = -1;
	bool movable;

	while (start < end && refusal < 0) {
		mmap_read_lock(mm);
		vma = find_vma_intersection(mm, start, end);
		if (!vma || (discards && !is_discardable(vma, cause))) {
			mmap_read_unlock(mm);
			break;
		}
		start = max(start, vma->vm_start);
		size = min(end, vma->vm_end) - start;
		flags = vma->vm_flags;
		movable = is_movable(vma);
		/* Shared pages, and those of files, are not lost. */
		if (is_of_entry(gm, start, &size) &&
		    (!discards || flags & VM_HUGETLB ||
		     (vma->anon_vma && !(flags & VM_SHARED)))) {
			mmap_read_unlock(mm);
			refusal = movable ? set_aside(gm, start, size, flags) :
				  REASSURE_REFUSED_MAPPING;
		} else {
			mmap_read_unlock(mm);
		}
		start += size;
	}
	if (refusal >= 0)
		guarded_mm_refuse(gm, refusal);
}

/* Whether what the program moves from there can be moved back. */
bool moved_mappings_can_move(struct guarded_mm *gm, unsigned long start,
			     unsigned long size)
{
	struct vm_area_struct *vma;
	bool can = true;

	VMA_ITERATOR(vmi, guarded_mm_mm(gm), start);

	mmap_read_lock(guarded_mm_mm(gm));
	for_each_vma_range(vmi, vma, start + size)
		can &= !(vma->vm_flags & IMMOVABLE);
	mmap_read_unlock(guarded_mm_mm(gm));
	return can;
}

/**
 * moved_mappings_have_moved() - the program has moved memory
 * @gm: its address space, of current, not locked
 * @from: where it was
 * @to: where it is
 * @size: in bytes
 *
 * When it cannot be noted, the open call will not be rescued.
 */
void moved_mappings_have_moved(struct guarded_mm *gm, unsigned long from,
			       unsigned long to, unsigned long size)
{
	struct moved_mapping *move = add(gm, from, size);

	/* A call that ends as if nothing happened leaves it there. */
	unprotected_add_range(&gm->unprotected, 0, TASK_SIZE_MAX);
	if (!move) {
		unprotected_add_range(&gm->shared.unprotected, 0,
				      TASK_SIZE_MAX);
		guarded_mm_refuse(gm, REASSURE_REFUSED_MEMORY);
		return;
	}
	move->to = to;
	follow(gm, move);
}

/* What the call itself had made there goes, and need not be logged. */
void moved_mappings_have_gone(struct guarded_mm *gm, unsigned long start,
			      unsigned long end)
{
	mutex_lock(&gm->lock);
	page_log_forget(&gm->log, start, end);
	mutex_unlock(&gm->lock);
}

/* Whether a move has brought something else to @address, or back again. */
bool moved_mappings_concern(const struct guarded_mm *gm, unsigned long address)
{
	struct moved_mapping *move;

	list_for_each_entry(move, &gm->moved.list, node)
		if (address - move->from < move->size ||
		    address - move->to < move->size)
			return true;
	return false;
}

/*
 * Moves mapping by mapping, as the program may have split it, and only what is
 * of the entry: what the call itself has made goes with all that it has added.
 * @move is the last in the list.
 */
static int move_back(struct guarded_mm *gm, const struct moved_mapping *move)
{
	unsigned long end = move->to + move->size;
	struct mm_struct *mm = guarded_mm_mm(gm);
	unsigned long at, to, size;
	struct vm_area_struct *vma;

	for (at = move->to; at < end; at += size) {
		mmap_read_lock(mm);
		vma = find_vma_intersection(mm, at, end);
		if (vma) {
			at = max(at, vma->vm_start);
			size = min(vma->vm_end, end) - at;
		}
		mmap_read_unlock(mm);
		if (!vma)
			break;
		if (!is_of_entry(gm, at, &size))
			continue;
		if (move->inherited && kernel_advise(at, size, MADV_DOFORK))
			return -ENOMEM;
		to = at - move->to + move->from;
		if (kernel_move(at, to, size, MREMAP_FIXED) != to)
			return -ENOMEM;
	}
	return 0;
}

/* Why the mapping at @vma is not what it was, or negative. */
static int mapping_refusal(struct guarded_mm *gm, struct vm_area_struct *vma,
			   unsigned long *found)
{
	unsigned long at, size, origin;

	for (at = vma->vm_start; at < vma->vm_end; at += size) {
		origin = at;
		size = vma->vm_end - at;
		if (!find_origin(gm, &origin, &size)) {
			/* What the call has made could not be unmapped. */
			if (compat_is_sealed(vma))
				return REASSURE_REFUSED_MAPPING;
			continue;
		}
		/* VM_DONTCOPY is our own mark there. */
		if (!mappings_can_revert(&gm->maps, vma, at, origin,
					 origin == at ? 0 : VM_DONTCOPY))
			return REASSURE_REFUSED_MAPPING;
		*found += size;
	}
	return -1;
}

/*
 * Whether any page of @vma can be unmapped without the others: not where it has
 * huge pages or is the kernel's own.
 */
static bool makes_way(struct vm_area_struct *vma)
{
	unsigned long second = vma->vm_start + PAGE_SIZE;

	return second == vma->vm_end || !vma->vm_ops ||
	       !vma->vm_ops->may_split || !vma->vm_ops->may_split(vma, second);
}

/* Whether what stands now where memory is to be moved back can be unmapped. */
static bool can_clear(struct guarded_mm *gm)
{
	struct moved_mapping *move;
	struct vm_area_struct *vma;

	list_for_each_entry(move, &gm->moved.list, node) {
		VMA_ITERATOR(vmi, guarded_mm_mm(gm), move->from);

		for_each_vma_range(vmi, vma, move->from + move->size)
			if (!makes_way(vma))
				return false;
	}
	return true;
}

/**
 * moved_mappings_check() - see whether all memory of the entry is still there
 * @gm: the address space of current, locked for reading
 *
 * Return: negative, or the enum reassure_refusal for which mappings cannot be
 * put back to what they were.
 */
int moved_mappings_check(struct guarded_mm *gm)
{
	struct vm_area_struct *vma;
	unsigned long found = 0;
	int refusal;

	VMA_ITERATOR(vmi, guarded_mm_mm(gm), 0);

	for_each_vma(vmi, vma) {
		if (vma->vm_flags & __VM_UFFD_FLAGS)
			return REASSURE_REFUSED_USERFAULTFD;
		refusal = mapping_refusal(gm, vma, &found);
		if (refusal >= 0)
			return refusal;
	}
	return found == mappings_size(&gm->maps) && can_clear(gm) ?
	       -1 : REASSURE_REFUSED_MAPPING;
}

/**
 * moved_mappings_put_back() - move memory back to where it was
 * @gm: the address space of current, not locked
 * @count: how many moves are to be left alone, the oldest
 *
 * What stands there now is unmapped.
 *
 * Return: 0; a negative error, and the rest is still where it was moved to.
 */
int moved_mappings_put_back(struct guarded_mm *gm, unsigned int count)
{
	struct moved_mapping *move, *next, back;
	int ret;

	list_for_each_entry_safe_reverse(move, next, &gm->moved.list, node) {
		if (gm->moved.count == count)
			break;
		ret = move_back(gm, move);
		if (ret)
			return ret;
		back = *move;
		swap(back.from, back.to);
		drop(gm, move);
		follow(gm, &back);
	}
	return 0;
}

/* The mark of what is set aside; the program may have mapped over it. */
static bool is_marked(struct mm_struct *mm, unsigned long start,
		      unsigned long size)
{
	struct vm_area_struct *vma;
	bool marked;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, start);
	marked = vma && vma->vm_flags & VM_DONTCOPY &&
		 start + size <= vma->vm_end;
	mmap_read_unlock(mm);
	return marked;
}

/* Current uses @mm. */
static void unmap_all(struct mm_struct *mm, struct list_head *list)
{
	struct moved_mapping *move, *next;

	/* The last first: one that was set aside twice is in the last place. */
	list_for_each_entry_safe_reverse(move, next, list, node) {
		if (move->set_aside && is_marked(mm, move->to, move->size))
			vm_munmap(move->to, move->size);
		kfree(move);
	}
}

/* Where the address space has ended, so have its mappings. */
static void unmap_leftover(struct leftover *leftover)
{
	struct moved_mapping *move, *next;
	struct mm_struct *mm = guarded_mm_mm(leftover->gm);

	if (mmget_not_zero(mm)) {
		kthread_use_mm(mm);
		unmap_all(mm, &leftover->list);
		kthread_unuse_mm(mm);
		mmput(mm);
	} else {
		list_for_each_entry_safe(move, next, &leftover->list, node)
			kfree(move);
	}
	guarded_mm_put(leftover->gm);
	kfree(leftover);
}

static void leftover_work(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&leftovers);
	struct leftover *leftover, *next;

	llist_for_each_entry_safe(leftover, next, list, node)
		unmap_leftover(leftover);
}

static DECLARE_WORK(leftover_worker, leftover_work);

/* Only the worker can unmap something in the memory of another process. */
static void leave_to_worker(struct guarded_mm *gm)
{
	/* Few and small, in process context; or a process keeps its memory. */
	struct leftover *leftover = kmalloc(sizeof(*leftover),
					    GFP_KERNEL | __GFP_NOFAIL);

	INIT_LIST_HEAD(&leftover->list);
	list_splice_init(&gm->moved.list, &leftover->list);
	refcount_inc(&gm->users);
	leftover->gm = gm;
	llist_add(&leftover->node, &leftovers);
	schedule_work(&leftover_worker);
}

/**
 * moved_mappings_discard() - the call ends and what it did is to stay
 * @gm: the address space; perhaps of another process
 */
void moved_mappings_discard(struct guarded_mm *gm)
{
	if (likely(!gm->moved.count))
		return;
	if (current->mm == guarded_mm_mm(gm)) {
		struct task_struct *rearranging = gm->rearranging;

		gm->rearranging = current;
		unmap_all(guarded_mm_mm(gm), &gm->moved.list);
		gm->rearranging = rearranging;
		INIT_LIST_HEAD(&gm->moved.list);
	} else {
		leave_to_worker(gm);
	}
	page_log_unhold(gm->moved.pages);
	gm->moved.pages = 0;
	gm->moved.count = 0;
	gm->moved.end = 0;
}

/* No call is left. */
void reassure_moved_mappings_exit(void)
{
	flush_work(&leftover_worker);
}
