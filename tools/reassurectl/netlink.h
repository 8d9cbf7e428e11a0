/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_NETLINK_H
#define REASSURECTL_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include <reassure.h>

struct nl_msg;
struct nlmsghdr;
struct event;
struct add_options;
struct config;
struct inject_options;

/* What the kernel tells of the landings in one file. */
struct answered_landings {
	const char *path;
	__u32 count;
	__u32 probed;
	__u32 file_state;
};

/* A rescue point, or the module's status, as the kernel tells it. */
struct kernel_answer {
	const char *name;
	const char *path;
	const char *function;
	const char *version;
	__u64 offset;
	const __u8 *build_id;
	int build_id_size;
	__u32 file_state;
	bool has_value;
	__s64 value;
	__u64 signals;
	__u32 handled;
	__u32 shared;
	__u32 exhausted;
	bool allow_setuid;
	/* 0 for none. */
	__u32 deadline_ms;
	__u32 mode;
	bool enabled;
	__u32 threads;
	__u32 watchdog_ms;
	__u32 escalate;
	bool unlimited;
	__u32 budget_rescues;
	__u32 budget_seconds;
	/* 0 with a return probe. */
	__u32 exits;
	/* None for all. */
	const char *cgroups[REASSURE_CGROUPS_MAX];
	int nr_cgroups;
	struct answered_landings landings[REASSURE_LANDING_FILES_MAX];
	int nr_landings;
	/* 0 when no calls are to fault. */
	__u32 inject_signal;
	__u32 inject_count;
	__u32 inject_every;
	__u32 off;
	__u32 rescue_points;
	__u64 events;
	__u64 events_lost;
	__u64 counters[REASSURE_COUNTERS];
	__u64 refused[REASSURE_REFUSALS];
};

/* The landings in one file. */
struct file_landings {
	int fd;
	__u64 offsets[REASSURE_LANDINGS_MAX];
	size_t count;
};

/* Where a rescue point is. */
struct place {
	int fd;
	__u64 offset;
	const char *function;
	const __u8 *build_id;
	int build_id_size;
	/* None for a return probe. */
	__u64 exits[REASSURE_EXITS_MAX];
	size_t nr_exits;
	/* Where it is in the file; 0 for unknown. */
	__u64 build_id_offset;
	/* It is mapped before all libraries. */
	bool executable;
	struct file_landings landings[REASSURE_LANDING_FILES_MAX];
	size_t nr_landings;
};

/* Called for each answer; its strings live only as long as the call. */
typedef void (*answer_visitor)(const struct kernel_answer *answer, void *data);

/* Called for each event, which lives only as long; false when it wants no more. */
typedef bool (*event_visitor)(const struct event *event, void *data);

/* Called with how many events cannot be read any more; false likewise. */
typedef bool (*loss_visitor)(__u64 lost, void *data);

/* Each returns 0, or -1 after it has printed what is wrong. */
int kernel_add(const struct add_options *options, const char *name,
	       const struct place *place);
int kernel_set(const struct add_options *options);
int kernel_rebind(const char *name, const struct place *place);
int kernel_delete(const char *name);
int kernel_get(const char *name, answer_visitor visit, void *data);
int kernel_inject(const struct inject_options *options);
int kernel_list(answer_visitor visit, void *data);
int kernel_switch(bool on);
int kernel_status(answer_visitor visit, void *data);
/*
 * Visits all events from now on, until that answers false.  @await waits until
 * the descriptor can be read; false is the end, too.
 *
 * Return: 0; -ENODEV when there is no module, or no more; or another that is less.
 */
int kernel_monitor(event_visitor visit, loss_visitor visit_lost,
		   bool (*await)(int fd), void *data);

enum applied {
	APPLIED,
	APPLIED_NOTHING,
	/* The kernel was asked and its answer did not come. */
	APPLIED_PERHAPS,
};

/*
 * Makes the rescue points of @config, all of which are found, those that there
 * are, all or none; @prune: there are no others.
 *
 * Return: what has come of it; where it is not all, with an explanation in
 * @error and in @which the rescue point that it is of, if any.
 */
enum applied kernel_apply(const struct config *config, bool prune,
			  size_t *which, char *error);

/* For tests. */
bool netlink_put_add(struct nl_msg *msg, const struct add_options *options,
		     const char *name, const struct place *place);
bool netlink_put_apply(struct nl_msg *msg, const struct config *config,
		       bool prune);
bool netlink_put_set(struct nl_msg *msg, const struct add_options *options);
bool netlink_put_inject(struct nl_msg *msg,
			const struct inject_options *options);
bool netlink_put_place(struct nl_msg *msg, const char *name,
		       const struct place *place);
bool netlink_parse(struct nlmsghdr *header, struct kernel_answer *answer);
/* The number of the last event, where that is what is told; or 0. */
__u64 netlink_announced(struct nlmsghdr *header, int family);

#endif
