// SPDX-License-Identifier: GPL-2.0
/* Messages to and from the module, without a kernel. */
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "test.h"

#include "inject.h"
#include "netlink.h"
#include "parse.h"

static struct nl_msg *new_message(int command)
{
	struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(msg);
	assert_non_null(genlmsg_put(msg, 0, 0, 42, 0, 0, command,
				    REASSURE_GENL_VERSION));
	return msg;
}

static void attributes(struct nl_msg *msg, struct nlattr **attrs)
{
	assert_int_equal(genlmsg_parse(nlmsg_hdr(msg), 0, attrs, REASSURE_A_MAX,
				       NULL), 0);
}

static void test_add_least(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_ADD);
	struct nlattr *attrs[REASSURE_A_MAX + 1];
	struct add_options options = {};
	struct place place = { .fd = 7, .offset = 1ull << 40 };
	int i, number = 0;

	(void)state;
	assert_true(netlink_put_add(msg, &options, "name", &place));
	attributes(msg, attrs);
	assert_string_equal(nla_get_string(attrs[REASSURE_A_NAME]), "name");
	assert_int_equal(nla_get_s32(attrs[REASSURE_A_FILE_FD]), 7);
	assert_true(nla_get_u64(attrs[REASSURE_A_OFFSET]) == 1ull << 40);
	/* All others are left to the kernel's defaults; void has no value. */
	for (i = 0; i <= REASSURE_A_MAX; i++)
		number += !!attrs[i];
	assert_int_equal(number, 3);
	nlmsg_free(msg);
}

static void test_add_most(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_ADD);
	struct nlattr *attrs[REASSURE_A_MAX + 1];
	struct add_options options = {
		.has_return = true,
		.has_value = true,
		.value = -5,
		.signals = 1024,
		.has_handled = true,
		.handled = REASSURE_HANDLED_LEAVE,
		.has_shared = true,
		.shared = REASSURE_SHARED_LEAVE,
		.has_exhausted = true,
		.exhausted = REASSURE_EXHAUSTED_SKIP,
		.has_enabled = true,
		.enabled = true,
		.has_mode = true,
		.mode = REASSURE_MODE_OBSERVE,
		.has_threads = true,
		.threads = REASSURE_THREADS_RUN,
		.deadline_ms = 1500,
		.budget_rescues = 3,
		.budget_seconds = 60,
	};
	struct place place = {
		.fd = 7,
		.function = "f",
		.build_id = (const __u8 *)"\1\2\3",
		.build_id_size = 3,
		.exits = { 5, 1ull << 40 },
		.nr_exits = 2,
		.build_id_offset = 0x2d8,
	};

	(void)state;
	assert_true(netlink_put_add(msg, &options, "name", &place));
	attributes(msg, attrs);
	assert_string_equal(nla_get_string(attrs[REASSURE_A_FUNCTION]), "f");
	assert_int_equal(nla_len(attrs[REASSURE_A_BUILD_ID]), 3);
	assert_memory_equal(nla_data(attrs[REASSURE_A_BUILD_ID]), "\1\2\3", 3);
	assert_int_equal(nla_len(attrs[REASSURE_A_EXITS]), 16);
	assert_memory_equal(nla_data(attrs[REASSURE_A_EXITS]), place.exits, 16);
	assert_int_equal(nla_get_u64(attrs[REASSURE_A_BUILD_ID_OFFSET]), 0x2d8);
	assert_true(nla_get_s64(attrs[REASSURE_A_RETURN]) == -5);
	assert_int_equal(nla_get_u64(attrs[REASSURE_A_SIGNALS]), 1024);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_HANDLED]),
			 REASSURE_HANDLED_LEAVE);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_SHARED]),
			 REASSURE_SHARED_LEAVE);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_EXHAUSTED]),
			 REASSURE_EXHAUSTED_SKIP);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_MODE]),
			 REASSURE_MODE_OBSERVE);
	assert_int_equal(nla_get_u8(attrs[REASSURE_A_ENABLED]), 1);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_THREADS]),
			 REASSURE_THREADS_RUN);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_DEADLINE]), 1500);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_BUDGET_RESCUES]), 3);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_BUDGET_SECONDS]), 60);
	assert_null(attrs[REASSURE_A_BUDGET_UNLIMITED]);
	nlmsg_free(msg);

	/* What is as by default is still said, because it was. */
	msg = new_message(REASSURE_CMD_RESCUE_POINT_ADD);
	options.handled = REASSURE_HANDLED_RESCUE;
	options.shared = REASSURE_SHARED_REFUSE;
	options.mode = REASSURE_MODE_RESCUE;
	options.threads = REASSURE_THREADS_STOP;
	options.unlimited = true;
	options.budget_rescues = 0;
	assert_true(netlink_put_add(msg, &options, "name", &place));
	attributes(msg, attrs);
	assert_non_null(attrs[REASSURE_A_HANDLED]);
	assert_non_null(attrs[REASSURE_A_SHARED]);
	assert_non_null(attrs[REASSURE_A_MODE]);
	assert_non_null(attrs[REASSURE_A_THREADS]);
	assert_non_null(attrs[REASSURE_A_BUDGET_UNLIMITED]);
	assert_null(attrs[REASSURE_A_BUDGET_RESCUES]);
	nlmsg_free(msg);
}

