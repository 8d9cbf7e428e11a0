/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_PROMETHEUS_H
#define REASSURECTL_PROMETHEUS_H

#include <stdbool.h>
#include <stdio.h>

struct kernel_answer;
struct prometheus;

/* NULL without memory. */
struct prometheus *prometheus_new(void);
/* @data: struct prometheus. */
void prometheus_add_status(const struct kernel_answer *answer, void *data);
void prometheus_add_point(const struct kernel_answer *answer, void *data);
/* Frees all that was added and, unless @to is NULL, prints it before; false without memory. */
bool prometheus_print(FILE *to, struct prometheus *metrics);

#endif
