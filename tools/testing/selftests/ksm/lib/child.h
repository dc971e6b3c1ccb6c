/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Children, and pipes to talk to them
 */
#ifndef KSM_LIB_CHILD_H
#define KSM_LIB_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A forked process and a pair of pipes.  Both sides use the same struct: what
 * one says the other hears.
 */
struct ksm_child {
	pid_t pid;		/* 0 on the child's side */
	int rfd;
	int wfd;
};

/* Fork; the child runs fn and exits with what it returns. */
void ksm_child_start(struct ksm_child *c,
		     int (*fn)(struct ksm_child *c, void *arg), void *arg);

void ksm_say(struct ksm_child *c, char what);
void ksm_say_long(struct ksm_child *c, long what);

/* The byte the other side said; -1 if it is gone, -2 on timeout. */
int ksm_hear(struct ksm_child *c);
long ksm_hear_long(struct ksm_child *c);	/* fatal if nothing comes */

/* Say this; true if the answer is 'y', otherwise says so in a "# ..." line. */
bool ksm_ask(struct ksm_child *c, char what);

/* Run fn in a child: what it returned, or 128 + signal. */
int ksm_in_child(int (*fn)(void));

/* Close the pipes, wait: exit status, or 128 + signal. */
int ksm_child_wait(struct ksm_child *c);
int ksm_child_end(struct ksm_child *c);	/* say 'q', then wait */
int ksm_child_kill(struct ksm_child *c);	/* SIGKILL, then wait */

#endif /* KSM_LIB_CHILD_H */
