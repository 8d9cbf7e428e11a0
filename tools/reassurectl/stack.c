// SPDX-License-Identifier: GPL-2.0
/*
 * From the registers and the stack of a fault to the functions that had called
 * each other.  The program may be gone, so only what the event tells is used, and
 * the files that it names, if they have the build-ids that it says.
 *
 * Who wrote these files may be hostile, or change them meanwhile.  So a child
 * opens them, gives up its rights, and only then reads them, with little time and
 * memory; it tells the parent by a pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/openat2.h>

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>

#include "event.h"
#include "matching.h"
#include "stack.h"

/* Numbers of registers in unwind information. */
enum {
	DWARF_RAX,
	DWARF_RDX,
	DWARF_RCX,
	DWARF_RBX,
	DWARF_RSI,
	DWARF_RDI,
	DWARF_RBP,
	DWARF_RSP,
	DWARF_R8,
	DWARF_R9,
	DWARF_R10,
	DWARF_R11,
	DWARF_R12,
	DWARF_R13,
	DWARF_R14,
	DWARF_R15,
	DWARF_RIP,

	DWARF_REGISTERS,
};

#define NOBODY 65534

/* The most that a file may have, and that a child may have in all. */
#define FILE_BYTES_MAX (512ul << 20)
#define CHILD_BYTES_MAX (2ul << 30)
#define CHILD_CPU_SECONDS 5
#define CHILD_SECONDS 10
/* So many may be left that were killed, but do not end: a file system holds them. */
#define CHILDREN_MAX 4

/* Names and paths are cut to so much; longer names are not demangled. */
#define TEXT_MAX 4096

#define DEBUG_FOLDER "/usr/lib/debug"

struct unwinding {
	const struct event *event;
	Dwfl *dwfl;
	Dwarf_Word registers[DWARF_REGISTERS];
	struct frame *frames;
	size_t count;
	/* The first frame is that of a caller, see skip_bad_call(). */
	bool skipped;
};

/* A file of debug information is the host's, by the build-id alone. */
static int debug_folder = -1;

static bool read_word(const struct event *event, __u64 address, Dwarf_Word *word)
{
	__u64 at = address - event->stack_address;

	if (address < event->stack_address || event->stack_size < sizeof(*word) ||
	    at > event->stack_size - sizeof(*word))
		return false;
	memcpy(word, event->stack + at, sizeof(*word));
	return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result,
			void *arg)
{
	struct unwinding *unwinding = arg;

	(void)dwfl;
	return read_word(unwinding->event, address, result);
}

/* There is one. */
static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	struct unwinding *unwinding = arg;

	(void)dwfl;
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return unwinding->event->tid;
}

static bool set_registers(Dwfl_Thread *thread, void *thread_arg)
{
	struct unwinding *unwinding = thread_arg;

	dwfl_thread_state_register_pc(thread, unwinding->registers[DWARF_RIP]);
	return dwfl_thread_state_registers(thread, 0, DWARF_REGISTERS,
					   unwinding->registers);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

static void get_registers(struct unwinding *unwinding)
{
	const struct user_regs_struct *from = &unwinding->event->registers;
	Dwarf_Word *to = unwinding->registers;

	to[DWARF_RAX] = from->rax;
	to[DWARF_RDX] = from->rdx;
	to[DWARF_RCX] = from->rcx;
	to[DWARF_RBX] = from->rbx;
	to[DWARF_RSI] = from->rsi;
	to[DWARF_RDI] = from->rdi;
	to[DWARF_RBP] = from->rbp;
	to[DWARF_RSP] = from->rsp;
	to[DWARF_R8] = from->r8;
	to[DWARF_R9] = from->r9;
	to[DWARF_R10] = from->r10;
	to[DWARF_R11] = from->r11;
	to[DWARF_R12] = from->r12;
	to[DWARF_R13] = from->r13;
	to[DWARF_R14] = from->r14;
	to[DWARF_R15] = from->r15;
	to[DWARF_RIP] = from->rip;
}

/*
 * What is to be added to an address in the file to get that in memory.  False
 * when @elf is not the file of @mapping.
 */
static bool find_bias(Elf *elf, const struct event_mapping *mapping, __u64 *bias)
{
	const void *build_id;
	GElf_Phdr phdr;
	size_t i, count;
	ssize_t size = dwelf_elf_gnu_build_id(elf, &build_id);

	if (size <= 0 || size != mapping->build_id_size ||
	    memcmp(build_id, mapping->build_id, size) ||
	    elf_getphdrnum(elf, &count))
		return false;
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(elf, i, &phdr) || phdr.p_type != PT_LOAD ||
		    !(phdr.p_flags & PF_X) ||
		    mapping->offset + (mapping->end - mapping->start) <=
		    phdr.p_offset ||
		    mapping->offset >= phdr.p_offset + phdr.p_filesz)
			continue;
		*bias = mapping->start - mapping->offset -
			(phdr.p_vaddr - phdr.p_offset);
		return true;
	}
	return false;
}

