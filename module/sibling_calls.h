/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SIBLING_CALLS_H
#define _REASSURE_SIBLING_CALLS_H

#include <linux/types.h>

struct guarded_mm;
struct task_struct;

bool sibling_is_in_exception(const struct task_struct *task);
bool sibling_is_in_futex(struct task_struct *task);
bool sibling_is_in_owned_futex(struct task_struct *task);
bool sibling_call_is_under_way(struct task_struct *task);
bool sibling_call_is_in_the_way(struct task_struct *task);
bool sibling_call_has_written(struct guarded_mm *gm, struct task_struct *task,
			      bool done);

#endif
