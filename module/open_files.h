/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_OPEN_FILES_H
#define _REASSURE_OPEN_FILES_H

#include <linux/types.h>

struct file;

/* Descriptors of the entry that one call may close. */
#define OPEN_FILES_KEPT		32
/* Open files of the entry whose flags one call may change. */
#define OPEN_FILES_FLAGGED	8

/**
 * struct kept_file - a descriptor that the call has closed
 * @file: its open file, with a reference
 * @fd: its number
 * @close_on_exec: its flag
 * @reserved: nothing else has the number now, and a rollback has begun
 */
struct kept_file {
	struct file *file;
	unsigned int fd;
	bool close_on_exec;
	bool reserved;
};

/**
 * struct file_offset - where a descriptor stood at the entry
 * @pos: the offset
 * @fd: the descriptor
 * @restore: whether a rollback changes it
 */
struct file_offset {
	loff_t pos;
	unsigned int fd;
	bool restore;
};

/**
 * struct flagged_file - an open file of the entry with other flags now
 * @file: the open file, with a reference
 * @flags: its f_flags at the entry
 * @iocb_flags: and what the kernel derives from them
 * @restore: whether a rollback changes them
 */
struct flagged_file {
	struct file *file;
	unsigned int flags;
	unsigned int iocb_flags;
	bool restore;
};

/**
 * struct open_files - the descriptors of a thread's process, at an entry
 * @first: those of the outermost call of the thread
 * @inner: those of the call inside, or NULL
 * @known: bitmap of the descriptors that were open at the last entry and have
 *	not been closed or replaced since; cleared by the call that does so,
 *	inside or outside of a rescue point
 * @close_on_exec: bitmap, as at the entry when @has_close_on_exec
 * @words: of each of the two
 * @opened: bitmap of what a rollback closes, while one is under way
 * @opened_words: of that
 * @stale: somebody else may have changed descriptors: look at all again
 * @sharers: how many threads of the process, and nobody else, have them
 * @others_run: these run during the call
 * @has_close_on_exec: the call changes some of these flags
 * @nr_kept: entries of @kept in use
 * @nr_flagged: entries of @flagged in use
 * @nr_offsets: entries of @offsets in use: regular files, directories, block
 *	devices among the known
 * @offsets_room: entries there are
 * @offsets: their offsets at the entry
 * @kept: what the call has closed
 * @flagged: whose flags the call has changed
 *
 * All belongs to the thread, but @kept and @flagged: see
 * checkpoint.recording_lock.
 */
struct open_files {
	struct open_files *first;
	struct open_files *inner;
	unsigned long *known;
	unsigned long *close_on_exec;
	unsigned int words;
	unsigned long *opened;
	unsigned int opened_words;
	bool stale;
	unsigned int sharers;
	bool others_run;
	bool has_close_on_exec;
	unsigned int nr_kept;
	unsigned int nr_flagged;
	unsigned int nr_offsets;
	unsigned int offsets_room;
	struct file_offset *offsets;
	struct kept_file kept[OPEN_FILES_KEPT];
	struct flagged_file flagged[OPEN_FILES_FLAGGED];
};

int open_files_record(struct open_files *of, unsigned int sharers);
bool open_files_made_executable(struct open_files *of);
void open_files_put(struct open_files *of);
void open_files_free(struct open_files *of);

/* The call is over. */
static inline void open_files_drop(struct open_files *of)
{
	if (of->nr_kept || of->nr_flagged)
		open_files_put(of);
	of->has_close_on_exec = false;
}

/*
 * What the thread is about to do.  Each answers the enum reassure_refusal for
 * which a rollback could not undo it, or a negative number.  @recording says
 * whether a rollback may follow.
 */
int open_files_close(struct open_files *of, unsigned int fd, bool recording);
int open_files_close_range(struct open_files *of, unsigned int first,
			   unsigned int last, bool recording);
int open_files_close_on_exec(struct open_files *of);
int open_files_set_flags(struct open_files *of, unsigned int fd);
bool open_files_is_open(unsigned int fd);
bool open_files_have(const struct open_files *of, unsigned int fd);

/* Whether others than at the entry may change the descriptors, too. */
bool open_files_are_shared(const struct open_files *of);
/* Whether reading from @fd of current changes an offset. */
bool open_files_has_offset(unsigned int fd);

int open_files_prepare(struct open_files *of);
void open_files_cancel(struct open_files *of);
void open_files_commit(struct open_files *of);

#endif
