/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_CALL_H
#define _BENCH_CALL_H

/* Write a byte on each of @pages pages of @area, and @crash. */
long stepped(char *area, long pages, long crash);
long emulated(char *area, long pages, long crash);

#endif
