/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all tests need: rescue points on their own functions, children that
 * may die, counters, the kernel log.
 */
#ifndef _REASSURE_TEST_H
#define _REASSURE_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "../../tools/reassurectl/names.h"
#include "../../uapi/reassure.h"

#define PAGE_SIZE	4096UL

/* A function that is compiled as written and called where it is called. */
#define __noipa		__attribute__((noipa))

#define barrier()	asm volatile("" : : : "memory")

#define REASSURE_SYSFS	"/sys/kernel/reassure"
#define PARAMETERS	"/sys/module/reassure/parameters/"

#define SIGNAL_BIT(sig)	(1ULL << ((sig) - 1))
#define DEFAULT_SIGNALS	(SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGABRT) | \
			 SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | \
			 SIGNAL_BIT(SIGSEGV))

/* What rescued calls return unless a test says otherwise. */
#define RESCUED		(-77L)

/* Where nothing is ever mapped. */
#define BAD_ADDRESS	((void *)0x8)

/*
 * What becomes of writes to shared memory.  Tests have their own books there,
 * so the default is to leave it.
 */
enum test_shared {
	TEST_SHARED_LEAVE,
	TEST_SHARED_REFUSE,
	TEST_SHARED_RESTORE,
	TEST_SHARED_UNSAID,
};

/**
 * struct rescue_point - what to add
 * @function: of this process; or
 * @path: the file and
 * @offset: the place
 * @name: in place of "test"
 * @value: in place of RESCUED
 * @returns_void: nothing is returned
 * @signals: in place of the default set
 * @handled: enum reassure_handled
 * @shared: enum test_shared
 * @budget_rescues: with
 * @budget_seconds: a budget in place of none
 * @exhausted: enum reassure_exhausted
 * @allow_setuid: also programs that gained privileges
 * @deadline_ms: in place of none
 * @mode: enum reassure_mode
 * @disabled: calls are let alone
 * @threads: enum reassure_threads
 * @watchdog_ms: in place of the default
 * @escalate: in place of the default, or NULL
 * @cgroups: only processes in these, up to a NULL, or NULL
 * @probe_exits: probe where @function is left in place of its return
 * @landings: probe the landings of this process's libraries
 * @landing_path: or, in this file, one
 * @landing_offset: at this place
 * @build_id: the file is bound by its build-id
 * @build_id_flipped: by another that it has not
 */
struct rescue_point {
	const void *function;
	const char *path;
	uint64_t offset;
	const char *name;
	const int64_t *value;
	bool returns_void;
	uint64_t signals;
	unsigned int handled;
	enum test_shared shared;
	unsigned int budget_rescues;
	unsigned int budget_seconds;
	unsigned int exhausted;
	bool allow_setuid;
	unsigned int deadline_ms;
	unsigned int mode;
	bool disabled;
	unsigned int threads;
	unsigned int watchdog_ms;
	const unsigned int *escalate;
	const char *const *cgroups;
	bool probe_exits;
	bool landings;
	const char *landing_path;
	uint64_t landing_offset;
	bool build_id;
	bool build_id_flipped;
};

/**
 * struct rescue_point_change - what to change
 * @value: what is returned, or NULL
 * @returns_void: nothing is returned any more
 * @signals: or 0
 * @handled: enum reassure_handled, or NULL
 * @shared: enum reassure_shared, or NULL
 * @mode: enum reassure_mode, or NULL
 * @enabled: whether calls open checkpoints, or NULL
 * @threads: enum reassure_threads, or NULL
 * @budget_rescues: with
 * @budget_seconds: a budget
 * @unlimited: or none
 * @exhausted: enum reassure_exhausted, or NULL
 * @deadline_ms: 0 for none, or NULL
 * @watchdog_ms: or NULL
 * @escalate: or NULL
 * @cgroups: as in struct rescue_point
 * @all_cgroups: or all of them
 */
struct rescue_point_change {
	const int64_t *value;
	bool returns_void;
	uint64_t signals;
	const uint32_t *handled;
	const uint32_t *shared;
	const uint32_t *mode;
	const bool *enabled;
	const uint32_t *threads;
	uint32_t budget_rescues;
	uint32_t budget_seconds;
	bool unlimited;
	const uint32_t *exhausted;
	const uint32_t *deadline_ms;
	const uint32_t *watchdog_ms;
	const uint32_t *escalate;
	const char *const *cgroups;
	bool all_cgroups;
};

