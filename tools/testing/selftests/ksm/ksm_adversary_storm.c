// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody can make ksmd slow for others by being busy: by writing all the time,
 * or by starting one process after the other.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/siege.h"

/* --- Much that is written ------------------------------------------------ */

static void act_rewrite(struct siege_army *a)
{
	size_t i;

	for (i = 0; i < a->pages; i++) {
		uint64_t *word = (uint64_t *)siege_page(a, i), was;

		was = KSM_READ(*word);
		KSM_WRITE(*word, ~was);
		KSM_WRITE(*word, was);
	}
}

static void test_million(void)
{
	static const struct siege_adversary adv = {
		.pages = 1 << 20, .prepare = siege_prepare_unique,
		.act = act_rewrite, .verify = siege_verify_unique,
		.settle = 8, .pass = 8,
	};

	siege(&adv);
}

/* --- Many processes ------------------------------------------------------ */

#define KID_PAGES	64
#define KIDS		64

/*
 * Pages shared by a fork are looked up in every pass as long as others settle,
 * and here somebody always does: much dearer than to read a page once.
 */
#define FORK_TIMES	32

/* Some pages become its own, the others are its parent's. */
static void kid_life(struct siege_army *a, unsigned long nr)
{
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < KID_PAGES; i += 4)
		ksm_page_fill(siege_page(a, i), nr << 32 | i);
	__atomic_add_fetch(&a->board->ready, 1, __ATOMIC_RELAXED);
	for (;;)
		pause();
}

static void fork_kid(struct siege_army *a, size_t nr)
{
	a->kids[nr] = fork();
	if (a->kids[nr] < 0)
		ksm_die("fork: %s", strerror(errno));
	if (!a->kids[nr])
		kid_life(a, ++a->rounds);
	a->rounds++;
}

static void prepare_bomb(struct siege_army *a)
{
	size_t mappings = a->pages, i;

	a->nr_kids = mappings / KID_PAGES;
	a->kids = calloc(a->nr_kids, sizeof(*a->kids));
	if (!a->kids)
		ksm_die("out of memory");
	a->pages = KID_PAGES;
	siege_prepare_unique(a);
	for (i = 0; i < a->nr_kids; i++)
		fork_kid(a, i);
	while (KSM_READ(a->board->ready) < a->nr_kids)
		ksm_sleep_ms(1);
	a->pages = mappings;
}

static bool verify_bomb(struct siege_army *a)
{
	struct siege_army one = *a;

	one.pages = KID_PAGES;
	return siege_verify_unique(&one);
}

/* One dies, one is born. */
static void act_bomb(struct siege_army *a)
{
	size_t i = a->rounds % a->nr_kids;

	kill(a->kids[i], SIGKILL);
	if (waitpid(a->kids[i], NULL, 0) != a->kids[i])
		ksm_die("waitpid: %s", strerror(errno));
	fork_kid(a, i);
	__atomic_add_fetch(&a->board->fresh, KID_PAGES, __ATOMIC_RELAXED);
	/* On a single CPU ksmd, being nice, would not get far otherwise. */
	ksm_sleep_ms(2);
}

static void test_bomb(void)
{
	static const struct siege_adversary adv = {
		.pages = KIDS * KID_PAGES, .prepare = prepare_bomb,
		.act = act_bomb, .verify = verify_bomb,
		.settle = FORK_TIMES, .pass = FORK_TIMES,
	};

	siege(&adv);
}

static const struct ksys_case cases[] = {
	{ "a million pages, rewritten all the time", test_million },
	{ "a fork bomb of registered processes", test_bomb },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	siege_begin();
	ksys_main(cases, ARRAY_SIZE(cases));
}
