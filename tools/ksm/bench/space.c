// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory KSM needs for itself.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

/* Free pages, those that wait in the lists of the CPUs included */
static unsigned long free_pages(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	unsigned long sum = 0, nr;
	char line[200];

	if (!file)
		die("no /proc/zoneinfo");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " nr_free_pages %lu", &nr) == 1 ||
		    sscanf(line, " count: %lu", &nr) == 1)
			sum += nr;
	}
	fclose(file);
	return sum;
}

static void metadata(const struct bench_case *self, struct area *area)
{
	unsigned long before, after;

	workers_start(false);
	area_fill(area);
	/* once, so that what this allocates is not counted */
	free_pages();
	ksm_set("run", 0);
	sleep_ms(100);
	before = free_pages();
	area_register(area);
	ksm_fast();
	ksm_set("run", 1);
	wait_scans(4);
	ksm_set("run", 0);
	sleep_ms(100);
	after = free_pages();
	if (ksm_mapped())
		die("unique pages merged");
	out_value(self->name, ((double)before - after) * PAGE / pages_total());
	/* what KSM itself thinks */
	out_number("profit", (double)ksm_get("general_profit") / pages_total());
}

void run_metadata(const struct bench_case *self)
{
	metadata(self, set_unique(set_mib));
}

/* One page present in each 256 KiB */
void run_sparse(const struct bench_case *self)
{
	struct area *area = set_unique(set_mib);

	area->stride = 256UL << 10;
	metadata(self, area);
}
