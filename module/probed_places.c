// SPDX-License-Identifier: GPL-2.0
/*
 * Where there have been probes, and which instructions were there.
 *
 * The kernel reads the instruction that it executes in the breakpoint's place
 * once, and keeps it while anybody probes the place or, from 6.12 on, is in a
 * call with a return probe from there, however long that takes.  Nothing tells
 * whether it still does, so a place stays what it was.
 */
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "probed_places.h"

/**
 * struct probed_place - where a probe is or was
 * @node: in the table, under the registry's lock
 * @inode: only ever compared, as the kernel does with its own record; with
 * @number: and
 * @generation: of the file, for another may come to be at its address
 * @offset: in the file
 * @instruction: what was there
 * @modified: the file's time of modification when it was probed last
 */
struct probed_place {
	struct hlist_node node;
	const struct inode *inode;
	unsigned long number;
	u32 generation;
	loff_t offset;
	struct instruction instruction;
	struct timespec64 modified;
};

/* By inode. */
static DEFINE_HASHTABLE(table, 8);

static bool is_in(const struct probed_place *place, const struct inode *inode)
{
	return place->inode == inode && place->number == inode->i_ino &&
	       place->generation == inode->i_generation;
}

static struct probed_place *find(const struct inode *inode, loff_t offset)
{
	struct probed_place *place;

	hash_for_each_possible(table, place, node, (unsigned long)inode)
		if (place->offset == offset && is_in(place, inode))
			return place;
	return NULL;
}

/* Reads what is at @offset of @file, which is open for reading. */
int instruction_read(struct instruction *instruction, struct file *file,
		     loff_t offset)
{
	ssize_t got;

	memset(instruction, 0, sizeof(*instruction));
	got = kernel_read(file, instruction->bytes, sizeof(instruction->bytes),
			  &offset);
	if (got < 0)
		return got;
	return got ? 0 : -ESTALE;
}

/**
 * probed_place_allows() - whether a place may be probed
 * @inode: the file
 * @offset: in the file
 * @instruction: what is there now
 */
bool probed_place_allows(const struct inode *inode, loff_t offset,
			 const struct instruction *instruction)
{
	struct probed_place *place = find(inode, offset);

	return !place || !memcmp(&place->instruction, instruction,
				 sizeof(*instruction));
}

/**
 * probed_place_note() - a place is about to be probed
 * @inode: the file
 * @offset: in the file
 * @instruction: what is there
 * @modified: the file's time of modification
 *
 * Return: 0 or -ENOMEM.
 */
int probed_place_note(const struct inode *inode, loff_t offset,
		      const struct instruction *instruction,
		      const struct timespec64 *modified)
{
	struct probed_place *place = find(inode, offset);

	if (place)
		return 0;
	place = kmalloc(sizeof(*place), GFP_KERNEL_ACCOUNT);
	if (!place)
		return -ENOMEM;
	place->inode = inode;
	place->number = inode->i_ino;
	place->generation = inode->i_generation;
	place->offset = offset;
	place->instruction = *instruction;
	place->modified = *modified;
	hash_add(table, &place->node, (unsigned long)inode);
	return 0;
}

/**
 * probed_places_were_before() - whether a file was probed with other content
 * @inode: the file
 * @modified: its time of modification
 */
bool probed_places_were_before(const struct inode *inode,
			       const struct timespec64 *modified)
{
	struct probed_place *place;

	hash_for_each_possible(table, place, node, (unsigned long)inode)
		if (is_in(place, inode) &&
		    !timespec64_equal(&place->modified, modified))
			return true;
	return false;
}

/* No process has pages of what was in @inode before @modified. */
void probed_places_renew(const struct inode *inode,
			 const struct timespec64 *modified)
{
	struct probed_place *place;

	hash_for_each_possible(table, place, node, (unsigned long)inode)
		if (is_in(place, inode))
			place->modified = *modified;
}

void reassure_probed_places_exit(void)
{
	struct probed_place *place;
	struct hlist_node *next;
	int bucket;

	hash_for_each_safe(table, bucket, next, place, node) {
		hash_del(&place->node);
		kfree(place);
	}
}
