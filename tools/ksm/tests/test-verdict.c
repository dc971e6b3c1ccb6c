// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each rule just below and just above its limit, from a host that is well:
 * 100 GiB of memory, 8 GiB saved, 4 GiB left.
 */
#include <string.h>

#include "fixture.h"
#include "verdict.h"

#define PAGE	4096LL
#define GIB	(1LL << 30)
#define TOTAL	(100 * GIB)

static struct ksm_sample now, before, recent;
static struct ksm_view view;
static struct ksm_verdict verdict;

static int setup(void **state)
{
	(void)state;
	now = (struct ksm_sample){
		.time_ms = 1795966812000, .boottime_ms = 864000000,
		.present = true,
		.knobs = { .run = 1, .pages_to_scan = 100,
			   .sleep_millisecs = 20, .merge_across_nodes = 1 },
		.counters = { .pages_shared = GIB / PAGE,
			      .pages_sharing = 8 * GIB / PAGE,
			      .full_scans = 100, .pages_scanned = 5000,
			      .pages_skipped = 90000, .scan_pages = 10,
			      .general_profit = 7 * GIB,
			      .last_scan_millisecs = 10000 },
		.host = { .page_bytes = PAGE, .nodes = 1,
			  .mem_total_bytes = TOTAL,
			  .mem_available_bytes = 4 * GIB,
			  .swap_free_bytes = 10 * GIB, .cow_ksm = 50000 },
		.sums = { .members = 5 },
	};
	before = now;
	before.boottime_ms -= 1000;
	before.counters.pages_scanned -= 100;
	recent = now;
	recent.boottime_ms -= 600000;
	recent.counters.full_scans -= 60;
	recent.counters.pages_scanned -= 1000;
	view = (struct ksm_view){ &now, &before, &recent, NULL };
	return 0;
}

static void expect(enum ksm_state state, enum ksm_reason reason)
{
	ksm_verdict(&view, &verdict);
	if (verdict.state != state || verdict.reason != reason)
		fail_msg("%s %s, not %s %s", ksm_state_name(verdict.state),
			 ksm_reason_name(verdict.reason),
			 ksm_state_name(state), ksm_reason_name(reason));
}

static void expect_steady(void)
{
	expect(KSM_EFFECTIVE, KSM_SAVING_STEADY);
}

static void expect_warning(enum ksm_warning warning, bool there)
{
	ksm_verdict(&view, &verdict);
	if (ksm_verdict_warns(&verdict, warning) != there)
		fail_msg("%s is %sthere", ksm_warning_name(warning),
			 there ? "not " : "");
}

static void all_is_well(void **state)
{
	(void)state;
	expect_steady();
	assert_int_equal(verdict.warnings, 0);
	view.recent = NULL;
	expect_steady();
	view.before = NULL;
	expect_steady();
	assert_int_equal(verdict.warnings, 0);
}

static void no_ksm(void **state)
{
	(void)state;
	now.present = false;
	expect(KSM_BROKEN, KSM_NO_KSM);
}

/* Nothing has been counted between two samples that are this far apart. */
static void stand_still(double seconds)
{
	before = now;
	before.boottime_ms -= seconds * 1000;
	view.recent = NULL;
}

static void stalled(void **state)
{
	(void)state;
	stand_still(KSM_STALL_SECONDS - 0.001);
	expect_steady();
	stand_still(KSM_STALL_SECONDS);
	expect(KSM_BROKEN, KSM_STALLED);
	/* the other sample tells as well */
	view.recent = &before;
	view.before = NULL;
	expect(KSM_BROKEN, KSM_STALLED);
}

static void a_long_sleep_is_no_stall(void **state)
{
	(void)state;
	now.knobs.sleep_millisecs = 20000;
	stand_still(KSM_STALL_SLEEPS * 20 - 0.001);
	expect_steady();
	stand_still(KSM_STALL_SLEEPS * 20);
	expect(KSM_BROKEN, KSM_STALLED);
}

static void any_counter_that_moves_is_life(void **state)
{
	ksm_figure * const counters[] = {
		&before.counters.full_scans, &before.counters.pages_scanned,
		&before.counters.pages_skipped, &before.counters.scan_pages,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		stand_still(60);
		expect(KSM_BROKEN, KSM_STALLED);
		(*counters[i])--;
		expect_steady();
	}
	/* what stock kernels have not says nothing */
	stand_still(60);
	now.counters.scan_pages = KSM_UNKNOWN;
	expect(KSM_BROKEN, KSM_STALLED);
}

