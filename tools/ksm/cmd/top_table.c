// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top_table.h"

/* What the table is sorted by, for people */
const char *top_sort_name(enum top_sort sort)
{
	static const char *const names[] = {
		[TOP_BY_GAIN] = "gain",
		[TOP_BY_COST] = "cost",
		[TOP_BY_COPIES] = "copies",
	};

	return names[sort];
}

/*
 * Which processes
 */

static bool passes(const struct ksm_member *member, const char *filter)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", member->pid);
	return strcasestr(member->comm, filter) ||
	       strcasestr(member->unit, filter) || strstr(pid, filter);
}

/*
 * What is known of them
 */

static double percent_of(const struct top_row *row)
{
	/* pages of zeroes are not resident any more, but would be */
	ksm_figure all = fig_add(row->rss_bytes, row->zero_bytes);

	return 100 * fig_ratio(row->gain_bytes, all);
}

static struct top_row row_of(const struct top_process *process,
			     ksm_figure page_bytes)
{
	const struct ksm_stat *stat = &process->member.stat;
	struct top_row row = {
		.process = process,
		.unit = process->member.unit,
		.processes = 1,
		.merged_bytes = fig_mul(stat->merging_pages, page_bytes),
		.zero_bytes = fig_mul(stat->zero_pages, page_bytes),
		.gain_bytes = stat->profit_bytes,
		.copies = process->copies,
		.why = process->why,
	};
	ksm_figure tracked = ksm_member_tracked_pages(&process->member);
	ksm_figure saved = ksm_member_merged_pages(&process->member);

	row.tracked_bytes = fig_mul(tracked, page_bytes);
	row.rss_bytes = fig_mul(process->member.rss_pages, page_bytes);
	row.cost_bytes = fig_sub(fig_mul(saved, page_bytes), row.gain_bytes);
	row.gain_percent = percent_of(&row);
	return row;
}

static void add_to_unit(struct top_row *unit, const struct top_row *row)
{
	fig_include(&unit->tracked_bytes, row->tracked_bytes);
	fig_include(&unit->merged_bytes, row->merged_bytes);
	fig_include(&unit->zero_bytes, row->zero_bytes);
	fig_include(&unit->rss_bytes, row->rss_bytes);
	fig_include(&unit->gain_bytes, row->gain_bytes);
	fig_include(&unit->cost_bytes, row->cost_bytes);
	if (isnan(unit->copies))
		unit->copies = row->copies;
	else if (!isnan(row->copies))
		unit->copies += row->copies;
	if (unit->why != row->why)
		unit->why = TOP_MIXED;
	unit->processes++;
	unit->process = NULL;
}

static struct top_row unit_of(const struct top_row *rows, size_t count)
{
	struct top_row unit = rows[0];

	unit.is_unit = true;
	for (size_t i = 1; i < count; i++)
		add_to_unit(&unit, &rows[i]);
	unit.gain_percent = percent_of(&unit);
	return unit;
}

/*
 * In what order.  What is unknown comes last, and what is equal by PID, so that
 * rows do not change places without need.
 */

static double key_of(const struct top_row *row, enum top_sort sort)
{
	switch (sort) {
	case TOP_BY_COST:
		return fig_double(row->cost_bytes);
	case TOP_BY_COPIES:
		return row->copies;
	default:
		return fig_double(row->gain_bytes);
	}
}

static int by_key(const struct top_row *a, const struct top_row *b,
		  enum top_sort sort)
{
	double left = key_of(a, sort), right = key_of(b, sort);

	if (isnan(left) || isnan(right))
		return isnan(left) - isnan(right);
	return left < right ? 1 : left > right ? -1 : 0;
}

static int by_name(const struct top_row *a, const struct top_row *b)
{
	int order = strcmp(a->unit, b->unit);

	if (order || !a->process || !b->process)
		return order;
	return a->process->member.pid - b->process->member.pid;
}

/* Of rows, and of units, since these begin with a row */
static int compare(const void *left, const void *right, void *sort)
{
	const struct top_row *a = left, *b = right;
	int order = by_key(a, b, *(enum top_sort *)sort);

	return order ? order : by_name(a, b);
}

static void sort_rows(struct top_row *rows, size_t count, enum top_sort sort)
{
	qsort_r(rows, count, sizeof(*rows), compare, &sort);
}

