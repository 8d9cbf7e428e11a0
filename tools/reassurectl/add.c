// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlink.h"
#include "parse.h"
#include "reassurectl.h"
#include "symbols.h"

/* Finds the place in the file whose descriptor is in @place. */
static int find_place(const struct add_options *options, struct place *place,
		      struct symbols *symbols)
{
	char error[ERROR_SIZE];
	bool found;

	place->build_id_size = symbols_build_id(symbols, &place->build_id);
	if (place->build_id_size > REASSURE_BUILD_ID_MAX)
		place->build_id_size = 0;
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

static int add_file(const struct add_options *options, struct place *place)
{
	char error[ERROR_SIZE], name[REASSURE_NAME_MAX + 1];
	struct symbols *symbols;
	int ret;

	symbols = symbols_open(place->fd, options->exe, error);
	if (!symbols)
		return failed("--exe: %s", error);
	ret = find_place(options, place, symbols);
	if (!ret)
		ret = find_exit_probes(options, place, symbols);
	if (!ret) {
		if (options->name)
			snprintf(name, sizeof(name), "%s", options->name);
		else
			default_name(name, sizeof(name), options->function,
				     options->exe, place->offset);
		if (kernel_add(options, name, place))
			ret = EXIT_FAILED;
	}
	symbols_close(symbols);
	return ret;
}

int cmd_add(int argc, char **argv)
{
	char error[ERROR_SIZE];
	struct add_options options;
	struct place place = {};
	struct stat status;
	int ret;

	if (!parse_add(&options, argc, argv, error))
		return usage_error("%s", error);
	if (options.function &&
	    strlen(options.function) > REASSURE_FUNCTION_MAX)
		return usage_error("--function: the name is too long");
	/* A FIFO would wait for its other end. */
	place.fd = open(options.exe, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (place.fd < 0)
		return failed("--exe: cannot open %s: %s", options.exe,
			      strerror(errno));
	if (fstat(place.fd, &status) || !S_ISREG(status.st_mode))
		ret = failed("--exe: %s is not a regular file", options.exe);
	else
		ret = add_file(&options, &place);
	close(place.fd);
	return ret;
}
