// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/reassure.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "reassure_nl.h"

#include <uapi/reassure.h>
#include <module/compat.h>

/* Integer value ranges */
static const struct netlink_range_validation reassure_a_budget_rescues_range = {
	.min	= 1ULL,
	.max	= REASSURE_BUDGET_MAX,
};

static const struct netlink_range_validation reassure_a_budget_seconds_range = {
	.min	= 1ULL,
	.max	= REASSURE_BUDGET_SECONDS_MAX,
};

static const struct netlink_range_validation reassure_a_deadline_range = {
	.max	= REASSURE_DEADLINE_MAX,
};

static const struct netlink_range_validation reassure_a_watchdog_range = {
	.min	= 1ULL,
	.max	= REASSURE_WATCHDOG_MAX,
};

static const struct netlink_range_validation reassure_a_escalate_range = {
	.max	= REASSURE_ESCALATE_MAX,
};

static const struct netlink_range_validation reassure_a_inject_count_range = {
	.min	= 1ULL,
	.max	= REASSURE_INJECT_MAX,
};

static const struct netlink_range_validation reassure_a_inject_every_range = {
	.min	= 1ULL,
	.max	= REASSURE_INJECT_MAX,
};

/* Common nested types */
const struct nla_policy reassure_cgroups_nl_policy[REASSURE_CGROUPS_PATH + 1] = {
	[REASSURE_CGROUPS_PATH] = { .type = NLA_STRING, },
};

const struct nla_policy reassure_landings_nl_policy[REASSURE_LANDINGS_PROBED + 1] = {
	[REASSURE_LANDINGS_FILE_FD] = { .type = NLA_S32, },
	[REASSURE_LANDINGS_OFFSETS] = { .type = NLA_BINARY, },
	[REASSURE_LANDINGS_PATH] = { .type = NLA_NUL_STRING, },
	[REASSURE_LANDINGS_FILE_STATE] = NLA_POLICY_MAX(NLA_U32, 2),
	[REASSURE_LANDINGS_PROBED] = { .type = NLA_U32, },
};

const struct nla_policy reassure_rescue_point_nl_policy[REASSURE_A_CGROUPS + 1] = {
	[REASSURE_A_NAME] = { .type = NLA_NUL_STRING, .len = REASSURE_NAME_MAX, },
	[REASSURE_A_FILE_FD] = { .type = NLA_S32, },
	[REASSURE_A_OFFSET] = { .type = NLA_U64, },
	[REASSURE_A_FUNCTION] = { .type = NLA_NUL_STRING, .len = REASSURE_FUNCTION_MAX, },
	[REASSURE_A_BUILD_ID] = { .type = NLA_BINARY, },
	[REASSURE_A_BUILD_ID_OFFSET] = { .type = NLA_U64, },
	[REASSURE_A_EXITS] = { .type = NLA_BINARY, },
	[REASSURE_A_LANDINGS] = { .type = NLA_INDEXED_ARRAY, },
	[REASSURE_A_EXECUTABLE] = { .type = NLA_FLAG, },
	[REASSURE_A_RETURN] = { .type = NLA_S64, },
	[REASSURE_A_SIGNALS] = { .type = NLA_U64, },
	[REASSURE_A_HANDLED] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_BUDGET_RESCUES] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_budget_rescues_range),
	[REASSURE_A_BUDGET_SECONDS] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_budget_seconds_range),
	[REASSURE_A_BUDGET_UNLIMITED] = { .type = NLA_FLAG, },
	[REASSURE_A_SHARED] = NLA_POLICY_MAX(NLA_U32, 2),
	[REASSURE_A_EXHAUSTED] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_DEADLINE] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_deadline_range),
	[REASSURE_A_ALLOW_SETUID] = NLA_POLICY_MAX(NLA_U8, 1),
	[REASSURE_A_WATCHDOG] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_watchdog_range),
	[REASSURE_A_ESCALATE] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_escalate_range),
	[REASSURE_A_THREADS] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
	[REASSURE_A_CGROUPS] = NLA_POLICY_NESTED(reassure_cgroups_nl_policy),
};

