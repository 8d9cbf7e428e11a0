// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family.  Documentation/netlink/specs/reassure.yaml says
 * what its messages mean; policies and operations are generated from it.
 */
#include <linux/capability.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "cgroup_filter.h"
#include "compat.h"
#include "counters.h"
#include "events.h"
#include "generated/reassure_nl.h"
#include "injection.h"
#include "landings.h"
#include "netlink.h"
#include "rescue_point.h"
#include "switch.h"

#define ALLOWED_SIGNALS	(REASSURE_SIGNALS_DEFAULT | BIT_ULL(SIGTRAP - 1) | \
			 BIT_ULL(SIGSYS - 1))

/* The landings of a file with the longest path. */
#define LANDINGS_BYTES	(PATH_MAX + 64 + REASSURE_LANDINGS_MAX * sizeof(u64))

/*
 * A rescue point with the longest path and function name, all exits, all
 * landings and the longest paths of cgroups.
 */
#define REPLY_BYTES	(PATH_MAX + REASSURE_FUNCTION_MAX + 4096 + \
			 REASSURE_CGROUPS_MAX * \
			 (REASSURE_CGROUP_PATH_MAX + 1 + NLA_HDRLEN) + \
			 REASSURE_EXITS_MAX * sizeof(u64) + \
			 REASSURE_LANDING_FILES_MAX * LANDINGS_BYTES)

/* An event is at most four pages without its headers and number. */
#define EVENT_REPLY_BYTES	(5 * PAGE_SIZE)

static struct genl_family family;

/* The numbers of counters are told by two lists of the specification. */
static_assert(REASSURE_COUNTERS - REASSURE_COUNTER_MAX == 1);
static_assert(REASSURE_REFUSALS - REASSURE_REFUSED_MAX == 1);

/* The process that opened the socket and the sender must both have it. */
static int check_capability(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	NL_SET_ERR_MSG(extack,
		       "needs CAP_SYS_ADMIN in the initial user namespace");
	return -EPERM;
}

static int pre_doit(const struct compat_genl_ops *ops, struct sk_buff *skb,
		    struct genl_info *info)
{
	return check_capability(skb, info->extack);
}

static int check_name(const char *name, struct genl_info *info)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("_.+-", *c)))
			break;
	if (c > name && !*c && strcmp(name, ".") && strcmp(name, ".."))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[REASSURE_A_NAME],
			    "a name has 1 to 64 characters out of A-Z a-z 0-9 _ . + - and is neither . nor ..");
	return -EINVAL;
}

static int required_name(struct genl_info *info, const char **name)
{
	if (!info->attrs[REASSURE_A_NAME]) {
		NL_SET_ERR_MSG(info->extack, "the name is missing");
		return -EINVAL;
	}
	*name = nla_data(info->attrs[REASSURE_A_NAME]);
	return check_name(*name, info);
}

static int parse_budget(struct genl_info *info,
			struct rescue_point_settings *settings)
{
	struct nlattr *rescues = info->attrs[REASSURE_A_BUDGET_RESCUES];
	struct nlattr *seconds = info->attrs[REASSURE_A_BUDGET_SECONDS];
	struct nlattr *unlimited = info->attrs[REASSURE_A_BUDGET_UNLIMITED];
	struct nlattr *exhausted = info->attrs[REASSURE_A_EXHAUSTED];

	if (!rescues != !seconds) {
		NL_SET_ERR_MSG_ATTR(info->extack, rescues ?: seconds,
				    "a budget needs both rescues and seconds");
		return -EINVAL;
	}
	if (rescues && unlimited) {
		NL_SET_ERR_MSG_ATTR(info->extack, unlimited,
				    "a budget is either limited or unlimited");
		return -EINVAL;
	}
	if (rescues) {
		settings->budget_rescues = nla_get_u32(rescues);
		settings->budget_seconds = nla_get_u32(seconds);
	} else if (unlimited) {
		settings->budget_rescues = 0;
		settings->budget_seconds = 0;
	}
	if (exhausted)
		settings->exhausted = nla_get_u32(exhausted);
	if (!settings->budget_rescues &&
	    settings->exhausted == REASSURE_EXHAUSTED_SKIP) {
		NL_SET_ERR_MSG_ATTR(info->extack, exhausted ?: unlimited,
				    "an unlimited budget is never exhausted, so nothing can be skipped");
		return -EINVAL;
	}
	return 0;
}

/* Reads ascending offsets, which are to be freed, also after an error. */
static int parse_offsets(struct genl_info *info, const struct nlattr *attr,
			 unsigned int max, u64 **offsets, unsigned int *count)
{
	unsigned int i, n = nla_len(attr) / sizeof(u64);

	if (!n || nla_len(attr) % sizeof(u64)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "exits or landings are one or more numbers of 64 bits");
		return -EINVAL;
	}
	if (n > max) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "there are too many exits or landings");
		return -ERANGE;
	}
	*offsets = kmemdup(nla_data(attr), nla_len(attr), GFP_KERNEL_ACCOUNT);
	if (!*offsets)
		return -ENOMEM;
	*count = n;
	for (i = 1; i < n; i++) {
		if ((*offsets)[i] > (*offsets)[i - 1])
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "the exits or landings are not in ascending order");
		return -EINVAL;
	}
	return 0;
}

