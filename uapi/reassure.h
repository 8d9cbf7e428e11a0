/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink interface of the Reassure module.
 *
 * Family "reassure".  Every command needs CAP_SYS_ADMIN in the initial user
 * namespace in the process that sends, and, unless it names the kernel as the
 * destination, in the one that opened the socket.  Errors are negative errno
 * values with an extended-ack text that says what to change, and, where one
 * attribute is at fault, its offset.
 *
 * New attributes and commands are only ever added at the end of their list;
 * REASSURE_GENL_VERSION changes when an old meaning does.
 */
#ifndef _UAPI_REASSURE_H
#define _UAPI_REASSURE_H

#define REASSURE_GENL_NAME	"reassure"
#define REASSURE_GENL_VERSION	1

/*
 * The multicast group that tells of events, in the initial network namespace.
 * Joining it needs CAP_SYS_ADMIN.  There are events only while somebody is in
 * it.  It tells their numbers and nothing else: the kernel lets anybody join
 * the number of a group before it is one, so what is secret is handed out by
 * REASSURE_CMD_EVENT_GET only.
 */
#define REASSURE_EVENTS_GROUP	"events"

/* Longest name of a rescue point, without the final NUL. */
#define REASSURE_NAME_MAX	64
/* Longest name of a function, without the final NUL. */
#define REASSURE_FUNCTION_MAX	4095
/* Longest build-id in bytes. */
#define REASSURE_BUILD_ID_MAX	64
/* Most rescues that a budget can name; REASSURE_A_BUDGET_UNLIMITED is beyond. */
#define REASSURE_BUDGET_MAX	1000000
/* Longest period of a budget, in seconds: ten years. */
#define REASSURE_BUDGET_SECONDS_MAX	315360000
/* The budget of a rescue point that is added without one. */
#define REASSURE_BUDGET_DEFAULT	20
#define REASSURE_BUDGET_SECONDS_DEFAULT	3600
/* Longest deadline of a call, in milliseconds: a day. */
#define REASSURE_DEADLINE_MAX	86400000
/* Longest time that a call may be blocked while others wait: a minute. */
#define REASSURE_WATCHDOG_MAX	60000
#define REASSURE_WATCHDOG_DEFAULT	20
/* Most rescues inside one call of another rescue point that can be asked for. */
#define REASSURE_ESCALATE_MAX	1000000
#define REASSURE_ESCALATE_DEFAULT	3
/* Most cgroups that a rescue point can name. */
#define REASSURE_CGROUPS_MAX	16
/* Longest path of a cgroup, without the final NUL. */
#define REASSURE_CGROUP_PATH_MAX	1023
/* SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV; bit N-1 stands for signal N. */
#define REASSURE_SIGNALS_DEFAULT	0x4e8ULL
/* Most rescue points that one message applies. */
#define REASSURE_APPLY_MAX	2048
/* Most exits of a function that can be probed. */
#define REASSURE_EXITS_MAX	256
/* Most files of which one rescue point can have landings. */
#define REASSURE_LANDING_FILES_MAX	4
/* Most landings in one file. */
#define REASSURE_LANDINGS_MAX	32
/* So many events are kept for who reads them late. */
#define REASSURE_EVENTS_KEPT	64
/* Most bytes of the stack in an event. */
#define REASSURE_EVENT_STACK_MAX	12288
/* Most mappings in an event. */
#define REASSURE_EVENT_MAPPINGS_MAX	32

