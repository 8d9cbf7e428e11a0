/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_LOG_H
#define _REASSURE_LOG_H

/* Every line in the kernel log begins with the module's name. */
#define pr_fmt(fmt)	"reassure: " fmt

#endif
