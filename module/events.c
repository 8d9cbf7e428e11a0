// SPDX-License-Identifier: GPL-2.0
/*
 * The last events, for who reads them late, and how many were lost.
 *
 * An event is a socket buffer with the attributes of enum
 * reassure_event_attribute, but its number.
 */
#include <linux/jiffies.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

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

/*
 * Protects all below.  Who adds an event has other threads stopped, so nothing is
 * allocated, freed or sent while it is held.
 */
static DEFINE_SPINLOCK(events_lock);
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

/* Tells of all events that came since it ran last. */
static void announce(struct work_struct *work)
{
	struct events_total total;

	/* The last listener may have gone while an event was being made. */
	if (!netlink_events_have_listeners()) {
		events_forget();
		return;
	}
	events_total(&total);
	netlink_announce_event(total.last);
}

static DECLARE_DELAYED_WORK(announcement, announce);

/**
 * events_add() - keep an event and tell who listens
 * @event: its attributes; given away
 *
 * The oldest makes room.  Does not wait for who is told, and never fails.
 */
void events_add(struct sk_buff *event)
{
	struct kept_event *place;
	struct sk_buff *oldest;

	spin_lock(&events_lock);
	place = &kept[next_kept];
	next_kept = (next_kept + 1) % REASSURE_EVENTS_KEPT;
	oldest = place->event;
	if (oldest && place->number > last_read)
		totals.lost++;
	place->event = event;
	place->number = ++totals.last;
	/* Its group may be another's afterwards. */
	if (announced)
		mod_delayed_work(system_wq, &announcement, 0);
	spin_unlock(&events_lock);
	consume_skb(oldest);
}

/* There was an event, of which nothing can be told; its number is missing. */
void events_lose(void)
{
	spin_lock(&events_lock);
	totals.last++;
	totals.lost++;
	/* Not each of a bombardment. */
	if (announced)
		schedule_delayed_work(&announcement, HZ);
	spin_unlock(&events_lock);
}

/**
 * events_announce() - whether there is a netlink family to tell of events
 * @announce: false when it is about to go: nothing is told of any more when this
 *            returns
 */
void events_announce(bool announce)
{
	spin_lock(&events_lock);
	announced = announce;
	spin_unlock(&events_lock);
	if (!announce)
		cancel_delayed_work_sync(&announcement);
}

void events_total(struct events_total *total)
{
	spin_lock(&events_lock);
	*total = totals;
	spin_unlock(&events_lock);
}

/* The first event behind @after, with a reference, or NULL. */
static struct sk_buff *get_event(u64 after, u64 *number)
{
	const struct kept_event *place;
	struct sk_buff *event = NULL;
	unsigned int i;

	spin_lock(&events_lock);
	for (i = 0; i < REASSURE_EVENTS_KEPT && !event; i++) {
		place = &kept[(next_kept + i) % REASSURE_EVENTS_KEPT];
		if (!place->event || place->number <= after)
			continue;
		event = skb_get(place->event);
		*number = place->number;
	}
	spin_unlock(&events_lock);
	return event;
}

static void note_read(u64 number)
{
	spin_lock(&events_lock);
	last_read = max(last_read, number);
	spin_unlock(&events_lock);
}

/**
 * events_visit() - read the events that are kept, in their order
 * @after: only those with a higher number
 * @visit: called for each, without a lock; a non-zero answer ends it, and that one
 *         is not read
 * @data: for @visit
 */
void events_visit(u64 after,
		  int (*visit)(u64 number, const struct sk_buff *event,
			       void *data),
		  void *data)
{
	struct sk_buff *event;
	bool ended = false;

	while (!ended) {
		event = get_event(after, &after);
		if (!event)
			return;
		ended = visit(after, event, data);
		consume_skb(event);
		if (!ended)
			note_read(after);
	}
}

/**
 * events_forget() - nobody is left who would read what is kept
 *
 * It holds what programs had in their memory.  What nobody has read is lost.
 */
void events_forget(void)
{
	struct sk_buff *event;
	unsigned int i;

	for (i = 0; i < REASSURE_EVENTS_KEPT; i++) {
		spin_lock(&events_lock);
		event = kept[i].event;
		kept[i].event = NULL;
		if (event && kept[i].number > last_read)
			totals.lost++;
		spin_unlock(&events_lock);
		consume_skb(event);
	}
}

/* No rescue point and no netlink family is left. */
void reassure_events_exit(void)
{
	events_forget();
}
