// SPDX-License-Identifier: GPL-2.0-only
#include "fixture.h"
#include "host.h"

static struct ksm_host host;

static void ours_is_read(void **state)
{
	(void)state;
	fixture_open("ours");
	ksm_host_read(&host);
	assert_string_equal(host.hostname, "kvm07");
	assert_string_equal(host.release, "6.12.117");
	assert_string_equal(host.boot_id,
			    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
	assert_int_equal(host.by_keys, 1);
	assert_int_equal(host.nodes, 1);
	assert_int_equal(host.mem_total_bytes, 32768000LL * 1024);
	assert_int_equal(host.mem_free_bytes, 1500000LL * 1024);
	assert_int_equal(host.mem_available_bytes, 3040870LL * 1024);
	assert_int_equal(host.swap_total_bytes, 2097152LL * 1024);
	assert_int_equal(host.swap_free_bytes, 1048576LL * 1024);
	assert_int_equal(host.cow_ksm, 4242);
	assert_int_equal(host.swapin_copies, 3);
	assert_int_equal(host.thp_split_page, 300);
	assert_int_equal(host.thp_collapse, 700);
	/* from schedstat, which is finer than the 42 s of stat */
	assert_int_equal(host.ksmd_cpu_ns, 42012345678);
	assert_int_equal(host.ksmtuned_script, 0);
}

static void stock_is_read(void **state)
{
	(void)state;
	fixture_open("stock");
	ksm_host_read(&host);
	assert_int_equal(host.by_keys, 0);
	assert_int_equal(host.nodes, 2);
	/* from stat, in ticks of 10 ms */
	assert_int_equal(host.ksmd_cpu_ns, 42000000000);
	assert_int_equal(host.ksmtuned_script, 1);
}

static void a_program_of_that_name_is_not_ksmd(void **state)
{
	(void)state;
	fixture_open("no-ksm");
	fixture_write("proc/50/stat", "50 (ksmd) S 1 50 50 0 -1 4194304 0 0 0 "
		      "0 900 900 0 0 20 0 1 0 5 0 0\n");
	ksm_host_read(&host);
	assert_int_equal(host.ksmd_cpu_ns, KSM_UNKNOWN);
	assert_int_equal(host.by_keys, 0);
	assert_int_equal(host.cow_ksm, KSM_UNKNOWN);
}

static void a_ksmtuned_that_is_no_script(void **state)
{
	(void)state;
	fixture_open("stock");
	fixture_write("proc/900/cmdline", "/usr/sbin/ksmtuned\\0-f\\0");
	ksm_host_read(&host);
	assert_int_equal(host.ksmtuned_script, 0);
}

static void odd_files_are_unknown(void **state)
{
	(void)state;
	fixture_open("odd");
	ksm_host_read(&host);
	assert_string_equal(host.hostname, "");
	assert_string_equal(host.boot_id, "");
	assert_int_equal(host.nodes, 4);
	assert_int_equal(host.mem_total_bytes, KSM_UNKNOWN);
	assert_int_equal(host.mem_free_bytes, KSM_UNKNOWN);
	/* the unit is taken for granted */
	assert_int_equal(host.mem_available_bytes, 12 * 1024);
	assert_int_equal(host.swap_total_bytes, KSM_UNKNOWN);
	assert_int_equal(host.swap_free_bytes, KSM_UNKNOWN);
	assert_int_equal(host.cow_ksm, KSM_UNKNOWN);
}

static void no_proc_at_all(void **state)
{
	(void)state;
	fixture_open(NULL);
	ksm_host_read(&host);
	assert_int_equal(host.mem_total_bytes, KSM_UNKNOWN);
	assert_int_equal(host.ksmd_cpu_ns, KSM_UNKNOWN);
	assert_int_equal(host.ksmtuned_script, KSM_UNKNOWN);
	assert_true(host.page_bytes >= 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(ours_is_read, fixture_teardown),
		cmocka_unit_test_teardown(stock_is_read, fixture_teardown),
		cmocka_unit_test_teardown(a_program_of_that_name_is_not_ksmd,
					  fixture_teardown),
		cmocka_unit_test_teardown(a_ksmtuned_that_is_no_script,
					  fixture_teardown),
		cmocka_unit_test_teardown(odd_files_are_unknown,
					  fixture_teardown),
		cmocka_unit_test_teardown(no_proc_at_all, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
