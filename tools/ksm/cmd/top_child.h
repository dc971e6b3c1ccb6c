/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What another command of ksm says, for a page of text.
 */
#ifndef KSM_TOP_CHILD_H
#define KSM_TOP_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct top_child - a command that runs
 * @pid:    its process, 0 if none runs
 * @fd:	    what it says comes from there
 * @text:   what it has said so far
 * @len:    length of @text
 * @status: once it has ended, as from waitpid()
 */
struct top_child {
	pid_t pid;
	int fd;
	char *text;
	size_t len;
	int status;
};

int top_child_start(struct top_child *child, char *const argv[], int columns);
bool top_child_read(struct top_child *child);
void top_child_stop(struct top_child *child);

#endif
