/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs under test, run on the tree of a fixture.
 */
#ifndef KSM_TESTS_CHILD_H
#define KSM_TESTS_CHILD_H

#include <sys/types.h>

/**
 * struct child - a program that runs
 * @pid:  its PID
 * @fd:	  what it says, on standard output and error
 * @text: what of that is not consumed yet
 * @len:  of @text
 */
struct child {
	pid_t pid;
	int fd;
	char text[16384];
	size_t len;
};

void child_start(struct child *child, const char *program, ...)
	__attribute__((sentinel));
void child_expect(struct child *child, const char *what);
void child_expect_none(struct child *child, const char *what, int ms);
int child_end(struct child *child);
void child_kill(struct child *child, int signal);
void child_stop_all(void);

#endif
