// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody but an administrator of the whole machine may ask the module for
 * anything; who may, and asks for nonsense, is told so, and nothing changes.
 */
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/netlink.h"
#include "lib/reassure_test.h"

#define NOBODY		65534
#define ANSWERS_MAX	40

static long __noipa victim(void)
{
	touch_read(BAD_ADDRESS);
	return 1;
}

FIXTURE(permissions)
{
};

FIXTURE_SETUP(permissions)
{
	ASSERT_EQ(0, test_begin_alone());
	ASSERT_EQ(0, rescue_point_protect(victim));
}

FIXTURE_TEARDOWN(permissions)
{
	test_end_alone(_metadata->passed);
}

static struct nl_msg *valid_message(const struct channel *channel, int command)
{
	static int fd = -1;
	struct nl_msg *msg;

	if (fd < 0)
		fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	msg = channel_message(channel, command,
			      command == REASSURE_CMD_EVENT_GET ? NLM_F_DUMP :
								  NLM_F_ACK);
	CHECK(fd >= 0 && msg);
	switch (command) {
	case REASSURE_CMD_RESCUE_POINT_ADD:
		nla_put_string(msg, REASSURE_A_NAME, "other");
		nla_put_s32(msg, REASSURE_A_FILE_FD, fd);
		nla_put_u64(msg, REASSURE_A_OFFSET, 0x1000);
		break;
	case REASSURE_CMD_APPLY:
		nla_put_flag(msg, REASSURE_A_PRUNE);
		break;
	case REASSURE_CMD_RESCUE_POINT_REBIND:
		nla_put_string(msg, REASSURE_A_NAME, "test");
		nla_put_s32(msg, REASSURE_A_FILE_FD, fd);
		nla_put_u64(msg, REASSURE_A_OFFSET, 0x1000);
		break;
	case REASSURE_CMD_SWITCH:
		nla_put_u8(msg, REASSURE_A_ENABLED, 0);
		break;
	case REASSURE_CMD_RESCUE_POINT_SET:
		nla_put_s64(msg, REASSURE_A_RETURN, 1);
		__attribute__((fallthrough));
	case REASSURE_CMD_RESCUE_POINT_DEL:
	case REASSURE_CMD_RESCUE_POINT_GET:
		nla_put_string(msg, REASSURE_A_NAME, "test");
		break;
	}
	return msg;
}

static void check_refusal(struct channel *channel, struct nl_msg *msg)
{
	bool dump = (nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct answer answer;

	channel_send(channel, msg, &answer);
	CHECK(answer.error == -EPERM);
	/* For a list not every kernel passes the text on. */
	CHECK(dump || strstr(answer.text, "CAP_SYS_ADMIN"));
	CHECK(!answer.messages);
}

/* Every command, and the list of all. */
static void check_all_refused(struct channel *channel)
{
	int command;

	for (command = REASSURE_CMD_UNSPEC + 1; command <= REASSURE_CMD_MAX;
	     command++)
		/* The kernel sends it. */
		if (command != REASSURE_CMD_EVENT_NTF)
			check_refusal(channel, valid_message(channel, command));
	check_refusal(channel, channel_message(channel,
					       REASSURE_CMD_RESCUE_POINT_GET,
					       NLM_F_DUMP));
}

static void become_nobody(void)
{
	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
}

static int nobody(void *arg)
{
	struct channel channel;

	become_nobody();
	CHECK(!channel_open(&channel));
	check_all_refused(&channel);
	return 0;
}

static int nobody_with_a_socket_of_root(void *arg)
{
	struct channel channel;

	CHECK(!channel_open(&channel));
	become_nobody();
	check_all_refused(&channel);
	return 0;
}

/* As when a set-user-ID program is made to write to an open socket. */
static int root_with_a_socket_of_nobody(void *arg)
{
	struct nlmsghdr *header;
	struct channel channel;
	struct answer answer;
	struct nl_msg *msg;

	CHECK(!seteuid(NOBODY));
	CHECK(!channel_open(&channel));
	CHECK(!seteuid(0));
	msg = valid_message(&channel, REASSURE_CMD_RESCUE_POINT_FLUSH);
	nl_complete_msg(channel.sock, msg);
	header = nlmsg_hdr(msg);
	CHECK(write(nl_socket_get_fd(channel.sock), header,
		    header->nlmsg_len) == header->nlmsg_len);
	nlmsg_free(msg);
	channel_receive(&channel, &answer);
	CHECK(answer.error == -EPERM);
	return 0;
}

static int root_of_a_container(void *flags)
{
	struct channel channel;
	char map[] = "0 0 1\n";

	if (unshare((long)flags))
		return 4;
	CHECK(!write_text("/proc/self/uid_map", map));
	CHECK(!getuid());
	CHECK(!channel_open(&channel));
	check_all_refused(&channel);
	return 0;
}

/* In a network namespace alone, and still administrator: may. */
static int root_in_a_network(void *arg)
{
	struct channel channel;
	struct answer answer;

	if (unshare(CLONE_NEWNET))
		return 4;
	CHECK(!channel_open(&channel));
	channel_send(&channel, valid_message(&channel, REASSURE_CMD_STATUS_GET),
		     &answer);
	CHECK(!answer.error);
	return 0;
}

TEST_F(permissions, are_needed_by_everybody)
{
	EXPECT_EQ(0, child_run(nobody, NULL));
	EXPECT_EQ(0, child_run(nobody_with_a_socket_of_root, NULL));
	EXPECT_EQ(0, child_run(root_with_a_socket_of_nobody, NULL));
	/* It is still there, and nothing else. */
	EXPECT_EQ(0, access(REASSURE_SYSFS "/rescue_points/test", F_OK));
	EXPECT_NE(0, access(REASSURE_SYSFS "/rescue_points/other", F_OK));
}

TEST_F(permissions, are_needed_in_the_first_user_namespace)
{
	long flags = CLONE_NEWUSER;
	int ended;

	ended = child_run(root_of_a_container, (void *)flags);
	if (ended == 4)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(0, ended);
	flags |= CLONE_NEWNET;
	EXPECT_EQ(0, child_run(root_of_a_container, (void *)flags));
	EXPECT_EQ(0, child_run(root_in_a_network, NULL));
	EXPECT_EQ(0, access(REASSURE_SYSFS "/rescue_points/test", F_OK));
}

/* The numbers of the family's multicast groups. */
static int note_groups(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[CTRL_ATTR_MAX + 1], *group, *id;
	int *groups = arg, rest;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, CTRL_ATTR_MAX, NULL))
		return NL_SKIP;
	if (!attrs[CTRL_ATTR_MCAST_GROUPS])
		return NL_OK;
	nla_for_each_nested(group, attrs[CTRL_ATTR_MCAST_GROUPS], rest) {
		id = nla_find(nla_data(group), nla_len(group),
			      CTRL_ATTR_MCAST_GRP_ID);
		if (id && *groups < ANSWERS_MAX)
			groups[++*groups] = nla_get_u32(id);
	}
	return NL_OK;
}