static void who_was_off_has_not_stalled(void **state)
{
	(void)state;
	stand_still(60);
	before.knobs.run = 0;
	expect_steady();
	stand_still(60);
	before.knobs.pages_to_scan = 0;
	expect_steady();
	stand_still(60);
	before.sums.members = 0;
	before.counters.pages_shared = 0;
	before.counters.pages_sharing = 0;
	ksm_verdict(&view, &verdict);
	assert_int_not_equal(verdict.reason, KSM_STALLED);
}

static void stopped(void **state)
{
	(void)state;
	for (int run = 0; run <= 7; run++) {
		now.knobs.run = run;
		if ((run & 3) == 1)
			expect_steady();
		else
			expect(KSM_INACTIVE, KSM_STOPPED);
	}
}

static void zero_pace(void **state)
{
	(void)state;
	now.knobs.pages_to_scan = 1;
	expect_steady();
	now.knobs.pages_to_scan = 0;
	expect(KSM_INACTIVE, KSM_ZERO_PACE);
	now.knobs.run = 0;
	expect(KSM_INACTIVE, KSM_STOPPED);
}

static void no_members(void **state)
{
	(void)state;
	now.sums.members = 0;
	/* pages are tracked: one is not allowed to see whose */
	expect_steady();
	now.counters.pages_shared = 0;
	now.counters.pages_sharing = 0;
	view.before = NULL;
	expect(KSM_INACTIVE, KSM_NO_MEMBERS);
	now.sums.members = 1;
	ksm_verdict(&view, &verdict);
	assert_int_not_equal(verdict.reason, KSM_NO_MEMBERS);
	/* somebody unseen keeps ksmd at work */
	now.sums.members = 0;
	view.before = &before;
	ksm_verdict(&view, &verdict);
	assert_int_not_equal(verdict.reason, KSM_NO_MEMBERS);
}

static void first_scan(void **state)
{
	(void)state;
	view.recent = NULL;
	now.counters.full_scans = KSM_FIRST_SCANS;
	expect_steady();
	now.counters.full_scans = KSM_FIRST_SCANS - 1;
	expect(KSM_CONVERGING, KSM_FIRST_SCAN);
	now.counters.full_scans = 0;
	expect(KSM_CONVERGING, KSM_FIRST_SCAN);
}

/* Saved pages, since @from, after a number of full scans */
static void grow(struct ksm_sample *from, int scans, int64_t pages)
{
	from->counters.full_scans = now.counters.full_scans - scans;
	from->counters.pages_sharing = now.counters.pages_sharing - pages;
}

static void growing(void **state)
{
	int64_t saved = now.counters.pages_sharing;

	(void)state;
	grow(&recent, 60, 60 * saved / 100);
	expect_steady();
	grow(&recent, 60, 60 * saved / 100 + 1);
	expect(KSM_CONVERGING, KSM_GROWING);
	/* getting less is no growth */
	grow(&recent, 60, -saved);
	expect_steady();
}

/* Only a tenth of a scan was seen: what is the rest going to bring? */
static void growing_within_a_scan(void **state)
{
	int64_t percent = now.counters.pages_sharing / 100;

	(void)state;
	view.recent = NULL;
	grow(&before, 0, percent / 10 - 1);
	expect_steady();
	grow(&before, 0, percent / 10 + 1);
	expect(KSM_CONVERGING, KSM_GROWING);
	/* the scan takes longer than the last one took: it is one scan */
	now.counters.last_scan_millisecs = 1;
	grow(&before, 0, percent - 1);
	expect_steady();
	grow(&before, 0, percent + 1);
	expect(KSM_CONVERGING, KSM_GROWING);
	/* nobody knows how long scans take: at least that much */
	now.counters.last_scan_millisecs = KSM_UNKNOWN;
	grow(&before, 0, percent - 1);
	expect_steady();
	grow(&before, 0, percent + 1);
	expect(KSM_CONVERGING, KSM_GROWING);
}

