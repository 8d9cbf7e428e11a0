// SPDX-License-Identifier: GPL-2.0
/* Talking to the module. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "config.h"
#include "event.h"
#include "inject.h"
#include "netlink.h"
#include "parse.h"
#include "reassurectl.h"

/* A rescue point with the longest names that there are, in a message. */
#define MESSAGE_BYTES 65536

#define NOT_LOADED \
	"the reassure module is not loaded: load it with insmod or modprobe"

/* How often a list that changed while it was read is read again. */
#define DUMP_ATTEMPTS 64

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

struct connection {
	struct nl_sock *socket;
	int family;
};

struct request {
	/* What is asked for, for messages; the name may be NULL. */
	const char *verb;
	const char *name;
	answer_visitor visit;
	void *data;
	/*
	 * What the kernel answered: a negative errno, its explanation and where
	 * in the message the attribute is that is at fault, or 0.
	 */
	int error;
	char text[256];
	size_t offset;
	bool sent;
	bool done;
};

static bool put_cgroups(struct nl_msg *msg, const struct add_options *options)
{
	struct nlattr *nest;
	size_t i;

	if (!options->nr_cgroups)
		return true;
	nest = nla_nest_start(msg, REASSURE_A_CGROUPS | NLA_F_NESTED);
	if (!nest)
		return false;
	for (i = 0; i < options->nr_cgroups; i++)
		if (nla_put_string(msg, REASSURE_CGROUPS_PATH,
				   options->cgroups[i]))
			return false;
	nla_nest_end(msg, nest);
	return true;
}

/* What was given on the command line. */
static bool put_settings(struct nl_msg *msg, const struct add_options *options)
{
	if (options->has_value &&
	    nla_put_s64(msg, REASSURE_A_RETURN, options->value))
		return false;
	if (options->signals &&
	    nla_put_u64(msg, REASSURE_A_SIGNALS, options->signals))
		return false;
	if (options->has_handled &&
	    nla_put_u32(msg, REASSURE_A_HANDLED, options->handled))
		return false;
	if (options->has_shared &&
	    nla_put_u32(msg, REASSURE_A_SHARED, options->shared))
		return false;
	if (options->has_exhausted &&
	    nla_put_u32(msg, REASSURE_A_EXHAUSTED, options->exhausted))
		return false;
	if (options->has_allow_setuid &&
	    nla_put_u8(msg, REASSURE_A_ALLOW_SETUID, options->allow_setuid))
		return false;
	if (options->has_enabled &&
	    nla_put_u8(msg, REASSURE_A_ENABLED, options->enabled))
		return false;
	if (options->has_mode &&
	    nla_put_u32(msg, REASSURE_A_MODE, options->mode))
		return false;
	if (options->has_threads &&
	    nla_put_u32(msg, REASSURE_A_THREADS, options->threads))
		return false;
	if (options->watchdog_ms &&
	    nla_put_u32(msg, REASSURE_A_WATCHDOG, options->watchdog_ms))
		return false;
	if (options->has_escalate &&
	    nla_put_u32(msg, REASSURE_A_ESCALATE, options->escalate))
		return false;
	if (!put_cgroups(msg, options))
		return false;
	if (options->unlimited)
		return !nla_put_flag(msg, REASSURE_A_BUDGET_UNLIMITED);
	if (!options->budget_rescues)
		return true;
	return !nla_put_u32(msg, REASSURE_A_BUDGET_RESCUES,
			    options->budget_rescues) &&
	       !nla_put_u32(msg, REASSURE_A_BUDGET_SECONDS,
			    options->budget_seconds);
}

static bool put_landings(struct nl_msg *msg, const struct place *place)
{
	struct nlattr *all, *nest;
	size_t i;

	if (!place->nr_landings)
		return true;
	all = nla_nest_start(msg, REASSURE_A_LANDINGS | NLA_F_NESTED);
	if (!all)
		return false;
	for (i = 0; i < place->nr_landings; i++) {
		const struct file_landings *file = &place->landings[i];

		nest = nla_nest_start(msg, (i + 1) | NLA_F_NESTED);
		if (!nest ||
		    nla_put_s32(msg, REASSURE_LANDINGS_FILE_FD, file->fd) ||
		    nla_put(msg, REASSURE_LANDINGS_OFFSETS,
			    file->count * sizeof(*file->offsets),
			    file->offsets))
			return false;
		nla_nest_end(msg, nest);
	}
	nla_nest_end(msg, all);
	return !place->executable ||
	       !nla_put_flag(msg, REASSURE_A_EXECUTABLE);
}

