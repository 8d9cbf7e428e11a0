/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_TEST_NETLINK_H
#define _REASSURE_TEST_NETLINK_H

#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

/**
 * struct answer - what the kernel says to a message
 * @error: 0 or a negative errno
 * @text: of the extended acknowledgment
 * @offset: in the message, of the attribute at fault; 0 for none
 * @messages: how many came beside the acknowledgment
 * @file_state: what the last of them says, or -1
 * @landings_probed: how many landings it says are probed
 * @injections_left: how many calls it says are to fault
 */
struct answer {
	int error;
	char text[256];
	unsigned int offset;
	unsigned int messages;
	int file_state;
	unsigned int landings_probed;
	unsigned int injections_left;
};

/**
 * struct channel - a socket to the module
 * @sock: the socket
 * @family: the family's number
 */
struct channel {
	struct nl_sock *sock;
	int family;
};

int channel_open(struct channel *channel);
void channel_close(struct channel *channel);
struct nl_msg *channel_message(const struct channel *channel, int command,
			       int flags);
void channel_send(struct channel *channel, struct nl_msg *msg,
		  struct answer *answer);
void channel_receive(struct channel *channel, struct answer *answer);

#endif
