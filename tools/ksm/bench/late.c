// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages appear that have likes, while ksmd has long known all others: how long
 * does it take until they are merged?
 */
#include <unistd.h>

#include "bench.h"

/*
 * The base's smart_scan passes over a page that stays the same for up to eight
 * scans, so the moment matters: it is drawn at random in this many scans.
 */
#define SETTLE_SCANS	27
#define PHASES		9

/* Only so often, as looking takes CPU time from ksmd */
#define LOOK_US		1000

static const struct area *quiet;

/* One half are copies of pages of the quiet set, the others of each other. */
static uint64_t late_content(const struct area *area, unsigned int worker,
			     unsigned long role, uint64_t generation)
{
	if (role < area->pages / 2)
		return quiet->content(quiet, (worker + 1) % nr_workers, role,
				      0);
	return quiet->content(quiet, worker / 2 + MAX_WORKERS, role, 0);
}

/* The old pages count, too. */
static unsigned long late_mapped(const struct area *late)
{
	return (late->pages + late->pages / 2) * nr_workers;
}

/* Stop at a random moment of a random scan. */
static void random_phase(void)
{
	uint64_t start = now_ns();

	wait_scans(PHASES);
	usleep(random_share() * (now_ns() - start) / 1000);
}

/*
 * Return: nanoseconds until all are merged.  If that does not happen in the
 * time given, the value counts as a lower bound.
 */
static uint64_t merge_late(struct area *late, uint64_t limit_ns)
{
	unsigned long until = ksm_mapped() + late_mapped(late);
	uint64_t start = now_ns(), ns;

	area_register(late);
	do {
		usleep(LOOK_US);
		ns = now_ns() - start;
	} while (ksm_mapped() < until && ns < limit_ns);
	out_number("late_mapped", ksm_mapped() + late_mapped(late) - until);
	out_number("late_expected", late_mapped(late));
	if (ksm_mapped() < until)
		out_number("limit", 1);
	return ns;
}

static struct area *begin(unsigned long mib, unsigned long late_mib)
{
	struct area *late;

	quiet = set_unique(mib);
	late = area_add(late_mib);
	late->content = late_content;
	workers_start(false);
	area_fill(&areas[0]);
	area_fill(late);
	area_register(&areas[0]);
	ksm_fast();
	ksm_set("run", 1);
	wait_scans(SETTLE_SCANS);
	return late;
}

void run_late_duplicate(const struct bench_case *self)
{
	struct area *late = begin(set_mib * 4, 16);

	random_phase();
	out_value(self->name, merge_late(late, 60 * NSEC) / 1e6);
}

/* With the knobs as they are after boot, once the quiet set is known */
void run_late_duplicate_default(const struct bench_case *self)
{
	struct area *late = begin(set_mib, 4);

	random_phase();
	ksm_set("pages_to_scan", 100);
	ksm_set("sleep_millisecs", 20);
	out_value(self->name, merge_late(late, 120 * NSEC) / 1e6);
}