static void cost_over_gain(void **state)
{
	(void)state;
	view.recent = NULL;
	now.counters.full_scans = KSM_WASTE_SCANS;
	now.counters.general_profit = 0;
	expect(KSM_MARGINAL, KSM_SMALL_GAIN);
	now.counters.general_profit = -1;
	expect(KSM_WASTE, KSM_COST_OVER_GAIN);
	now.counters.full_scans = KSM_WASTE_SCANS - 1;
	expect(KSM_MARGINAL, KSM_SMALL_GAIN);
	now.counters.full_scans = KSM_WASTE_SCANS;
	now.counters.general_profit = KSM_UNKNOWN;
	expect_steady();
}

/* @pages copied in the 600 s */
static void copy(int64_t copies)
{
	recent.host.cow_ksm = now.host.cow_ksm - copies;
}

static void cow_storm(void **state)
{
	int64_t merged = now.counters.pages_shared +
			 now.counters.pages_sharing;

	(void)state;
	now.host.cow_ksm = 1LL << 40;
	copy(merged * 600 / KSM_STORM_LIFE_SECONDS - 1);
	expect_steady();
	copy(merged * 600 / KSM_STORM_LIFE_SECONDS + 1);
	expect(KSM_WASTE, KSM_COW_STORM);
	now.host.cow_ksm = KSM_UNKNOWN;
	expect_steady();
}

static void few_copies_are_no_storm(void **state)
{
	(void)state;
	now.host.cow_ksm = 1LL << 40;
	now.counters.pages_shared = 10;
	now.counters.pages_sharing = 10;
	recent.counters.pages_sharing = 10;
	copy(600 * KSM_STORM_PER_SECOND - 1);
	expect_steady();
	copy(600 * KSM_STORM_PER_SECOND);
	expect(KSM_WASTE, KSM_COW_STORM);
}

static void small_gain(void **state)
{
	(void)state;
	now.counters.general_profit = TOTAL / 100;
	expect_steady();
	now.counters.general_profit = TOTAL / 100 - 1;
	expect(KSM_MARGINAL, KSM_SMALL_GAIN);
	now.host.mem_total_bytes = KSM_UNKNOWN;
	expect_steady();
}

static void memory_plenty(void **state)
{
	(void)state;
	/* after undoing 8 GiB, 20 GiB would be left */
	now.host.mem_available_bytes = 28 * GIB;
	expect_steady();
	now.host.mem_available_bytes = 28 * GIB + 1;
	expect(KSM_MARGINAL, KSM_MEMORY_PLENTY);
}

/* The order of the rules: the first that holds counts. */
static void everything_is_wrong_at_once(void **state)
{
	(void)state;
	now.counters.general_profit = -1;
	now.host.mem_available_bytes = TOTAL;
	now.host.cow_ksm = 1LL << 40;
	copy(1LL << 39);
	expect(KSM_WASTE, KSM_COST_OVER_GAIN);
	now.counters.general_profit = 1;
	expect(KSM_WASTE, KSM_COW_STORM);
	grow(&recent, 1, now.counters.pages_sharing);
	expect(KSM_CONVERGING, KSM_GROWING);
	now.knobs.pages_to_scan = 0;
	expect(KSM_INACTIVE, KSM_ZERO_PACE);
	now.present = false;
	expect(KSM_BROKEN, KSM_NO_KSM);
}

static void unmerge_short(void **state)
{
	(void)state;
	now.host.mem_available_bytes = 5 * GIB;
	now.host.swap_free_bytes = 3 * GIB;
	expect_warning(KSM_UNMERGE_SHORT, false);
	now.host.swap_free_bytes = 3 * GIB - 1;
	expect_warning(KSM_UNMERGE_SHORT, true);
	now.host.mem_available_bytes = KSM_UNKNOWN;
	expect_warning(KSM_UNMERGE_SHORT, false);
}

static void numa_cross(void **state)
{
	(void)state;
	now.host.nodes = 2;
	expect_warning(KSM_NUMA_CROSS, true);
	now.host.nodes = 1;
	expect_warning(KSM_NUMA_CROSS, false);
	now.host.nodes = 2;
	now.knobs.merge_across_nodes = 0;
	expect_warning(KSM_NUMA_CROSS, false);
	now.knobs.merge_across_nodes = 1;
	now.counters.pages_sharing = 0;
	expect_warning(KSM_NUMA_CROSS, false);
}

