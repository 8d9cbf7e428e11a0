/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_JOURNAL_H
#define REASSURECTL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct event;
struct frame;

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* MESSAGE_ID of each kind of entry. */
#define JOURNAL_RESCUED "11905da988ba40b0829785e31a7ede16"
#define JOURNAL_NOT_RESCUED "2ab7fb76e88747a388b37e62043f663c"
#define JOURNAL_LOST "f619cd68cc684f98ac9aec600b1e922e"

/*
 * One entry of the journal that listens at @path.  @id is the report's, or NULL
 * when none could be kept.  False when there is no journal, or it does not take
 * the entry at once: nobody waits for it.
 */
bool journal_send_event(const char *path, const char *id,
			const struct event *event, const struct frame *frames,
			size_t count, bool failed);
bool journal_send_lost(const char *path, const char *id, __u64 lost);

#endif
