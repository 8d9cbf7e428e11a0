/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_INTERRUPTION_H
#define REASSURECTL_INTERRUPTION_H

#include <stdbool.h>
#include <time.h>

/* From now on SIGINT and SIGTERM only end what is between two outputs. */
void interruption_catch(void);
/* Who reads the output may keep us waiting. */
void interruption_begin_output(void);
/* False when there is to be no more. */
bool interruption_end_output(void);
/*
 * Waits until @fd, or none for -1, can be read.
 *
 * Return: 0 after @timeout, NULL for none; less than 0 when this is the end.
 */
int interruption_wait(int fd, const struct timespec *timeout);
/* However long it takes; false when this is the end. */
bool interruption_await(int fd);

#endif
