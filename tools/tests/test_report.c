// SPDX-License-Identifier: GPL-2.0
/* How reports are kept, found again and told of. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "test.h"

#include "collect.h"
#include "event.h"
#include "groups.h"
#include "interruption.h"
#include "journal.h"
#include "monitor.h"
#include "report.h"
#include "reports.h"
#include "saved_event.h"

#define SECOND 1000000000ull
/* 2026-11-30 02:15:00 UTC. */
#define TIME (1796004900 * SECOND)

/* Of a test; the directory of reports is below it. */
static char top[32];
static char directory[64];
static struct reports reports;
static const struct report_limits much = { 1ull << 30, 1000 };

static char *in_directory(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void run_shell(const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "cd %s && %s", top, command);
	assert_int_equal(system(line), 0);
}

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	umask(0);
	*last_message = 0;
	strcpy(top, "/tmp/test_report.XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(directory, sizeof(directory), "%s/reports", top);
	return reports_make(&reports, directory);
}

static int tear_down(void **state)
{
	(void)state;
	reports_close(&reports);
	run_shell("rm -rf reports link other journal");
	return rmdir(top);
}

/* What is written on stdout and stderr meanwhile. */
static char printed[65536];
static char warned[4096];

static void read_back(int fd, int saved, int number, char *text, size_t size)
{
	ssize_t got;

	dup2(saved, number);
	close(saved);
	lseek(fd, 0, SEEK_SET);
	got = read(fd, text, size - 1);
	assert_true(got >= 0);
	text[got] = 0;
	close(fd);
}

/* Runs "report ARGUMENT..." for the directory; returns its exit code. */
static int report(const char *one, const char *two, const char *three)
{
	char **argv = (char *[]){ "report", (char *)one, "--directory",
				  directory, (char *)two, (char *)three, NULL };
	int out = open(top, O_TMPFILE | O_RDWR, 0600), saved_out = dup(1);
	int err = open(top, O_TMPFILE | O_RDWR, 0600), saved_err = dup(2);
	int ret;

	fflush(NULL);
	dup2(out, 1);
	dup2(err, 2);
	ret = cmd_report(4 + !!two + !!three, argv);
	fflush(NULL);
	read_back(out, saved_out, 1, printed, sizeof(printed));
	read_back(err, saved_err, 2, warned, sizeof(warned));
	return ret;
}

