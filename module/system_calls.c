// SPDX-License-Identifier: GPL-2.0
/*
 * What a call asks the kernel for, seen before the kernel does it.
 *
 * An ftrace hook at the beginning of the system calls below keeps what a
 * rollback has to put back, or says that it could not: then the call goes on
 * and is not rescued.  So does one where the kernel changes credentials.  It
 * redirects nothing, so nothing of ours is on the stack while a system call
 * sleeps.  System calls that are not listed change nothing that is kept, or
 * something that is left as it is; Documentation/checkpoint.rst tells which.
 */
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/ftrace.h>
#include <linux/prctl.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <uapi/linux/futex.h>

#include <asm/ioctls.h>
#include <asm/prctl.h>
#include <asm/unistd.h>

#include "checkpoint.h"
#include "guarded_mm.h"
#include "kernel_symbols.h"
#include "system_calls.h"

/* Beyond the numbers of all system calls. */
#define NUMBERS		512

/* Where a function's call of ftrace may stand: after a landing pad. */
#define FTRACE_CALL_MAX	16

/*
 * Answers the enum reassure_refusal for which a rollback could not undo what
 * is about to happen, or a negative number.  @recording says whether a
 * rollback may follow.
 */
typedef int look_function(struct checkpoint *cp, const struct pt_regs *regs,
			  bool recording);

static int look_at_close(struct checkpoint *cp, const struct pt_regs *regs,
			 bool recording)
{
	return open_files_close(&cp->files, regs->di, recording);
}

/* dup2() and dup3(): the second descriptor is closed first. */
static int look_at_dup(struct checkpoint *cp, const struct pt_regs *regs,
		       bool recording)
{
	unsigned int old = regs->di, new = regs->si;

	if (old == new || !open_files_is_open(old))
		return -1;
	return open_files_close(&cp->files, new, recording);
}

static int look_at_close_range(struct checkpoint *cp,
			       const struct pt_regs *regs, bool recording)
{
	if (!(regs->dx & CLOSE_RANGE_CLOEXEC))
		return open_files_close_range(&cp->files, regs->di, regs->si,
					      recording);
	return recording ? open_files_close_on_exec(&cp->files) : -1;
}

static int refuse_if_of_entry(struct checkpoint *cp, unsigned int fd)
{
	return open_files_have(&cp->files, fd) ? REASSURE_REFUSED_DESCRIPTOR :
						 -1;
}

static int look_at_flags(struct checkpoint *cp, unsigned int fd, bool fasync)
{
	/* The file's notification cannot be put back. */
	if (fasync)
		return refuse_if_of_entry(cp, fd);
	return open_files_set_flags(&cp->files, fd);
}

/* O_NONBLOCK, and nothing else of a queue, can be set. */
static int look_at_mq_getsetattr(struct checkpoint *cp,
				 const struct pt_regs *regs, bool recording)
{
	return recording && regs->si ? look_at_flags(cp, regs->di, false) : -1;
}

static int look_at_fcntl(struct checkpoint *cp, const struct pt_regs *regs,
			 bool recording)
{
	unsigned int fd = regs->di;

	if (!recording)
		return -1;
	switch ((unsigned int)regs->si) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_GETFD:
	case F_GETFL:
	case F_GETLK:
	case F_OFD_GETLK:
	case F_GETOWN:
	case F_GETOWN_EX:
	case F_GETOWNER_UIDS:
	case F_GETSIG:
	case F_GETLEASE:
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
	case F_GET_SEALS:
	case F_GET_RW_HINT:
	case F_SET_RW_HINT:
	case F_GET_FILE_RW_HINT:
	case F_SET_FILE_RW_HINT:
		return -1;
	case F_SETFD:
		return open_files_close_on_exec(&cp->files);
	case F_SETFL:
		return look_at_flags(cp, fd, regs->dx & FASYNC);
	/* They belong to the process and the file, not to a descriptor. */
	case F_SETLK:
	case F_SETLKW:
		return REASSURE_REFUSED_DESCRIPTOR;
	default:
		return refuse_if_of_entry(cp, fd);
	}
}

/* Of a futex with priority inheritance the kernel keeps the owner. */
static int look_at_futex(struct checkpoint *cp, const struct pt_regs *regs,
			 bool recording)
{
	switch ((unsigned int)regs->si & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_TRYLOCK_PI:
	case FUTEX_UNLOCK_PI:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_CMP_REQUEUE_PI:
		return REASSURE_REFUSED_STATE;
	default:
		return -1;
	}
}

