/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trees of files that look like /proc and /sys of some host.
 *
 * A host is one text file in fixtures/.  A line "-- PATH --" begins a file of
 * the tree, whose content are the lines up to the next such line; what is
 * before the first is a comment.  In the content, "\0" is a zero byte.
 */
#ifndef KSM_TESTS_FIXTURE_H
#define KSM_TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const char *fixture_open(const char *host);
void fixture_close(void);
int fixture_teardown(void **state);
void fixture_write(const char *path, const char *text);
void fixture_read(const char *path, char *text, size_t size);
void fixture_remove(const char *path);
const char *fixture_path(const char *path);

#endif
