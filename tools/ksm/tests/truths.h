/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings made so that a reason is true of them.
 */
#ifndef KSM_TESTS_TRUTHS_H
#define KSM_TESTS_TRUTHS_H

#include <stddef.h>

/* What has to be done before one can ask */
enum truth_needs {
	TRUTH_SCANS = 1,	/* KSM has to look at it */
	TRUTH_STOPPED = 2,	/* KSM must not look at it */
	TRUTH_SAMPLE = 4,	/* ask with --sample */
	TRUTH_ZERO_PAGES = 8,	/* use_zero_pages has to be on */
};

/**
 * struct truth - a mapping, and what has to be said about it
 * @name:   what it is
 * @merge:  the answer
 * @reason: the reason
 * @needs:  of enum truth_needs
 * @make:   makes it, in a process of its own; returns an address in it, or
 *	    calls truth_skip()
 * @live:   what the process does until it is ended; NULL: it sleeps
 */
struct truth {
	const char *name;
	const char *merge;
	const char *reason;
	int needs;
	void *(*make)(void);
	void (*live)(void *addr);
};

extern const struct truth truths[];
extern const size_t nr_truths;

void truth_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
void truth_report_to(int fd);
void truth_report(void *addr);

#endif
