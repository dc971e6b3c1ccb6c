// SPDX-License-Identifier: GPL-2.0-only
/*
 * The algorithm: situations, what each setting does, and what never happens.
 */
#include <stdio.h>

#include "algo.h"
#include "conf.h"
#include "fixture.h"
#include "sysfs.h"

#define GIB		(1024LL * 1024)
#define TOTAL		(16 * GIB)
/* 20 % of it */
#define THRES		3355443LL
/* at this, guests and threshold are all memory there is */
#define FULL		(TOTAL - THRES)

static struct tuned_config preset(void)
{
	struct tuned_config config;

	tuned_conf_default(&config);
	return config;
}

static struct tuned_input host(ksm_figure committed, ksm_figure free)
{
	return (struct tuned_input){
		.total_kib = TOTAL,
		.free_kib = free,
		.committed_kib = committed,
		.npages = 500,
		.run = KSM_RUN_STOP,
		.cause = TUNED_INTERVAL,
	};
}

static const struct situation {
	const char *what;
	ksm_figure committed, free;
	int64_t npages;
	enum tuned_cause cause;
	enum tuned_verdict verdict;
	int64_t npages_then;
} situations[] = {
	{ "nothing runs", 0, 12 * GIB, 0, TUNED_START, TUNED_STOP, 0 },
	{ "just enough is free", 0, THRES + 1, 500, TUNED_INTERVAL,
	  TUNED_STOP, 500 },
	{ "free is at the threshold", 0, THRES, 500, TUNED_INTERVAL,
	  TUNED_DECAY, 450 },
	{ "free is below it", 0, THRES - 1, 500, TUNED_INTERVAL,
	  TUNED_BOOST, 800 },
	{ "guests leave room for it", FULL - 1, 12 * GIB, 500, TUNED_INTERVAL,
	  TUNED_STOP, 500 },
	{ "guests leave just no room", FULL, 12 * GIB, 500, TUNED_INTERVAL,
	  TUNED_DECAY, 450 },
	{ "more guests than memory", 3 * TOTAL, 12 * GIB, 500, TUNED_INTERVAL,
	  TUNED_DECAY, 450 },
	{ "that, and little is free", 3 * TOTAL, 0, 500, TUNED_INTERVAL,
	  TUNED_BOOST, 800 },
	{ "first decision, short", TOTAL, 0, 0, TUNED_START, TUNED_BOOST, 300 },
	{ "first decision, not short", TOTAL, 12 * GIB, 0, TUNED_START,
	  TUNED_DECAY, 64 },
	{ "nearly the most", TOTAL, 0, 951, TUNED_INTERVAL, TUNED_BOOST, 1250 },
	{ "the most", TOTAL, 0, 1250, TUNED_INTERVAL, TUNED_BOOST, 1250 },
	{ "from the most down", TOTAL, 12 * GIB, 1250, TUNED_INTERVAL,
	  TUNED_DECAY, 1200 },
	{ "nearly the least", TOTAL, 12 * GIB, 113, TUNED_INTERVAL,
	  TUNED_DECAY, 64 },
	{ "the least", TOTAL, 12 * GIB, 64, TUNED_INTERVAL, TUNED_DECAY, 64 },
	{ "on request as at the interval", TOTAL, 12 * GIB, 500, TUNED_REQUEST,
	  TUNED_DECAY, 450 },
	{ "pressure, short", TOTAL, THRES - 1, 500, TUNED_PRESSURE,
	  TUNED_BOOST, 800 },
	{ "pressure takes no pace away", TOTAL, THRES, 500, TUNED_PRESSURE,
	  TUNED_HOLD, 500 },
	{ "pressure of a small group", 0, 12 * GIB, 500, TUNED_PRESSURE,
	  TUNED_STOP, 500 },
};

static void test_situations(void **state)
{
	struct tuned_config config = preset();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(situations); i++) {
		const struct situation *s = &situations[i];
		struct tuned_input input = host(s->committed, s->free);
		struct tuned_decision decision;
		bool stop = s->verdict == TUNED_STOP;

		input.npages = s->npages;
		input.cause = s->cause;
		decision = tuned_decide(&config, &input);
		print_message("%s\n", s->what);
		assert_int_equal(decision.verdict, s->verdict);
		assert_int_equal(decision.npages, s->npages_then);
		assert_int_equal(decision.threshold_kib, THRES);
		assert_int_equal(decision.run,
				 stop ? KSM_RUN_STOP : KSM_RUN_MERGE);
		assert_int_equal(decision.pages_to_scan,
				 stop ? KSM_UNKNOWN : s->npages_then);
		assert_int_equal(decision.sleep_millisecs,
				 stop ? KSM_UNKNOWN : 10);
		assert_non_null(decision.reason);
	}
}

static const struct size {
	ksm_figure total;
	int64_t sleep_ms;
	ksm_figure sleep;
	ksm_figure threshold;
} sizes[] = {
	{ 4 * GIB, 10, 40, 838860 },
	{ 8 * GIB, 10, 20, 1677721 },
	{ 16 * GIB, 10, 10, 3355443 },
	{ 64 * GIB, 10, 10, 13421772 },
	{ 64 * GIB, 100, 25, 13421772 },
	{ 10240, 10, 16384, 2048 },
	{ 10245, 10, 16376, 2049 },
	{ 4096, 10, 40960, 2048 },
	{ 64 * 1024 * GIB, 10, 10, 13743895347LL },
};

