// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of rescue points, and the probes at their entry and return.
 */
#include <linux/elf.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "bypass.h"
#include "checkpoint.h"
#include "deadline.h"
#include "fatal_signal.h"
#include "guarded_mm.h"
#include "mapping_guard.h"
#include "rescue_point.h"
#include "skip.h"
#include "sysfs.h"
#include "system_calls.h"
#include "write_guard.h"

/* All rescue points in the order of their adding, under registry_lock. */
static LIST_HEAD(rescue_points);
static DEFINE_MUTEX(registry_lock);
static unsigned int count;
static unsigned int generation;

/* What a configuration owns that no rescue point has taken over. */
void rescue_point_config_free(struct rescue_point_config *config)
{
	kfree(config->function);
	kfree(config->exits);
}

/* Not registered any more: no checkpoint knows @rp. */
static void free_rescue_point(struct rescue_point *rp)
{
	path_put(&rp->path);
	file_identity_free(&rp->identity);
	budget_destroy(&rp->budget);
	rescue_point_config_free(&rp->config);
	kfree(rp->exits);
	kfree(rp);
}

static int on_entry(struct uprobe_consumer *consumer, struct pt_regs *regs)
{
	struct rescue_point *rp =
		container_of(consumer, struct rescue_point, consumer);

	/* Pairs with the one in take_over(). */
	if (smp_load_acquire(&rp->deleted) || READ_ONCE(rp->stale))
		return 0;
	if (!rp->exits && checkpoint_return_probe_kills(rp, regs))
		return UPROBE_HANDLER_REMOVE;
	if (READ_ONCE(rp->settings.exhausted) != REASSURE_EXHAUSTED_SKIP ||
	    !skip_call(rp, regs))
		checkpoint_enter(rp, regs);
	return 0;
}

static int on_return(struct uprobe_consumer *consumer, unsigned long function,
		     struct pt_regs *regs)
{
	/* The return address has been popped. */
	checkpoint_return(container_of(consumer, struct rescue_point, consumer),
			  regs->sp - sizeof(unsigned long));
	return 0;
}

static int on_exit(struct uprobe_consumer *consumer, struct pt_regs *regs)
{
	struct exit_probe *exit =
		container_of(consumer, struct exit_probe, consumer);

	checkpoint_return(exit->rp, regs->sp);
	return 0;
}

static void found_stale(struct rescue_point *rp)
{
	if (!xchg(&rp->stale, true))
		pr_warn("%s: the file holds another build than before and is not probed any more; reassurectl refresh looks the function up again\n",
			rp->config.name);
}

/*
 * Whether current's @mm is to have the breakpoint, before it is set: the mmap
 * lock is held.  The processes of an executable all ended before it could be
 * written to; those that mapped a library before have lost the breakpoint, or
 * run pages of both builds.
 */
static bool may_be_probed(struct rescue_point *rp, struct mm_struct *mm)
{
	int ret;

	ret = file_identity_check_mapped(&rp->identity, rp->inode, mm);
	if (ret == -ESTALE)
		found_stale(rp);
	if (READ_ONCE(rp->stale))
		count_refusal(&rp->counters, REASSURE_REFUSED_STALE);
	else if (ret)
		count_refusal(&rp->counters, REASSURE_REFUSED_UNREADABLE);
	return !ret && !READ_ONCE(rp->stale);
}

static bool on_mapping(COMPAT_FILTER_PARAMETERS)
{
	return may_be_probed(container_of(consumer, struct rescue_point,
					  consumer), mm);
}

static bool on_mapping_exit(COMPAT_FILTER_PARAMETERS)
{
	return may_be_probed(container_of(consumer, struct exit_probe,
					  consumer)->rp, mm);
}

/*
 * The hooks of page faults and system calls and the probes of signals exist
 * only while a rescue point does.
 */
