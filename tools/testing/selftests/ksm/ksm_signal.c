// SPDX-License-Identifier: GPL-2.0
/*
 * Unmerging with many signals.
 *
 * mremap(), madvise() and prctl() unmerge pages first, and programs do not
 * expect that they fail with EINTR.  With no or few merged pages they must not
 * be interrupted.  With many they may be, but each try must make progress:
 * otherwise a process with a fast timer would never finish.
 *
 * The timer is set for each call, so that its signals come at all times of the
 * call, also right after its start.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/random.h"

#define SEED		9500
#define PLAIN		2048	/* pages of which none is merged */
#define BIG		2048	/* pages of which all are merged */
#define FEW		16	/* merged pages that are not interrupted ... */
#define AMONG		64	/* ... among so many */
#define RANGES		48
#define MIN_CALLS	20

/* --- The storm ----------------------------------------------------------- */

/* In one call; then they come half as often, and so on. */
#define FULL_FORCE	64

static volatile unsigned long signals, in_this_call;
static volatile bool storming;
static unsigned int every_us;
static timer_t timer;
static __u64 rnd;

static void set_timer(unsigned long us, unsigned long ns)
{
	struct itimerspec its = {
		.it_value.tv_sec = us / 1000000,
		.it_value.tv_nsec = us % 1000000 * 1000 + ns,
	};

	CHECK(!timer_settime(timer, 0, &its, NULL));
}

/*
 * The next one comes so long after this, and not after the last: a machine that
 * takes longer than that for a signal would do nothing else.
 */
static void count_signal(int sig)
{
	unsigned long halved = in_this_call / FULL_FORCE;
	unsigned long us = every_us;

	signals++;
	in_this_call++;
	if (storming)
		set_timer(us << (halved < 10 ? halved : 10), 0);
}

static void prepare_storm(int sa_flags)
{
	struct sigaction sa = { .sa_handler = count_signal };
	struct sigevent ev = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
	};

	sa.sa_flags = sa_flags;
	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	CHECK(!timer_create(CLOCK_MONOTONIC, &ev, &timer));
	every_us = ksm_slowness() > 4 ? 400 : 80;
	rnd = ksm_random_seed();
	signals = 0;
}

/* The first signal comes at some time within a period, or never again. */
static void storm(bool on)
{
	storming = on;
	in_this_call = 0;
	set_timer(0, on ? 1 + ksm_random(&rnd) % (every_us * 1000) : 0);
}

/* It was no storm if nothing came; on a busy host it is not much. */
static void check_signals(unsigned long calls)
{
	ksft_print_msg("%lu calls, %lu signals\n", calls, signals);
	CHECK(signals >= 3);
}

/* --- Calls that unmerge -------------------------------------------------- */

/* Each returns 0 or -errno.  Only mremap() changes *map. */
typedef int (*unmerge_fn)(char **map, size_t pages);

/* Where mremap() puts what is unmerged */
static char *elsewhere;

static int by_mremap(char **map, size_t pages)
{
	size_t len = pages * ps();
	char *from = *map, *to;

	storm(true);
	to = mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere);
	if (to == MAP_FAILED) {
		int err = errno;

		storm(false);
		return -err;
	}
	storm(false);
	CHECK(to == elsewhere);
	*map = to;
	elsewhere = from;
	return 0;
}

static int by_madvise(char **map, size_t pages)
{
	int err = 0;

	storm(true);
	if (madvise(*map, pages * ps(), MADV_UNMERGEABLE))
		err = -errno;
	storm(false);
	return err;
}

static int by_prctl(char **map, size_t pages)
{
	int err = 0;

	storm(true);
	if (prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0))
		err = -errno;
	storm(false);
	return err;
}