static int count_attributes(struct nlattr **attrs)
{
	int i, number = 0;

	for (i = 0; i <= REASSURE_A_MAX; i++)
		number += !!attrs[i];
	return number;
}

static void test_set(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_SET);
	struct nlattr *attrs[REASSURE_A_MAX + 1];
	struct add_options options = {
		.name = "name",
		.has_return = true,
		.has_deadline = true,
	};

	(void)state;
	/* What is taken away is said, all else is left alone. */
	assert_true(netlink_put_set(msg, &options));
	attributes(msg, attrs);
	assert_string_equal(nla_get_string(attrs[REASSURE_A_NAME]), "name");
	assert_non_null(attrs[REASSURE_A_RETURN_VOID]);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_DEADLINE]), 0);
	assert_int_equal(count_attributes(attrs), 3);
	nlmsg_free(msg);

	msg = new_message(REASSURE_CMD_RESCUE_POINT_SET);
	options = (struct add_options){
		.name = "name",
		.has_return = true,
		.has_value = true,
		.value = -5,
		.has_shared = true,
		.unlimited = true,
	};
	assert_true(netlink_put_set(msg, &options));
	attributes(msg, attrs);
	assert_true(nla_get_s64(attrs[REASSURE_A_RETURN]) == -5);
	assert_int_equal(nla_get_u32(attrs[REASSURE_A_SHARED]),
			 REASSURE_SHARED_REFUSE);
	assert_non_null(attrs[REASSURE_A_BUDGET_UNLIMITED]);
	assert_int_equal(count_attributes(attrs), 4);
	nlmsg_free(msg);

	msg = new_message(REASSURE_CMD_RESCUE_POINT_SET);
	options = (struct add_options){ .name = "name", .all_cgroups = true };
	assert_true(netlink_put_set(msg, &options));
	attributes(msg, attrs);
	assert_non_null(attrs[REASSURE_A_CGROUPS_ALL]);
	assert_int_equal(count_attributes(attrs), 2);
	nlmsg_free(msg);
}

static void test_inject(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_INJECT);
	struct nlattr *attrs[REASSURE_A_MAX + 1];
	struct inject_options options = { .name = "name" };
	struct kernel_answer answer;

	(void)state;
	assert_true(netlink_put_inject(msg, &options));
	attributes(msg, attrs);
	assert_string_equal(nla_get_string(attrs[REASSURE_A_NAME]), "name");
	assert_non_null(attrs[REASSURE_A_INJECT_OFF]);
	assert_int_equal(count_attributes(attrs), 2);
	nlmsg_free(msg);

	msg = new_message(REASSURE_CMD_INJECT);
	options.signal = 11;
	options.count = 3;
	assert_true(netlink_put_inject(msg, &options));
	attributes(msg, attrs);
	assert_int_equal(count_attributes(attrs), 3);
	/* Answers have the same. */
	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_int_equal(answer.inject_signal, 11);
	assert_int_equal(answer.inject_count, 3);
	assert_int_equal(answer.inject_every, 0);
	nlmsg_free(msg);

	msg = new_message(REASSURE_CMD_INJECT);
	options.count = 0;
	options.every = 9;
	assert_true(netlink_put_inject(msg, &options));
	attributes(msg, attrs);
	assert_int_equal(count_attributes(attrs), 3);
	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_int_equal(answer.inject_count, 0);
	assert_int_equal(answer.inject_every, 9);
	nlmsg_free(msg);
}

