// SPDX-License-Identifier: GPL-2.0
/*
 * Faults in threads that have been in a rescue point are told to who listens:
 * what they were, and what became of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/msg.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <time.h>

/* The tests have their own. */
#undef PAGE_SIZE

#include "lib/harness.h"
#include "lib/netlink.h"
#include "lib/reassure_test.h"
#include "lib/victim.h"

#define NOBODY	65534
#define BUILD_ID_MAX	20

/* Written by children. */
static struct told_by_child {
	uint64_t return_address;
	pid_t pid;
	pid_t tid;
} *child;

/**
 * struct mapping - as an event tells it
 * @start: its first address
 * @end: the one behind it
 * @offset: of @start in the file
 * @build_id_size: of @build_id
 * @build_id: of the file
 * @path: of the file
 */
struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	int build_id_size;
	unsigned char build_id[BUILD_ID_MAX];
	char path[4096];
};

/**
 * struct event - as the module tells it
 * @has: which attributes it has; bit N for type N
 */
struct event {
	uint64_t has;
	uint64_t number;
	uint32_t outcome;
	char name[REASSURE_NAME_MAX + 1];
	uint32_t refusal;
	uint64_t pages;
	uint64_t duration;
	uint64_t time;
	uint64_t monotonic;
	uint32_t pid;
	uint32_t tid;
	char command[16];
	char cgroup[1024];
	uint64_t cgroup_id;
	uint32_t signal;
	int32_t code;
	uint64_t address;
	struct user_regs_struct registers;
	uint64_t stack_address;
	size_t stack_size;
	uint64_t stack[REASSURE_EVENT_STACK_MAX / 8];
	unsigned int nr_mappings;
	struct mapping mappings[REASSURE_EVENT_MAPPINGS_MAX];
};

static bool has(const struct event *event, int attribute)
{
	return event->has >> attribute & 1;
}

/* Those that were read last, and how many came with them. */
static struct event events[4];
static unsigned int nr_events;
static uint64_t first_number, last_number;
static struct channel listener;
static int group;

static void read_mapping(struct mapping *mapping, struct nlattr *nest)
{
	struct nlattr *attrs[REASSURE_MAPPING_MAX + 1];

	memset(mapping, 0, sizeof(*mapping));
	if (nla_parse_nested(attrs, REASSURE_MAPPING_MAX, nest, NULL))
		return;
	mapping->start = nla_get_u64(attrs[REASSURE_MAPPING_START]);
	mapping->end = nla_get_u64(attrs[REASSURE_MAPPING_END]);
	mapping->offset = nla_get_u64(attrs[REASSURE_MAPPING_OFFSET]);
	if (attrs[REASSURE_MAPPING_BUILD_ID])
		mapping->build_id_size =
			nla_memcpy(mapping->build_id,
				   attrs[REASSURE_MAPPING_BUILD_ID],
				   BUILD_ID_MAX);
	if (attrs[REASSURE_MAPPING_PATH])
		nla_strlcpy(mapping->path, attrs[REASSURE_MAPPING_PATH],
			    sizeof(mapping->path));
}

static uint64_t number(struct nlattr *attr)
{
	if (!attr)
		return 0;
	return nla_len(attr) == 8 ? nla_get_u64(attr) : nla_get_u32(attr);
}

static void text(char *to, struct nlattr *attr, size_t size)
{
	*to = 0;
	if (attr)
		nla_strlcpy(to, attr, size);
}