/**
 * enum reassure_command - what can be asked of the module
 * @REASSURE_CMD_UNSPEC: never valid
 * @REASSURE_CMD_RESCUE_POINT_ADD: register a rescue point.  Needs
 *	REASSURE_A_NAME, REASSURE_A_FILE_FD and REASSURE_A_OFFSET; takes
 *	REASSURE_A_RETURN, REASSURE_A_SIGNALS, REASSURE_A_HANDLED,
 *	REASSURE_A_BUDGET_RESCUES with REASSURE_A_BUDGET_SECONDS or
 *	REASSURE_A_BUDGET_UNLIMITED, REASSURE_A_FUNCTION,
 *	REASSURE_A_BUILD_ID with REASSURE_A_BUILD_ID_OFFSET,
 *	REASSURE_A_SHARED, REASSURE_A_EXHAUSTED, REASSURE_A_DEADLINE,
 *	REASSURE_A_ALLOW_SETUID, REASSURE_A_WATCHDOG, REASSURE_A_ESCALATE,
 *	REASSURE_A_THREADS, REASSURE_A_MODE, REASSURE_A_ENABLED,
 *	REASSURE_A_CGROUPS, REASSURE_A_EXITS, REASSURE_A_LANDINGS and REASSURE_A_EXECUTABLE.  Where
 *	not all landings can be probed it is registered, and the acknowledgment
 *	has a text that says so.
 *	-EEXIST when the name or the place is taken, -EBUSY when something else
 *	owns the write-fault hook or the file was written to where, or while, it
 *	was probed, -ESTALE when the file does not hold the build-id, -EOPNOTSUPP
 *	when the kernel cannot probe the instruction that is there.
 * @REASSURE_CMD_RESCUE_POINT_DEL: delete the rescue point REASSURE_A_NAME.
 *	-ENOENT when there is none.  When the answer arrives, calls that were
 *	inside are committed.
 * @REASSURE_CMD_RESCUE_POINT_FLUSH: delete all rescue points.
 * @REASSURE_CMD_RESCUE_POINT_GET: do: the rescue point REASSURE_A_NAME;
 *	dump: all of them.  Answers carry every attribute of ADD but the
 *	descriptors, and REASSURE_A_PATH, REASSURE_A_COUNTERS,
 *	REASSURE_A_REFUSED, REASSURE_A_FILE_STATE.
 * @REASSURE_CMD_STATUS_GET: the global counters: REASSURE_A_RESCUE_POINTS,
 *	REASSURE_A_COUNTERS, REASSURE_A_REFUSED, REASSURE_A_MODULE_VERSION,
 *	REASSURE_A_OFF, REASSURE_A_EVENTS and REASSURE_A_EVENTS_LOST.
 * @REASSURE_CMD_RESCUE_POINT_SET: change the rescue point REASSURE_A_NAME.
 *	Takes REASSURE_A_RETURN or REASSURE_A_RETURN_VOID, REASSURE_A_CGROUPS or
 *	REASSURE_A_CGROUPS_ALL, and those that ADD takes which do not say where
 *	the function is; at least one.  What is not
 *	given stays, counters do, and rescues that were made count in a new
 *	budget.  Holds for calls that begin when the answer has arrived; one that
 *	is inside keeps what held at its entry, except that every rescue is taken
 *	from the budget of its time, and that those inside of a rescue point that
 *	is not enabled any more are committed a moment later.
 *	-ENOENT when there is none; after any error nothing has changed.
 * @REASSURE_CMD_RESCUE_POINT_REBIND: let the rescue point REASSURE_A_NAME be
 *	another place, in the same or another file.  Needs REASSURE_A_FILE_FD
 *	and REASSURE_A_OFFSET; takes REASSURE_A_FUNCTION, REASSURE_A_EXITS,
 *	REASSURE_A_BUILD_ID with REASSURE_A_BUILD_ID_OFFSET, REASSURE_A_LANDINGS
 *	and REASSURE_A_EXECUTABLE, of which it warns as ADD does.  Settings,
 *	counters and what is left of the budget stay.  Calls that are inside at
 *	the old place are committed.  Errors are those of ADD, -ENOENT, and -EOPNOTSUPP
 *	when only REASSURE_A_EXITS comes or goes; then nothing has changed.
 * @REASSURE_CMD_SWITCH: switch the whole module on or off, as
 *	REASSURE_A_ENABLED says, which is needed.  While it is off no call opens
 *	a checkpoint and none is rescued, and calls that are inside are committed
 *	a moment later.  Rescue points stay, with their own REASSURE_A_ENABLED;
 *	ADD, SET, REBIND and APPLY work, and their acknowledgment has a text that says
 *	that it is off.  The module switches itself off after a defect of its
 *	own, see enum reassure_off; the reason is forgotten when it is switched on.
 * @REASSURE_CMD_EVENT_GET: dump: the events that the module still has, in their
 *	order; with REASSURE_EVENT_NUMBER only those that came after that one.
 *	This and the next have attributes of enum reassure_event_attribute.
 * @REASSURE_CMD_EVENT_NTF: to the group REASSURE_EVENTS_GROUP, never a request:
 *	there is a new event, REASSURE_EVENT_NUMBER.
 * @REASSURE_CMD_APPLY: make the rescue points what the message says, all of them
 *	or none.  Takes up to REASSURE_APPLY_MAX times REASSURE_A_RESCUE_POINT,
 *	and REASSURE_A_PRUNE.  A name that there is not is added.  One that there is
 *	stays what it is if all is the same; if its settings differ it gets the
 *	new ones as from SET, with the default for what is not given; if its place
 *	does it is moved as by REBIND.  Errors are those of these commands, and
 *	-EEXIST when two have the same name or place; then nothing has changed,
 *	and the offset in the answer is in the rescue point that is at fault.
 *	Between the commit of calls that are inside at an old place and the
 *	beginning of the new one's, calls are not protected.
 */
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

	__REASSURE_CMD_LAST,
	REASSURE_CMD_MAX = __REASSURE_CMD_LAST - 1
};