/* Others change the state of a device, if any. */
static int look_at_ioctl(struct checkpoint *cp, const struct pt_regs *regs,
			 bool recording)
{
	if (!recording)
		return -1;
	switch ((unsigned int)regs->si) {
	case FIOCLEX:
	case FIONCLEX:
		return open_files_close_on_exec(&cp->files);
	case FIONBIO:
		return look_at_flags(cp, regs->di, false);
	case FIOASYNC:
		return look_at_flags(cp, regs->di, true);
	default:
		return -1;
	}
}

/* What is registered of the entry's files in a set of the entry. */
static int look_at_epoll_ctl(struct checkpoint *cp, const struct pt_regs *regs,
			     bool recording)
{
	if (recording && open_files_have(&cp->files, regs->di))
		return refuse_if_of_entry(cp, regs->dx);
	return -1;
}

/* Changes what the first argument, a descriptor, stands for. */
static int look_at_descriptor(struct checkpoint *cp,
			      const struct pt_regs *regs, bool recording)
{
	return recording ? refuse_if_of_entry(cp, regs->di) : -1;
}

static int look_at_refused_descriptor(struct checkpoint *cp,
				      const struct pt_regs *regs,
				      bool recording)
{
	return REASSURE_REFUSED_DESCRIPTOR;
}

/* The mode is the second argument, or the third after a directory. */
static int look_at_chmod(struct checkpoint *cp, const struct pt_regs *regs,
			 bool recording)
{
	bool at = regs->orig_ax != __NR_chmod && regs->orig_ax != __NR_fchmod;
	umode_t mode = at ? regs->dx : regs->si;

	if (!recording || !(mode & 0111) ||
	    !open_files_made_executable(&cp->files))
		return -1;
	return REASSURE_REFUSED_DESCRIPTOR;
}

static int look_at_refused_state(struct checkpoint *cp,
				 const struct pt_regs *regs, bool recording)
{
	return REASSURE_REFUSED_STATE;
}

static int share(struct checkpoint *cp, u64 flags)
{
	/*
	 * Until nobody else has them any more no entry looks at them.  Nobody
	 * can come to have them in another way.
	 */
	if (flags & CLONE_FILES) {
		cp->files.stale = true;
		return REASSURE_REFUSED_DESCRIPTOR;
	}
	return flags & CLONE_FS ? REASSURE_REFUSED_STATE : -1;
}

static int look_at_clone(struct checkpoint *cp, const struct pt_regs *regs,
			 bool recording)
{
	return share(cp, regs->di);
}

static int look_at_clone3(struct checkpoint *cp, const struct pt_regs *regs,
			  bool recording)
{
	struct clone_args __user *args = (void __user *)regs->di;
	u64 flags;

	if (copy_from_user_nofault(&flags, &args->flags, sizeof(flags)))
		flags = CLONE_FILES;
	return share(cp, flags);
}

static int look_at_sigaction(struct checkpoint *cp, const struct pt_regs *regs,
			     bool recording)
{
	if (recording && regs->si)
		process_state_keep_actions(&cp->state);
	return -1;
}

static int look_at_chdir(struct checkpoint *cp, const struct pt_regs *regs,
			 bool recording)
{
	if (recording)
		process_state_keep_cwd(&cp->state);
	return -1;
}

static int look_at_umask(struct checkpoint *cp, const struct pt_regs *regs,
			 bool recording)
{
	if (recording)
		process_state_keep_umask(&cp->state);
	return -1;
}

static bool is_current(pid_t pid)
{
	return !pid || pid == task_pid_vnr(current);
}

static int look_at_prlimit(struct checkpoint *cp, const struct pt_regs *regs,
			   bool recording)
{
	return regs->dx && is_current(regs->di) ? REASSURE_REFUSED_STATE : -1;
}

static int look_at_setpgid(struct checkpoint *cp, const struct pt_regs *regs,
			   bool recording)
{
	return is_current(regs->di) ? REASSURE_REFUSED_STATE : -1;
}

static int look_at_personality(struct checkpoint *cp,
			       const struct pt_regs *regs, bool recording)
{
	return (u32)regs->di == U32_MAX ? -1 : REASSURE_REFUSED_STATE;
}

