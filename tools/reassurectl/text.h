/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_TEXT_H
#define REASSURECTL_TEXT_H

#include <stdio.h>

struct json_object;

/*
 * Programs choose their names; terminals are not to obey them.  There is a "?" for
 * what they would obey, and for each byte that is no UTF-8.
 */
void text_print(FILE *to, const char *text);
/* With U+FFFD for what is no UTF-8; to be freed, NULL without memory. */
char *text_utf8(const char *text);
/* JSON is in UTF-8; programs' names and paths may be anything, or NULL. */
struct json_object *text_json(const char *text);

#endif