bool netlink_put_place(struct nl_msg *msg, const char *name,
		       const struct place *place)
{
	if (nla_put_string(msg, REASSURE_A_NAME, name) ||
	    nla_put_s32(msg, REASSURE_A_FILE_FD, place->fd) ||
	    nla_put_u64(msg, REASSURE_A_OFFSET, place->offset))
		return false;
	if (place->function &&
	    nla_put_string(msg, REASSURE_A_FUNCTION, place->function))
		return false;
	if (place->nr_exits &&
	    nla_put(msg, REASSURE_A_EXITS,
		    place->nr_exits * sizeof(*place->exits), place->exits))
		return false;
	if (!put_landings(msg, place))
		return false;
	if (!place->build_id_size)
		return true;
	if (nla_put(msg, REASSURE_A_BUILD_ID, place->build_id_size,
		    place->build_id))
		return false;
	return !place->build_id_offset ||
	       !nla_put_u64(msg, REASSURE_A_BUILD_ID_OFFSET,
			    place->build_id_offset);
}

bool netlink_put_add(struct nl_msg *msg, const struct add_options *options,
		     const char *name, const struct place *place)
{
	/* What is not said is none. */
	if (options->deadline_ms &&
	    nla_put_u32(msg, REASSURE_A_DEADLINE, options->deadline_ms))
		return false;
	return netlink_put_place(msg, name, place) &&
	       put_settings(msg, options);
}

bool netlink_put_apply(struct nl_msg *msg, const struct config *config,
		       bool prune)
{
	const struct config_point *point;
	struct nlattr *nest;
	size_t i;

	for (i = 0; i < config->nr_points; i++) {
		point = config->points[i];
		nest = nla_nest_start(msg, REASSURE_A_RESCUE_POINT |
				      NLA_F_NESTED);
		if (!nest || !netlink_put_add(msg, &point->options,
					      point->options.name,
					      &point->place))
			return false;
		nla_nest_end(msg, nest);
	}
	return !prune || !nla_put_flag(msg, REASSURE_A_PRUNE);
}

bool netlink_put_set(struct nl_msg *msg, const struct add_options *options)
{
	if (nla_put_string(msg, REASSURE_A_NAME, options->name))
		return false;
	if (options->has_return && !options->has_value &&
	    nla_put_flag(msg, REASSURE_A_RETURN_VOID))
		return false;
	if (options->has_deadline &&
	    nla_put_u32(msg, REASSURE_A_DEADLINE, options->deadline_ms))
		return false;
	if (options->all_cgroups &&
	    nla_put_flag(msg, REASSURE_A_CGROUPS_ALL))
		return false;
	return put_settings(msg, options);
}

bool netlink_put_inject(struct nl_msg *msg, const struct inject_options *options)
{
	if (nla_put_string(msg, REASSURE_A_NAME, options->name))
		return false;
	if (!options->signal)
		return !nla_put_flag(msg, REASSURE_A_INJECT_OFF);
	if (nla_put_u32(msg, REASSURE_A_INJECT_SIGNAL, options->signal))
		return false;
	return !(options->every ?
		 nla_put_u32(msg, REASSURE_A_INJECT_EVERY, options->every) :
		 nla_put_u32(msg, REASSURE_A_INJECT_COUNT, options->count));
}

static void parse_counters(struct nlattr *nest, __u64 *values, int count)
{
	struct nlattr *attribute;
	int rest, type;

	if (!nest)
		return;
	nla_for_each_nested(attribute, nest, rest) {
		type = nla_type(attribute);
		/* A newer module may count more. */
		if (type >= 1 && type <= count &&
		    nla_len(attribute) == sizeof(__u64))
			values[type - 1] = nla_get_u64(attribute);
	}
}

static const char *get_string(struct nlattr *attribute)
{
	return attribute ? nla_get_string(attribute) : NULL;
}

static void parse_landings(struct nlattr *nest, struct kernel_answer *answer)
{
	static struct nla_policy policy[REASSURE_LANDINGS_ATTRIBUTE_MAX + 1] = {
		[REASSURE_LANDINGS_PATH] = { .type = NLA_STRING },
		[REASSURE_LANDINGS_FILE_STATE] = { .type = NLA_U32 },
		[REASSURE_LANDINGS_PROBED] = { .type = NLA_U32 },
	};
	struct nlattr *attrs[REASSURE_LANDINGS_ATTRIBUTE_MAX + 1], *file;
	struct answered_landings *landings;
	int rest;

	nla_for_each_nested(file, nest, rest) {
		if (answer->nr_landings == REASSURE_LANDING_FILES_MAX ||
		    nla_parse_nested(attrs, REASSURE_LANDINGS_ATTRIBUTE_MAX,
				     file, policy))
			return;
		landings = &answer->landings[answer->nr_landings++];
		landings->path = get_string(attrs[REASSURE_LANDINGS_PATH]);
		if (attrs[REASSURE_LANDINGS_OFFSETS])
			landings->count =
				nla_len(attrs[REASSURE_LANDINGS_OFFSETS]) /
				sizeof(__u64);
		if (attrs[REASSURE_LANDINGS_PROBED])
			landings->probed =
				nla_get_u32(attrs[REASSURE_LANDINGS_PROBED]);
		if (attrs[REASSURE_LANDINGS_FILE_STATE])
			landings->file_state =
				nla_get_u32(attrs[REASSURE_LANDINGS_FILE_STATE]);
		if (landings->file_state > REASSURE_FILE_MAX)
			landings->file_state = REASSURE_FILE_REWRITTEN;
	}
}

