/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LEAVING_THROW_H
#define _LEAVING_THROW_H

/* What catch_thrown() returns for an exception that has left the call. */
#define CAUGHT	3

enum how {
	THROW_NOTHING,
	/* Through the rescue point. */
	THROW_OUT,
	/* Caught there; then it crashes. */
	THROW_INSIDE,
	/* It only crashes. */
	THROW_CRASH,
};

#ifdef __cplusplus
extern "C" {
#endif

extern int thrown_state;

long throwing_victim(int how);
long catch_thrown(int how);
long catch_from_afar(int how);
void crash(void);

#ifdef __cplusplus
}
#endif

#endif
