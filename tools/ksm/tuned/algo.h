/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What to do about KSM, given how memory stands.  Nothing is read or written.
 */
#ifndef KSMTUNED_ALGO_H
#define KSMTUNED_ALGO_H

#include "figure.h"

#define TUNED_LOGFILE_MAX	256

/**
 * struct tuned_config - what /etc/ksmtuned.conf says
 * @interval_s:	   seconds between two decisions
 * @sleep_ms:	   pause of ksmd between two batches on a host of 16 GiB
 * @boost:	   pages a batch grows by while memory is short
 * @decay:	   pages it shrinks by while not; a negative number
 * @npages_min:	   the smallest batch
 * @npages_max:	   the largest
 * @thres_coef:	   threshold in percent of all memory
 * @thres_const_kib: the least it is
 * @psi_stall_ms:  stall in 2 s that calls for a decision at once; 0: none does
 * @debug:	   say which processes were counted
 * @logfile:	   append what is said to this file; "": to none
 */
struct tuned_config {
	int64_t interval_s;
	int64_t sleep_ms;
	int64_t boost;
	int64_t decay;
	int64_t npages_min;
	int64_t npages_max;
	int64_t thres_coef;
	int64_t thres_const_kib;
	int64_t psi_stall_ms;
	int64_t debug;
	char logfile[TUNED_LOGFILE_MAX];
};

/* Why a decision is due */
enum tuned_cause {
	TUNED_START,
	TUNED_INTERVAL,
	TUNED_REQUEST,
	TUNED_RELOAD,
	TUNED_PRESSURE,
	TUNED_ONCE,
};

/**
 * struct tuned_input - how things stand
 * @total_kib:	   all memory
 * @free_kib:	   memory that is free, or can be had by dropping caches
 * @committed_kib: resident memory of the hypervisors
 * @npages:	   batch chosen last; 0 before the first decision
 * @run:	   what ksmd does: the file of that name
 * @advisor:	   whether the kernel chooses pages_to_scan itself
 * @cause:	   why there is a decision
 */
struct tuned_input {
	ksm_figure total_kib;
	ksm_figure free_kib;
	ksm_figure committed_kib;
	int64_t npages;
	ksm_figure run;
	bool advisor;
	enum tuned_cause cause;
};

enum tuned_verdict {
	TUNED_LEAVE,	/* touch nothing */
	TUNED_STOP,	/* enough memory: no need to scan */
	TUNED_BOOST,	/* scan, more */
	TUNED_DECAY,	/* scan, less */
	TUNED_HOLD,	/* scan, as much as before */
};

/**
 * struct tuned_decision - what to do
 * @verdict:	   in one word
 * @reason:	   why, for people
 * @threshold_kib: less free memory than this is short
 * @npages:	   batch to remember
 * @run:	   what to write to the file of that name, or KSM_UNKNOWN
 * @pages_to_scan: likewise
 * @sleep_millisecs: likewise
 */
struct tuned_decision {
	enum tuned_verdict verdict;
	const char *reason;
	ksm_figure threshold_kib;
	int64_t npages;
	ksm_figure run;
	ksm_figure pages_to_scan;
	ksm_figure sleep_millisecs;
};

struct tuned_decision tuned_decide(const struct tuned_config *config,
				   const struct tuned_input *input);
const char *tuned_verdict_name(enum tuned_verdict verdict);
const char *tuned_cause_name(enum tuned_cause cause);

#endif
