// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "members.h"
#include "sample.h"

#define NOBODY	65534

static const struct ksm_member *member_of(const struct ksm_members *members,
					  int pid)
{
	for (size_t i = 0; i < members->count; i++)
		if (members->list[i].pid == pid)
			return &members->list[i];
	return NULL;
}

static void members_of_ours(void **state)
{
	const struct ksm_member *qemu, *php;
	struct ksm_members members;

	(void)state;
	fixture_open("ours");
	assert_int_equal(ksm_members_read(&members), 0);
	assert_int_equal(members.count, 3);
	assert_int_equal(members.unreadable, 0);
	qemu = member_of(&members, 1000);
	assert_non_null(qemu);
	assert_string_equal(qemu->comm, "qemu-system-x86");
	assert_string_equal(qemu->unit,
			    "machine-qemu\\x2d1\\x2dweb.scope");
	assert_int_equal(qemu->rss_pages, 1050000);
	assert_int_equal(qemu->start_ticks, 5000);
	assert_int_equal(qemu->stat.rmap_items, 1000000);
	assert_int_equal(qemu->stat.zero_pages, 50000);
	assert_int_equal(qemu->stat.merging_pages, 800000);
	assert_int_equal(qemu->stat.profit_bytes, 3470000000);
	assert_int_equal(qemu->stat.merge_any, 0);
	assert_int_equal(qemu->stat.mergeable, 1);
	assert_int_equal(qemu->stat.cow, 4000);
	assert_int_equal(qemu->stat.thp_split, 200);
	assert_int_equal(ksm_member_tracked_pages(qemu), 1050000);
	assert_int_equal(ksm_member_merged_pages(qemu), 850000);
	/* a name with spaces, a cgroup of version 1 */
	php = member_of(&members, 1200);
	assert_non_null(php);
	assert_string_equal(php->comm, "php-fpm (pool a)");
	assert_string_equal(php->unit, "php8.2-fpm.service");
	/* registered, though nothing is tracked; belongs to no unit */
	assert_non_null(member_of(&members, 1300));
	assert_string_equal(member_of(&members, 1300)->unit, "");
	assert_null(member_of(&members, 1400));
	ksm_members_free(&members);
	assert_null(members.list);
}

static void members_of_stock(void **state)
{
	const struct ksm_member *web;
	struct ksm_members members;

	(void)state;
	fixture_open("stock");
	assert_int_equal(ksm_members_read(&members), 0);
	assert_int_equal(members.count, 2);
	web = member_of(&members, 1000);
	assert_int_equal(web->stat.mergeable, KSM_UNKNOWN);
	assert_int_equal(web->stat.cow, KSM_UNKNOWN);
	/* not what libvirt made below the scope */
	assert_string_equal(web->unit, "machine-qemu\\x2d1\\x2dweb.scope");
	ksm_members_free(&members);
}

static void odd_processes_are_no_members(void **state)
{
	struct ksm_member member;
	struct ksm_members members;

	(void)state;
	fixture_open("odd");
	assert_int_equal(ksm_members_read(&members), 0);
	/* 7 has no proper stat; 8 merges, though it tracks "many" */
	assert_int_equal(members.count, 1);
	assert_int_equal(members.list[0].pid, 8);
	assert_string_equal(members.list[0].comm, "a) b (c");
	assert_int_equal(members.list[0].rss_pages, KSM_UNKNOWN);
	assert_int_equal(ksm_member_tracked_pages(&members.list[0]),
			 KSM_UNKNOWN);
	ksm_members_free(&members);
	assert_int_equal(ksm_member_read(7, &member), -EINVAL);
	assert_int_equal(ksm_member_read(9999, &member), -ENOENT);
}

/* A thread of the kernel, or a zombie: the file is empty */
static void no_memory_no_member(void **state)
{
	struct ksm_stat stat;

	(void)state;
	fixture_open("ours");
	assert_int_equal(ksm_stat_read(37, &stat), -ENODATA);
}

static void many_members(void **state)
{
	struct ksm_members members;
	char path[64];

	(void)state;
	fixture_open("no-ksm");
	for (int pid = 100; pid < 200; pid++) {
		snprintf(path, sizeof(path), "proc/%d/stat", pid);
		fixture_write(path, "1 (x) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 "
			      "0 1 0 5 0 0\n");
		snprintf(path, sizeof(path), "proc/%d/ksm_stat", pid);
		fixture_write(path, "ksm_rmap_items 3\n");
	}
	assert_int_equal(ksm_members_read(&members), 0);
	assert_int_equal(members.count, 100);
	for (int pid = 100; pid < 200; pid++)
		assert_non_null(member_of(&members, pid));
	ksm_members_free(&members);
}

static void sums(void **state)
{
	struct ksm_members members;
	struct ksm_sums sums;

	(void)state;
	fixture_open("ours");
	assert_int_equal(ksm_members_read(&members), 0);
	ksm_sums_of(&sums, &members, 4096);
	assert_int_equal(sums.members, 3);
	assert_int_equal(sums.idle, 1);
	assert_int_equal(sums.rss_bytes, (1050000 + 20000 + 300) * 4096LL);
	assert_int_equal(sums.tracked_bytes, (1050000 + 12000) * 4096LL);
	assert_int_equal(sums.cow, 4242);
	ksm_members_free(&members);
}

/* The one with a negative profit gains nothing; nobody counts copies. */
static void sums_of_stock(void **state)
{
	struct ksm_members members;
	struct ksm_sums sums;

	(void)state;
	fixture_open("stock");
	assert_int_equal(ksm_members_read(&members), 0);
	ksm_sums_of(&sums, &members, 4096);
	assert_int_equal(sums.idle, 1);
	assert_int_equal(sums.cow, KSM_UNKNOWN);
	ksm_members_free(&members);
}

/* In a child, since what root may do cannot be given back. */
static void as_nobody(void)
{
	struct ksm_members members;
	struct ksm_sums sums;

	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(10);
	if (ksm_members_read(&members))
		_exit(11);
	ksm_sums_of(&sums, &members, 4096);
	/* two may not be read; the one of them that is ksmd has no memory */
	if (members.count != 2 || sums.unreadable != 1)
		_exit(12);
	_exit(0);
}

static void unreadable_ones_are_counted(void **state)
{
	int status;

	(void)state;
	if (geteuid())
		skip();
	fixture_open("ours");
	chmod(fixture_path(""), 0755);
	chmod(fixture_path("proc/37/ksm_stat"), 0);
	chmod(fixture_path("proc/1200/ksm_stat"), 0);
	if (!fork())
		as_nobody();
	wait(&status);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(members_of_ours, fixture_teardown),
		cmocka_unit_test_teardown(members_of_stock, fixture_teardown),
		cmocka_unit_test_teardown(odd_processes_are_no_members,
					  fixture_teardown),
		cmocka_unit_test_teardown(no_memory_no_member,
					  fixture_teardown),
		cmocka_unit_test_teardown(many_members, fixture_teardown),
		cmocka_unit_test_teardown(sums, fixture_teardown),
		cmocka_unit_test_teardown(sums_of_stock, fixture_teardown),
		cmocka_unit_test_teardown(unreadable_ones_are_counted,
					  fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
