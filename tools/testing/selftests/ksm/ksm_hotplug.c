// SPDX-License-Identifier: GPL-2.0
/*
 * Memory goes offline and comes back under ksmd.
 *
 * While a block goes offline `run` reads as its value plus 4, and writers of
 * `run` wait.  A pipe with a reference on a page keeps the block from going
 * offline for as long as the test needs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/blocks.h"
#include "lib/files.h"
#include "lib/ksm.h"
#include "lib/pipe.h"

#define PAGES	256
#define SEED	4000
#define OFFLINE_BIT	4

/*
 * A pair of merged ranges of which at least one page is in a block that can
 * go offline: that block.
 */
static long pair_in_block(char **a, char **b)
{
	long block;
	size_t i;

	*a = ksys_map_movable(PAGES);
	*b = ksys_map_movable(PAGES);
	if (!*a || !*b)
		ksm_skip("no memory block in ZONE_MOVABLE");
	ksm_fill(*a, PAGES, SEED, 1);
	ksm_fill(*b, PAGES, SEED, 1);
	ksm_mergeable(*a, PAGES);
	ksm_mergeable(*b, PAGES);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	for (i = 0; i < PAGES; i++) {
		block = ksys_block_of(ksm_pfn(0, ksys_page(*a, i)));
		if (ksys_block_movable(block))
			return block;
	}
	CHECK(!"a merged page is in ZONE_MOVABLE");
	return -1;
}

static size_t pages_in_block(const char *map, long block)
{
	size_t i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += ksys_block_of(ksm_pfn(0, ksys_page(map, i))) == block;
	return n;
}