static int parse_exits(struct genl_info *info,
		       struct rescue_point_config *config)
{
	const struct nlattr *exits = info->attrs[REASSURE_A_EXITS];

	return exits ? parse_offsets(info, exits, REASSURE_EXITS_MAX,
				     &config->exits, &config->nr_exits) : 0;
}

static int parse_value(struct genl_info *info,
		       struct rescue_point_settings *settings)
{
	struct nlattr *value = info->attrs[REASSURE_A_RETURN];
	struct nlattr *none = info->attrs[REASSURE_A_RETURN_VOID];

	if (value && none) {
		NL_SET_ERR_MSG_ATTR(info->extack, none,
				    "a function returns either a value or nothing");
		return -EINVAL;
	}
	if (value || none) {
		settings->has_value = value;
		settings->value = value ? nla_get_s64(value) : 0;
	}
	return 0;
}

/* Makes the filter that the message names, or says what is wrong. */
static struct cgroup_filter *make_filter(struct genl_info *info,
					 const struct nlattr *cgroups)
{
	const char *paths[REASSURE_CGROUPS_MAX];
	struct cgroup_filter *filter;
	const struct nlattr *attr;
	unsigned int count = 0;
	size_t length;
	int rest;

	nla_for_each_nested(attr, cgroups, rest) {
		if (count == REASSURE_CGROUPS_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "there are too many cgroups; name one around them");
			return ERR_PTR(-ERANGE);
		}
		paths[count] = nla_data(attr);
		/* Nothing was asked of its end. */
		length = strnlen(paths[count], nla_len(attr));
		if (length + 1 != nla_len(attr) ||
		    length > REASSURE_CGROUP_PATH_MAX ||
		    !cgroup_path_is_valid(paths[count])) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "the path of a cgroup begins with '/', does not end with it, and has no component that is empty, '.' or '..'");
			return ERR_PTR(-EINVAL);
		}
		count++;
	}
	if (!count) {
		NL_SET_ERR_MSG_ATTR(info->extack, cgroups,
				    "the path of a cgroup is missing");
		return ERR_PTR(-EINVAL);
	}
	filter = cgroup_filter_make(paths, count);
	return filter ?: ERR_PTR(-ENOMEM);
}

static int parse_cgroups(struct genl_info *info,
			 struct rescue_point_settings *settings)
{
	struct nlattr *cgroups = info->attrs[REASSURE_A_CGROUPS];
	struct nlattr *all = info->attrs[REASSURE_A_CGROUPS_ALL];
	struct cgroup_filter *filter;

	if (cgroups && all) {
		NL_SET_ERR_MSG_ATTR(info->extack, all,
				    "a rescue point is meant either for all cgroups or for some");
		return -EINVAL;
	}
	if (all)
		settings->cgroups = NULL;
	if (!cgroups)
		return 0;
	filter = make_filter(info, cgroups);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	settings->cgroups = filter;
	return 0;
}

/* Puts what the message says into @settings, which must fit each other then. */
static int parse_settings(struct genl_info *info,
			  struct rescue_point_settings *settings)
{
	struct nlattr **attrs = info->attrs;
	int ret;

	ret = parse_value(info, settings) ?: parse_budget(info, settings);
	if (ret)
		return ret;
	if (attrs[REASSURE_A_SIGNALS])
		settings->signals = nla_get_u64(attrs[REASSURE_A_SIGNALS]);
	if (!settings->signals || settings->signals & ~ALLOWED_SIGNALS) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[REASSURE_A_SIGNALS],
				    "one or more signals are needed, out of ILL TRAP ABRT BUS FPE SEGV SYS");
		return -EINVAL;
	}
	if (attrs[REASSURE_A_ALLOW_SETUID])
		settings->allow_setuid =
			nla_get_u8(attrs[REASSURE_A_ALLOW_SETUID]);
	if (attrs[REASSURE_A_HANDLED])
		settings->handled = nla_get_u32(attrs[REASSURE_A_HANDLED]);
	if (attrs[REASSURE_A_SHARED])
		settings->shared = nla_get_u32(attrs[REASSURE_A_SHARED]);
	if (attrs[REASSURE_A_DEADLINE])
		settings->deadline_ms = nla_get_u32(attrs[REASSURE_A_DEADLINE]);
	if (attrs[REASSURE_A_THREADS])
		settings->threads = nla_get_u32(attrs[REASSURE_A_THREADS]);
	if (attrs[REASSURE_A_MODE])
		settings->mode = nla_get_u32(attrs[REASSURE_A_MODE]);
	if (attrs[REASSURE_A_ENABLED])
		settings->enabled = nla_get_u8(attrs[REASSURE_A_ENABLED]);
	if (attrs[REASSURE_A_WATCHDOG])
		settings->watchdog_ms = nla_get_u32(attrs[REASSURE_A_WATCHDOG]);
	if (attrs[REASSURE_A_ESCALATE])
		settings->escalate = nla_get_u32(attrs[REASSURE_A_ESCALATE]);
	if (settings->threads == REASSURE_THREADS_RUN &&
	    settings->shared == REASSURE_SHARED_RESTORE) {
		NL_SET_ERR_MSG(info->extack,
			       "shared memory cannot be restored while other threads run: stop them, or refuse or leave it");
		return -EINVAL;
	}
	/* The last, for it makes something. */
	return parse_cgroups(info, settings);
}

