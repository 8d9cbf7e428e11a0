// SPDX-License-Identifier: GPL-2.0
/*
 * Write protection, and the hook that sees the first write to each page.
 *
 * At entry every private page loses its write permission and the mark that
 * this process has it alone, so that every writer, the kernel on the
 * program's behalf included, has to pass handle_mm_fault().  The hook there
 * puts the old content into the page log and lets the kernel go on, which
 * makes the page writable again in place.
 */
#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/wait_bit.h>

#include <asm/tlbflush.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "page_table.h"
#include "write_guard.h"

/* Attempts to read in a page that reclaim takes away again each time. */
#define READ_IN_ATTEMPTS	8

/* Faults that are in guarded_fault(), for unloading. */
static atomic_t faults_inside = ATOMIC_INIT(0);

/*
 * What a walk over one address space carries along.  The count of a large
 * folio costs a look at each of its pages, so it is kept for the next of them.
 * Pages in use are only counted in a first walk, and saved in a @final one.
 */
struct protect_walk {
	struct guarded_mm *gm;
	struct folio *large;
	bool large_in_use;
	bool drained;
	bool final;
	unsigned long in_use;
	int refusal;
};

static bool folio_in_use(struct protect_walk *walk, struct folio *folio)
{
	if (!folio_test_large(folio))
		return compat_unexplained_references(folio) > 0;
	if (walk->large != folio) {
		walk->large = folio;
		walk->large_in_use = compat_unexplained_references(folio) > 0;
	}
	return walk->large_in_use;
}

/*
 * A page that comes back from migration must come back read-only and shared,
 * as change_pte_range() and fork make it.
 */
static void protect_migration_entry(pte_t *pte)
{
	swp_entry_t entry = pte_to_swp_entry(*pte);
	pte_t protected;

	if (!is_writable_migration_entry(entry) &&
	    !is_readable_exclusive_migration_entry(entry))
		return;
	entry = make_readable_migration_entry(swp_offset(entry));
	protected = swp_entry_to_pte(entry);
	if (pte_swp_soft_dirty(*pte))
		protected = pte_swp_mksoft_dirty(protected);
	set_pte(pte, protected);
}

/* Why there is no checkpoint when the page log says @error. */
static int log_refusal(int error)
{
	return error == -ENOSPC ? REASSURE_REFUSED_LIMIT :
	       REASSURE_REFUSED_MEMORY;
}

static int protect_pte(struct vm_area_struct *vma, unsigned long address,
		       pte_t *pte, void *data)
{
	struct protect_walk *walk = data;
	struct page *page;
	int ret;

	if (!pte_present(*pte)) {
		if (!pte_none(*pte) && !pte_swp_uffd_wp(*pte))
			protect_migration_entry(pte);
		return 0;
	}
	if (pte_special(*pte) || !pfn_valid(pte_pfn(*pte)))
		return 0;
	page = pte_page(*pte);
	if (!PageAnon(page))
		return 0;

	/* Its content is safe; it may be writable. */
	if (page_log_has(&walk->gm->log, address))
		return 0;
	if (PageAnonExclusive(page)) {
		/*
		 * A device may be writing into it: sharing it now would make
		 * the program lose that.  No other task runs in this address
		 * space, so the fast path of get_user_pages() cannot race.
		 */
		if (folio_in_use(walk, page_folio(page)) ||
		    compat_share_anon_page(page)) {
			walk->in_use++;
			if (!walk->final)
				return 0;
			ret = page_log_add_pinned(&walk->gm->log, address, page);
			if (ret)
				walk->refusal = log_refusal(ret);
			return ret;
		}
	}
	if (pte_write(*pte))
		ptep_set_wrprotect(vma->vm_mm, address, pte);
	return 0;
}

/*
 * Private pages are anonymous ones.  Mappings without write permission are
 * protected too: ptrace and /proc/PID/mem write there all the same.
 */
static bool has_private_pages(struct vm_area_struct *vma)
{
	return vma->anon_vma && !(vma->vm_flags & (VM_SHARED | VM_HUGETLB));
}

/*
 * Most references that nothing explains are those of batches on their way to
 * the LRU lists, so these are emptied before a page is taken for pinned.
 */