static int subscriber(void *arg)
{
	int groups[ANSWERS_MAX + 1] = { 0 };
	struct channel channel;
	struct nl_msg *msg;
	int i;

	CHECK(!channel_open(&channel));
	msg = nlmsg_alloc();
	CHECK(msg && genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, GENL_ID_CTRL,
				 0, 0, CTRL_CMD_GETFAMILY, 1));
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, channel.family);
	nl_socket_modify_cb(channel.sock, NL_CB_VALID, NL_CB_CUSTOM,
			    note_groups, groups);
	CHECK(nl_send_auto(channel.sock, msg) > 0);
	CHECK(!nl_recvmsgs_default(channel.sock));
	CHECK(groups[0] == 1);
	become_nobody();
	for (i = 1; i <= groups[0]; i++)
		CHECK(setsockopt(nl_socket_get_fd(channel.sock), SOL_NETLINK,
				 NETLINK_ADD_MEMBERSHIP, &groups[i],
				 sizeof(int)) && errno == EPERM);
	return 0;
}

TEST_F(permissions, are_needed_to_subscribe)
{
	EXPECT_EQ(0, child_run(subscriber, NULL));
}

/* Nonsense. */
#define ATTRIBUTE(type)	(1u << (type))

struct nonsense {
	const char *what;
	unsigned int without;
	void (*add)(struct nl_msg *msg);
	int error;
	const char *text;
};

static void name_empty(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, "");
}

static void name_of_65(struct nl_msg *msg)
{
	char name[66] = "";

	memset(name, 'a', 65);
	nla_put_string(msg, REASSURE_A_NAME, name);
}

static void name_without_end(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_NAME, 4, "abcd");
}

static void name_with_slash(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, "a/b");
}

static void name_with_space(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, "a b");
}

static void name_with_newline(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, "a\n");
}

static void name_not_ascii(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, "a\xc3\xa9");
}

static void name_dot(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, ".");
}

static void name_dots(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, "..");
}

static void put_open(struct nl_msg *msg, const char *path, int flags)
{
	/* Stays open until the child ends. */
	int fd = open(path, flags);

	CHECK(fd >= 0);
	nla_put_s32(msg, REASSURE_A_FILE_FD, fd);
}

static void fd_negative(struct nl_msg *msg)
{
	nla_put_s32(msg, REASSURE_A_FILE_FD, -1);
}

static void fd_closed(struct nl_msg *msg)
{
	nla_put_s32(msg, REASSURE_A_FILE_FD, 999);
}

static void fd_write_only(struct nl_msg *msg)
{
	put_open(msg, "/dev/null", O_WRONLY);
}

static void fd_path(struct nl_msg *msg)
{
	put_open(msg, "/bin/true", O_PATH);
}

static void fd_directory(struct nl_msg *msg)
{
	put_open(msg, "/", O_RDONLY | O_DIRECTORY);
}

static void fd_device(struct nl_msg *msg)
{
	put_open(msg, "/dev/zero", O_RDONLY);
}

static void fd_pipe(struct nl_msg *msg)
{
	int fds[2];

	CHECK(!pipe(fds));
	nla_put_s32(msg, REASSURE_A_FILE_FD, fds[0]);
}

static void fd_proc(struct nl_msg *msg)
{
	put_open(msg, "/proc/self/maps", O_RDONLY);
	nla_put_u64(msg, REASSURE_A_OFFSET, 0);
}

static void fd_long(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_FILE_FD, 0);
}

static void offset_short(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_OFFSET, 0x1000);
}

static void offset_at_end(struct nl_msg *msg)
{
	struct stat stat;

	CHECK(!lstat("/bin/true", &stat));
	nla_put_u64(msg, REASSURE_A_OFFSET, stat.st_size);
}

static void offset_enormous(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_OFFSET, ~0ULL);
}

static void offset_negative(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_OFFSET, 1ULL << 63);
}

static void return_short(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_RETURN, 1);
}

static void signals_none(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_SIGNALS, 0);
}

static void signals_kill(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_SIGNALS,
		    SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGKILL));
}

static void signals_real_time(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_SIGNALS, SIGNAL_BIT(64));
}

static void handled_unknown(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_HANDLED, REASSURE_HANDLED_MAX + 1);
}

