// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mix as on a busy host: some pages have likes, some are unique, and most
 * are written to all the time.
 */
#include "bench.h"

/* Scans until it has been found out which pages are which */
#define SETTLE_STOCK		27
#define SETTLE_OURS		32
#define PERIOD_STOCK_SMART	18
#define PERIOD_STOCK		3
#define PERIOD_OURS		64

/* Between two scans each writer shall get through its pages so often. */
#define ROUNDS_PER_SCAN		1.2
/* and is looked at for so many scans, to see whether it does. */
#define PACE_SCANS		8

static unsigned long period(const struct bench_case *self)
{
	if (!ksm_is_stock())
		return PERIOD_OURS;
	return self->stock_smart ? PERIOD_STOCK_SMART : PERIOD_STOCK;
}

/* How often each page is rewritten between one scan and the next */
static double rounds_per_scan(const struct area *area, uint64_t written,
			      uint64_t scans)
{
	return (double)written / scans / nr_workers /
	       (area->pages - area->rewritten);
}

/* The same for the one scan and writer where it was least */
static double least_rounds(const struct area *area)
{
	uint64_t before[MAX_WORKERS];
	double rounds, least = ROUNDS_PER_SCAN + 1;
	unsigned int scan, i;

	for (scan = 0; scan < PACE_SCANS; scan++) {
		for (i = 0; i < nr_workers; i++)
			before[i] = area_rewritten_by(i);
		wait_scans(1);
		for (i = 0; i < nr_workers; i++) {
			rounds = (double)(area_rewritten_by(i) - before[i]) /
				 (area->pages - area->rewritten);
			least = rounds < least ? rounds : least;
		}
	}
	return least;
}

/*
 * A scan is one batch, as far as that is for us to say, and the pause between
 * them is made so long that all writers get their turn, and keep up.
 */
static void pace(const struct area *area)
{
	unsigned long ms = set_mib / 4;

	ksm_set("pages_to_scan", 10 * pages_total());
	for (;;) {
		ksm_set("sleep_millisecs", ms);
		wait_scans(1);
		if (least_rounds(area) > ROUNDS_PER_SCAN)
			break;
		ms += ms / 2;
	}
	out_number("sleep_millisecs", ms);
}

void run_production_mix(const struct bench_case *self)
{
	struct area *area = set_production(set_mib);
	uint64_t written, read;
	struct cost cost;
	double rounds;

	workers_start(false);
	area_fill(area);
	area_register(area);
	area_rewrite_start(area);
	ksm_set("run", 1);
	pace(area);
	wait_merged(copies_total());
	wait_scans(ksm_is_stock() ? SETTLE_STOCK : SETTLE_OURS);

	written = area_rewritten_pages();
	read = ksm_get("pages_scanned");
	cost = cost_of_scans(period(self), 0);
	read = ksm_get("pages_scanned") - read;
	written = area_rewritten_pages() - written;
	out_value(self->name, (double)cost.cpu_ns / cost.scans / 1e6);
	out_number("scans", cost.scans);
	out_number("read_per_scan", (double)read / cost.scans);
	area_rewrite_stop();

	rounds = rounds_per_scan(area, written, cost.scans);
	out_number("rounds_per_scan", rounds);
	if (rounds < 1)
		die("the pages were not rewritten in each scan");
	if (ksm_mapped() > copies_total())
		die("pages merged that should not");
}