static int look_at_prctl(struct checkpoint *cp, const struct pt_regs *regs,
			 bool recording)
{
	switch ((unsigned int)regs->di) {
	case PR_GET_PDEATHSIG:
	case PR_GET_DUMPABLE:
	case PR_GET_KEEPCAPS:
	case PR_GET_TIMING:
	case PR_GET_NAME:
	case PR_GET_SECCOMP:
	case PR_CAPBSET_READ:
	case PR_GET_TSC:
	case PR_GET_SECUREBITS:
	case PR_GET_TIMERSLACK:
	case PR_MCE_KILL_GET:
	case PR_GET_CHILD_SUBREAPER:
	case PR_GET_NO_NEW_PRIVS:
	case PR_GET_TID_ADDRESS:
	case PR_GET_THP_DISABLE:
	case PR_GET_SPECULATION_CTRL:
	case PR_GET_IO_FLUSHER:
	/* Names, and what the scheduler is told, are left. */
	case PR_SET_NAME:
	case PR_SET_VMA:
	case PR_SET_TIMERSLACK:
	/* Credentials; see @commit_creds_at. */
	case PR_CAPBSET_DROP:
	case PR_CAP_AMBIENT:
	case PR_SET_KEEPCAPS:
	case PR_SET_SECUREBITS:
		return -1;
	default:
		return REASSURE_REFUSED_STATE;
	}
}

static int look_at_arch_prctl(struct checkpoint *cp,
			      const struct pt_regs *regs, bool recording)
{
	switch ((unsigned int)regs->di) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
	case ARCH_GET_FS:
	case ARCH_GET_GS:
	case ARCH_GET_CPUID:
	case ARCH_GET_XCOMP_SUPP:
	case ARCH_GET_XCOMP_PERM:
	case ARCH_GET_XCOMP_GUEST_PERM:
		return -1;
	default:
		return REASSURE_REFUSED_STATE;
	}
}

/* Of which nothing is kept where the thread that is inside makes it. */
static int look_at_nothing(struct checkpoint *cp, const struct pt_regs *regs,
			   bool recording)
{
	return -1;
}

static const struct {
	unsigned short number;
	look_function *look;
} looks[] = {
	{ __NR_close, look_at_close },
	{ __NR_close_range, look_at_close_range },
	{ __NR_dup2, look_at_dup },
	{ __NR_dup3, look_at_dup },
	{ __NR_fcntl, look_at_fcntl },
	{ __NR_ioctl, look_at_ioctl },
	{ __NR_flock, look_at_descriptor },
	{ __NR_futex, look_at_futex },
	{ __NR_epoll_ctl, look_at_epoll_ctl },
	{ __NR_timerfd_settime, look_at_descriptor },
	{ __NR_signalfd, look_at_descriptor },
	{ __NR_signalfd4, look_at_descriptor },
	{ __NR_inotify_add_watch, look_at_descriptor },
	{ __NR_inotify_rm_watch, look_at_descriptor },
	{ __NR_fanotify_mark, look_at_descriptor },
	{ __NR_mq_notify, look_at_descriptor },
	{ __NR_mq_getsetattr, look_at_mq_getsetattr },
	{ __NR_landlock_add_rule, look_at_descriptor },
	{ __NR_io_uring_setup, look_at_refused_descriptor },
	{ __NR_io_uring_enter, look_at_refused_descriptor },
	{ __NR_io_uring_register, look_at_refused_descriptor },
	{ __NR_io_setup, look_at_refused_descriptor },
	{ __NR_io_destroy, look_at_refused_descriptor },
	{ __NR_io_submit, look_at_refused_descriptor },
	{ __NR_chmod, look_at_chmod },
	{ __NR_fchmod, look_at_chmod },
	{ __NR_fchmodat, look_at_chmod },
#ifdef __NR_fchmodat2
	{ __NR_fchmodat2, look_at_chmod },
#endif
	{ __NR_clone, look_at_clone },
	{ __NR_clone3, look_at_clone3 },
	{ __NR_unshare, look_at_refused_state },
	{ __NR_setns, look_at_refused_state },
	{ __NR_rt_sigaction, look_at_sigaction },
	{ __NR_add_key, look_at_refused_state },
	{ __NR_request_key, look_at_refused_state },
	{ __NR_keyctl, look_at_refused_state },
	{ __NR_chdir, look_at_chdir },
	{ __NR_fchdir, look_at_chdir },
	{ __NR_chroot, look_at_refused_state },
	{ __NR_pivot_root, look_at_refused_state },
	{ __NR_umask, look_at_umask },
	/* What they say of later mappings is seen of none that there is. */
	{ __NR_mlockall, look_at_refused_state },
	{ __NR_munlockall, look_at_refused_state },
	{ __NR_setrlimit, look_at_refused_state },
	{ __NR_prlimit64, look_at_prlimit },
	{ __NR_alarm, look_at_refused_state },
	{ __NR_setitimer, look_at_refused_state },
	{ __NR_timer_create, look_at_refused_state },
	{ __NR_timer_settime, look_at_refused_state },
	{ __NR_timer_delete, look_at_refused_state },
	{ __NR_setsid, look_at_refused_state },
	{ __NR_setpgid, look_at_setpgid },
	{ __NR_personality, look_at_personality },
	{ __NR_prctl, look_at_prctl },
	{ __NR_arch_prctl, look_at_arch_prctl },
	{ __NR_seccomp, look_at_refused_state },
	{ __NR_ptrace, look_at_refused_state },
	{ __NR_set_robust_list, look_at_refused_state },
	{ __NR_set_tid_address, look_at_refused_state },
	{ __NR_rseq, look_at_refused_state },
	{ __NR_modify_ldt, look_at_refused_state },
	{ __NR_ioperm, look_at_refused_state },
	{ __NR_iopl, look_at_refused_state },
	{ __NR_pkey_alloc, look_at_refused_state },
	{ __NR_pkey_free, look_at_refused_state },
	/* See refusal_beside(). */
	{ __NR_shmat, look_at_nothing },
	{ __NR_shmdt, look_at_nothing },
	{ __NR_remap_file_pages, look_at_nothing },
};

