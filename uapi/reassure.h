/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/reassure.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_REASSURE_H
#define _UAPI_LINUX_REASSURE_H

#define REASSURE_GENL_NAME	"reassure"
#define REASSURE_GENL_VERSION	1

#define REASSURE_NAME_MAX		64
#define REASSURE_FUNCTION_MAX		4095
#define REASSURE_BUILD_ID_MAX		64
#define REASSURE_BUDGET_MAX		1000000
#define REASSURE_BUDGET_SECONDS_MAX	315360000
#define REASSURE_BUDGET_DEFAULT		20
#define REASSURE_BUDGET_SECONDS_DEFAULT	3600
#define REASSURE_DEADLINE_MAX		86400000
#define REASSURE_WATCHDOG_MAX		60000
#define REASSURE_WATCHDOG_DEFAULT	20
#define REASSURE_ESCALATE_MAX		1000000
#define REASSURE_ESCALATE_DEFAULT	3
#define REASSURE_INJECT_MAX		1000000
#define REASSURE_CGROUPS_MAX		16
#define REASSURE_CGROUP_PATH_MAX	1023
#define REASSURE_SIGNALS_DEFAULT	1256
#define REASSURE_APPLY_MAX		2048
#define REASSURE_EXITS_MAX		256
#define REASSURE_LANDING_FILES_MAX	4
#define REASSURE_LANDINGS_MAX		32
#define REASSURE_EVENTS_KEPT		64
#define REASSURE_EVENT_STACK_MAX	12288
#define REASSURE_EVENT_MAPPINGS_MAX	32

/**
 * enum reassure_handled - a fault for which the program has its own handler
 * @REASSURE_HANDLED_RESCUE: is rescued; the handler does not run
 * @REASSURE_HANDLED_LEAVE: is left to the handler, for runtimes that use
 *   SIGSEGV in normal work
 */
enum reassure_handled {
	REASSURE_HANDLED_RESCUE,
	REASSURE_HANDLED_LEAVE,

	/* private: */
	__REASSURE_HANDLED_MAX,
	REASSURE_HANDLED_MAX = (__REASSURE_HANDLED_MAX - 1)
};

/**
 * enum reassure_shared - what a call writes to shared memory: mappings whose
 *   pages other processes may see (MAP_SHARED, SysV, memfd). Memory of devices
 *   and the rings that the kernel shares with a program (io_uring, AIO, perf,
 *   packet sockets) is always left.
 * @REASSURE_SHARED_REFUSE: such a call is not rescued, because another process
 *   may have seen what it wrote
 * @REASSURE_SHARED_LEAVE: it stays as the call left it; is not watched and
 *   costs nothing
 * @REASSURE_SHARED_RESTORE: the pages that the call wrote to are put back,
 *   with what others wrote to the same pages meanwhile
 */
enum reassure_shared {
	REASSURE_SHARED_REFUSE,
	REASSURE_SHARED_LEAVE,
	REASSURE_SHARED_RESTORE,

	/* private: */
	__REASSURE_SHARED_MAX,
	REASSURE_SHARED_MAX = (__REASSURE_SHARED_MAX - 1)
};

/**
 * enum reassure_exhausted - what a spent budget means
 * @REASSURE_EXHAUSTED_DIE: the next fault is fatal
 * @REASSURE_EXHAUSTED_SKIP: until the budget allows another rescue the
 *   function does not run: its calls return the error at once. A fault in a
 *   call that was inside already is fatal
 */
enum reassure_exhausted {
	REASSURE_EXHAUSTED_DIE,
	REASSURE_EXHAUSTED_SKIP,

	/* private: */
	__REASSURE_EXHAUSTED_MAX,
	REASSURE_EXHAUSTED_MAX = (__REASSURE_EXHAUSTED_MAX - 1)
};

/**
 * enum reassure_threads - what the other threads of a process do while one is
 *   inside the function. In both cases their calls are inside one after the
 *   other
 * @REASSURE_THREADS_STOP: they run no code of the program
 * @REASSURE_THREADS_RUN: they run; they stand still only while the call begins
 *   and while it is rolled back. A rollback takes back what they wrote
 *   meanwhile, too, but for their own stacks: for programs whose threads have
 *   little in common
 */
