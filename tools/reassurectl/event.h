/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_EVENT_H
#define REASSURECTL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/user.h>
#include <linux/types.h>

#include <reassure.h>

struct nlmsghdr;

/* An executable mapping of the program; the path may be unknown. */
struct event_mapping {
	__u64 start;
	__u64 end;
	__u64 offset;
	const __u8 *build_id;
	int build_id_size;
	const char *path;
};

/* A fault, as the kernel tells it. */
struct event {
	__u64 number;
	__u32 outcome;
	/* NULL outside of rescue points. */
	const char *name;
	/* For REASSURE_OUTCOME_REFUSED. */
	__u32 refusal;
	__u64 pages;
	__u64 duration_ns;
	__u64 time_ns;
	__u64 monotonic_ns;
	__u32 pid;
	__u32 tid;
	const char *command;
	/* Somebody asked for it, see reassurectl inject. */
	bool injected;
	/* NULL when it is too long. */
	const char *cgroup;
	__u64 cgroup_id;
	/* 0 for a deadline. */
	__u32 signal;
	__s32 code;
	bool has_address;
	__u64 address;
	struct user_regs_struct registers;
	__u64 stack_address;
	const __u8 *stack;
	size_t stack_size;
	struct event_mapping mappings[REASSURE_EVENT_MAPPINGS_MAX];
	size_t nr_mappings;
};

/* What it has of strings and bytes stays in the message. */
bool event_parse(struct nlmsghdr *header, struct event *event);
/* The mapping that has @address, or NULL. */
const struct event_mapping *event_mapping(const struct event *event,
					  __u64 address);
/* "SIGSEGV", or "deadline"; never NULL. */
const char *event_signal(const struct event *event);

#endif
