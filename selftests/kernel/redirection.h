/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_TEST_REDIRECTION_H
#define _REASSURE_TEST_REDIRECTION_H

#include <linux/ftrace.h>

#define REDIRECTION_FLAGS	(FTRACE_OPS_FL_SAVE_REGS | \
				 FTRACE_OPS_FL_IPMODIFY | \
				 FTRACE_OPS_FL_RECURSION)

/* @ops, which have these flags, own the function @name from here on. */
static inline int redirection_start(struct ftrace_ops *ops, const char *name)
{
	int ret = ftrace_set_filter(ops, (unsigned char *)name, strlen(name), 1);

	if (ret)
		return ret;
	ret = register_ftrace_function(ops);
	if (ret)
		ftrace_free_filter(ops);
	return ret;
}

static inline void redirection_stop(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
}

#endif
