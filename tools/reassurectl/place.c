// SPDX-License-Identifier: GPL-2.0
/* The files in which rescue points are. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libraries.h"
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

static bool is_same_file(int fd, const struct stat *status)
{
	struct stat other;

	return !fstat(fd, &other) && other.st_dev == status->st_dev &&
	       other.st_ino == status->st_ino;
}

/* Whether there is room for the file @fd, which is not there yet. */
static bool is_new(const struct place *place, int fd)
{
	struct stat status;
	size_t i;

	if (place->nr_landings == REASSURE_LANDING_FILES_MAX ||
	    fstat(fd, &status) || !S_ISREG(status.st_mode))
		return false;
	for (i = 0; i < place->nr_landings; i++)
		if (is_same_file(place->landings[i].fd, &status))
			return false;
	return true;
}

/* Takes @fd over if it has landings. */
static bool add_landings(struct place *place, struct symbols *symbols, int fd)
{
	struct file_landings *landings = &place->landings[place->nr_landings];

	landings->count = symbols_landings(symbols, landings->offsets,
					   REASSURE_LANDINGS_MAX);
	if (!landings->count)
		return false;
	landings->fd = fd;
	place->nr_landings++;
	return true;
}

static void add_library(struct place *place, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct symbols *symbols = NULL;
	char error[ERROR_SIZE];
	bool added = false;

	if (fd >= 0 && is_new(place, fd))
		symbols = symbols_open(fd, path, error);
	if (symbols) {
		added = add_landings(place, symbols, fd);
		symbols_close(symbols);
	}
	if (fd >= 0 && !added)
		close(fd);
}

void place_find_landings(struct place *place, struct symbols *symbols,
			 const char *path)
{
	struct library_path paths[REASSURE_LANDING_FILES_MAX];
	char beside[PATH_MAX + sizeof("/libgcc_s.so.1")];
	size_t i, found;
	int own;

	place->executable = symbols_is_executable(symbols);
	own = fcntl(place->fd, F_DUPFD_CLOEXEC, 0);
	if (own >= 0 && !add_landings(place, symbols, own))
		close(own);
	if (!symbols_is_dynamic(symbols))
		return;
	found = find_library(symbols, path, "libc.so.6", paths,
			     REASSURE_LANDING_FILES_MAX);
	for (i = 0; i < found; i++)
		add_library(place, paths[i].text);
	/* Which libc may load itself. */
	*beside = 0;
	if (found)
		sprintf(beside, "%s/libgcc_s.so.1", dirname(paths[0].text));
	found = find_library(symbols, path, "libgcc_s.so.1", paths,
			     REASSURE_LANDING_FILES_MAX);
	for (i = 0; i < found; i++)
		add_library(place, paths[i].text);
	if (!found && *beside)
		add_library(place, beside);
}

void place_close(struct place *place, struct symbols *symbols)
{
	size_t i;

	for (i = 0; i < place->nr_landings; i++)
		close(place->landings[i].fd);
	symbols_close(symbols);
	close(place->fd);
}
