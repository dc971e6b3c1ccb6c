// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody can make ksmd slow for others by what his pages contain.
 *
 * Which bytes of a page make its key, is drawn at boot and secret.  All that an
 * adversary can do is to have pages that differ in so few places that most of
 * their keys are equal in the cheap part, so that ksmd has to read them as a
 * whole: 64 cache lines instead of 4, which is where the bound of 16 comes
 * from.
 *
 * All the while equal pages of others have to be merged as ever.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/siege.h"

#define PAGES		8192
#define TWIN_SEED	77
#define LINE		64	/* bytes */

#define DIGEST_TIMES	16

/* --- Twins --------------------------------------------------------------- */

/*
 * Pages that are equal but for one word; which one, depends on the number of
 * the page.  It contains that number, and in its upper half the round.
 */
typedef uint64_t *(*place_fn)(const struct siege_army *a, size_t i);

static uint64_t *any_line(const struct siege_army *a, size_t i)
{
	uint64_t rnd = (i + 1) * 0x9e3779b97f4a7c15ULL;

	rnd ^= rnd >> 29;
	rnd *= 0xbf58476d1ce4e5b9ULL;
	return (uint64_t *)(siege_page(a, i) +
			    (rnd >> 32) % (ps() / LINE) * LINE);
}

static uint64_t *last_word(const struct siege_army *a, size_t i)
{
	return (uint64_t *)(siege_page(a, i) + ps()) - 1;
}

static void write_twins(struct siege_army *a, place_fn place, size_t from)
{
	size_t i;

	for (i = from; i < a->pages; i++)
		KSM_WRITE(*place(a, i), a->rounds << 32 | i);
}

static void prepare_twins(struct siege_army *a, place_fn place)
{
	siege_map(a);
	ksm_fill(a->map, a->pages, TWIN_SEED, 0);
	write_twins(a, place, 0);
	ksm_mergeable(a->map, a->pages);
}

static bool verify_twins(struct siege_army *a, place_fn place, size_t from)
{
	uint64_t *word, have, *want = malloc(ps());
	bool ok = true;
	size_t i;

	if (!want)
		ksm_die("out of memory");
	ksm_page_fill(want, TWIN_SEED);
	for (i = from; i < a->pages && ok; i++) {
		word = place(a, i);
		have = KSM_READ(*word);
		/* With its word put right it has to be the page it was. */
		KSM_WRITE(*word, want[word - (uint64_t *)siege_page(a, i)]);
		ok = have == (a->rounds << 32 | i) &&
		     !memcmp(want, siege_page(a, i), ps());
		KSM_WRITE(*word, have);
		if (!ok)
			ksft_print_msg("WRONG CONTENTS: twin %zu of %zu\n", i,
				       a->pages);
	}
	free(want);
	return ok;
}

static void prepare_lines(struct siege_army *a)
{
	prepare_twins(a, any_line);
}

static bool verify_lines(struct siege_army *a)
{
	return verify_twins(a, any_line, 0);
}

