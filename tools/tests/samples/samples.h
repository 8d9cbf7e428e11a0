/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SAMPLES_H
#define SAMPLES_H

/* In program.c. */
int only_here(int value);
int alias_of_it(int value);
int a_function_whose_name_is_longer_than_the_name_of_a_rescue_point_can_ever_be(int value);
int chosen(void);
int (*choose(void))(void);

/* In other.c. */
int other(int value);

/* In code.S. */
extern const char data_in_code[];

/* In library.c. */
int from_library(int value);
int versioned_old(int value);
int versioned_new(int value);

#endif
