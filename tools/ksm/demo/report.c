// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table, the summary, and the same as JSON.
 */
#include <string.h>

#include "demo.h"

#define BAR_WIDTH	20

/*
 * The table
 */

static void bar(char *text, size_t size, double share)
{
	/* eighths of a cell, from empty to full */
	static const char *const cell[] = {
		" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"
	};
	int eighths, at = 0;

	share = share < 0 ? 0 : share > 1 ? 1 : share;
	eighths = share * BAR_WIDTH * 8 + 0.5;
	for (int i = 0; i < BAR_WIDTH; i++, eighths -= 8) {
		int fill = eighths < 0 ? 0 : eighths > 8 ? 8 : eighths;

		at += snprintf(text + at, size - at, "%s", config.utf8 ?
			       cell[fill] : fill >= 4 ? "#" : ".");
	}
}

/**
 * table_head() - print the heads of the table's columns
 */
void table_head(void)
{
	say(BOLD, "%5s %6s %6s %8s %8s %8s %8s %7s  %-*s %5s", "time",
	    "guests", "full", "shared", "sharing", "unshared", "volatile",
	    "saved", BAR_WIDTH + 6, "of the guests'", "ksmd");
	say(DIM, "%5s %6s %6s %8s %8s %8s %8s %7s  %-*s %5s", "s", "up",
	    "scans", "pages", "pages", "pages", "pages", "MiB",
	    BAR_WIDTH + 6, "memory", "CPU %");
}

/**
 * table_row() - print a row
 * @seconds:	 since merging began
 * @counters:	 of KSM
 * @cpu_percent: of one CPU, used by ksmd since the last row
 * @total_kib:	 what the guests took before merging: the whole bar
 */
void table_row(double seconds, const struct ksm_counters *counters,
	       double cpu_percent, long total_kib)
{
	const long *value = counters->value;
	long saved = value[KSM_SHARING] + value[KSM_ZERO_PAGES];
	double share = total_kib ? (double)saved * PAGE_KIB / total_kib : 0;
	char text[BAR_WIDTH * 4 + 1];

	bar(text, sizeof(text), share);
	say(PLAIN, "%5.0f %6d %6ld %8ld %8ld %8ld %8ld %7.1f  %s %4.0f%% %5.0f",
	    seconds, members_up(), value[KSM_FULL_SCANS], value[KSM_SHARED],
	    value[KSM_SHARING], value[KSM_UNSHARED], value[KSM_VOLATILE],
	    PAGES_TO_MIB(saved), text, share * 100, cpu_percent);
}

/*
 * The summary
 */

static void memory_line(const char *what, long before_kib, long after_kib)
{
	say(PLAIN, "  %-38s %9.1f %9.1f %+9.1f", what, before_kib / 1024.0,
	    after_kib / 1024.0, (after_kib - before_kib) / 1024.0);
}

/**
 * summary() - what merging brought, once the counters stand still
 * @result: the figures
 */
