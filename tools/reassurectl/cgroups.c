// SPDX-License-Identifier: GPL-2.0
/* Where the cgroups are that are named on the command line. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/magic.h>

#include "cgroups.h"
#include "parse.h"
#include "reassurectl.h"

/* Where the hierarchy of version 2 may be mounted; beside version 1, first. */
static const char *const mounts[] = {
	"/sys/fs/cgroup/unified",
	"/sys/fs/cgroup",
};

static const char *find_mount(void)
{
	struct statfs info;
	size_t i;

	for (i = 0; i < sizeof(mounts) / sizeof(*mounts); i++)
		if (!statfs(mounts[i], &info) &&
		    info.f_type == CGROUP2_SUPER_MAGIC)
			return mounts[i];
	return NULL;
}

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return !strncmp(path, directory, length) &&
	       (!path[length] || path[length] == '/');
}

/* Leaves the path inside the hierarchy. */
static bool strip(char *path, const char *mount, char *error)
{
	size_t length;

	if (!is_below(path, "/sys/fs/cgroup"))
		return true;
	if (!mount || !is_below(path, mount))
		return wrong(error, "--cgroup: '%s' is not in the hierarchy of version 2",
			     path);
	length = strlen(mount);
	memmove(path, path + length, strlen(path + length) + 1);
	if (!*path)
		strcpy(path, "/");
	return true;
}

static void warn_if_missing(const char *path, const char *mount)
{
	char full[sizeof("/sys/fs/cgroup/unified") + REASSURE_CGROUP_PATH_MAX];

	if (!mount)
		return;
	snprintf(full, sizeof(full), "%s%s", mount, path);
	if (access(full, F_OK))
		failed("warning: there is no cgroup %s now; it is meant as soon as there is",
		       path);
}

static bool read_line(int fd, char *line, size_t size)
{
	FILE *file = fdopen(fd, "r");
	bool is_read = false;

	*line = 0;
	if (!file) {
		close(fd);
		return false;
	}
	if (fgets(line, size, file))
		is_read = strchr(line, '\n');
	line[strcspn(line, "\n")] = 0;
	fclose(file);
	return is_read;
}

/* Starts a command whose output is what can be read from the answer, or -1. */
static int start(const char *const *argv, pid_t *process)
{
	posix_spawn_file_actions_t actions;
	int ends[2], ret;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	ret = posix_spawnp(process, argv[0], &actions, NULL,
			   (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (!ret)
		return ends[0];
	close(ends[0]);
	return -1;
}

/* Asks systemd for the cgroup of a unit that runs. */
static bool find_unit(const char *unit, char *path, size_t size, char *error)
{
	const char *const argv[] = {
		"systemctl", "show", "--property=ControlGroup", "--value", "--",
		unit, NULL
	};
	pid_t process;
	int fd = start(argv, &process);
	int status;
	bool found;

	if (fd < 0)
		return wrong(error,
			     "--unit: systemctl, which knows the cgroup of %s, cannot be executed; name it with --cgroup",
			     unit);
	found = read_line(fd, path, size);
	if (waitpid(process, &status, 0) < 0 || status || !found)
		return wrong(error,
			     "--unit: systemctl does not say what the cgroup of %s is; name it with --cgroup",
			     unit);
	return *path == '/' ||
	       wrong(error,
		     "--unit: %s does not run, and so has no cgroup; name the one that it will have with --cgroup",
		     unit);
}

static bool add_units(struct add_options *options, char *error)
{
	size_t i;

	for (i = 0; i < options->nr_units; i++)
		if (!find_unit(options->units[i],
			       options->cgroups[options->nr_cgroups++],
			       sizeof(*options->cgroups), error))
			return false;
	options->nr_units = 0;
	return true;
}

bool cgroups_resolve(struct add_options *options, char *error)
{
	const char *mount = options->nr_cgroups ? find_mount() : NULL;
	size_t i;

	for (i = 0; i < options->nr_cgroups; i++) {
		if (!strip(options->cgroups[i], mount, error))
			return false;
		warn_if_missing(options->cgroups[i], mount);
	}
	return add_units(options, error);
}
