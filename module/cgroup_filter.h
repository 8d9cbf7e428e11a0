/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_CGROUP_FILTER_H
#define _REASSURE_CGROUP_FILTER_H

#include <linux/types.h>

struct cgroup_filter;

bool cgroup_path_is_valid(const char *path);
struct cgroup_filter *cgroup_filter_make(const char *const *paths,
					 unsigned int count);
void cgroup_filter_free(struct cgroup_filter *filter);
const char *cgroup_filter_path(const struct cgroup_filter *filter,
			       unsigned int i);
bool cgroup_filter_means_current(struct cgroup_filter *filter);

#endif
