// SPDX-License-Identifier: GPL-2.0
/*
 * Swap on a loop device on a file in memory, or on compressed memory.
 */
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/swap.h>
#include <unistd.h>

#include "reassure_test.h"
#include "swap.h"

#define ZRAM	"/sys/block/zram0/"

static char swap_device[64];

static void put_header(int fd, size_t size)
{
	uint32_t header[3] = { 1, size / PAGE_SIZE - 1, 0 };

	CHECK(pwrite(fd, header, sizeof(header), 1024) == sizeof(header));
	CHECK(pwrite(fd, "SWAPSPACE2", 10, PAGE_SIZE - 10) == 10);
}

/* False where this cannot be had. */
bool swap_on(size_t size)
{
	int control, file, loop, number;

	if (system("modprobe -q loop"))
		barrier();
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return false;
	number = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (number < 0)
		return false;
	snprintf(swap_device, sizeof(swap_device), "/dev/loop%d", number);
	file = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	loop = open(swap_device, O_RDWR | O_CLOEXEC);
	if (file < 0 || loop < 0)
		return false;
	/* Here, and not for whom swaps when it has no more memory. */
	CHECK(!posix_fallocate(file, 0, size));
	put_header(file, size);
	if (ioctl(loop, LOOP_SET_FD, file))
		return false;
	close(file);
	/* The device stays as long as swap is on. */
	number = swapon(swap_device, 0);
	if (number)
		ioctl(loop, LOOP_CLR_FD);
	close(loop);
	return !number;
}

/*
 * From Linux 6.11 on what is only read comes back writable from here.  False
 * where this cannot be had.
 */
bool swap_on_zram(size_t size)
{
	char bytes[32];
	int device;

	if (system("modprobe -q zram"))
		barrier();
	snprintf(bytes, sizeof(bytes), "%zu", size);
	if (write_text(ZRAM "disksize", bytes))
		return false;
	strcpy(swap_device, "/dev/zram0");
	device = open(swap_device, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return false;
	put_header(device, size);
	close(device);
	return !swapon(swap_device, 0);
}

void swap_off(void)
{
	int loop;

	swapoff(swap_device);
	if (!strcmp(swap_device, "/dev/zram0")) {
		write_text(ZRAM "reset", "1");
		return;
	}
	loop = open(swap_device, O_RDWR | O_CLOEXEC);
	ioctl(loop, LOOP_CLR_FD);
	close(loop);
}

/* How many of at most 512 pages are in swap. */
int count_swapped(const void *start, int pages)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entries[512];
	int i, count = 0;

	CHECK(pread(fd, entries, pages * sizeof(*entries),
		    (unsigned long)start / PAGE_SIZE * sizeof(*entries)) ==
	      pages * sizeof(*entries));
	close(fd);
	for (i = 0; i < pages; i++)
		count += entries[i] >> 62 & 1;
	return count;
}
