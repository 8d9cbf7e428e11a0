// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "cgroups.h"
#include "netlink.h"
#include "parse.h"
#include "place.h"
#include "reassurectl.h"
#include "symbols.h"

static int find_place(const struct add_options *options, struct place *place,
		      struct symbols *symbols)
{
	char error[ERROR_SIZE];
	bool found;

	place->offset = options->offset;
	place->function = options->function;
	found = options->function ?
		symbols_find(symbols, options->function, &place->offset,
			     error) :
		symbols_check_offset(symbols, options->offset, error);
	return found ? EXIT_OK :
		       failed("--%s: %s", options->function ? "function" :
			      "offset", error);
}

/*
 * Where the return address must be let be, or it was asked for, the exits of
 * the function are probed.
 */
static int find_exit_probes(const struct add_options *options,
			    struct place *place, struct symbols *symbols)
{
	const char *leaving = symbols_leaving(symbols);
	char error[ERROR_SIZE] = "";

	if (options->exits == EXITS_RETURN ||
	    (options->exits == EXITS_AUTO && !leaving))
		return EXIT_OK;
	place->nr_exits = symbols_exits(symbols, place->offset, place->exits,
					REASSURE_EXITS_MAX, error);
	if (place->nr_exits)
		return EXIT_OK;
	if (options->exits == EXITS_ALL)
		return failed("--exits: the function cannot be probed where it is left: %s",
			      error);
	return failed("--exits: %s has '%s' but the function cannot be probed where it is left: %s",
		      options->exe, leaving, error);
}

static int add_place(const struct add_options *options,
		     const struct place *place)
{
	char name[REASSURE_NAME_MAX + 1];

	if (options->name)
		snprintf(name, sizeof(name), "%s", options->name);
	else
		default_name(name, sizeof(name), options->function,
			     options->exe, place->offset);
	return kernel_add(options, name, place) ? EXIT_FAILED : EXIT_OK;
}

int cmd_add(int argc, char **argv)
{
	char error[ERROR_SIZE];
	struct add_options options;
	struct symbols *symbols;
	struct place place = {};
	int ret;

	if (!parse_add(&options, argc, argv, error))
		return usage_error("%s", error);
	if (options.function &&
	    strlen(options.function) > REASSURE_FUNCTION_MAX)
		return usage_error("--function: the name is too long");
	if (!cgroups_resolve(&options, error))
		return usage_error("%s", error);
	symbols = place_open(&place, options.exe);
	if (!symbols)
		return EXIT_FAILED;
	ret = find_place(&options, &place, symbols) ?:
	      find_exit_probes(&options, &place, symbols);
	if (!ret) {
		if (!options.no_landings)
			place_find_landings(&place, symbols, options.exe);
		ret = add_place(&options, &place);
	}
	place_close(&place, symbols);
	return ret;
}
