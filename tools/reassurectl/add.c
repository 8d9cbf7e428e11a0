// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "cgroups.h"
#include "netlink.h"
#include "parse.h"
#include "place.h"
#include "reassurectl.h"
#include "symbols.h"

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
	if (!cgroups_resolve(&options, error))
		return usage_error("%s", error);
	symbols = place_open(&place, options.exe, error);
	if (!symbols)
		return failed("%s", error);
	if (place_find(&place, &options, symbols, error))
		ret = add_place(&options, &place);
	else
		ret = failed("%s", error);
	place_close(&place, symbols);
	return ret;
}