/* Mergeable again, in the way that suits the call */
static void make_mergeable(unmerge_fn unmerge, char *map, size_t pages)
{
	if (unmerge == by_prctl)
		CHECK(!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	else
		ksm_mergeable(map, pages);
}

/* --- Nothing merged ------------------------------------------------------ */

static void nothing_merged(unmerge_fn unmerge)
{
	__u64 end = ksm_now_ms() + ksys_budget_ms() / 3;
	char *map = ksm_map(PLAIN);
	unsigned long calls = 0;
	long cow;

	elsewhere = ksm_map(PLAIN);
	ksm_fill(map, PLAIN, SEED, 1);
	prepare_storm(0);
	cow = ksm_vmstat("cow_ksm");
	while (ksm_now_ms() < end || calls < MIN_CALLS) {
		make_mergeable(unmerge, map, PLAIN);
		CHECK_EQ(unmerge(&map, PLAIN), 0);
		calls++;
	}
	check_signals(calls);
	CHECK_EQ(ksm_vmstat("cow_ksm"), cow);
	CHECK(ksm_contents_ok(map, PLAIN, SEED, 1));
}

static void test_nothing_mremap(void)
{
	nothing_merged(by_mremap);
}

static void test_nothing_madvise(void)
{
	nothing_merged(by_madvise);
}

static void test_nothing_prctl(void)
{
	nothing_merged(by_prctl);
}

/* --- A few merged -------------------------------------------------------- */

static uint64_t seed_of(size_t i, unsigned int few, unsigned int nr)
{
	return i % (AMONG / few) ? SEED + 1000 * nr + i : SEED + i;
}

/* AMONG pages of one page table, of which a few have duplicates */
static char *map_with_few(unsigned int few, unsigned int nr)
{
	size_t len = AMONG * ps();
	char *map = ksm_map(2 * AMONG);
	size_t i;

	map += len - (uintptr_t)map % len;
	for (i = 0; i < AMONG; i++)
		ksm_page_fill(ksys_page(map, i), seed_of(i, few, nr));
	ksm_mergeable(map, AMONG);
	return map;
}

static void check_few_contents(const char *map, unsigned int few,
			       unsigned int nr)
{
	size_t i;

	for (i = 0; i < AMONG; i++)
		CHECK(ksm_contents_ok(ksys_page(map, i), 1,
				      seed_of(i, few, nr), 0));
}

static void check_few(const char *map, unsigned int few, unsigned int nr,
		      bool merged)
{
	CHECK_EQ(ksm_count_merged(map, AMONG), merged ? few : 0);
	check_few_contents(map, few, nr);
}

static void few_merged(unmerge_fn unmerge)
{
	char *map[RANGES + 1];
	unsigned int i;
	long cow;

	/* One more than are unmerged, or the last would have no sharer. */
	for (i = 0; i <= RANGES; i++)
		map[i] = map_with_few(FEW, i + 1);
	ksm_scan(3);
	CHECK(ksm_counts_are(FEW, FEW * RANGES,
			     (RANGES + 1) * (AMONG - FEW), 0));
	cow = ksm_vmstat("cow_ksm");
	prepare_storm(0);
	for (i = 0; i < RANGES; i++) {
		elsewhere = ksm_map(AMONG);
		check_few(map[i], FEW, i + 1, true);
		CHECK_EQ(unmerge(&map[i], AMONG), 0);
		check_few(map[i], FEW, i + 1, false);
	}
	check_signals(RANGES);
	CHECK_EQ(ksm_vmstat("cow_ksm") - cow, RANGES * FEW);
}

static void test_few_mremap(void)
{
	few_merged(by_mremap);
}

static void test_few_madvise(void)
{
	few_merged(by_madvise);
}

static int duplicates_child(struct ksm_child *c, void *arg)
{
	char *map = map_with_few(FEW / 2, 2);

	ksm_say(c, 'r');
	if (ksm_hear(c) != 'e')
		return 1;
	check_few_contents(map, FEW / 2, 2);
	return 0;
}

/*
 * prctl() unmerges all memory of the process, which may have other pages of
 * zeroes.  So the duplicates are in another process.
 */
static void test_few_prctl(void)
{
	struct ksm_child other;
	unsigned int i;
	char *map;

	ksm_child_start(&other, duplicates_child, NULL);
	CHECK_EQ(ksm_hear(&other), 'r');
	map = map_with_few(FEW / 2, 1);
	prepare_storm(0);
	for (i = 0; i < RANGES / 2; i++) {
		CHECK(!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
		ksm_scan(3);
		check_few(map, FEW / 2, 1, true);
		CHECK(ksm_merging_pages(0) <= FEW);
		CHECK_EQ(by_prctl(&map, AMONG), 0);
		check_few(map, FEW / 2, 1, false);
	}
	check_signals(i);
	ksm_say(&other, 'e');
	CHECK_EQ(ksm_child_wait(&other), 0);
}

/* --- Much merged --------------------------------------------------------- */

/* Try until it is done, and see to it that each try brings it on. */
static unsigned long insist(unmerge_fn unmerge, char **map)
{
	unsigned long tries = 0;
	long before, now = ksm_vmstat("cow_ksm");
	int err;

	do {
		before = now;
		err = unmerge(map, BIG);
		now = ksm_vmstat("cow_ksm");
		tries++;
		CHECK(!err || err == -EINTR);
		ksm_check(!err || now > before,
			  "try %lu brought nothing\n", tries);
	} while (err);
	return tries;
}

static void much_merged(unmerge_fn unmerge)
{
	unsigned long tries;
	char *map, *dup;
	long cow;

	ksm_merge_pair(BIG, SEED, &map, &dup);
	if (unmerge == by_prctl)
		CHECK(!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	elsewhere = ksm_map(BIG);
	prepare_storm(0);
	cow = ksm_vmstat("cow_ksm");
	tries = insist(unmerge, &map);
	check_signals(tries);
	CHECK(ksm_vmstat("cow_ksm") - cow >= BIG);
	CHECK_EQ(ksm_count_merged(map, BIG), 0);
	CHECK(ksm_contents_ok(map, BIG, SEED, 1));
	ksm_fill(map, BIG, SEED + BIG, 1);
	CHECK(ksm_contents_ok(dup, BIG, SEED, 1));
}

static void test_much_mremap(void)
{
	much_merged(by_mremap);
}

static void test_much_madvise(void)
{
	much_merged(by_madvise);
}

static void test_much_prctl(void)
{
	much_merged(by_prctl);
}

/* With SA_RESTART it is the kernel that tries again. */
static void restarted(unmerge_fn unmerge)
{
	char *map, *dup;

	ksm_merge_pair(BIG, SEED, &map, &dup);
	elsewhere = ksm_map(BIG);
	prepare_storm(SA_RESTART);
	CHECK_EQ(unmerge(&map, BIG), 0);
	check_signals(1);
	CHECK_EQ(ksm_count_merged(map, BIG), 0);
	CHECK(ksm_contents_ok(map, BIG, SEED, 1));
	ksm_fill(map, BIG, SEED + BIG, 1);
	CHECK(ksm_contents_ok(dup, BIG, SEED, 1));
}

static void test_restarted_mremap(void)
{
	restarted(by_mremap);
}

static void test_restarted_madvise(void)
{
	restarted(by_madvise);
}

static const struct ksm_case cases[] = {
	{ "nothing merged: mremap", test_nothing_mremap },
	{ "nothing merged: MADV_UNMERGEABLE", test_nothing_madvise },
	{ "nothing merged: PR_SET_MEMORY_MERGE 0", test_nothing_prctl },
	{ "a few merged: mremap", test_few_mremap },
	{ "a few merged: MADV_UNMERGEABLE", test_few_madvise },
	{ "a few merged: PR_SET_MEMORY_MERGE 0", test_few_prctl },
	{ "much merged: mremap", test_much_mremap },
	{ "much merged: MADV_UNMERGEABLE", test_much_madvise },
	{ "much merged: PR_SET_MEMORY_MERGE 0", test_much_prctl },
	{ "much merged, SA_RESTART: mremap", test_restarted_mremap },
	{ "much merged, SA_RESTART: MADV_UNMERGEABLE", test_restarted_madvise },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
