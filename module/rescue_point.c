// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of rescue points, and the probes at their entry and return.
 */
#include <linux/file.h>
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
#include "injection.h"
#include "landings.h"
#include "mapping_guard.h"
#include "rescue_point.h"
#include "skip.h"
#include "switch.h"
#include "sysfs.h"
#include "system_calls.h"
#include "write_guard.h"

/* All rescue points in the order of their adding, under registry_lock. */
static LIST_HEAD(rescue_points);
static DEFINE_MUTEX(registry_lock);
static unsigned int count;
static unsigned int generation;
static u64 settings_version;

static void free_landings_config(struct rescue_point_config *config)
{
	unsigned int i;

	for (i = 0; i < config->nr_landings; i++) {
		if (config->landings[i].file)
			fput(config->landings[i].file);
		kfree(config->landings[i].offsets);
	}
	kfree(config->landings);
	config->landings = NULL;
	config->nr_landings = 0;
}

/* What a configuration owns that no rescue point has taken over. */
void rescue_point_config_free(struct rescue_point_config *config)
{
	kfree(config->function);
	kfree(config->exits);
	free_landings_config(config);
}

/* Not registered any more: no checkpoint knows @rp. */
static void free_rescue_point(struct rescue_point *rp)
{
	unsigned int i;

	cancel_work_sync(&rp->closing);
	for (i = 0; i < rp->nr_landings; i++)
		landings_free(&rp->landings[i]);
	kfree(rp->landings);
	probed_file_free(&rp->file);
	budget_destroy(&rp->budget);
	cgroup_filter_free(rp->settings.cgroups);
	rescue_point_config_free(&rp->config);
	kfree(rp->exits);
	kfree(rp);
}

/*
 * No call opens a checkpoint from now on, or it closes it by itself before it
 * begins; checkpoint_commit_all() finds all the others.
 */
static bool close_entry(struct rescue_point *rp, int why)
{
	/* Orders it before what is looked at next, see on_entry(). */
	bool closed = !test_and_set_bit(why, &rp->closed);

	injection_disarm(&rp->injection);
	return closed;
}

static void close_calls(struct work_struct *work)
{
	checkpoint_commit_all(container_of(work, struct rescue_point, closing));
}

static void make_stale(struct rescue_point *rp, const char *reason)
{
	if (!close_entry(rp, RESCUE_POINT_STALE))
		return;
	pr_warn("%s: %s; it is not probed any more; reassurectl refresh looks the function up again\n",
		rp->config.name, reason);
	/* Their ends may not be seen; the mmap lock is held here. */
	schedule_work(&rp->closing);
}

/* Whether current is in one of the cgroups, if there are some. */
static noinline bool is_meant(struct rescue_point *rp)
{
	struct cgroup_filter *filter;
	bool meant;

	rcu_read_lock();
	filter = READ_ONCE(rp->settings.cgroups);
	meant = !filter || cgroup_filter_means_current(filter);
	rcu_read_unlock();
	return meant;
}

static bool return_probe_kills(struct rescue_point *rp,
			       const struct pt_regs *regs)
{
	return !rp->exits && current->utask->return_instances &&
	       checkpoint_return_probe_kills(regs);
}

/* Current's process loses the breakpoint for ever. */
static int take_away(struct rescue_point *rp)
{
	/* Without memory for one process, it goes for all. */
	if (!guarded_mm_note_switches_stacks(current->mm))
		make_stale(rp, "there was no memory for a note");
	return UPROBE_HANDLER_REMOVE;
}

/* Current, for which @rp is not meant, goes by. */
static noinline int pass(struct rescue_point *rp, struct pt_regs *regs)
{
	/* The return probe is set for everybody. */
	if (return_probe_kills(rp, regs))
		return take_away(rp);
	checkpoint_pass(regs);
	return 0;
}

