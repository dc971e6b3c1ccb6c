/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host for ksm top: a tree of files, of two moments and of the hour before.
 */
#ifndef KSM_TESTS_TOP_HOST_H
#define KSM_TESTS_TOP_HOST_H

enum top_host_kind {
	TOP_HOST_FULL,		/* guests, a container, a service */
	TOP_HOST_EMPTY,		/* nobody takes part */
	TOP_HOST_STOCK,		/* the same on a kernel with stock KSM */
	TOP_HOST_WASTE,		/* it costs more than it saves */
	TOP_HOST_NO_KSM,
};

/* What is made below the directory */
#define TOP_HOST_NOW	"now"		/* for ksm --root */
#define TOP_HOST_BEFORE	"before"	/* for ksm top --before */

int top_host_make(const char *dir, enum top_host_kind kind);

#endif
