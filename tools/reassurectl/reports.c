// SPDX-License-Identifier: GPL-2.0
/*
 * The directory in which reports are kept.  What they hold is partly the word of
 * programs that crashed, and whoever is root may put anything there: no link is
 * followed, and nothing but a regular file with the name of a report is read or
 * removed.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "output.h"
#include "reassurectl.h"
#include "reports.h"
#include "text.h"

#define SUFFIX ".json"
#define NAME_SIZE (REPORT_ID_SIZE + sizeof(SUFFIX))
/* What is being written; of who collects there is one. */
#define TEMPORARY ".new"

#define TIME_FORMAT "%Y%m%dT%H%M%SZ-"
#define TIME_SHAPE "ddddddddTddddddZ-"
#define TIME_LENGTH (sizeof(TIME_SHAPE) - 1)
#define DIGITS_MIN 6
#define DIGITS_MAX 12
/* No report gets near it: what claims more than half leaves no number for others. */
#define NUMBER_MAX 999999999999ull

/* More levels than a report has. */
#define JSON_DEPTH 8

/* Only up to @length, which is after the number. */
static bool parse_id(const char *text, size_t length, __u64 *number)
{
	size_t i;

	if (length < TIME_LENGTH + DIGITS_MIN ||
	    length > TIME_LENGTH + DIGITS_MAX)
		return false;
	for (i = 0; i < length; i++)
		if (i >= TIME_LENGTH || TIME_SHAPE[i] == 'd' ?
		    !isdigit((unsigned char)text[i]) : text[i] != TIME_SHAPE[i])
			return false;
	*number = strtoull(text + TIME_LENGTH, NULL, 10);
	return true;
}

bool report_is_id(const char *text)
{
	__u64 number;

	return parse_id(text, strlen(text), &number);
}

/* False when the file @name is no report. */
static bool parse_name(const char *name, struct report_entry *entry)
{
	size_t length = strlen(name), suffix = strlen(SUFFIX);

	if (length < suffix || strcmp(name + length - suffix, SUFFIX) ||
	    !parse_id(name, length - suffix, &entry->number) ||
	    entry->number > NUMBER_MAX / 2)
		return false;
	memcpy(entry->id, name, length - suffix);
	entry->id[length - suffix] = 0;
	return true;
}

static void make_name(char *name, const char *id)
{
	snprintf(name, NAME_SIZE, "%s" SUFFIX, id);
}

static bool make_id(char *id, __u64 time_ns, __u64 number)
{
	time_t seconds = time_ns / NS_PER_SECOND;
	struct tm utc;

	if (number > NUMBER_MAX || !gmtime_r(&seconds, &utc) ||
	    strftime(id, REPORT_ID_SIZE, TIME_FORMAT, &utc) != TIME_LENGTH)
		return false;
	sprintf(id + TIME_LENGTH, "%0*llu", DIGITS_MIN, number);
	return true;
}

static __u64 blocks(__u64 bytes)
{
	return (bytes + REPORT_BLOCK - 1) / REPORT_BLOCK * REPORT_BLOCK;
}

/* The last part of a path is followed if a slash is behind it. */
static bool cut_slashes(const char *path, char *cut)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (!length || length >= PATH_MAX)
		return false;
	memcpy(cut, path, length);
	cut[length] = 0;
	return true;
}

static int open_directory(struct reports *reports, const char *path, bool make)
{
	char cut[PATH_MAX];

	reports->path = path;
	reports->next = 0;
	if (!cut_slashes(path, cut))
		return usage_error("report: '%s' is no path of a directory", path);
	if (make && mkdir(cut, 0700) && errno != EEXIST)
		return failed("cannot make the directory %s: %s", path,
			      strerror(errno));
	reports->directory = open(cut, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
				  O_CLOEXEC);
	if (reports->directory >= 0)
		return EXIT_OK;
	if (errno == ENOENT)
		return failed("there is no %s; 'reassurectl report collect' makes it",
			      path);
	if (errno == ELOOP || errno == ENOTDIR)
		return failed("%s is no directory, or a link: name the directory itself",
			      path);
	return failed("cannot open %s: %s", path, strerror(errno));
}

