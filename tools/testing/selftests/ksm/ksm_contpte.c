// SPDX-License-Identifier: GPL-2.0
/*
 * Folios of 64 KiB, mapped page by page.
 *
 * With CONFIG_ARM64_CONTPTE a block of contiguous entries shares one dirty bit.
 * Cleaning one entry cleans the block.  If the TLB is then flushed for that
 * page only, stores to the other pages set no bit: ksmd does not notice them,
 * and reclaim takes the pages for clean.  Other architectures have a bit for
 * each entry, and must pass these cases, too.
 *
 * A context switch may drop TLB entries.  So a busy loop stores to the pages
 * while ksmd runs, on one CPU, and a case has many rounds.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/numa.h"
#include "lib/reclaim.h"
#include "lib/thp.h"

#define BLOCK	(64UL << 10)
#define SEED	1000
#define NEW	90000
#define ROUNDS	10
#define TLB_PAGES	2048

static size_t nr;		/* pages of a block */

static bool is_one_folio(const char *map)
{
	unsigned long first = ksm_pfn(0, map);
	size_t i;

	if (!first || first % nr)
		return false;
	for (i = 0; i < nr; i++)
		if (ksm_pfn(0, ksys_page(map, i)) != first + i ||
		    !(ksm_kpageflags(first + i) &
		      (i ? KSM_KPF_TAIL : KSM_KPF_HEAD)))
			return false;
	return true;
}

