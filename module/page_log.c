// SPDX-License-Identifier: GPL-2.0
/*
 * The page log: what pages held when the checkpoint was opened.
 */
#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "page_log.h"

static unsigned long log_pages = 65536;
module_param(log_pages, ulong, 0644);
MODULE_PARM_DESC(log_pages, "most pages that the page log of one checkpoint may hold (default: 65536)");

static unsigned long log_pages_total = 262144;
module_param(log_pages_total, ulong, 0644);
MODULE_PARM_DESC(log_pages_total, "most pages that all page logs together may hold (default: 262144)");

/* Pages that are held now, by all logs. */
static atomic_long_t held = ATOMIC_LONG_INIT(0);

/* Makes room for one more page in @log; false beyond a limit. */
static bool reserve(struct page_log *log)
{
	if (log->nr_images >= READ_ONCE(log_pages))
		return false;
	if (atomic_long_inc_return(&held) <= READ_ONCE(log_pages_total))
		return true;
	atomic_long_dec(&held);
	return false;
}

static void cancel_reservation(void)
{
	atomic_long_dec(&held);
}

void page_log_init(struct page_log *log)
{
	xa_init(&log->pages);
	xa_init(&log->areas);
	log->nr_images = 0;
}

bool page_log_has(struct page_log *log, unsigned long address)
{
	return xa_load(&log->pages, address >> PAGE_SHIFT) ||
	       xa_load(&log->areas, address >> PMD_SHIFT);
}

int page_log_add_absent(struct page_log *log, unsigned long address)
{
	return xa_err(xa_store(&log->pages, address >> PAGE_SHIFT,
			       PAGE_LOG_ABSENT, PAGE_LOG_GFP));
}

int page_log_add_absent_area(struct page_log *log, unsigned long address)
{
	return xa_err(xa_store(&log->areas, address >> PMD_SHIFT,
			       PAGE_LOG_ABSENT, PAGE_LOG_GFP));
}

/**
 * page_log_add_image() - keep the content of a page
 * @log: the log
 * @address: the page
 * @image: the content; the log's when this succeeds
 *
 * Return: 0, -ENOMEM, or -ENOSPC beyond a limit.
 */
int page_log_add_image(struct page_log *log, unsigned long address,
		       struct page *image)
{
	int ret;

	if (!reserve(log))
		return -ENOSPC;
	ret = xa_err(xa_store(&log->pages, address >> PAGE_SHIFT, image,
			      PAGE_LOG_GFP));
	if (ret)
		cancel_reservation();
	else
		log->nr_images++;
	return ret;
}

/**
 * page_log_add_pinned() - keep the content of a page that a device may use
 * @log: the log
 * @address: the page
 * @page: the page itself, mapped there; its page table's lock is held
 *
 * Return: 0, -ENOMEM, or -ENOSPC beyond a limit.
 */
int page_log_add_pinned(struct page_log *log, unsigned long address,
			struct page *page)
{
	gfp_t gfp = GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN;
	unsigned long index = address >> PAGE_SHIFT;
	struct page *image;
	int ret = -ENOMEM;

	if (!reserve(log))
		return -ENOSPC;
	image = alloc_page(gfp);
	if (!image)
		goto cancel;
	copy_page(page_address(image), page_address(page));
	ret = xa_err(xa_store(&log->pages, index, image, gfp));
	if (ret)
		goto free;
	xa_set_mark(&log->pages, index, PAGE_LOG_PINNED);
	log->nr_images++;
	return 0;

free:
	__free_page(image);
cancel:
	cancel_reservation();
	return ret;
}

void page_log_clear(struct page_log *log)
{
	unsigned long index;
	void *entry;

	xa_for_each(&log->pages, index, entry)
		if (!xa_is_value(entry))
			__free_page(entry);
	xa_destroy(&log->pages);
	xa_destroy(&log->areas);
	atomic_long_sub(log->nr_images, &held);
	log->nr_images = 0;
}
