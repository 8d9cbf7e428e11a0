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

/* Decimal or 0x hexadecimal, nothing before or behind it. */
static bool read_unsigned(const char *text, __u64 *value)
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

static int signal_number(const char *name, size_t length)
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

/*
 * Takes "--option value" and "--option=value" apart.  @value is NULL when
 * there is none.
 */
static const char *option_value(int argc, char **argv, int *i, size_t length)
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

static bool set_exits(struct add_options *options, const char *text,
		      char *error)
{
	static const char *const names[] = {
		[EXITS_AUTO] = "auto",
		[EXITS_RETURN] = "return",
		[EXITS_ALL] = "all",
	};
	__u32 place;

	if (!find_name(names, EXITS_ALL, text, &place))
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

static bool set_option(struct add_options *options, const char *option,
		       const char *value, char *error)
{
	if (!strcmp(option, "--offset"))
		return parse_offset(options, value, error);
	if (!strcmp(option, "--return"))
		return parse_return(options, value, error);
	if (!strcmp(option, "--signals"))
		return parse_signals(&options->signals, value, error);
	if (!strcmp(option, "--handled"))
		return set_handled(options, value, error);
	if (!strcmp(option, "--shared"))
		return set_shared(options, value, error);
	if (!strcmp(option, "--budget"))
		return parse_budget(options, value, error);
	if (!strcmp(option, "--exhausted"))
		return set_exhausted(options, value, error);
	if (!strcmp(option, "--deadline"))
		return set_deadline(options, value, error);
	if (!strcmp(option, "--mode"))
		return set_mode(options, value, error);
	if (!strcmp(option, "--threads"))
		return set_threads(options, value, error);
	if (!strcmp(option, "--watchdog"))
		return set_watchdog(options, value, error);
	if (!strcmp(option, "--escalate"))
		return set_escalate(options, value, error);
	if (!strcmp(option, "--enabled"))
		return set_enabled(options, value, error);
	if (!strcmp(option, "--allow-setuid"))
		return set_allow_setuid(options, value, error);
	if (!strcmp(option, "--cgroup"))
		return set_cgroup(options, value, error);
	if (!strcmp(option, "--unit"))
		return set_unit(options, value, error);
	if (!strcmp(option, "--exits"))
		return set_exits(options, value, error);
	if (!strcmp(option, "--landings"))
		return set_landings(options, value, error);
	if (!strcmp(option, "--exe")) {
		options->exe = value;
		return true;
	}
	if (!strcmp(option, "--function")) {
		options->function = value;
		return true;
	}
	options->name = value;
	return parse_name(value, error);
}

static bool check_settings(const struct add_options *options, char *error)
{
	if (options->unlimited && options->exhausted == REASSURE_EXHAUSTED_SKIP)
		return wrong(error, "--exhausted skip needs a --budget of N/SECONDS");
	return !options->all_cgroups ||
	       !(options->nr_cgroups + options->nr_units) ||
	       wrong(error, "--cgroup all excludes other cgroups and --unit");
}

static bool check_complete(const struct add_options *options, char *error)
{
	if (!options->exe || !*options->exe)
		return wrong(error, "--exe PATH is missing: the executable or shared library");
	if (!options->function && !options->has_offset)
		return wrong(error, "--function NAME or --offset N is missing");
	if (options->function && options->has_offset)
		return wrong(error, "--function and --offset exclude each other");
	if (options->function && !*options->function)
		return wrong(error, "--function takes a name, not ''");
	if (!options->has_return)
		return wrong(error,
			     "--return VALUE|void is missing: what the function returns when it is rescued");
	return check_settings(options, error);
}

/*
 * Reads options from argv[@i] on, each of @known at most once but for --cgroup
 * and --unit; all are of set_option().
 */
static bool parse_options(struct add_options *options,
			  const char *const *known, int argc, char **argv,
			  int i, char *error)
{
	unsigned int seen = 0;
	const char *value;
	size_t k, length;

	for (; i < argc; i++) {
		length = strcspn(argv[i], "=");
		for (k = 0; known[k]; k++)
			if (strlen(known[k]) == length &&
			    !strncmp(argv[i], known[k], length))
				break;
		if (!known[k])
			return wrong(error, "%s: unknown argument '%s'",
				     argv[0], argv[i]);
		if (seen & 1u << k && strcmp(known[k], "--cgroup") &&
		    strcmp(known[k], "--unit"))
			return wrong(error, "%s is given twice", known[k]);
		seen |= 1u << k;
		value = option_value(argc, argv, &i, length);
		if (!value)
			return wrong(error, "%s needs a value; see 'reassurectl help %s'",
				     known[k], argv[0]);
		if (!set_option(options, known[k], value, error))
			return false;
	}
	return true;
}

bool parse_add(struct add_options *options, int argc, char **argv, char *error)
{
	static const char *const known[] = {
		"--exe", "--function", "--offset", "--return", "--name",
		"--signals", "--handled", "--shared", "--budget", "--exhausted",
		"--deadline", "--mode", "--threads", "--watchdog", "--escalate",
		"--exits", "--landings", "--enabled", "--allow-setuid",
		"--cgroup", "--unit", NULL
	};

	memset(options, 0, sizeof(*options));
	return parse_options(options, known, argc, argv, 1, error) &&
	       check_complete(options, error);
}

bool parse_set(struct add_options *options, int argc, char **argv, char *error)
{
	static const char *const known[] = {
		"--return", "--signals", "--handled", "--shared", "--budget",
		"--exhausted", "--deadline", "--mode", "--threads",
		"--watchdog", "--escalate", "--enabled", "--allow-setuid",
		"--cgroup", "--unit", NULL
	};
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
	return parse_options(options, known, argc, argv, at + 1, error) &&
	       check_settings(options, error);
}
