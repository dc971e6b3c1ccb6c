// SPDX-License-Identifier: GPL-2.0
/*
 * Contents are right whatever happens to the pages.
 *
 * Workers are processes with threads.  Each thread has pages of its own,
 * changes them in all possible ways and checks every byte all the time, while
 * ksmd runs at full speed and the main process changes the knobs.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/random.h"
#include "lib/region.h"

#define MAX_THREADS	3
#define MAX_WORKERS	3

/* Shared by all processes of a case, and never mergeable itself. */
struct common {
	int stop;
	long long operations;
	__u64 hash[MAX_WORKERS * MAX_THREADS * REGION];
};

struct torture {
	unsigned int ops;
	unsigned int workers;
	unsigned int threads;
	unsigned int ms;
	bool exact;		/* compare the counters with the contents */
	void (*disturb)(__u64 *rnd);
};

static struct common *common;

static void common_init(void)
{
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
}

/* --- The workers --------------------------------------------------------- */

static void *thread_main(void *arg)
{
	struct region *r = arg;
	__u64 end;

	while (!KSM_READ(common->stop) && !r->failed) {
		/* Bursts with pauses: pages must be quiet to be merged. */
		for (end = 20; end && !KSM_READ(common->stop) && !r->failed; end--)
			region_step(r);
		usleep(ksm_random(&r->rnd) % 3000);
		if (r->steps % 16 == 0)
			region_right(r, "of all");
	}
	if (!r->failed)
		region_reap(r, 0);
	if (!r->failed)
		region_right(r, "at the end");
	return NULL;
}

static __u64 hash_page(const unsigned char *page)
{
	const __u64 *word = (const __u64 *)page;
	__u64 hash = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < ps() / sizeof(*word); i++)
		hash = (hash ^ word[i]) * 0x100000001b3ULL ^ hash >> 29;
	return hash ?: 1;
}

struct worker_arg {
	const struct torture *t;
	unsigned int nr;
	__u64 rnd;
};

static void publish(const struct worker_arg *a, struct region *regions)
{
	size_t at = a->nr * a->t->threads * REGION, k, i;

	for (k = 0; k < a->t->threads; k++) {
		__atomic_add_fetch(&common->operations, regions[k].steps,
				   __ATOMIC_RELAXED);
		for (i = 0; i < REGION; i++)
			common->hash[at++] = hash_page(region_want(&regions[k], i));
	}
}

static int worker(struct ksm_child *c, void *arg)
{
	static struct region regions[MAX_THREADS];
	const struct worker_arg *a = arg;
	__u64 rnd = a->rnd;
	bool failed = false;
	unsigned int k;
	int what;

	for (k = 0; k < a->t->threads; k++) {
		/* One thread of a process forks while the others write. */
		unsigned int ops = k ? a->t->ops & ~BIT_OP(OP_FORK) :
				       a->t->ops;

		region_init(&regions[k], ops, ksm_random(&rnd));
	}
	for (k = 0; k < a->t->threads; k++) {
		if (pthread_create(&regions[k].thread, NULL, thread_main,
				   &regions[k]))
			return 1;
	}
	for (k = 0; k < a->t->threads; k++) {
		pthread_join(regions[k].thread, NULL);
		failed |= regions[k].failed;
	}
	publish(a, regions);
	ksm_say(c, failed ? 'n' : 'y');
	/* Now nothing changes any more; look as often as is asked for. */
	while ((what = ksm_hear(c)) == 'c') {
		for (k = 0; k < a->t->threads; k++)
			failed |= !region_right(&regions[k], "at rest");
		ksm_say(c, failed ? 'n' : 'y');
	}
	return failed || what != 'e';
}

/* --- The main process ---------------------------------------------------- */

