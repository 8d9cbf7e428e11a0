/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_CROWD_H
#define _BENCH_CROWD_H

#include "function.h"

void run_crowd(struct call *call, long count, long calls, long warm_up);

#endif
