/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_FUNCTION_H
#define _BENCH_FUNCTION_H

#define PAGE_SIZE	4096L

/* Writes a byte on each of @pages pages, crashes if so asked, returns 1. */
typedef long function_t(char *area, long pages, long crash);

function_t stepped, emulated, below, emulated_below;

/**
 * struct call - what is called, and with what
 * @function: one of those above
 * @area: memory that is written to, of private pages that are there
 * @area_pages: how many these are
 * @pages: how many of them the function writes to
 * @crash: whether it crashes in the end
 */
struct call {
	function_t *function;
	char *area;
	long area_pages;
	long pages;
	long crash;
};

function_t *find_function(const char *name);
void make_area(struct call *call);
void call_plainly(const struct call *call);
long around(long depth, void (*what)(const void *), const void *data);

#endif