static int start_interception(struct netlink_ext_ack *extack)
{
	int ret;

	ret = write_guard_start();
	if (ret == -EBUSY)
		NL_SET_ERR_MSG(extack,
			       "the kernel function handle_mm_fault is in use by a live patch or another redirection, or kernel.ftrace_enabled is 0");
	else if (ret)
		NL_SET_ERR_MSG(extack,
			       "cannot hook the kernel function handle_mm_fault");
	if (ret)
		return ret;
	ret = mapping_guard_start();
	if (ret) {
		NL_SET_ERR_MSG(extack,
			       "a system call that changes mappings is in use by a live patch or another redirection");
		goto stop_write_guard;
	}
	ret = system_calls_start();
	if (ret) {
		NL_SET_ERR_MSG(extack,
			       "cannot hook the kernel's system calls, perhaps because kernel.ftrace_enabled is 0");
		goto stop_mapping_guard;
	}
	ret = bypass_start();
	if (ret) {
		NL_SET_ERR_MSG(extack,
			       "cannot hook the kernel function __get_user_pages, or one like it");
		goto stop_system_calls;
	}
	ret = fatal_signal_start();
	if (ret) {
		NL_SET_ERR_MSG(extack,
			       "cannot attach to the tracepoints of signals");
		goto stop_bypass;
	}
	return 0;

stop_bypass:
	bypass_stop();
stop_system_calls:
	system_calls_stop();
stop_mapping_guard:
	mapping_guard_stop();
stop_write_guard:
	write_guard_stop();
	return ret;
}

static void stop_interception(void)
{
	fatal_signal_stop();
	mapping_guard_stop();
	checkpoint_drop_all();
	reassure_guarded_mm_drop_all();
	bypass_stop();
	system_calls_stop();
	skip_stop();
	deadline_stop();
	write_guard_stop();
}

static struct rescue_point *find(const char *name)
{
	struct rescue_point *rp;

	list_for_each_entry(rp, &rescue_points, node)
		if (!strcmp(rp->config.name, name))
			return rp;
	return NULL;
}

static bool is_same_place(const struct rescue_point *a,
			  const struct rescue_point *b)
{
	return a->inode == b->inode && a->config.offset == b->config.offset;
}

/* By another than @except. */
static int check_free(const struct rescue_point *rp,
		      const struct rescue_point *except,
		      struct netlink_ext_ack *extack)
{
	struct rescue_point *other;

	list_for_each_entry(other, &rescue_points, node) {
		if (other == except || !is_same_place(other, rp))
			continue;
		NL_SET_ERR_MSG(extack,
			       "a rescue point at this offset of this file exists");
		return -EEXIST;
	}
	return 0;
}

static int check_place(struct rescue_point *rp, struct file *file,
		       struct netlink_ext_ack *extack)
{
	char magic[SELFMAG];
	loff_t start = 0;

	if (!S_ISREG(rp->inode->i_mode)) {
		NL_SET_ERR_MSG(extack, "the file is not a regular file");
		return -EINVAL;
	}
	if (kernel_read(file, magic, SELFMAG, &start) != SELFMAG ||
	    memcmp(magic, ELFMAG, SELFMAG)) {
		NL_SET_ERR_MSG(extack,
			       "the file is neither an executable nor a shared library");
		return -ENOEXEC;
	}
	if (rp->config.offset >= i_size_read(rp->inode)) {
		NL_SET_ERR_MSG(extack, "the offset is beyond the end of the file");
		return -ERANGE;
	}
	/* They ascend. */
	if (rp->config.nr_exits &&
	    rp->config.exits[rp->config.nr_exits - 1] >= i_size_read(rp->inode)) {
		NL_SET_ERR_MSG(extack, "an exit is beyond the end of the file");
		return -ERANGE;
	}
	return 0;
}

/* Takes away the first @n exit probes. */
static void unregister_exits(struct rescue_point *rp, unsigned int n)
{
	struct exit_probe *exit;

	while (n--) {
		exit = &rp->exits[n];
		compat_uprobe_unregister(&exit->uprobe, rp->inode,
					 rp->config.exits[n], &exit->consumer);
	}
}

