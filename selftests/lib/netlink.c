// SPDX-License-Identifier: GPL-2.0
/*
 * Talking to the module.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "../../uapi/reassure.h"
#include "netlink.h"

/**
 * channel_open() - open a socket to the module
 * @channel: the socket
 *
 * Return: 0; a negative errno, -ENOENT when the module is not loaded.
 */
int channel_open(struct channel *channel)
{
	int one = 1;

	channel->sock = nl_socket_alloc();
	if (!channel->sock)
		return -ENOMEM;
	if (genl_connect(channel->sock)) {
		channel_close(channel);
		return -EPROTO;
	}
	setsockopt(nl_socket_get_fd(channel->sock), SOL_NETLINK,
		   NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl_socket_get_fd(channel->sock), SOL_NETLINK,
		   NETLINK_CAP_ACK, &one, sizeof(one));
	channel->family = genl_ctrl_resolve(channel->sock, REASSURE_GENL_NAME);
	if (channel->family < 0) {
		channel_close(channel);
		return -ENOENT;
	}
	return 0;
}

void channel_close(struct channel *channel)
{
	nl_socket_free(channel->sock);
	channel->sock = NULL;
}

struct nl_msg *channel_message(const struct channel *channel, int command,
			       int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(16384);

	if (msg)
		genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, channel->family, 0,
			    flags, command, REASSURE_GENL_VERSION);
	return msg;
}

static void read_extack(struct nlmsghdr *header, size_t skip,
			struct answer *answer)
{
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    nlmsg_parse(header, skip, attrs, NLMSGERR_ATTR_MAX, NULL))
		return;
	if (attrs[NLMSGERR_ATTR_MSG])
		nla_strlcpy(answer->text, attrs[NLMSGERR_ATTR_MSG],
			    sizeof(answer->text));
	if (attrs[NLMSGERR_ATTR_OFFS])
		answer->offset = nla_get_u32(attrs[NLMSGERR_ATTR_OFFS]);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct nlmsghdr *header = (struct nlmsghdr *)error - 1;
	struct answer *answer = arg;

	answer->error = error->error;
	/* NETLINK_CAP_ACK: the message itself does not come back. */
	read_extack(header, sizeof(*error), answer);
	return NL_STOP;
}

/* It may have a warning. */
static int on_ack(struct nl_msg *msg, void *arg)
{
	read_extack(nlmsg_hdr(msg), sizeof(struct nlmsgerr), arg);
	return NL_STOP;
}

static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct answer *answer = arg;

	if (nlmsg_datalen(header) >= (int)sizeof(int))
		answer->error = *(int *)nlmsg_data(header);
	read_extack(header, sizeof(int), answer);
	return NL_STOP;
}

static unsigned int count_probed(struct nlattr *all)
{
	struct nlattr *attrs[REASSURE_LANDINGS_ATTRIBUTE_MAX + 1], *nest;
	unsigned int probed = 0;
	int rest;

	nla_for_each_nested(nest, all, rest)
		if (!nla_parse_nested(attrs, REASSURE_LANDINGS_ATTRIBUTE_MAX,
				      nest, NULL) &&
		    attrs[REASSURE_LANDINGS_PROBED])
			probed += nla_get_u32(attrs[REASSURE_LANDINGS_PROBED]);
	return probed;
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[REASSURE_A_MAX + 1];
	struct answer *answer = arg;

	answer->messages++;
	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, REASSURE_A_MAX, NULL))
		return NL_OK;
	if (attrs[REASSURE_A_FILE_STATE])
		answer->file_state = nla_get_u32(attrs[REASSURE_A_FILE_STATE]);
	if (attrs[REASSURE_A_LANDINGS])
		answer->landings_probed =
			count_probed(attrs[REASSURE_A_LANDINGS]);
	if (attrs[REASSURE_A_INJECT_COUNT])
		answer->injections_left =
			nla_get_u32(attrs[REASSURE_A_INJECT_COUNT]);
	return NL_OK;
}

/**
 * channel_receive() - await what the kernel says to a message
 * @channel: the socket
 * @answer: receives the answer; error -ENOBUFS when the kernel had no memory
 *	for it
 */
void channel_receive(struct channel *channel, struct answer *answer)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	memset(answer, 0, sizeof(*answer));
	answer->file_state = -1;
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, answer);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, answer);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, answer);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, answer);
	ret = nl_recvmsgs(channel->sock, cb);
	if (ret < 0 && !answer->error)
		answer->error = ret == -NLE_NOMEM ? -ENOBUFS : -EPROTO;
	nl_cb_put(cb);
}

/**
 * channel_send() - send a message and await what the kernel says
 * @channel: the socket
 * @msg: the message, which is freed
 * @answer: receives the answer
 */
void channel_send(struct channel *channel, struct nl_msg *msg,
		  struct answer *answer)
{
	if (nl_send_auto(channel->sock, msg) < 0) {
		memset(answer, 0, sizeof(*answer));
		answer->error = -EPROTO;
	} else {
		channel_receive(channel, answer);
	}
	nlmsg_free(msg);
}
