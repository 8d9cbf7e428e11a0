// SPDX-License-Identifier: GPL-2.0
/*
 * The descriptors of a process: those that a call has opened are closed by a
 * rollback, regular files that it has closed are open again, offsets are as
 * at the entry.
 *
 * An entry costs a comparison of two bitmaps, and a read for each open file
 * that has an offset.  What is closed is told by system_calls.c.
 */
#include <linux/bitmap.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "open_files.h"
#include "page_log.h"

/* Files that other threads open between make_room() and look_at_all(). */
#define SPARE_OFFSETS	8

/* Flags that fcntl() and ioctl() change, but FASYNC. */
#define CHANGING_FLAGS	(O_APPEND | O_NONBLOCK | O_NDELAY | O_DIRECT | O_NOATIME)

/* The table of current, for who has locked it. */
static struct fdtable *own_table(void)
{
	return rcu_dereference_raw(current->files->fdt);
}

bool open_files_are_shared(const struct open_files *of)
{
	return atomic_read(&current->files->count) != of->sharers;
}

/*
 * Other threads of the process are stopped, but one in a system call that began
 * before may still open and close files, and replace the table.
 */
static void lock_table(const struct open_files *of)
{
	if (of->sharers > 1) {
		spin_lock(&current->files->file_lock);
		/* For sparse: unlock_table() must follow. */
		__release(&current->files->file_lock);
	}
}

static void unlock_table(const struct open_files *of)
{
	if (of->sharers > 1) {
		__acquire(&current->files->file_lock);
		spin_unlock(&current->files->file_lock);
	}
}

static struct file *file_of(const struct fdtable *table, unsigned int fd)
{
	return fd < table->max_fds ? rcu_dereference_raw(table->fd[fd]) : NULL;
}

/* Whether current has a descriptor @fd. */
bool open_files_is_open(unsigned int fd)
{
	return file_of(own_table(), fd);
}

static bool is_known(const struct open_files *of, unsigned int fd)
{
	return fd < of->words * BITS_PER_LONG && test_bit(fd, of->known);
}

/* Whether @file has an offset that reading or writing moves. */
static bool has_offset(struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	return (S_ISREG(mode) || S_ISDIR(mode) || S_ISBLK(mode)) &&
	       !(file->f_mode & FMODE_PATH);
}

bool open_files_has_offset(unsigned int fd)
{
	struct file *file = fget(fd);
	bool has = file && has_offset(file);

	if (file)
		fput(file);
	return has;
}

static int grow_bitmaps(struct open_files *of, unsigned int words)
{
	unsigned long *bitmaps;
	unsigned int copied = min(words, of->words);

	bitmaps = kvcalloc(2 * words, sizeof(*bitmaps), PAGE_LOG_GFP);
	if (!bitmaps)
		return -ENOMEM;
	if (copied)
		memcpy(bitmaps, of->known, copied * sizeof(*bitmaps));
	kvfree(of->known);
	of->known = bitmaps;
	of->close_on_exec = bitmaps + words;
	of->words = words;
	return 0;
}

static int reserve_offsets(struct open_files *of, unsigned int room)
{
	struct file_offset *offsets;

	if (room <= of->offsets_room)
		return 0;
	room = roundup_pow_of_two(room);
	offsets = kvmalloc_array(room, sizeof(*offsets), PAGE_LOG_GFP);
	if (!offsets)
		return -ENOMEM;
	if (of->nr_offsets)
		memcpy(offsets, of->offsets, of->nr_offsets * sizeof(*offsets));
	kvfree(of->offsets);
	of->offsets = offsets;
	of->offsets_room = room;
	return 0;
}

/* Those that have been closed go, whatever has their number now. */
static void forget_closed(struct open_files *of, const struct fdtable *table)
{
	unsigned int i, n = 0;

	for (i = 0; i < of->nr_offsets; i++)
		if (is_known(of, of->offsets[i].fd) &&
		    file_of(table, of->offsets[i].fd))
			of->offsets[n++] = of->offsets[i];
	of->nr_offsets = n;
}

