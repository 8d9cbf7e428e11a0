// SPDX-License-Identifier: GPL-2.0
/* Reading the command lines of `add` and `set`. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error.h"
#include "names.h"
#include "parse.h"

bool read_unsigned(const char *text, __u64 *value)
{
	bool hexadecimal = !strncasecmp(text, "0x", 2);
	const char *digits = hexadecimal ? text + 2 : text;
	const char *known = hexadecimal ? "0123456789abcdefABCDEF" :
					  "0123456789";

	/* strtoull() would take a sign, spaces and a second 0x. */
	if (!*digits || digits[strspn(digits, known)])
		return false;
	errno = 0;
	*value = strtoull(digits, NULL, hexadecimal ? 16 : 10);
	return !errno;
}

bool parse_return(struct add_options *options, const char *text, char *error)
{
	bool negative = *text == '-';
	__u64 magnitude;

	options->has_return = true;
	options->has_value = false;
	if (!strcmp(text, "void"))
		return true;
	if (!read_unsigned(text + negative, &magnitude) ||
	    magnitude > (__u64)LLONG_MAX + negative)
		return wrong(error, "--return takes a signed 64-bit number or void, not '%s'",
			     text);
	options->has_value = true;
	options->value = negative ? (__s64)(0 - magnitude) :
				    (__s64)magnitude;
	return true;
}

bool parse_offset(struct add_options *options, const char *text, char *error)
{
	if (!read_unsigned(text, &options->offset) ||
	    options->offset > LLONG_MAX)
		return wrong(error, "--offset takes a number like 4096 or 0x1000, not '%s'",
			     text);
	options->has_offset = true;
	return true;
}

int signal_number(const char *name, size_t length)
{
	const struct signal_name *signal;

	if (length > 3 && !strncasecmp(name, "SIG", 3)) {
		name += 3;
		length -= 3;
	}
	for (signal = signal_names; signal->name; signal++)
		if (strlen(signal->name) == length &&
		    !strncasecmp(signal->name, name, length))
			return signal->number;
	return 0;
}

bool parse_signals(__u64 *signals, const char *text, char *error)
{
	const char *name = text;
	size_t length;
	int number;

	*signals = 0;
	for (;;) {
		length = strcspn(name, ",");
		number = signal_number(name, length);
		if (!number)
			return wrong(error,
				     "--signals: '%.*s' is none of SEGV, BUS, FPE, ILL, ABRT, TRAP, SYS",
				     (int)length, name);
		*signals |= 1ULL << (number - 1);
		name += length;
		if (!*name)
			return true;
		name++;
	}
}

bool parse_budget(struct add_options *options, const char *text, char *error)
{
	const char *slash = strchr(text, '/');
	__u64 rescues, seconds;
	char number[24];

	options->unlimited = !strcmp(text, "unlimited");
	if (options->unlimited)
		return true;
	if (!slash || slash - text >= (int)sizeof(number))
		return wrong(error, "--budget takes N/SECONDS or unlimited, not '%s'",
			     text);
	memcpy(number, text, slash - text);
	number[slash - text] = 0;
	if (!read_unsigned(number, &rescues) || !rescues ||
	    rescues > REASSURE_BUDGET_MAX)
		return wrong(error, "--budget: the number of rescues is 1 to %d, not '%s'",
			     REASSURE_BUDGET_MAX, number);
	if (!read_unsigned(slash + 1, &seconds) || !seconds ||
	    seconds > REASSURE_BUDGET_SECONDS_MAX)
		return wrong(error, "--budget: the period is 1 to %d seconds, not '%s'",
			     REASSURE_BUDGET_SECONDS_MAX, slash + 1);
	options->budget_rescues = rescues;
	options->budget_seconds = seconds;
	return true;
}

static bool name_character(char c)
{
	return isascii(c) && (isalnum(c) || (c && strchr("_.+-", c)));
}

bool parse_name(const char *name, char *error)
{
	size_t length = 0;

	while (name_character(name[length]))
		length++;
	if (name[length] || !length || length > REASSURE_NAME_MAX ||
	    !strcmp(name, ".") || !strcmp(name, ".."))
		return wrong(error,
			     "--name takes 1 to %d characters out of A-Z a-z 0-9 _ . + -, not '%s'",
			     REASSURE_NAME_MAX, name);
	return true;
}

