// SPDX-License-Identifier: GPL-2.0
/*
 * Accounting: after thousands of random operations in several processes every
 * counter must agree with the page tables.
 *
 * Workers map, unmap, move, write, free, advise, fork and exit at random
 * while ksmd runs.  Each knows what each of its pages has to contain.  When
 * all have stopped and ksmd has made its passes, the main process reads
 * pagemap, kpageflags, kpagecount and the memory of all of them, and compares
 * that with sysfs, ksm_stat and smaps.
 *
 * The first argument, if any, is the seed: a run can be repeated as far as its
 * operations go.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/random.h"

#define SLOTS		192	/* pages of address space a worker plays with */
#define RANGE		24	/* pages of one operation at most */
#define WORKERS		4
#define MAX_ALIVE	10	/* processes at one time */
#define COMMON		12	/* contents that many pages have */
#define OPERATIONS	200	/* to be done at least */

static uint64_t first_seed;

/* --- What is shared by all processes ------------------------------------- */

struct common {
	bool rest;		/* stop operating */
	int failed;
	unsigned long operations;
	unsigned int looks;	/* how often all are to look at their pages */
	int leaving;		/* children that their parent has not reaped */
	/* Those that are alive; only the process itself leaves. */
	struct {
		pid_t pid;
		bool at_rest;
		unsigned int looked;
	} alive[MAX_ALIVE];
};

static struct common *common;

/* --- A worker's memory --------------------------------------------------- */

struct page {
	uint64_t seed;		/* 0: zeroes */
	uint64_t word;		/* what is written over that ... */
	unsigned short at;	/* ... at this index, if patched */
	bool mapped;
	bool patched;
};

struct arena {
	char *map;
	struct page page[SLOTS];
	__u64 rnd;
	int place;		/* in common->alive */
	bool stays;		/* until the end */
	uint64_t *want;		/* room for one page */
};

static char *at(const struct arena *a, size_t i)
{
	return a->map + i * ps();
}

static void worker_fails(const char *what, size_t i)
{
	ksft_print_msg("pid %d: %s, page %zu: %s\n", getpid(), what, i,
		       strerror(errno));
	__atomic_store_n(&common->failed, 1, __ATOMIC_SEQ_CST);
	fflush(stdout);
	_exit(1);
}

static void page_ok(const struct arena *a, size_t i)
{
	const struct page *p = &a->page[i];
	const uint64_t *have = (const uint64_t *)at(a, i);
	size_t k;

	if (!p->mapped)
		return;
	if (p->seed)
		ksm_page_fill(a->want, p->seed);
	else
		memset(a->want, 0, ps());
	if (p->patched)
		a->want[p->at] = p->word;
	for (k = 0; k < ps() / sizeof(*have); k++) {
		uint64_t word = KSM_READ(have[k]);

		if (word == a->want[k])
			continue;
		ksft_print_msg("WRONG CONTENTS: word %zu: want %#llx, have %#llx\n",
			       k, (unsigned long long)a->want[k],
			       (unsigned long long)word);
		worker_fails("contents", i);
	}
}

static void arena_ok(const struct arena *a)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		page_ok(a, i);
}

/* --- Operations ---------------------------------------------------------- */

static void set_zero(struct page *p)
{
	memset(p, 0, sizeof(*p));
	p->mapped = true;
}

static void fill(struct arena *a, size_t i)
{
	struct page *p = &a->page[i];
	uint64_t r = ksm_random(&a->rnd);

	set_zero(p);
	/* Of three pages two have a common content, or are empty. */
	if (r % 3)
		p->seed = r / 3 % (COMMON + 1);
	else
		p->seed = r | 1ULL << 63;
	if (p->seed)
		ksm_page_fill(at(a, i), p->seed);
	else
		memset(at(a, i), 0, ps());
}

static void patch(struct arena *a, size_t i)
{
	struct page *p = &a->page[i];
	uint64_t r = ksm_random(&a->rnd);

	if (!p->patched)
		p->at = r % (ps() / sizeof(uint64_t));
	p->patched = true;
	/* Few values, so that patched pages may be equal as well. */
	p->word = r >> 32 & 1;
	KSM_WRITE(((uint64_t *)at(a, i))[p->at], p->word);
}

