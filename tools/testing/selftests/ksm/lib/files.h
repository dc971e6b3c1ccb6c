/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of /proc and /sys as text
 */
#ifndef KSM_LIB_FILES_H
#define KSM_LIB_FILES_H

#include <sys/types.h>

/* Whole file as a string, NUL-terminated; length or -errno. */
ssize_t ksys_read(const char *path, char *buf, size_t size);

/* One write(2) of exactly this text; 0 or -errno. */
int ksys_write(const char *path, const char *text);

/* The number a file starts with (after base 0 prefix), or -errno. */
long ksys_read_long(const char *path);

/* Mount debugfs where it belongs unless it is there; 0 or -errno. */
int ksys_debugfs(void);

#endif /* KSM_LIB_FILES_H */
