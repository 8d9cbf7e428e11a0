// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>

#include "netlink.h"
#include "reassurectl.h"

static int throw_switch(int argc, char **argv, bool on)
{
	if (argc > 1)
		return usage_error("%s takes nothing; see enable and disable",
				   argv[0]);
	return kernel_switch(on) ? EXIT_FAILED : EXIT_OK;
}

int cmd_on(int argc, char **argv)
{
	return throw_switch(argc, argv, true);
}

int cmd_off(int argc, char **argv)
{
	return throw_switch(argc, argv, false);
}