/**
 * enum reassure_attribute - the attributes of a message
 * @REASSURE_A_UNSPEC: never valid
 * @REASSURE_A_PAD: padding before 64-bit attributes
 * @REASSURE_A_NAME: string, 1 to REASSURE_NAME_MAX characters out of
 *	[A-Za-z0-9_.+-], not "." or ".."; unique
 * @REASSURE_A_FILE_FD: s32, a descriptor of the sender, open for reading:
 *	the executable or shared library.  A descriptor and not a path, so
 *	that the file whose symbols were read is the file that is probed.
 * @REASSURE_A_PATH: string, the path of the file as the reader sees it
 * @REASSURE_A_OFFSET: u64, offset of the function's entry in the file
 * @REASSURE_A_FUNCTION: string, the function's name, as information only
 * @REASSURE_A_BUILD_ID: binary, the file's build-id; without
 *	REASSURE_A_BUILD_ID_OFFSET as information only
 * @REASSURE_A_RETURN: s64, the value to return; absent for void
 * @REASSURE_A_SIGNALS: u64, bit N-1 stands for signal N; out of SIGILL,
 *	SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS; default: these
 *	without SIGTRAP and SIGSYS
 * @REASSURE_A_HANDLED: u32, one of enum reassure_handled; default
 *	REASSURE_HANDLED_RESCUE
 * @REASSURE_A_BUDGET_RESCUES: u32, 1 to REASSURE_BUDGET_MAX: so many rescues
 *	in any REASSURE_A_BUDGET_SECONDS; default 20
 * @REASSURE_A_BUDGET_SECONDS: u32, 1 to REASSURE_BUDGET_SECONDS_MAX;
 *	default 3600
 * @REASSURE_A_BUDGET_UNLIMITED: flag, no budget; excludes the two above
 * @REASSURE_A_COUNTERS: nest, u64 attributes of type
 *	enum reassure_counter + 1; type 0 is padding
 * @REASSURE_A_REFUSED: nest, u64 attributes of type
 *	enum reassure_refusal + 1; type 0 is padding
 * @REASSURE_A_RESCUE_POINTS: u32, how many rescue points there are
 * @REASSURE_A_MODULE_VERSION: string
 * @REASSURE_A_SHARED: u32, one of enum reassure_shared; default
 *	REASSURE_SHARED_REFUSE
 * @REASSURE_A_EXHAUSTED: u32, one of enum reassure_exhausted; default
 *	REASSURE_EXHAUSTED_DIE.  REASSURE_EXHAUSTED_SKIP excludes
 *	REASSURE_A_BUDGET_UNLIMITED
 * @REASSURE_A_DEADLINE: u32, 1 to REASSURE_DEADLINE_MAX milliseconds: a call
 *	that is inside for longer is rescued as if it had crashed; absent, and
 *	in SET 0, for no limit
 * @REASSURE_A_EXITS: binary, 1 to REASSURE_EXITS_MAX numbers of type u64 in
 *	ascending order: offsets in the file of all instructions with which the
 *	function is left, with the return address on the top of the stack.  They
 *	are probed; the return address is let be, as programs need whose C++
 *	exceptions pass the function or that switch stacks in it.  Absent for
 *	the kernel's return probe, which replaces the return address
 * @REASSURE_A_RETURN_VOID: flag, in SET: no value is returned
 * @REASSURE_A_BUILD_ID_OFFSET: u64, where in the file the bytes of
 *	REASSURE_A_BUILD_ID are.  A process in which the file holds other bytes
 *	there is not probed.  Without it, the page in which the function begins
 *	must hold what it held when the rescue point was added
 * @REASSURE_A_FILE_STATE: u32, one of enum reassure_file_state
 * @REASSURE_A_ALLOW_SETUID: u8, 0 or 1: whether calls of programs are rescued
 *	that gained privileges when they were executed: set-user-ID,
 *	set-group-ID, file capabilities; default 0
 * @REASSURE_A_LANDINGS: nest, one nest of enum reassure_landings for each of at
 *	most REASSURE_LANDING_FILES_MAX files; of whatever types
 * @REASSURE_A_EXECUTABLE: flag, the file is a program's executable and not a
 *	shared library: landings are probed only in processes that map it before
 *	the files of these.  Without it they are in all processes
 * @REASSURE_A_WATCHDOG: u32, 1 to REASSURE_WATCHDOG_MAX milliseconds: for how
 *	long a call may be blocked while other threads of the process wait for
 *	it; then its checkpoint is given up and they go on; default 20
 * @REASSURE_A_ESCALATE: u32, 0 to REASSURE_ESCALATE_MAX: how often calls of this
 *	rescue point are rescued inside one call of another; the next fault takes
 *	that one back, too; default 3
 * @REASSURE_A_THREADS: u32, one of enum reassure_threads; default
 *	REASSURE_THREADS_STOP
 * @REASSURE_A_MODE: u32, one of enum reassure_mode; default
 *	REASSURE_MODE_RESCUE
 * @REASSURE_A_ENABLED: u8, 0 or 1: whether calls open checkpoints, or are let
 *	be as if there were no rescue point; default 1.  In SWITCH: those of all
 * @REASSURE_A_OFF: u32, in the answer to STATUS_GET: one of enum reassure_off
 * @REASSURE_A_CGROUPS: nest, 1 to REASSURE_CGROUPS_MAX attributes
 *	REASSURE_CGROUPS_PATH: only calls of threads in one of these cgroups, or
 *	below one, open checkpoints; others are let be, and nothing is counted for
 *	them.  Absent for all.  A call goes on as it began when its thread is
 *	moved; SET replaces all of them
 * @REASSURE_A_CGROUPS_ALL: flag, in SET: all cgroups; excludes
 *	REASSURE_A_CGROUPS
 * @REASSURE_A_EVENTS: u64, the number of the last event, 0 when there was none
 *	yet: how many there have been since the module was loaded
 * @REASSURE_A_EVENTS_LOST: u64, how many of these nobody has read before they
 *	had to make room, or could not be kept for want of memory
 * @REASSURE_A_RESCUE_POINT: nest, in APPLY: a rescue point, with the attributes
 *	of ADD; may be given many times
 * @REASSURE_A_PRUNE: flag, in APPLY: delete all others
 */
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

	__REASSURE_A_LAST,
	REASSURE_A_MAX = __REASSURE_A_LAST - 1
};

