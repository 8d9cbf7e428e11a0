/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_RESCUE_POINT_H
#define _REASSURE_RESCUE_POINT_H

#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "budget.h"
#include "cgroup_filter.h"
#include "counters.h"
#include "injection.h"
#include "probe.h"

struct netlink_ext_ack;
struct nlattr;
struct landings;
struct landings_config;

/**
 * struct rescue_point_settings - what an administrator may change
 * @version: no other settings have had it, of any rescue point; 0 when they
 *	are not in force
 * @has_value: whether the function returns something
 * @value: what it returns when it is rescued
 * @signals: bit N-1 stands for signal N
 * @handled: what becomes of faults for which the program has a handler
 * @shared: what becomes of writes to shared memory
 * @exhausted: what becomes of calls when the budget is spent
 * @allow_setuid: whether programs that gained privileges are rescued
 * @mode: whether faults are rescued, or only observed
 * @enabled: whether calls open checkpoints
 * @threads: what the other threads of a process do meanwhile
 * @watchdog_ms: how long a call may be blocked while other threads wait for it,
 *	in milliseconds
 * @escalate: how often it is rescued inside one call of another
 * @deadline_ms: how long a call may take, in milliseconds; 0 for no limit
 * @injects: whether calls look if they are to fault
 * @budget_rescues: rescues in @budget_seconds; 0 for no limit
 * @budget_seconds: the period
 * @cgroups: in which cgroups a process must be, or NULL.  Belongs to the rescue
 *	point; in a copy, to be used only under RCU and while @version is in
 *	force
 */
struct rescue_point_settings {
	u64 version;
	bool has_value;
	s64 value;
	u64 signals;
	enum reassure_handled handled;
	enum reassure_shared shared;
	enum reassure_exhausted exhausted;
	bool allow_setuid;
	enum reassure_mode mode;
	bool enabled;
	enum reassure_threads threads;
	u32 watchdog_ms;
	u32 escalate;
	u32 deadline_ms;
	bool injects;
	u32 budget_rescues;
	u32 budget_seconds;
	struct cgroup_filter *cgroups;
};

/**
 * struct rescue_point_config - which function an administrator means
 * @name: unique name
 * @offset: of the function's entry in the file
 * @function: the function's name or NULL; for information
 * @build_id: of the file
 * @build_id_size: in bytes, 0 when there is none
 * @exits: offsets in the file of the instructions that leave the function;
 *	NULL when a return probe tells that it is left
 * @nr_exits: how many
 * @build_id_offset: where it is in the file, or negative
 * @executable: the file is mapped before all libraries
 * @landings: of each file that has some; NULL when the rescue point is made
 * @nr_landings: how many files
 */
struct rescue_point_config {
	char name[REASSURE_NAME_MAX + 1];
	u64 offset;
	char *function;
	u8 build_id[REASSURE_BUILD_ID_MAX];
	u8 build_id_size;
	u64 *exits;
	unsigned int nr_exits;
	loff_t build_id_offset;
	bool executable;
	struct landings_config *landings;
	unsigned int nr_landings;
};

/* Not registered completely. */
#define RESCUE_POINT_INACTIVE	0
/* The file holds another build, or perhaps the end of calls is not seen. */
#define RESCUE_POINT_STALE	1
/* An administrator says so. */
#define RESCUE_POINT_DISABLED	2
/* So are all, see switch.c. */
#define RESCUE_POINT_OFF	3

/**
 * struct rescue_point - a function whose calls are rescued
 * @node: in the list of all, under the registry's lock
 * @config: never changes
 * @settings: read under the registry's lock or by rescue_point_settings()
 * @settings_lock: taken to write them, inside the registry's lock; its own, for
 *	who waits for a reader must not be waited for by one
 * @file: where the function is
 * @entry: the probe at the entry, and at the return where there are no exit
 *	probes
 * @exits: a probe for each of @config.exits, or NULL
 * @landings: of each file that has some, or NULL
 * @nr_landings: how many files
 * @budget: how many rescues are left
 * @counters: what happened here
 * @injection: which calls fault
 * @kobject: /sys/kernel/reassure/rescue_points/NAME, holds no reference
 * @goes: is left out of what is being applied, or moves; under the registry's
 *	lock
 * @skips: the last call found the budget spent and returned at once
 * @closed: RESCUE_POINT_* of why no call opens a checkpoint
 * @closing: commits the calls that are inside when it has become stale, is
 *	disabled or all are switched off
 */
