/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files below a root directory.
 *
 * All files that are read and written here begin with a prefix, "" by default.
 * Tests set it to a directory that holds a copy of some host's /proc and /sys.
 */
#ifndef KSM_LIB_ROOT_H
#define KSM_LIB_ROOT_H

#include <dirent.h>
#include <stdio.h>
#include <sys/types.h>

#include "figure.h"

#define KSM_PATH_MAX	1024

int ksm_root_set(const char *dir);
const char *ksm_root(void);

int ksm_root_path(char *path, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
FILE *ksm_root_open(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
DIR *ksm_root_opendir(const char *path);
ssize_t ksm_root_read(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
ksm_figure ksm_root_figure(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
int ksm_root_write(const char *path, const char *text);

ksm_figure ksm_parse_figure(const char *text);

#endif
