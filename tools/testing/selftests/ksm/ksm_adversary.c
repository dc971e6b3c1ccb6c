// SPDX-License-Identifier: GPL-2.0
/*
 * The contents of a process's pages must not slow ksmd down for others.
 *
 * Which bytes of a page its probe covers is drawn at boot and secret.  An
 * adversary can only have pages that differ in so few places that most of
 * their probes are equal, so that ksmd has to digest whole pages: 64 cache
 * lines instead of 4.  The bound of 16 follows from that.
 *
 * Equal pages of other processes must be merged as usual at the same time.
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
#include "lib/adversary.h"

#define PAGES		8192
#define SIMILAR_SEED	77
#define LINE		64	/* bytes */

#define DIGEST_TIMES	16

/* --- Similar pages ------------------------------------------------------- */

/*
 * Similar pages differ in one word.  The number of the page decides which one;
 * the word contains that number, and the round in its upper half.
 */
typedef uint64_t *(*place_fn)(const struct adversary_mem *a, size_t i);

static uint64_t *any_line(const struct adversary_mem *a, size_t i)
{
	uint64_t rnd = (i + 1) * 0x9e3779b97f4a7c15ULL;

	rnd ^= rnd >> 29;
	rnd *= 0xbf58476d1ce4e5b9ULL;
	return (uint64_t *)(adversary_page(a, i) +
			    (rnd >> 32) % (ps() / LINE) * LINE);
}

static uint64_t *last_word(const struct adversary_mem *a, size_t i)
{
	return (uint64_t *)(adversary_page(a, i) + ps()) - 1;
}

static void write_similar(struct adversary_mem *a, place_fn place, size_t from)
{
	size_t i;

	for (i = from; i < a->pages; i++)
		KSM_WRITE(*place(a, i), a->rounds << 32 | i);
}

static void prepare_similar(struct adversary_mem *a, place_fn place)
{
	adversary_map(a);
	ksm_fill(a->map, a->pages, SIMILAR_SEED, 0);
	write_similar(a, place, 0);
	ksm_mergeable(a->map, a->pages);
}

static bool verify_similar(struct adversary_mem *a, place_fn place, size_t from)
{
	uint64_t *word, have, *want = malloc(ps());
	bool ok = true;
	size_t i;

	if (!want)
		ksm_die("out of memory");
	ksm_page_fill(want, SIMILAR_SEED);
	for (i = from; i < a->pages && ok; i++) {
		word = place(a, i);
		have = KSM_READ(*word);
		/* With the original word it must equal the original page. */
		KSM_WRITE(*word, want[word - (uint64_t *)adversary_page(a, i)]);
		ok = have == (a->rounds << 32 | i) &&
		     !memcmp(want, adversary_page(a, i), ps());
		KSM_WRITE(*word, have);
		if (!ok)
			ksft_print_msg("WRONG CONTENTS: page %zu of %zu\n", i,
				       a->pages);
	}
	free(want);
	return ok;
}

static void prepare_lines(struct adversary_mem *a)
{
	prepare_similar(a, any_line);
}

static bool verify_lines(struct adversary_mem *a)
{
	return verify_similar(a, any_line, 0);
}

