// SPDX-License-Identifier: GPL-2.0
/* Texts that others have chosen: names of programs, and paths. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "text.h"

/* How many bytes the character at @text has in UTF-8; 0 where it is none. */
static int character_size(const unsigned char *text)
{
	/* Of the second byte, for those that are too long, or no characters. */
	unsigned char least = 0x80, most = 0xbf;
	int size, i;

	if (*text < 0x80)
		return 1;
	if (*text < 0xc2 || *text > 0xf4)
		return 0;
	size = *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;
	if (*text == 0xe0)
		least = 0xa0;
	else if (*text == 0xed)
		most = 0x9f;
	else if (*text == 0xf0)
		least = 0x90;
	else if (*text == 0xf4)
		most = 0x8f;
	/* The 0 at the end is no part of one. */
	if (text[1] < least || text[1] > most)
		return 0;
	for (i = 2; i < size; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return size;
}

/* Whether a terminal would obey the character at @text rather than show it. */
static bool is_obeyed(const char *text, int size)
{
	static const struct {
		const char *first;
		const char *last;
	} ranges[] = {
		{ "\x01", "\x1f" },
		{ "\x7f", "\xc2\x9f" },
		/* U+2028 to U+202e, and U+2066 to U+2069: they end or turn lines. */
		{ "\xe2\x80\xa8", "\xe2\x80\xae" },
		{ "\xe2\x81\xa6", "\xe2\x81\xa9" },
	};
	size_t i;

	/* Characters have the order of their bytes. */
	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (strncmp(text, ranges[i].first, size) >= 0 &&
		    strncmp(text, ranges[i].last, size) <= 0)
			return true;
	return false;
}

void text_print(FILE *to, const char *text)
{
	int size;

	for (; *text; text += size ?: 1) {
		size = character_size((const unsigned char *)text);
		if (size && !is_obeyed(text, size))
			fwrite(text, 1, size, to);
		else
			fputc('?', to);
	}
}

char *text_utf8(const char *text)
{
	static const char unknown[] = "\xef\xbf\xbd";
	char *clean = malloc(strlen(text) * strlen(unknown) + 1), *to = clean;
	int size;

	if (!clean)
		return NULL;
	for (; *text; text += size ?: 1) {
		size = character_size((const unsigned char *)text);
		to = size ? mempcpy(to, text, size) :
			    mempcpy(to, unknown, strlen(unknown));
	}
	*to = 0;
	return clean;
}

struct json_object *text_json(const char *text)
{
	struct json_object *object = NULL;
	char *clean = text ? text_utf8(text) : NULL;

	if (clean)
		object = json_object_new_string(clean);
	free(clean);
	return object;
}