static void do_mmap(struct arena *a, size_t from, size_t to)
{
	size_t len = (to - from) * ps(), i;

	if (mmap(at(a, from), len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at(a, from))
		worker_fails("mmap", from);
	madvise(at(a, from), len, MADV_NOHUGEPAGE);
	for (i = from; i < to; i++)
		set_zero(&a->page[i]);
	if (ksm_random(&a->rnd) % 4 &&
	    madvise(at(a, from), len, MADV_MERGEABLE))
		worker_fails("MADV_MERGEABLE", from);
	for (i = from; i < to; i++)
		if (ksm_random(&a->rnd) % 4)
			fill(a, i);
}

static void do_munmap(struct arena *a, size_t from, size_t to)
{
	size_t i;

	if (munmap(at(a, from), (to - from) * ps()))
		worker_fails("munmap", from);
	for (i = from; i < to; i++)
		a->page[i].mapped = false;
}

/* One page to another place, and another mapping out of its way if need be. */
static void do_mremap(struct arena *a, size_t from)
{
	size_t to = ksm_random(&a->rnd) % SLOTS;

	if (to == from || !a->page[from].mapped)
		return;
	if (mremap(at(a, from), ps(), ps(), MREMAP_MAYMOVE | MREMAP_FIXED,
		   at(a, to)) != at(a, to))
		worker_fails("mremap", from);
	a->page[to] = a->page[from];
	a->page[from].mapped = false;
}

/* Holes are no error here. */
static void do_advise(struct arena *a, size_t from, size_t to, int advice)
{
	size_t i;

	for (i = from; i < to; i++) {
		if (!a->page[i].mapped)
			continue;
		if (madvise(at(a, i), ps(), advice))
			worker_fails("madvise", i);
		if (advice == MADV_DONTNEED)
			set_zero(&a->page[i]);
	}
}

static int enter(pid_t pid)
{
	int i;

	for (i = 0; i < MAX_ALIVE; i++) {
		pid_t none = 0;

		if (__atomic_compare_exchange_n(&common->alive[i].pid, &none,
						pid, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST)) {
			common->alive[i].looked = common->looks;
			KSM_WRITE(common->alive[i].at_rest, false);
			return i;
		}
	}
	return -1;
}

/* An exit that is under way has references on pages of others. */
static void leave(struct arena *a)
{
	__atomic_add_fetch(&common->leaving, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&common->alive[a->place].pid, 0, __ATOMIC_SEQ_CST);
	_exit(0);
}

static void reap(bool all)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, all ? 0 : WNOHANG)) > 0) {
		if (status)
			worker_fails("a child failed", status);
		__atomic_sub_fetch(&common->leaving, 1, __ATOMIC_SEQ_CST);
	}
}

/* Also those that are about to be reaped */
static bool has_children(void)
{
	siginfo_t info;

	return !waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
}

static void worker_loop(struct arena *a);

static void do_fork(struct arena *a)
{
	int place = enter(-1);
	pid_t pid;

	if (place < 0)
		return;
	pid = fork();
	if (pid < 0)
		worker_fails("fork", 0);
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	KSM_WRITE(common->alive[place].pid, getpid());
	a->place = place;
	a->rnd ^= getpid() * 0x9e3779b97f4a7c15ULL;
	/* One in three is still there at the audit. */
	a->stays = ksm_random(&a->rnd) % 3 == 0;
	arena_ok(a);
	worker_loop(a);
}

