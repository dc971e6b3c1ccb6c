// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "knobs.h"
#include "span.h"

/* A pause of so many usual ones is a gap, but not one of some seconds. */
#define GAP_INTERVALS	3
#define GAP_LEAST_MS	10000

/* Sample no. @i of the span */
const struct ksm_sample *ksm_span_at(const struct ksm_span *span, size_t i)
{
	return &span->history->list[span->first + i];
}

/* How many samples are in the span */
size_t ksm_span_count(const struct ksm_span *span)
{
	return span->history->count - span->first;
}

static bool same_boot(const struct ksm_sample *a, const struct ksm_sample *b)
{
	return !strcmp(a->host.boot_id, b->host.boot_id);
}

/* Whether sample no. @i goes on from the one before it, without a gap. */
bool ksm_span_joined(const struct ksm_span *span, size_t i)
{
	const struct ksm_sample *at = ksm_span_at(span, i), *before = at - 1;

	return i && same_boot(before, at) &&
	       at->boottime_ms > before->boottime_ms &&
	       at->boottime_ms - before->boottime_ms <= span->gap_ms;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int find_interval(struct ksm_span *span)
{
	size_t count = ksm_span_count(span);
	int64_t *pauses = calloc(count, sizeof(*pauses));

	if (!pauses)
		return -ENOMEM;
	for (size_t i = 1; i < count; i++)
		pauses[i - 1] = llabs(ksm_span_at(span, i)->time_ms -
				      ksm_span_at(span, i - 1)->time_ms);
	qsort(pauses, count - 1, sizeof(*pauses), by_size);
	span->interval_ms = count > 1 ? pauses[(count - 1) / 2] : 0;
	span->gap_ms = GAP_INTERVALS * span->interval_ms;
	if (span->gap_ms < GAP_LEAST_MS)
		span->gap_ms = GAP_LEAST_MS;
	free(pauses);
	return 0;
}

/* The status at a sample, of those that were there before it */
static void status_at(const struct ksm_span *span, size_t i,
		      struct ksm_status *status)
{
	const struct ksm_sample *at = ksm_span_at(span, i);
	const struct ksm_sample *oldest = at;
	struct ksm_history past = { 0 };

	while (oldest > span->history->list &&
	       at->time_ms - oldest[-1].time_ms <= KSM_SPAN_BEFORE_MS)
		oldest--;
	past.list = (struct ksm_sample *)oldest;
	past.count = at - oldest;
	ksm_status(status, at, past.count ? at - 1 : NULL, &past);
}

static struct ksm_period *add_period(struct ksm_span *span, int64_t from_ms)
{
	struct ksm_period *list = reallocarray(span->periods,
					       span->nr_periods + 1,
					       sizeof(*list));

	if (!list)
		return NULL;
	span->periods = list;
	list += span->nr_periods++;
	list->from_ms = from_ms;
	return list;
}

static int find_periods(struct ksm_span *span)
{
	struct ksm_period *now = NULL;
	struct ksm_status status;

	for (size_t i = 0; i < ksm_span_count(span); i++) {
		int64_t time_ms = ksm_span_at(span, i)->time_ms;
		bool joined = now && ksm_span_joined(span, i);

		status_at(span, i, &status);
		if (joined)
			now->to_ms = time_ms;
		if (!joined || now->verdict.reason != status.verdict.reason)
			now = add_period(span, time_ms);
		if (!now)
			return -ENOMEM;
		now->verdict = status.verdict;
		now->words = status.words;
		now->to_ms = time_ms;
	}
	status_at(span, ksm_span_count(span) - 1, &span->end);
	return 0;
}

static int add_change(struct ksm_span *span, const struct ksm_change *change)
{
	struct ksm_change *list = reallocarray(span->changes,
					       span->nr_changes + 1,
					       sizeof(*list));

	if (!list)
		return -ENOMEM;
	span->changes = list;
	list[span->nr_changes++] = *change;
	return 0;
}

static int compare_knobs(struct ksm_span *span, const struct ksm_sample *from,
			 const struct ksm_sample *to)
{
	int err = 0;

	for (size_t i = 0; !err && i < ksm_nr_knobs; i++) {
		const struct ksm_field *field = &ksm_knob_table[i].field;
		struct ksm_change change = {
			.kind = KSM_CHANGE_KNOB,
			.time_ms = to->time_ms,
			.field = field,
			.from = fig_get(&from->knobs, field),
			.to = fig_get(&to->knobs, field),
		};

		if (change.from != change.to)
			err = add_change(span, &change);
	}
	return err;
}

static int find_changes(struct ksm_span *span)
{
	int err = 0;

	for (size_t i = 1; !err && i < ksm_span_count(span); i++) {
		const struct ksm_sample *at = ksm_span_at(span, i);
		const struct ksm_sample *before = at - 1;
		struct ksm_change change = {
			.kind = same_boot(before, at) ? KSM_CHANGE_GAP :
							KSM_CHANGE_BOOT,
			.time_ms = at->time_ms,
			.from = before->time_ms,
		};

		if (!ksm_span_joined(span, i))
			err = add_change(span, &change);
		if (!err)
			err = compare_knobs(span, before, at);
	}
	return err;
}

static void include(double *sum, double value)
{
	if (!isnan(value))
		*sum = isnan(*sum) ? value : *sum + value;
}

static void include_most(double *most, double value)
{
	if (!isnan(value) && !(*most >= value))
		*most = value;
}

static void add_between(struct ksm_totals *sums, const struct ksm_sample *from,
			const struct ksm_sample *to)
{
	double saved = fig_double(fig_add(ksm_saved_bytes(from),
					  ksm_saved_bytes(to))) / 2;
	struct ksm_rates rates;

	ksm_rates_between(from, to, &rates);
	include(&sums->seconds, rates.seconds);
	include(&sums->saved_mean, saved * rates.seconds);
	include(&sums->cpu_seconds,
		rates.ksmd_cpu_percent / 100 * rates.seconds);
	include_most(&sums->cpu_percent_most, rates.ksmd_cpu_percent);
	include(&sums->full_scans, rates.full_scans);
	include(&sums->cow, rates.cow * rates.seconds);
	if (rates.cow > fmax(sums->cow_most, 0))
		sums->cow_most_ms = to->time_ms;
	include_most(&sums->cow_most, rates.cow);
	include(&sums->swapin_copies, rates.swapin_copies * rates.seconds);
	include(&sums->thp_split, rates.thp_split * rates.seconds);
}

static void find_totals(struct ksm_span *span)
{
	struct ksm_totals *sums = &span->totals;

	*sums = (struct ksm_totals){ NAN, NAN, NAN, NAN, NAN, NAN, NAN,
				     KSM_UNKNOWN, NAN, NAN };
	for (size_t i = 1; i < ksm_span_count(span); i++)
		add_between(sums, ksm_span_at(span, i - 1),
			    ksm_span_at(span, i));
	sums->saved_mean /= sums->seconds;
}

/**
 * ksm_span_of() - what happened in a span of time
 * @span:    result, for ksm_span_free(), also after an error
 * @history: samples of it, and of KSM_SPAN_BEFORE_MS before it; has to stay
 * @from_ms: when it begins
 *
 * Return: 0; -ENODATA if no sample is in it; or -ENOMEM
 */
int ksm_span_of(struct ksm_span *span, const struct ksm_history *history,
		int64_t from_ms)
{
	int err;

	memset(span, 0, sizeof(*span));
	span->history = history;
	while (span->first < history->count &&
	       history->list[span->first].time_ms < from_ms)
		span->first++;
	if (!ksm_span_count(span))
		return -ENODATA;
	err = find_interval(span);
	if (!err)
		err = find_periods(span);
	if (!err)
		err = find_changes(span);
	if (!err)
		find_totals(span);
	return err;
}

/* Give back what ksm_span_of() has made. */
void ksm_span_free(struct ksm_span *span)
{
	free(span->periods);
	free(span->changes);
	memset(span, 0, sizeof(*span));
}
