/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_PARSE_H
#define REASSURECTL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

#include <reassure.h>

/* How the module is told that a function is left. */
enum exits_option {
	/* As the file needs it. */
	EXITS_AUTO,
	/* By the kernel's return probe, which replaces the return address. */
	EXITS_RETURN,
	/* By a probe at each instruction that leaves it. */
	EXITS_ALL,
};

/*
 * What a rescue point is, or is to be, as told on the command line.  Strings are those of
 * the command line.
 */
struct add_options {
	const char *exe;
	const char *function;
	bool has_offset;
	__u64 offset;
	/* That the file must have; of size 0 for any. */
	__u8 build_id[REASSURE_BUILD_ID_MAX];
	int build_id_size;
	bool has_return;
	bool has_value;
	__s64 value;
	const char *name;
	__u64 signals;
	bool has_handled;
	__u32 handled;
	bool has_shared;
	__u32 shared;
	bool has_exhausted;
	__u32 exhausted;
	bool has_allow_setuid;
	__u8 allow_setuid;
	bool has_mode;
	__u32 mode;
	bool has_enabled;
	__u8 enabled;
	bool has_threads;
	__u32 threads;
	/* In milliseconds; 0 when it is not said. */
	__u32 watchdog_ms;
	bool has_escalate;
	__u32 escalate;
	bool has_deadline;
	/* 0 for none. */
	__u32 deadline_ms;
	bool all_cgroups;
	char cgroups[REASSURE_CGROUPS_MAX][REASSURE_CGROUP_PATH_MAX + 1];
	size_t nr_cgroups;
	/* Of which cgroups are to be made. */
	const char *units[REASSURE_CGROUPS_MAX];
	size_t nr_units;
	enum exits_option exits;
	bool no_landings;
	bool unlimited;
	__u32 budget_rescues;
	__u32 budget_seconds;
};

enum option_kind {
	/* Of `add` only: where the function is, and what is probed there. */
	PLACE_OPTION,
	/* Of `set`, too. */
	SETTING,
	/* The same; may be given more than once, each time for one more. */
	REPEATED_SETTING,
};

/*
 * An option of the command line, and the key of a configuration file that means
 * the same; NULL for none.
 */
struct known_option {
	const char *name;
	const char *key;
	/* What it takes must outlive @options. */
	bool (*parse)(struct add_options *options, const char *text,
		      char *error);
	/*
	 * Writes what parse() reads, nothing where it is not said; a line for
	 * each of a REPEATED_SETTING.
	 */
	void (*print)(const struct add_options *options, FILE *out);
	enum option_kind kind;
};

/* Ended by a NULL name. */
extern const struct known_option known_options[];

/* What @option->print() writes, which is to be freed; NULL without memory. */
char *option_text(const struct known_option *option,
		  const struct add_options *options);
/* Puts what the module would take into what is not said. */
void fill_defaults(struct add_options *options);

/*
 * Each returns true, or false with an explanation that names the argument in
 * @error.
 */
bool parse_add(struct add_options *options, int argc, char **argv, char *error);
bool parse_set(struct add_options *options, int argc, char **argv, char *error);
bool parse_return(struct add_options *options, const char *text, char *error);
bool parse_offset(struct add_options *options, const char *text, char *error);
bool parse_signals(__u64 *signals, const char *text, char *error);
bool parse_budget(struct add_options *options, const char *text, char *error);
bool parse_name(const char *name, char *error);
/* Decimal or 0x hexadecimal, nothing before or behind it. */
bool read_unsigned(const char *text, __u64 *value);
/* With or without SIG; 0 for another than a rescue point can have. */
int signal_number(const char *name, size_t length);
/*
 * Takes "--option value" and "--option=value" apart, the option being of @length.
 * NULL when there is no value.
 */
const char *option_value(int argc, char **argv, int *i, size_t length);
/* Whether they fit each other. */
bool check_settings(const struct add_options *options, char *error);

/*
 * The name of a rescue point without --name: the function's name without a
 * version where its characters and length allow that, otherwise
 * FILE+0xOFFSET.  @size is REASSURE_NAME_MAX + 1.
 */
void default_name(char *name, size_t size, const char *function,
		  const char *path, __u64 offset);

#endif