static void pair_ok(const char *a, const char *b)
{
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

static void no_action(int sig)
{
}

/* Put a block offline, report the result.  SIGUSR1 makes it stop. */
static int offliner(struct ksm_child *c, void *arg)
{
	struct sigaction sa = { .sa_handler = no_action };

	sigaction(SIGUSR1, &sa, NULL);
	ksm_say(c, 'r');
	ksm_say_long(c, ksys_block_set(*(long *)arg, false));
	ksm_hear(c);
	return 0;
}

/* Make every page of the block that the range has unmovable, by a pipe. */
static void hold(const char *map, long block, int pipefd[2])
{
	size_t i;

	ksys_pipe_open(pipefd, 1);
	for (i = 0; i < PAGES; i++) {
		if (ksys_block_of(ksm_pfn(0, ksys_page(map, i))) == block)
			break;
	}
	CHECK(i < PAGES);
	ksys_pipe_add(pipefd, ksys_page(map, i), 1);
}

/* Children have the pipe too, so closing it would not do. */
static void let_go(int pipefd[2])
{
	char *buf = ksm_map(1);

	CHECK_EQ(read(pipefd[0], buf, ksm_page_size()), ksm_page_size());
	ksys_pipe_close(pipefd);
	ksm_unmap(buf, 1);
}

/* Start an offline that cannot succeed; returns when `run` says so. */
static void start_offline(struct ksm_child *c, long *block, int run)
{
	ksm_child_start(c, offliner, block);
	CHECK_EQ(ksm_hear(c), 'r');
	CHECK(ksm_wait_value("run", run | OFFLINE_BIT, KSM_DEADLINE_MS / 2));
}

/* Interrupt it: the result it had. */
static long cancel_offline(struct ksm_child *c)
{
	kill(c->pid, SIGUSR1);
	return ksm_hear_long(c);
}

/* The bit is there as long as it takes, and not longer. */
static void check_cancelled(int run)
{
	struct ksm_child c;
	int pipefd[2], i;
	char *a, *b;
	long block;

	block = pair_in_block(&a, &b);
	hold(a, block, pipefd);
	if (run)
		ksm_set("run", run);
	CHECK_EQ(ksm_get("run"), run);
	start_offline(&c, &block, run);
	for (i = 0; i < 50; i++) {
		CHECK_EQ(ksm_get("run"), run | OFFLINE_BIT);
		ksm_sleep_ms(1);
	}
	CHECK_EQ(cancel_offline(&c), -EINTR);
	CHECK_EQ(ksm_get("run"), run);
	CHECK(ksys_block_online(block));
	CHECK_EQ(ksm_child_end(&c), 0);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	let_go(pipefd);
	if (run == 2)
		CHECK(ksm_counts_are(0, 0, 0, 0));
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	pair_ok(a, b);
}

static void test_cancel_stopped(void)
{
	check_cancelled(0);
}

static void test_cancel_running(void)
{
	check_cancelled(1);
}

static void test_cancel_unmerged(void)
{
	check_cancelled(2);
}

/* With the holder gone the same offline succeeds, and the bit goes. */
static void test_success(void)
{
	struct ksm_child c;
	int pipefd[2];
	char *a, *b;
	long block;

	block = pair_in_block(&a, &b);
	hold(a, block, pipefd);
	start_offline(&c, &block, 0);
	let_go(pipefd);
	CHECK_EQ(ksm_hear_long(&c), 0);
	CHECK_EQ(ksm_get("run"), 0);
	CHECK(!ksys_block_online(block));
	CHECK_EQ(pages_in_block(a, block), 0);
	pair_ok(a, b);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	ksm_scan(2);
	/* The child has the pages too, as ksmd now knows. */
	CHECK(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
	pair_ok(a, b);
	CHECK_EQ(ksys_block_set(block, true), 0);
	CHECK_EQ(ksm_get("run"), 0);
	CHECK_EQ(ksm_child_end(&c), 0);
	/* Merged pages can be made of the block's memory again. */
	CHECK_EQ(ksm_unmerge_all(), 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	pair_ok(a, b);
}

static int knob_writer(struct ksm_child *c, void *arg)
{
	const char **what = arg;

	ksm_say(c, 'r');
	ksm_say_long(c, ksm_write_text(what[0], what[1]));
	ksm_hear(c);
	return 0;
}

/* State of a process in /proc/PID/stat: 'D' for uninterruptible sleep. */
static bool asleep(void *arg)
{
	char path[64], buf[256], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", *(pid_t *)arg);
	if (ksys_read(path, buf, sizeof(buf)) < 0)
		return false;
	p = strrchr(buf, ')');
	return p && p[2] == 'D';
}

/* Knobs whose change would have to wait for a scan wait for the block too. */
static void test_writers_wait(void)
{
	static const char *knobs[][2] = {
		{ "run", "0" },
		{ "max_page_sharing", "300" },
		{ "merge_across_nodes", "0" },
	};
	struct ksm_child c, w[ARRAY_SIZE(knobs)];
	int pipefd[2];
	char *a, *b;
	long block;
	size_t i;

	block = pair_in_block(&a, &b);
	hold(a, block, pipefd);
	ksm_run();
	start_offline(&c, &block, 1);
	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		if (!ksm_has(knobs[i][0]))
			continue;
		ksm_child_start(&w[i], knob_writer, knobs[i]);
		CHECK_EQ(ksm_hear(&w[i]), 'r');
		CHECK(ksm_poll(asleep, &w[i].pid, KSM_DEADLINE_MS / 4));
	}
	CHECK_EQ(ksm_get("run"), 1 | OFFLINE_BIT);
	CHECK_EQ(ksm_get("max_page_sharing"), 256);
	CHECK_EQ(cancel_offline(&c), -EINTR);
	/* Pages are shared: the other two writes fail, but they return. */
	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		if (!ksm_has(knobs[i][0]))
			continue;
		CHECK_EQ(ksm_hear_long(&w[i]), i ? -EBUSY : 0);
		CHECK_EQ(ksm_child_end(&w[i]), 0);
	}
	CHECK_EQ(ksm_get("run"), 0);
	CHECK_EQ(ksm_get("max_page_sharing"), 256);
	let_go(pipefd);
	CHECK_EQ(ksm_child_end(&c), 0);
	pair_ok(a, b);
}

/* ksmd stands still while a block goes offline, and goes on after it. */
static void test_ksmd_waits(void)
{
	struct ksm_child c;
	long scans, more;
	int pipefd[2], i;
	char *a, *b;
	long block;

	block = pair_in_block(&a, &b);
	hold(a, block, pipefd);
	ksm_run();
	start_offline(&c, &block, 1);
	scans = ksm_get("full_scans");
	for (i = 0; i < 100; i++)
		ksm_sleep_ms(1);
	more = ksm_get("full_scans");
	/* The pass that was under way may count. */
	CHECK(more <= scans + 1);
	CHECK_EQ(cancel_offline(&c), -EINTR);
	CHECK_EQ(ksm_wait_scans(2, KSM_DEADLINE_MS / 2), 0);
	ksm_stop();
	let_go(pipefd);
	CHECK_EQ(ksm_child_end(&c), 0);
	pair_ok(a, b);
}

/* Two processes that write, and ksmd, while blocks go and come. */
static int writer(struct ksm_child *c, void *arg)
{
	char *map = *(char **)arg;
	unsigned long round = 0;
	size_t i;

	fcntl(c->rfd, F_SETFL, O_NONBLOCK);
	for (;;) {
		char what;

		i = round * 7 % PAGES;
		ksm_page_fill(ksys_page(map, i), 50000 + round);
		if (!ksm_page_ok(ksys_page(map, i), 50000 + round))
			return 1;
		ksm_page_fill(ksys_page(map, i), SEED + i);
		if (round++ % 64)
			continue;
		if (!ksm_contents_ok(map, PAGES, SEED, 1))
			return 1;
		if (read(c->rfd, &what, 1) == 1)
			return 0;
	}
}

static void test_all_at_once(void)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms();
	struct ksm_child c[2];
	int rounds = 0, done = 0, err, i;
	char *a, *b;
	long block;

	block = pair_in_block(&a, &b);
	ksm_run();
	ksm_child_start(&c[0], writer, &a);
	ksm_child_start(&c[1], writer, &b);
	do {
		err = ksys_block_set(block, false);
		if (!err) {
			done++;
			CHECK_EQ(pages_in_block(a, block), 0);
			CHECK_EQ(pages_in_block(b, block), 0);
			CHECK_EQ(ksm_get("run"), 1);
			CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
			CHECK_EQ(ksys_block_set(block, true), 0);
		} else {
			CHECK(err == -EBUSY || err == -EAGAIN);
		}
		/* Back into the block. */
		ksm_fill(b, PAGES, SEED, 1);
		rounds++;
	} while (ksm_now_ms() < end || (!done && rounds < 20));
	ksft_print_msg("%d of %d times offline\n", done, rounds);
	CHECK(done);
	for (i = 0; i < 2; i++)
		CHECK_EQ(ksm_child_end(&c[i]), 0);
	ksm_stop();
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	pair_ok(a, b);
}

static const struct ksm_case cases[] = {
	{ "run|4 while offline is under way, run=0", test_cancel_stopped },
	{ "run|4 while offline is under way, run=1", test_cancel_running },
	{ "run|4 while offline is under way, run=2", test_cancel_unmerged },
	{ "block offline, merged pages elsewhere", test_success },
	{ "writers of knobs wait", test_writers_wait },
	{ "ksmd waits", test_ksmd_waits },
	{ "offline, ksmd and writers at once", test_all_at_once },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	if (!ksys_block_size())
		ksm_skip_all("kernel without CONFIG_MEMORY_HOTPLUG");
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