static void shared_unknown(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_SHARED, REASSURE_SHARED_MAX + 1);
}

static void shared_short(struct nl_msg *msg)
{
	nla_put_u16(msg, REASSURE_A_SHARED, REASSURE_SHARED_LEAVE);
}

static void exhausted_unknown(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_EXHAUSTED, REASSURE_EXHAUSTED_MAX + 1);
}

static void exhausted_short(struct nl_msg *msg)
{
	nla_put_u16(msg, REASSURE_A_EXHAUSTED, REASSURE_EXHAUSTED_SKIP);
}

static void threads_unknown(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_THREADS, REASSURE_THREADS_MAX + 1);
}

static void threads_short(struct nl_msg *msg)
{
	nla_put_u16(msg, REASSURE_A_THREADS, REASSURE_THREADS_RUN);
}

static void mode_unknown(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_MODE, REASSURE_MODE_MAX + 1);
}

static void mode_short(struct nl_msg *msg)
{
	nla_put_u16(msg, REASSURE_A_MODE, REASSURE_MODE_OBSERVE);
}

static void enabled_unknown(struct nl_msg *msg)
{
	nla_put_u8(msg, REASSURE_A_ENABLED, 2);
}

static void enabled_long(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_ENABLED, 1);
}

static void skip_of_unlimited(struct nl_msg *msg)
{
	nla_put_flag(msg, REASSURE_A_BUDGET_UNLIMITED);
	nla_put_u32(msg, REASSURE_A_EXHAUSTED, REASSURE_EXHAUSTED_SKIP);
}

static void setuid_unknown(struct nl_msg *msg)
{
	nla_put_u8(msg, REASSURE_A_ALLOW_SETUID, 2);
}

static void setuid_long(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_ALLOW_SETUID, 1);
}

/* The second of two, the first of which is good, and @more that are good. */
static void put_cgroups(struct nl_msg *msg, const char *second, int more)
{
	struct nlattr *nest = nla_nest_start(msg,
					     REASSURE_A_CGROUPS | NLA_F_NESTED);

	nla_put_string(msg, REASSURE_CGROUPS_PATH, "/a/.../.b..");
	nla_put_string(msg, REASSURE_CGROUPS_PATH, second);
	while (more--)
		nla_put_string(msg, REASSURE_CGROUPS_PATH, "/");
	nla_nest_end(msg, nest);
}

static void cgroup_without_path(struct nl_msg *msg)
{
	put_cgroups(msg, "", 0);
}

static void cgroup_relative(struct nl_msg *msg)
{
	put_cgroups(msg, "a/b", 0);
}

static void cgroup_with_slash(struct nl_msg *msg)
{
	put_cgroups(msg, "/a/", 0);
}

static void cgroup_with_slashes(struct nl_msg *msg)
{
	put_cgroups(msg, "/a//b", 0);
}

static void cgroup_here(struct nl_msg *msg)
{
	put_cgroups(msg, "/./a", 0);
}

static void cgroup_above(struct nl_msg *msg)
{
	put_cgroups(msg, "/a/..", 0);
}

static void cgroup_too_long(struct nl_msg *msg)
{
	char path[REASSURE_CGROUP_PATH_MAX + 2];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	put_cgroups(msg, path, 0);
}

static void cgroups_too_many(struct nl_msg *msg)
{
	put_cgroups(msg, "/b", REASSURE_CGROUPS_MAX - 1);
}

static void cgroups_of_none(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_CGROUPS | NLA_F_NESTED, 0, NULL);
}

static void cgroups_not_nested(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_CGROUPS, "/a");
}

static void cgroups_cut_off(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_CGROUPS | NLA_F_NESTED, 3, "123");
}

static void put_one_cgroup(struct nl_msg *msg, int type, int size)
{
	struct nlattr *nest = nla_nest_start(msg,
					     REASSURE_A_CGROUPS | NLA_F_NESTED);

	nla_put(msg, type, size, "/a");
	nla_nest_end(msg, nest);
}

static void cgroup_of_two(struct nl_msg *msg)
{
	struct nlattr *nest = nla_nest_start(msg,
					     REASSURE_A_CGROUPS | NLA_F_NESTED);

	nla_put(msg, REASSURE_CGROUPS_PATH, 6, "/a\0/b");
	nla_nest_end(msg, nest);
}

static void cgroup_without_end(struct nl_msg *msg)
{
	put_one_cgroup(msg, REASSURE_CGROUPS_PATH, 2);
}

static void cgroup_unknown(struct nl_msg *msg)
{
	put_one_cgroup(msg, REASSURE_CGROUPS_ATTRIBUTE_MAX + 1, 3);
}

static void cgroups_all(struct nl_msg *msg)
{
	nla_put_flag(msg, REASSURE_A_CGROUPS_ALL);
}

static void cgroups_all_and_some(struct nl_msg *msg)
{
	put_cgroups(msg, "/b", 0);
	nla_put_flag(msg, REASSURE_A_CGROUPS_ALL);
}

static void cgroups_all_long(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_CGROUPS_ALL, 1);
}

/* What is made of the one is let go for the other. */
static void cgroups_and_no_file(struct nl_msg *msg)
{
	put_cgroups(msg, "/b", 0);
	nla_put_s32(msg, REASSURE_A_FILE_FD, -1);
}

static void deadline_of_none(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_DEADLINE, 0);
}

static void deadline_too_late(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_DEADLINE, REASSURE_DEADLINE_MAX + 1);
}

static void deadline_long(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_DEADLINE, 1);
}