void summary(const struct result *result)
{
	const struct host_memory *before = &result->before;
	const struct host_memory *merged = &result->merged;

	headline("  %-38s %9s %9s %9s", "Memory, MiB", "before", "merged",
		 "change");
	memory_line("host, available", before->available_kib,
		    merged->available_kib);
	memory_line("host, anonymous pages", before->anon_kib,
		    merged->anon_kib);
	memory_line("guests' QEMUs, proportional (Pss)", before->qemu_pss_kib,
		    merged->qemu_pss_kib);
	memory_line("guests' QEMUs, resident (Rss)", before->qemu_rss_kib,
		    merged->qemu_rss_kib);

	headline("  %-8s %7s %8s %12s %14s %11s %13s", "Guest", "pid",
		 "boot s", "rmap_items", "merging_pages", "profit MiB",
		 "smaps KSM MiB");
	for (int i = 0; i < config.nr_guests; i++) {
		const struct qemu_memory *qemu = &result->qemu[i];

		say(PLAIN, "  %-8d %7d %8.1f %12ld %14ld %11.1f %13.1f",
		    members[i].guest.nr, members[i].guest.pid, members[i].boot_s,
		    qemu->rmap_items, qemu->merging_pages, MIB(qemu->profit),
		    qemu->ksm_kib / 1024.0);
	}

	headline("  %-38s %9s", "Kernel", "value");
	for (int i = 0; i < NR_KSM_COUNTERS; i++)
		say(PLAIN, "  %-38s %9ld", ksm_counter_names[i],
		    result->counters.value[i]);
	say(PLAIN, "  %-38s %9.1f", "  the last one in MiB",
	    MIB(result->counters.value[KSM_PROFIT]));
	say(PLAIN, "  %-38s %9.1f", "sum of the smaps KSM: lines, MiB",
	    result->smaps_ksm_kib / 1024.0);
	say(PLAIN, "  %-38s %9.1f", "seconds until the counters stood still",
	    result->merge_s);
	say(PLAIN, "  %-38s %9.1f", "seconds of CPU time ksmd took for it",
	    result->ksmd_s);

	headline("  %-38s %9s", "Tracepoint", "hits");
	for (int i = 0; i < NR_EVENTS; i++)
		say(PLAIN, "  %-38s %9ld", event_names[i], result->events[i]);
}

/*
 * JSON
 */

static void json_memory(const char *name, const struct host_memory *memory)
{
	fprintf(terminal,
		"\"%s\":{\"available_kib\":%ld,\"anon_kib\":%ld,\"qemu_rss_kib\":%ld,\"qemu_anon_kib\":%ld,\"qemu_pss_kib\":%ld}",
		name, memory->available_kib, memory->anon_kib,
		memory->qemu_rss_kib, memory->qemu_anon_kib,
		memory->qemu_pss_kib);
}

/**
 * print_json() - print all figures as one line of JSON
 * @result:  the figures
 * @verdict: "pass"
 */
void print_json(const struct result *result, const char *verdict)
{
	fprintf(terminal, "@json {\"verdict\":\"%s\",\"guests\":[", verdict);
	for (int i = 0; i < config.nr_guests; i++) {
		const struct qemu_memory *qemu = &result->qemu[i];

		fprintf(terminal,
			"%s{\"guest\":%d,\"boot_s\":%.2f,\"restarts\":%d,\"rss_kib\":%ld,\"pss_kib\":%ld,\"anon_kib\":%ld,\"smaps_ksm_kib\":%ld,\"ksm_rmap_items\":%ld,\"ksm_zero_pages\":%ld,\"ksm_merging_pages\":%ld,\"ksm_process_profit\":%ld}",
			i ? "," : "", members[i].guest.nr, members[i].boot_s,
			members[i].restarts, qemu->rss_kib, qemu->pss_kib, qemu->anon_kib,
			qemu->ksm_kib, qemu->rmap_items, qemu->zero_pages,
			qemu->merging_pages, qemu->profit);
	}
	fputs("],\"memory\":{", terminal);
	json_memory("before", &result->before);
	fputc(',', terminal);
	json_memory("merged", &result->merged);
	fputc(',', terminal);
	json_memory("unmerged", &result->after);
	fputs("},\"counters\":{", terminal);
	for (int i = 0; i < NR_KSM_COUNTERS; i++)
		fprintf(terminal, "%s\"%s\":%ld", i ? "," : "",
			ksm_counter_names[i], result->counters.value[i]);
	fprintf(terminal, "},\"smaps_ksm_kib\":%ld,\"tracepoints\":{",
		result->smaps_ksm_kib);
	for (int i = 0; i < NR_EVENTS; i++)
		fprintf(terminal, "%s\"%s\":%ld", i ? "," : "",
			event_names[i], result->events[i]);
	fprintf(terminal,
		"},\"seconds\":{\"boot\":%.2f,\"merge\":%.2f,\"ksmd_cpu\":%.2f,\"unmerge\":%.3f}}\n",
		result->boot_s, result->merge_s, result->ksmd_s,
		result->unmerge_s);
}
