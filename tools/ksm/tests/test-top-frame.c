// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting text into a screenful of characters
 */
#include <locale.h>
#include <string.h>

#include "../cmd/top_frame.h"
#include "fixture.h"

static struct top_frame frame;

static int make_frame(void **state)
{
	(void)state;
	frame = (struct top_frame){ .utf8 = true };
	return top_frame_resize(&frame, 2, 10);
}

static int free_frame(void **state)
{
	(void)state;
	top_frame_free(&frame);
	return 0;
}

static void check(const char *want)
{
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_int_equal(top_frame_write(&frame, out), 0);
	fclose(out);
	assert_string_equal(text, want);
}

static void empty(void **state)
{
	(void)state;
	check("\n\n");
}

static void places(void **state)
{
	(void)state;
	assert_int_equal(top_put(&frame, 0, 2, TOP_PLAIN, "ab"), 4);
	top_put_right(&frame, 1, 10, TOP_PLAIN, "xyz");
	check("  ab\n       xyz\n");
}

static void what_does_not_fit(void **state)
{
	(void)state;
	assert_int_equal(top_put(&frame, 0, 7, TOP_PLAIN, "abcdef"), 13);
	top_put_right(&frame, 1, 2, TOP_PLAIN, "xyz");
	top_put(&frame, 2, 0, TOP_PLAIN, "below");
	top_put(&frame, -1, 0, TOP_PLAIN, "above");
	check("       abc\nyz\n");
}

static void cut_is_seen(void **state)
{
	(void)state;
	top_put_within(&frame, 0, 0, 5, TOP_PLAIN, "abcde");
	top_put_within(&frame, 1, 0, 5, TOP_PLAIN, "abcdef");
	check("abcde\nabcd\u2026\n");
	frame.utf8 = false;
	top_put_within(&frame, 1, 0, 5, TOP_PLAIN, "abcdef");
	check("abcde\nabcd~\n");
	top_put_within(&frame, 0, 0, 0, TOP_PLAIN, "x");
	check("abcde\nabcd~\n");
}

/* Names of processes hold what somebody likes; the frame stays in order. */
static void odd_characters(void **state)
{
	(void)state;
	top_put(&frame, 0, 0, TOP_PLAIN, "\u00fc\033[\xff\xe2\x82|\t|");
	/* two columns wide, and none */
	top_put(&frame, 1, 0, TOP_PLAIN, "\u4e2d|e\u0301|");
	check("\u00fc?[???| |\n?|e?|\n");
	top_frame_clear(&frame);
	frame.utf8 = false;
	top_put(&frame, 0, 0, TOP_PLAIN, "\u00fc|");
	check("??|\n\n");
	assert_int_equal(top_width(&frame, "\u00fc|"), 3);
}

static void styles(void **state)
{
	(void)state;
	top_put(&frame, 0, 0, TOP_GOOD, "ab");
	assert_int_equal(top_cell_at(&frame, 0, 1)->style, TOP_GOOD);
	assert_int_equal(top_cell_at(&frame, 0, 2)->style, TOP_PLAIN);
	top_set_style(&frame, 0, TOP_SELECTED);
	assert_int_equal(top_cell_at(&frame, 0, 1)->style, TOP_SELECTED);
	assert_int_equal(top_cell_at(&frame, 0, 9)->style, TOP_SELECTED);
	assert_int_equal(top_cell_at(&frame, 1, 0)->style, TOP_PLAIN);
	assert_null(top_cell_at(&frame, 2, 0));
	assert_null(top_cell_at(&frame, 0, 10));
}

static void a_full_disk(void **state)
{
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_true(top_frame_write(&frame, out) < 0);
	fclose(out);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, make_frame, free_frame)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty),
		TEST(places),
		TEST(what_does_not_fit),
		TEST(cut_is_seen),
		TEST(odd_characters),
		TEST(styles),
		TEST(a_full_disk),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