static int open_within(int root, const char *path, __u64 flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static bool is_regular(int fd)
{
	struct stat file;

	return !fstat(fd, &file) && S_ISREG(file.st_mode) &&
	       file.st_size <= (off_t)FILE_BYTES_MAX;
}

/* Only a regular file is opened at all: to open another may do something. */
static int open_regular(int root, const char *path)
{
	int place = open_within(root, path, O_PATH), fd = -1;
	char again[32];

	if (place < 0)
		return -1;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	if (is_regular(place))
		fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	close(place);
	return fd;
}

static void report_file(struct unwinding *unwinding,
			const struct event_mapping *mapping, int fd)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	__u64 bias;
	bool fits = elf && find_bias(elf, mapping, &bias);

	elf_end(elf);
	/* It has @fd then. */
	if (!fits || !dwfl_report_elf(unwinding->dwfl, mapping->path,
				      mapping->path, fd, bias, true))
		close(fd);
}

/* Whether it is a part of the same file as one before. */
static bool is_reported(const struct event *event,
			const struct event_mapping *mapping)
{
	const struct event_mapping *before;

	for (before = event->mappings; before < mapping; before++)
		if (before->path && !strcmp(before->path, mapping->path) &&
		    before->start - before->offset ==
		    mapping->start - mapping->offset)
			return true;
	return false;
}

/*
 * The process may see other files than we: where it is there it is its root in
 * which they are looked for, and no other.  A process that is gone does not tell
 * any more; for it ours have to do.
 */
static int open_root(const struct event *event)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u", event->pid);
	if (access(path, F_OK))
		return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%u/root", event->pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* A process that has exited and was not waited for has no root. */
	return fd < 0 && errno == ENOENT ?
	       open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : fd;
}

/* With all rights, so nothing is read.  -1 for what is not there, or not wanted. */
static void open_mappings(const struct event *event, int *fds)
{
	const struct event_mapping *mapping;
	int root = open_root(event);
	size_t i;

	for (i = 0; i < event->nr_mappings; i++) {
		mapping = &event->mappings[i];
		fds[i] = root >= 0 && mapping->path && mapping->build_id_size &&
			 !is_reported(event, mapping) ?
			 open_regular(root, mapping->path) : -1;
	}
	if (root >= 0)
		close(root);
}

static void report_mappings(struct unwinding *unwinding, const int *fds)
{
	const struct event *event = unwinding->event;
	size_t i;

	dwfl_report_begin(unwinding->dwfl);
	for (i = 0; i < event->nr_mappings; i++)
		if (fds[i] >= 0)
			report_file(unwinding, &event->mappings[i], fds[i]);
	dwfl_report_end(unwinding->dwfl, NULL, NULL);
}

/*
 * For elfutils.  Neither the file's own word for where it is nor a second file
 * that is shared by several, which is asked for with a @debuglink as well, are
 * followed.
 */
