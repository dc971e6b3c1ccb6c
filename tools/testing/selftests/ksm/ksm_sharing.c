// SPDX-License-Identifier: GPL-2.0
/*
 * max_page_sharing: how many mappings one KSM page may have.
 *
 * N duplicates under a limit of L take as many pages as needed, which hang
 * from one chain; emptied ones are pruned, half empty ones are filled again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#define SEED	6000

/* What N duplicates become under a limit of L. */
static void expected(long limit, long n, long *shared, long *sharing,
		     long *unshared)
{
	long rest = n % limit;

	*shared = n / limit;
	*sharing = *shared * (limit - 1);
	*unshared = 0;
	if (n == 1 || rest == 1) {
		/* The last one is alone. */
		*unshared = 1;
	} else if (rest) {
		(*shared)++;
		*sharing = n - *shared;
	}
}

/*
 * No KSM page of the range has more mappings than the limit.  While ksmd runs
 * the frame may be gone before its mappings are counted.
 */
static void within_limit(const char *map, long n, long limit)
{
	bool quiet = !ksm_get("run");
	long i, count;

	for (i = 0; i < n; i++) {
		count = ksm_kpagecount(ksm_pfn(0, ksys_page(map, i)));
		CHECK(count <= limit);
		CHECK(count >= 1 || !quiet);
	}
}

static char *check_limit(long limit, long n)
{
	long shared, sharing, unshared;
	char *map;

	CHECK_EQ(ksm_unmerge_all(), 0);
	ksm_set("max_page_sharing", limit);
	map = ksm_map_merge(n, SEED + n, 0);
	ksm_scan(2);
	expected(limit, n, &shared, &sharing, &unshared);
	ksm_check(ksm_counts_are(shared, sharing, unshared, 0),
		  "limit %ld, %ld duplicates\n", limit, n);
	CHECK_EQ(ksm_count_pfns(map, n), shared + unshared);
	within_limit(map, n, limit);
	CHECK_EQ(ksm_get("stable_node_chains"), shared > 1);
	CHECK_EQ(ksm_get("stable_node_dups"), shared > 1 ? shared : 0);
	CHECK_EQ(ksm_merging_pages(0), shared + sharing);
	CHECK(ksm_contents_ok(map, n, SEED + n, 0));
	return map;
}

static void test_many(void)
{
	static const long limits[] = { 2, 3, 4, 7, 10, 16, 100, 256 };
	uint64_t end = ksm_now_ms() + 2 * ksys_budget_ms();
	size_t i, k;
	int done = 0;

	for (k = 0; k < 9; k++) {
		for (i = 0; i < ARRAY_SIZE(limits); i++) {
			long l = limits[i];
			long n[] = { l, l + 1, 2 * l, 64, l - 1, 2 * l + 1,
				     3 * l - 1, 1, 5 * l + 2 };

			/* Small ones all, the rest while there is time. */
			if (k >= 4 && l > 16 && ksm_now_ms() > end)
				continue;
			ksm_unmap(check_limit(l, n[k]), n[k]);
			done++;
		}
	}
	ksft_print_msg("%d combinations\n", done);
}

/* The limit holds for every content on its own. */
static void test_many_chains(void)
{
	const long limit = 5, n = 23, kinds = 12;
	long shared, sharing, unshared, i;
	char *map[12];

	ksm_set("max_page_sharing", limit);
	for (i = 0; i < kinds; i++)
		map[i] = ksm_map_merge(n, SEED + i, 0);
	ksm_scan(2);
	expected(limit, n, &shared, &sharing, &unshared);
	CHECK(ksm_counts_are(kinds * shared, kinds * sharing, 0, 0));
	CHECK_EQ(ksm_get("stable_node_chains"), kinds);
	CHECK_EQ(ksm_get("stable_node_dups"), kinds * shared);
	for (i = 0; i < kinds; i++) {
		CHECK_EQ(ksm_count_pfns(map[i], n), shared);
		within_limit(map[i], n, limit);
		CHECK(ksm_contents_ok(map[i], n, SEED + i, 0));
	}
}

static void test_odd_values(void)
{
	char *map;

	CHECK_EQ(ksm_write_text("max_page_sharing", "1"), -EINVAL);
	CHECK_EQ(ksm_write_text("max_page_sharing", "0"), -EINVAL);
	CHECK_EQ(ksm_get("max_page_sharing"), 256);
	CHECK_EQ(ksm_write_text("max_page_sharing", "98304"), 0);
	CHECK_EQ(ksm_get("max_page_sharing"), 98304);
	/* More than the default would let one page have. */
	map = ksm_map_merge(700, SEED, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, 699, 0, 0));
	CHECK_EQ(ksm_kpagecount(ksm_pfn(0, map)), 700);
	CHECK_EQ(ksm_get("stable_node_chains"), 0);
	CHECK_EQ(ksm_get("stable_node_dups"), 0);
	CHECK(ksm_contents_ok(map, 700, SEED, 0));
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK_EQ(ksm_write_text("max_page_sharing", "2147483647"), 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, 699, 0, 0));
	CHECK(ksm_contents_ok(map, 700, SEED, 0));
}

