// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "days.h"
#include "names.h"
#include "unit-history.h"

#define MODE	0600

static struct ksm_days days_of(const char *dir)
{
	return (struct ksm_days){ .dir = dir, .kind = ".units" };
}

static json_t *object_of(const struct ksm_unit_sum *sum)
{
	json_t *object = json_object();

	for (size_t i = 0; i < ksm_nr_unit_fields; i++) {
		ksm_figure figure = fig_get(sum, &ksm_unit_fields[i]);

		if (fig_known(figure))
			json_object_set_new(object, ksm_unit_fields[i].name,
					    json_integer(figure));
	}
	return object;
}

/**
 * ksm_unit_history_append() - keep the sums of units
 * @dir:    where; is made if it is not there
 * @sample: of the same moment
 * @sums:   the sums
 *
 * Return: 0, or -errno
 */
int ksm_unit_history_append(const char *dir, const struct ksm_sample *sample,
			    const struct ksm_unit_sums *sums)
{
	struct ksm_days days = days_of(dir);
	json_t *units = json_object(), *record;
	int err;

	for (size_t i = 0; i < sums->count; i++)
		json_object_set_new(units, sums->list[i].name,
				    object_of(&sums->list[i]));
	record = json_pack("{s:I,s:s,s:o}",
			   "time_ms", (json_int_t)sample->time_ms,
			   "boot_id", sample->host.boot_id, "units", units);
	err = ksm_days_append(&days, MODE, sample->time_ms, record);
	json_decref(record);
	return err;
}

/* Lines name the units in the same order, so going on from the last is fast. */
static struct ksm_unit_past *find(struct ksm_unit_history *history,
				  const char *name, size_t *hint)
{
	for (size_t i = 0; i < history->count; i++) {
		size_t at = (*hint + i) % history->count;

		if (strcmp(history->list[at].last.name, name))
			continue;
		*hint = at + 1;
		return &history->list[at];
	}
	return NULL;
}

static struct ksm_unit_past *add(struct ksm_unit_history *history,
				 const char *name, int64_t time_ms)
{
	struct ksm_unit_past *list = reallocarray(history->list,
						  history->count + 1,
						  sizeof(*list));

	if (!list)
		return NULL;
	history->list = list;
	list += history->count++;
	memset(list, 0, sizeof(*list));
	strcpy(list->last.name, name);
	list->last.cow = KSM_UNKNOWN;
	list->first_ms = time_ms;
	list->cow = KSM_UNKNOWN;
	return list;
}

static void parse_sum(const json_t *object, struct ksm_unit_sum *sum)
{
	for (size_t i = 0; i < ksm_nr_unit_fields; i++) {
		const struct ksm_field *field = &ksm_unit_fields[i];
		const json_t *value = json_object_get(object, field->name);

		*fig_at(sum, field) = json_is_integer(value) ?
				      json_integer_value(value) : KSM_UNKNOWN;
	}
}

/* A sum gets smaller when a process ends: what it still copied is unknown. */
static void add_copies(struct ksm_unit_past *past, ksm_figure before,
		       bool same_boot)
{
	ksm_figure more = fig_sub(past->last.cow, before);

	if (fig_known(past->last.cow) && !fig_known(past->cow))
		past->cow = 0;
	if (same_boot && fig_known(more) && more > 0)
		past->cow = fig_add(past->cow, more);
}

static void go_on(struct ksm_unit_past *past, const json_t *object,
		  int64_t time_ms, bool same_boot)
{
	ksm_figure cow = past->last.cow;

	parse_sum(object, &past->last);
	add_copies(past, cow, same_boot);
	past->last_ms = time_ms;
	past->samples++;
	if (fig_known(past->last.profit_bytes)) {
		past->profits++;
		past->profit_bytes += past->last.profit_bytes;
	}
}

static int take_units(struct ksm_unit_history *history, const json_t *units,
		      int64_t time_ms, bool same_boot)
{
	char name[KSM_UNIT_MAX];
	const char *key;
	json_t *object;
	size_t hint = 0;

	json_object_foreach((json_t *)units, key, object) {
		struct ksm_unit_past *past;

		snprintf(name, sizeof(name), "%s", key);
		ksm_name_clean(name);
		past = find(history, name, &hint);
		if (!past)
			past = add(history, name, time_ms);
		if (!past)
			return -ENOMEM;
		go_on(past, object, time_ms, same_boot);
	}
	return 0;
}

/* What is wanted, and where it goes */
struct reading {
	int64_t from_ms;
	int64_t to_ms;
	struct ksm_unit_history *history;
};

static int take_line(void *to, const json_t *record, const char *day, int line)
{
	struct reading *reading = to;
	struct ksm_unit_history *history = reading->history;
	const json_t *time = json_object_get(record, "time_ms");
	const json_t *units = json_object_get(record, "units");
	const json_t *boot = json_object_get(record, "boot_id");
	const char *boot_id = json_string_value(boot) ?: "";
	int64_t time_ms = json_integer_value(time);
	bool same_boot = !strcmp(history->boot_id, boot_id);

	if (!json_is_integer(time) || !ksm_time_is_sane(time_ms) ||
	    !json_is_object(units)) {
		if (!history->damaged++)
			snprintf(history->damaged_at,
				 sizeof(history->damaged_at), "%s:%d", day,
				 line);
		return 0;
	}
	if (time_ms < reading->from_ms || time_ms > reading->to_ms)
		return 0;
	history->samples++;
	history->last_ms = time_ms;
	snprintf(history->boot_id, sizeof(history->boot_id), "%s", boot_id);
	return take_units(history, units, time_ms, same_boot);
}

/**
 * ksm_unit_history_read() - what units were like in a span of time
 * @dir:     where samples are kept
 * @from_ms: begin, by the wall clock
 * @to_ms:   end, included
 * @history: result, for ksm_unit_history_free(), also after an error; empty if
 *           nothing was kept
 *
 * Return: 0, or -errno: -EACCES for all but their owner
 */
int ksm_unit_history_read(const char *dir, int64_t from_ms, int64_t to_ms,
			  struct ksm_unit_history *history)
{
	struct reading reading = { from_ms, to_ms, history };
	struct ksm_days days = days_of(dir);

	memset(history, 0, sizeof(*history));
	return ksm_days_read(&days, from_ms, to_ms, take_line, &reading);
}

/* Give back what ksm_unit_history_read() has made. */
void ksm_unit_history_free(struct ksm_unit_history *history)
{
	free(history->list);
	memset(history, 0, sizeof(*history));
}

/**
 * ksm_unit_history_prune() - remove the sums of days long gone
 * @dir:    where samples are kept; other files there stay
 * @now_ms: the present
 * @days:   how many days before this one are kept
 *
 * Return: number of files removed, or -errno
 */
int ksm_unit_history_prune(const char *dir, int64_t now_ms, int days)
{
	struct ksm_days units = days_of(dir);

	return ksm_days_prune(&units, now_ms, days);
}
