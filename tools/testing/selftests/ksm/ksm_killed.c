// SPDX-License-Identifier: GPL-2.0
/*
 * A process that is killed while its pages are made private again, or while it
 * forks.
 *
 * It needs no copies any more.  So neither run=2 nor the process itself goes on
 * making them, and its exit does not wait until all are made.
 *
 * The test counts mappings that became private (cow_ksm) after the first was
 * seen.  On a busy machine some may be made before that, and before the signal
 * arrives: the best of a few tries counts.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/random.h"

#define SEED	9000
#define TRIES	3

/* Mappings of the process to be killed */
static size_t pages;

/* --- The process to be killed -------------------------------------------- */

static int be_merged(struct ksm_child *c, void *arg)
{
	ksm_map_merge(pages, SEED, 0);
	ksm_say(c, 'r');
	ksm_hear(c);
	return 0;
}

static void *unmerge_it(void *map)
{
	madvise(map, pages * ps(), MADV_UNMERGEABLE);
	return NULL;
}

/* On demand one of its threads unmerges all of it. */
static int unmerge_itself(struct ksm_child *c, void *arg)
{
	char *map = ksm_map_merge(pages, SEED, 0);
	pthread_t thread;

	ksm_say(c, 'r');
	ksm_hear(c);
	CHECK(!pthread_create(&thread, NULL, unmerge_it, map));
	pthread_join(thread, NULL);
	ksm_hear(c);
	return 0;
}