/* Those of a rescue point that is added: only SET takes a deadline away. */
static int parse_first_settings(struct genl_info *info,
				struct rescue_point_settings *settings)
{
	const struct nlattr *deadline = info->attrs[REASSURE_A_DEADLINE];

	if (deadline && !nla_get_u32(deadline)) {
		NL_SET_ERR_MSG_ATTR(info->extack, deadline,
				    "a deadline is at least one millisecond");
		return -ERANGE;
	}
	return parse_settings(info, settings);
}

static int parse_build_id(struct genl_info *info,
			  struct rescue_point_config *config)
{
	struct nlattr *id = info->attrs[REASSURE_A_BUILD_ID];
	struct nlattr *offset = info->attrs[REASSURE_A_BUILD_ID_OFFSET];

	config->build_id_offset = -1;
	if (id) {
		if (nla_len(id) > REASSURE_BUILD_ID_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, id,
					    "a build-id has at most 64 bytes");
			return -ERANGE;
		}
		config->build_id_size = nla_len(id);
		nla_memcpy(config->build_id, id, sizeof(config->build_id));
	}
	if (!offset)
		return 0;
	if (!config->build_id_size) {
		NL_SET_ERR_MSG_ATTR(info->extack, offset,
				    "the build-id is missing");
		return -EINVAL;
	}
	if (nla_get_u64(offset) > MAX_LFS_FILESIZE - REASSURE_BUILD_ID_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, offset,
				    "the build-id is beyond the end of the file");
		return -ERANGE;
	}
	config->build_id_offset = nla_get_u64(offset);
	return 0;
}

/* The file that @fd names; NULL after saying what is wrong. */
static struct file *get_file_of(struct genl_info *info, const struct nlattr *fd)
{
	struct file *file = fget(nla_get_s32(fd));

	if (file && file->f_mode & FMODE_READ)
		return file;
	NL_SET_ERR_MSG_ATTR(info->extack, fd,
			    "the descriptor is not open for reading");
	if (file)
		fput(file);
	return NULL;
}

/* Those of one file; what it holds is let go with the whole configuration. */
static int parse_landings_of_file(struct genl_info *info, struct nlattr *nest,
				  struct landings_config *config)
{
	struct nlattr *attrs[REASSURE_LANDINGS_ATTRIBUTE_MAX + 1];
	int ret = nla_parse_nested(attrs, REASSURE_LANDINGS_ATTRIBUTE_MAX, nest,
				   reassure_landings_nl_policy, info->extack);
	int i;

	static_assert(ARRAY_SIZE(reassure_landings_nl_policy) ==
		      REASSURE_LANDINGS_ATTRIBUTE_MAX + 1);
	if (ret)
		return ret;
	/* The policy is also that of answers. */
	for (i = REASSURE_LANDINGS_OFFSETS + 1;
	     i <= REASSURE_LANDINGS_ATTRIBUTE_MAX; i++) {
		if (!attrs[i])
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[i],
				    "only answers have this attribute of landings");
		return -EINVAL;
	}
	if (!attrs[REASSURE_LANDINGS_FILE_FD] ||
	    !attrs[REASSURE_LANDINGS_OFFSETS]) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest,
				    "landings need the descriptor of their file, and offsets");
		return -EINVAL;
	}
	ret = parse_offsets(info, attrs[REASSURE_LANDINGS_OFFSETS],
			    REASSURE_LANDINGS_MAX, &config->offsets,
			    &config->count);
	if (ret)
		return ret;
	config->file = get_file_of(info, attrs[REASSURE_LANDINGS_FILE_FD]);
	return config->file ? 0 : -EBADF;
}

static int parse_landings(struct genl_info *info,
			  struct rescue_point_config *config)
{
	struct nlattr *all = info->attrs[REASSURE_A_LANDINGS];
	struct nlattr *nest;
	int rest, ret = 0;

	if (!all)
		return 0;
	config->landings = kcalloc(REASSURE_LANDING_FILES_MAX,
				   sizeof(*config->landings),
				   GFP_KERNEL_ACCOUNT);
	if (!config->landings)
		return -ENOMEM;
	nla_for_each_nested(nest, all, rest) {
		if (config->nr_landings == REASSURE_LANDING_FILES_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, nest,
					    "there are landings of too many files");
			return -ERANGE;
		}
		ret = parse_landings_of_file(info, nest,
					     &config->landings[config->nr_landings++]);
		if (ret)
			return ret;
	}
	return 0;
}

static int parse_config(struct genl_info *info,
			struct rescue_point_config *config)
{
	struct nlattr **attrs = info->attrs;
	const char *name;
	int ret;