/* What is sent is read in the same form. */
static void test_cgroups(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_SET);
	struct nlattr *attrs[REASSURE_A_MAX + 1], *nest;
	struct add_options options = {
		.name = "name",
		.cgroups = { "/a", "/b/c" },
		.nr_cgroups = 2,
	};
	struct kernel_answer answer;

	(void)state;
	assert_true(netlink_put_set(msg, &options));
	attributes(msg, attrs);
	assert_int_equal(count_attributes(attrs), 2);
	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_int_equal(answer.nr_cgroups, 2);
	assert_string_equal(answer.cgroups[0], "/a");
	assert_string_equal(answer.cgroups[1], "/b/c");
	nlmsg_free(msg);

	msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	nest = nla_nest_start(msg, REASSURE_A_CGROUPS);
	nla_put(msg, REASSURE_CGROUPS_PATH, 4, "/abc");
	nla_nest_end(msg, nest);
	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_int_equal(answer.nr_cgroups, 0);
	nlmsg_free(msg);
}

static void test_place(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_REBIND);
	struct nlattr *attrs[REASSURE_A_MAX + 1];
	struct place place = { .fd = 7, .offset = 5 };

	(void)state;
	assert_true(netlink_put_place(msg, "name", &place));
	attributes(msg, attrs);
	assert_int_equal(nla_get_s32(attrs[REASSURE_A_FILE_FD]), 7);
	assert_int_equal(nla_get_u64(attrs[REASSURE_A_OFFSET]), 5);
	assert_int_equal(count_attributes(attrs), 3);
	nlmsg_free(msg);
}

static void test_landings(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_REBIND);
	struct nlattr *attrs[REASSURE_A_MAX + 1];
	struct nlattr *of_file[REASSURE_LANDINGS_ATTRIBUTE_MAX + 1], *nest;
	struct place place = {
		.fd = 7,
		.executable = true,
		.landings = {
			{ .fd = 8, .offsets = { 5 }, .count = 1 },
			{ .fd = 9, .offsets = { 6, 1ull << 40 }, .count = 2 },
		},
		.nr_landings = 2,
	};
	int rest, i = 0;

	(void)state;
	assert_true(netlink_put_place(msg, "name", &place));
	attributes(msg, attrs);
	assert_int_equal(count_attributes(attrs), 5);
	assert_non_null(attrs[REASSURE_A_EXECUTABLE]);
	nla_for_each_nested(nest, attrs[REASSURE_A_LANDINGS], rest) {
		/* The kernel insists on the flag. */
		assert_true(nest->nla_type & NLA_F_NESTED);
		assert_int_equal(nla_parse_nested(of_file,
						  REASSURE_LANDINGS_ATTRIBUTE_MAX,
						  nest, NULL), 0);
		assert_int_equal(nla_get_s32(of_file[REASSURE_LANDINGS_FILE_FD]),
				 place.landings[i].fd);
		assert_int_equal(nla_len(of_file[REASSURE_LANDINGS_OFFSETS]),
				 8 * place.landings[i].count);
		assert_memory_equal(nla_data(of_file[REASSURE_LANDINGS_OFFSETS]),
				    place.landings[i].offsets,
				    8 * place.landings[i].count);
		i++;
	}
	assert_int_equal(i, 2);
	nlmsg_free(msg);
}

static void put_answered_landings(struct nl_msg *msg, int files)
{
	struct nlattr *all = nla_nest_start(msg, REASSURE_A_LANDINGS), *nest;
	int i;

	for (i = 0; i < files; i++) {
		nest = nla_nest_start(msg, 1);
		nla_put(msg, REASSURE_LANDINGS_OFFSETS, 16, "1234567812345678");
		nla_put_u32(msg, REASSURE_LANDINGS_PROBED, i);
		nla_put_string(msg, REASSURE_LANDINGS_PATH, "/lib/libc.so.6");
		nla_put_u32(msg, REASSURE_LANDINGS_FILE_STATE,
			    REASSURE_FILE_REPLACED);
		nla_nest_end(msg, nest);
	}
	nla_nest_end(msg, all);
}

static void test_parse_landings(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	struct kernel_answer answer;

	(void)state;
	put_answered_landings(msg, 2);
	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_int_equal(answer.nr_landings, 2);
	assert_string_equal(answer.landings[1].path, "/lib/libc.so.6");
	assert_int_equal(answer.landings[1].count, 2);
	assert_int_equal(answer.landings[1].probed, 1);
	assert_int_equal(answer.landings[1].file_state, REASSURE_FILE_REPLACED);
	nlmsg_free(msg);
	/* More than this tool knows of. */
	msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	put_answered_landings(msg, REASSURE_LANDING_FILES_MAX + 1);
	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_int_equal(answer.nr_landings, REASSURE_LANDING_FILES_MAX);
	nlmsg_free(msg);
}

