// SPDX-License-Identifier: GPL-2.0
/*
 * Contents are right whatever happens to the pages.
 *
 *	ksm_torture [seed=N] [seconds=N] [round=N] [json]
 *	ksm_torture without=KIND[,KIND]... leaves these out, to narrow a failure down
 *	ksm_torture steps=N [seed=N] [round=N]
 *
 * Processes own pages whose content follows from numbers, and do with them all
 * that a process can; others write to these pages from outside, turn the knobs
 * and take memory away.  Every page is compared before it is changed and after
 * it.  A round ends with a rest, in which counters and memory have to add up.
 *
 * The operations follow from the seed; "steps" prints the first ones of each
 * thread of the first process of a round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/random.h"
#include "torture/process.h"
#include "torture/round.h"

#define ROUND_MS	15000U
#define SHORT_SECONDS	20

/* Slow machines may need so many times as long until all has happened. */
#define PATIENCE	5

static struct {
	unsigned long long seed, seconds, first, steps;
	bool json;
	const char *without;
} options = { .seconds = SHORT_SECONDS };

/* Both cases are about the same run. */
static struct torture_report *report;

/* How long the next storm may be; 0: it was enough. */
static unsigned int next_storm(uint64_t start)
{
	uint64_t now = ksm_now_ms() - start, all = options.seconds * 1000;

	if (now + ROUND_MS <= all)
		return ROUND_MS;
	if (now < all)
		return all - now;
	if (now < PATIENCE * all && !torture_enough(report))
		return ROUND_MS;
	return 0;
}

static void test_storm(void)
{
	uint64_t start = ksm_now_ms(), nr;
	unsigned int ms;

	torture_setup(options.without);
	for (nr = options.first; !world->failed; nr++) {
		ms = next_storm(start);
		if (!ms)
			break;
		torture_round(nr, ms, report);
		ksft_print_msg("round %llu: %llu pages verified, %llu ms\n",
			       (unsigned long long)nr,
			       (unsigned long long)world->verified,
			       (unsigned long long)(ksm_now_ms() - start));
	}
	if (world->failed)
		ksft_print_msg("found after %llu ms, in round %llu\n",
			       (unsigned long long)(world->found_ms - start),
			       (unsigned long long)nr - 1);
	CHECK_EQ(world->failed, 0);
}

static void test_enough(void)
{
	torture_report(report, options.json);
	CHECK(torture_enough(report));
}

static struct ksm_case cases[] = {
	{ "no byte is wrong, and nothing is left", test_storm },
	{ "each kind of operation happened often enough", test_enough },
};

static void print_steps(void)
{
	uint64_t name = torture_mix(torture_mix(options.seed, options.first), 0);
	struct torture_step s;
	unsigned int thread;
	uint64_t nr;

	for (thread = 0; thread < TORTURE_THREADS; thread++)
		for (nr = 0; nr < options.steps; nr++) {
			s = torture_step(DOER_WORKER, name, thread, nr);
			printf("%u %llu %s page %zu count %zu aux %#llx\n",
			       thread, (unsigned long long)nr,
			       torture_kinds[s.kind].name, s.page, s.count,
			       (unsigned long long)s.aux);
		}
}

static void parse(char **argv)
{
	static const struct {
		const char *name;
		unsigned long long *value;
	} numbers[] = {
		{ "seed=", &options.seed },
		{ "seconds=", &options.seconds },
		{ "round=", &options.first },
		{ "steps=", &options.steps },
	};
	size_t i, len;

	for (; *argv; argv++) {
		if (!strcmp(*argv, "json"))
			options.json = true;
		if (!strncmp(*argv, "without=", 8))
			options.without = *argv + 8;
		for (i = 0; i < ARRAY_SIZE(numbers); i++) {
			len = strlen(numbers[i].name);
			if (!strncmp(*argv, numbers[i].name, len))
				*numbers[i].value = strtoull(*argv + len, NULL,
							     0);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--process"))
		return torture_executed(atoi(argv[2]), atoi(argv[3]));
	parse(argv + 1);
	if (options.steps) {
		print_steps();
		return 0;
	}
	ksft_print_header();
	ksm_setup();
	if (!options.seed)
		options.seed = ksm_random_seed();
	torture_world_create(options.seed);
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	/* Rests and looks take time as well, most of all if something hangs. */
	cases[0].seconds = 2 * PATIENCE * options.seconds + 300;
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
