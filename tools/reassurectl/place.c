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
#include "parse.h"
#include "place.h"
#include "reassurectl.h"
#include "symbols.h"

static int open_file(const char *path, char *error)
{
	struct stat status;
	int fd;

	/* A FIFO would wait for its other end. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		wrong(error, "--exe: cannot open %s: %s", path,
		      strerror(errno));
	} else if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		wrong(error, "--exe: %s is not a regular file", path);
		close(fd);
		fd = -1;
	}
	return fd;
}

struct symbols *place_open(struct place *place, const char *path, char *error)
{
	char why[ERROR_SIZE];
	struct symbols *symbols;

	place->fd = open_file(path, error);
	if (place->fd < 0)
		return NULL;
	symbols = symbols_open(place->fd, path, why);
	if (!symbols) {
		wrong(error, "--exe: %s", why);
		close(place->fd);
		return NULL;
	}
	place->build_id_size = symbols_build_id(symbols, &place->build_id,
						&place->build_id_offset);
	if (place->build_id_size > REASSURE_BUILD_ID_MAX)
		place->build_id_size = 0;
	return symbols;
}

static bool check_build_id(const struct add_options *options,
			   const struct place *place, char *error)
{
	int i;

	if (!options->build_id_size ||
	    (options->build_id_size == place->build_id_size &&
	     !memcmp(options->build_id, place->build_id, place->build_id_size)))
		return true;
	wrong(error, "--build-id: %s is another build: it has %s",
	      options->exe, place->build_id_size ? "" : "no build-id");
	for (i = 0; i < place->build_id_size; i++)
		append(error, "%02x", place->build_id[i]);
	return false;
}

static bool find_function(const struct add_options *options,
			  struct place *place, struct symbols *symbols,
			  char *error)
{
	char why[ERROR_SIZE];

	place->offset = options->offset;
	place->function = options->function;
	if (options->function)
		return symbols_find(symbols, options->function, &place->offset,
				    why) ||
		       wrong(error, "--function: %s", why);
	return symbols_check_offset(symbols, options->offset, why) ||
	       wrong(error, "--offset: %s", why);
}

/*
 * Where the return address must be let be, or it was asked for, the exits of
 * the function are probed.
 */
static bool find_exit_probes(const struct add_options *options,
			     struct place *place, struct symbols *symbols,
			     char *error)
{
	const char *leaving = symbols_leaving(symbols);
	char why[ERROR_SIZE] = "";

	if (options->exits == EXITS_RETURN ||
	    (options->exits == EXITS_AUTO && !leaving))
		return true;
	place->nr_exits = symbols_exits(symbols, place->offset, place->exits,
					REASSURE_EXITS_MAX, why);
	if (place->nr_exits)
		return true;
	if (options->exits == EXITS_ALL)
		return wrong(error,
			     "--exits: the function cannot be probed where it is left: %s",
			     why);
	return wrong(error,
		     "--exits: %s has '%s' but the function cannot be probed where it is left: %s",
		     options->exe, leaving, why);
}

bool place_find(struct place *place, const struct add_options *options,
		struct symbols *symbols, char *error)
{
	if (!check_build_id(options, place, error) ||
	    !find_function(options, place, symbols, error) ||
	    !find_exit_probes(options, place, symbols, error))
		return false;
	return options->no_landings ||
	       place_find_landings(place, symbols, options->exe, error);
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

/* Not that a library is missing: fewer landings would be found each time. */
static bool lacks_descriptors(void)
{
	return errno == EMFILE || errno == ENFILE;
}

static bool no_descriptor(char *error)
{
	return wrong(error,
		     "--landings: too many files are open; allow more (ulimit -n), or apply fewer rescue points at once");
}

/* Whether what is called next can open a file. */
static bool has_descriptor(const struct place *place, char *error)
{
	int fd = fcntl(place->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return no_descriptor(error);
	close(fd);
	return true;
}

/* One that cannot be read has no landings. */
static bool add_library(struct place *place, const char *path, char *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct symbols *symbols = NULL;
	bool added = false, good = true;
	char why[ERROR_SIZE];

	if (fd < 0)
		return !lacks_descriptors() || no_descriptor(error);
	if (is_new(place, fd)) {
		good = has_descriptor(place, error);
		symbols = good ? symbols_open(fd, path, why) : NULL;
	}
	if (symbols) {
		added = add_landings(place, symbols, fd);
		symbols_close(symbols);
	}
	if (!added)
		close(fd);
	return good;
}

bool place_find_landings(struct place *place, struct symbols *symbols,
			 const char *path, char *error)
{
	struct library_path paths[REASSURE_LANDING_FILES_MAX];
	char beside[PATH_MAX + sizeof("/libgcc_s.so.1")];
	size_t i, found;
	int own;

	place->executable = symbols_is_executable(symbols);
	own = fcntl(place->fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return no_descriptor(error);
	if (!add_landings(place, symbols, own))
		close(own);
	if (!symbols_is_dynamic(symbols))
		return true;
	if (!has_descriptor(place, error))
		return false;
	found = find_library(symbols, path, "libc.so.6", paths,
			     REASSURE_LANDING_FILES_MAX);
	for (i = 0; i < found; i++)
		if (!add_library(place, paths[i].text, error))
			return false;
	/* Which libc may load itself. */
	*beside = 0;
	if (found)
		sprintf(beside, "%s/libgcc_s.so.1", dirname(paths[0].text));
	if (!has_descriptor(place, error))
		return false;
	found = find_library(symbols, path, "libgcc_s.so.1", paths,
			     REASSURE_LANDING_FILES_MAX);
	for (i = 0; i < found; i++)
		if (!add_library(place, paths[i].text, error))
			return false;
	return found || !*beside || add_library(place, beside, error);
}

void place_close(struct place *place, struct symbols *symbols)
{
	size_t i;

	for (i = 0; i < place->nr_landings; i++)
		close(place->landings[i].fd);
	symbols_close(symbols);
	close(place->fd);
}
