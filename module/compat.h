/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that depends on the version of the kernel: 6.1 and 6.12 differ in
 * these names and nowhere else does this module look at LINUX_VERSION_CODE.
 */
#ifndef _REASSURE_COMPAT_H
#define _REASSURE_COMPAT_H

#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uprobes.h>
#include <linux/userfaultfd_k.h>
#include <linux/version.h>
#include <net/genetlink.h>

#if KERNEL_VERSION(6, 3, 0) <= LINUX_VERSION_CODE
#include <linux/filelock.h>
#endif

#if KERNEL_VERSION(6, 1, 0) > LINUX_VERSION_CODE
#error "Reassure needs Linux 6.1 or later"
#endif
#if !defined(CONFIG_X86_64) || !defined(CONFIG_UPROBES) || \
	!defined(CONFIG_MMU_NOTIFIER) || !defined(CONFIG_CGROUPS) || \
	!defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS)
#error "Reassure needs x86-64, UPROBES, MMU_NOTIFIER, CGROUPS and DYNAMIC_FTRACE"
#endif

/* Came with 6.1.68; without it anybody may listen. */
#ifndef GENL_MCAST_CAP_SYS_ADMIN
#error "Reassure needs a kernel that can protect generic netlink groups"
#endif

#if IS_ENABLED(CONFIG_PREEMPT_RT)
#error "Reassure takes spinlocks in hooks that must not sleep: not for PREEMPT_RT"
#endif

/*
 * What the generator of 6.12 calls an array of nests.  It gives none of them a
 * policy: who reads one has to ask for it.
 */
#define NLA_INDEXED_ARRAY	NLA_NESTED_ARRAY

/* The private limit of kernel/events/uprobes.c, all tracers together. */
#define COMPAT_MAX_URETPROBE_DEPTH	64

#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE

struct compat_uprobe {
	struct uprobe *uprobe;
};

static inline int compat_uprobe_register(struct compat_uprobe *handle,
					 struct inode *inode, loff_t offset,
					 struct uprobe_consumer *consumer)
{
	handle->uprobe = uprobe_register(inode, offset, 0, consumer);
	return PTR_ERR_OR_ZERO(handle->uprobe);
}

static inline void compat_uprobe_unregister(struct compat_uprobe *handle,
					    struct inode *inode, loff_t offset,
					    struct uprobe_consumer *consumer)
{
	uprobe_unregister_nosync(handle->uprobe, consumer);
}

/* The handlers of those that were unregistered may run until it returns. */
static inline void compat_uprobe_unregister_sync(void)
{
	uprobe_unregister_sync();
}

static inline int compat_dequeue_signal(sigset_t *mask, kernel_siginfo_t *info)
{
	enum pid_type type;

	return dequeue_signal(mask, info, &type);
}

static inline void compat_set_ip(struct ftrace_regs *fregs, unsigned long ip)
{
	ftrace_regs_set_instruction_pointer(fregs, ip);
}

/* Of the function that is hooked with FTRACE_OPS_FL_SAVE_REGS. */
static inline unsigned long compat_first_argument(struct ftrace_regs *fregs)
{
	return ftrace_regs_get_argument(fregs, 0);
}

/* Forgets that this process alone has @page; fails for a pinned page. */
static inline int compat_share_anon_page(struct page *page)
{
	return folio_try_share_anon_rmap_pte(page_folio(page), page);
}

static inline void compat_zap(struct vm_area_struct *vma, unsigned long start,
			      unsigned long size)
{
	zap_page_range_single(vma, start, size, NULL);
}

static inline int compat_mapcount(struct folio *folio)
{
	return folio_mapcount(folio);
}

/* Whether @mm may not make executable again what is not any more. */
static inline bool compat_denies_write_exec(struct mm_struct *mm)
{
	return test_bit(MMF_HAS_MDWE, &mm->flags);
}

/* Whether the program has forbidden to unmap @vma. */
static inline bool compat_is_sealed(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SEALED;
}

/* Tasks of a process that never run in user mode. */
#define COMPAT_PF_WORKER	(PF_IO_WORKER | PF_USER_WORKER)

/* Before a fault answers VM_FAULT_RETRY. */
static inline void compat_unlock_for_retry(struct vm_area_struct *vma,
					   unsigned int flags)
{
	if (flags & FAULT_FLAG_VMA_LOCK)
		vma_end_read(vma);
	else
		mmap_read_unlock(vma->vm_mm);
}

#define compat_file_lock	file_lock_core
#define compat_lock_list	flc_list
#define compat_lock_owner	flc_owner
#define compat_lock_file	flc_file

/* The arguments of mfill_atomic_install_pte(). */
static inline struct vm_area_struct *compat_filled_vma(struct pt_regs *regs)
{
	return (void *)regs->si;
}

static inline unsigned long compat_filled_address(struct pt_regs *regs)
{
	return regs->dx;
}

