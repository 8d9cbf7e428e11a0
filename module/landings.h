/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_LANDINGS_H
#define _REASSURE_LANDINGS_H

#include "probe.h"

/**
 * struct landings_config - the landings of a file that an administrator means
 * @file: the library or executable, open for reading
 * @offsets: of the instructions in the file, ascending
 * @count: how many, at least one
 */
struct landings_config {
	struct file *file;
	u64 *offsets;
	unsigned int count;
};

/**
 * struct landings - where control goes to a frame further up, in one file
 * @file: the file
 * @probes: one for each
 * @count: how many
 *
 * Belongs to a rescue point and changes under the registry's lock.
 */
struct landings {
	struct probed_file file;
	struct probe *probes;
	unsigned int count;
};

int landings_init(struct landings *landings, struct rescue_point *rp,
		  const struct landings_config *config,
		  struct netlink_ext_ack *extack);
void landings_start(struct landings *landings);
void landings_stop(struct landings *landings);
unsigned int landings_probed(const struct landings *landings);
void landings_free(struct landings *landings);

#endif