static bool walk_again(struct protect_walk *walk)
{
	if (!walk->in_use || walk->final)
		return false;
	/* It may have run on another CPU when it touched the page. */
	if (walk->drained) {
		kernel_drain_all_lru_batches();
		walk->final = true;
	} else {
		kernel_drain_lru_batches();
		walk->drained = true;
	}
	walk->in_use = 0;
	walk->large = NULL;
	return true;
}

static void protect_all(struct guarded_mm *gm, struct protect_walk *walk)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, guarded_mm_mm(gm), 0);

	for_each_vma(vmi, vma)
		if (has_private_pages(vma) &&
		    page_table_walk(vma, vma->vm_start, vma->vm_end,
				    protect_pte, walk))
			break;
}

/**
 * write_guard_protect() - make sure that the next write to a page is seen
 * @gm: the address space of current, locked for reading
 *
 * Return: negative, or the enum reassure_refusal that made it fail.
 */
int write_guard_protect(struct guarded_mm *gm)
{
	struct protect_walk walk = { .gm = gm, .refusal = -1 };

	gm->in_fault++;
	mutex_lock(&gm->lock);
	do
		protect_all(gm, &walk);
	while (walk_again(&walk));
	mutex_unlock(&gm->lock);
	kernel_flush_tlb_range(guarded_mm_mm(gm), 0, TLB_FLUSH_ALL);
	gm->in_fault--;
	return walk.refusal;
}

/*
 * Protects the neighbourhood of a page that a read fault has brought in: it
 * may have come back writable, and in a large folio not alone.
 */
static void protect_again(struct guarded_mm *gm, struct vm_area_struct *vma,
			  unsigned long address)
{
	struct protect_walk walk = { .gm = gm, .refusal = -1 };
	unsigned long start = max(address & PMD_MASK, vma->vm_start);
	unsigned long end = min((address & PMD_MASK) + PMD_SIZE, vma->vm_end);

	if (!has_private_pages(vma))
		return;
	mutex_lock(&gm->lock);
	do
		page_table_walk(vma, start, end, protect_pte, &walk);
	while (walk_again(&walk));
	if (walk.refusal >= 0)
		guarded_mm_refuse(gm, walk.refusal);
	mutex_unlock(&gm->lock);
	kernel_flush_tlb_range(vma->vm_mm, start, end);
}

/*
 * The original.  What follows each call of it keeps the compiler from making
 * it a jump: the hook knows our calls by their return address.
 */
static vm_fault_t original_fault(struct vm_area_struct *vma,
				 unsigned long address, unsigned int flags,
				 struct pt_regs *regs)
{
	vm_fault_t ret = handle_mm_fault(vma, address, flags, regs);

	barrier();
	return ret;
}

/* The mmap lock is gone, or the page did not come. */
static bool fault_unfinished(vm_fault_t ret)
{
	return ret & (VM_FAULT_ERROR | VM_FAULT_RETRY | VM_FAULT_COMPLETED);
}

/*
 * Puts what stands at @address into the log.
 *
 * Return: 0 when it is there, 1 when it was an empty entry; -EAGAIN when it
 * has to be read in first; another error with the refusal set.
 */