	ret = required_name(info, &name);
	if (ret)
		return ret;
	strscpy(config->name, name, sizeof(config->name));
	if (!attrs[REASSURE_A_FILE_FD]) {
		NL_SET_ERR_MSG(info->extack, "the file descriptor is missing");
		return -EINVAL;
	}
	if (!attrs[REASSURE_A_OFFSET]) {
		NL_SET_ERR_MSG(info->extack, "the offset is missing");
		return -EINVAL;
	}
	config->offset = nla_get_u64(attrs[REASSURE_A_OFFSET]);
	ret = parse_build_id(info, config);
	if (ret)
		return ret;
	if (attrs[REASSURE_A_FUNCTION]) {
		config->function = nla_strdup(attrs[REASSURE_A_FUNCTION],
					      GFP_KERNEL_ACCOUNT);
		if (!config->function)
			return -ENOMEM;
	}
	config->executable = attrs[REASSURE_A_EXECUTABLE];
	return parse_exits(info, config) ?: parse_landings(info, config);
}

/*
 * What a message says of a place.
 *
 * Return: 0, with a reference to the file, and @config to be given away; or an
 * error, with nothing left to let go.
 */
static int parse_place(struct genl_info *info,
		       struct rescue_point_config *config, struct file **file)
{
	int ret = parse_config(info, config);

	if (!ret) {
		*file = get_file_of(info, info->attrs[REASSURE_A_FILE_FD]);
		if (!*file)
			ret = -EBADF;
	}
	if (ret)
		rescue_point_config_free(config);
	return ret;
}

/* What was asked for is done, and protects nobody.  A former warning may wait. */
static int warn_if_off(int ret, struct genl_info *info)
{
	if (!ret && switch_is_off())
		NL_SET_ERR_MSG(info->extack,
			       "the module is switched off, so that nothing is protected: see reassurectl status; reassurectl on switches it on");
	return ret;
}

static const struct rescue_point_settings default_settings = {
	.signals = REASSURE_SIGNALS_DEFAULT,
	.budget_rescues = REASSURE_BUDGET_DEFAULT,
	.budget_seconds = REASSURE_BUDGET_SECONDS_DEFAULT,
	.watchdog_ms = REASSURE_WATCHDOG_DEFAULT,
	.escalate = REASSURE_ESCALATE_DEFAULT,
	.enabled = true,
};

int reassure_nl_rescue_point_add_doit(struct sk_buff *skb,
				      struct genl_info *info)
{
	struct rescue_point_settings settings = default_settings;
	struct rescue_point_config config = {};
	struct file *file;
	int ret;

	ret = parse_first_settings(info, &settings);
	if (ret)
		return ret;
	ret = parse_place(info, &config, &file);
	if (ret) {
		cgroup_filter_free(settings.cgroups);
		return ret;
	}
	ret = rescue_point_add(&config, &settings, file, info->extack);
	fput(file);
	return warn_if_off(ret, info);
}

/* As in a message to add it. */
static int parse_change(struct genl_info *info, struct nlattr *nest,
			struct rescue_point_change *change)
{
	struct genl_info part = *info;
	int ret;

	change->attribute = nest;
	change->settings = default_settings;
	part.attrs = kcalloc(REASSURE_A_MAX + 1, sizeof(*part.attrs),
			     GFP_KERNEL);
	if (!part.attrs)
		return -ENOMEM;
	ret = nla_parse_nested(part.attrs,
			       ARRAY_SIZE(reassure_rescue_point_nl_policy) - 1,
			       nest, reassure_rescue_point_nl_policy,
			       info->extack) ?:
	      parse_first_settings(&part, &change->settings) ?:
	      parse_place(&part, &change->config, &change->file);
	/* Where it is not known which attribute is at fault. */
	if (ret && !info->extack->bad_attr)
		NL_SET_BAD_ATTR(info->extack, nest);
	if (ret)
		cgroup_filter_free(change->settings.cgroups);
	kfree(part.attrs);
	return ret;
}

static unsigned int count_changes(const struct genl_info *info)
{
	const struct nlattr *attr;
	unsigned int n = 0;
	int rest;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest)
		n += nla_type(attr) == REASSURE_A_RESCUE_POINT;
	return n;
}

int reassure_nl_apply_doit(struct sk_buff *skb, struct genl_info *info)
{
	bool prune = info->attrs[REASSURE_A_PRUNE];
	unsigned int n = count_changes(info), parsed = 0, i;
	struct rescue_point_change *changes;
	struct nlattr *attr;
	int rest, ret = 0;

	if (n > REASSURE_APPLY_MAX) {
		NL_SET_ERR_MSG(info->extack,
			       "these are too many rescue points for one message");
		return -E2BIG;
	}
	changes = kvcalloc(n + 1, sizeof(*changes), GFP_KERNEL_ACCOUNT);
	if (!changes)
		return -ENOMEM;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != REASSURE_A_RESCUE_POINT)
			continue;
		ret = parse_change(info, attr, &changes[parsed]);
		if (ret)
			break;
		parsed++;
	}
	if (!ret) {
		ret = rescue_point_apply(changes, n, prune, info->extack);
	} else {
		for (i = 0; i < parsed; i++) {
			rescue_point_config_free(&changes[i].config);
			cgroup_filter_free(changes[i].settings.cgroups);
		}
	}
	for (i = 0; i < parsed; i++)
		fput(changes[i].file);
	kvfree(changes);
	return n ? warn_if_off(ret, info) : ret;
}