/* REASSURE_CMD_RESCUE_POINT_ADD - do */
static const struct nla_policy reassure_rescue_point_add_nl_policy[REASSURE_A_CGROUPS + 1] = {
	[REASSURE_A_NAME] = { .type = NLA_NUL_STRING, .len = REASSURE_NAME_MAX, },
	[REASSURE_A_FILE_FD] = { .type = NLA_S32, },
	[REASSURE_A_OFFSET] = { .type = NLA_U64, },
	[REASSURE_A_FUNCTION] = { .type = NLA_NUL_STRING, .len = REASSURE_FUNCTION_MAX, },
	[REASSURE_A_BUILD_ID] = { .type = NLA_BINARY, },
	[REASSURE_A_BUILD_ID_OFFSET] = { .type = NLA_U64, },
	[REASSURE_A_EXITS] = { .type = NLA_BINARY, },
	[REASSURE_A_LANDINGS] = { .type = NLA_INDEXED_ARRAY, },
	[REASSURE_A_EXECUTABLE] = { .type = NLA_FLAG, },
	[REASSURE_A_RETURN] = { .type = NLA_S64, },
	[REASSURE_A_SIGNALS] = { .type = NLA_U64, },
	[REASSURE_A_HANDLED] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_BUDGET_RESCUES] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_budget_rescues_range),
	[REASSURE_A_BUDGET_SECONDS] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_budget_seconds_range),
	[REASSURE_A_BUDGET_UNLIMITED] = { .type = NLA_FLAG, },
	[REASSURE_A_SHARED] = NLA_POLICY_MAX(NLA_U32, 2),
	[REASSURE_A_EXHAUSTED] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_DEADLINE] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_deadline_range),
	[REASSURE_A_ALLOW_SETUID] = NLA_POLICY_MAX(NLA_U8, 1),
	[REASSURE_A_WATCHDOG] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_watchdog_range),
	[REASSURE_A_ESCALATE] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_escalate_range),
	[REASSURE_A_THREADS] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
	[REASSURE_A_CGROUPS] = NLA_POLICY_NESTED(reassure_cgroups_nl_policy),
};

/* REASSURE_CMD_RESCUE_POINT_DEL - do */
static const struct nla_policy reassure_rescue_point_del_nl_policy[REASSURE_A_NAME + 1] = {
	[REASSURE_A_NAME] = { .type = NLA_NUL_STRING, .len = REASSURE_NAME_MAX, },
};

/* REASSURE_CMD_RESCUE_POINT_GET - do */
static const struct nla_policy reassure_rescue_point_get_nl_policy[REASSURE_A_NAME + 1] = {
	[REASSURE_A_NAME] = { .type = NLA_NUL_STRING, .len = REASSURE_NAME_MAX, },
};

/* REASSURE_CMD_RESCUE_POINT_SET - do */
static const struct nla_policy reassure_rescue_point_set_nl_policy[REASSURE_A_CGROUPS_ALL + 1] = {
	[REASSURE_A_NAME] = { .type = NLA_NUL_STRING, .len = REASSURE_NAME_MAX, },
	[REASSURE_A_RETURN] = { .type = NLA_S64, },
	[REASSURE_A_RETURN_VOID] = { .type = NLA_FLAG, },
	[REASSURE_A_SIGNALS] = { .type = NLA_U64, },
	[REASSURE_A_HANDLED] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_BUDGET_RESCUES] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_budget_rescues_range),
	[REASSURE_A_BUDGET_SECONDS] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_budget_seconds_range),
	[REASSURE_A_BUDGET_UNLIMITED] = { .type = NLA_FLAG, },
	[REASSURE_A_SHARED] = NLA_POLICY_MAX(NLA_U32, 2),
	[REASSURE_A_EXHAUSTED] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_DEADLINE] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_deadline_range),
	[REASSURE_A_ALLOW_SETUID] = NLA_POLICY_MAX(NLA_U8, 1),
	[REASSURE_A_WATCHDOG] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_watchdog_range),
	[REASSURE_A_ESCALATE] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_escalate_range),
	[REASSURE_A_THREADS] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[REASSURE_A_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
	[REASSURE_A_CGROUPS] = NLA_POLICY_NESTED(reassure_cgroups_nl_policy),
	[REASSURE_A_CGROUPS_ALL] = { .type = NLA_FLAG, },
};

/* REASSURE_CMD_RESCUE_POINT_REBIND - do */
static const struct nla_policy reassure_rescue_point_rebind_nl_policy[REASSURE_A_EXECUTABLE + 1] = {
	[REASSURE_A_NAME] = { .type = NLA_NUL_STRING, .len = REASSURE_NAME_MAX, },
	[REASSURE_A_FILE_FD] = { .type = NLA_S32, },
	[REASSURE_A_OFFSET] = { .type = NLA_U64, },
	[REASSURE_A_FUNCTION] = { .type = NLA_NUL_STRING, .len = REASSURE_FUNCTION_MAX, },
	[REASSURE_A_BUILD_ID] = { .type = NLA_BINARY, },
	[REASSURE_A_BUILD_ID_OFFSET] = { .type = NLA_U64, },
	[REASSURE_A_EXITS] = { .type = NLA_BINARY, },
	[REASSURE_A_LANDINGS] = { .type = NLA_INDEXED_ARRAY, },
	[REASSURE_A_EXECUTABLE] = { .type = NLA_FLAG, },
};

