// SPDX-License-Identifier: GPL-2.0
/*
 * What has to be protected at the next entry.
 *
 * Single pages are listed; where a whole area may have become writable, or
 * the list would grow beyond what a walk over all memory costs, a range is
 * widened to cover it.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "page_log.h"
#include "unprotected.h"

/* The list may always have so many. */
#define PAGES_MIN	512

/*
 * A page that is written again within so many calls after it was protected
 * costs less as a hot one.
 */
#define RECENT_CALLS	8

/* Nothing is protected yet. */
void unprotected_init(struct unprotected *un, struct recent_page *recent)
{
	spin_lock_init(&un->lock);
	un->recent = recent;
	un->range.end = TASK_SIZE_MAX;
}

void unprotected_free(struct unprotected *un)
{
	kvfree(un->pages);
}

static void widen(struct unprotected *un, struct unprotected_range *range,
		  unsigned long start, unsigned long end)
{
	unsigned long flags;

	if (start >= end)
		return;
	spin_lock_irqsave(&un->lock, flags);
	if (unprotected_range_is_empty(range)) {
		WRITE_ONCE(range->start, start);
		WRITE_ONCE(range->end, end);
	} else {
		WRITE_ONCE(range->start, min(range->start, start));
		WRITE_ONCE(range->end, max(range->end, end));
	}
	spin_unlock_irqrestore(&un->lock, flags);
}

static bool take(struct unprotected *un, struct unprotected_range *range,
		 unsigned long *start, unsigned long *end)
{
	bool taken;

	spin_lock_irq(&un->lock);
	*start = range->start;
	*end = range->end;
	taken = !unprotected_range_is_empty(range);
	WRITE_ONCE(range->start, 0);
	WRITE_ONCE(range->end, 0);
	spin_unlock_irq(&un->lock);
	return taken;
}

/* From any context. */
void unprotected_add_range(struct unprotected *un, unsigned long start,
			   unsigned long end)
{
	widen(un, &un->range, start, end);
}

/* The PMD-sized area around @address, in which a large folio lies. */
void unprotected_add_area(struct unprotected *un, unsigned long address)
{
	unprotected_add_range(un, address & PMD_MASK,
			      (address & PMD_MASK) + PMD_SIZE);
}

/* Takes the range away; false when there is none. */
bool unprotected_take_range(struct unprotected *un, unsigned long *start,
			    unsigned long *end)
{
	return take(un, &un->range, start, end);
}

/* Others have set out to write to a range.  From any context. */
void unprotected_add_others(struct unprotected *un, unsigned long start,
			    unsigned long end)
{
	widen(un, &un->others, start, end);
}

/* As unprotected_take_range(). */
bool unprotected_take_others(struct unprotected *un, unsigned long *start,
			     unsigned long *end)
{
	return take(un, &un->others, start, end);
}

/* The more memory there is, the longer a list is cheaper than a walk. */
static bool make_room(struct unprotected *un, struct mm_struct *mm)
{
	unsigned long most = max_t(unsigned long, PAGES_MIN,
				   get_mm_counter(mm, MM_ANONPAGES));
	unsigned long capacity = max(64UL, un->capacity * 2UL);
	unsigned long *pages;

	if (un->count < un->capacity)
		return true;
	capacity = min(capacity, most);
	if (un->count >= capacity)
		return false;
	pages = kvmalloc_array(capacity, sizeof(*pages), PAGE_LOG_GFP);
	if (!pages)
		return false;
	if (un->count)
		memcpy(pages, un->pages, un->count * sizeof(*pages));
	kvfree(un->pages);
	un->pages = pages;
	un->capacity = capacity;
	return true;
}

static struct recent_page *recent_slot(struct unprotected *un,
				       unsigned long address)
{
	return &un->recent[(address >> PAGE_SHIFT) % UNPROTECTED_RECENT];
}

/**
 * unprotected_was_recent() - whether a page was listed a few calls ago
 * @un: the list
 * @address: the page; another may have pushed it out
 * @call: number of the call now
 */
bool unprotected_was_recent(struct unprotected *un, unsigned long address,
			    u32 call)
{
	struct recent_page *recent = recent_slot(un, address);

	return recent->number == (u32)(address >> PAGE_SHIFT) &&
	       call - recent->call < RECENT_CALLS;
}

/**
 * unprotected_add_page() - a page has become writable
 * @un: the list
 * @address: the page
 * @mm: its address space
 * @call: number of the call now, or the last
 *
 * May sleep.
 */
void unprotected_add_page(struct unprotected *un, unsigned long address,
			  struct mm_struct *mm, u32 call)
{
	struct recent_page *recent;

	if (unprotected_is_all(un))
		return;
	if (un->recent) {
		recent = recent_slot(un, address);
		recent->number = address >> PAGE_SHIFT;
		recent->call = call;
	}
	if (make_room(un, mm))
		un->pages[un->count++] = address & PAGE_MASK;
	else
		unprotected_add_range(un, 0, TASK_SIZE_MAX);
}
