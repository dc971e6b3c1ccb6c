// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to get to know memory that was just registered.
 */
#include <unistd.h>

#include "bench.h"

/* All is registered and ksmd asleep.  Return: its CPU time. */
static uint64_t begin(struct area *area)
{
	uint64_t cpu;

	workers_start(false);
	area_fill(area);
	area_register(area);
	ksm_fast();
	cpu = ksmd_cpu_ns();
	ksm_set("run", 1);
	return cpu;
}

/* CPU time until two full scans are done */
static void two_scans(const struct bench_case *self, struct area *area)
{
	uint64_t cpu = begin(area);

	wait_scans(2);
	out_value(self->name, (double)(ksmd_cpu_ns() - cpu) / 1e6);
}

void run_cold_unique(const struct bench_case *self)
{
	two_scans(self, set_unique(set_mib));
}

/* Each page is all but the same as all others: hard to tell apart. */
static void twins(const struct bench_case *self,
		  void (*fill)(uint64_t *page, uint64_t id))
{
	struct area *area = set_unique(set_mib);

	area->fill = fill;
	two_scans(self, area);
	if (ksm_mapped())
		die("pages merged that are not the same");
}

void run_near_twins(const struct bench_case *self)
{
	twins(self, content_near_twin);
}

void run_sampled_twins(const struct bench_case *self)
{
	twins(self, content_sampled_twin);
}

/* --- how fast savings come --- */

#define MAX_LOOKS	8000

static struct look {
	uint64_t ns, cpu_ns;
	unsigned long saved;
} looks[MAX_LOOKS];

/* Look until nothing has moved for this many full scans. */
#define STILL_SCANS	3

static unsigned int watch(void)
{
	uint64_t start = now_ns(), scans = 0, saved = 0;
	unsigned int pause_us = 500;
	unsigned int nr = 0;

	while (nr < MAX_LOOKS) {
		struct look *look = &looks[nr++];

		look->ns = now_ns() - start;
		look->saved = ksm_get("pages_sharing");
		look->cpu_ns = ksmd_cpu_ns();
		if (!saved || look->saved != saved)
			scans = ksm_get("full_scans");
		else if (ksm_get("full_scans") > (long)scans + STILL_SCANS)
			break;
		saved = look->saved;
		/* finer at first, so that there are points enough */
		if (nr > MAX_LOOKS / 4)
			pause_us = 5000;
		usleep(pause_us);
	}
	return nr;
}

/* CPU time until 99 % of what is saved in the end are saved */
void run_cold_merge(const struct bench_case *self)
{
	struct area *area = set_mix(set_mib);
	uint64_t cpu = begin(area);
	unsigned int nr = watch(), i, step = nr / 500 + 1;
	unsigned long last = looks[nr - 1].saved;

	if (ksm_mapped() < copies_total() - copies_total() / 1000)
		die("%lu pages merged of %lu", ksm_mapped(), copies_total());
	for (i = 0; looks[i].saved < last / 100 * 99; i++)
		;
	out_value(self->name, (double)(looks[i].cpu_ns - cpu) / 1e6);
	for (i = 0; i < nr; i += step)
		out_point("savings", looks[i].ns / 1e9,
			  looks[i].saved * (double)PAGE / MIB);
	for (i = 0; i < nr; i += step)
		out_point("savings_cpu", (looks[i].cpu_ns - cpu) / 1e6,
			  looks[i].saved * (double)PAGE / MIB);
}
