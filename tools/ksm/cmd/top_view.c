// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "top_columns.h"
#include "top_head.h"
#include "top_view.h"

static void put_too_small(struct top_frame *frame)
{
	top_put(frame, 0, 0, TOP_BOLD, "window too small");
	top_putf(frame, 1, 0, TOP_PLAIN, "it is %d x %d", frame->columns,
		 frame->rows);
	top_putf(frame, 2, 0, TOP_PLAIN, "ksm top needs %d x %d",
		 TOP_MIN_COLUMNS, TOP_MIN_ROWS);
	top_put(frame, 3, 0, TOP_PLAIN, "q quits");
}

static void name_order(const struct top_ui *ui, char *text, size_t size)
{
	static const char *const groupings[] = {
		[TOP_TREE] = "by unit, ",
		[TOP_UNITS] = "units by ",
		[TOP_FLAT] = "by ",
	};

	snprintf(text, size, "; %s%s", groupings[ui->order.grouping],
		 top_sort_name(ui->order.sort));
}

/* Which rows are shown, if not all of them */
static void name_rows(const struct top_ui *ui, const struct top_table *table,
		      char *text, size_t size)
{
	size_t last = ui->first + ui->room;

	if (last > table->count)
		last = table->count;
	text[0] = '\0';
	if (ui->first || last < table->count)
		snprintf(text, size, "  %zu-%zu of %zu", ui->first + 1, last,
			 table->count);
}

static int put_numbers(struct top_frame *frame, int row,
		       const struct ksm_sums *sums,
		       const struct top_table *table)
{
	int column;

	column = top_putf(frame, row, 0, TOP_BOLD, "%zu process%s",
			  table->processes, table->processes == 1 ? "" : "es");
	if (sums->unreadable > 0)
		column = top_putf(frame, row, column, TOP_WARN,
				  " (%d unreadable)", (int)sums->unreadable);
	column = top_putf(frame, row, column, TOP_PLAIN, ", %zu unit%s",
			  table->units, table->units == 1 ? "" : "s");
	return top_putf(frame, row, column, table->idle ? TOP_WARN : TOP_DIM,
			", %zu gain%s nothing", table->idle,
			table->idle == 1 ? "s" : "");
}

/* What the table is a table of; its order only if there is room. */
static void put_summary(struct top_frame *frame, int row,
			const struct top_ui *ui, const struct top_data *data,
			const struct top_table *table)
{
	char order[64], rows[64];
	int column = put_numbers(frame, row, &data->now.sums, table), end;

	name_order(ui, order, sizeof(order));
	name_rows(ui, table, rows, sizeof(rows));
	end = frame->columns - top_width(frame, rows);
	if (ui->order.filter[0])
		column = top_putf(frame, row, column, TOP_WARN, "  /%s",
				  ui->order.filter);
	if (column + top_width(frame, order) <= end)
		top_put(frame, row, column, TOP_DIM, order);
	top_put(frame, row, end, TOP_DIM, rows);
}

static const char *why_empty(const struct top_ui *ui,
			     const struct top_data *data)
{
	if (ui->order.filter[0])
		return "no process matches; Esc takes the filter away";
	if (data->now.sums.unreadable > 0)
		return "no process that may be seen takes part; try as root";
	if (!data->now.present)
		return "";
	return "no process takes part: start QEMU, or a unit with MemoryKSM=, "
	       "or use ksm run";
}

static void put_table(struct top_frame *frame, int row,
		      const struct top_ui *ui, const struct top_data *data,
		      const struct top_table *table)
{
	top_put_head(frame, row++, ui->order.sort);
	if (!table->count)
		top_put(frame, row + 1, 1, TOP_DIM, why_empty(ui, data));
	for (size_t i = 0; i < ui->room && ui->first + i < table->count; i++) {
		top_put_row(frame, row + i, ui->order.sort,
			    &table->rows[ui->first + i]);
		if (ui->first + i == ui->selected)
			top_set_style(frame, row + i, TOP_SELECTED);
	}
}

