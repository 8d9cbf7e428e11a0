/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_PROCESS_STATE_H
#define _REASSURE_PROCESS_STATE_H

#include <linux/cred.h>
#include <linux/path.h>
#include <linux/signal_types.h>
#include <linux/types.h>

/**
 * struct process_state - what else of a process a rollback looks at
 * @cred: the credentials at the entry; only compared
 * @pinned: @cred with a reference, so that no other gets the same address;
 *	or NULL
 * @cwd: the current directory of the entry, with a reference, when the call
 *	changes it
 * @umask: that of the entry, when @has_umask
 * @actions: of all signals at the entry, when @has_actions
 *
 * All belongs to the thread, but @pinned and @cwd: see
 * checkpoint.recording_lock.
 */
struct process_state {
	const struct cred *cred;
	const struct cred *pinned;
	struct path cwd;
	int umask;
	bool has_umask;
	bool has_actions;
	struct k_sigaction actions[_NSIG];
};

bool process_has_gained_privileges(void);

/* Current enters a rescue point. */
static inline void process_state_record(struct process_state *state)
{
	state->cred = current_cred();
	state->has_umask = false;
	state->has_actions = false;
}

void process_state_put(struct process_state *state);

/* The call is over. */
static inline void process_state_drop(struct process_state *state)
{
	if (state->pinned || state->cwd.mnt)
		process_state_put(state);
}

/* What the thread is about to change. */
void process_state_keep_actions(struct process_state *state);
void process_state_keep_cred(struct process_state *state);
void process_state_keep_cwd(struct process_state *state);
void process_state_keep_umask(struct process_state *state);

int process_state_prepare(const struct process_state *state);
void process_state_restore_actions(const struct process_state *state);
void process_state_commit(struct process_state *state);

#endif
