/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_REPORTS_H
#define REASSURECTL_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "error.h"

struct json_object;

/* Where reports are kept unless it is said. */
#define REPORTS_DIRECTORY "/var/lib/reassure"

/* "20261130T021500Z-000123": the time in UTC, and a number that counts on. */
#define REPORT_ID_SIZE 32

/* What is larger is no report, and none is made. */
#define REPORT_BYTES_MAX (256ul << 10)

/* What is longer of a name in it is cut, so that the quota has room for many. */
#define REPORT_NAME_MAX 512

/* A directory of reports, which are the files ID.json. */
struct reports {
	const char *path;
	int directory;
	/* The least number for the next: those of deleted ones do not come again. */
	__u64 next;
};

struct report_limits {
	/* Each file counts as whole blocks of REPORT_BLOCK. */
	__u64 bytes;
	__u64 files;
};

#define REPORT_BLOCK 4096

struct report_entry {
	char id[REPORT_ID_SIZE];
	__u64 number;
	__u64 bytes;
};

struct report_entries {
	struct report_entry *list;
	size_t count;
	/* Files that are no reports. */
	size_t foreign;
};

/*
 * Both return EXIT_OK, or an exit code after it has been said what is wrong;
 * @path stays the caller's.  The first is for who keeps reports: the directory is
 * made if need be, must be nobody else's, and is his until it is closed.
 */
int reports_make(struct reports *reports, const char *path);
int reports_open(struct reports *reports, const char *path);
/* The directory was removed; nothing can be kept in it any more. */
bool reports_gone(const struct reports *reports);
void reports_close(struct reports *reports);

/*
 * Keeps @size bytes of @text as a report of what was at @time_ns, and removes
 * those that came first where there would be more than @limits allow.
 *
 * Return: 0, with its @id; or a negative error, with nothing left of it.
 */
int reports_keep(struct reports *reports, const struct report_limits *limits,
		 __u64 time_ns, const char *text, size_t size, char *id);

/*
 * All reports, the oldest first; what is none is warned of.  False after it has
 * been said what is wrong.  @entries is to be freed by report_entries_free().
 */
bool reports_list(const struct reports *reports, struct report_entries *entries);
void report_entries_free(struct report_entries *entries);

bool report_is_id(const char *text);
bool reports_have(const struct reports *reports, const char *id);
/*
 * The object, to be put by the caller, or NULL with an @error, which is empty
 * when there is no such report.
 */
struct json_object *reports_read(const struct reports *reports, const char *id,
				 char *error);
/* 0, also when it was not there, or a negative error. */
int reports_delete(const struct reports *reports, const char *id);

#endif
