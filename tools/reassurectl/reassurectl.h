/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_H
#define REASSURECTL_H

#include "error.h"

#define REASSURECTL_VERSION "0.1.0"

/* Exit codes. */
enum {
	EXIT_OK,
	EXIT_FAILED,
	EXIT_USAGE,
	/* For who would begin it again. */
	EXIT_NO_MODULE,
};

/* Prints "reassurectl: " and the text; returns EXIT_FAILED. */
__printf(1, 2)
int failed(const char *format, ...);
/* The same with a pointer to the help; returns EXIT_USAGE. */
__printf(1, 2)
int usage_error(const char *format, ...);

/* The verbs: argv[0] is the verb itself. */
int cmd_add(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_delete(int argc, char **argv);
int cmd_off(int argc, char **argv);
int cmd_on(int argc, char **argv);
int cmd_inject(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_enable(int argc, char **argv);
int cmd_disable(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
int cmd_refresh(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_save(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_top(int argc, char **argv);

#endif