static void huge(struct ksm_sample *from, int split, int collapsed)
{
	now.counters.thp_split = 5000;
	now.host.thp_collapse = 5000;
	from->counters.thp_split = 5000 - split;
	from->host.thp_collapse = 5000 - collapsed;
}

static void thp_fight(void **state)
{
	(void)state;
	huge(&recent, 60, 60);
	expect_warning(KSM_THP_FIGHT, true);
	huge(&recent, 59, 60);
	expect_warning(KSM_THP_FIGHT, false);
	huge(&recent, 60, 59);
	expect_warning(KSM_THP_FIGHT, false);
	/* in one second, few are a coincidence */
	view.recent = NULL;
	huge(&before, 7, 7);
	expect_warning(KSM_THP_FIGHT, false);
	huge(&before, 8, 8);
	expect_warning(KSM_THP_FIGHT, true);
	now.host.thp_collapse = KSM_UNKNOWN;
	expect_warning(KSM_THP_FIGHT, false);
}

static void advisor_conflict(void **state)
{
	(void)state;
	now.knobs.advisor_mode = KSM_ADVISOR_SCAN_TIME;
	now.host.ksmtuned_script = 1;
	expect_warning(KSM_ADVISOR_CONFLICT, true);
	now.host.ksmtuned_script = 0;
	expect_warning(KSM_ADVISOR_CONFLICT, false);
	now.host.ksmtuned_script = 1;
	now.knobs.advisor_mode = KSM_ADVISOR_NONE;
	expect_warning(KSM_ADVISOR_CONFLICT, false);
}

static void counters_stale(void **state)
{
	(void)state;
	now.knobs.run = 0;
	expect_warning(KSM_COUNTERS_STALE, true);
	now.counters.pages_sharing = 0;
	expect_warning(KSM_COUNTERS_STALE, false);
	now.counters.pages_sharing = 1;
	now.knobs.run = 1;
	expect_warning(KSM_COUNTERS_STALE, false);
	/* after 2 was written nothing is merged any more */
	now.knobs.run = 2;
	expect_warning(KSM_COUNTERS_STALE, false);
}

/* Scripts go by these. */
static void names_are_those_of_the_manual(void **state)
{
	static const char *const reasons[KSM_NR_REASONS] = {
		"NO_KSM", "STALLED", "STOPPED", "ZERO_PACE", "NO_MEMBERS",
		"FIRST_SCAN", "GROWING", "COST_OVER_GAIN", "COW_STORM",
		"SMALL_GAIN", "MEMORY_PLENTY", "SAVING_STEADY",
	};
	static const char *const warnings[KSM_NR_WARNINGS] = {
		"UNMERGE_SHORT", "NUMA_CROSS", "THP_FIGHT",
		"ADVISOR_CONFLICT", "COUNTERS_STALE",
	};
	static const char *const states[KSM_NR_STATES] = {
		"BROKEN", "INACTIVE", "CONVERGING", "WASTE", "MARGINAL",
		"EFFECTIVE",
	};

	(void)state;
	for (int i = 0; i < KSM_NR_REASONS; i++)
		assert_string_equal(ksm_reason_name(i), reasons[i]);
	for (int i = 0; i < KSM_NR_WARNINGS; i++)
		assert_string_equal(ksm_warning_name(i), warnings[i]);
	for (int i = 0; i < KSM_NR_STATES; i++)
		assert_string_equal(ksm_state_name(i), states[i]);
}

#define CASE(name)	cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_is_well),
		CASE(no_ksm),
		CASE(stalled),
		CASE(a_long_sleep_is_no_stall),
		CASE(any_counter_that_moves_is_life),
		CASE(who_was_off_has_not_stalled),
		CASE(stopped),
		CASE(zero_pace),
		CASE(no_members),
		CASE(first_scan),
		CASE(growing),
		CASE(growing_within_a_scan),
		CASE(cost_over_gain),
		CASE(cow_storm),
		CASE(few_copies_are_no_storm),
		CASE(small_gain),
		CASE(memory_plenty),
		CASE(everything_is_wrong_at_once),
		CASE(unmerge_short),
		CASE(numa_cross),
		CASE(thp_fight),
		CASE(advisor_conflict),
		CASE(counters_stale),
		CASE(names_are_those_of_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
