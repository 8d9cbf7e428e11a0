/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_BYPASS_H
#define _REASSURE_BYPASS_H

int bypass_start(void);
void bypass_stop(void);

int reassure_bypass_init(void);
void reassure_bypass_exit(void);

#endif
