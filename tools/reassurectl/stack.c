// SPDX-License-Identifier: GPL-2.0
/*
 * From the registers and the stack of a fault to the functions that had called
 * each other.  The program may be gone, so only what the event tells is used, and
 * the files that it names, if they have the build-ids that it says.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

struct unwinding {
	const struct event *event;
	Dwfl *dwfl;
	Dwarf_Word registers[DWARF_REGISTERS];
	struct frame *frames;
	size_t count;
	/* The first frame is that of a caller, see skip_bad_call(). */
	bool skipped;
};

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

static bool report_file(struct unwinding *unwinding,
			const struct event_mapping *mapping, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	__u64 bias;
	bool fits = elf && find_bias(elf, mapping, &bias);

	elf_end(elf);
	/* It is opened anew where it is used, and has @fd then. */
	if (fits && dwfl_report_elf(unwinding->dwfl, path, path, fd, bias, true))
		return true;
	if (fd >= 0)
		close(fd);
	return false;
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

/* The process may see other files than we, or may be gone. */
static void report_mapping(struct unwinding *unwinding,
			   const struct event_mapping *mapping)
{
	char path[PATH_MAX + 32];

	if (!mapping->path || !mapping->build_id_size ||
	    is_reported(unwinding->event, mapping))
		return;
	snprintf(path, sizeof(path), "/proc/%u/root%s",
		 unwinding->event->pid, mapping->path);
	if (!report_file(unwinding, mapping, path))
		report_file(unwinding, mapping, mapping->path);
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
		frame->function = demangle(name) ?: copy(name);
		frame->function_offset = offset + is_call;
	}
	line = dwfl_module_getsrc(module, address);
	if (line)
		frame->source = copy(dwfl_lineinfo(line, NULL, &frame->line,
						   NULL, NULL, NULL));
}

static bool add_frame(struct unwinding *unwinding, __u64 address, bool is_call)
{
	struct frame *frame;

	if (unwinding->count == STACK_FRAMES_MAX)
		return false;
	frame = &unwinding->frames[unwinding->count++];
	memset(frame, 0, sizeof(*frame));
	frame->address = address;
	frame->mapping = event_mapping(unwinding->event, address);
	if (frame->mapping)
		frame->offset = address - frame->mapping->start +
				frame->mapping->offset;
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

size_t stack_unwind(const struct event *event, struct frame *frames)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
	};
	struct unwinding unwinding = {
		.event = event,
		.frames = frames,
	};
	size_t i;

	unwinding.dwfl = dwfl_begin(&callbacks);
	if (!unwinding.dwfl)
		return 0;
	dwfl_report_begin(unwinding.dwfl);
	for (i = 0; i < event->nr_mappings; i++)
		report_mapping(&unwinding, &event->mappings[i]);
	dwfl_report_end(unwinding.dwfl, NULL, NULL);
	get_registers(&unwinding);
	skip_bad_call(&unwinding);
	if (dwfl_attach_state(unwinding.dwfl, NULL, event->tid,
			      &thread_callbacks, &unwinding))
		dwfl_getthread_frames(unwinding.dwfl, event->tid, on_frame,
				      &unwinding);
	/* Where nothing is known of the code. */
	if (!unwinding.count)
		add_frame(&unwinding, unwinding.registers[DWARF_RIP], false);
	dwfl_end(unwinding.dwfl);
	return unwinding.count;
}

void stack_free(struct frame *frames, size_t count)
{
	while (count--) {
		free(frames[count].function);
		free(frames[count].source);
	}
}