static int register_exits(struct rescue_point *rp)
{
	struct exit_probe *exit;
	unsigned int i;
	int ret;

	for (i = 0; i < rp->config.nr_exits; i++) {
		exit = &rp->exits[i];
		exit->rp = rp;
		exit->consumer.handler = on_exit;
		exit->consumer.filter = on_mapping_exit;
		ret = compat_uprobe_register(&exit->uprobe, rp->inode,
					     rp->config.exits[i],
					     &exit->consumer);
		if (ret) {
			unregister_exits(rp, i);
			return ret;
		}
	}
	return 0;
}

/* No call may begin whose end is not seen, so the exits come first. */
static int register_probes(struct rescue_point *rp,
			   struct netlink_ext_ack *extack)
{
	int ret = register_exits(rp);

	if (!ret) {
		ret = compat_uprobe_register(&rp->uprobe, rp->inode,
					     rp->config.offset, &rp->consumer);
		if (ret)
			unregister_exits(rp, rp->config.nr_exits);
	}
	if (ret)
		NL_SET_ERR_MSG(extack,
			       "the kernel cannot probe this place of this file, or one of the exits");
	return ret;
}

/*
 * Learns by what the file is known again: its build-id, or else the page in
 * which the function begins.
 */
static int identify(struct rescue_point *rp, struct file *file,
		    struct netlink_ext_ack *extack)
{
	const struct rescue_point_config *config = &rp->config;
	loff_t page = config->offset & PAGE_MASK;
	bool has_id = config->build_id_offset >= 0;
	loff_t rest = i_size_read(rp->inode) - page;
	int ret;

	if (has_id)
		ret = file_identity_record(&rp->identity, file, rp->inode,
					   config->build_id_offset,
					   config->build_id_size);
	else
		ret = file_identity_record(&rp->identity, file, rp->inode, page,
					   clamp_t(loff_t, rest, 1, PAGE_SIZE));
	if (!ret && has_id && memcmp(rp->identity.content, config->build_id,
				     config->build_id_size))
		ret = -ESTALE;
	if (ret == -ESTALE)
		NL_SET_ERR_MSG(extack,
			       "the file does not hold this build: it has changed since it was read");
	else if (ret)
		NL_SET_ERR_MSG(extack, "the file cannot be read");
	return ret;
}

/* Makes @rp visible and active; registry_lock is held. */
static int activate(struct rescue_point *rp, struct netlink_ext_ack *extack)
{
	struct kobject *kobject;
	int ret;

	if (find(rp->config.name)) {
		NL_SET_ERR_MSG(extack, "a rescue point of this name exists");
		return -EEXIST;
	}
	ret = check_free(rp, NULL, extack);
	if (ret)
		return ret;
	if (!count) {
		ret = start_interception(extack);
		if (ret)
			return ret;
	}
	kobject = sysfs_add_rescue_point(rp->config.name, &rp->counters);
	if (IS_ERR(kobject)) {
		NL_SET_ERR_MSG(extack, "cannot make the directory in sysfs");
		ret = PTR_ERR(kobject);
		goto stop;
	}
	rp->kobject = kobject;
	ret = register_probes(rp, extack);
	if (ret)
		goto remove;
	list_add_tail(&rp->node, &rescue_points);
	count++;
	generation++;
	return 0;

remove:
	/* Processes may have been inside until the registration failed. */
	WRITE_ONCE(rp->deleted, true);
	checkpoint_commit_all(rp);
	sysfs_remove(rp->kobject);
stop:
	if (!count)
		stop_interception();
	return ret;
}

static int prepare_exits(struct rescue_point *rp)
{
	if (!rp->config.nr_exits) {
		rp->consumer.ret_handler = on_return;
		return 0;
	}
	rp->exits = kcalloc(rp->config.nr_exits, sizeof(*rp->exits),
			    GFP_KERNEL_ACCOUNT);
	return rp->exits ? 0 : -ENOMEM;
}

