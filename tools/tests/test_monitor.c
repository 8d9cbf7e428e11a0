// SPDX-License-Identifier: GPL-2.0
/* What is shown of a fault, and how its frames are found. */
#include <dlfcn.h>
#include <libelf.h>
#include <link.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <linux/capability.h>

#include <json-c/json.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "test.h"

#include "event.h"
#include "interruption.h"
#include "monitor.h"
#include "output.h"
#include "stack.h"

static void test_options(void **state)
{
	char **apart = (char *[]){ "monitor", "--count", "12", "--json", NULL };
	char **joined = (char *[]){ "monitor", "-j", "--count=1", NULL };
	struct monitor_options options;

	(void)state;
	assert_int_equal(monitor_options(1, apart, &options), EXIT_OK);
	assert_false(options.json);
	assert_int_equal(options.count, 0);
	assert_int_equal(monitor_options(4, apart, &options), EXIT_OK);
	assert_true(options.json);
	assert_int_equal(options.count, 12);
	assert_int_equal(monitor_options(3, joined, &options), EXIT_OK);
	assert_int_equal(options.count, 1);
}

static void test_wrong_options(void **state)
{
	static const struct {
		char *arguments[4];
		const char *message;
	} wrong[] = {
		{ { "monitor", "--jsom" }, "'--jsom'" },
		{ { "monitor", "name" }, "'name'" },
		{ { "monitor", "--counter=1" }, "'--counter=1'" },
		{ { "monitor", "--json", "--json" }, "--json is given twice" },
		{ { "monitor", "--count" }, "--count needs a number" },
		{ { "monitor", "--count", "" }, "not ''" },
		{ { "monitor", "--count=0" }, "not '0'" },
		{ { "monitor", "--count=-1" }, "not '-1'" },
		{ { "monitor", "--count= 1" }, "not ' 1'" },
		{ { "monitor", "--count=1x" }, "not '1x'" },
		{ { "monitor", "--count=99999999999999999999" }, "--count takes" },
		{ { "monitor", "--count=1", "--count=2" }, "--count is given twice" },
	};
	struct monitor_options options;
	size_t i;
	int argc;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		for (argc = 0; argc < 4 && wrong[i].arguments[argc]; argc++)
			;
		assert_int_equal(monitor_options(argc,
						 (char **)wrong[i].arguments,
						 &options), EXIT_USAGE);
		assert_contains(last_message, wrong[i].message);
	}
}

static struct nl_msg *new_event(void)
{
	struct nl_msg *msg = nlmsg_alloc_size(32768);

	assert_non_null(msg);
	assert_non_null(genlmsg_put(msg, 0, 0, 42, 0, 0, REASSURE_CMD_EVENT_GET,
				    REASSURE_GENL_VERSION));
	return msg;
}

static void put_mapping(struct nl_msg *msg, __u64 start, const char *path)
{
	struct nlattr *nest = nla_nest_start(msg, 1);

	nla_put_u64(msg, REASSURE_MAPPING_START, start);
	nla_put_u64(msg, REASSURE_MAPPING_END, start + 0x1000);
	nla_put_u64(msg, REASSURE_MAPPING_OFFSET, 0x2000);
	nla_put(msg, REASSURE_MAPPING_BUILD_ID, 3, "\1\xab\3");
	if (path)
		nla_put_string(msg, REASSURE_MAPPING_PATH, path);
	nla_nest_end(msg, nest);
}

static void put_event(struct nl_msg *msg)
{
	struct user_regs_struct registers = { .rip = 0x400010, .r15 = 15 };
	struct nlattr *nest;

	nla_put_u64(msg, REASSURE_EVENT_NUMBER, 7);
	nla_put_u32(msg, REASSURE_EVENT_OUTCOME, REASSURE_OUTCOME_RESCUED);
	nla_put_string(msg, REASSURE_EVENT_NAME, "handle");
	nla_put_u64(msg, REASSURE_EVENT_PAGES, 3);
	nla_put_u64(msg, REASSURE_EVENT_DURATION, 4567);
	nla_put_u64(msg, REASSURE_EVENT_TIME, 1000000000123456789ull);
	nla_put_u64(msg, REASSURE_EVENT_MONOTONIC, 99);
	nla_put_u32(msg, REASSURE_EVENT_PID, 10);
	nla_put_u32(msg, REASSURE_EVENT_TID, 11);
	nla_put_string(msg, REASSURE_EVENT_COMMAND, "ser\033ver");
	nla_put_string(msg, REASSURE_EVENT_CGROUP, "/system.slice");
	nla_put_u64(msg, REASSURE_EVENT_CGROUP_ID, 1ull << 60);
	nla_put_u32(msg, REASSURE_EVENT_SIGNAL, SIGBUS);
	nla_put_s32(msg, REASSURE_EVENT_CODE, -3);
	nla_put_u64(msg, REASSURE_EVENT_ADDRESS, 0xffffffffffffff10);
	nla_put(msg, REASSURE_EVENT_REGISTERS, sizeof(registers), &registers);
	nla_put_u64(msg, REASSURE_EVENT_STACK_ADDRESS, 0x7000);
	nla_put(msg, REASSURE_EVENT_STACK, 16, "0123456789abcdef");
	nest = nla_nest_start(msg, REASSURE_EVENT_MAPPINGS);
	put_mapping(msg, 0x400000, "/bin/server");
	put_mapping(msg, 0x500000, NULL);
	nla_nest_end(msg, nest);
}

