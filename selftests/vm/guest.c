// SPDX-License-Identifier: GPL-2.0
/*
 * The init of a test machine: runs one command and reports how it ended.
 *
 * The folder given as argument holds the files "argv" and "env", words that
 * end in NUL each.  The words of env are the folder to run in, the module to
 * load or nothing, and the environment of the command.
 * Three virtio ports lead to the host: the command's output, its errors, and
 * one byte that is its exit status.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 4096
#define LEAK_REPORT_MAX 65536

static int ports[3] = { -1, -1, -1 };

static void kernel_log(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		dprintf(fd, "<3>%s\n", text);
		close(fd);
	}
}

static _Noreturn void end(int status)
{
	unsigned char byte = status;

	if (ports[2] >= 0 && write(ports[2], &byte, 1) == 1) {
		fsync(ports[2]);
		/* The host closes nothing: give the byte time to leave. */
		usleep(100000);
	}
	kernel_log("vm: done");
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static _Noreturn void fail(const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "test machine: %s: %s\n", what,
		 strerror(errno));
	kernel_log(text);
	if (ports[1] >= 0 && write(ports[1], text, strlen(text)) < 0)
		kernel_log("no port for errors");
	end(125);
}

/* The words of a file that are ended by NUL. */
static char **read_words(const char *dir, const char *name)
{
	char **words = calloc(WORDS_MAX + 1, sizeof(*words));
	char *path, *text;
	size_t size, at, count = 0;
	FILE *file;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		fail("asprintf");
	file = fopen(path, "re");
	text = malloc(1 << 22);
	if (!file || !text || !words)
		fail(path);
	size = fread(text, 1, (1 << 22) - 1, file);
	text[size] = 0;
	fclose(file);
	for (at = 0; at < size && count < WORDS_MAX; at += strlen(text + at) + 1)
		words[count++] = text + at;
	return words;
}

/* The kernel numbers the ports as it finds them; their names are ours. */
static int open_port(const char *wanted)
{
	char path[300], name[64];
	struct dirent *entry;
	int tries, fd = -1;
	FILE *file;
	DIR *dir;

	for (tries = 0; tries < 100 && fd < 0; tries++) {
		dir = opendir("/sys/class/virtio-ports");
		while (dir && fd < 0 && (entry = readdir(dir))) {
			snprintf(path, sizeof(path),
				 "/sys/class/virtio-ports/%s/name",
				 entry->d_name);
			file = fopen(path, "re");
			if (!file)
				continue;
			if (fscanf(file, "%63s", name) == 1 &&
			    !strcmp(name, wanted)) {
				snprintf(path, sizeof(path), "/dev/%s",
					 entry->d_name);
				fd = open(path, O_WRONLY | O_CLOEXEC);
			}
			fclose(file);
		}
		if (dir)
			closedir(dir);
		if (fd < 0)
			usleep(50000);
	}
	if (fd < 0)
		fail(wanted);
	return fd;
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail(path);
	close(fd);
}

/* Copies what is in @from now; 0 at its end, -1 when nothing is left. */
static int copy(int from, int to)
{
	static char buffer[65536];
	ssize_t size, done, part;

	size = read(from, buffer, sizeof(buffer));
	if (size <= 0)
		return size ? -1 : 0;
	for (done = 0; done < size; done += part) {
		part = write(to, buffer + done, size - done);
		if (part < 0)
			fail("write to port");
	}
	return 1;
}

static int run(char **argv, char **env, const char *cwd)
{
	struct pollfd fds[2];
	int out[2], err[2], status, i;
	sigset_t none;
	pid_t child;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		fail("pipe");
	child = fork();
	if (child < 0)
		fail("fork");
	if (!child) {
		setsid();
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		if (chdir(cwd))
			dprintf(2, "%s: %s\n", cwd, strerror(errno));
		environ = env;
		execvp(argv[0], argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(out[1]);
	close(err[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);

	fds[0] = (struct pollfd){ .fd = out[0], .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = err[0], .events = POLLIN };
	for (;;) {
		pid_t ended = waitpid(-1, &status, WNOHANG);

		if (ended == child)
			break;
		if (ended > 0)
			continue;
		if (poll(fds, 2, 20) <= 0)
			continue;
		for (i = 0; i < 2; i++)
			if (fds[i].revents && !copy(fds[i].fd, ports[i]))
				fds[i].fd = -1;
	}
	/* What it had written before it ended; others may hold the pipes. */
	while (copy(out[0], ports[0]) > 0)
		;
	while (copy(err[0], ports[1]) > 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

/* Where the kernel looks for leaks, what it found goes into its log. */
static void report_leaks(void)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	static char report[LEAK_REPORT_MAX];
	char *line, *rest;
	ssize_t size;
	int fd, scan;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	/* A young object is only reported by a second look. */
	for (scan = 0; scan < 2; scan++) {
		if (write(fd, "scan", 4) != 4)
			break;
		sleep(scan ? 0 : 6);
	}
	size = read(fd, report, sizeof(report) - 1);
	close(fd);
	if (size <= 0)
		return;
	report[size] = 0;
	kernel_log("kmemleak: the report");
	for (line = strtok_r(report, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		kernel_log(line);
}

static void forget_early_leaks(void)
{
	int fd = open("/sys/kernel/debug/kmemleak", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "scan=off", 8) < 0 || write(fd, "clear", 5) < 0)
		kernel_log("kmemleak does not listen");
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "out", "err", "status" };
	char **words, **env;
	int status, i;

	if (argc != 2)
		fail("usage: guest FOLDER");
	for (i = 0; i < 3; i++)
		ports[i] = open_port(names[i]);
	words = read_words(argv[1], "argv");
	env = read_words(argv[1], "env");
	if (!words[0] || !env[0] || !env[1])
		fail("arguments");
	for (i = 2; env[i]; i++)
		if (!strncmp(env[i], "PATH=", 5))
			setenv("PATH", env[i] + 5, 1);
	forget_early_leaks();
	kernel_log("vm: begin");
	if (*env[1])
		load_module(env[1]);
	status = run(words, env + 2, env[0]);
	report_leaks();
	end(status);
}
