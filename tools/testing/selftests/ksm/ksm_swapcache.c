// SPDX-License-Identifier: GPL-2.0
/*
 * A merged page without mappings that is still in the swap cache.
 *
 * Reclaim unmapped it and wrote it, but extra references, here of a pipe, keep
 * it there.  A read fault must map the KSM page itself, whatever ksmd has done
 * since, so that it is shared as before.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/pipe.h"
#include "lib/reclaim.h"

#define PAGES	64
#define CACHED	8	/* as many as a pipe holds for certain */
#define SEED	1000

/* Another process with the same pages */
struct peer {
	struct ksm_child c;
	char *map;
};

/* 'c': are they what they were?  'w': write other ones, 'b': and back again */
static int peer_life(struct ksm_child *c, void *arg)
{
	char *map = ksm_map_merge(PAGES, SEED, 1);
	bool ok = true;
	int what;

	ksm_say_long(c, (long)map);
	while ((what = ksm_hear(c)) > 0 && what != 'q') {
		if (what == 'c')
			ok = ksm_contents_ok(map, PAGES, SEED, 1);
		else
			ksm_fill(map, PAGES, what == 'w' ? 70000 : SEED, 1);
		ksm_say(c, ok ? 'y' : 'n');
	}
	return 0;
}

static void peer_start(struct peer *p)
{
	ksm_child_start(&p->c, peer_life, NULL);
	p->map = (char *)ksm_hear_long(&p->c);
}

static unsigned long peer_pfn(const struct peer *p, size_t i)
{
	return ksm_pfn(p->c.pid, ksys_page(p->map, i));
}

static bool peer_shares(const struct peer *p, const char *map, size_t pages)
{
	unsigned long pfn;
	size_t i;

	for (i = 0; i < pages; i++) {
		pfn = ksm_pfn(0, ksys_page(map, i));
		if (pfn && pfn == peer_pfn(p, i) &&
		    ksm_is_merged(ksys_page(map, i)))
			continue;
		ksft_print_msg("page %zu is not shared: frame %lu, %lu\n", i,
			       pfn, peer_pfn(p, i));
		return false;
	}
	return true;
}

static void let_go(int pipefd[2])
{
	CHECK(ksys_pipe_ok(pipefd, CACHED, SEED));
	ksys_pipe_close(pipefd);
}

/* The caller's pages, merged with those of a peer, and what holds some */
struct cached {
	struct peer peer;
	char *map;
	int pipefd[2];
	unsigned long pfn[CACHED];
};

static void check_cached(const struct cached *s)
{
	size_t i;

	for (i = 0; i < CACHED; i++) {
		CHECK_EQ(ksm_kpagecount(s->pfn[i]), 0);
		CHECK(ksm_kpageflags(s->pfn[i]) & KSM_KPF_SWAPCACHE);
	}
}

static void swap_out(struct cached *s)
{
	size_t i;

	for (i = 0; i < CACHED; i++)
		s->pfn[i] = ksm_pfn(0, ksys_page(s->map, i));
	CHECK(ksys_swap_out(s->map, PAGES) >= CACHED);
	for (i = 0; i < PAGES; i++)
		CHECK(ksm_pagemap(s->peer.c.pid, ksys_page(s->peer.map, i)) &
		      KSM_PM_SWAP);
	check_cached(s);
}

static void set_up(struct cached *s)
{
	peer_start(&s->peer);
	s->map = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(peer_shares(&s->peer, s->map, PAGES));
	ksys_pipe_hold(s->pipefd, s->map, CACHED);
	swap_out(s);
}

/*
 * ksmd has to be there, to attach what is mapped, or else nothing is mapped
 * that is not attached already.  But it sleeps: it is not its merit.
 */
static void begin_reading(void)
{
	ksm_set("pages_to_scan", 1);
	ksm_set("sleep_millisecs", 10 * KSM_DEADLINE_MS);
	ksm_run();
	ksm_sleep_ms(200);
}

static void end_reading(void)
{
	ksm_stop();
	ksm_set("pages_to_scan", 5000);
	ksm_set("sleep_millisecs", 0);
}

/* Both read all, and share what did not leave the swap cache. */
static void both_share(struct cached *s)
{
	size_t i;

	begin_reading();
	CHECK(ksm_contents_ok(s->map, PAGES, SEED, 1));
	CHECK(ksm_ask(&s->peer.c, 'c'));
	CHECK(peer_shares(&s->peer, s->map, CACHED));
	for (i = 0; i < CACHED; i++)
		CHECK_EQ(ksm_pfn(0, ksys_page(s->map, i)), s->pfn[i]);
	end_reading();
}