static void test_parse(void **state)
{
	struct nl_msg *msg = new_event();
	struct event event;

	(void)state;
	put_event(msg);
	assert_true(event_parse(nlmsg_hdr(msg), &event));
	assert_int_equal(event.number, 7);
	assert_int_equal(event.outcome, REASSURE_OUTCOME_RESCUED);
	assert_string_equal(event.name, "handle");
	assert_int_equal(event.pages, 3);
	assert_int_equal(event.pid, 10);
	assert_int_equal(event.tid, 11);
	assert_int_equal(event.signal, SIGBUS);
	assert_int_equal(event.code, -3);
	assert_true(event.has_address);
	assert_true(event.address == 0xffffffffffffff10);
	assert_false(event.injected);
	assert_int_equal(event.registers.rip, 0x400010);
	assert_int_equal(event.registers.r15, 15);
	assert_int_equal(event.stack_size, 16);
	assert_memory_equal(event.stack, "0123456789abcdef", 16);
	assert_int_equal(event.nr_mappings, 2);
	assert_string_equal(event.mappings[0].path, "/bin/server");
	assert_int_equal(event.mappings[0].build_id_size, 3);
	assert_null(event.mappings[1].path);
	assert_ptr_equal(event_mapping(&event, 0x400fff), &event.mappings[0]);
	assert_null(event_mapping(&event, 0x401000));
	assert_ptr_equal(event_mapping(&event, 0x500000), &event.mappings[1]);
	nlmsg_free(msg);
}

/* Of a deadline there is no signal; nor must anything be there at all. */
static void test_parse_least(void **state)
{
	struct nl_msg *msg = new_event();
	struct event event;

	(void)state;
	nla_put_u64(msg, REASSURE_EVENT_NUMBER, 7);
	assert_false(event_parse(nlmsg_hdr(msg), &event));
	nla_put_u32(msg, REASSURE_EVENT_OUTCOME, REASSURE_OUTCOME_OUTSIDE);
	assert_true(event_parse(nlmsg_hdr(msg), &event));
	assert_null(event.name);
	assert_null(event.command);
	assert_false(event.has_address);
	assert_string_equal(event_signal(&event), "deadline");
	nla_put_flag(msg, REASSURE_EVENT_INJECTED);
	assert_true(event_parse(nlmsg_hdr(msg), &event));
	assert_true(event.injected);
	nlmsg_free(msg);

	/* Of what a newer module says. */
	msg = new_event();
	nla_put_u64(msg, REASSURE_EVENT_NUMBER, 7);
	nla_put_u32(msg, REASSURE_EVENT_OUTCOME, REASSURE_OUTCOME_MAX + 1);
	assert_false(event_parse(nlmsg_hdr(msg), &event));
	nlmsg_free(msg);
}

static void frames_of(const struct event *event, struct frame *frames)
{
	memset(frames, 0, 2 * sizeof(*frames));
	frames[0].address = 0x400010;
	frames[0].mapping = &event->mappings[0];
	frames[0].offset = 0x2010;
	frames[0].function = "handle";
	frames[0].function_offset = 16;
	frames[0].source = "server.c";
	frames[0].line = 12;
	frames[1].address = 0x123;
}

static char *print(const struct event *event, const struct frame *frames,
		   size_t count)
{
	size_t size;
	char *text;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	monitor_print(stream, event, frames, count, false);
	fclose(stream);
	return text;
}

