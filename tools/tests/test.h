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

#endif
