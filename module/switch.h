/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SWITCH_H
#define _REASSURE_SWITCH_H

#include <linux/types.h>

#include "../uapi/reassure.h"

enum reassure_off switch_state(void);
void switch_off(enum reassure_off why);
void switch_on(void);

static inline bool switch_is_off(void)
{
	return switch_state() != REASSURE_OFF_NOT;
}

void reassure_switch_exit(void);

#endif
