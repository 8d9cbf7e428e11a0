/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_PARSE_H
#define REASSURECTL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a rescue point is, as told on the command line.  Strings are those of
 * the command line.
 */
struct add_options {
	const char *exe;
	const char *function;
	bool has_offset;
	uint64_t offset;
	bool has_return;
	bool has_value;
	int64_t value;
	const char *name;
	uint64_t signals;
	bool has_handled;
	uint32_t handled;
	bool unlimited;
	uint32_t budget_rescues;
	uint32_t budget_seconds;
};

/*
 * Each returns true, or false with an explanation that names the argument in
 * @error.
 */
#define PARSE_ERROR_SIZE 512

bool parse_add(struct add_options *options, int argc, char **argv, char *error);
bool parse_return(struct add_options *options, const char *text, char *error);
bool parse_offset(struct add_options *options, const char *text, char *error);
bool parse_signals(uint64_t *signals, const char *text, char *error);
bool parse_budget(struct add_options *options, const char *text, char *error);
bool parse_name(const char *name, char *error);

/*
 * The name of a rescue point without --name: the function's name where its
 * characters and length allow that, otherwise FILE+0xOFFSET.
 */
void default_name(char *name, size_t size, const char *function,
		  const char *path, uint64_t offset);

#endif
