// SPDX-License-Identifier: GPL-2.0
/*
 * use_zero_pages: empty pages are mapped to the kernel's zero page.
 *
 * They are counted in ksm_zero_pages only, in sysfs and per process.  A write,
 * unmapping, unmerging and exit must all decrease that count.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/random.h"

#define PAGES	64
#define SEED	7000

static bool all_zero(const char *map, size_t pages)
{
	const volatile uint64_t *word = (const volatile uint64_t *)map;
	size_t i, n = pages * ksm_page_size() / sizeof(*word);

	for (i = 0; i < n; i++) {
		if (word[i]) {
			ksft_print_msg("WRONG CONTENTS: word %zu is %#llx\n",
				       i, (unsigned long long)word[i]);
			return false;
		}
	}
	return true;
}

/* Pages that were written to, with zeroes. */
static char *map_zeroed(size_t pages)
{
	char *map = ksm_map(pages);

	memset(map, 1, pages * ksm_page_size());
	memset(map, 0, pages * ksm_page_size());
	return map;
}

static long zero_pages(pid_t pid)
{
	struct ksm_stat st;

	CHECK(!ksm_stat(pid, &st));
	return st.zero_pages;
}

/* Both counters, global and of this process. */
#define check_zero_counts(global, own)					\
	do {								\
		CHECK_EQ(ksm_get("ksm_zero_pages"), (global));		\
		CHECK_EQ(zero_pages(0), (own));				\
	} while (0)

/* Every page of the range is the kernel's zero page (or none is). */
static bool are_zero_pages(const char *map, size_t pages, bool yes)
{
	unsigned long pfn;
	size_t i;

	for (i = 0; i < pages; i++) {
		pfn = ksm_pfn(0, ksys_page(map, i));
		if (!pfn || !!(ksm_kpageflags(pfn) & KSM_KPF_ZERO_PAGE) != yes)
			return false;
	}
	return true;
}

/* PAGES pages on the zero page. */
static char *map_merged(void)
{
	char *map;

	ksm_set("use_zero_pages", 1);
	map = map_zeroed(PAGES);
	ksm_mergeable(map, PAGES);
	ksm_scan(2);
	check_zero_counts(PAGES, PAGES);
	CHECK(are_zero_pages(map, PAGES, true));
	return map;
}

static void test_place(void)
{
	struct ksm_stat st;
	struct ksm_vma vma;
	char *map, *pair;
	unsigned long pfn;

	ksm_set("use_zero_pages", 1);
	map = map_zeroed(PAGES);
	ksm_mergeable(map, PAGES);
	CHECK(!ksm_vma(0, map, &vma));
	CHECK_EQ(vma.anonymous_kb, PAGES * ksm_page_size() / 1024);
	pair = ksm_map_merge(2, SEED, 0);
	ksm_scan(2);
	check_zero_counts(PAGES, PAGES);
	CHECK(ksm_counts_are(1, 1, 0, 0));
	CHECK(!ksm_stat(0, &st));
	CHECK_EQ(st.merging_pages, 2);
	/* Pages on the zero page are not tracked any more. */
	CHECK_EQ(st.rmap_items, 2);
	CHECK(st.process_profit > (PAGES - 2) * (long)ksm_page_size());
	/* The kernel may use some of it for bookkeeping. */
	CHECK(ksm_get("general_profit") <= (PAGES + 1) * (long)ksm_page_size());
	CHECK(all_zero(map, PAGES));
	CHECK(ksm_contents_ok(pair, 2, SEED, 0));
	CHECK(are_zero_pages(map, PAGES, true));
	CHECK_EQ(ksm_count_pfns(map, PAGES), 1);
	pfn = ksm_pfn(0, map);
	CHECK(!(ksm_kpageflags(pfn) & KSM_KPF_KSM));
	/* They are neither anonymous nor KSM memory. */
	CHECK(!ksm_vma(0, map, &vma));
	CHECK_EQ(vma.anonymous_kb, 0);
	CHECK_EQ(vma.ksm_kb, 0);
	CHECK_EQ(vma.rss_kb, 0);
	ksm_scan(2);
	check_zero_counts(PAGES, PAGES);
	CHECK(ksm_counts_are(1, 1, 0, 0));
}