static void merged_again(struct cached *s)
{
	ksm_scan(4);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(peer_shares(&s->peer, s->map, PAGES));
	CHECK(ksm_contents_ok(s->map, PAGES, SEED, 1));
	CHECK(ksm_ask(&s->peer.c, 'c'));
}

static void test_passes(void)
{
	struct cached s;

	set_up(&s);
	ksm_scan(3);
	check_cached(&s);
	both_share(&s);
	merged_again(&s);
	/* Writing still makes a copy, for either of them. */
	ksm_fill(s.map, CACHED, 5555, 1);
	CHECK(ksm_ask(&s.peer.c, 'c'));
	CHECK(ksm_ask(&s.peer.c, 'w'));
	CHECK(ksm_contents_ok(s.map, CACHED, 5555, 1));
	let_go(s.pipefd);
	CHECK(ksm_ask(&s.peer.c, 'b'));
	ksm_fill(s.map, CACHED, SEED, 1);
	merged_again(&s);
	CHECK_EQ(ksm_child_end(&s.peer.c), 0);
}

/* Out and in, again and again: every time they are the KSM pages they were. */
static void test_rounds(void)
{
	struct cached s;
	int round;

	set_up(&s);
	for (round = 0; round < 3; round++) {
		ksm_scan(2);
		both_share(&s);
		ksm_scan(2);
		swap_out(&s);
	}
	ksm_scan(2);
	both_share(&s);
	let_go(s.pipefd);
	merged_again(&s);
	CHECK_EQ(ksm_child_end(&s.peer.c), 0);
}

/* The first write must not take the page away from the other mapping. */
static void test_write(void)
{
	struct cached s;

	set_up(&s);
	ksm_scan(3);
	begin_reading();
	CHECK(ksm_ask(&s.peer.c, 'w'));
	CHECK(ksm_contents_ok(s.map, PAGES, SEED, 1));
	end_reading();
	CHECK_EQ(ksm_pfn(0, s.map), s.pfn[0]);
	CHECK(ksm_kpageflags(s.pfn[0]) & KSM_KPF_KSM);
	let_go(s.pipefd);
	CHECK(ksm_ask(&s.peer.c, 'b'));
	merged_again(&s);
	CHECK_EQ(ksm_child_end(&s.peer.c), 0);
}

/* Change a knob that says EBUSY as long as there are KSM pages, and back. */
static void change_knob(void)
{
	if (ksm_has("merge_across_nodes")) {
		CHECK_EQ(ksm_write_text("merge_across_nodes", "0"), 0);
		CHECK_EQ(ksm_write_text("merge_across_nodes", "1"), 0);
	}
	CHECK_EQ(ksm_write_text("max_page_sharing", "128"), 0);
	CHECK_EQ(ksm_write_text("max_page_sharing", "256"), 0);
}

/* Unmerged: there are no KSM pages, neither now nor when it is read. */
static void unmerge(unsigned int scans)
{
	struct cached s;
	size_t i;

	set_up(&s);
	if (scans)
		ksm_scan(scans);
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	check_cached(&s);
	change_knob();
	ksm_stop();
	CHECK(ksm_contents_ok(s.map, PAGES, SEED, 1));
	CHECK(ksm_ask(&s.peer.c, 'c'));
	for (i = 0; i < PAGES; i++)
		CHECK(ksm_pfn(0, ksys_page(s.map, i)) != peer_pfn(&s.peer, i));
	CHECK(ksm_none_merged(s.map, PAGES));
	CHECK(ksm_counts_are(0, 0, 0, 0));
	change_knob();
	let_go(s.pipefd);
	merged_again(&s);
	CHECK_EQ(ksm_child_end(&s.peer.c), 0);
}

static void test_unmerge(void)
{
	unmerge(3);
}

static void test_unmerge_at_once(void)
{
	unmerge(0);
}

/*
 * Stopped, ksmd attaches nothing: a reader gets a copy, as the reverse map
 * would not find the mapping, unless ksmd did not come by and it still does.
 */
