/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does KSM do any good here?
 *
 * A verdict consists of a state, the reason for it, and warnings beside it.  It
 * follows from samples alone: the same samples give the same verdict.
 */
#ifndef KSM_LIB_VERDICT_H
#define KSM_LIB_VERDICT_H

#include "rates.h"

/* From bad to good */
enum ksm_state {
	KSM_BROKEN,
	KSM_INACTIVE,
	KSM_CONVERGING,
	KSM_WASTE,
	KSM_MARGINAL,
	KSM_EFFECTIVE,
	KSM_NR_STATES
};

/* In the order in which they are looked for */
enum ksm_reason {
	KSM_NO_KSM,
	KSM_STALLED,
	KSM_STOPPED,
	KSM_ZERO_PACE,
	KSM_NO_MEMBERS,
	KSM_FIRST_SCAN,
	KSM_GROWING,
	KSM_COST_OVER_GAIN,
	KSM_COW_STORM,
	KSM_SMALL_GAIN,
	KSM_MEMORY_PLENTY,
	KSM_SAVING_STEADY,
	KSM_NR_REASONS
};

enum ksm_warning {
	KSM_UNMERGE_SHORT,
	KSM_NUMA_CROSS,
	KSM_THP_FIGHT,
	KSM_ADVISOR_CONFLICT,
	KSM_COUNTERS_STALE,
	KSM_NR_WARNINGS
};

/*
 * ksmd wakes after sleep_millisecs, and then counts at least one page or full
 * scan as long as any process takes part.  A loaded host may let it wait, but
 * not that long.
 */
#define KSM_STALL_SECONDS	10
#define KSM_STALL_SLEEPS	3

/* Equal pages are merged by the end of the second full scan (admin guide). */
#define KSM_FIRST_SCANS		2

/* Growth per full scan, as part of what is saved, that is no noise any more */
#define KSM_GROWING_PER_SCAN	0.01

/* Before three full scans figures allow no conclusion (admin guide). */
#define KSM_WASTE_SCANS		3

/*
 * A copy costs a page fault, and merging again as much: a merged page that does
 * not last for a minute is not worth it.  Below 100 copies in a second, which
 * take well below one percent of a CPU, they do not matter.
 */
#define KSM_STORM_LIFE_SECONDS	60
#define KSM_STORM_PER_SECOND	100

/* Part of all memory below which a gain is not noticed */
#define KSM_SMALL_GAIN_PART	0.01

/*
 * The part of all memory that ksmtuned keeps free (KSM_THRES_COEF=20).  Where
 * more would be available even without merging, ksmtuned would switch it off.
 */
#define KSM_PLENTY_PART		0.20

/*
 * khugepaged makes up to 8 huge pages each 10 s at its defaults.  An eighth of
 * that, and as many splits, is no coincidence.
 */
#define KSM_THP_FIGHT_PER_SECOND	0.1
#define KSM_THP_FIGHT_LEAST		8

/**
 * struct ksm_view - the samples that a verdict is made of
 * @now:    the newest
 * @before: a moment ago, for what happens now; may be NULL
 * @recent: some minutes ago, for trends; may be NULL
 * @hour:   an hour ago; may be NULL
 */
struct ksm_view {
	const struct ksm_sample *now;
	const struct ksm_sample *before;
	const struct ksm_sample *recent;
	const struct ksm_sample *hour;
};

struct ksm_verdict {
	enum ksm_state state;
	enum ksm_reason reason;
	unsigned int warnings;	/* a bit for each enum ksm_warning */
};

void ksm_verdict(const struct ksm_view *view, struct ksm_verdict *verdict);
bool ksm_verdict_warns(const struct ksm_verdict *verdict,
		       enum ksm_warning warning);
void ksm_trend(const struct ksm_view *view, struct ksm_rates *rates);
double ksm_growth_per_scan(const struct ksm_sample *now,
			   const struct ksm_rates *rates);
bool ksm_nothing_moved(const struct ksm_sample *from,
		       const struct ksm_sample *to);
bool ksm_ought_to_move(const struct ksm_sample *sample);

const char *ksm_state_name(enum ksm_state state);
const char *ksm_reason_name(enum ksm_reason reason);
const char *ksm_warning_name(enum ksm_warning warning);

#endif