static int find_debuginfo(Dwfl_Module *module, void **data, const char *name,
			  Dwarf_Addr base, const char *file,
			  const char *debuglink, GElf_Word crc, char **found)
{
	char path[sizeof(".build-id//.debug") + 2 * REASSURE_BUILD_ID_MAX];
	const unsigned char *build_id;
	GElf_Addr address;
	int size = dwfl_module_build_id(module, &build_id, &address);
	int fd, i, length;

	(void)name;
	(void)base;
	(void)file;
	(void)debuglink;
	(void)crc;
	(void)found;
	/* Once for each module. */
	if (*data || size < 2 || size > REASSURE_BUILD_ID_MAX)
		return -1;
	*data = module;
	length = sprintf(path, ".build-id/%02x/", build_id[0]);
	for (i = 1; i < size; i++)
		length += sprintf(path + length, "%02x", build_id[i]);
	strcpy(path + length, ".debug");
	fd = open_within(debug_folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && !is_regular(fd)) {
		close(fd);
		return -1;
	}
	return fd;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void name_frame(struct unwinding *unwinding, struct frame *frame,
		       bool is_call)
{
	/* A call may be the last instruction of its function. */
	Dwarf_Addr address = frame->address - is_call;
	Dwfl_Module *module = dwfl_addrmodule(unwinding->dwfl, address);
	const char *name;
	Dwfl_Line *line;
	GElf_Off offset;
	GElf_Sym sym;

	if (!module)
		return;
	name = dwfl_module_addrinfo(module, address, &offset, &sym, NULL, NULL,
				    NULL);
	if (name) {
		if (strnlen(name, TEXT_MAX + 1) <= TEXT_MAX)
			frame->function = demangle(name);
		if (!frame->function)
			frame->function = copy(name);
		frame->function_offset = offset + is_call;
	}
	line = dwfl_module_getsrc(module, address);
	if (line)
		frame->source = copy(dwfl_lineinfo(line, NULL, &frame->line,
						   NULL, NULL, NULL));
}

static void place_frame(const struct event *event, struct frame *frame)
{
	frame->mapping = event_mapping(event, frame->address);
	if (frame->mapping)
		frame->offset = frame->address - frame->mapping->start +
				frame->mapping->offset;
}

static bool add_frame(struct unwinding *unwinding, __u64 address, bool is_call)
{
	struct frame *frame;

	if (unwinding->count == STACK_FRAMES_MAX)
		return false;
	frame = &unwinding->frames[unwinding->count++];
	memset(frame, 0, sizeof(*frame));
	frame->address = address;
	name_frame(unwinding, frame, is_call);
	return true;
}

static int on_frame(Dwfl_Frame *state, void *arg)
{
	struct unwinding *unwinding = arg;
	bool is_activation;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(state, &pc, &is_activation))
		return DWARF_CB_ABORT;
	/* A zero is where a thread begins. */
	if (!pc && unwinding->count)
		return DWARF_CB_ABORT;
	if (unwinding->skipped)
		is_activation = false;
	unwinding->skipped = false;
	return add_frame(unwinding, pc, !is_activation) ? DWARF_CB_OK :
							  DWARF_CB_ABORT;
}

/*
 * A call to where there is no code: its return address is on the top of the
 * stack, and the caller is where the rest can be found from.
 */
static void skip_bad_call(struct unwinding *unwinding)
{
	Dwarf_Word *registers = unwinding->registers;
	Dwarf_Word address;

	if (event_mapping(unwinding->event, registers[DWARF_RIP]) ||
	    !read_word(unwinding->event, registers[DWARF_RSP], &address) ||
	    !event_mapping(unwinding->event, address))
		return;
	add_frame(unwinding, registers[DWARF_RIP], false);
	registers[DWARF_RIP] = address;
	registers[DWARF_RSP] += sizeof(address);
	unwinding->skipped = true;
}

static void limit(int resource, rlim_t most)
{
	struct rlimit limit = { .rlim_cur = most, .rlim_max = most };

	setrlimit(resource, &limit);
}