static int on_entry(struct uprobe_consumer *consumer, struct pt_regs *regs)
{
	struct rescue_point *rp =
		container_of(consumer, struct rescue_point, entry.consumer);

	/*
	 * A hint until it is known that the settings are the same still, see
	 * begin_entry(); pairs with the barrier in write_settings().
	 */
	if (unlikely(smp_load_acquire(&rp->settings.cgroups)) && !is_meant(rp))
		return pass(rp, regs);
	if (return_probe_kills(rp, regs)) {
		count_refusal(&rp->counters, REASSURE_REFUSED_PROBE);
		pr_warn_ratelimited("not protecting %s[%d] in %s any more: it switches stacks, for which a return probe would have it killed; add the rescue point with --exits all\n",
				    current->comm, task_pid_nr(current),
				    rp->config.name);
		return take_away(rp);
	}
	/* Pairs with the one in open_entry(). */
	if (unlikely(smp_load_acquire(&rp->closed))) {
		checkpoint_leave(rp);
		return 0;
	}
	if (READ_ONCE(rp->settings.exhausted) == REASSURE_EXHAUSTED_SKIP &&
	    skip_call(rp, regs))
		return 0;
	checkpoint_enter(rp, regs);
	/* Pairs with the one in close_entry(): who closes it sees this call. */
	smp_mb();
	if (unlikely(READ_ONCE(rp->closed)))
		checkpoint_leave(rp);
	return 0;
}

static int on_return(struct uprobe_consumer *consumer, unsigned long function,
		     struct pt_regs *regs)
{
	/* The return address has been popped. */
	checkpoint_return(container_of(consumer, struct rescue_point,
				       entry.consumer),
			  regs->sp - sizeof(unsigned long));
	return 0;
}

static int on_exit(struct uprobe_consumer *consumer, struct pt_regs *regs)
{
	struct probe *exit = container_of(consumer, struct probe, consumer);

	checkpoint_return(exit->rp, regs->sp);
	return 0;
}

static bool is_stale(const struct rescue_point *rp)
{
	return test_bit(RESCUE_POINT_STALE, &rp->closed);
}

/*
 * Whether current's @mm is to have the breakpoint, before it is set: the mmap
 * lock is held.  The processes of an executable all ended before it could be
 * written to; those that mapped a library before have lost the breakpoint, or
 * run pages of both builds.
 *
 * Where an exit is not probed, the entry may be all the same, so no call may
 * begin; but a process that is being killed begins none.
 */
