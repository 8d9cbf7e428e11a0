// SPDX-License-Identifier: GPL-2.0
/*
 * What the system call of a thread may have done while another was inside.
 *
 * The thread cannot have left the one that it was in at the entry, and its
 * registers tell where that writes to.  A page which was writable then is in
 * the page log; any other has made the thread wait.  System calls that are not
 * listed may have done something else that a rollback would take for the
 * call's, so they count as having written.
 */
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/signal_types.h>
#include <linux/sizes.h>
#include <linux/socket.h>
#include <linux/time_types.h>
#include <uapi/linux/eventpoll.h>
#include <uapi/linux/futex.h>

#include <asm/sigframe.h>
#include <asm/thread_info.h>
#include <asm/unistd.h>

#include "guarded_mm.h"
#include "open_files.h"
#include "oracle.h"
#include "page_log.h"
#include "sibling_calls.h"

/* Files of one poll() that are looked at one by one, with a lock held. */
#define POLL_MANY	256

/* Bytes of one call that are copied then. */
#define ADOPTED_MAX	((unsigned long)SZ_1M)

/* Whether a rollback puts back anything from @start on; not without @gm. */
static bool is_put_back(struct guarded_mm *gm, unsigned long start,
			unsigned long size)
{
	unsigned long end = start + size;

	if (!gm || !start || !size)
		return false;
	return end < start || page_log_has(&gm->log, start, end) ||
	       page_log_has(&gm->shared.log, start, end);
}

/*
 * The same for what a call has written when it is @done: no byte of it is current's
 * to undo, and so it stays.  Not where threads run: who was given the memory since
 * the entry has it no more after a rollback.  The oracle would not know.
 */
static bool is_undone(struct guarded_mm *gm, unsigned long start,
		      unsigned long size, bool done)
{
	if (!is_put_back(gm, start, size))
		return false;
	return !done || size > ADOPTED_MAX || siblings_run(&gm->siblings) ||
	       READ_ONCE(oracle_wanted) ||
	       page_log_has(&gm->shared.log, start, start + size) ||
	       !page_log_adopt(&gm->log, start, start + size);
}

/* The futex itself is only read. */
static bool is_plain_futex(unsigned int operation)
{
	switch (operation & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAKE:
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAKE_BITSET:
		return true;
	default:
		return false;
	}
}

/* The three sets of select(), of which it writes at most these bytes. */
static bool select_is_put_back(struct guarded_mm *gm,
			       const struct pt_regs *regs, size_t timeout_size)
{
	unsigned long size = min(regs->di, 1UL << 20) / BITS_PER_BYTE +
			     sizeof(long);

	return is_put_back(gm, regs->si, size) ||
	       is_put_back(gm, regs->dx, size) ||
	       is_put_back(gm, regs->r10, size) ||
	       is_put_back(gm, regs->r8, timeout_size);
}

/* An address and its length, of a peer. */
static bool peer_is_put_back(struct guarded_mm *gm, unsigned long address,
			     unsigned long length)
{
	return is_put_back(gm, address,
			   address ? sizeof(struct __kernel_sockaddr_storage) : 0) ||
	       is_put_back(gm, length, sizeof(int));
}

/* Of each of the files that poll() was told of it writes what has happened. */
static bool poll_is_undone(struct guarded_mm *gm, unsigned long fds,
			   unsigned long count, bool done)
{
	unsigned long i, size = min(count, 1UL << 20) * sizeof(struct pollfd);

	if (!is_put_back(gm, fds, size))
		return false;
	if (!done || count > POLL_MANY)
		return true;
	for (i = 0; i < count; i++)
		if (is_undone(gm, fds + i * sizeof(struct pollfd) +
				  offsetof(struct pollfd, revents),
			      sizeof_field(struct pollfd, revents), done))
			return true;
	return false;
}

/*
 * Whether a file has an offset that a rollback may put back.  Without @gm nobody
 * wants to know it so precisely that a file has to be held, and let go.
 */
static bool may_move_offset(struct guarded_mm *gm, unsigned int fd)
{
	return !gm || open_files_has_offset(fd);
}

