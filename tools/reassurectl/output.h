/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_OUTPUT_H
#define REASSURECTL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

#include <reassure.h>

#define NS_PER_SECOND 1000000000ull
#define BUILD_ID_TEXT_SIZE (2 * REASSURE_BUILD_ID_MAX + 1)

struct json_object;
struct kernel_answer;

/* The only option of verbs that show something. */
int json_option(int argc, char **argv, bool *json);
/* In hexadecimal, BUILD_ID_TEXT_SIZE bytes; "" where there is none. */
void build_id_text(const struct kernel_answer *answer, char *text);
void print_time(FILE *to, __u64 time_ns);
void print_json(struct json_object *value);
/* In one line, and puts it. */
void print_json_line(FILE *to, struct json_object *object);
void add_counters_json(struct json_object *object,
		       const struct kernel_answer *answer);
void print_counters(const struct kernel_answer *answer, const char *indent);

#endif
