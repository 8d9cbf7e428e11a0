/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_RESCUE_POINT_H
#define _REASSURE_RESCUE_POINT_H

#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/path.h>
#include <linux/types.h>
#include <linux/uprobes.h>

#include "budget.h"
#include "compat.h"
#include "counters.h"

struct netlink_ext_ack;

/**
 * struct rescue_point_config - what an administrator says of a rescue point
 * @name: unique name
 * @offset: of the function's entry in the file
 * @has_value: whether the function returns something
 * @value: what it returns when it is rescued
 * @signals: bit N-1 stands for signal N
 * @handled: what becomes of faults for which the program has a handler
 * @shared: what becomes of writes to shared memory
 * @exhausted: what becomes of calls when the budget is spent
 * @deadline_ms: how long a call may take, in milliseconds; 0 for no limit
 * @budget_rescues: rescues in @budget_seconds; 0 for no limit
 * @budget_seconds: the period
 * @function: the function's name or NULL; for information
 * @build_id: of the file; for information
 * @build_id_size: in bytes, 0 when there is none
 * @exits: offsets in the file of the instructions that leave the function;
 *	NULL when a return probe tells that it is left
 * @nr_exits: how many
 */
struct rescue_point_config {
	char name[REASSURE_NAME_MAX + 1];
	u64 offset;
	bool has_value;
	s64 value;
	u64 signals;
	enum reassure_handled handled;
	enum reassure_shared shared;
	enum reassure_exhausted exhausted;
	u32 deadline_ms;
	u32 budget_rescues;
	u32 budget_seconds;
	char *function;
	u8 build_id[REASSURE_BUILD_ID_MAX];
	u8 build_id_size;
	u64 *exits;
	unsigned int nr_exits;
};

/**
 * struct exit_probe - a probe at an instruction that leaves the function
 * @rp: the rescue point
 * @consumer: the probe
 * @uprobe: its registration
 */
struct exit_probe {
	struct rescue_point *rp;
	struct uprobe_consumer consumer;
	struct compat_uprobe uprobe;
};

/**
 * struct rescue_point - a function whose calls are rescued
 * @node: in the list of all, under the registry's lock
 * @config: never changes
 * @path: the file as it was named; keeps it and its mount in use
 * @inode: the inode that is mapped, below overlayfs the lower one
 * @consumer: the probe at the entry, and at the return where there are no
 *	exit probes
 * @uprobe: their registration
 * @exits: a probe for each of @config.exits, or NULL
 * @budget: how many rescues are left
 * @counters: what happened here
 * @kobject: /sys/kernel/reassure/rescue_points/NAME, holds no reference
 * @skips: the last call found the budget spent and returned at once
 * @deleted: no new checkpoints
 */
struct rescue_point {
	struct list_head node;
	struct rescue_point_config config;
	struct path path;
	struct inode *inode;
	struct uprobe_consumer consumer;
	struct compat_uprobe uprobe;
	struct exit_probe *exits;
	struct budget budget;
	struct counters counters;
	struct kobject *kobject;
	bool skips;
	bool deleted;
};

void rescue_point_config_free(struct rescue_point_config *config);
int rescue_point_add(struct rescue_point_config *config, struct file *file,
		     struct netlink_ext_ack *extack);
int rescue_point_delete(const char *name, struct netlink_ext_ack *extack);
void rescue_point_delete_all(void);

/*
 * Calls @visit for the rescue point called @name, or for all from the
 * @skip-th on, with the registry locked; a non-zero answer ends it.
 */
int rescue_point_visit(const char *name, int skip,
		       int (*visit)(struct rescue_point *rp, void *data),
		       void *data);
unsigned int rescue_point_count(void);
/* Changes whenever a rescue point comes or goes. */
unsigned int rescue_point_generation(void);

#endif
