// SPDX-License-Identifier: GPL-2.0
/*
 * Changes the memory of a process when it has been rolled back, before the
 * oracle looks: which must find it.
 */
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "oracle.h"
#include "redirection.h"

static char *change;
module_param(change, charp, 0444);
MODULE_PARM_DESC(change, "write, map or unmap");

static unsigned long address;
module_param(address, ulong, 0444);
MODULE_PARM_DESC(address, "the byte, or the page, to change");

DEFINE_STATIC_CALL_NULL(compare, oracle_compare);

static void spoil(void)
{
	u8 __user *byte = (u8 __user *)address;
	unsigned long ret = 0;
	u8 value;

	if (!strcmp(change, "unmap"))
		ret = vm_munmap(address, PAGE_SIZE);
	else if (!strcmp(change, "map"))
		ret = vm_mmap(NULL, address, PAGE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
	else if (get_user(value, byte) || put_user(value ^ 1, byte))
		ret = -EFAULT;
	WARN_ON(IS_ERR_VALUE(ret));
}

static void spoil_and_compare(struct oracle *oracle, struct guarded_mm *gm,
			      struct rescue_point *rp)
{
	spoil();
	static_call(compare)(oracle, gm, rp);
	/* The hook knows our call by its return address. */
	barrier();
}

static void notrace redirect(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (!within_module(parent_ip, THIS_MODULE))
		compat_set_ip(fregs, (unsigned long)spoil_and_compare);
}

static struct ftrace_ops redirection = {
	.func = redirect,
	.flags = REDIRECTION_FLAGS,
};

static int __init spoil_rollback_init(void)
{
	struct kprobe probe = { .symbol_name = "oracle_compare" };
	int ret;

	if (!change || !address)
		return -EINVAL;
	ret = register_kprobe(&probe);
	if (ret)
		return ret;
	static_call_update(compare, (typeof(&oracle_compare))probe.addr);
	unregister_kprobe(&probe);
	return redirection_start(&redirection, probe.symbol_name);
}
module_init(spoil_rollback_init);

/* No process is being rolled back. */
static void __exit spoil_rollback_exit(void)
{
	redirection_stop(&redirection);
}
module_exit(spoil_rollback_exit);

MODULE_DESCRIPTION("Makes rollbacks fail, for tests");
MODULE_LICENSE("GPL");
