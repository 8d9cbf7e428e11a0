// SPDX-License-Identifier: GPL-2.0
/*
 * A uprobe and a uretprobe that do nothing: what any module with probes costs.
 */
#include <linux/dcache.h>
#include <linux/module.h>
#include <linux/namei.h>

#include "compat.h"

static char *file;
module_param(file, charp, 0444);
MODULE_PARM_DESC(file, "path of the executable or shared library");

static unsigned long offset;
module_param(offset, ulong, 0444);
MODULE_PARM_DESC(offset, "offset of the function in the file");

static struct path path;
static struct compat_uprobe uprobe;

static int on_entry(struct uprobe_consumer *consumer, struct pt_regs *regs)
{
	return 0;
}

static int on_return(struct uprobe_consumer *consumer, unsigned long function,
		     struct pt_regs *regs)
{
	return 0;
}

static struct uprobe_consumer consumer = {
	.handler = on_entry,
	.ret_handler = on_return,
};

static int __init empty_probes_init(void)
{
	int ret;

	if (!file || !offset)
		return -EINVAL;
	ret = kern_path(file, LOOKUP_FOLLOW, &path);
	if (ret)
		return ret;
	ret = compat_uprobe_register(&uprobe, d_real_inode(path.dentry), offset,
				     &consumer);
	if (ret)
		path_put(&path);
	return ret;
}
module_init(empty_probes_init);

static void __exit empty_probes_exit(void)
{
	compat_uprobe_unregister(&uprobe, d_real_inode(path.dentry), offset,
				 &consumer);
	path_put(&path);
}
module_exit(empty_probes_exit);

MODULE_DESCRIPTION("Probes that do nothing, for benchmarks");
MODULE_LICENSE("GPL");
