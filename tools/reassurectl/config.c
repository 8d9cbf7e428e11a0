// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration files: what rescue points there are to be.
 *
 * Lines are handed to inih one by one, so that each error has its line and
 * does not hide the next one.  Section headers are read here, for inih cuts
 * them off after 49 bytes.
 */
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ini.h>

#include "cgroups.h"
#include "config.h"
#include "place.h"
#include "reassurectl.h"
#include "symbols.h"

#define SECTION "rescue-point"

/* What is being read. */
struct reader {
	struct config *config;
	const char *file;
	int line;
	/* NULL before the first section and in one that is not known. */
	struct config_point *point;
	bool in_unknown;
};

static void *allocated(void *memory)
{
	if (memory)
		return memory;
	failed("no memory");
	exit(EXIT_FAILED);
}

/* One more element of @size bytes behind @count of them. */
static void *grow(void *array, size_t count, size_t size)
{
	return allocated(reallocarray(array, count + 1, size));
}

static const char *keep(struct config *config, const char *text)
{
	char *copy = allocated(strdup(text));

	config->strings = grow(config->strings, config->nr_strings,
			       sizeof(*config->strings));
	config->strings[config->nr_strings++] = copy;
	return copy;
}

/* Which option @text begins with, or NULL. */
static const struct known_option *option_of(const char *text)
{
	const struct known_option *option;
	size_t length = strcspn(text, " :,;");

	for (option = known_options; option->name; option++)
		if (strlen(option->name) == length &&
		    !strncmp(option->name, text, length))
			return option;
	return NULL;
}

/* The words of the command line become those of a file. */
static char *in_words_of_file(const char *text)
{
	const struct known_option *option;
	char *result = NULL;
	size_t size;
	FILE *out = allocated(open_memstream(&result, &size));

	for (; *text; text++) {
		option = strncmp(text, "--", 2) ? NULL : option_of(text);
		if (option && option->key) {
			fputs(option->key, out);
			text += strlen(option->name) - 1;
		} else {
			fputc(*text, out);
		}
	}
	fclose(out);
	return allocated(result);
}

static void add_problem(struct config *config, const char *file, int line,
			const char *key, const char *format, va_list arguments)
{
	struct config_problem *problem;
	char text[ERROR_SIZE];

	vsnprintf(text, sizeof(text), format, arguments);
	config->problems = grow(config->problems, config->nr_problems,
				sizeof(*config->problems));
	problem = &config->problems[config->nr_problems++];
	*problem = (struct config_problem){
		.file = file,
		.line = line,
		.key = key,
		.text = in_words_of_file(text),
	};
}

__printf(4, 5)
static void file_problem(struct config *config, const char *file, int line,
			 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_problem(config, file, line, NULL, format, arguments);
	va_end(arguments);
}

void config_point_problem(struct config *config, struct config_point *point,
			  const char *key, const char *format, ...)
{
	const struct known_option *option;
	int line = point->line;
	va_list arguments;

	for (option = known_options; key && option->name; option++)
		if (option->key && !strcmp(option->key, key) &&
		    point->lines[option - known_options])
			line = point->lines[option - known_options];
	point->wrong = true;
	va_start(arguments, format);
	add_problem(config, point->file, line, key, format, arguments);
	va_end(arguments);
}

/* The same for a text that begins with an option, as those of add do. */
static void option_problem(struct config *config, struct config_point *point,
			   const char *text)
{
	const struct known_option *option = option_of(text);

	if (option) {
		text += strlen(option->name);
		text += *text == ':';
		text += *text == ' ';
	}
	config_point_problem(config, point, option ? option->key : NULL, "%s",
			     text);
}

/* How many letters differ, whatever their case. */
static size_t distance(const char *a, const char *b)
{
	size_t row[CONFIG_KEYS_MAX + 1], before, above, i;
	size_t length = strlen(a);

	if (length > CONFIG_KEYS_MAX)
		return SIZE_MAX;
	for (i = 0; i <= length; i++)
		row[i] = i;
	for (; *b; b++) {
		before = row[0]++;
		for (i = 1; i <= length; i++) {
			above = row[i];
			if (tolower((unsigned char)a[i - 1]) ==
			    tolower((unsigned char)*b))
				row[i] = before;
			else
				row[i] = 1 + (before < above ? before : above);
			if (row[i] > row[i - 1] + 1)
				row[i] = row[i - 1] + 1;
			before = above;
		}
	}
	return row[length];
}

