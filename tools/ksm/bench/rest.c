// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default knobs on a machine where nothing happens: what does ksmd take of
 * a CPU, and how long does it take to notice that something has happened?
 */
#include "bench.h"

/* Both kernels know all pages by then, and ours has come to rest. */
#define SETTLE_SCANS	32
#define SETTLE_MS	20000UL

#define MEASURE_MS	60000UL
#define LATE_LIMIT_NS	(120 * NSEC)
#define LOOK_MS		5
#define TWINS		2	/* pages of each worker */

static void default_knobs(void)
{
	ksm_set("pages_to_scan", 100);
	ksm_set("sleep_millisecs", 20);
}

/* Return: percent of a CPU. */
static double share_at_rest(void)
{
	uint64_t start, cpu;

	sleep_ms(SETTLE_MS);
	start = now_ns();
	cpu = ksmd_cpu_ns();
	sleep_ms(MEASURE_MS);
	return 100.0 * (ksmd_cpu_ns() - cpu) / (now_ns() - start);
}

/* At first each worker has its own, then all have the same. */
static uint64_t twin_content(const struct area *area, unsigned int worker,
			     unsigned long role, uint64_t generation)
{
	return content_hash((1ULL << 56) + (role << 32) +
			    (generation ? generation << 8 : worker)) | 1;
}

/* Return: milliseconds until pages are merged that were quiet for long. */
static double late_ms(struct area *twins)
{
	unsigned long until = ksm_mapped() + TWINS * nr_workers;
	uint64_t start = now_ns(), ns;

	area_replace(twins, 0, TWINS, 0);
	do {
		sleep_ms(LOOK_MS);
		ns = now_ns() - start;
	} while (ksm_mapped() < until && ns < LATE_LIMIT_NS);
	if (ksm_mapped() < until)
		out_number("limit", 1);
	return ns / 1e6;
}

void run_rest(const struct bench_case *self)
{
	struct area *area = set_mix(set_mib), *twins = area_add(1);

	twins->content = twin_content;
	workers_start(false);
	area_fill(area);
	area_fill(twins);
	area_register(area);
	area_register(twins);
	ksm_fast();
	ksm_set("run", 1);
	wait_merged(copies_total());
	wait_scans(SETTLE_SCANS);
	default_knobs();
	out_value(self->name, share_at_rest());
	out_value("rest_late", late_ms(twins));
	out_number("full_scans", ksm_get("full_scans"));
}