struct rescue_point {
	struct list_head node;
	struct rescue_point_config config;
	struct rescue_point_settings settings;
	seqlock_t settings_lock;	/* see above */
	struct probed_file file;
	struct probe entry;
	struct probe *exits;
	struct landings *landings;
	unsigned int nr_landings;
	struct budget budget;
	struct counters counters;
	struct injection injection;
	struct kobject *kobject;
	bool goes;
	bool skips;
	unsigned long closed;
	struct work_struct closing;
};

/**
 * struct rescue_point_change - a rescue point that there is to be
 * @config: where it is; given to the registry
 * @settings: what is to be done there
 * @file: the executable or shared library, open for reading
 * @attribute: of the message, for errors
 * @rp: made of it, for the registry alone
 * @old: the rescue point of this name or NULL, for the registry alone
 */
struct rescue_point_change {
	struct rescue_point_config config;
	struct rescue_point_settings settings;
	struct file *file;
	const struct nlattr *attribute;
	struct rescue_point *rp;
	struct rescue_point *old;
};

void rescue_point_config_free(struct rescue_point_config *config);
int rescue_point_add(struct rescue_point_config *config,
		     const struct rescue_point_settings *settings,
		     struct file *file, struct netlink_ext_ack *extack);
int rescue_point_rebind(struct rescue_point_config *config, struct file *file,
			struct netlink_ext_ack *extack);
/*
 * Calls @change for a copy of the settings of the rescue point called @name,
 * with the registry locked; they change if it answers 0.  What they own it may
 * replace, not free.
 */
int rescue_point_set(const char *name,
		     int (*change)(struct rescue_point_settings *settings,
				   void *data),
		     void *data, struct netlink_ext_ack *extack);
int rescue_point_inject(const char *name,
			const struct injection_order *order,
			struct netlink_ext_ack *extack);
int rescue_point_apply(struct rescue_point_change *changes, unsigned int n,
		       bool prune, struct netlink_ext_ack *extack);
int rescue_point_delete(const char *name, struct netlink_ext_ack *extack);
void rescue_point_delete_all(void);
void rescue_points_follow_switch(void);

/*
 * Calls @visit for the rescue point called @name, or for all from the
 * @skip-th on, with the registry locked; a non-zero answer ends it.
 */
int rescue_point_visit(const char *name, int skip,
		       int (*visit)(struct rescue_point *rp, void *data),
		       void *data);
/* What became of the file of @rp, for the visitor of a locked registry. */
enum reassure_file_state rescue_point_file_state(struct rescue_point *rp);
unsigned int rescue_point_count(void);
/* Changes whenever a rescue point comes, goes or gets other settings. */
unsigned int rescue_point_generation(void);

/**
 * rescue_point_settings() - the settings of this moment, which fit each other
 * @rp: the rescue point
 * @settings: receives them
 *
 * A call is judged by those of its entry, so they are copied there.
 */
static inline void
rescue_point_settings(struct rescue_point *rp,
		      struct rescue_point_settings *settings)
{
	unsigned int sequence;

	do {
		sequence = read_seqbegin(&rp->settings_lock);
		*settings = rp->settings;
	} while (read_seqretry(&rp->settings_lock, sequence));
}

/**
 * rescue_point_settings_meant() - the same, if they are meant for current
 * @rp: the rescue point
 * @settings: receives them
 *
 * Return: whether they are.
 */
static inline bool
rescue_point_settings_meant(struct rescue_point *rp,
			    struct rescue_point_settings *settings)
{
	bool meant;

	rcu_read_lock();
	rescue_point_settings(rp, settings);
	meant = !settings->cgroups ||
		cgroup_filter_means_current(settings->cgroups);
	rcu_read_unlock();
	return meant;
}

#endif
