// SPDX-License-Identifier: GPL-2.0
/*
 * Merging itself: exactly the right pages, exactly counted, and never a wrong
 * byte.
 *
 * The second half is torture.  Workers (processes with threads) own pages,
 * each thread knows what every byte of its pages has to be, changes them in
 * all ways there are and checks them all the time, while ksmd runs at full
 * speed and the main program turns the knobs.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

static size_t ps(void)
{
	return ksm_page_size();
}

static __u64 xorshift(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static __u64 new_seed(void)
{
	struct timespec ts;
	__u64 seed;

	clock_gettime(CLOCK_REALTIME, &ts);
	seed = ts.tv_sec * 1000000007ULL + ts.tv_nsec;
	ksft_print_msg("seed %llu\n", seed);
	return seed | 1;
}

/* --- Exact counts -------------------------------------------------------- */

/* Slow enough that not many passes happen unseen: the second one counts. */
static void paced_scan(unsigned int n)
{
	ksm_set("sleep_millisecs", 10);
	ksm_set("pages_to_scan", 1000000);
	ksm_scan(n);
}

/* 100 alike, five pairs, 40 singles. */
static int exact_counts(void)
{
	char *many = ksm_map_merge(100, 1, 0), *a = ksm_map_merge(5, 10, 1);
	char *b = ksm_map_merge(5, 10, 1), *single = ksm_map_merge(40, 50, 1);

	paced_scan(2);
	CHECK(ksm_counts_are(6, 104, 40, 0));
	CHECK(ksm_merging_pages(0) == 110);
	CHECK(ksm_count_merged(many, 100) == 100);
	CHECK(ksm_count_pfns(many, 100) == 1);
	CHECK(ksm_count_merged(a, 5) == 5 && ksm_count_pfns(a, 5) == 5);
	CHECK(ksm_count_merged(single, 40) == 0);
	/* They stay exact, however many passes follow. */
	ksm_scan(3);
	CHECK(ksm_counts_are(6, 104, 40, 0));
	ksm_scan(20);
	CHECK(ksm_counts_are(6, 104, 40, 0));
	CHECK(ksm_contents_ok(many, 100, 1, 0));
	CHECK(ksm_contents_ok(a, 5, 10, 1) && ksm_contents_ok(b, 5, 10, 1));
	CHECK(ksm_contents_ok(single, 40, 50, 1));
	return 0;
}

static int test_exact_counts(void)
{
	ksm_set("smart_scan", 0);
	return exact_counts();
}

static int test_exact_counts_smart(void)
{
	return exact_counts();
}

/* Any mixture: pages of a region, how often each content occurs in it. */
static int random_mixture(bool smart)
{
	const size_t n = 1500, contents = 600;
	__u64 rnd = new_seed();
	long shared = 0, sharing = 0, unshared = 0;
	unsigned int *count = calloc(contents, sizeof(*count));
	unsigned int *which = calloc(n, sizeof(*which));
	char *map = ksm_map(n);
	size_t i;

	ksm_set("smart_scan", smart);
	ksm_mergeable(map, n);
	for (i = 0; i < n; i++) {
		__u64 r = xorshift(&rnd);

		/* A few contents are common, most are rare. */
		which[i] = r % 4 ? r / 4 % contents : r / 4 % 5;
		count[which[i]]++;
		ksm_page_fill(map + i * ps(), 5000 + which[i]);
	}
	for (i = 0; i < contents; i++) {
		shared += count[i] > 1;
		sharing += count[i] > 1 ? count[i] - 1 : 0;
		unshared += count[i] == 1;
	}
	paced_scan(2);
	CHECK(ksm_counts_are(shared, sharing, unshared, 0));
	for (i = 0; i < n; i++) {
		CHECK(ksm_is_merged(map + i * ps()) == (count[which[i]] > 1));
		CHECK(ksm_contents_ok(map + i * ps(), 1, 5000 + which[i], 0));
	}
	return 0;
}

static int test_random_mixture(void)
{
	return random_mixture(false);
}

static int test_random_mixture_smart(void)
{
	return random_mixture(true);
}