static int unmerge_by_prctl(struct ksm_child *c, void *arg)
{
	CHECK(!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	ksm_map_merge(pages, SEED, 0);
	ksm_say(c, 'r');
	ksm_hear(c);
	prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
	ksm_hear(c);
	return 0;
}

/* --- The others ---------------------------------------------------------- */

static int write_run_2(struct ksm_child *c, void *arg)
{
	return ksm_write_text("run", "2\n") ? 1 : 0;
}

static bool merged(void *arg)
{
	pid_t pid = *(pid_t *)arg;

	return ksm_merging_pages(pid) >= (long)pages;
}

static void start_merged(struct ksm_child *c,
			 int (*target)(struct ksm_child *c, void *arg))
{
	ksm_child_start(c, target, NULL);
	CHECK_EQ(ksm_hear(c), 'r');
	ksm_run();
	CHECK(ksm_poll(merged, &c->pid, KSM_DEADLINE_MS));
	ksm_stop();
}

static bool cow_moved(void *from)
{
	return ksm_vmstat("cow_ksm") != *(long *)from;
}

/* SIGKILL as soon as something has become private; how much it is in all */
static long kill_while_unmerging(struct ksm_child *target, long cow)
{
	long at_kill, at_exit;

	CHECK(ksm_poll(cow_moved, &cow, KSM_DEADLINE_MS));
	at_kill = ksm_vmstat("cow_ksm") - cow;
	CHECK_EQ(ksm_child_kill(target), 128 + SIGKILL);
	at_exit = ksm_vmstat("cow_ksm") - cow;
	ksft_print_msg("of %zu: %ld at the signal, %ld at the exit\n", pages,
		       at_kill, at_exit);
	return at_exit;
}

static long run_2_once(void)
{
	long cow = ksm_vmstat("cow_ksm"), copies, after;
	struct ksm_child target, writer;

	start_merged(&target, be_merged);
	ksm_child_start(&writer, write_run_2, NULL);
	copies = kill_while_unmerging(&target, cow);
	CHECK_EQ(ksm_child_wait(&writer), 0);
	after = ksm_vmstat("cow_ksm") - cow;
	ksft_print_msg("%ld at the end of run=2\n", after);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	return after > copies ? after : copies;
}

static long unmerging_once(int (*fn)(struct ksm_child *c, void *arg))
{
	long cow = ksm_vmstat("cow_ksm"), copies;
	struct ksm_child target;

	start_merged(&target, fn);
	ksm_say(&target, 'u');
	copies = kill_while_unmerging(&target, cow);
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	return copies;
}

static long madvise_once(void)
{
	return unmerging_once(unmerge_itself);
}

static long prctl_once(void)
{
	return unmerging_once(unmerge_by_prctl);
}

/* Far fewer than all */
static void check_ends_early(long (*once)(void))
{
	long copies, best = pages;
	int i;

	for (i = 0; i < TRIES && best > (long)pages / 2; i++) {
		copies = once();
		if (copies < best)
			best = copies;
	}
	CHECK(best <= (long)pages / 2);
}

static void test_run_2(void)
{
	check_ends_early(run_2_once);
}

static void test_madvise(void)
{
	check_ends_early(madvise_once);
}

static void test_prctl(void)
{
	check_ends_early(prctl_once);
}

/* --- Others are not left out --------------------------------------------- */

#define SURVIVING	64

static int other_process(struct ksm_child *c, void *arg)
{
	char *map = ksm_map_merge(SURVIVING, SEED + 1, 0);

	ksm_say(c, 'r');
	ksm_hear(c);
	CHECK_EQ(ksm_count_merged(map, SURVIVING), 0);
	CHECK_EQ(ksm_count_pfns(map, SURVIVING), SURVIVING);
	CHECK(ksm_contents_ok(map, SURVIVING, SEED + 1, 0));
	return 0;
}

/* run=2 goes on with those that live, when it is told nothing went wrong. */
static void test_survivor(void)
{
	struct ksm_child target, writer, other;
	long cow = ksm_vmstat("cow_ksm");

	ksm_child_start(&other, other_process, NULL);
	CHECK_EQ(ksm_hear(&other), 'r');
	start_merged(&target, be_merged);
	CHECK_EQ(ksm_merging_pages(other.pid), SURVIVING);
	ksm_child_start(&writer, write_run_2, NULL);
	kill_while_unmerging(&target, cow);
	CHECK_EQ(ksm_child_wait(&writer), 0);
	CHECK_EQ(ksm_get("run"), 2);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	ksm_say(&other, 'e');
	CHECK_EQ(ksm_child_wait(&other), 0);
}

/* --- In the midst of a fork ---------------------------------------------- */

#define SPLIT	256	/* mappings of one page each */

/* Every other page cannot be written, so that there are many mappings. */
static int fork_on_and_on(struct ksm_child *c, void *arg)
{
	char *map = ksm_map_merge(SPLIT, SEED, 0);
	size_t i;

	for (i = 0; i < SPLIT; i += 2)
		CHECK(!mprotect(ksys_page(map, i), ps(), PROT_READ));
	ksm_say(c, 'r');
	CHECK_EQ(ksm_hear(c), 'f');
	for (;;) {
		pid_t pid = fork();

		if (!pid)
			_exit(!ksm_contents_ok(map, SPLIT, SEED, 0));
		if (pid > 0)
			CHECK_EQ(waitpid(pid, NULL, 0), pid);
	}
}

/*
 * The child has only a part of the mappings and is registered.  Its exit leaves
 * nothing, and neither does its parent's.
 */
static void test_mid_fork(void)
{
	__u64 end = ksm_now_ms() + ksys_budget_ms();
	__u64 rnd = ksm_random_seed();
	struct ksm_child target;
	unsigned int rounds = 0;

	ksm_run();
	while (ksm_now_ms() < end || rounds < 20) {
		ksm_child_start(&target, fork_on_and_on, NULL);
		CHECK_EQ(ksm_hear(&target), 'r');
		CHECK(ksm_wait_value("pages_sharing", SPLIT - 1,
				     KSM_DEADLINE_MS));
		ksm_say(&target, 'f');
		usleep(ksm_random(&rnd) % 20000);
		CHECK_EQ(ksm_child_kill(&target), 128 + SIGKILL);
		rounds++;
	}
	ksft_print_msg("%u rounds\n", rounds);
	CHECK(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("general_profit", 0, KSM_DEADLINE_MS));
}

static const struct ksm_case cases[] = {
	{ "killed during run=2", test_run_2 },
	{ "killed during MADV_UNMERGEABLE of a thread", test_madvise },
	{ "killed during PR_SET_MEMORY_MERGE 0", test_prctl },
	{ "run=2 goes on with the others", test_survivor },
	{ "killed in the midst of a fork", test_mid_fork },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	/* Some tenths of a second of copying */
	pages = ksm_slowness() > 4 ? 8192 : 32768;
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