/**
 * struct rescue_point_injection - which calls are to fault
 * @signal: of what, or 0
 * @count: so many calls, or NULL
 * @every: every so many calls one, or NULL
 * @off: none any more
 */
struct rescue_point_injection {
	int signal;
	const uint32_t *count;
	const uint32_t *every;
	bool off;
};

int rescue_point_add(const struct rescue_point *rp);
int rescue_point_protect(const void *function);
int rescue_point_set(const char *name,
		     const struct rescue_point_change *change);
int rescue_point_rebind(const struct rescue_point *rp);
int rescue_points_apply(const struct rescue_point *rps, size_t count,
			bool prune, size_t *which);
int rescue_point_file_state(const char *name);
int rescue_point_landings_probed(const char *name);
int rescue_point_inject(const char *name,
			const struct rescue_point_injection *injection);
int rescue_point_injections_left(const char *name);
int rescue_point_delete(const char *name);
int rescue_points_flush(void);
const char *rescue_point_error(void);

/* Of the whole module; why is a word of its parameter switched_off. */
int module_switch(bool on);
bool module_is_off_for(const char *why);
bool module_is_enabled(void);
int function_place(const void *function, char *path, size_t size,
		   uint64_t *offset);

/**
 * struct counters - what sysfs shows
 * @events: by enum reassure_counter
 * @refused: by enum reassure_refusal
 */
struct counters {
	uint64_t events[REASSURE_COUNTERS];
	uint64_t refused[REASSURE_REFUSALS];
};

int counters_read(const char *rescue_point, struct counters *counters);
void counters_mark(void);
uint64_t events_since_mark(enum reassure_counter counter);
uint64_t events_awaited(enum reassure_counter counter, uint64_t wanted);
uint64_t refused_since_mark(enum reassure_refusal reason);
uint64_t all_refused_since_mark(void);

int test_begin(void);
void test_end(bool passed);
int test_begin_alone(void);
void test_end_alone(bool passed);
void test_tell(bool passed);

/* Current ends with @parent, which has made it and may be dead by now. */
void die_with_parent(pid_t parent);

/* A child's exit status, or its signal as a negative number. */
pid_t child_start(int (*body)(void *arg), void *arg);
int child_wait(pid_t child);
int child_run(int (*body)(void *arg), void *arg);
noreturn void child_failed(const char *file, int line, const char *what);

/* In children, where the harness cannot follow. */
#define CHECK(condition) \
	((condition) ? (void)0 : child_failed(__FILE__, __LINE__, #condition))

void *shared_memory(size_t size);
void *private_memory(size_t size);
void memory_fill(void *start, size_t size, unsigned char value);
bool memory_holds(const void *start, size_t size, unsigned char value);
int read_text(const char *path, char *text, size_t size);
/* What stands behind @name at the beginning of a line; -1 when nothing does. */
long number_in(const char *path, const char *name);
int write_text(const char *path, const char *text);
bool file_has(const char *path, const char *text);
bool is_debug_kernel(void);
unsigned long number_from_environment(const char *name,
				      unsigned long otherwise);

/* Of the module's file that the environment names; negative on failure. */
int module_load(void);
int module_load_with(const char *parameters);
/* Waits for page faults that are under way. */
int module_unload(void);
int module_unload_now(void);

/* Of selftests/kernel, built beside it; 0 or a negative errno. */
int test_module_load(const char *name, const char *parameters);
int test_module_unload(const char *name);

int kernel_log_open(void);
bool kernel_log_has(int fd, const char *text, char *line, size_t size);

/* By seccomp, from now on; @action is SECCOMP_RET_*. */
void forbid_system_call(int number, uint32_t action);

/* Meeting points of processes, in shared memory. */
void meet_signal(uint32_t *point);
void meet_await(uint32_t *point);

/* Accesses that the compiler must not reason about. */
static inline void touch_read(const void *address)
{
	char value;

	asm volatile("movb (%1), %0" : "=q" (value) : "r" (address) : "memory");
}

static inline void touch_write(void *address)
{
	asm volatile("movb $1, (%0)" : : "r" (address) : "memory");
}

#endif /* _REASSURE_TEST_H */
