/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Directories that behave as those of tracefs do.
 *
 * A program that is linked with fake-tracefs.c and $(fake-tracefs) sees it in every
 * directory called "instances": a new one in it is full of files at once, and
 * goes away with them, unless a file "busy" is in it.  What trace_pipe tells is
 * in a file "lines" beside "instances"; a file "log" there gets the names of
 * events that were enabled in instances that are gone.
 */
#ifndef KSM_TESTS_FAKE_TRACEFS_H
#define KSM_TESTS_FAKE_TRACEFS_H

#include <sys/types.h>

int __real_mkdir(const char *path, mode_t mode);
int __real_rmdir(const char *path);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_rmdir(const char *path);

#endif