static bool on_mapping(COMPAT_FILTER_PARAMETERS)
{
	struct probe *probe = container_of(consumer, struct probe, consumer);
	struct rescue_point *rp = probe->rp;
	int ret;

	if (COMPAT_FILTER_IS_REMOVAL)
		return true;
	/* Asked when on_entry() has it taken away, too, without a lock. */
	if (probe->consumer.ret_handler && guarded_mm_switches_stacks(mm))
		return false;
	ret = is_stale(rp) ? -ESTALE : probe_check_mapped(probe, mm);
	if (!ret)
		return true;
	if (ret == -EBUSY)
		return false;
	if (ret == -ESTALE)
		make_stale(rp, "the file holds another build than before");
	else if (probe != &rp->entry &&
		 !(mm == current->mm && fatal_signal_pending(current)))
		make_stale(rp, "the file could not be read when it was mapped");
	if (mm != current->mm || is_meant(rp))
		count_refusal(&rp->counters, ret == -ESTALE ?
					     REASSURE_REFUSED_STALE :
					     REASSURE_REFUSED_UNREADABLE);
	return false;
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
	ret = siblings_start();
	if (ret) {
		NL_SET_ERR_MSG(extack,
			       "cannot attach to the tracepoint of new tasks");
		goto stop_bypass;
	}
	ret = fatal_signal_start();
	if (ret) {
		NL_SET_ERR_MSG(extack,
			       "cannot attach to the tracepoints of signals");
		goto stop_siblings;
	}
	return 0;

stop_siblings:
	siblings_stop_all();
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
	/* The hook looks into checkpoints without a reference. */
	system_calls_stop();
	checkpoint_drop_all();
	siblings_stop_all();
	reassure_guarded_mm_drop_all();
	bypass_stop();
	skip_stop();
	deadline_stop();
	injection_stop();
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
	return a->file.inode == b->file.inode &&
	       a->config.offset == b->config.offset;
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

static int check_place(const struct rescue_point *rp,
		       struct netlink_ext_ack *extack)
{
	const struct rescue_point_config *config = &rp->config;

	if (!probed_file_reaches(&rp->file, config->offset)) {
		NL_SET_ERR_MSG(extack, "the offset is beyond the end of the file");
		return -ERANGE;
	}
	/* They ascend. */
	if (config->nr_exits &&
	    !probed_file_reaches(&rp->file,
				 config->exits[config->nr_exits - 1])) {
		NL_SET_ERR_MSG(extack, "an exit is beyond the end of the file");
		return -ERANGE;
	}
	return 0;
}

/* The first is that at the entry; NULL behind the last. */
static struct probe *probe_of(struct rescue_point *rp, unsigned int i)
{
	if (!i)
		return &rp->entry;
	return i <= rp->config.nr_exits ? &rp->exits[i - 1] : NULL;
}

/* The kernel must not execute what was at a place before. */
static int claim_places(struct rescue_point *rp, struct netlink_ext_ack *extack)
{
	struct probe *probe;
	unsigned int i;
	int ret = 0;

	for (i = 0; (probe = probe_of(rp, i)); i++) {
		if (probe_is_allowed(probe))
			continue;
		NL_SET_ERR_MSG(extack,
			       "another instruction was probed at this place before the file was written to, and the kernel may still have it; write a new file and rename it to this path");
		return -EBUSY;
	}
	for (i = 0; !ret && (probe = probe_of(rp, i)); i++)
		ret = probe_note(probe);
	if (ret)
		NL_SET_ERR_MSG(extack,
			       "there is no memory to note what is probed");
	return ret;
}

static int register_all(struct rescue_point *rp, struct netlink_ext_ack *extack)
{
	int ret = probes_register(rp->exits, rp->config.nr_exits);

	if (!ret) {
		ret = probe_register(&rp->entry);
		if (ret)
			probes_unregister(rp->exits, rp->config.nr_exits);
	}
	if (ret)
		NL_SET_ERR_MSG(extack,
			       "the kernel cannot probe this place of this file, or one of the exits");
	return ret;
}

static void unregister_all(struct rescue_point *rp)
{
	probes_unregister(&rp->entry, 1);
	probes_unregister(rp->exits, rp->config.nr_exits);
}

/* No call may begin whose end is not seen, so the exits come first. */
static int register_probes(struct rescue_point *rp,
			   struct netlink_ext_ack *extack)
{
	int ret = claim_places(rp, extack);

	if (ret)
		return ret;
	probed_file_begin(&rp->file);
	ret = register_all(rp, extack);
	if (ret)
		return ret;
	ret = probed_file_settle(&rp->file);
	if (ret) {
		unregister_all(rp);
		NL_SET_ERR_MSG(extack,
			       "a program has used the file since before it was written to: end it first");
	}
	return ret;
}

/*
 * Without one of them calls are rescued all the same, but it may not be seen
 * that they were left.
 */
static void start_landings(struct rescue_point *rp)
{
	unsigned int i;

	for (i = 0; i < rp->nr_landings; i++)
		landings_start(&rp->landings[i]);
}

/* For when nothing can fail any more, whose text would be another. */
static void warn_of_landings(const struct rescue_point *rp,
			     struct netlink_ext_ack *extack)
{
	const struct landings *landings = rp->landings;
	const struct landings *end = landings + rp->nr_landings;

	for (; landings < end; landings++)
		if (landings_probed(landings) < landings->count)
			NL_SET_ERR_MSG(extack,
				       "not all landings could be probed: that a call was left there by longjmp(), an exception or setcontext() may be seen late");
}

static void stop_landings(struct rescue_point *rp)
{
	unsigned int i;

	for (i = 0; i < rp->nr_landings; i++)
		landings_stop(&rp->landings[i]);
}

static int read_instructions(struct rescue_point *rp, struct file *file)
{
	struct probe *probe;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && (probe = probe_of(rp, i)); i++)
		ret = probe_read(probe, file);
	return ret;
}

/*
 * Learns by what the file is known again: its build-id, or else the page in
 * which the function begins; and what is where the probes will be.
 */
static int identify(struct rescue_point *rp, struct file *file,
		    struct netlink_ext_ack *extack)
{
	const struct rescue_point_config *config = &rp->config;
	bool has_id = config->build_id_offset >= 0;
	struct probed_file *pf = &rp->file;
	int ret;

