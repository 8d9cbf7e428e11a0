/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SYSFS_H
#define _REASSURE_SYSFS_H

#include <linux/kobject.h>

struct counters;

struct kobject *sysfs_add_rescue_point(const char *name,
				       struct counters *counters);
void sysfs_show(struct kobject *kobject, struct counters *counters);
void sysfs_remove(struct kobject *kobject);

int reassure_sysfs_init(void);
void reassure_sysfs_exit(void);

#endif
