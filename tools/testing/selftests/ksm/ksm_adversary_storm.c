// SPDX-License-Identifier: GPL-2.0
/*
 * A busy process must not slow ksmd down for others: neither by writing all
 * the time, nor by starting one process after the other.
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
#include "lib/adversary.h"

/* --- Much that is written ------------------------------------------------ */

static void act_rewrite(struct adversary_mem *a)
{
	size_t i;

	for (i = 0; i < a->pages; i++) {
		uint64_t *word = (uint64_t *)adversary_page(a, i), was;

		was = KSM_READ(*word);
		KSM_WRITE(*word, ~was);
		KSM_WRITE(*word, was);
	}
}

static void test_million(void)
{
	static const struct adversary adv = {
		.pages = 1 << 20, .prepare = adversary_prepare_unique,
		.act = act_rewrite, .verify = adversary_verify_unique,
		.initial = 8, .pass = 8,
	};

	adversary_test(&adv);
}

/* --- Many processes ------------------------------------------------------ */

#define CHILD_PAGES	64
#define CHILDREN		64

/*
 * Mappings shared by fork are looked up in every pass as long as other pages
 * are new, which here is always so.  That is far more expensive than reading a
 * page once.
 */
#define FORK_TIMES	32

/* Some pages become private, the others stay shared with the parent. */
static void child_main(struct adversary_mem *a, unsigned long nr)
{
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < CHILD_PAGES; i += 4)
		ksm_page_fill(adversary_page(a, i), nr << 32 | i);
	__atomic_add_fetch(&a->shared->ready, 1, __ATOMIC_RELAXED);
	for (;;)
		pause();
}

static void fork_child(struct adversary_mem *a, size_t nr)
{
	a->children[nr] = fork();
	if (a->children[nr] < 0)
		ksm_die("fork: %s", strerror(errno));
	if (!a->children[nr])
		child_main(a, ++a->rounds);
	a->rounds++;
}

static void prepare_bomb(struct adversary_mem *a)
{
	size_t mappings = a->pages, i;

	a->nr_children = mappings / CHILD_PAGES;
	a->children = calloc(a->nr_children, sizeof(*a->children));
	if (!a->children)
		ksm_die("out of memory");
	a->pages = CHILD_PAGES;
	adversary_prepare_unique(a);
	for (i = 0; i < a->nr_children; i++)
		fork_child(a, i);
	while (KSM_READ(a->shared->ready) < a->nr_children)
		ksm_sleep_ms(1);
	a->pages = mappings;
}

static bool verify_bomb(struct adversary_mem *a)
{
	struct adversary_mem one = *a;

	one.pages = CHILD_PAGES;
	return adversary_verify_unique(&one);
}

/* Kill one child, fork another. */
static void act_bomb(struct adversary_mem *a)
{
	size_t i = a->rounds % a->nr_children;

	kill(a->children[i], SIGKILL);
	if (waitpid(a->children[i], NULL, 0) != a->children[i])
		ksm_die("waitpid: %s", strerror(errno));
	fork_child(a, i);
	__atomic_add_fetch(&a->shared->fresh, CHILD_PAGES, __ATOMIC_RELAXED);
	/* On a single CPU ksmd, a nice task, would hardly run otherwise. */
	ksm_sleep_ms(2);
}

static void test_bomb(void)
{
	static const struct adversary adv = {
		.pages = CHILDREN * CHILD_PAGES, .prepare = prepare_bomb,
		.act = act_bomb, .verify = verify_bomb,
		.initial = FORK_TIMES, .pass = FORK_TIMES,
	};

	adversary_test(&adv);
}

static const struct ksm_case cases[] = {
	{ "a million pages, rewritten all the time", test_million },
	{ "a fork bomb of registered processes", test_bomb },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	adversary_calibrate();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