void default_name(char *name, size_t size, const char *function,
		  const char *path, __u64 offset)
{
	char ignored[ERROR_SIZE], suffix[24];
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	int length;
	char *c;

	if (function) {
		snprintf(name, size, "%.*s", (int)strcspn(function, "@"),
			 function);
		/* Cut off means too long. */
		if (strlen(name) == strcspn(function, "@") &&
		    parse_name(name, ignored))
			return;
	}
	snprintf(suffix, sizeof(suffix), "+0x%llx", offset);
	length = REASSURE_NAME_MAX - strlen(suffix);
	snprintf(name, size, "%.*s%s", length, file, suffix);
	for (c = name; *c; c++)
		if (!name_character(*c))
			*c = '_';
}

const char *option_value(int argc, char **argv, int *i, size_t length)
{
	if (argv[*i][length] == '=')
		return argv[*i] + length + 1;
	return *i + 1 < argc ? argv[++*i] : NULL;
}

/* Whether @text is one of @names; @value is then its place. */
static bool find_name(const char *const *names, __u32 max, const char *text,
		      __u32 *value)
{
	__u32 i;

	for (i = 0; i <= max; i++) {
		if (strcmp(names[i], text))
			continue;
		*value = i;
		return true;
	}
	return false;
}

static bool set_handled(struct add_options *options, const char *text,
			char *error)
{
	options->has_handled = find_name(handled_names, REASSURE_HANDLED_MAX,
					 text, &options->handled);
	return options->has_handled ||
	       wrong(error, "--handled takes rescue or leave, not '%s'", text);
}

static bool set_shared(struct add_options *options, const char *text,
		       char *error)
{
	options->has_shared = find_name(shared_names, REASSURE_SHARED_MAX, text,
					&options->shared);
	return options->has_shared ||
	       wrong(error, "--shared takes refuse, leave or restore, not '%s'",
		     text);
}

static bool set_exhausted(struct add_options *options, const char *text,
			  char *error)
{
	options->has_exhausted = find_name(exhausted_names,
					   REASSURE_EXHAUSTED_MAX, text,
					   &options->exhausted);
	return options->has_exhausted ||
	       wrong(error, "--exhausted takes die or skip, not '%s'", text);
}

static bool set_mode(struct add_options *options, const char *text, char *error)
{
	options->has_mode = find_name(mode_names, REASSURE_MODE_MAX, text,
				      &options->mode);
	return options->has_mode ||
	       wrong(error, "--mode takes rescue or observe, not '%s'", text);
}

static bool set_threads(struct add_options *options, const char *text,
			char *error)
{
	options->has_threads = find_name(threads_names, REASSURE_THREADS_MAX,
					 text, &options->threads);
	return options->has_threads ||
	       wrong(error, "--threads takes stop or run, not '%s'", text);
}

static bool set_allow_setuid(struct add_options *options, const char *text,
			     char *error)
{
	options->has_allow_setuid = true;
	options->allow_setuid = !strcmp(text, "yes");
	return options->allow_setuid || !strcmp(text, "no") ||
	       wrong(error, "--allow-setuid takes yes or no, not '%s'", text);
}

static bool set_enabled(struct add_options *options, const char *text,
			char *error)
{
	options->has_enabled = true;
	options->enabled = !strcmp(text, "yes");
	return options->enabled || !strcmp(text, "no") ||
	       wrong(error, "--enabled takes yes or no, not '%s'", text);
}

static const char *const exits_names[] = {
	[EXITS_AUTO] = "auto",
	[EXITS_RETURN] = "return",
	[EXITS_ALL] = "all",
};

static bool set_exits(struct add_options *options, const char *text,
		      char *error)
{
	__u32 place;

	if (!find_name(exits_names, EXITS_ALL, text, &place))
		return wrong(error, "--exits takes auto, return or all, not '%s'",
			     text);
	options->exits = place;
	return true;
}

static bool set_landings(struct add_options *options, const char *text,
			 char *error)
{
	options->no_landings = !strcmp(text, "none");
	return options->no_landings || !strcmp(text, "auto") ||
	       wrong(error, "--landings takes none or auto, not '%s'", text);
}

static bool read_milliseconds(const char *text, __u64 most, __u32 *value)
{
	__u64 milliseconds;

	if (!read_unsigned(text, &milliseconds) || !milliseconds ||
	    milliseconds > most)
		return false;
	*value = milliseconds;
	return true;
}

static bool set_deadline(struct add_options *options, const char *text,
			 char *error)
{
	options->has_deadline = true;
	options->deadline_ms = 0;
	return !strcmp(text, "none") ||
	       read_milliseconds(text, REASSURE_DEADLINE_MAX,
				 &options->deadline_ms) ||
	       wrong(error,
		     "--deadline takes 1 to %d milliseconds or none, not '%s'",
		     REASSURE_DEADLINE_MAX, text);
}

