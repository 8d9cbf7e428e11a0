// SPDX-License-Identifier: GPL-2.0
/*
 * The page log: what pages held when the checkpoint was opened.
 */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "page_log.h"

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
 * Return: 0 or -ENOMEM.
 */
int page_log_add_image(struct page_log *log, unsigned long address,
		       struct page *image)
{
	int ret = xa_err(xa_store(&log->pages, address >> PAGE_SHIFT, image,
				  PAGE_LOG_GFP));

	if (!ret)
		log->nr_images++;
	return ret;
}

/**
 * page_log_add_pinned() - keep the content of a page that a device may use
 * @log: the log
 * @address: the page
 * @page: the page itself, mapped there; its page table's lock is held
 *
 * Return: 0 or -ENOMEM.
 */
int page_log_add_pinned(struct page_log *log, unsigned long address,
			struct page *page)
{
	gfp_t gfp = GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN;
	unsigned long index = address >> PAGE_SHIFT;
	struct page *image = alloc_page(gfp);
	int ret;

	if (!image)
		return -ENOMEM;
	copy_page(page_address(image), page_address(page));
	ret = xa_err(xa_store(&log->pages, index, image, gfp));
	if (ret) {
		__free_page(image);
		return ret;
	}
	xa_set_mark(&log->pages, index, PAGE_LOG_PINNED);
	log->nr_images++;
	return 0;
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
	log->nr_images = 0;
}
