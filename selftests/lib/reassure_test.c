// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netlink/attr.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../tools/reassurectl/error.h"
#include "../../tools/reassurectl/symbols.h"
#include "files.h"
#include "netlink.h"
#include "reassure_test.h"

/* How long something that the kernel does in its own time may take. */
#define PATIENCE_MS	10000

static struct answer last_answer;
static struct counters mark;

/**
 * function_place() - in which file, and where there, a function is
 * @function: of this process
 * @path: receives the file
 * @size: of @path
 * @offset: receives the place
 *
 * Return: 0 or -ENOENT.
 */
int function_place(const void *function, char *path, size_t size,
		   uint64_t *offset)
{
	unsigned long address = (unsigned long)function;
	unsigned long start, end, pgoff;
	char line[4352], file[4096];
	int ret = -ENOENT;
	FILE *maps;

	maps = fopen("/proc/self/maps", "re");
	if (!maps)
		return -errno;
	while (ret && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %4095[^\n]", &start,
			   &end, &pgoff, file) != 4)
			continue;
		if (address < start || address >= end)
			continue;
		snprintf(path, size, "%s", file);
		*offset = address - start + pgoff;
		ret = 0;
	}
	fclose(maps);
	return ret;
}

static void put_budget(struct nl_msg *msg, const struct rescue_point *rp)
{
	if (!rp->budget_rescues) {
		nla_put_flag(msg, REASSURE_A_BUDGET_UNLIMITED);
		return;
	}
	nla_put_u32(msg, REASSURE_A_BUDGET_RESCUES, rp->budget_rescues);
	nla_put_u32(msg, REASSURE_A_BUDGET_SECONDS, rp->budget_seconds);
}

static void put_shared(struct nl_msg *msg, const struct rescue_point *rp)
{
	static const uint32_t values[] = {
		[TEST_SHARED_LEAVE] = REASSURE_SHARED_LEAVE,
		[TEST_SHARED_REFUSE] = REASSURE_SHARED_REFUSE,
		[TEST_SHARED_RESTORE] = REASSURE_SHARED_RESTORE,
	};

	if (rp->shared != TEST_SHARED_UNSAID)
		nla_put_u32(msg, REASSURE_A_SHARED, values[rp->shared]);
}

static int send_message(int command, void (*fill)(struct nl_msg *msg, const void *arg),
			const void *arg)
{
	struct channel channel;
	struct nl_msg *msg;
	int ret;

	memset(&last_answer, 0, sizeof(last_answer));
	ret = channel_open(&channel);
	if (ret)
		return ret;
	msg = channel_message(&channel, command, NLM_F_ACK);
	if (fill)
		fill(msg, arg);
	channel_send(&channel, msg, &last_answer);
	channel_close(&channel);
	if (last_answer.error && *last_answer.text)
		fprintf(stderr, "# module: %s\n", last_answer.text);
	return last_answer.error;
}

/* The landings in one file. */
struct landings {
	int fd;
	__u64 offsets[REASSURE_LANDINGS_MAX];
	size_t count;
};

#define LANDING_FILES	2

struct addition {
	const struct rescue_point *rp;
	char path[4096];
	uint64_t offset;
	__u64 exits[REASSURE_EXITS_MAX];
	size_t nr_exits;
	struct landings landings[LANDING_FILES];
	size_t nr_landings;
	bool executable;
	int fd;
};

static void put_landings(struct nl_msg *msg, const struct addition *addition)
{
	const struct landings *landings = addition->landings;
	struct nlattr *all, *nest;
	size_t i;

	if (!addition->nr_landings)
		return;
	all = nla_nest_start(msg, REASSURE_A_LANDINGS | NLA_F_NESTED);
	for (i = 0; i < addition->nr_landings; i++, landings++) {
		nest = nla_nest_start(msg, (i + 1) | NLA_F_NESTED);
		nla_put_s32(msg, REASSURE_LANDINGS_FILE_FD, landings->fd);
		nla_put(msg, REASSURE_LANDINGS_OFFSETS,
			landings->count * sizeof(*landings->offsets),
			landings->offsets);
		nla_nest_end(msg, nest);
	}
	nla_nest_end(msg, all);
	if (addition->executable)
		nla_put_flag(msg, REASSURE_A_EXECUTABLE);
}