static int check_owner(const struct reports *reports)
{
	struct stat directory;

	if (fstat(reports->directory, &directory))
		return failed("cannot look at %s: %s", reports->path,
			      strerror(errno));
	if (directory.st_uid != geteuid())
		return failed("%s is another user's: choose another, or chown it",
			      reports->path);
	if (directory.st_mode & 077)
		return failed("%s is open to other users: choose another, or chmod it to 0700",
			      reports->path);
	if (flock(reports->directory, LOCK_EX | LOCK_NB))
		return failed("cannot lock %s: %s%s", reports->path,
			      strerror(errno), errno == EWOULDBLOCK ?
			      "; another 'report collect' uses it" : "");
	return EXIT_OK;
}

int reports_make(struct reports *reports, const char *path)
{
	int ret = open_directory(reports, path, true);

	if (ret)
		return ret;
	ret = check_owner(reports);
	if (ret)
		reports_close(reports);
	return ret;
}

int reports_open(struct reports *reports, const char *path)
{
	return open_directory(reports, path, false);
}

bool reports_gone(const struct reports *reports)
{
	struct stat directory;

	return !fstat(reports->directory, &directory) && !directory.st_nlink;
}

void reports_close(struct reports *reports)
{
	close(reports->directory);
}

static bool add_entry(struct report_entries *entries,
		      const struct report_entry *entry)
{
	size_t count = entries->count;
	struct report_entry *list = entries->list;

	/* At 1, 2, 4, ... there is no more room. */
	if (!(count & (count - 1))) {
		list = reallocarray(list, count ? 2 * count : 1, sizeof(*list));
		if (!list)
			return false;
		entries->list = list;
	}
	list[entries->count++] = *entry;
	return true;
}

static void note_foreign(const struct reports *reports,
			 struct report_entries *entries, const char *name,
			 bool warn)
{
	entries->foreign++;
	if (!warn)
		return;
	fprintf(stderr, "reassurectl: %s/", reports->path);
	text_print(stderr, name);
	fputs(" is no report, and skipped\n", stderr);
}

/* Whether a file that was there has gone meanwhile is no matter. */
static int add_file(const struct reports *reports,
		    struct report_entries *entries, const char *name, bool warn)
{
	struct report_entry entry;
	struct stat file;

	/* Also the temporary file, and what others keep here. */
	if (*name == '.')
		return 0;
	if (fstatat(reports->directory, name, &file, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT)
			return 0;
		/* As of a damaged file system; nothing is known of it. */
		file.st_mode = 0;
	}
	if (!S_ISREG(file.st_mode) || !parse_name(name, &entry)) {
		note_foreign(reports, entries, name, warn);
		return 0;
	}
	entry.bytes = blocks(file.st_size);
	return add_entry(entries, &entry) ? 0 : -ENOMEM;
}

