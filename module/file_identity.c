// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a file still holds the build whose function is a rescue point.  A
 * probe belongs to an inode and an offset; when other content is written to
 * the file, the kernel would put a breakpoint there all the same.
 *
 * Another build has another build-id, so the bytes at its place tell.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "compat.h"
#include "file_identity.h"
#include "probed_places.h"

static int read_exactly(struct file *file, void *to, u32 size, loff_t offset)
{
	ssize_t got = kernel_read(file, to, size, &offset);

	if (got < 0)
		return got;
	return got == size ? 0 : -ESTALE;
}

/**
 * file_identity_record() - learn what a file holds now
 * @identity: what file_identity_free() lets go
 * @file: the file, open for reading
 * @inode: that is mapped
 * @offset: of what it is known by
 * @size: of that, at most a page
 *
 * Return: 0; -ESTALE when the file ends before; another error.
 */
int file_identity_record(struct file_identity *identity, struct file *file,
			 struct inode *inode, loff_t offset, u32 size)
{
	identity->content = kmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!identity->content)
		return -ENOMEM;
	identity->offset = offset;
	identity->size = size;
	/* Before it is read: what is written meanwhile is found later. */
	identity->modified = compat_modified(inode);
	identity->file_size = i_size_read(inode);
	return read_exactly(file, identity->content, size, offset);
}

/**
 * file_identity_may_differ() - whether a file was written to since
 * @identity: what it held
 * @inode: that is mapped
 *
 * Does not sleep.  The content may be the same all the same.
 */
bool file_identity_may_differ(const struct file_identity *identity,
			      const struct inode *inode)
{
	struct timespec64 modified = compat_modified(inode);

	return !timespec64_equal(&modified, &identity->modified) ||
	       i_size_read(inode) != identity->file_size;
}

/* By which the kernel reads the pages of @inode that @mm maps. */
static struct file *mapped_file(struct mm_struct *mm, struct inode *inode)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma)
		if (vma->vm_file && file_inode(vma->vm_file) == inode)
			return vma->vm_file;
	return NULL;
}

/**
 * file_is_mapped() - whether a process maps a file
 * @inode: the file
 * @mm: its address space, whose mmap lock is held
 */
bool file_is_mapped(struct inode *inode, struct mm_struct *mm)
{
	return mapped_file(mm, inode);
}

/* As the kernel itself reads the instruction that it is about to replace. */
static struct page *read_page(struct file *file, pgoff_t index)
{
	struct address_space *mapping = file->f_mapping;

	if (mapping->a_ops->read_folio)
		return read_mapping_page(mapping, index, file);
	return shmem_read_mapping_page(mapping, index);
}

static int compare_page(struct file *file, loff_t offset, const u8 *content,
			size_t size)
{
	struct page *page = read_page(file, offset >> PAGE_SHIFT);
	void *address;
	int ret;

	if (IS_ERR(page))
		return PTR_ERR(page);
	address = kmap_local_page(page);
	ret = memcmp(address + offset_in_page(offset), content, size) ?
	      -ESTALE : 0;
	kunmap_local(address);
	put_page(page);
	return ret;
}

/* Whether there is @content at @offset, which may be on several pages. */
static int compare(struct file *file, loff_t offset, const u8 *content,
		   u32 size)
{
	u32 part, done;
	int ret = 0;

	for (done = 0; !ret && done < size; done += part) {
		part = min_t(u32, size - done,
			     PAGE_SIZE - offset_in_page(offset + done));
		ret = compare_page(file, offset + done, content + done, part);
	}
	return ret;
}

/**
 * file_is_private() - whether a process has code of its own of a file
 * @inode: the file
 * @mm: maps it; its mmap lock is held
 * @offset: near which place in the file
 *
 * Pages with breakpoints are, for instance.  They do not change when the file is
 * written to.
 */
bool file_is_private(const struct inode *inode, struct mm_struct *mm,
		     loff_t offset)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	pgoff_t page = offset >> PAGE_SHIFT;

	for_each_vma(vmi, vma)
		if (vma->vm_file && file_inode(vma->vm_file) == inode &&
		    vma->vm_flags & VM_EXEC && vma->anon_vma &&
		    page >= vma->vm_pgoff &&
		    page - vma->vm_pgoff < vma_pages(vma))
			return true;
	return false;
}

/**
 * file_identity_check_mapped() - whether what a process maps is what it was
 * @identity: what the file held
 * @inode: the file
 * @mm: maps it; its mmap lock is held
 * @instruction: what it held besides
 * @offset: where
 *
 * Looks at the pages that are mapped, so a network file system that has not
 * heard of a change does not matter.  Reading through a file would take locks
 * that may not be taken inside the mmap lock.
 *
 * Return: 0; -ESTALE when it is something else; another error.
 */
int file_identity_check_mapped(const struct file_identity *identity,
			       struct inode *inode, struct mm_struct *mm,
			       const struct instruction *instruction,
			       loff_t offset)
{
	struct file *file = mapped_file(mm, inode);
	loff_t size = i_size_read(inode);
	int ret;

	if (!file)
		return -ENOENT;
	if (identity->offset + identity->size > size || offset >= size)
		return -ESTALE;
	ret = compare(file, identity->offset, identity->content,
		      identity->size);
	return ret ?: compare(file, offset, instruction->bytes,
			      min_t(loff_t, size - offset,
				    sizeof(instruction->bytes)));
}

void file_identity_free(struct file_identity *identity)
{
	kfree(identity->content);
	identity->content = NULL;
}