static void put_build_id(struct nl_msg *msg, const struct addition *addition)
{
	unsigned char id[BUILD_ID_SIZE];
	uint64_t offset;

	if (file_build_id(addition->path, &offset) ||
	    pread(addition->fd, id, sizeof(id), offset) != sizeof(id))
		return;
	id[0] ^= addition->rp->build_id_flipped;
	nla_put(msg, REASSURE_A_BUILD_ID, sizeof(id), id);
	nla_put_u64(msg, REASSURE_A_BUILD_ID_OFFSET, offset);
}

static void put_cgroups(struct nl_msg *msg, const char *const *cgroups)
{
	struct nlattr *nest;

	if (!cgroups)
		return;
	nest = nla_nest_start(msg, REASSURE_A_CGROUPS | NLA_F_NESTED);
	while (*cgroups)
		nla_put_string(msg, REASSURE_CGROUPS_PATH, *cgroups++);
	nla_nest_end(msg, nest);
}

static void put_place(struct nl_msg *msg, const struct addition *addition)
{
	nla_put_string(msg, REASSURE_A_NAME, addition->rp->name ?: "test");
	nla_put_s32(msg, REASSURE_A_FILE_FD, addition->fd);
	nla_put_u64(msg, REASSURE_A_OFFSET, addition->offset);
	if (addition->rp->build_id)
		put_build_id(msg, addition);
	if (addition->nr_exits)
		nla_put(msg, REASSURE_A_EXITS,
			addition->nr_exits * sizeof(*addition->exits),
			addition->exits);
	put_landings(msg, addition);
}

static void fill_add(struct nl_msg *msg, const void *arg)
{
	const struct addition *addition = arg;
	const struct rescue_point *rp = addition->rp;

	put_place(msg, addition);
	if (!rp->returns_void)
		nla_put_s64(msg, REASSURE_A_RETURN,
			    rp->value ? *rp->value : RESCUED);
	if (rp->signals)
		nla_put_u64(msg, REASSURE_A_SIGNALS, rp->signals);
	nla_put_u32(msg, REASSURE_A_HANDLED, rp->handled);
	put_shared(msg, rp);
	nla_put_u32(msg, REASSURE_A_EXHAUSTED, rp->exhausted);
	if (rp->allow_setuid)
		nla_put_u8(msg, REASSURE_A_ALLOW_SETUID, true);
	if (rp->deadline_ms)
		nla_put_u32(msg, REASSURE_A_DEADLINE, rp->deadline_ms);
	if (rp->disabled)
		nla_put_u8(msg, REASSURE_A_ENABLED, false);
	if (rp->mode)
		nla_put_u32(msg, REASSURE_A_MODE, rp->mode);
	if (rp->threads)
		nla_put_u32(msg, REASSURE_A_THREADS, rp->threads);
	if (rp->watchdog_ms)
		nla_put_u32(msg, REASSURE_A_WATCHDOG, rp->watchdog_ms);
	if (rp->escalate)
		nla_put_u32(msg, REASSURE_A_ESCALATE, *rp->escalate);
	put_cgroups(msg, rp->cgroups);
	put_budget(msg, rp);
}

/* As the tool finds them. */
static bool find_exits_of(struct addition *addition, const char *path)
{
	char error[ERROR_SIZE] = "";
	struct symbols *symbols = symbols_open(addition->fd, path, error);

	if (symbols) {
		addition->nr_exits = symbols_exits(symbols, addition->offset,
						   addition->exits,
						   REASSURE_EXITS_MAX, error);
		symbols_close(symbols);
	}
	if (!addition->nr_exits)
		fprintf(stderr, "# no exits: %s\n", error);
	return addition->nr_exits;
}