int reassure_nl_rescue_point_rebind_doit(struct sk_buff *skb,
					 struct genl_info *info)
{
	struct rescue_point_config config = {};
	struct file *file;
	int ret;

	ret = parse_place(info, &config, &file);
	if (ret)
		return ret;
	ret = rescue_point_rebind(&config, file, info->extack);
	fput(file);
	return warn_if_off(ret, info);
}

static int change_settings(struct rescue_point_settings *settings, void *data)
{
	return parse_settings(data, settings);
}

int reassure_nl_rescue_point_set_doit(struct sk_buff *skb,
				      struct genl_info *info)
{
	const char *name;
	int ret, i;

	ret = required_name(info, &name);
	if (ret)
		return ret;
	for (i = REASSURE_A_NAME + 1; i <= REASSURE_A_MAX; i++)
		if (info->attrs[i])
			return warn_if_off(rescue_point_set(name, change_settings,
							    info, info->extack),
					   info);
	NL_SET_ERR_MSG(info->extack, "there is nothing to change");
	return -EINVAL;
}

int reassure_nl_rescue_point_del_doit(struct sk_buff *skb,
				      struct genl_info *info)
{
	const char *name;
	int ret;

	ret = required_name(info, &name);
	return ret ?: rescue_point_delete(name, info->extack);
}

int reassure_nl_rescue_point_flush_doit(struct sk_buff *skb,
					struct genl_info *info)
{
	rescue_point_delete_all();
	return 0;
}

static int parse_order(struct genl_info *info, struct injection_order *order)
{
	const struct nlattr *signal = info->attrs[REASSURE_A_INJECT_SIGNAL];
	const struct nlattr *count = info->attrs[REASSURE_A_INJECT_COUNT];
	const struct nlattr *every = info->attrs[REASSURE_A_INJECT_EVERY];
	const struct nlattr *off = info->attrs[REASSURE_A_INJECT_OFF];

	if (off && (signal || count || every)) {
		NL_SET_ERR_MSG_ATTR(info->extack, off,
				    "faults are either injected or not any more");
		return -EINVAL;
	}
	if (off)
		return 0;
	if (!signal) {
		NL_SET_ERR_MSG(info->extack,
			       "the signal of the faults to inject is missing");
		return -EINVAL;
	}
	if (count && every) {
		NL_SET_ERR_MSG_ATTR(info->extack, every,
				    "either so many calls fault, or every so many calls one");
		return -EINVAL;
	}
	order->signal = nla_get_u32(signal);
	if (nla_get_u32(signal) - 1 >= 64 ||
	    !(BIT_ULL(order->signal - 1) & ALLOWED_SIGNALS)) {
		NL_SET_ERR_MSG_ATTR(info->extack, signal,
				    "one signal is needed, out of ILL TRAP ABRT BUS FPE SEGV SYS");
		return -EINVAL;
	}
	if (every)
		order->every = nla_get_u32(every);
	else
		order->count = count ? nla_get_u32(count) : 1;
	return 0;
}

int reassure_nl_inject_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct injection_order order = {};
	const char *name;
	int ret;

	ret = required_name(info, &name) ?: parse_order(info, &order);
	return ret ?: rescue_point_inject(name, &order, info->extack);
}

static int put_counters(struct sk_buff *skb, int attribute, atomic64_t *values,
			unsigned int count)
{
	struct nlattr *nest = nla_nest_start(skb, attribute);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < count; i++)
		if (nla_put_u64_64bit(skb, i + 1, atomic64_read(&values[i]),
				      0))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_all_counters(struct sk_buff *skb, struct counters *counters)
{
	return put_counters(skb, REASSURE_A_COUNTERS, counters->events,
			    REASSURE_COUNTERS) ?:
	       put_counters(skb, REASSURE_A_REFUSED, counters->refused,
			    REASSURE_REFUSALS);
}

static void cut_off(char *text, const char *end)
{
	size_t length = strlen(text), cut = strlen(end);

	if (length > cut && !strcmp(text + length - cut, end))
		text[length - cut] = 0;
}

static int put_path(struct sk_buff *skb, int attribute,
		    const struct path *path)
{
	char *buffer = kmalloc(PATH_MAX, GFP_KERNEL);
	char *name;
	int ret;

	if (!buffer)
		return -ENOMEM;
	name = d_path(path, buffer, PATH_MAX);
	if (IS_ERR(name)) {
		ret = PTR_ERR(name);
	} else {
		/* Which REASSURE_A_FILE_STATE says in a better way. */
		if (d_unlinked(path->dentry))
			cut_off(name, " (deleted)");
		ret = nla_put_string(skb, attribute, name);
	}
	kfree(buffer);
	return ret;
}

