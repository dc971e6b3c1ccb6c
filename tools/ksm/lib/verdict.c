// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>

#include "verdict.h"

/* All that a rule may look at */
struct facts {
	const struct ksm_view *view;
	const struct ksm_sample *now;
	struct ksm_rates trend;		/* of the last minutes */
};

/**
 * ksm_trend() - what happened in the last minutes
 * @view:  the samples
 * @rates: result; without a sample of some minutes ago, those of the last
 *         moment
 */
void ksm_trend(const struct ksm_view *view, struct ksm_rates *rates)
{
	ksm_rates_between(view->recent, view->now, rates);
	if (isnan(rates->seconds))
		ksm_rates_between(view->before, view->now, rates);
}

static bool takes_part_anybody(const struct ksm_sample *sample)
{
	return sample->sums.members > 0 || ksm_tracked_bytes(sample) > 0;
}

/**
 * ksm_ought_to_move() - should ksmd count anything at present?
 * @sample: of the present
 *
 * Return: true if it should
 */
bool ksm_ought_to_move(const struct ksm_sample *sample)
{
	return ksm_run_mode(sample) == KSM_RUN_MERGE &&
	       sample->knobs.pages_to_scan > 0 && takes_part_anybody(sample);
}

static bool same(ksm_figure a, ksm_figure b)
{
	return a == b || !fig_known(a) || !fig_known(b);
}

/**
 * ksm_nothing_moved() - has ksmd counted nothing in between?
 * @from: a sample
 * @to:   a newer one
 *
 * Return: true if not; false as well if that is not known
 */
bool ksm_nothing_moved(const struct ksm_sample *from,
		       const struct ksm_sample *to)
{
	const struct ksm_counters *a = &from->counters, *b = &to->counters;

	return fig_known(b->full_scans) &&
	       same(a->full_scans, b->full_scans) &&
	       same(a->pages_scanned, b->pages_scanned) &&
	       same(a->pages_skipped, b->pages_skipped) &&
	       same(a->scan_pages, b->scan_pages);
}

static bool stalled_since(const struct ksm_sample *from,
			  const struct ksm_sample *now)
{
	double sleep_s = fig_double(now->knobs.sleep_millisecs) / 1000;
	struct ksm_rates rates;

	ksm_rates_between(from, now, &rates);
	return rates.seconds >= KSM_STALL_SECONDS &&
	       rates.seconds >= KSM_STALL_SLEEPS * sleep_s &&
	       ksm_ought_to_move(from) && ksm_ought_to_move(now) &&
	       ksm_nothing_moved(from, now);
}

static bool no_ksm(const struct facts *facts)
{
	return !facts->now->present;
}

static bool stalled(const struct facts *facts)
{
	return stalled_since(facts->view->before, facts->now) ||
	       stalled_since(facts->view->recent, facts->now);
}

static bool stopped(const struct facts *facts)
{
	return ksm_run_mode(facts->now) != KSM_RUN_MERGE;
}

static bool zero_pace(const struct facts *facts)
{
	return facts->now->knobs.pages_to_scan == 0;
}

/* One may not be allowed to see them; then it tells that scans go on. */
static bool no_members(const struct facts *facts)
{
	const struct ksm_sample *before = facts->view->before;

	return !takes_part_anybody(facts->now) &&
	       (!before || ksm_nothing_moved(before, facts->now));
}

static bool first_scan(const struct facts *facts)
{
	ksm_figure scans = facts->now->counters.full_scans;

	return fig_known(scans) && scans < KSM_FIRST_SCANS;
}

/**
 * ksm_growth_per_scan() - how much more is saved after each full scan
 * @now:   the newer sample
 * @rates: what happened until then
 *
 * If no full scan was completed in between, what it will bring is guessed from
 * its part that was done; where it is not known how long a full scan takes,
 * it is at least what there was.
 *
 * Return: as a part of what is saved; 0 if that does not grow
 */
double ksm_growth_per_scan(const struct ksm_sample *now,
			   const struct ksm_rates *rates)
{
	double saved = fig_double(ksm_saved_bytes(now));
	double last_ms = fig_double(now->counters.last_scan_millisecs);
	double scans = rates->full_scans;

	if (!(rates->saved_bytes > 0) || !(saved > 0))
		return 0;
	if (!(scans >= 1))
		scans = last_ms > 0 ? fmin(1, rates->seconds * 1000 / last_ms) :
				      1;
	return rates->saved_bytes * rates->seconds / scans / saved;
}

static bool growing(const struct facts *facts)
{
	return ksm_growth_per_scan(facts->now, &facts->trend) >
	       KSM_GROWING_PER_SCAN;
}

static bool cost_over_gain(const struct facts *facts)
{
	const struct ksm_counters *at = &facts->now->counters;

	return at->full_scans >= KSM_WASTE_SCANS &&
	       fig_known(at->general_profit) && at->general_profit < 0;
}

static bool cow_storm(const struct facts *facts)
{
	const struct ksm_counters *at = &facts->now->counters;
	double merged = fig_double(fig_add(at->pages_shared,
					   at->pages_sharing));
	double cow = facts->trend.cow;

	return cow >= KSM_STORM_PER_SECOND &&
	       cow * KSM_STORM_LIFE_SECONDS > merged;
}

static bool small_gain(const struct facts *facts)
{
	return fig_double(facts->now->counters.general_profit) <
	       fig_double(facts->now->host.mem_total_bytes) *
	       KSM_SMALL_GAIN_PART;
}

