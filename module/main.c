// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "bypass.h"
#include "checkpoint.h"
#include "events.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "mapping_guard.h"
#include "moved_mappings.h"
#include "netlink.h"
#include "page_log.h"
#include "probed_places.h"
#include "rescue_point.h"
#include "switch.h"
#include "sysfs.h"
#include "system_calls.h"
#include "write_guard.h"

static int __init reassure_init(void)
{
	int ret;

	ret = reassure_kernel_symbols_init();
	if (ret)
		return ret;
	ret = reassure_page_log_init();
	if (ret)
		return ret;
	ret = reassure_write_guard_init();
	if (ret)
		goto page_log;
	ret = reassure_mapping_guard_init();
	if (ret)
		goto write_guard;
	ret = reassure_system_calls_init();
	if (ret)
		goto mapping_guard;
	ret = reassure_bypass_init();
	if (ret)
		goto system_calls;
	ret = reassure_checkpoint_init();
	if (ret)
		goto bypass;
	ret = reassure_sysfs_init();
	if (ret)
		goto checkpoint;
	ret = reassure_netlink_init();
	if (ret)
		goto sysfs;
	return 0;

sysfs:
	reassure_sysfs_exit();
checkpoint:
	reassure_checkpoint_exit();
bypass:
	reassure_bypass_exit();
system_calls:
	reassure_system_calls_exit();
mapping_guard:
	reassure_mapping_guard_exit();
write_guard:
	reassure_write_guard_exit();
page_log:
	reassure_page_log_exit();
	return ret;
}

static void __exit reassure_exit(void)
{
	reassure_netlink_exit();
	rescue_point_delete_all();
	reassure_switch_exit();
	reassure_events_exit();
	write_guard_await();
	reassure_probed_places_exit();
	reassure_sysfs_exit();
	reassure_checkpoint_exit();
	reassure_moved_mappings_exit();
	reassure_guarded_mm_exit();
	reassure_bypass_exit();
	reassure_system_calls_exit();
	reassure_mapping_guard_exit();
	reassure_write_guard_exit();
	reassure_page_log_exit();
}

module_init(reassure_init);
module_exit(reassure_exit);

MODULE_DESCRIPTION("Rolls programs back to a rescue point when they crash");
MODULE_AUTHOR("The Reassure developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
