// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "netlink.h"
#include "parse.h"
#include "reassurectl.h"

int cmd_delete(int argc, char **argv)
{
	char error[ERROR_SIZE];
	/* A name may look like an option. */
	bool literal = argc == 3 && !strcmp(argv[1], "--");
	const char *name = argv[argc - 1];

	if (argc != 2 && !literal)
		return usage_error("delete takes the NAME of one rescue point, or --all");
	if (!literal && !strcmp(name, "--all"))
		return kernel_delete(NULL) ? EXIT_FAILED : EXIT_OK;
	if (!literal && !strncmp(name, "--", 2))
		return usage_error("unknown option '%s'; write -- before such a name",
				   name);
	if (!parse_name(name, error))
		return usage_error("delete: '%s' is not the name of a rescue point",
				   name);
	return kernel_delete(name) ? EXIT_FAILED : EXIT_OK;
}