static void read_event(struct event *event, struct nlattr **attrs)
{
	struct nlattr *nest;
	int i, rest;

	memset(event, 0, sizeof(*event));
	for (i = 1; i <= REASSURE_EVENT_MAX; i++)
		event->has |= (uint64_t)!!attrs[i] << i;
	event->number = number(attrs[REASSURE_EVENT_NUMBER]);
	event->outcome = number(attrs[REASSURE_EVENT_OUTCOME]);
	event->refusal = number(attrs[REASSURE_EVENT_REFUSAL]);
	event->pages = number(attrs[REASSURE_EVENT_PAGES]);
	event->duration = number(attrs[REASSURE_EVENT_DURATION]);
	event->time = number(attrs[REASSURE_EVENT_TIME]);
	event->monotonic = number(attrs[REASSURE_EVENT_MONOTONIC]);
	event->pid = number(attrs[REASSURE_EVENT_PID]);
	event->tid = number(attrs[REASSURE_EVENT_TID]);
	event->cgroup_id = number(attrs[REASSURE_EVENT_CGROUP_ID]);
	event->signal = number(attrs[REASSURE_EVENT_SIGNAL]);
	event->code = number(attrs[REASSURE_EVENT_CODE]);
	event->address = number(attrs[REASSURE_EVENT_ADDRESS]);
	event->stack_address = number(attrs[REASSURE_EVENT_STACK_ADDRESS]);
	text(event->name, attrs[REASSURE_EVENT_NAME], sizeof(event->name));
	text(event->command, attrs[REASSURE_EVENT_COMMAND],
	     sizeof(event->command));
	text(event->cgroup, attrs[REASSURE_EVENT_CGROUP],
	     sizeof(event->cgroup));
	if (attrs[REASSURE_EVENT_REGISTERS])
		nla_memcpy(&event->registers, attrs[REASSURE_EVENT_REGISTERS],
			   sizeof(event->registers));
	if (attrs[REASSURE_EVENT_STACK])
		event->stack_size = nla_memcpy(event->stack,
					       attrs[REASSURE_EVENT_STACK],
					       sizeof(event->stack));
	if (!attrs[REASSURE_EVENT_MAPPINGS])
		return;
	nla_for_each_nested(nest, attrs[REASSURE_EVENT_MAPPINGS], rest)
		if (event->nr_mappings < REASSURE_EVENT_MAPPINGS_MAX)
			read_mapping(&event->mappings[event->nr_mappings++],
				     nest);
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[REASSURE_EVENT_MAX + 1];

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, REASSURE_EVENT_MAX, NULL))
		return NL_OK;
	last_number = number(attrs[REASSURE_EVENT_NUMBER]);
	if (!nr_events)
		first_number = last_number;
	if (nr_events < sizeof(events) / sizeof(*events))
		read_event(&events[nr_events], attrs);
	nr_events++;
	return NL_OK;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	*(int *)arg = *(int *)nlmsg_data(nlmsg_hdr(msg));
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	*(int *)arg = error->error;
	return NL_STOP;
}

/* All events after @after; 0 or a negative errno. */
static int read_events_by(struct channel *channel, uint64_t after)
{
	struct nl_msg *msg = channel_message(channel, REASSURE_CMD_EVENT_GET,
					     NLM_F_DUMP);
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int end = 0;

	nr_events = 0;
	nla_put_u64(msg, REASSURE_EVENT_NUMBER, after);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_event, NULL);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, &end);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &end);
	if (nl_send_auto(channel->sock, msg) < 0 ||
	    (nl_recvmsgs(channel->sock, cb) < 0 && !end))
		end = -EIO;
	nl_cb_put(cb);
	nlmsg_free(msg);
	return end;
}

/* By a socket of its own, so that what is told does not come between. */
static int read_events(uint64_t after)
{
	struct channel channel;
	int ret = channel_open(&channel);

	if (ret)
		return ret;
	nl_socket_set_msg_buf_size(channel.sock, 65536);
	ret = read_events_by(&channel, after);
	channel_close(&channel);
	return ret;
}

/**
 * struct status - of events
 * @last: the number of the last
 * @lost: how many were lost
 */
struct status {
	uint64_t last;
	uint64_t lost;
};

static int on_status(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[REASSURE_A_MAX + 1];
	struct status *status = arg;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, REASSURE_A_MAX, NULL))
		return NL_OK;
	status->last = number(attrs[REASSURE_A_EVENTS]);
	status->lost = number(attrs[REASSURE_A_EVENTS_LOST]);
	return NL_OK;
}

static struct status status(void)
{
	struct status status = { UINT64_MAX, UINT64_MAX };
	struct channel channel;
	struct nl_msg *msg;