static int log_page(struct guarded_mm *gm, struct vm_area_struct *vma,
		    unsigned long address)
{
	struct page_table_entry entry;
	struct page *image;
	int ret;

	image = alloc_page(PAGE_LOG_GFP);
	mutex_lock(&gm->lock);
	/* Closed meanwhile, or logged by another's fault. */
	ret = 0;
	if (!gm->owner || page_log_has(&gm->log, address))
		goto unlock;
	page_table_get(vma->vm_mm, address,
		       image ? page_address(image) : NULL, false, &entry);
	switch (entry.state) {
	case PAGE_TABLE_NO_TABLE:
		ret = page_log_add_absent_area(&gm->log, address);
		break;
	case PAGE_TABLE_NONE:
		ret = page_log_add_absent(&gm->log, address) ?: 1;
		break;
	case PAGE_TABLE_ZERO:
	case PAGE_TABLE_FILE:
		ret = page_log_add_absent(&gm->log, address);
		break;
	case PAGE_TABLE_ANON:
		ret = -ENOMEM;
		if (!image)
			break;
		ret = page_log_add_image(&gm->log, address, image);
		if (!ret)
			image = NULL;
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
	/* The first reason stays. */
	if (ret < 0 && ret != -EAGAIN)
		guarded_mm_refuse(gm, log_refusal(ret));
unlock:
	mutex_unlock(&gm->lock);
	if (image)
		__free_page(image);
	return ret;
}

/*
 * A write.  Whatever happens here, the program's fault is served: when the
 * old content cannot be kept, only the checkpoint is lost.
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
	int logged = 0;
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
		ret = original_fault(vma, address, read_flags, regs);
		if (fault_unfinished(ret))
			return ret;
		protect_again(gm, vma, page);
	}

	ret = original_fault(vma, address, flags, regs);
	if (logged == 1 && !fault_unfinished(ret)) {
		/* A large folio brought neighbours that are not logged. */
		page_table_get(vma->vm_mm, page, NULL, true, &entry);
		if (entry.state == PAGE_TABLE_ANON) {
			if (folio_test_large(page_folio(entry.page)))
				guarded_mm_refuse(gm, REASSURE_REFUSED_MAPPING);
			put_page(entry.page);
		}
	}
	return ret;
}

/* Reading in what is not present may map it writable. */
static vm_fault_t read_fault(struct guarded_mm *gm,
			     struct vm_area_struct *vma, unsigned long address,
			     unsigned int flags, struct pt_regs *regs)
{
	unsigned long page = address & PAGE_MASK;
	struct page_table_entry entry;
	vm_fault_t ret;

	page_table_get(vma->vm_mm, page, NULL, false, &entry);
	ret = original_fault(vma, address, flags, regs);
	if (entry.state == PAGE_TABLE_NOT_PRESENT && !fault_unfinished(ret))
		protect_again(gm, vma, page);
	return ret;
}

/*
 * Stands in for handle_mm_fault() while a checkpoint is open in the address
 * space; with the same locks held, and the same leave to drop them.
 */
static vm_fault_t guarded_fault(struct vm_area_struct *vma,
				unsigned long address, unsigned int flags,
				struct pt_regs *regs)
{
	unsigned int writing = FAULT_FLAG_WRITE | FAULT_FLAG_UNSHARE;
	struct guarded_mm *gm;
	vm_fault_t ret;
	bool inside;

	atomic_inc(&faults_inside);
	gm = guarded_mm_find(vma->vm_mm);
	if (!gm || !READ_ONCE(gm->owner) ||
	    (vma->vm_flags & (VM_SHARED | VM_HUGETLB))) {
		ret = original_fault(vma, address, flags, regs);
		goto out;
	}

	inside = current == gm->owner;
	if (inside) {
		gm->in_fault++;
		if (regs && (flags & FAULT_FLAG_USER) &&
		    guarded_mm_left(gm, regs->sp))
			guarded_mm_refuse(gm, REASSURE_REFUSED_LEFT);
	}
	if (flags & writing)
		ret = write_fault(gm, vma, address, flags, regs);
	else
		ret = read_fault(gm, vma, address, flags, regs);
	if (inside)
		gm->in_fault--;
out:
	if (gm)
		guarded_mm_put(gm);
	if (atomic_dec_and_test(&faults_inside))
		wake_up_var(&faults_inside);
	return ret;
}

static void notrace fault_hook(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops,
			       struct ftrace_regs *fregs)
{
	struct vm_area_struct *vma = (void *)ftrace_get_regs(fregs)->di;

	if (guarded_mm_is_open(vma->vm_mm) &&
	    !within_module(parent_ip, THIS_MODULE))
		compat_set_ip(fregs, (unsigned long)guarded_fault);
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
 * write_guard_stop() - remove the hook and wait until nobody is in it
 *
 * Faults that sleep in guarded_fault() are waited for as long as the disk
 * takes that they wait for.
 */
void write_guard_stop(void)
{
	unregister_ftrace_function(&fault_ops);
	/* Those whom the hook has sent to guarded_fault() have arrived. */
	synchronize_rcu_tasks();
	wait_var_event(&faults_inside, !atomic_read(&faults_inside));
	/* And have executed its last instruction. */
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