static void test_off(void)
{
	char *map = map_zeroed(PAGES);

	ksm_mergeable(map, PAGES);
	ksm_scan(2);
	check_zero_counts(0, 0);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(are_zero_pages(map, PAGES, false));
	CHECK_EQ(ksm_count_pfns(map, PAGES), 1);
	CHECK_EQ(ksm_smaps_kb(map), PAGES * ksm_page_size() / 1024);
	CHECK(all_zero(map, PAGES));
	/* Switched on, newcomers go to the zero page. */
	ksm_set("use_zero_pages", 1);
	map = map_zeroed(PAGES);
	ksm_mergeable(map, PAGES);
	ksm_scan(2);
	CHECK(ksm_get("ksm_zero_pages") >= PAGES);
	CHECK(are_zero_pages(map, PAGES, true));
	CHECK(all_zero(map, PAGES));
	/* And off again: what is there stays. */
	ksm_set("use_zero_pages", 0);
	ksm_scan(2);
	CHECK(ksm_get("ksm_zero_pages") >= PAGES);
	CHECK(all_zero(map, PAGES));
}

/* A page with one byte set, wherever it is, is not empty. */
static void test_nearly_zero(void)
{
	size_t ps = ksm_page_size(), i, where;
	char *map;

	ksm_set("use_zero_pages", 1);
	map = map_zeroed(PAGES);
	for (i = 0; i < PAGES; i++) {
		where = i < 4 ? i : i > PAGES - 5 ? ps - PAGES + i :
			i * ps / PAGES + i;
		map[i * ps + where] = 1;
	}
	ksm_mergeable(map, PAGES);
	ksm_scan(3);
	check_zero_counts(0, 0);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	for (i = 0; i < PAGES; i++) {
		where = i < 4 ? i : i > PAGES - 5 ? ps - PAGES + i :
			i * ps / PAGES + i;
		CHECK_EQ(map[i * ps + where], 1);
		map[i * ps + where] = 0;
	}
	CHECK(all_zero(map, PAGES));
	ksm_scan(2);
	check_zero_counts(PAGES, PAGES);
	CHECK(all_zero(map, PAGES));
}

static void test_write(void)
{
	char *map = map_merged();
	size_t i;

	for (i = 0; i < PAGES; i += 2) {
		map[i * ksm_page_size() + i] = 5;
		check_zero_counts(PAGES - i / 2 - 1, PAGES - i / 2 - 1);
	}
	for (i = 0; i < PAGES; i++) {
		char *page = ksys_page(map, i);

		CHECK_EQ(page[i], i % 2 ? 0 : 5);
		page[i] = 0;
	}
	/* Every page was written by now: those to odd ones broke them too. */
	check_zero_counts(0, 0);
	CHECK(all_zero(map, PAGES));
	ksm_scan(2);
	check_zero_counts(PAGES, PAGES);
	CHECK(all_zero(map, PAGES));
	CHECK(ksm_counts_are(0, 0, 0, 0));
}

static void test_dontneed(void)
{
	char *map = map_merged();

	CHECK(!madvise(map, 10 * ksm_page_size(), MADV_DONTNEED));
	check_zero_counts(PAGES - 10, PAGES - 10);
	CHECK(all_zero(map, PAGES));
	/* Those that were read are on the zero page, but not by ksmd. */
	check_zero_counts(PAGES - 10, PAGES - 10);
	ksm_scan(2);
	check_zero_counts(PAGES - 10, PAGES - 10);
	CHECK(!madvise(map, PAGES * ksm_page_size(), MADV_DONTNEED));
	check_zero_counts(0, 0);
	CHECK(all_zero(map, PAGES));
}

static void test_munmap(void)
{
	char *map = map_merged();

	CHECK(!munmap(map, PAGES / 2 * ksm_page_size()));
	check_zero_counts(PAGES / 2, PAGES / 2);
	CHECK(all_zero(ksys_page(map, PAGES / 2), PAGES / 2));
	ksm_unmap(map, PAGES);
	check_zero_counts(0, 0);
}

