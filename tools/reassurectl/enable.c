// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "netlink.h"
#include "parse.h"
#include "reassurectl.h"

struct enabling {
	bool enabled;
	int ret;
};

static int enable_one(const char *name, bool enabled)
{
	struct add_options options = {
		.name = name,
		.has_enabled = true,
		.enabled = enabled,
	};

	return kernel_set(&options) ? EXIT_FAILED : EXIT_OK;
}

static void visit(const struct kernel_answer *answer, void *data)
{
	struct enabling *enabling = data;

	if (answer->enabled != enabling->enabled &&
	    enable_one(answer->name, enabling->enabled))
		enabling->ret = EXIT_FAILED;
}

static int enable(int argc, char **argv, bool enabled)
{
	struct enabling enabling = { .enabled = enabled };
	const char *verb = argv[0];
	char error[ERROR_SIZE];
	/* A name may look like an option. */
	bool literal = argc > 1 && !strcmp(argv[1], "--");
	int at = literal ? 2 : 1;
	int i;

	if (at >= argc)
		return usage_error("%s takes the NAMEs of rescue points, or --all",
				   verb);
	if (!literal && argc == 2 && !strcmp(argv[1], "--all"))
		return kernel_list(visit, &enabling) ? EXIT_FAILED : enabling.ret;
	for (i = at; i < argc; i++) {
		if (!literal && !strncmp(argv[i], "--", 2))
			return usage_error("%s: '%s' is no NAME; write -- before such a one",
					   verb, argv[i]);
		if (!parse_name(argv[i], error))
			return usage_error("%s: '%s' is not the name of a rescue point",
					   verb, argv[i]);
	}
	for (i = at; i < argc; i++)
		if (enable_one(argv[i], enabled))
			enabling.ret = EXIT_FAILED;
	return enabling.ret;
}

int cmd_enable(int argc, char **argv)
{
	return enable(argc, argv, true);
}

int cmd_disable(int argc, char **argv)
{
	return enable(argc, argv, false);
}