static int compare_hashes(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

/*
 * What the counters have to be, from the contents the workers published.  A
 * page without sharers remains a KSM page, so it may be counted as shared
 * without any that share it.
 */
static bool counts_add_up(size_t n)
{
	long shared = 0, sharing = 0, unshared = 0;
	struct ksm_counters c;
	size_t i, k;

	qsort(common->hash, n, sizeof(common->hash[0]), compare_hashes);
	for (i = 0; i < n; i = k) {
		for (k = i + 1; k < n && common->hash[k] == common->hash[i];)
			k++;
		if (k - i == 1) {
			unshared++;
		} else {
			shared++;
			sharing += k - i - 1;
		}
	}
	ksm_counters(&c);
	if (c.shared >= shared && c.shared <= shared + unshared)
		return ksm_counts_are(c.shared, sharing,
				      shared + unshared - c.shared, 0);
	return ksm_counts_are(shared, sharing, unshared, 0);
}

static bool all_say_yes(struct ksm_child *c, unsigned int n, char question)
{
	bool ok = true;
	unsigned int i;
	int answer;

	for (i = 0; i < n; i++) {
		if (question)
			ksm_say(&c[i], question);
		answer = ksm_hear(&c[i]);
		if (answer != 'y') {
			ksft_print_msg("worker %u answers %d\n", i, answer);
			ok = false;
		}
	}
	return ok;
}

/* Slow machines may need additional time until pages are merged and written. */
static bool was_exercised(long most, long cow, __u64 end)
{
	return (most > 0 && ksm_vmstat("cow_ksm") > cow) ||
	       ksm_now_ms() > end + KSM_DEADLINE_MS / 4;
}

/*
 * Knobs that change all the time may prevent that anything is merged.  They
 * keep these values in the additional time.
 */
static void set_plain_knobs(void)
{
	ksm_write_text("advisor_mode", "none");
	ksm_write_text("pages_to_scan", "1000");
	ksm_write_text("sleep_millisecs", "0");
	ksm_write_text("run", "1");
}

static void torture(const struct torture *t)
{
	struct worker_arg arg[MAX_WORKERS];
	struct ksm_child c[MAX_WORKERS];
	__u64 rnd = ksm_random_seed(), end;
	long cow = ksm_vmstat("cow_ksm"), most = 0;
	unsigned int i;

	region_setup();
	common_init();
	/* full_scans only goes on while an mm is registered. */
	if (!t->exact)
		ksm_mergeable(ksm_map(1), 1);
	ksm_set("pages_to_scan", 1000);
	ksm_run();
	for (i = 0; i < t->workers; i++) {
		arg[i] = (struct worker_arg){ t, i, ksm_random(&rnd) };
		ksm_child_start(&c[i], worker, &arg[i]);
	}
	end = ksm_now_ms() + t->ms;
	while (ksm_now_ms() < end || !was_exercised(most, cow, end)) {
		long now = ksm_get("pages_sharing");
		__u64 now_ms = ksm_now_ms();

		if (now > most)
			most = now;
		if (t->disturb && now_ms < end)
			t->disturb(&rnd);
		else if (t->disturb)
			set_plain_knobs();
		ksm_sleep_ms(5);
	}
	KSM_WRITE(common->stop, 1);
	CHECK(all_say_yes(c, t->workers, 0));
	cow = ksm_vmstat("cow_ksm") - cow;

	/* At rest everything gets merged, then unmerged. */
	ksm_stop();
	CHECK(!ksm_write_text("advisor_mode", "none"));
	ksm_set("smart_scan", 0);
	ksm_set("use_zero_pages", 0);
	ksm_set("pages_to_scan", 5000);
	ksm_set("sleep_millisecs", 0);
	ksm_scan(3);
	if (t->exact)
		CHECK(counts_add_up(t->workers * t->threads * REGION));
	if (ksm_get("pages_sharing") > most)
		most = ksm_get("pages_sharing");
	CHECK(all_say_yes(c, t->workers, 'c'));
	CHECK(!ksm_unmerge_all());
	CHECK(all_say_yes(c, t->workers, 'c'));
	for (i = 0; i < t->workers; i++)
		ksm_say(&c[i], 'e');
	for (i = 0; i < t->workers; i++)
		CHECK(ksm_child_wait(&c[i]) == 0);
	ksft_print_msg("%lld operations, %ld copies of merged pages, %ld sharing at most\n",
		       common->operations, cow, most);
	/* It was no torture if nothing got merged and written. */
	CHECK(most > 0);
	CHECK(cow > 0);
	ksft_print_msg("zero pages left: %lld\n", ksm_get("ksm_zero_pages"));
	/* Zero pages are counted at once, and must add up over forks. */
	CHECK(ksm_get("ksm_zero_pages") == 0);
	ksm_run();
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
}

/* --- Cases --------------------------------------------------------------- */

static void test_writers(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE, .workers = 2, .threads = 2, .ms = 1200,
		.exact = true,
	};

	ksm_set("max_page_sharing", 1000000);
	torture(&t);
}

