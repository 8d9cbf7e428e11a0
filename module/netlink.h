/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_NETLINK_H
#define _REASSURE_NETLINK_H

int reassure_netlink_init(void);
void reassure_netlink_exit(void);

#endif
