/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of io_uring as it takes to pin memory.
 */
#ifndef KSM_TESTS_URING_H
#define KSM_TESTS_URING_H

#include <stddef.h>

int uring_open(void);
int uring_fix(int fd, void *addr, size_t bytes);

#endif
