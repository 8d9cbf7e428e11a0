/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_COLD_H
#define _BENCH_COLD_H

#include "function.h"

unsigned long long cold_page_cost(const struct call *call, long calls,
				  long warm_up, long settle);

#endif