/* Takes over @config->function and @config->exits. */
static struct rescue_point *make(struct rescue_point_config *config,
				 struct file *file,
				 struct netlink_ext_ack *extack)
{
	struct rescue_point *rp = kzalloc(sizeof(*rp), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!rp) {
		rescue_point_config_free(config);
		return ERR_PTR(-ENOMEM);
	}
	rp->config = *config;
	seqlock_init(&rp->settings_lock);
	budget_init(&rp->budget, 0, 0);
	rp->path = file->f_path;
	path_get(&rp->path);
	/* What processes map; differs on overlayfs. */
	rp->inode = d_real_inode(rp->path.dentry);
	rp->consumer.handler = on_entry;
	rp->consumer.filter = on_mapping;
	ret = prepare_exits(rp);
	if (!ret)
		ret = check_place(rp, file, extack);
	if (!ret)
		ret = identify(rp, file, extack);
	if (!ret)
		return rp;
	free_rescue_point(rp);
	return ERR_PTR(ret);
}

/**
 * rescue_point_add() - register a rescue point
 * @config: what it is; @config->function and @config->exits become the
 *	registry's in any case
 * @settings: what is to be done there
 * @file: the executable or shared library, open for reading
 * @extack: receives what is wrong
 *
 * Return: 0 or an error, then nothing has changed.
 */
int rescue_point_add(struct rescue_point_config *config,
		     const struct rescue_point_settings *settings,
		     struct file *file, struct netlink_ext_ack *extack)
{
	struct rescue_point *rp = make(config, file, extack);
	int ret;

	if (IS_ERR(rp))
		return PTR_ERR(rp);
	rp->settings = *settings;
	ret = budget_init(&rp->budget, settings->budget_rescues,
			  settings->budget_seconds);
	if (!ret) {
		mutex_lock(&registry_lock);
		ret = activate(rp, extack);
		mutex_unlock(&registry_lock);
	}
	if (ret)
		free_rescue_point(rp);
	return ret;
}

/* Nobody enters or is inside @rp afterwards. */
static void retire(struct rescue_point *rp)
{
	WRITE_ONCE(rp->deleted, true);
	/*
	 * To take the breakpoints away takes a while, during which nobody
	 * would see calls return.
	 */
	checkpoint_commit_all(rp);
	compat_uprobe_unregister(&rp->uprobe, rp->inode, rp->config.offset,
				 &rp->consumer);
	unregister_exits(rp, rp->config.nr_exits);
	/* No handler runs any more, so no checkpoint can be added. */
	checkpoint_commit_all(rp);
}

/* Takes @rp, which is retired, out of the registry, whose lock is held. */
static void forget(struct rescue_point *rp)
{
	list_del(&rp->node);
	count--;
	generation++;
	sysfs_remove(rp->kobject);
	free_rescue_point(rp);
	if (!count)
		stop_interception();
}

static void deactivate(struct rescue_point *rp)
{
	retire(rp);
	forget(rp);
}

/* Lets @rp be in the place of @old, which is retired, and begin. */
static void take_over(struct rescue_point *rp, struct rescue_point *old)
{
	rp->settings = old->settings;
	/* Its own may have begun: processes have mapped the file. */
	counters_add(&rp->counters, &old->counters);
	budget_move(&rp->budget, &old->budget);
	rp->kobject = old->kobject;
	sysfs_show(rp->kobject, &rp->counters);
	list_replace(&old->node, &rp->node);
	generation++;
	/* Pairs with the one in on_entry(). */
	smp_store_release(&rp->deleted, false);
}

static int replace(struct rescue_point *old, struct rescue_point *rp,
		   struct netlink_ext_ack *extack)
{
	int ret = check_free(rp, old, extack);

	if (ret)
		return ret;
	/* Until it takes over. */
	rp->deleted = true;
	if (is_same_place(old, rp)) {
		/*
		 * The kernel has read the instruction that it executes in the
		 * breakpoint's place, and reads it again only when nobody
		 * probes the place.
		 */
		retire(old);
		ret = register_probes(rp, extack);
		if (ret) {
			forget(old);
			return ret;
		}
	} else {
		ret = register_probes(rp, extack);
		if (ret)
			return ret;
		retire(old);
	}
	take_over(rp, old);
	free_rescue_point(old);
	return 0;
}

static struct rescue_point *find_or_tell(const char *name,
					 struct netlink_ext_ack *extack)
{
	struct rescue_point *rp = find(name);

	if (!rp)
		NL_SET_ERR_MSG(extack, "there is no rescue point of this name");
	return rp;
}

