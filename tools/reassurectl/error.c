// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

bool wrong(char *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, ERROR_SIZE, format, arguments);
	va_end(arguments);
	return false;
}

void append(char *error, const char *format, ...)
{
	size_t used = strlen(error);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error + used, ERROR_SIZE - used, format, arguments);
	va_end(arguments);
}
