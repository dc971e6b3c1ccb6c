// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top_data.h"

static const struct {
	const char *name;
	const char *text;
} whys[] = {
	[TOP_GAINS] = { "GAINS", "saves more than it costs" },
	[TOP_IDLE] = { "IDLE", "no equal pages found" },
	[TOP_COSTS] = { "COSTS", "costs more than it saves" },
	[TOP_COPIES] = { "COPIES", "is written to after merging" },
	[TOP_NEW] = { "NEW", "two full scans not over yet" },
	[TOP_UNSEEN] = { "UNSEEN", "not scanned yet" },
	[TOP_STOPPED] = { "STOPPED", "KSM does not run" },
	[TOP_MIXED] = { "MIXED", "its processes differ" },
};

/* One word for it, 8 letters at most. */
const char *top_why_name(enum top_why why)
{
	return whys[why].name;
}

/* The same in a few words. */
const char *top_why_text(enum top_why why)
{
	return whys[why].text;
}

/* What is saved less book-keeping; old kernels do not tell the latter. */
ksm_figure top_gained_bytes(const struct ksm_sample *sample)
{
	ksm_figure profit = sample->counters.general_profit;

	return fig_known(profit) ? profit : ksm_saved_bytes(sample);
}

/*
 * The past: samples of the last hour.
 */

static int keep(struct top_data *data, const struct ksm_sample *sample)
{
	struct ksm_history *past = &data->past;

	if (past->count == data->past_size) {
		size_t size = data->past_size ? 2 * data->past_size : 256;
		void *list = reallocarray(past->list, size,
					  sizeof(*past->list));

		if (!list)
			return -ENOMEM;
		past->list = list;
		data->past_size = size;
	}
	past->list[past->count++] = *sample;
	return 0;
}

/* One sample older than the span stays: its line reaches into the chart. */
static void forget(struct top_data *data)
{
	struct ksm_history *past = &data->past;
	int64_t oldest = data->now.boottime_ms - TOP_SPAN_MS;
	size_t old = 0;

	while (old + 1 < past->count &&
	       past->list[old + 1].boottime_ms < oldest)
		old++;
	if (!old)
		return;
	past->count -= old;
	memmove(past->list, past->list + old,
		past->count * sizeof(*past->list));
}

static bool same_boot(const struct ksm_sample *a, const struct ksm_sample *b)
{
	return !strcmp(a->host.boot_id, b->host.boot_id);
}

static int remember(struct top_data *data)
{
	struct ksm_history *past = &data->past;

	if (past->count && !same_boot(&past->list[0], &data->now))
		past->count = 0;
	forget(data);
	if (past->count && data->now.boottime_ms -
	    past->list[past->count - 1].boottime_ms < TOP_KEEP_MS)
		return 0;
	return keep(data, &data->now);
}

/**
 * top_data_begin() - begin with what others have seen
 * @data:    result, for top_data_free(), also after an error
 * @history: samples kept by "ksm record"
 *
 * Return: 0, or -ENOMEM
 */
int top_data_begin(struct top_data *data, const struct ksm_history *history)
{
	const struct ksm_sample *last = NULL;
	int err = 0;

	memset(data, 0, sizeof(*data));
	if (history->count)
		last = &history->list[history->count - 1];
	for (size_t i = 0; !err && i < history->count; i++)
		if (same_boot(&history->list[i], last))
			err = keep(data, &history->list[i]);
	return err;
}

/* Give back what top_data_begin() and top_data_update() have made. */
void top_data_free(struct top_data *data)
{
	free(data->list);
	free(data->past.list);
	memset(data, 0, sizeof(*data));
}

/*
 * Processes: what they are now, and what they were at the last update.
 */

static bool is_same(const struct ksm_member *a, const struct ksm_member *b)
{
	return a->pid == b->pid && a->start_ticks == b->start_ticks;
}

/* Both lists are in the order of /proc, so going on from the last is fast. */
static const struct top_process *find(const struct top_data *data,
				      const struct ksm_member *member,
				      size_t *hint)
{
	for (size_t i = 0; i < data->count; i++) {
		size_t at = (*hint + i) % data->count;

		if (!is_same(&data->list[at].member, member))
			continue;
		*hint = at + 1;
		return &data->list[at];
	}
	return NULL;
}

static double copies_of(const struct top_process *old,
			const struct ksm_member *member, double seconds)
{
	ksm_figure more;

	if (!old || !(seconds > 0))
		return NAN;
	more = fig_sub(member->stat.cow, old->member.stat.cow);
	/* counts from 0 again after an exec() */
	return fig_known(more) && more >= 0 ? more / seconds : NAN;
}

/* Merged pages of it are copied before they have paid for it. */
static bool storms(const struct top_process *process)
{
	ksm_figure merged = ksm_member_merged_pages(&process->member);

	return process->copies >= 1 &&
	       process->copies * KSM_STORM_LIFE_SECONDS >
	       fig_or_zero(merged);
}