/* Of the library that defines @function, if there is one. */
static bool find_landings_of(struct addition *addition, const char *function)
{
	struct landings *landings = &addition->landings[addition->nr_landings];
	void *address = dlsym(RTLD_DEFAULT, function);
	char path[4096], error[ERROR_SIZE] = "";
	struct symbols *symbols;
	uint64_t ignored;

	if (!address)
		return true;
	if (function_place(address, path, sizeof(path), &ignored))
		return false;
	landings->fd = open(path, O_RDONLY | O_CLOEXEC);
	symbols = symbols_open(landings->fd, path, error);
	if (symbols) {
		landings->count = symbols_landings(symbols, landings->offsets,
						   REASSURE_LANDINGS_MAX);
		symbols_close(symbols);
	}
	if (landings->count)
		addition->nr_landings++;
	else
		fprintf(stderr, "# no landings in %s: %s\n", path, error);
	return landings->count;
}

static bool find_landings(struct addition *addition, const char *path)
{
	char error[ERROR_SIZE];
	struct symbols *symbols = symbols_open(addition->fd, path, error);

	if (!symbols)
		return false;
	addition->executable = symbols_is_executable(symbols);
	symbols_close(symbols);
	return find_landings_of(addition, "longjmp") &&
	       find_landings_of(addition, "_Unwind_Resume");
}

static bool find_probes(struct addition *addition, const char *path)
{
	const struct rescue_point *rp = addition->rp;

	if ((rp->probe_exits || getenv("REASSURE_EXITS")) &&
	    !find_exits_of(addition, path))
		return false;
	if (rp->landing_path) {
		addition->landings[0] = (struct landings) {
			.fd = open(rp->landing_path, O_RDONLY | O_CLOEXEC),
			.offsets = { rp->landing_offset },
			.count = 1,
		};
		addition->nr_landings = 1;
		return true;
	}
	return (!rp->landings && !getenv("REASSURE_LANDINGS")) ||
	       find_landings(addition, path);
}

static void fill_rebind(struct nl_msg *msg, const void *arg)
{
	put_place(msg, arg);
}

static int open_addition(struct addition *addition,
			 const struct rescue_point *rp)
{
	int ret;

	*addition = (struct addition) {
		.rp = rp,
		.offset = rp->offset,
		.fd = -1,
	};
	snprintf(addition->path, sizeof(addition->path), "%s", rp->path ?: "");
	if (rp->function) {
		ret = function_place(rp->function, addition->path,
				     sizeof(addition->path),
				     &addition->offset);
		if (ret)
			return ret;
	}
	addition->fd = open(addition->path, O_RDONLY | O_CLOEXEC);
	if (addition->fd < 0)
		return -errno;
	return find_probes(addition, addition->path) ? 0 : -ENOEXEC;
}

static void close_addition(struct addition *addition)
{
	while (addition->nr_landings)
		close(addition->landings[--addition->nr_landings].fd);
	if (addition->fd >= 0)
		close(addition->fd);
}

static int send_place(int command, const struct rescue_point *rp,
		      void (*fill)(struct nl_msg *msg, const void *arg))
{
	struct addition addition;
	int ret = open_addition(&addition, rp);

	if (!ret)
		ret = send_message(command, fill, &addition);
	close_addition(&addition);
	return ret;
}

struct application {
	struct addition *additions;
	size_t count;
	bool prune;
	/* Where in the message each of them ends. */
	size_t *ends;
};

static void fill_apply(struct nl_msg *msg, const void *arg)
{
	const struct application *all = arg;
	struct nlattr *nest;
	size_t i;

	for (i = 0; i < all->count; i++) {
		nest = nla_nest_start(msg, REASSURE_A_RESCUE_POINT |
				      NLA_F_NESTED);
		fill_add(msg, &all->additions[i]);
		nla_nest_end(msg, nest);
		all->ends[i] = nlmsg_hdr(msg)->nlmsg_len;
	}
	if (all->prune)
		nla_put_flag(msg, REASSURE_A_PRUNE);
}

/**
 * rescue_points_apply() - make the rescue points these, all or none
 * @rps: which
 * @count: how many
 * @prune: and no others
 * @which: receives, after an error, the place of the one that is at fault, or
 *	@count
 *
 * Return: 0 or a negative errno; rescue_point_error() then says more.
 */