static void operate(struct arena *a)
{
	uint64_t r = ksm_random(&a->rnd);
	size_t from = r % SLOTS, to = from + 1 + r / SLOTS % RANGE, i;

	if (to > SLOTS)
		to = SLOTS;
	switch (ksm_random(&a->rnd) % 24) {
	case 0:
	case 1:
		do_mmap(a, from, to);
		break;
	case 2:
		do_munmap(a, from, to);
		break;
	case 3:
	case 4:
		do_mremap(a, from);
		break;
	case 5:
		do_advise(a, from, to, MADV_DONTNEED);
		break;
	case 6:
		do_advise(a, from, to, MADV_UNMERGEABLE);
		break;
	case 7:
	case 8:
		do_advise(a, from, to, MADV_MERGEABLE);
		break;
	case 9:
		if (r >> 61 == 0)
			do_fork(a);
		break;
	case 10:
	case 11:
	case 12:
	case 13:
		for (i = from; i < to; i++)
			if (a->page[i].mapped)
				patch(a, i);
		break;
	default:
		for (i = from; i < to; i++)
			if (a->page[i].mapped)
				fill(a, i);
	}
	__atomic_add_fetch(&common->operations, 1, __ATOMIC_RELAXED);
}

/* At rest until the end; looks at everything as often as is asked for. */
static void wait_stopped(struct arena *a)
{
	unsigned int looks;

	arena_ok(a);
	__atomic_store_n(&common->alive[a->place].at_rest, true,
			 __ATOMIC_SEQ_CST);
	for (;;) {
		looks = __atomic_load_n(&common->looks, __ATOMIC_SEQ_CST);
		if (looks != common->alive[a->place].looked) {
			if (looks == UINT_MAX)
				break;
			arena_ok(a);
			__atomic_store_n(&common->alive[a->place].looked, looks,
					 __ATOMIC_SEQ_CST);
		}
		reap(false);
		ksm_sleep_ms(2);
	}
	reap(true);
	leave(a);
}

static void worker_loop(struct arena *a)
{
	unsigned int left = a->stays ? UINT_MAX :
			    20 + ksm_random(&a->rnd) % 200;

	while (!KSM_READ(common->rest) && left--) {
		operate(a);
		if (left % 8 == 0) {
			arena_ok(a);
			reap(false);
			/* Some quiet for ksmd */
			ksm_sleep_ms(ksm_random(&a->rnd) % 4);
		}
	}
	/* Parents must not exit before their children. */
	reap(false);
	if (KSM_READ(common->rest) || has_children())
		wait_stopped(a);
	arena_ok(a);
	leave(a);
}

static int worker(struct ksm_child *c, void *arg)
{
	static struct arena a;

	a.rnd = (unsigned long)arg;
	a.map = ksm_map(SLOTS);
	a.want = malloc(ps());
	a.place = enter(getpid());
	a.stays = true;
	if (!a.want || a.place < 0)
		worker_fails("no resources", 0);
	if (munmap(a.map, SLOTS * ps()))
		worker_fails("munmap", 0);
	do_mmap(&a, 0, SLOTS);
	worker_loop(&a);
	return 1;
}

/* --- The audit ----------------------------------------------------------- */

/*
 * A page that is mapped somewhere where it might be merged, or a KSM page
 * somewhere else: after a fork one side may have exempted the mapping when
 * the other has the page merged.  Such a page is not counted.
 */
struct seen {
	unsigned long pfn;
	uint64_t hash;
	bool ksm;
	bool stray;
};

struct audit {
	struct seen *seen;
	size_t nr, room;
	/* Of the process that is looked at */
	long merged, unmerged, stray, zeroes, ksm_kb;
	/* Of all */
	long total_merged, total_unmerged, total_stray;
	int flags_fd, count_fd;
};

static uint64_t read_table(int fd, unsigned long index)
{
	uint64_t entry;

	CHECK(pread(fd, &entry, sizeof(entry), index * sizeof(entry)) ==
	      sizeof(entry));
	return entry;
}

static int open_of(pid_t pid, const char *file)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ksm_check(fd >= 0, "cannot open %s: %s\n", path, strerror(errno));
	return fd;
}

