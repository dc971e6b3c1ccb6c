// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole processes explained, of a recorded host.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "explain.h"
#include "fixture.h"
#include "trial.h"

#define KIB	1024LL
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)

static struct ksm_scene scene;
static struct ksm_explained explained;
static struct ksm_advice advice;

static void look_at(int pid)
{
	assert_int_equal(ksm_scene_read(&scene), 0);
	scene.page_bytes = 4096;
	assert_int_equal(ksm_explain_read(&explained, &scene, pid), 0);
	ksm_advise(&advice, &explained, &scene);
}

static int done(void **state)
{
	ksm_explain_free(&explained);
	ksm_advice_free(&advice);
	return fixture_teardown(state);
}

static void has_guest(int pid)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/fd/0", pid);
	fixture_write(path, "");
	snprintf(path, sizeof(path), "proc/%d/fd/9", pid);
	assert_int_equal(symlink("anon_inode:kvm-vm", fixture_path(path)), 0);
}

static const struct ksm_finding *at(uint64_t start)
{
	for (size_t i = 0; i < explained.maps.count; i++)
		if (explained.maps.list[i].start == start)
			return &explained.findings[i];
	fail_msg("no mapping at %llx", (unsigned long long)start);
	return NULL;
}

static void assert_why(uint64_t start, enum ksm_why why)
{
	assert_string_equal(ksm_why_name(at(start)->reason),
			    ksm_why_name(why));
}

static void assert_advice(size_t nr, const char *part)
{
	if (nr >= advice.count)
		fail_msg("only %zu sentences", advice.count);
	if (!strstr(advice.text[nr], part))
		fail_msg("\"%s\" is not in \"%s\"", part, advice.text[nr]);
}

static void guest_with_shared_memory(void **state)
{
	(void)state;
	fixture_open("explain");
	has_guest(1000);
	look_at(1000);
	assert_int_equal(explained.maps.count, 6);
	assert_why(0x560000000000, KSM_WHY_NOT_OPTED_IN);
	assert_why(0x7f1000000000, KSM_WHY_SHARED_MEMFD);
	assert_why(0x7ff7f0000000, KSM_WHY_DEVICE);
	assert_why(0x7ff7f0004000, KSM_WHY_DEVICE);
	assert_why(0xffffffffff600000, KSM_WHY_DEVICE);
	assert_int_equal(ksm_explain_main(&explained), KSM_WHY_SHARED_MEMFD);
	assert_int_equal(explained.totals[KSM_WHY_NOT_OPTED_IN].maps, 2);
	assert_int_equal(explained.totals[KSM_WHY_SHARED_MEMFD].bytes,
			 4000000 * KIB);
	assert_int_equal(explained.rss_bytes, (4000000 + 4000 + 16 + 4) * KIB);
	assert_int_equal(explained.registered_bytes, 0);
	/* the heap is too small to be spoken of */
	assert_int_equal(advice.count, 1);
	assert_advice(0, "3.81 GiB of guest RAM is shared memory (memfd)");
	assert_advice(0, "share=off; vhost-user and virtiofs need shared "
		      "memory: choose");
}

/* The same, but no guest: nobody is told to start QEMU in another way. */
static void other_shared_memory(void **state)
{
	(void)state;
	fixture_open("explain");
	look_at(1000);
	assert_int_equal(explained.fds.kvm, KSM_UNKNOWN);
	assert_advice(0, "is shared memory (memfd): it never merges. Only");
}

static void device_passed_through(void **state)
{
	(void)state;
	fixture_open("explain");
	has_guest(1100);
	assert_int_equal(symlink("/dev/vfio/12",
				 fixture_path("proc/1100/fd/10")), 0);
	look_at(1100);
	/* what was locked by mlock() is not pinned */
	assert_int_equal(explained.pinned_bytes, 2 * GIB - MIB);
	assert_why(0x7f1000000000, KSM_WHY_PINNED);
	assert_int_equal(at(0x7f1000000000)->pinned_bytes, 2 * GIB - MIB);
	assert_why(0x560000000000, KSM_WHY_UNKNOWN);
	assert_why(0x7f2000000000, KSM_WHY_UNKNOWN);
	assert_advice(0, "passed through (vfio)");
}

/* Without a device, locked memory is just that. */
static void only_locked(void **state)
{
	(void)state;
	fixture_open("explain");
	look_at(1100);
	assert_int_equal(explained.pinned_bytes, 0);
	assert_why(0x7f1000000000, KSM_WHY_UNKNOWN);
	assert_advice(0, "was looked at, and nothing merged");
}

