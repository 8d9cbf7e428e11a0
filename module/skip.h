/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_SKIP_H
#define _REASSURE_SKIP_H

#include <linux/ptrace.h>

struct rescue_point;

bool skip_call(struct rescue_point *rp, const struct pt_regs *regs);
void skip_stop(void);

#endif
