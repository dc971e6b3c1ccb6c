// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a batch ends: after so many pages that were read, looked up or merged,
 * or when unchanged pages have taken their share of time.
 *
 * A page that is skipped because its entry is clean costs next to nothing, so
 * it does not count as one of pages_to_scan; but so many of them may follow
 * each other that ksmd would not pause for long.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "pace.h"

/**
 * ksm_pace_begin - begin a batch
 * @pace:   filled in
 * @pages:  pages that may be read, looked up or merged; with 0 it is over
 * @quiet_max_ns: time that may be spent on unchanged pages
 * @now_ns: the clock
 */
void ksm_pace_begin(struct ksm_pace *pace, unsigned long pages,
		    u64 quiet_max_ns, u64 now_ns)
{
	*pace = (struct ksm_pace) {
		.left = pages,
		.quiet_max_ns = quiet_max_ns,
		.stamp_ns = now_ns,
	};
}

/**
 * ksm_pace_work - count pages that were visited
 * @pace:   of the batch
 * @worked: number of pages that were read, looked up or merged
 * @skipped: number of pages that turned out to be unchanged
 */
void ksm_pace_work(struct ksm_pace *pace, unsigned long worked,
		   unsigned long skipped)
{
	pace->left -= min(pace->left, worked);
	pace->worked += worked;
	pace->skipped += skipped;
}

/**
 * ksm_pace_skip - do not count the time since it was last taken
 * @pace:   of the batch
 * @now_ns: the clock
 */
void ksm_pace_skip(struct ksm_pace *pace, u64 now_ns)
{
	pace->stamp_ns = now_ns;
	pace->worked = 0;
	pace->skipped = 0;
}

/**
 * ksm_pace_time - take the time
 * @pace:   of the batch
 * @now_ns: the clock
 *
 * Unchanged pages are charged with their share of the time since it was last
 * taken, and with all of it if there was no work in between.  A clock that
 * leaves out the time of others may be corrected backwards: that is no time.
 */
void ksm_pace_time(struct ksm_pace *pace, u64 now_ns)
{
	s64 since_ns = now_ns - pace->stamp_ns;
	u64 ns = max(since_ns, 0LL);

	if (pace->worked)
		ns = div64_u64(ns * pace->skipped,
			       pace->worked + pace->skipped);
	pace->quiet_ns += ns;
	ksm_pace_skip(pace, now_ns);
}

/**
 * ksm_pace_over - is the batch over?
 * @pace: of the batch
 *
 * Return: true if so.
 */
bool ksm_pace_over(const struct ksm_pace *pace)
{
	return !pace->left || pace->quiet_ns > pace->quiet_max_ns;
}