/* The key that was meant, or NULL. */
static const char *nearest_key(const char *name)
{
	const struct known_option *option;
	const char *nearest = NULL;
	size_t least = 3, far;

	for (option = known_options; option->name; option++) {
		far = option->key ? distance(name, option->key) : SIZE_MAX;
		/* The same word, but for its case, is never far. */
		if (far >= least || (far && far >= strlen(name)))
			continue;
		least = far;
		nearest = option->key;
	}
	return nearest;
}

static struct config_point *find_point(const struct config *config,
				       const char *name)
{
	size_t i;

	for (i = 0; i < config->nr_points; i++)
		if (!strcmp(config->points[i]->options.name, name))
			return config->points[i];
	return NULL;
}

static void begin_point(struct reader *reader, const char *name)
{
	struct config *config = reader->config;
	struct config_point *point, *same = find_point(config, name);
	char error[ERROR_SIZE];

	point = allocated(calloc(1, sizeof(*point)));
	point->file = reader->file;
	point->line = reader->line;
	point->options.name = keep(config, name);
	point->place.fd = -1;
	config->points = grow(config->points, config->nr_points,
			      sizeof(*config->points));
	config->points[config->nr_points++] = point;
	reader->point = point;
	if (!parse_name(name, error))
		config_point_problem(config, point, NULL,
				     "the name of a rescue point has 1 to %d characters out of A-Z a-z 0-9 _ . + -, not '%s'",
				     REASSURE_NAME_MAX, name);
	else if (same)
		config_point_problem(config, point, NULL,
				     "the rescue point '%s' is at %s:%d already",
				     name, same->file, same->line);
}

/* Takes a header [TYPE "NAME"] apart, which is changed. */
static bool split_header(char *header, char **type, char **name)
{
	char *end;

	*type = header + 1 + strspn(header + 1, " \t");
	end = *type + strcspn(*type, " \t\"]");
	*name = end + strspn(end, " \t");
	if (**name != '"')
		return false;
	*end = 0;
	*name += 1;
	end = strchr(*name, '"');
	if (!end)
		return false;
	*end++ = 0;
	end += strspn(end, " \t");
	if (*end++ != ']')
		return false;
	end += strspn(end, " \t");
	return !*end || *end == ';' || *end == '#';
}

static void read_header(struct reader *reader, char *header)
{
	char *shown = allocated(strdup(header));
	char *type, *name;

	reader->point = NULL;
	reader->in_unknown = true;
	if (!split_header(header, &type, &name))
		file_problem(reader->config, reader->file, reader->line,
			     "a section begins with [" SECTION " \"NAME\"], not with %s",
			     shown);
	else if (strcmp(type, SECTION))
		file_problem(reader->config, reader->file, reader->line,
			     "unknown section '%s': only " SECTION " is known",
			     type);
	else
		begin_point(reader, name);
	free(shown);
}

static void read_key(struct reader *reader, const char *key, const char *value)
{
	struct config_point *point = reader->point;
	const struct known_option *option;
	char error[ERROR_SIZE];
	const char *nearest;
	int *line, before;

	for (option = known_options; option->name; option++)
		if (option->key && !strcmp(option->key, key))
			break;
	if (!option->name) {
		nearest = nearest_key(key);
		point->wrong = true;
		file_problem(reader->config, reader->file, reader->line,
			     "unknown key '%s'%s%s%s", key,
			     nearest ? ": did you mean " : "", nearest ?: "",
			     nearest ? "?" : "");
		return;
	}
	line = &point->lines[option - known_options];
	before = *line;
	*line = reader->line;
	if (before && option->kind != REPEATED_SETTING)
		config_point_problem(reader->config, point, option->key,
				     "is given twice, at line %d before",
				     before);
	else if (!*value)
		config_point_problem(reader->config, point, option->key,
				     "the value is missing");
	else if (!option->parse(&point->options, keep(reader->config, value),
				error))
		option_problem(reader->config, point, error);
}

static int on_pair(void *user, const char *section, const char *key,
		   const char *value)
{
	struct reader *reader = user;

	(void)section;
	if (reader->point)
		read_key(reader, key, value);
	else if (!reader->in_unknown)
		file_problem(reader->config, reader->file, reader->line,
			     "'%s' is in no section: [" SECTION " \"NAME\"] comes first",
			     key);
	return 1;
}

/* The length of the character at @text, 0 for none of UTF-8. */
static size_t character(const unsigned char *text, size_t size)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length, i;
	unsigned int code;

	if (*text < 0x80)
		return 1;
	length = *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;
	if (*text < 0xc0 || *text > 0xf7 || length > size)
		return 0;
	code = *text & (0x7f >> length);
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

