/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_MAPPING_GUARD_H
#define _REASSURE_MAPPING_GUARD_H

int mapping_guard_start(void);
void mapping_guard_stop(void);

int reassure_mapping_guard_init(void);
void reassure_mapping_guard_exit(void);

#endif