enum reassure_threads {
	REASSURE_THREADS_STOP,
	REASSURE_THREADS_RUN,

	/* private: */
	__REASSURE_THREADS_MAX,
	REASSURE_THREADS_MAX = (__REASSURE_THREADS_MAX - 1)
};

/**
 * enum reassure_mode - what a rescue point is for
 * @REASSURE_MODE_RESCUE: faults are rescued
 * @REASSURE_MODE_OBSERVE: all is done but the rescue: calls open checkpoints,
 *   a rollback is made ready when one faults, and the program gets its signal.
 *   Where it would have been rescued that is counted as
 *   REASSURE_REFUSED_OBSERVED: once for a call, and of calls inside each other
 *   for the innermost. A deadline interrupts nothing: what has taken longer is
 *   counted when it comes back to user code. No budget is spent, no call is
 *   skipped, and calls inside are not escalated to this one
 */
enum reassure_mode {
	REASSURE_MODE_RESCUE,
	REASSURE_MODE_OBSERVE,

	/* private: */
	__REASSURE_MODE_MAX,
	REASSURE_MODE_MAX = (__REASSURE_MODE_MAX - 1)
};

/**
 * enum reassure_off - whether the module is switched off, and why
 * @REASSURE_OFF_NOT: it is on
 * @REASSURE_OFF_PARAMETER: it was loaded with the parameter enabled=0
 * @REASSURE_OFF_ADMINISTRATOR: by REASSURE_CMD_SWITCH
 * @REASSURE_OFF_DIFFERENCE: by itself: after a rollback memory was not as at
 *   the entry, see REASSURE_COUNTER_DIFFERENCES
 * @REASSURE_OFF_ROLLBACK: by itself: when a rollback had put mappings back
 *   they were not as at the entry, and the process that did it could not have
 *   changed them. It was killed by its signal
 */
enum reassure_off {
	REASSURE_OFF_NOT,
	REASSURE_OFF_PARAMETER,
	REASSURE_OFF_ADMINISTRATOR,
	REASSURE_OFF_DIFFERENCE,
	REASSURE_OFF_ROLLBACK,

	/* private: */
	__REASSURE_OFF_MAX,
	REASSURE_OFF_MAX = (__REASSURE_OFF_MAX - 1)
};

/**
 * enum reassure_file_state - what became of the file of a rescue point
 * @REASSURE_FILE_CURRENT: it is as it was when it was bound
 * @REASSURE_FILE_REPLACED: its path leads to another file or to none;
 *   processes that still use it are protected, others are not
 * @REASSURE_FILE_REWRITTEN: it was written to since; no call is protected any
 *   more if a process that maps it finds another build
 */
enum reassure_file_state {
	REASSURE_FILE_CURRENT,
	REASSURE_FILE_REPLACED,
	REASSURE_FILE_REWRITTEN,

	/* private: */
	__REASSURE_FILE_MAX,
	REASSURE_FILE_MAX = (__REASSURE_FILE_MAX - 1)
};

