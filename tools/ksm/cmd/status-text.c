// SPDX-License-Identifier: GPL-2.0-only
/*
 * The status for people, in 80 columns.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "status-forms.h"
#include "units.h"

#define COLUMNS	80

static bool raw;

static struct ksm_text size(ksm_figure bytes)
{
	struct ksm_text text = raw ? ksm_raw(bytes) : ksm_size(bytes);

	if (raw && fig_known(bytes))
		strcat(text.s, " B");
	return text;
}

static struct ksm_text count(ksm_figure number)
{
	return raw ? ksm_raw(number) : ksm_count(number);
}

static void time_of(char *text, size_t len, const char *fmt, int64_t time_ms)
{
	time_t seconds = time_ms / 1000;
	struct tm local;

	localtime_r(&seconds, &local);
	strftime(text, len, fmt, &local);
}

static const char *kind(const struct ksm_sample *now)
{
	if (!now->present)
		return "no KSM";
	return now->host.by_keys == 1 ? "KSM by keys" : "KSM";
}

static void print_top(const struct ksm_sample *now)
{
	char left[160], when[32];

	time_of(when, sizeof(when), "%d %b %H:%M:%S", now->time_ms);
	snprintf(left, sizeof(left), "%s  Linux %s, %s", now->host.hostname,
		 now->host.release, kind(now));
	ksm_print_name(left, COLUMNS - 1 - strlen(when));
	printf(" %s\n", when);
}

static void print_saved(const struct ksm_sample *now)
{
	printf("saved       %s: %s merged", size(ksm_saved_bytes(now)).s,
	       size(ksm_merged_bytes(now)).s);
	printf(" + %s zero pages\n", size(ksm_zero_bytes(now)).s);
	printf("            book-keeping %s, which leaves %s\n",
	       size(ksm_metadata_bytes(now)).s,
	       size(now->counters.general_profit).s);
}

static void print_yield(const struct ksm_status *status)
{
	ksm_figure yield = fig_round(ksm_yield_bytes(status));
	char text[64];

	if (fig_known(yield))
		snprintf(text, sizeof(text), "%s per %% of CPU",
			 size(yield).s);
	else
		strcpy(text, "-");
	printf("yield       %-24s  ksmd %s now, %s over the hour\n", text,
	       ksm_percent(status->quick.ksmd_cpu_percent).s,
	       ksm_percent(status->hour.ksmd_cpu_percent).s);
}

static void print_trend(const struct ksm_status *status)
{
	const struct ksm_rates *trend = &status->trend;
	double per_minute = 60 * trend->saved_bytes;
	char since[32];

	printf("trend       %s%s/min", per_minute > 0 ? "+" : "",
	       size(fig_round(per_minute)).s);
	if (fig_known(status->converged_ms)) {
		time_of(since, sizeof(since), "%H:%M", status->converged_ms);
		printf(": converged since %s", since);
	}
	printf("  (%s, %s full scans)\n", ksm_duration(trend->seconds).s,
	       count(fig_round(trend->full_scans)).s);
}

static void print_scan(const struct ksm_sample *now)
{
	double done = ksm_scan_progress(now);
	double last = fig_double(now->counters.last_scan_millisecs) / 1000;

	printf("scan        %s full scans", count(now->counters.full_scans).s);
	if (!isnan(done))
		printf("; this one %.0f %% done", 100 * done);
	if (!isnan(done) && last > 0)
		printf(", ~%s left; the last took %s",
		       ksm_duration(ksm_scan_remaining_seconds(now)).s,
		       ksm_duration(last).s);
	putchar('\n');
}

static void print_copies(const struct ksm_status *status)
{
	printf("copies      %s on write, %s on swap-in\n",
	       ksm_rate(status->quick.cow).s,
	       ksm_rate(status->quick.swapin_copies).s);
}

static void print_members(const struct ksm_sample *now)
{
	const struct ksm_sums *sums = &now->sums;

	printf("members     %s process%s, %s tracked; ",
	       count(sums->members).s, sums->members == 1 ? "" : "es",
	       size(ksm_tracked_bytes(now)).s);
	printf("%s of them gain%s nothing\n", count(sums->idle).s,
	       sums->idle == 1 ? "s" : "");
	if (sums->unreadable > 0)
		printf("            and %s more may not be read: try as root\n",
		       count(sums->unreadable).s);
}

static void print_undo(const struct ksm_sample *now)
{
	ksm_figure lack = ksm_undo_short_bytes(now);

	printf("to undo     %s needed, ", size(ksm_saved_bytes(now)).s);
	printf("%s free + ", size(now->host.mem_available_bytes).s);
	printf("%s swap: ", size(now->host.swap_free_bytes).s);
	if (lack > 0)
		printf(" %s SHORT\n", size(lack).s);
	else
		puts(fig_known(lack) ? "enough" : "-");
}

static void print_figures(const struct ksm_status *status)
{
	const struct ksm_sample *now = status->view.now;

	print_saved(now);
	print_yield(status);
	print_trend(status);
	print_scan(now);
	print_copies(status);
	printf("huge pages  %s split, %s kept\n",
	       count(now->counters.thp_split).s,
	       count(now->counters.thp_kept).s);
	print_members(now);
	print_undo(now);
}

/**
 * ksm_status_text() - print the status for people
 * @status:	the status
 * @raw_figures: bytes and plain numbers instead of GiB and 1,902
 */
void ksm_status_text(const struct ksm_status *status, bool raw_figures)
{
	raw = raw_figures;
	print_top(status->view.now);
	printf("%s  %s  %s\n", ksm_state_name(status->verdict.state),
	       ksm_reason_name(status->verdict.reason),
	       status->words.headline);
	if (status->view.now->present)
		print_figures(status);
	for (int i = 0; i < KSM_NR_WARNINGS; i++)
		if (ksm_verdict_warns(&status->verdict, i))
			printf("! %s  %s\n", ksm_warning_name(i),
			       ksm_warning_text(i));
	if (*status->words.next)
		printf("Next: %s\n", status->words.next);
}
