// SPDX-License-Identifier: GPL-2.0
#include "cgroups.h"
#include "netlink.h"
#include "parse.h"
#include "reassurectl.h"

int cmd_set(int argc, char **argv)
{
	char error[ERROR_SIZE];
	struct add_options options;

	if (!parse_set(&options, argc, argv, error) ||
	    !cgroups_resolve(&options, error))
		return usage_error("%s", error);
	return kernel_set(&options) ? EXIT_FAILED : EXIT_OK;
}
