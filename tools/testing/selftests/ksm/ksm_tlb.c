// SPDX-License-Identifier: GPL-2.0
/*
 * No CPU may write to a page through a stale TLB entry.
 *
 * A thread on one CPU writes to pages that ksmd, on another, is about to merge.
 * Its TLB may still have a writable entry.  If ksmd compares the bytes before
 * that entry is flushed, the store goes to a page that is about to be replaced,
 * and is lost.
 *
 * The stamps are read back only after ksmd is done with the page: before, the
 * CPU would read them through the same TLB entry.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/numa.h"
#include "lib/random.h"

#define PAGES	64
#define SEED	1

static __u64 rnd = 0x9e3779b97f4a7c15ULL;

static __u64 next_random(void)
{
	return ksm_random(&rnd);
}

static __u64 now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/* Let an emulator with one thread for all CPUs run the next CPU. */
static void relax(void)
{
#if __has_builtin(__builtin_ia32_pause)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	asm volatile("yield");
#endif
}

/*
 * Such an emulator comes back when a timer expires, wherever ksmd is then.
 * Not so often that there is no time for writing.
 */
static void *tick(void *arg)
{
	const struct timespec ts = { .tv_nsec = 200000 };
	const bool *stop = arg;

	prctl(PR_SET_TIMERSLACK, 1);
	while (!KSM_READ(*stop))
		nanosleep(&ts, NULL);
	return NULL;
}

static __u64 *word_of(char *map, size_t i, size_t at)
{
	return (__u64 *)(map + i * ksm_page_size()) + at;
}

static void store_all(char *map, size_t at, __u64 value, __u64 step)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		KSM_WRITE(*word_of(map, i, at), value + i * step);
}

static bool stamps_ok(char *map, size_t at, __u64 stamp)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < PAGES; i++) {
		__u64 have = KSM_READ(*word_of(map, i, at));

		if (have != stamp + i) {
			ksft_print_msg("WRITE LOST: page %zu, word %zu: want %#llx, have %#llx\n",
				       i, at, stamp + i, have);
			ok = false;
		}
	}
	return ok;
}

/* Write stamps at a random moment.  False: some of them got lost. */
static bool race_write(char *map)
{
	size_t at = next_random() % (ksm_page_size() / sizeof(__u64));
	__u64 was = *word_of(map, 0, at), stamp = next_random();
	__u64 end = now_us() + next_random() % 500;

	/*
	 * Stores of the same value unmerge the pages and leave writable entries
	 * in the TLB of this CPU.
	 */
	do {
		store_all(map, at, was, 0);
		relax();
	} while (now_us() < end);
	store_all(map, at, stamp, 1);
	usleep(300);
	if (!stamps_ok(map, at, stamp))
		return false;
	store_all(map, at, was, 0);
	return true;
}

static void test_write(void)
{
	char *other = ksm_map_merge(2, SEED, 0);
	char *map = ksm_map_merge(PAGES, SEED, 0);
	long cow = ksm_vmstat("cow_ksm");
	unsigned int rounds = 0;
	bool stop = false;
	pthread_t ticker;
	bool ok = true;
	__u64 end;

	CHECK(!ksys_stay_on_this_cpu());
	/* Dirty bits are left alone: no flush on their behalf. */
	ksm_set("smart_scan", 0);
	ksm_run();
	CHECK(!pthread_create(&ticker, NULL, tick, &stop));
	end = ksm_now_ms() + (ksm_slowness() > 4 ? 8000 : 3000);
	while (ok && ksm_now_ms() < end) {
		ok = race_write(map);
		rounds++;
	}
	KSM_WRITE(stop, true);
	CHECK(!pthread_join(ticker, NULL));
	cow = ksm_vmstat("cow_ksm") - cow;
	ksft_print_msg("%u rounds, %ld copies of merged pages\n", rounds, cow);
	CHECK(ok);
	/* Without merged pages the test proves nothing. */
	CHECK(cow > 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES + 1, 0, 0));
	CHECK(ksm_contents_ok(map, PAGES, SEED, 0));
	CHECK(ksm_contents_ok(other, 2, SEED, 0));
}

static const struct ksm_case cases[] = {
	{ "writes while a page is merged on another CPU", test_write },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ksm_skip_all("needs two CPUs");
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
