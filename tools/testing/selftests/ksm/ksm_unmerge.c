// SPDX-License-Identifier: GPL-2.0
/*
 * Unmerging works on page tables in batches.
 *
 * Each KSM page is replaced by a private copy that keeps the flags of its
 * entry.  Other entries between them stay unchanged.  If memory runs out in the
 * middle, no content is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/files.h"
#include "lib/ksm.h"
#include "lib/numa.h"
#include "lib/reclaim.h"

#define SEED	5000
#define COMMON_SEED	4000		/* the content that many pages have */

/* --- A mixture ----------------------------------------------------------- */

#define PAGES	1536		/* three page tables, where they have 512 */

enum kind {
	PAIRED,		/* a KSM page with a mapping in the other range */
	COMMON,		/* the one KSM page of all that are COMMON */
	ZEROES,		/* a zero page that KSM placed */
	EMPTY,		/* a zero page that a read fault placed */
	UNIQUE,
	SWAPPED,
	HOLE,
	NR_KINDS,
};

static enum kind kinds[PAGES];

static unsigned int how_many(enum kind kind)
{
	unsigned int i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += kinds[i] == kind;
	return n;
}

static void make_page(char *page, unsigned int i, enum kind kind)
{
	switch (kind) {
	case COMMON:
		ksm_page_fill(page, COMMON_SEED);
		break;
	case ZEROES:
		memset(page, 0, ksm_page_size());
		break;
	case EMPTY:
		CHECK(!KSM_READ(*page));
		break;
	case HOLE:
		break;
	default:
		ksm_page_fill(page, SEED + i);
	}
}

static void check_content(const char *page, unsigned int i, enum kind kind)
{
	switch (kind) {
	case COMMON:
		CHECK(ksm_contents_ok(page, 1, COMMON_SEED, 0));
		break;
	case ZEROES:
	case EMPTY:
	case HOLE:
		CHECK(ksm_page_is_zero(page));
		break;
	default:
		CHECK(ksm_contents_ok(page, 1, SEED + i, 0));
	}
}

/* Sixty-four pages of all kinds, then as many that are merged */
static void choose_kinds(void)
{
	uint64_t rnd = 88172645463325252ULL;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		rnd ^= rnd << 13;
		rnd ^= rnd >> 7;
		rnd ^= rnd << 17;
		kinds[i] = i / 64 % 2 ? PAIRED : rnd % NR_KINDS;
	}
}

static void page_out(char *page)
{
	int tries;

	for (tries = 0; tries < 200; tries++) {
		madvise(page, ksm_page_size(), MADV_PAGEOUT);
		if (ksys_count_swapped(page, 1))
			return;
		ksm_sleep_ms(10);
	}
	ksm_check(false, "a page cannot be swapped out\n");
}

/* Two ranges: the mixture, and one with duplicates of the PAIRED. */
static void mix(char **map, char **other)
{
	unsigned int i;

	choose_kinds();
	ksm_set("use_zero_pages", 1);
	*map = ksm_map(PAGES);
	*other = ksm_map(PAGES);
	ksm_mergeable(*map, PAGES);
	ksm_mergeable(*other, PAGES);
	for (i = 0; i < PAGES; i++) {
		make_page(ksys_page(*map, i), i, kinds[i]);
		if (kinds[i] == PAIRED)
			make_page(ksys_page(*other, i), i, PAIRED);
	}
	ksm_scan(3);
	for (i = 0; i < PAGES; i++)
		if (kinds[i] == SWAPPED)
			page_out(ksys_page(*map, i));
}

