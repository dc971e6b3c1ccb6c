// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "top_columns.h"
#include "units.h"

/**
 * top_short_size() - memory in at most 6 columns: "6.12G", "71.3M", "-192K"
 * @bytes: how much
 *
 * K, M, G and so on stand for KiB, MiB, GiB.
 *
 * Return: the text; "-" for what is unknown
 */
struct ksm_text top_short_size(ksm_figure bytes)
{
	struct ksm_text text = ksm_size(bytes);
	char *unit = strchr(text.s, ' ');

	if (unit) {
		unit[0] = unit[1] == 'B' ? '\0' : unit[1];
		unit[1] = '\0';
	}
	return text;
}

static enum top_style style_of_size(ksm_figure bytes)
{
	if (!fig_known(bytes) || !bytes)
		return TOP_DIM;
	if (bytes < 0)
		return TOP_BAD;
	return bytes >= 1 << 30 ? TOP_BOLD : TOP_PLAIN;
}

/* A place in the table */
struct place {
	struct top_frame *frame;
	int row;
	int column;
	int width;
};

static void put_right(const struct place *at, enum top_style style,
		      const char *text)
{
	top_put_right(at->frame, at->row, at->column + at->width, style, text);
}

static void put_size(const struct place *at, ksm_figure bytes)
{
	put_right(at, style_of_size(bytes),
		  bytes ? top_short_size(bytes).s : "0");
}

static void put_pid(const struct place *at, const struct top_row *of)
{
	char text[24];

	if (of->process)
		snprintf(text, sizeof(text), "%d", of->process->member.pid);
	else
		snprintf(text, sizeof(text), "%zu%s", of->processes,
			 top_glyph(at->frame, "\u00d7", "x"));
	put_right(at, of->process ? TOP_PLAIN : TOP_DIM, text);
}

/* The kind of a unit is the first thing one can do without. */
static void shorten(const struct place *at, char *unit)
{
	char *dot = strrchr(unit, '.');

	if (dot && top_width(at->frame, unit) > at->width)
		*dot = '\0';
}

/* Of a unit with one process, both are of interest if there is room. */
static void put_unit(const struct place *at, const struct top_row *of)
{
	const int least = 4;
	char unit[KSM_UNIT_MAX];
	int left;

	strcpy(unit, of->unit);
	shorten(at, unit);
	top_put_within(at->frame, at->row, at->column, at->width,
		       of->process ? TOP_PLAIN : TOP_BOLD, unit);
	left = at->width - top_width(at->frame, unit) - 1;
	if (of->process && left >= least)
		top_put_within(at->frame, at->row,
			       at->column + at->width - left, left, TOP_DIM,
			       of->process->member.comm);
}

static void put_name(const struct place *at, const struct top_row *of)
{
	int indent = of->below ? 2 : 0;

	if (of->is_unit && of->unit[0])
		put_unit(at, of);
	else
		top_put_within(at->frame, at->row, at->column + indent,
			       at->width - indent, TOP_PLAIN, of->process ?
			       of->process->member.comm : "(in no unit)");
}

static void put_tracked(const struct place *at, const struct top_row *of)
{
	put_size(at, of->tracked_bytes);
}

static void put_merged(const struct place *at, const struct top_row *of)
{
	put_size(at, of->merged_bytes);
}

static void put_zero(const struct place *at, const struct top_row *of)
{
	put_size(at, of->zero_bytes);
}

static void put_rss(const struct place *at, const struct top_row *of)
{
	put_size(at, of->rss_bytes);
}

static void put_cost(const struct place *at, const struct top_row *of)
{
	put_right(at, TOP_DIM, of->cost_bytes ?
			       top_short_size(of->cost_bytes).s : "0");
}

static void put_gain(const struct place *at, const struct top_row *of)
{
	put_size(at, of->gain_bytes);
}

static void put_percent(const struct place *at, const struct top_row *of)
{
	char text[24];

	if (isnan(of->gain_percent))
		snprintf(text, sizeof(text), "-");
	else
		snprintf(text, sizeof(text), "%.0f %%", of->gain_percent);
	/* there is no negative zero for people */
	put_right(at, TOP_PLAIN, strcmp(text, "-0 %") ? text : "0 %");
}

/* The same as a bar, in half columns */
static void put_bar(const struct place *at, const struct top_row *of)
{
	int halves = lround(of->gain_percent / 100 * 2 * at->width);

	for (int i = 0; i < at->width; i++) {
		wchar_t ch = at->frame->utf8 ? L'\u2500' : L'.';
		enum top_style style = TOP_DIM;

		if (!isnan(of->gain_percent) && halves > 2 * i) {
			bool full = halves > 2 * i + 1;

			ch = !at->frame->utf8 ? L'#' :
			     full ? L'\u2501' : L'\u257e';
			style = TOP_GAIN;
		}
		top_put_char(at->frame, at->row, at->column + i, style, ch);
	}
}

