// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_FREE of merged pages and of pages that are about to be merged.
 *
 * The caller gives up what he has: until he writes again he may find the old
 * content or zeroes, and once zeroes, zeroes from then on.  Nothing else, and
 * nothing of it may show in any other process or mapping that has a page of
 * the same content, whatever reclaim does.
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
	must(!madvise(map, pages * ksm_page_size(), MADV_FREE));
}

/*
 * What was given up: each page as it was, or zero.  How many are zero, or -1
 * if one is neither, or was zero already and is not any more.
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
			ksft_print_msg("page %zu, given up, is neither old nor zero\n",
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
			must(ksm_contents_ok(arg, PAGES, SEED, 1));
		ksm_say(c, 'y');
	}
	return 0;
}

/* One of several sharers gives up; ksmd runs or it does not. */
static void one_sharer(bool running)
{
	bool zero[PAGES] = { false };
	struct ksm_child c;
	char *a, *b;

	ksys_merge_pair(PAGES, SEED, &a, &b);
	ksm_child_start(&c, sharer, b);
	must(ksm_ask(&c, 'c'));
	if (running)
		ksm_run();
	give_up(a, PAGES);
	pressure(3);
	must(gone(a, PAGES, SEED, zero) >= 0);
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	must(ksm_ask(&c, 'c'));
	if (running)
		must_eq(ksm_wait_scans(2, KSM_DEADLINE_MS), 0);
	pressure(3);
	must(gone(a, PAGES, SEED, zero) >= 0);
	must(ksm_ask(&c, 'c'));
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	/* Written to, it is an ordinary page again. */
	ksm_fill(a, PAGES, SEED, 1);
	pressure(3);
	must(ksm_contents_ok(a, PAGES, SEED, 1));
	must_eq(ksm_child_end(&c), 0);
	ksm_stop();
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	must(ksys_settle(PAGES, PAGES, 0));
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

	ksys_merge_pair(PAGES, SEED, &a, &b);
	ksm_unmap(b, PAGES);
	must_eq(ksys_ksm_kb(a) * 1024, PAGES * ksm_page_size());
	return a;
}

static void test_last_sharer(void)
{
	bool zero[PAGES] = { false };
	char *a = last_mapping(), *b;

	give_up(a, PAGES);
	pressure(3);
	/* If it had no effect, this whole program would prove nothing. */
	must(gone(a, PAGES, SEED, zero) > 0);
	/* The nodes of pages that were freed must not be taken for others. */
	b = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(2);
	must(gone(a, PAGES, SEED, zero) > 0);
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	pressure(3);
	must(gone(a, PAGES, SEED, zero) > 0);
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	ksm_fill(a, PAGES, SEED, 1);
	must(ksys_settle(PAGES, PAGES, 0));
	must(ksm_contents_ok(a, PAGES, SEED, 1));
	must(ksm_contents_ok(b, PAGES, SEED, 1));
}

/* Given up by the last who mapped it, then found by somebody new. */
static void test_joined(void)
{
	bool zero[PAGES] = { false };
	char *a = last_mapping(), *b;
	struct ksm_child c;

	give_up(a, PAGES);
	b = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(2);
	/* It was not freed so far, nor may it be from now on. */
	must(ksys_same_pages(a, b, PAGES));
	ksm_child_start(&c, sharer, b);
	pressure(6);
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	must(ksm_ask(&c, 'c'));
	must(gone(a, PAGES, SEED, zero) >= 0);
	ksm_unmap(a, PAGES);
	pressure(3);
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	must(ksm_ask(&c, 'c'));
	must_eq(ksm_child_end(&c), 0);
}

/* The same while a fork has it, which ksmd was not to see. */
static void test_forked(void)
{
	bool zero[PAGES] = { false };
	char *a = last_mapping();
	struct ksm_child c;

	ksm_child_start(&c, sharer, a);
	must(ksm_ask(&c, 'c'));
	/* The parent gives up: the child keeps. */
	give_up(a, PAGES);
	pressure(3);
	must(ksm_ask(&c, 'c'));
	must(gone(a, PAGES, SEED, zero) >= 0);
	ksm_fill(a, PAGES, SEED, 1);
	/* The child gives up: the parent keeps. */
	must(ksm_ask(&c, 'f'));
	pressure(3);
	must(ksm_contents_ok(a, PAGES, SEED, 1));
	ksm_scan(2);
	pressure(3);
	must(ksm_contents_ok(a, PAGES, SEED, 1));
	must_eq(ksm_child_end(&c), 0);
}

/*
 * What is unmerged is a copy that nobody has written to: its entry is clean.
 * A child that gives it up gives up what it has, not what its parent has.
 */
static void test_unmerged(void)
{
	struct ksm_child c;
	char *a, *b;

	ksys_merge_pair(PAGES, SEED, &a, &b);
	ksm_unmergeable(a, PAGES);
	must_eq(ksys_ksm_kb(a), 0);
	ksm_child_start(&c, sharer, a);
	must(ksm_ask(&c, 'c'));
	must(ksm_ask(&c, 'f'));
	pressure(3);
	must(ksm_contents_ok(a, PAGES, SEED, 1));
	must_eq(ksm_child_end(&c), 0);
	pressure(3);
	must(ksm_contents_ok(a, PAGES, SEED, 1));
	must(ksm_contents_ok(b, PAGES, SEED, 1));
}