/* What a page is before and after */
static void check_page(const char *page, enum kind kind, bool merged)
{
	uint64_t entry = ksm_pagemap(0, page);
	uint64_t flags = 0;

	if (entry & KSM_PM_PRESENT)
		flags = ksm_kpageflags(entry & KSM_PM_PFN);
	switch (kind) {
	case HOLE:
		CHECK(!(entry & (KSM_PM_PRESENT | KSM_PM_SWAP)));
		return;
	case SWAPPED:
		CHECK(entry & KSM_PM_SWAP);
		return;
	case EMPTY:
		CHECK(flags & KSM_KPF_ZERO_PAGE);
		return;
	case ZEROES:
		CHECK(!(flags & KSM_KPF_ZERO_PAGE) == !merged);
		break;
	case PAIRED:
	case COMMON:
		CHECK_EQ(ksm_is_merged(page), merged);
		break;
	default:
		merged = false;
	}
	if (!merged) {
		CHECK(flags & KSM_KPF_ANON);
		CHECK(entry & KSM_PM_EXCLUSIVE);
	}
}

static void check_pages(const char *map, bool merged)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		check_page(ksys_page(map, i), kinds[i], merged);
}

static void check_private(const char *map)
{
	struct ksm_stat st;
	struct ksm_vma vma;

	check_pages(map, false);
	CHECK(!ksm_vma(0, map, &vma));
	CHECK_EQ(vma.ksm_kb, 0);
	CHECK_EQ(vma.anonymous_kb,
		 (how_many(PAIRED) + how_many(COMMON) + how_many(ZEROES) +
		  how_many(UNIQUE)) * ksm_page_size() / 1024);
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	CHECK(!ksm_stat(0, &st));
	CHECK_EQ(st.zero_pages, 0);
}

/* Every copy can be written, and no other mapping sees it. */
static void check_independent(char *map, const char *other)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		check_content(ksys_page(map, i), i, kinds[i]);
	for (i = 0; i < PAGES; i++)
		ksm_page_fill(ksys_page(map, i), 90000 + i);
	for (i = 0; i < PAGES; i++)
		if (kinds[i] == PAIRED)
			check_content(ksys_page(other, i), i, PAIRED);
	CHECK(ksm_contents_ok(map, PAGES, 90000, 1));
}

static void test_mixed_madvise(void)
{
	char *map, *other;
	long cow;

	mix(&map, &other);
	check_pages(map, true);
	cow = ksm_vmstat("cow_ksm");
	ksm_unmergeable(map, PAGES);
	CHECK_EQ(ksm_vmstat("cow_ksm") - cow, how_many(PAIRED) + how_many(COMMON));
	check_private(map);
	CHECK_EQ(ksm_smaps_kb(other),
		 how_many(PAIRED) * ksm_page_size() / 1024);
	check_independent(map, other);
}

static void test_mixed_run(void)
{
	char *map, *other;
	long cow;

	mix(&map, &other);
	check_pages(map, true);
	cow = ksm_vmstat("cow_ksm");
	CHECK_EQ(ksm_unmerge_all(), 0);
	/* The last mapping of a page counts, even if it keeps the page. */
	CHECK_EQ(ksm_vmstat("cow_ksm") - cow,
		 2 * how_many(PAIRED) + how_many(COMMON));
	CHECK(ksm_counts_are(0, 0, 0, 0));
	check_private(map);
	CHECK_EQ(ksm_smaps_kb(other), 0);
	check_independent(map, other);
}

static void test_mixed_prctl(void)
{
	char *map, *other;

	CHECK(!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	mix(&map, &other);
	check_pages(map, true);
	CHECK(!prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0));
	check_private(map);
	CHECK_EQ(ksm_smaps_kb(other), 0);
	check_independent(map, other);
}

/* --- Marks --------------------------------------------------------------- */

#define MARKED	128

/* Every fourth page is zero, the others have duplicates. */
static char *map_for_marks(void)
{
	char *map = ksm_map(MARKED), *dup = ksm_map(MARKED);
	unsigned int i;

	ksm_set("use_zero_pages", 1);
	ksm_fill(map, MARKED, SEED, 1);
	ksm_fill(dup, MARKED, SEED, 1);
	for (i = 3; i < MARKED; i += 4)
		memset(ksys_page(map, i), 0, ksm_page_size());
	ksm_mergeable(map, MARKED);
	ksm_mergeable(dup, MARKED);
	return map;
}