static void put_file(const char *name, const char *text, size_t size)
{
	int fd = open(in_directory(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	close(fd);
}

static void assert_options(int code, const char *message, char **argv)
{
	struct report_options options;
	int argc = 0;

	while (argv[argc])
		argc++;
	assert_int_equal(report_options(argc, argv, &options), code);
	if (message)
		assert_contains(last_message, message);
}

#define ARGUMENTS(...) ((char *[]){ "report", __VA_ARGS__, NULL })

static void test_options(void **state)
{
	char **argv = ARGUMENTS("collect", "--quota=2G", "--files", "12",
				"--count", "3", "--directory", "/d");
	char **ids = ARGUMENTS("show", "20261130T021500Z-000001", "-j",
			       "20261130T021500Z-000002");
	struct report_options options;

	(void)state;
	assert_int_equal(report_options(9, argv, &options), EXIT_OK);
	assert_string_equal(options.action, "collect");
	assert_string_equal(options.directory, "/d");
	assert_true(options.limits.bytes == 2ull << 30);
	assert_int_equal(options.limits.files, 12);
	assert_int_equal(options.count, 3);
	assert_int_equal(report_options(2, argv, &options), EXIT_OK);
	assert_string_equal(options.directory, REPORTS_DIRECTORY);
	assert_int_equal(options.limits.bytes, 64 << 20);
	assert_int_equal(options.limits.files, 4096);
	assert_int_equal(report_options(5, ids, &options), EXIT_OK);
	assert_true(options.json);
	assert_int_equal(options.nr_ids, 2);
	assert_string_equal(options.ids[1], "20261130T021500Z-000002");
}

static void test_wrong_options(void **state)
{
	(void)state;
	assert_options(EXIT_USAGE, "not ''", (char *[]){ "report", NULL });
	assert_options(EXIT_USAGE, "not 'lst'", ARGUMENTS("lst"));
	assert_options(EXIT_USAGE, "'--all'", ARGUMENTS("list", "--all"));
	assert_options(EXIT_USAGE, "'--json'", ARGUMENTS("collect", "--json"));
	assert_options(EXIT_USAGE, "'--json=1'", ARGUMENTS("list", "--json=1"));
	assert_options(EXIT_USAGE, "'x'", ARGUMENTS("collect", "x"));
	assert_options(EXIT_USAGE, "given twice",
		       ARGUMENTS("list", "--json", "-j"));
	assert_options(EXIT_USAGE, "--files needs a value",
		       ARGUMENTS("collect", "--files"));
	assert_options(EXIT_USAGE, "not ''", ARGUMENTS("list", "--directory="));
	assert_options(EXIT_USAGE, "not '0'", ARGUMENTS("collect", "--files=0"));
	assert_options(EXIT_USAGE, "not '-1'", ARGUMENTS("collect", "--count=-1"));
	assert_options(EXIT_USAGE, "not '100001'",
		       ARGUMENTS("collect", "--files=100001"));
	assert_options(EXIT_USAGE, "not '1023K'",
		       ARGUMENTS("collect", "--quota=1023K"));
	assert_options(EXIT_USAGE, "not '64MB'",
		       ARGUMENTS("collect", "--quota=64MB"));
	assert_options(EXIT_USAGE, "not '20000000T'",
		       ARGUMENTS("collect", "--quota=20000000T"));
	assert_options(EXIT_USAGE, "needs IDs;", ARGUMENTS("show"));
	assert_options(EXIT_USAGE, "or --all", ARGUMENTS("delete"));
	assert_options(EXIT_USAGE, "either IDs or --all",
		       ARGUMENTS("delete", "--all", "20261130T021500Z-000001"));
	assert_options(EXIT_USAGE, "'../../etc/x'",
		       ARGUMENTS("delete", "../../etc/x"));
	assert_options(EXIT_USAGE, "is no ID",
		       ARGUMENTS("show", "20261130T021500Z-000001.json"));
}

static void test_ids(void **state)
{
	static const char *const wrong[] = {
		"", "20261130T021500Z", "20261130T021500Z-", "x",
		"20261130T021500Z-00001", "20261130T021500Z-0000000000001",
		"20261130t021500Z-000001", "20261130T02150 Z-000001",
		"20261130T021500Z-00000a", "20261130T021500Z-/00001",
	};
	size_t i;

	(void)state;
	assert_true(report_is_id("20261130T021500Z-000001"));
	assert_true(report_is_id("20261130T021500Z-999999999999"));
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (report_is_id(wrong[i]))
			fail_msg("'%s' is taken for an ID", wrong[i]);
}

/* Of @size bytes, at @time_ns. */
static int keep(const struct report_limits *limits, __u64 time_ns, size_t size,
		char *id)
{
	static const char begin[] = "{\"outcome\":\"lost\",\"events\":1";
	char *text = malloc(size + 1);
	int ret;

	assert_non_null(text);
	memset(text, ' ', size);
	memcpy(text, begin, strlen(begin));
	text[size - 1] = '}';
	ret = reports_keep(&reports, limits, time_ns, text, size, id);
	free(text);
	return ret;
}

/* The IDs of all, in the order of the list. */
static const char *ids(void)
{
	static char text[4096];
	struct report_entries entries;
	size_t i;

	*text = 0;
	assert_true(reports_list(&reports, &entries));
	for (i = 0; i < entries.count; i++) {
		strcat(text, entries.list[i].id);
		strcat(text, " ");
	}
	report_entries_free(&entries);
	return text;
}

static void test_keep(void **state)
{
	char id[REPORT_ID_SIZE], error[ERROR_SIZE];
	struct json_object *object;
	struct stat file;

	(void)state;
	assert_int_equal(stat(directory, &file), 0);
	assert_int_equal(file.st_mode, S_IFDIR | 0700);
	assert_int_equal(keep(&much, TIME, 100, id), 0);
	assert_string_equal(id, "20261130T021500Z-000000");
	assert_int_equal(stat(in_directory("20261130T021500Z-000000.json"),
			      &file), 0);
	assert_int_equal(file.st_mode, S_IFREG | 0600);
	assert_int_equal(file.st_size, 100);
	object = reports_read(&reports, id, error);
	assert_non_null(object);
	json_object_put(object);
	assert_true(reports_have(&reports, id));
	assert_int_equal(reports_delete(&reports, id), 0);
	assert_false(reports_have(&reports, id));
	assert_null(reports_read(&reports, id, error));
	assert_string_equal(error, "");
	assert_int_equal(reports_delete(&reports, id), 0);
	/* Who has noted the ID does not find another. */
	assert_int_equal(keep(&much, TIME, 100, id), 0);
	assert_string_equal(id, "20261130T021500Z-000001");
	assert_int_equal(reports_delete(&reports, id), 0);
	/* Nothing else is left. */
	run_shell("test -z \"$(ls -A reports)\"");
}

/* In the order of time, those of a second as they came. */
static void test_order(void **state)
{
	char id[REPORT_ID_SIZE];

	(void)state;
	put_file("20261130T021500Z-999999.json", "{}", 2);
	assert_int_equal(keep(&much, TIME, 100, id), 0);
	assert_int_equal(keep(&much, TIME - SECOND, 100, id), 0);
	assert_int_equal(keep(&much, TIME, 100, id), 0);
	assert_string_equal(ids(),
			    "20261130T021459Z-1000001 20261130T021500Z-999999 20261130T021500Z-1000000 20261130T021500Z-1000002 ");
}

static void test_rotation(void **state)
{
	const struct report_limits three = { 1ull << 30, 3 }, one = { 1 << 20, 1 };
	char id[REPORT_ID_SIZE];
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_int_equal(keep(&three, TIME + i * SECOND, 100, id), 0);
	assert_string_equal(ids(),
			    "20261130T021502Z-000002 20261130T021503Z-000003 20261130T021504Z-000004 ");
	/* The clock was put back: the new ones stay all the same. */
	assert_int_equal(keep(&three, 0, 100, id), 0);
	assert_int_equal(keep(&three, 0, 100, id), 0);
	assert_string_equal(ids(),
			    "19700101T000000Z-000005 19700101T000000Z-000006 20261130T021504Z-000004 ");
	/* A smaller limit than there was. */
	assert_int_equal(keep(&one, TIME, 100, id), 0);
	assert_string_equal(ids(), "20261130T021500Z-000007 ");
}

static void test_quota(void **state)
{
	const struct report_limits limits = { 1 << 18, 1000 };
	char id[REPORT_ID_SIZE];
	int i;

	(void)state;
	/* Foreign files do not count, and stay. */
	put_file("note", "", 0);
	/* 75000 are 19 blocks; three of them fit. */
	for (i = 0; i < 5; i++)
		assert_int_equal(keep(&limits, TIME, 75000, id), 0);
	assert_string_equal(ids(),
			    "20261130T021500Z-000002 20261130T021500Z-000003 20261130T021500Z-000004 ");
	/* Each takes a block at least: 57 are taken, of 64. */
	for (i = 0; i < 8; i++)
		assert_int_equal(keep(&limits, TIME, 50, id), 0);
	assert_false(reports_have(&reports, "20261130T021500Z-000002"));
	assert_true(reports_have(&reports, "20261130T021500Z-000003"));
	/* One that never has room costs none of the others. */
	assert_int_equal(keep(&limits, TIME, (1 << 18) + 1, id), -EFBIG);
	assert_true(reports_have(&reports, "20261130T021500Z-000003"));
	assert_int_equal(keep(&limits, TIME, 1 << 18, id), 0);
	assert_string_equal(ids(), "20261130T021500Z-000013 ");
	assert_int_equal(access(in_directory("note"), F_OK), 0);
}

static int chattr(const char *name, unsigned int flags)
{
	int fd = open(in_directory(name), O_RDONLY), ret;

	assert_true(fd >= 0);
	ret = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	close(fd);
	return ret;
}

/* What cannot be removed does not have new ones left out. */
static void test_immutable(void **state)
{
	const struct report_limits three = { 1ull << 30, 3 }, one = { 1 << 20, 1 };
	char id[REPORT_ID_SIZE];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(keep(&three, TIME, 100, id), 0);
	if (chattr("20261130T021500Z-000000.json", FS_IMMUTABLE_FL))
		skip();
	i = keep(&three, TIME, 100, id);
	if (!i)
		i = keep(&one, TIME, 100, id) == -EPERM ? 0 : -1;
	assert_int_equal(chattr("20261130T021500Z-000000.json", 0), 0);
	assert_int_equal(i, 0);
	assert_true(reports_have(&reports, "20261130T021500Z-000000"));
	assert_false(reports_have(&reports, "20261130T021500Z-000001"));
}

static void expect_refused(const char *path, const char *message)
{
	struct reports other;

	assert_int_equal(reports_make(&other, path), EXIT_FAILED);
	assert_contains(last_message, message);
}

/* Whoever can put something else in its place must not lead us elsewhere. */
static void test_directory(void **state)
{
	char link[64], link_slash[64], other[64], nested[64];
	struct reports again;
	struct stat file;

	(void)state;
	snprintf(link, sizeof(link), "%s/link", top);
	snprintf(link_slash, sizeof(link_slash), "%s/link//", top);
	snprintf(other, sizeof(other), "%s/other", top);
	snprintf(nested, sizeof(nested), "%s/missing/other", top);
	expect_refused(directory, "another 'report collect' uses it");
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(symlink("other", link), 0);
	expect_refused(link, "is no directory, or a link");
	expect_refused(link_slash, "is no directory, or a link");
	assert_int_equal(reports_open(&again, link_slash), EXIT_FAILED);
	/* A link to where nothing is yet. */
	assert_int_equal(rmdir(other), 0);
	expect_refused(link, "is no directory, or a link");
	assert_int_not_equal(lstat(other, &file), 0);
	assert_int_equal(mkdir(other, 0750), 0);
	expect_refused(other, "is open to other users");
	assert_int_equal(chmod(other, 0700), 0);
	if (!geteuid()) {
		assert_int_equal(chown(other, 1, 1), 0);
		expect_refused(other, "is another user's");
	}
	expect_refused(nested, "cannot make the directory");
	expect_refused("/proc/self/status", "is no directory");
	assert_int_equal(reports_open(&again, nested), EXIT_FAILED);
	assert_contains(last_message, "'reassurectl report collect' makes it");
}

/* What others put there is not written to, read, waited for or removed. */
static void test_planted(void **state)
{
	char id[REPORT_ID_SIZE], error[ERROR_SIZE];

	(void)state;
	run_shell("echo '{\"outcome\":\"lost\"}' >other");
	run_shell("ln -s ../other reports/.new");
	run_shell("ln -s ../other reports/20261130T021500Z-000001.json");
	run_shell("mkfifo reports/20261130T021500Z-000022.json");
	run_shell("mkdir reports/20261130T021500Z-000023.json");
	run_shell("echo >reports/other.json");
	/* There would be no number after it. */
	run_shell("echo '{}' >reports/20261130T021500Z-999999999999.json");
	run_shell("echo >reports/.boot");
	assert_null(reports_read(&reports, "20261130T021500Z-000001", error));
	assert_contains(error, "cannot be opened");
	assert_null(reports_read(&reports, "20261130T021500Z-000022", error));
	assert_contains(error, "is no regular file");
	assert_null(reports_read(&reports, "20261130T021500Z-000023", error));
	assert_contains(error, "is no regular file");

	assert_int_equal(report("delete", "20261130T021500Z-000001", NULL),
			 EXIT_FAILED);
	assert_int_equal(report("delete", "20261130T021500Z-000022", NULL),
			 EXIT_FAILED);
	assert_int_equal(report("delete", "20261130T021500Z-000023", NULL),
			 EXIT_FAILED);
	assert_contains(last_message, "there is no report");

	assert_int_equal(keep(&much, TIME, 100, id), 0);
	assert_int_equal(report("list", NULL, NULL), EXIT_FAILED);
	assert_string_equal(printed, "20261130T021500Z-000000 1 events were lost\n");
	assert_contains(warned, "000001.json is no report, and skipped");
	assert_contains(warned, "000022.json is no report, and skipped");
	assert_contains(warned, "000023.json is no report, and skipped");
	assert_contains(warned, "/other.json is no report, and skipped");
	assert_contains(warned, "999999999999.json is no report, and skipped");
	assert_null(strstr(warned, ".boot"));
	/* It would have the name of the link. */
	assert_int_equal(keep(&much, TIME, 100, id), 0);
	assert_string_equal(id, "20261130T021500Z-000001");
	assert_int_equal(report("delete", "--all", NULL), EXIT_OK);
	run_shell("test \"$(cat other)\" = '{\"outcome\":\"lost\"}'");
	run_shell("test \"$(ls -A reports | wc -l)\" = 5");
}

static struct event_mapping program = {
	.start = 0x400000,
	.end = 0x500000,
	.build_id = (const __u8 *)"\x01\xab",
	.build_id_size = 2,
	.path = "/bin/server",
};

static struct event_mapping c_library = {
	.start = 0x700000,
	.end = 0x800000,
	.path = "/lib/x86_64-linux-gnu/libc.so.6",
};

static const struct event an_event = {
	.number = 7,
	.outcome = REASSURE_OUTCOME_RESCUED,
	.name = "handle",
	.pages = 3,
	.duration_ns = 4567,
	.time_ns = TIME + 123456789,
	.pid = 10,
	.tid = 11,
	.command = "ser\033ver",
	.cgroup = "/a\nb",
	.signal = SIGBUS,
	.code = -3,
	.has_address = true,
	.address = 0xffffffffffffff10,
};

/* As an object that was printed and read again. */
static struct json_object *json_of(const struct event *event,
				   const struct frame *frames, size_t count,
				   bool failed)
{
	struct json_object *object = monitor_json(event, frames, count, failed);
	struct json_object *again =
		json_tokener_parse(json_object_to_json_string(object));

	json_object_put(object);
	assert_non_null(again);
	return again;
}

static char *text_of(const struct event *event, const struct frame *frames,
		     size_t count, bool failed)
{
	size_t size;
	char *text;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	monitor_print(stream, event, frames, count, failed);
	fclose(stream);
	return text;
}

/* What is read again is shown as it was. */
static void expect_same(const struct event *event, const struct frame *frames,
			size_t count, bool failed)
{
	struct json_object *object = json_of(event, frames, count, failed);
	struct saved_event saved;
	char *wanted, *text;

	assert_true(saved_event_parse(object, &saved));
	wanted = text_of(event, frames, count, failed);
	text = text_of(&saved.event, saved.frames, saved.count, saved.failed);
	assert_string_equal(text, wanted);
	free(text);
	free(wanted);
	json_object_put(object);
}

static void test_saved_event(void **state)
{
	const struct frame frames[] = {
		{ 0x400010, &program, 0x10, "handle", 16, "server.c", 12 },
		{ 0x400020, &program, 0x20, NULL, 0, NULL, 0 },
		{ 0x10, NULL, 0, NULL, 0, NULL, 0 },
	};
	struct event event = an_event;
	int i;

	(void)state;
	expect_same(&event, frames, 3, false);
	event.outcome = REASSURE_OUTCOME_OUTSIDE;
	event.name = NULL;
	expect_same(&event, frames, 1, true);
	event.injected = true;
	expect_same(&event, frames, 1, false);
	event.signal = 0;
	event.has_address = false;
	event.outcome = REASSURE_OUTCOME_REFUSED;
	for (i = 0; i <= REASSURE_REFUSALS; i++) {
		event.refusal = i;
		expect_same(&event, frames, 0, false);
	}
	for (i = 1; i < 32; i++) {
		event.signal = i;
		expect_same(&event, frames, 0, false);
	}
}

/* Of whatever somebody wrote, what can be told is. */
static void test_corrupt(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} corrupt[] = {
		{ "", "holds no JSON object" },
		{ "{\"outcome\":\"resc", "holds no JSON object" },
		{ "{\"outcome\":\"rescued\"}{}", "holds no JSON object" },
		{ "{\"outcome\":\"rescued\"} x", "holds no JSON object" },
		{ "[1]", "holds no JSON object" },
		{ "\"rescued\"", "holds no JSON object" },
		{ "null", "holds no JSON object" },
		{ "{\"outcome\":\"\xff\"}", "holds no JSON object" },
		{ "{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}", "holds no JSON object" },
		{ "{}", "is no report that this version knows" },
		{ "{\"outcome\":1}", "is no report that this version knows" },
		{ "{\"outcome\":\"new\"}", "is no report that this version knows" },
	};
	static const char *const odd[] = {
		"{\"outcome\":\"rescued\"}",
		"{\"outcome\":\"rescued\",\"frames\":[]}",
		"{\"outcome\":\"rescued\",\"frames\":[null,1,{},[]]}",
		"{\"outcome\":\"rescued\",\"frames\":\"x\",\"pid\":\"x\",\"command\":{}}",
		"{\"outcome\":\"refused\",\"reason\":7,\"signal\":[],\"address\":\"zz\"}",
		"{\"outcome\":\"lost\",\"events\":\"many\"}",
		"{\"outcome\":\"rescued\",\"time_ns\":18446744073709551615,\"code\":1e99}",
		"{\"outcome\":\"rescued\",\"time_ns\":-1,\"pid\":1e400}",
		"{\"outcome\":\"rescued\",\"injected\":\"no\",\"unwinding_failed\":1}",
	};
	const char *id = "20261130T021500Z-000001";
	size_t i;

	(void)state;
	put_file("20261130T021501Z-000002.json", "{\"outcome\":\"lost\"}\n", 19);
	for (i = 0; i < sizeof(corrupt) / sizeof(*corrupt); i++) {
		put_file("20261130T021500Z-000001.json", corrupt[i].text,
			 strlen(corrupt[i].text));
		assert_int_equal(report("list", NULL, NULL), EXIT_FAILED);
		assert_contains(last_message, "20261130T021500Z-000001.json");
		assert_contains(last_message, corrupt[i].message);
		assert_string_equal(printed,
				    "20261130T021501Z-000002 0 events were lost\n");
		assert_int_equal(report("group", NULL, NULL), EXIT_FAILED);
		assert_int_equal(report("show", id, NULL), EXIT_FAILED);
		assert_contains(last_message, corrupt[i].message);
		assert_string_equal(printed, "");
	}
	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		put_file("20261130T021500Z-000001.json", odd[i], strlen(odd[i]));
		assert_int_equal(report("list", NULL, NULL), EXIT_OK);
		assert_int_equal(report("list", "-j", NULL), EXIT_OK);
		assert_int_equal(report("group", NULL, NULL), EXIT_OK);
		assert_int_equal(report("group", "-j", NULL), EXIT_OK);
		assert_int_equal(report("show", id, NULL), EXIT_OK);
		assert_int_equal(report("show", id, "-j"), EXIT_OK);
		assert_contains(printed, "\"id\":\"20261130T021500Z-000001\"");
	}
	/* It is removed like any other. */
	assert_int_equal(report("delete", id, NULL), EXIT_OK);
	assert_string_equal(ids(), "20261130T021501Z-000002 ");
}