int rescue_points_apply(const struct rescue_point *rps, size_t count,
			bool prune, size_t *which)
{
	struct addition *additions = calloc(count + 1, sizeof(*additions));
	size_t *ends = calloc(count + 1, sizeof(*ends)), opened = 0;
	struct application all = { additions, count, prune, ends };
	int ret = additions && ends ? 0 : -ENOMEM;

	while (!ret && opened < count) {
		ret = open_addition(&additions[opened], &rps[opened]);
		opened++;
	}
	if (!ret)
		ret = send_message(REASSURE_CMD_APPLY, fill_apply, &all);
	for (*which = 0; *which < count; (*which)++)
		if (last_answer.offset && last_answer.offset < ends[*which])
			break;
	while (opened)
		close_addition(&additions[--opened]);
	free(additions);
	free(ends);
	return ret;
}

/**
 * rescue_point_add() - add a rescue point
 * @rp: which
 *
 * Return: 0 or a negative errno; rescue_point_error() then says more.
 */
int rescue_point_add(const struct rescue_point *rp)
{
	return send_place(REASSURE_CMD_RESCUE_POINT_ADD, rp, fill_add);
}

/* Moves it to the place, all else in @rp is of no interest. */
int rescue_point_rebind(const struct rescue_point *rp)
{
	return send_place(REASSURE_CMD_RESCUE_POINT_REBIND, rp, fill_rebind);
}

struct alteration {
	const char *name;
	const struct rescue_point_change *change;
};

static void fill_set(struct nl_msg *msg, const void *arg)
{
	const struct alteration *alteration = arg;
	const struct rescue_point_change *change = alteration->change;

	nla_put_string(msg, REASSURE_A_NAME, alteration->name);
	if (change->value)
		nla_put_s64(msg, REASSURE_A_RETURN, *change->value);
	if (change->returns_void)
		nla_put_flag(msg, REASSURE_A_RETURN_VOID);
	if (change->signals)
		nla_put_u64(msg, REASSURE_A_SIGNALS, change->signals);
	if (change->handled)
		nla_put_u32(msg, REASSURE_A_HANDLED, *change->handled);
	if (change->shared)
		nla_put_u32(msg, REASSURE_A_SHARED, *change->shared);
	if (change->enabled)
		nla_put_u8(msg, REASSURE_A_ENABLED, *change->enabled);
	if (change->mode)
		nla_put_u32(msg, REASSURE_A_MODE, *change->mode);
	if (change->threads)
		nla_put_u32(msg, REASSURE_A_THREADS, *change->threads);
	if (change->budget_rescues) {
		nla_put_u32(msg, REASSURE_A_BUDGET_RESCUES,
			    change->budget_rescues);
		nla_put_u32(msg, REASSURE_A_BUDGET_SECONDS,
			    change->budget_seconds);
	}
	if (change->unlimited)
		nla_put_flag(msg, REASSURE_A_BUDGET_UNLIMITED);
	if (change->exhausted)
		nla_put_u32(msg, REASSURE_A_EXHAUSTED, *change->exhausted);
	if (change->deadline_ms)
		nla_put_u32(msg, REASSURE_A_DEADLINE, *change->deadline_ms);
	if (change->watchdog_ms)
		nla_put_u32(msg, REASSURE_A_WATCHDOG, *change->watchdog_ms);
	if (change->escalate)
		nla_put_u32(msg, REASSURE_A_ESCALATE, *change->escalate);
	put_cgroups(msg, change->cgroups);
	if (change->all_cgroups)
		nla_put_flag(msg, REASSURE_A_CGROUPS_ALL);
}

int rescue_point_set(const char *name, const struct rescue_point_change *change)
{
	struct alteration alteration = { name, change };

	return send_message(REASSURE_CMD_RESCUE_POINT_SET, fill_set,
			    &alteration);
}

/*
 * The usual one: "test", returns RESCUED, default signals, no budget, shared
 * memory left as it is.
 */
