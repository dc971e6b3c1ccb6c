// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_FREE of merged pages and of pages that are about to be merged.
 *
 * Until the caller of MADV_FREE writes to a page again, the page has the old
 * content or is zero, and once it is zero it stays so.  Other processes and
 * mappings that share the page must not notice any of that, whatever reclaim
 * does.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/random.h"
#include "lib/reclaim.h"

#define PAGES	128
#define SEED	3000

static void give_up(char *map, size_t pages)
{
	CHECK(!madvise(map, pages * ksm_page_size(), MADV_FREE));
}

/*
 * How many lazyfree pages are zero?  -1 if a page is neither zero nor as it was
 * before, or was zero already and is not any more.
 */
static long gone(const char *map, size_t pages, uint64_t seed, bool *was_zero)
{
	const char *page;
	long zeroes = 0;
	size_t i;

	for (i = 0; i < pages; i++) {
		page = ksys_page(map, i);
		/* In this order: it may go at any moment. */
		if (!was_zero[i] && ksm_page_ok(page, seed + i))
			continue;
		if (!ksm_page_is_zero(page)) {
			ksft_print_msg("lazyfree page %zu is neither old nor zero\n",
				       i);
			return -1;
		}
		was_zero[i] = true;
		zeroes++;
	}
	return zeroes;
}

/* More than there is: everything that can go goes. */
static void pressure(unsigned int rounds)
{
	while (rounds--)
		ksys_reclaim(16 * PAGES * ksm_page_size());
}

static int sharer(struct ksm_child *c, void *arg)
{
	int what;

	while ((what = ksm_hear(c)) != 'q') {
		if (what == 'f')
			give_up(arg, PAGES);
		else
			CHECK(ksm_contents_ok(arg, PAGES, SEED, 1));
		ksm_say(c, 'y');
	}
	return 0;
}

/* One of several sharers calls MADV_FREE; ksmd runs or does not. */
static void one_sharer(bool running)
{
	bool zero[PAGES] = { false };
	struct ksm_child c;
	char *a, *b;

	ksm_merge_pair(PAGES, SEED, &a, &b);
	ksm_child_start(&c, sharer, b);
	CHECK(ksm_ask(&c, 'c'));
	if (running)
		ksm_run();
	give_up(a, PAGES);
	pressure(3);
	CHECK(gone(a, PAGES, SEED, zero) >= 0);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_ask(&c, 'c'));
	if (running)
		CHECK_EQ(ksm_wait_scans(2, KSM_DEADLINE_MS), 0);
	pressure(3);
	CHECK(gone(a, PAGES, SEED, zero) >= 0);
	CHECK(ksm_ask(&c, 'c'));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	/* Written to, it is an ordinary page again. */
	ksm_fill(a, PAGES, SEED, 1);
	pressure(3);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK_EQ(ksm_child_end(&c), 0);
	ksm_stop();
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
}

static void test_one_sharer(void)
{
	one_sharer(false);
}

static void test_one_sharer_running(void)
{
	one_sharer(true);
}

/* The only mapping that is left of what were KSM pages */
static char *last_mapping(void)
{
	char *a, *b;

	ksm_merge_pair(PAGES, SEED, &a, &b);
	ksm_unmap(b, PAGES);
	CHECK_EQ(ksm_smaps_kb(a) * 1024, PAGES * ksm_page_size());
	return a;
}

static void test_last_sharer(void)
{
	bool zero[PAGES] = { false };
	char *a = last_mapping(), *b;

	give_up(a, PAGES);
	pressure(3);
	/* If it had no effect, this whole program would prove nothing. */
	CHECK(gone(a, PAGES, SEED, zero) > 0);
	/* The nodes of pages that were freed must not be taken for others. */
	b = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(2);
	CHECK(gone(a, PAGES, SEED, zero) > 0);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	pressure(3);
	CHECK(gone(a, PAGES, SEED, zero) > 0);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	ksm_fill(a, PAGES, SEED, 1);
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

/* MADV_FREE by the last sharer, then merged with a new page */
static void test_joined(void)
{
	bool zero[PAGES] = { false };
	char *a = last_mapping(), *b;
	struct ksm_child c;

	give_up(a, PAGES);
	b = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(2);
	/* It was not freed so far, nor may it be from now on. */
	CHECK(ksm_same_pages(a, b, PAGES));
	ksm_child_start(&c, sharer, b);
	pressure(6);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_ask(&c, 'c'));
	CHECK(gone(a, PAGES, SEED, zero) >= 0);
	ksm_unmap(a, PAGES);
	pressure(3);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_ask(&c, 'c'));
	CHECK_EQ(ksm_child_end(&c), 0);
}

/* The same while a fork has it, which ksmd was not to see. */
static void test_forked(void)
{
	bool zero[PAGES] = { false };
	char *a = last_mapping();
	struct ksm_child c;

	ksm_child_start(&c, sharer, a);
	CHECK(ksm_ask(&c, 'c'));
	/* MADV_FREE by the parent: the child keeps. */
	give_up(a, PAGES);
	pressure(3);
	CHECK(ksm_ask(&c, 'c'));
	CHECK(gone(a, PAGES, SEED, zero) >= 0);
	ksm_fill(a, PAGES, SEED, 1);
	/* MADV_FREE by the child: the parent keeps. */
	CHECK(ksm_ask(&c, 'f'));
	pressure(3);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	ksm_scan(2);
	pressure(3);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK_EQ(ksm_child_end(&c), 0);
}