static bool memory_plenty(const struct facts *facts)
{
	const struct ksm_host *host = &facts->now->host;

	return fig_double(fig_sub(host->mem_available_bytes,
				  ksm_saved_bytes(facts->now))) >
	       fig_double(host->mem_total_bytes) * KSM_PLENTY_PART;
}

static bool always(const struct facts *facts)
{
	(void)facts;
	return true;
}

static const struct rule {
	enum ksm_state state;
	const char *name;
	bool (*holds)(const struct facts *facts);
} rules[KSM_NR_REASONS] = {
	[KSM_NO_KSM] = { KSM_BROKEN, "NO_KSM", no_ksm },
	[KSM_STALLED] = { KSM_BROKEN, "STALLED", stalled },
	[KSM_STOPPED] = { KSM_INACTIVE, "STOPPED", stopped },
	[KSM_ZERO_PACE] = { KSM_INACTIVE, "ZERO_PACE", zero_pace },
	[KSM_NO_MEMBERS] = { KSM_INACTIVE, "NO_MEMBERS", no_members },
	[KSM_FIRST_SCAN] = { KSM_CONVERGING, "FIRST_SCAN", first_scan },
	[KSM_GROWING] = { KSM_CONVERGING, "GROWING", growing },
	[KSM_COST_OVER_GAIN] = { KSM_WASTE, "COST_OVER_GAIN", cost_over_gain },
	[KSM_COW_STORM] = { KSM_WASTE, "COW_STORM", cow_storm },
	[KSM_SMALL_GAIN] = { KSM_MARGINAL, "SMALL_GAIN", small_gain },
	[KSM_MEMORY_PLENTY] = { KSM_MARGINAL, "MEMORY_PLENTY", memory_plenty },
	[KSM_SAVING_STEADY] = { KSM_EFFECTIVE, "SAVING_STEADY", always },
};

static bool unmerge_short(const struct facts *facts)
{
	return ksm_undo_short_bytes(facts->now) > 0;
}

static bool numa_cross(const struct facts *facts)
{
	const struct ksm_sample *now = facts->now;

	return now->host.nodes > 1 && now->knobs.merge_across_nodes == 1 &&
	       now->counters.pages_sharing > 0;
}

static bool thp_fight(const struct facts *facts)
{
	const struct ksm_rates *rates = &facts->trend;
	double both = fmin(rates->thp_split, rates->thp_collapse);

	/* fmin() would prefer the one that is known */
	if (isnan(rates->thp_split) || isnan(rates->thp_collapse))
		return false;
	return both >= KSM_THP_FIGHT_PER_SECOND &&
	       both * rates->seconds >= KSM_THP_FIGHT_LEAST;
}

static bool advisor_conflict(const struct facts *facts)
{
	return facts->now->knobs.advisor_mode == KSM_ADVISOR_SCAN_TIME &&
	       facts->now->host.ksmtuned_script == 1;
}

static bool counters_stale(const struct facts *facts)
{
	return ksm_run_mode(facts->now) == KSM_RUN_STOP &&
	       facts->now->counters.pages_sharing > 0;
}

static const struct check {
	const char *name;
	bool (*holds)(const struct facts *facts);
} checks[KSM_NR_WARNINGS] = {
	[KSM_UNMERGE_SHORT] = { "UNMERGE_SHORT", unmerge_short },
	[KSM_NUMA_CROSS] = { "NUMA_CROSS", numa_cross },
	[KSM_THP_FIGHT] = { "THP_FIGHT", thp_fight },
	[KSM_ADVISOR_CONFLICT] = { "ADVISOR_CONFLICT", advisor_conflict },
	[KSM_COUNTERS_STALE] = { "COUNTERS_STALE", counters_stale },
};

/**
 * ksm_verdict() - judge
 * @view:    the samples
 * @verdict: result
 *
 * A rule that would need a figure which is unknown does not hold.
 */
void ksm_verdict(const struct ksm_view *view, struct ksm_verdict *verdict)
{
	struct facts facts = { .view = view, .now = view->now };
	int reason = 0;

	ksm_trend(view, &facts.trend);
	while (!rules[reason].holds(&facts))
		reason++;
	assert(reason < KSM_NR_REASONS);
	verdict->reason = reason;
	verdict->state = rules[reason].state;
	verdict->warnings = 0;
	for (int i = 0; i < KSM_NR_WARNINGS; i++)
		if (checks[i].holds(&facts))
			verdict->warnings |= 1U << i;
}

/* Whether a verdict comes with this warning. */
bool ksm_verdict_warns(const struct ksm_verdict *verdict,
		       enum ksm_warning warning)
{
	return verdict->warnings & 1U << warning;
}

/* "BROKEN" and so on: these and the following are part of the interface. */
const char *ksm_state_name(enum ksm_state state)
{
	static const char *const names[KSM_NR_STATES] = {
		[KSM_BROKEN] = "BROKEN",
		[KSM_INACTIVE] = "INACTIVE",
		[KSM_CONVERGING] = "CONVERGING",
		[KSM_WASTE] = "WASTE",
		[KSM_MARGINAL] = "MARGINAL",
		[KSM_EFFECTIVE] = "EFFECTIVE",
	};

	return names[state];
}

const char *ksm_reason_name(enum ksm_reason reason)
{
	return rules[reason].name;
}

const char *ksm_warning_name(enum ksm_warning warning)
{
	return checks[warning].name;
}