static void test_print(void **state)
{
	struct nl_msg *msg = new_event();
	struct frame frames[2];
	struct event event;
	char *text;

	(void)state;
	setenv("TZ", "UTC", 1);
	put_event(msg);
	assert_true(event_parse(nlmsg_hdr(msg), &event));
	frames_of(&event, frames);
	text = print(&event, frames, 2);
	assert_string_equal(text,
			    "2001-09-09 01:46:40.123 rescued ser?ver[10/11] in handle: SIGBUS code -3 address 0xffffffffffffff10, 3 pages restored, 4 us\n"
			    "  #0  handle+0x10 (/bin/server+0x2010) at server.c:12\n"
			    "  #1  0x123\n");
	free(text);

	event.injected = true;
	text = print(&event, frames, 0);
	assert_contains(text, " in handle: injected SIGBUS code -3 ");
	free(text);
	event.injected = false;

	event.outcome = REASSURE_OUTCOME_REFUSED;
	event.refusal = REASSURE_REFUSED_BUDGET;
	event.tid = event.pid;
	event.signal = 0;
	event.has_address = false;
	text = print(&event, frames, 0);
	assert_string_equal(text,
			    "2001-09-09 01:46:40.123 not rescued ser?ver[10] in handle (budget): deadline, 4 us\n");
	free(text);

	event.refusal = REASSURE_REFUSALS;
	text = print(&event, frames, 0);
	assert_contains(text, "in handle (?): ");
	free(text);

	event.outcome = REASSURE_OUTCOME_OUTSIDE;
	event.name = NULL;
	text = print(&event, frames, 0);
	assert_contains(text, "not rescued ser?ver[10] outside of rescue points: ");
	free(text);
	nlmsg_free(msg);
}

static const char *string_at(struct json_object *object, const char *path)
{
	struct json_object *value;

	assert_int_equal(json_pointer_get(object, path, &value), 0);
	return json_object_get_string(value);
}

static void test_json(void **state)
{
	struct nl_msg *msg = new_event();
	struct json_object *object, *value;
	struct frame frames[2];
	struct event event;

	(void)state;
	put_event(msg);
	assert_true(event_parse(nlmsg_hdr(msg), &event));
	frames_of(&event, frames);
	object = monitor_json(&event, frames, 2, false);
	assert_string_equal(string_at(object, "/number"), "7");
	assert_string_equal(string_at(object, "/outcome"), "rescued");
	assert_string_equal(string_at(object, "/rescue_point"), "handle");
	assert_string_equal(string_at(object, "/pages_restored"), "3");
	assert_string_equal(string_at(object, "/duration_ns"), "4567");
	assert_string_equal(string_at(object, "/time_ns"), "1000000000123456789");
	assert_string_equal(string_at(object, "/command"), "ser\033ver");
	assert_string_equal(string_at(object, "/cgroup"), "/system.slice");
	assert_string_equal(string_at(object, "/signal"), "SIGBUS");
	assert_string_equal(string_at(object, "/code"), "-3");
	assert_string_equal(string_at(object, "/address"), "0xffffffffffffff10");
	assert_string_equal(string_at(object, "/injected"), "false");
	assert_string_equal(string_at(object, "/registers/rip"), "0x400010");
	assert_string_equal(string_at(object, "/frames/0/file"), "/bin/server");
	assert_string_equal(string_at(object, "/frames/0/build_id"), "01ab03");
	assert_string_equal(string_at(object, "/frames/0/offset"), "8208");
	assert_string_equal(string_at(object, "/frames/0/function"), "handle");
	assert_string_equal(string_at(object, "/frames/0/line"), "12");
	assert_string_equal(string_at(object, "/frames/1/address"), "0x123");
	assert_false(json_object_object_get_ex(object, "reason", &value));
	json_object_put(object);

	event.outcome = REASSURE_OUTCOME_REFUSED;
	event.refusal = REASSURE_REFUSED_PINNED;
	event.injected = true;
	object = monitor_json(&event, frames, 0, false);
	assert_string_equal(string_at(object, "/injected"), "true");
	assert_string_equal(string_at(object, "/reason"), "pinned");
	assert_false(json_object_object_get_ex(object, "pages_restored", &value));
	json_object_put(object);
	nlmsg_free(msg);
}

static void assert_command(const char *command, const char *json)
{
	struct event event = { .command = command };
	char *text, *at;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	print_json_line(stream, monitor_json(&event, NULL, 0, false));
	fclose(stream);
	at = strstr(text, "\"command\":");
	assert_non_null(at);
	*strstr(at, ",\"cgroup\"") = 0;
	assert_string_equal(at + strlen("\"command\":"), json);
	free(text);
}