static void test_kernel_writers(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | OPS_KERNEL, .workers = 2, .threads = 2,
		.ms = 1200, .exact = true,
	};

	ksm_set("smart_scan", 0);
	ksm_set("max_page_sharing", 1000000);
	torture(&t);
}

static void test_mappers(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | OPS_MAP | BIT_OP(OP_MADVISE), .workers = 2,
		.threads = 3, .ms = 1200,
	};

	torture(&t);
}

static void test_forkers(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | BIT_OP(OP_FORK), .workers = 3,
		.threads = 1, .ms = 1200,
	};

	torture(&t);
}

static void test_prctls(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | OPS_KERNEL | BIT_OP(OP_PRCTL) |
		       BIT_OP(OP_FORK), .workers = 2, .threads = 2,
		.ms = 1200,
	};

	torture(&t);
}

/* Every knob at any time, refused or not. */
static void turn_knobs(__u64 *rnd)
{
	static const struct {
		const char *knob;
		const char *text[5];
	} turns[] = {
		{ "run", { "0", "1", "2", "1", "1" } },
		{ "run", { "1", "1", "2", "1", "1" } },
		{ "smart_scan", { "0", "1", "0", "1", "0" } },
		{ "use_zero_pages", { "0", "1", "0", "1", "1" } },
		{ "max_page_sharing", { "2", "3", "10", "256", "1000" } },
		{ "pages_to_scan", { "1", "10", "100", "1000", "5000" } },
		{ "sleep_millisecs", { "0", "1", "0", "5", "0" } },
		{ "merge_across_nodes", { "0", "1", "0", "1", "1" } },
		{ "advisor_mode", { "none", "scan-time", "none", "none",
				    "none" } },
		{ "stable_node_chains_prune_millisecs", { "0", "1", "10",
							  "100", "2000" } },
	};
	__u64 r = ksm_random(rnd);
	size_t i = r % ARRAY_SIZE(turns);

	if (ksm_has(turns[i].knob))
		ksm_write_text(turns[i].knob, turns[i].text[r / 64 % 5]);
	if (r / 4096 % 4 == 0)
		ksm_write_text("run", "1");
}

static void test_knobs(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | OPS_KERNEL | BIT_OP(OP_FORK), .workers = 2,
		.threads = 2, .ms = 2000, .disturb = turn_knobs,
	};

	torture(&t);
}

static void test_everything(void)
{
	static const struct torture t = {
		.ops = (1U << NR_OPS) - 1, .workers = 3, .threads = 3,
		.ms = 2400, .disturb = turn_knobs,
	};

	torture(&t);
}

static const struct ksm_case cases[] = {
	{ "integrity: writing threads", test_writers },
	{ "integrity: writes through the kernel", test_kernel_writers },
	{ "integrity: munmap, mremap, mprotect, madvise", test_mappers },
	{ "integrity: forks", test_forkers },
	{ "integrity: prctl", test_prctls },
	{ "integrity: knobs and run=0/1/2", test_knobs },
	{ "integrity: all at once", test_everything },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