static void test_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct tuned_config config = preset();
		struct tuned_input input = host(sizes[i].total, 0);
		struct tuned_decision decision;

		config.sleep_ms = sizes[i].sleep_ms;
		input.total_kib = sizes[i].total;
		decision = tuned_decide(&config, &input);
		assert_int_equal(decision.sleep_millisecs, sizes[i].sleep);
		assert_int_equal(decision.threshold_kib, sizes[i].threshold);
	}
}

static void test_settings(void **state)
{
	struct tuned_config config = preset();
	struct tuned_input input = host(TOTAL, 0);

	(void)state;
	config.boost = 7;
	assert_int_equal(tuned_decide(&config, &input).npages, 507);
	config.npages_max = 505;
	assert_int_equal(tuned_decide(&config, &input).npages, 505);
	input.free_kib = 12 * GIB;
	config.decay = -9;
	assert_int_equal(tuned_decide(&config, &input).npages, 491);
	config.npages_min = 495;
	assert_int_equal(tuned_decide(&config, &input).npages, 495);
	config.thres_coef = 50;
	assert_int_equal(tuned_decide(&config, &input).threshold_kib, 8 * GIB);
	config.thres_const_kib = 9 * GIB;
	assert_int_equal(tuned_decide(&config, &input).threshold_kib, 9 * GIB);
	config.thres_coef = 0;
	config.thres_const_kib = 0;
	input.committed_kib = 0;
	input.free_kib = 1;
	assert_int_equal(tuned_decide(&config, &input).verdict, TUNED_STOP);
}

static void test_advisor(void **state)
{
	struct tuned_config config = preset();
	struct tuned_input input = host(TOTAL, 0);
	struct tuned_decision decision;

	(void)state;
	input.advisor = true;
	decision = tuned_decide(&config, &input);
	assert_int_equal(decision.run, KSM_RUN_MERGE);
	assert_int_equal(decision.pages_to_scan, KSM_UNKNOWN);
	assert_int_equal(decision.sleep_millisecs, KSM_UNKNOWN);
	input = host(0, 12 * GIB);
	input.advisor = true;
	assert_int_equal(tuned_decide(&config, &input).run, KSM_RUN_STOP);
}

static void assert_left(const struct tuned_input *input)
{
	struct tuned_config config = preset();
	struct tuned_decision decision = tuned_decide(&config, input);

	assert_int_equal(decision.verdict, TUNED_LEAVE);
	assert_int_equal(decision.run, KSM_UNKNOWN);
	assert_int_equal(decision.pages_to_scan, KSM_UNKNOWN);
	assert_int_equal(decision.sleep_millisecs, KSM_UNKNOWN);
	assert_int_equal(decision.npages, input->npages);
	assert_non_null(decision.reason);
}

static void test_unmerged(void **state)
{
	struct tuned_input input = host(TOTAL, 0);

	(void)state;
	input.run = KSM_RUN_UNMERGE;
	assert_left(&input);
	/* memory is being taken offline as well */
	input.run = KSM_RUN_UNMERGE + 4;
	assert_left(&input);
}

static void test_unknown(void **state)
{
	struct tuned_input input;

	(void)state;
	input = host(TOTAL, KSM_UNKNOWN);
	assert_left(&input);
	input = host(KSM_UNKNOWN, 0);
	assert_left(&input);
	input = host(TOTAL, 0);
	input.run = KSM_UNKNOWN;
	assert_left(&input);
	input = host(TOTAL, 0);
	input.total_kib = KSM_UNKNOWN;
	assert_left(&input);
	input.total_kib = 0;
	assert_left(&input);
}

static void check_bounds(const struct tuned_config *config,
			 const struct tuned_input *input)
{
	struct tuned_decision decision = tuned_decide(config, input);

	assert_true(decision.run == KSM_UNKNOWN ||
		    decision.run == KSM_RUN_STOP ||
		    decision.run == KSM_RUN_MERGE);
	if (!fig_known(decision.pages_to_scan))
		return;
	assert_in_range(decision.pages_to_scan, config->npages_min,
			config->npages_max);
	assert_in_range(decision.sleep_millisecs, 10, UINT32_MAX);
}

/* Whatever the figures: run is not 2, and all values are in their bounds. */
static void test_bounds(void **state)
{
	static const int64_t figures[] = {
		KSM_UNKNOWN, 0, 1, THRES - 1, THRES, THRES + 1, FULL, TOTAL,
		1LL << 52,
	};
	const size_t n = ARRAY_SIZE(figures);
	struct tuned_config config = preset();
	struct tuned_input input;

	(void)state;
	for (size_t i = 0; i < n * n * n * 8 * 5; i++) {
		input = host(figures[i % n], figures[i / n % n]);
		input.total_kib = figures[i / n / n % n];
		input.run = i / n / n / n % 8;
		input.cause = i / n / n / n / 8;
		input.npages = i % 3000;
		check_bounds(&config, &input);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(tuned_verdict_name(TUNED_LEAVE), "leave");
	assert_string_equal(tuned_verdict_name(TUNED_HOLD), "hold");
	assert_string_equal(tuned_cause_name(TUNED_START), "start");
	assert_string_equal(tuned_cause_name(TUNED_ONCE), "once");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_situations),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_advisor),
		cmocka_unit_test(test_unmerged),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
