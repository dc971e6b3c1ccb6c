// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KSM costs those whose memory it is.
 */
#include "bench.h"

/* Nanoseconds per page written, while ksmd scans */
static double writer_ns(struct area *area, unsigned long ms)
{
	uint64_t start = now_ns(), pages = area_rewritten_pages();

	sleep_ms(ms);
	return (double)(now_ns() - start) / (area_rewritten_pages() - pages);
}

/*
 * First with the knobs as they are after boot: from the start, when nothing is
 * known of the pages, and with a pace at which ksmd has soon seen all of them
 * four times.  All pages are rewritten.
 */
void run_writer_slowdown(const struct bench_case *self)
{
	struct area *area;

	nr_workers = 1;
	area = set_unique(256);
	area->rewritten = 0;
	workers_start(false);
	area_fill(area);
	area_register(area);
	area_rewrite_start(area);
	sleep_ms(500);
	out_number("alone", writer_ns(area, 3000));
	ksm_set("run", 1);
	out_value(self->name, writer_ns(area, 15000));
	ksm_fast();
	out_value("writer_slowdown_busy", writer_ns(area, 10000));
	area_rewrite_stop();
}

/* All is merged that can be, and ksmd stands still. */
static void merge_and_stop(struct area *area)
{
	workers_start(false);
	area_fill(area);
	area_register(area);
	ksm_fast();
	ksm_set("run", 1);
	wait_merged(copies_total());
	wait_scans(2);
	ksm_set("run", 0);
}

/* Nanoseconds per write to a merged page */
void run_write_fault(const struct bench_case *self)
{
	struct area *area = set_mix(set_mib / 4);

	merge_and_stop(area);
	out_value(self->name,
		  (double)area_touch(area, area->copies) / copies_total());
}

/*
 * Milliseconds that it takes to write 2 to run, half of all pages merged.  Not
 * from 1: that has to wait for the end of a batch, which is a whole scan here.
 */
void run_unmerge(const struct bench_case *self)
{
	struct area *area = set_mix(set_mib);
	uint64_t start;

	area->copies = area->pages / 2;
	merge_and_stop(area);
	out_number("merged", ksm_mapped());
	start = now_ns();
	ksm_set("run", 2);
	out_value(self->name, (now_ns() - start) / 1e6);
	if (ksm_mapped())
		die("%lu pages are still merged", ksm_mapped());
}
