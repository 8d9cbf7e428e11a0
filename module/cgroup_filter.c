// SPDX-License-Identifier: GPL-2.0
/*
 * Which processes a rescue point is meant for: those in subtrees of the cgroup
 * v2 hierarchy.
 *
 * The subtrees are known by their paths alone, so that no removed cgroup is
 * kept, and one that is made again is meant again.  In this hierarchy nothing
 * is ever renamed, so a cgroup's path stays as long as its number does.
 */
#include <linux/cgroup.h>
#include <linux/kernfs.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../uapi/reassure.h"
#include "cgroup_filter.h"

#define VERDICTS	16

/**
 * struct cgroup_path - one subtree
 * @text: the path of its root, in the filter's own memory
 * @level: how many components it has
 */
struct cgroup_path {
	const char *text;
	unsigned int level;
};

/**
 * struct cgroup_filter - subtrees
 * @rcu: for freeing
 * @verdicts: what was found out for some cgroups: the number, and in bit 0
 *	whether it is in one of the subtrees; written by anybody at any time, as
 *	a whole.  No number is used a second time, and none is 0
 * @count: how many subtrees
 * @paths: each of them
 *
 * Belongs to the settings of a rescue point, and but for @verdicts never
 * changes.  Who reads them under RCU may use it.
 */
struct cgroup_filter {
	struct rcu_head rcu;
	u64 verdicts[VERDICTS];
	unsigned int count;
	struct cgroup_path paths[];
};

/**
 * cgroup_path_is_valid() - whether a cgroup can have this path
 * @path: as in /proc/PID/cgroup, seen from the root of the hierarchy
 *
 * Return: false for one that does not begin with '/', ends with it (but for the
 * root), or has a component that is empty, "." or "..".
 */
bool cgroup_path_is_valid(const char *path)
{
	size_t length;

	if (!strcmp(path, "/"))
		return true;
	while (*path == '/') {
		path++;
		length = strcspn(path, "/");
		if (!length || (length <= 2 && !strncmp(path, "..", length)))
			return false;
		path += length;
		if (!*path)
			return true;
	}
	return false;
}

static unsigned int level_of(const char *path)
{
	unsigned int level = 0;

	if (strcmp(path, "/"))
		for (; *path; path++)
			level += *path == '/';
	return level;
}

/**
 * cgroup_filter_make() - a new filter
 * @paths: of the roots of the subtrees, each valid
 * @count: how many
 *
 * Return: to be given to cgroup_filter_free(); NULL without memory.
 */
struct cgroup_filter *cgroup_filter_make(const char *const *paths,
					 unsigned int count)
{
	struct cgroup_filter *filter;
	size_t size = struct_size(filter, paths, count), length;
	unsigned int i;
	char *text;

	for (i = 0; i < count; i++)
		size += strlen(paths[i]) + 1;
	filter = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!filter)
		return NULL;
	filter->count = count;
	text = (char *)&filter->paths[count];
	for (i = 0; i < count; i++) {
		length = strlen(paths[i]) + 1;
		filter->paths[i].text = memcpy(text, paths[i], length);
		filter->paths[i].level = level_of(paths[i]);
		text += length;
	}
	return filter;
}

/* When nobody uses @filter any more, who found it under RCU; or for NULL. */
void cgroup_filter_free(struct cgroup_filter *filter)
{
	if (filter)
		kvfree_rcu(filter, rcu);
}

/* NULL behind the last. */
const char *cgroup_filter_path(const struct cgroup_filter *filter,
			       unsigned int i)
{
	return i < filter->count ? filter->paths[i].text : NULL;
}

/* Whether @cgroup, which is as deep, has this path. */
static bool has_path(struct cgroup *cgroup, const struct cgroup_path *path)
{
	const char *end = path->text + strlen(path->text), *start;
	unsigned int level;

	for (level = path->level; level; level--) {
		for (start = end; start[-1] != '/'; start--)
			;
		if (strncmp(cgroup->kn->name, start, end - start) ||
		    cgroup->kn->name[end - start])
			return false;
		end = start - 1;
		cgroup = cgroup_parent(cgroup);
	}
	return true;
}

static bool find(struct cgroup *cgroup, const struct cgroup_filter *filter)
{
	const struct cgroup_path *path = filter->paths;
	struct cgroup *ancestor;
	unsigned int i;

	for (i = 0; i < filter->count; i++, path++) {
		ancestor = cgroup_ancestor(cgroup, path->level);
		if (ancestor && has_path(ancestor, path))
			return true;
	}
	return false;
}

/* Whether current is in one of the subtrees; under RCU. */
bool cgroup_filter_means_current(struct cgroup_filter *filter)
{
	struct cgroup *cgroup = task_dfl_cgroup(current);
	u64 id = cgroup_id(cgroup);
	u64 *known = &filter->verdicts[id % VERDICTS];
	u64 verdict = READ_ONCE(*known);

	if (verdict >> 1 != id) {
		verdict = id << 1 | find(cgroup, filter);
		WRITE_ONCE(*known, verdict);
	}
	return verdict & 1;
}