static void check_marks(const char *map, bool merged, uint64_t mark,
			bool (*marked)(unsigned int i))
{
	unsigned int i;

	for (i = 0; i < MARKED; i++) {
		uint64_t entry = ksm_pagemap(0, ksys_page(map, i));

		CHECK_EQ(!(entry & KSM_PM_EXCLUSIVE), merged);
		CHECK_EQ(!!(entry & mark), marked(i));
	}
}

static void check_contents(const char *map)
{
	unsigned int i;

	for (i = 0; i < MARKED; i++)
		check_content(ksys_page(map, i), i,
			      i % 4 == 3 ? ZEROES : PAIRED);
}

/* So that a batch has marked and unmarked ones, zero pages and others */
static bool in_twos(unsigned int i)
{
	return i % 5 < 2;
}

static void test_soft_dirty(void)
{
	char *map = map_for_marks();
	unsigned int i;

	if (!(ksm_pagemap(0, map) & KSM_PM_SOFT_DIRTY))
		ksm_skip("kernel without CONFIG_MEM_SOFT_DIRTY");
	CHECK(!ksys_write("/proc/self/clear_refs", "4"));
	for (i = 0; i < MARKED; i++) {
		char *page = ksys_page(map, i);

		if (in_twos(i))
			KSM_WRITE(*page, KSM_READ(*page));
	}
	ksm_scan(3);
	check_marks(map, true, KSM_PM_SOFT_DIRTY, in_twos);
	CHECK_EQ(ksm_unmerge_all(), 0);
	check_marks(map, false, KSM_PM_SOFT_DIRTY, in_twos);
	check_contents(map);
}

static int watch(char *map)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	struct uffdio_register reg = {
		.range = { (unsigned long)map, MARKED * ksm_page_size() },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOSYS)
		ksm_skip("kernel without CONFIG_USERFAULTFD");
	CHECK(fd >= 0);
	if (ioctl(fd, UFFDIO_API, &api))
		ksm_skip("kernel without userfaultfd write protection");
	CHECK(!ioctl(fd, UFFDIO_REGISTER, &reg));
	return fd;
}

static void test_uffd_wp(void)
{
	char *map = map_for_marks();
	int fd = watch(map);
	unsigned int i;

	ksm_scan(3);
	for (i = 0; i < MARKED; i++) {
		struct uffdio_writeprotect wp = {
			.range = {
				(unsigned long)ksys_page(map, i),
				ksm_page_size(),
			},
			.mode = UFFDIO_WRITEPROTECT_MODE_WP,
		};

		if (in_twos(i))
			CHECK(!ioctl(fd, UFFDIO_WRITEPROTECT, &wp));
	}
	check_marks(map, true, KSM_PM_UFFD_WP, in_twos);
	CHECK_EQ(ksm_unmerge_all(), 0);
	check_marks(map, false, KSM_PM_UFFD_WP, in_twos);
	check_contents(map);
	close(fd);
}

/* --- Out of memory ------------------------------------------------------- */

#define MANY	4096
#define SPARE	256

static char *spare;

/* The control group gets room for half of the copies, and may not swap. */
static char *merge_and_limit(void)
{
	char *map;

	CHECK(!ksys_cgroup_limit(0));
	map = ksm_map_merge(MANY, COMMON_SEED, 0);
	spare = ksm_map(SPARE);
	ksm_fill(spare, SPARE, SEED, 1);
	ksm_scan(3);
	CHECK_EQ(ksm_count_merged(map, MANY), MANY);
	CHECK(!ksys_cgroup_limit(ksys_cgroup_bytes() +
				 MANY / 2 * ksm_page_size()));
	return map;
}

/* If no page can be had and no process killed, a page fault never ends. */
static void give_back_spare(void)
{
	CHECK(!madvise(spare, SPARE * ksm_page_size(), MADV_DONTNEED));
}

/* Return: how many pages are merged still. */
static size_t check_incomplete(const char *map)
{
	size_t left = ksm_count_merged(map, MANY);

	CHECK(left > 0);
	CHECK(ksm_contents_ok(map, MANY, COMMON_SEED, 0));
	return left;
}

