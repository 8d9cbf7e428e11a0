// SPDX-License-Identifier: GPL-2.0
/*
 * Changes the memory of a process when it has been rolled back, before the
 * oracle looks; or loses a page of it while its mappings are put back, before
 * the rollback looks itself: which must find it.
 */
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "moved_mappings.h"
#include "oracle.h"
#include "redirection.h"

static char *change;
module_param(change, charp, 0444);
MODULE_PARM_DESC(change, "write, map or unmap; or lose, which unmaps earlier");

static unsigned long address;
module_param(address, ulong, 0444);
MODULE_PARM_DESC(address, "the byte, or the page, to change");

DEFINE_STATIC_CALL_NULL(compare, oracle_compare);
DEFINE_STATIC_CALL_NULL(put_back, moved_mappings_put_back);

/* In place of which function. */
static void *spoiler;

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

static int put_back_and_spoil(struct guarded_mm *gm, unsigned int count)
{
	int ret = static_call(put_back)(gm, count);

	WARN_ON(vm_munmap(address, PAGE_SIZE));
	return ret;
}

static void notrace redirect(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (!within_module(parent_ip, THIS_MODULE))
		compat_set_ip(fregs, (unsigned long)spoiler);
}

static struct ftrace_ops redirection = {
	.func = redirect,
	.flags = REDIRECTION_FLAGS,
};

static int __init spoil_rollback_init(void)
{
	struct kprobe probe = { .symbol_name = "oracle_compare" };
	bool loses;
	int ret;

	if (!change || !address)
		return -EINVAL;
	loses = !strcmp(change, "lose");
	if (loses)
		probe.symbol_name = "moved_mappings_put_back";
	ret = register_kprobe(&probe);
	if (ret)
		return ret;
	spoiler = loses ? (void *)put_back_and_spoil : (void *)spoil_and_compare;
	if (loses)
		static_call_update(put_back, (typeof(&moved_mappings_put_back))probe.addr);
	else
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