/* Pages that come later join what is merged, one by one and in numbers. */
static int test_late(void)
{
	char *first = ksm_map_merge(20, 1, 0), *later, *twin;

	ksm_set("smart_scan", 0);
	paced_scan(2);
	CHECK(ksm_counts_are(1, 19, 0, 0));
	later = ksm_map_merge(1, 1, 0);
	paced_scan(2);
	CHECK(ksm_counts_are(1, 20, 0, 0));
	CHECK(ksm_pfn(0, later) == ksm_pfn(0, first));
	/* A single one waits for its twin, however long that takes. */
	ksm_map_merge(1, 2, 0);
	paced_scan(4);
	CHECK(ksm_counts_are(1, 20, 1, 0));
	twin = ksm_map_merge(1, 2, 0);
	paced_scan(2);
	CHECK(ksm_counts_are(2, 21, 0, 0));
	CHECK(ksm_contents_ok(twin, 1, 2, 0));
	CHECK(ksm_contents_ok(first, 20, 1, 0));
	return 0;
}

/* The same with what never changes meanwhile being skipped. */
static int test_late_smart(void)
{
	char *one = ksm_map_merge(1, 3, 0), *crowd = ksm_map_merge(300, 100, 1);
	char *twin;

	paced_scan(12);
	CHECK(ksm_counts_are(0, 0, 301, 0));
	/* The old one has been quiet for long; the new one finds it. */
	twin = ksm_map_merge(1, 3, 0);
	paced_scan(2);
	CHECK(ksm_counts_are(1, 1, 300, 0));
	CHECK(ksm_pfn(0, one) == ksm_pfn(0, twin));
	CHECK(ksm_contents_ok(one, 1, 3, 0) && ksm_contents_ok(twin, 1, 3, 0));
	CHECK(ksm_contents_ok(crowd, 300, 100, 1));
	return 0;
}

/* Writing all sharers: one more full scan, and nothing is merged. */
static int test_cow_back(void)
{
	const size_t n = 200;
	char *map = ksm_map_merge(n, 1, 0);
	size_t i;

	ksm_set("smart_scan", 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, n - 1, 0, 0));
	for (i = 0; i < n; i++) {
		map[i * ps() + i * 7 % ps()] ^= i + 1;
		CHECK(ksm_count_merged(map + i * ps(), 1) == 0);
	}
	ksm_scan(1);
	CHECK(ksm_get("pages_shared") == 0 && ksm_get("pages_sharing") == 0);
	CHECK(ksm_merging_pages(0) == 0);
	for (i = 0; i < n; i++) {
		map[i * ps() + i * 7 % ps()] ^= i + 1;
		CHECK(ksm_contents_ok(map + i * ps(), 1, 1, 0));
	}
	ksm_scan(2);
	CHECK(ksm_counts_are(1, n - 1, 0, 0));
	CHECK(ksm_contents_ok(map, n, 1, 0));
	return 0;
}

/*
 * Every byte counts: pages that are equal but for one byte, a different one
 * for each page.
 */
static int test_one_byte(void)
{
	const size_t n = ps() + 1;
	char *map = ksm_map(n);
	size_t i;

	ksm_set("smart_scan", 0);
	ksm_fill(map, n, 1, 0);
	for (i = 0; i + 1 < n; i++)
		map[i * ps() + i] ^= 0x10;
	ksm_mergeable(map, n);
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, n, 0));
	CHECK(ksm_count_merged(map, n) == 0);
	for (i = 0; i + 1 < n; i++)
		map[i * ps() + i] ^= 0x10;
	CHECK(ksm_contents_ok(map, n, 1, 0));
	/* Now they are equal. */
	ksm_set("max_page_sharing", n);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, n - 1, 0, 0));
	CHECK(ksm_contents_ok(map, n, 1, 0));
	/* And unequal once more, by their last bit. */
	for (i = 0; i < n; i += 2)
		map[i * ps() + ps() - 1] ^= 1;
	ksm_scan(2);
	CHECK(ksm_counts_are(2, n - 2, 0, 0));
	for (i = 0; i < n; i += 2)
		map[i * ps() + ps() - 1] ^= 1;
	CHECK(ksm_contents_ok(map, n, 1, 0));
	return 0;
}

