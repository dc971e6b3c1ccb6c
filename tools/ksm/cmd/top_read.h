/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading again and again, for little CPU time.
 */
#ifndef KSM_TOP_READ_H
#define KSM_TOP_READ_H

#include "sample.h"

/**
 * struct top_reader - what was read, and what helps to read it again
 * @sample:	newest sample
 * @members:	processes that take part, in the order of /proc
 * @fds:	ksm_stat of each, open; -1 if it could not be opened
 * @next_ms:	when to look for other processes, by the clock since boot
 */
struct top_reader {
	struct ksm_sample sample;
	struct ksm_members members;
	int *fds;
	int64_t next_ms;
};

int top_read(struct top_reader *reader);
void top_reader_free(struct top_reader *reader);

#endif