static void put_exits(struct nl_msg *msg, uint64_t first, uint64_t second)
{
	uint64_t exits[] = { first, second };

	nla_put(msg, REASSURE_A_EXITS, sizeof(exits), exits);
}

static void exits_of_none(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_EXITS, 0, NULL);
}

static void exits_of_7_bytes(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_EXITS, 7, "1234567");
}

static void exits_twice(struct nl_msg *msg)
{
	put_exits(msg, 1, 1);
}

static void exits_descending(struct nl_msg *msg)
{
	put_exits(msg, 2, 1);
}

static void exits_beyond_the_file(struct nl_msg *msg)
{
	put_exits(msg, 1, 1ULL << 40);
}

static void exits_too_many(struct nl_msg *msg)
{
	uint64_t exits[REASSURE_EXITS_MAX + 1] = {};

	nla_put(msg, REASSURE_A_EXITS, sizeof(exits), exits);
}

/* One file's, with what is good but for @fd and @offsets, 0 for none. */
static void put_landings(struct nl_msg *msg, int fd, size_t size,
			 const uint64_t *offsets)
{
	struct nlattr *nest = nla_nest_start(msg, 1 | NLA_F_NESTED);

	if (fd)
		nla_put_s32(msg, REASSURE_LANDINGS_FILE_FD, fd);
	if (offsets)
		nla_put(msg, REASSURE_LANDINGS_OFFSETS, size, offsets);
	nla_nest_end(msg, nest);
}

static struct nlattr *landings_begin(struct nl_msg *msg)
{
	return nla_nest_start(msg, REASSURE_A_LANDINGS | NLA_F_NESTED);
}

static int open_library(int flags)
{
	/* Stays open until the child ends. */
	int fd = open("/bin/true", flags);

	CHECK(fd > 0);
	return fd;
}

/* Of a good file. */
static void put_landings_at(struct nl_msg *msg, size_t size, uint64_t first,
			    uint64_t second)
{
	struct nlattr *all = landings_begin(msg);
	uint64_t offsets[] = { first, second };

	put_landings(msg, open_library(O_RDONLY), size, offsets);
	nla_nest_end(msg, all);
}

static void landings_of_none(struct nl_msg *msg)
{
	put_landings_at(msg, 0, 1, 2);
}

static void landings_of_7_bytes(struct nl_msg *msg)
{
	put_landings_at(msg, 7, 1, 2);
}

static void landings_descending(struct nl_msg *msg)
{
	put_landings_at(msg, 16, 2, 1);
}

static void landings_beyond_the_file(struct nl_msg *msg)
{
	put_landings_at(msg, 16, 1, 1ULL << 40);
}

static void landings_negative(struct nl_msg *msg)
{
	put_landings_at(msg, 16, 1, ~0ULL);
}

static void landings_too_many(struct nl_msg *msg)
{
	uint64_t offsets[REASSURE_LANDINGS_MAX + 1] = {};
	struct nlattr *all = landings_begin(msg);

	put_landings(msg, open_library(O_RDONLY), sizeof(offsets), offsets);
	nla_nest_end(msg, all);
}

static void landings_of_too_many_files(struct nl_msg *msg)
{
	struct nlattr *all = landings_begin(msg);
	uint64_t offset = 1;
	int i;

	for (i = 0; i <= REASSURE_LANDING_FILES_MAX; i++)
		put_landings(msg, open_library(O_RDONLY), 8, &offset);
	nla_nest_end(msg, all);
}

/* The second is at fault. */
static void put_good_landings_and(struct nl_msg *msg, int fd)
{
	struct nlattr *all = landings_begin(msg);
	uint64_t offset = 1;

	put_landings(msg, open_library(O_RDONLY), 8, &offset);
	put_landings(msg, fd, 8, &offset);
	nla_nest_end(msg, all);
}

static void landings_without_fd(struct nl_msg *msg)
{
	put_good_landings_and(msg, 0);
}

static void landings_fd_closed(struct nl_msg *msg)
{
	put_good_landings_and(msg, 999);
}

static void landings_fd_path(struct nl_msg *msg)
{
	put_good_landings_and(msg, open_library(O_PATH));
}

static void landings_fd_device(struct nl_msg *msg)
{
	int fd = open("/dev/null", O_RDONLY);

	CHECK(fd > 0);
	put_good_landings_and(msg, fd);
}

static void landings_fd_text(struct nl_msg *msg)
{
	int fd = open("/etc/passwd", O_RDONLY);

	CHECK(fd > 0);
	put_good_landings_and(msg, fd);
}

static void landings_without_offsets(struct nl_msg *msg)
{
	struct nlattr *all = landings_begin(msg);

	put_landings(msg, open_library(O_RDONLY), 0, NULL);
	nla_nest_end(msg, all);
}

static void landings_empty(struct nl_msg *msg)
{
	struct nlattr *all = landings_begin(msg);

	nla_put(msg, 1 | NLA_F_NESTED, 0, NULL);
	nla_nest_end(msg, all);
}

static void landings_cut_off(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_LANDINGS | NLA_F_NESTED, 3, "123");
}

static void landings_not_nested(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_LANDINGS, 1);
}

static void landings_unknown(struct nl_msg *msg)
{
	struct nlattr *all = landings_begin(msg);
	struct nlattr *nest = nla_nest_start(msg, 1 | NLA_F_NESTED);

	nla_put_u32(msg, REASSURE_LANDINGS_PROBED, 1);
	nla_nest_end(msg, nest);
	nla_nest_end(msg, all);
}

static void executable_long(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_EXECUTABLE, 1);
}

