// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keys do
 */
#include <stdio.h>
#include <string.h>

#include "../cmd/top_keys.h"
#include "fixture.h"

static struct top_process list[20];
static struct top_data data;
static struct top_table table;
static struct top_ui ui;

/* 20 processes, PID 1 with the most gain, two units: "u1", and "u2" from 11 */
static int begin(void **state)
{
	(void)state;
	memset(&data, 0, sizeof(data));
	memset(&ui, 0, sizeof(ui));
	memset(list, 0, sizeof(list));
	data.list = list;
	data.count = 20;
	data.now.host.page_bytes = 4096;
	ui.order.grouping = TOP_FLAT;
	ui.room = 5;
	for (int i = 0; i < 20; i++) {
		list[i].member.pid = i + 1;
		list[i].member.stat.profit_bytes = 1000 - i;
		strcpy(list[i].member.comm, i % 2 ? "odd" : "even");
		strcpy(list[i].member.unit, i < 10 ? "u1" : "u2");
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	top_table_free(&table);
	top_text_clear(&ui.text);
	return 0;
}

/* As for each frame */
static void redraw(void)
{
	top_table_free(&table);
	assert_int_equal(top_table_make(&table, &data, &ui.order), 0);
	top_ui_follow(&ui, &table);
}

static enum top_request press(unsigned int key)
{
	enum top_request request;

	redraw();
	request = top_key(&ui, &table, key);
	redraw();
	return request;
}

static void type_text(const char *text)
{
	while (*text)
		assert_int_equal(press(*text++), TOP_NOTHING);
}

static void check(int pid, size_t row, size_t first)
{
	assert_int_equal(ui.pid, pid);
	assert_int_equal(ui.selected, row);
	assert_int_equal(ui.first, first);
}

static void arrows(void **state)
{
	(void)state;
	redraw();
	check(1, 0, 0);
	press(TOP_KEY_UP);
	check(1, 0, 0);
	press(TOP_KEY_DOWN);
	check(2, 1, 0);
	for (int i = 0; i < 4; i++)
		press(TOP_KEY_DOWN);
	check(6, 5, 1);
	press(TOP_KEY_UP);
	check(5, 4, 1);
}

static void pages(void **state)
{
	(void)state;
	press(TOP_KEY_PAGE_DOWN);
	check(6, 5, 1);
	press(TOP_KEY_END);
	check(20, 19, 15);
	press(TOP_KEY_PAGE_DOWN);
	check(20, 19, 15);
	press(TOP_KEY_PAGE_UP);
	check(15, 14, 14);
	press(TOP_KEY_HOME);
	check(1, 0, 0);
}

/* The selected one stays selected, wherever it goes. */
static void selection_follows(void **state)
{
	(void)state;
	press(TOP_KEY_DOWN);
	check(2, 1, 0);
	list[1].member.stat.profit_bytes = 1;
	redraw();
	check(2, 19, 15);
	list[1].member.stat.profit_bytes = 5000;
	redraw();
	check(2, 0, 0);
}

/* Nobody has chosen yet: then it is the first one. */
static void first_until_moved(void **state)
{
	(void)state;
	redraw();
	list[0].member.stat.profit_bytes = 1;
	redraw();
	check(2, 0, 0);
}

static void selected_one_ends(void **state)
{
	(void)state;
	press(TOP_KEY_END);
	check(20, 19, 15);
	data.count = 19;
	redraw();
	check(19, 18, 14);
	data.count = 0;
	redraw();
	check(0, 0, 0);
	press(TOP_KEY_DOWN);
	check(0, 0, 0);
}

static void room_changes(void **state)
{
	(void)state;
	press(TOP_KEY_END);
	ui.room = 8;
	redraw();
	check(20, 19, 12);
	ui.room = 100;
	redraw();
	check(20, 19, 0);
	ui.room = 1;
	redraw();
	check(20, 19, 19);
}

static void sorting(void **state)
{
	(void)state;
	press(TOP_KEY_END);
	press('c');
	assert_int_equal(ui.order.sort, TOP_BY_COST);
	assert_int_equal(ui.selected, 0);
	press('w');
	assert_int_equal(ui.order.sort, TOP_BY_COPIES);
	press('g');
	assert_int_equal(ui.order.sort, TOP_BY_GAIN);
	check(1, 0, 0);
}

static void grouping(void **state)
{
	(void)state;
	press('t');
	assert_int_equal(ui.order.grouping, TOP_TREE);
	assert_int_equal(table.count, 22);
	/* the first row is a unit: it has no mappings */
	assert_string_equal(ui.unit, "u1");
	assert_int_equal(press(TOP_KEY_ENTER), TOP_NOTHING);
	assert_true(strstr(ui.message, "unit"));
	assert_int_equal(press('e'), TOP_NOTHING);
	press(TOP_KEY_DOWN);
	assert_int_equal(ui.message[0], '\0');
	assert_int_equal(press(TOP_KEY_ENTER), TOP_SHOW_MAPS);
	press('t');
	assert_int_equal(ui.order.grouping, TOP_UNITS);
	assert_int_equal(table.count, 2);
	press('t');
	assert_int_equal(ui.order.grouping, TOP_FLAT);
}

/* A unit that is selected is followed like a process. */
static void units_are_followed(void **state)
{
	(void)state;
	ui.order.grouping = TOP_UNITS;
	press(TOP_KEY_DOWN);
	check(0, 1, 0);
	assert_string_equal(ui.unit, "u2");
	list[15].member.stat.profit_bytes = 1000000;
	redraw();
	check(0, 0, 0);
	assert_string_equal(ui.unit, "u2");
}

static void requests(void **state)
{
	(void)state;
	assert_int_equal(press(TOP_KEY_ENTER), TOP_SHOW_MAPS);
	assert_int_equal(press('e'), TOP_EXPLAIN);
	assert_int_equal(press('h'), TOP_SHOW_HELP);
	assert_int_equal(press('?'), TOP_SHOW_HELP);
	assert_int_equal(press('x'), TOP_NOTHING);
	assert_int_equal(press(TOP_KEY_OTHER), TOP_NOTHING);
	assert_int_equal(press('q'), TOP_QUIT);
	data.count = 0;
	assert_int_equal(press(TOP_KEY_ENTER), TOP_NOTHING);
	assert_true(ui.message[0]);
	assert_int_equal(press('e'), TOP_NOTHING);
}

static void typing_a_filter(void **state)
{
	(void)state;
	press('/');
	/* no commands now */
	type_text("odq");
	assert_int_equal(table.count, 0);
	press(TOP_KEY_BACKSPACE);
	assert_int_equal(table.count, 10);
	press(TOP_KEY_DOWN);
	check(4, 1, 0);
	press(TOP_KEY_ENTER);
	assert_false(ui.editing);
	assert_string_equal(ui.order.filter, "od");
	press('g');
	assert_string_equal(ui.order.filter, "od");
	press(TOP_KEY_ESCAPE);
	assert_int_equal(table.count, 20);
}

static void giving_a_filter_up(void **state)
{
	(void)state;
	strcpy(ui.order.filter, "even");
	press('/');
	assert_string_equal(ui.order.filter, "");
	type_text("xyz");
	press(TOP_KEY_ESCAPE);
	assert_false(ui.editing);
	assert_string_equal(ui.order.filter, "even");
	press('/');
	press(TOP_KEY_BACKSPACE);
	press(TOP_KEY_ENTER);
	assert_string_equal(ui.order.filter, "");
}

static void long_filters(void **state)
{
	(void)state;
	press('/');
	for (int i = 0; i < 100; i++)
		press('a');
	assert_int_equal(strlen(ui.order.filter), TOP_FILTER_MAX - 1);
	press(0x1f600);
	press(TOP_KEY_OTHER);
	assert_int_equal(strlen(ui.order.filter), TOP_FILTER_MAX - 1);
}

static void a_page_of_text(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++)
		assert_int_equal(top_text_add(&ui.text, "line %d", i), 0);
	top_ui_show_text(&ui);
	press(TOP_KEY_UP);
	assert_int_equal(ui.text_first, 0);
	press(TOP_KEY_DOWN);
	assert_int_equal(ui.text_first, 1);
	press(' ');
	assert_int_equal(ui.text_first, 6);
	press(TOP_KEY_PAGE_DOWN);
	assert_int_equal(ui.text_first, 7);
	press(TOP_KEY_HOME);
	assert_int_equal(ui.text_first, 0);
	press(TOP_KEY_END);
	assert_int_equal(ui.text_first, 7);
	/* back to the table, not out of the program */
	assert_int_equal(press('q'), TOP_NOTHING);
	assert_int_equal(ui.page, TOP_PAGE_TABLE);
	check(1, 0, 0);
	assert_int_equal(press('q'), TOP_QUIT);
}