/* REASSURE_CMD_SWITCH - do */
static const struct nla_policy reassure_switch_nl_policy[REASSURE_A_ENABLED + 1] = {
	[REASSURE_A_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* REASSURE_CMD_EVENT_GET - dump */
static const struct nla_policy reassure_event_get_nl_policy[REASSURE_EVENT_NUMBER + 1] = {
	[REASSURE_EVENT_NUMBER] = { .type = NLA_U64, },
};

/* REASSURE_CMD_APPLY - do */
static const struct nla_policy reassure_apply_nl_policy[REASSURE_A_PRUNE + 1] = {
	[REASSURE_A_RESCUE_POINT] = NLA_POLICY_NESTED(reassure_rescue_point_nl_policy),
	[REASSURE_A_PRUNE] = { .type = NLA_FLAG, },
};

/* REASSURE_CMD_INJECT - do */
static const struct nla_policy reassure_inject_nl_policy[REASSURE_A_INJECT_OFF + 1] = {
	[REASSURE_A_NAME] = { .type = NLA_NUL_STRING, .len = REASSURE_NAME_MAX, },
	[REASSURE_A_INJECT_SIGNAL] = { .type = NLA_U32, },
	[REASSURE_A_INJECT_COUNT] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_inject_count_range),
	[REASSURE_A_INJECT_EVERY] = NLA_POLICY_FULL_RANGE(NLA_U32, &reassure_a_inject_every_range),
	[REASSURE_A_INJECT_OFF] = { .type = NLA_FLAG, },
};

/* Ops table for reassure */
const struct genl_split_ops reassure_nl_ops[12] = {
	{
		.cmd		= REASSURE_CMD_RESCUE_POINT_ADD,
		.doit		= reassure_nl_rescue_point_add_doit,
		.policy		= reassure_rescue_point_add_nl_policy,
		.maxattr	= REASSURE_A_CGROUPS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= REASSURE_CMD_RESCUE_POINT_DEL,
		.doit		= reassure_nl_rescue_point_del_doit,
		.policy		= reassure_rescue_point_del_nl_policy,
		.maxattr	= REASSURE_A_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= REASSURE_CMD_RESCUE_POINT_FLUSH,
		.doit	= reassure_nl_rescue_point_flush_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= REASSURE_CMD_RESCUE_POINT_GET,
		.doit		= reassure_nl_rescue_point_get_doit,
		.policy		= reassure_rescue_point_get_nl_policy,
		.maxattr	= REASSURE_A_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= REASSURE_CMD_RESCUE_POINT_GET,
		.start	= reassure_nl_rescue_point_get_start,
		.dumpit	= reassure_nl_rescue_point_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= REASSURE_CMD_STATUS_GET,
		.doit	= reassure_nl_status_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= REASSURE_CMD_RESCUE_POINT_SET,
		.doit		= reassure_nl_rescue_point_set_doit,
		.policy		= reassure_rescue_point_set_nl_policy,
		.maxattr	= REASSURE_A_CGROUPS_ALL,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= REASSURE_CMD_RESCUE_POINT_REBIND,
		.doit		= reassure_nl_rescue_point_rebind_doit,
		.policy		= reassure_rescue_point_rebind_nl_policy,
		.maxattr	= REASSURE_A_EXECUTABLE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= REASSURE_CMD_SWITCH,
		.doit		= reassure_nl_switch_doit,
		.policy		= reassure_switch_nl_policy,
		.maxattr	= REASSURE_A_ENABLED,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= REASSURE_CMD_EVENT_GET,
		.start		= reassure_nl_event_get_start,
		.dumpit		= reassure_nl_event_get_dumpit,
		.policy		= reassure_event_get_nl_policy,
		.maxattr	= REASSURE_EVENT_NUMBER,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= REASSURE_CMD_APPLY,
		.doit		= reassure_nl_apply_doit,
		.policy		= reassure_apply_nl_policy,
		.maxattr	= REASSURE_A_PRUNE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= REASSURE_CMD_INJECT,
		.doit		= reassure_nl_inject_doit,
		.policy		= reassure_inject_nl_policy,
		.maxattr	= REASSURE_A_INJECT_OFF,
		.flags		= GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group reassure_nl_mcgrps[] = {
	[REASSURE_NLGRP_EVENTS] = { "events", },
};