static void put_budget(struct nl_msg *msg, unsigned int rescues,
		       unsigned int seconds)
{
	nla_put_u32(msg, REASSURE_A_BUDGET_RESCUES, rescues);
	nla_put_u32(msg, REASSURE_A_BUDGET_SECONDS, seconds);
}

static void budget_of_none(struct nl_msg *msg)
{
	put_budget(msg, 0, 1);
}

static void budget_of_no_time(struct nl_msg *msg)
{
	put_budget(msg, 1, 0);
}

static void budget_too_large(struct nl_msg *msg)
{
	put_budget(msg, REASSURE_BUDGET_MAX + 1, 1);
}

static void budget_too_long(struct nl_msg *msg)
{
	put_budget(msg, 1, REASSURE_BUDGET_SECONDS_MAX + 1);
}

static void budget_rescues_only(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_BUDGET_RESCUES, 1);
}

static void budget_seconds_only(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_BUDGET_SECONDS, 1);
}

static void budget_both(struct nl_msg *msg)
{
	put_budget(msg, 1, 1);
	nla_put_flag(msg, REASSURE_A_BUDGET_UNLIMITED);
}

static void build_id_too_long(struct nl_msg *msg)
{
	char id[REASSURE_BUILD_ID_MAX + 1] = "";

	nla_put(msg, REASSURE_A_BUILD_ID, sizeof(id), id);
}

static void build_id_beyond_the_end(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_BUILD_ID, 4, "abcd");
	nla_put_u64(msg, REASSURE_A_BUILD_ID_OFFSET, 1 << 30);
}

static void build_id_enormously_far(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_BUILD_ID, 4, "abcd");
	nla_put_u64(msg, REASSURE_A_BUILD_ID_OFFSET, ~0ULL);
}

static void build_id_elsewhere(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_BUILD_ID, 4, "abcd");
	nla_put_u64(msg, REASSURE_A_BUILD_ID_OFFSET, 0);
}

static void build_id_of_nothing(struct nl_msg *msg)
{
	nla_put(msg, REASSURE_A_BUILD_ID, 0, NULL);
	nla_put_u64(msg, REASSURE_A_BUILD_ID_OFFSET, 0);
}

static void build_id_missing(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_BUILD_ID_OFFSET, 0);
}

static void value_and_void(struct nl_msg *msg)
{
	nla_put_s64(msg, REASSURE_A_RETURN, 1);
	nla_put_flag(msg, REASSURE_A_RETURN_VOID);
}

static void void_only(struct nl_msg *msg)
{
	nla_put_flag(msg, REASSURE_A_RETURN_VOID);
}

/* Which the message has not: the rescue point's budget is unlimited. */
static void skip_only(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_EXHAUSTED, REASSURE_EXHAUSTED_SKIP);
}

static void function_other(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_FUNCTION, "f");
}

static void offset_other(struct nl_msg *msg)
{
	nla_put_u64(msg, REASSURE_A_OFFSET, 0x1000);
}

static void good_and_bad(struct nl_msg *msg)
{
	nla_put_s64(msg, REASSURE_A_RETURN, 1);
	nla_put_u64(msg, REASSURE_A_SIGNALS, 0);
}

static void name_of_nothing(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, "nothing");
	nla_put_s64(msg, REASSURE_A_RETURN, 1);
}

static void function_too_long(struct nl_msg *msg)
{
	char name[REASSURE_FUNCTION_MAX + 2] = "";

	memset(name, 'f', sizeof(name) - 1);
	nla_put_string(msg, REASSURE_A_FUNCTION, name);
}

static void unknown_attribute(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_MAX + 7, 1);
}

static void answer_attribute(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_MODULE_VERSION, "1");
}

static void name_taken(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, "test");
}

static void place_taken(struct nl_msg *msg)
{
	char path[4096];
	uint64_t offset;

	CHECK(!function_place(victim, path, sizeof(path), &offset));
	put_open(msg, path, O_RDONLY);
	nla_put_u64(msg, REASSURE_A_OFFSET, offset);
}

#define NAME	ATTRIBUTE(REASSURE_A_NAME)
#define FD	ATTRIBUTE(REASSURE_A_FILE_FD)
#define OFFSET	ATTRIBUTE(REASSURE_A_OFFSET)
#define CASE(without, add, error, text) { #add, without, add, error, text }

