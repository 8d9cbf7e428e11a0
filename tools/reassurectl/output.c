// SPDX-License-Identifier: GPL-2.0
/* What the verbs that show something have in common. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "names.h"
#include "netlink.h"
#include "output.h"
#include "reassurectl.h"

int json_option(int argc, char **argv, bool *json)
{
	int i;

	*json = false;
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") && strcmp(argv[i], "-j"))
			return usage_error("%s: unknown argument '%s'; see 'reassurectl help %s'",
					   argv[0], argv[i], argv[0]);
		if (*json)
			return usage_error("%s: --json is given twice",
					   argv[0]);
		*json = true;
	}
	return EXIT_OK;
}

void build_id_text(const struct kernel_answer *answer, char *text)
{
	int i;

	*text = 0;
	/* A longer one is not of this module. */
	if (answer->build_id_size > REASSURE_BUILD_ID_MAX)
		return;
	for (i = 0; i < answer->build_id_size; i++)
		sprintf(text + 2 * i, "%02x", answer->build_id[i]);
}

void print_time(FILE *to, __u64 time_ns)
{
	time_t seconds = time_ns / NS_PER_SECOND;
	struct tm local;
	char text[64];

	if (!localtime_r(&seconds, &local))
		memset(&local, 0, sizeof(local));
	strftime(text, sizeof(text), "%F %T", &local);
	fprintf(to, "%s.%03llu", text, time_ns % NS_PER_SECOND / 1000000);
}

void print_json(struct json_object *value)
{
	puts(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* json-c leaves control characters from 0x7f on as they are. */
void print_json_line(FILE *to, struct json_object *object)
{
	int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	const unsigned char *text =
		(const void *)json_object_to_json_string_ext(object, flags);

	for (; *text; text++) {
		if (*text == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f)
			fprintf(to, "\\u%04x", *++text);
		else if (*text == 0x7f)
			fputs("\\u007f", to);
		else
			fputc(*text, to);
	}
	fputc('\n', to);
	json_object_put(object);
}

void add_counters_json(struct json_object *object,
		       const struct kernel_answer *answer)
{
	struct json_object *refused = json_object_new_object();
	struct json_object *value;
	int i;

	for (i = 0; i < REASSURE_COUNTERS; i++) {
		value = json_object_new_uint64(answer->counters[i]);
		json_object_object_add(object, counter_names[i], value);
	}
	for (i = 0; i < REASSURE_REFUSALS; i++) {
		value = json_object_new_uint64(answer->refused[i]);
		json_object_object_add(refused, refusal_names[i], value);
	}
	json_object_object_add(object, "refused", refused);
}

void print_counters(const struct kernel_answer *answer, const char *indent)
{
	__u64 refused = 0;
	int i;

	for (i = 0; i < REASSURE_COUNTERS; i++)
		printf("%s%-15s %llu\n", indent, counter_names[i],
		       answer->counters[i]);
	for (i = 0; i < REASSURE_REFUSALS; i++)
		refused += answer->refused[i];
	printf("%s%-15s %llu", indent, "refused", refused);
	for (i = 0; i < REASSURE_REFUSALS; i++)
		if (answer->refused[i])
			printf(" %s=%llu", refusal_names[i],
			       answer->refused[i]);
	putchar('\n');
}