	if (has_id)
		ret = file_identity_record(&pf->identity, file, pf->inode,
					   config->build_id_offset,
					   config->build_id_size);
	else
		ret = probed_file_identify_by_page(pf, file, config->offset);
	if (!ret)
		ret = read_instructions(rp, file);
	if (!ret && has_id && memcmp(pf->identity.content, config->build_id,
				     config->build_id_size))
		ret = -ESTALE;
	if (ret == -ESTALE)
		NL_SET_ERR_MSG(extack,
			       "the file does not hold this build: it has changed since it was read");
	else if (ret)
		NL_SET_ERR_MSG(extack, "the file cannot be read");
	return ret;
}

/* Calls open checkpoints from now on, if nothing else closes the entry. */
static void open_entry(struct rescue_point *rp, int why)
{
	/* Pairs with the load in on_entry(). */
	smp_mb__before_atomic();
	clear_bit(why, &rp->closed);
}

/*
 * As the switch says.  One that is thrown after the look has all rescue points
 * in the registry, whose lock is held, look again.
 */
static void follow_switch(struct rescue_point *rp)
{
	if (switch_is_off())
		close_entry(rp, RESCUE_POINT_OFF);
	else
		open_entry(rp, RESCUE_POINT_OFF);
}

/*
 * As the settings say.  Calls that are inside of a disabled one are committed a
 * moment later: a rollback may wait for whom it asks for a page, and the locks
 * of generic netlink are held here.
 */
static void enable(struct rescue_point *rp)
{
	if (rp->settings.enabled)
		open_entry(rp, RESCUE_POINT_DISABLED);
	else if (close_entry(rp, RESCUE_POINT_DISABLED))
		schedule_work(&rp->closing);
}

/* @rp is registered, and now in use; registry_lock is held. */
static void begin(struct rescue_point *rp)
{
	rp->settings.version = ++settings_version;
	list_add_tail(&rp->node, &rescue_points);
	count++;
	generation++;
	follow_switch(rp);
	enable(rp);
	open_entry(rp, RESCUE_POINT_INACTIVE);
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
	start_landings(rp);
	warn_of_landings(rp, extack);
	begin(rp);
	return 0;

remove:
	sysfs_remove(rp->kobject);
stop:
	if (!count)
		stop_interception();
	return ret;
}

static int init_probes(struct rescue_point *rp)
{
	const struct rescue_point_config *config = &rp->config;
	unsigned int i;

	probe_init(&rp->entry, rp, &rp->file, config->offset, on_entry,
		   on_mapping);
	if (!config->nr_exits) {
		rp->entry.consumer.ret_handler = on_return;
		return 0;
	}
	rp->exits = kcalloc(config->nr_exits, sizeof(*rp->exits),
			    GFP_KERNEL_ACCOUNT);
	if (!rp->exits)
		return -ENOMEM;
	for (i = 0; i < config->nr_exits; i++)
		probe_init(&rp->exits[i], rp, &rp->file, config->exits[i],
			   on_exit, on_mapping);
	return 0;
}

static int init_landings(struct rescue_point *rp,
			 struct netlink_ext_ack *extack)
{
	unsigned int i, n = rp->config.nr_landings;
	int ret = 0;

	if (!n)
		return 0;
	rp->landings = kcalloc(n, sizeof(*rp->landings), GFP_KERNEL_ACCOUNT);
	if (!rp->landings)
		return -ENOMEM;
	for (i = 0; !ret && i < n; i++) {
		ret = landings_init(&rp->landings[i], rp,
				    &rp->config.landings[i], extack);
		rp->nr_landings++;
	}
	/* No file is kept open. */
	free_landings_config(&rp->config);
	return ret;
}

/* Takes over what @config owns. */
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
	__set_bit(RESCUE_POINT_INACTIVE, &rp->closed);
	INIT_WORK(&rp->closing, close_calls);
	seqlock_init(&rp->settings_lock);
	injection_init(&rp->injection);
	budget_init(&rp->budget, 0, 0);
	ret = probed_file_init(&rp->file, file, extack);
	if (!ret)
		ret = init_probes(rp);
	if (!ret)
		ret = check_place(rp, extack);
	if (!ret)
		ret = identify(rp, file, extack);
	if (!ret)
		ret = init_landings(rp, extack);
	if (!ret)
		return rp;
	free_rescue_point(rp);
	return ERR_PTR(ret);
}

/**
 * rescue_point_add() - register a rescue point
 * @config: what it is; what it owns becomes the registry's in any case
 * @settings: what is to be done there; what they own as well
 * @file: the executable or shared library, open for reading
 * @extack: receives what is wrong, or a warning
 *
 * Return: 0 or an error, then nothing has changed.
 */