/* False when there is no room for another offset. */
static bool look_at_new(struct open_files *of, const struct fdtable *table,
			unsigned int word)
{
	unsigned long new = table->open_fds[word] & ~of->known[word];
	unsigned int bit, fd;
	struct file *file;

	for_each_set_bit(bit, &new, BITS_PER_LONG) {
		fd = word * BITS_PER_LONG + bit;
		file = file_of(table, fd);
		if (!file || !has_offset(file))
			continue;
		if (of->nr_offsets == of->offsets_room)
			return false;
		of->offsets[of->nr_offsets++].fd = fd;
	}
	of->known[word] = table->open_fds[word];
	return true;
}

/* With the table locked.  False when there is not enough room. */
static bool look_at_all(struct open_files *of)
{
	const struct fdtable *table = own_table();
	unsigned int i;

	if (table->max_fds / BITS_PER_LONG != of->words)
		return false;
	forget_closed(of, table);
	for (i = 0; i < of->words; i++)
		if (!look_at_new(of, table, i))
			return false;
	return true;
}

/* Room for all that may be found. */
static int make_room(struct open_files *of)
{
	const struct fdtable *table;
	unsigned int words, open;

	lock_table(of);
	table = own_table();
	words = table->max_fds / BITS_PER_LONG;
	open = bitmap_weight(table->open_fds, table->max_fds);
	unlock_table(of);
	if (words != of->words && grow_bitmaps(of, words))
		return -ENOMEM;
	return reserve_offsets(of, of->nr_offsets + open + SPARE_OFFSETS);
}

/* Descriptors have come or gone since the last entry. */
static noinline int look_again(struct open_files *of)
{
	bool complete;

	if (of->stale)
		of->nr_offsets = 0;
	if (make_room(of))
		return REASSURE_REFUSED_MEMORY;
	if (of->stale)
		bitmap_zero(of->known, of->words * BITS_PER_LONG);
	/* Until all have been looked at. */
	of->stale = true;
	lock_table(of);
	complete = look_at_all(of);
	unlock_table(of);
	/* Another thread has opened some meanwhile. */
	if (!complete)
		return REASSURE_REFUSED_THREADS;
	/* Workers of io_uring open and close unseen, as other threads do. */
	of->stale = compat_has_io_uring() || of->sharers > 1;
	return -1;
}

static bool has_changed(const struct open_files *of,
			const struct fdtable *table)
{
	unsigned int words = table->max_fds / BITS_PER_LONG;
	unsigned int i;

	if (of->stale || words != of->words || compat_has_io_uring())
		return true;
	for (i = 0; i < words; i++)
		if (table->open_fds[i] != of->known[i])
			return true;
	return false;
}

/**
 * open_files_record() - current enters a rescue point
 * @of: the descriptors at its last entry
 * @sharers: how many threads of its process have them, itself included
 *
 * Return: negative, or the enum reassure_refusal.
 */
int open_files_record(struct open_files *of, unsigned int sharers)
{
	const struct fdtable *table;
	bool closed = false;
	struct file *file;
	unsigned int i;
	int refusal;

	/* What the others did while there were some was not seen. */
	if (of->sharers != sharers)
		of->stale = true;
	of->sharers = sharers;
	if (open_files_are_shared(of))
		return REASSURE_REFUSED_DESCRIPTOR;
	lock_table(of);
	table = own_table();
	if (unlikely(has_changed(of, table))) {
		unlock_table(of);
		refusal = look_again(of);
		if (refusal >= 0)
			return refusal;
		lock_table(of);
		table = own_table();
	}
	for (i = 0; i < of->nr_offsets; i++) {
		file = file_of(table, of->offsets[i].fd);
		if (likely(file))
			of->offsets[i].pos = file->f_pos;
		else
			closed = true;
	}
	/* Nothing else has changed, so that nobody has looked yet. */
	if (unlikely(closed))
		forget_closed(of, table);
	unlock_table(of);
	return -1;
}