static void test_add_too_long(void **state)
{
	struct nl_msg *msg = nlmsg_alloc_size(256);
	struct add_options options = {};
	char function[1024];
	struct place place = { .function = function };

	(void)state;
	memset(function, 'f', sizeof(function));
	function[sizeof(function) - 1] = 0;
	assert_false(netlink_put_add(msg, &options, "name", &place));
	nlmsg_free(msg);
}

static void put_values(struct nl_msg *msg, int attribute, int count,
		       __u64 factor)
{
	struct nlattr *nest = nla_nest_start(msg, attribute);
	int i;

	for (i = 0; i < count; i++) {
		/* Padding, as the kernel has it for 64-bit attributes. */
		nla_put(msg, 0, 0, NULL);
		assert_int_equal(nla_put_u64(msg, i + 1, (i + 1) * factor), 0);
	}
	nla_nest_end(msg, nest);
}

static void test_parse(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	struct kernel_answer answer;
	int i;

	(void)state;
	nla_put_string(msg, REASSURE_A_NAME, "name");
	nla_put_string(msg, REASSURE_A_PATH, "/usr/bin/server");
	nla_put_string(msg, REASSURE_A_FUNCTION, "f");
	nla_put_u64(msg, REASSURE_A_OFFSET, 0x1234);
	nla_put(msg, REASSURE_A_BUILD_ID, 2, "\xab\xcd");
	nla_put_s64(msg, REASSURE_A_RETURN, -7);
	nla_put_u64(msg, REASSURE_A_SIGNALS, 1024);
	nla_put_u32(msg, REASSURE_A_HANDLED, REASSURE_HANDLED_LEAVE);
	nla_put_u32(msg, REASSURE_A_SHARED, REASSURE_SHARED_RESTORE);
	nla_put_u32(msg, REASSURE_A_EXHAUSTED, REASSURE_EXHAUSTED_SKIP);
	nla_put_u32(msg, REASSURE_A_MODE, REASSURE_MODE_OBSERVE);
	nla_put_u8(msg, REASSURE_A_ENABLED, 1);
	nla_put_u32(msg, REASSURE_A_THREADS, REASSURE_THREADS_RUN);
	nla_put_u32(msg, REASSURE_A_DEADLINE, 20);
	nla_put(msg, REASSURE_A_EXITS, 24, "123456781234567812345678");
	nla_put_u32(msg, REASSURE_A_FILE_STATE, REASSURE_FILE_REPLACED);
	nla_put_u32(msg, REASSURE_A_BUDGET_RESCUES, 20);
	nla_put_u32(msg, REASSURE_A_BUDGET_SECONDS, 3600);
	/* A newer module counts more than this tool knows. */
	put_values(msg, REASSURE_A_COUNTERS, REASSURE_COUNTERS + 2, 10);
	put_values(msg, REASSURE_A_REFUSED, REASSURE_REFUSALS + 2, 1000);

	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_string_equal(answer.name, "name");
	assert_string_equal(answer.path, "/usr/bin/server");
	assert_string_equal(answer.function, "f");
	assert_int_equal(answer.offset, 0x1234);
	assert_int_equal(answer.build_id_size, 2);
	assert_memory_equal(answer.build_id, "\xab\xcd", 2);
	assert_true(answer.has_value && answer.value == -7);
	assert_int_equal(answer.signals, 1024);
	assert_int_equal(answer.handled, REASSURE_HANDLED_LEAVE);
	assert_int_equal(answer.shared, REASSURE_SHARED_RESTORE);
	assert_int_equal(answer.exhausted, REASSURE_EXHAUSTED_SKIP);
	assert_int_equal(answer.mode, REASSURE_MODE_OBSERVE);
	assert_true(answer.enabled);
	assert_int_equal(answer.threads, REASSURE_THREADS_RUN);
	assert_int_equal(answer.deadline_ms, 20);
	assert_int_equal(answer.exits, 3);
	assert_int_equal(answer.file_state, REASSURE_FILE_REPLACED);
	assert_false(answer.unlimited);
	assert_int_equal(answer.budget_rescues, 20);
	assert_int_equal(answer.budget_seconds, 3600);
	for (i = 0; i < REASSURE_COUNTERS; i++)
		assert_int_equal(answer.counters[i], (i + 1) * 10);
	for (i = 0; i < REASSURE_REFUSALS; i++)
		assert_int_equal(answer.refused[i], (i + 1) * 1000);
	nlmsg_free(msg);
}