/**
 * enum reassure_counter - what is counted, for each rescue point and in all
 * @REASSURE_COUNTER_CHECKPOINTS: calls that opened a checkpoint
 *   ("checkpoints")
 * @REASSURE_COUNTER_COMMITS: calls that returned, or whose rescue point was
 *   deleted or disabled while they were inside ("commits")
 * @REASSURE_COUNTER_ABANDONED: calls that were left without returning:
 *   longjmp(), exec, exit ("abandoned")
 * @REASSURE_COUNTER_RESCUES: faults that were rescued ("rescues")
 * @REASSURE_COUNTER_PAGES_SAVED: pages whose old content was copied to the
 *   page log, at entry or before they were written ("pages_saved")
 * @REASSURE_COUNTER_PAGES_RESTORED: pages that had changed and that rollbacks
 *   put back or removed ("pages_restored")
 * @REASSURE_COUNTER_ROLLBACK_NS: nanoseconds spent in rollbacks
 *   ("rollback_ns")
 * @REASSURE_COUNTER_DIFFERENCES: rollbacks after which memory was not as at
 *   the entry; only looked for with the module's parameter "verify"
 *   ("differences")
 * @REASSURE_COUNTER_SKIPPED: calls that returned at once, because the budget
 *   was spent and the rescue point says REASSURE_EXHAUSTED_SKIP ("skipped")
 * @REASSURE_COUNTER_DEADLINES: those of the rescues that were made because the
 *   call was inside for longer than REASSURE_A_DEADLINE ("deadlines")
 * @REASSURE_COUNTER_GIVEN_UP: calls whose checkpoint was given up because they
 *   were blocked for longer than REASSURE_A_WATCHDOG, or inside for fifty
 *   times that, while other threads of the process waited ("given_up")
 * @REASSURE_COUNTER_INJECTED: calls that had a fault because
 *   REASSURE_CMD_INJECT asked for it, rescued or not ("injected")
 */
enum reassure_counter {
	REASSURE_COUNTER_CHECKPOINTS,
	REASSURE_COUNTER_COMMITS,
	REASSURE_COUNTER_ABANDONED,
	REASSURE_COUNTER_RESCUES,
	REASSURE_COUNTER_PAGES_SAVED,
	REASSURE_COUNTER_PAGES_RESTORED,
	REASSURE_COUNTER_ROLLBACK_NS,
	REASSURE_COUNTER_DIFFERENCES,
	REASSURE_COUNTER_SKIPPED,
	REASSURE_COUNTER_DEADLINES,
	REASSURE_COUNTER_GIVEN_UP,
	REASSURE_COUNTER_INJECTED,

	/* private: */
	__REASSURE_COUNTER_MAX,
	REASSURE_COUNTER_MAX = (__REASSURE_COUNTER_MAX - 1)
};

/**
 * enum reassure_refusal - why a fault inside a rescue point was not rescued
 * @REASSURE_REFUSED_BUDGET: the budget is spent ("budget")
 * @REASSURE_REFUSED_THREADS: another process shares, or during the call
 *   shared, the address space, a thread came or went during the call, or what
 *   another thread's system call wrote or did meanwhile would be undone
 *   ("threads")
 * @REASSURE_REFUSED_SIGNAL: the signal is not in REASSURE_A_SIGNALS ("signal")
 * @REASSURE_REFUSED_HANDLED: the program has a handler and the rescue point
 *   says REASSURE_HANDLED_LEAVE ("handled")
 * @REASSURE_REFUSED_HARDWARE: a hardware memory error ("hardware")
 * @REASSURE_REFUSED_TRACED: the process is being traced ("traced")
 * @REASSURE_REFUSED_LEFT: the call had been left without returning, or the
 *   thread runs on another stack ("left")
 * @REASSURE_REFUSED_PROBE: the kernel could not set or no longer has the
 *   return probe, or the return address could not be read, or the program runs
 *   in a mode whose registers cannot be put back: 32-bit, user shadow stack
 *   ("probe")
 * @REASSURE_REFUSED_MAPPING: the call changed a mapping in a way, or of a
 *   kind, that cannot be put back ("mapping")
 * @REASSURE_REFUSED_USERFAULTFD: userfaultfd is in use ("userfaultfd")
 * @REASSURE_REFUSED_HUGETLB: a private writable hugetlb mapping, or a shared
 *   one and the rescue point does not say REASSURE_SHARED_LEAVE ("hugetlb")
 * @REASSURE_REFUSED_PINNED: a page that would be put back has references that
 *   its mappings do not explain, so a device may be using it ("pinned")
 * @REASSURE_REFUSED_FOREIGN: another process wrote to this memory during the
 *   call, or a device mirrors the address space ("foreign")
 * @REASSURE_REFUSED_MEMORY: no memory for the checkpoint or the rollback
 *   ("memory")
 * @REASSURE_REFUSED_UNREADABLE: a page could not be read or brought back
 *   ("unreadable")
 * @REASSURE_REFUSED_LIMIT: the call wrote to more pages than the module's
 *   parameters log_pages, or all calls together than log_pages_total, allow
 *   ("limit")
 * @REASSURE_REFUSED_SHARED: the call wrote to shared memory and the rescue
 *   point says REASSURE_SHARED_REFUSE, or what it wrote cannot be put back
 *   ("shared")
 * @REASSURE_REFUSED_DESCRIPTOR: the call closed a descriptor that cannot be
 *   opened again, such as a socket or a locked file, or did something else to
 *   descriptors or what they stand for that cannot be undone; or another
 *   process shares the descriptors ("descriptor")
 * @REASSURE_REFUSED_STATE: the call changed something else of its process that
 *   cannot be put back, such as credentials, limits, timers or namespaces, or
 *   made system calls of another mode ("state")
 * @REASSURE_REFUSED_STALE: the file holds another build than the rescue point
 *   was added for; counted each time that a process maps it ("stale")
 * @REASSURE_REFUSED_SETUID: the program gained privileges when it was executed
 *   and the rescue point does not say REASSURE_A_ALLOW_SETUID ("setuid")
 * @REASSURE_REFUSED_WATCHDOG: the checkpoint was given up, see
 *   REASSURE_COUNTER_GIVEN_UP; or none was opened, because the other threads
 *   could not be stopped within REASSURE_A_WATCHDOG, or because that or the
 *   other has happened to another call of the process of late ("watchdog")
 * @REASSURE_REFUSED_ESCALATED: inside one call of another rescue point it was
 *   rescued as often as REASSURE_A_ESCALATE says; that one is tried
 *   ("escalated")
 * @REASSURE_REFUSED_OBSERVED: it would have been rescued, but the rescue point
 *   says REASSURE_MODE_OBSERVE ("observed")
 */