/* How many of at most @size things, for which a call that is done has said so. */
static unsigned long told(const struct pt_regs *regs, bool done,
			  unsigned long size)
{
	return done ? min_t(unsigned long, max_t(long, 0, regs->ax), size) : size;
}

/* Without @gm, whether it may do something else than to write to memory. */
static bool has_written(struct guarded_mm *gm, const struct pt_regs *regs,
			bool done)
{
	switch (regs->orig_ax) {
	/* What was read or written stays so, but offsets would not. */
	case __NR_read:
		if (may_move_offset(gm, regs->di))
			return true;
		fallthrough;
	case __NR_pread64:
		return is_undone(gm, regs->si, told(regs, done, regs->dx),
				 done);
	case __NR_write:
	case __NR_writev:
		return may_move_offset(gm, regs->di);
	case __NR_recvfrom:
		/* With MSG_TRUNC it tells of more than it has written. */
		return is_undone(gm, regs->si, told(regs, done, regs->dx),
				 done && !(regs->r10 & MSG_TRUNC)) ||
		       peer_is_put_back(gm, regs->r8, regs->r9);
	/* Its descriptor was reserved before it slept. */
	case __NR_accept:
	case __NR_accept4:
		return !done || (long)regs->ax < 0 ||
		       peer_is_put_back(gm, regs->si, regs->dx);
	case __NR_epoll_wait:
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
		return is_undone(gm, regs->si,
				 told(regs, done, min(regs->dx, 1UL << 20)) *
				 sizeof(struct epoll_event), done);
	case __NR_poll:
	case __NR_ppoll:
		return poll_is_undone(gm, regs->di, regs->si, done) ||
		       (regs->orig_ax == __NR_ppoll &&
			is_put_back(gm, regs->dx,
				    sizeof(struct __kernel_timespec)));
	case __NR_select:
		return select_is_put_back(gm, regs,
					  sizeof(struct __kernel_old_timeval));
	case __NR_pselect6:
		return select_is_put_back(gm, regs,
					  sizeof(struct __kernel_timespec));
	case __NR_futex:
		return !is_plain_futex(regs->si);
	case __NR_nanosleep:
		return is_put_back(gm, regs->si,
				   sizeof(struct __kernel_timespec));
	case __NR_clock_nanosleep:
		return is_put_back(gm, regs->r10,
				   sizeof(struct __kernel_timespec));
	case __NR_rt_sigtimedwait:
		return is_put_back(gm, regs->si, sizeof(siginfo_t));
	case __NR_rt_sigprocmask:
		return is_put_back(gm, regs->dx, sizeof(sigset_t));
	case __NR_rseq:
		return is_put_back(gm, regs->di, regs->si);
	case __NR_pwrite64:
	case __NR_sendto:
	case __NR_sendmsg:
	case __NR_fsync:
	case __NR_fdatasync:
	case __NR_sched_yield:
	case __NR_set_robust_list:
	case __NR_getpid:
	case __NR_gettid:
	case __NR_tgkill:
	case __NR_pause:
		return false;
	/* restart_syscall() too, which does not show where it writes. */
	default:
		return true;
	}
}

/* Whether a signal's frame has just been put on the stack. */
static bool has_signal_frame(const struct pt_regs *regs)
{
	return regs->si == regs->sp + offsetof(struct rt_sigframe, info) &&
	       regs->dx == regs->sp + offsetof(struct rt_sigframe, uc);
}

/* Whether a thread has not been in user mode yet. */
static bool is_new(const struct pt_regs *regs)
{
	return (regs->orig_ax == __NR_clone || regs->orig_ax == __NR_clone3) &&
	       !regs->ax;
}

/* By an interrupt or an exception, and not in a system call. */
bool sibling_is_in_exception(const struct task_struct *task)
{
	return (long)task_pt_regs(task)->orig_ax < 0;
}

/* A system call of another mode, whose number and registers mean others. */
static bool is_of_other_mode(struct task_struct *task)
{
	return !user_64bit_mode(task_pt_regs(task)) ||
	       task_thread_info(task)->status & TS_COMPAT;
}

