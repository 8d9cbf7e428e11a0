/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_TEST_FILES_H
#define _REASSURE_TEST_FILES_H

#include <stdint.h>

void file_beside_us(char *path, const char *name);
int file_symbol(const char *path, const char *name, uint64_t *offset);
int file_build_id(const char *path, uint64_t *offset);
int file_copy(const char *from, const char *to);
int file_overwrite(const char *from, const char *to);

/* Of the build-ids of the tests' own programs. */
#define BUILD_ID_SIZE	20

#endif
