// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to the family that are nearly right: what the module knows, with
 * attributes changed, taken away, repeated, resized, mixed and cut off, while
 * processes call what the rescue points are on.  The kernel must not say a
 * word, and what is left must work.  REASSURE_SEED repeats the messages,
 * REASSURE_MESSAGES says how many.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/files.h"
#include "lib/netlink.h"
#include "lib/reassure_test.h"

#define NAME		"fuzz"
/*
 * Stays, so that the module need not hook system calls anew all the time: the
 * emulator may go on with the old code of what the kernel changes.
 */
#define KEPT		"kept"
#define HEADERS		(NLMSG_HDRLEN + GENL_HDRLEN)
#define MESSAGE_MAX	4096
#define BATCH		32
#define ATTRIBUTES_MAX	64
#define CHANGES_MAX	3
/* One message in so many is acknowledged where it does what it says. */
#define ACKNOWLEDGED	8
/* Rescue points of other names and places gather. */
#define DELETE_EVERY	1024
#define TOLD_EVERY	51200
#define CALLERS		2
#define ERRNO_MAX	133

struct message {
	size_t size;
	unsigned char bytes[MESSAGE_MAX];
};

/* How often each command is the beginning. */
enum seed {
	ADD, ADD_ALL, SET, SET_BUDGET, REBIND, INJECT, GET, DUMP, STATUS, DEL,
	SEEDS
};

static const unsigned int weights[SEEDS] = {
	[ADD] = 40, [ADD_ALL] = 60, [SET] = 90, [SET_BUDGET] = 30, [REBIND] = 4,
	[INJECT] = 30, [GET] = 20, [DUMP] = 4, [STATUS] = 4, [DEL] = 1,
};

static const uint64_t numbers[] = {
	0, 1, 2, 3, 19, 20, 21, 63, 64, 65, 127, 128, 255, 256, 1000, 4095,
	4096, 60000, 60001, 65535, 86400000, 1000000, 1000001, 315360000,
	INT32_MAX, 1ULL << 31, UINT32_MAX, 1ULL << 32, 1ULL << 52, INT64_MAX,
	1ULL << 63, UINT64_MAX,
};

static struct channel channel;
static struct message seeds[SEEDS];
static char library[4096];
static uint64_t place, other_place;
static uint64_t random_state;
/* Of all sorts: what a descriptor may be. */
static int descriptors[10];
static unsigned int nr_descriptors;

static struct {
	unsigned long sent, accepted, refused, silent;
	unsigned long errors[ERRNO_MAX + 1];
} told;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static unsigned int below(unsigned int limit)
{
	return (next_random() >> 11) % limit;
}

static void add_descriptor(int fd)
{
	CHECK(fd >= 0 && nr_descriptors < 10);
	descriptors[nr_descriptors++] = fd;
}