static void test_busy(void)
{
	char *map;

	ksm_set("max_page_sharing", 8);
	map = ksm_map_merge(32, SEED, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(4, 28, 0, 0));
	CHECK_EQ(ksm_write_text("max_page_sharing", "9"), -EBUSY);
	CHECK_EQ(ksm_write_text("max_page_sharing", "256"), -EBUSY);
	CHECK_EQ(ksm_write_text("max_page_sharing", "8"), 0);
	CHECK_EQ(ksm_get("max_page_sharing"), 8);
	CHECK(ksm_counts_are(4, 28, 0, 0));
	CHECK(ksm_contents_ok(map, 32, SEED, 0));
	/* Pages that are only candidates do not matter. */
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK_EQ(ksm_write_text("max_page_sharing", "16"), 0);
	ksm_fill(map, 32, SEED, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(0, 0, 32, 0));
	CHECK_EQ(ksm_write_text("max_page_sharing", "5"), 0);
	ksm_fill(map, 32, SEED, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(7, 25, 0, 0));
	CHECK(ksm_contents_ok(map, 32, SEED, 0));
}

static bool dups_are(void *arg)
{
	/* Pruning is a matter of ksmd coming by. */
	return ksm_get("stable_node_dups") == *(long *)arg;
}

static void wait_dups(long want)
{
	ksm_run();
	if (!ksm_poll(dups_are, &want, KSM_DEADLINE_MS / 4))
		CHECK_EQ(ksm_get("stable_node_dups"), want);
	ksm_stop();
}

/* Give those pages that have this frame another content. */
static long break_frame(char *map, long n, unsigned long pfn, uint64_t seed,
			long leave)
{
	long i, broken = 0;

	for (i = 0; i < n; i++) {
		if (ksm_pfn(0, ksys_page(map, i)) != pfn)
			continue;
		if (leave-- > 0)
			continue;
		ksm_page_fill(ksys_page(map, i), seed + i);
		broken++;
	}
	return broken;
}

/* Page i is either of the common content or of its own. */
static void mixture_ok(const char *map, long n, const bool *own, uint64_t seed)
{
	long i;

	for (i = 0; i < n; i++)
		CHECK(ksm_page_ok(ksys_page(map, i),
				  own[i] ? seed + i : SEED));
}

#define N	64
#define L	4

static void check_prune(unsigned int millisecs)
{
	bool own[N] = { false };
	unsigned long pfn;
	long i, k, broken = 0;
	char *map;

	ksm_set("max_page_sharing", L);
	ksm_set("stable_node_chains_prune_millisecs", millisecs);
	map = ksm_map_merge(N, SEED, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(N / L, N - N / L, 0, 0));
	CHECK_EQ(ksm_get("stable_node_chains"), 1);
	CHECK_EQ(ksm_get("stable_node_dups"), N / L);

	/* Empty half of the pages of the chain. */
	for (k = 0; k < N / L / 2; k++) {
		for (i = 0; own[i]; i++)
			;
		pfn = ksm_pfn(0, ksys_page(map, i));
		for (i = 0; i < N; i++)
			own[i] |= ksm_pfn(0, ksys_page(map, i)) == pfn;
		broken += break_frame(map, N, pfn, 70000, 0);
	}
	CHECK_EQ(broken, N / 2);
	mixture_ok(map, N, own, 70000);
	wait_dups(N / L / 2);
	ksm_scan(2);
	CHECK(ksm_counts_are(N / L / 2, N / 2 - N / L / 2, N / 2, 0));
	CHECK_EQ(ksm_get("stable_node_chains"), 1);
	mixture_ok(map, N, own, 70000);

	/* And fill the chain again. */
	for (i = 0; i < N; i++)
		ksm_page_fill(ksys_page(map, i), SEED);
	CHECK(ksm_scan_until(N / L, N - N / L, 0));
	CHECK_EQ(ksm_get("stable_node_dups"), N / L);
	within_limit(map, N, L);
	CHECK(ksm_contents_ok(map, N, SEED, 0));
}

static void test_prune(void)
{
	check_prune(2000);
}

static void test_prune_always(void)
{
	check_prune(0);
}

