/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TEST_H
#define TEST_H

/* What cmocka.h needs before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reassurectl.h"

/* The last message of failed() and usage_error(), which main.c prints. */
static char last_message[ERROR_SIZE];

static inline int remember(int code, const char *format, va_list arguments)
{
	vsnprintf(last_message, sizeof(last_message), format, arguments);
	return code;
}

int failed(const char *format, ...)
{
	va_list arguments;
	int ret;

	va_start(arguments, format);
	ret = remember(EXIT_FAILED, format, arguments);
	va_end(arguments);
	return ret;
}

int usage_error(const char *format, ...)
{
	va_list arguments;
	int ret;

	va_start(arguments, format);
	ret = remember(EXIT_USAGE, format, arguments);
	va_end(arguments);
	return ret;
}

/* Fails with both texts where @text does not contain @part. */
static inline void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

/*
 * The file offset of a symbol of any type in an unstripped sample, by other
 * means than those that are tested.
 */
static inline unsigned long long
offset_by_nm(const char *sample, const char *name)
{
	char command[512], line[512] = "";
	unsigned long long address, from, start, size, offset = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "nm %s/%s | grep ' %s$'",
		 getenv("SAMPLES"), sample, name);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%llx", &address), 1);
	pclose(pipe);
	snprintf(command, sizeof(command),
		 "readelf -lW %s/%s | grep LOAD", getenv("SAMPLES"), sample);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe))
		if (sscanf(line, " LOAD %llx %llx %*x %llx", &from, &start,
			   &size) == 3 && address >= start &&
		    address - start < size)
			offset = address - start + from;
	pclose(pipe);
	assert_true(offset);
	return offset;
}

#endif