static uint64_t hash_page(int mem, unsigned long addr)
{
	static uint64_t page[64 << 10 >> 3];
	uint64_t hash = 0xcbf29ce484222325ULL;
	size_t i;

	ksm_check(pread(mem, page, ps(), addr) == (ssize_t)ps(),
		  "cannot read %#lx: %s\n", addr, strerror(errno));
	for (i = 0; i < ps() / sizeof(*page); i++)
		hash = ((hash ^ page[i]) * 0x100000001b3ULL) ^ hash >> 29;
	return hash;
}

static void note_page(struct audit *a, unsigned long pfn, bool ksm,
		      bool stray, uint64_t hash)
{
	if (a->nr == a->room) {
		a->room = a->room * 2 + 1024;
		a->seen = realloc(a->seen, a->room * sizeof(*a->seen));
		CHECK(a->seen);
	}
	a->seen[a->nr++] = (struct seen){ pfn, hash, ksm, stray };
}

static void audit_vma(struct audit *a, int pagemap, int mem,
		      unsigned long start, unsigned long end, bool mergeable)
{
	unsigned long addr;
	uint64_t entry, flags;

	for (addr = start; addr < end; addr += ps()) {
		entry = read_table(pagemap, addr / ps());
		if (!(entry & KSM_PM_PRESENT))
			continue;
		flags = read_table(a->flags_fd, entry & KSM_PM_PFN);
		if (flags & KSM_KPF_ZERO_PAGE) {
			a->zeroes++;
			continue;
		}
		if (!(flags & KSM_KPF_ANON))
			continue;
		if (!mergeable && !(flags & KSM_KPF_KSM))
			continue;
		if (!mergeable)
			a->stray++;
		else if (flags & KSM_KPF_KSM)
			a->merged++;
		else
			a->unmerged++;
		note_page(a, entry & KSM_PM_PFN, flags & KSM_KPF_KSM,
			  !mergeable, hash_page(mem, addr));
	}
}

/* A VMA of smaps is complete with its flags. */
static void audit_process(struct audit *a, pid_t pid)
{
	int pagemap = open_of(pid, "pagemap"), mem = open_of(pid, "mem");
	unsigned long from, to, start = 0, end = 0, kb;
	char path[64], line[512];
	FILE *f;

	a->merged = 0;
	a->unmerged = 0;
	a->stray = 0;
	a->zeroes = 0;
	a->ksm_kb = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
			start = from;
			end = to;
			continue;
		}
		if (sscanf(line, "KSM: %lu kB", &kb) == 1)
			a->ksm_kb += kb;
		/* vsyscall is no memory of the process. */
		if (!strncmp(line, "VmFlags:", 8) && start < LONG_MAX)
			audit_vma(a, pagemap, mem, start, end,
				  strstr(line, " mg"));
	}
	fclose(f);
	close(pagemap);
	close(mem);
}

/* The process's own figures */
static bool process_agrees(const struct audit *a, pid_t pid)
{
	struct ksm_stat st;
	long kb = (a->merged + a->stray) * (long)ps() / 1024;

	CHECK(!ksm_stat(pid, &st));
	if (st.merging_pages == a->merged &&
	    ksm_merging_pages(pid) == a->merged &&
	    st.rmap_items == a->merged + a->unmerged && a->ksm_kb == kb &&
	    st.zero_pages >= 0 && st.zero_pages <= a->zeroes)
		return true;
	ksft_print_msg("pid %d has %ld merged, %ld unmerged, %ld zero pages, %ld kB\n",
		       pid, a->merged, a->unmerged, a->zeroes, kb);
	ksft_print_msg("it counts %ld merging, %ld items, %ld zero pages, %ld kB\n",
		       st.merging_pages, st.rmap_items, st.zero_pages,
		       a->ksm_kb);
	return false;
}

static int by_pfn(const void *x, const void *y)
{
	const struct seen *a = x, *b = y;

	return a->pfn < b->pfn ? -1 : a->pfn > b->pfn;
}

static int by_hash(const void *x, const void *y)
{
	const struct seen *a = x, *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return by_pfn(x, y);
}

/*
 * As many mappings as the kernel counts; how many pages are shared?  Only
 * merging keeps to the limit: a fork maps what its parent maps.
 */