static void drop_kept(struct open_files *of)
{
	while (of->nr_kept)
		fput(of->kept[--of->nr_kept].file);
}

/* For open_files_drop(): what the call has closed is closed. */
void open_files_put(struct open_files *of)
{
	drop_kept(of);
	while (of->nr_flagged)
		fput(of->flagged[--of->nr_flagged].file);
}

void open_files_free(struct open_files *of)
{
	kvfree(of->known);
	kvfree(of->offsets);
	/* Of a rollback that has failed. */
	kvfree(of->opened);
}

/*
 * Whether closing @file can be undone later without anybody's notice in
 * between: no other end waits for it, no lock goes with it.
 */
static bool can_be_kept(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode))
		return false;
	/* It could not be executed by its name until the call ends. */
	if (file->f_mode & FMODE_WRITE && inode->i_mode & 0111 &&
	    inode->i_nlink)
		return false;
	/* The locks of such file systems may be kept elsewhere. */
	if (file->f_op->lock || file->f_op->flock)
		return false;
	return !compat_has_locks(inode, file) && !compat_has_dnotify(inode);
}

/**
 * open_files_made_executable() - some file is about to become executable
 * @of: the descriptors of current
 *
 * One that is kept, and was open for writing, could not be executed.
 *
 * Return: whether files that were kept are closed now, because of that.
 */
bool open_files_made_executable(struct open_files *of)
{
	unsigned int i;

	for (i = 0; i < of->nr_kept; i++)
		if (of->kept[i].file->f_mode & FMODE_WRITE)
			break;
	if (i == of->nr_kept)
		return false;
	drop_kept(of);
	return true;
}

/* Remembers what close-on-exec was before the first change. */
static void keep_close_on_exec(struct open_files *of,
			       const struct fdtable *table)
{
	if (of->has_close_on_exec)
		return;
	memcpy(of->close_on_exec, table->close_on_exec,
	       of->words * sizeof(*of->close_on_exec));
	of->has_close_on_exec = true;
}

static bool was_close_on_exec(const struct open_files *of,
			      const struct fdtable *table, unsigned int fd)
{
	return test_bit(fd, of->has_close_on_exec ? of->close_on_exec :
						    table->close_on_exec);
}

/* With the table locked, as below. */
static int about_to_close(struct open_files *of, unsigned int fd,
			  bool recording)
{
	const struct fdtable *table = own_table();
	struct file *file = file_of(table, fd);
	bool known = is_known(of, fd);
	struct kept_file *kept;

	if (known)
		__clear_bit(fd, of->known);
	if (!file || !recording)
		return -1;
	if (!known)
		return compat_has_locks(file_inode(file), NULL) ?
		       REASSURE_REFUSED_DESCRIPTOR : -1;
	if (!can_be_kept(file) || of->nr_kept == OPEN_FILES_KEPT)
		return REASSURE_REFUSED_DESCRIPTOR;
	kept = &of->kept[of->nr_kept++];
	kept->file = get_file(file);
	kept->fd = fd;
	kept->close_on_exec = was_close_on_exec(of, table, fd);
	return -1;
}

/**
 * open_files_close() - @fd is about to be closed or replaced
 * @of: the descriptors of current
 * @fd: one of them, or not
 * @recording: whether a rollback may follow
 *
 * Closing also drops the POSIX locks that the process has on the file
 * through other descriptors.
 */
int open_files_close(struct open_files *of, unsigned int fd, bool recording)
{
	int refusal;

	lock_table(of);
	refusal = about_to_close(of, fd, recording);
	unlock_table(of);
	return refusal;
}