static bool set_watchdog(struct add_options *options, const char *text,
			 char *error)
{
	return read_milliseconds(text, REASSURE_WATCHDOG_MAX,
				 &options->watchdog_ms) ||
	       wrong(error, "--watchdog takes 1 to %d milliseconds, not '%s'",
		     REASSURE_WATCHDOG_MAX, text);
}

static bool set_escalate(struct add_options *options, const char *text,
			 char *error)
{
	__u64 rescues;

	if (!read_unsigned(text, &rescues) || rescues > REASSURE_ESCALATE_MAX)
		return wrong(error, "--escalate takes 0 to %d rescues, not '%s'",
			     REASSURE_ESCALATE_MAX, text);
	options->has_escalate = true;
	options->escalate = rescues;
	return true;
}

/* Whether no component of @path is empty, "." or "..". */
static bool is_plain_path(const char *path)
{
	size_t length;

	while (*path == '/') {
		path++;
		length = strcspn(path, "/");
		if (!length || (length <= 2 && !strncmp(path, "..", length)))
			return false;
		path += length;
		if (!*path)
			return true;
	}
	return false;
}

static bool has_most_cgroups(const struct add_options *options)
{
	return options->nr_cgroups + options->nr_units == REASSURE_CGROUPS_MAX;
}

static bool too_many_cgroups(char *error)
{
	return wrong(error, "--cgroup: there are more than %d; name one around them",
		     REASSURE_CGROUPS_MAX);
}

static bool set_unit(struct add_options *options, const char *text, char *error)
{
	if (*text == '-' || !strchr(text, '.') || strchr(text, '/'))
		return wrong(error,
			     "--unit takes the name of a unit like NAME.service, not '%s'",
			     text);
	if (has_most_cgroups(options))
		return too_many_cgroups(error);
	options->units[options->nr_units++] = text;
	return true;
}

static bool set_cgroup(struct add_options *options, const char *text,
		       char *error)
{
	size_t length = strlen(text);
	char *path;

	if (!strcmp(text, "all")) {
		options->all_cgroups = true;
		return true;
	}
	if (has_most_cgroups(options))
		return too_many_cgroups(error);
	/* The shell completes directories so. */
	while (length > 1 && text[length - 1] == '/')
		length--;
	if (length > REASSURE_CGROUP_PATH_MAX)
		return wrong(error, "--cgroup: a path has at most %d characters",
			     REASSURE_CGROUP_PATH_MAX);
	path = options->cgroups[options->nr_cgroups++];
	memcpy(path, text, length);
	path[length] = 0;
	return !strcmp(path, "/") || is_plain_path(path) ||
	       wrong(error,
		     "--cgroup takes a path like /system.slice/NAME.service or all, not '%s'",
		     text);
}

static bool set_signals(struct add_options *options, const char *text,
			char *error)
{
	return parse_signals(&options->signals, text, error);
}

static bool set_exe(struct add_options *options, const char *text, char *error)
{
	options->exe = text;
	return *text || wrong(error, "--exe takes a path, not ''");
}

static bool set_function(struct add_options *options, const char *text,
			 char *error)
{
	options->function = text;
	if (!*text)
		return wrong(error, "--function takes a name, not ''");
	return strlen(text) <= REASSURE_FUNCTION_MAX ||
	       wrong(error, "--function: the name is longer than %d bytes",
		     REASSURE_FUNCTION_MAX);
}

static bool set_name(struct add_options *options, const char *text, char *error)
{
	options->name = text;
	return parse_name(text, error);
}

/* The value of a hexadecimal digit. */
static __u8 digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

static bool set_build_id(struct add_options *options, const char *text,
			 char *error)
{
	size_t length = strlen(text), i;

	if (!length || length % 2 || length > 2 * REASSURE_BUILD_ID_MAX ||
	    text[strspn(text, "0123456789abcdefABCDEF")])
		return wrong(error,
			     "--build-id takes 2 to %d hexadecimal digits, two for each byte, not '%s'",
			     2 * REASSURE_BUILD_ID_MAX, text);
	for (i = 0; i < length; i += 2)
		options->build_id[i / 2] = digit(text[i]) << 4 |
					   digit(text[i + 1]);
	options->build_id_size = length / 2;
	return true;
}

static void print_exe(const struct add_options *options, FILE *out)
{
	fputs(options->exe, out);
}

static void print_function(const struct add_options *options, FILE *out)
{
	fputs(options->function ?: "", out);
}

