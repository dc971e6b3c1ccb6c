// SPDX-License-Identifier: GPL-2.0
/*
 * What was done, and whether it was enough.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../lib/blocks.h"
#include "../lib/numa.h"
#include "../lib/reclaim.h"
#include "../lib/swap.h"
#include "../lib/thp.h"
#include "ops.h"
#include "outside.h"
#include "round.h"
#include "world.h"

/* A kind has to have this share of what its weight lets expect, and so many. */
#define LEAST_SHARE	20
#define LEAST		3

static const char * const effect_names[NR_EFFECTS] = {
	[EFFECT_MERGES]		= "merges",
	[EFFECT_UNMERGES]	= "unmerges",
	[EFFECT_COW]		= "COW breaks",
	[EFFECT_SWAP_OUTS]	= "swap-outs",
	[EFFECT_SWAP_INS]	= "swap-ins",
	[EFFECT_KSM_SWAP_INS]	= "KSM copies swapped in",
	[EFFECT_MIGRATIONS]	= "migrations",
	[EFFECT_THP_SPLITS]	= "huge pages split",
};

static uint64_t processes(const struct torture_report *r)
{
	return r->roots + world->done[KIND_FORK];
}

/* Operations of all kinds of a doer, done or not */
static uint64_t tried_by(enum torture_doer doer)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < NR_KINDS; i++)
		if (torture_kinds[i].doer == doer)
			sum += world->tried[i];
	return sum;
}

static uint64_t least_of(enum torture_kind kind)
{
	const struct torture_kind_info *info = &torture_kinds[kind];
	unsigned int weights = torture_weights(info->doer);
	uint64_t least = 0;

	if (weights)
		least = tried_by(info->doer) * info->weight / weights /
			LEAST_SHARE;
	return least > LEAST ? least : LEAST;
}

/* Of these each round has some, if the kernel can do it at all. */
static bool effect_must_be(enum torture_effect effect)
{
	switch (effect) {
	case EFFECT_MERGES:
	case EFFECT_UNMERGES:
	case EFFECT_COW:
		return true;
	case EFFECT_SWAP_OUTS:
	case EFFECT_SWAP_INS:
		return !world->lacks[KIND_RECLAIM][0];
	case EFFECT_MIGRATIONS:
		return !world->lacks[KIND_MOVE_PAGES][0];
	default:
		return false;
	}
}

static bool too_few(const struct torture_report *r, enum torture_effect effect)
{
	return effect_must_be(effect) && r->effect[effect] < 10 * r->rounds;
}

static void effects_text(const struct torture_report *r)
{
	size_t i;

	for (i = 0; i < NR_EFFECTS; i++)
		printf("# %-24s %12" PRIu64 "%s\n", effect_names[i],
		       r->effect[i], too_few(r, i) ? "  TOO FEW" : "");
}

static void kinds_text(void)
{
	uint64_t least;
	size_t i;

	printf("# %-24s %12s %12s %10s\n", "operation", "begun", "done",
	       "at least");
	for (i = 0; i < NR_KINDS; i++) {
		if (world->lacks[i][0]) {
			printf("# %-24s not here: %s\n", torture_kinds[i].name,
			       world->lacks[i]);
			continue;
		}
		least = least_of(i);
		printf("# %-24s %12" PRIu64 " %12" PRIu64 " %10" PRIu64 "%s\n",
		       torture_kinds[i].name, world->tried[i], world->done[i],
		       least, world->done[i] < least ? "  TOO FEW" : "");
	}
}

bool torture_enough(const struct torture_report *r)
{
	size_t i;

	for (i = 0; i < NR_EFFECTS; i++)
		if (too_few(r, i))
			return false;
	for (i = 0; i < NR_KINDS; i++)
		if (!world->lacks[i][0] && world->done[i] < least_of(i))
			return false;
	return true;
}

static void json_kinds(void)
{
	size_t i;

	for (i = 0; i < NR_KINDS; i++) {
		printf("# json %s{ \"name\": \"%s\", ", i ? ", " : "",
		       torture_kinds[i].name);
		if (world->lacks[i][0])
			printf("\"lacks\": \"%s\" }\n", world->lacks[i]);
		else
			printf("\"begun\": %" PRIu64 ", \"done\": %" PRIu64
			       ", \"least\": %" PRIu64 " }\n",
			       world->tried[i], world->done[i], least_of(i));
	}
}