static void put_copies(const struct place *at, const struct top_row *of)
{
	struct ksm_text text = ksm_rate(of->copies);
	char *slash = strchr(text.s, '/');

	/* the head of the column says per second */
	if (slash)
		*slash = '\0';
	put_right(at, of->why == TOP_COPIES ? TOP_BAD :
		  of->copies > 0 ? TOP_PLAIN : TOP_DIM, text.s);
}

static enum top_style style_of_why(enum top_why why)
{
	switch (why) {
	case TOP_GAINS:
		return TOP_GOOD;
	case TOP_COPIES:
	case TOP_COSTS:
		return TOP_BAD;
	case TOP_MIXED:
		return TOP_PLAIN;
	default:
		return TOP_WARN;
	}
}

static void put_why(const struct place *at, const struct top_row *of)
{
	top_put(at->frame, at->row, at->column, style_of_why(of->why),
		top_why_name(of->why));
}

static void put_reason(const struct place *at, const struct top_row *of)
{
	top_put_within(at->frame, at->row, at->column, at->width, TOP_DIM,
		       top_why_text(of->why));
}

/**
 * struct column - a column of the table
 * @head:  above it
 * @width: of what it shows; there is one free column before it
 * @from:  width of the window from which on it is shown
 * @left:  whether its head stands at the left
 * @sort:  what the table is sorted by if this is what counts, or -1
 * @put:   shows it
 *
 * The name gets what the others leave.
 */
struct column {
	const char *head;
	int width;
	int from;
	bool left;
	int sort;
	void (*put)(const struct place *at, const struct top_row *of);
};

static const struct column columns[] = {
	{ "PID", 7, 0, false, -1, put_pid },
	{ "UNIT / PROCESS", 0, 0, true, -1, put_name },
	{ "RSS", 6, 96, false, -1, put_rss },
	{ "TRACKED", 7, 0, false, -1, put_tracked },
	{ "MERGED", 6, 0, false, -1, put_merged },
	{ "ZERO", 5, 0, false, -1, put_zero },
	{ "COST", 6, 104, false, TOP_BY_COST, put_cost },
	{ "GAIN", 6, 0, false, TOP_BY_GAIN, put_gain },
	{ "GAIN%", 5, 0, false, -1, put_percent },
	{ "", 20, 120, true, -1, put_bar },
	{ "COPY/s", 6, 0, false, TOP_BY_COPIES, put_copies },
	{ "WHY", 7, 0, true, -1, put_why },
	{ "", 28, 150, true, -1, put_reason },
};

/*
 * What it is sorted by has to be seen: in a narrow window, costs take the place
 * of zero pages.
 */
static bool is_shown(const struct column *column, int columns_total,
		     enum top_sort sort)
{
	const int wide = 104;

	if (sort == TOP_BY_COST && columns_total < wide) {
		if (column->put == put_cost)
			return true;
		if (column->put == put_zero)
			return false;
	}
	return columns_total >= column->from;
}

/* What is left for the name: at 80 columns 22 */
static int name_width(const struct top_frame *frame, enum top_sort sort)
{
	int left = frame->columns;

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (is_shown(&columns[i], frame->columns, sort))
			left -= columns[i].width + 1;
	return left;
}

typedef void (*put_column)(const struct place *at, const struct column *column,
			   const void *data);

static void each_column(struct top_frame *frame, int row, enum top_sort sort,
			put_column put, const void *data)
{
	struct place at = { frame, row, 0, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		if (!is_shown(&columns[i], frame->columns, sort))
			continue;
		/* the first column begins at the edge */
		at.column += i > 0;
		at.width = columns[i].width ? columns[i].width :
					      name_width(frame, sort) + 1;
		put(&at, &columns[i], data);
		at.column += at.width;
	}
}

static void put_head(const struct place *at, const struct column *column,
		     const void *sort)
{
	bool sorted = column->sort == (int)*(const enum top_sort *)sort;
	enum top_style style = sorted ? TOP_HEAD_SORT : TOP_HEAD;

	if (column->left)
		top_put(at->frame, at->row, at->column, style, column->head);
	else
		put_right(at, style, column->head);
}

static void put_cell(const struct place *at, const struct column *column,
		     const void *of)
{
	column->put(at, of);
}

/* Put the heads of the columns. */
void top_put_head(struct top_frame *frame, int row, enum top_sort sort)
{
	top_set_style(frame, row, TOP_HEAD);
	each_column(frame, row, sort, put_head, &sort);
}

/* Put a row of the table. */
void top_put_row(struct top_frame *frame, int row, enum top_sort sort,
		 const struct top_row *of)
{
	each_column(frame, row, sort, put_cell, of);
}
