// SPDX-License-Identifier: GPL-2.0-only
/*
 * All cases, and what is asked of the figures.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * Where a case is compared with the base's smart_scan on and off it is there
 * twice.  Memory: the set, what the merged pages and their copies need, and
 * some for the system.
 */
static const struct bench_case cases[] = {
	/* name, run, stock_smart, memory_mib, rounds */
	{ "steady", run_steady, false, 1024, 5 },
	{ "steady_smart", run_steady, true, 1024, 5 },
	{ "drip", run_drip, true, 1024, 3 },
	{ "drip_1pct", run_drip_1pct, true, 1024, 3 },
	{ "drip_exit", run_drip_exit, true, 1024, 3 },
	{ "rest", run_rest, true, 1024, 3 },
	{ "cold_unique", run_cold_unique, true, 1024, 5 },
	{ "cold_merge", run_cold_merge, true, 1024, 5 },
	{ "production_mix", run_production_mix, true, 1024, 3 },
	{ "production_mix_full", run_production_mix, false, 1024, 3 },
	{ "late_duplicate", run_late_duplicate, true, 3072, 9 },
	{ "late_duplicate_default", run_late_duplicate_default, true, 1024, 9 },
	{ "near_twins", run_near_twins, true, 1024, 5 },
	{ "sampled_twins", run_sampled_twins, true, 1024, 5 },
	{ "guests", run_guests, false, 1024, 5 },
	{ "guests_written", run_guests_written, false, 1024, 3 },
	{ "metadata", run_metadata, true, 1024, 3 },
	{ "growth", run_growth, false, 5632, 1 },
	{ "writer_slowdown", run_writer_slowdown, true, 1024, 5 },
	{ "sparse", run_sparse, true, 1024, 3 },
	{ "write_fault", run_write_fault, true, 1024, 5 },
	{ "unmerge", run_unmerge, true, 1024, 5 },
	{ "qemu_steady", run_steady, false, 512, 1, .qemu = 64 },
	{ "qemu_cold_merge", run_cold_merge, true, 512, 1, .qemu = 64 },
	{ "qemu_production_mix", run_production_mix, true, 512, 1, .qemu = 32 },
};

/*
 * What a figure has to be: the base's divided by ours at least so much, or
 * ours alone at most so much.
 */
struct metric {
	const char *name;
	const char *what;
	const char *unit;
	enum { RATIO, OURS, INFO } kind;
	double must, aim;
};

static const struct metric metrics[] = {
	{ "steady", "ksmd, per page and full scan, nothing changes",
	  "ns", RATIO, 50, 200 },
	{ "steady_smart", "the same, the base with smart_scan",
	  "ns", RATIO, 15, 50 },
	{ "drip", "the same, 16 new pages elsewhere in each scan",
	  "ns", RATIO, 30, 45 },
	{ "drip_by_quiet", "that by the same without new pages",
	  "", OURS, 1.5, 1.1 },
	{ "drip_1pct", "1 % of the pages replaced in each scan",
	  "ns", RATIO, 12, 25 },
	{ "drip_exit", "16 MiB exit and start in each scan",
	  "ns", RATIO, 12, 18 },
	{ "rest", "CPU share of ksmd, default knobs, nothing happens",
	  "%", OURS, 0.4, 0.2 },
	{ "rest_late", "until late pages are merged then",
	  "ms", OURS, 5000, 2500 },
	{ "cold_unique", "ksmd, until two full scans of unique pages",
	  "ms", RATIO, 5, 10 },
	{ "cold_merge", "ksmd, until 99 % of the savings",
	  "ms", RATIO, 2.5, 4 },
	{ "production_mix", "ksmd, per full scan, the base with smart_scan",
	  "ms", RATIO, 5, 20 },
	{ "production_mix_full", "the same, the base without smart_scan",
	  "ms", RATIO, 10, 30 },
	{ "late_duplicate", "until late pages are merged, no pauses",
	  "ms", RATIO, 15, 60 },
	{ "late_duplicate_default", "the same, default knobs",
	  "ms", RATIO, 10, 50 },
	{ "near_twins", "ksmd, two full scans, only last 8 bytes differ",
	  "ms", RATIO, 5, 20 },
	{ "sampled_twins", "ksmd, two full scans, one cache line differs",
	  "ms", RATIO, 3, 10 },
	{ "guests", "ksmd, per page and full scan, with mmu notifier",
	  "ns", RATIO, 10, 30 },
	{ "guests_written", "the same, 1 % written unseen in each scan",
	  "ns", RATIO, 10, 30 },
	{ "metadata", "memory per unmerged unique page",
	  "B", OURS, 16, 12 },
	{ "growth", "cost per page at 4 GiB by that at 512 MiB",
	  "", OURS, 1.3, 1.15 },
	{ "writer_slowdown", "a writer's time per page, default knobs",
	  "ns", RATIO, 0.95, 1 },
	{ "writer_slowdown_busy", "the same, no pauses", "ns", INFO },
	{ "sparse", "memory per page, one in 256 KiB",
	  "B", OURS, 256, 128 },
	{ "write_fault", "a write to a merged page",
	  "ns", RATIO, 1 / 1.05, 1 },
	{ "unmerge", "writing 2 to run, half of the pages merged",
	  "ms", RATIO, 1.3, 2 },
	{ "qemu_steady", "steady, instructions", "ns", INFO },
	{ "qemu_cold_merge", "cold_merge, instructions", "ms", INFO },
	{ "qemu_production_mix", "production_mix, instructions", "ms", INFO },
};

const struct bench_case *case_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (!strcmp(cases[i].name, name))
			return &cases[i];
	}
	return NULL;
}

static void print_metric(const struct metric *metric)
{
	static const char * const kinds[] = { "ratio", "ours", "info" };

	printf("{\"metric\": \"%s\", \"what\": \"%s\", \"unit\": \"%s\", ",
	       metric->name, metric->what, metric->unit);
	printf("\"kind\": \"%s\", \"must\": %.6g, \"aim\": %.6g}\n",
	       kinds[metric->kind], metric->must, metric->aim);
}

/* For the scripts: one JSON object in each line */
void table_print(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		printf("{\"case\": \"%s\", \"memory_mib\": %u, ",
		       cases[i].name, cases[i].memory_mib);
		printf("\"rounds\": %u, \"qemu\": %u}\n",
		       cases[i].rounds, !!cases[i].qemu);
	}
	for (i = 0; i < ARRAY_SIZE(metrics); i++)
		print_metric(&metrics[i]);
}