/* A page that ksmd has seen, unmerged so far, or has not; and its like. */
static void candidate(unsigned int scans_before)
{
	bool zero[PAGES] = { false };
	char *a = ksm_map_merge(PAGES, SEED, 1), *b;

	if (scans_before) {
		ksm_scan(scans_before);
		must(ksm_counts_are(0, 0, PAGES, 0));
	}
	give_up(a, PAGES);
	b = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(3);
	must(gone(a, PAGES, SEED, zero) >= 0);
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	pressure(3);
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	must(gone(a, PAGES, SEED, zero) >= 0);
	ksm_scan(2);
	must(gone(a, PAGES, SEED, zero) >= 0);
	must(ksm_contents_ok(b, PAGES, SEED, 1));
	/* One byte written: old and that byte, or zeroes and that byte. */
	give_up(a, 1);
	a[100] = 7;
	must_eq(a[100], 7);
	a[100] = KSM_READ(a[96]) ? b[100] : 0;
	must(ksm_page_is_zero(a) || ksm_page_ok(a, SEED));
	/* Written again, they are as good as new. */
	ksm_fill(a, PAGES, SEED, 1);
	must(ksys_settle(PAGES, PAGES, 0));
	pressure(3);
	must(ksm_contents_ok(a, PAGES, SEED, 1));
	must(ksm_contents_ok(b, PAGES, SEED, 1));
}

static void test_unseen_candidate(void)
{
	candidate(0);
}

static void test_candidate(void)
{
	candidate(2);
}

/* Both of a pair give up what they are about to share. */
static void test_both_candidates(void)
{
	bool zero_a[PAGES] = { false }, zero_b[PAGES] = { false };
	char *a = ksm_map_merge(PAGES, SEED, 1);
	char *b = ksm_map_merge(PAGES, SEED, 1);

	give_up(a, PAGES);
	give_up(b, PAGES);
	ksm_scan(3);
	must(gone(a, PAGES, SEED, zero_a) >= 0);
	must(gone(b, PAGES, SEED, zero_b) >= 0);
	pressure(3);
	must(gone(a, PAGES, SEED, zero_a) >= 0);
	must(gone(b, PAGES, SEED, zero_b) >= 0);
	ksm_fill(a, PAGES, SEED, 1);
	pressure(3);
	must(ksm_contents_ok(a, PAGES, SEED, 1));
	must(gone(b, PAGES, SEED, zero_b) >= 0);
}

/* Given up and written again before anybody has noticed: nothing happened. */
static void written_again(bool smart_scan)
{
	char *a = ksm_map_merge(PAGES, SEED + 50000, 1);
	char *b = ksm_map_merge(PAGES, SEED, 1);

	ksm_set("smart_scan", smart_scan);
	give_up(a, PAGES);
	/* Until here MADV_FREE may not have got through to every page. */
	ksm_scan(1);
	ksm_fill(a, PAGES, SEED, 1);
	must(ksys_settle(PAGES, PAGES, 0));
	must(ksys_same_pages(a, b, PAGES));
	pressure(3);
	must(ksm_contents_ok(a, PAGES, SEED, 1));
	must(ksm_contents_ok(b, PAGES, SEED, 1));
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

/* A child that looks at, and gives up, what it shares with its parent. */
static void short_life(char *map, struct page_model *m)
{
	size_t i;

	must(all_ok(map, m));
	for (i = 0; i < PAGES; i += 3) {
		give_up(ksys_page(map, i), 1);
		if (m[i].state == KEPT)
			m[i].state = GIVEN_UP;
	}
	must(all_ok(map, m));
	_exit(0);
}

/*
 * Not to be blamed on KSM: a page that is clean in every respect, as after
 * reading it back from zram, is thrown away for the parent, too, when a child
 * gives it up.  So what the child will give up is written before, unless it is
 * merged: KSM pages are never clean.
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
	must(pid >= 0);
	if (!pid)
		short_life(map, m);
	must(waitpid(pid, &status, 0) == pid);
	must_eq(status, 0);
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
			must(model_ok(page, &m[i]));
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
		must(all_ok(map, m));
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
	must(all_ok(map, m));
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

	/* Somebody to share with who never gives up */
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
	must(zeroes > 0);
	for (i = 0; i < WORKERS; i++)
		must(ksm_ask(&c[i], 'w'));
	ksm_stop();
	/* Which also brings it back from swap. */
	must(ksm_contents_ok(keeper, 40, SEED, 1));
	must(ksys_settle(PAGES, (WORKERS - 1) * PAGES + 40, 0));
	pressure(2);
	must(ksm_contents_ok(keeper, 40, SEED, 1));
	for (i = 0; i < WORKERS; i++)
		must(ksm_ask(&c[i], 'c'));
	for (i = 0; i < WORKERS; i++)
		must_eq(ksm_child_end(&c[i]), 0);
}

static const struct ksys_case cases[] = {
	{ "one of several sharers gives up", test_one_sharer },
	{ "the same while ksmd runs", test_one_sharer_running },
	{ "the last sharer gives up", test_last_sharer },
	{ "given up, then joined", test_joined },
	{ "parent and child", test_forked },
	{ "parent and child, unmerged", test_unmerged },
	{ "a candidate never seen before", test_unseen_candidate },
	{ "a candidate that waits for its like", test_candidate },
	{ "both candidates of a pair", test_both_candidates },
	{ "given up and written again", test_written_again },
	{ "given up and written again, smart_scan", test_written_again_smart },
	{ "ksmd, reclaim, forks and writers at once", test_all_at_once },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_reclaim_setup(64UL << 20);
	ksys_main(cases, ARRAY_SIZE(cases));
}