	if (channel_open(&channel))
		return status;
	msg = channel_message(&channel, REASSURE_CMD_STATUS_GET, 0);
	nl_socket_modify_cb(channel.sock, NL_CB_VALID, NL_CB_CUSTOM, on_status,
			    &status);
	if (nl_send_auto(channel.sock, msg) >= 0)
		nl_recvmsgs_default(channel.sock);
	nlmsg_free(msg);
	channel_close(&channel);
	return status;
}

static int join(struct channel *channel)
{
	return setsockopt(nl_socket_get_fd(channel->sock), SOL_NETLINK,
			  NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) ?
	       -errno : 0;
}

static int listen_to_events(void)
{
	int ret = channel_open(&listener);

	if (ret)
		return ret;
	group = genl_ctrl_resolve_grp(listener.sock, REASSURE_GENL_NAME,
				      REASSURE_EVENTS_GROUP);
	return group < 0 ? group : join(&listener);
}

/* What was told: the number of an event; 0 for none, a negative errno. */
static long hear_by(struct channel *channel)
{
	char buffer[4096];
	struct nlattr *attrs[REASSURE_EVENT_MAX + 1];
	struct nlmsghdr *header = (void *)buffer;
	ssize_t size = recv(nl_socket_get_fd(channel->sock), buffer,
			    sizeof(buffer), MSG_DONTWAIT);
	struct genlmsghdr *genl;

	if (size < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (genlmsg_parse(header, 0, attrs, REASSURE_EVENT_MAX, NULL) ||
	    header->nlmsg_type != channel->family)
		return -EPROTO;
	genl = genlmsg_hdr(header);
	/* Nothing else is told to everybody. */
	return genl->cmd == REASSURE_CMD_EVENT_NTF &&
	       genlmsg_attrlen(genl, 0) <= 16 ?
	       number(attrs[REASSURE_EVENT_NUMBER]) : -EPROTO;
}

/* As hear_by(), but waits: they are told a while after they came. */
static long await_news(struct channel *channel)
{
	struct pollfd news = {
		.fd = nl_socket_get_fd(channel->sock),
		.events = POLLIN,
	};

	return poll(&news, 1, 60000) == 1 ? hear_by(channel) : 0;
}

/* All is told up to the event @wanted. */
static bool hears_of(uint64_t wanted)
{
	long heard;

	do
		heard = await_news(&listener);
	while (heard > 0 && (uint64_t)heard < wanted);
	return heard > 0 && (uint64_t)heard == wanted;
}

FIXTURE(events)
{
	struct status before;
};

FIXTURE_SETUP(events)
{
	child = shared_memory(PAGE_SIZE);
	ASSERT_EQ(0, test_begin_alone());
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, listen_to_events());
	/* Those of other tests have been read. */
	ASSERT_EQ(0, read_events(0));
	self->before = status();
}

FIXTURE_TEARDOWN(events)
{
	channel_close(&listener);
	test_end_alone(_metadata->passed);
}

/* Reads what has come since the test began. */
#define READ_EVENTS() ASSERT_EQ(0, read_events(self->before.last))

static void note_place(void)
{
	child->pid = getpid();
	child->tid = gettid();
}

static int program(void *arg)
{
	prctl(PR_SET_NAME, "unfortunate one");
	expect_rescue(note_place);
	return 0;
}

/* Of the executable, from where it is in memory. */
static int find_build_id(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct mapping *mapping = arg;
	const ElfW(Nhdr) *note;
	const char *end;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_NOTE)
			continue;
		note = (void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
		end = (char *)note + info->dlpi_phdr[i].p_memsz;
		for (; (char *)note < end;
		     note = (void *)((char *)(note + 1) +
				     (note->n_namesz + 3) / 4 * 4 +
				     (note->n_descsz + 3) / 4 * 4)) {
			if (note->n_type != NT_GNU_BUILD_ID ||
			    note->n_descsz > BUILD_ID_MAX)
				continue;
			mapping->build_id_size = note->n_descsz;
			memcpy(mapping->build_id, (char *)(note + 1) + 4,
			       note->n_descsz);
		}
	}
	/* The first is the executable. */
	return 1;
}

