/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_BURDEN_H
#define _BENCH_BURDEN_H

void add_mappings(long count);
void open_files(long count);
void start_threads(long count);

#endif
