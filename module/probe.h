/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_PROBE_H
#define _REASSURE_PROBE_H

#include <linux/path.h>
#include <linux/types.h>
#include <linux/uprobes.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "file_identity.h"
#include "probed_places.h"

struct netlink_ext_ack;
struct rescue_point;

/**
 * struct probed_file - a file in which a rescue point has probes
 * @path: the file as it was named; keeps it and its mount in use
 * @inode: the inode that is mapped, below overlayfs the lower one
 * @identity: what the file held when the rescue point was bound to it
 * @rewritten: it was probed before it was written to, and it is being found out
 *	whether a process has pages of that time
 * @mixed: one has
 */
struct probed_file {
	struct path path;
	struct inode *inode;
	struct file_identity identity;
	bool rewritten;
	bool mixed;
};

/**
 * struct probe - a place at which current is to be seen
 * @rp: the rescue point for which it is
 * @file: where
 * @offset: in the file
 * @instruction: what is there
 * @consumer: the probe
 * @uprobe: its registration
 * @registered: there is one
 */
struct probe {
	struct rescue_point *rp;
	struct probed_file *file;
	loff_t offset;
	struct instruction instruction;
	struct uprobe_consumer consumer;
	struct compat_uprobe uprobe;
	bool registered;
};

typedef int probe_handler(struct uprobe_consumer *consumer,
			  struct pt_regs *regs);
typedef bool probe_filter(COMPAT_FILTER_PARAMETERS);

int probed_file_init(struct probed_file *pf, struct file *file,
		     struct netlink_ext_ack *extack);
int probed_file_identify_by_page(struct probed_file *pf, struct file *file,
				 loff_t offset);
bool probed_file_reaches(const struct probed_file *pf, u64 offset);
void probed_file_begin(struct probed_file *pf);
int probed_file_settle(struct probed_file *pf);
enum reassure_file_state probed_file_state(const struct probed_file *pf);
void probed_file_free(struct probed_file *pf);

void probe_init(struct probe *probe, struct rescue_point *rp,
		struct probed_file *pf, loff_t offset, probe_handler *handler,
		probe_filter *filter);
int probe_read(struct probe *probe, struct file *file);
int probe_check_mapped(struct probe *probe, struct mm_struct *mm);
bool probe_is_allowed(const struct probe *probe);
int probe_note(const struct probe *probe);
int probe_register(struct probe *probe);
int probes_register(struct probe *probes, unsigned int count);
void probes_unregister(struct probe *probes, unsigned int count);

#endif
