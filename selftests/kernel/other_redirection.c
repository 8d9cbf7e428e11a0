// SPDX-License-Identifier: GPL-2.0
/*
 * Owns handle_mm_fault() as a live patch would, and changes nothing.
 */
#include <linux/module.h>

#include "redirection.h"

static void notrace keep_ip(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops redirection = {
	.func = keep_ip,
	.flags = REDIRECTION_FLAGS,
};

static int __init other_redirection_init(void)
{
	return redirection_start(&redirection, "handle_mm_fault");
}
module_init(other_redirection_init);

static void __exit other_redirection_exit(void)
{
	redirection_stop(&redirection);
}
module_exit(other_redirection_exit);

MODULE_DESCRIPTION("Another owner of handle_mm_fault, for tests");
MODULE_LICENSE("GPL");
