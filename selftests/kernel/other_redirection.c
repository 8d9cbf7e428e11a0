// SPDX-License-Identifier: GPL-2.0
/*
 * Owns handle_mm_fault() as a live patch would, and changes nothing.
 */
#include <linux/ftrace.h>
#include <linux/module.h>

static void notrace keep_ip(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops redirection = {
	.func = keep_ip,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY |
		 FTRACE_OPS_FL_RECURSION,
};

static int __init other_redirection_init(void)
{
	static unsigned char name[] = "handle_mm_fault";
	int ret;

	ret = ftrace_set_filter(&redirection, name, sizeof(name) - 1, 1);
	if (ret)
		return ret;
	ret = register_ftrace_function(&redirection);
	if (ret)
		ftrace_free_filter(&redirection);
	return ret;
}
module_init(other_redirection_init);

static void __exit other_redirection_exit(void)
{
	unregister_ftrace_function(&redirection);
	ftrace_free_filter(&redirection);
}
module_exit(other_redirection_exit);

MODULE_DESCRIPTION("Another owner of handle_mm_fault, for tests");
MODULE_LICENSE("GPL");
