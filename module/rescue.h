/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_RESCUE_H
#define _REASSURE_RESCUE_H

#include <linux/signal_types.h>

struct checkpoint;

void rescue_current(struct checkpoint *cp, const kernel_siginfo_t *info);
bool rescue_injected(struct checkpoint *cp, const kernel_siginfo_t *info);

#endif
