/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_GUARDED_MM_H
#define _REASSURE_GUARDED_MM_H

#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

#include "mappings.h"
#include "page_log.h"

/**
 * struct guarded_mm - an address space in which checkpoints are opened
 * @notifier: tells of mappings that go; holds the mm (mm_count)
 * @node: in the table of guarded_mm.c; RCU
 * @rcu: for freeing
 * @users: the table's reference, one for each checkpoint, fault and lookup
 * @lock: serialises @log and changes of @maps; taken inside the mmap lock, never the reverse
 * @log: the pre-images of the open checkpoint
 * @maps: the mappings at its entry; written by @owner while none is open
 * @owner: the thread that has the checkpoint open, only ever compared; NULL
 *	when none is.  Set and cleared by that thread or under @lock
 * @entry_sp: user stack pointer at the entry
 * @altstack: its alternate signal stack then
 * @altstack_size: the size of that
 * @refusal: enum reassure_refusal for which the checkpoint can no longer be
 *	rolled back, or negative; the first reason stays
 * @in_fault: @owner is in a page fault or protects its pages; its own field
 * @trampoline: where return probes lead to, 0 until known
 */
struct guarded_mm {
	struct mmu_notifier notifier;
	struct hlist_node node;
	struct rcu_head rcu;
	refcount_t users;
	struct mutex lock;	/* see above */
	struct page_log log;
	struct mappings maps;
	struct task_struct *owner;
	unsigned long entry_sp;
	unsigned long altstack;
	unsigned long altstack_size;
	int refusal;
	unsigned int in_fault;
	unsigned long trampoline;
};

static inline struct mm_struct *guarded_mm_mm(struct guarded_mm *gm)
{
	return gm->notifier.mm;
}

struct guarded_mm *guarded_mm_find(struct mm_struct *mm);
struct guarded_mm *guarded_mm_acquire(struct mm_struct *mm);
void guarded_mm_put(struct guarded_mm *gm);
bool guarded_mm_is_open(struct mm_struct *mm);

int guarded_mm_open(struct guarded_mm *gm, unsigned long sp);
unsigned long guarded_mm_close(struct guarded_mm *gm);
void guarded_mm_refuse(struct guarded_mm *gm, int refusal);
bool guarded_mm_left(const struct guarded_mm *gm, unsigned long sp);
unsigned long guarded_mm_trampoline(struct guarded_mm *gm);

void reassure_guarded_mm_drop_all(void);
void reassure_guarded_mm_exit(void);

#endif