/* By number: the place in @looks plus one. */
static u8 look_of[NUMBERS];

/* Where system calls of other modes begin, made by a 64-bit program. */
static unsigned long other_modes[2];

/* What all that changes credentials ends in, a system call or not. */
static unsigned long commit_creds_at;

/* Whether the hook at @ip is that of a function, if there is such a one. */
static bool is_at(unsigned long ip, unsigned long function)
{
	return function && ip - function < FTRACE_CALL_MAX;
}

static int look_at(struct checkpoint *cp, unsigned long ip,
		   const struct pt_regs *regs, bool recording)
{
	unsigned int number = regs->orig_ax;
	unsigned int look;

	if (is_at(ip, other_modes[0]) || is_at(ip, other_modes[1])) {
		cp->files.stale = true;
		return REASSURE_REFUSED_STATE;
	}
	/* Refused if they are other ones when the call faults. */
	if (is_at(ip, commit_creds_at)) {
		if (recording)
			process_state_keep_cred(&cp->state);
		return -1;
	}
	look = number < NUMBERS ? look_of[number] : 0;
	return look ? looks[look - 1].look(cp, regs, recording) : -1;
}

/*
 * Whether current has left the call by longjmp(), as its stack shows; like
 * fault_is_inside(), but where one cannot sleep.
 */
static bool has_left(struct checkpoint *cp, const struct pt_regs *regs)
{
	unsigned long __user *slot = (void __user *)cp->registers.regs.sp;
	unsigned long expected = checkpoint_returns_to(cp);
	unsigned long address;
	bool left;

	if (guarded_call_left(&cp->memory, regs->sp))
		return true;
	pagefault_disable();
	left = expected && !get_user(address, slot) && address != expected &&
	       registers_follow_call(address);
	pagefault_enable();
	return left;
}

/*
 * Current is about to do something, perhaps inside @cp.  Not while somebody else
 * closes the checkpoint, and nothing is kept any more when it cannot be rolled
 * back.
 */
static void look_for(struct checkpoint *cp, unsigned long ip,
		     const struct pt_regs *regs)
{
	bool recording;
	int refusal;

	spin_lock(&cp->recording_lock);
	recording = cp->recording && checkpoint_lost(cp) < 0;
	if (recording && has_left(cp, regs)) {
		WRITE_ONCE(cp->lost, REASSURE_REFUSED_LEFT);
		recording = false;
	}
	if (open_files_are_shared(&cp->files)) {
		if (recording)
			WRITE_ONCE(cp->lost, REASSURE_REFUSED_DESCRIPTOR);
	} else {
		refusal = look_at(cp, ip, regs, recording);
		if (refusal >= 0 && recording)
			WRITE_ONCE(cp->lost, refusal);
	}
	/* Nothing is put back: who waits for a file's end may see it now. */
	if (cp->recording && checkpoint_lost(cp) >= 0)
		open_files_drop(&cp->files);
	spin_unlock(&cp->recording_lock);
}

/*
 * All its checkpoints have to know, those that are not in use, too: each has
 * descriptors in mind.
 */
