/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_NETLINK_H
#define _REASSURE_NETLINK_H

#include <linux/types.h>

/* Whether anybody wants to hear of events. */
bool netlink_events_have_listeners(void);
/* Tells them that there is a new one; the family is registered. */
void netlink_announce_event(u64 number);

int reassure_netlink_init(void);
void reassure_netlink_exit(void);

#endif