static void print_offset(const struct add_options *options, FILE *out)
{
	if (options->has_offset)
		fprintf(out, "0x%llx", options->offset);
}

static void print_build_id(const struct add_options *options, FILE *out)
{
	int i;

	for (i = 0; i < options->build_id_size; i++)
		fprintf(out, "%02x", options->build_id[i]);
}

static void print_return(const struct add_options *options, FILE *out)
{
	if (options->has_value)
		fprintf(out, "%lld", options->value);
	else
		fputs("void", out);
}

static void print_signals(const struct add_options *options, FILE *out)
{
	const struct signal_name *signal;
	const char *separator = "";

	for (signal = signal_names; signal->name; signal++) {
		if (!(options->signals & 1ULL << (signal->number - 1)))
			continue;
		fprintf(out, "%s%s", separator, signal->name);
		separator = ",";
	}
}

static void print_handled(const struct add_options *options, FILE *out)
{
	fputs(handled_names[options->handled], out);
}

static void print_shared(const struct add_options *options, FILE *out)
{
	fputs(shared_names[options->shared], out);
}

static void print_budget(const struct add_options *options, FILE *out)
{
	if (options->unlimited)
		fputs("unlimited", out);
	else
		fprintf(out, "%u/%u", options->budget_rescues,
			options->budget_seconds);
}

static void print_exhausted(const struct add_options *options, FILE *out)
{
	fputs(exhausted_names[options->exhausted], out);
}

static void print_deadline(const struct add_options *options, FILE *out)
{
	if (options->deadline_ms)
		fprintf(out, "%u", options->deadline_ms);
	else
		fputs("none", out);
}

static void print_mode(const struct add_options *options, FILE *out)
{
	fputs(mode_names[options->mode], out);
}

static void print_threads(const struct add_options *options, FILE *out)
{
	fputs(threads_names[options->threads], out);
}

static void print_watchdog(const struct add_options *options, FILE *out)
{
	fprintf(out, "%u", options->watchdog_ms);
}

static void print_escalate(const struct add_options *options, FILE *out)
{
	fprintf(out, "%u", options->escalate);
}

static void print_exits(const struct add_options *options, FILE *out)
{
	fputs(exits_names[options->exits], out);
}

static void print_landings(const struct add_options *options, FILE *out)
{
	fputs(options->no_landings ? "none" : "auto", out);
}

static void print_enabled(const struct add_options *options, FILE *out)
{
	fputs(options->enabled ? "yes" : "no", out);
}

static void print_allow_setuid(const struct add_options *options, FILE *out)
{
	fputs(options->allow_setuid ? "yes" : "no", out);
}

/* A name has no newline. */
static void print_cgroups(const struct add_options *options, FILE *out)
{
	size_t i;

	if (!options->nr_cgroups)
		fputs("all", out);
	for (i = 0; i < options->nr_cgroups; i++)
		fprintf(out, "%s%s", i ? "\n" : "", options->cgroups[i]);
}

/*
 * The options of `add`, those of `set` among them, and so the keys of a
 * configuration file, in the order of `save`.  What says where the function is
 * comes first.
 */
const struct known_option known_options[] = {
	{ "--exe", "Executable", set_exe, print_exe, PLACE_OPTION },
	{ "--function", "Function", set_function, print_function, PLACE_OPTION },
	{ "--offset", "Offset", parse_offset, print_offset, PLACE_OPTION },
	{ "--build-id", "BuildId", set_build_id, print_build_id, PLACE_OPTION },
	{ "--exits", "Exits", set_exits, print_exits, PLACE_OPTION },
	{ "--landings", "Landings", set_landings, print_landings, PLACE_OPTION },
	{ "--name", NULL, set_name, NULL, PLACE_OPTION },
	{ "--return", "Return", parse_return, print_return, SETTING },
	{ "--signals", "Signals", set_signals, print_signals, SETTING },
	{ "--handled", "Handled", set_handled, print_handled, SETTING },
	{ "--shared", "Shared", set_shared, print_shared, SETTING },
	{ "--budget", "Budget", parse_budget, print_budget, SETTING },
	{ "--exhausted", "Exhausted", set_exhausted, print_exhausted, SETTING },
	{ "--deadline", "Deadline", set_deadline, print_deadline, SETTING },
	{ "--threads", "Threads", set_threads, print_threads, SETTING },
	{ "--watchdog", "Watchdog", set_watchdog, print_watchdog, SETTING },
	{ "--escalate", "Escalate", set_escalate, print_escalate, SETTING },
	{ "--mode", "Mode", set_mode, print_mode, SETTING },
	{ "--enabled", "Enabled", set_enabled, print_enabled, SETTING },
	{ "--allow-setuid", "AllowSetuid", set_allow_setuid, print_allow_setuid,
	  SETTING },
	{ "--cgroup", "Cgroup", set_cgroup, print_cgroups, REPEATED_SETTING },
	/* It has a cgroup only while it runs. */
	{ "--unit", NULL, set_unit, NULL, REPEATED_SETTING },
	{}
};