int rescue_point_protect(const void *function)
{
	struct rescue_point rp = { .function = function };

	return rescue_point_add(&rp);
}

static void fill_name(struct nl_msg *msg, const void *arg)
{
	nla_put_string(msg, REASSURE_A_NAME, arg);
}

int rescue_point_delete(const char *name)
{
	return send_message(REASSURE_CMD_RESCUE_POINT_DEL, fill_name, name);
}

/* One of enum reassure_file_state, or a negative errno. */
int rescue_point_file_state(const char *name)
{
	int ret = send_message(REASSURE_CMD_RESCUE_POINT_GET, fill_name, name);

	return ret ?: last_answer.file_state;
}

/* How many landings are probed, or a negative errno. */
int rescue_point_landings_probed(const char *name)
{
	int ret = send_message(REASSURE_CMD_RESCUE_POINT_GET, fill_name, name);

	return ret ?: last_answer.landings_probed;
}

struct named_injection {
	const char *name;
	const struct rescue_point_injection *injection;
};

static void fill_injection(struct nl_msg *msg, const void *arg)
{
	const struct named_injection *named = arg;
	const struct rescue_point_injection *injection = named->injection;

	if (named->name)
		nla_put_string(msg, REASSURE_A_NAME, named->name);
	if (injection->signal)
		nla_put_u32(msg, REASSURE_A_INJECT_SIGNAL, injection->signal);
	if (injection->count)
		nla_put_u32(msg, REASSURE_A_INJECT_COUNT, *injection->count);
	if (injection->every)
		nla_put_u32(msg, REASSURE_A_INJECT_EVERY, *injection->every);
	if (injection->off)
		nla_put_flag(msg, REASSURE_A_INJECT_OFF);
}

int rescue_point_inject(const char *name,
			const struct rescue_point_injection *injection)
{
	struct named_injection named = { name, injection };

	return send_message(REASSURE_CMD_INJECT, fill_injection, &named);
}

/* Of so many calls as were asked for, or a negative errno. */
int rescue_point_injections_left(const char *name)
{
	int ret = send_message(REASSURE_CMD_RESCUE_POINT_GET, fill_name, name);

	return ret ?: last_answer.injections_left;
}

int rescue_points_flush(void)
{
	return send_message(REASSURE_CMD_RESCUE_POINT_FLUSH, NULL, NULL);
}

static void fill_switch(struct nl_msg *msg, const void *arg)
{
	const bool *on = arg;

	nla_put_u8(msg, REASSURE_A_ENABLED, *on);
}

int module_switch(bool on)
{
	return send_message(REASSURE_CMD_SWITCH, fill_switch, &on);
}

bool module_is_off_for(const char *why)
{
	char text[32];

	if (read_text(PARAMETERS "switched_off", text, sizeof(text)))
		return false;
	text[strcspn(text, "\n")] = 0;
	return !strcmp(text, why);
}

bool module_is_enabled(void)
{
	return file_has(PARAMETERS "enabled", "Y");
}

/* What the module said to the last command. */
const char *rescue_point_error(void)
{
	return last_answer.text;
}

