// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a batch ends: after so many pages that were read, searched or merged,
 * or when unchanged pages have taken their share of time.
 *
 * A page that is passed over because its entry is clean costs next to nothing,
 * so it does not count as one of pages_to_scan; but so many of them may follow
 * each other that ksmd would not pause for long.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "pace.h"

/**
 * ksm_pace_begin - a batch begins
 * @pace:   filled in
 * @pages:  pages that may be read, searched or merged; with 0 it is over
 * @now_ns: the clock
 */
void ksm_pace_begin(struct ksm_pace *pace, unsigned long pages, u64 now_ns)
{
	*pace = (struct ksm_pace) { .left = pages, .stamp_ns = now_ns };
}

/**
 * ksm_pace_work - pages were read, searched or merged
 * @pace:  of the batch
 * @pages: how many
 */
void ksm_pace_work(struct ksm_pace *pace, unsigned long pages)
{
	pace->left -= min(pace->left, pages);
	pace->worked |= pages > 0;
}

/**
 * ksm_pace_skip - the time since it was last taken does not count
 * @pace:   of the batch
 * @now_ns: the clock
 */
void ksm_pace_skip(struct ksm_pace *pace, u64 now_ns)
{
	pace->stamp_ns = now_ns;
	pace->worked = false;
}

/**
 * ksm_pace_time - take the time
 * @pace:   of the batch
 * @now_ns: the clock
 *
 * The time since it was last taken was spent on unchanged pages if there was
 * no work in between.
 */
void ksm_pace_time(struct ksm_pace *pace, u64 now_ns)
{
	if (!pace->worked)
		pace->quiet_ns += now_ns - pace->stamp_ns;
	ksm_pace_skip(pace, now_ns);
}

/**
 * ksm_pace_over - has the batch come to its end?
 * @pace: of the batch
 *
 * Return: true if so.
 */
bool ksm_pace_over(const struct ksm_pace *pace)
{
	return !pace->left || pace->quiet_ns > KSM_QUIET_NS;
}