static long count_shared(struct audit *a, long limit, bool forked, bool *ok)
{
	long shared = 0, most = 0, own;
	size_t i, k;

	qsort(a->seen, a->nr, sizeof(*a->seen), by_pfn);
	for (i = 0; i < a->nr; i = k) {
		own = 0;
		for (k = i; k < a->nr && a->seen[k].pfn == a->seen[i].pfn; k++)
			own += !a->seen[k].stray;
		if (!a->seen[i].ksm)
			continue;
		shared += own > 0;
		if (own > most)
			most = own;
		if (read_table(a->count_fd, a->seen[i].pfn) != k - i) {
			ksft_print_msg("pfn %#lx: %zu mappings, kpagecount %llu\n",
				       a->seen[i].pfn, k - i,
				       (unsigned long long)
				       read_table(a->count_fd, a->seen[i].pfn));
			*ok = false;
		}
	}
	ksft_print_msg("at most %ld mappings of a page, limit %ld\n", most,
		       limit);
	*ok &= forked || most <= limit;
	return shared;
}

/*
 * What is equal must be the same page.  Where a limit leaves some over, or
 * pages with mappings to spare, at least no two may wait for each other.
 */
static bool all_merged(struct audit *a, long limit)
{
	bool limited = limit < (long)a->nr;
	unsigned long last = 0;
	size_t i, k, pages;

	qsort(a->seen, a->nr, sizeof(*a->seen), by_hash);
	for (i = 0; i < a->nr; i = k) {
		pages = 0;
		for (k = i; k < a->nr && a->seen[k].hash == a->seen[i].hash;
		     k++) {
			if (a->seen[k].stray || (limited && a->seen[k].ksm))
				continue;
			pages += !pages || a->seen[k].pfn != last;
			last = a->seen[k].pfn;
		}
		if (pages < 2)
			continue;
		ksft_print_msg("%zu equal pages are %zu, first %#lx%s and %#lx%s\n",
			       k - i, pages, a->seen[i].pfn,
			       a->seen[i].ksm ? " (KSM)" : "",
			       a->seen[k - 1].pfn,
			       a->seen[k - 1].ksm ? " (KSM)" : "");
		return false;
	}
	return true;
}

static bool audit(long limit, bool forked)
{
	struct audit a = { 0 };
	struct ksm_stat st;
	long shared, zero = 0;
	bool ok = true;
	int i;

	a.flags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	a.count_fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	CHECK(a.flags_fd >= 0 && a.count_fd >= 0);
	for (i = 0; i < MAX_ALIVE; i++) {
		pid_t pid = common->alive[i].pid;

		if (!pid)
			continue;
		audit_process(&a, pid);
		ok = process_agrees(&a, pid) && ok;
		a.total_merged += a.merged;
		a.total_unmerged += a.unmerged;
		a.total_stray += a.stray;
		CHECK(!ksm_stat(pid, &st));
		zero += st.zero_pages;
	}
	shared = count_shared(&a, limit, forked, &ok);
	ksft_print_msg("%ld pages shared by %ld mappings, %ld unmerged, %ld stray, %ld zero\n",
		       shared, a.total_merged, a.total_unmerged, a.total_stray,
		       zero);
	CHECK(shared > 0);
	ok = ksm_counts_are(shared, a.total_merged - shared,
			    a.total_unmerged, 0) && ok;
	if (ksm_get("ksm_zero_pages") != zero) {
		ksft_print_msg("ksm_zero_pages is %lld\n",
			       ksm_get("ksm_zero_pages"));
		ok = false;
	}
	ok = all_merged(&a, limit) && ok;
	close(a.flags_fd);
	close(a.count_fd);
	free(a.seen);
	return ok;
}

/* --- The main process ---------------------------------------------------- */