/**
 * rescue_point_rebind() - let a rescue point be another place
 * @config: the place and the name; @config->function becomes the registry's
 *	in any case
 * @file: the executable or shared library, open for reading
 * @extack: receives what is wrong
 *
 * Return: 0 or an error, then nothing has changed; but where the place is the
 * same as before, the rescue point may be deleted.
 */
int rescue_point_rebind(struct rescue_point_config *config, struct file *file,
			struct netlink_ext_ack *extack)
{
	struct rescue_point *rp = make(config, file, extack);
	struct rescue_point *old;
	int ret = -ENOENT;

	if (IS_ERR(rp))
		return PTR_ERR(rp);
	mutex_lock(&registry_lock);
	old = find_or_tell(rp->config.name, extack);
	if (old)
		ret = replace(old, rp, extack);
	mutex_unlock(&registry_lock);
	if (ret)
		free_rescue_point(rp);
	return ret;
}

static int set(struct rescue_point *rp,
	       const struct rescue_point_settings *settings)
{
	int ret = 0;

	if (settings->budget_rescues != rp->settings.budget_rescues ||
	    settings->budget_seconds != rp->settings.budget_seconds)
		ret = budget_change(&rp->budget, settings->budget_rescues,
				    settings->budget_seconds);
	if (ret)
		return ret;
	write_seqlock(&rp->settings_lock);
	rp->settings = *settings;
	write_sequnlock(&rp->settings_lock);
	return 0;
}

int rescue_point_set(const char *name,
		     int (*change)(struct rescue_point_settings *settings,
				   void *data),
		     void *data, struct netlink_ext_ack *extack)
{
	struct rescue_point_settings settings;
	struct rescue_point *rp;
	int ret = -ENOENT;

	mutex_lock(&registry_lock);
	rp = find_or_tell(name, extack);
	if (rp) {
		settings = rp->settings;
		ret = change(&settings, data) ?: set(rp, &settings);
	}
	mutex_unlock(&registry_lock);
	return ret;
}

/**
 * rescue_point_delete() - delete a rescue point
 * @name: its name
 * @extack: receives what is wrong
 *
 * Calls in progress are committed: a later fault in them is fatal.
 *
 * Return: 0 or -ENOENT.
 */
int rescue_point_delete(const char *name, struct netlink_ext_ack *extack)
{
	struct rescue_point *rp;

	mutex_lock(&registry_lock);
	rp = find_or_tell(name, extack);
	if (rp)
		deactivate(rp);
	mutex_unlock(&registry_lock);
	return rp ? 0 : -ENOENT;
}

void rescue_point_delete_all(void)
{
	struct rescue_point *rp, *next;

	mutex_lock(&registry_lock);
	list_for_each_entry_safe(rp, next, &rescue_points, node)
		deactivate(rp);
	mutex_unlock(&registry_lock);
}

int rescue_point_visit(const char *name, int skip,
		       int (*visit)(struct rescue_point *rp, void *data),
		       void *data)
{
	struct rescue_point *rp;
	int ret = name ? -ENOENT : 0;

	mutex_lock(&registry_lock);
	list_for_each_entry(rp, &rescue_points, node) {
		if (name ? strcmp(rp->config.name, name) : skip-- > 0)
			continue;
		ret = visit(rp, data);
		if (ret || name)
			break;
	}
	mutex_unlock(&registry_lock);
	return ret;
}

enum reassure_file_state rescue_point_file_state(struct rescue_point *rp)
{
	struct dentry *dentry = rp->path.dentry;

	if (d_unlinked(dentry) || d_real_inode(dentry) != rp->inode)
		return REASSURE_FILE_REPLACED;
	/* To read it may take long, and who asks would keep others waiting. */
	return READ_ONCE(rp->stale) ||
	       file_identity_may_differ(&rp->identity, rp->inode) ?
	       REASSURE_FILE_REWRITTEN : REASSURE_FILE_CURRENT;
}

unsigned int rescue_point_count(void)
{
	return READ_ONCE(count);
}

unsigned int rescue_point_generation(void)
{
	return READ_ONCE(generation);
}