/* A system call that may wait for memory to change. */
bool sibling_is_in_futex(struct task_struct *task)
{
	unsigned long number = task_pt_regs(task)->orig_ax;

	if (is_of_other_mode(task))
		return false;
#ifdef __NR_futex_wait
	if (number == __NR_futex_wait)
		return true;
#endif
	/* The last goes on with what a signal has interrupted. */
	return number == __NR_futex || number == __NR_futex_waitv ||
	       number == __NR_restart_syscall;
}

/* A futex that has an owner, of which the kernel keeps more than memory tells. */
bool sibling_is_in_owned_futex(struct task_struct *task)
{
	const struct pt_regs *regs = task_pt_regs(task);

	return !is_of_other_mode(task) && regs->orig_ax == __NR_futex &&
	       !is_plain_futex(regs->si);
}

/* Changes mappings, for which it may have to wait for others that do. */
static bool changes_mappings(const struct task_struct *task)
{
	switch (task_pt_regs(task)->orig_ax) {
	case __NR_brk:
	case __NR_madvise:
	case __NR_mmap:
	case __NR_mprotect:
	case __NR_mremap:
	case __NR_munmap:
		return !task->in_iowait;
	default:
		return false;
	}
}

/**
 * sibling_call_is_under_way() - whether a thread is amid a system call that may
 *	do, when it goes on, what nobody could tell afterwards
 * @task: the thread
 *
 * Only one that waits for a processor, or for others that change mappings: any
 * other may take for ever.
 */
bool sibling_call_is_under_way(struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);

	if (sibling_is_in_exception(task) ||
	    (state != TASK_RUNNING && state != TASK_WAKING &&
	     !changes_mappings(task)))
		return false;
	return is_of_other_mode(task) ||
	       has_written(NULL, task_pt_regs(task), false);
}

/**
 * sibling_call_is_in_the_way() - whether the system call that a thread sleeps in
 *	may do something, when it goes on during a rollback, that this would undo
 * @task: the thread, which has done nothing since the entry
 *
 * What it writes to memory waits, and new descriptors are let be.
 */
bool sibling_call_is_in_the_way(struct task_struct *task)
{
	if (sibling_is_in_exception(task))
		return false;
	if (is_of_other_mode(task))
		return true;
	switch (task_pt_regs(task)->orig_ax) {
	case __NR_brk:
	case __NR_mmap:
	case __NR_mprotect:
	case __NR_pkey_mprotect:
	case __NR_mremap:
	case __NR_munmap:
	case __NR_madvise:
	case __NR_process_madvise:
	case __NR_mlock:
	case __NR_mlock2:
	case __NR_munlock:
	case __NR_mlockall:
	case __NR_munlockall:
	case __NR_remap_file_pages:
	case __NR_shmat:
	case __NR_shmdt:
	case __NR_clone:
	case __NR_clone3:
	case __NR_fork:
	case __NR_vfork:
	case __NR_execve:
	case __NR_execveat:
	case __NR_exit:
	case __NR_exit_group:
	case __NR_close_range:
	case __NR_dup2:
	case __NR_dup3:
	case __NR_rt_sigaction:
	case __NR_io_setup:
	case __NR_io_destroy:
	case __NR_io_submit:
	case __NR_io_uring_setup:
	case __NR_io_uring_enter:
	case __NR_io_uring_register:
	case __NR_ioctl:
	case __NR_prctl:
	case __NR_unshare:
	case __NR_setns:
		return true;
	default:
		return false;
	}
}

/**
 * sibling_call_has_written() - whether a rollback would undo what a thread did
 * @gm: its address space, in which current is inside; @gm->lock is held
 * @task: the thread, which has been in the kernel since before the entry
 * @done: it is back from the system call
 */
bool sibling_call_has_written(struct guarded_mm *gm, struct task_struct *task,
			      bool done)
{
	const struct pt_regs *regs = task_pt_regs(task);

	if (has_signal_frame(regs))
		return true;
	/* An interrupt, or a page fault. */
	if (sibling_is_in_exception(task))
		return false;
	if (is_of_other_mode(task))
		return true;
	if (is_new(regs) && done)
		return is_put_back(gm, (unsigned long)task->set_child_tid,
				   sizeof(pid_t));
	return has_written(gm, regs, done);
}