static void test_lines(void)
{
	static const struct adversary adv = {
		.pages = PAGES, .prepare = prepare_lines,
		.verify = verify_lines,
		.initial = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	adversary_test(&adv);
}

static void prepare_ends(struct adversary_mem *a)
{
	prepare_similar(a, last_word);
}

static bool verify_ends(struct adversary_mem *a)
{
	return verify_similar(a, last_word, 0);
}

static void test_ends(void)
{
	static const struct adversary adv = {
		.pages = PAGES, .prepare = prepare_ends,
		.verify = verify_ends,
		.initial = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	adversary_test(&adv);
}

/* Similar pages that change all the time */
static void act_rewrite(struct adversary_mem *a)
{
	a->rounds++;
	write_similar(a, any_line, 0);
}

static void test_rewritten(void)
{
	static const struct adversary adv = {
		.pages = PAGES, .prepare = prepare_lines,
		.act = act_rewrite, .verify = verify_lines,
		.initial = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	adversary_test(&adv);
}

/* The same, but unchanged in every fourth pass, so that it is not volatile */
static void act_paced(struct adversary_mem *a)
{
	static long long pass;

	if (pass % 4)
		act_rewrite(a);
	adversary_next_pass(&pass);
}

static void test_paced(void)
{
	static const struct adversary adv = {
		.pages = PAGES, .prepare = prepare_lines,
		.act = act_paced, .verify = verify_lines,
		.initial = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	adversary_test(&adv);
}

/* --- A page at max_page_sharing ------------------------------------------ */

/*
 * So many copies of one page that the number of mappings is at its limit, and
 * pages similar to them.  Some copies are unmerged and merged again, so that
 * there is room, for which all similar pages could be looked up.
 */
static size_t copies(const struct adversary_mem *a)
{
	return a->pages / 8;
}

static void prepare_limit(struct adversary_mem *a)
{
	adversary_map(a);
	ksm_fill(a->map, a->pages, SIMILAR_SEED, 0);
	write_similar(a, last_word, copies(a));
	ksm_mergeable(a->map, a->pages);
}

static bool verify_limit(struct adversary_mem *a)
{
	return ksm_contents_ok(a->map, copies(a), SIMILAR_SEED, 0) &&
	       verify_similar(a, last_word, copies(a));
}

static void act_limit(struct adversary_mem *a)
{
	static long long pass;
	size_t i;

	for (i = 0; i < copies(a); i += 100) {
		char *byte = adversary_page(a, i), old = KSM_READ(*byte);

		KSM_WRITE(*byte, (char)(old ^ 1));
		KSM_WRITE(*byte, old);
	}
	adversary_next_pass(&pass);
}

static void test_limit(void)
{
	static const struct adversary adv = {
		.pages = PAGES, .prepare = prepare_limit,
		.act = act_limit, .verify = verify_limit,
		.initial = DIGEST_TIMES, .pass = DIGEST_TIMES,
	};

	adversary_test(&adv);
}

/*
 * Mappings shared by fork are looked up in every pass as long as other pages
 * are new, or a recheck is triggered.  That is far more expensive than reading
 * a page once.
 */
#define FORK_TIMES	32

/* --- Rechecks ------------------------------------------------------------ */

/*
 * Mappings shared by fork, of which each is a duplicate of the other that
 * cannot be merged, and two new equal pages in each pass, which trigger a
 * recheck of all pages.
 */
static void prepare_recheck(struct adversary_mem *a)
{
	size_t both = a->pages;
	pid_t pid;

	a->pages /= 2;
	adversary_prepare_unique(a);
	pid = fork();
	if (pid < 0)
		ksm_die("fork: %s", strerror(errno));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!pid)
		pause();
	a->pages = both;
}

static bool verify_recheck(struct adversary_mem *a)
{
	struct adversary_mem one = *a;

	one.pages /= 2;
	return adversary_verify_unique(&one);
}

/* New pages each time, so that they never count as volatile. */
static void act_recheck(struct adversary_mem *a)
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
	adversary_next_pass(&pass);
}

static void test_recheck(void)
{
	static const struct adversary adv = {
		.pages = PAGES, .prepare = prepare_recheck,
		.act = act_recheck, .verify = verify_recheck,
		.initial = FORK_TIMES, .pass = FORK_TIMES / 2,
	};

	adversary_test(&adv);
}

static const struct ksm_case cases[] = {
	{ "pages that differ in one cache line", test_lines },
	{ "pages that differ in the last 8 bytes", test_ends },
	{ "similar pages, rewritten all the time", test_rewritten },
	{ "similar pages, unchanged in every fourth pass", test_paced },
	{ "pages similar to one at max_page_sharing", test_limit },
	{ "rechecks of mappings shared by fork", test_recheck },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	adversary_calibrate();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
