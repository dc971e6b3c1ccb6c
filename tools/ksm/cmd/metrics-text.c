// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "metrics.h"
#include "unit-sums.h"

static void head(FILE *file, const char *name, const char *type,
		 const char *help)
{
	fprintf(file, "# HELP ksm_%s %s\n# TYPE ksm_%s %s\n", name, help, name,
		type);
}

/* What is unknown is left out, so that it is not taken for 0. */
static void metric(FILE *file, const char *name, const char *type,
		   const char *help, ksm_figure value)
{
	if (!fig_known(value))
		return;
	head(file, name, type, help);
	fprintf(file, "ksm_%s %" PRId64 "\n", name, value);
}

static void seconds(FILE *file, const char *name, const char *type,
		    const char *help, double value)
{
	if (isnan(value))
		return;
	head(file, name, type, help);
	fprintf(file, "ksm_%s %.9g\n", name, value);
}

/* A backslash and a quote need one before them. */
static void label(FILE *file, const char *name, const char *value)
{
	fprintf(file, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", file);
			continue;
		}
		if (strchr("\\\"", *value))
			fputc('\\', file);
		fputc(*value, file);
	}
	fputc('"', file);
}

static void print_info(FILE *file, const struct ksm_host *host)
{
	head(file, "info", "gauge", "Kernel and the kind of its KSM; always 1.");
	fputs("ksm_info{", file);
	label(file, "release", host->release);
	fputc(',', file);
	label(file, "implementation", host->by_keys == 1 ? "keys" : "stock");
	fputs("} 1\n", file);
}

static void print_verdict(FILE *file, const struct ksm_verdict *verdict)
{
	head(file, "verdict", "gauge", "State and reason as of ksm status; "
	     "always 1.");
	fprintf(file, "ksm_verdict{state=\"%s\",reason=\"%s\"} 1\n",
		ksm_state_name(verdict->state),
		ksm_reason_name(verdict->reason));
}

static void print_pages(FILE *file, const struct ksm_counters *at)
{
	const struct {
		const char *state;
		ksm_figure value;
	} pages[] = {
		{ "shared", at->pages_shared },
		{ "sharing", at->pages_sharing },
		{ "unshared", at->pages_unshared },
		{ "volatile", at->pages_volatile },
		{ "zero", at->ksm_zero_pages },
	};

	if (!fig_known(at->pages_shared))
		return;
	head(file, "pages", "gauge", "Pages that KSM knows, by their state.");
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (fig_known(pages[i].value))
			fprintf(file, "ksm_pages{state=\"%s\"} %" PRId64 "\n",
				pages[i].state, pages[i].value);
}

static void print_gauges(FILE *file, const struct ksm_sample *now)
{
	ksm_figure lack = ksm_undo_short_bytes(now);

	metric(file, "run", "gauge", "0 stopped, 1 merging, 2 all unmerged.",
	       ksm_run_mode(now));
	metric(file, "saved_bytes", "gauge",
	       "Memory saved, without regard to what that costs.",
	       ksm_saved_bytes(now));
	metric(file, "profit_bytes", "gauge",
	       "Memory saved less book-keeping.",
	       now->counters.general_profit);
	metric(file, "metadata_bytes", "gauge",
	       "Memory that KSM takes for its book-keeping.",
	       ksm_metadata_bytes(now));
	metric(file, "registered_processes", "gauge",
	       "Processes that take part.",
	       now->present ? now->sums.members : KSM_UNKNOWN);
	metric(file, "unmerge_shortfall_bytes", "gauge",
	       "Memory and swap lacking to undo all merging.",
	       fig_known(lack) && lack < 0 ? 0 : lack);
	seconds(file, "last_scan_seconds", "gauge",
		"How long the last full scan took.",
		fig_double(now->counters.last_scan_millisecs) / 1000);
}

