/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user sees and wants, and what keys do to it.
 */
#ifndef KSM_TOP_KEYS_H
#define KSM_TOP_KEYS_H

#include "top_table.h"
#include "top_text.h"

/* Keys that are no characters; others are what they type. */
enum top_key {
	TOP_KEY_UP = 0x110000,	/* behind all of Unicode */
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
	TOP_KEY_BACKSPACE,
	TOP_KEY_OTHER,
};

enum top_page {
	TOP_PAGE_TABLE,
	TOP_PAGE_TEXT,	/* help, mappings or explain, over the table */
};

/* What keys ask for that takes more than a look at what is known */
enum top_request {
	TOP_NOTHING,
	TOP_SHOW_HELP,
	TOP_SHOW_MAPS,
	TOP_EXPLAIN,
	TOP_QUIT,
};

/**
 * struct top_ui - the state of the user's dealings
 * @order:     of the table
 * @page:      what is on the screen
 * @editing:   whether a filter is being typed
 * @old_filter: the one before, should typing be given up
 * @pid:       selected process, 0 if a unit is selected, or nothing
 * @unit:      selected unit, if @pid is 0
 * @moved:     whether anything was selected; else it is the first row
 * @selected:  its row in the table
 * @first:     first row of the table that is visible
 * @text:      the page of text
 * @text_first: its first line that is visible
 * @room:      rows that the table has, or lines of text, on the screen
 * @message:   for one moment, in the last line
 */
struct top_ui {
	struct top_order order;
	enum top_page page;
	bool editing;
	char old_filter[TOP_FILTER_MAX];
	int pid;
	char unit[KSM_UNIT_MAX];
	bool moved;
	size_t selected;
	size_t first;
	struct top_text text;
	size_t text_first;
	size_t room;
	char message[128];
};

enum top_request top_key(struct top_ui *ui, const struct top_table *table,
			 unsigned int key);
void top_ui_follow(struct top_ui *ui, const struct top_table *table);
void top_ui_show_text(struct top_ui *ui);

#endif