/**
 * enum reassure_cgroups - some cgroups
 * @REASSURE_CGROUPS_UNSPEC: never valid
 * @REASSURE_CGROUPS_PATH: string, at most REASSURE_CGROUP_PATH_MAX characters:
 *	the path of a cgroup of version 2, as /proc/PID/cgroup shows it to a
 *	reader in the initial cgroup namespace.  It begins with "/", and has no
 *	component that is empty, "." or "..".  The cgroup need not exist
 */
enum reassure_cgroups {
	REASSURE_CGROUPS_UNSPEC,
	REASSURE_CGROUPS_PATH,

	__REASSURE_CGROUPS_LAST,
	REASSURE_CGROUPS_ATTRIBUTE_MAX = __REASSURE_CGROUPS_LAST - 1
};

/**
 * enum reassure_landings - landings in one file: instructions that go to another
 *	frame, whose stack pointer has been set before; or returns, with the
 *	address on the top of that frame's stack.  longjmp(), setcontext() and
 *	the unwinder of exceptions end in them.  They are probed, so that a call
 *	that is left there is known to be
 * @REASSURE_LANDINGS_UNSPEC: never valid
 * @REASSURE_LANDINGS_PAD: padding before 64-bit attributes
 * @REASSURE_LANDINGS_FILE_FD: s32, a descriptor of the sender, open for reading:
 *	the executable or shared library; needed
 * @REASSURE_LANDINGS_OFFSETS: binary, 1 to REASSURE_LANDINGS_MAX numbers of type
 *	u64 in ascending order: offsets in the file; needed
 * @REASSURE_LANDINGS_PATH: string, in answers: the path of the file as the reader
 *	sees it
 * @REASSURE_LANDINGS_FILE_STATE: u32, in answers: one of enum
 *	reassure_file_state
 * @REASSURE_LANDINGS_PROBED: u32, in answers: how many of them are probed
 */
