// SPDX-License-Identifier: GPL-2.0
/*
 * Counters in /sys/kernel/reassure/, one value a file; described in
 * Documentation/ABI/testing/sysfs-kernel-reassure.
 */
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>

#include "counters.h"
#include "sysfs.h"

/* Keeps what a directory shows while it is read. */
static DEFINE_SPINLOCK(show_lock);

/**
 * struct counter_dir - a directory that shows counters
 * @kobject: the directory
 * @counters: what it shows, under show_lock; outlives the directory
 */
struct counter_dir {
	struct kobject kobject;
	struct counters *counters;
};

struct counter_attribute {
	struct attribute attr;
	unsigned int index;
	bool refused;
};

static ssize_t show_counter(struct kobject *kobject, struct attribute *attr,
			    char *buffer)
{
	struct counter_dir *dir =
		container_of(kobject, struct counter_dir, kobject);
	struct counter_attribute *counter =
		container_of(attr, struct counter_attribute, attr);
	u64 value;

	spin_lock(&show_lock);
	value = counter->refused ?
		atomic64_read(&dir->counters->refused[counter->index]) :
		atomic64_read(&dir->counters->events[counter->index]);
	spin_unlock(&show_lock);
	return sysfs_emit(buffer, "%llu\n", value);
}

/* Filled from the tables of names when the module starts. */
static struct counter_attribute event_attributes[REASSURE_COUNTERS];
static struct counter_attribute refused_attributes[REASSURE_REFUSALS];
static struct attribute *event_list[REASSURE_COUNTERS + 1];
static struct attribute *refused_list[REASSURE_REFUSALS + 1];

static const struct attribute_group event_group = { .attrs = event_list };
static const struct attribute_group refused_group = {
	.name = "refused",
	.attrs = refused_list,
};

static const struct attribute_group *dir_groups[] = {
	&event_group, &refused_group, NULL,
};

static const struct sysfs_ops dir_ops = { .show = show_counter };

static void release_dir(struct kobject *kobject)
{
	kfree(container_of(kobject, struct counter_dir, kobject));
}

static const struct kobj_type dir_type = {
	.release = release_dir,
	.sysfs_ops = &dir_ops,
	.default_groups = dir_groups,
};

static struct kobject *root, *rescue_points;

static struct kobject *add_dir(const char *name, struct kobject *parent,
			       struct counters *counters)
{
	struct counter_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	int ret;

	if (!dir)
		return ERR_PTR(-ENOMEM);
	dir->counters = counters;
	ret = kobject_init_and_add(&dir->kobject,
				   (struct kobj_type *)&dir_type, parent, "%s",
				   name);
	if (ret) {
		kobject_put(&dir->kobject);
		return ERR_PTR(ret);
	}
	return &dir->kobject;
}

/**
 * sysfs_add_rescue_point() - show the counters of a rescue point
 * @name: its name
 * @counters: must outlive sysfs_remove()
 *
 * Return: the directory or an error pointer.
 */
struct kobject *sysfs_add_rescue_point(const char *name,
				       struct counters *counters)
{
	return add_dir(name, rescue_points, counters);
}

/* Shows @counters from now on; nobody reads the former ones afterwards. */
void sysfs_show(struct kobject *kobject, struct counters *counters)
{
	struct counter_dir *dir =
		container_of(kobject, struct counter_dir, kobject);

	spin_lock(&show_lock);
	dir->counters = counters;
	spin_unlock(&show_lock);
}

/* Waits for readers. */
void sysfs_remove(struct kobject *kobject)
{
	kobject_del(kobject);
	kobject_put(kobject);
}

static void __init fill(struct counter_attribute *attributes,
			struct attribute **list, const char *const *names,
			unsigned int count, bool refused)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		sysfs_attr_init(&attributes[i].attr);
		attributes[i].attr.name = names[i];
		attributes[i].attr.mode = 0444;
		attributes[i].index = i;
		attributes[i].refused = refused;
		list[i] = &attributes[i].attr;
	}
}

int __init reassure_sysfs_init(void)
{
	fill(event_attributes, event_list, reassure_counter_names,
	     REASSURE_COUNTERS, false);
	fill(refused_attributes, refused_list, reassure_refusal_names,
	     REASSURE_REFUSALS, true);

	root = add_dir("reassure", kernel_kobj, &reassure_counters);
	if (IS_ERR(root))
		return PTR_ERR(root);
	/*
	 * Names and numbers tell an attacker what is protected, and whether his
	 * last try was rescued.  Nobody can have looked yet; what an
	 * administrator sets later stays.
	 */
	root->sd->mode = S_IFDIR | 0700;
	rescue_points = kobject_create_and_add("rescue_points", root);
	if (!rescue_points) {
		sysfs_remove(root);
		return -ENOMEM;
	}
	return 0;
}

void reassure_sysfs_exit(void)
{
	sysfs_remove(rescue_points);
	sysfs_remove(root);
}