/* Where the machine, or our cgroup, has no more memory this one is to be killed. */
static void offer_to_oom_killer(void)
{
	static const char most[] = "1000";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* Without it the memory is limited all the same. */
	(void)!write(fd, most, strlen(most));
	close(fd);
}

static void limit_child(void)
{
	offer_to_oom_killer();
	limit(RLIMIT_AS, CHILD_BYTES_MAX);
	limit(RLIMIT_CPU, CHILD_CPU_SECONDS);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_CORE, 0);
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct
		none[_LINUX_CAPABILITY_U32S_3] = {};

	return !prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) &&
	       !syscall(SYS_capset, &header, none);
}

static bool become_nobody(void)
{
	/* The second is always there and has nothing that names anything. */
	if ((chroot(DEBUG_FOLDER) && chroot("/proc/self/fdinfo")) || chdir("/"))
		return false;
	return !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
	       !setresuid(NOBODY, NOBODY, NOBODY);
}

/*
 * Of root, from here on no file can be found but those of debug information.  Who
 * is not root may still have been given capabilities.
 */
bool stack_drop_rights(void)
{
	debug_folder = open(DEBUG_FOLDER, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    (!geteuid() && !become_nobody()) || !drop_capabilities())
		return false;
	/* Last: there may be more processes of nobody. */
	limit(RLIMIT_NPROC, 0);
	return true;
}

static bool unwind(struct unwinding *unwinding)
{
	static const Dwfl_Callbacks callbacks = {
		/* Each is reported with its file. */
		.find_elf = NULL,
		.find_debuginfo = find_debuginfo,
	};
	const struct event *event = unwinding->event;
	int fds[REASSURE_EVENT_MAPPINGS_MAX];

	open_mappings(event, fds);
	if (!stack_drop_rights())
		return false;
	unwinding->dwfl = dwfl_begin(&callbacks);
	if (!unwinding->dwfl)
		return false;
	report_mappings(unwinding, fds);
	get_registers(unwinding);
	skip_bad_call(unwinding);
	if (dwfl_attach_state(unwinding->dwfl, NULL, event->tid,
			      &thread_callbacks, unwinding))
		dwfl_getthread_frames(unwinding->dwfl, event->tid, on_frame,
				      unwinding);
	/* Where nothing is known of the code. */
	if (!unwinding->count)
		add_frame(unwinding, unwinding->registers[DWARF_RIP], false);
	return true;
}

/*
 * A frame in the pipe; the texts follow, of which a size of 0 is none.  The last
 * is none, and has a size that no text has.
 */
struct message {
	__u64 address;
	__u64 function_offset;
	__s32 line;
	__u32 function_size;
	__u32 source_size;
};

static const struct message end_message = { .function_size = TEXT_MAX + 1 };

#define REPLY_MAX (STACK_FRAMES_MAX * (sizeof(struct message) + 2 * TEXT_MAX) + \
		   sizeof(struct message))

static __u32 text_size(const char *text)
{
	return text ? strnlen(text, TEXT_MAX) : 0;
}

static void send_frame(FILE *to, const struct frame *frame)
{
	struct message message = {
		.address = frame->address,
		.function_offset = frame->function_offset,
		.line = frame->line,
		.function_size = text_size(frame->function),
		.source_size = text_size(frame->source),
	};

	fwrite(&message, sizeof(message), 1, to);
	fwrite(frame->function, 1, message.function_size, to);
	fwrite(frame->source, 1, message.source_size, to);
}

/* The child.  All else that it has from us is closed. */
static noreturn void run_child(const struct event *event, struct frame *frames,
			       int out)
{
	struct unwinding unwinding = { .event = event, .frames = frames };
	FILE *to;
	size_t i;

	if (dup2(out, STDIN_FILENO) < 0 ||
	    syscall(SYS_close_range, STDIN_FILENO + 1, ~0U, 0))
		_exit(1);
	limit_child();
	to = fdopen(STDIN_FILENO, "w");
	if (!to || !unwind(&unwinding))
		_exit(1);
	for (i = 0; i < unwinding.count; i++)
		send_frame(to, &frames[i]);
	fwrite(&end_message, sizeof(end_message), 1, to);
	fflush(to);
	_exit(0);
}