/* Pages with little in them: one byte, one word, a pattern. */
static int test_sparse_pages(void)
{
	const size_t n = 512;
	char *map = ksm_map(2 * n), *page = malloc(ps());
	size_t i, half;

	ksm_set("smart_scan", 0);
	memset(map, 0, 2 * n * ps());
	for (half = 0; half < 2; half++) {
		for (i = 0; i < n; i++) {
			char *p = map + (half * n + i) * ps();

			p[i * 8 % ps()] = 1 + i * 8 / ps();
		}
	}
	ksm_mergeable(map, 2 * n);
	ksm_scan(2);
	CHECK(ksm_counts_are(n, n, 0, 0));
	for (i = 0; i < 2 * n; i++) {
		memset(page, 0, ps());
		page[i % n * 8 % ps()] = 1 + i % n * 8 / ps();
		CHECK(!memcmp(page, map + i * ps(), ps()));
		CHECK(ksm_pfn(0, map + i * ps()) ==
		      ksm_pfn(0, map + (i + n) % (2 * n) * ps()));
	}
	return 0;
}

/* --- Torture: what a thread knows about its pages ------------------------ */

#define BASES		8	/* contents that many pages have */
#define PATCHES		24	/* bytes in which one differs from its base */
#define REGION		160	/* pages of a thread */
#define MAX_THREADS	3
#define MAX_WORKERS	3

enum op {
	OP_FILL,	/* all bytes, by the CPU */
	OP_BYTE,
	OP_WORD,
	OP_COPY,	/* of another page of the region */
	OP_READ,	/* read(): the kernel writes */
	OP_VMWRITE,	/* process_vm_writev() */
	OP_MEM,		/* /proc/self/mem */
	OP_DONTNEED,
	OP_MMAP,	/* a new page in its place */
	OP_SWAP,	/* two pages change places by mremap() */
	OP_MPROTECT,
	OP_MADVISE,	/* unmergeable and mergeable again */
	OP_MLOCK,
	OP_FORK,
	OP_PRCTL,
	NR_OPS,
};

#define BIT_OP(op)	(1U << (op))
#define OPS_WRITE	(BIT_OP(OP_FILL) | BIT_OP(OP_BYTE) | BIT_OP(OP_WORD) | \
			 BIT_OP(OP_COPY))
#define OPS_KERNEL	(BIT_OP(OP_READ) | BIT_OP(OP_VMWRITE) | BIT_OP(OP_MEM))
#define OPS_MAP		(BIT_OP(OP_DONTNEED) | BIT_OP(OP_MMAP) | \
			 BIT_OP(OP_SWAP) | BIT_OP(OP_MPROTECT) | \
			 BIT_OP(OP_MLOCK))

struct model {
	unsigned char base;
	unsigned char patches;
	struct {
		unsigned short at;
		unsigned char value;
	} patch[PATCHES];
};

struct region {
	pthread_t thread;
	struct model model[REGION];
	unsigned char *page[REGION];
	unsigned char *want;	/* room for one page */
	unsigned char *hole;	/* an address where nothing is mapped */
	__u64 rnd;
	__u64 steps;
	unsigned int ops;
	int pipe[2];
	int mem;		/* /proc/self/mem */
	int pending;		/* children not waited for */
	bool forked;		/* this is a fork of the worker */
	bool failed;
};

/* Shared by all processes of a case, and never mergeable itself. */
struct common {
	int stop;
	long long operations;
	__u64 hash[MAX_WORKERS * MAX_THREADS * REGION];
	unsigned char base[];	/* BASES pages */
};

struct torture {
	unsigned int ops;
	unsigned int workers;
	unsigned int threads;
	unsigned int ms;
	bool exact;		/* compare the counters with a reckoning */
	void (*disturb)(__u64 *rnd);
};

static struct common *common;

static void common_init(void)
{
	size_t i, size = sizeof(*common) + BASES * ps();

	common = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	/* 0 is all zero; 2 and 3, 4 and 5 are close relatives. */
	for (i = 1; i < BASES; i++)
		ksm_page_fill(common->base + i * ps(), 9000 + i);
	memcpy(common->base + 3 * ps(), common->base + 2 * ps(), ps());
	common->base[4 * ps() - 1] ^= 1;
	memcpy(common->base + 5 * ps(), common->base + 4 * ps(), ps());
	common->base[5 * ps() + ps() / 2] ^= 0x80;
}