/* The same for all from @first to @last. */
int open_files_close_range(struct open_files *of, unsigned int first,
			   unsigned int last, bool recording)
{
	const struct fdtable *table;
	unsigned long end, fd = first;
	int refusal = -1;

	lock_table(of);
	table = own_table();
	end = min(last, table->max_fds - 1) + 1;
	while (recording && refusal < 0) {
		fd = find_next_bit(table->open_fds, end, fd);
		if (fd >= end)
			break;
		refusal = about_to_close(of, fd++, true);
	}
	unlock_table(of);
	if (recording && fd >= end)
		return refusal;
	/* Those behind the first that cannot be put back need not be kept. */
	end = min(end, of->words * (unsigned long)BITS_PER_LONG);
	if (fd < end)
		bitmap_clear(of->known, fd, end - fd);
	return refusal;
}

/* Some descriptor's close-on-exec flag is about to change. */
int open_files_close_on_exec(struct open_files *of)
{
	lock_table(of);
	keep_close_on_exec(of, own_table());
	unlock_table(of);
	return -1;
}

static bool is_kept(const struct open_files *of, const struct file *file)
{
	unsigned int i;

	for (i = 0; i < of->nr_kept; i++)
		if (of->kept[i].file == file)
			return true;
	return false;
}

/* With the table locked, as below. */
static bool has(const struct open_files *of, unsigned int fd)
{
	const struct fdtable *table = own_table();
	const struct file *file = file_of(table, fd);
	unsigned long other, end = of->words * BITS_PER_LONG;

	if (!file)
		return false;
	if (is_known(of, fd))
		return true;
	if (file_count(file) == 1)
		return false;
	for_each_set_bit(other, of->known, end)
		if (file_of(table, other) == file)
			return true;
	return is_kept(of, file);
}

/**
 * open_files_have() - whether a descriptor leads to an open file of the entry
 * @of: the descriptors of current
 * @fd: a descriptor; one that was made inside by dup() has the same open file
 */
bool open_files_have(const struct open_files *of, unsigned int fd)
{
	bool have;

	lock_table(of);
	have = has(of, fd);
	unlock_table(of);
	return have;
}

static int keep_flags(struct open_files *of, unsigned int fd)
{
	struct file *file = file_of(own_table(), fd);
	struct flagged_file *flagged;
	unsigned int i;

	if (!has(of, fd))
		return -1;
	for (i = 0; i < of->nr_flagged; i++)
		if (of->flagged[i].file == file)
			return -1;
	if (of->nr_flagged == OPEN_FILES_FLAGGED)
		return REASSURE_REFUSED_DESCRIPTOR;
	flagged = &of->flagged[of->nr_flagged++];
	flagged->file = get_file(file);
	flagged->flags = file->f_flags;
	flagged->iocb_flags = file->f_iocb_flags;
	return -1;
}

/* The flags of the open file of @fd are about to change, but not FASYNC. */
int open_files_set_flags(struct open_files *of, unsigned int fd)
{
	int refusal;

	lock_table(of);
	refusal = keep_flags(of, fd);
	unlock_table(of);
	return refusal;
}

static unsigned int count_mappings(const struct file *file)
{
	unsigned int count = 0;
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, current->mm, 0);

	for_each_vma(vmi, vma)
		count += vma->vm_file == file;
	return count;
}

/* How many references to @file the calls of current hold. */
static long count_references(const struct open_files *of,
			     const struct file *file)
{
	long count = 0;
	unsigned int i;

	for (of = of->first; of; of = of->inner) {
		for (i = 0; i < of->nr_kept; i++)
			count += of->kept[i].file == file;
		for (i = 0; i < of->nr_flagged; i++)
			count += of->flagged[i].file == file;
	}
	return count;
}

/*
 * Whether all references to @file are descriptors, mappings and those of calls
 * of current; the mmap lock is held.
 */
static bool is_own(const struct open_files *of, const struct file *file)
{
	const struct fdtable *table = own_table();
	long others = file_count(file);
	unsigned long fd;

	for_each_set_bit(fd, table->open_fds, table->max_fds)
		others -= file_of(table, fd) == file;
	others -= count_references(of, file);
	if (others > 0)
		others -= count_mappings(file);
	return others <= 0;
}

/* The open file that @fd had at the entry. */
static struct file *file_at_entry(const struct open_files *of, unsigned int fd)
{
	unsigned int i;