static void open_descriptors(void)
{
	int ends[2];

	add_descriptor(open(library, O_RDONLY | O_CLOEXEC));
	add_descriptor(open("/bin/true", O_RDONLY | O_CLOEXEC));
	add_descriptor(open("/bin", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	add_descriptor(open("/bin/true", O_PATH | O_CLOEXEC));
	add_descriptor(open("/dev/null", O_RDWR | O_CLOEXEC));
	add_descriptor(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
	add_descriptor(memfd_create("fuzz", MFD_CLOEXEC));
	CHECK(!pipe2(ends, O_CLOEXEC));
	add_descriptor(ends[0]);
	add_descriptor(ends[1]);
	add_descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static void put_place(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, NAME);
	nla_put_s32(msg, REASSURE_A_FILE_FD, descriptors[0]);
	nla_put_u64(msg, REASSURE_A_OFFSET, place);
}

static void put_landings(struct nl_msg *msg)
{
	struct nlattr *all, *nest;

	all = nla_nest_start(msg, REASSURE_A_LANDINGS | NLA_F_NESTED);
	nest = nla_nest_start(msg, 1 | NLA_F_NESTED);
	nla_put_s32(msg, REASSURE_LANDINGS_FILE_FD, descriptors[0]);
	nla_put(msg, REASSURE_LANDINGS_OFFSETS, sizeof(other_place),
		&other_place);
	nla_nest_end(msg, nest);
	nla_nest_end(msg, all);
}

static void put_settings(struct nl_msg *msg)
{
	nla_put_s64(msg, REASSURE_A_RETURN, RESCUED);
	nla_put_u64(msg, REASSURE_A_SIGNALS, DEFAULT_SIGNALS);
	nla_put_u32(msg, REASSURE_A_HANDLED, REASSURE_HANDLED_LEAVE);
	nla_put_u32(msg, REASSURE_A_SHARED, REASSURE_SHARED_LEAVE);
	nla_put_u32(msg, REASSURE_A_EXHAUSTED, REASSURE_EXHAUSTED_DIE);
	nla_put_u32(msg, REASSURE_A_DEADLINE, 1000);
	nla_put_u8(msg, REASSURE_A_ALLOW_SETUID, 1);
	nla_put_u32(msg, REASSURE_A_WATCHDOG, 30);
	nla_put_u32(msg, REASSURE_A_ESCALATE, 2);
	nla_put_u32(msg, REASSURE_A_THREADS, REASSURE_THREADS_RUN);
	nla_put_u32(msg, REASSURE_A_MODE, REASSURE_MODE_OBSERVE);
	nla_put_u8(msg, REASSURE_A_ENABLED, 1);
}

static void put_budget(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_BUDGET_RESCUES, 100);
	nla_put_u32(msg, REASSURE_A_BUDGET_SECONDS, 1);
	nla_put_u32(msg, REASSURE_A_EXHAUSTED, REASSURE_EXHAUSTED_SKIP);
}

static void fill_seed(enum seed seed, struct nl_msg *msg)
{
	unsigned char id[BUILD_ID_SIZE];
	uint64_t offset;

	switch (seed) {
	case ADD:
		put_place(msg);
		nla_put_flag(msg, REASSURE_A_BUDGET_UNLIMITED);
		break;
	case ADD_ALL:
		put_place(msg);
		put_settings(msg);
		put_landings(msg);
		nla_put_string(msg, REASSURE_A_FUNCTION, "library_victim");
		CHECK(!file_build_id(library, &offset) &&
		      pread(descriptors[0], id, sizeof(id), offset) == sizeof(id));
		nla_put(msg, REASSURE_A_BUILD_ID, sizeof(id), id);
		nla_put_u64(msg, REASSURE_A_BUILD_ID_OFFSET, offset);
		nla_put(msg, REASSURE_A_EXITS, sizeof(other_place),
			&other_place);
		nla_put_flag(msg, REASSURE_A_EXECUTABLE);
		break;
	case SET:
		nla_put_string(msg, REASSURE_A_NAME, NAME);
		put_settings(msg);
		break;
	case SET_BUDGET:
		nla_put_string(msg, REASSURE_A_NAME, NAME);
		put_budget(msg);
		break;
	case REBIND:
		put_place(msg);
		put_landings(msg);
		break;
	case INJECT:
		nla_put_string(msg, REASSURE_A_NAME, NAME);
		nla_put_u32(msg, REASSURE_A_INJECT_SIGNAL, SIGSEGV);
		nla_put_u32(msg, REASSURE_A_INJECT_EVERY, 2);
		break;
	case GET:
	case DEL:
		nla_put_string(msg, REASSURE_A_NAME, NAME);
		break;
	default:
		break;
	}
}

static void make_seeds(void)
{
	static const int commands[SEEDS] = {
		[ADD] = REASSURE_CMD_RESCUE_POINT_ADD,
		[ADD_ALL] = REASSURE_CMD_RESCUE_POINT_ADD,
		[SET] = REASSURE_CMD_RESCUE_POINT_SET,
		[SET_BUDGET] = REASSURE_CMD_RESCUE_POINT_SET,
		[REBIND] = REASSURE_CMD_RESCUE_POINT_REBIND,
		[INJECT] = REASSURE_CMD_INJECT,
		[GET] = REASSURE_CMD_RESCUE_POINT_GET,
		[DUMP] = REASSURE_CMD_RESCUE_POINT_GET,
		[STATUS] = REASSURE_CMD_STATUS_GET,
		[DEL] = REASSURE_CMD_RESCUE_POINT_DEL,
	};
	struct nl_msg *msg;
	enum seed i;

	for (i = 0; i < SEEDS; i++) {
		msg = channel_message(&channel, commands[i], NLM_F_REQUEST |
				      (i == DUMP ? NLM_F_DUMP : 0));
		CHECK(msg);
		fill_seed(i, msg);
		seeds[i].size = nlmsg_hdr(msg)->nlmsg_len;
		CHECK(seeds[i].size < MESSAGE_MAX / 2);
		memcpy(seeds[i].bytes, nlmsg_hdr(msg), seeds[i].size);
		nlmsg_free(msg);
	}
}

static struct nlattr *attribute_at(struct message *message, size_t offset)
{
	return (struct nlattr *)(message->bytes + offset);
}

/* Those of the uppermost level, or of the one that ends at @end. */
static unsigned int find_attributes(struct message *message, size_t offset,
				    size_t end, size_t *found)
{
	unsigned int n = 0;
	size_t size;

	while (n < ATTRIBUTES_MAX && offset + NLA_HDRLEN <= end) {
		size = attribute_at(message, offset)->nla_len;
		if (size < NLA_HDRLEN || offset + size > end)
			break;
		found[n++] = offset;
		offset += NLA_ALIGN(size);
	}
	return n;
}

/* Where some attribute is, perhaps in a nest; 0 when there is none. */
static size_t some_attribute(struct message *message)
{
	size_t found[ATTRIBUTES_MAX], offset = 0;
	size_t start = HEADERS, end = message->size;
	const struct nlattr *attr;
	unsigned int n;

	while ((n = find_attributes(message, start, end, found))) {
		offset = found[below(n)];
		attr = attribute_at(message, offset);
		if (!(attr->nla_type & NLA_F_NESTED) || !below(4))
			break;
		start = offset + NLA_HDRLEN;
		end = offset + attr->nla_len;
	}
	return offset;
}

static void change_number(struct message *message, size_t offset)
{
	struct nlattr *attr = attribute_at(message, offset);
	size_t size = attr->nla_len - NLA_HDRLEN;
	uint64_t value = numbers[below(sizeof(numbers) / sizeof(*numbers))];

	if ((attr->nla_type & NLA_TYPE_MASK) == REASSURE_A_FILE_FD)
		value = descriptors[below(nr_descriptors)];
	else if (!below(4))
		value = place + below(64) - 32;
	memcpy(attr + 1, &value, size < sizeof(value) ? size : sizeof(value));
}

static void change_byte(struct message *message, size_t offset)
{
	size_t size = attribute_at(message, offset)->nla_len - NLA_HDRLEN;

	if (size)
		message->bytes[offset + NLA_HDRLEN + below(size)] =
			next_random() >> 20;
}

static void change_type(struct message *message, size_t offset)
{
	struct nlattr *attr = attribute_at(message, offset);

	switch (below(4)) {
	case 0:
		attr->nla_type ^= NLA_F_NESTED;
		break;
	case 1:
		attr->nla_type ^= NLA_F_NET_BYTEORDER;
		break;
	default:
		attr->nla_type = below(REASSURE_A_MAX + 4);
	}
}

/* Not what is there. */
static void change_length(struct message *message, size_t offset)
{
	attribute_at(message, offset)->nla_len =
		below(3) ? below(64) : next_random() >> 20;
}

/* Those that the attribute is in do not grow with it. */
static void resize(struct message *message, size_t offset)
{
	struct nlattr *attr = attribute_at(message, offset);
	size_t rest = offset + NLA_ALIGN(attr->nla_len);
	size_t size = NLA_HDRLEN + below(below(4) ? 24 : 1024);
	size_t next = offset + NLA_ALIGN(size), i;

	if (rest > message->size)
		rest = message->size;
	if (next + message->size - rest > MESSAGE_MAX)
		return;
	memmove(message->bytes + next, message->bytes + rest,
		message->size - rest);
	for (i = offset + attr->nla_len; i < next; i++)
		message->bytes[i] = next_random() >> 20;
	message->size += next - rest;
	attr->nla_len = size;
}

static void take_away(struct message *message, size_t offset)
{
	size_t size = NLA_ALIGN(attribute_at(message, offset)->nla_len);

	if (offset + size > message->size)
		size = message->size - offset;
	memmove(message->bytes + offset, message->bytes + offset + size,
		message->size - offset - size);
	message->size -= size;
}

static void append(struct message *message, struct message *from, size_t offset)
{
	size_t size = NLA_ALIGN(attribute_at(from, offset)->nla_len);

	if (offset + size > from->size || message->size + size > MESSAGE_MAX)
		return;
	memcpy(message->bytes + message->size, from->bytes + offset, size);
	message->size += size;
}

static void change_headers(struct message *message)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message->bytes;
	struct genlmsghdr *genl = NLMSG_DATA(header);

	switch (below(4)) {
	case 0:
		genl->version = next_random() >> 20;
		break;
	case 1:
		genl->reserved = next_random() >> 20;
		break;
	case 2:
		header->nlmsg_flags ^= 1 << (2 + below(9));
		break;
	default:
		/* A flush would take KEPT away. */
		genl->cmd = below(REASSURE_CMD_MAX + 3);
		if (genl->cmd == REASSURE_CMD_RESCUE_POINT_FLUSH)
			genl->cmd = 0;
	}
}

static void cut_off(struct message *message)
{
	message->size = HEADERS + below(message->size - HEADERS + 1);
}

static void change(struct message *message)
{
	struct message *other = &seeds[below(SEEDS)];
	size_t offset = some_attribute(message), from;
	unsigned int how = below(20);

	if (!offset || how == 0) {
		change_headers(message);
	} else if (how == 1) {
		cut_off(message);
	} else if (how < 9) {
		change_number(message, offset);
	} else if (how < 12) {
		change_byte(message, offset);
	} else if (how == 12) {
		change_type(message, offset);
	} else if (how == 13) {
		change_length(message, offset);
	} else if (how == 14) {
		resize(message, offset);
	} else if (how == 15) {
		append(message, message, offset);
	} else if (how == 16) {
		from = some_attribute(other);
		if (from)
			append(message, other, from);
	} else {
		take_away(message, offset);
	}
}

static enum seed some_seed(void)
{
	unsigned int sum = 0, chosen;
	enum seed i;

	for (i = 0; i < SEEDS; i++)
		sum += weights[i];
	chosen = below(sum);
	for (i = 0; chosen >= weights[i]; i++)
		chosen -= weights[i];
	return i;
}

/* Appends one to what is to be sent. */
static size_t put_message(unsigned char *to, bool is_last)
{
	static struct message message;
	struct nlmsghdr *header = (struct nlmsghdr *)message.bytes;
	const struct message *seed = &seeds[some_seed()];
	unsigned int changes = below(CHANGES_MAX + 1);

	message.size = seed->size;
	memcpy(message.bytes, seed->bytes, seed->size);
	while (changes--)
		change(&message);
	/* The kernel passes by what is no request. */
	header->nlmsg_flags |= NLM_F_REQUEST;
	if (!below(ACKNOWLEDGED))
		header->nlmsg_flags |= NLM_F_ACK;
	header->nlmsg_len = message.size;
	/* What comes behind it is lost; without headers it is no message. */
	if (is_last && !below(4))
		header->nlmsg_len = HEADERS + below(message.size);
	memset(message.bytes + message.size, 0,
	       NLMSG_ALIGN(message.size) - message.size);
	memcpy(to, message.bytes, NLMSG_ALIGN(message.size));
	return NLMSG_ALIGN(message.size);
}

static bool has_text(const struct nlmsghdr *header)
{
	const struct nlmsgerr *error = NLMSG_DATA(header);

	/* NETLINK_CAP_ACK: the message itself does not come back. */
	return header->nlmsg_flags & NLM_F_ACK_TLVS &&
	       header->nlmsg_len > NLMSG_LENGTH(sizeof(*error));
}

static void count_answer(const struct nlmsghdr *header)
{
	const struct nlmsgerr *error = NLMSG_DATA(header);
	int code = -error->error;

	if (header->nlmsg_type != NLMSG_ERROR)
		return;
	if (!code) {
		told.accepted++;
		return;
	}
	/* Others are the kernel's own business. */
	if (code < 0 || code > ERRNO_MAX) {
		printf("# error %d\n", code);
		code = 0;
	}
	told.refused++;
	told.errors[code]++;
	/* What the kernel refuses before the module sees it. */
	if (!has_text(header) && code != EOPNOTSUPP && code != EBUSY &&
	    code != ENOBUFS)
		told.silent++;
}

/* Dumps, too, go on as they are read. */
static void read_answers(int fd)
{
	static unsigned char answers[1 << 17];
	struct nlmsghdr *header;
	ssize_t size;

	for (;;) {
		size = recv(fd, answers, sizeof(answers), MSG_DONTWAIT);
		if (size < 0) {
			CHECK(errno == EAGAIN || errno == ENOBUFS);
			if (errno == EAGAIN)
				return;
			continue;
		}
		header = (struct nlmsghdr *)answers;
		for (; NLMSG_OK(header, size); header = NLMSG_NEXT(header, size))
			count_answer(header);
	}
}

static void send_batch(int fd)
{
	static unsigned char batch[BATCH * MESSAGE_MAX];
	size_t size = 0;
	int i;

	for (i = 0; i < BATCH; i++)
		size += put_message(batch + size, i == BATCH - 1);
	CHECK(send(fd, batch, size, 0) == size);
	told.sent += BATCH;
	read_answers(fd);
}

static void delete_others(void)
{
	DIR *names = opendir(REASSURE_SYSFS "/rescue_points");
	const struct dirent *entry;

	CHECK(names);
	while ((entry = readdir(names)))
		if (*entry->d_name != '.' && strcmp(entry->d_name, KEPT))
			CHECK(!rescue_point_delete(entry->d_name));
	closedir(names);
}

/* Dies of what is not rescued. */
static int call_for_a_while(void *arg)
{
	long (*victim)(int fault) = arg;
	int i;

	/* A probe amid an instruction makes any code of it. */
	alarm(10);
	for (i = 0; i < 100; i++)
		victim(i % 10 == 9);
	return 0;
}

static int call(void *arg)
{
	void *handle = dlopen(library, RTLD_NOW), *victim;

	CHECK(handle);
	victim = dlsym(handle, "library_victim");
	CHECK(victim);
	for (;;) {
		child_run(call_for_a_while, victim);
		usleep(200000);
	}
}

FIXTURE(fuzz)
{
	char dir[64];
	pid_t callers[CALLERS];
};

static void stop_callers(pid_t *callers)
{
	int i;

	for (i = 0; i < CALLERS; i++) {
		if (callers[i] <= 0)
			continue;
		kill(callers[i], SIGKILL);
		waitpid(callers[i], NULL, 0);
		callers[i] = 0;
	}
}

static long __noipa unused(void)
{
	return 0;
}

FIXTURE_SETUP(fuzz)
{
	struct rescue_point kept = { .name = KEPT, .function = unused };
	char path[4096];
	int i;

	memset(self->callers, 0, sizeof(self->callers));
	ASSERT_EQ(0, test_begin_alone());
	strcpy(self->dir, "/dev/shm/reassure.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	/* Nobody else has it mapped whom a strange probe could harm. */
	file_beside_us(path, "libvictim.so");
	snprintf(library, sizeof(library), "%s/libvictim.so", self->dir);
	ASSERT_EQ(0, file_copy(path, library));
	ASSERT_EQ(0, file_symbol(library, "library_victim", &place));
	/* Its first instruction is endbr64 or a push. */
	other_place = place + 4;
	open_descriptors();
	ASSERT_EQ(0, channel_open(&channel));
	make_seeds();
	ASSERT_EQ(0, rescue_point_add(&kept));
	for (i = 0; i < CALLERS; i++)
		self->callers[i] = child_start(call, NULL);
}

FIXTURE_TEARDOWN(fuzz)
{
	char command[100];

	stop_callers(self->callers);
	channel_close(&channel);
	test_end_alone(_metadata->passed);
	snprintf(command, sizeof(command), "rm -rf %s", self->dir);
	EXPECT_EQ(0, system(command));
}

static int use_library(void *arg)
{
	void *handle = dlopen(library, RTLD_NOW);
	long (*victim)(int fault);

	CHECK(handle);
	victim = dlsym(handle, "library_victim");
	CHECK(victim);
	CHECK(victim(1) == RESCUED);
	return 0;
}

TEST_F_TIMEOUT(fuzz, messages_that_are_nearly_right, 14000)
{
	struct rescue_point rp = { .path = library, .offset = place };
	unsigned long wanted = number_from_environment("REASSURE_MESSAGES",
		getenv("REASSURE_SHORT") ? 6000 : 50000);
	int fd = nl_socket_get_fd(channel.sock), code;
	uint64_t seed = number_from_environment("REASSURE_SEED", time(NULL));

	printf("# REASSURE_SEED=%lu REASSURE_MESSAGES=%lu\n", seed, wanted);
	random_state = seed * 0x9e3779b97f4a7c15 + 1;
	while (told.sent < wanted) {
		send_batch(fd);
		if (told.sent % DELETE_EVERY == 0)
			delete_others();
		if (told.sent % TOLD_EVERY == 0) {
			printf("# %lu messages\n", told.sent);
			fflush(stdout);
		}
	}
	printf("# %lu messages, %lu acknowledged, %lu errors\n", told.sent,
	       told.accepted, told.refused);
	for (code = 1; code <= ERRNO_MAX; code++)
		if (told.errors[code])
			printf("# %s: %lu\n", strerrorname_np(code),
			       told.errors[code]);
	EXPECT_EQ(0, told.errors[0]);
	EXPECT_EQ(0, told.silent);
	/* They get as far as to what the module says itself, and further. */
	EXPECT_LT(told.sent / 1000, told.accepted);
	EXPECT_LT(0, told.errors[EEXIST]);
	EXPECT_LT(0, told.errors[ENOENT]);
	EXPECT_LT(0, told.errors[ERANGE]);
	EXPECT_LT(0, told.errors[EINVAL]);

	/* And what is left works. */
	stop_callers(self->callers);
	delete_others();
	ASSERT_EQ(0, rescue_point_add(&rp));
	counters_mark();
	EXPECT_EQ(0, child_run(use_library, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
