// SPDX-License-Identifier: GPL-2.0
/*
 * The switch of the whole module: while it is off no call opens a checkpoint and
 * none is rescued, whatever the rescue points say.
 */
#include <linux/atomic.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "rescue_point.h"
#include "switch.h"

/* The words of enum reassure_off. */
static const char *const names[REASSURE_OFF_MAX + 1] = {
	[REASSURE_OFF_NOT] = "no",
	[REASSURE_OFF_PARAMETER] = "parameter",
	[REASSURE_OFF_ADMINISTRATOR] = "administrator",
	[REASSURE_OFF_DIFFERENCE] = "difference",
	[REASSURE_OFF_ROLLBACK] = "rollback",
};

/* enum reassure_off; the rescue points follow when their registry is free. */
static atomic_t state = ATOMIC_INIT(REASSURE_OFF_NOT);

static void follow(struct work_struct *work)
{
	rescue_points_follow_switch();
}

static DECLARE_WORK(follower, follow);

/* Only when the module is loaded: later there is more to it. */
static int set_enabled(const char *value, const struct kernel_param *param)
{
	bool enabled;
	int ret = kstrtobool(value, &enabled);

	if (!ret)
		atomic_set(&state, enabled ? REASSURE_OFF_NOT :
					     REASSURE_OFF_PARAMETER);
	return ret;
}

static int show_enabled(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%c\n", switch_is_off() ? 'N' : 'Y');
}

static const struct kernel_param_ops enabled_ops = {
	.set = set_enabled,
	.get = show_enabled,
};
module_param_cb(enabled, &enabled_ops, NULL, 0444);
MODULE_PARM_DESC(enabled, "whether programs are protected; N loads the module switched off, until reassurectl on (default: Y)");

static int set_nothing(const char *value, const struct kernel_param *param)
{
	return -EPERM;
}

static int show_switched_off(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", names[switch_state()]);
}

static const struct kernel_param_ops switched_off_ops = {
	.set = set_nothing,
	.get = show_switched_off,
};
module_param_cb(switched_off, &switched_off_ops, NULL, 0444);
MODULE_PARM_DESC(switched_off, "why the module is switched off, or no; only to be read");

/* Why it is off, if it is. */
enum reassure_off switch_state(void)
{
	return atomic_read(&state);
}

/**
 * switch_off() - protect no program any more
 * @why: what is to be said of it, if it is not off already for a worse reason
 *
 * From anywhere: no rescue begins from now on, and a work lets the calls go that
 * are inside.
 */
void switch_off(enum reassure_off why)
{
	if (why == REASSURE_OFF_ADMINISTRATOR) {
		if (atomic_cmpxchg(&state, REASSURE_OFF_NOT, why) == REASSURE_OFF_NOT)
			pr_notice("switched off: no program is protected\n");
	} else if (atomic_xchg(&state, why) != why) {
		pr_crit("SWITCHED OFF after a defect of this module (%s): no program is protected any more, each fares as without it; what is in the kernel log before this line belongs in a report; 'reassurectl on' switches it on again\n",
			names[why]);
	}
	schedule_work(&follower);
}

/* Forgets why it was off. */
void switch_on(void)
{
	if (atomic_xchg(&state, REASSURE_OFF_NOT) != REASSURE_OFF_NOT)
		pr_notice("switched on\n");
	schedule_work(&follower);
}

/* There is no rescue point any more. */
void reassure_switch_exit(void)
{
	cancel_work_sync(&follower);
}