static const struct nonsense nonsense[] = {
	{ "no name", NAME, NULL, -EINVAL, "name" },
	CASE(NAME, name_empty, -EINVAL, "name"),
	CASE(NAME, name_of_65, -EINVAL, ""),
	CASE(NAME, name_without_end, -EINVAL, ""),
	CASE(NAME, name_with_slash, -EINVAL, "name"),
	CASE(NAME, name_with_space, -EINVAL, "name"),
	CASE(NAME, name_with_newline, -EINVAL, "name"),
	CASE(NAME, name_not_ascii, -EINVAL, "name"),
	CASE(NAME, name_dot, -EINVAL, "name"),
	CASE(NAME, name_dots, -EINVAL, "name"),
	CASE(NAME, name_taken, -EEXIST, "name"),
	{ "no descriptor", FD, NULL, -EINVAL, "descriptor" },
	CASE(FD, fd_negative, -EBADF, "descriptor"),
	CASE(FD, fd_closed, -EBADF, "descriptor"),
	CASE(FD, fd_write_only, -EBADF, "descriptor"),
	CASE(FD, fd_path, -EBADF, "descriptor"),
	CASE(FD, fd_directory, -EINVAL, "regular file"),
	CASE(FD, fd_device, -EINVAL, "regular file"),
	CASE(FD, fd_pipe, -EINVAL, "regular file"),
	CASE(FD | OFFSET, fd_proc, 0, "file"),
	CASE(FD, fd_long, -EINVAL, ""),
	CASE(FD | OFFSET, place_taken, -EEXIST, "offset"),
	{ "no offset", OFFSET, NULL, -EINVAL, "offset" },
	CASE(OFFSET, offset_short, -EINVAL, ""),
	CASE(OFFSET, offset_at_end, -ERANGE, "offset"),
	CASE(OFFSET, offset_enormous, -ERANGE, "offset"),
	CASE(OFFSET, offset_negative, -ERANGE, "offset"),
	CASE(0, return_short, -EINVAL, ""),
	CASE(0, signals_none, -EINVAL, "signal"),
	CASE(0, signals_kill, -EINVAL, ""),
	CASE(0, signals_real_time, -EINVAL, ""),
	CASE(0, handled_unknown, -ERANGE, ""),
	CASE(0, shared_unknown, -ERANGE, ""),
	CASE(0, shared_short, -EINVAL, ""),
	CASE(0, exhausted_unknown, -ERANGE, ""),
	CASE(0, exhausted_short, -EINVAL, ""),
	CASE(0, mode_unknown, -ERANGE, ""),
	CASE(0, enabled_unknown, -ERANGE, ""),
	CASE(0, threads_unknown, -ERANGE, ""),
	CASE(0, mode_short, -EINVAL, ""),
	CASE(0, enabled_long, -EINVAL, ""),
	CASE(0, threads_short, -EINVAL, ""),
	CASE(0, skip_of_unlimited, -EINVAL, "never exhausted"),
	CASE(0, setuid_unknown, -ERANGE, ""),
	CASE(0, setuid_long, -EINVAL, ""),
	CASE(0, cgroup_without_path, -EINVAL, "cgroup"),
	CASE(0, cgroup_relative, -EINVAL, "cgroup"),
	CASE(0, cgroup_with_slash, -EINVAL, "cgroup"),
	CASE(0, cgroup_with_slashes, -EINVAL, "cgroup"),
	CASE(0, cgroup_here, -EINVAL, "cgroup"),
	CASE(0, cgroup_above, -EINVAL, "cgroup"),
	CASE(0, cgroup_too_long, -EINVAL, ""),
	CASE(0, cgroup_of_two, -EINVAL, "cgroup"),
	CASE(0, cgroup_without_end, -EINVAL, ""),
	CASE(0, cgroup_unknown, -EINVAL, ""),
	CASE(0, cgroups_too_many, -ERANGE, "cgroups"),
	CASE(0, cgroups_of_none, -EINVAL, "cgroup"),
	CASE(0, cgroups_not_nested, -EINVAL, ""),
	CASE(0, cgroups_cut_off, -ERANGE, ""),
	CASE(0, cgroups_all, -EINVAL, ""),
	CASE(FD, cgroups_and_no_file, -EBADF, "descriptor"),
	CASE(0, deadline_of_none, -ERANGE, ""),
	CASE(0, deadline_too_late, -ERANGE, ""),
	CASE(0, deadline_long, -EINVAL, ""),
	CASE(0, exits_of_none, -EINVAL, "exits"),
	CASE(0, exits_of_7_bytes, -EINVAL, "exits"),
	CASE(0, exits_twice, -EINVAL, "ascending"),
	CASE(0, exits_descending, -EINVAL, "ascending"),
	CASE(0, exits_beyond_the_file, -ERANGE, "exit"),
	CASE(0, exits_too_many, -ERANGE, ""),
	CASE(0, landings_of_none, -EINVAL, "landings"),
	CASE(0, landings_of_7_bytes, -EINVAL, "landings"),
	CASE(0, landings_descending, -EINVAL, "ascending"),
	CASE(0, landings_beyond_the_file, -ERANGE, "landing"),
	CASE(0, landings_negative, -ERANGE, "landing"),
	CASE(0, landings_too_many, -ERANGE, ""),
	CASE(0, landings_of_too_many_files, -ERANGE, "too many files"),
	CASE(0, landings_without_fd, -EINVAL, "descriptor"),
	CASE(0, landings_fd_closed, -EBADF, "descriptor"),
	CASE(0, landings_fd_path, -EBADF, "descriptor"),
	CASE(0, landings_fd_device, -EINVAL, "regular file"),
	CASE(0, landings_fd_text, -ENOEXEC, "shared library"),
	CASE(0, landings_without_offsets, -EINVAL, "offsets"),
	CASE(0, landings_empty, -EINVAL, "descriptor"),
	CASE(0, landings_cut_off, -ERANGE, ""),
	CASE(0, landings_not_nested, -EINVAL, ""),
	CASE(0, landings_unknown, -EINVAL, ""),
	CASE(0, executable_long, -ERANGE, ""),
	CASE(0, budget_of_none, -ERANGE, ""),
	CASE(0, budget_of_no_time, -ERANGE, ""),
	CASE(0, budget_too_large, -ERANGE, ""),
	CASE(0, budget_too_long, -ERANGE, ""),
	CASE(0, budget_rescues_only, -EINVAL, "budget"),
	CASE(0, budget_seconds_only, -EINVAL, "budget"),
	CASE(0, budget_both, -EINVAL, "budget"),
	CASE(0, build_id_too_long, -ERANGE, ""),
	CASE(0, build_id_beyond_the_end, -ESTALE, "has changed"),
	CASE(0, build_id_enormously_far, -ERANGE, "build-id"),
	CASE(0, build_id_elsewhere, -ESTALE, "has changed"),
	CASE(0, build_id_of_nothing, -EINVAL, "build-id"),
	CASE(0, build_id_missing, -EINVAL, "build-id"),
	CASE(0, void_only, -EINVAL, ""),
	CASE(0, function_too_long, -EINVAL, ""),
	CASE(0, unknown_attribute, -EINVAL, ""),
	CASE(0, answer_attribute, -EINVAL, ""),
};