#ifdef CONFIG_USERFAULTFD
/* By which userfaultfd moves pages, and the first argument's mm. */
#define COMPAT_MOVE_FUNCTION	"move_pages"

static inline struct mm_struct *compat_moving_mm(struct pt_regs *regs)
{
	return ((struct userfaultfd_ctx *)regs->di)->mm;
}
#endif

#define compat_genl_ops	genl_split_ops

/* The attributes of the request for a dump. */
static inline struct nlattr **compat_dump_attributes(struct netlink_callback *cb)
{
	return genl_dumpit_info(cb)->info.attrs;
}

/* Finds the build-id of a file without reading from it. */
#define COMPAT_BUILD_ID_FUNCTION	"build_id_parse_nofault"

/* The path of a mapped file, as /proc/PID/maps has it. */
static inline const struct path *compat_user_path(const struct file *file)
{
	return file_user_path(file);
}

/*
 * The parameters of a uprobe's filter, and whether it is asked because another
 * tracer takes its probe away.
 */
#define COMPAT_FILTER_PARAMETERS \
	struct uprobe_consumer *consumer, struct mm_struct *mm
#define COMPAT_FILTER_IS_REMOVAL	false

static inline struct timespec64 compat_modified(const struct inode *inode)
{
	return inode_get_mtime(inode);
}

#define COMPAT_USER_SHADOW_STACK	IS_ENABLED(CONFIG_X86_USER_SHADOW_STACK)

#else /* < 6.12 */

struct compat_uprobe {
};

static inline int compat_uprobe_register(struct compat_uprobe *handle,
					 struct inode *inode, loff_t offset,
					 struct uprobe_consumer *consumer)
{
	return uprobe_register(inode, offset, consumer);
}

static inline void compat_uprobe_unregister(struct compat_uprobe *handle,
					    struct inode *inode, loff_t offset,
					    struct uprobe_consumer *consumer)
{
	uprobe_unregister(inode, offset, consumer);
}

static inline void compat_uprobe_unregister_sync(void)
{
}

static inline int compat_dequeue_signal(sigset_t *mask, kernel_siginfo_t *info)
{
	enum pid_type type;

	return dequeue_signal(current, mask, info, &type);
}

static inline void compat_set_ip(struct ftrace_regs *fregs, unsigned long ip)
{
	ftrace_instruction_pointer_set(fregs, ip);
}

static inline unsigned long compat_first_argument(struct ftrace_regs *fregs)
{
	return fregs->regs.di;
}

static inline int compat_share_anon_page(struct page *page)
{
	return page_try_share_anon_rmap(page);
}

static inline void compat_zap(struct vm_area_struct *vma, unsigned long start,
			      unsigned long size)
{
	zap_page_range(vma, start, size);
}

/* folio_mapcount() is not exported before it became an inline function. */
static inline int compat_mapcount(struct folio *folio)
{
	int entire, count, i;

	if (!folio_test_large(folio))
		return atomic_read(&folio->_mapcount) + 1;
	entire = atomic_read(folio_mapcount_ptr(folio)) + 1;
	count = entire;
	for (i = 0; i < folio_nr_pages(folio); i++)
		count += atomic_read(&folio_page(folio, i)->_mapcount) + 1;
	if (folio_test_double_map(folio))
		count -= folio_nr_pages(folio);
	return count;
}

static inline bool compat_denies_write_exec(struct mm_struct *mm)
{
	return false;
}

static inline bool compat_is_sealed(const struct vm_area_struct *vma)
{
	return false;
}

#define COMPAT_PF_WORKER	PF_IO_WORKER

static inline void compat_unlock_for_retry(struct vm_area_struct *vma,
					   unsigned int flags)
{
	mmap_read_unlock(vma->vm_mm);
}

#define compat_file_lock	file_lock
#define compat_lock_list	fl_list
#define compat_lock_owner	fl_owner
#define compat_lock_file	fl_file

static inline struct vm_area_struct *compat_filled_vma(struct pt_regs *regs)
{
	return (void *)regs->dx;
}

static inline unsigned long compat_filled_address(struct pt_regs *regs)
{
	return regs->cx;
}

#define compat_genl_ops	genl_ops

static inline struct nlattr **compat_dump_attributes(struct netlink_callback *cb)
{
	return genl_dumpit_info(cb)->attrs;
}

#define COMPAT_BUILD_ID_FUNCTION	"build_id_parse"

static inline const struct path *compat_user_path(const struct file *file)
{
	return &file->f_path;
}

/* What generated operations are, as far as they are used. */
struct genl_split_ops {
	union {
		int (*doit)(struct sk_buff *skb, struct genl_info *info);
		struct {
			int (*start)(struct netlink_callback *cb);
			int (*dumpit)(struct sk_buff *skb,
				      struct netlink_callback *cb);
			int (*done)(struct netlink_callback *cb);
		};
	};
	const struct nla_policy *policy;
	unsigned int maxattr;
	u8 cmd;
	u8 flags;
};