static void test_parse_absent(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	struct kernel_answer answer;

	(void)state;
	nla_put_string(msg, REASSURE_A_NAME, "name");
	nla_put_flag(msg, REASSURE_A_BUDGET_UNLIMITED);
	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_false(answer.has_value);
	assert_null(answer.function);
	assert_int_equal(answer.build_id_size, 0);
	assert_true(answer.unlimited);
	assert_int_equal(answer.counters[0], 0);
	nlmsg_free(msg);
}

static void test_parse_wrong(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	struct kernel_answer answer;

	(void)state;
	nla_put_u32(msg, REASSURE_A_OFFSET, 1);
	assert_false(netlink_parse(nlmsg_hdr(msg), &answer));
	nlmsg_free(msg);
	msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	nla_put_u32(msg, REASSURE_A_HANDLED, 99);
	assert_false(netlink_parse(nlmsg_hdr(msg), &answer));
	nlmsg_free(msg);
	msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	nla_put_u32(msg, REASSURE_A_SHARED, 99);
	assert_false(netlink_parse(nlmsg_hdr(msg), &answer));
	nlmsg_free(msg);
	msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	nla_put_u32(msg, REASSURE_A_MODE, 99);
	assert_false(netlink_parse(nlmsg_hdr(msg), &answer));
	nlmsg_free(msg);
	msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	nla_put_u32(msg, REASSURE_A_THREADS, 99);
	assert_false(netlink_parse(nlmsg_hdr(msg), &answer));
	nlmsg_free(msg);
	msg = new_message(REASSURE_CMD_RESCUE_POINT_GET);
	nla_put_u32(msg, REASSURE_A_FILE_STATE, 99);
	assert_false(netlink_parse(nlmsg_hdr(msg), &answer));
	nlmsg_free(msg);
	msg = new_message(REASSURE_CMD_STATUS_GET);
	nla_put_u32(msg, REASSURE_A_OFF, 99);
	assert_false(netlink_parse(nlmsg_hdr(msg), &answer));
	nlmsg_free(msg);
}

static void test_parse_status(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_STATUS_GET);
	struct kernel_answer answer;

	(void)state;
	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_int_equal(answer.off, REASSURE_OFF_NOT);
	nla_put_u32(msg, REASSURE_A_OFF, REASSURE_OFF_DIFFERENCE);
	assert_true(netlink_parse(nlmsg_hdr(msg), &answer));
	assert_int_equal(answer.off, REASSURE_OFF_DIFFERENCE);
	nlmsg_free(msg);
}

/* Losses are known by it when no event comes. */
static void test_announced(void **state)
{
	struct nl_msg *msg = new_message(REASSURE_CMD_EVENT_NTF);

	(void)state;
	assert_int_equal(netlink_announced(nlmsg_hdr(msg), 42), 0);
	nla_put_u64(msg, REASSURE_EVENT_NUMBER, 1ull << 40);
	assert_true(netlink_announced(nlmsg_hdr(msg), 42) == 1ull << 40);
	/* Of another family. */
	assert_int_equal(netlink_announced(nlmsg_hdr(msg), 43), 0);
	nlmsg_free(msg);

	msg = new_message(REASSURE_CMD_EVENT_GET);
	nla_put_u64(msg, REASSURE_EVENT_NUMBER, 1);
	assert_int_equal(netlink_announced(nlmsg_hdr(msg), 42), 0);
	nlmsg_free(msg);

	msg = new_message(REASSURE_CMD_EVENT_NTF);
	nla_put_u32(msg, REASSURE_EVENT_NUMBER, 1);
	assert_int_equal(netlink_announced(nlmsg_hdr(msg), 42), 0);
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_least),
		cmocka_unit_test(test_add_most),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_inject),
		cmocka_unit_test(test_cgroups),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_landings),
		cmocka_unit_test(test_parse_landings),
		cmocka_unit_test(test_parse_status),
		cmocka_unit_test(test_add_too_long),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_absent),
		cmocka_unit_test(test_parse_wrong),
		cmocka_unit_test(test_announced),
	};

	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