/* Pins are counted down from the largest mapping. */
static void pinned_by_somebody(void **state)
{
	(void)state;
	fixture_open("explain");
	fixture_write("proc/1100/status",
		      "VmLck:\t 0 kB\nVmPin:\t 2099200 kB\n");
	look_at(1100);
	assert_int_equal(explained.pinned_bytes, 2099200 * KIB);
	assert_why(0x7f1000000000, KSM_WHY_PINNED);
	/* 2048 of 8000 KiB are left for the next, and none for the last */
	assert_int_equal(at(0x560000000000)->pinned_bytes, 2048 * KIB);
	assert_why(0x560000000000, KSM_WHY_UNKNOWN);
	assert_int_equal(at(0x7f2000000000)->pinned_bytes, 0);
	assert_advice(0, "pinned (VmPin)");
}

static void pinned_by_a_ring(void **state)
{
	(void)state;
	fixture_open("explain");
	fixture_write("proc/1100/status",
		      "VmLck:\t 0 kB\nVmPin:\t 1024 kB\n");
	fixture_write("proc/1100/fd/0", "");
	assert_int_equal(symlink("anon_inode:[io_uring]",
				 fixture_path("proc/1100/fd/5")), 0);
	fixture_write("proc/1100/fdinfo/5",
		      "UserBufs:\t1\n    0: 0x7f2000000000/1048576\n");
	look_at(1100);
	assert_why(0x7f2000000000, KSM_WHY_PINNED);
	/* all pins are accounted for */
	assert_int_equal(at(0x7f1000000000)->pinned_bytes, 0);
	assert_why(0x7f1000000000, KSM_WHY_UNKNOWN);
}

static void service_on_trial(void **state)
{
	struct ksm_trial trial;

	(void)state;
	fixture_open("explain");
	look_at(1200);
	assert_string_equal(explained.member.unit, "php8.2-fpm.service");
	assert_why(0x400000, KSM_WHY_FILE_CLEAN);
	assert_why(0x600000, KSM_WHY_UNKNOWN);
	assert_why(0x560000000000, KSM_WHY_MERGED);
	assert_why(0x7f1000000000, KSM_WHY_MERGED);
	assert_why(0x7f2000000000, KSM_WHY_UNTOUCHED);
	assert_why(0x7f3000000000, KSM_WHY_DROPPABLE);
	assert_int_equal(explained.ksm_bytes, 36000 * KIB);
	assert_int_equal(explained.registered_bytes, 70064 * KIB);
	assert_int_equal(ksm_explain_main(&explained), KSM_WHY_MERGED);
	assert_int_equal(advice.count, 1);
	assert_advice(0, "Nothing: it merges.");

	assert_int_equal(ksm_trial_judge(&trial, &explained), 0);
	assert_int_equal(trial.count, 3);
	assert_int_equal(trial.worth, 1);
	assert_true(trial.list[0].finding == at(0x7f1000000000));
	assert_true(trial.list[0].worth);
	assert_true(trial.list[0].share > 0.88 && trial.list[0].share < 0.89);
	assert_true(trial.list[1].finding == at(0x560000000000));
	assert_false(trial.list[1].worth);
	assert_true(trial.list[2].finding == at(0x600000));
	assert_int_equal(trial.ksm_bytes, 36000 * KIB);
	assert_int_equal(trial.worth_ksm_bytes, 35400 * KIB);
	assert_int_equal(trial.watched_bytes, 70064 * KIB);
	assert_int_equal(trial.worth_watched_bytes, 40000 * KIB);
	ksm_trial_free(&trial);
}

static void no_trial(void **state)
{
	struct ksm_trial trial;

	(void)state;
	fixture_open("explain");
	look_at(1000);
	assert_int_equal(ksm_trial_judge(&trial, &explained), 0);
	assert_int_equal(trial.count, 0);
	ksm_trial_free(&trial);
}

static void not_seen_yet(void **state)
{
	(void)state;
	fixture_open("explain");
	look_at(1300);
	assert_int_equal(explained.facts.unseen_bytes, 20000 * KIB -
						       100 * 4096);
	assert_why(0x7f1000000000, KSM_WHY_TOO_NEW);
	assert_advice(0, "wait for two full scans (the last took 500 ms)");
}

static void stopped(void **state)
{
	(void)state;
	fixture_open("explain");
	fixture_write("sys/kernel/mm/ksm/run", "0\n");
	look_at(1300);
	assert_advice(0, "`ksm set run=1`");
}

static void at_no_pace(void **state)
{
	(void)state;
	fixture_open("explain");
	fixture_write("sys/kernel/mm/ksm/pages_to_scan", "0\n");
	look_at(1300);
	assert_advice(0, "`ksm set pages_to_scan=100`");
}

/* Stopped, and memory is being taken offline */
static void stopped_for_hotplug(void **state)
{
	(void)state;
	fixture_open("explain");
	fixture_write("sys/kernel/mm/ksm/run", "5\n");
	look_at(1300);
	assert_advice(0, "wait for two full scans");
}

