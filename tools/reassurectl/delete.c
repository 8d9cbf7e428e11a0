// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "netlink.h"
#include "parse.h"
#include "reassurectl.h"

int cmd_delete(int argc, char **argv)
{
	char error[PARSE_ERROR_SIZE];

	if (argc != 2)
		return usage_error("delete takes the NAME of one rescue point, or --all");
	if (!strcmp(argv[1], "--all"))
		return kernel_delete(NULL) ? EXIT_FAILED : EXIT_OK;
	if (argv[1][0] == '-' && argv[1][1] == '-')
		return usage_error("delete: unknown option '%s'", argv[1]);
	if (!parse_name(argv[1], error))
		return usage_error("delete: '%s' is not the name of a rescue point",
				   argv[1]);
	return kernel_delete(argv[1]) ? EXIT_FAILED : EXIT_OK;
}