static void parse_cgroups(struct nlattr *nest, struct kernel_answer *answer)
{
	struct nlattr *attribute;
	int rest;

	nla_for_each_nested(attribute, nest, rest) {
		/* An unterminated string is not of this module. */
		if (answer->nr_cgroups == REASSURE_CGROUPS_MAX ||
		    nla_type(attribute) != REASSURE_CGROUPS_PATH ||
		    !memchr(nla_data(attribute), 0, nla_len(attribute)))
			return;
		answer->cgroups[answer->nr_cgroups++] =
			nla_get_string(attribute);
	}
}

bool netlink_parse(struct nlmsghdr *header, struct kernel_answer *answer)
{
	static struct nla_policy policy[REASSURE_A_MAX + 1] = {
		[REASSURE_A_NAME] = { .type = NLA_STRING },
		[REASSURE_A_PATH] = { .type = NLA_STRING },
		[REASSURE_A_FUNCTION] = { .type = NLA_STRING },
		[REASSURE_A_MODULE_VERSION] = { .type = NLA_STRING },
		[REASSURE_A_OFFSET] = { .type = NLA_U64 },
		[REASSURE_A_RETURN] = { .type = NLA_S64 },
		[REASSURE_A_SIGNALS] = { .type = NLA_U64 },
		[REASSURE_A_HANDLED] = { .type = NLA_U32 },
		[REASSURE_A_SHARED] = { .type = NLA_U32 },
		[REASSURE_A_THREADS] = { .type = NLA_U32 },
		[REASSURE_A_MODE] = { .type = NLA_U32 },
		[REASSURE_A_ENABLED] = { .type = NLA_U8 },
		[REASSURE_A_OFF] = { .type = NLA_U32 },
		[REASSURE_A_BUDGET_RESCUES] = { .type = NLA_U32 },
		[REASSURE_A_BUDGET_SECONDS] = { .type = NLA_U32 },
		[REASSURE_A_FILE_STATE] = { .type = NLA_U32 },
		[REASSURE_A_RESCUE_POINTS] = { .type = NLA_U32 },
		[REASSURE_A_EVENTS] = { .type = NLA_U64 },
		[REASSURE_A_EVENTS_LOST] = { .type = NLA_U64 },
		[REASSURE_A_COUNTERS] = { .type = NLA_NESTED },
		[REASSURE_A_REFUSED] = { .type = NLA_NESTED },
		[REASSURE_A_LANDINGS] = { .type = NLA_NESTED },
		[REASSURE_A_CGROUPS] = { .type = NLA_NESTED },
		[REASSURE_A_INJECT_SIGNAL] = { .type = NLA_U32 },
		[REASSURE_A_INJECT_COUNT] = { .type = NLA_U32 },
		[REASSURE_A_INJECT_EVERY] = { .type = NLA_U32 },
	};
	struct nlattr *attrs[REASSURE_A_MAX + 1];

	memset(answer, 0, sizeof(*answer));
	if (genlmsg_parse(header, 0, attrs, REASSURE_A_MAX, policy))
		return false;
	/* Only the status is of nothing that has a name. */
	answer->name = get_string(attrs[REASSURE_A_NAME]);
	answer->path = get_string(attrs[REASSURE_A_PATH]);
	answer->function = get_string(attrs[REASSURE_A_FUNCTION]);
	answer->version = get_string(attrs[REASSURE_A_MODULE_VERSION]);
	if (attrs[REASSURE_A_OFFSET])
		answer->offset = nla_get_u64(attrs[REASSURE_A_OFFSET]);
	if (attrs[REASSURE_A_BUILD_ID]) {
		answer->build_id = nla_data(attrs[REASSURE_A_BUILD_ID]);
		answer->build_id_size = nla_len(attrs[REASSURE_A_BUILD_ID]);
	}
	if (attrs[REASSURE_A_FILE_STATE])
		answer->file_state = nla_get_u32(attrs[REASSURE_A_FILE_STATE]);
	answer->has_value = attrs[REASSURE_A_RETURN];
	if (answer->has_value)
		answer->value = nla_get_s64(attrs[REASSURE_A_RETURN]);
	if (attrs[REASSURE_A_SIGNALS])
		answer->signals = nla_get_u64(attrs[REASSURE_A_SIGNALS]);
	if (attrs[REASSURE_A_HANDLED])
		answer->handled = nla_get_u32(attrs[REASSURE_A_HANDLED]);
	if (attrs[REASSURE_A_SHARED])
		answer->shared = nla_get_u32(attrs[REASSURE_A_SHARED]);
	if (attrs[REASSURE_A_EXHAUSTED])
		answer->exhausted = nla_get_u32(attrs[REASSURE_A_EXHAUSTED]);
	if (attrs[REASSURE_A_ALLOW_SETUID])
		answer->allow_setuid =
			nla_get_u8(attrs[REASSURE_A_ALLOW_SETUID]);
	if (attrs[REASSURE_A_DEADLINE])
		answer->deadline_ms = nla_get_u32(attrs[REASSURE_A_DEADLINE]);
	if (attrs[REASSURE_A_ENABLED])
		answer->enabled = nla_get_u8(attrs[REASSURE_A_ENABLED]);
	if (attrs[REASSURE_A_OFF])
		answer->off = nla_get_u32(attrs[REASSURE_A_OFF]);
	if (attrs[REASSURE_A_MODE])
		answer->mode = nla_get_u32(attrs[REASSURE_A_MODE]);
	if (attrs[REASSURE_A_THREADS])
		answer->threads = nla_get_u32(attrs[REASSURE_A_THREADS]);
	if (attrs[REASSURE_A_WATCHDOG])
		answer->watchdog_ms = nla_get_u32(attrs[REASSURE_A_WATCHDOG]);
	if (attrs[REASSURE_A_ESCALATE])
		answer->escalate = nla_get_u32(attrs[REASSURE_A_ESCALATE]);
	if (attrs[REASSURE_A_CGROUPS])
		parse_cgroups(attrs[REASSURE_A_CGROUPS], answer);
	if (attrs[REASSURE_A_EXITS])
		answer->exits = nla_len(attrs[REASSURE_A_EXITS]) / sizeof(__u64);
	if (attrs[REASSURE_A_LANDINGS])
		parse_landings(attrs[REASSURE_A_LANDINGS], answer);
	if (answer->handled > REASSURE_HANDLED_MAX ||
	    answer->shared > REASSURE_SHARED_MAX ||
	    answer->exhausted > REASSURE_EXHAUSTED_MAX ||
	    answer->mode > REASSURE_MODE_MAX ||
	    answer->off > REASSURE_OFF_MAX ||
	    answer->threads > REASSURE_THREADS_MAX ||
	    answer->file_state > REASSURE_FILE_MAX)
		return false;
	answer->unlimited = attrs[REASSURE_A_BUDGET_UNLIMITED];
	if (attrs[REASSURE_A_BUDGET_RESCUES])
		answer->budget_rescues =
			nla_get_u32(attrs[REASSURE_A_BUDGET_RESCUES]);
	if (attrs[REASSURE_A_BUDGET_SECONDS])
		answer->budget_seconds =
			nla_get_u32(attrs[REASSURE_A_BUDGET_SECONDS]);
	if (attrs[REASSURE_A_INJECT_SIGNAL])
		answer->inject_signal =
			nla_get_u32(attrs[REASSURE_A_INJECT_SIGNAL]);
	if (attrs[REASSURE_A_INJECT_COUNT])
		answer->inject_count =
			nla_get_u32(attrs[REASSURE_A_INJECT_COUNT]);
	if (attrs[REASSURE_A_INJECT_EVERY])
		answer->inject_every =
			nla_get_u32(attrs[REASSURE_A_INJECT_EVERY]);
	if (attrs[REASSURE_A_RESCUE_POINTS])
		answer->rescue_points =
			nla_get_u32(attrs[REASSURE_A_RESCUE_POINTS]);
	if (attrs[REASSURE_A_EVENTS])
		answer->events = nla_get_u64(attrs[REASSURE_A_EVENTS]);
	if (attrs[REASSURE_A_EVENTS_LOST])
		answer->events_lost =
			nla_get_u64(attrs[REASSURE_A_EVENTS_LOST]);
	parse_counters(attrs[REASSURE_A_COUNTERS], answer->counters,
		       REASSURE_COUNTERS);
	parse_counters(attrs[REASSURE_A_REFUSED], answer->refused,
		       REASSURE_REFUSALS);
	return true;
}

