/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace of one's own: an instance of tracefs, beside those of others.
 */
#ifndef KSM_LIB_TRACEFS_H
#define KSM_LIB_TRACEFS_H

#include <sys/types.h>

#include "root.h"

/**
 * struct ksm_tracefs - an instance
 * @dir:  where it is, without the root; "" if there is none
 * @pipe: trace_pipe of it, or -1
 */
struct ksm_tracefs {
	char dir[KSM_PATH_MAX / 2];
	int pipe;
};

int ksm_tracefs_find(char *dir, size_t size);
bool ksm_tracefs_has(const char *dir, const char *event);
int ksm_tracefs_clean(const char *dir);
int ksm_tracefs_begin(struct ksm_tracefs *trace, const char *dir);
int ksm_tracefs_enable(const struct ksm_tracefs *trace, const char *event);
ssize_t ksm_tracefs_read(const struct ksm_tracefs *trace, char *text,
			 size_t size);
void ksm_tracefs_stop(const struct ksm_tracefs *trace);
int ksm_tracefs_end(struct ksm_tracefs *trace);

#endif