	if (is_known(of, fd))
		return file_of(own_table(), fd);
	for (i = 0; i < of->nr_kept; i++)
		if (of->kept[i].fd == fd)
			return of->kept[i].file;
	return NULL;
}

/* What the call has opened; with the table locked. */
static void find_opened(struct open_files *of, const struct fdtable *table)
{
	unsigned int word;

	for (word = 0; word < table->max_fds / BITS_PER_LONG; word++) {
		of->opened[word] = table->open_fds[word];
		if (word < of->words)
			of->opened[word] &= ~of->known[word];
	}
}

static bool closing_is_seen(const struct open_files *of,
			    const struct fdtable *table)
{
	struct file *file;
	unsigned int fd;

	for_each_set_bit(fd, of->opened, table->max_fds) {
		file = file_of(table, fd);
		/* The other may wait for what a thread has that waits for us. */
		if (file && (compat_has_locks(file_inode(file), NULL) ||
			     (of->sharers > 1 && file->f_op->flush)))
			return true;
	}
	return false;
}

/*
 * Nobody else gets the number of what the call has closed.  Where it has opened
 * something there since, the one takes the other's place.
 */
static void reserve_kept(struct open_files *of, const struct fdtable *table)
{
	struct kept_file *kept;
	unsigned int i;

	for (i = 0; i < of->nr_kept; i++) {
		kept = &of->kept[i];
		kept->reserved = !test_bit(kept->fd, of->opened);
		__clear_bit(kept->fd, of->opened);
		__set_bit(kept->fd, table->open_fds);
		if (!~table->open_fds[kept->fd / BITS_PER_LONG])
			__set_bit(kept->fd / BITS_PER_LONG,
				  table->full_fds_bits);
	}
}

/*
 * Who has opened, closed, read or written cannot be told where other threads
 * ran; nothing of theirs may be undone.
 */
static bool others_may_have_changed(const struct open_files *of,
				    const struct fdtable *table)
{
	const struct file_offset *offset = of->offsets;
	unsigned int i;

	/* What is put back of flags, others may have changed since. */
	if (of->nr_flagged || of->has_close_on_exec)
		return true;
	for (i = 0; i < of->opened_words; i++)
		if (of->opened[i])
			return true;
	for (i = 0; i < of->words; i++)
		if (of->known[i] & ~table->open_fds[i])
			return true;
	for (i = 0; i < of->nr_offsets; i++, offset++) {
		const struct file *file = file_at_entry(of, offset->fd);

		if (file && file->f_pos != offset->pos)
			return true;
	}
	return false;
}

static int prepare(struct open_files *of)
{
	const struct fdtable *table = own_table();
	unsigned int i;

	if (table->max_fds > of->opened_words * BITS_PER_LONG)
		return REASSURE_REFUSED_THREADS;
	find_opened(of, table);
	if (open_files_are_shared(of) || closing_is_seen(of, table) ||
	    (of->others_run && others_may_have_changed(of, table)))
		return REASSURE_REFUSED_DESCRIPTOR;
	for (i = 0; i < of->nr_offsets; i++) {
		struct file_offset *offset = &of->offsets[i];
		struct file *file = file_at_entry(of, offset->fd);

		offset->restore = file && file->f_pos != offset->pos &&
				  is_own(of, file);
	}
	for (i = 0; i < of->nr_flagged; i++)
		of->flagged[i].restore = is_own(of, of->flagged[i].file);
	reserve_kept(of, table);
	return -1;
}

static void forget_opened(struct open_files *of)
{
	kvfree(of->opened);
	of->opened = NULL;
}

/**
 * open_files_prepare() - do all of a rollback that can fail
 * @of: the descriptors of current, which is inside; its mmap lock is held
 *
 * Return: negative, or the enum reassure_refusal; nothing is changed.
 */
