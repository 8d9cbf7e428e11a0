// SPDX-License-Identifier: GPL-2.0
/* Faults, as they come. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "event.h"
#include "interruption.h"
#include "monitor.h"
#include "names.h"
#include "netlink.h"
#include "output.h"
#include "reassurectl.h"
#include "stack.h"
#include "text.h"

static int parse_count(const char *text, __u64 *count)
{
	char *end;

	errno = 0;
	*count = strtoull(text, &end, 10);
	if (errno || !isdigit((unsigned char)*text) || *end || !*count)
		return usage_error("monitor: --count takes a number from 1 on, not '%s'",
				   text);
	return EXIT_OK;
}

int monitor_options(int argc, char **argv, struct monitor_options *options)
{
	const char *count = NULL;
	int i;

	memset(options, 0, sizeof(*options));
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-j")) {
			if (options->json)
				return usage_error("monitor: --json is given twice");
			options->json = true;
			continue;
		}
		if (strncmp(argv[i], "--count", 7) ||
		    (argv[i][7] && argv[i][7] != '='))
			return usage_error("monitor: unknown argument '%s', not --json or --count",
					   argv[i]);
		if (count)
			return usage_error("monitor: --count is given twice");
		if (argv[i][7])
			count = argv[i] + 8;
		else if (i + 1 < argc)
			count = argv[++i];
		else
			return usage_error("monitor: --count needs a number");
	}
	return count ? parse_count(count, &options->count) : EXIT_OK;
}

static const char *refusal_name(const struct event *event)
{
	/* A newer module may know more. */
	return event->refusal < REASSURE_REFUSALS ?
	       refusal_names[event->refusal] : "?";
}

static void print_place(FILE *to, const struct event *event)
{
	if (event->name) {
		fputs(" in ", to);
		text_print(to, event->name);
	} else {
		fputs(" outside of rescue points", to);
	}
	if (event->outcome == REASSURE_OUTCOME_REFUSED)
		fprintf(to, " (%s)", refusal_name(event));
}

static void print_frame(FILE *to, const struct frame *frame, size_t number)
{
	fprintf(to, "  #%-2zu ", number);
	if (frame->function) {
		text_print(to, frame->function);
		fprintf(to, "+0x%llx", frame->function_offset);
	} else {
		fprintf(to, "0x%llx", frame->address);
	}
	if (frame->mapping && frame->mapping->path) {
		fputs(" (", to);
		text_print(to, frame->mapping->path);
		fprintf(to, "+0x%llx)", frame->offset);
	}
	if (frame->source) {
		fputs(" at ", to);
		text_print(to, frame->source);
		fprintf(to, ":%d", frame->line);
	}
	fputc('\n', to);
}

void monitor_print_headline(FILE *to, const struct event *event)
{
	fputs(event->outcome == REASSURE_OUTCOME_RESCUED ? "rescued " :
							   "not rescued ", to);
	text_print(to, event->command ?: "?");
	fprintf(to, "[%u", event->pid);
	if (event->tid != event->pid)
		fprintf(to, "/%u", event->tid);
	fputc(']', to);
	print_place(to, event);
	fprintf(to, ": %s%s", event->injected ? "injected " : "",
		event_signal(event));
	if (event->signal)
		fprintf(to, " code %d", event->code);
	if (event->has_address)
		fprintf(to, " address 0x%llx", event->address);
	if (event->outcome == REASSURE_OUTCOME_RESCUED)
		fprintf(to, ", %llu pages restored", event->pages);
	fprintf(to, ", %llu us", event->duration_ns / 1000);
}

void monitor_print_frames(FILE *to, const struct frame *frames, size_t count,
			  bool failed)
{
	size_t i;

	for (i = 0; i < count; i++)
		print_frame(to, &frames[i], i);
	if (failed)
		fputs("  no callers: files could not be read safely or in time\n",
		      to);
}

void monitor_print(FILE *to, const struct event *event,
		   const struct frame *frames, size_t count, bool failed)
{
	print_time(to, event->time_ns);
	fputc(' ', to);
	monitor_print_headline(to, event);
	fputc('\n', to);
	monitor_print_frames(to, frames, count, failed);
}

void monitor_print_lost(FILE *to, __u64 lost)
{
	fprintf(to, "%llu events were lost\n", lost);
}

static void add(struct json_object *object, const char *name,
		struct json_object *value)
{
	json_object_object_add(object, name, value);
}

static struct json_object *number_json(__u64 value)
{
	return json_object_new_uint64(value);
}

/* Numbers beyond 2^53 are not safe in JSON. */
static struct json_object *address_json(__u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", value);
	return json_object_new_string(text);
}

static struct json_object *build_id_json(const struct event_mapping *mapping)
{
	char text[2 * REASSURE_BUILD_ID_MAX + 1];
	int i;

	if (!mapping->build_id_size)
		return NULL;
	for (i = 0; i < mapping->build_id_size; i++)
		sprintf(text + 2 * i, "%02x", mapping->build_id[i]);
	return json_object_new_string(text);
}

