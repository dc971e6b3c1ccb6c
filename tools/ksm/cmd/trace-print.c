// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events and their sums in words.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sysfs.h"
#include "trace-print.h"
#include "units.h"

#define BAR	16

static void print_time(int64_t us)
{
	time_t seconds = us / 1000000;
	char text[16];
	struct tm local;

	localtime_r(&seconds, &local);
	strftime(text, sizeof(text), "%H:%M:%S", &local);
	printf("%s.%06d", text, (int)(us % 1000000));
}

static void print_task(const struct ksm_event *event)
{
	char text[KSM_COMM_MAX + 16] = "-";

	if (event->pid)
		snprintf(text, sizeof(text), "%s/%d",
			 *event->comm ? event->comm : "?", event->pid);
	printf("  %-12s", text);
}

static void print_scan(const struct ksm_event *event, const char *what)
{
	printf("full scan no. %" PRId64 " %s; %s pages tracked",
	       event->scans + 1, what, ksm_count(event->tracked).s);
}

static void print_outcome(const struct ksm_event *event, const char *done,
			  const char *failed)
{
	printf("pfn %" PRId64 " of mm %s ", event->pfn, event->mm);
	if (event->error)
		printf("%s: %s, %s", failed, ksm_error_name(event->error),
		       ksm_error_text(event->error));
	else
		fputs(done, stdout);
}

static void print_zero(const struct ksm_event *event)
{
	printf("a page of mm %s ", event->mm);
	if (event->error)
		printf("not merged with the zero page: %s, %s",
		       ksm_error_name(event->error),
		       ksm_error_text(event->error));
	else
		printf("merged with the zero page");
}

static void print_words(const struct ksm_event *event)
{
	switch (event->kind) {
	case KSM_EVENT_ENTER:
		printf("mm %s is registered", event->mm);
		break;
	case KSM_EVENT_EXIT:
		printf("mm %s ends", event->mm);
		break;
	case KSM_EVENT_START_SCAN:
		print_scan(event, "begins");
		break;
	case KSM_EVENT_STOP_SCAN:
		print_scan(event, "has ended");
		break;
	case KSM_EVENT_MERGE_WITH_KSM_PAGE:
		if (event->with_ksm_page)
			print_outcome(event, "merged with a KSM page",
				      "not merged with a KSM page");
		else
			print_outcome(event, "became a KSM page",
				      "did not become a KSM page");
		break;
	case KSM_EVENT_MERGE_ONE_PAGE:
		print_zero(event);
		break;
	case KSM_EVENT_REMOVE_KSM_PAGE:
		printf("pfn %" PRId64 " is no KSM page any more", event->pfn);
		break;
	case KSM_EVENT_REMOVE_RMAP_ITEM:
		printf("pfn %" PRId64 " of mm %s was let go: the page went "
		       "first", event->pfn, event->mm);
		break;
	default:
		printf("pages_to_scan is %s now: the last scan took %" PRId64
		       " s and %" PRId64 " %% of a CPU",
		       ksm_count(event->pages_to_scan).s, event->scan_seconds,
		       event->cpu_percent);
	}
}

/* One event is one line: time, task, name, and what it means. */
void ksm_trace_print(const struct ksm_event *event,
		     const struct ksm_trace_span *span)
{
	print_time(event->time_us + span->offset_us);
	print_task(event);
	printf("  %-19s  ", ksm_event_name(event->kind) + strlen("ksm_"));
	print_words(event);
	putchar('\n');
}

static void print_nothing(const struct ksm_trace_span *span)
{
	puts("No events of KSM.");
	if (span->run == KSM_RUN_STOP || span->run == KSM_RUN_UNMERGE)
		printf("Next: `ksm set run=1`; run is %" PRId64 "\n",
		       span->run);
	else
		puts("Next: wait longer, or `ksm status`: does ksmd find "
		     "anything to do?");
}

static double percent(int64_t part, int64_t whole)
{
	return whole ? 100.0 * part / whole : NAN;
}

static void print_attempts(const struct ksm_trace_sums *sums)
{
	static const char *const what[KSM_NR_ATTEMPTS] = {
		[KSM_ATTEMPT_KSM_PAGE] = "with a KSM page",
		[KSM_ATTEMPT_ITSELF] = "to become a KSM page",
		[KSM_ATTEMPT_ZERO_PAGE] = "with the zero page",
	};

	for (int i = 0; i < KSM_NR_ATTEMPTS; i++) {
		if (!sums->attempts[i])
			continue;
		printf("merges      %-20s  %10s tried",
		       what[i], ksm_count(sums->attempts[i]).s);
		printf("  %10s failed  %6s\n", ksm_count(sums->failed[i]).s,
		       ksm_percent(percent(sums->failed[i],
					   sums->attempts[i])).s);
	}
}

static void print_bar(const struct ksm_error_count *at, int64_t all)
{
	/* whatever there is, is seen */
	int len = fmax(1, round((double)BAR * at->count / all));
	char bar[BAR + 1];

	memset(bar, '#', len);
	bar[len] = '\0';
	printf("  %-6s %10s  %6s  %-*s  %s\n", ksm_error_name(at->error),
	       ksm_count(at->count).s, ksm_percent(percent(at->count, all)).s,
	       BAR, bar, ksm_error_text(at->error));
}

static void print_failures(struct ksm_trace_sums *sums)
{
	int64_t all = ksm_trace_total(sums->failed, KSM_NR_ATTEMPTS);

	if (!all)
		return;
	ksm_trace_sort(sums);
	puts("why merges failed");
	for (size_t i = 0; i < sums->nr_errors; i++)
		print_bar(&sums->errors[i], all);
}

static void print_events(const struct ksm_trace_sums *sums)
{
	for (int i = 0; i < KSM_NR_EVENTS; i++)
		if (sums->events[i])
			printf("  %-24s %13s\n", ksm_event_name(i),
			       ksm_count(sums->events[i]).s);
}

/* How often, and why merges failed, as a histogram. */
void ksm_trace_print_sums(struct ksm_trace_sums *sums,
			  const struct ksm_trace_span *span)
{
	int64_t all = ksm_trace_total(sums->events, KSM_NR_EVENTS);

	printf("\nevents      %s in %s", ksm_count(all).s,
	       ksm_duration(span->seconds).s);
	printf("%s%s\n", sums->lost ? "; lost because they were too many: " :
	       "", sums->lost ? ksm_count(sums->lost).s : "");
	if (sums->strange)
		printf("            %s line%s not understood\n",
		       ksm_count(sums->strange).s,
		       sums->strange == 1 ? " was" : "s were");
	if (!all && !sums->lost)
		print_nothing(span);
	print_events(sums);
	print_attempts(sums);
	print_failures(sums);
}