/* A line of it is one of the TAP output, with "# json " before it. */
static void json(const struct torture_report *r)
{
	size_t i;

	printf("# json { \"seed\": %" PRIu64 ", \"rounds\": %" PRIu64
	       ", \"ms\": %" PRIu64 ", \"processes\": %" PRIu64
	       ", \"pages_verified\": %" PRIu64 ", \"failures\": %u\n",
	       world->seed, r->rounds, r->ms, processes(r), world->verified,
	       world->failed);
	printf("# json , \"effects\": {\n");
	for (i = 0; i < NR_EFFECTS; i++)
		printf("# json %s\"%s\": %" PRIu64 "\n", i ? ", " : "",
		       effect_names[i], r->effect[i]);
	printf("# json }, \"operations\": [\n");
	json_kinds();
	printf("# json ] }\n");
}

void torture_report(const struct torture_report *r, bool with_json)
{
	printf("# seed %" PRIu64 ": %" PRIu64 " rounds in %" PRIu64
	       " s, %" PRIu64 " processes\n", world->seed, r->rounds,
	       r->ms / 1000, processes(r));
	printf("# %-24s %12" PRIu64 "\n", "pages verified", world->verified);
	effects_text(r);
	kinds_text();
	if (with_json)
		json(r);
}

/* --- What there is not --------------------------------------------------- */

static void lacks(enum torture_kind kind, const char *why)
{
	if (why)
		snprintf(world->lacks[kind], sizeof(world->lacks[kind]), "%s",
			 why);
}

static void make_disk(void)
{
	struct torture_content c = { 0 };
	const char *why;
	size_t i;
	FILE *f;

	why = ksys_zram_setup(TORTURE_BLOCKS * ps(), world->disk,
			      sizeof(world->disk));
	f = why ? NULL : fopen(world->disk, "we");
	for (i = 0; f && i < TORTURE_BLOCKS; i++) {
		torture_content_block(&c, i);
		torture_content_write(&c, torture_buffer());
		if (fwrite(torture_buffer(), ps(), 1, f) != 1)
			why = "cannot write to zram";
	}
	if (f && fclose(f))
		why = "cannot write to zram";
	lacks(KIND_DIRECT, why);
	lacks(KIND_URING, why);
}

static void find_nodes(void)
{
	const char *why = ksys_two_nodes(world->nodes);

	world->nr_nodes = why ? 1 : 2;
	lacks(KIND_MBIND, why);
}

/* Is it in a list of names, in which underscores stand for spaces? */
static bool is_listed(const char *name, const char *list)
{
	char text[64];
	const char *at;
	size_t i, len = strlen(name);

	for (i = 0; i <= len && i < sizeof(text); i++)
		text[i] = name[i] == ' ' ? '_' : name[i];
	for (at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, text, len) && (!at[len] || at[len] == ','))
			return true;
	return false;
}

void torture_setup(const char *without)
{
	const char *why;
	size_t i;

	find_nodes();
	make_disk();
	why = ksys_swap_setup(128UL << 20);
	lacks(KIND_SWAPOFF, why);
	if (!why)
		why = ksys_cgroup_setup();
	lacks(KIND_RECLAIM, why);
	lacks(KIND_SMALL_CGROUP, why);
	if (!ksys_thp_size()) {
		lacks(KIND_HUGEPAGE, "kernel without huge pages");
		lacks(KIND_COLLAPSE, "kernel without huge pages");
	}
	for (i = KIND_UFFD_COPY; i <= KIND_UFFD_MOVE; i++)
		lacks(i, torture_uffd_lacks(i));
	for (i = 0; i < NR_KINDS; i++) {
		lacks(i, torture_visitor_lacks(i));
		lacks(i, torture_disturber_lacks(i));
		if (is_listed(torture_kinds[i].name, without))
			lacks(i, "left out");
	}
}