static void check_works(char *map)
{
	CHECK(!ksys_cgroup_limit(0));
	ksm_unmergeable(map, MANY);
	CHECK_EQ(ksm_count_merged(map, MANY), 0);
	CHECK_EQ(ksm_count_pfns(map, MANY), MANY);
	CHECK(ksm_contents_ok(map, MANY, COMMON_SEED, 0));
}

/* No process of the group may be killed. */
static void test_no_memory(void)
{
	char *map = merge_and_limit();
	int err = 0;

	if (madvise(map, MANY * ksm_page_size(), MADV_UNMERGEABLE))
		err = errno;
	give_back_spare();
	CHECK_EQ(err, EAGAIN);
	CHECK(ksm_vma_flag(0, map, "mg"));
	CHECK(check_incomplete(map) < MANY);
	check_works(map);
}

static int unmerge_all(void)
{
	return ksm_unmerge_all() ? 1 : 0;
}

/*
 * Who writes 2 to run is killed for it, whatever protects it else.  It may be
 * its own memory that is unmerged first.
 */
static void test_no_memory_run(void)
{
	char *map = merge_and_limit();
	int status = ksm_in_child(unmerge_all);

	give_back_spare();
	CHECK_EQ(status, 128 + SIGKILL);
	CHECK_EQ(ksm_get("run"), 0);
	check_incomplete(map);
	check_works(map);
}

/* --- Between two visits of ksmd ------------------------------------------ */

#define MOVED	64

/*
 * A page gives way to a KSM page, that is made private, and the copy gets the
 * page frame that has just become free: the same one as at the last visit.
 */
static bool frame_comes_back(char *page, char *kpage)
{
	unsigned long before = ksm_pfn(0, page);

	CHECK(mremap(kpage, ksm_page_size(), ksm_page_size(),
		     MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
	ksm_unmergeable(page, 1);
	ksm_mergeable(page, 1);
	return ksm_pfn(0, page) == before;
}

/* That it has another content than the page before must not go unnoticed. */
static void test_same_frame(void)
{
	unsigned int i, back = 0;
	char *map, *one, *two;

	/* Another CPU has another list of free page frames. */
	CHECK_EQ(ksys_stay_on_this_cpu(), 0);
	ksm_set("smart_scan", 1);
	one = ksm_map_merge(MOVED, COMMON_SEED, 1);
	two = ksm_map_merge(MOVED, COMMON_SEED, 1);
	map = ksm_map_merge(MOVED, SEED, 1);
	ksm_scan(4);
	CHECK(ksm_same_pages(one, two, MOVED));
	for (i = 0; i < MOVED; i++)
		back += frame_comes_back(ksys_page(map, i), ksys_page(one, i));
	ksft_print_msg("%u of %u page frames came back\n", back, MOVED);
	CHECK(back > 0);
	ksm_scan(4);
	CHECK(ksm_contents_ok(map, MOVED, COMMON_SEED, 1));
	CHECK(ksm_contents_ok(two, MOVED, COMMON_SEED, 1));
	CHECK(ksm_same_pages(map, two, MOVED));
}

static const struct ksm_case cases[] = {
	{ "a mixture of entries, MADV_UNMERGEABLE", test_mixed_madvise },
	{ "a mixture of entries, run=2", test_mixed_run },
	{ "a mixture of entries, PR_SET_MEMORY_MERGE 0", test_mixed_prctl },
	{ "soft-dirty marks are kept", test_soft_dirty },
	{ "write protection by userfaultfd is kept", test_uffd_wp },
	{ "no memory for all: MADV_UNMERGEABLE", test_no_memory },
	{ "no memory for all: run=2", test_no_memory_run },
	{ "the copy is where another page was", test_same_frame },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_reclaim_setup(64UL << 20);
	/* As if there was no process to kill, see test_no_memory() */
	CHECK(!ksys_write("/proc/self/oom_score_adj", "-1000"));
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
