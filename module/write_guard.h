/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_WRITE_GUARD_H
#define _REASSURE_WRITE_GUARD_H

int write_guard_start(void);
void write_guard_stop(void);
void write_guard_await(void);

int reassure_write_guard_init(void);
void reassure_write_guard_exit(void);

#endif