static void put_keys(struct top_frame *frame, const char *const (*keys)[2])
{
	int row = frame->rows - 1, column = 0;

	for (; (*keys)[0]; keys++) {
		column = top_put(frame, row, column, TOP_BOLD, (*keys)[0]);
		column = top_putf(frame, row, column, TOP_DIM, " %s ",
				  (*keys)[1]);
	}
}

static void put_last_row(struct top_frame *frame, const struct top_ui *ui)
{
	static const char *const table_keys[][2] = {
		{ "g", "gain" }, { "c", "cost" }, { "w", "copies" },
		{ "t", "units" }, { "/", "filter" }, { "Enter", "maps" },
		{ "e", "explain" }, { "h", "help" }, { "q", "quit" }, { 0 }
	};
	static const char *const text_keys[][2] = {
		{ "q", "back" }, { "arrows, PgUp, PgDn", "scroll" }, { 0 }
	};
	int row = frame->rows - 1;

	if (ui->editing)
		top_putf(frame, row, 0, TOP_BOLD, "filter: %s_",
			 ui->order.filter);
	else if (ui->message[0])
		top_putf(frame, row, 0, TOP_WARN, "%s", ui->message);
	else if (ui->page == TOP_PAGE_TEXT)
		put_keys(frame, text_keys);
	else
		put_keys(frame, table_keys);
}

/* A quarter of the window, but the table comes first where it is low. */
static int chart_rows(const struct top_frame *frame)
{
	int rows = frame->rows / 4 - 1;

	return rows < 3 ? 3 : rows > 9 ? 9 : rows;
}

static void view_table(struct top_frame *frame, struct top_ui *ui,
		       const struct top_data *data,
		       const struct top_table *table)
{
	int row;

	top_put_title(frame, 0, data);
	row = top_put_verdict(frame, 1, data);
	row = top_put_charts(frame, row, chart_rows(frame), data);
	/* summary, heads, keys */
	ui->room = frame->rows - row - 3;
	top_ui_follow(ui, table);
	put_summary(frame, row, ui, data, table);
	put_table(frame, row + 1, ui, data, table);
}

static void view_text(struct top_frame *frame, struct top_ui *ui,
		      const struct top_data *data)
{
	const struct top_text *text = &ui->text;
	int row = 1;

	top_put_title(frame, 0, data);
	top_put(frame, row++, 0, TOP_BOLD, text->title);
	top_set_style(frame, row, TOP_HEAD);
	top_put(frame, row++, 0, TOP_HEAD, text->head);
	ui->room = frame->rows - row - 1;
	/* the window may have grown, or the text have become shorter */
	if (ui->text_first + ui->room > text->count)
		ui->text_first = text->count > ui->room ?
				 text->count - ui->room : 0;
	for (size_t i = 0; i < ui->room; i++)
		if (ui->text_first + i < text->count)
			top_put(frame, row + i, 0, TOP_PLAIN,
				text->lines[ui->text_first + i]);
}

/* Is the window large enough? */
bool top_view_fits(const struct top_frame *frame)
{
	return frame->rows >= TOP_MIN_ROWS &&
	       frame->columns >= TOP_MIN_COLUMNS;
}

/**
 * top_view() - draw what the user is to see
 * @frame: where; its size is that of the window
 * @ui:    what the user wants; learns how much there is room for
 * @data:  what is known
 * @table: the processes
 */
void top_view(struct top_frame *frame, struct top_ui *ui,
	      const struct top_data *data, const struct top_table *table)
{
	top_frame_clear(frame);
	if (!top_view_fits(frame)) {
		put_too_small(frame);
		return;
	}
	if (ui->page == TOP_PAGE_TEXT)
		view_text(frame, ui, data);
	else
		view_table(frame, ui, data, table);
	put_last_row(frame, ui);
}
