// SPDX-License-Identifier: GPL-2.0
/*
 * A process that turns every knob and takes memory away.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/blocks.h"
#include "../lib/clock.h"
#include "../lib/files.h"
#include "../lib/knobs.h"
#include "../lib/pages.h"
#include "../lib/reclaim.h"
#include "../lib/swap.h"
#include "outside.h"
#include "world.h"

#define NUMA_BALANCING	"/proc/sys/kernel/numa_balancing"
#define COMPACT_MEMORY	"/proc/sys/vm/compact_memory"
#define SOFT_OFFLINE	"/sys/devices/system/memory/soft_offline_page"

typedef bool (*disturb_fn)(uint64_t aux);

/* Every knob, at any time, be it refused or not; most often KSM goes on. */
static bool turn_knob(uint64_t aux)
{
	static const struct {
		const char *knob;
		const char *text[5];
	} turns[] = {
		{ "run", { "0", "1", "1", "1", "1" } },
		{ "run", { "1", "1", "1", "1", "1" } },
		{ "smart_scan", { "0", "1", "0", "1", "0" } },
		{ "use_zero_pages", { "0", "1", "0", "1", "1" } },
		{ "max_page_sharing", { "2", "3", "10", "256", "1000" } },
		{ "pages_to_scan", { "10", "100", "1000", "1000", "5000" } },
		{ "sleep_millisecs", { "0", "1", "0", "5", "0" } },
		{ "merge_across_nodes", { "0", "1", "0", "1", "1" } },
		{ "advisor_mode", { "none", "scan-time", "none", "none",
				    "none" } },
		{ "advisor_max_cpu", { "1", "70", "100", "50", "10" } },
		{ "advisor_target_scan_time", { "1", "2", "10", "1", "200" } },
		{ "stable_node_chains_prune_millisecs",
		  { "0", "1", "10", "100", "2000" } },
	};
	size_t i = aux % (sizeof(turns) / sizeof(*turns));
	int err;

	if (!ksm_has(turns[i].knob))
		return false;
	err = ksm_write_text(turns[i].knob, turns[i].text[(aux >> 8) % 5]);
	ksm_sleep_ms((aux >> 16) % 16);
	ksm_write_text("run", "1");
	return !err;
}

void torture_plain_knobs(void)
{
	ksm_write_text("run", "0");
	ksm_write_text("advisor_mode", "none");
	ksm_write_text("smart_scan", "0");
	ksm_write_text("use_zero_pages", "0");
	ksm_write_text("pages_to_scan", "5000");
	ksm_write_text("sleep_millisecs", "0");
}

/* The two knobs that change only when nothing is merged are set as well. */
static bool unmerge_all(uint64_t aux)
{
	bool done = !ksm_write_text("run", "2");

	if (aux & 1)
		ksm_write_text("merge_across_nodes", aux & 2 ? "1" : "0");
	if (aux & 4)
		ksm_write_text("max_page_sharing", aux & 8 ? "3" : "256");
	ksm_write_text("run", "1");
	return done;
}

static bool reclaim(uint64_t aux)
{
	ksys_reclaim((1 + aux % 8) << 18);
	return true;
}

/* For a moment there is room for three quarters of what there is. */
static bool small_cgroup(uint64_t aux)
{
	char text[32];
	int err;

	snprintf(text, sizeof(text), "%zu", ksys_cgroup_bytes() / 4 * 3);
	err = ksys_cgroup_write("memory.high", text);
	ksm_sleep_ms(20 + aux % 64);
	ksys_cgroup_write("memory.high", "max");
	return !err;
}

static bool swap_off_and_on(uint64_t aux)
{
	int err = ksys_swapoff();

	ksm_sleep_ms(aux % 16);
	return !err && !ksys_swapon();
}

static bool compact(uint64_t aux)
{
	return !ksys_write(COMPACT_MEMORY, "1");
}

static bool numa_balancing(uint64_t aux)
{
	return !ksys_write(NUMA_BALANCING, aux & 1 ? "1" : "0");
}

/* A page of any process; 0: it is not there. */
static unsigned long some_frame(uint64_t aux)
{
	struct torture_slot *s = &world->slot[aux % TORTURE_SLOTS];
	unsigned long pfn;

	if (!torture_slot_visit(s))
		return 0;
	pfn = ksm_pfn(s->pid, torture_address(s, (aux >> 8) % TORTURE_PAGES));
	torture_slot_leave(s);
	return pfn;
}

static bool memory_block(uint64_t aux)
{
	unsigned long pfn = some_frame(aux);
	long block = pfn ? ksys_block_of(pfn) : 0;

	if (!pfn || !ksys_block_movable(block) || ksys_block_set(block, false))
		return false;
	ksm_sleep_ms((aux >> 32) % 32);
	if (ksys_block_set(block, true))
		torture_fail("memory block %ld stays offline\n", block);
	return true;
}

/* What is on the page moves elsewhere, and the frame is not used again. */
static bool soft_offline(uint64_t aux)
{
	unsigned long pfn = some_frame(aux);
	char text[32];

	if (!pfn)
		return false;
	snprintf(text, sizeof(text), "%#lx", pfn * ps());
	return !ksys_write(SOFT_OFFLINE, text);
}

static const disturb_fn disturb[NR_KINDS] = {
	[KIND_KNOB]		= turn_knob,
	[KIND_UNMERGE_ALL]	= unmerge_all,
	[KIND_RECLAIM]		= reclaim,
	[KIND_SMALL_CGROUP]	= small_cgroup,
	[KIND_SWAPOFF]		= swap_off_and_on,
	[KIND_COMPACT]		= compact,
	[KIND_NUMA_BALANCING]	= numa_balancing,
	[KIND_MEMORY_BLOCK]	= memory_block,
	[KIND_SOFT_OFFLINE]	= soft_offline,
};

const char *torture_disturber_lacks(enum torture_kind kind)
{
	if (kind == KIND_COMPACT && access(COMPACT_MEMORY, W_OK))
		return "kernel without CONFIG_COMPACTION";
	if (kind == KIND_NUMA_BALANCING && access(NUMA_BALANCING, W_OK))
		return "kernel without CONFIG_NUMA_BALANCING";
	if (kind == KIND_SOFT_OFFLINE && access(SOFT_OFFLINE, W_OK))
		return "kernel without CONFIG_MEMORY_FAILURE";
	if (kind == KIND_MEMORY_BLOCK && !ksys_block_size())
		return "kernel without CONFIG_MEMORY_HOTREMOVE";
	return NULL;
}

static bool disturb_one(const struct torture_step *s)
{
	disturb_fn fn = disturb[s->kind];

	return fn(s->aux);
}

void torture_disturber(uint64_t name)
{
	struct torture_step s;
	uint64_t nr;

	for (nr = 0; torture_storm(); nr++) {
		s = torture_step(DOER_DISTURBER, name, 0, nr);
		if (world->lacks[s.kind][0])
			continue;
		__atomic_add_fetch(&world->tried[s.kind], 1, __ATOMIC_RELAXED);
		if (disturb_one(&s))
			__atomic_add_fetch(&world->done[s.kind], 1,
					   __ATOMIC_RELAXED);
		ksm_sleep_ms(s.aux >> 48 & 15);
	}
}