static struct json_object *frame_json(const struct frame *frame)
{
	struct json_object *object = json_object_new_object();

	add(object, "address", address_json(frame->address));
	if (frame->mapping) {
		add(object, "file", text_json(frame->mapping->path));
		add(object, "build_id", build_id_json(frame->mapping));
		add(object, "offset", number_json(frame->offset));
	}
	if (frame->function) {
		add(object, "function", text_json(frame->function));
		add(object, "function_offset",
		    number_json(frame->function_offset));
	}
	if (frame->source) {
		add(object, "source", text_json(frame->source));
		add(object, "line", json_object_new_int(frame->line));
	}
	return object;
}

static struct json_object *registers_json(const struct user_regs_struct *regs)
{
	struct json_object *object = json_object_new_object();
	const struct {
		const char *name;
		__u64 value;
	} registers[] = {
		{ "rax", regs->rax }, { "rbx", regs->rbx },
		{ "rcx", regs->rcx }, { "rdx", regs->rdx },
		{ "rsi", regs->rsi }, { "rdi", regs->rdi },
		{ "rbp", regs->rbp }, { "rsp", regs->rsp },
		{ "r8", regs->r8 }, { "r9", regs->r9 },
		{ "r10", regs->r10 }, { "r11", regs->r11 },
		{ "r12", regs->r12 }, { "r13", regs->r13 },
		{ "r14", regs->r14 }, { "r15", regs->r15 },
		{ "rip", regs->rip }, { "eflags", regs->eflags },
		{ "orig_rax", regs->orig_rax },
		{ "fs_base", regs->fs_base }, { "gs_base", regs->gs_base },
		{ "cs", regs->cs }, { "ss", regs->ss },
	};
	size_t i;

	for (i = 0; i < sizeof(registers) / sizeof(*registers); i++)
		add(object, registers[i].name,
		    address_json(registers[i].value));
	return object;
}

struct json_object *monitor_json(const struct event *event,
				 const struct frame *frames, size_t count,
				 bool failed)
{
	struct json_object *object = json_object_new_object();
	struct json_object *list = json_object_new_array();
	size_t i;

	add(object, "number", number_json(event->number));
	add(object, "outcome", text_json(outcome_names[event->outcome]));
	add(object, "rescue_point", text_json(event->name));
	if (event->outcome == REASSURE_OUTCOME_REFUSED)
		add(object, "reason", text_json(refusal_name(event)));
	if (event->outcome == REASSURE_OUTCOME_RESCUED)
		add(object, "pages_restored", number_json(event->pages));
	add(object, "duration_ns", number_json(event->duration_ns));
	add(object, "time_ns", number_json(event->time_ns));
	add(object, "monotonic_ns", number_json(event->monotonic_ns));
	add(object, "pid", number_json(event->pid));
	add(object, "tid", number_json(event->tid));
	add(object, "command", text_json(event->command));
	add(object, "cgroup", text_json(event->cgroup));
	add(object, "cgroup_id", number_json(event->cgroup_id));
	add(object, "signal", event->signal ?
	    text_json(event_signal(event)) : NULL);
	add(object, "code", event->signal ?
	    json_object_new_int(event->code) : NULL);
	add(object, "address", event->has_address ?
	    address_json(event->address) : NULL);
	add(object, "injected", json_object_new_boolean(event->injected));
	add(object, "registers", registers_json(&event->registers));
	for (i = 0; i < count; i++)
		json_object_array_add(list, frame_json(&frames[i]));
	add(object, "frames", list);
	if (failed)
		add(object, "unwinding_failed", json_object_new_boolean(true));
	return object;
}

struct json_object *monitor_lost_json(__u64 lost)
{
	struct json_object *object = json_object_new_object();

	add(object, "outcome", text_json("lost"));
	add(object, "events", number_json(lost));
	return object;
}

static bool show_lost(__u64 lost, void *data)
{
	const struct monitoring *monitoring = data;

	interruption_begin_output();
	if (monitoring->options.json)
		print_json_line(stdout, monitor_lost_json(lost));
	else
		monitor_print_lost(stdout, lost);
	return interruption_end_output();
}

bool monitor_show_event(const struct event *event, void *data)
{
	struct monitoring *monitoring = data;
	struct frame frames[STACK_FRAMES_MAX];
	bool failed;
	size_t count = stack_unwind(event, frames, &failed);

	interruption_begin_output();
	if (monitoring->options.json)
		print_json_line(stdout, monitor_json(event, frames, count,
						     failed));
	else
		monitor_print(stdout, event, frames, count, failed);
	stack_free(frames, count);
	monitoring->shown++;
	return interruption_end_output() &&
	       monitoring->shown != monitoring->options.count;
}

int cmd_monitor(int argc, char **argv)
{
	struct monitoring monitoring = {};
	int ret = monitor_options(argc, argv, &monitoring.options);

	if (ret)
		return ret;
	interruption_catch();
	ret = kernel_monitor(monitor_show_event, show_lost, interruption_await,
			     &monitoring);
	alarm(0);
	return ret ? EXIT_FAILED : EXIT_OK;
}
