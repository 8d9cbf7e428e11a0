/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_CONFIG_H
#define REASSURECTL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"
#include "netlink.h"
#include "parse.h"

/* Longest line of a file, in bytes. */
#define CONFIG_LINE_MAX 8192
/* Largest file, in bytes. */
#define CONFIG_FILE_MAX 1048576
/* Room for all of known_options. */
#define CONFIG_KEYS_MAX 32

/* What is wrong with a line of a file. */
struct config_problem {
	const char *file;
	/* 0 for the file itself. */
	int line;
	/* NULL when it is not that of a key. */
	const char *key;
	char *text;
};

/* A section [rescue-point "NAME"]. */
struct config_point {
	const char *file;
	int line;
	/* Of each of known_options, or 0. */
	int lines[CONFIG_KEYS_MAX];
	struct add_options options;
	bool wrong;
	/* What config_find() has found; its descriptors are open. */
	bool found;
	struct place place;
	__u8 build_id[REASSURE_BUILD_ID_MAX];
	dev_t device;
	ino_t inode;
};

/*
 * What files say, and what is wrong with them, in the order of reading.  Owns
 * all that it points to.
 */
struct config {
	struct config_point **points;
	size_t nr_points;
	struct config_problem *problems;
	size_t nr_problems;
	char **strings;
	size_t nr_strings;
	size_t nr_files;
};

/* Reads a file, or the files *.conf of a directory. */
void config_read(struct config *config, const char *path);
/* The same from memory; @text of @size bytes is changed. */
void config_read_text(struct config *config, const char *file, char *text,
		      size_t size);
/* Notes a problem with @path if no rescue point was read. */
void config_need_points(struct config *config, const char *path);
/* Looks all rescue points without a problem up in their files. */
void config_find(struct config *config);
void config_free(struct config *config);

/* Notes a problem with the rescue point, at the line of @key if it has one. */
__printf(4, 5)
void config_point_problem(struct config *config, struct config_point *point,
			  const char *key, const char *format, ...);
/* Prints "FILE:LINE: KEY: TEXT" for each problem on stderr. */
void config_print_problems(const struct config *config);

#endif