static const unsigned char *want(struct region *r, size_t i)
{
	const struct model *m = &r->model[i];
	size_t k;

	memcpy(r->want, common->base + m->base * ps(), ps());
	for (k = 0; k < m->patches; k++)
		r->want[m->patch[k].at] = m->patch[k].value;
	return r->want;
}

static bool page_right(struct region *r, size_t i, const char *when)
{
	const unsigned char *w = want(r, i);
	size_t at;

	if (!memcmp(r->page[i], w, ps()))
		return true;
	for (at = 0; at + 1 < ps() && r->page[i][at] == w[at]; at++)
		;
	printf("# WRONG CONTENTS %s: pid %d page %zu offset %#zx: want %#x, have %#x\n",
	       when, getpid(), i, at, w[at], r->page[i][at]);
	printf("# base %d, %d patches, step %llu\n", r->model[i].base,
	       r->model[i].patches, r->steps);
	r->failed = true;
	return false;
}

static bool region_right(struct region *r, const char *when)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < REGION && ok; i++)
		ok = page_right(r, i, when);
	return ok;
}

static void set_base(struct region *r, size_t i, unsigned char base)
{
	r->model[i].base = base;
	r->model[i].patches = 0;
}

static bool patch_page(struct region *r, size_t i, size_t len)
{
	struct model *m = &r->model[i];
	size_t at = xorshift(&r->rnd) % (ps() / len) * len, k;
	__u64 value = xorshift(&r->rnd);

	if (m->patches + len > PATCHES)
		return false;
	for (k = 0; k < len; k++) {
		m->patch[m->patches].at = at + k;
		m->patch[m->patches].value = value >> (8 * k);
		m->patches++;
	}
	if (len == 8)
		KSM_WRITE(*(__u64 *)(r->page[i] + at), value);
	else
		KSM_WRITE(r->page[i][at], (unsigned char)value);
	return true;
}

/* --- Torture: the operations --------------------------------------------- */

static bool fail(struct region *r, const char *what)
{
	printf("# pid %d: %s: %s\n", getpid(), what, strerror(errno));
	r->failed = true;
	return false;
}

static void op_fill(struct region *r, size_t i)
{
	set_base(r, i, xorshift(&r->rnd) % BASES);
	memcpy(r->page[i], common->base + r->model[i].base * ps(), ps());
}

static void op_copy(struct region *r, size_t i)
{
	size_t from = xorshift(&r->rnd) % REGION;

	memmove(r->page[i], r->page[from], ps());
	r->model[i] = r->model[from];
}

static bool op_read(struct region *r, size_t i)
{
	size_t have = 0;
	ssize_t ret;

	set_base(r, i, xorshift(&r->rnd) % BASES);
	if (write(r->pipe[1], common->base + r->model[i].base * ps(), ps()) !=
	    (ssize_t)ps())
		return fail(r, "write to a pipe");
	while (have < ps()) {
		ret = read(r->pipe[0], r->page[i] + have, ps() - have);
		if (ret <= 0)
			return fail(r, "read from a pipe");
		have += ret;
	}
	return true;
}

static bool op_vmwrite(struct region *r, size_t i)
{
	struct iovec from = { 0 }, to = { r->page[i], ps() };

	set_base(r, i, xorshift(&r->rnd) % BASES);
	from.iov_base = common->base + r->model[i].base * ps();
	from.iov_len = ps();
	if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) ==
	    (ssize_t)ps())
		return true;
	/* Not every kernel has it; by hand then. */
	if (errno == EFAULT || errno == EPERM)
		return fail(r, "process_vm_writev");
	memcpy(r->page[i], from.iov_base, ps());
	return true;
}

static bool op_mem(struct region *r, size_t i)
{
	set_base(r, i, xorshift(&r->rnd) % BASES);
	if (pwrite(r->mem, common->base + r->model[i].base * ps(), ps(),
		   (off_t)(unsigned long)r->page[i]) != (ssize_t)ps())
		return fail(r, "write to /proc/self/mem");
	return true;
}