int open_files_prepare(struct open_files *of)
{
	int refusal;

	lock_table(of);
	of->opened_words = own_table()->max_fds / BITS_PER_LONG;
	unlock_table(of);
	/* Pages of shared memory are locked. */
	of->opened = kvmalloc_array(of->opened_words, sizeof(*of->opened),
				    GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
	if (!of->opened)
		return REASSURE_REFUSED_MEMORY;
	lock_table(of);
	refusal = prepare(of);
	unlock_table(of);
	if (refusal >= 0)
		forget_opened(of);
	return refusal;
}

/* There is no rollback after all. */
void open_files_cancel(struct open_files *of)
{
	struct files_struct *files = current->files;
	struct fdtable *table;
	unsigned int i, fd;

	spin_lock(&files->file_lock);
	table = files_fdtable(files);
	for (i = 0; i < of->nr_kept; i++) {
		fd = of->kept[i].fd;
		if (!of->kept[i].reserved)
			continue;
		__clear_bit(fd, table->open_fds);
		__clear_bit(fd / BITS_PER_LONG, table->full_fds_bits);
		files->next_fd = min(files->next_fd, fd);
	}
	spin_unlock(&files->file_lock);
	forget_opened(of);
}

static void restore_flags(const struct flagged_file *flagged)
{
	struct file *file = flagged->file;

	spin_lock(&file->f_lock);
	file->f_flags = (file->f_flags & ~CHANGING_FLAGS) |
			(flagged->flags & CHANGING_FLAGS);
	file->f_iocb_flags = flagged->iocb_flags;
	spin_unlock(&file->f_lock);
}

static void close_opened(const struct open_files *of)
{
	unsigned int fd;

	for_each_set_bit(fd, of->opened, of->opened_words * BITS_PER_LONG) {
		close_fd(fd);
		cond_resched();
	}
}

/*
 * As fd_install() does, but into a number of our choice, which is reserved or
 * that of something to close; the reference becomes the table's.
 */
static void put_back(struct files_struct *files, const struct kept_file *kept)
{
	struct fdtable *table;
	struct file *opened;

	spin_lock(&files->file_lock);
	table = files_fdtable(files);
	opened = file_of(table, kept->fd);
	__assign_bit(kept->fd, table->close_on_exec, kept->close_on_exec);
	rcu_assign_pointer(table->fd[kept->fd], kept->file);
	spin_unlock(&files->file_lock);
	if (opened)
		filp_close(opened, files);
}

static void restore_close_on_exec(const struct open_files *of)
{
	struct files_struct *files = current->files;
	struct fdtable *table;

	spin_lock(&files->file_lock);
	table = files_fdtable(files);
	bitmap_replace(table->close_on_exec, table->close_on_exec,
		       of->close_on_exec, of->known, of->words * BITS_PER_LONG);
	spin_unlock(&files->file_lock);
}

/*
 * The file system may keep a place of its own for a directory, so it is asked
 * to go there, where it has been.
 */
static void restore_offset(const struct file_offset *offset)
{
	struct file *file = fget(offset->fd);

	if (!file)
		return;
	if (S_ISDIR(file_inode(file)->i_mode))
		vfs_llseek(file, offset->pos, SEEK_SET);
	else
		file->f_pos = offset->pos;
	fput(file);
}

/**
 * open_files_commit() - make the descriptors what they were at the entry
 * @of: the descriptors of current, prepared
 *
 * Cannot fail.
 */
void open_files_commit(struct open_files *of)
{
	unsigned int i;

	for (i = 0; i < of->nr_flagged; i++)
		if (of->flagged[i].restore)
			restore_flags(&of->flagged[i]);
	close_opened(of);
	if (of->has_close_on_exec)
		restore_close_on_exec(of);
	for (i = 0; i < of->nr_kept; i++) {
		put_back(current->files, &of->kept[i]);
		__set_bit(of->kept[i].fd, of->known);
	}
	of->nr_kept = 0;
	forget_opened(of);
	for (i = 0; i < of->nr_offsets; i++)
		if (of->offsets[i].restore)
			restore_offset(&of->offsets[i]);
}