static __s64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the child has closed the pipe; false when its time is over. */
static bool receive(int from, char *reply, size_t *size)
{
	struct pollfd poll_from = { .fd = from, .events = POLLIN };
	__s64 end = now_ms() + CHILD_SECONDS * 1000, rest;
	ssize_t got;

	for (*size = 0; *size < REPLY_MAX; *size += got) {
		rest = end - now_ms();
		if (rest <= 0 || poll(&poll_from, 1, rest) <= 0)
			return false;
		got = read(from, reply + *size, REPLY_MAX - *size);
		if (got <= 0)
			return !got;
	}
	return true;
}

/* It may not keep to what was agreed. */
static const char *take(const char **at, const char *end, size_t size)
{
	const char *taken = *at;

	if (size > (size_t)(end - taken))
		return NULL;
	*at += size;
	return taken;
}

static char *take_text(const char **at, const char *end, size_t size)
{
	const char *text = take(at, end, size);

	return text && size ? strndup(text, size) : NULL;
}

/* 0 where the end is missing. */
static size_t read_frames(const struct event *event, struct frame *frames,
			  const char *reply, size_t size)
{
	const char *at = reply, *end = reply + size, *head;
	struct message message;
	struct frame *frame;
	size_t count = 0;

	for (;;) {
		head = take(&at, end, sizeof(message));
		if (!head)
			break;
		memcpy(&message, head, sizeof(message));
		if (message.function_size > TEXT_MAX)
			return count;
		if (count == STACK_FRAMES_MAX || message.source_size > TEXT_MAX)
			break;
		frame = &frames[count++];
		memset(frame, 0, sizeof(*frame));
		frame->address = message.address;
		frame->function_offset = message.function_offset;
		frame->line = message.line;
		frame->function = take_text(&at, end, message.function_size);
		frame->source = take_text(&at, end, message.source_size);
		place_frame(event, frame);
	}
	stack_free(frames, count);
	return 0;
}

/* Where the next child is noted; NULL while too many do not end. */
static pid_t *place_for_child(void)
{
	static pid_t children[CHILDREN_MAX];
	pid_t *place = NULL;
	size_t i;

	for (i = 0; i < CHILDREN_MAX; i++) {
		if (children[i] && waitpid(children[i], NULL, WNOHANG))
			children[i] = 0;
		if (!children[i])
			place = &children[i];
	}
	return place;
}

/* Reads what a child finds; 0 when it does not get to its end. */
static size_t ask_child(const struct event *event, struct frame *frames)
{
	pid_t *place = place_for_child(), child;
	char *reply = malloc(REPLY_MAX);
	size_t size, count = 0;
	int ends[2];

	if (!place || !reply || pipe2(ends, O_CLOEXEC)) {
		free(reply);
		return 0;
	}
	child = fork();
	if (!child)
		run_child(event, frames, ends[1]);
	close(ends[1]);
	if (child > 0) {
		if (receive(ends[0], reply, &size))
			count = read_frames(event, frames, reply, size);
		/* It has no more to do, but may not know; it is waited for later. */
		kill(child, SIGKILL);
		*place = child;
	}
	close(ends[0]);
	free(reply);
	return count;
}

size_t stack_unwind(const struct event *event, struct frame *frames,
		    bool *failed)
{
	size_t count = ask_child(event, frames);

	*failed = !count;
	return count ?: stack_innermost(event, frames);
}

size_t stack_innermost(const struct event *event, struct frame *frame)
{
	memset(frame, 0, sizeof(*frame));
	frame->address = event->registers.rip;
	place_frame(event, frame);
	return 1;
}

void stack_free(struct frame *frames, size_t count)
{
	while (count--) {
		free(frames[count].function);
		free(frames[count].source);
	}
}
