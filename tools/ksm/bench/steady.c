// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to watch memory in which nothing happens any more.
 */
#include "bench.h"

/*
 * The base's smart_scan passes over a page that stays the same for longer and
 * longer, in the end for eight scans of nine.  Ours looks at some things every
 * 64th pass.
 */
#define SETTLE_STOCK_SMART	27
#define SETTLE			3
#define SETTLE_OURS		32
#define PERIOD_STOCK_SMART	18
#define PERIOD_STOCK		2
#define PERIOD_OURS		192

/* Less than this is too short to be exact. */
#define LEAST_NS		(NSEC / 2)

static unsigned long settle_scans(const struct bench_case *self)
{
	if (!ksm_is_stock())
		return SETTLE_OURS;
	return self->stock_smart ? SETTLE_STOCK_SMART : SETTLE;
}

static unsigned long period(const struct bench_case *self)
{
	if (!ksm_is_stock())
		return PERIOD_OURS;
	return self->stock_smart ? PERIOD_STOCK_SMART : PERIOD_STOCK;
}

static void start(bool notifier)
{
	workers_start(notifier);
	ksm_fast();
	ksm_set("run", 1);
}

static void merge(const struct bench_case *self, struct area *area,
		  unsigned long copies)
{
	area_fill(area);
	area_register(area);
	wait_merged(copies);
	wait_scans(settle_scans(self));
}

static double ns_per_page(const struct bench_case *self, unsigned long pages,
			  unsigned long *scans)
{
	struct cost cost = cost_of_scans(period(self), LEAST_NS);

	*scans = cost.scans;
	return (double)cost.cpu_ns / cost.scans / pages;
}

static void out_cost(const struct bench_case *self)
{
	unsigned long scans;

	out_value(self->name, ns_per_page(self, pages_total(), &scans));
	out_number("scans", scans);
}

void run_steady(const struct bench_case *self)
{
	struct area *area = set_mix(set_mib);

	start(false);
	merge(self, area, copies_total());
	out_cost(self);
}

/* Processes that have a secondary MMU: a clean page table entry says nothing */
void run_guests(const struct bench_case *self)
{
	struct area *area = set_mix(set_mib);

	start(true);
	merge(self, area, copies_total());
	out_cost(self);
}

/* In each scan the secondary MMU writes to one page of a hundred. */
void run_guests_written(const struct bench_case *self)
{
	unsigned long scans = ksm_is_stock() ? 6 : PERIOD_OURS, i, at;
	struct area *area = set_mix(set_mib);
	uint64_t cpu, first;

	start(true);
	merge(self, area, copies_total());
	/* time to write in, between two scans */
	ksm_set("sleep_millisecs", 10);
	wait_scans(1);
	cpu = ksmd_cpu_ns();
	first = ksm_get("full_scans");
	for (i = 0; i < scans; i++) {
		/* 65 of 100 pages are not merged, so one of 65 is written */
		at = i % 65;
		area_write_behind(area, at * area->pages / 65,
				  (at + 1) * area->pages / 65, area->copies);
		wait_scans(1);
	}
	out_value(self->name, (double)(ksmd_cpu_ns() - cpu) /
		  (ksm_get("full_scans") - first) / pages_total());
	out_number("scans", ksm_get("full_scans") - first);
}

/* The same cost for larger and larger sets; each step adds to the one before. */
void run_growth(const struct bench_case *self)
{
	static const unsigned int sizes[] = { 128, 512, 1536, 4096 };
	struct area *steps[4];
	unsigned long pages = 0, copies = 0, at = 0, scans, i;
	double ns, first = 0;

	for (i = 0; i < 4; at = sizes[i++])
		steps[i] = set_mix(sizes[i] - at);
	start(false);
	for (i = 0; i < 4; i++) {
		copies += steps[i]->copies * nr_workers;
		pages += steps[i]->pages * nr_workers;
		merge(self, steps[i], copies);
		ns = ns_per_page(self, pages, &scans);
		out_point("growth", sizes[i], ns);
		if (sizes[i] == 512)
			first = ns;
	}
	out_value(self->name, ns / first);
}
