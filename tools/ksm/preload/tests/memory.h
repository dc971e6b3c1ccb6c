/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test programs have in common: a check that ends the program, and a
 * look at what the kernel knows of an address.
 */
#ifndef TEST_MEMORY_H
#define TEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096UL

#ifdef __cplusplus
extern "C" {
#endif

#define CHECK(what) check((what), #what, __FILE__, __LINE__)

void check(bool holds, const char *what, const char *file, int line);

/* Whether all of these bytes are in mappings with the flag "mg". */
bool is_registered(const void *addr, size_t len);

/* false: the kernel has no KSM, and nothing can be seen. */
bool can_register(void);

/* Bytes that differ by position and seed, and whether they are there. */
void fill(void *block, size_t len, unsigned int seed);
bool is_filled(const void *block, size_t len, unsigned int seed);
bool is_zero(const void *block, size_t len);

#ifdef __cplusplus
}
#endif

#endif