static bool op_dontneed(struct region *r, size_t i)
{
	if (madvise(r->page[i], ps(), MADV_DONTNEED))
		return fail(r, "MADV_DONTNEED");
	set_base(r, i, 0);
	return true;
}

static bool op_mmap(struct region *r, size_t i)
{
	if (mmap(r->page[i], ps(), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	    r->page[i])
		return fail(r, "mmap");
	set_base(r, i, 0);
	if (madvise(r->page[i], ps(), MADV_MERGEABLE))
		return fail(r, "MADV_MERGEABLE");
	return true;
}

static bool op_swap(struct region *r, size_t i)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	size_t k = xorshift(&r->rnd) % REGION;
	struct model m;

	if (i == k)
		return true;
	if (mremap(r->page[i], ps(), ps(), flags, r->hole) == MAP_FAILED ||
	    mremap(r->page[k], ps(), ps(), flags, r->page[i]) == MAP_FAILED ||
	    mremap(r->hole, ps(), ps(), flags, r->page[k]) == MAP_FAILED)
		return fail(r, "mremap");
	m = r->model[i];
	r->model[i] = r->model[k];
	r->model[k] = m;
	return true;
}

static bool op_mprotect(struct region *r, size_t i)
{
	static const int prots[] = { PROT_READ, PROT_NONE };
	int prot = prots[xorshift(&r->rnd) % 2];

	if (mprotect(r->page[i], ps(), prot))
		return fail(r, "mprotect");
	if (prot == PROT_READ && !page_right(r, i, "when read-only"))
		return false;
	if (mprotect(r->page[i], ps(), PROT_READ | PROT_WRITE))
		return fail(r, "mprotect");
	return true;
}

static bool op_madvise(struct region *r, size_t i)
{
	size_t n = 1 + xorshift(&r->rnd) % 16;

	for (; n && i < REGION; n--, i++) {
		if (madvise(r->page[i], ps(), MADV_UNMERGEABLE))
			return fail(r, "MADV_UNMERGEABLE");
		if (!page_right(r, i, "when unmerged"))
			return false;
		if (madvise(r->page[i], ps(), MADV_MERGEABLE))
			return fail(r, "MADV_MERGEABLE");
	}
	return true;
}

static bool op_mlock(struct region *r, size_t i)
{
	if (mlock(r->page[i], ps()))
		return true;	/* the limit */
	if (!page_right(r, i, "when locked"))
		return false;
	munlock(r->page[i], ps());
	return true;
}

static bool op_prctl(struct region *r)
{
	if (prctl(PR_SET_MEMORY_MERGE, xorshift(&r->rnd) % 2, 0, 0, 0))
		return fail(r, "prctl");
	return true;
}

static void step(struct region *r);

/* The child has the pages as they are now, and goes on changing them. */
static void forked_life(struct region *r)
{
	int left = 30;

	r->forked = true;
	r->ops &= ~BIT_OP(OP_FORK);
	/* mem is the parent's memory, the pipe is the parent's pipe. */
	r->ops &= ~BIT_OP(OP_MEM);
	if (pipe(r->pipe))
		_exit(1);
	if (!region_right(r, "in a new child"))
		_exit(1);
	while (left-- && !r->failed)
		step(r);
	if (!r->failed)
		region_right(r, "at the end of a child");
	_exit(r->failed);
}

static bool reap(struct region *r, int keep)
{
	int status;

	while (r->pending > keep) {
		if (wait(&status) < 0)
			return fail(r, "wait");
		r->pending--;
		if (status) {
			printf("# child of %d: status %#x\n", getpid(),
			       status);
			r->failed = true;
			return false;
		}
	}
	return true;
}

static bool op_fork(struct region *r)
{
	pid_t pid = fork();

	if (pid < 0)
		return fail(r, "fork");
	if (!pid)
		forked_life(r);
	r->pending++;
	return reap(r, 2);
}