static void short_text(void **state)
{
	(void)state;
	assert_int_equal(top_text_add(&ui.text, "one"), 0);
	top_ui_show_text(&ui);
	press(TOP_KEY_DOWN);
	press(TOP_KEY_END);
	assert_int_equal(ui.text_first, 0);
	press(TOP_KEY_ESCAPE);
	assert_int_equal(ui.page, TOP_PAGE_TABLE);
}

static void splitting_text(void **state)
{
	char lines[] = "a\n\nb\n", open[] = "c";

	(void)state;
	assert_int_equal(top_text_split(&ui.text, lines), 0);
	assert_int_equal(ui.text.count, 3);
	assert_string_equal(ui.text.lines[1], "");
	assert_int_equal(top_text_split(&ui.text, open), 0);
	assert_int_equal(ui.text.count, 4);
	assert_string_equal(ui.text.lines[3], "c");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arrows),
		TEST(pages),
		TEST(selection_follows),
		TEST(first_until_moved),
		TEST(selected_one_ends),
		TEST(room_changes),
		TEST(sorting),
		TEST(grouping),
		TEST(units_are_followed),
		TEST(requests),
		TEST(typing_a_filter),
		TEST(giving_a_filter_up),
		TEST(long_filters),
		TEST(a_page_of_text),
		TEST(short_text),
		TEST(splitting_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
