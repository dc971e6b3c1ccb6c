// SPDX-License-Identifier: GPL-2.0
/*
 * Races with merging: pages that are written, or unmapped, at that moment
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/random.h"

/* --- Writing ------------------------------------------------------------- */

/*
 * Threads write to pages that are about to be merged: after a duplicate was
 * found, and before, while or after the page is write-protected and compared.
 * They write single words and read them back at once, all the time.
 */
struct racer {
	pthread_t thread;
	char *map;
	__u64 rnd;
	__u64 writes;
	__u64 merged;
	bool failed;
};

#define RACER_PAGES	8

static int stop;

static bool race_write(struct racer *p, char *page)
{
	__u64 stamp = ksm_random(&p->rnd), was;
	size_t at = ksm_random(&p->rnd) % (ps() / 8);
	__u64 *word = (__u64 *)page + at;
	int i;

	was = KSM_READ(*word);
	KSM_WRITE(*word, stamp);
	for (i = 0; i < 20; i++) {
		if (KSM_READ(*word) != stamp) {
			printf("# WRITE LOST: at word %zu: want %#llx, have %#llx\n",
			       at, stamp, KSM_READ(*word));
			return false;
		}
	}
	/* No other word changed. */
	KSM_WRITE(*word, was);
	return ksm_contents_ok(page, 1, 1, 0);
}

static void *racer_main(void *arg)
{
	struct racer *p = arg;
	size_t i;

	while (!KSM_READ(stop) && !p->failed) {
		for (i = 0; i < RACER_PAGES && !p->failed; i++) {
			p->failed = !race_write(p, p->map + i * ps());
			p->writes += 2;
		}
		usleep(ksm_random(&p->rnd) % 1500);
		/* Seldom: it walks all pages. */
		if (p->writes % 64 == 0)
			p->merged += ksm_count_merged(p->map, RACER_PAGES);
	}
	return NULL;
}

static void test_write(void)
{
	struct racer p[3] = { 0 };
	__u64 rnd = ksm_random_seed(), merged = 0, writes = 0;
	char *other = ksm_map_merge(2, 1, 0);
	size_t i;

	ksm_set("smart_scan", 0);
	ksm_set("pages_to_scan", 3);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i].map = ksm_map_merge(RACER_PAGES, 1, 0);
		p[i].rnd = ksm_random(&rnd);
	}
	ksm_run();
	for (i = 0; i < ARRAY_SIZE(p); i++)
		CHECK(!pthread_create(&p[i].thread, NULL, racer_main, &p[i]));
	ksm_sleep_ms(1200);
	KSM_WRITE(stop, 1);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		pthread_join(p[i].thread, NULL);
		CHECK(!p[i].failed);
		merged += p[i].merged;
		writes += p[i].writes;
	}
	ksft_print_msg("%llu writes, %llu times a page was merged\n",
		       writes,
		       merged);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 2 + ARRAY_SIZE(p) * RACER_PAGES - 1, 0, 0));
	for (i = 0; i < ARRAY_SIZE(p); i++)
		CHECK(ksm_contents_ok(p[i].map, RACER_PAGES, 1, 0));
	CHECK(ksm_contents_ok(other, 2, 1, 0));
}

/* --- Unmapping ----------------------------------------------------------- */

/* Map and unmap while ksmd scans. */
static void test_unmap(void)
{
	__u64 end = ksm_now_ms() + 1000, rnd = ksm_random_seed();
	char *keep = ksm_map_merge(32, 1, 0), *map;
	unsigned int rounds = 0;

	ksm_run();
	while (ksm_now_ms() < end || rounds < 10) {
		size_t n = 1 + ksm_random(&rnd) % 200;

		map = ksm_map_merge(n, 1, rounds & 1);
		if (rounds % 8 == 0)
			CHECK(!ksm_wait_scans(1, KSM_DEADLINE_MS));
		else
			usleep(ksm_random(&rnd) % 1000);
		CHECK(ksm_contents_ok(map, n, 1, rounds & 1));
		ksm_unmap(map, n);
		rounds++;
	}
	ksft_print_msg("%u mappings\n", rounds);
	ksm_set("smart_scan", 0);
	CHECK(!ksm_wait_scans(3, KSM_DEADLINE_MS));
	ksm_stop();
	CHECK(ksm_counts_are(1, 31, 0, 0));
	CHECK(ksm_contents_ok(keep, 32, 1, 0));
}

static const struct ksm_case cases[] = {
	{ "integrity: writes at the moment of merging", test_write },
	{ "integrity: unmapping under the scan", test_unmap },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