static void operate(struct region *r, enum op what, size_t i)
{
	switch (what) {
	case OP_FILL:
		op_fill(r, i);
		break;
	case OP_BYTE:
		if (!patch_page(r, i, 1))
			op_fill(r, i);
		break;
	case OP_WORD:
		if (!patch_page(r, i, 8))
			op_fill(r, i);
		break;
	case OP_COPY:
		op_copy(r, i);
		break;
	case OP_READ:
		op_read(r, i);
		break;
	case OP_VMWRITE:
		op_vmwrite(r, i);
		break;
	case OP_MEM:
		op_mem(r, i);
		break;
	case OP_DONTNEED:
		op_dontneed(r, i);
		break;
	case OP_MMAP:
		op_mmap(r, i);
		break;
	case OP_SWAP:
		op_swap(r, i);
		break;
	case OP_MPROTECT:
		op_mprotect(r, i);
		break;
	case OP_MADVISE:
		op_madvise(r, i);
		break;
	case OP_MLOCK:
		op_mlock(r, i);
		break;
	case OP_FORK:
		op_fork(r);
		break;
	case OP_PRCTL:
		op_prctl(r);
		break;
	case NR_OPS:
		break;
	}
}

/* Pick a page, check it, change it in one of the allowed ways, check it. */
static void step(struct region *r)
{
	size_t i = xorshift(&r->rnd) % REGION, other;
	enum op what;

	do {
		what = xorshift(&r->rnd) % NR_OPS;
	} while (!(r->ops & BIT_OP(what)));
	/* These two are dear: seldom. */
	if ((what == OP_FORK || what == OP_PRCTL) && xorshift(&r->rnd) % 16)
		what = OP_FILL;
	r->steps++;
	if (!page_right(r, i, "before a change"))
		return;
	operate(r, what, i);
	if (r->failed || !page_right(r, i, "after a change"))
		return;
	other = xorshift(&r->rnd) % REGION;
	page_right(r, other, "of another page");
}

static void *thread_main(void *arg)
{
	struct region *r = arg;
	__u64 end;

	while (!KSM_READ(common->stop) && !r->failed) {
		/* Bursts with pauses: pages must be quiet to be merged. */
		for (end = 20; end && !KSM_READ(common->stop) && !r->failed; end--)
			step(r);
		usleep(xorshift(&r->rnd) % 3000);
		if (r->steps % 16 == 0)
			region_right(r, "of all");
	}
	if (!r->failed)
		reap(r, 0);
	if (!r->failed)
		region_right(r, "at the end");
	return NULL;
}

/* --- Torture: the workers ------------------------------------------------ */

static void region_init(struct region *r, unsigned int ops, __u64 rnd)
{
	char *map = ksm_map(REGION);
	size_t i;

	memset(r, 0, sizeof(*r));
	r->ops = ops;
	r->rnd = rnd | 1;
	r->want = malloc(ps());
	r->hole = ksm_map(1);
	if (!r->want || pipe(r->pipe) || munmap(r->hole, ps()))
		ksm_die("no resources: %s", strerror(errno));
	r->mem = open("/proc/self/mem", O_RDWR);
	if (r->mem < 0)
		r->ops &= ~BIT_OP(OP_MEM);
	for (i = 0; i < REGION; i++) {
		r->page[i] = (unsigned char *)map + i * ps();
		op_fill(r, i);
	}
	ksm_mergeable(map, REGION);
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
			common->hash[at++] = hash_page(want(&regions[k], i));
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
		/* One thread of a process forks, the others write meanwhile. */
		unsigned int ops = k ? a->t->ops & ~BIT_OP(OP_FORK) :
				       a->t->ops;

		region_init(&regions[k], ops, xorshift(&rnd));
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

/* --- Torture: the director ----------------------------------------------- */

static int compare_hashes(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

/*
 * What the counters have to be, from the contents the workers published.  A
 * page that lost all its likes remains a KSM page, so it may be counted as
 * shared, with no one sharing.
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

/* A slow machine may need more than its time until pages are merged, written. */
static bool tortured(long most, long cow, __u64 end)
{
	return (most > 0 && ksm_vmstat("cow_ksm") > cow) ||
	       ksm_now_ms() > end + KSM_DEADLINE_MS / 4;
}

/*
 * What turns the knobs may also have had everything forgotten before it was
 * merged, time and again.  In the time that is added they are left alone.
 */
static void calm_down(void)
{
	ksm_write_text("advisor_mode", "none");
	ksm_write_text("pages_to_scan", "1000");
	ksm_write_text("sleep_millisecs", "0");
	ksm_write_text("run", "1");
}

static int torture(const struct torture *t)
{
	struct worker_arg arg[MAX_WORKERS];
	struct ksm_child c[MAX_WORKERS];
	__u64 rnd = new_seed(), end;
	long cow = ksm_vmstat("cow_ksm"), most = 0;
	unsigned int i;

	common_init();
	/* Somebody has to be registered for full_scans to go on. */
	if (!t->exact)
		ksm_mergeable(ksm_map(1), 1);
	ksm_set("pages_to_scan", 1000);
	ksm_run();
	for (i = 0; i < t->workers; i++) {
		arg[i] = (struct worker_arg){ t, i, xorshift(&rnd) };
		ksm_child_start(&c[i], worker, &arg[i]);
	}
	end = ksm_now_ms() + t->ms;
	while (ksm_now_ms() < end || !tortured(most, cow, end)) {
		long now = ksm_get("pages_sharing");
		__u64 now_ms = ksm_now_ms();

		if (now > most)
			most = now;
		if (t->disturb && now_ms < end)
			t->disturb(&rnd);
		else if (t->disturb)
			calm_down();
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
	return 0;
}

static int test_writers(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE, .workers = 2, .threads = 2, .ms = 1200,
		.exact = true,
	};

	ksm_set("max_page_sharing", 1000000);
	return torture(&t);
}

static int test_kernel_writers(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | OPS_KERNEL, .workers = 2, .threads = 2,
		.ms = 1200, .exact = true,
	};

	ksm_set("smart_scan", 0);
	ksm_set("max_page_sharing", 1000000);
	return torture(&t);
}

static int test_mappers(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | OPS_MAP | BIT_OP(OP_MADVISE), .workers = 2,
		.threads = 3, .ms = 1200,
	};

	return torture(&t);
}