static int read_directory(const struct reports *reports,
			  struct report_entries *entries, bool warn)
{
	int fd = openat(reports->directory, ".", O_RDONLY | O_DIRECTORY |
			O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *found;
	int ret = 0;

	memset(entries, 0, sizeof(*entries));
	if (!directory) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while (!ret) {
		errno = 0;
		found = readdir(directory);
		if (!found)
			break;
		ret = add_file(reports, entries, found->d_name, warn);
	}
	if (!ret)
		ret = -errno;
	closedir(directory);
	if (ret)
		report_entries_free(entries);
	return ret;
}

void report_entries_free(struct report_entries *entries)
{
	free(entries->list);
	memset(entries, 0, sizeof(*entries));
}

static int by_number(const void *a, const void *b)
{
	const struct report_entry *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

static int by_time(const void *a, const void *b)
{
	const struct report_entry *one = a, *other = b;

	return strncmp(one->id, other->id, TIME_LENGTH) ?: by_number(a, b);
}

static void sort(struct report_entries *entries,
		 int (*compare)(const void *a, const void *b))
{
	if (entries->count)
		qsort(entries->list, entries->count, sizeof(*entries->list),
		      compare);
}

bool reports_list(const struct reports *reports, struct report_entries *entries)
{
	int ret = read_directory(reports, entries, true);

	if (ret) {
		failed("cannot read %s: %s", reports->path, strerror(-ret));
		return false;
	}
	sort(entries, by_time);
	return true;
}

/*
 * Removes those that came first, whatever time it was, until one more of @bytes
 * has room: a clock that is put back must not have the newest removed.  *@number
 * is the one after the last.
 */
static int make_room(const struct reports *reports,
		     const struct report_limits *limits, __u64 bytes,
		     __u64 *number)
{
	struct report_entries entries;
	__u64 left, all = bytes;
	int failure, ret = read_directory(reports, &entries, false);
	size_t i;

	if (ret)
		return ret;
	sort(&entries, by_number);
	*number = entries.count ? entries.list[entries.count - 1].number + 1 : 0;
	for (i = 0; i < entries.count; i++)
		all += entries.list[i].bytes;
	left = entries.count;
	for (i = 0; i < entries.count; i++) {
		if (left < limits->files && all <= limits->bytes)
			break;
		failure = reports_delete(reports, entries.list[i].id);
		/* One that cannot be removed, the others may be. */
		if (failure) {
			ret = failure;
			continue;
		}
		all -= entries.list[i].bytes;
		left--;
	}
	report_entries_free(&entries);
	return left < limits->files && all <= limits->bytes ? 0 : ret;
}

static int write_all(int fd, const char *text, size_t size)
{
	ssize_t written;

	while (size) {
		written = write(fd, text, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		text += written;
		size -= written;
	}
	/* A name without what it stands for is no report. */
	return fsync(fd) ? -errno : 0;
}

static int write_temporary(const struct reports *reports, const char *text,
			   size_t size)
{
	int fd, ret;

	/* Of who was killed amid it. */
	unlinkat(reports->directory, TEMPORARY, 0);
	fd = openat(reports->directory, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, text, size);
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int reports_keep(struct reports *reports, const struct report_limits *limits,
		 __u64 time_ns, const char *text, size_t size, char *id)
{
	char name[NAME_SIZE];
	__u64 number;
	int ret;

	if (size > REPORT_BYTES_MAX || blocks(size) > limits->bytes)
		return -EFBIG;
	ret = make_room(reports, limits, blocks(size), &number);
	if (ret)
		return ret;
	if (number < reports->next)
		number = reports->next;
	if (!make_id(id, time_ns, number))
		return -EOVERFLOW;
	make_name(name, id);
	ret = write_temporary(reports, text, size);
	if (!ret && renameat(reports->directory, TEMPORARY, reports->directory,
			     name))
		ret = -errno;
	if (ret)
		unlinkat(reports->directory, TEMPORARY, 0);
	else
		reports->next = number + 1;
	return ret;
}

bool reports_have(const struct reports *reports, const char *id)
{
	char name[NAME_SIZE];
	struct stat file;

	make_name(name, id);
	return !fstatat(reports->directory, name, &file, AT_SYMLINK_NOFOLLOW) &&
	       S_ISREG(file.st_mode);
}

/* Its text in memory, to be freed; NULL with an @error. */
static char *read_text(int fd, size_t *size, char *error)
{
	struct stat file;
	ssize_t got = 1;
	char *text;

	if (fstat(fd, &file) || !S_ISREG(file.st_mode) ||
	    file.st_size > (off_t)REPORT_BYTES_MAX) {
		wrong(error, "is no regular file of at most %lu bytes",
		      REPORT_BYTES_MAX);
		return NULL;
	}
	text = malloc(file.st_size + 1);
	for (*size = 0; text && got > 0 && *size < (size_t)file.st_size;
	     *size += got) {
		got = read(fd, text + *size, file.st_size - *size);
		if (got < 0) {
			wrong(error, "cannot be read: %s", strerror(errno));
			free(text);
			return NULL;
		}
	}
	if (!text)
		wrong(error, "cannot be read: %s", strerror(ENOMEM));
	return text;
}

static struct json_object *parse_text(const char *text, size_t size, char *error)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *object;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
			       JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, size);
	json_tokener_free(tokener);
	if (!json_object_is_type(object, json_type_object)) {
		wrong(error, "holds no JSON object");
		json_object_put(object);
		return NULL;
	}
	return object;
}

struct json_object *reports_read(const struct reports *reports, const char *id,
				 char *error)
{
	struct json_object *object = NULL;
	char name[NAME_SIZE], *text;
	size_t size;
	int fd;

	make_name(name, id);
	*error = 0;
	fd = openat(reports->directory, name, O_RDONLY | O_NOFOLLOW |
		    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT)
			wrong(error, "cannot be opened: %s", strerror(errno));
		return NULL;
	}
	text = read_text(fd, &size, error);
	close(fd);
	if (text)
		object = parse_text(text, size, error);
	free(text);
	return object;
}

int reports_delete(const struct reports *reports, const char *id)
{
	char name[NAME_SIZE];

	make_name(name, id);
	return !unlinkat(reports->directory, name, 0) || errno == ENOENT ?
	       0 : -errno;
}
