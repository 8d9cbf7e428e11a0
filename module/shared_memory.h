/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SHARED_MEMORY_H
#define _REASSURE_SHARED_MEMORY_H

#include <linux/mm.h>

#include "../uapi/reassure.h"
#include "page_log.h"
#include "unprotected.h"

struct guarded_mm;

/**
 * struct shared_memory - the shared memory of an address space
 * @mode: of the open, or last, call; its thread's
 * @unprotected: what the next call that watches has to protect
 * @log: what the pages that the open call wrote to held before, in the order
 *	of its writes; empty between calls
 * @stale: mappings may have come or changed since they were looked at
 * @refusal: enum reassure_refusal for which no call can watch, or negative
 * @used: a call has watched; before that nothing is protected
 *
 * As in struct guarded_mm, whose lock serialises @unprotected and @log.
 */
struct shared_memory {
	enum reassure_shared mode;
	struct unprotected unprotected;
	struct page_log log;
	bool stale;
	int refusal;
	bool used;
};

void shared_memory_init(struct shared_memory *shared);
void shared_memory_free(struct shared_memory *shared);

int shared_memory_renew(struct guarded_mm *gm);
void shared_memory_close(struct shared_memory *shared);

void shared_memory_before_fault(struct guarded_mm *gm,
				struct vm_area_struct *vma);
void shared_memory_after_fault(struct guarded_mm *gm,
			       struct vm_area_struct *vma,
			       unsigned long address, bool writes);

void shared_memory_reprotected(struct guarded_mm *gm, unsigned long start,
			       unsigned long end);
void shared_memory_came(struct guarded_mm *gm, unsigned long start,
			unsigned long end);
void shared_memory_check(struct guarded_mm *gm);

/*
 * Not the kernel's own rings and the memory of devices: what is written there
 * is a message, and nobody can take it back.
 */
static inline bool shared_memory_is_watchable(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SHARED &&
	       !(vma->vm_flags & (VM_SPECIAL | VM_HUGETLB));
}

static inline bool shared_memory_watches(const struct shared_memory *shared)
{
	return shared->mode != REASSURE_SHARED_LEAVE;
}

/* A call begins; its thread says so before it sets the owner. */
static inline void shared_memory_open(struct shared_memory *shared,
				      enum reassure_shared mode)
{
	shared->log.call++;
	shared->log.nr_saved = 0;
	WRITE_ONCE(shared->mode, mode);
	/* A fault of others that does not see it is one that the entry sees. */
	if (mode != REASSURE_SHARED_LEAVE)
		WRITE_ONCE(shared->used, true);
}

/* Whether shared_memory_renew() has something to do or to say. */
static inline bool shared_memory_has_changed(const struct shared_memory *shared)
{
	return shared_memory_watches(shared) &&
	       (READ_ONCE(shared->stale) || shared->refusal >= 0 ||
		!unprotected_is_empty(&shared->unprotected));
}

#endif