/* What is left of every page of the chain takes in newcomers. */
static void test_half_empty(void)
{
	bool own[N] = { false };
	unsigned long pfn;
	long i, shared;
	char *map;

	ksm_set("max_page_sharing", L);
	ksm_set("stable_node_chains_prune_millisecs", 0);
	map = ksm_map_merge(N, SEED, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(N / L, N - N / L, 0, 0));
	for (i = 0; i < N; i++) {
		pfn = ksm_pfn(0, ksys_page(map, i));
		if (own[i] || ksm_kpagecount(pfn) < L)
			continue;
		CHECK_EQ(break_frame(map, N, pfn, 80000, L / 2), L / 2);
	}
	for (i = 0; i < N; i++)
		own[i] = ksm_page_ok(ksys_page(map, i), 80000 + i);
	mixture_ok(map, N, own, 80000);
	ksm_scan(2);
	CHECK_EQ(ksm_get("pages_shared") + ksm_get("pages_sharing"), N / 2);
	CHECK_EQ(ksm_get("pages_unshared"), N / 2);
	mixture_ok(map, N, own, 80000);
	for (i = 0; i < N; i++)
		ksm_page_fill(ksys_page(map, i), SEED);
	ksm_scan(3);
	shared = ksm_get("pages_shared");
	ksft_print_msg("%ld pages for %d mappings, limit %d\n", shared, N, L);
	/* No page to spare is wanted, and none may have too many. */
	CHECK(shared >= N / L && shared <= N / 2);
	CHECK_EQ(shared + ksm_get("pages_sharing") + ksm_get("pages_unshared"),
		 N);
	within_limit(map, N, L);
	CHECK(ksm_contents_ok(map, N, SEED, 0));
}

/* All sharers gone: no page of the chain is left after a while. */
static void test_all_gone(void)
{
	char *map, *other;

	ksm_set("max_page_sharing", L);
	ksm_set("stable_node_chains_prune_millisecs", 0);
	map = ksm_map_merge(N, SEED, 0);
	/* ksmd only goes on while an mm is registered. */
	other = ksm_map_merge(2, SEED + 1, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(N / L + 1, N - N / L + 1, 0, 0));
	ksm_unmap(map, N);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, 1, 0, 0));
	wait_dups(0);
	/* The chain itself may wait for the next of its kind, or not. */
	CHECK(ksm_get("stable_node_chains") <= 1);
	CHECK(ksm_contents_ok(other, 2, SEED + 1, 0));
	/* The same content again */
	map = ksm_map_merge(N, SEED, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(N / L + 1, N - N / L + 1, 0, 0));
	CHECK_EQ(ksm_get("stable_node_chains"), 1);
	CHECK_EQ(ksm_get("stable_node_dups"), N / L);
	CHECK(ksm_contents_ok(map, N, SEED, 0));
}

/* run=2 takes chains down too. */
static void test_unmerge(void)
{
	char *map;

	ksm_set("max_page_sharing", 2);
	map = ksm_map_merge(101, SEED, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(50, 50, 1, 0));
	CHECK_EQ(ksm_get("stable_node_chains"), 1);
	CHECK_EQ(ksm_get("stable_node_dups"), 50);
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK_EQ(ksm_get("stable_node_chains"), 0);
	CHECK_EQ(ksm_get("stable_node_dups"), 0);
	CHECK_EQ(ksm_merging_pages(0), 0);
	CHECK_EQ(ksm_count_pfns(map, 101), 101);
	CHECK(ksm_contents_ok(map, 101, SEED, 0));
}

/* Random pages break away and come back, again and again. */
static void test_writers(void)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms();
	unsigned int random = 1;
	bool own[N] = { false };
	int round = 0;
	long i, k;
	char *map;

	ksm_set("max_page_sharing", 7);
	ksm_set("stable_node_chains_prune_millisecs", 0);
	map = ksm_map_merge(N, SEED, 0);
	do {
		for (k = 0; k < N / 3; k++) {
			i = rand_r(&random) % N;
			own[i] = rand_r(&random) % 2;
			ksm_page_fill(ksys_page(map, i),
				      own[i] ? 60000 + i : SEED);
		}
		mixture_ok(map, N, own, 60000);
		if (round % 2)
			ksm_run();
		else
			ksm_scan(2);
		within_limit(map, N, 7);
		mixture_ok(map, N, own, 60000);
		round++;
	} while (ksm_now_ms() < end);
	for (i = 0; i < N; i++)
		ksm_page_fill(ksys_page(map, i), SEED);
	ksm_scan(3);
	CHECK_EQ(ksm_get("pages_shared") + ksm_get("pages_sharing") +
		 ksm_get("pages_unshared"), N);
	CHECK(ksm_get("pages_shared") >= N / 7);
	CHECK(ksm_get("pages_unshared") <= 1);
	within_limit(map, N, 7);
	CHECK(ksm_contents_ok(map, N, SEED, 0));
	ksft_print_msg("%d rounds\n", round);
}

static const struct ksm_case cases[] = {
	{ "counters for many limits and numbers", test_many },
	{ "many chains", test_many_chains },
	{ "odd values", test_odd_values },
	{ "EBUSY while pages are shared", test_busy },
	{ "emptied pages are pruned, then filled", test_prune },
	{ "the same, pruning at once", test_prune_always },
	{ "half empty pages", test_half_empty },
	{ "all sharers gone", test_all_gone },
	{ "run=2", test_unmerge },
	{ "writers", test_writers },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