static bool all_at_rest(void *arg)
{
	int i;

	for (i = 0; i < MAX_ALIVE; i++)
		if (__atomic_load_n(&common->alive[i].pid, __ATOMIC_SEQ_CST) &&
		    !KSM_READ(common->alive[i].at_rest))
			return KSM_READ(common->failed);
	if (__atomic_load_n(&common->leaving, __ATOMIC_SEQ_CST))
		return KSM_READ(common->failed);
	return true;
}

static bool all_looked(void *arg)
{
	int i;

	for (i = 0; i < MAX_ALIVE; i++)
		if (common->alive[i].pid &&
		    KSM_READ(common->alive[i].looked) != common->looks)
			return KSM_READ(common->failed);
	return true;
}

static void look_all(void)
{
	__atomic_add_fetch(&common->looks, 1, __ATOMIC_SEQ_CST);
	CHECK(ksm_poll(all_looked, NULL, KSM_DEADLINE_MS));
	CHECK(!common->failed);
}

/* On a slow machine it takes longer until something has happened. */
static bool too_little(long most, __u64 stop)
{
	return (most == 0 || KSM_READ(common->operations) < OPERATIONS) &&
	       ksm_now_ms() < stop + KSM_DEADLINE_MS;
}

static void run_all(unsigned int scans, long limit)
{
	struct ksm_child c[WORKERS];
	__u64 rnd = first_seed, stop;
	long most = 0;
	size_t i;

	ksft_print_msg("seed %llu\n", (unsigned long long)rnd);
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(common != MAP_FAILED);
	ksm_set("max_page_sharing", limit);
	ksm_set("pages_to_scan", 300);
	ksm_run();
	for (i = 0; i < WORKERS; i++) {
		ksm_random(&rnd);
		ksm_child_start(&c[i], worker, (void *)(unsigned long)rnd);
	}
	stop = ksm_now_ms() + ksys_budget_ms() / 2;
	while (!KSM_READ(common->failed) &&
	       (ksm_now_ms() < stop || too_little(most, stop))) {
		if (ksm_get("pages_sharing") > most)
			most = ksm_get("pages_sharing");
		ksm_sleep_ms(5);
	}
	KSM_WRITE(common->rest, true);
	CHECK(ksm_poll(all_at_rest, NULL, KSM_DEADLINE_MS));
	CHECK(!common->failed);
	ksm_stop();
	ksft_print_msg("%lu operations, %ld sharing at most\n",
		       common->operations, most);
	CHECK(most > 0);

	ksm_set("pages_to_scan", 5000);
	ksm_scan(scans);
	CHECK(audit(limit, true));
	look_all();
	/* Nothing has moved by being looked at, and nothing moves later. */
	ksm_scan(2);
	CHECK(audit(limit, true));
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	look_all();
	ksm_scan(scans);
	CHECK(audit(limit, false));
	look_all();

	__atomic_store_n(&common->looks, UINT_MAX, __ATOMIC_SEQ_CST);
	for (i = 0; i < WORKERS; i++)
		CHECK_EQ(ksm_child_wait(&c[i]), 0);
	ksm_run();
	CHECK(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_unshared", 0, KSM_DEADLINE_MS));
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
}

static void test_plain(void)
{
	run_all(3, 100000);
}

/*
 * Pages that were volatile are looked at again in the ninth pass at last.  One
 * that could not be merged several times is due in the eighth, and in the
 * sixteenth if it is held just then.
 */
static void test_smart(void)
{
	ksm_set("smart_scan", 1);
	run_all(18, 100000);
}

static void test_limited(void)
{
	run_all(3, 7);
}

static void test_zero_pages(void)
{
	ksm_set("use_zero_pages", 1);
	run_all(3, 100000);
}

static const struct ksm_case cases[] = {
	{ "random operations", test_plain },
	{ "the same with smart_scan", test_smart },
	{ "the same with a small max_page_sharing", test_limited },
	{ "the same with use_zero_pages", test_zero_pages },
};

int main(int argc, char **argv)
{
	ksft_print_header();
	ksm_setup();
	first_seed = argc > 1 ? strtoull(argv[1], NULL, 0) :
				ksm_now_ms() * 1000003;
	if (!first_seed)
		first_seed = 1;
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