enum reassure_refusal {
	REASSURE_REFUSED_BUDGET,
	REASSURE_REFUSED_THREADS,
	REASSURE_REFUSED_SIGNAL,
	REASSURE_REFUSED_HANDLED,
	REASSURE_REFUSED_HARDWARE,
	REASSURE_REFUSED_TRACED,
	REASSURE_REFUSED_LEFT,
	REASSURE_REFUSED_PROBE,
	REASSURE_REFUSED_MAPPING,
	REASSURE_REFUSED_USERFAULTFD,
	REASSURE_REFUSED_HUGETLB,
	REASSURE_REFUSED_PINNED,
	REASSURE_REFUSED_FOREIGN,
	REASSURE_REFUSED_MEMORY,
	REASSURE_REFUSED_UNREADABLE,
	REASSURE_REFUSED_LIMIT,
	REASSURE_REFUSED_SHARED,
	REASSURE_REFUSED_DESCRIPTOR,
	REASSURE_REFUSED_STATE,
	REASSURE_REFUSED_STALE,
	REASSURE_REFUSED_SETUID,
	REASSURE_REFUSED_WATCHDOG,
	REASSURE_REFUSED_ESCALATED,
	REASSURE_REFUSED_OBSERVED,

	/* private: */
	__REASSURE_REFUSED_MAX,
	REASSURE_REFUSED_MAX = (__REASSURE_REFUSED_MAX - 1)
};

/**
 * enum reassure_outcome - what became of a fault
 * @REASSURE_OUTCOME_RESCUED: it was rescued
 * @REASSURE_OUTCOME_REFUSED: it was not, and the program got its signal
 * @REASSURE_OUTCOME_OUTSIDE: the thread had been in a rescue point before, but
 *   was in none at the fault, so that there was nothing to rescue
 */
enum reassure_outcome {
	REASSURE_OUTCOME_RESCUED,
	REASSURE_OUTCOME_REFUSED,
	REASSURE_OUTCOME_OUTSIDE,

	/* private: */
	__REASSURE_OUTCOME_MAX,
	REASSURE_OUTCOME_MAX = (__REASSURE_OUTCOME_MAX - 1)
};