static int read_counter(const char *dir, const char *name, uint64_t *value)
{
	char path[512], text[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (read_text(path, text, sizeof(text)))
		return -errno;
	*value = strtoull(text, NULL, 10);
	return 0;
}

/**
 * counters_read() - read all counters
 * @rescue_point: whose, or NULL for the global ones
 * @counters: receives them
 *
 * Return: 0 or a negative errno.
 */
int counters_read(const char *rescue_point, struct counters *counters)
{
	char dir[256], refused[300];
	int i, ret;

	snprintf(dir, sizeof(dir), REASSURE_SYSFS "%s%s",
		 rescue_point ? "/rescue_points/" : "", rescue_point ?: "");
	snprintf(refused, sizeof(refused), "%s/refused", dir);
	for (i = 0; i < REASSURE_COUNTERS; i++) {
		ret = read_counter(dir, counter_names[i], &counters->events[i]);
		if (ret)
			return ret;
	}
	for (i = 0; i < REASSURE_REFUSALS; i++) {
		ret = read_counter(refused, refusal_names[i],
				   &counters->refused[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* The global counters now; what follows is counted from here. */
void counters_mark(void)
{
	memset(&mark, 0, sizeof(mark));
	counters_read(NULL, &mark);
}

/* Only this file: opening all of them is what takes the debug kernel long. */
uint64_t events_since_mark(enum reassure_counter counter)
{
	uint64_t now;

	if (read_counter(REASSURE_SYSFS, counter_names[counter], &now))
		return UINT64_MAX;
	return now - mark.events[counter];
}

/* Calls that end with their process are counted some time later. */
uint64_t events_awaited(enum reassure_counter counter, uint64_t wanted)
{
	uint64_t seen;
	int ms;

	for (ms = 0; ms < PATIENCE_MS; ms += 10) {
		seen = events_since_mark(counter);
		if (seen >= wanted)
			return seen;
		usleep(10000);
	}
	return seen;
}

uint64_t refused_since_mark(enum reassure_refusal reason)
{
	uint64_t now;

	if (read_counter(REASSURE_SYSFS "/refused", refusal_names[reason],
			 &now))
		return UINT64_MAX;
	return now - mark.refused[reason];
}

uint64_t all_refused_since_mark(void)
{
	struct counters now;
	uint64_t sum = 0;
	int i;

	if (counters_read(NULL, &now))
		return UINT64_MAX;
	for (i = 0; i < REASSURE_REFUSALS; i++)
		sum += now.refused[i] - mark.refused[i];
	return sum;
}

/* What the rescue point is on that stays while tests come and go. */
static void __noipa keeper(void)
{
	barrier();
}

/*
 * Leaves only the one that nobody calls.  The module hooks the kernel with the
 * first rescue point and unhooks it with the last, which waits for most of a
 * second.
 */
static int delete_all_but_keeper(void)
{
	const struct rescue_point rp = {
		.function = keeper,
		.name = "keeper",
	};
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	if (access(REASSURE_SYSFS "/rescue_points/keeper", F_OK))
		ret = rescue_point_add(&rp);
	dir = opendir(REASSURE_SYSFS "/rescue_points");
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir)))
		if (*entry->d_name != '.' && strcmp(entry->d_name, rp.name))
			ret = rescue_point_delete(entry->d_name);
	closedir(dir);
	return ret;
}

/* No rescue point is left of another test; what follows is counted. */
int test_begin(void)
{
	int ret = delete_all_but_keeper();

	counters_mark();
	return ret;
}

/* The same, with no rescue point at all. */
int test_begin_alone(void)
{
	int ret = rescue_points_flush();

	counters_mark();
	return ret;
}

static void print_count(const char *name, uint64_t now, uint64_t then)
{
	if (now != then)
		printf("# counted: %s %llu\n", name,
		       (unsigned long long)(now - then));
}

/* Tells what happened when it was wrong. */
void test_tell(bool passed)
{
	struct counters now;
	int i;

	if (!passed && !counters_read(NULL, &now)) {
		for (i = 0; i < REASSURE_COUNTERS; i++)
			print_count(counter_names[i], now.events[i],
				    mark.events[i]);
		for (i = 0; i < REASSURE_REFUSALS; i++)
			print_count(refusal_names[i], now.refused[i],
				    mark.refused[i]);
		fflush(stdout);
	}
}

/* And takes the rescue points away. */
void test_end(bool passed)
{
	test_tell(passed);
	delete_all_but_keeper();
}

void test_end_alone(bool passed)
{
	test_tell(passed);
	rescue_points_flush();
}

void die_with_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

/**
 * child_start() - run a function in a child that may die
 * @body: returns the exit status
 * @arg: for @body
 */
pid_t child_start(int (*body)(void *arg), void *arg)
{
	struct rlimit none = { 0, 0 };
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &none);
	_exit(body(arg));
}

/* Waits for a child; returns its exit status, or its signal negated. */
int child_wait(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		return 255;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int child_run(int (*body)(void *arg), void *arg)
{
	return child_wait(child_start(body, arg));
}

/* Uses no memory of the process that a test may have broken. */
void child_failed(const char *file, int line, const char *what)
{
	dprintf(STDOUT_FILENO, "# %s:%d: in a child: %s does not hold (errno %d)\n",
		file, line, what, errno);
	_exit(254);
}

static void *memory(size_t size, int flags)
{
	void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   flags | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED) {
		perror("# mmap");
		exit(1);
	}
	return start;
}

/* Outside of every checkpoint, and seen by children and parent. */
void *shared_memory(size_t size)
{
	return memory(size, MAP_SHARED);
}

void *private_memory(size_t size)
{
	return memory(size, MAP_PRIVATE);
}

/* Not to be left out, or put off, by the compiler. */
void memory_fill(void *start, size_t size, unsigned char value)
{
	memset(start, value, size);
	barrier();
}

bool memory_holds(const void *start, size_t size, unsigned char value)
{
	const unsigned char *bytes = start;
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

int read_text(const char *path, char *text, size_t size)
{
	ssize_t got, length = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	do {
		got = read(fd, text + length, size - 1 - length);
		if (got > 0)
			length += got;
	} while (got > 0);
	close(fd);
	text[length] = 0;
	return got < 0 ? -errno : 0;
}

long number_in(const char *path, const char *name)
{
	size_t length = name ? strlen(name) : 0;
	char text[16384], *line;

	if (read_text(path, text, sizeof(text)))
		return -1;
	if (!name)
		return atol(text);
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, length) &&
		    (line[length] == ' ' || line[length] == '\t'))
			return atol(line + length);
	}
	return -1;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Whether a line of a file begins with @text. */
