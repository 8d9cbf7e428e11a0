/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_EVENTS_H
#define _REASSURE_EVENTS_H

#include <linux/types.h>

struct sk_buff;

/**
 * struct events_total - what there has been since the module was loaded
 * @last: the number of the last event, or 0
 * @lost: how many of them nobody has read or could read
 */
struct events_total {
	u64 last;
	u64 lost;
};

bool events_wanted(void);
void events_add(struct sk_buff *event);
void events_lose(void);
void events_forget(void);
void events_announce(bool announce);
void events_total(struct events_total *total);
void events_visit(u64 after,
		  int (*visit)(u64 number, const struct sk_buff *event,
			       void *data),
		  void *data);

void reassure_events_exit(void);

#endif
