/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_FATAL_SIGNAL_H
#define _REASSURE_FATAL_SIGNAL_H

int fatal_signal_start(void);
void fatal_signal_stop(void);

#endif
