// SPDX-License-Identifier: GPL-2.0
/*
 * Probes, and the files in which they are.
 */
#include <linux/elf.h>
#include <linux/fs.h>
#include <linux/netlink.h>

#include "probe.h"

/**
 * probed_file_init() - probes are to be set in a file
 * @pf: what probed_file_free() lets go, also after an error
 * @file: the executable or shared library, open for reading
 * @extack: receives what is wrong
 *
 * Return: 0 or an error.
 */
int probed_file_init(struct probed_file *pf, struct file *file,
		     struct netlink_ext_ack *extack)
{
	char magic[SELFMAG];
	loff_t start = 0;

	pf->path = file->f_path;
	path_get(&pf->path);
	/* What processes map; differs on overlayfs. */
	pf->inode = d_real_inode(pf->path.dentry);
	if (!S_ISREG(pf->inode->i_mode)) {
		NL_SET_ERR_MSG(extack, "the file is not a regular file");
		return -EINVAL;
	}
	if (kernel_read(file, magic, SELFMAG, &start) != SELFMAG ||
	    memcmp(magic, ELFMAG, SELFMAG)) {
		NL_SET_ERR_MSG(extack,
			       "the file is neither an executable nor a shared library");
		return -ENOEXEC;
	}
	return 0;
}

/* Lets the file be known again by the page that has @offset. */
int probed_file_identify_by_page(struct probed_file *pf, struct file *file,
				 loff_t offset)
{
	loff_t page = offset & PAGE_MASK;
	loff_t rest = i_size_read(pf->inode) - page;

	return file_identity_record(&pf->identity, file, pf->inode, page,
				    clamp_t(loff_t, rest, 1, PAGE_SIZE));
}

bool probed_file_reaches(const struct probed_file *pf, u64 offset)
{
	return offset < i_size_read(pf->inode);
}

/*
 * Probes are about to be set, whose places were noted.  A process may have the
 * pages in which there were breakpoints as they were before the file was
 * written to, and there another instruction.
 */
void probed_file_begin(struct probed_file *pf)
{
	pf->rewritten = probed_places_were_before(pf->inode,
						  &pf->identity.modified);
}

/**
 * probed_file_settle() - probes were set
 * @pf: the file
 *
 * Return: 0; -EBUSY when a process has pages of before the file was written to,
 * and the probes must be taken away again.
 */
int probed_file_settle(struct probed_file *pf)
{
	if (READ_ONCE(pf->mixed))
		return -EBUSY;
	if (pf->rewritten)
		probed_places_renew(pf->inode, &pf->identity.modified);
	WRITE_ONCE(pf->rewritten, false);
	return 0;
}

/* What became of the file. */
enum reassure_file_state probed_file_state(const struct probed_file *pf)
{
	struct dentry *dentry = pf->path.dentry;

	if (d_unlinked(dentry) || d_real_inode(dentry) != pf->inode)
		return REASSURE_FILE_REPLACED;
	/* To read it may take long, and who asks would keep others waiting. */
	return file_identity_may_differ(&pf->identity, pf->inode) ?
	       REASSURE_FILE_REWRITTEN : REASSURE_FILE_CURRENT;
}

/* No probe is there any more. */
void probed_file_free(struct probed_file *pf)
{
	path_put(&pf->path);
	file_identity_free(&pf->identity);
}

void probe_init(struct probe *probe, struct rescue_point *rp,
		struct probed_file *pf, loff_t offset, probe_handler *handler,
		probe_filter *filter)
{
	probe->rp = rp;
	probe->file = pf;
	probe->offset = offset;
	probe->consumer.handler = handler;
	probe->consumer.filter = filter;
}

/* Learns what is at the place. */
int probe_read(struct probe *probe, struct file *file)
{
	return instruction_read(&probe->instruction, file, probe->offset);
}

/**
 * probe_check_mapped() - whether a process has there what is to be probed
 * @probe: the probe
 * @mm: maps the file; its mmap lock is held
 *
 * Return: 0; -EBUSY when it has its own page from before the file was written
 * to, -ESTALE when the file holds something else; another error.
 */
int probe_check_mapped(struct probe *probe, struct mm_struct *mm)
{
	struct probed_file *pf = probe->file;

	if (READ_ONCE(pf->rewritten) &&
	    file_is_private(pf->inode, mm, probe->offset)) {
		WRITE_ONCE(pf->mixed, true);
		return -EBUSY;
	}
	return file_identity_check_mapped(&pf->identity, pf->inode, mm,
					  &probe->instruction, probe->offset);
}

/* The kernel must not execute what was at the place before. */
bool probe_is_allowed(const struct probe *probe)
{
	return probed_place_allows(probe->file->inode, probe->offset,
				   &probe->instruction);
}

/* The place is about to be probed. */
int probe_note(const struct probe *probe)
{
	return probed_place_note(probe->file->inode, probe->offset,
				 &probe->instruction,
				 &probe->file->identity.modified);
}

int probe_register(struct probe *probe)
{
	int ret = compat_uprobe_register(&probe->uprobe, probe->file->inode,
					 probe->offset, &probe->consumer);

	probe->registered = !ret;
	/* The kernel's own number, of which no program knows the meaning. */
	return ret == -ENOTSUPP ? -EOPNOTSUPP : ret;
}

/* All of them or, after an error, none. */
int probes_register(struct probe *probes, unsigned int count)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < count; i++)
		ret = probe_register(&probes[i]);
	if (ret)
		probes_unregister(probes, count);
	return ret;
}

/* Takes away those that there are; no handler of them runs afterwards. */
void probes_unregister(struct probe *probes, unsigned int count)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!probes[i].registered)
			continue;
		compat_uprobe_unregister(&probes[i].uprobe,
					 probes[i].file->inode,
					 probes[i].offset,
					 &probes[i].consumer);
		probes[i].registered = false;
		any = true;
	}
	if (any)
		compat_uprobe_unregister_sync();
}