/* A block between guards, in one folio, mergeable. */
static char *map_block(uint64_t seed)
{
	char *map, *addr;

	map = mmap(NULL, 4 * BLOCK, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(map != MAP_FAILED);
	addr = (char *)(((unsigned long)map + 2 * BLOCK) & ~(BLOCK - 1));
	CHECK(mmap(addr, BLOCK, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == addr);
	CHECK(!madvise(addr, BLOCK, MADV_HUGEPAGE));
	ksm_fill(addr, nr, seed, 1);
	if (!is_one_folio(addr))
		ksm_skip("no folio of 64 KiB to be had right now");
	ksm_mergeable(addr, nr);
	return addr;
}

/*
 * An emulator flushes all of a small TLB to be rid of one page, and makes it
 * larger for those who need it.
 */
static void fill_tlb(void)
{
	static volatile char many[TLB_PAGES << 12];
	size_t i;

	for (i = 0; i < sizeof(many); i += ksm_page_size())
		(void)many[i];
}

/* What is there already, into all pages but the last. */
static void store_again(char *map)
{
	size_t i;

	fill_tlb();
	for (i = 0; i + 1 < nr; i++) {
		__u64 *word = ksys_page(map, i);

		KSM_WRITE(*word, KSM_READ(*word));
	}
}

/* Let ksmd make n passes without giving the CPU away; it goes on running. */
static void scan_while_storing(char *map, unsigned int n)
{
	__u64 end = ksm_now_ms() + KSM_DEADLINE_MS;
	long goal;

	store_again(map);
	ksm_run();
	goal = ksm_get("full_scans") + n + 1;
	while (ksm_get("full_scans") < goal) {
		CHECK(ksm_now_ms() < end);
		store_again(map);
	}
}

/* Dirty bits count for smart_scan only. */
static void begin_rounds(void)
{
	ksm_set("smart_scan", 1);
	CHECK_EQ(ksys_stay_on_this_cpu(), 0);
}

/*
 * A common bit that is set tells nothing about a single page, and is left
 * alone.  So each pass has to read all pages, and none is known to be clean.
 */
static void test_common_bit(void)
{
	struct ksm_counters before, after;
	char *map = map_block(SEED);

	ksm_set("smart_scan", 1);
	ksm_scan(4);
	CHECK(ksm_counts_are(0, 0, nr, 0));
	ksm_counters(&before);
	ksm_scan(3);
	ksm_counters(&after);
	CHECK(is_one_folio(map));
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
#ifdef __aarch64__
	/* Who takes the bit of an entry marks the folio first. */
	CHECK(!(ksm_kpageflags(ksm_pfn(0, map)) & KSM_KPF_DIRTY));
	CHECK_EQ(after.skipped - before.skipped, 0);
	CHECK(after.scanned - before.scanned >= 3 * (long)nr);
#else
	CHECK(after.skipped - before.skipped >= 3 * (long)nr);
	ksm_skip("the entries have dirty bits of their own");
#endif
}

static bool all_merged(void)
{
	return ksm_get("pages_shared") == (long)nr - 1 &&
	       ksm_get("pages_sharing") == (long)nr - 1;
}

/* Each page but the last becomes a duplicate of an existing page. */
static void notice_once(uint64_t seed)
{
	char *other = ksm_map_merge(nr - 1, NEW, 1), *map;
	int pass;

	/* Nothing has to be flushed on its behalf any more. */
	ksm_scan(3);
	map = map_block(seed);
	scan_while_storing(map, 4);
	ksm_fill(map, nr - 1, NEW, 1);
	ksm_stop();
	CHECK(ksm_contents_ok(map, nr - 1, NEW, 1));
	/* It was written often: ksmd may want to see it rest for a while. */
	for (pass = 0; pass < 16 && !all_merged(); pass++)
		ksm_scan(1);
	CHECK(ksm_counts_are(nr - 1, nr - 1, 1, 0));
	CHECK(ksm_same_pages(map, other, nr - 1));
	CHECK(ksm_contents_ok(map, nr - 1, NEW, 1));
	CHECK(ksm_contents_ok(other, nr - 1, NEW, 1));
	CHECK(ksm_page_ok(ksys_page(map, nr - 1), seed + nr - 1));
	CHECK(!munmap(map, BLOCK));
	ksm_unmap(other, nr - 1);
	CHECK_EQ(ksm_unmerge_all(), 0);
}

static void test_noticed(void)
{
	uint64_t round;

	begin_rounds();
	for (round = 0; round < ROUNDS; round++)
		notice_once(SEED + round * 100);
}

/* As reclaim does from time to time, and like it without a flush. */
static void forget_use(const char *map)
{
	unsigned long pfn = ksm_pfn(0, map);
	__u64 mask = ((1ULL << nr) - 1) << (pfn % 64);
	int fd;

	fd = open("/sys/kernel/mm/page_idle/bitmap", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		ksm_skip("kernel without CONFIG_IDLE_PAGE_TRACKING");
	CHECK(pwrite(fd, &mask, sizeof(mask), pfn / 64 * 8) == sizeof(mask));
	close(fd);
}

static void mark_lazyfree(char *map)
{
	CHECK(!madvise(map, BLOCK, MADV_FREE));
}

/* Reclaim until the lazyfree page is gone. */
static void reclaim_until_gone(const char *canary)
{
	__u64 end = ksm_now_ms() + KSM_DEADLINE_MS;
	int more = 3;

	while (more) {
		CHECK(ksm_now_ms() < end);
		ksys_reclaim(8 * BLOCK);
		if (!ksm_pfn(0, canary))
			more--;
	}
}

/* Written after MADV_FREE: to be kept. */
static void keep_once(uint64_t seed)
{
	char *canary = map_block(seed + 50), *map = map_block(seed);

	scan_while_storing(map, 4);
	forget_use(map);
	mark_lazyfree(map);
	ksm_fill(map, nr - 1, NEW, 1);
	mark_lazyfree(canary);
	ksm_stop();
	reclaim_until_gone(canary);
	CHECK(ksm_page_is_zero(canary));
	CHECK(ksm_contents_ok(map, nr - 1, NEW, 1));
	CHECK(!munmap(map, BLOCK));
	CHECK(!munmap(canary, BLOCK));
}

static void test_kept(void)
{
	uint64_t round;

	begin_rounds();
	for (round = 0; round < ROUNDS; round++)
		keep_once(SEED + round * 100);
}

static const struct ksm_case cases[] = {
	{ "a common dirty bit is not taken for one page's", test_common_bit },
	{ "a store to any page of a block is noticed", test_noticed },
	{ "a store after MADV_FREE is kept", test_kept },
};

int main(void)
{
	const char *why;

	ksft_print_header();
	ksm_setup();
	nr = BLOCK / ksm_page_size();
	if (ksys_thp_set("hugepages-64kB/enabled", "madvise"))
		ksm_skip_all("no folios of 64 KiB here");
	why = ksys_thp_set("defrag", "madvise");
	if (why)
		ksm_skip_all("%s", why);
	ksys_reclaim_setup(64UL << 20);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
