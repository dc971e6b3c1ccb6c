/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the library interposes, under names of its own, to be called apart from
 * what the test itself uses.
 */
#ifndef KSMP_TESTS_RENAMED_H
#define KSMP_TESTS_RENAMED_H

#include <stddef.h>

void *ksmp_malloc(size_t size);
void *ksmp_calloc(size_t count, size_t size);
void *ksmp_realloc(void *old, size_t size);
int ksmp_posix_memalign(void **block, size_t align, size_t size);

#endif