bool file_has(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char line[512];

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, text, strlen(text));
	fclose(file);
	return found;
}

/* Which runs at a tenth of the speed. */
bool is_debug_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

unsigned long number_from_environment(const char *name,
				      unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

static int load(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, parameters, 0))
		ret = -errno;
	close(fd);
	return ret;
}

static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int module_load(void)
{
	return module_load_with("");
}

int module_load_with(const char *parameters)
{
	return load(getenv("REASSURE_KO") ?: "", parameters);
}

int module_unload(void)
{
	int ret, i;

	/* A page may be just coming that a program waits for. */
	for (i = 0; i < 1000; i++) {
		ret = module_unload_now();
		if (ret != -EWOULDBLOCK)
			break;
		usleep(10000);
	}
	return ret;
}

int module_unload_now(void)
{
	return unload("reassure");
}

int test_module_load(const char *name, const char *parameters)
{
	char *ko = strdup(getenv("REASSURE_KO") ?: "");
	char path[4200];

	snprintf(path, sizeof(path), "%s/tests/%s.ko", dirname(ko), name);
	free(ko);
	return load(path, parameters);
}

int test_module_unload(const char *name)
{
	return unload(name);
}

void forbid_system_call(int number, uint32_t action)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

/* The kernel log from now on. */
int kernel_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/**
 * kernel_log_has() - look for a line
 * @fd: from kernel_log_open(); lines that were read are gone
 * @text: what it has to contain
 * @line: receives the line, or NULL
 * @size: of @line
 */
bool kernel_log_has(int fd, const char *text, char *line, size_t size)
{
	char record[8192];
	ssize_t length;

	for (;;) {
		length = read(fd, record, sizeof(record) - 1);
		/* Records were overwritten meanwhile. */
		if (length < 0 && errno == EPIPE)
			continue;
		if (length <= 0)
			return false;
		record[length] = 0;
		if (!strstr(record, text))
			continue;
		if (line)
			snprintf(line, size, "%s", record);
		return true;
	}
}

void meet_signal(uint32_t *point)
{
	__atomic_store_n(point, 1, __ATOMIC_RELEASE);
}

/* By sleeping: a test machine may have one processor. */
void meet_await(uint32_t *point)
{
	struct timespec pause = { .tv_nsec = 2000000 };

	while (!__atomic_load_n(point, __ATOMIC_ACQUIRE))
		nanosleep(&pause, NULL);
}
