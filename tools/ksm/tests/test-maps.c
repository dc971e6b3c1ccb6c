// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "fixture.h"
#include "maps.h"

static void mappings_are_read(void **state)
{
	const struct ksm_map *ram, *shared;
	struct ksm_maps maps;

	(void)state;
	fixture_open("ours");
	assert_int_equal(ksm_maps_read(1000, &maps), 0);
	assert_int_equal(maps.count, 2);
	ram = &maps.list[0];
	assert_true(ram->start == 0x7f1c00000000);
	assert_true(ram->end == 0x7f1d00000000);
	assert_string_equal(ram->perms, "rw-p");
	assert_string_equal(ram->name, "[anon:ram]");
	assert_int_equal(ram->rss_bytes, 4000000LL * 1024);
	assert_int_equal(ram->pss_bytes, 2500000LL * 1024);
	assert_int_equal(ram->anonymous_bytes, 4000000LL * 1024);
	assert_int_equal(ram->ksm_bytes, 1600000LL * 1024);
	assert_int_equal(ram->huge_bytes, 204800LL * 1024);
	assert_int_equal(ram->swap_bytes, 1024 * 1024);
	assert_int_equal(ram->locked_bytes, 0);
	assert_true(ksm_map_has(ram, "mg"));
	assert_true(ksm_map_has(ram, "rd"));
	assert_false(ksm_map_has(ram, "sh"));
	assert_false(ksm_map_has(ram, "d"));
	shared = &maps.list[1];
	assert_int_equal(shared->inode, 4711);
	assert_string_equal(shared->name, "/memfd:pc.ram (deleted)");
	assert_true(ksm_map_has(shared, "sd"));
	assert_false(ksm_map_has(shared, "mg"));
	ksm_maps_free(&maps);
}

static void odd_mappings(void **state)
{
	struct ksm_maps maps;

	(void)state;
	fixture_open("ours");
	assert_int_equal(ksm_maps_read(4242, &maps), -ENOENT);
	fixture_write("proc/5/smaps", "Rss: 5 kB\n10-20 rw-p 0 00:00 0\n"
		      "Rss: many kB\nVmFlags:\n");
	assert_int_equal(ksm_maps_read(5, &maps), 0);
	assert_int_equal(maps.count, 1);
	assert_string_equal(maps.list[0].name, "");
	assert_int_equal(maps.list[0].rss_bytes, KSM_UNKNOWN);
	assert_int_equal(maps.list[0].ksm_bytes, KSM_UNKNOWN);
	assert_false(ksm_map_has(&maps.list[0], "mg"));
	ksm_maps_free(&maps);
	fixture_write("proc/5/smaps", "10-20 rw-p\n");
	assert_int_equal(ksm_maps_read(5, &maps), -EINVAL);
	ksm_maps_free(&maps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(mappings_are_read, fixture_teardown),
		cmocka_unit_test_teardown(odd_mappings, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
