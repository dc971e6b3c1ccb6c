// SPDX-License-Identifier: GPL-2.0
/*
 * The metadata that KSM reports is the memory that it really uses.
 *
 * general_profit and ksm_process_profit subtract the memory of KSM's metadata.
 * The test compares that with the figures of the slab allocator, for processes
 * whose pages are far apart, like heap, libraries and stack.  Such pages need
 * the most metadata.
 *
 * All processes have filled their memory before any of them is registered.  So
 * KSM makes almost all allocations from then on; a margin and many processes
 * allow for others.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/slab.h"

#define SEED		11000
#define FAR		(1UL << 30)	/* bytes from one page to the next */
#define FAR_PAGES	5
#define FAR_COST	4096		/* bytes for those, at most */
#define APART		64		/* processes that have just these */
#define COPIES		200		/* small processes */
#define MARGIN(bytes)	((bytes) / 20 + 4096)

/* What the second argument means to a program that has one */
#define SMALL		"small"

/* --- Small processes ----------------------------------------------------- */

/* FAR_PAGES pages, each in a mapping of its own */
static char *map_far(uint64_t seed)
{
	char *map;
	size_t i;

	map = mmap(NULL, FAR_PAGES * FAR, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(map != MAP_FAILED);
	for (i = 0; i < FAR_PAGES; i++) {
		CHECK(!mprotect(map + i * FAR + FAR / 2, ps(),
				PROT_READ | PROT_WRITE));
		ksm_page_fill(map + i * FAR + FAR / 2, seed + i);
	}
	return map;
}

static bool far_ok(const char *map, uint64_t seed)
{
	size_t i;

	for (i = 0; i < FAR_PAGES; i++)
		if (!ksm_contents_ok(map + i * FAR + FAR / 2, 1, seed + i, 0))
			return false;
	return true;
}

/* Registers when told, and ends when told. */
static int far_process(struct ksm_child *c, void *arg)
{
	uint64_t seed = SEED + (long)arg * FAR_PAGES;
	char *map = map_far(seed);
	size_t i;

	ksm_say(c, 'r');
	CHECK_EQ(ksm_hear(c), 'm');
	for (i = 0; i < FAR_PAGES; i++)
		ksm_mergeable(map + i * FAR + FAR / 2, 1);
	ksm_say(c, 'r');
	ksm_hear(c);
	return !far_ok(map, seed);
}

/* A program that was started, and takes part with all that it has */
static int small_program(void)
{
	struct ksm_child c = { .rfd = STDIN_FILENO, .wfd = STDOUT_FILENO };
	char *map = map_far(SEED), *heap = malloc(100000);

	CHECK(heap);
	memset(heap, 1, 100000);
	ksm_say(&c, 'r');
	if (ksm_hear(&c) != 'm' || prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		return 1;
	ksm_say(&c, 'r');
	ksm_hear(&c);
	return !far_ok(map, SEED);
}

static int start_program(struct ksm_child *c, void *arg)
{
	CHECK(dup2(c->rfd, STDIN_FILENO) == STDIN_FILENO);
	CHECK(dup2(c->wfd, STDOUT_FILENO) == STDOUT_FILENO);
	execl("/proc/self/exe", "ksm_cost", SMALL, NULL);
	return 1;
}

/* --- Reported and real memory -------------------------------------------- */

static struct ksm_child kid[COPIES];

static void all_hear(size_t nr, char what)
{
	size_t i;

	for (i = 0; i < nr; i++)
		ksm_say(&kid[i], what);
}

static void all_say(size_t nr, char what)
{
	size_t i;

	for (i = 0; i < nr; i++)
		CHECK_EQ(ksm_hear(&kid[i]), what);
}

static long cost_of(pid_t pid)
{
	struct ksm_stat st;

	CHECK(!ksm_stat(pid, &st));
	return (st.merging_pages + st.zero_pages) * (long)ps() -
	       st.process_profit;
}

static long cost_of_all(size_t nr)
{
	long sum = 0;
	size_t i;

	for (i = 0; i < nr; i++)
		sum += cost_of(kid[i].pid);
	return sum;
}

static long cost_in_general(void)
{
	struct ksm_counters c;

	ksm_counters(&c);
	return (c.sharing + c.zero) * (long)ps() - c.profit;
}

/* Objects that belong to no process in particular */
static long common_objects(void)
{
	return ksys_slab_bytes("ksm_stable_node") + ksys_slab_bytes("ksm_chain");
}

/*
 * In caches of KSM, and in that of the XArray, which it might use.  All caches
 * would say more, but on a busy machine most of that is not KSM's.
 */
static long held_now(void)
{
	return ksys_slab_bytes("ksm_") + ksys_slab_bytes("radix_tree_node");
}

/* Start them, register them, scan; what the allocator has given for that. */
static long held_for(size_t nr, int (*fn)(struct ksm_child *c, void *arg))
{
	long before;
	size_t i;

	for (i = 0; i < nr; i++)
		ksm_child_start(&kid[i], fn, (void *)i);
	all_say(nr, 'r');
	/* The first time is for what looking itself takes. */
	held_now();
	before = held_now();
	all_hear(nr, 'm');
	all_say(nr, 'r');
	ksm_scan(4);
	return held_now() - before;
}

static void end_all(size_t nr)
{
	size_t i;

	all_hear(nr, 'e');
	for (i = 0; i < nr; i++)
		CHECK_EQ(ksm_child_wait(&kid[i]), 0);
}

static void check_profit(size_t nr, long held)
{
	long own = held - common_objects(), said = cost_of_all(nr);
	long general = cost_in_general();

	ksft_print_msg("%zu processes: held %ld bytes for each, said %ld\n",
		       nr, own / (long)nr, said / (long)nr);
	ksft_print_msg("in all: held %ld bytes, said %ld\n", held, general);
	CHECK(held > 0 && own > 0);
	CHECK(said >= own - MARGIN(own));
	CHECK(general >= held - MARGIN(held));
	/* Nor is it twice as much. */
	CHECK(said <= 2 * own);
}

/* --- Cases --------------------------------------------------------------- */

/* Nothing merges: each of the pages is unique. */
static void test_far(void)
{
	long held = held_for(APART, far_process), most = 0;
	size_t i;

	CHECK(ksm_counts_are(0, 0, APART * FAR_PAGES, 0));
	check_profit(APART, held);
	for (i = 0; i < APART; i++)
		if (cost_of(kid[i].pid) > most)
			most = cost_of(kid[i].pid);
	ksft_print_msg("%ld bytes for %d pages that are far apart\n", most,
		       FAR_PAGES);
	CHECK(most > 0 && most < FAR_COST);
	end_all(APART);
}

/* What most processes have in common merges, what differs does not. */
static void test_small(void)
{
	long held = held_for(COPIES, start_program);

	CHECK(ksm_get("pages_sharing") >= (COPIES - 1) * FAR_PAGES);
	check_profit(COPIES, held);
	ksft_print_msg("%d copies of a small process: %ld bytes for each\n",
		       COPIES, cost_of_all(COPIES) / COPIES);
	end_all(COPIES);
}

static const struct ksm_case cases[] = {
	{ "pages that are far apart", test_far },
	{ "copies of a small process", test_small },
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], SMALL))
		return small_program();
	ksft_print_header();
	ksm_setup();
	ksys_slab_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
