/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_BUSY_H
#define _BENCH_BUSY_H

#include "function.h"

void start_busy_threads(const struct call *call, long count, long calls,
			long work);
void call_in_busy_threads(void);

#endif
