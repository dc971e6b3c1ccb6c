// SPDX-License-Identifier: GPL-2.0-only
/*
 * The status for monitoring: one line, performance data, exit code 0 to 3.
 */
#include <inttypes.h>
#include <stdio.h>

#include "status-forms.h"

enum { OK, WARNING, CRITICAL };

/* Warnings that need attention.  NUMA_CROSS is the kernel's default. */
#define ALARMING	(1U << KSM_UNMERGE_SHORT | 1U << KSM_THP_FIGHT | \
			 1U << KSM_ADVISOR_CONFLICT | 1U << KSM_COUNTERS_STALE)

static int level_of(const struct ksm_verdict *verdict)
{
	switch (verdict->state) {
	case KSM_BROKEN:
		return CRITICAL;
	case KSM_INACTIVE:
	case KSM_WASTE:
		return WARNING;
	default:
		return verdict->warnings & ALARMING ? WARNING : OK;
	}
}

/* U is what these programs take for unknown. */
static void print_figure(const char *name, ksm_figure value, const char *unit)
{
	if (fig_known(value))
		printf(" %s=%" PRId64 "%s", name, value, unit);
	else
		printf(" %s=U", name);
}

static void print_real(const char *name, double value, const char *unit)
{
	if (isnan(value))
		printf(" %s=U", name);
	else
		printf(" %s=%.3f%s", name, value, unit);
}

static void print_data(const struct ksm_status *status)
{
	const struct ksm_sample *now = status->view.now;
	ksm_figure lack = ksm_undo_short_bytes(now);

	print_figure("saved", ksm_saved_bytes(now), "B");
	print_figure("profit", now->counters.general_profit, "B");
	print_figure("metadata", ksm_metadata_bytes(now), "B");
	print_figure("undo_short", fig_known(lack) && lack < 0 ? 0 : lack, "B");
	print_figure("full_scans", now->counters.full_scans, "c");
	print_figure("members", now->sums.members, "");
	print_real("ksmd_cpu", status->quick.ksmd_cpu_percent, "%");
	print_real("cow_per_second", status->quick.cow, "");
}

/**
 * ksm_status_check() - print the status for monitoring
 * @status: the status
 *
 * Return: 0, 1 or 2: exit code, as such programs expect it
 */
int ksm_status_check(const struct ksm_status *status)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL" };
	const struct ksm_verdict *verdict = &status->verdict;
	int level = level_of(verdict);

	printf("KSM %s - %s %s: %s", names[level],
	       ksm_state_name(verdict->state),
	       ksm_reason_name(verdict->reason), status->words.headline);
	for (int i = 0; i < KSM_NR_WARNINGS; i++)
		if (ksm_verdict_warns(verdict, i))
			printf(", %s", ksm_warning_name(i));
	printf(" |");
	print_data(status);
	putchar('\n');
	return level;
}