/* Programs choose their names; readers are not to fail, nor terminals to obey. */
static void test_json_text(void **state)
{
	(void)state;
	assert_command("a\"b\\/\n\033", "\"a\\\"b\\\\/\\n\\u001b\"");
	assert_command("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		       "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	assert_command("\x7f\xc2\x80\xc2\x9b\xc2\xa0",
		       "\"\\u007f\\u0080\\u009b\xc2\xa0\"");
	/* Not begun, cut off, too long, a surrogate, too high. */
	assert_command("\x9bz", "\"\xef\xbf\xbdz\"");
	assert_command("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_command("\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_command("\xed\xa0\x80",
		       "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_command("\xf4\x90\x80\x80",
		       "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_command("\xff", "\"\xef\xbf\xbd\"");
}

#define READ_BYTE(address) __atomic_load_n((__u8 *)(address), __ATOMIC_RELAXED)

/* This program faults, so to say. */
static struct event own;
static __u8 own_stack[REASSURE_EVENT_STACK_MAX];

static int find_mapping(struct dl_phdr_info *info, size_t size, void *data)
{
	static char path[4096];
	struct event_mapping *mapping = &own.mappings[own.nr_mappings];
	const Elf64_Phdr *phdr;
	const Elf64_Nhdr *note;
	int i;

	(void)size;
	(void)data;
	for (i = 0; i < info->dlpi_phnum; i++) {
		phdr = &info->dlpi_phdr[i];
		note = (void *)(info->dlpi_addr + phdr->p_vaddr);
		if (phdr->p_type == PT_NOTE &&
		    note->n_type == NT_GNU_BUILD_ID) {
			mapping->build_id = (__u8 *)(note + 1) + 4;
			mapping->build_id_size = note->n_descsz;
		}
		if (phdr->p_type != PT_LOAD || !(phdr->p_flags & PF_X))
			continue;
		mapping->start = info->dlpi_addr + (phdr->p_vaddr & -4096ul);
		mapping->end = info->dlpi_addr + phdr->p_vaddr + phdr->p_memsz;
		mapping->offset = phdr->p_offset & -4096ul;
	}
	i = readlink("/proc/self/exe", path, sizeof(path) - 1);
	mapping->path = i > 0 && !own.nr_mappings ? path : info->dlpi_name;
	own.nr_mappings++;
	/* The executable, and no more. */
	return 1;
}

static __attribute__((noipa)) void fault_here(bool bad_call)
{
	ucontext_t context;
	size_t i;

	memset(&own, 0, sizeof(own));
	getcontext(&context);
	own.pid = getpid();
	own.tid = own.pid;
	own.registers.rip = context.uc_mcontext.gregs[REG_RIP];
	own.registers.rsp = context.uc_mcontext.gregs[REG_RSP];
	own.registers.rbp = context.uc_mcontext.gregs[REG_RBP];
	own.registers.rbx = context.uc_mcontext.gregs[REG_RBX];
	own.registers.r12 = context.uc_mcontext.gregs[REG_R12];
	own.registers.r13 = context.uc_mcontext.gregs[REG_R13];
	own.registers.r14 = context.uc_mcontext.gregs[REG_R14];
	own.registers.r15 = context.uc_mcontext.gregs[REG_R15];
	own.stack_address = own.registers.rsp;
	own.stack_size = 2048;
	own.stack = own_stack;
	for (i = 0; i < own.stack_size; i++)
		own_stack[i] = READ_BYTE(own.stack_address + i);
	if (bad_call) {
		/* As if it had called what is no code. */
		memmove(own_stack + 8, own_stack, own.stack_size - 8);
		memcpy(own_stack, &own.registers.rip, 8);
		own.stack_address -= 8;
		own.registers.rsp -= 8;
		own.registers.rip = 0x10;
	}
	dl_iterate_phdr(find_mapping, NULL);
}

static __attribute__((noipa)) int calling_fault(bool bad_call)
{
	fault_here(bad_call);
	return own.nr_mappings;
}

/* libelf's, but for who has rights: run as root, all that unwind see to it. */
Elf *elf_begin(int fd, Elf_Cmd command, Elf *archive)
{
	Elf *(*begin)(int fd, Elf_Cmd command, Elf *archive) =
		dlsym(RTLD_NEXT, "elf_begin");

	return geteuid() ? begin(fd, command, archive) : NULL;
}

static void test_unwind(void **state)
{
	struct frame frames[STACK_FRAMES_MAX];
	size_t count;
	bool failed;

	(void)state;
	assert_int_equal(calling_fault(false), 1);
	count = stack_unwind(&own, frames, &failed);
	assert_in_range(count, 3, STACK_FRAMES_MAX);
	assert_string_equal(frames[0].function, "fault_here");
	assert_string_equal(frames[1].function, "calling_fault");
	assert_string_equal(frames[2].function, "test_unwind");
	assert_ptr_equal(frames[1].mapping, &own.mappings[0]);
	assert_int_equal(frames[1].offset, frames[1].address -
			 own.mappings[0].start + own.mappings[0].offset);
	assert_contains(frames[2].source, "test_monitor.c");
	assert_int_not_equal(frames[2].line, 0);
	stack_free(frames, count);
}

static void test_unwind_bad_call(void **state)
{
	struct frame frames[STACK_FRAMES_MAX];
	size_t count;
	bool failed;

	(void)state;
	calling_fault(true);
	count = stack_unwind(&own, frames, &failed);
	assert_in_range(count, 3, STACK_FRAMES_MAX);
	assert_int_equal(frames[0].address, 0x10);
	assert_null(frames[0].function);
	assert_string_equal(frames[1].function, "fault_here");
	assert_string_equal(frames[2].function, "calling_fault");
	stack_free(frames, count);
}

/* Another build of the file, or none: the place is told, and no more. */
static void test_unwind_other_file(void **state)
{
	__u8 other[REASSURE_BUILD_ID_MAX] = {};
	struct frame frames[STACK_FRAMES_MAX];
	size_t count;
	bool failed;

	(void)state;
	calling_fault(false);
	own.mappings[0].build_id = other;
	count = stack_unwind(&own, frames, &failed);
	assert_int_equal(count, 1);
	assert_int_equal(frames[0].address, own.registers.rip);
	assert_ptr_equal(frames[0].mapping, &own.mappings[0]);
	assert_null(frames[0].function);
	stack_free(frames, count);

	own.mappings[0].path = "/nowhere";
	count = stack_unwind(&own, frames, &failed);
	assert_int_equal(count, 1);
	stack_free(frames, count);
	own.nr_mappings = 0;
	own.stack_size = 0;
	count = stack_unwind(&own, frames, &failed);
	assert_int_equal(count, 1);
	assert_null(frames[0].mapping);
	stack_free(frames, count);
}

/* What would block who opens it, or is another process's to say. */
static void test_unwind_no_file(void **state)
{
	struct frame frames[STACK_FRAMES_MAX];
	char path[64];
	size_t count;
	bool failed;

	(void)state;
	calling_fault(false);
	snprintf(path, sizeof(path), "/tmp/test_monitor.%d", getpid());
	assert_int_equal(mkfifo(path, 0600), 0);
	own.mappings[0].path = path;
	count = stack_unwind(&own, frames, &failed);
	unlink(path);
	assert_false(failed);
	assert_int_equal(count, 1);
	assert_null(frames[0].function);
	stack_free(frames, count);

	/* A link that the kernel makes leads out of any root. */
	own.mappings[0].path = "/proc/self/exe";
	count = stack_unwind(&own, frames, &failed);
	assert_false(failed);
	assert_int_equal(count, 1);
	assert_null(frames[0].function);
	stack_free(frames, count);
}

/* Files must not keep who reads them, or end it. */
static void test_unwind_hostile_file(void **state)
{
	struct frame frames[STACK_FRAMES_MAX];
	size_t count;
	bool failed;

	(void)state;
	calling_fault(false);
	/* No such memory: the child dies when it reads the stack. */
	own.stack = (__u8 *)16;
	count = stack_unwind(&own, frames, &failed);
	assert_true(failed);
	assert_int_equal(count, 1);
	assert_int_equal(frames[0].address, own.registers.rip);
	assert_ptr_equal(frames[0].mapping, &own.mappings[0]);
	assert_null(frames[0].function);
	stack_free(frames, count);
}

static bool nothing_ends;

/* The C library's, but for children that a file system holds. */
pid_t waitpid(pid_t child, int *status, int options)
{
	return nothing_ends ? 0 : wait4(child, status, options, NULL);
}

/* Those that do not end do not become more and more. */
static void test_unwind_held(void **state)
{
	struct frame frames[STACK_FRAMES_MAX];
	size_t count, i;
	siginfo_t info;
	bool failed;

	(void)state;
	calling_fault(false);
	nothing_ends = true;
	for (i = 0; i < 8; i++) {
		count = stack_unwind(&own, frames, &failed);
		stack_free(frames, count);
	}
	nothing_ends = false;
	assert_true(failed);
	assert_int_equal(count, 1);
	assert_int_equal(frames[0].address, own.registers.rip);

	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	count = stack_unwind(&own, frames, &failed);
	assert_false(failed);
	assert_in_range(count, 3, STACK_FRAMES_MAX);
	stack_free(frames, count);
}

/* Shows @event; the exit code says that it was told to show no more. */
static void show_in_child(const struct event *event, const int *ends, int sig)
{
	struct monitoring monitoring = {};

	if (dup2(ends[1], STDOUT_FILENO) < 0)
		_exit(2);
	/* Who waits for it may die. */
	close(ends[0]);
	close(ends[1]);
	interruption_catch();
	if (sig)
		raise(sig);
	_exit(monitor_show_event(event, &monitoring));
}

/* An event that has begun is shown to its end, and is the last. */
static void test_interrupted(void **state)
{
	static const int signals[] = { 0, SIGINT, SIGTERM };
	struct event event = { .command = "program" };
	char text[4096];
	int ends[2], status;
	pid_t child;
	size_t i;

	(void)state;
	fflush(stdout);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		assert_int_equal(pipe(ends), 0);
		child = fork();
		assert_int_not_equal(child, -1);
		if (!child)
			show_in_child(&event, ends, signals[i]);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), !signals[i]);
		memset(text, 0, sizeof(text));
		assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
		assert_contains(text, "#0  0x0\n");
		close(ends[0]);
		close(ends[1]);
	}
}