enum reassure_attribute {
	REASSURE_A_UNSPEC,
	REASSURE_A_PAD,
	REASSURE_A_NAME,
	REASSURE_A_FILE_FD,
	REASSURE_A_PATH,
	REASSURE_A_OFFSET,
	REASSURE_A_FUNCTION,
	REASSURE_A_BUILD_ID,
	REASSURE_A_RETURN,
	REASSURE_A_SIGNALS,
	REASSURE_A_HANDLED,
	REASSURE_A_BUDGET_RESCUES,
	REASSURE_A_BUDGET_SECONDS,
	REASSURE_A_BUDGET_UNLIMITED,
	REASSURE_A_COUNTERS,
	REASSURE_A_REFUSED,
	REASSURE_A_RESCUE_POINTS,
	REASSURE_A_MODULE_VERSION,
	REASSURE_A_SHARED,
	REASSURE_A_EXHAUSTED,
	REASSURE_A_DEADLINE,
	REASSURE_A_EXITS,
	REASSURE_A_RETURN_VOID,
	REASSURE_A_BUILD_ID_OFFSET,
	REASSURE_A_FILE_STATE,
	REASSURE_A_ALLOW_SETUID,
	REASSURE_A_LANDINGS,
	REASSURE_A_EXECUTABLE,
	REASSURE_A_WATCHDOG,
	REASSURE_A_ESCALATE,
	REASSURE_A_THREADS,
	REASSURE_A_MODE,
	REASSURE_A_ENABLED,
	REASSURE_A_OFF,
	REASSURE_A_CGROUPS,
	REASSURE_A_CGROUPS_ALL,
	REASSURE_A_EVENTS,
	REASSURE_A_EVENTS_LOST,
	REASSURE_A_RESCUE_POINT,
	REASSURE_A_PRUNE,
	REASSURE_A_INJECT_SIGNAL,
	REASSURE_A_INJECT_COUNT,
	REASSURE_A_INJECT_EVERY,
	REASSURE_A_INJECT_OFF,

	__REASSURE_A_MAX,
	REASSURE_A_MAX = (__REASSURE_A_MAX - 1)
};

enum reassure_landings {
	REASSURE_LANDINGS_UNSPEC,
	REASSURE_LANDINGS_PAD,
	REASSURE_LANDINGS_FILE_FD,
	REASSURE_LANDINGS_OFFSETS,
	REASSURE_LANDINGS_PATH,
	REASSURE_LANDINGS_FILE_STATE,
	REASSURE_LANDINGS_PROBED,

	__REASSURE_LANDINGS_MAX,
	REASSURE_LANDINGS_ATTRIBUTE_MAX = (__REASSURE_LANDINGS_MAX - 1)
};

enum reassure_cgroups {
	REASSURE_CGROUPS_UNSPEC,
	REASSURE_CGROUPS_PATH,

	__REASSURE_CGROUPS_MAX,
	REASSURE_CGROUPS_ATTRIBUTE_MAX = (__REASSURE_CGROUPS_MAX - 1)
};

enum reassure_event_attribute {
	REASSURE_EVENT_UNSPEC,
	REASSURE_EVENT_PAD,
	REASSURE_EVENT_NUMBER,
	REASSURE_EVENT_OUTCOME,
	REASSURE_EVENT_NAME,
	REASSURE_EVENT_REFUSAL,
	REASSURE_EVENT_PAGES,
	REASSURE_EVENT_DURATION,
	REASSURE_EVENT_TIME,
	REASSURE_EVENT_MONOTONIC,
	REASSURE_EVENT_PID,
	REASSURE_EVENT_TID,
	REASSURE_EVENT_COMMAND,
	REASSURE_EVENT_CGROUP,
	REASSURE_EVENT_CGROUP_ID,
	REASSURE_EVENT_SIGNAL,
	REASSURE_EVENT_CODE,
	REASSURE_EVENT_ADDRESS,
	REASSURE_EVENT_REGISTERS,
	REASSURE_EVENT_STACK_ADDRESS,
	REASSURE_EVENT_STACK,
	REASSURE_EVENT_MAPPINGS,
	REASSURE_EVENT_INJECTED,