static int compare_names(const void *left, const void *right)
{
	return by_name(left, right);
}

/*
 * Put together
 */

/* A unit, and the first of its processes; these follow each other. */
struct unit {
	struct top_row row;
	const struct top_row *rows;
};

/*
 * How many of the rows, from the first on, belong together.  Processes without
 * a unit have nothing in common; where only units are shown they are a rest.
 */
static size_t same_unit(const struct top_row *rows, size_t count,
			enum top_grouping grouping)
{
	size_t i = 1;

	if (!rows[0].unit[0] && grouping != TOP_UNITS)
		return 1;
	while (i < count && !strcmp(rows[0].unit, rows[i].unit))
		i++;
	return i;
}

/* @rows are sorted by unit; the result is sorted as wanted. */
static size_t make_units(const struct top_row *rows, size_t count,
			 enum top_grouping grouping, struct unit *units)
{
	size_t nr = 0, step;

	for (size_t i = 0; i < count; i += step) {
		step = same_unit(&rows[i], count - i, grouping);
		units[nr].row = unit_of(&rows[i], step);
		units[nr++].rows = &rows[i];
	}
	return nr;
}

static void add_unit(struct top_table *table, const struct unit *of,
		     const struct top_order *order)
{
	const struct top_row *unit = &of->row;
	struct top_row *first;

	table->units += unit->unit[0] != '\0';
	if (order->grouping == TOP_FLAT)
		return;
	table->rows[table->count++] = *unit;
	if (order->grouping == TOP_UNITS || unit->processes == 1)
		return;
	first = &table->rows[table->count];
	memcpy(first, of->rows, unit->processes * sizeof(*first));
	for (size_t i = 0; i < unit->processes; i++)
		first[i].below = true;
	sort_rows(first, unit->processes, order->sort);
	table->count += unit->processes;
}

/**
 * struct work - rows on their way into the table
 * @rows:  of processes that passed the filter
 * @count: how many
 * @units: room for as many units
 */
struct work {
	struct top_row *rows;
	size_t count;
	struct unit *units;
};

static void group(struct top_table *table, struct work *work,
		  const struct top_order *order)
{
	size_t nr;

	qsort(work->rows, work->count, sizeof(*work->rows), compare_names);
	nr = make_units(work->rows, work->count, order->grouping, work->units);
	qsort_r(work->units, nr, sizeof(*work->units), compare,
		(void *)&order->sort);
	for (size_t i = 0; i < nr; i++)
		add_unit(table, &work->units[i], order);
	if (order->grouping != TOP_FLAT)
		return;
	memcpy(table->rows, work->rows, work->count * sizeof(*work->rows));
	table->count = work->count;
	sort_rows(table->rows, table->count, order->sort);
}

static void choose(struct top_table *table, struct work *work,
		   const struct top_data *data, const char *filter)
{
	for (size_t i = 0; i < data->count; i++) {
		struct top_row row = row_of(&data->list[i],
					    data->now.host.page_bytes);

		if (!passes(&data->list[i].member, filter))
			continue;
		table->processes++;
		table->idle += fig_known(row.gain_bytes) && row.gain_bytes <= 0;
		work->rows[work->count++] = row;
	}
}

/**
 * top_table_make() - make the table
 * @table: result, for top_table_free(), also after an error; refers to @data
 * @data:  what is known of the processes
 * @order: what the user wants to see
 *
 * Return: 0, or -ENOMEM
 */
int top_table_make(struct top_table *table, const struct top_data *data,
		   const struct top_order *order)
{
	struct work work = { 0 };
	int err = 0;

	memset(table, 0, sizeof(*table));
	/* not more units than processes, each with all its processes */
	table->rows = calloc(2 * data->count + 1, sizeof(*table->rows));
	work.rows = calloc(data->count + 1, sizeof(*work.rows));
	work.units = calloc(data->count + 1, sizeof(*work.units));
	if (table->rows && work.rows && work.units) {
		choose(table, &work, data, order->filter);
		group(table, &work, order);
	} else {
		err = -ENOMEM;
	}
	free(work.rows);
	free(work.units);
	return err;
}

/* Give back what top_table_make() has made. */
void top_table_free(struct top_table *table)
{
	free(table->rows);
	memset(table, 0, sizeof(*table));
}