/* Of ASCII, or one of U+0080 to U+009F, which terminals obey as well. */
static bool is_control(const unsigned char *text)
{
	return (*text < ' ' && *text != '\t') || *text == 0x7f ||
	       (*text == 0xc2 && text[1] < 0xa0);
}

static bool check_characters(struct reader *reader, const char *line,
			     size_t size)
{
	const unsigned char *text = (const unsigned char *)line;
	size_t length, i;

	for (i = 0; i < size; i += length) {
		length = character(text + i, size - i);
		if (length && !is_control(text + i))
			continue;
		file_problem(reader->config, reader->file, reader->line,
			     length ? "the byte 0x%02x has no place in a text" :
			     "the byte 0x%02x is no UTF-8", text[i]);
		return false;
	}
	return true;
}

/* Debian's inih reads lines of any length if it is told to, others do not. */
static size_t longest_line(void)
{
	int *most = dlsym(RTLD_DEFAULT, "ini_max_line");

	/* With what ends a line. */
	if (!most)
		return INI_MAX_LINE - 3;
	*most = CONFIG_LINE_MAX + 3;
	return CONFIG_LINE_MAX;
}

/* @line of @size bytes has a byte for a NUL behind it. */
static void read_line(struct reader *reader, char *line, size_t size)
{
	size_t most = longest_line();

	if (size && line[size - 1] == '\r')
		size--;
	if (reader->line == 1 && size >= 3 && !memcmp(line, "\357\273\277", 3)) {
		line += 3;
		size -= 3;
	}
	if (!check_characters(reader, line, size))
		return;
	line[size] = 0;
	if (size > most) {
		file_problem(reader->config, reader->file, reader->line,
			     "the line is longer than %zu bytes", most);
		return;
	}
	/* Else it would continue the one before, for inih. */
	line += strspn(line, " \t");
	if (*line == '[')
		read_header(reader, line);
	else if (ini_parse_string(line, on_pair, reader))
		file_problem(reader->config, reader->file, reader->line,
			     "KEY = VALUE is expected, not '%s'", line);
}

static void read_lines(struct reader *reader, char *text, size_t size)
{
	char *end = text + size, *line, *next;

	for (line = text; line < end; line = next) {
		next = memchr(line, '\n', end - line) ?: end;
		reader->line++;
		read_line(reader, line, next - line);
		next++;
	}
}

static bool has(const struct config_point *point, const char *key)
{
	const struct known_option *option;

	for (option = known_options; option->name; option++)
		if (option->key && !strcmp(option->key, key))
			return point->lines[option - known_options];
	return false;
}

/* What a line alone does not tell. */
static void check_point(struct config *config, struct config_point *point)
{
	const struct add_options *options = &point->options;
	char error[ERROR_SIZE];

	if (!has(point, "Executable"))
		config_point_problem(config, point, "Executable",
				     "is missing: the executable or shared library");
	else if (options->exe && *options->exe != '/')
		config_point_problem(config, point, "Executable",
				     "takes a path from / on, not '%s'",
				     options->exe);
	if (!has(point, "Function") && !has(point, "Offset"))
		config_point_problem(config, point, "Function",
				     "is missing, and there is no Offset");
	if (has(point, "Function") && has(point, "Offset"))
		config_point_problem(config, point, "Offset",
				     "excludes Function");
	if (!has(point, "Return"))
		config_point_problem(config, point, "Return",
				     "is missing: a value, or void: what the function returns when it is rescued");
	if (!check_settings(options, error))
		option_problem(config, point, error);
	if (options->threads == REASSURE_THREADS_RUN &&
	    options->shared == REASSURE_SHARED_RESTORE)
		config_point_problem(config, point, "Shared",
				     "restore needs --threads stop: shared memory cannot be restored while other threads run");
}

void config_read_text(struct config *config, const char *file, char *text,
		      size_t size)
{
	struct reader reader = {
		.config = config,
		.file = keep(config, file),
	};
	size_t i = config->nr_points;

	config->nr_files++;
	read_lines(&reader, text, size);
	for (; i < config->nr_points; i++)
		check_point(config, config->points[i]);
}

static void read_file(struct config *config, const char *path)
{
	/* A FIFO would wait for its other end. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *file = keep(config, path);
	char *text = NULL;
	struct stat status;
	size_t size = 0;
	ssize_t part;

	if (fd < 0 || fstat(fd, &status)) {
		file_problem(config, file, 0, "cannot be opened: %s",
			     strerror(errno));
		goto close;
	}
	if (!S_ISREG(status.st_mode)) {
		file_problem(config, file, 0, "is no file and no directory");
		goto close;
	}
	/* A byte to see that it is larger, and one for a NUL. */
	text = allocated(malloc(CONFIG_FILE_MAX + 2));
	do {
		part = read(fd, text + size, CONFIG_FILE_MAX + 1 - size);
		size += part > 0 ? part : 0;
	} while (part > 0);
	if (part < 0)
		file_problem(config, file, 0, "cannot be read: %s",
			     strerror(errno));
	else if (size > CONFIG_FILE_MAX)
		file_problem(config, file, 0, "is larger than %d bytes",
			     CONFIG_FILE_MAX);
	else
		config_read_text(config, path, text, size);
	free(text);
close:
	if (fd >= 0)
		close(fd);
}