static int on_answer(struct nl_msg *msg, void *data)
{
	struct request *request = data;
	struct kernel_answer answer;

	if (request->visit && netlink_parse(nlmsg_hdr(msg), &answer))
		request->visit(&answer, request->data);
	return NL_OK;
}

static int on_done(struct nl_msg *msg, void *data)
{
	struct request *request = data;

	(void)msg;
	request->done = true;
	return NL_STOP;
}

/* The last message of a dump carries its error. */
static int on_dump_done(struct nl_msg *msg, void *data)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct request *request = data;

	if (nlmsg_datalen(header) >= (int)sizeof(request->error))
		memcpy(&request->error, nlmsg_data(header),
		       sizeof(request->error));
	return on_done(msg, data);
}

/* The attributes that explain follow the request that the answer echoes. */
static void read_text(struct request *request, const struct nlmsgerr *error)
{
	struct nlmsghdr *header = (struct nlmsghdr *)error - 1;
	size_t skip = sizeof(*error);
	struct nlattr *attribute;
	int rest;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - sizeof(error->msg);
	attribute = (void *)((char *)error + NLMSG_ALIGN(skip));
	rest = (char *)header + header->nlmsg_len - (char *)attribute;
	for (; nla_ok(attribute, rest); attribute = nla_next(attribute, &rest))
		if (nla_type(attribute) == NLMSGERR_ATTR_MSG)
			nla_strlcpy(request->text, attribute,
				    sizeof(request->text));
		else if (nla_type(attribute) == NLMSGERR_ATTR_OFFS)
			request->offset = nla_get_u32(attribute);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error,
		    void *data)
{
	struct request *request = data;

	(void)from;
	request->error = error->error;
	request->done = true;
	read_text(request, error);
	return NL_STOP;
}