enum reassure_landings {
	REASSURE_LANDINGS_UNSPEC,
	REASSURE_LANDINGS_PAD,
	REASSURE_LANDINGS_FILE_FD,
	REASSURE_LANDINGS_OFFSETS,
	REASSURE_LANDINGS_PATH,
	REASSURE_LANDINGS_FILE_STATE,
	REASSURE_LANDINGS_PROBED,

	__REASSURE_LANDINGS_LAST,
	REASSURE_LANDINGS_ATTRIBUTE_MAX = __REASSURE_LANDINGS_LAST - 1
};

/**
 * enum reassure_handled - a fault for which the program has its own handler
 * @REASSURE_HANDLED_RESCUE: is rescued; the handler does not run
 * @REASSURE_HANDLED_LEAVE: is left to the handler, for runtimes that use
 *	SIGSEGV in normal work
 */
enum reassure_handled {
	REASSURE_HANDLED_RESCUE,
	REASSURE_HANDLED_LEAVE,

	__REASSURE_HANDLED_LAST,
	REASSURE_HANDLED_MAX = __REASSURE_HANDLED_LAST - 1
};

/**
 * enum reassure_shared - what a call writes to shared memory: mappings whose
 *	pages other processes may see (MAP_SHARED, SysV, memfd)
 * @REASSURE_SHARED_REFUSE: such a call is not rescued, because another process
 *	may have seen what it wrote
 * @REASSURE_SHARED_LEAVE: it stays as the call left it; is not watched and
 *	costs nothing
 * @REASSURE_SHARED_RESTORE: the pages that the call wrote to are put back,
 *	with what others wrote to the same pages meanwhile
 *
 * Memory of devices and the rings that the kernel shares with a program
 * (io_uring, AIO, perf, packet sockets) is always left.
 */
enum reassure_shared {
	REASSURE_SHARED_REFUSE,
	REASSURE_SHARED_LEAVE,
	REASSURE_SHARED_RESTORE,

	__REASSURE_SHARED_LAST,
	REASSURE_SHARED_MAX = __REASSURE_SHARED_LAST - 1
};

/**
 * enum reassure_exhausted - what a spent budget means
 * @REASSURE_EXHAUSTED_DIE: the next fault is fatal
 * @REASSURE_EXHAUSTED_SKIP: until the budget allows another rescue the
 *	function does not run: its calls return the error at once.  A fault in
 *	a call that was inside already is fatal
 */
enum reassure_exhausted {
	REASSURE_EXHAUSTED_DIE,
	REASSURE_EXHAUSTED_SKIP,

	__REASSURE_EXHAUSTED_LAST,
	REASSURE_EXHAUSTED_MAX = __REASSURE_EXHAUSTED_LAST - 1
};

/**
 * enum reassure_threads - what the other threads of a process do while one is
 *	inside the function.  In both cases their calls are inside one after the
 *	other
 * @REASSURE_THREADS_STOP: they run no code of the program
 * @REASSURE_THREADS_RUN: they run; they stand still only while the call begins
 *	and while it is rolled back.  A rollback takes back what they wrote
 *	meanwhile, too, but for their own stacks: for programs whose threads
 *	have little in common
 */
enum reassure_threads {
	REASSURE_THREADS_STOP,
	REASSURE_THREADS_RUN,

	__REASSURE_THREADS_LAST,
	REASSURE_THREADS_MAX = __REASSURE_THREADS_LAST - 1
};

/**
 * enum reassure_mode - what a rescue point is for
 * @REASSURE_MODE_RESCUE: faults are rescued
 * @REASSURE_MODE_OBSERVE: all is done but the rescue: calls open checkpoints, a
 *	rollback is made ready when one faults, and the program gets its signal.
 *	Where it would have been rescued that is counted as
 *	REASSURE_REFUSED_OBSERVED: once for a call, and of calls inside each
 *	other for the innermost.  A deadline interrupts nothing: what has taken
 *	longer is counted when it comes back to user code.  No budget is spent,
 *	no call is skipped, and calls inside are not escalated to this one
 */
enum reassure_mode {
	REASSURE_MODE_RESCUE,
	REASSURE_MODE_OBSERVE,

	__REASSURE_MODE_LAST,
	REASSURE_MODE_MAX = __REASSURE_MODE_LAST - 1
};

