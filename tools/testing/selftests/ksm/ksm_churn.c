// SPDX-License-Identifier: GPL-2.0
/*
 * A few new pages in each pass, and others that are quiet all the time.
 *
 * ksmd passes over the quiet ones as long as nothing happens to their keys.  It
 * must not miss the moment when something does, and must not disturb all CPUs
 * for pages that are not merged.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#define SEED		31000
#define PAGES		256	/* that are quiet */
#define DRIP		16	/* new pages in each pass */
#define SETTLE		8	/* passes until all are known */
#define DRIP_MS		3000

static char *drip_pages;
static uint64_t drip_seed = 1ULL << 40;

/* New pages, with contents that no others have, and a pass over them */
static void drip(void)
{
	CHECK(!madvise(drip_pages, DRIP * ps(), MADV_DONTNEED));
	ksm_fill(drip_pages, DRIP, drip_seed, 1);
	drip_seed += DRIP;
	CHECK(!ksm_wait_scans(1, KSM_DEADLINE_MS));
}

static void drip_start(void)
{
	drip_pages = ksm_map(DRIP);
	ksm_mergeable(drip_pages, DRIP);
	ksm_run();
}

/* Of the pages that became quiet first, each one gets a duplicate late. */
static void test_late(void)
{
	char *old = ksm_map_merge(PAGES, SEED, 1), *late;
	unsigned int i, round;

	drip_start();
	for (i = 0; i < SETTLE; i++)
		drip();
	CHECK(ksm_none_merged(old, PAGES));
	late = ksm_map(PAGES);
	ksm_mergeable(late, PAGES);
	for (round = 0; round < 8; round++) {
		for (i = round; i < PAGES; i += 8)
			ksm_page_fill(ksys_page(late, i), SEED + i);
		drip();
		drip();
		drip();
		CHECK_EQ(ksm_count_merged(old, PAGES), (round + 1) * PAGES / 8);
	}
	ksm_stop();
	CHECK(ksm_same_pages(old, late, PAGES));
	CHECK(ksm_contents_ok(old, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(late, PAGES, SEED, 1));
}

static void test_drains(void)
{
	char *old = ksm_map_merge(PAGES, SEED, 1);
	long drains = ksm_get("lru_drains"), scans = ksm_get("full_scans");
	__u64 start = ksm_now_ms(), ms;

	drip_start();
	do {
		drip();
		ms = ksm_now_ms() - start;
	} while (ms < DRIP_MS || ksm_get("full_scans") - scans < 100);
	ksm_stop();
	drains = ksm_get("lru_drains") - drains;
	scans = ksm_get("full_scans") - scans;
	ksft_print_msg("%ld drains in %ld full scans, %llu ms\n", drains, scans,
		       (unsigned long long)ms);
	CHECK(drains > 0);
	/* 16 that may be of use, then one in each second */
	CHECK(drains <= 16 + (long)ms / 1000 + 1);
	CHECK(ksm_contents_ok(old, PAGES, SEED, 1));
}

static const struct ksm_case cases[] = {
	{ "late duplicates of quiet pages, while others appear", test_late },
	{ "new pages that are not merged are not drained for", test_drains },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
