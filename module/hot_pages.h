/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_HOT_PAGES_H
#define _REASSURE_HOT_PAGES_H

#include <linux/types.h>

struct guarded_mm;
struct logged_page;

bool hot_pages_copy(struct guarded_mm *gm);
int hot_pages_copy_inside(struct guarded_mm *gm);
void hot_pages_forget_unmapped(struct guarded_mm *gm);
void hot_pages_rolled_back(struct logged_page *page);
void hot_pages_came_back(struct logged_page *page);
void hot_pages_check_use(struct guarded_mm *gm);

#endif
