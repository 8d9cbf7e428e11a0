/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SYSTEM_CALLS_H
#define _REASSURE_SYSTEM_CALLS_H

int system_calls_start(void);
void system_calls_stop(void);

int reassure_system_calls_init(void);
void reassure_system_calls_exit(void);

#endif
