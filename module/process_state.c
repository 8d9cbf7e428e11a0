// SPDX-License-Identifier: GPL-2.0
/*
 * What a process has besides memory, registers and descriptors.  An entry
 * keeps next to nothing of it: system_calls.c tells before a call changes
 * something.
 */
#include <linux/auxvec.h>
#include <linux/fs_struct.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "../uapi/reassure.h"
#include "compat.h"
#include "process_state.h"

/**
 * process_has_gained_privileges() - whether current did when it was executed
 *
 * By a set-user-ID or set-group-ID file or one with capabilities.  The kernel
 * has told the program so, for the C library to mind what it trusts.
 */
bool process_has_gained_privileges(void)
{
	const unsigned long *vector = current->mm->saved_auxv;
	int i;

	for (i = 0; i < AT_VECTOR_SIZE && vector[i] != AT_NULL; i += 2)
		if (vector[i] == AT_SECURE)
			return vector[i + 1];
	return false;
}

/* For process_state_drop(), when there is something to let go of. */
void process_state_put(struct process_state *state)
{
	if (state->pinned) {
		put_cred(state->pinned);
		state->pinned = NULL;
	}
	if (state->cwd.mnt) {
		path_put(&state->cwd);
		memset(&state->cwd, 0, sizeof(state->cwd));
	}
}

/* Only current changes its actions, so it needs no lock to read them. */
void process_state_keep_actions(struct process_state *state)
{
	struct sighand_struct *sighand =
		rcu_dereference_protected(current->sighand, true);

	if (state->has_actions)
		return;
	memcpy(state->actions, sighand->action, sizeof(state->actions));
	state->has_actions = true;
}

void process_state_keep_cred(struct process_state *state)
{
	if (!state->pinned && state->cred == current_cred())
		state->pinned = get_cred(state->cred);
}

void process_state_keep_cwd(struct process_state *state)
{
	if (!state->cwd.mnt)
		get_fs_pwd(current->fs, &state->cwd);
}

void process_state_keep_umask(struct process_state *state)
{
	if (state->has_umask)
		return;
	state->umask = current->fs->umask;
	state->has_umask = true;
}

/**
 * process_state_prepare() - whether a rollback is possible
 * @state: of current, which is inside
 *
 * Return: negative, or the enum reassure_refusal.
 */
int process_state_prepare(const struct process_state *state)
{
	if (current_cred() != state->cred)
		return REASSURE_REFUSED_STATE;
	/* Others would find themselves in another directory. */
	if ((state->has_umask || state->cwd.mnt) && current->fs->users > 1)
		return REASSURE_REFUSED_STATE;
	/* Others wait for a lock whose owner the kernel keeps. */
	if (compat_has_pi_futex())
		return REASSURE_REFUSED_STATE;
	return -1;
}

/* The siglock is held. */
void process_state_restore_actions(const struct process_state *state)
{
	struct sighand_struct *sighand =
		rcu_dereference_protected(current->sighand, true);

	if (state->has_actions)
		memcpy(sighand->action, state->actions, sizeof(state->actions));
}

/* As set_fs_pwd() does; process_state_drop() lets the other one go. */
static void restore_cwd(struct path *cwd)
{
	struct fs_struct *fs = current->fs;

	spin_lock(&fs->lock);
	write_seqcount_begin(&fs->seq);
	swap(fs->pwd, *cwd);
	write_seqcount_end(&fs->seq);
	spin_unlock(&fs->lock);
}

/* Cannot fail. */
void process_state_commit(struct process_state *state)
{
	if (state->has_umask)
		current->fs->umask = state->umask;
	if (state->cwd.mnt)
		restore_cwd(&state->cwd);
}
