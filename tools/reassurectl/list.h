/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_LIST_H
#define REASSURECTL_LIST_H

struct json_object;
struct kernel_answer;

/* A rescue point; to be put. */
struct json_object *list_json(const struct kernel_answer *answer);

#endif