static struct collecting collecting_in_top(void)
{
	return (struct collecting){
		.reports = reports,
		.limits = much,
		.journal = "/nowhere",
	};
}

/* A program that wants its reports large gets no more room than others. */
static void test_large(void **state)
{
	struct event_mapping mapping = program;
	struct frame frames[STACK_FRAMES_MAX];
	struct json_object *object;
	struct saved_event saved;
	char name[4096], *text;
	size_t size, i;

	(void)state;
	memset(name, 1, sizeof(name));
	name[sizeof(name) - 1] = 0;
	mapping.path = name;
	for (i = 0; i < STACK_FRAMES_MAX; i++)
		frames[i] = (struct frame){ i, &mapping, i, name, 0, name, 1 };
	text = collect_text(monitor_json(&an_event, frames, STACK_FRAMES_MAX,
					 false), &size);
	assert_non_null(text);
	assert_in_range(size, REPORT_BYTES_MAX / 2, REPORT_BYTES_MAX);
	object = json_tokener_parse(text);
	assert_non_null(object);
	assert_true(saved_event_parse(object, &saved));
	/* The innermost are there. */
	assert_in_range(saved.count, 10, STACK_FRAMES_MAX - 1);
	assert_int_equal(saved.frames[saved.count - 1].address, saved.count - 1);
	assert_int_equal(strlen(saved.frames[0].function), REPORT_NAME_MAX + 3);
	assert_int_equal(strlen(saved.frames[0].source), REPORT_NAME_MAX + 3);
	assert_int_equal(strlen(saved.mappings[0].path), REPORT_NAME_MAX + 3);
	assert_int_equal(json_object_get_int(json_object_object_get(object, "frames_left_out")),
			 STACK_FRAMES_MAX - saved.count);
	json_object_put(object);
	free(text);

	/* Characters stay whole, and what is not too long as it is. */
	for (i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa9", 2);
	name[0] = '/';
	name[1] = 'a';
	memmove(name + 1, name + 2, sizeof(name) - 2);
	frames[0].function = "handle";
	text = collect_text(monitor_json(&an_event, frames, 1, false), &size);
	object = json_tokener_parse(text);
	assert_true(saved_event_parse(object, &saved));
	assert_int_equal(strlen(saved.mappings[0].path), REPORT_NAME_MAX + 2);
	assert_string_equal(saved.mappings[0].path + REPORT_NAME_MAX - 3,
			    "\xc3\xa9...");
	assert_string_equal(saved.frames[0].function, "handle");
	assert_null(json_object_object_get(object, "frames_left_out"));
	json_object_put(object);
	free(text);
}

static void test_collect(void **state)
{
	struct collecting collecting = collecting_in_top();
	struct event event = an_event;
	const char *first = "20261130T021500Z-000000";

	(void)state;
	collecting.count = 2;
	interruption_catch();
	event.stack_address = 0x1000;
	event.stack = (const __u8 *)"secret";
	event.stack_size = 6;
	assert_true(collect_event(&event, &collecting));
	event.outcome = REASSURE_OUTCOME_OUTSIDE;
	event.name = NULL;
	event.time_ns += SECOND;
	/* Lost ones do not count. */
	assert_true(collect_lost(5, &collecting));
	assert_false(collect_event(&event, &collecting));

	assert_int_equal(report("list", NULL, NULL), EXIT_OK);
	assert_contains(printed, first);
	assert_contains(printed,
			" rescued ser?ver[10/11] in handle: SIGBUS code -3 address 0xffffffffffffff10, 3 pages restored, 4 us\n");
	assert_contains(printed,
			"20261130T021501Z-000002 not rescued ser?ver[10/11] outside of rescue points: SIGBUS");
	assert_contains(printed, "-000001 5 events were lost\n");
	assert_int_equal(report("list", "--json", NULL), EXIT_OK);
	assert_contains(printed, "\"id\":\"20261130T021500Z-000000\"}\n");
	assert_null(strstr(printed, "\"registers\""));

	assert_int_equal(report("show", first, NULL), EXIT_OK);
	/* Whether a program with a sanitizer finds callers is no matter here. */
	assert_contains(printed,
			"2026-11-30 02:15:00.123 rescued ser?ver[10/11] in handle: SIGBUS code -3 address 0xffffffffffffff10, 3 pages restored, 4 us\n"
			"  #0  0x0\n");
	assert_int_equal(report("show", first, "--json"), EXIT_OK);
	assert_contains(printed, "\"registers\":{\"rax\":\"0x0\"");
	assert_null(strstr(printed, "secret"));
	assert_int_equal(report("show", "20261130T021500Z-000009", first),
			 EXIT_FAILED);
	assert_contains(last_message, "there is no report 20261130T021500Z-000009");
	assert_contains(printed, "rescued ser?ver");

	assert_int_equal(report("group", NULL, NULL), EXIT_OK);
	assert_contains(printed,
			"2 times, 2026-11-30 02:15:00.123 to 2026-11-30 02:15:01.123, latest 20261130T021501Z-000002\n"
			"  rescue points   handle 1\n"
			"  outcomes        rescued 1, outside 1\n"
			"  signals         SIGBUS 2\n"
			"  #0  0x0\n"
			"5 events were lost\n");

	/* All that are named, or none. */
	assert_int_equal(report("delete", first, "20261130T021500Z-000009"),
			 EXIT_FAILED);
	assert_true(reports_have(&reports, first));
	assert_int_equal(report("delete", first, NULL), EXIT_OK);
	assert_false(reports_have(&reports, first));
	assert_int_equal(report("delete", "--all", NULL), EXIT_OK);
	assert_string_equal(ids(), "");
}

/* What is kept is whole; who is told to end begins with no more. */
static void test_interrupted(void **state)
{
	struct collecting collecting = collecting_in_top();
	pid_t child;
	int status;

	(void)state;
	fflush(NULL);
	child = fork();
	assert_int_not_equal(child, -1);
	if (!child) {
		interruption_catch();
		raise(SIGTERM);
		/* The first is begun with, the other was read with it. */
		if (!collect_event(&an_event, &collecting) ||
		    !collect_event(&an_event, &collecting))
			_exit(1);
		/* Nothing more is waited for. */
		_exit(interruption_await(-1));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(report("list", NULL, NULL), EXIT_OK);
	assert_contains(printed, "-000000 rescued");
	assert_contains(printed, "-000001 rescued");
	assert_int_equal(report("show", "20261130T021500Z-000001", NULL), EXIT_OK);
	assert_contains(printed, "no callers: files could not be read");
}

/* What a full disk does is one thing that can fail; it is said once. */
static void test_full(void **state)
{
	struct collecting collecting = collecting_in_top();
	struct rlimit limit, none = { .rlim_cur = 100 };

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	none.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &none);
	assert_true(collect_event(&an_event, &collecting));
	assert_contains(last_message, "cannot keep reports in /tmp/test_report");
	assert_contains(last_message, strerror(EFBIG));
	*last_message = 0;
	assert_true(collect_event(&an_event, &collecting));
	assert_string_equal(last_message, "");
	assert_int_equal(collecting.not_kept, 2);
	/* Of what was begun nothing is left. */
	run_shell("test -z \"$(ls -A reports)\"");

	setrlimit(RLIMIT_FSIZE, &limit);
	assert_true(collect_event(&an_event, &collecting));
	assert_contains(last_message, "are kept again in /tmp/test_report");
	assert_contains(last_message, "; 2 were not");
	*last_message = 0;
	assert_true(collect_event(&an_event, &collecting));
	assert_string_equal(last_message, "");
	assert_string_equal(ids(),
			    "20261130T021500Z-000000 20261130T021500Z-000001 ");
}

/* The directory has gone, or is not ours to write to. */
static void test_unwritable(void **state)
{
	struct collecting collecting = collecting_in_top();
	pid_t child;
	int status;

	(void)state;
	fflush(NULL);
	child = fork();
	assert_int_not_equal(child, -1);
	if (!child) {
		chmod(directory, 0500);
		if (!geteuid() && setresuid(1, 1, 1))
			_exit(2);
		collect_event(&an_event, &collecting);
		_exit(!strstr(last_message, strerror(EACCES)));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);

	assert_int_equal(rmdir(directory), 0);
	assert_false(collect_event(&an_event, &collecting));
	assert_contains(last_message, "has been removed");
	assert_true(collecting.gone);
	assert_false(collect_lost(1, &collecting));
}

/* Its service is not to try for ever. */
static void test_no_module(void **state)
{
	(void)state;
	if (!access("/sys/kernel/reassure", F_OK))
		skip();
	reports_close(&reports);
	assert_int_equal(report("collect", "--count=1", NULL), EXIT_NO_MODULE);
	assert_contains(last_message, "the reassure module is not loaded");
	assert_int_equal(reports_make(&reports, directory), EXIT_OK);
}

static void add_to(struct groups *groups, const struct event *event,
		   const struct frame *frames, size_t count, const char *id)
{
	struct json_object *object = json_of(event, frames, count, false);

	assert_true(groups_add(groups, id, object));
	json_object_put(object);
}

static const char *string_at(struct json_object *object, const char *path)
{
	struct json_object *value;

	if (json_pointer_get(object, path, &value))
		fail_msg("there is no %s", path);
	return json_object_get_string(value);
}

static void test_groups(void **state)
{
	/* Ends in abort() of two functions. */
	const struct frame check[] = {
		{ 0x700010, &c_library, 0x10, "raise", 1, NULL, 0 },
		{ 0x700020, &c_library, 0x20, "abort", 2, NULL, 0 },
		{ 0x400010, &program, 0x10, "check", 3, NULL, 0 },
		{ 0x400020, &program, 0x20, "main", 4, NULL, 0 },
	};
	const struct frame parse[] = {
		check[0], check[1],
		{ 0x400030, &program, 0x30, "parse", 3, NULL, 0 },
	};
	/* Elsewhere in the function, and called otherwise. */
	struct event_mapping newer = program;
	const struct frame check_again[] = {
		check[0], check[1],
		{ 0x400018, &newer, 0x18, "check", 11, NULL, 0 },
	};
	/* Where there are no names. */
	const struct frame here[] = { { 0x400010, &program, 0x10, 0, 0, 0, 0 } };
	const struct frame there[] = { { 0x400011, &program, 0x11, 0, 0, 0, 0 } };
	const struct frame newer_here[] = { { 0x400010, &newer, 0x10, 0, 0, 0, 0 } };
	/* To where nothing is, each time elsewhere. */
	struct frame wild[] = {
		{ 0x10, NULL, 0, NULL, 0, NULL, 0 },
		check[2],
	};
	struct json_object *lost = monitor_lost_json(3), *object;
	struct groups groups = {};
	struct event event = an_event;
	char *text;
	size_t size;
	FILE *stream;

	(void)state;
	newer.build_id = (const __u8 *)"\x02\xab";
	add_to(&groups, &event, here, 1, "a");
	add_to(&groups, &event, check, 4, "b");
	event.time_ns += 2 * SECOND;
	event.name = "other";
	event.signal = 0;
	event.outcome = REASSURE_OUTCOME_REFUSED;
	event.refusal = REASSURE_REFUSED_BUDGET;
	add_to(&groups, &event, check_again, 3, "c");
	event.time_ns -= SECOND;
	add_to(&groups, &event, check, 4, "d");
	add_to(&groups, &event, parse, 3, "e");
	add_to(&groups, &event, there, 1, "f");
	add_to(&groups, &event, newer_here, 1, "g");
	add_to(&groups, &event, newer_here, 1, "h");
	add_to(&groups, &event, wild, 2, "i");
	wild[0].address = 0x20;
	add_to(&groups, &event, wild, 2, "j");
	assert_true(groups_add(&groups, "k", lost));
	json_object_put(lost);
	groups_sort(&groups);
	assert_int_equal(groups.count, 6);
	assert_int_equal(groups.lost, 3);

	object = groups_json(&groups);
	assert_string_equal(string_at(object, "/lost"), "3");
	assert_string_equal(string_at(object, "/groups/0/count"), "3");
	assert_string_equal(string_at(object, "/groups/0/first_ns"),
			    "1796004900123456789");
	assert_string_equal(string_at(object, "/groups/0/last_ns"),
			    "1796004902123456789");
	assert_string_equal(string_at(object, "/groups/0/latest"), "c");
	assert_string_equal(string_at(object, "/groups/0/rescue_points/handle"), "1");
	assert_string_equal(string_at(object, "/groups/0/rescue_points/other"), "2");
	assert_string_equal(string_at(object, "/groups/0/outcomes/refused"), "2");
	assert_string_equal(string_at(object, "/groups/0/reasons/budget"), "2");
	assert_string_equal(string_at(object, "/groups/0/signals/deadline"), "2");
	assert_string_equal(string_at(object, "/groups/0/build_ids/01ab"), "2");
	assert_string_equal(string_at(object, "/groups/0/build_ids/02ab"), "1");
	assert_string_equal(string_at(object, "/groups/0/frames/2/function"), "check");
	assert_string_equal(string_at(object, "/groups/1/count"), "2");
	assert_string_equal(string_at(object, "/groups/2/count"), "2");
	assert_string_equal(string_at(object, "/groups/3/count"), "1");
	json_object_put(object);

	stream = open_memstream(&text, &size);
	groups_print(stream, &groups);
	fclose(stream);
	assert_contains(text,
			"3 times, 2026-11-30 02:15:00.123 to 2026-11-30 02:15:02.123, latest c\n"
			"  rescue points   handle 1, other 2\n"
			"  outcomes        rescued 1, refused 2\n"
			"  reasons         budget 2\n"
			"  signals         SIGBUS 1, deadline 2\n"
			"  builds          01ab 2, 02ab 1\n"
			"  #0  raise+0x1 (/lib/x86_64-linux-gnu/libc.so.6+0x10)\n"
			"  #1  abort+0x2 (/lib/x86_64-linux-gnu/libc.so.6+0x20)\n"
			"  #2  check+0xb (/bin/server+0x18)\n");
	free(text);
	groups_free(&groups);
}

/* As the journal reads it: KEY=VALUE, or KEY and a VALUE with its length. */
static const char *field(const char *entry, size_t size, const char *name,
			 size_t *length)
{
	const char *at = entry, *end = entry + size, *line_end, *value;
	__u64 bytes;

	while (at < end) {
		line_end = memchr(at, '\n', end - at);
		assert_non_null(line_end);
		value = memchr(at, '=', line_end - at);
		if (value) {
			bytes = line_end - ++value;
		} else {
			value = line_end + 1 + sizeof(bytes);
			memcpy(&bytes, line_end + 1, sizeof(bytes));
			bytes = le64toh(bytes);
			assert_true(bytes < (size_t)(end - value));
			assert_int_equal(value[bytes], '\n');
		}
		if (!strncmp(at, name, strlen(name)) &&
		    (at[strlen(name)] == '=' || at[strlen(name)] == '\n')) {
			*length = bytes;
			return value;
		}
		at = value + bytes + 1;
	}
	return NULL;
}

static void assert_field(const char *entry, size_t size, const char *name,
			 const char *wanted)
{
	size_t length;
	const char *value = field(entry, size, name, &length);

	if (!value)
		fail_msg("there is no %s", name);
	if (length != strlen(wanted) || memcmp(value, wanted, length))
		fail_msg("%s is '%.*s', not '%s'", name, (int)length, value,
			 wanted);
}

static void test_journal(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct collecting collecting = collecting_in_top();
	int journal = socket(AF_UNIX, SOCK_DGRAM, 0);
	const struct frame frame = {
		0x400010, &program, 0x10, "handle", 16, "server.c", 12
	};
	struct event event = an_event;
	char entry[16384];
	ssize_t size;
	size_t length;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/journal", top);
	assert_int_equal(bind(journal, (void *)&address, sizeof(address)), 0);
	event.registers.rax = 0x736563726574;
	assert_true(journal_send_event(address.sun_path, "ID", &event, &frame, 1,
				       false));
	size = recv(journal, entry, sizeof(entry), 0);
	assert_true(size > 0);
	assert_field(entry, size, "MESSAGE",
		     "rescued ser?ver[10/11] in handle: SIGBUS code -3 address 0xffffffffffffff10, 3 pages restored, 4 us");
	assert_field(entry, size, "MESSAGE_ID", JOURNAL_RESCUED);
	assert_field(entry, size, "PRIORITY", "4");
	assert_field(entry, size, "SYSLOG_IDENTIFIER", "reassure");
	assert_field(entry, size, "REASSURE_REPORT", "ID");
	assert_field(entry, size, "REASSURE_OUTCOME", "rescued");
	assert_field(entry, size, "REASSURE_RESCUE_POINT", "handle");
	assert_field(entry, size, "REASSURE_SIGNAL", "SIGBUS");
	assert_field(entry, size, "REASSURE_ADDRESS", "0xffffffffffffff10");
	assert_field(entry, size, "REASSURE_PID", "10");
	assert_null(field(entry, size, "OBJECT_SYSTEMD_UNIT", &length));
	/* Terminals are not to obey what journalctl prints. */
	assert_field(entry, size, "REASSURE_COMMAND", "ser?ver");
	assert_field(entry, size, "REASSURE_CGROUP", "/a?b");
	assert_field(entry, size, "REASSURE_FUNCTION", "handle");
	assert_field(entry, size, "REASSURE_FILE", "/bin/server");
	assert_field(entry, size, "REASSURE_BUILD_ID", "01ab");
	assert_field(entry, size, "REASSURE_OFFSET", "0x10");
	assert_field(entry, size, "REASSURE_STACK",
		     "  #0  handle+0x10 (/bin/server+0x10) at server.c:12\n");
	assert_null(field(entry, size, "REASSURE_INJECTED", &length));
	/* Registers are in the report alone. */
	assert_null(memmem(entry, size, "736563726574", 12));

	event.injected = true;
	event.outcome = REASSURE_OUTCOME_REFUSED;
	event.refusal = REASSURE_REFUSED_BUDGET;
	collecting.journal = address.sun_path;
	assert_true(collect_event(&event, &collecting));
	size = recv(journal, entry, sizeof(entry), 0);
	assert_field(entry, size, "MESSAGE_ID", JOURNAL_NOT_RESCUED);
	assert_field(entry, size, "PRIORITY", "3");
	assert_field(entry, size, "REASSURE_REASON", "budget");
	assert_field(entry, size, "REASSURE_INJECTED", "1");
	assert_field(entry, size, "REASSURE_REPORT", "20261130T021500Z-000000");
	assert_true(collect_lost(7, &collecting));
	size = recv(journal, entry, sizeof(entry), 0);
	assert_field(entry, size, "MESSAGE", "7 events were lost");
	assert_field(entry, size, "REASSURE_EVENTS", "7");
	assert_null(field(entry, size, "REASSURE_PID", &length));

	/* A journal that does not read is not waited for. */
	for (size = 0; size < 100000; size++)
		if (!journal_send_lost(address.sun_path, NULL, 1))
			break;
	assert_true(size > 0 && size < 100000);
	close(journal);
	assert_false(journal_send_lost(address.sun_path, NULL, 1));
	assert_false(journal_send_lost("/nowhere", NULL, 1));
}

static void test_journal_unit(void **state)
{
	static const struct {
		const char *cgroup;
		const char *unit;
	} cases[] = {
		{ "/system.slice/apache2.service", "apache2.service" },
		{ "/system.slice/a\033.service", "a?.service" },
		{ "/system.slice/system-x.slice/x@1.service/y.service", "x@1.service" },
		{ "/user.slice/user-1.slice/session-2.scope", "session-2.scope" },
		{ "/init.scope", "init.scope" },
		{ "/lxc/1/system.slice/apache2.service", NULL },
		{ "/system.slice", NULL },
		{ "/system.slice/.service", NULL },
		{ "/.slice/x.service", NULL },
		{ "/", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int journal = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct event event = an_event;
	char entry[4096];
	size_t i, length;
	ssize_t size;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/journal", top);
	assert_int_equal(bind(journal, (void *)&address, sizeof(address)), 0);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		event.cgroup = cases[i].cgroup;
		assert_true(journal_send_event(address.sun_path, NULL, &event,
					       NULL, 0, false));
		size = recv(journal, entry, sizeof(entry), 0);
		assert_true(size > 0);
		assert_null(field(entry, size, "OBJECT_PID", &length));
		if (cases[i].unit)
			assert_field(entry, size, "OBJECT_SYSTEMD_UNIT",
				     cases[i].unit);
		else
			assert_null(field(entry, size, "OBJECT_SYSTEMD_UNIT",
					  &length));
	}
	close(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_ids),
		cmocka_unit_test_setup_teardown(test_keep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rotation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_quota, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_immutable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_planted, set_up, tear_down),
		cmocka_unit_test(test_saved_event),
		cmocka_unit_test_setup_teardown(test_corrupt, set_up, tear_down),
		cmocka_unit_test(test_large),
		cmocka_unit_test_setup_teardown(test_collect, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_interrupted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unwritable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_module, set_up, tear_down),
		cmocka_unit_test(test_groups),
		cmocka_unit_test_setup_teardown(test_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_journal_unit, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