/* Nobody reads on. */
static void test_interrupted_output(void **state)
{
	struct event event = {};
	int ends[2], status;
	char *command, first;
	pid_t child;

	(void)state;
	/* More than a pipe takes. */
	command = calloc(1, (1 << 20) + 1);
	assert_non_null(command);
	event.command = memset(command, 'x', 1 << 20);
	fflush(stdout);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (!child)
		show_in_child(&event, ends, 0);
	/* It writes. */
	assert_int_equal(read(ends[0], &first, 1), 1);
	kill(child, SIGTERM);
	/* Instead of for ever. */
	alarm(120);
	assert_int_equal(waitpid(child, &status, 0), child);
	alarm(0);
	assert_int_equal(status, 0);
	close(ends[0]);
	close(ends[1]);
	free(command);
}

static void get_capabilities(struct __user_cap_data_struct *sets)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	if (syscall(SYS_capget, &header, sets))
		_exit(2);
}

static void set_capabilities(const struct __user_cap_data_struct *sets)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	if (syscall(SYS_capset, &header, sets))
		_exit(2);
}

/* As a service that may do all, but is not root. */
static void become_capable(void)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	int i;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setresgid(1, 1, 1) ||
	    setresuid(1, 1, 1))
		_exit(2);
	get_capabilities(sets);
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = sets[i].permitted;
	}
	set_capabilities(sets);
	for (i = 0; i <= CAP_LAST_CAP; i++)
		if (sets[i / 32].permitted & 1u << i % 32 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0))
			_exit(2);
}

static bool have_rights(void)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	int i, left = 0;

	get_capabilities(sets);
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		left |= sets[i].effective | sets[i].permitted |
			sets[i].inheritable;
	for (i = 0; i <= CAP_LAST_CAP; i++)
		left |= prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) > 0;
	return left || !geteuid() ||
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || fork() >= 0;
}

/* Who is not root has less to lose; what is left is looked for all the same. */
static void test_drop_rights(void **state)
{
	bool capable = *state && !geteuid();
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (!child) {
		if (capable)
			become_capable();
		_exit(!stack_drop_rights() || have_rights());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_least),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_text),
		cmocka_unit_test(test_unwind),
		cmocka_unit_test(test_unwind_bad_call),
		cmocka_unit_test(test_unwind_other_file),
		cmocka_unit_test(test_unwind_no_file),
		cmocka_unit_test(test_unwind_hostile_file),
		cmocka_unit_test(test_unwind_held),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_interrupted_output),
		cmocka_unit_test_prestate(test_drop_rights, NULL),
		cmocka_unit_test_prestate(test_drop_rights, "capable"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