static void test_lines(void)
{
	static const struct siege_adversary adv = {
		.pages = PAGES, .prepare = prepare_lines,
		.verify = verify_lines,
		.settle = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	siege(&adv);
}

static void prepare_ends(struct siege_army *a)
{
	prepare_twins(a, last_word);
}

static bool verify_ends(struct siege_army *a)
{
	return verify_twins(a, last_word, 0);
}

static void test_ends(void)
{
	static const struct siege_adversary adv = {
		.pages = PAGES, .prepare = prepare_ends,
		.verify = verify_ends,
		.settle = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	siege(&adv);
}

/* Twins that never stay the same */
static void act_rewrite(struct siege_army *a)
{
	a->rounds++;
	write_twins(a, any_line, 0);
}

static void test_rewritten(void)
{
	static const struct siege_adversary adv = {
		.pages = PAGES, .prepare = prepare_lines,
		.act = act_rewrite, .verify = verify_lines,
		.settle = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	siege(&adv);
}

/* The same, but quiet in every fourth pass, so as not to count as volatile */
static void act_paced(struct siege_army *a)
{
	static long long pass;

	if (pass % 4)
		act_rewrite(a);
	siege_next_pass(&pass);
}

static void test_paced(void)
{
	static const struct siege_adversary adv = {
		.pages = PAGES, .prepare = prepare_lines,
		.act = act_paced, .verify = verify_lines,
		.settle = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	siege(&adv);
}

/* --- A crowd ------------------------------------------------------------- */

/*
 * So many copies of one page that the number of mappings is at its limit, and
 * twins of them.  Some copies leave and come back, so that there is room, which
 * all the twins might wait for.
 */
static size_t copies(const struct siege_army *a)
{
	return a->pages / 8;
}

static void prepare_crowd(struct siege_army *a)
{
	siege_map(a);
	ksm_fill(a->map, a->pages, TWIN_SEED, 0);
	write_twins(a, last_word, copies(a));
	ksm_mergeable(a->map, a->pages);
}

static bool verify_crowd(struct siege_army *a)
{
	return ksm_contents_ok(a->map, copies(a), TWIN_SEED, 0) &&
	       verify_twins(a, last_word, copies(a));
}

static void act_crowd(struct siege_army *a)
{
	static long long pass;
	size_t i;

	for (i = 0; i < copies(a); i += 100) {
		char *byte = siege_page(a, i), old = KSM_READ(*byte);

		KSM_WRITE(*byte, (char)(old ^ 1));
		KSM_WRITE(*byte, old);
	}
	siege_next_pass(&pass);
}

static void test_crowd(void)
{
	static const struct siege_adversary adv = {
		.pages = PAGES, .prepare = prepare_crowd,
		.act = act_crowd, .verify = verify_crowd,
		.settle = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	siege(&adv);
}

/*
 * Pages shared by a fork are looked up in every pass as long as others settle,
 * or news come: much dearer than to read a page once.
 */
#define FORK_TIMES	32

/* --- False alarms -------------------------------------------------------- */

/*
 * Pages that a process has in common with its child, so that each finds his
 * like in the other in vain, and two pages that are made equal and different
 * again in each pass, so that everybody hears of news.
 */
static void prepare_alarm(struct siege_army *a)
{
	size_t both = a->pages;
	pid_t pid;

	a->pages /= 2;
	siege_prepare_unique(a);
	pid = fork();
	if (pid < 0)
		ksm_die("fork: %s", strerror(errno));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!pid)
		pause();
	a->pages = both;
}

static bool verify_alarm(struct siege_army *a)
{
	struct siege_army one = *a;

	one.pages /= 2;
	return siege_verify_unique(&one);
}

/* New pages each time, so that they never count as volatile. */
static void act_alarm(struct siege_army *a)
{
	static long long pass;
	static char *two;

	if (!two) {
		two = ksm_map(2);
		ksm_mergeable(two, 2);
	}
	if (madvise(two, 2 * ps(), MADV_DONTNEED))
		ksm_die("MADV_DONTNEED: %s", strerror(errno));
	a->rounds++;
	ksm_fill(two, 2, a->rounds, 0);
	siege_next_pass(&pass);
}

static void test_alarm(void)
{
	static const struct siege_adversary adv = {
		.pages = PAGES, .prepare = prepare_alarm,
		.act = act_alarm, .verify = verify_alarm,
		.settle = FORK_TIMES, .pass = FORK_TIMES / 2,
	};

	siege(&adv);
}

static const struct ksys_case cases[] = {
	{ "pages that differ in one cache line", test_lines },
	{ "pages that differ in the last 8 bytes", test_ends },
	{ "twins, rewritten all the time", test_rewritten },
	{ "twins, rewritten at a cunning pace", test_paced },
	{ "twins of a crowded page", test_crowd },
	{ "false alarms for pages shared by a fork", test_alarm },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	siege_begin();
	ksys_main(cases, ARRAY_SIZE(cases));
}