/**
 * enum reassure_off - whether the module is switched off, and why
 * @REASSURE_OFF_NOT: it is on
 * @REASSURE_OFF_PARAMETER: it was loaded with the parameter enabled=0
 * @REASSURE_OFF_ADMINISTRATOR: by REASSURE_CMD_SWITCH
 * @REASSURE_OFF_DIFFERENCE: by itself: after a rollback memory was not as at
 *	the entry, see REASSURE_COUNTER_DIFFERENCES
 * @REASSURE_OFF_ROLLBACK: by itself: when a rollback had put mappings back they
 *	were not as at the entry, and the process that did it could not have
 *	changed them.  It was killed by its signal
 */
enum reassure_off {
	REASSURE_OFF_NOT,
	REASSURE_OFF_PARAMETER,
	REASSURE_OFF_ADMINISTRATOR,
	REASSURE_OFF_DIFFERENCE,
	REASSURE_OFF_ROLLBACK,

	__REASSURE_OFF_LAST,
	REASSURE_OFF_MAX = __REASSURE_OFF_LAST - 1
};

/**
 * enum reassure_file_state - what became of the file of a rescue point
 * @REASSURE_FILE_CURRENT: it is as it was when it was bound
 * @REASSURE_FILE_REPLACED: its path leads to another file or to none; processes
 *	that still use it are protected, others are not
 * @REASSURE_FILE_REWRITTEN: it was written to since; no call is protected any
 *	more if a process that maps it finds another build
 */
enum reassure_file_state {
	REASSURE_FILE_CURRENT,
	REASSURE_FILE_REPLACED,
	REASSURE_FILE_REWRITTEN,

	__REASSURE_FILE_LAST,
	REASSURE_FILE_MAX = __REASSURE_FILE_LAST - 1
};

