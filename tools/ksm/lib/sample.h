/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything at one moment, and what follows from it.
 */
#ifndef KSM_LIB_SAMPLE_H
#define KSM_LIB_SAMPLE_H

#include "host.h"
#include "members.h"
#include "sysfs.h"

/**
 * struct ksm_sums - over the members that could be read
 * @members:	    how many take part
 * @idle:	    how many of them gain nothing: their profit is not positive
 * @unreadable:	    processes that could not be read
 * @rss_bytes:	    resident memory
 * @tracked_bytes:  memory under observation
 * @cow:	    copies because of writes
 *
 * Sums leave out what is unknown, but are unknown if all of it is.
 */
struct ksm_sums {
	ksm_figure members;
	ksm_figure idle;
	ksm_figure unreadable;
	ksm_figure rss_bytes;
	ksm_figure tracked_bytes;
	ksm_figure cow;
};

/**
 * struct ksm_sample - what is known of one moment
 * @time_ms:	 by the wall clock, since 1970
 * @boottime_ms: since boot, also while suspended; for differences
 * @present:	 whether the kernel has KSM
 * @knobs:	 unknown without KSM, like @counters
 * @counters:	 of KSM
 * @host:	 the machine
 * @sums:	 the members
 */
struct ksm_sample {
	int64_t time_ms;
	int64_t boottime_ms;
	bool present;
	struct ksm_knobs knobs;
	struct ksm_counters counters;
	struct ksm_host host;
	struct ksm_sums sums;
};

extern const struct ksm_field ksm_sum_fields[];
extern const size_t ksm_nr_sums;

int ksm_sample_read(struct ksm_sample *sample, struct ksm_members *members);
int ksm_sample_again(struct ksm_sample *sample,
		     const struct ksm_members *members);
void ksm_sums_of(struct ksm_sums *sums, const struct ksm_members *members,
		 ksm_figure page_bytes);

ksm_figure ksm_run_mode(const struct ksm_sample *sample);
ksm_figure ksm_merged_bytes(const struct ksm_sample *sample);
ksm_figure ksm_zero_bytes(const struct ksm_sample *sample);
ksm_figure ksm_saved_bytes(const struct ksm_sample *sample);
ksm_figure ksm_metadata_bytes(const struct ksm_sample *sample);
ksm_figure ksm_tracked_bytes(const struct ksm_sample *sample);
ksm_figure ksm_spare_bytes(const struct ksm_sample *sample);
ksm_figure ksm_undo_short_bytes(const struct ksm_sample *sample);

#endif