static void print_counters(FILE *file, const struct ksm_sample *now)
{
	const struct ksm_counters *at = &now->counters;

	metric(file, "full_scans_total", "counter",
	       "Full scans since boot, or since all was unmerged.",
	       at->full_scans);
	metric(file, "pages_scanned_total", "counter", "Pages read.",
	       at->pages_scanned);
	metric(file, "pages_skipped_total", "counter",
	       "Pages passed over without reading them.", at->pages_skipped);
	metric(file, "cow_total", "counter",
	       "Merged pages copied because of a write.",
	       now->present ? now->host.cow_ksm : KSM_UNKNOWN);
	metric(file, "swapin_copies_total", "counter",
	       "Merged pages copied when they were swapped in.",
	       now->present ? now->host.swapin_copies : KSM_UNKNOWN);
	seconds(file, "ksmd_cpu_seconds_total", "counter",
		"CPU time of the thread ksmd.",
		fig_double(now->host.ksmd_cpu_ns) / 1e9);
	metric(file, "thp_splits_total", "counter",
	       "Huge pages split for merging.", at->thp_split);
}

/**
 * ksm_metrics_print() - print all figures of the machine
 * @file:   where to
 * @status: the figures
 */
void ksm_metrics_print(FILE *file, const struct ksm_status *status)
{
	const struct ksm_sample *now = status->view.now;

	print_info(file, &now->host);
	print_verdict(file, &status->verdict);
	print_gauges(file, now);
	print_pages(file, &now->counters);
	print_counters(file, now);
}

/* A label that is missing is an empty one for Prometheus. */
static void unit_labels(FILE *file, const char *name)
{
	const char *unit = ksm_unit_name(name);
	char container[KSM_UNIT_MAX];

	if (unit > name) {
		snprintf(container, sizeof(container), "%.*s",
			 (int)(unit - 1 - name), name);
		label(file, "container", container);
		fputc(',', file);
	}
	label(file, "unit", *unit ? unit : "none");
}

static void print_column(FILE *file, const struct ksm_unit_sums *units,
			 const struct ksm_field *field, const char *help)
{
	char name[48];

	snprintf(name, sizeof(name), "unit_%s", field->name);
	head(file, name, "gauge", help);
	for (size_t i = 0; i < units->count; i++) {
		const struct ksm_unit_sum *unit = &units->list[i];
		ksm_figure value = fig_get(unit, field);

		if (!fig_known(value))
			continue;
		fprintf(file, "ksm_%s{", name);
		unit_labels(file, unit->name);
		fprintf(file, "} %" PRId64 "\n", value);
	}
}

/* Zero pages are merged pages here, as in saved_bytes. */
static void merge_zero_pages(struct ksm_unit_sums *units)
{
	for (size_t i = 0; i < units->count; i++)
		fig_include(&units->list[i].merged_bytes,
			    units->list[i].zero_bytes);
}

#define COLUMN(name)	{ #name, offsetof(struct ksm_unit_sum, name), 1 }

/**
 * ksm_metrics_print_units() - print figures of each unit
 * @file:	where to
 * @members:	the processes that take part
 * @page_bytes: size of a page
 *
 * Return: 0, or -ENOMEM
 */
int ksm_metrics_print_units(FILE *file, const struct ksm_members *members,
			    ksm_figure page_bytes)
{
	static const struct {
		struct ksm_field field;
		const char *help;
	} columns[] = {
		{ COLUMN(processes), "Processes of the unit that take part." },
		{ COLUMN(tracked_bytes),
		  "Memory of the unit under observation." },
		{ COLUMN(merged_bytes),
		  "Memory of the unit that is merged; the first mapping of "
		  "a page counts like the others." },
		{ COLUMN(profit_bytes),
		  "The same less book-keeping for the unit." },
	};
	struct ksm_unit_sums units;
	int err = ksm_unit_sums_of(&units, members, page_bytes);

	if (err)
		return err;
	merge_zero_pages(&units);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		print_column(file, &units, &columns[i].field, columns[i].help);
	ksm_unit_sums_free(&units);
	return 0;
}