/* Times in /proc/PID/stat are in ticks of 10 ms, whatever HZ is. */
#define MS_PER_TICK	10

static bool is_new(const struct top_process *process,
		   const struct ksm_sample *now)
{
	ksm_figure scans = fig_sub(now->counters.full_scans,
				   process->first_scans);
	ksm_figure two_scans = fig_mul(now->counters.last_scan_millisecs,
				       TOP_NEW_SCANS);
	ksm_figure age = fig_sub(now->boottime_ms,
				 fig_mul(process->member.start_ticks,
					 MS_PER_TICK));

	if (fig_known(scans))
		return scans < TOP_NEW_SCANS;
	return fig_known(age) && fig_known(two_scans) && age < two_scans;
}

static enum top_why why_nothing(const struct top_process *process,
				const struct ksm_sample *now)
{
	if (ksm_run_mode(now) != KSM_RUN_MERGE)
		return TOP_STOPPED;
	if (ksm_member_tracked_pages(&process->member) == 0)
		return TOP_UNSEEN;
	if (is_new(process, now))
		return TOP_NEW;
	return ksm_member_merged_pages(&process->member) > 0 ? TOP_COSTS :
							       TOP_IDLE;
}

static enum top_why why_of(const struct top_process *process,
			   const struct ksm_sample *now)
{
	ksm_figure profit = process->member.stat.profit_bytes;
	ksm_figure merged = ksm_member_merged_pages(&process->member);

	if (storms(process))
		return TOP_COPIES;
	if (fig_known(profit) ? profit > 0 : merged > 0)
		return TOP_GAINS;
	return why_nothing(process, now);
}

static void describe(const struct top_data *data, const struct top_process *old,
		     const struct ksm_member *member,
		     struct top_process *process)
{
	process->member = *member;
	ksm_unit_unescape(process->member.unit);
	process->copies = copies_of(old, member, data->status.quick.seconds);
	if (old)
		process->first_scans = old->first_scans;
	else if (data->updates > 1)
		process->first_scans = data->now.counters.full_scans;
	else
		process->first_scans = KSM_UNKNOWN;
	process->why = why_of(process, &data->now);
}

static int update_processes(struct top_data *data,
			    const struct ksm_members *members)
{
	struct top_process *list;
	size_t hint = 0;

	list = calloc(members->count ? members->count : 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < members->count; i++) {
		const struct ksm_member *member = &members->list[i];

		describe(data, find(data, member, &hint), member, &list[i]);
	}
	free(data->list);
	data->list = list;
	data->count = members->count;
	return 0;
}

/**
 * top_data_update() - go on to a newer state
 * @data:    what was known
 * @now:     the newer sample
 * @members: the processes that take part
 *
 * Return: 0, or -ENOMEM
 */
int top_data_update(struct top_data *data, const struct ksm_sample *now,
		    const struct ksm_members *members)
{
	int err;

	data->before = data->now;
	data->now = *now;
	data->updates++;
	err = remember(data);
	ksm_status(&data->status, &data->now,
		   data->updates > 1 ? &data->before : NULL, &data->past);
	return err ? err : update_processes(data, members);
}

/*
 * What the charts show
 */

/**
 * top_data_span_ms() - how far back it is worth to show
 * @data: what is known
 *
 * Return: 5 minutes, 15, or an hour
 */
int64_t top_data_span_ms(const struct top_data *data)
{
	static const int minutes[] = { 5, 15 };
	int64_t age = 0;

	if (data->past.count)
		age = data->now.boottime_ms - data->past.list[0].boottime_ms;
	for (size_t i = 0; i < ARRAY_SIZE(minutes); i++)
		if (age <= minutes[i] * 60000)
			return minutes[i] * 60000;
	return TOP_SPAN_MS;
}

static double cpu_between(const struct ksm_sample *from,
			  const struct ksm_sample *to)
{
	struct ksm_rates rates;

	ksm_rates_between(from, to, &rates);
	return rates.ksmd_cpu_percent;
}

/**
 * top_data_series() - the measurements for the charts
 * @data:   what is known
 * @gained: result: bytes, an array of @data->past.count, for free()
 * @cpu:    result: percent of one CPU, likewise
 *
 * Times are those since boot.
 *
 * Return: 0, or -ENOMEM
 */
int top_data_series(const struct top_data *data, struct top_point **gained,
		    struct top_point **cpu)
{
	const struct ksm_history *past = &data->past;

	*gained = calloc(past->count + 1, sizeof(**gained));
	*cpu = calloc(past->count + 1, sizeof(**cpu));
	if (!*gained || !*cpu)
		return -ENOMEM;
	for (size_t i = 0; i < past->count; i++) {
		const struct ksm_sample *at = &past->list[i];

		(*gained)[i] = (struct top_point){
			at->boottime_ms, fig_double(top_gained_bytes(at)),
		};
		(*cpu)[i] = (struct top_point){
			at->boottime_ms, cpu_between(i ? at - 1 : NULL, at),
		};
	}
	return 0;
}
