// SPDX-License-Identifier: GPL-2.0
/* Which symbols are meant by the name that was typed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matching.h"

/* The demangler of the C++ runtime, which has no header for C. */
char *__cxa_demangle(const char *mangled, char *buffer, size_t *length,
		     int *status);

/* Beyond this no name is typed, and none is near another. */
#define LONGEST 256

char *demangle(const char *symbol)
{
	char *mangled, *demangled;
	int status;

	if (strncmp(symbol, "_Z", 2))
		return NULL;
	/* A version follows an @. */
	mangled = strndup(symbol, strcspn(symbol, "@"));
	if (!mangled)
		return NULL;
	demangled = __cxa_demangle(mangled, NULL, NULL, &status);
	free(mangled);
	return demangled;
}

/* "f@V" means "f@@V" as well, "f" means every version. */
static bool same_symbol(const char *symbol, const char *wanted)
{
	size_t length = strcspn(symbol, "@");
	const char *version = symbol + length;

	if (strncmp(symbol, wanted, length))
		return false;
	wanted += length;
	return !*wanted || !strcmp(version, wanted) ||
	       (*wanted == '@' && *version && !strcmp(version + 1, wanted));
}

/* Demanglers and people differ in where they put spaces. */
static bool same_text(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, " ");
		b += strspn(b, " ");
		if (*a != *b)
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

/*
 * The parenthesis that opens the parameters of a C++ function, or NULL.  It is
 * looked for from the end, because names have parentheses of their own:
 * "operator()", "(anonymous namespace)", "{lambda(int)#1}".
 */
static char *find_parameters(char *demangled)
{
	char *c = strrchr(demangled, ')');
	int depth = 0;

	/* A part that the compiler split off is not the function. */
	if (!c || strstr(c, "[clone"))
		return NULL;
	for (; c > demangled; c--) {
		if (*c == ')')
			depth++;
		else if (*c == '(' && !--depth)
			return c;
	}
	return NULL;
}

/* Skips the return type, which only templates have in their names. */
static const char *skip_return_type(const char *demangled)
{
	const char *c, *name = demangled;
	int depth = 0;

	if (strstr(demangled, "operator"))
		return demangled;
	for (c = demangled; *c; c++) {
		if (strchr("<({", *c))
			depth++;
		else if (strchr(">)}", *c))
			depth--;
		else if (*c == ' ' && !depth)
			name = c + 1;
	}
	return name;
}

static enum match match_demangled(char *demangled, const char *wanted)
{
	char *parameters;
	const char *name;
	enum match match = MATCH_NONE;

	if (same_text(demangled, wanted))
		return MATCH_DEMANGLED;
	parameters = find_parameters(demangled);
	if (!parameters)
		return MATCH_NONE;
	*parameters = 0;
	name = skip_return_type(demangled);
	if (same_text(demangled, wanted) || same_text(name, wanted))
		match = MATCH_WITHOUT_PARAMETERS;
	*parameters = '(';
	if (same_text(name, wanted))
		match = MATCH_DEMANGLED;
	return match;
}

enum match match_symbol(const char *symbol, const char *wanted)
{
	enum match match = MATCH_NONE;
	char *demangled;

	if (same_symbol(symbol, wanted))
		return MATCH_SYMBOL;
	demangled = demangle(symbol);
	if (demangled)
		match = match_demangled(demangled, wanted);
	free(demangled);
	return match;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many characters to add, drop or change: Levenshtein's distance. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t length = strlen(b), i, j, diagonal, above;
	size_t row[LONGEST];

	if (length >= LONGEST)
		return SIZE_MAX;
	for (j = 0; j <= length; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= length; j++) {
			above = row[j];
			row[j] = smallest(diagonal + (a[i - 1] != b[j - 1]),
					  above + 1, row[j - 1] + 1);
			diagonal = above;
		}
	}
	return row[length];
}

/*
 * Smaller is nearer.  A name that contains the other is near however much
 * longer it is, but not nearer than a slip of the keyboard.
 */
static size_t distance(const char *name, const char *wanted)
{
	size_t limit = strlen(wanted) / 3 + 1;
	size_t edits = edit_distance(name, wanted);

	if (edits <= limit)
		return edits;
	/* Every name contains "a". */
	if ((strlen(wanted) > 2 && strcasestr(name, wanted)) ||
	    (strlen(name) > 2 && strcasestr(wanted, name)))
		return limit + edits;
	return SIZE_MAX;
}

static void insert(struct nearest *nearest, const char *name, size_t edits)
{
	int i;

	for (i = 0; i < nearest->count; i++)
		if (!strcmp(nearest->names[i], name))
			return;
	if (nearest->count == NEAREST) {
		if (nearest->distances[NEAREST - 1] <= edits)
			return;
		free(nearest->names[--nearest->count]);
	}
	for (i = nearest->count; i > 0; i--) {
		if (nearest->distances[i - 1] <= edits)
			break;
		nearest->names[i] = nearest->names[i - 1];
		nearest->distances[i] = nearest->distances[i - 1];
	}
	nearest->names[i] = strdup(name);
	if (!nearest->names[i])
		exit(EXIT_FAILURE);
	nearest->distances[i] = edits;
	nearest->count++;
}

void nearest_consider(struct nearest *nearest, const char *symbol)
{
	bool mangled = !strncmp(nearest->wanted, "_Z", 2);
	char *name = mangled ? NULL : demangle(symbol);
	char *parameters = name ? find_parameters(name) : NULL;
	const char *text;
	size_t edits;

	if (parameters && !strchr(nearest->wanted, '('))
		*parameters = 0;
	if (!name)
		name = strndup(symbol, strcspn(symbol, "@"));
	if (!name)
		return;
	text = parameters ? skip_return_type(name) : name;
	edits = distance(text, nearest->wanted);
	if (edits != SIZE_MAX)
		insert(nearest, text, edits);
	free(name);
}

void nearest_free(struct nearest *nearest)
{
	while (nearest->count)
		free(nearest->names[--nearest->count]);
}