static void test_mprotect(void)
{
	size_t len = PAGES * ksm_page_size();
	char *map = map_merged();

	CHECK(!mprotect(map, len, PROT_NONE));
	check_zero_counts(PAGES, PAGES);
	CHECK(!mprotect(map, len, PROT_READ));
	check_zero_counts(PAGES, PAGES);
	CHECK(all_zero(map, PAGES));
	CHECK(!mprotect(map, len, PROT_READ | PROT_WRITE));
	map[3] = 1;
	check_zero_counts(PAGES - 1, PAGES - 1);
	map[3] = 0;
	CHECK(all_zero(map, PAGES));
}

static void test_mremap(void)
{
	size_t len = PAGES * ksm_page_size();
	char *map = map_merged(), *to = ksm_map(PAGES);

	/* A range that moves is unmerged first. */
	CHECK(mremap(map, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	check_zero_counts(0, 0);
	CHECK(all_zero(to, PAGES));
	CHECK(ksm_vma_flag(0, to, "mg"));
	ksm_scan(2);
	check_zero_counts(PAGES, PAGES);
	CHECK(all_zero(to, PAGES));
	/* Growing where it is does not move it, nor does shrinking. */
	CHECK(mremap(to, len, len / 2, 0) == to);
	check_zero_counts(PAGES / 2, PAGES / 2);
	CHECK(all_zero(to, PAGES / 2));
}

static void test_unmergeable(void)
{
	char *map = map_merged();

	CHECK(!madvise(map, PAGES / 2 * ksm_page_size(), MADV_UNMERGEABLE));
	check_zero_counts(PAGES / 2, PAGES / 2);
	CHECK(are_zero_pages(map, PAGES / 2, false));
	CHECK(are_zero_pages(ksys_page(map, PAGES / 2), PAGES / 2, true));
	CHECK(all_zero(map, PAGES));
	ksm_scan(3);
	check_zero_counts(PAGES / 2, PAGES / 2);
	ksm_unmergeable(map, PAGES);
	check_zero_counts(0, 0);
	CHECK(all_zero(map, PAGES));
}

static void test_run_2(void)
{
	char *map = map_merged();

	CHECK_EQ(ksm_unmerge_all(), 0);
	check_zero_counts(0, 0);
	CHECK(are_zero_pages(map, PAGES, false));
	CHECK_EQ(ksm_count_pfns(map, PAGES), PAGES);
	CHECK(all_zero(map, PAGES));
	ksm_scan(2);
	check_zero_counts(PAGES, PAGES);
	CHECK(all_zero(map, PAGES));
}

static int inheritor(struct ksm_child *c, void *arg)
{
	char *map = arg;
	int what;

	CHECK_EQ(zero_pages(0), PAGES);
	CHECK(all_zero(map, PAGES));
	while ((what = ksm_hear(c)) != 'q') {
		switch (what) {
		case 'w':
			map[7] = 7;
			CHECK_EQ(zero_pages(0), PAGES - 1);
			map[7] = 0;
			break;
		case 'd':
			CHECK(!madvise(map, PAGES / 2 * ksm_page_size(),
				       MADV_DONTNEED));
			CHECK_EQ(zero_pages(0), PAGES / 2);
			break;
		default:
			return 1;
		}
		CHECK(all_zero(map, PAGES));
		ksm_say(c, 'y');
	}
	return 0;
}

static void test_fork(void)
{
	char *map = map_merged();
	struct ksm_child c[2];

	ksm_child_start(&c[0], inheritor, map);
	check_zero_counts(2 * PAGES, PAGES);
	CHECK_EQ(zero_pages(c[0].pid), PAGES);
	ksm_child_start(&c[1], inheritor, map);
	check_zero_counts(3 * PAGES, PAGES);
	CHECK(ksm_ask(&c[0], 'w'));
	check_zero_counts(3 * PAGES - 1, PAGES);
	CHECK_EQ(zero_pages(c[0].pid), PAGES - 1);
	CHECK_EQ(zero_pages(c[1].pid), PAGES);
	CHECK(ksm_ask(&c[0], 'd'));
	check_zero_counts(2 * PAGES + PAGES / 2, PAGES);
	/* The parent's pages are its own affair. */
	memset(map, 3, PAGES * ksm_page_size());
	check_zero_counts(PAGES + PAGES / 2, 0);
	CHECK_EQ(zero_pages(c[1].pid), PAGES);
	/* Gone by exit, gone by a signal. */
	CHECK_EQ(ksm_child_end(&c[0]), 0);
	check_zero_counts(PAGES, 0);
	CHECK_EQ(ksm_child_kill(&c[1]), 128 + SIGKILL);
	check_zero_counts(0, 0);
}

/* An unregistered child leaves nothing behind. */
static void test_many_forks(void)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms() / 2;
	char *map = map_merged();
	int rounds = 0, status;
	pid_t pid;

	ksm_run();
	do {
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			map[rounds % PAGES * ksm_page_size()] = 1;
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
		rounds++;
	} while (ksm_now_ms() < end);
	ksm_stop();
	check_zero_counts(PAGES, PAGES);
	CHECK(all_zero(map, PAGES));
	ksft_print_msg("%d forks\n", rounds);
}

/* Zero pages of read faults were never ksmd's. */
static void test_read_faults(void)
{
	char *map;

	ksm_set("use_zero_pages", 1);
	map = ksm_map(PAGES);
	ksm_mergeable(map, PAGES);
	CHECK(all_zero(map, PAGES));
	CHECK(are_zero_pages(map, PAGES, true));
	ksm_scan(3);
	check_zero_counts(0, 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK_EQ(ksm_unmerge_all(), 0);
	check_zero_counts(0, 0);
	CHECK(all_zero(map, PAGES));
}

/* Merged as KSM pages first, the knob comes later, and everything is undone. */
static void test_mixed(void)
{
	char *a, *b;

	a = map_zeroed(PAGES);
	ksm_mergeable(a, PAGES);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	ksm_set("use_zero_pages", 1);
	b = map_zeroed(PAGES);
	ksm_mergeable(b, PAGES);
	ksm_scan(2);
	CHECK(all_zero(a, PAGES));
	CHECK(all_zero(b, PAGES));
	CHECK_EQ(ksm_get("pages_shared") + ksm_get("pages_sharing") +
		 ksm_get("ksm_zero_pages"), 2 * PAGES);
	a[5] = 1;
	b[5] = 1;
	a[5] = 0;
	b[5] = 0;
	CHECK(all_zero(a, PAGES));
	CHECK(all_zero(b, PAGES));
	CHECK_EQ(ksm_unmerge_all(), 0);
	check_zero_counts(0, 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK(all_zero(a, PAGES));
	CHECK(all_zero(b, PAGES));
	ksm_scan(2);
	check_zero_counts(2 * PAGES, 2 * PAGES);
}

/* --- Several process trees ----------------------------------------------- */

#define TREES	3
#define MAX_ALIVE	4	/* children of one that are there at the end */

/* Memory of a process, and what each page has to contain: 0 is zeroes. */
struct member {
	char *map;
	uint64_t seed[PAGES];
	__u64 rnd;
};

static bool member_ok(const struct member *m)
{
	size_t i;

	for (i = 0; i < PAGES; i++) {
		char *page = ksys_page(m->map, i);

		if (!m->seed[i] ? !all_zero(page, 1) :
				  !ksm_contents_ok(page, 1, m->seed[i], 0))
			return false;
	}
	return true;
}

/* Only by writing: a page that is zero has been written so. */
static void member_writes(struct member *m, unsigned int times)
{
	size_t i;

	while (times--) {
		i = ksm_random(&m->rnd) % PAGES;
		m->seed[i] = ksm_random(&m->rnd) % 4 ?
			     0 : 1 + ksm_random(&m->rnd) % 5;
		if (m->seed[i])
			ksm_page_fill(ksys_page(m->map, i), m->seed[i]);
		else
			memset(ksys_page(m->map, i), 0, ksm_page_size());
	}
}

static long member_zeroes(const struct member *m)
{
	long n = 0;
	size_t i;

	for (i = 0; i < PAGES; i++)
		n += !m->seed[i];
	return n;
}

/* A child works on the pages it inherited. */
static int descendant(struct ksm_child *c, void *arg)
{
	struct member *m = arg;

	m->rnd ^= getpid() * 0x9e3779b97f4a7c15ULL;
	CHECK(member_ok(m));
	member_writes(m, 40);
	CHECK(member_ok(m));
	ksm_say_long(c, member_zeroes(m));
	/* At rest until asked to look again. */
	CHECK_EQ(ksm_hear(c), 'c');
	CHECK_EQ(zero_pages(0), member_zeroes(m));
	CHECK(member_ok(m));
	ksm_say(c, 'y');
	ksm_hear(c);
	return 0;
}

static int tree_root(struct ksm_child *c, void *arg)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms() / 2;
	struct ksm_child kid[MAX_ALIVE];
	struct member m = { .rnd = (unsigned long)arg };
	long zeroes = 0, forks = 0;
	size_t i;

	m.map = map_zeroed(PAGES);
	ksm_mergeable(m.map, PAGES);
	do {
		member_writes(&m, 50);
		CHECK(member_ok(&m));
		i = forks % MAX_ALIVE;
		/* Killed in the middle of whatever ksmd does to it. */
		if (forks >= MAX_ALIVE)
			CHECK_EQ(ksm_child_kill(&kid[i]), 128 + SIGKILL);
		ksm_child_start(&kid[i], descendant, &m);
		forks++;
	} while (ksm_now_ms() < end || forks < MAX_ALIVE);
	for (i = 0; i < MAX_ALIVE; i++)
		zeroes += ksm_hear_long(&kid[i]);
	zeroes += member_zeroes(&m);
	CHECK(member_ok(&m));
	ksm_say_long(c, zeroes);
	ksm_say_long(c, forks);
	CHECK_EQ(ksm_hear(c), 'c');
	CHECK_EQ(zero_pages(0), member_zeroes(&m));
	CHECK(member_ok(&m));
	for (i = 0; i < MAX_ALIVE; i++)
		CHECK(ksm_ask(&kid[i], 'c'));
	ksm_say(c, 'y');
	CHECK_EQ(ksm_hear(c), 'q');
	for (i = 0; i < MAX_ALIVE; i++)
		CHECK_EQ(ksm_child_end(&kid[i]), 0);
	return 0;
}

/* Parents and children write and die while ksmd takes their empty pages. */
static void test_trees(void)
{
	struct ksm_child c[TREES];
	long zeroes = 0, forks = 0;
	__u64 seed = ksm_random_seed();
	size_t i;

	ksm_set("use_zero_pages", 1);
	ksm_run();
	for (i = 0; i < TREES; i++) {
		ksm_random(&seed);
		ksm_child_start(&c[i], tree_root, (void *)(unsigned long)seed);
	}
	for (i = 0; i < TREES; i++) {
		zeroes += ksm_hear_long(&c[i]);
		forks += ksm_hear_long(&c[i]);
	}
	ksft_print_msg("%ld forks, %ld zero pages\n", forks, zeroes);
	ksm_stop();
	ksm_scan(3);
	CHECK_EQ(ksm_get("ksm_zero_pages"), zeroes);
	CHECK(ksm_get("pages_shared") <= 5);
	for (i = 0; i < TREES; i++)
		CHECK(ksm_ask(&c[i], 'c'));
	for (i = 0; i < TREES; i++)
		CHECK_EQ(ksm_child_end(&c[i]), 0);
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
}

static const struct ksm_case cases[] = {
	{ "placed, counted, read", test_place },
	{ "use_zero_pages=0: merged like any other", test_off },
	{ "nearly empty pages", test_nearly_zero },
	{ "written", test_write },
	{ "MADV_DONTNEED", test_dontneed },
	{ "munmap", test_munmap },
	{ "mprotect", test_mprotect },
	{ "mremap", test_mremap },
	{ "MADV_UNMERGEABLE", test_unmergeable },
	{ "run=2", test_run_2 },
	{ "fork, and how children leave", test_fork },
	{ "many forks while ksmd runs", test_many_forks },
	{ "zero pages of read faults", test_read_faults },
	{ "before and after the knob", test_mixed },
	{ "process trees that fork, write and exit", test_trees },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
