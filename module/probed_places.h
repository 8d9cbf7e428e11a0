/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_PROBED_PLACES_H
#define _REASSURE_PROBED_PLACES_H

#include <linux/time64.h>
#include <linux/types.h>

#include <asm/uprobes.h>

struct file;
struct inode;

/**
 * struct instruction - what the kernel may read of a file for a probe
 * @bytes: an instruction, and what follows it; zeroes behind the file's end
 */
struct instruction {
	u8 bytes[MAX_UINSN_BYTES];
};

int instruction_read(struct instruction *instruction, struct file *file,
		     loff_t offset);
bool probed_place_allows(const struct inode *inode, loff_t offset,
			 const struct instruction *instruction);
int probed_place_note(const struct inode *inode, loff_t offset,
		      const struct instruction *instruction,
		      const struct timespec64 *modified);
bool probed_places_were_before(const struct inode *inode,
			       const struct timespec64 *modified);
void probed_places_renew(const struct inode *inode,
			 const struct timespec64 *modified);
void reassure_probed_places_exit(void);

#endif