/* It may have a warning. */
static int on_ack(struct nl_msg *msg, void *data)
{
	read_text(data, nlmsg_data(nlmsg_hdr(msg)));
	return on_done(msg, data);
}

static void disconnect(struct connection *connection)
{
	nl_socket_free(connection->socket);
}

static int connect_kernel(struct connection *connection)
{
	int on = 1, ret;

	connection->socket = nl_socket_alloc();
	if (!connection->socket) {
		failed("no memory for a socket");
		return -1;
	}
	ret = genl_connect(connection->socket);
	if (ret) {
		failed("cannot open a netlink socket: %s", nl_geterror(ret));
		disconnect(connection);
		return -1;
	}
	connection->family = genl_ctrl_resolve(connection->socket,
					       REASSURE_GENL_NAME);
	if (connection->family == -NLE_OBJ_NOTFOUND) {
		failed("%s", NOT_LOADED);
		disconnect(connection);
		return -ENODEV;
	}
	if (connection->family < 0) {
		failed("cannot ask the kernel for the reassure module: %s",
		       nl_geterror(connection->family));
		disconnect(connection);
		return -1;
	}
	setsockopt(nl_socket_get_fd(connection->socket), SOL_NETLINK,
		   NETLINK_EXT_ACK, &on, sizeof(on));
	/* An error does not bring the whole message back. */
	setsockopt(nl_socket_get_fd(connection->socket), SOL_NETLINK,
		   NETLINK_CAP_ACK, &on, sizeof(on));
	nl_socket_set_msg_buf_size(connection->socket, MESSAGE_BYTES);
	return 0;
}

static struct nl_msg *new_large_message(struct connection *connection,
					int command, int flags, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_size(size);

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ,
				connection->family, 0, flags, command,
				REASSURE_GENL_VERSION)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

static struct nl_msg *new_message(struct connection *connection, int command,
				  int flags)
{
	return new_large_message(connection, command, flags, MESSAGE_BYTES);
}

/*
 * The kernel does what it is asked before this returns.  With a signal that
 * kills it could neither set a probe nor take one away again.
 */
static int send_whole(struct connection *connection, struct nl_msg *msg)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	ret = nl_send_auto(connection->socket, msg);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/*
 * Sends @msg, which is freed, and gives the answers to @on_message until the
 * last.
 *
 * Return: 0 or a negative number, of libnl or with @request->error set.
 */
static int exchange(struct connection *connection, struct nl_msg *msg,
		    struct request *request, nl_recvmsg_msg_cb_t on_message,
		    void *data)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb || !msg) {
		nlmsg_free(msg);
		nl_cb_put(cb);
		return -NLE_NOMEM;
	}
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, data);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_dump_done, request);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, request);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, request);
	ret = send_whole(connection, msg);
	request->sent = ret >= 0;
	while (ret >= 0 && !request->done)
		ret = nl_recvmsgs(connection->socket, cb);
	nl_cb_put(cb);
	nlmsg_free(msg);
	if (request->error)
		return -NLE_FAILURE;
	return ret < 0 ? ret : 0;
}

static const char *explanation(const struct request *request, int ret)
{
	if (*request->text)
		return request->text;
	/* The kernel has no text for the errors of a list. */
	if (request->error == -EPERM)
		return "this needs root (CAP_SYS_ADMIN in the initial user namespace)";
	return request->error ? strerror(-request->error) : nl_geterror(ret);
}

