// SPDX-License-Identifier: GPL-2.0
/*
 * Landings: the instructions of longjmp(), of the unwinder of exceptions and
 * of setcontext() that go to another frame when its stack pointer is set.
 * Probed, they tell at once that a call was left.
 *
 * What the probe finds is judged by the stack pointer alone, so one too many
 * does no harm, and one that cannot be set leaves what is seen without it.
 */
#include <linux/netlink.h>
#include <linux/slab.h>

#include "arch/x86/registers.h"
#include "checkpoint.h"
#include "landings.h"
#include "rescue_point.h"

static int on_landing(struct uprobe_consumer *consumer, struct pt_regs *regs)
{
	struct probe *probe = container_of(consumer, struct probe, consumer);

	checkpoint_landed(instruction_is_return(probe->instruction.bytes) ?
			  regs->sp + sizeof(unsigned long) : regs->sp);
	return 0;
}

/*
 * Whether current's @mm is to have the breakpoint, before it is set: the mmap
 * lock is held.  An executable is mapped before its libraries, so a process
 * that has not mapped it by now never will.
 */
static bool on_mapping(COMPAT_FILTER_PARAMETERS)
{
	struct probe *probe = container_of(consumer, struct probe, consumer);
	const struct rescue_point *rp = probe->rp;

	if (COMPAT_FILTER_IS_REMOVAL)
		return true;
	if (rp->config.executable && !file_is_mapped(rp->file.inode, mm))
		return false;
	return !probe_check_mapped(probe, mm);
}

static int init_probes(struct landings *landings, struct rescue_point *rp,
		       const struct landings_config *config)
{
	unsigned int i;
	int ret = 0;

	landings->probes = kcalloc(config->count, sizeof(*landings->probes),
				   GFP_KERNEL_ACCOUNT);
	if (!landings->probes)
		return -ENOMEM;
	landings->count = config->count;
	for (i = 0; !ret && i < config->count; i++) {
		probe_init(&landings->probes[i], rp, &landings->file,
			   config->offsets[i], on_landing, on_mapping);
		ret = probe_read(&landings->probes[i], config->file);
	}
	return ret;
}

/**
 * landings_init() - bind landings to what their file holds now
 * @landings: what landings_free() lets go, also after an error
 * @rp: whose they are; its file is bound
 * @config: which they are
 * @extack: receives what is wrong
 *
 * Return: 0 or an error.
 */
int landings_init(struct landings *landings, struct rescue_point *rp,
		  const struct landings_config *config,
		  struct netlink_ext_ack *extack)
{
	struct probed_file *pf = &landings->file;
	int ret = probed_file_init(pf, config->file, extack);

	if (ret)
		return ret;
	/* They ascend. */
	if (!probed_file_reaches(pf, config->offsets[config->count - 1])) {
		NL_SET_ERR_MSG(extack, "a landing is beyond the end of its file");
		return -ERANGE;
	}
	ret = probed_file_identify_by_page(pf, config->file,
					   config->offsets[0]) ?:
	      init_probes(landings, rp, config);
	if (ret)
		NL_SET_ERR_MSG(extack, "the file of landings cannot be read");
	return ret;
}

/**
 * landings_start() - probe them
 * @landings: bound before
 *
 * The registry's lock is held.  landings_probed() tells of how many that could
 * be done.
 */
void landings_start(struct landings *landings)
{
	struct probe *probe, *end = landings->probes + landings->count;

	probed_file_begin(&landings->file);
	for (probe = landings->probes; probe < end; probe++)
		if (probe_is_allowed(probe) && !probe_note(probe))
			probe_register(probe);
	if (probed_file_settle(&landings->file))
		landings_stop(landings);
}

void landings_stop(struct landings *landings)
{
	probes_unregister(landings->probes, landings->count);
}

/* How many are probed. */
unsigned int landings_probed(const struct landings *landings)
{
	unsigned int i, probed = 0;

	for (i = 0; i < landings->count; i++)
		probed += landings->probes[i].registered;
	return probed;
}

/* None is probed any more. */
void landings_free(struct landings *landings)
{
	probed_file_free(&landings->file);
	kfree(landings->probes);
}
