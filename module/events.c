// SPDX-License-Identifier: GPL-2.0
/*
 * The last events, for who reads them late, and how many were lost.
 *
 * An event is a socket buffer with the attributes of enum
 * reassure_event_attribute, but its number.
 */
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>

#include "../uapi/reassure.h"
#include "events.h"
#include "netlink.h"

/* A program may fault all the time, and handle it; no reader keeps up then. */
#define EVENTS_IN_A_SECOND	256

/**
 * struct kept_event - an event that may be read
 * @number: its number
 * @event: its attributes, or NULL where none has been yet
 */
struct kept_event {
	u64 number;
	struct sk_buff *event;
};

/* Serialises all below, so that events are told of in their order. */
static DEFINE_MUTEX(events_lock);
static struct kept_event kept[REASSURE_EVENTS_KEPT];
/* In kept[], where the next goes: the oldest. */
static unsigned int next_kept;
static struct events_total totals;
/* The highest number that anybody has read. */
static u64 last_read;
/* The netlink family is registered. */
static bool announced;

static DEFINE_SPINLOCK(second_lock);

/* One more event begins: whether there have been too many of late. */
static bool is_flood(void)
{
	static unsigned long begin;
	static unsigned int count;
	bool flood;

	spin_lock(&second_lock);
	if (!count || time_after(jiffies, begin + HZ)) {
		begin = jiffies;
		count = 0;
	}
	flood = count >= EVENTS_IN_A_SECOND;
	if (!flood)
		count++;
	spin_unlock(&second_lock);
	return flood;
}

/**
 * events_wanted() - whether an event is to be made
 *
 * If so, events_add() or events_lose() may follow.  One that nobody would keep
 * up with is counted as lost here.
 */
bool events_wanted(void)
{
	if (!netlink_events_have_listeners())
		return false;
	if (!is_flood())
		return true;
	events_lose();
	return false;
}

/**
 * events_add() - keep an event and tell who listens
 * @event: its attributes; given away
 *
 * The oldest makes room.  Sleeps, and never fails.
 */
void events_add(struct sk_buff *event)
{
	struct kept_event *place;

	mutex_lock(&events_lock);
	place = &kept[next_kept];
	next_kept = (next_kept + 1) % REASSURE_EVENTS_KEPT;
	if (place->event && place->number > last_read)
		totals.lost++;
	kfree_skb(place->event);
	place->event = event;
	place->number = ++totals.last;
	/* Its group may be another's afterwards. */
	if (announced)
		netlink_announce_event(place->number);
	mutex_unlock(&events_lock);
}

/* There was an event, of which nothing can be told; its number is missing. */
void events_lose(void)
{
	mutex_lock(&events_lock);
	totals.last++;
	totals.lost++;
	mutex_unlock(&events_lock);
}

/* Whether there is a netlink family to tell of events; not any more from here on. */
void events_announce(bool announce)
{
	mutex_lock(&events_lock);
	announced = announce;
	mutex_unlock(&events_lock);
}

void events_total(struct events_total *total)
{
	mutex_lock(&events_lock);
	*total = totals;
	mutex_unlock(&events_lock);
}

/**
 * events_visit() - read the events that are kept, in their order
 * @after: only those with a higher number
 * @visit: called for each; a non-zero answer ends it, and that one is not read
 * @data: for @visit
 */
void events_visit(u64 after,
		  int (*visit)(u64 number, const struct sk_buff *event,
			       void *data),
		  void *data)
{
	const struct kept_event *place;
	unsigned int i;

	mutex_lock(&events_lock);
	for (i = 0; i < REASSURE_EVENTS_KEPT; i++) {
		place = &kept[(next_kept + i) % REASSURE_EVENTS_KEPT];
		if (!place->event || place->number <= after)
			continue;
		if (visit(place->number, place->event, data))
			break;
		last_read = max(last_read, place->number);
	}
	mutex_unlock(&events_lock);
}

/* No rescue point and no netlink family is left. */
void reassure_events_exit(void)
{
	unsigned int i;

	for (i = 0; i < REASSURE_EVENTS_KEPT; i++)
		kfree_skb(kept[i].event);
}