int rescue_point_add(struct rescue_point_config *config,
		     const struct rescue_point_settings *settings,
		     struct file *file, struct netlink_ext_ack *extack)
{
	struct rescue_point *rp = make(config, file, extack);
	int ret;

	if (IS_ERR(rp)) {
		cgroup_filter_free(settings->cgroups);
		return PTR_ERR(rp);
	}
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

/*
 * Nobody enters or is inside @rp afterwards.  The kernel forgets whom to tell
 * of a return before it takes breakpoints away, which may last, so calls are
 * committed before.  No handler at the entry runs any more when its breakpoint
 * is gone, and then none is needed at the exits.
 */
static void retire(struct rescue_point *rp)
{
	close_entry(rp, RESCUE_POINT_INACTIVE);
	checkpoint_commit_all(rp);
	probes_unregister(&rp->entry, 1);
	checkpoint_commit_all(rp);
	probes_unregister(rp->exits, rp->config.nr_exits);
	stop_landings(rp);
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
	/* Its own may have begun: processes have mapped the file. */
	counters_add(&rp->counters, &old->counters);
	budget_move(&rp->budget, &old->budget);
	rp->kobject = old->kobject;
	sysfs_show(rp->kobject, &rp->counters);
	list_replace(&old->node, &rp->node);
	generation++;
	follow_switch(rp);
	enable(rp);
	open_entry(rp, RESCUE_POINT_INACTIVE);
}

/* The filter would not know for which of both at a place it is asked. */
static int check_exits(const struct rescue_point *old,
		       const struct rescue_point *rp,
		       struct netlink_ext_ack *extack)
{
	if (!is_same_place(old, rp) || !old->exits == !rp->exits)
		return 0;
	NL_SET_ERR_MSG(extack,
		       "exits are probed or not from the beginning; delete the rescue point and add it again");
	return -EOPNOTSUPP;
}

static int replace(struct rescue_point *old, struct rescue_point *rp,
		   struct netlink_ext_ack *extack)
{
	int ret = check_free(rp, old, extack) ?:
		  check_exits(old, rp, extack);

	if (ret)
		return ret;
	/* For whom it is meant is asked from now on. */
	rp->settings = old->settings;
	rp->settings.version = ++settings_version;
	rp->settings.injects = false;
	ret = register_probes(rp, extack);
	if (ret) {
		rp->settings.cgroups = NULL;
		return ret;
	}
	start_landings(rp);
	warn_of_landings(rp, extack);
	retire(old);
	/* They belong to @rp now. */
	old->settings.cgroups = NULL;
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
 * @config: the place and the name; what it owns becomes the registry's in any
 *	case
 * @file: the executable or shared library, open for reading
 * @extack: receives what is wrong, or a warning
 *
 * Return: 0 or an error, then nothing has changed.
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

static bool has_other_budget(const struct rescue_point *rp,
			     const struct rescue_point_settings *settings)
{
	return settings->budget_rescues != rp->settings.budget_rescues ||
	       settings->budget_seconds != rp->settings.budget_seconds;
}

/* What @settings own becomes that of @rp. */
static void write_settings(struct rescue_point *rp,
			   struct rescue_point_settings *settings)
{
	struct cgroup_filter *old = rp->settings.cgroups;