static int explain(const struct request *request, int ret)
{
	failed("cannot %s%s%s: %s", request->verb, request->name ? " " : "",
	       request->name ?: "", explanation(request, ret));
	return -1;
}

/* @filled: whether all had room in @msg, which goes in any case. */
static int simple_request(struct connection *connection, struct nl_msg *msg,
			  bool filled, struct request *request)
{
	int ret;

	if (msg && !filled) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = exchange(connection, msg, request, on_answer, request);
	disconnect(connection);
	if (!ret && *request->text)
		failed("warning: %s", request->text);
	return ret ? explain(request, ret) : 0;
}

int kernel_add(const struct add_options *options, const char *name,
	       const struct place *place)
{
	struct request request = { .verb = "add", .name = name };
	struct connection connection;
	struct nl_msg *msg;

	if (connect_kernel(&connection))
		return -1;
	msg = new_message(&connection, REASSURE_CMD_RESCUE_POINT_ADD,
			  NLM_F_ACK);
	return simple_request(&connection, msg,
			      msg && netlink_put_add(msg, options, name, place),
			      &request);
}

/* Of the attributes of @msg, the one around @offset; all are rescue points. */
static size_t find_nest(struct nl_msg *msg, size_t offset)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	char *at = (char *)header + offset;
	struct nlattr *nest;
	size_t which = 0;
	int rest;

	nlmsg_for_each_attr(nest, header, GENL_HDRLEN, rest) {
		if (at < (char *)nla_data(nest) + nla_len(nest))
			break;
		which++;
	}
	return which;
}

enum applied kernel_apply(const struct config *config, bool prune,
			  size_t *which, char *error)
{
	struct request request = { .verb = "apply" };
	/* What is not used of it is never touched. */
	size_t size = (config->nr_points + 1) * MESSAGE_BYTES;
	int most = size < INT_MAX ? size : INT_MAX;
	struct connection connection;
	struct nl_msg *msg;
	int ret = -NLE_NOMEM;

	*which = SIZE_MAX;
	if (connect_kernel(&connection)) {
		wrong(error, "the module cannot be asked");
		return APPLIED_NOTHING;
	}
	setsockopt(nl_socket_get_fd(connection.socket), SOL_SOCKET,
		   SO_SNDBUFFORCE, &most, sizeof(most));
	msg = new_large_message(&connection, REASSURE_CMD_APPLY, NLM_F_ACK,
				size);
	if (msg && netlink_put_apply(msg, config, prune)) {
		nlmsg_get(msg);
		ret = exchange(&connection, msg, &request, on_answer, &request);
	}
	if (ret) {
		wrong(error, "%s", explanation(&request, ret));
		if (request.offset)
			*which = find_nest(msg, request.offset);
	} else if (*request.text) {
		failed("warning: %s", request.text);
	}
	nlmsg_free(msg);
	disconnect(&connection);
	if (!ret)
		return APPLIED;
	return request.sent && !request.error ? APPLIED_PERHAPS :
						APPLIED_NOTHING;
}

int kernel_rebind(const char *name, const struct place *place)
{
	struct request request = { .verb = "refresh", .name = name };
	struct connection connection;
	struct nl_msg *msg;

	if (connect_kernel(&connection))
		return -1;
	msg = new_message(&connection, REASSURE_CMD_RESCUE_POINT_REBIND,
			  NLM_F_ACK);
	return simple_request(&connection, msg,
			      msg && netlink_put_place(msg, name, place),
			      &request);
}

int kernel_set(const struct add_options *options)
{
	struct request request = { .verb = "set", .name = options->name };
	struct connection connection;
	struct nl_msg *msg;

	if (connect_kernel(&connection))
		return -1;
	msg = new_message(&connection, REASSURE_CMD_RESCUE_POINT_SET,
			  NLM_F_ACK);
	return simple_request(&connection, msg,
			      msg && netlink_put_set(msg, options),
			      &request);
}

int kernel_delete(const char *name)
{
	struct request request = { .verb = "delete", .name = name };
	struct connection connection;
	struct nl_msg *msg;

	if (connect_kernel(&connection))
		return -1;
	msg = new_message(&connection, name ? REASSURE_CMD_RESCUE_POINT_DEL :
			  REASSURE_CMD_RESCUE_POINT_FLUSH, NLM_F_ACK);
	return simple_request(&connection, msg,
			      msg && (!name || !nla_put_string(msg, REASSURE_A_NAME, name)),
			      &request);
}

int kernel_inject(const struct inject_options *options)
{
	struct request request = { .verb = "inject into", .name = options->name };
	struct connection connection;
	struct nl_msg *msg;

	if (connect_kernel(&connection))
		return -1;
	msg = new_message(&connection, REASSURE_CMD_INJECT, NLM_F_ACK);
	return simple_request(&connection, msg,
			      msg && netlink_put_inject(msg, options),
			      &request);
}

