/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's test harness, for machines of any speed. */
#ifndef HARNESS_H
#define HARNESS_H

#include "kselftest_harness.h"

/* Only ends what hangs; 30 s are few in an emulator with KASAN. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	200

#endif