bool check_settings(const struct add_options *options, char *error)
{
	if (options->unlimited && options->exhausted == REASSURE_EXHAUSTED_SKIP)
		return wrong(error, "--exhausted skip needs a --budget of N/SECONDS");
	return !options->all_cgroups ||
	       !(options->nr_cgroups + options->nr_units) ||
	       wrong(error, "--cgroup all excludes all others");
}

static bool check_complete(const struct add_options *options, char *error)
{
	if (!options->exe || !*options->exe)
		return wrong(error, "--exe PATH is missing: the executable or shared library");
	if (!options->function && !options->has_offset)
		return wrong(error, "--function NAME or --offset N is missing");
	if (options->function && options->has_offset)
		return wrong(error, "--function and --offset exclude each other");
	if (!options->has_return)
		return wrong(error,
			     "--return VALUE|void is missing: what the function returns when it is rescued");
	return check_settings(options, error);
}

/* The option that @text is up to an equals sign, or NULL. */
static const struct known_option *find_option(const char *text, size_t length)
{
	const struct known_option *option;

	/* The key of a configuration file. */
	if (length == strlen("--executable") &&
	    !strncmp(text, "--executable", length))
		return known_options;
	for (option = known_options; option->name; option++)
		if (strlen(option->name) == length &&
		    !strncmp(option->name, text, length))
			return option;
	return NULL;
}

/*
 * Reads options from argv[@i] on, each at most once but for a REPEATED_SETTING, and
 * all only if @settings_only does not say that the place is known.
 */
static bool parse_options(struct add_options *options, bool settings_only,
			  int argc, char **argv, int i, char *error)
{
	const struct known_option *option;
	unsigned int seen = 0, bit;
	const char *value;
	size_t length;

	for (; i < argc; i++) {
		length = strcspn(argv[i], "=");
		option = find_option(argv[i], length);
		if (!option ||
		    (settings_only && option->kind == PLACE_OPTION))
			return wrong(error, "%s: unknown argument '%s'",
				     argv[0], argv[i]);
		bit = 1u << (option - known_options);
		if (seen & bit && option->kind != REPEATED_SETTING)
			return wrong(error, "%s is given twice", option->name);
		seen |= bit;
		value = option_value(argc, argv, &i, length);
		if (!value)
			return wrong(error, "%s needs a value; see 'reassurectl help %s'",
				     option->name, argv[0]);
		if (!option->parse(options, value, error))
			return false;
	}
	return true;
}

bool parse_add(struct add_options *options, int argc, char **argv, char *error)
{
	memset(options, 0, sizeof(*options));
	return parse_options(options, false, argc, argv, 1, error) &&
	       check_complete(options, error);
}

bool parse_set(struct add_options *options, int argc, char **argv, char *error)
{
	/* A name may look like an option. */
	int at = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1;

	memset(options, 0, sizeof(*options));
	if (at >= argc || (at == 1 && !strncmp(argv[at], "--", 2)))
		return wrong(error,
			     "set takes the NAME of a rescue point first; write -- before a name that begins with two dashes");
	options->name = argv[at];
	if (!parse_name(options->name, error))
		return wrong(error, "set: '%s' is not the name of a rescue point",
			     options->name);
	if (at + 1 == argc)
		return wrong(error,
			     "set: nothing to change is given; see 'reassurectl help set'");
	return parse_options(options, true, argc, argv, at + 1, error) &&
	       check_settings(options, error);
}

void fill_defaults(struct add_options *options)
{
	if (!options->signals)
		options->signals = REASSURE_SIGNALS_DEFAULT;
	if (!options->watchdog_ms)
		options->watchdog_ms = REASSURE_WATCHDOG_DEFAULT;
	if (!options->has_escalate)
		options->escalate = REASSURE_ESCALATE_DEFAULT;
	if (!options->has_enabled)
		options->enabled = true;
	if (options->unlimited || options->budget_rescues)
		return;
	options->budget_rescues = REASSURE_BUDGET_DEFAULT;
	options->budget_seconds = REASSURE_BUDGET_SECONDS_DEFAULT;
}

char *option_text(const struct known_option *option,
		  const struct add_options *options)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	option->print(options, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
