/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_DEADLINE_H
#define _REASSURE_DEADLINE_H

#include <linux/hrtimer.h>
#include <linux/task_work.h>
#include <linux/types.h>

struct checkpoint;
struct task_struct;

/**
 * struct deadline - when a call has been inside for too long
 * @timer: runs while the call is open
 * @work: brings the thread from the expiry to its rollback
 * @task: the thread, with a reference; NULL when @timer is not in use
 * @call: counts the calls that had one and have ended
 * @expired: what @call was when @work was queued
 * @queued: @work is queued or runs
 */
struct deadline {
	struct hrtimer timer;
	struct callback_head work;
	struct task_struct *task;
	unsigned long call;
	unsigned long expired;
	unsigned long queued;
};

void deadline_arm(struct checkpoint *cp, u32 milliseconds);
void deadline_cancel(struct checkpoint *cp);
void deadline_stop(void);

#endif
