/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_FILE_IDENTITY_H
#define _REASSURE_FILE_IDENTITY_H

#include <linux/time64.h>
#include <linux/types.h>

struct file;
struct inode;
struct instruction;
struct mm_struct;

/**
 * struct file_identity - by what the build of a file is known again
 * @offset: where in the file
 * @size: how much, at most a page
 * @content: what is there: the build-id, or the page of the function
 * @modified: the file's time of modification then
 * @file_size: and its size
 */
struct file_identity {
	loff_t offset;
	u32 size;
	u8 *content;
	struct timespec64 modified;
	loff_t file_size;
};

int file_identity_record(struct file_identity *identity, struct file *file,
			 struct inode *inode, loff_t offset, u32 size);
bool file_identity_may_differ(const struct file_identity *identity,
			      const struct inode *inode);
int file_identity_check_mapped(const struct file_identity *identity,
			       struct inode *inode, struct mm_struct *mm,
			       const struct instruction *instruction,
			       loff_t offset);
bool file_is_mapped(struct inode *inode, struct mm_struct *mm);
bool file_is_private(const struct inode *inode, struct mm_struct *mm,
		     loff_t offset);
void file_identity_free(struct file_identity *identity);

#endif