static int put_config(struct sk_buff *skb,
		      const struct rescue_point_config *config)
{
	if (nla_put_string(skb, REASSURE_A_NAME, config->name) ||
	    nla_put_u64_64bit(skb, REASSURE_A_OFFSET, config->offset,
			      REASSURE_A_PAD))
		return -EMSGSIZE;
	if (config->function &&
	    nla_put_string(skb, REASSURE_A_FUNCTION, config->function))
		return -EMSGSIZE;
	if (config->build_id_size &&
	    nla_put(skb, REASSURE_A_BUILD_ID, config->build_id_size,
		    config->build_id))
		return -EMSGSIZE;
	if (config->nr_exits &&
	    nla_put(skb, REASSURE_A_EXITS, config->nr_exits * sizeof(u64),
		    config->exits))
		return -EMSGSIZE;
	if (config->build_id_offset >= 0 &&
	    nla_put_u64_64bit(skb, REASSURE_A_BUILD_ID_OFFSET,
			      config->build_id_offset, REASSURE_A_PAD))
		return -EMSGSIZE;
	return config->executable ? nla_put_flag(skb, REASSURE_A_EXECUTABLE) :
				    0;
}

static int put_landings_of_file(struct sk_buff *skb,
				const struct landings *landings)
{
	const struct probed_file *pf = &landings->file;
	struct nlattr *nest = nla_nest_start(skb, 1), *attr;
	unsigned int i;
	u64 offset;
	int ret;

	if (!nest)
		return -EMSGSIZE;
	attr = nla_reserve(skb, REASSURE_LANDINGS_OFFSETS,
			   landings->count * sizeof(u64));
	if (!attr)
		return -EMSGSIZE;
	for (i = 0; i < landings->count; i++) {
		offset = landings->probes[i].offset;
		memcpy(nla_data(attr) + i * sizeof(offset), &offset,
		       sizeof(offset));
	}
	ret = nla_put_u32(skb, REASSURE_LANDINGS_PROBED,
			  landings_probed(landings)) ?:
	      nla_put_u32(skb, REASSURE_LANDINGS_FILE_STATE,
			  probed_file_state(pf)) ?:
	      put_path(skb, REASSURE_LANDINGS_PATH, &pf->path);
	if (!ret)
		nla_nest_end(skb, nest);
	return ret;
}

static int put_landings(struct sk_buff *skb, const struct rescue_point *rp)
{
	struct nlattr *nest;
	unsigned int i;
	int ret = 0;

	if (!rp->nr_landings)
		return 0;
	nest = nla_nest_start(skb, REASSURE_A_LANDINGS);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; !ret && i < rp->nr_landings; i++)
		ret = put_landings_of_file(skb, &rp->landings[i]);
	if (!ret)
		nla_nest_end(skb, nest);
	return ret;
}

static int put_cgroups(struct sk_buff *skb, const struct cgroup_filter *filter)
{
	struct nlattr *nest;
	const char *path;
	unsigned int i;

	if (!filter)
		return 0;
	nest = nla_nest_start(skb, REASSURE_A_CGROUPS);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; (path = cgroup_filter_path(filter, i)); i++)
		if (nla_put_string(skb, REASSURE_CGROUPS_PATH, path))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_settings(struct sk_buff *skb,
			const struct rescue_point_settings *settings)
{
	if (nla_put_u64_64bit(skb, REASSURE_A_SIGNALS, settings->signals,
			      REASSURE_A_PAD) ||
	    nla_put_u32(skb, REASSURE_A_HANDLED, settings->handled) ||
	    nla_put_u32(skb, REASSURE_A_SHARED, settings->shared) ||
	    nla_put_u32(skb, REASSURE_A_EXHAUSTED, settings->exhausted) ||
	    nla_put_u8(skb, REASSURE_A_ALLOW_SETUID, settings->allow_setuid))
		return -EMSGSIZE;
	if (settings->has_value &&
	    nla_put_s64(skb, REASSURE_A_RETURN, settings->value,
			REASSURE_A_PAD))
		return -EMSGSIZE;
	if (settings->deadline_ms &&
	    nla_put_u32(skb, REASSURE_A_DEADLINE, settings->deadline_ms))
		return -EMSGSIZE;
	if (nla_put_u32(skb, REASSURE_A_MODE, settings->mode) ||
	    nla_put_u8(skb, REASSURE_A_ENABLED, settings->enabled) ||
	    nla_put_u32(skb, REASSURE_A_THREADS, settings->threads) ||
	    nla_put_u32(skb, REASSURE_A_WATCHDOG, settings->watchdog_ms) ||
	    nla_put_u32(skb, REASSURE_A_ESCALATE, settings->escalate))
		return -EMSGSIZE;
	if (!settings->budget_rescues)
		return nla_put_flag(skb, REASSURE_A_BUDGET_UNLIMITED);
	if (nla_put_u32(skb, REASSURE_A_BUDGET_RESCUES,
			settings->budget_rescues) ||
	    nla_put_u32(skb, REASSURE_A_BUDGET_SECONDS,
			settings->budget_seconds))
		return -EMSGSIZE;
	return 0;
}

static int put_order(struct sk_buff *skb, struct injection *injection)
{
	struct injection_order order;

	injection_order(injection, &order);
	if (!order.signal)
		return 0;
	if (nla_put_u32(skb, REASSURE_A_INJECT_SIGNAL, order.signal))
		return -EMSGSIZE;
	return order.every ?
	       nla_put_u32(skb, REASSURE_A_INJECT_EVERY, order.every) :
	       nla_put_u32(skb, REASSURE_A_INJECT_COUNT, order.count);
}