static int is_configuration(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return *entry->d_name != '.' && length > strlen(".conf") &&
	       !strcmp(entry->d_name + length - strlen(".conf"), ".conf");
}

/* Not as alphasort(), which asks the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

void config_read(struct config *config, const char *path)
{
	char file[PATH_MAX + NAME_MAX + 2];
	struct dirent **entries;
	struct stat status;
	int count, i;

	if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
		read_file(config, path);
		return;
	}
	count = scandir(path, &entries, is_configuration, by_bytes);
	if (count < 0) {
		file_problem(config, keep(config, path), 0,
			     "cannot be opened: %s", strerror(errno));
		return;
	}
	if (!count)
		file_problem(config, keep(config, path), 0,
			     "has no file *.conf");
	for (i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s%s%s", path,
			 path[strlen(path) - 1] == '/' ? "" : "/",
			 entries[i]->d_name);
		read_file(config, file);
		free(entries[i]);
	}
	free(entries);
}

void config_need_points(struct config *config, const char *path)
{
	if (!config->nr_points && !config->nr_problems)
		file_problem(config, keep(config, path), 0,
			     "no rescue point is there, so that --prune would delete all; to do that, use reassurectl delete --all");
}

/* Each rescue point needs up to five. */
static void allow_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void close_place(struct place *place)
{
	size_t i;

	for (i = 0; i < place->nr_landings; i++)
		close(place->landings[i].fd);
	close(place->fd);
}

static void find_place(struct config *config, struct config_point *point)
{
	struct place *place = &point->place;
	char error[ERROR_SIZE];
	struct symbols *symbols;
	struct stat status = {};

	symbols = cgroups_resolve(&point->options, error) ?
		  place_open(place, point->options.exe, error) : NULL;
	if (!symbols) {
		option_problem(config, point, error);
		return;
	}
	fstat(place->fd, &status);
	point->device = status.st_dev;
	point->inode = status.st_ino;
	point->found = place_find(place, &point->options, symbols, error);
	/* It goes with the symbols. */
	if (place->build_id_size)
		memcpy(point->build_id, place->build_id, place->build_id_size);
	place->build_id = point->build_id;
	symbols_close(symbols);
	if (point->found)
		return;
	close_place(place);
	option_problem(config, point, error);
}

/* One place is one rescue point. */
static void check_place(struct config *config, size_t which)
{
	struct config_point *point = config->points[which], *other;
	size_t i;

	for (i = 0; i < which; i++) {
		other = config->points[i];
		if (!other->found || other->device != point->device ||
		    other->inode != point->inode ||
		    other->place.offset != point->place.offset)
			continue;
		config_point_problem(config, point,
				     point->options.function ? "Function" : "Offset",
				     "the rescue point '%s', at %s:%d, is at this place already",
				     other->options.name, other->file,
				     other->line);
		return;
	}
}

void config_find(struct config *config)
{
	size_t i;

	allow_many_files();
	for (i = 0; i < config->nr_points; i++) {
		if (config->points[i]->wrong)
			continue;
		find_place(config, config->points[i]);
		if (config->points[i]->found)
			check_place(config, i);
	}
}

void config_free(struct config *config)
{
	size_t i;

	for (i = 0; i < config->nr_points; i++) {
		if (config->points[i]->found)
			close_place(&config->points[i]->place);
		free(config->points[i]);
	}
	for (i = 0; i < config->nr_problems; i++)
		free(config->problems[i].text);
	for (i = 0; i < config->nr_strings; i++)
		free(config->strings[i]);
	free(config->points);
	free(config->problems);
	free(config->strings);
	memset(config, 0, sizeof(*config));
}

void config_print_problems(const struct config *config)
{
	const struct config_problem *problem;
	size_t i;

	for (i = 0; i < config->nr_problems; i++) {
		problem = &config->problems[i];
		fputs(problem->file, stderr);
		if (problem->line)
			fprintf(stderr, ":%d", problem->line);
		if (problem->key)
			fprintf(stderr, ": %s", problem->key);
		fprintf(stderr, ": %s\n", problem->text);
	}
}