/**
 * enum reassure_counter - what is counted, for each rescue point and in all
 * @REASSURE_COUNTER_CHECKPOINTS: calls that opened a checkpoint
 *	("checkpoints")
 * @REASSURE_COUNTER_COMMITS: calls that returned, or whose rescue point was
 *	deleted or disabled while they were inside ("commits")
 * @REASSURE_COUNTER_ABANDONED: calls that were left without returning:
 *	longjmp(), exec, exit ("abandoned")
 * @REASSURE_COUNTER_RESCUES: faults that were rescued ("rescues")
 * @REASSURE_COUNTER_PAGES_SAVED: pages whose old content was copied to the
 *	page log, at entry or before they were written ("pages_saved")
 * @REASSURE_COUNTER_PAGES_RESTORED: pages that had changed and that rollbacks
 *	put back or removed ("pages_restored")
 * @REASSURE_COUNTER_ROLLBACK_NS: nanoseconds spent in rollbacks
 *	("rollback_ns")
 * @REASSURE_COUNTER_DIFFERENCES: rollbacks after which memory was not as at
 *	the entry; only looked for with the module's parameter "verify"
 *	("differences")
 * @REASSURE_COUNTER_SKIPPED: calls that returned at once, because the budget
 *	was spent and the rescue point says REASSURE_EXHAUSTED_SKIP ("skipped")
 * @REASSURE_COUNTER_DEADLINES: those of the rescues that were made because the
 *	call was inside for longer than REASSURE_A_DEADLINE ("deadlines")
 * @REASSURE_COUNTER_GIVEN_UP: calls whose checkpoint was given up because they
 *	were blocked for longer than REASSURE_A_WATCHDOG, or inside for fifty
 *	times that, while other threads of the process waited ("given_up")
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

	REASSURE_COUNTERS
};

/**
 * enum reassure_refusal - why a fault inside a rescue point was not rescued
 * @REASSURE_REFUSED_BUDGET: the budget is spent ("budget")
 * @REASSURE_REFUSED_THREADS: another process shares, or during the call
 *	shared, the address space, a thread came or went during the call, or
 *	what another thread's system call wrote or did meanwhile would be undone
 *	("threads")
 * @REASSURE_REFUSED_SIGNAL: the signal is not in REASSURE_A_SIGNALS
 *	("signal")
 * @REASSURE_REFUSED_HANDLED: the program has a handler and the rescue point
 *	says REASSURE_HANDLED_LEAVE ("handled")
 * @REASSURE_REFUSED_HARDWARE: a hardware memory error ("hardware")
 * @REASSURE_REFUSED_TRACED: the process is being traced ("traced")
 * @REASSURE_REFUSED_LEFT: the call had been left without returning, or the
 *	thread runs on another stack ("left")
 * @REASSURE_REFUSED_PROBE: the kernel could not set or no longer has the
 *	return probe, or the return address could not be read, or the program
 *	runs in a mode whose registers cannot be put back: 32-bit, user shadow
 *	stack ("probe")
 * @REASSURE_REFUSED_MAPPING: the call changed a mapping in a way, or of a
 *	kind, that cannot be put back ("mapping")
 * @REASSURE_REFUSED_USERFAULTFD: userfaultfd is in use ("userfaultfd")
 * @REASSURE_REFUSED_HUGETLB: a private writable hugetlb mapping, or a shared
 *	one and the rescue point does not say REASSURE_SHARED_LEAVE
 *	("hugetlb")
 * @REASSURE_REFUSED_PINNED: a page that would be put back has references
 *	that its mappings do not explain, so a device may be using it
 *	("pinned")
 * @REASSURE_REFUSED_FOREIGN: another process wrote to this memory during the
 *	call, or a device mirrors the address space ("foreign")
 * @REASSURE_REFUSED_MEMORY: no memory for the checkpoint or the rollback
 *	("memory")
 * @REASSURE_REFUSED_UNREADABLE: a page could not be read or brought back
 *	("unreadable")
 * @REASSURE_REFUSED_LIMIT: the call wrote to more pages than the module's
 *	parameters log_pages, or all calls together than log_pages_total,
 *	allow ("limit")
 * @REASSURE_REFUSED_SHARED: the call wrote to shared memory and the rescue
 *	point says REASSURE_SHARED_REFUSE, or what it wrote cannot be put back
 *	("shared")
 * @REASSURE_REFUSED_DESCRIPTOR: the call closed a descriptor that cannot be
 *	opened again, such as a socket or a locked file, or did something else
 *	to descriptors or what they stand for that cannot be undone; or another
 *	process shares the descriptors ("descriptor")
 * @REASSURE_REFUSED_STATE: the call changed something else of its process
 *	that cannot be put back, such as credentials, limits, timers or
 *	namespaces, or made system calls of another mode ("state")
 * @REASSURE_REFUSED_STALE: the file holds another build than the rescue point
 *	was added for; counted each time that a process maps it ("stale")
 * @REASSURE_REFUSED_SETUID: the program gained privileges when it was executed
 *	and the rescue point does not say REASSURE_A_ALLOW_SETUID ("setuid")
 * @REASSURE_REFUSED_WATCHDOG: the checkpoint was given up, see
 *	REASSURE_COUNTER_GIVEN_UP; or none was opened, because the other threads
 *	could not be stopped within REASSURE_A_WATCHDOG, or because that or the
 *	other has happened to another call of the process of late ("watchdog")
 * @REASSURE_REFUSED_ESCALATED: inside one call of another rescue point it was
 *	rescued as often as REASSURE_A_ESCALATE says; that one is tried
 *	("escalated")
 * @REASSURE_REFUSED_OBSERVED: it would have been rescued, but the rescue point
 *	says REASSURE_MODE_OBSERVE ("observed")
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

	REASSURE_REFUSALS
};

/**
 * enum reassure_outcome - what became of a fault
 * @REASSURE_OUTCOME_RESCUED: it was rescued
 * @REASSURE_OUTCOME_REFUSED: it was not, and the program got its signal
 * @REASSURE_OUTCOME_OUTSIDE: the thread had been in a rescue point before, but
 *	was in none at the fault, so that there was nothing to rescue
 */
enum reassure_outcome {
	REASSURE_OUTCOME_RESCUED,
	REASSURE_OUTCOME_REFUSED,
	REASSURE_OUTCOME_OUTSIDE,

	__REASSURE_OUTCOME_LAST,
	REASSURE_OUTCOME_MAX = __REASSURE_OUTCOME_LAST - 1
};