/**
 * struct rescue_point_reply - a message with a rescue point, being made
 * @skb: the message
 * @portid: to whom
 * @seq: in answer to what
 * @flags: NLM_F_MULTI in a dump
 * @cb: the dump or NULL
 */
struct rescue_point_reply {
	struct sk_buff *skb;
	u32 portid;
	u32 seq;
	int flags;
	struct netlink_callback *cb;
};

static int put_rescue_point(struct rescue_point *rp, void *data)
{
	struct rescue_point_reply *reply = data;
	void *header;
	int ret;

	header = genlmsg_put(reply->skb, reply->portid, reply->seq, &family,
			     reply->flags, REASSURE_CMD_RESCUE_POINT_GET);
	if (!header)
		return -EMSGSIZE;
	if (reply->cb)
		genl_dump_check_consistent(reply->cb, header);
	ret = put_config(reply->skb, &rp->config) ?:
	      put_settings(reply->skb, &rp->settings) ?:
	      put_cgroups(reply->skb, rp->settings.cgroups) ?:
	      put_path(reply->skb, REASSURE_A_PATH, &rp->file.path) ?:
	      nla_put_u32(reply->skb, REASSURE_A_FILE_STATE,
			  rescue_point_file_state(rp)) ?:
	      put_landings(reply->skb, rp) ?:
	      put_order(reply->skb, &rp->injection) ?:
	      put_all_counters(reply->skb, &rp->counters);
	if (ret) {
		genlmsg_cancel(reply->skb, header);
		return ret;
	}
	genlmsg_end(reply->skb, header);
	if (reply->cb)
		reply->cb->args[0]++;
	return 0;
}

int reassure_nl_rescue_point_get_doit(struct sk_buff *skb,
				      struct genl_info *info)
{
	struct rescue_point_reply reply = {
		.portid = info->snd_portid,
		.seq = info->snd_seq,
	};
	const char *name;
	int ret;

	ret = required_name(info, &name);
	if (ret)
		return ret;
	reply.skb = genlmsg_new(REPLY_BYTES, GFP_KERNEL);
	if (!reply.skb)
		return -ENOMEM;
	ret = rescue_point_visit(name, 0, put_rescue_point, &reply);
	if (ret == -ENOENT)
		NL_SET_ERR_MSG(info->extack,
			       "there is no rescue point of this name");
	if (ret) {
		nlmsg_free(reply.skb);
		return ret;
	}
	return genlmsg_reply(reply.skb, info);
}

int reassure_nl_rescue_point_get_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = REPLY_BYTES;
	return check_capability(cb->skb, cb->extack);
}

int reassure_nl_rescue_point_get_dumpit(struct sk_buff *skb,
					struct netlink_callback *cb)
{
	struct rescue_point_reply reply = {
		.skb = skb,
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.cb = cb,
	};
	int ret;

	cb->seq = rescue_point_generation();
	ret = rescue_point_visit(NULL, cb->args[0], put_rescue_point, &reply);
	/* What did not fit comes in the next message. */
	if (ret == -EMSGSIZE && skb->len)
		ret = 0;
	return ret ?: skb->len;
}

static int put_event(u64 number, const struct sk_buff *event, void *data)
{
	struct rescue_point_reply *reply = data;
	void *header;

	/* Else it might never end. */
	if (number > (u64)reply->cb->args[1])
		return 1;
	header = genlmsg_put(reply->skb, reply->portid, reply->seq, &family,
			     reply->flags, REASSURE_CMD_EVENT_GET);
	if (!header)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(reply->skb, REASSURE_EVENT_NUMBER, number,
			      REASSURE_EVENT_PAD) ||
	    skb_tailroom(reply->skb) < event->len) {
		genlmsg_cancel(reply->skb, header);
		return -EMSGSIZE;
	}
	skb_put_data(reply->skb, event->data, event->len);
	genlmsg_end(reply->skb, header);
	reply->cb->args[0] = number;
	return 0;
}

/* In @cb->args: the last that was sent, and the last to be sent. */
int reassure_nl_event_get_start(struct netlink_callback *cb)
{
	int ret = check_capability(cb->skb, cb->extack);
	struct events_total total;
	struct nlattr *after;

	if (ret)
		return ret;
	after = compat_dump_attributes(cb)[REASSURE_EVENT_NUMBER];
	events_total(&total);
	cb->min_dump_alloc = EVENT_REPLY_BYTES;
	cb->args[0] = after ? nla_get_u64(after) : 0;
	cb->args[1] = total.last;
	return 0;
}

int reassure_nl_event_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct rescue_point_reply reply = {
		.skb = skb,
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.cb = cb,
	};

	events_visit(cb->args[0], put_event, &reply);
	return skb->len;
}

int reassure_nl_status_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	struct events_total events;
	void *header;

	if (!msg)
		return -ENOMEM;
	events_total(&events);
	header = genlmsg_put_reply(msg, info, &family, 0,
				   REASSURE_CMD_STATUS_GET);
	if (!header ||
	    nla_put_u32(msg, REASSURE_A_RESCUE_POINTS, rescue_point_count()) ||
	    nla_put_u32(msg, REASSURE_A_OFF, switch_state()) ||
	    nla_put_string(msg, REASSURE_A_MODULE_VERSION,
			   THIS_MODULE->version) ||
	    nla_put_u64_64bit(msg, REASSURE_A_EVENTS, events.last,
			      REASSURE_A_PAD) ||
	    nla_put_u64_64bit(msg, REASSURE_A_EVENTS_LOST, events.lost,
			      REASSURE_A_PAD) ||
	    put_all_counters(msg, &reassure_counters)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, header);
	return genlmsg_reply(msg, info);
}

