// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "fixture.h"
#include "words.h"

#define COLUMNS	80

static struct ksm_sample now, before;
static struct ksm_view view;
static struct ksm_words words;

static int setup(void **state)
{
	(void)state;
	memset(&now, 0, sizeof(now));
	now.present = true;
	now.boottime_ms = 5000;
	now.host.page_bytes = 4096;
	now.host.ksmd_cpu_ns = 9000000;
	now.knobs.run = 1;
	now.counters.general_profit = 6496854016;
	now.counters.pages_sharing = 1604321;
	before = now;
	before.boottime_ms = 4000;
	before.host.ksmd_cpu_ns = 0;
	view = (struct ksm_view){ .now = &now, .before = &before };
	return 0;
}

static void say(enum ksm_state state, enum ksm_reason reason,
		unsigned int warnings)
{
	const struct ksm_verdict verdict = { state, reason, warnings };

	ksm_words(&view, &verdict, &words);
}

static void a_steady_one_tells_gain_and_cost(void **state)
{
	(void)state;
	say(KSM_EFFECTIVE, KSM_SAVING_STEADY, 0);
	assert_string_equal(words.headline,
			    "6.05 GiB gained for 0.9 % of one CPU");
	assert_string_equal(words.next, "");
	before.host.ksmd_cpu_ns = KSM_UNKNOWN;
	say(KSM_EFFECTIVE, KSM_SAVING_STEADY, 0);
	assert_string_equal(words.headline, "6.05 GiB gained");
}

static void stopped_has_three_kinds(void **state)
{
	(void)state;
	now.knobs.run = 0;
	say(KSM_INACTIVE, KSM_STOPPED, 0);
	assert_string_equal(words.headline, "run is 0; 6.12 GiB stay merged");
	now.counters.pages_sharing = 0;
	say(KSM_INACTIVE, KSM_STOPPED, 0);
	assert_string_equal(words.headline, "run is 0: nothing is merged");
	now.knobs.run = 2;
	say(KSM_INACTIVE, KSM_STOPPED, 0);
	assert_string_equal(words.headline, "run is 2: all merging was undone");
}

static void figures_are_put_in(void **state)
{
	(void)state;
	now.counters.general_profit = -(20LL << 20);
	say(KSM_WASTE, KSM_COST_OVER_GAIN, 0);
	assert_string_equal(words.headline,
			    "book-keeping takes 20.0 MiB more than is saved");
	now.host.cow_ksm = 12345;
	say(KSM_WASTE, KSM_COW_STORM, 0);
	assert_string_equal(words.headline,
			    "12,345/s copies: merged pages are written to");
	now.counters.full_scans = 1;
	say(KSM_CONVERGING, KSM_FIRST_SCAN, 0);
	assert_string_equal(words.headline,
			    "1 of 2 full scans done: too early to tell");
	before.counters.full_scans = 0;
	before.counters.pages_sharing = now.counters.pages_sharing / 2;
	say(KSM_CONVERGING, KSM_GROWING, 0);
	assert_string_equal(words.headline,
			    "what is saved grows by 50 % per full scan");
}

static void the_most_urgent_comes_next(void **state)
{
	unsigned int all = (1U << KSM_NR_WARNINGS) - 1;

	(void)state;
	now.sums.idle = 3;
	now.host.mem_available_bytes = 4LL << 30;
	say(KSM_EFFECTIVE, KSM_SAVING_STEADY, all);
	assert_string_equal(words.next, "add 2.12 GiB of swap; then "
			    "`ksm explain --idle` for the 3");
	say(KSM_EFFECTIVE, KSM_SAVING_STEADY,
	    all & ~(1U << KSM_UNMERGE_SHORT));
	assert_string_equal(words.next, "`systemctl stop ksmtuned`; then "
			    "`ksm explain --idle` for the 3");
	say(KSM_EFFECTIVE, KSM_SAVING_STEADY, 0);
	assert_string_equal(words.next, "`ksm explain --idle` for the 3");
	say(KSM_INACTIVE, KSM_STOPPED, all);
	assert_string_equal(words.next, "`ksm set run=1`");
}

/* However large the figures are */
static void all_fits_into_the_line(void **state)
{
	static const enum ksm_state longest = KSM_CONVERGING;

	(void)state;
	now.counters.general_profit = -(1023LL << 40);
	now.counters.pages_sharing = 999LL << 40;
	now.host.cow_ksm = 999999999;
	now.sums.idle = 99999;
	for (int i = 0; i < KSM_NR_REASONS * KSM_NR_WARNINGS; i++) {
		int reason = i % KSM_NR_REASONS;

		say(reason == KSM_SAVING_STEADY ? KSM_EFFECTIVE : longest,
		    reason, 1U << i / KSM_NR_REASONS);
		assert_true(strlen(words.headline) < KSM_HEADLINE_MAX - 1);
		assert_true(strlen(ksm_state_name(longest)) + 2 +
			    strlen(ksm_reason_name(reason)) + 2 +
			    strlen(words.headline) <= COLUMNS);
		assert_true(strlen("Next: ") + strlen(words.next) <= COLUMNS);
		/* no half of a command */
		if (strchr(words.next, '`'))
			assert_ptr_not_equal(strchr(words.next, '`'),
					     strrchr(words.next, '`'));
	}
	for (int i = 0; i < KSM_NR_WARNINGS; i++)
		assert_true(strlen("! ") + strlen(ksm_warning_name(i)) + 2 +
			    strlen(ksm_warning_text(i)) <= COLUMNS);
}

#define CASE(name)	cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_steady_one_tells_gain_and_cost),
		CASE(stopped_has_three_kinds),
		CASE(figures_are_put_in),
		CASE(the_most_urgent_comes_next),
		CASE(all_fits_into_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
