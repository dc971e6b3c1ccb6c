/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of KSM and of the processes, over time.
 */
#ifndef KSM_TOP_DATA_H
#define KSM_TOP_DATA_H

#include <stddef.h>

#include "members.h"
#include "status.h"
#include "top_chart.h"

/* Why a process gains what it does, as far as that can be seen at no cost */
enum top_why {
	TOP_GAINS,	/* saves more than it costs */
	TOP_IDLE,	/* nothing equal was found */
	TOP_COSTS,	/* something was, but book-keeping takes more */
	TOP_COPIES,	/* merged pages do not last */
	TOP_NEW,	/* too new to know */
	TOP_UNSEEN,	/* none of its pages was looked at yet */
	TOP_STOPPED,	/* and KSM does not run */
	TOP_MIXED,	/* processes of a unit differ */
	TOP_NR_WHY
};

/*
 * Merging a page takes two full scans: one to see that it does not change, one
 * to find its like.
 */
#define TOP_NEW_SCANS		2

/* From the chart to the oldest sample that is shown in it */
#define TOP_SPAN_MS		(60 * 60 * 1000)

/* Own samples are kept for the chart, but not more often than this. */
#define TOP_KEEP_MS		2000

/**
 * struct top_process - a process that takes part
 * @member:	 what it is, and what KSM says about it now; its unit as people
 *		 write it, not escaped
 * @first_scans: full scans that were complete when it was first seen, or
 *		 KSM_UNKNOWN if it was there from the beginning
 * @copies:	 merged pages copied per second; NAN if unknown
 * @why:	 why it gains what it does
 */
struct top_process {
	struct ksm_member member;
	ksm_figure first_scans;
	double copies;
	enum top_why why;
};

/**
 * struct top_data - all that is known
 * @now:	newest sample
 * @before:	the one before, if @updates is more than 1
 * @updates:	how many there were
 * @list:	array of @count processes, in the order of /proc
 * @count:	how many take part
 * @past:	samples of the last hour, from others and from ourselves
 * @past_size:	room in @past
 * @status:	what it comes to
 */
struct top_data {
	struct ksm_sample now;
	struct ksm_sample before;
	unsigned int updates;
	struct top_process *list;
	size_t count;
	struct ksm_history past;
	size_t past_size;
	struct ksm_status status;
};

int top_data_begin(struct top_data *data, const struct ksm_history *history);
int top_data_update(struct top_data *data, const struct ksm_sample *now,
		    const struct ksm_members *members);
void top_data_free(struct top_data *data);

int64_t top_data_span_ms(const struct top_data *data);
int top_data_series(const struct top_data *data, struct top_point **gained,
		    struct top_point **cpu);
ksm_figure top_gained_bytes(const struct ksm_sample *sample);
const char *top_why_name(enum top_why why);
const char *top_why_text(enum top_why why);

#endif