	__REASSURE_EVENT_MAX,
	REASSURE_EVENT_MAX = (__REASSURE_EVENT_MAX - 1)
};

enum reassure_event_mapping {
	REASSURE_MAPPING_UNSPEC,
	REASSURE_MAPPING_PAD,
	REASSURE_MAPPING_START,
	REASSURE_MAPPING_END,
	REASSURE_MAPPING_OFFSET,
	REASSURE_MAPPING_BUILD_ID,
	REASSURE_MAPPING_PATH,

	__REASSURE_MAPPING_MAX,
	REASSURE_MAPPING_MAX = (__REASSURE_MAPPING_MAX - 1)
};

enum {
	REASSURE_A_COUNTERS_CHECKPOINTS = 1,
	REASSURE_A_COUNTERS_COMMITS,
	REASSURE_A_COUNTERS_ABANDONED,
	REASSURE_A_COUNTERS_RESCUES,
	REASSURE_A_COUNTERS_PAGES_SAVED,
	REASSURE_A_COUNTERS_PAGES_RESTORED,
	REASSURE_A_COUNTERS_ROLLBACK_NS,
	REASSURE_A_COUNTERS_DIFFERENCES,
	REASSURE_A_COUNTERS_SKIPPED,
	REASSURE_A_COUNTERS_DEADLINES,
	REASSURE_A_COUNTERS_GIVEN_UP,
	REASSURE_A_COUNTERS_INJECTED,

	__REASSURE_A_COUNTERS_MAX,
	REASSURE_COUNTERS = (__REASSURE_A_COUNTERS_MAX - 1)
};

enum {
	REASSURE_A_REFUSED_BUDGET = 1,
	REASSURE_A_REFUSED_THREADS,
	REASSURE_A_REFUSED_SIGNAL,
	REASSURE_A_REFUSED_HANDLED,
	REASSURE_A_REFUSED_HARDWARE,
	REASSURE_A_REFUSED_TRACED,
	REASSURE_A_REFUSED_LEFT,
	REASSURE_A_REFUSED_PROBE,
	REASSURE_A_REFUSED_MAPPING,
	REASSURE_A_REFUSED_USERFAULTFD,
	REASSURE_A_REFUSED_HUGETLB,
	REASSURE_A_REFUSED_PINNED,
	REASSURE_A_REFUSED_FOREIGN,
	REASSURE_A_REFUSED_MEMORY,
	REASSURE_A_REFUSED_UNREADABLE,
	REASSURE_A_REFUSED_LIMIT,
	REASSURE_A_REFUSED_SHARED,
	REASSURE_A_REFUSED_DESCRIPTOR,
	REASSURE_A_REFUSED_STATE,
	REASSURE_A_REFUSED_STALE,
	REASSURE_A_REFUSED_SETUID,
	REASSURE_A_REFUSED_WATCHDOG,
	REASSURE_A_REFUSED_ESCALATED,
	REASSURE_A_REFUSED_OBSERVED,

	__REASSURE_A_REFUSED_MAX,
	REASSURE_REFUSALS = (__REASSURE_A_REFUSED_MAX - 1)
};

enum reassure_command {
	REASSURE_CMD_UNSPEC,
	REASSURE_CMD_RESCUE_POINT_ADD,
	REASSURE_CMD_RESCUE_POINT_DEL,
	REASSURE_CMD_RESCUE_POINT_FLUSH,
	REASSURE_CMD_RESCUE_POINT_GET,
	REASSURE_CMD_STATUS_GET,
	REASSURE_CMD_RESCUE_POINT_SET,
	REASSURE_CMD_RESCUE_POINT_REBIND,
	REASSURE_CMD_SWITCH,
	REASSURE_CMD_EVENT_GET,
	REASSURE_CMD_EVENT_NTF,
	REASSURE_CMD_APPLY,
	REASSURE_CMD_INJECT,

	__REASSURE_CMD_MAX,
	REASSURE_CMD_MAX = (__REASSURE_CMD_MAX - 1)
};

#define REASSURE_EVENTS_GROUP	"events"

#endif /* _UAPI_LINUX_REASSURE_H */