/* To change "test". */
static const struct nonsense changes[] = {
	{ "no name", NAME, NULL, -EINVAL, "name" },
	{ "nothing", 0, NULL, -EINVAL, "nothing to change" },
	CASE(NAME, name_with_slash, -EINVAL, "name"),
	CASE(NAME, name_of_65, -EINVAL, ""),
	CASE(NAME, name_of_nothing, -ENOENT, "no rescue point"),
	CASE(0, return_short, -EINVAL, ""),
	CASE(0, value_and_void, -EINVAL, "either"),
	CASE(0, signals_none, -EINVAL, "signal"),
	CASE(0, signals_kill, -EINVAL, ""),
	CASE(0, handled_unknown, -ERANGE, ""),
	CASE(0, shared_unknown, -ERANGE, ""),
	CASE(0, exhausted_unknown, -ERANGE, ""),
	CASE(0, mode_unknown, -ERANGE, ""),
	CASE(0, enabled_unknown, -ERANGE, ""),
	CASE(0, threads_unknown, -ERANGE, ""),
	CASE(0, skip_only, -EINVAL, "never exhausted"),
	CASE(0, skip_of_unlimited, -EINVAL, "never exhausted"),
	CASE(0, cgroup_without_path, -EINVAL, "cgroup"),
	CASE(0, cgroup_relative, -EINVAL, "cgroup"),
	CASE(0, cgroup_with_slash, -EINVAL, "cgroup"),
	CASE(0, cgroup_with_slashes, -EINVAL, "cgroup"),
	CASE(0, cgroup_here, -EINVAL, "cgroup"),
	CASE(0, cgroup_above, -EINVAL, "cgroup"),
	CASE(0, cgroup_too_long, -EINVAL, ""),
	CASE(0, cgroup_of_two, -EINVAL, "cgroup"),
	CASE(0, cgroup_without_end, -EINVAL, ""),
	CASE(0, cgroup_unknown, -EINVAL, ""),
	CASE(0, cgroups_too_many, -ERANGE, "cgroups"),
	CASE(0, cgroups_of_none, -EINVAL, "cgroup"),
	CASE(0, cgroups_not_nested, -EINVAL, ""),
	CASE(0, cgroups_cut_off, -ERANGE, ""),
	CASE(0, cgroups_all_and_some, -EINVAL, "either"),
	CASE(0, cgroups_all_long, -ERANGE, ""),
	CASE(0, deadline_too_late, -ERANGE, ""),
	CASE(0, budget_of_none, -ERANGE, ""),
	CASE(0, budget_too_long, -ERANGE, ""),
	CASE(0, budget_rescues_only, -EINVAL, "budget"),
	CASE(0, budget_seconds_only, -EINVAL, "budget"),
	CASE(0, budget_both, -EINVAL, "budget"),
	CASE(0, function_other, -EINVAL, ""),
	CASE(0, offset_other, -EINVAL, ""),
	CASE(0, fd_directory, -EINVAL, ""),
	CASE(0, build_id_too_long, -EINVAL, ""),
	CASE(0, landings_descending, -EINVAL, ""),
	CASE(0, good_and_bad, -EINVAL, "signal"),
	CASE(0, unknown_attribute, -EINVAL, ""),
};

static int tell(const struct nonsense *bad, struct channel *channel,
		struct nl_msg *msg)
{
	struct answer answer;

	if (bad->add)
		bad->add(msg);
	channel_send(channel, msg, &answer);
	if (!answer.error || (bad->error && answer.error != bad->error) ||
	    !*answer.text || !strstr(answer.text, bad->text)) {
		printf("# %s: error %d, '%s'\n", bad->what, answer.error,
		       answer.text);
		fflush(stdout);
		return 1;
	}
	return 0;
}

static int talk_nonsense(void *arg)
{
	const struct nonsense *bad = arg;
	struct channel channel;
	struct nl_msg *msg;

	CHECK(!channel_open(&channel));
	msg = channel_message(&channel, REASSURE_CMD_RESCUE_POINT_ADD,
			      NLM_F_ACK);
	if (!(bad->without & NAME))
		nla_put_string(msg, REASSURE_A_NAME, "other");
	if (!(bad->without & FD))
		put_open(msg, "/bin/true", O_RDONLY);
	if (!(bad->without & OFFSET))
		nla_put_u64(msg, REASSURE_A_OFFSET, 0x1000);
	return tell(bad, &channel, msg);
}

static int change_nonsense(void *arg)
{
	const struct nonsense *bad = arg;
	struct channel channel;
	struct nl_msg *msg;

	CHECK(!channel_open(&channel));
	msg = channel_message(&channel, REASSURE_CMD_RESCUE_POINT_SET,
			      NLM_F_ACK);
	if (!(bad->without & NAME))
		nla_put_string(msg, REASSURE_A_NAME, "test");
	return tell(bad, &channel, msg);
}

static int rescued_program(void *arg)
{
	CHECK(victim() == RESCUED);
	return 0;
}

TEST_F(permissions, are_no_leave_to_change_nonsense)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changes); i++)
		EXPECT_EQ(0, child_run(change_nonsense, (void *)&changes[i]));
	/* Nothing has changed. */
	EXPECT_EQ(0, child_run(rescued_program, NULL));
	EXPECT_EQ(0, rescue_points_flush());
	EXPECT_EQ(-ENOENT, rescue_point_delete("test"));
}

