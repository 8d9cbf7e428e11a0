// SPDX-License-Identifier: GPL-2.0
/* What the module tells of a fault. */
#include <signal.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "event.h"

static bool parse_mapping(struct nlattr *nest, struct event_mapping *mapping)
{
	static struct nla_policy policy[REASSURE_MAPPING_MAX + 1] = {
		[REASSURE_MAPPING_START] = { .type = NLA_U64 },
		[REASSURE_MAPPING_END] = { .type = NLA_U64 },
		[REASSURE_MAPPING_OFFSET] = { .type = NLA_U64 },
		[REASSURE_MAPPING_PATH] = { .type = NLA_STRING },
	};
	struct nlattr *attrs[REASSURE_MAPPING_MAX + 1];

	if (nla_parse_nested(attrs, REASSURE_MAPPING_MAX, nest, policy) ||
	    !attrs[REASSURE_MAPPING_START] || !attrs[REASSURE_MAPPING_END] ||
	    !attrs[REASSURE_MAPPING_OFFSET])
		return false;
	mapping->start = nla_get_u64(attrs[REASSURE_MAPPING_START]);
	mapping->end = nla_get_u64(attrs[REASSURE_MAPPING_END]);
	mapping->offset = nla_get_u64(attrs[REASSURE_MAPPING_OFFSET]);
	if (attrs[REASSURE_MAPPING_PATH])
		mapping->path = nla_get_string(attrs[REASSURE_MAPPING_PATH]);
	if (attrs[REASSURE_MAPPING_BUILD_ID]) {
		mapping->build_id = nla_data(attrs[REASSURE_MAPPING_BUILD_ID]);
		mapping->build_id_size =
			nla_len(attrs[REASSURE_MAPPING_BUILD_ID]);
		if (mapping->build_id_size > REASSURE_BUILD_ID_MAX)
			mapping->build_id_size = 0;
	}
	return true;
}

static void parse_mappings(struct nlattr *all, struct event *event)
{
	struct nlattr *nest;
	int rest;

	nla_for_each_nested(nest, all, rest)
		if (event->nr_mappings < REASSURE_EVENT_MAPPINGS_MAX &&
		    parse_mapping(nest, &event->mappings[event->nr_mappings]))
			event->nr_mappings++;
}

static __u64 get_u64(struct nlattr *attribute)
{
	return attribute ? nla_get_u64(attribute) : 0;
}

static __u32 get_u32(struct nlattr *attribute)
{
	return attribute ? nla_get_u32(attribute) : 0;
}

static const char *get_string(struct nlattr *attribute)
{
	return attribute ? nla_get_string(attribute) : NULL;
}

