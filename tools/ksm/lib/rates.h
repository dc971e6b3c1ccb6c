/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened between two samples.
 */
#ifndef KSM_LIB_RATES_H
#define KSM_LIB_RATES_H

#include "sample.h"

/**
 * struct ksm_rates - changes per second; NAN where unknown
 * @seconds:	      between the two samples
 * @full_scans:	      completed in between, not per second
 * @saved_bytes:      growth of what is saved
 * @scanned:	      pages read
 * @skipped:	      pages passed over
 * @cow:	      copies because of writes
 * @swapin_copies:    copies when swapped in
 * @thp_split:	      huge pages split for merging; where the kernel does not
 *		      count them, those split for any reason
 * @thp_collapse:     huge pages put together
 * @ksmd_cpu_percent: of one CPU
 */
struct ksm_rates {
	double seconds;
	double full_scans;
	double saved_bytes;
	double scanned;
	double skipped;
	double cow;
	double swapin_copies;
	double thp_split;
	double thp_collapse;
	double ksmd_cpu_percent;
};

void ksm_rates_between(const struct ksm_sample *from,
		       const struct ksm_sample *to, struct ksm_rates *rates);

#endif
