// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "rates.h"

/* Counters only grow; one that did not was reset in between. */
static double counted(ksm_figure from, ksm_figure to)
{
	ksm_figure grown = fig_sub(to, from);

	return fig_double(grown >= 0 ? grown : KSM_UNKNOWN);
}

static bool comparable(const struct ksm_sample *from,
		       const struct ksm_sample *to)
{
	return from && to && to->boottime_ms > from->boottime_ms &&
	       !strcmp(from->host.boot_id, to->host.boot_id);
}

static double thp_splits(const struct ksm_sample *from,
			 const struct ksm_sample *to)
{
	double ours = counted(from->counters.thp_split,
			      to->counters.thp_split);

	return isnan(ours) ? counted(from->host.thp_split_page,
				     to->host.thp_split_page) : ours;
}

/**
 * ksm_rates_between() - what happened between two samples
 * @from:  the older one, may be NULL
 * @to:    the newer one
 * @rates: result; all NAN if the two cannot be compared, since they are not
 *         of one boot or not in order
 */
void ksm_rates_between(const struct ksm_sample *from,
		       const struct ksm_sample *to, struct ksm_rates *rates)
{
	const struct ksm_counters *a, *b;
	double s;

	if (!comparable(from, to)) {
		*rates = (struct ksm_rates){ NAN, NAN, NAN, NAN, NAN,
					     NAN, NAN, NAN, NAN, NAN };
		return;
	}
	a = &from->counters;
	b = &to->counters;
	s = (to->boottime_ms - from->boottime_ms) / 1000.0;
	rates->seconds = s;
	rates->full_scans = counted(a->full_scans, b->full_scans);
	rates->saved_bytes = fig_double(fig_sub(ksm_saved_bytes(to),
						ksm_saved_bytes(from))) / s;
	rates->scanned = counted(a->pages_scanned, b->pages_scanned) / s;
	rates->skipped = counted(a->pages_skipped, b->pages_skipped) / s;
	rates->cow = counted(from->host.cow_ksm, to->host.cow_ksm) / s;
	rates->swapin_copies = counted(from->host.swapin_copies,
				       to->host.swapin_copies) / s;
	rates->thp_split = thp_splits(from, to) / s;
	rates->thp_collapse = counted(from->host.thp_collapse,
				      to->host.thp_collapse) / s;
	rates->ksmd_cpu_percent = counted(from->host.ksmd_cpu_ns,
					  to->host.ksmd_cpu_ns) / s / 1e7;
}
