// SPDX-License-Identifier: GPL-2.0
/* Entries of systemd's journal, in its native protocol. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "event.h"
#include "journal.h"
#include "monitor.h"
#include "names.h"
#include "stack.h"
#include "text.h"

/* Of syslog. */
#define PRIORITY_ERROR "3"
#define PRIORITY_WARNING "4"

/* What is longer is cut off: an entry has to go into one message. */
#define VALUE_MAX 65536

/* With its length, since the stack has several lines. */
static void put_bytes(FILE *entry, const char *name, const char *value,
		      size_t size)
{
	__u64 length = htole64(size);

	fprintf(entry, "%s\n", name);
	fwrite(&length, sizeof(length), 1, entry);
	fwrite(value, 1, size, entry);
	fputc('\n', entry);
}

static void put(FILE *entry, const char *name, const char *value)
{
	if (value)
		put_bytes(entry, name, value, strnlen(value, VALUE_MAX));
}

static void put_number(FILE *entry, const char *name, __u64 value)
{
	fprintf(entry, "%s=%llu\n", name, value);
}

static void put_hex(FILE *entry, const char *name, __u64 value)
{
	fprintf(entry, "%s=0x%llx\n", name, value);
}

static void put_build_id(FILE *entry, const struct event_mapping *mapping)
{
	int i;

	if (!mapping->build_id_size)
		return;
	fputs("REASSURE_BUILD_ID=", entry);
	for (i = 0; i < mapping->build_id_size; i++)
		fprintf(entry, "%02x", mapping->build_id[i]);
	fputc('\n', entry);
}

/* What programs choose; journalctl prints it to whoever reads. */
static void put_text(FILE *entry, const char *name, const char *value)
{
	char *text = NULL;
	size_t size;
	FILE *stream = value ? open_memstream(&text, &size) : NULL;

	if (!stream)
		return;
	text_print(stream, value);
	if (!fclose(stream))
		put(entry, name, text);
	free(text);
}

/* Where the fault was. */
static void put_frame(FILE *entry, const struct frame *frame)
{
	put_text(entry, "REASSURE_FUNCTION", frame->function);
	if (!frame->mapping)
		return;
	put_text(entry, "REASSURE_FILE", frame->mapping->path);
	put_build_id(entry, frame->mapping);
	put_hex(entry, "REASSURE_OFFSET", frame->offset);
}

static void put_message(FILE *entry, const struct event *event)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return;
	monitor_print_headline(stream, event);
	if (!fclose(stream))
		put(entry, "MESSAGE", text);
	free(text);
}

static void put_stack(FILE *entry, const struct frame *frames, size_t count,
		      bool failed)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return;
	monitor_print_frames(stream, frames, count, failed);
	if (!fclose(stream))
		put(entry, "REASSURE_STACK", text);
	free(text);
}

static bool ends_in(const char *name, size_t length, const char *suffix)
{
	size_t size = strlen(suffix);

	return length > size && !memcmp(name + length - size, suffix, size);
}

/*
 * journalctl -u shows it with the program's unit then.  By OBJECT_PID the journal
 * would not find that of a program that is gone.  What is below a unit's cgroup
 * has names of the unit's own choice.
 */
static void put_unit(FILE *entry, const char *cgroup)
{
	const char *name = cgroup ?: "";
	size_t length = 0;
	char *unit;

	do {
		name += length;
		name += strspn(name, "/");
		length = strcspn(name, "/");
	} while (ends_in(name, length, ".slice"));
	if (!ends_in(name, length, ".service") &&
	    !ends_in(name, length, ".scope"))
		return;
	unit = strndup(name, length);
	put_text(entry, "OBJECT_SYSTEMD_UNIT", unit);
	free(unit);
}

static void put_event(FILE *entry, const struct event *event)
{
	bool rescued = event->outcome == REASSURE_OUTCOME_RESCUED;

	put(entry, "MESSAGE_ID", rescued ? JOURNAL_RESCUED :
					   JOURNAL_NOT_RESCUED);
	put(entry, "PRIORITY", rescued ? PRIORITY_WARNING : PRIORITY_ERROR);
	put_message(entry, event);
	put(entry, "REASSURE_OUTCOME", outcome_names[event->outcome]);
	put_text(entry, "REASSURE_RESCUE_POINT", event->name);
	if (event->outcome == REASSURE_OUTCOME_REFUSED)
		put(entry, "REASSURE_REASON",
		    event->refusal < REASSURE_REFUSALS ?
		    refusal_names[event->refusal] : "?");
	put(entry, "REASSURE_SIGNAL", event_signal(event));
	if (event->has_address)
		put_hex(entry, "REASSURE_ADDRESS", event->address);
	if (event->injected)
		put_number(entry, "REASSURE_INJECTED", 1);
	put_number(entry, "REASSURE_PID", event->pid);
	put_number(entry, "REASSURE_TID", event->tid);
	put_text(entry, "REASSURE_COMMAND", event->command);
	put_text(entry, "REASSURE_CGROUP", event->cgroup);
	put_unit(entry, event->cgroup);
}

static bool send_entry(const char *path, const char *entry, size_t size)
{
	struct sockaddr_un journal = { .sun_family = AF_UNIX };
	bool sent;
	int fd;

	if (strlen(path) >= sizeof(journal.sun_path))
		return false;
	strcpy(journal.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	sent = sendto(fd, entry, size, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (struct sockaddr *)&journal, sizeof(journal)) >= 0;
	close(fd);
	return sent;
}

/* Ends @stream, which wrote to @entry of @size. */
static bool send_stream(const char *path, FILE *stream, char **entry, size_t *size)
{
	bool sent = !fclose(stream) && send_entry(path, *entry, *size);

	free(*entry);
	return sent;
}

static FILE *begin(char **entry, size_t *size, const char *id)
{
	FILE *stream = open_memstream(entry, size);

	if (!stream)
		return NULL;
	put(stream, "SYSLOG_IDENTIFIER", "reassure");
	put(stream, "REASSURE_REPORT", id);
	return stream;
}

bool journal_send_event(const char *path, const char *id,
			const struct event *event, const struct frame *frames,
			size_t count, bool failed)
{
	char *entry = NULL;
	size_t size;
	FILE *stream = begin(&entry, &size, id);

	if (!stream)
		return false;
	put_event(stream, event);
	if (count)
		put_frame(stream, frames);
	put_stack(stream, frames, count, failed);
	return send_stream(path, stream, &entry, &size);
}

bool journal_send_lost(const char *path, const char *id, __u64 lost)
{
	char *entry = NULL;
	size_t size;
	FILE *stream = begin(&entry, &size, id);

	if (!stream)
		return false;
	put(stream, "MESSAGE_ID", JOURNAL_LOST);
	put(stream, "PRIORITY", PRIORITY_WARNING);
	fprintf(stream, "MESSAGE=%llu events were lost\n", lost);
	put(stream, "REASSURE_OUTCOME", "lost");
	put_number(stream, "REASSURE_EVENTS", lost);
	return send_stream(path, stream, &entry, &size);
}