int kernel_switch(bool on)
{
	struct request request = { .verb = on ? "switch on" : "switch off" };
	struct connection connection;
	struct nl_msg *msg;

	if (connect_kernel(&connection))
		return -1;
	msg = new_message(&connection, REASSURE_CMD_SWITCH, NLM_F_ACK);
	return simple_request(&connection, msg,
			      msg && !nla_put_u8(msg, REASSURE_A_ENABLED, on),
			      &request);
}

int kernel_status(answer_visitor visit, void *data)
{
	struct request request = {
		.verb = "show the status",
		.visit = visit,
		.data = data,
	};
	struct connection connection;

	if (connect_kernel(&connection))
		return -1;
	return simple_request(&connection,
			      new_message(&connection, REASSURE_CMD_STATUS_GET,
					  NLM_F_ACK), true, &request);
}

int kernel_get(const char *name, answer_visitor visit, void *data)
{
	struct request request = {
		.verb = "show",
		.name = name,
		.visit = visit,
		.data = data,
	};
	struct connection connection;
	struct nl_msg *msg;

	if (connect_kernel(&connection))
		return -1;
	msg = new_message(&connection, REASSURE_CMD_RESCUE_POINT_GET,
			  NLM_F_ACK);
	return simple_request(&connection, msg,
			      msg && !nla_put_string(msg, REASSURE_A_NAME, name),
			      &request);
}

/* Keeps the messages of a dump until it is known to be consistent. */
struct kept_messages {
	struct nl_msg **messages;
	size_t count;
	size_t capacity;
};

static int keep_message(struct nl_msg *msg, void *data)
{
	struct kept_messages *kept = data;
	size_t capacity = kept->capacity * 2 + 16;
	struct nl_msg **messages;

	if (kept->count == kept->capacity) {
		messages = realloc(kept->messages,
				   capacity * sizeof(*messages));
		if (!messages)
			return -NLE_NOMEM;
		kept->messages = messages;
		kept->capacity = capacity;
	}
	nlmsg_get(msg);
	kept->messages[kept->count++] = msg;
	return NL_OK;
}

static void forget_messages(struct kept_messages *kept)
{
	while (kept->count)
		nlmsg_free(kept->messages[--kept->count]);
}

int kernel_list(answer_visitor visit, void *data)
{
	struct kept_messages kept = {};
	struct connection connection;
	struct kernel_answer answer;
	struct request request;
	int attempts = DUMP_ATTEMPTS;
	size_t i;
	int ret;

	if (connect_kernel(&connection))
		return -1;
	/* Rescue points came or went while the list was read: read again. */
	do {
		forget_messages(&kept);
		request = (struct request){ .verb = "list" };
		ret = exchange(&connection,
			       new_message(&connection,
					   REASSURE_CMD_RESCUE_POINT_GET,
					   NLM_F_DUMP),
			       &request, keep_message, &kept);
	} while (ret == -NLE_DUMP_INTR && --attempts);
	if (ret >= 0) {
		for (i = 0; i < kept.count; i++)
			if (netlink_parse(nlmsg_hdr(kept.messages[i]), &answer))
				visit(&answer, data);
		ret = 0;
	} else {
		ret = explain(&request, ret);
	}
	forget_messages(&kept);
	free(kept.messages);
	disconnect(&connection);
	return ret;
}

/* Reading events as they come. */
struct monitor {
	struct connection requests;
	/* Hears that there are new ones, and that the module goes. */
	struct connection news;
	event_visitor visit;
	loss_visitor visit_lost;
	void *data;
	/* The last event, and the last that we were told of. */
	__u64 last;
	__u64 announced;
	bool ended;
};

static void note_last(const struct kernel_answer *answer, void *data)
{
	struct monitor *monitor = data;

	monitor->last = answer->events;
}

/* All up to @last that have not been read cannot be any more. */
static void lose_events(struct monitor *monitor, __u64 last)
{
	if (monitor->ended || last <= monitor->last)
		return;
	monitor->ended = !monitor->visit_lost(last - monitor->last,
					      monitor->data);
	monitor->last = last;
}

static void on_event(struct nl_msg *msg, struct monitor *monitor)
{
	struct event event;

	if (monitor->ended || !event_parse(nlmsg_hdr(msg), &event))
		return;
	lose_events(monitor, event.number - 1);
	monitor->last = event.number;
	if (!monitor->ended)
		monitor->ended = !monitor->visit(&event, monitor->data);
}

static int tell_of_unloading(void)
{
	failed("the reassure module has been unloaded");
	return -ENODEV;
}

