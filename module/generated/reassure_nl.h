/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/reassure.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_REASSURE_GEN_H
#define _LINUX_REASSURE_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/reassure.h>
#include <module/compat.h>

/* Common nested types */
extern const struct nla_policy reassure_cgroups_nl_policy[REASSURE_CGROUPS_PATH + 1];
extern const struct nla_policy reassure_landings_nl_policy[REASSURE_LANDINGS_PROBED + 1];
extern const struct nla_policy reassure_rescue_point_nl_policy[REASSURE_A_CGROUPS + 1];

/* Ops table for reassure */
extern const struct genl_split_ops reassure_nl_ops[12];

int reassure_nl_rescue_point_get_start(struct netlink_callback *cb);
int reassure_nl_event_get_start(struct netlink_callback *cb);

int reassure_nl_rescue_point_add_doit(struct sk_buff *skb,
				      struct genl_info *info);
int reassure_nl_rescue_point_del_doit(struct sk_buff *skb,
				      struct genl_info *info);
int reassure_nl_rescue_point_flush_doit(struct sk_buff *skb,
					struct genl_info *info);
int reassure_nl_rescue_point_get_doit(struct sk_buff *skb,
				      struct genl_info *info);
int reassure_nl_rescue_point_get_dumpit(struct sk_buff *skb,
					struct netlink_callback *cb);
int reassure_nl_status_get_doit(struct sk_buff *skb, struct genl_info *info);
int reassure_nl_rescue_point_set_doit(struct sk_buff *skb,
				      struct genl_info *info);
int reassure_nl_rescue_point_rebind_doit(struct sk_buff *skb,
					 struct genl_info *info);
int reassure_nl_switch_doit(struct sk_buff *skb, struct genl_info *info);
int reassure_nl_event_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int reassure_nl_apply_doit(struct sk_buff *skb, struct genl_info *info);
int reassure_nl_inject_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	REASSURE_NLGRP_EVENTS,
};

#endif /* _LINUX_REASSURE_GEN_H */