bool event_parse(struct nlmsghdr *header, struct event *event)
{
	static struct nla_policy policy[REASSURE_EVENT_MAX + 1] = {
		[REASSURE_EVENT_NUMBER] = { .type = NLA_U64 },
		[REASSURE_EVENT_OUTCOME] = { .type = NLA_U32 },
		[REASSURE_EVENT_NAME] = { .type = NLA_STRING },
		[REASSURE_EVENT_REFUSAL] = { .type = NLA_U32 },
		[REASSURE_EVENT_PAGES] = { .type = NLA_U64 },
		[REASSURE_EVENT_DURATION] = { .type = NLA_U64 },
		[REASSURE_EVENT_TIME] = { .type = NLA_U64 },
		[REASSURE_EVENT_MONOTONIC] = { .type = NLA_U64 },
		[REASSURE_EVENT_PID] = { .type = NLA_U32 },
		[REASSURE_EVENT_TID] = { .type = NLA_U32 },
		[REASSURE_EVENT_COMMAND] = { .type = NLA_STRING },
		[REASSURE_EVENT_CGROUP] = { .type = NLA_STRING },
		[REASSURE_EVENT_CGROUP_ID] = { .type = NLA_U64 },
		[REASSURE_EVENT_SIGNAL] = { .type = NLA_U32 },
		[REASSURE_EVENT_CODE] = { .type = NLA_S32 },
		[REASSURE_EVENT_ADDRESS] = { .type = NLA_U64 },
		[REASSURE_EVENT_STACK_ADDRESS] = { .type = NLA_U64 },
		[REASSURE_EVENT_MAPPINGS] = { .type = NLA_NESTED },
		[REASSURE_EVENT_INJECTED] = { .type = NLA_FLAG },
	};
	struct nlattr *attrs[REASSURE_EVENT_MAX + 1];

	memset(event, 0, sizeof(*event));
	if (genlmsg_parse(header, 0, attrs, REASSURE_EVENT_MAX, policy) ||
	    !attrs[REASSURE_EVENT_NUMBER] || !attrs[REASSURE_EVENT_OUTCOME])
		return false;
	event->number = get_u64(attrs[REASSURE_EVENT_NUMBER]);
	event->outcome = get_u32(attrs[REASSURE_EVENT_OUTCOME]);
	event->name = get_string(attrs[REASSURE_EVENT_NAME]);
	event->refusal = get_u32(attrs[REASSURE_EVENT_REFUSAL]);
	event->pages = get_u64(attrs[REASSURE_EVENT_PAGES]);
	event->duration_ns = get_u64(attrs[REASSURE_EVENT_DURATION]);
	event->time_ns = get_u64(attrs[REASSURE_EVENT_TIME]);
	event->monotonic_ns = get_u64(attrs[REASSURE_EVENT_MONOTONIC]);
	event->pid = get_u32(attrs[REASSURE_EVENT_PID]);
	event->tid = get_u32(attrs[REASSURE_EVENT_TID]);
	event->command = get_string(attrs[REASSURE_EVENT_COMMAND]);
	event->cgroup = get_string(attrs[REASSURE_EVENT_CGROUP]);
	event->cgroup_id = get_u64(attrs[REASSURE_EVENT_CGROUP_ID]);
	event->signal = get_u32(attrs[REASSURE_EVENT_SIGNAL]);
	event->injected = attrs[REASSURE_EVENT_INJECTED];
	if (attrs[REASSURE_EVENT_CODE])
		event->code = nla_get_s32(attrs[REASSURE_EVENT_CODE]);
	event->has_address = attrs[REASSURE_EVENT_ADDRESS];
	event->address = get_u64(attrs[REASSURE_EVENT_ADDRESS]);
	if (attrs[REASSURE_EVENT_REGISTERS])
		nla_memcpy(&event->registers, attrs[REASSURE_EVENT_REGISTERS],
			   sizeof(event->registers));
	event->stack_address = get_u64(attrs[REASSURE_EVENT_STACK_ADDRESS]);
	if (attrs[REASSURE_EVENT_STACK]) {
		event->stack = nla_data(attrs[REASSURE_EVENT_STACK]);
		event->stack_size = nla_len(attrs[REASSURE_EVENT_STACK]);
	}
	if (attrs[REASSURE_EVENT_MAPPINGS])
		parse_mappings(attrs[REASSURE_EVENT_MAPPINGS], event);
	return event->outcome <= REASSURE_OUTCOME_MAX;
}

const struct event_mapping *event_mapping(const struct event *event,
					  __u64 address)
{
	size_t i;

	for (i = 0; i < event->nr_mappings; i++)
		if (address >= event->mappings[i].start &&
		    address < event->mappings[i].end)
			return &event->mappings[i];
	return NULL;
}

const char *event_signal(const struct event *event)
{
	switch (event->signal) {
	case 0:
		return "deadline";
	case SIGILL:
		return "SIGILL";
	case SIGTRAP:
		return "SIGTRAP";
	case SIGABRT:
		return "SIGABRT";
	case SIGBUS:
		return "SIGBUS";
	case SIGFPE:
		return "SIGFPE";
	case SIGSEGV:
		return "SIGSEGV";
	case SIGSYS:
		return "SIGSYS";
	default:
		return "signal";
	}
}