/*
 * An unmerged page is a copy that was not written to, so its entry is clean.
 * MADV_FREE of the child must free the child's page only, not the parent's.
 */
static void test_unmerged(void)
{
	struct ksm_child c;
	char *a, *b;

	ksm_merge_pair(PAGES, SEED, &a, &b);
	ksm_unmergeable(a, PAGES);
	CHECK_EQ(ksm_smaps_kb(a), 0);
	ksm_child_start(&c, sharer, a);
	CHECK(ksm_ask(&c, 'c'));
	CHECK(ksm_ask(&c, 'f'));
	pressure(3);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK_EQ(ksm_child_end(&c), 0);
	pressure(3);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

/* A page that ksmd has visited or not, not merged so far, and its duplicate */
static void candidate(unsigned int scans_before)
{
	bool zero[PAGES] = { false };
	char *a = ksm_map_merge(PAGES, SEED, 1), *b;

	if (scans_before) {
		ksm_scan(scans_before);
		CHECK(ksm_counts_are(0, 0, PAGES, 0));
	}
	give_up(a, PAGES);
	b = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(3);
	CHECK(gone(a, PAGES, SEED, zero) >= 0);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	pressure(3);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(gone(a, PAGES, SEED, zero) >= 0);
	ksm_scan(2);
	CHECK(gone(a, PAGES, SEED, zero) >= 0);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	/* One byte written: old and that byte, or zeroes and that byte. */
	give_up(a, 1);
	a[100] = 7;
	CHECK_EQ(a[100], 7);
	a[100] = KSM_READ(a[96]) ? b[100] : 0;
	CHECK(ksm_page_is_zero(a) || ksm_page_ok(a, SEED));
	/* Written again, they are as good as new. */
	ksm_fill(a, PAGES, SEED, 1);
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	pressure(3);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

static void test_unseen_candidate(void)
{
	candidate(0);
}

static void test_candidate(void)
{
	candidate(2);
}

/* MADV_FREE of both duplicates before they are merged */
static void test_both_candidates(void)
{
	bool zero_a[PAGES] = { false }, zero_b[PAGES] = { false };
	char *a = ksm_map_merge(PAGES, SEED, 1);
	char *b = ksm_map_merge(PAGES, SEED, 1);

	give_up(a, PAGES);
	give_up(b, PAGES);
	ksm_scan(3);
	CHECK(gone(a, PAGES, SEED, zero_a) >= 0);
	CHECK(gone(b, PAGES, SEED, zero_b) >= 0);
	pressure(3);
	CHECK(gone(a, PAGES, SEED, zero_a) >= 0);
	CHECK(gone(b, PAGES, SEED, zero_b) >= 0);
	ksm_fill(a, PAGES, SEED, 1);
	pressure(3);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(gone(b, PAGES, SEED, zero_b) >= 0);
}

/* MADV_FREE, then written before reclaim: nothing is freed. */
static void written_again(bool smart_scan)
{
	char *a = ksm_map_merge(PAGES, SEED + 50000, 1);
	char *b = ksm_map_merge(PAGES, SEED, 1);

	ksm_set("smart_scan", smart_scan);
	give_up(a, PAGES);
	/* Until here MADV_FREE may not have got through to every page. */
	ksm_scan(1);
	ksm_fill(a, PAGES, SEED, 1);
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	pressure(3);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

static void test_written_again(void)
{
	written_again(false);
}

static void test_written_again_smart(void)
{
	written_again(true);
}

/* --- All at once --------------------------------------------------------- */

#define WORKERS	3

enum state {
	KEPT,		/* has to contain what was written */
	GIVEN_UP,	/* that, or zeroes */
	GONE,		/* zeroes were seen */
};

struct page_model {
	uint64_t seed;
	enum state state;
};

static bool model_ok(const char *page, struct page_model *m)
{
	if (m->state == KEPT)
		return ksm_contents_ok(page, 1, m->seed, 0);
	/* It may go while it is looked at. */
	if (m->state == GIVEN_UP && ksm_page_ok(page, m->seed))
		return true;
	m->state = GONE;
	return ksm_page_is_zero(page);
}

static bool all_ok(const char *map, struct page_model *m)
{
	size_t i;

	for (i = 0; i < PAGES; i++) {
		if (!model_ok(ksys_page(map, i), &m[i])) {
			ksft_print_msg("pid %d: page %zu in state %d\n",
				       getpid(), i, m[i].state);
			return false;
		}
	}
	return true;
}

/* A child that checks, and frees, pages that it shares with its parent */
static void short_life(char *map, struct page_model *m)
{
	size_t i;

	CHECK(all_ok(map, m));
	for (i = 0; i < PAGES; i += 3) {
		give_up(ksys_page(map, i), 1);
		if (m[i].state == KEPT)
			m[i].state = GIVEN_UP;
	}
	CHECK(all_ok(map, m));
	_exit(0);
}

/*
 * Also without KSM a page that is entirely clean, as after reading it back from
 * zram, is freed for the parent, too, after MADV_FREE of a child.  So pages are
 * written before, unless they are merged: KSM pages are never clean.
 */
static void touch_shared(char *map, const struct page_model *m)
{
	size_t i;

	for (i = 0; i < PAGES; i += 3) {
		char *page = ksys_page(map, i);

		if (m[i].state == KEPT && !ksm_is_merged(page))
			KSM_WRITE(*page, KSM_READ(*page));
	}
}

static void fork_once(char *map, struct page_model *m)
{
	int status;
	pid_t pid;

	touch_shared(map, m);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		short_life(map, m);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

static int worker(struct ksm_child *c, void *arg)
{
	uint64_t stop = ksm_now_ms() + ksys_budget_ms();
	__u64 rnd = (unsigned long)arg, zeroes = 0;
	static struct page_model m[PAGES];
	char *map = ksm_map(PAGES), *page;
	unsigned int rounds = 0;
	size_t i, n;

	for (i = 0; i < PAGES; i++) {
		m[i].seed = SEED + i % 40;
		ksm_page_fill(ksys_page(map, i), m[i].seed);
	}
	ksm_mergeable(map, PAGES);
	do {
		for (n = 0; n < 30; n++) {
			i = ksm_random(&rnd) % PAGES;
			page = ksys_page(map, i);
			CHECK(model_ok(page, &m[i]));
			zeroes += m[i].state == GONE;
			if (ksm_random(&rnd) % 2) {
				m[i].seed = SEED + ksm_random(&rnd) % 40;
				m[i].state = KEPT;
				ksm_page_fill(page, m[i].seed);
			} else if (m[i].state != GONE) {
				give_up(page, 1);
				m[i].state = GIVEN_UP;
			}
		}
		if (rounds++ % 16 == 0)
			fork_once(map, m);
		CHECK(all_ok(map, m));
	} while (ksm_now_ms() < stop);
	ksm_say_long(c, zeroes);
	/* When reclaim has ended: everything written once more, and kept. */
	ksm_hear(c);
	for (i = 0; i < PAGES; i++) {
		m[i].seed = SEED + i;
		m[i].state = KEPT;
		ksm_page_fill(ksys_page(map, i), m[i].seed);
	}
	ksm_say(c, 'y');
	ksm_hear(c);
	CHECK(all_ok(map, m));
	ksm_say(c, 'y');
	ksm_hear(c);
	return 0;
}

static void test_all_at_once(void)
{
	__u64 seed = ksm_random_seed(), stop;
	struct ksm_child c[WORKERS];
	long zeroes = 0;
	char *keeper;
	size_t i;

	/* A sharer that never calls MADV_FREE */
	keeper = ksm_map_merge(40, SEED, 1);
	ksm_run();
	stop = ksm_now_ms() + ksys_budget_ms();
	for (i = 0; i < WORKERS; i++) {
		ksm_random(&seed);
		ksm_child_start(&c[i], worker, (void *)(unsigned long)seed);
	}
	do {
		ksys_reclaim(8 * PAGES * ksm_page_size());
	} while (ksm_now_ms() < stop);
	for (i = 0; i < WORKERS; i++)
		zeroes += ksm_hear_long(&c[i]);
	ksft_print_msg("%ld times a page was gone\n", zeroes);
	CHECK(zeroes > 0);
	for (i = 0; i < WORKERS; i++)
		CHECK(ksm_ask(&c[i], 'w'));
	ksm_stop();
	/* Which also brings it back from swap. */
	CHECK(ksm_contents_ok(keeper, 40, SEED, 1));
	CHECK(ksm_scan_until(PAGES, (WORKERS - 1) * PAGES + 40, 0));
	pressure(2);
	CHECK(ksm_contents_ok(keeper, 40, SEED, 1));
	for (i = 0; i < WORKERS; i++)
		CHECK(ksm_ask(&c[i], 'c'));
	for (i = 0; i < WORKERS; i++)
		CHECK_EQ(ksm_child_end(&c[i]), 0);
}

static const struct ksm_case cases[] = {
	{ "lazyfree by one of several sharers", test_one_sharer },
	{ "the same while ksmd runs", test_one_sharer_running },
	{ "lazyfree by the last sharer", test_last_sharer },
	{ "lazyfree, then merged with a new page", test_joined },
	{ "parent and child", test_forked },
	{ "parent and child, unmerged", test_unmerged },
	{ "a candidate never seen before", test_unseen_candidate },
	{ "a candidate that waits for a duplicate", test_candidate },
	{ "both candidates of a pair", test_both_candidates },
	{ "lazyfree, then written", test_written_again },
	{ "lazyfree, then written, smart_scan", test_written_again_smart },
	{ "ksmd, reclaim, forks and writers at once", test_all_at_once },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_reclaim_setup(64UL << 20);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
