// SPDX-License-Identifier: GPL-2.0
/* The files in which rescue points are. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlink.h"
#include "place.h"
#include "reassurectl.h"
#include "symbols.h"

static int open_file(const char *path)
{
	struct stat status;
	int fd;

	/* A FIFO would wait for its other end. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		failed("--exe: cannot open %s: %s", path, strerror(errno));
	} else if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		failed("--exe: %s is not a regular file", path);
		close(fd);
		fd = -1;
	}
	return fd;
}

struct symbols *place_open(struct place *place, const char *path)
{
	char error[ERROR_SIZE];
	struct symbols *symbols;

	place->fd = open_file(path);
	if (place->fd < 0)
		return NULL;
	symbols = symbols_open(place->fd, path, error);
	if (!symbols) {
		failed("--exe: %s", error);
		close(place->fd);
		return NULL;
	}
	place->build_id_size = symbols_build_id(symbols, &place->build_id,
						&place->build_id_offset);
	if (place->build_id_size > REASSURE_BUILD_ID_MAX)
		place->build_id_size = 0;
	return symbols;
}

void place_close(struct place *place, struct symbols *symbols)
{
	symbols_close(symbols);
	close(place->fd);
}
