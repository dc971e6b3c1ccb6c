// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fds.h"
#include "fixture.h"

/* Where the link of a file of process 1000 leads to */
static void link_fd(const char *fd, const char *target)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/1000/fd/%s", fd);
	assert_int_equal(symlink(target, fixture_path(path)), 0);
}

static void open_tree(void)
{
	fixture_open(NULL);
	/* makes the directory */
	fixture_write("proc/1000/fd/note", "");
}

static void nothing_held(void **state)
{
	struct ksm_fds fds;

	(void)state;
	open_tree();
	link_fd("0", "/dev/null");
	link_fd("1", "pipe:[4711]");
	link_fd("2", "/dev/vfiox");
	assert_int_equal(ksm_fds_read(1000, &fds), 0);
	assert_int_equal(fds.kvm, 0);
	assert_int_equal(fds.vfio, 0);
	assert_int_equal(fds.rdma, 0);
	assert_int_equal(fds.io_uring, 0);
	assert_int_equal(fds.nr_fixed, 0);
	ksm_fds_free(&fds);
}

static void a_guest_with_a_device(void **state)
{
	struct ksm_fds fds;

	(void)state;
	open_tree();
	/* the device itself is no guest, and neither is a CPU of one */
	link_fd("10", "/dev/kvm");
	link_fd("11", "anon_inode:kvm-vm");
	link_fd("12", "anon_inode:kvm-vcpu:0");
	link_fd("13", "/dev/vfio/vfio");
	link_fd("14", "/dev/vfio/12");
	link_fd("15", "anon_inode:[vfio-device]");
	link_fd("16", "/dev/iommu");
	link_fd("17", "/dev/infiniband/uverbs0");
	assert_int_equal(ksm_fds_read(1000, &fds), 0);
	assert_int_equal(fds.kvm, 1);
	assert_int_equal(fds.vfio, 4);
	assert_int_equal(fds.rdma, 1);
	ksm_fds_free(&fds);
}

static const char ring[] =
	"pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t7\n"
	"SqMask:\t0x3\nSqHead:\t0\nSQEs:\t0\n"
	"UserFiles:\t1\n    0: /etc/hostname\n"
	"UserBufs:\t2\n"
	"    0: 0x7f0000010000/65536\n"
	"    1: 0x7f0000100000/4096\n"
	"PollList:\n"
	"    3: 0x7f0000200000/4096\n"
	"CqOverflowList:\n";

static void rings(void **state)
{
	struct ksm_fds fds;

	(void)state;
	open_tree();
	link_fd("7", "anon_inode:[io_uring]");
	fixture_write("proc/1000/fdinfo/7", ring);
	/* one that could not be asked */
	link_fd("8", "anon_inode:[io_uring]");
	assert_int_equal(ksm_fds_read(1000, &fds), 0);
	assert_int_equal(fds.io_uring, 2);
	assert_int_equal(fds.nr_fixed, 2);
	assert_true(fds.fixed[0].start == 0x7f0000010000);
	assert_true(fds.fixed[0].end == 0x7f0000020000);
	assert_true(fds.fixed[1].start == 0x7f0000100000);
	assert_true(fds.fixed[1].end == 0x7f0000101000);
	/* all of one and half of the other, from within, and none */
	assert_int_equal(ksm_fds_fixed_bytes(&fds, 0x7f0000000000,
					     0x7f0000100800), 65536 + 2048);
	assert_int_equal(ksm_fds_fixed_bytes(&fds, 0x7f0000011000,
					     0x7f0000012000), 4096);
	assert_int_equal(ksm_fds_fixed_bytes(&fds, 0x7f0000020000,
					     0x7f0000100000), 0);
	ksm_fds_free(&fds);
	assert_int_equal(fds.nr_fixed, 0);
}

static void nobody_there(void **state)
{
	struct ksm_fds fds;

	(void)state;
	open_tree();
	assert_int_equal(ksm_fds_read(1001, &fds), -ENOENT);
	assert_int_equal(fds.kvm, KSM_UNKNOWN);
	assert_int_equal(fds.vfio, KSM_UNKNOWN);
	assert_int_equal(fds.rdma, KSM_UNKNOWN);
	assert_int_equal(fds.io_uring, KSM_UNKNOWN);
	assert_int_equal(fds.nr_fixed, 0);
	ksm_fds_free(&fds);
}

/* In a child, since what root may do cannot be given back. */
static void somebody_elses(void **state)
{
	int status;

	(void)state;
	if (geteuid())
		skip();
	open_tree();
	chmod(fixture_path(""), 0755);
	chmod(fixture_path("proc/1000/fd"), 0);
	if (!fork()) {
		struct ksm_fds fds;

		if (setgid(65534) || setuid(65534))
			_exit(10);
		if (ksm_fds_read(1000, &fds) != -EACCES)
			_exit(11);
		_exit(0);
	}
	wait(&status);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(nothing_held, fixture_teardown),
		cmocka_unit_test_teardown(a_guest_with_a_device,
					  fixture_teardown),
		cmocka_unit_test_teardown(rings, fixture_teardown),
		cmocka_unit_test_teardown(nobody_there, fixture_teardown),
		cmocka_unit_test_teardown(somebody_elses, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
