// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which rows the table of ksm top has, and in what order
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../cmd/top_table.h"
#include "fixture.h"

static struct top_process list[16];
static struct top_data data;
static struct top_table table;
static struct top_order order;

/* A process that saves @gain pages and costs nothing, nor copies */
static struct top_process *add(int pid, const char *comm, const char *unit,
			       int gain)
{
	struct top_process *process = &list[data.count++];

	memset(process, 0, sizeof(*process));
	process->member.pid = pid;
	strcpy(process->member.comm, comm);
	strcpy(process->member.unit, unit);
	process->member.rss_pages = 1000;
	process->member.stat.rmap_items = 500;
	process->member.stat.merging_pages = gain;
	process->member.stat.profit_bytes = gain * 4096LL;
	process->why = gain > 0 ? TOP_GAINS : TOP_IDLE;
	return process;
}

static int begin(void **state)
{
	(void)state;
	memset(&data, 0, sizeof(data));
	memset(&order, 0, sizeof(order));
	data.list = list;
	data.now.host.page_bytes = 4096;
	return 0;
}

static int end(void **state)
{
	(void)state;
	top_table_free(&table);
	return 0;
}

/* "4:a.service >11 >12 20": units with a colon, what is below them with > */
static void check(const char *want)
{
	char got[512] = "";
	size_t len = 0;

	top_table_free(&table);
	assert_int_equal(top_table_make(&table, &data, &order), 0);
	for (size_t i = 0; i < table.count; i++) {
		const struct top_row *row = &table.rows[i];

		if (len)
			got[len++] = ' ';
		if (row->process)
			len += sprintf(got + len, "%s%d", row->below ? ">" : "",
				       row->process->member.pid);
		else
			len += sprintf(got + len, "%zu:%s", row->processes,
				       row->unit);
	}
	assert_string_equal(got, want);
}

static void add_five(void)
{
	add(10, "qemu", "vm1.scope", 300);
	add(11, "php", "php.service", 5);
	add(12, "php", "php.service", 7);
	add(13, "loner", "", 100);
	add(14, "stray", "", -3);
}

static void nothing(void **state)
{
	(void)state;
	check("");
	assert_int_equal(table.processes, 0);
	assert_int_equal(table.units, 0);
	assert_int_equal(table.idle, 0);
}

static void tree(void **state)
{
	(void)state;
	add_five();
	/* those without a unit stand for themselves */
	check("10 13 2:php.service >12 >11 14");
	assert_int_equal(table.processes, 5);
	assert_int_equal(table.units, 2);
	assert_int_equal(table.idle, 1);
	assert_true(table.rows[0].is_unit);
}

static void units_only(void **state)
{
	(void)state;
	add_five();
	order.grouping = TOP_UNITS;
	/* 97 pages: less than the first, more than the second */
	check("10 2: 2:php.service");
	assert_int_equal(table.units, 2);
}

static void flat(void **state)
{
	(void)state;
	add_five();
	order.grouping = TOP_FLAT;
	check("10 13 12 11 14");
	assert_int_equal(table.units, 2);
	assert_false(table.rows[0].is_unit);
}

static void units_are_sums(void **state)
{
	struct top_process *a, *b;
	const struct top_row *unit;

	(void)state;
	a = add(1, "a", "u.service", 10);
	b = add(2, "b", "u.service", 20);
	a->member.stat.zero_pages = 6;
	b->member.stat.zero_pages = KSM_UNKNOWN;
	a->copies = NAN;
	b->copies = 2.5;
	b->why = TOP_COPIES;
	check("2:u.service >2 >1");
	unit = &table.rows[0];
	assert_int_equal(unit->merged_bytes, 30 * 4096);
	assert_int_equal(unit->zero_bytes, 6 * 4096);
	assert_int_equal(unit->gain_bytes, 30 * 4096);
	assert_int_equal(unit->rss_bytes, 2000 * 4096);
	assert_true(unit->copies == 2.5);
	assert_int_equal(unit->why, TOP_MIXED);
	assert_true(fabs(unit->gain_percent - 100 * 30 / 2006.0) < 0.000000001);
}

static void figures_of_a_process(void **state)
{
	struct top_process *process = add(1, "a", "u.service", 100);
	const struct top_row *row = table.rows;

	(void)state;
	process->member.stat.zero_pages = 250;
	process->member.stat.profit_bytes = 350 * 4096 - 8000;
	check("1");
	row = table.rows;
	assert_int_equal(row->tracked_bytes, 750 * 4096);
	assert_int_equal(row->merged_bytes, 100 * 4096);
	assert_int_equal(row->zero_bytes, 250 * 4096);
	assert_int_equal(row->cost_bytes, 8000);
	assert_int_equal(row->gain_bytes, 350 * 4096 - 8000);
	/* of 1000 pages that are there, and 250 that need not be */
	assert_true(fabs(row->gain_percent -
			 100 * (350 * 4096 - 8000) / (1250 * 4096.0)) < 0.000000001);
}

static void by_cost(void **state)
{
	(void)state;
	add_five();
	list[1].member.stat.profit_bytes -= 500;
	list[3].member.stat.profit_bytes -= 200;
	list[4].member.stat.profit_bytes -= 300;
	order.sort = TOP_BY_COST;
	check("2:php.service >11 >12 14 13 10");
}

static void by_copies(void **state)
{
	(void)state;
	add_five();
	for (int i = 0; i < 5; i++)
		list[i].copies = i == 3 ? NAN : i;
	order.sort = TOP_BY_COPIES;
	/* what is unknown is not the most */
	check("14 2:php.service >12 >11 10 13");
}

static void unknown_comes_last(void **state)
{
	(void)state;
	add_five();
	list[0].member.stat.profit_bytes = KSM_UNKNOWN;
	order.grouping = TOP_FLAT;
	check("13 12 11 14 10");
	assert_int_equal(table.idle, 1);
	assert_true(isnan(table.rows[4].gain_percent));
	assert_int_equal(table.rows[4].cost_bytes, KSM_UNKNOWN);
}

static void equals_keep_their_order(void **state)
{
	(void)state;
	add(3, "a", "x.scope", 5);
	add(1, "b", "x.scope", 5);
	add(2, "c", "x.scope", 5);
	check("3:x.scope >1 >2 >3");
	order.grouping = TOP_FLAT;
	check("1 2 3");
}

static void filter(void **state)
{
	(void)state;
	add_five();
	strcpy(order.filter, "PHP");
	check("2:php.service >12 >11");
	assert_int_equal(table.processes, 2);
	assert_int_equal(table.units, 1);
	/* of a unit, a part: the sums are of that part */
	strcpy(order.filter, "11");
	check("11");
	assert_int_equal(table.rows[0].merged_bytes, 5 * 4096);
	strcpy(order.filter, "vm1");
	check("10");
	strcpy(order.filter, "stray");
	check("14");
	assert_int_equal(table.idle, 1);
	strcpy(order.filter, "nobody");
	check("");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing),
		TEST(tree),
		TEST(units_only),
		TEST(flat),
		TEST(units_are_sums),
		TEST(figures_of_a_process),
		TEST(by_cost),
		TEST(by_copies),
		TEST(unknown_comes_last),
		TEST(equals_keep_their_order),
		TEST(filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