static int test_forkers(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | BIT_OP(OP_FORK), .workers = 3,
		.threads = 1, .ms = 1200,
	};

	return torture(&t);
}

static int test_prctls(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | OPS_KERNEL | BIT_OP(OP_PRCTL) |
		       BIT_OP(OP_FORK), .workers = 2, .threads = 2,
		.ms = 1200,
	};

	return torture(&t);
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
	__u64 r = xorshift(rnd);
	size_t i = r % ARRAY_SIZE(turns);

	if (ksm_has(turns[i].knob))
		ksm_write_text(turns[i].knob, turns[i].text[r / 64 % 5]);
	if (r / 4096 % 4 == 0)
		ksm_write_text("run", "1");
}

static int test_knobs(void)
{
	static const struct torture t = {
		.ops = OPS_WRITE | OPS_KERNEL | BIT_OP(OP_FORK), .workers = 2,
		.threads = 2, .ms = 2000, .disturb = turn_knobs,
	};

	return torture(&t);
}

static int test_everything(void)
{
	static const struct torture t = {
		.ops = (1U << NR_OPS) - 1, .workers = 3, .threads = 3,
		.ms = 2400, .disturb = turn_knobs,
	};

	return torture(&t);
}

/* --- Torture: pouncing --------------------------------------------------- */

/*
 * A page that looks ready to be merged is written just then: after its like
 * was found, before, while or after it is write-protected and compared.  The
 * writes are single words, read back at once, all the time.
 */
struct pouncer {
	pthread_t thread;
	char *map;
	__u64 rnd;
	__u64 writes;
	__u64 merged;
	bool failed;
};

#define PREY	8

static bool pounce(struct pouncer *p, char *page)
{
	__u64 stamp = xorshift(&p->rnd), was;
	size_t at = xorshift(&p->rnd) % (ps() / 8);
	__u64 *word = (__u64 *)page + at;
	int i;

	was = KSM_READ(*word);
	KSM_WRITE(*word, stamp);
	for (i = 0; i < 20; i++) {
		if (KSM_READ(*word) != stamp) {
			printf("# WRITE LOST: at word %zu: want %#llx, have %#llx\n",
			       at, stamp, KSM_READ(*word));
			return false;
		}
	}
	/* Nobody else's word changed. */
	KSM_WRITE(*word, was);
	return ksm_contents_ok(page, 1, 1, 0);
}