int reassure_nl_switch_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *enabled = info->attrs[REASSURE_A_ENABLED];

	if (!enabled) {
		NL_SET_ERR_MSG(info->extack,
			       "REASSURE_A_ENABLED is missing: whether to switch the module on");
		return -EINVAL;
	}
	if (nla_get_u8(enabled))
		switch_on();
	else
		switch_off(REASSURE_OFF_ADMINISTRATOR);
	/* Not later, so that what comes after the answer is so. */
	rescue_points_follow_switch();
	return 0;
}

/* Those that are generated ask for no capability. */
static const struct genl_multicast_group groups[] = {
	[REASSURE_NLGRP_EVENTS] = {
		.name = REASSURE_EVENTS_GROUP,
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

static struct genl_ops ops[ARRAY_SIZE(reassure_nl_ops)] __ro_after_init;
static struct nla_policy policies[ARRAY_SIZE(ops)][REASSURE_A_MAX + 1]
__ro_after_init;

static struct genl_family family = {
	.name = REASSURE_GENL_NAME,
	.version = REASSURE_GENL_VERSION,
	.module = THIS_MODULE,
	/* An administrator in a network namespace of his own may use it. */
	.netnsok = true,
	/* The registry has its lock; to unregister probes may take long. */
	.parallel_ops = true,
	.pre_doit = pre_doit,
	.ops = ops,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

bool netlink_events_have_listeners(void)
{
	return genl_has_listeners(&family, &init_net,
				  REASSURE_NLGRP_EVENTS) > 0;
}

/*
 * That there are events up to @number.
 *
 * Only in the initial network namespace: in another, who is root in its user
 * namespace may listen.  Where there is no memory nobody is told; the next
 * event is found with this one.
 */
void netlink_announce_event(u64 number)
{
	struct sk_buff *msg = genlmsg_new(nla_total_size_64bit(sizeof(number)),
					  GFP_KERNEL);
	void *header;

	if (!msg)
		return;
	header = genlmsg_put(msg, 0, 0, &family, 0, REASSURE_CMD_EVENT_NTF);
	if (!header ||
	    nla_put_u64_64bit(msg, REASSURE_EVENT_NUMBER, number,
			      REASSURE_EVENT_PAD)) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, header);
	/* Who cannot be told is told that by the kernel. */
	genlmsg_multicast(&family, msg, 0, REASSURE_NLGRP_EVENTS,
			  GFP_KERNEL);
}

/*
 * Puts the generated operations, which have an entry for a command's do and one
 * for its dump, into the older form with one for both.  Linux 6.1 knows no
 * other; and with it pre_doit is asked of every command, so that none can be
 * without.  A dump without a policy has that of its do.
 *
 * A generated policy ends with the last attribute that its command takes, as
 * does info->attrs then.  Here each is as long as the list of all attributes, so
 * that what is common to commands may look for any of them.
 */
static int __init join_operations(void)
{
	const struct genl_split_ops *split = reassure_nl_ops;
	struct genl_ops *op = ops;

	for (; split < reassure_nl_ops + ARRAY_SIZE(reassure_nl_ops); split++) {
		if (split > reassure_nl_ops && split->cmd != op->cmd)
			op++;
		op->cmd = split->cmd;
		if (WARN_ON(split->maxattr > REASSURE_A_MAX))
			return -EINVAL;
		if (split->policy) {
			memcpy(policies[op - ops], split->policy,
			       (split->maxattr + 1) * sizeof(*split->policy));
			op->policy = policies[op - ops];
			op->maxattr = REASSURE_A_MAX;
		}
		if (split->flags & GENL_CMD_CAP_DUMP) {
			op->start = split->start;
			op->dumpit = split->dumpit;
			op->done = split->done;
		} else {
			op->doit = split->doit;
		}
	}
	family.n_ops = op - ops + 1;
	return 0;
}

/* A socket is closed, and in no group any more. */
static int on_release(struct notifier_block *block, unsigned long action,
		      void *data)
{
	const struct netlink_notify *notify = data;

	if (action == NETLINK_URELEASE &&
	    notify->protocol == NETLINK_GENERIC &&
	    !netlink_events_have_listeners())
		events_forget();
	return NOTIFY_DONE;
}

static struct notifier_block release_notifier = {
	.notifier_call = on_release,
};

int __init reassure_netlink_init(void)
{
	int ret = join_operations() ?: genl_register_family(&family);

	if (ret)
		return ret;
	ret = netlink_register_notifier(&release_notifier);
	if (ret) {
		genl_unregister_family(&family);
		return ret;
	}
	events_announce(true);
	return 0;
}

void reassure_netlink_exit(void)
{
	events_announce(false);
	netlink_unregister_notifier(&release_notifier);
	genl_unregister_family(&family);
}