/**
 * enum reassure_event_attribute - the attributes of an event: a fatal signal that
 *	a thread raised which has been in a rescue point, or a deadline that was
 *	over; what is about memory and registers is as they were then, before
 *	anything was rolled back
 * @REASSURE_EVENT_UNSPEC: never valid
 * @REASSURE_EVENT_PAD: padding before 64-bit attributes
 * @REASSURE_EVENT_NUMBER: u64, from 1 on; where one is missing it was lost
 * @REASSURE_EVENT_OUTCOME: u32, one of enum reassure_outcome
 * @REASSURE_EVENT_NAME: string, the rescue point to whose entry the thread went
 *	back; when it was not rescued, that of the innermost call which was not
 *	merely REASSURE_REFUSED_ESCALATED.  Absent for REASSURE_OUTCOME_OUTSIDE
 * @REASSURE_EVENT_REFUSAL: u32, one of enum reassure_refusal: why that call was
 *	not rescued; only for REASSURE_OUTCOME_REFUSED
 * @REASSURE_EVENT_PAGES: u64, how many pages, or areas that had no page at the
 *	entry, were put back; only for REASSURE_OUTCOME_RESCUED
 * @REASSURE_EVENT_DURATION: u64, nanoseconds from the fault to its outcome,
 *	without what the event itself took
 * @REASSURE_EVENT_TIME: u64, nanoseconds since 1970 (CLOCK_REALTIME)
 * @REASSURE_EVENT_MONOTONIC: u64, nanoseconds of CLOCK_MONOTONIC
 * @REASSURE_EVENT_PID: u32, the process, in the initial PID namespace
 * @REASSURE_EVENT_TID: u32, the thread, likewise
 * @REASSURE_EVENT_COMMAND: string, the name of the thread, at most 15 characters
 * @REASSURE_EVENT_CGROUP: string, the path of the process's cgroup in the v2
 *	hierarchy, from its root; absent when it is longer than 1023 characters
 * @REASSURE_EVENT_CGROUP_ID: u64, the number of that cgroup, which is the inode
 *	number of its directory
 * @REASSURE_EVENT_SIGNAL: u32, the signal; absent when a deadline was over
 * @REASSURE_EVENT_CODE: s32, the si_code of the signal
 * @REASSURE_EVENT_ADDRESS: u64, the si_addr of the signal; absent for signals
 *	that have none (SIGABRT)
 * @REASSURE_EVENT_REGISTERS: binary, struct user_regs_struct of x86-64: 27 numbers
 *	of 64 bits; the selectors of ds, es, fs and gs are not told and 0
 * @REASSURE_EVENT_STACK_ADDRESS: u64, where REASSURE_EVENT_STACK was, a multiple
 *	of 8: at the stack pointer, or behind it where there is no memory
 * @REASSURE_EVENT_STACK: binary, at most REASSURE_EVENT_STACK_MAX bytes of the
 *	stack, in whole words, as far as they were in memory, with the return
 *	addresses that return probes have replaced; absent when none were
 * @REASSURE_EVENT_MAPPINGS: nest, one nest of enum reassure_event_mapping for each
 *	executable mapping of a file to which the instruction pointer or a word
 *	of REASSURE_EVENT_STACK points, in this order, so that return addresses
 *	are known by file and offset; at most REASSURE_EVENT_MAPPINGS_MAX, and
 *	fewer where their names are very long; of whatever types
 */
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

	__REASSURE_EVENT_LAST,
	REASSURE_EVENT_MAX = __REASSURE_EVENT_LAST - 1
};

/**
 * enum reassure_event_mapping - an executable mapping of a file
 * @REASSURE_MAPPING_UNSPEC: never valid
 * @REASSURE_MAPPING_PAD: padding before 64-bit attributes
 * @REASSURE_MAPPING_START: u64, its first address
 * @REASSURE_MAPPING_END: u64, the first address behind it
 * @REASSURE_MAPPING_OFFSET: u64, what is at its start, as offset in the file
 * @REASSURE_MAPPING_BUILD_ID: binary, 1 to 20 bytes, the file's build-id; absent
 *	when it has none, or none in its first page
 * @REASSURE_MAPPING_PATH: string, the path of the file as the process sees it,
 *	with " (deleted)" behind it when it was; absent when there is no room
 */
enum reassure_event_mapping {
	REASSURE_MAPPING_UNSPEC,
	REASSURE_MAPPING_PAD,
	REASSURE_MAPPING_START,
	REASSURE_MAPPING_END,
	REASSURE_MAPPING_OFFSET,
	REASSURE_MAPPING_BUILD_ID,
	REASSURE_MAPPING_PATH,

	__REASSURE_MAPPING_LAST,
	REASSURE_MAPPING_MAX = __REASSURE_MAPPING_LAST - 1
};

#endif /* _UAPI_REASSURE_H */