static void *pounce_main(void *arg)
{
	struct pouncer *p = arg;
	size_t i;

	while (!KSM_READ(common->stop) && !p->failed) {
		for (i = 0; i < PREY && !p->failed; i++) {
			p->failed = !pounce(p, p->map + i * ps());
			p->writes += 2;
		}
		usleep(xorshift(&p->rnd) % 1500);
		/* Only when there is something to be lost by it. */
		if (p->writes % 64 == 0)
			p->merged += ksm_count_merged(p->map, PREY);
	}
	return NULL;
}

static int test_pounce(void)
{
	struct pouncer p[3] = { 0 };
	__u64 rnd = new_seed(), merged = 0, writes = 0;
	char *bait = ksm_map_merge(2, 1, 0);
	size_t i;

	common_init();
	ksm_set("smart_scan", 0);
	ksm_set("pages_to_scan", 3);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i].map = ksm_map_merge(PREY, 1, 0);
		p[i].rnd = xorshift(&rnd);
	}
	ksm_run();
	for (i = 0; i < ARRAY_SIZE(p); i++)
		CHECK(!pthread_create(&p[i].thread, NULL, pounce_main, &p[i]));
	ksm_sleep_ms(1200);
	KSM_WRITE(common->stop, 1);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		pthread_join(p[i].thread, NULL);
		CHECK(!p[i].failed);
		merged += p[i].merged;
		writes += p[i].writes;
	}
	ksft_print_msg("%llu writes, %llu times a page was merged\n",
		       writes,
		       merged);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 2 + ARRAY_SIZE(p) * PREY - 1, 0, 0));
	for (i = 0; i < ARRAY_SIZE(p); i++)
		CHECK(ksm_contents_ok(p[i].map, PREY, 1, 0));
	CHECK(ksm_contents_ok(bait, 2, 1, 0));
	return 0;
}

/* Mappings vanish and appear under the scan. */
static int test_unmap(void)
{
	__u64 end = ksm_now_ms() + 1000, rnd = new_seed();
	char *keep = ksm_map_merge(32, 1, 0), *map;
	unsigned int rounds = 0;

	ksm_run();
	while (ksm_now_ms() < end || rounds < 10) {
		size_t n = 1 + xorshift(&rnd) % 200;

		map = ksm_map_merge(n, 1, rounds & 1);
		if (rounds % 8 == 0)
			CHECK(!ksm_wait_scans(1, KSM_DEADLINE_MS));
		else
			usleep(xorshift(&rnd) % 1000);
		CHECK(ksm_contents_ok(map, n, 1, rounds & 1));
		ksm_unmap(map, n);
		rounds++;
	}
	ksft_print_msg("%u mappings\n", rounds);
	ksm_set("smart_scan", 0);
	CHECK(!ksm_wait_scans(3, KSM_DEADLINE_MS));
	ksm_stop();
	CHECK(ksm_counts_are(1, 31, 0, 0));
	CHECK(ksm_contents_ok(keep, 32, 1, 0));
	return 0;
}

static const struct ksm_case cases[] = {
	{ "exact counts by the second full scan", test_exact_counts },
	{ "the same with smart_scan", test_exact_counts_smart },
	{ "a random mixture", test_random_mixture },
	{ "a random mixture with smart_scan", test_random_mixture_smart },
	{ "pages that come later", test_late },
	{ "pages that come later, smart_scan", test_late_smart },
	{ "all sharers written: back to 0/0", test_cow_back },
	{ "pages that differ in one byte", test_one_byte },
	{ "pages that are almost empty", test_sparse_pages },
	{ "integrity: writing threads", test_writers },
	{ "integrity: writes through the kernel", test_kernel_writers },
	{ "integrity: munmap, mremap, mprotect, madvise", test_mappers },
	{ "integrity: forks", test_forkers },
	{ "integrity: prctl", test_prctls },
	{ "integrity: knobs and run=0/1/2", test_knobs },
	{ "integrity: all at once", test_everything },
	{ "integrity: writes at the moment of merging", test_pounce },
	{ "integrity: unmapping under the scan", test_unmap },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksft_set_plan(ARRAY_SIZE(cases));
	ksm_run_cases(cases, ARRAY_SIZE(cases));
	ksft_finished();
}