static void test_stopped(void)
{
	struct cached s;
	size_t i;

	set_up(&s);
	CHECK(ksm_contents_ok(s.map, PAGES, SEED, 1));
	for (i = 0; i < CACHED; i++)
		CHECK_EQ(ksm_pfn(0, ksys_page(s.map, i)), s.pfn[i]);
	CHECK(ksm_ask(&s.peer.c, 'c'));
	swap_out(&s);
	ksm_scan(3);
	CHECK(ksm_contents_ok(s.map, PAGES, SEED, 1));
	CHECK(ksm_ask(&s.peer.c, 'c'));
	for (i = 0; i < PAGES; i++)
		CHECK(ksm_pfn(0, ksys_page(s.map, i)) != peer_pfn(&s.peer, i));
	CHECK(ksm_none_merged(s.map, PAGES));
	let_go(s.pipefd);
	merged_again(&s);
	CHECK_EQ(ksm_child_end(&s.peer.c), 0);
}

/* One of two exits: the page is still the other one's, and a KSM page. */
static void test_one_exits(void)
{
	struct cached s;
	size_t i;

	set_up(&s);
	ksm_scan(3);
	CHECK_EQ(ksm_child_end(&s.peer.c), 0);
	ksm_scan(3);
	check_cached(&s);
	begin_reading();
	CHECK(ksm_contents_ok(s.map, PAGES, SEED, 1));
	end_reading();
	for (i = 0; i < CACHED; i++) {
		CHECK_EQ(ksm_pfn(0, ksys_page(s.map, i)), s.pfn[i]);
		CHECK(ksm_kpageflags(s.pfn[i]) & KSM_KPF_KSM);
	}
	ksm_scan(3);
	CHECK_EQ(ksm_get("pages_sharing"), 0);
	CHECK_EQ(ksm_get("pages_shared") + ksm_get("pages_unshared"), PAGES);
	CHECK(ksm_contents_ok(s.map, PAGES, SEED, 1));
	let_go(s.pipefd);
}

static bool knob_is_free(void *arg)
{
	return !ksm_write_text("max_page_sharing", "128");
}

/* All exit, and the pages are freed: nothing is left of them. */
static void test_all_exit(void)
{
	struct cached s;
	char *keeper;

	peer_start(&s.peer);
	/* Without a registered mm there would be no pass. */
	keeper = ksm_map_merge(1, 4711, 0);
	s.map = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 1, 0));
	ksys_pipe_hold(s.pipefd, s.map, CACHED);
	swap_out(&s);
	ksm_scan(2);
	CHECK_EQ(ksm_child_end(&s.peer.c), 0);
	ksm_unmap(s.map, PAGES);
	ksm_scan(2);
	CHECK_EQ(ksm_get("pages_sharing"), 0);
	let_go(s.pipefd);
	/* So far they were in the swap cache; now it is time to forget them. */
	ksys_reclaim(PAGES * ps());
	ksm_run();
	CHECK(ksm_poll(knob_is_free, NULL, KSM_DEADLINE_MS));
	ksm_stop();
	/* It was reclaimed as well. */
	CHECK(ksm_page_ok(keeper, 4711));
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, 1, 0));
	CHECK(ksm_page_ok(keeper, 4711));
}

/* A duplicate is mapped while the page is in the swap cache. */
static void test_newcomer(void)
{
	struct cached s;
	char *late;

	set_up(&s);
	ksm_scan(2);
	late = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(3);
	begin_reading();
	CHECK(ksm_contents_ok(late, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(s.map, PAGES, SEED, 1));
	CHECK(ksm_ask(&s.peer.c, 'c'));
	end_reading();
	CHECK(peer_shares(&s.peer, s.map, CACHED));
	let_go(s.pipefd);
	ksm_scan(5);
	CHECK(ksm_counts_are(PAGES, 2 * PAGES, 0, 0));
	CHECK(ksm_same_pages(s.map, late, PAGES));
	CHECK(peer_shares(&s.peer, late, PAGES));
	CHECK(ksm_contents_ok(late, PAGES, SEED, 1));
	CHECK(ksm_ask(&s.peer.c, 'c'));
	CHECK_EQ(ksm_child_end(&s.peer.c), 0);
}

static const struct ksm_case cases[] = {
	{ "read after passes of ksmd", test_passes },
	{ "out and in, many times", test_rounds },
	{ "written by one after passes of ksmd", test_write },
	{ "run=2 after passes of ksmd", test_unmerge },
	{ "run=2 at once", test_unmerge_at_once },
	{ "while ksmd is stopped", test_stopped },
	{ "one of two exits", test_one_exits },
	{ "all exit", test_all_exit },
	{ "a duplicate is mapped", test_newcomer },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_reclaim_setup(64UL << 20);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