static void younger_than_two_scans(void **state)
{
	(void)state;
	fixture_open("explain");
	look_at(1700);
	assert_int_equal(explained.facts.unseen_bytes, 0);
	assert_why(0x7f1000000000, KSM_WHY_TOO_NEW);
}

/* Stock kernels do not tell how long a scan takes. */
static void younger_than_one_knows(void **state)
{
	(void)state;
	fixture_open("explain");
	fixture_remove("sys/kernel/mm/ksm/last_scan_millisecs");
	look_at(1700);
	assert_why(0x7f1000000000, KSM_WHY_UNKNOWN);
	ksm_explain_free(&explained);
	ksm_advice_free(&advice);
	fixture_write("sys/kernel/mm/ksm/full_scans", "1\n");
	look_at(1700);
	assert_why(0x7f1000000000, KSM_WHY_TOO_NEW);
	assert_advice(0, "wait for two full scans, or hurry");
}

static void hugetlbfs(void **state)
{
	(void)state;
	fixture_open("explain");
	has_guest(1400);
	look_at(1400);
	assert_why(0x7f1000000000, KSM_WHY_HUGETLB);
	/* it is not in Rss, but weighs most */
	assert_int_equal(ksm_explain_main(&explained), KSM_WHY_HUGETLB);
	assert_int_equal(explained.totals[KSM_WHY_HUGETLB].bytes, 8 * GIB);
	assert_int_equal(explained.rss_bytes, (4000 + 16 + 4) * KIB);
	assert_advice(0, "8.00 GiB of guest RAM is in pages of hugetlbfs");
}

static void huge_pages_kept(void **state)
{
	(void)state;
	fixture_open("explain");
	look_at(1500);
	assert_why(0x7f1000000000, KSM_WHY_HUGE_KEPT);
	assert_advice(0, "huge pages that were left whole");
}

static void all_swapped(void **state)
{
	(void)state;
	fixture_open("explain");
	look_at(1600);
	assert_why(0x7f1000000000, KSM_WHY_SWAPPED);
	assert_int_equal(at(0x7f1000000000)->answer, KSM_NO);
	assert_int_equal(ksm_explain_main(&explained), KSM_WHY_SWAPPED);
	assert_int_equal(advice.count, 1);
	assert_advice(0, "10.0 MiB is swapped out");
}

static void zeroes(void **state)
{
	(void)state;
	fixture_open("explain");
	look_at(1800);
	assert_why(0x7f1000000000, KSM_WHY_ZERO_PAGES);
	assert_int_equal(ksm_explain_main(&explained), KSM_WHY_ZERO_PAGES);
	assert_int_equal(explained.totals[KSM_WHY_ZERO_PAGES].bytes, 10 * MIB);
}

static void a_loss(void **state)
{
	(void)state;
	fixture_open("explain");
	fixture_write("proc/1200/ksm_stat", "ksm_rmap_items 20000\n"
		      "ksm_merging_pages 1\nksm_process_profit -5242880\n");
	look_at(1200);
	assert_advice(0, "the profit is -5.00 MiB");
}

static void who_cannot_be_explained(void **state)
{
	(void)state;
	fixture_open("explain");
	assert_int_equal(ksm_scene_read(&scene), 0);
	assert_int_equal(ksm_explain_read(&explained, &scene, 2), -ENODATA);
	ksm_explain_free(&explained);
	assert_int_equal(ksm_explain_read(&explained, &scene, 3), -ENOENT);
	/* between the two files it ended */
	fixture_remove("proc/1300/smaps");
	assert_int_equal(ksm_explain_read(&explained, &scene, 1300), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(guest_with_shared_memory, done),
		cmocka_unit_test_teardown(other_shared_memory, done),
		cmocka_unit_test_teardown(device_passed_through, done),
		cmocka_unit_test_teardown(only_locked, done),
		cmocka_unit_test_teardown(pinned_by_somebody, done),
		cmocka_unit_test_teardown(pinned_by_a_ring, done),
		cmocka_unit_test_teardown(service_on_trial, done),
		cmocka_unit_test_teardown(no_trial, done),
		cmocka_unit_test_teardown(not_seen_yet, done),
		cmocka_unit_test_teardown(stopped, done),
		cmocka_unit_test_teardown(at_no_pace, done),
		cmocka_unit_test_teardown(stopped_for_hotplug, done),
		cmocka_unit_test_teardown(younger_than_two_scans, done),
		cmocka_unit_test_teardown(younger_than_one_knows, done),
		cmocka_unit_test_teardown(hugetlbfs, done),
		cmocka_unit_test_teardown(huge_pages_kept, done),
		cmocka_unit_test_teardown(all_swapped, done),
		cmocka_unit_test_teardown(zeroes, done),
		cmocka_unit_test_teardown(a_loss, done),
		cmocka_unit_test_teardown(who_cannot_be_explained, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