static int read_events(struct monitor *monitor)
{
	struct request request = { .verb = "read events" };
	struct kept_messages kept = {};
	size_t i;
	struct nl_msg *msg = new_message(&monitor->requests,
					 REASSURE_CMD_EVENT_GET, NLM_F_DUMP);
	int ret;

	if (msg && nla_put_u64(msg, REASSURE_EVENT_NUMBER, monitor->last)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	/* All at once: what has not been read yet keeps the module. */
	ret = exchange(&monitor->requests, msg, &request, keep_message, &kept);
	for (i = 0; i < kept.count; i++)
		on_event(kept.messages[i], monitor);
	forget_messages(&kept);
	free(kept.messages);
	/* The kernel takes the family away before it tells of it. */
	if (request.error == -ENOENT)
		return tell_of_unloading();
	if (ret)
		return explain(&request, ret);
	/* What was told of before this was asked for would have been in it. */
	lose_events(monitor, monitor->announced);
	return 0;
}

static bool is_unloading(struct nlmsghdr *header, int family)
{
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];

	return header->nlmsg_type == GENL_ID_CTRL &&
	       !genlmsg_parse(header, 0, attrs, CTRL_ATTR_MAX, NULL) &&
	       genlmsg_hdr(header)->cmd == CTRL_CMD_DELFAMILY &&
	       attrs[CTRL_ATTR_FAMILY_ID] &&
	       nla_get_u16(attrs[CTRL_ATTR_FAMILY_ID]) == family;
}

__u64 netlink_announced(struct nlmsghdr *header, int family)
{
	static struct nla_policy policy[REASSURE_EVENT_MAX + 1] = {
		[REASSURE_EVENT_NUMBER] = { .type = NLA_U64 },
	};
	struct nlattr *attrs[REASSURE_EVENT_MAX + 1];

	if (header->nlmsg_type != family ||
	    genlmsg_parse(header, 0, attrs, REASSURE_EVENT_MAX, policy) ||
	    genlmsg_hdr(header)->cmd != REASSURE_CMD_EVENT_NTF ||
	    !attrs[REASSURE_EVENT_NUMBER])
		return 0;
	return nla_get_u64(attrs[REASSURE_EVENT_NUMBER]);
}

/*
 * Reads all that is told.  What had no room is no matter: events are asked for
 * afterwards.
 *
 * Return: false when the module has gone.
 */
static bool read_news(struct monitor *monitor)
{
	struct connection *news = &monitor->news;
	struct nlmsghdr buffer[1024], *header;
	__u64 number;
	ssize_t size;
	int rest;

	for (;;) {
		size = recv(nl_socket_get_fd(news->socket), buffer,
			    sizeof(buffer), MSG_DONTWAIT);
		if (size < 0 && errno != ENOBUFS)
			return true;
		rest = size < 0 ? 0 : size;
		for (header = buffer; nlmsg_ok(header, rest);
		     header = nlmsg_next(header, &rest)) {
			if (is_unloading(header, news->family))
				return false;
			number = netlink_announced(header, news->family);
			if (number > monitor->announced)
				monitor->announced = number;
		}
	}
}

static int join(struct connection *news)
{
	int events, control, ret;

	events = genl_ctrl_resolve_grp(news->socket, REASSURE_GENL_NAME,
				       REASSURE_EVENTS_GROUP);
	control = genl_ctrl_resolve_grp(news->socket, "nlctrl", "notify");
	if (events < 0 || control < 0) {
		failed("the reassure module has no events: load one of this version");
		return -1;
	}
	/* First, so that no unloading goes unnoticed. */
	ret = nl_socket_add_membership(news->socket, control);
	if (!ret)
		ret = nl_socket_add_membership(news->socket, events);
	if (!ret)
		return 0;
	failed("cannot listen to events: %s", ret == -NLE_PERM ?
	       "this needs root (CAP_SYS_ADMIN in the initial user namespace)" :
	       nl_geterror(ret));
	return -1;
}

static int follow(struct monitor *monitor, bool (*await)(int fd))
{
	int ret;

	/* What is missed between is told to nobody, or found later. */
	if (kernel_status(note_last, monitor) || join(&monitor->news))
		return -1;
	while (!monitor->ended &&
	       await(nl_socket_get_fd(monitor->news.socket))) {
		if (!read_news(monitor))
			return tell_of_unloading();
		ret = read_events(monitor);
		if (ret)
			return ret;
	}
	return 0;
}

int kernel_monitor(event_visitor visit, loss_visitor visit_lost,
		   bool (*await)(int fd), void *data)
{
	struct monitor monitor = {
		.visit = visit,
		.visit_lost = visit_lost,
		.data = data,
	};
	int ret = connect_kernel(&monitor.requests);

	if (ret)
		return ret;
	ret = connect_kernel(&monitor.news);
	if (!ret) {
		ret = follow(&monitor, await);
		disconnect(&monitor.news);
	}
	disconnect(&monitor.requests);
	return ret;
}