static void look_for_all(struct checkpoint *first, unsigned long ip)
{
	const struct pt_regs *regs = task_pt_regs(current);
	struct checkpoint *cp, *lost = NULL;
	bool any = false;

	if (!checkpoint_is_of_current(first))
		return;
	for (cp = first; cp; cp = cp->inner) {
		look_for(cp, ip, regs);
		if (!cp->recording)
			continue;
		if (checkpoint_lost(cp) < 0)
			any = true;
		else
			lost = cp;
	}
	/* Nobody need wait for what cannot be rolled back. */
	if (lost && !any)
		guarded_mm_refuse(lost->gm, checkpoint_lost(lost));
}

/* Why not, where the call of another thread cannot be rolled back after this. */
static int refusal_beside(const struct pt_regs *regs)
{
	switch (regs->orig_ax) {
	case __NR_close:
	case __NR_close_range:
	case __NR_dup2:
	case __NR_dup3:
		return REASSURE_REFUSED_DESCRIPTOR;
	case __NR_shmat:
	case __NR_shmdt:
	case __NR_remap_file_pages:
		return REASSURE_REFUSED_THREADS;
	case __NR_rt_sigaction:
		return regs->si ? REASSURE_REFUSED_STATE : -1;
	case __NR_futex:
		return look_at_futex(NULL, regs, true);
	default:
		return -1;
	}
}

/*
 * What current does while another thread is inside, and lets it run, a rollback
 * would take for the call's, or not see.  What opens descriptors and moves
 * offsets is seen then.
 */
static void look_beside(unsigned long ip)
{
	const struct pt_regs *regs = task_pt_regs(current);
	struct guarded_mm *gm = guarded_mm_peek(current->mm);
	int refusal = -1;

	if (!gm || !READ_ONCE(gm->siblings.run) ||
	    READ_ONCE(gm->siblings.stopper) == current)
		return;
	if (is_at(ip, other_modes[0]) || is_at(ip, other_modes[1]))
		refusal = REASSURE_REFUSED_THREADS;
	else if (!is_at(ip, commit_creds_at))
		refusal = refusal_beside(regs);
	if (refusal >= 0)
		guarded_mm_refuse(gm, refusal);
}

/* For every process: most have no checkpoint. */
static void notrace call_hook(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct checkpoint *cp;

	/* All the RCU that it needs. */
	preempt_disable_notrace();
	cp = checkpoint_lookup();
	if (unlikely(cp))
		look_for_all(cp, ip);
	if (unlikely(!thread_group_empty(current)) && current->mm)
		look_beside(ip);
	preempt_enable_notrace();
}

/* Permanent for the same reason as the write-fault hook. */
static struct ftrace_ops call_ops = {
	.func = call_hook,
	.flags = FTRACE_OPS_FL_PERMANENT,
};

/**
 * system_calls_start() - install the hook
 *
 * Return: 0; -EBUSY when ftrace is disabled; another error of ftrace.
 */
int system_calls_start(void)
{
	return register_ftrace_function(&call_ops);
}

/* When it returns nobody is in the hook. */
void system_calls_stop(void)
{
	unregister_ftrace_function(&call_ops);
}

/* Names the functions to hook, once for the life of the module. */
int __init reassure_system_calls_init(void)
{
	static unsigned long addresses[ARRAY_SIZE(looks) +
				       ARRAY_SIZE(other_modes) + 1] __initdata;
	const unsigned long *table = kernel_system_call_table();
	unsigned int i, count = 0;
	int ret;

	if (!table)
		return -EOPNOTSUPP;
	for (i = 0; i < ARRAY_SIZE(looks); i++) {
		addresses[count++] = table[looks[i].number];
		look_of[looks[i].number] = i + 1;
	}
	if (IS_ENABLED(CONFIG_IA32_EMULATION)) {
		other_modes[0] = kernel_function("ia32_sys_call");
		if (!other_modes[0])
			return -EOPNOTSUPP;
		addresses[count++] = other_modes[0];
	}
	if (IS_ENABLED(CONFIG_X86_X32_ABI)) {
		other_modes[1] = kernel_function("x32_sys_call");
		if (!other_modes[1])
			return -EOPNOTSUPP;
		addresses[count++] = other_modes[1];
	}
	commit_creds_at = kernel_function("commit_creds");
	if (!commit_creds_at)
		return -EOPNOTSUPP;
	addresses[count++] = commit_creds_at;
	ret = ftrace_set_filter_ips(&call_ops, addresses, count, 0, 1);
	if (ret)
		pr_err("ftrace cannot hook the kernel's system calls; cannot work here\n");
	return ret;
}

void reassure_system_calls_exit(void)
{
	ftrace_free_filter(&call_ops);
}