	injection_disarm(&rp->injection);
	settings->version = ++settings_version;
	write_seqlock(&rp->settings_lock);
	WRITE_ONCE(rp->settings.version, settings->version);
	/*
	 * Before the others: who has looked at one of these without the lock
	 * must not take a copy of the former for those in force.  Pairs with
	 * the load in on_entry().
	 */
	smp_wmb();
	rp->settings = *settings;
	write_sequnlock(&rp->settings_lock);
	if (old != settings->cgroups)
		cgroup_filter_free(old);
	/* A list must not be of two times. */
	generation++;
	enable(rp);
}

static int set(struct rescue_point *rp, struct rescue_point_settings *settings)
{
	int ret = 0;

	if (has_other_budget(rp, settings))
		ret = budget_change(&rp->budget, settings->budget_rescues,
				    settings->budget_seconds);
	if (!ret)
		write_settings(rp, settings);
	return ret;
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
		settings.injects = false;
		ret = change(&settings, data) ?: set(rp, &settings);
		if (ret && settings.cgroups != rp->settings.cgroups)
			cgroup_filter_free(settings.cgroups);
	}
	mutex_unlock(&registry_lock);
	return ret;
}

/* An injected fault that nothing rescues kills: so where one may be. */
static int check_injection(const struct rescue_point *rp,
			   const struct injection_order *order,
			   struct netlink_ext_ack *extack)
{
	if (!(rp->settings.signals & BIT_ULL(order->signal - 1))) {
		NL_SET_ERR_MSG(extack,
			       "the signal is none of those of the rescue point, so the program would die of it; reassurectl set --signals adds it");
		return -EINVAL;
	}
	if (rp->settings.mode == REASSURE_MODE_OBSERVE) {
		NL_SET_ERR_MSG(extack,
			       "the rescue point only observes, so the program would die of the fault; reassurectl set --mode rescue changes that");
		return -EOPNOTSUPP;
	}
	if (is_stale(rp)) {
		NL_SET_ERR_MSG(extack,
			       "the rescue point is stale: its file holds another build; reassurectl refresh looks the function up again");
		return -ESTALE;
	}
	if (test_bit(RESCUE_POINT_DISABLED, &rp->closed)) {
		NL_SET_ERR_MSG(extack,
			       "the rescue point is disabled; reassurectl enable changes that");
		return -EOPNOTSUPP;
	}
	if (READ_ONCE(rp->closed)) {
		NL_SET_ERR_MSG(extack,
			       "the module is switched off: see reassurectl status; reassurectl on switches it on");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int inject(struct rescue_point *rp, const struct injection_order *order,
		  struct netlink_ext_ack *extack)
{
	struct rescue_point_settings settings = rp->settings;
	bool off = !order->signal;
	int ret = off ? 0 : check_injection(rp, order, extack);

	if (ret)
		return ret;
	/* With a version of their own, so that each thread gets to know. */
	settings.injects = !off;
	write_settings(rp, &settings);
	if (off)
		return 0;
	injection_arm(&rp->injection, order, settings.version);
	/* Who closes an entry does so first, and then disarms. */
	if (READ_ONCE(rp->closed))
		injection_disarm(&rp->injection);
	return 0;
}

/**
 * rescue_point_inject() - let calls of a rescue point fault
 * @name: its name
 * @order: which, and how; with no signal, none any more
 * @extack: receives what is wrong
 *
 * Whatever changes the rescue point ends it.
 *
 * Return: 0 or an error, then nothing has changed.
 */
int rescue_point_inject(const char *name, const struct injection_order *order,
			struct netlink_ext_ack *extack)
{
	struct rescue_point *rp;
	int ret = -ENOENT;

	mutex_lock(&registry_lock);
	rp = find_or_tell(name, extack);
	if (rp)
		ret = inject(rp, order, extack);
	mutex_unlock(&registry_lock);
	return ret;
}

static bool has_same_probes(const struct probe *a, const struct probe *b,
			    unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (a[i].offset != b[i].offset)
			return false;
	return true;
}

static bool has_same_landings(const struct rescue_point *old,
			      const struct rescue_point *rp)
{
	unsigned int i;

	if (old->nr_landings != rp->nr_landings)
		return false;
	for (i = 0; i < rp->nr_landings; i++) {
		const struct landings *a = &old->landings[i];
		const struct landings *b = &rp->landings[i];

		if (a->file.inode != b->file.inode || a->count != b->count ||
		    probed_file_state(&a->file) != REASSURE_FILE_CURRENT ||
		    !has_same_probes(a->probes, b->probes, a->count))
			return false;
	}
	return true;
}

/* Whether all of @old but its settings is what it would be as @rp. */
static bool is_same(struct rescue_point *old, const struct rescue_point *rp)
{
	const struct rescue_point_config *a = &old->config, *b = &rp->config;

	return is_same_place(old, rp) &&
	       rescue_point_file_state(old) == REASSURE_FILE_CURRENT &&
	       !strcmp(a->function ?: "", b->function ?: "") &&
	       a->build_id_size == b->build_id_size &&
	       !memcmp(a->build_id, b->build_id, a->build_id_size) &&
	       a->build_id_offset == b->build_id_offset &&
	       a->executable == b->executable && a->nr_exits == b->nr_exits &&
	       has_same_probes(old->exits, rp->exits, a->nr_exits) &&
	       has_same_landings(old, rp);
}

static bool change_stays(const struct rescue_point_change *change)
{
	return change->old && !change->old->goes;
}

/* Finds out which rescue points go, and which changes are none. */
static void compare(struct rescue_point_change *changes, unsigned int n,
		    bool prune)
{
	struct rescue_point_change *change, *end = changes + n;
	struct rescue_point *rp;

	list_for_each_entry(rp, &rescue_points, node)
		rp->goes = prune;
	for (change = changes; change < end; change++) {
		change->old = find(change->rp->config.name);
		if (change->old)
			change->old->goes = !is_same(change->old, change->rp);
	}
}

/* Against what stays, and what goes only when @change has its probes. */
static int check_change(const struct rescue_point_change *change,
			struct netlink_ext_ack *extack)
{
	struct rescue_point *other;
	int ret = 0;

	list_for_each_entry(other, &rescue_points, node) {
		if (!is_same_place(other, change->rp))
			continue;
		if (other->goes) {
			ret = check_exits(other, change->rp, extack);
		} else if (other != change->old) {
			NL_SET_ERR_MSG(extack,
				       "a rescue point at this offset of this file exists");
			ret = -EEXIST;
		}
		if (ret)
			break;
	}
	return ret;
}

/* Against the changes before it. */
static int check_twins(const struct rescue_point_change *changes,
		       const struct rescue_point_change *change,
		       struct netlink_ext_ack *extack)
{
	const struct rescue_point_change *twin;

	for (twin = changes; twin < change; twin++) {
		if (!strcmp(twin->rp->config.name, change->rp->config.name)) {
			NL_SET_ERR_MSG(extack,
				       "this name is given to two rescue points");
			return -EEXIST;
		}
		if (is_same_place(twin->rp, change->rp)) {
			NL_SET_ERR_MSG(extack,
				       "two rescue points are at this offset of this file");
			return -EEXIST;
		}
	}
	return 0;
}

static int register_change(struct rescue_point_change *change,
			   struct netlink_ext_ack *extack)
{
	struct rescue_point *rp = change->rp;
	struct kobject *kobject;
	int ret;

	if (!change->old) {
		kobject = sysfs_add_rescue_point(rp->config.name,
						 &rp->counters);
		if (IS_ERR(kobject)) {
			NL_SET_ERR_MSG(extack,
				       "cannot make the directory in sysfs");
			return PTR_ERR(kobject);
		}
		rp->kobject = kobject;
	}
	ret = register_probes(rp, extack);
	if (!ret)
		start_landings(rp);
	else if (!change->old)
		sysfs_remove(rp->kobject);
	return ret;
}

/* No call has begun. */
static void unregister_change(struct rescue_point_change *change)
{
	unregister_all(change->rp);
	stop_landings(change->rp);
	if (!change->old)
		sysfs_remove(change->rp->kobject);
}

/* Registers what is new, all or none. */
static int register_changes(struct rescue_point_change *changes, unsigned int n,
			    struct netlink_ext_ack *extack)
{
	struct rescue_point_change *change, *end = changes + n;
	int ret;

	for (change = changes; change < end; change++) {
		if (change_stays(change))
			continue;
		ret = check_change(change, extack) ?:
		      register_change(change, extack);
		if (ret)
			goto undo;
	}
	/* Also of what stays: probes are not tried again, but it is said. */
	for (change = changes; change < end; change++)
		warn_of_landings(change_stays(change) ? change->old :
							change->rp, extack);
	return 0;

undo:
	NL_SET_BAD_ATTR(extack, change->attribute);
	while (change-- > changes)
		if (!change_stays(change))
			unregister_change(change);
	return ret;
}

/* The limits of the budget of @rp, with the rescues made so far. */
static void adopt_budget(struct rescue_point *old, struct rescue_point *rp)
{
	if (has_other_budget(old, &rp->settings))
		budget_replace(&old->budget, &rp->budget);
	else
		budget_destroy(&rp->budget);
}

static void adopt_settings(struct rescue_point *old, struct rescue_point *rp)
{
	adopt_budget(old, rp);
	write_settings(old, &rp->settings);
	rp->settings.cgroups = NULL;
}

/* @rp, which has its settings, comes in the place of @old, which is retired. */
static void move(struct rescue_point *rp, struct rescue_point *old)
{
	adopt_budget(old, rp);
	rp->settings.version = ++settings_version;
	take_over(rp, old);
	free_rescue_point(old);
}

/* All is registered that is new, and nothing can fail any more. */
static void switch_over(struct rescue_point_change *changes, unsigned int n)
{
	struct rescue_point_change *change, *end = changes + n;
	struct rescue_point *rp, *next;

	list_for_each_entry(rp, &rescue_points, node)
		if (rp->goes)
			retire(rp);
	for (change = changes; change < end; change++) {
		rp = change->rp;
		if (change_stays(change)) {
			adopt_settings(change->old, rp);
			continue;
		}
		/* It is the registry's now. */
		change->rp = NULL;
		if (change->old)
			move(rp, change->old);
		else
			begin(rp);
	}
	list_for_each_entry_safe(rp, next, &rescue_points, node)
		if (rp->goes)
			forget(rp);
}

static int apply(struct rescue_point_change *changes, unsigned int n,
		 bool prune, struct netlink_ext_ack *extack)
{
	int ret = 0;

	/* Without one, all changes are new. */
	if (!count && n)
		ret = start_interception(extack);
	if (ret)
		return ret;
	compare(changes, n, prune);
	ret = register_changes(changes, n, extack);
	if (!ret)
		switch_over(changes, n);
	else if (!count)
		stop_interception();
	return ret;
}

static int make_change(struct rescue_point_change *change,
		       struct netlink_ext_ack *extack)
{
	struct rescue_point *rp = make(&change->config, change->file, extack);

	if (IS_ERR(rp)) {
		cgroup_filter_free(change->settings.cgroups);
		return PTR_ERR(rp);
	}
	change->rp = rp;
	rp->settings = change->settings;
	return budget_init(&rp->budget, rp->settings.budget_rescues,
			   rp->settings.budget_seconds);
}

/**
 * rescue_point_apply() - make the rescue points others, all or none
 * @changes: the rescue points that there are to be; what their configurations
 *	and settings own becomes the registry's in any case
 * @n: how many
 * @prune: whether there are to be no others
 * @extack: receives what is wrong, or a warning
 *
 * All probes are registered before the first rescue point is changed; what
 * comes then cannot fail.
 *
 * Return: 0 or an error, then nothing has changed.
 */
int rescue_point_apply(struct rescue_point_change *changes, unsigned int n,
		       bool prune, struct netlink_ext_ack *extack)
{
	unsigned int made = 0, i;
	int ret = 0;

	while (!ret && made < n) {
		ret = make_change(&changes[made], extack) ?:
		      check_twins(changes, &changes[made], extack);
		if (ret)
			NL_SET_BAD_ATTR(extack, changes[made].attribute);
		made++;
	}
	if (!ret) {
		mutex_lock(&registry_lock);
		ret = apply(changes, n, prune, extack);
		mutex_unlock(&registry_lock);
	}
	for (i = 0; i < made; i++)
		if (changes[i].rp)
			free_rescue_point(changes[i].rp);
	for (i = made; i < n; i++) {
		rescue_point_config_free(&changes[i].config);
		cgroup_filter_free(changes[i].settings.cgroups);
	}
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

/**
 * rescue_points_follow_switch() - let all rescue points be as the switch says
 *
 * Calls that are inside are committed a moment later, when all are closed: else
 * those around would be rescued in their place.
 */
void rescue_points_follow_switch(void)
{
	struct rescue_point *rp;

	mutex_lock(&registry_lock);
	list_for_each_entry(rp, &rescue_points, node)
		follow_switch(rp);
	list_for_each_entry(rp, &rescue_points, node)
		if (test_bit(RESCUE_POINT_OFF, &rp->closed))
			schedule_work(&rp->closing);
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
	enum reassure_file_state state = probed_file_state(&rp->file);

	return state == REASSURE_FILE_CURRENT && is_stale(rp) ?
	       REASSURE_FILE_REWRITTEN : state;
}

unsigned int rescue_point_count(void)
{
	return READ_ONCE(count);
}

unsigned int rescue_point_generation(void)
{
	return READ_ONCE(generation);
}
