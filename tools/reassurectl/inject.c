// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include <reassure.h>

#include "error.h"
#include "inject.h"
#include "netlink.h"
#include "parse.h"
#include "reassurectl.h"

static bool parse_signal(int *signal, const char *text, char *error)
{
	*signal = signal_number(text, strlen(text));
	return *signal ||
	       wrong(error,
		     "--signal takes one of SEGV, BUS, FPE, ILL, ABRT, TRAP, SYS, not '%s'",
		     text);
}

static bool parse_calls(__u32 *calls, const char *option, const char *text,
			char *error)
{
	__u64 number;

	if (!read_unsigned(text, &number) || !number ||
	    number > REASSURE_INJECT_MAX)
		return wrong(error, "%s takes a number of calls from 1 to %d, not '%s'",
			     option, REASSURE_INJECT_MAX, text);
	*calls = number;
	return true;
}

static bool is_option(const char *text, size_t length, const char *option)
{
	return strlen(option) == length && !strncmp(text, option, length);
}

static bool parse_option(struct inject_options *options, int argc, char **argv,
			 int *i, char *error)
{
	size_t length = strcspn(argv[*i], "=");
	const char *argument = argv[*i], *value;
	bool signal = is_option(argument, length, "--signal");
	bool count = is_option(argument, length, "--count");

	if (!signal && !count && !is_option(argument, length, "--every"))
		return wrong(error,
			     "inject: unknown argument '%s', not --signal, --count, --every or --off",
			     argument);
	if (signal ? options->signal != 0 :
	    (count ? options->count : options->every) != 0)
		return wrong(error, "inject: %.*s is given twice", (int)length,
			     argument);
	value = option_value(argc, argv, i, length);
	if (!value)
		return wrong(error, "inject: %.*s needs a value", (int)length,
			     argument);
	if (signal)
		return parse_signal(&options->signal, value, error);
	return count ? parse_calls(&options->count, "--count", value, error) :
		       parse_calls(&options->every, "--every", value, error);
}

static bool check(struct inject_options *options, bool off, char *error)
{
	if (off && (options->signal || options->count || options->every))
		return wrong(error, "inject: --off excludes all others");
	if (off)
		return true;
	if (!options->signal)
		return wrong(error,
			     "inject: --signal SIGNAL is missing, or --off");
	if (options->count && options->every)
		return wrong(error,
			     "inject: --count and --every exclude each other");
	if (!options->every && !options->count)
		options->count = 1;
	return true;
}

bool parse_inject(struct inject_options *options, int argc, char **argv,
		  char *error)
{
	/* A name may look like an option. */
	int i = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1;
	bool off = false;

	memset(options, 0, sizeof(*options));
	if (i >= argc || (i == 1 && !strncmp(argv[i], "--", 2)))
		return wrong(error,
			     "inject takes the NAME of a rescue point first; write -- before a name that begins with two dashes");
	options->name = argv[i];
	if (!parse_name(options->name, error))
		return wrong(error,
			     "inject: '%s' is not the name of a rescue point",
			     options->name);
	for (i++; i < argc; i++) {
		if (!strcmp(argv[i], "--off"))
			off = true;
		else if (!parse_option(options, argc, argv, &i, error))
			return false;
	}
	return check(options, off, error);
}

int cmd_inject(int argc, char **argv)
{
	struct inject_options options;
	char error[ERROR_SIZE];

	if (!parse_inject(&options, argc, argv, error))
		return usage_error("%s", error);
	return kernel_inject(&options) ? EXIT_FAILED : EXIT_OK;
}