static const struct mapping *find_mapping(const struct event *event,
					  uint64_t address)
{
	unsigned int i;

	for (i = 0; i < event->nr_mappings; i++)
		if (address >= event->mappings[i].start &&
		    address < event->mappings[i].end)
			return &event->mappings[i];
	return NULL;
}

static bool stack_has(const struct event *event, uint64_t from, uint64_t to)
{
	size_t i;

	for (i = 0; i < event->stack_size / 8; i++)
		if (event->stack[i] >= from && event->stack[i] <= to)
			return true;
	return false;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

TEST_F(events, tell_of_a_rescue)
{
	uint64_t real = now_ns(CLOCK_REALTIME), real_end;
	uint64_t monotonic = now_ns(CLOCK_MONOTONIC);
	const struct event *event = events;

	EXPECT_EQ(0, child_run(program, NULL));
	real_end = now_ns(CLOCK_REALTIME);
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_EQ(self->before.last + 1, event->number);
	EXPECT_TRUE(hears_of(event->number));
	EXPECT_EQ(0, hear_by(&listener));
	EXPECT_EQ(REASSURE_OUTCOME_RESCUED, event->outcome);
	EXPECT_STREQ("test", event->name);
	EXPECT_FALSE(has(event, REASSURE_EVENT_REFUSAL));
	EXPECT_LT(0, event->pages);
	EXPECT_EQ(events_since_mark(REASSURE_COUNTER_PAGES_RESTORED),
		  event->pages);
	EXPECT_LT(0, event->duration);
	EXPECT_LE(events_since_mark(REASSURE_COUNTER_ROLLBACK_NS),
		  event->duration);
	EXPECT_LE(real, event->time);
	EXPECT_LE(event->time + event->duration, real_end);
	EXPECT_LE(monotonic, event->monotonic);
	EXPECT_EQ(child->pid, event->pid);
	EXPECT_EQ(child->tid, event->tid);
	EXPECT_STREQ("unfortunate one", event->command);
	EXPECT_EQ(SIGSEGV, event->signal);
	EXPECT_EQ(SEGV_MAPERR, event->code);
	EXPECT_TRUE(has(event, REASSURE_EVENT_ADDRESS));
	EXPECT_EQ(8, event->address);
}

TEST_F(events, tell_of_the_cgroup)
{
	char line[1100], told[1100];

	EXPECT_EQ(0, child_run(program, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	ASSERT_EQ(0, read_text("/proc/self/cgroup", line, sizeof(line)));
	snprintf(told, sizeof(told), "0::%s\n", events->cgroup);
	EXPECT_NE(NULL, strstr(line, told));
	EXPECT_NE(0, events->cgroup_id);
}

/* Its caller's place is on the stack. */
static long __noipa caller(void)
{
	child->return_address = (uint64_t)__builtin_return_address(0);
	return victim(NULL, true);
}

static int calling_program(void *arg)
{
	long value = caller();

	/* So that it is no tail call. */
	barrier();
	return value == RESCUED ? 0 : 1;
}

TEST_F(events, tell_where_it_was)
{
	const struct event *event = events;
	const struct mapping *mapping;
	struct mapping own = { 0 };
	char path[4096];
	uint64_t offset;

	ASSERT_EQ(0, function_place(victim, path, sizeof(path), &offset));
	dl_iterate_phdr(find_build_id, &own);
	ASSERT_LT(0, own.build_id_size);
	EXPECT_EQ(0, child_run(calling_program, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);

	/* Children are like us. */
	EXPECT_LE((uint64_t)victim, event->registers.rip);
	EXPECT_GT((uint64_t)victim + 256, event->registers.rip);
	EXPECT_EQ(event->registers.rsp, event->stack_address);
	EXPECT_NE(0, event->registers.fs_base);
	EXPECT_EQ(0x33, event->registers.cs);
	EXPECT_LT(0, event->stack_size);
	EXPECT_TRUE(stack_has(event, child->return_address,
			      child->return_address));
	/* The kernel has replaced it by that of a return probe. */
	EXPECT_TRUE(stack_has(event, (uint64_t)caller, (uint64_t)caller + 99));

	mapping = find_mapping(event, event->registers.rip);
	ASSERT_NE(NULL, mapping);
	EXPECT_EQ(&event->mappings[0], mapping);
	EXPECT_STREQ(path, mapping->path);
	EXPECT_EQ(offset + event->registers.rip - (uint64_t)victim,
		  event->registers.rip - mapping->start + mapping->offset);
	EXPECT_EQ(own.build_id_size, mapping->build_id_size);
	EXPECT_EQ(0, memcmp(own.build_id, mapping->build_id,
			    own.build_id_size));
	mapping = find_mapping(event, child->return_address);
	ASSERT_NE(NULL, mapping);
	EXPECT_EQ(0, memcmp(own.build_id, mapping->build_id,
			    own.build_id_size));
	/* The library that has called main(), too. */
	EXPECT_LT(1, event->nr_mappings);
}

static int aborting_program(void *arg)
{
	CHECK(victim(abort, false) == RESCUED);
	return 0;
}

TEST_F(events, have_no_address_for_abort)
{
	EXPECT_EQ(0, child_run(aborting_program, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_EQ(SIGABRT, events->signal);
	EXPECT_EQ(SI_TKILL, events->code);
	EXPECT_FALSE(has(events, REASSURE_EVENT_ADDRESS));
}

static int dying_program(void *arg)
{
	note_place();
	victim(NULL, true);
	return 0;
}

TEST_F(events, tell_why_there_was_no_rescue)
{
	struct rescue_point_change change = { .signals = SIGNAL_BIT(SIGFPE) };
	const struct event *event = events;

	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_TRUE(hears_of(event->number));
	EXPECT_EQ(REASSURE_OUTCOME_REFUSED, event->outcome);
	EXPECT_STREQ("test", event->name);
	EXPECT_TRUE(has(event, REASSURE_EVENT_REFUSAL));
	EXPECT_EQ(REASSURE_REFUSED_SIGNAL, event->refusal);
	EXPECT_FALSE(has(event, REASSURE_EVENT_PAGES));
	EXPECT_EQ(child->pid, event->pid);
	EXPECT_EQ(SIGSEGV, event->signal);
	EXPECT_EQ(8, event->address);
	EXPECT_LE((uint64_t)victim, event->registers.rip);
}

static int injected_program(void *arg)
{
	CHECK(victim(NULL, false) == RESCUED);
	return 0;
}

TEST_F(events, tell_that_it_was_injected)
{
	const struct rescue_point_injection injection = { .signal = SIGBUS };
	struct rescue_point_change change = {
		.budget_rescues = 1,
		.budget_seconds = 1000000,
	};

	ASSERT_EQ(0, rescue_point_set("test", &change));
	ASSERT_EQ(0, rescue_point_inject("test", &injection));
	EXPECT_EQ(0, child_run(injected_program, NULL));
	ASSERT_EQ(0, rescue_point_inject("test", &injection));
	EXPECT_EQ(-SIGBUS, child_run(injected_program, NULL));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	READ_EVENTS();
	ASSERT_EQ(3, nr_events);
	EXPECT_TRUE(has(&events[0], REASSURE_EVENT_INJECTED));
	EXPECT_EQ(REASSURE_OUTCOME_RESCUED, events[0].outcome);
	EXPECT_EQ(SIGBUS, events[0].signal);
	EXPECT_EQ(SI_KERNEL, events[0].code);
	/* The kernel may have emulated the instruction that is probed. */
	EXPECT_LE((uint64_t)victim, events[0].registers.rip);
	EXPECT_GE((uint64_t)victim + 15, events[0].registers.rip);
	EXPECT_TRUE(has(&events[1], REASSURE_EVENT_INJECTED));
	EXPECT_EQ(REASSURE_REFUSED_BUDGET, events[1].refusal);
	EXPECT_FALSE(has(&events[2], REASSURE_EVENT_INJECTED));
	EXPECT_EQ(REASSURE_REFUSED_BUDGET, events[2].refusal);
}

static int program_outside(void *arg)
{
	victim(NULL, false);
	touch_read(BAD_ADDRESS);
	return 0;
}

TEST_F(events, tell_of_faults_outside)
{
	EXPECT_EQ(-SIGSEGV, child_run(program_outside, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_EQ(REASSURE_OUTCOME_OUTSIDE, events->outcome);
	EXPECT_FALSE(has(events, REASSURE_EVENT_NAME));
	EXPECT_FALSE(has(events, REASSURE_EVENT_REFUSAL));
	EXPECT_EQ(8, events->address);
	EXPECT_NE(0, events->stack_size);
}

static int program_elsewhere(void *arg)
{
	touch_read(BAD_ADDRESS);
	return 0;
}

TEST_F(events, do_not_tell_of_programs_that_never_entered)
{
	EXPECT_EQ(-SIGSEGV, child_run(program_elsewhere, NULL));
	EXPECT_EQ(self->before.last, status().last);
	EXPECT_EQ(0, hear_by(&listener));
}

TEST_F(events, are_not_made_for_nobody)
{
	channel_close(&listener);
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(self->before.last, status().last);
	EXPECT_EQ(self->before.lost, status().lost);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* They hold what programs had in their memory. */
TEST_F(events, are_forgotten_when_nobody_listens)
{
	EXPECT_EQ(0, child_run(program, NULL));
	channel_close(&listener);
	EXPECT_EQ(self->before.last + 1, status().last);
	EXPECT_EQ(self->before.lost + 1, status().lost);
	ASSERT_EQ(0, listen_to_events());
	EXPECT_EQ(0, read_events(0));
	EXPECT_EQ(0, nr_events);
}

static long __noipa outer_victim(bool faults)
{
	long value = victim(NULL, faults);

	written.value++;
	return value;
}

static int nested_program(void *arg)
{
	CHECK(outer_victim(true) == RESCUED);
	return 0;
}

/* One for a fault, however many calls were tried. */
TEST_F(events, tell_of_the_call_that_was_rescued)
{
	struct rescue_point outer = { .function = outer_victim,
				      .name = "outer" };
	struct rescue_point_change change = { .signals = SIGNAL_BIT(SIGFPE) };

	ASSERT_EQ(0, rescue_point_add(&outer));
	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_EQ(0, child_run(nested_program, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_EQ(REASSURE_OUTCOME_RESCUED, events->outcome);
	EXPECT_STREQ("outer", events->name);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SIGNAL));
}

static int dying_nested_program(void *arg)
{
	outer_victim(true);
	return 0;
}

TEST_F(events, tell_the_reason_behind_an_escalation)
{
	struct rescue_point outer = { .function = outer_victim,
				      .name = "outer",
				      .signals = SIGNAL_BIT(SIGFPE) };
	struct rescue_point_change change = {
		.escalate = &(unsigned int){ 0 },
	};

	ASSERT_EQ(0, rescue_point_add(&outer));
	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_EQ(-SIGSEGV, child_run(dying_nested_program, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_EQ(REASSURE_OUTCOME_REFUSED, events->outcome);
	EXPECT_STREQ("outer", events->name);
	EXPECT_EQ(REASSURE_REFUSED_SIGNAL, events->refusal);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_ESCALATED));
}

static void stay(void)
{
	for (;;)
		pause();
}

static int late_program(void *arg)
{
	CHECK(victim(stay, false) == RESCUED);
	return 0;
}

TEST_F(events, tell_of_deadlines)
{
	struct rescue_point_change change = {
		.deadline_ms = &(uint32_t){ 50 },
	};

	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_EQ(0, child_run(late_program, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_EQ(REASSURE_OUTCOME_RESCUED, events->outcome);
	EXPECT_STREQ("test", events->name);
	EXPECT_FALSE(has(events, REASSURE_EVENT_SIGNAL));
	EXPECT_FALSE(has(events, REASSURE_EVENT_ADDRESS));
	EXPECT_NE(0, events->registers.rip);
}

static void *thread(void *arg)
{
	expect_rescue(note_place);
	return NULL;
}

static int threaded_program(void *arg)
{
	pthread_t other;

	CHECK(!pthread_create(&other, NULL, thread, NULL));
	CHECK(!pthread_join(other, NULL));
	return 0;
}

TEST_F(events, tell_of_threads)
{
	EXPECT_EQ(0, child_run(threaded_program, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_EQ(child->pid, events->pid);
	EXPECT_EQ(child->tid, events->tid);
	EXPECT_NE(events->pid, events->tid);
}

static int first_process(void *arg)
{
	CHECK(getpid() == 1);
	expect_rescue(NULL);
	return 0;
}

static int program_of_a_container(void *arg)
{
	pid_t first;

	CHECK(!unshare(CLONE_NEWPID));
	first = child_start(first_process, NULL);
	child->pid = first;
	return child_wait(first);
}

TEST_F(events, tell_the_numbers_of_the_first_pid_namespace)
{
	EXPECT_EQ(0, child_run(program_of_a_container, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_LT(1, child->pid);
	EXPECT_EQ(child->pid, events->pid);
	EXPECT_EQ(child->pid, events->tid);
}

/* The stack pointer is where no memory is, as when a stack has overflowed. */
static int program_with_a_bad_stack(void *arg)
{
	unsigned char *area = private_memory(2 * PAGE_SIZE);

	memset(area, 7, 2 * PAGE_SIZE);
	CHECK(!mprotect(area, PAGE_SIZE, PROT_NONE));
	child->return_address = (uint64_t)area;
	/* Entered before. */
	victim(NULL, false);
	asm volatile("movq %0, %%rsp; movb (%1), %%al"
		     : : "r" (area + 0x7fc), "r" (BAD_ADDRESS)
		     : "memory", "rax");
	return 0;
}

TEST_F(events, have_what_can_be_read_of_the_stack)
{
	const struct event *event = events;

	EXPECT_EQ(-SIGSEGV, child_run(program_with_a_bad_stack, NULL));
	READ_EVENTS();
	ASSERT_EQ(1, nr_events);
	EXPECT_EQ(child->return_address + 0x7fc, event->registers.rsp);
	EXPECT_EQ(child->return_address + PAGE_SIZE, event->stack_address);
	EXPECT_LE(PAGE_SIZE, event->stack_size);
	EXPECT_TRUE(memory_holds(event->stack, PAGE_SIZE, 7));
}

static int program_of_many(void *count)
{
	long i;

	for (i = 0; i < (long)count; i++)
		expect_rescue(NULL);
	return 0;
}

TEST_F(events, that_nobody_reads_are_counted_as_lost)
{
	long count = REASSURE_EVENTS_KEPT + 6;

	EXPECT_EQ(0, child_run(program_of_many, (void *)count));
	EXPECT_EQ(count, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(self->before.last + count, status().last);
	EXPECT_EQ(self->before.lost + 6, status().lost);

	/* However many it was told of at once. */
	EXPECT_TRUE(hears_of(self->before.last + count));
	EXPECT_EQ(0, hear_by(&listener));
	READ_EVENTS();
	EXPECT_EQ(REASSURE_EVENTS_KEPT, nr_events);
	EXPECT_EQ(self->before.last + 7, first_number);
	EXPECT_EQ(self->before.last + count, last_number);

	/* Only those after. */
	EXPECT_EQ(0, read_events(last_number - 2));
	EXPECT_EQ(2, nr_events);
	EXPECT_EQ(0, read_events(last_number));
	EXPECT_EQ(0, nr_events);
	EXPECT_EQ(0, read_events(UINT64_MAX));
	EXPECT_EQ(0, nr_events);

	/* What has been read is not lost. */
	EXPECT_EQ(0, child_run(program_of_many, (void *)2L));
	EXPECT_EQ(self->before.lost + 6, status().lost);
}

static int nobody(void *arg)
{
	struct channel channel;

	CHECK(!channel_open(&channel));
	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
	CHECK(join(&channel) == -EPERM);
	CHECK(read_events_by(&channel, 0) == -EPERM && !nr_events);
	CHECK(read_events(0) == -EPERM && !nr_events);
	return 0;
}

/* In a network of his own he may join, and is told nothing. */
static int root_of_a_container(void *number)
{
	struct channel channel;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 4;
	CHECK(!channel_open(&channel));
	join(&channel);
	CHECK(!child_run(program, NULL));
	/* Of the first network. */
	CHECK(hears_of((uint64_t)number));
	CHECK(!hear_by(&channel));
	CHECK(read_events_by(&channel, 0) == -EPERM && !nr_events);
	return 0;
}

TEST_F(events, are_told_to_the_administrator_only)
{
	int ended;

	EXPECT_EQ(0, child_run(nobody, NULL));
	ended = child_run(root_of_a_container,
			  (void *)(self->before.last + 1));
	if (ended == 4)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(0, ended);
}

/* Who has joined the number before it was a group learns nothing else. */
TEST_F(events, do_not_keep_the_module)
{
	struct channel control;
	int notify, one = 0;
	char buffer[4096];
	struct nlmsghdr *header = (void *)buffer;

	ASSERT_EQ(0, channel_open(&control));
	notify = genl_ctrl_resolve_grp(control.sock, "nlctrl", "notify");
	ASSERT_LT(0, notify);
	ASSERT_EQ(0, nl_socket_add_membership(control.sock, notify));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_TRUE(hears_of(self->before.last + 1));

	ASSERT_EQ(0, rescue_points_flush());
	ASSERT_EQ(0, module_unload());
	while (!one && recv(nl_socket_get_fd(control.sock), buffer,
			    sizeof(buffer), MSG_DONTWAIT) > 0)
		one = header->nlmsg_type == GENL_ID_CTRL &&
		      genlmsg_hdr(header)->cmd == CTRL_CMD_DELFAMILY;
	EXPECT_EQ(1, one);
	ASSERT_EQ(0, module_load());

	/* Nobody listens any more. */
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(0, hear_by(&listener));
	EXPECT_EQ(0, status().last);
	channel_close(&control);
}

static bool trace_has(const char *event, pid_t pid, const char *fields)
{
	char line[1024], wanted[64];
	bool found = false;
	FILE *file = fopen("/sys/kernel/tracing/trace", "r");

	snprintf(wanted, sizeof(wanted), " pid=%d ", pid);
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, event) && strstr(line, wanted) &&
			strstr(line, fields);
	if (file)
		fclose(file);
	return found;
}

TEST_F(events, are_tracepoints)
{
	struct rescue_point_change change = { .signals = SIGNAL_BIT(SIGFPE) };
	static const char enable[] =
		"/sys/kernel/tracing/events/reassure/enable";

	/*
	 * Names of all programs that run would be kept, too, for which the
	 * kernel patches its scheduler: what an emulator may stumble over.
	 */
	EXPECT_EQ(0, write_text("/sys/kernel/tracing/options/record-cmd", "0"));
	/* Also when nobody listens. */
	channel_close(&listener);
	ASSERT_EQ(0, write_text(enable, "1"));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_TRUE(trace_has(" rescue: name=test ", child->pid,
			      " sig=11 code=1 address=0x8 ip=0x"));
	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_TRUE(trace_has(" fault_not_rescued: name=test reason=signal ",
			      child->pid,
			      " sig=11 code=1 address=0x8 ip=0x"));
	EXPECT_EQ(0, write_text(enable, "0"));
	EXPECT_EQ(0, write_text("/sys/kernel/tracing/trace", ""));
}

/*
 * More than anybody wants to read in a second, if the machine is fast;
 * the last test, for until the second is over more would be lost.
 */
TEST_F(events, of_a_bombardment_are_all_counted)
{
	long count = 600;

	EXPECT_EQ(0, child_run(program_of_many, (void *)count));
	EXPECT_EQ(count, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(self->before.last + count, status().last);
	READ_EVENTS();
	EXPECT_EQ(REASSURE_EVENTS_KEPT, nr_events);
	EXPECT_EQ(self->before.lost + count - REASSURE_EVENTS_KEPT,
		  status().lost);
}

TEST_HARNESS_MAIN
