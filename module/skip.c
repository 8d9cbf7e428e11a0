// SPDX-License-Identifier: GPL-2.0
/*
 * The short way out: calls of a rescue point whose budget is spent return
 * their error at once.
 *
 * The handler of the entry's probe must not move the stack pointer or the
 * instruction pointer itself, for the kernel then sets the return probe and
 * runs the probed instruction.  It leaves that to task work, which the thread
 * runs before it is back in the function.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>

#include "arch/x86/registers.h"
#include "kernel_symbols.h"
#include "page_log.h"
#include "pending.h"
#include "process_state.h"
#include "rescue_point.h"
#include "skip.h"

/**
 * struct skip - a call that is about to return
 * @work: of the thread that has entered
 * @registers: at the entry
 * @has_value: whether the function returns @value
 * @value: its error
 *
 * A copy of what the rescue point says, which may go meanwhile.
 */
struct skip {
	struct callback_head work;
	struct registers registers;
	bool has_value;
	s64 value;
};

/* Task works that are queued or run, for unloading. */
static atomic_t works_pending = ATOMIC_INIT(0);

/*
 * Returns to where the caller's call leads now: to the uprobe trampoline when
 * the return probe is set.  Without a return address that can be read the
 * function runs, and faults on its own account.
 */
static void return_at_once(const struct skip *skip)
{
	unsigned long address;

	if (get_user(address, (unsigned long __user *)skip->registers.regs.sp))
		return;
	kernel_abort_single_step();
	registers_return(&skip->registers, address, skip->has_value,
			 skip->value);
}

static void skip_work(struct callback_head *work)
{
	struct skip *skip = container_of(work, struct skip, work);

	/* Also run from do_exit(), where the address space is gone. */
	if (!(current->flags & PF_EXITING))
		return_at_once(skip);
	kfree(skip);
	pending_end(&works_pending);
}

/* Says so once for each time that the budget is found spent. */
static bool is_due(struct rescue_point *rp,
		   const struct rescue_point_settings *settings)
{
	if (!budget_is_spent(&rp->budget)) {
		if (READ_ONCE(rp->skips))
			WRITE_ONCE(rp->skips, false);
		return false;
	}
	if (!xchg(&rp->skips, true))
		pr_warn("%s: the budget of %u rescues in %u seconds is spent; calls return at once until it allows another\n",
			rp->config.name, settings->budget_rescues,
			settings->budget_seconds);
	return true;
}

/**
 * skip_call() - let a call return its error if the budget is spent
 * @rp: the rescue point that current enters, with REASSURE_EXHAUSTED_SKIP
 * @regs: its registers, at the function's first instruction
 *
 * Return: false when the function is to run: the budget is not spent, @rp is not
 * meant for current, the program gained privileges and that is not allowed, it
 * is traced (a debugger may be stepping), there is no memory, or current runs in
 * a mode whose return cannot be forged.
 */
bool skip_call(struct rescue_point *rp, const struct pt_regs *regs)
{
	struct rescue_point_settings settings;
	struct skip *skip;

	/* They may have changed since they were looked at. */
	if (!rescue_point_settings_meant(rp, &settings) ||
	    settings.exhausted != REASSURE_EXHAUSTED_SKIP ||
	    settings.mode == REASSURE_MODE_OBSERVE || current->ptrace ||
	    (!settings.allow_setuid && process_has_gained_privileges()) ||
	    !is_due(rp, &settings) || !registers_supported(regs))
		return false;
	skip = kmalloc(sizeof(*skip), PAGE_LOG_GFP);
	if (!skip)
		return false;
	registers_save(&skip->registers, regs);
	skip->has_value = settings.has_value;
	skip->value = settings.value;
	init_task_work(&skip->work, skip_work);
	pending_begin(&works_pending);
	/* Fails only for a task that has PF_EXITING, which enters nothing. */
	task_work_add(current, &skip->work, TWA_RESUME);
	count_events(&rp->counters, REASSURE_COUNTER_SKIPPED, 1);
	return true;
}

/* No rescue point is left: waits for calls that are about to return. */
void skip_stop(void)
{
	pending_await(&works_pending);
}
