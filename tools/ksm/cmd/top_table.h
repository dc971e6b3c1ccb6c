/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of the table: which, and in what order.
 */
#ifndef KSM_TOP_TABLE_H
#define KSM_TOP_TABLE_H

#include "top_data.h"

enum top_sort {
	TOP_BY_GAIN,
	TOP_BY_COST,
	TOP_BY_COPIES,
};

enum top_grouping {
	TOP_TREE,	/* units, and the processes of each below it */
	TOP_UNITS,	/* units only */
	TOP_FLAT,	/* processes only */
	TOP_NR_GROUPINGS
};

#define TOP_FILTER_MAX	64

/**
 * struct top_order - what the user wants to see
 * @sort:     by what; the most comes first
 * @grouping: by what it is put together
 * @filter:   part of the name, unit or PID of each process shown; "" for all
 */
struct top_order {
	enum top_sort sort;
	enum top_grouping grouping;
	char filter[TOP_FILTER_MAX];
};

/**
 * struct top_row - a process, or a unit
 * @process:	   the process; of a unit that has just one, that one; else NULL
 * @unit:	   the unit, "" if there is none
 * @processes:	   how many it stands for
 * @is_unit:	   whether it stands for a unit
 * @below:	   whether it is one of the processes below a unit
 * @tracked_bytes: memory under observation
 * @merged_bytes:  mapped to pages of KSM
 * @zero_bytes:	   mapped to the zero page
 * @rss_bytes:	   resident memory
 * @gain_bytes:	   memory that is not needed, less book-keeping
 * @cost_bytes:	   book-keeping
 * @gain_percent:  gain as a part of the memory needed without KSM
 * @copies:	   merged pages copied per second
 * @why:	   why it is no more, or no less
 *
 * Sums leave out what is unknown, unless all of it is.
 */
struct top_row {
	const struct top_process *process;
	const char *unit;
	size_t processes;
	bool is_unit;
	bool below;
	ksm_figure tracked_bytes;
	ksm_figure merged_bytes;
	ksm_figure zero_bytes;
	ksm_figure rss_bytes;
	ksm_figure gain_bytes;
	ksm_figure cost_bytes;
	double gain_percent;
	double copies;
	enum top_why why;
};

/**
 * struct top_table - the rows
 * @rows:      array of @count rows
 * @count:     how many
 * @processes: that passed the filter
 * @units:     that these belong to
 * @idle:      of the processes, how many gain nothing
 */
struct top_table {
	struct top_row *rows;
	size_t count;
	size_t processes;
	size_t units;
	size_t idle;
};

int top_table_make(struct top_table *table, const struct top_data *data,
		   const struct top_order *order);
void top_table_free(struct top_table *table);
const char *top_sort_name(enum top_sort sort);

#endif