/* Generated ranges are constant. */
#undef NLA_POLICY_FULL_RANGE
#define NLA_POLICY_FULL_RANGE(tp, _range) {		\
	.type = NLA_ENSURE_UINT_OR_BINARY_TYPE(tp),	\
	.validation_type = NLA_VALIDATE_RANGE_PTR,	\
	.range = (struct netlink_range_validation *)(_range),	\
}

#define COMPAT_FILTER_PARAMETERS \
	struct uprobe_consumer *consumer, enum uprobe_filter_ctx context, \
	struct mm_struct *mm
#define COMPAT_FILTER_IS_REMOVAL	(context == UPROBE_FILTER_UNREGISTER)

static inline struct timespec64 compat_modified(const struct inode *inode)
{
	return inode->i_mtime;
}

#define COMPAT_USER_SHADOW_STACK	0

#endif /* < 6.12 */

/*
 * References to the folio of an anonymous page beyond those of its mappings,
 * of the swap cache and, while it is not on the LRU yet, of the batch that
 * will put it there.  On 6.1 O_DIRECT takes plain references, which
 * page_maybe_dma_pinned() does not see; these do.
 */
static inline int compat_unexplained_references(struct folio *folio)
{
	return folio_ref_count(folio) - compat_mapcount(folio) -
	       (folio_test_swapcache(folio) ? folio_nr_pages(folio) : 0) -
	       !folio_test_lru(folio);
}

/* Whether there are such to @page, besides the one of the caller. */
static inline bool compat_is_in_use(struct page *page)
{
	return compat_unexplained_references(page_folio(page)) > 1;
}

static inline bool compat_uses_io_uring(const struct task_struct *task)
{
#ifdef CONFIG_IO_URING
	return READ_ONCE(task->io_uring);
#else
	return false;
#endif
}

static inline bool compat_has_io_uring(void)
{
	return compat_uses_io_uring(current);
}

/*
 * Whether some page of @mm, the address space of current, may be in use by a
 * device or an asynchronous request: one was pinned once, or there is a
 * context of one of the two interfaces that use pages behind the caller.
 */
static inline bool compat_may_be_in_use(struct mm_struct *mm)
{
	bool may = test_bit(MMF_HAS_PINNED, &mm->flags);

#ifdef CONFIG_AIO
	may |= !!rcu_access_pointer(mm->ioctx_table);
#endif
	return may || compat_has_io_uring();
}

static inline bool compat_lock_is_of(const struct list_head *list,
				     const struct file *file)
{
	struct compat_file_lock *lock;

	list_for_each_entry(lock, list, compat_lock_list)
		if (lock->compat_lock_owner == current->files ||
		    (file && lock->compat_lock_file == file))
			return true;
	return false;
}

/*
 * Whether current has a lock or lease on @inode that goes when it closes a
 * descriptor of it, or one that goes with the last reference to @file.
 */
static inline bool compat_has_locks(struct inode *inode,
				    const struct file *file)
{
	bool has = false;
#ifdef CONFIG_FILE_LOCKING
	/* Pairs with the one that publishes it. */
	struct file_lock_context *context = smp_load_acquire(&inode->i_flctx);

	if (!context)
		return false;
	spin_lock(&context->flc_lock);
	has = compat_lock_is_of(&context->flc_posix, file) ||
	      compat_lock_is_of(&context->flc_flock, file) ||
	      compat_lock_is_of(&context->flc_lease, file);
	spin_unlock(&context->flc_lock);
#endif
	return has;
}

/* Whether somebody watches @inode by fcntl(F_NOTIFY), until he closes it. */
static inline bool compat_has_dnotify(const struct inode *inode)
{
#ifdef CONFIG_DNOTIFY
	return S_ISDIR(inode->i_mode) && inode->i_fsnotify_mask;
#else
	return false;
#endif
}

/* Whether others wait for a priority-inheriting futex that current has. */
static inline bool compat_has_pi_futex(void)
{
#ifdef CONFIG_FUTEX_PI
	return !list_empty(&current->pi_state_list);
#else
	return false;
#endif
}

/*
 * The head of the private struct mmu_notifier_subscriptions, the same in
 * all supported versions.
 */
struct compat_mmu_notifier_subscriptions {
	struct hlist_head list;
	bool has_itree;
};

/* Whether @mn is the only notifier of its address space. */
static inline bool compat_only_mmu_notifier(struct mmu_notifier *mn)
{
	struct compat_mmu_notifier_subscriptions *subscriptions =
		(void *)READ_ONCE(mn->mm->notifier_subscriptions);

	return subscriptions && !READ_ONCE(subscriptions->has_itree) &&
	       READ_ONCE(subscriptions->list.first) == &mn->hlist &&
	       !READ_ONCE(mn->hlist.next);
}

#endif /* _REASSURE_COMPAT_H */