TEST_F(permissions, are_no_leave_for_nonsense)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nonsense); i++)
		EXPECT_EQ(0, child_run(talk_nonsense, (void *)&nonsense[i]));
	EXPECT_EQ(0, access(REASSURE_SYSFS "/rescue_points/test", F_OK));
	EXPECT_NE(0, access(REASSURE_SYSFS "/rescue_points/other", F_OK));

	/* Nor when it would have been the first one. */
	ASSERT_EQ(0, rescue_points_flush());
	for (i = 0; i < ARRAY_SIZE(nonsense); i++)
		if (nonsense[i].error != -EEXIST)
			EXPECT_EQ(0, child_run(talk_nonsense,
					       (void *)&nonsense[i]));
	EXPECT_NE(0, access(REASSURE_SYSFS "/rescue_points/other", F_OK));
	EXPECT_FALSE(file_has("/sys/kernel/tracing/enabled_functions",
			      "handle_mm_fault "));
}

TEST_F(permissions, are_no_leave_for_what_is_not_there)
{
	struct channel channel;
	struct answer answer;
	struct nl_msg *msg;

	EXPECT_EQ(-ENOENT, rescue_point_delete("nothing"));
	EXPECT_NE(NULL, strstr(rescue_point_error(), "no rescue point"));
	EXPECT_EQ(-EINVAL, rescue_point_delete("../test"));
	ASSERT_EQ(0, channel_open(&channel));
	channel_send(&channel, channel_message(&channel,
					       REASSURE_CMD_RESCUE_POINT_DEL,
					       NLM_F_ACK), &answer);
	EXPECT_EQ(-EINVAL, answer.error);
	msg = channel_message(&channel, REASSURE_CMD_RESCUE_POINT_GET,
			      NLM_F_ACK);
	nla_put_string(msg, REASSURE_A_NAME, "nothing");
	channel_send(&channel, msg, &answer);
	EXPECT_EQ(-ENOENT, answer.error);
	channel_send(&channel, channel_message(&channel, 77, NLM_F_ACK),
		     &answer);
	EXPECT_EQ(-EOPNOTSUPP, answer.error);
	channel_close(&channel);
	EXPECT_EQ(0, access(REASSURE_SYSFS "/rescue_points/test", F_OK));
}

static int send_switch(void (*fill)(struct nl_msg *msg))
{
	struct channel channel;
	struct answer answer;
	struct nl_msg *msg;

	CHECK(!channel_open(&channel));
	msg = channel_message(&channel, REASSURE_CMD_SWITCH, NLM_F_ACK);
	fill(msg);
	channel_send(&channel, msg, &answer);
	channel_close(&channel);
	CHECK(!answer.error || *answer.text);
	return answer.error;
}

static void nothing(struct nl_msg *msg)
{
}

static void off_for_one(struct nl_msg *msg)
{
	nla_put_u8(msg, REASSURE_A_ENABLED, 0);
	nla_put_string(msg, REASSURE_A_NAME, "test");
}

TEST_F(permissions, are_no_leave_to_switch_to_nonsense)
{
	EXPECT_EQ(-EINVAL, send_switch(nothing));
	EXPECT_EQ(-ERANGE, send_switch(enabled_unknown));
	EXPECT_EQ(-EINVAL, send_switch(enabled_long));
	EXPECT_EQ(-EINVAL, send_switch(off_for_one));
	EXPECT_TRUE(module_is_off_for("no"));
}

/* More than fits into one message; with a name of the greatest length. */
TEST_F(permissions, are_enough_for_many)
{
	struct rescue_point rp = { .path = "/bin/true" };
	struct channel channel;
	struct answer answer;
	char name[65];
	int i;

	for (i = 0; i < ANSWERS_MAX; i++) {
		snprintf(name, sizeof(name), "%064d", i);
		rp.name = name;
		rp.offset = i;
		ASSERT_EQ(0, rescue_point_add(&rp));
	}
	ASSERT_EQ(0, channel_open(&channel));
	channel_send(&channel, channel_message(&channel,
					       REASSURE_CMD_RESCUE_POINT_GET,
					       NLM_F_DUMP), &answer);
	EXPECT_EQ(0, answer.error);
	EXPECT_EQ(ANSWERS_MAX + 1, answer.messages);
	channel_close(&channel);
	EXPECT_EQ(0, rescue_points_flush());
	EXPECT_NE(0, access(REASSURE_SYSFS "/rescue_points/test", F_OK));
}

/* A file system can go once nobody refers to its files. */
static int refer_to_file(void *path)
{
	struct rescue_point rp = { .path = path, .offset = 1 << 20 };

	CHECK(rescue_point_add(&rp) == -ERANGE);
	rp.offset = 0;
	rp.name = "a/b";
	CHECK(rescue_point_add(&rp) == -EINVAL);
	rp.name = "test";
	CHECK(rescue_point_add(&rp) == -EEXIST);
	rp.name = "mine";
	CHECK(!rescue_point_add(&rp));
	return 0;
}

TEST_F(permissions, to_refer_to_a_file_end)
{
	char dir[] = "/dev/shm/reassure.XXXXXX", path[64];
	int fd;

	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("none", dir, "tmpfs", 0, ""));
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	EXPECT_EQ(9, write(fd, "\177ELF text", 9));
	close(fd);
	EXPECT_EQ(0, child_run(refer_to_file, path));
	EXPECT_EQ(-1, umount(dir));
	EXPECT_EQ(0, rescue_point_delete("mine"));
	EXPECT_EQ(0, umount(dir));
	rmdir(dir);
}

TEST_HARNESS_MAIN
