// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "top_keys.h"

/*
 * The selection belongs to a process or unit, not to a place: what one is about
 * to look at must not be exchanged for another by the next update.
 */

static bool is_selected(const struct top_ui *ui, const struct top_row *row)
{
	if (ui->pid)
		return row->process && row->process->member.pid == ui->pid;
	return row->is_unit && !row->process && !strcmp(row->unit, ui->unit);
}

static void select_row(struct top_ui *ui, const struct top_table *table,
		       size_t row)
{
	const struct top_row *at = &table->rows[row];

	ui->selected = row;
	ui->pid = at->process ? at->process->member.pid : 0;
	memcpy(ui->unit, at->unit, strlen(at->unit) + 1);
}

static void scroll_to_selected(struct top_ui *ui, size_t count)
{
	if (ui->selected < ui->first)
		ui->first = ui->selected;
	if (ui->room && ui->selected >= ui->first + ui->room)
		ui->first = ui->selected - ui->room + 1;
	/* do not leave room at the end while there are rows above */
	if (ui->first + ui->room > count)
		ui->first = count > ui->room ? count - ui->room : 0;
}

/**
 * top_ui_follow() - find the selection again in a new table
 * @ui:    state, with the room that the screen has
 * @table: the table
 */
void top_ui_follow(struct top_ui *ui, const struct top_table *table)
{
	size_t row = 0;

	if (!table->count) {
		ui->selected = 0;
		ui->first = 0;
		ui->pid = 0;
		ui->unit[0] = '\0';
		return;
	}
	if (ui->moved) {
		while (row < table->count &&
		       !is_selected(ui, &table->rows[row]))
			row++;
		/* gone: go on from where it was */
		if (row == table->count)
			row = ui->selected < table->count ? ui->selected :
							    table->count - 1;
	}
	select_row(ui, table, row);
	scroll_to_selected(ui, table->count);
}

/* Where a key for moving leads to, at most to @last */
static size_t moved(size_t at, size_t last, size_t page, unsigned int key)
{
	switch (key) {
	case TOP_KEY_UP:
		return at ? at - 1 : 0;
	case TOP_KEY_DOWN:
		return at < last ? at + 1 : last;
	case TOP_KEY_PAGE_UP:
		return at > page ? at - page : 0;
	case TOP_KEY_PAGE_DOWN:
		return at + page < last ? at + page : last;
	case TOP_KEY_HOME:
		return 0;
	default:
		return last;
	}
}

static bool moves(unsigned int key)
{
	return key >= TOP_KEY_UP && key <= TOP_KEY_END;
}

static void move_selection(struct top_ui *ui, const struct top_table *table,
			   unsigned int key)
{
	if (!table->count)
		return;
	ui->moved = true;
	select_row(ui, table, moved(ui->selected, table->count - 1,
				    ui->room, key));
	scroll_to_selected(ui, table->count);
}

/*
 * Typing a filter; the table follows with each key.
 */

static void type(struct top_ui *ui, unsigned int key)
{
	size_t len = strlen(ui->order.filter);

	/* names of units and programs are ASCII, as good as always */
	if (key < ' ' || key > '~' || len + 1 >= TOP_FILTER_MAX)
		return;
	ui->order.filter[len] = key;
	ui->order.filter[len + 1] = '\0';
}

static void rub_out(struct top_ui *ui)
{
	size_t len = strlen(ui->order.filter);

	if (len)
		ui->order.filter[len - 1] = '\0';
}

static void edit(struct top_ui *ui, unsigned int key)
{
	switch (key) {
	case TOP_KEY_ENTER:
		ui->editing = false;
		break;
	case TOP_KEY_ESCAPE:
		ui->editing = false;
		strcpy(ui->order.filter, ui->old_filter);
		break;
	case TOP_KEY_BACKSPACE:
		rub_out(ui);
		break;
	default:
		type(ui, key);
	}
}

static void begin_editing(struct top_ui *ui)
{
	ui->editing = true;
	strcpy(ui->old_filter, ui->order.filter);
	ui->order.filter[0] = '\0';
}

/*
 * The table
 */

static void sort_by(struct top_ui *ui, enum top_sort sort)
{
	ui->order.sort = sort;
	/* after sorting the first ones are of interest */
	ui->moved = false;
	ui->first = 0;
}

static enum top_request about_process(struct top_ui *ui,
				      enum top_request request)
{
	if (ui->pid)
		return request;
	strcpy(ui->message, ui->unit[0] ?
	       "this is a unit: choose one of its processes (t, arrows)" :
	       "there is no process to choose");
	return TOP_NOTHING;
}

static enum top_request table_key(struct top_ui *ui, unsigned int key)
{
	switch (key) {
	case 'g':
		sort_by(ui, TOP_BY_GAIN);
		break;
	case 'c':
		sort_by(ui, TOP_BY_COST);
		break;
	case 'w':
		sort_by(ui, TOP_BY_COPIES);
		break;
	case 't':
		ui->order.grouping = (ui->order.grouping + 1) %
				     TOP_NR_GROUPINGS;
		break;
	case '/':
		begin_editing(ui);
		break;
	case TOP_KEY_ESCAPE:
		ui->order.filter[0] = '\0';
		break;
	case TOP_KEY_ENTER:
		return about_process(ui, TOP_SHOW_MAPS);
	case 'e':
		return about_process(ui, TOP_EXPLAIN);
	case 'h':
	case '?':
		return TOP_SHOW_HELP;
	case 'q':
		return TOP_QUIT;
	}
	return TOP_NOTHING;
}

/*
 * A page of text
 */

/* Show ui->text, from its begin. */
void top_ui_show_text(struct top_ui *ui)
{
	ui->page = TOP_PAGE_TEXT;
	ui->text_first = 0;
}

static enum top_request text_key(struct top_ui *ui, unsigned int key)
{
	size_t last = ui->text.count > ui->room ? ui->text.count - ui->room : 0;

	if (moves(key)) {
		ui->text_first = moved(ui->text_first, last, ui->room, key);
		return TOP_NOTHING;
	}
	switch (key) {
	case ' ':
		ui->text_first = moved(ui->text_first, last, ui->room,
				       TOP_KEY_PAGE_DOWN);
		break;
	case 'q':
	case 'h':
	case TOP_KEY_ESCAPE:
	case TOP_KEY_ENTER:
		ui->page = TOP_PAGE_TABLE;
	}
	return TOP_NOTHING;
}

/**
 * top_key() - do what a key stands for
 * @ui:    state
 * @table: what is on the screen
 * @key:   a character, or one of enum top_key
 *
 * Return: what is left to do for the caller
 */
enum top_request top_key(struct top_ui *ui, const struct top_table *table,
			 unsigned int key)
{
	ui->message[0] = '\0';
	if (ui->page == TOP_PAGE_TEXT)
		return text_key(ui, key);
	if (moves(key))
		move_selection(ui, table, key);
	else if (ui->editing)
		edit(ui, key);
	else
		return table_key(ui, key);
	return TOP_NOTHING;
}
