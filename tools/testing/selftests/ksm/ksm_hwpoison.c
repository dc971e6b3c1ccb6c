// SPDX-License-Identifier: GPL-2.0
/*
 * Bad memory under a merged page.
 *
 * Soft offline moves the page without effect.  A hard failure loses it: the
 * process that met it and those with PR_MCE_KILL_EARLY get SIGBUS at once,
 * with the address where they have the page; the others when they touch it.
 * All other pages stay as they are.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/files.h"
#include "lib/ksm.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR	4
#define BUS_MCEERR_AO	5
#endif

#define PAGES	16
#define BAD	5	/* the page that fails */
#define SEED	5000

/* Give a page frame back that a test poisoned, where that is possible. */
static void give_back(unsigned long pfn)
{
	char text[32];

	if (ksys_debugfs())
		return;
	snprintf(text, sizeof(text), "%#lx", pfn);
	ksys_write("/sys/kernel/debug/hwpoison/unpoison-pfn", text);
}

static sigjmp_buf after_fault;
static volatile sig_atomic_t fault_code;
static void * volatile fault_addr;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	fault_code = info->si_code;
	fault_addr = info->si_addr;
	siglongjmp(after_fault, 1);
}

static void catch_sigbus(void)
{
	struct sigaction sa = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO,
	};

	sigaction(SIGBUS, &sa, NULL);
}

/* Does reading (or writing) here end in SIGBUS?  0 or its si_code. */
static int touch(volatile char *addr, bool write)
{
	fault_code = 0;
	fault_addr = NULL;
	if (!sigsetjmp(after_fault, 1)) {
		if (write)
			*addr = 1;
		else
			(void)*addr;
	}
	return fault_code;
}

/*
 * Let the hardware fail, as far as the kernel can tell: 0 or errno.  What the
 * signal said is in fault_code and fault_addr.
 */
static int inject(void *page)
{
	volatile int err = 0;

	catch_sigbus();
	fault_code = 0;
	if (!sigsetjmp(after_fault, 1))
		err = madvise(page, ksm_page_size(), MADV_HWPOISON) ? errno : 0;
	return err;
}

static bool others_ok(const char *map)
{
	return ksm_contents_ok(map, BAD, SEED, 1) &&
	       ksm_contents_ok(ksys_page(map, BAD + 1), PAGES - BAD - 1,
			       SEED + BAD + 1, 1);
}

enum role {
	PLAIN,		/* learns of it by touching the page */
	WRITER,		/* the same, by writing */
	EARLY,		/* PR_MCE_KILL_EARLY */
};

struct part {
	enum role role;
	int pad;	/* pages between here and there: other addresses */
	char *map;	/* inherited by a fork, or NULL */
};

/* SIGBUS that is pending, or that comes: its code, or 0. */
static int pending_sigbus(void **addr, int seconds)
{
	struct timespec ts = { .tv_sec = seconds };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	if (sigtimedwait(&set, &info, &ts) != SIGBUS)
		return 0;
	*addr = info.si_addr;
	return info.si_code;
}

#define check_role(cond)						\
	ksm_check((cond), "role %d: %s\n", p->role, #cond)

static int participant(struct ksm_child *c, void *arg)
{
	struct part *p = arg;
	char *map = p->map, *bad;
	void *addr = NULL;
	sigset_t set;
	int code;

	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (p->role == EARLY)
		check_role(!prctl(PR_MCE_KILL, PR_MCE_KILL_SET,
				  PR_MCE_KILL_EARLY, 0, 0));
	else
		check_role(!prctl(PR_MCE_KILL, PR_MCE_KILL_SET,
				  PR_MCE_KILL_LATE,
				  0, 0));
	if (!map) {
		ksm_map(p->pad);
		map = ksm_map_merge(PAGES, SEED, 1);
	}
	bad = ksys_page(map, BAD);
	ksm_say(c, 'r');
	ksm_say_long(c, (long)map);

	/* Merged. */
	check_role(ksm_hear(c) == 'm');
	check_role(ksm_contents_ok(map, PAGES, SEED, 1));
	ksm_say(c, 'm');

	/* Poisoned. */
	check_role(ksm_hear(c) == 'p');
	code = pending_sigbus(&addr, p->role == EARLY ? 60 : 0);
	if (p->role == EARLY) {
		check_role(code == BUS_MCEERR_AO);
		check_role(addr == bad);
	} else {
		check_role(!code);
	}
	/* The other pages are unchanged, and can be read. */
	check_role(others_ok(map));
	check_role(!pending_sigbus(&addr, 0));
	catch_sigbus();
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	check_role(touch(bad, p->role == WRITER) == BUS_MCEERR_AR);
	check_role((char *)fault_addr == bad);
	check_role(others_ok(map));
	/* The hole can be mapped again. */
	check_role(!madvise(bad, ksm_page_size(), MADV_DONTNEED));
	ksm_page_fill(bad, SEED + BAD);
	check_role(ksm_contents_ok(map, PAGES, SEED, 1));
	ksm_say(c, 'd');
	ksm_hear(c);
	check_role(ksm_contents_ok(map, PAGES, SEED, 1));
	return 0;
}

static void need_poison(int advice)
{
	char *page = ksm_map(1);

	/* EINVAL either way if the kernel does not know it at all. */
	if (madvise(page, 0, advice) && errno == EINVAL)
		ksm_skip("kernel without CONFIG_MEMORY_FAILURE");
	if (madvise(page, 0, advice) && errno == EPERM)
		ksm_skip("needs CAP_SYS_ADMIN");
	ksm_unmap(page, 1);
}

#define NR_PARTS 5

static void test_hard(void)
{
	struct part parts[NR_PARTS] = {
		{ .role = PLAIN, .pad = 3 },
		{ .role = EARLY, .pad = 7 },
		{ .role = WRITER, .pad = 12 },
		{ .role = EARLY, .pad = 1 },
		{ .role = PLAIN },	/* a fork ksmd has not visited */
	};
	struct ksm_child c[NR_PARTS];
	unsigned long pfn;
	void *where[NR_PARTS];
	char *map, *bad;
	int i, err;

	need_poison(MADV_HWPOISON);
	for (i = 0; i < NR_PARTS - 1; i++) {
		ksm_child_start(&c[i], participant, &parts[i]);
		CHECK_EQ(ksm_hear(&c[i]), 'r');
		where[i] = (void *)ksm_hear_long(&c[i]);
	}
	map = ksm_map_merge(PAGES, SEED, 1);
	bad = ksys_page(map, BAD);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, (NR_PARTS - 1) * PAGES, 0, 0));
	parts[i].map = map;
	ksm_child_start(&c[i], participant, &parts[i]);
	CHECK_EQ(ksm_hear(&c[i]), 'r');
	CHECK_EQ(ksm_hear_long(&c[i]), (long)map);
	where[i] = map;
	pfn = ksm_pfn(0, bad);
	for (i = 0; i < NR_PARTS; i++) {
		CHECK_EQ(ksm_pfn(c[i].pid, ksys_page(where[i], BAD)), pfn);
		ksm_say(&c[i], 'm');
		CHECK_EQ(ksm_hear(&c[i]), 'm');
	}

	err = inject(bad);
	ksm_check(!err, "MADV_HWPOISON: %s\n", strerror(err));
	/* The process that accessed the page: action required, its address. */
	CHECK_EQ(fault_code, BUS_MCEERR_AR);
	CHECK(fault_addr == bad);
	CHECK(ksm_kpageflags(pfn) & KSM_KPF_HWPOISON);
	CHECK(others_ok(map));
	CHECK_EQ(touch(bad, false), BUS_MCEERR_AR);
	CHECK(fault_addr == bad);

	for (i = 0; i < NR_PARTS; i++) {
		ksm_say(&c[i], 'p');
		CHECK_EQ(ksm_hear(&c[i]), 'd');
	}
	CHECK(!madvise(bad, ksm_page_size(), MADV_DONTNEED));
	ksm_page_fill(bad, SEED + BAD);
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, NR_PARTS * PAGES, 0, 0));
	for (i = 0; i < NR_PARTS; i++) {
		CHECK_EQ(ksm_pfn(c[i].pid, ksys_page(where[i], BAD)),
			 ksm_pfn(0, bad));
		CHECK_EQ(ksm_child_end(&c[i]), 0);
	}
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	give_back(pfn);
}

/* A process with the page at several addresses hears of it once, at one. */
static void test_hard_twice_mapped(void)
{
	unsigned long pfn;
	char *a, *b;
	int err;

	need_poison(MADV_HWPOISON);
	ksm_merge_pair(PAGES, SEED, &a, &b);
	pfn = ksm_pfn(0, ksys_page(a, BAD));
	err = inject(ksys_page(b, BAD));
	ksm_check(!err, "MADV_HWPOISON: %s\n", strerror(err));
	CHECK_EQ(fault_code, BUS_MCEERR_AR);
	CHECK(fault_addr == ksys_page(a, BAD) ||
	      fault_addr == ksys_page(b, BAD));
	CHECK_EQ(touch(ksys_page(a, BAD), false), BUS_MCEERR_AR);
	CHECK(fault_addr == ksys_page(a, BAD));
	CHECK_EQ(touch(ksys_page(b, BAD), true), BUS_MCEERR_AR);
	CHECK(fault_addr == ksys_page(b, BAD));
	CHECK(others_ok(a));
	CHECK(others_ok(b));
	/* Scanning goes on around the hole. */
	ksm_scan(2);
	CHECK_EQ(ksm_get("pages_shared"), PAGES - 1);
	CHECK_EQ(ksm_get("pages_sharing"), PAGES - 1);
	CHECK(others_ok(a));
	CHECK(others_ok(b));
	/* So does unmerging. */
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK(others_ok(a));
	CHECK(others_ok(b));
	ksm_unmap(a, PAGES);
	ksm_unmap(b, PAGES);
	give_back(pfn);
}

static int unrelated(struct ksm_child *c, void *arg)
{
	char **map = arg;

	while (ksm_hear(c) == 'c')
		ksm_say(c, ksm_contents_ok(map[0], PAGES, SEED, 1) &&
			ksm_contents_ok(map[1], PAGES, SEED, 1) ? 'y' : 'n');
	return 0;
}

static void test_soft(void)
{
	unsigned long pfn, new;
	struct ksm_child c;
	char *map[2];
	int i, err;

	need_poison(MADV_SOFT_OFFLINE);
	ksm_merge_pair(PAGES, SEED, &map[0], &map[1]);
	ksm_child_start(&c, unrelated, map);
	for (i = 0; i < 2; i++) {
		pfn = ksm_pfn(0, ksys_page(map[0], BAD));
		err = madvise(ksys_page(map[i], BAD), ksm_page_size(),
			      MADV_SOFT_OFFLINE) ? errno : 0;
		ksm_check(!err, "MADV_SOFT_OFFLINE: %s\n", strerror(err));
		new = ksm_pfn(0, ksys_page(map[0], BAD));
		CHECK(new && new != pfn);
		CHECK_EQ(ksm_pfn(0, ksys_page(map[1], BAD)), new);
		CHECK_EQ(ksm_pfn(c.pid, ksys_page(map[0], BAD)), new);
		CHECK_EQ(ksm_pfn(c.pid, ksys_page(map[1], BAD)), new);
		CHECK_EQ(ksm_kpagecount(new), 4);
		CHECK(ksm_kpageflags(pfn) & KSM_KPF_HWPOISON);
		CHECK(!(ksm_kpageflags(new) & KSM_KPF_HWPOISON));
		CHECK(ksm_contents_ok(map[0], PAGES, SEED, 1));
		CHECK(ksm_contents_ok(map[1], PAGES, SEED, 1));
		CHECK(ksm_ask(&c, 'c'));
		give_back(pfn);
	}
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
	ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, 4 * PAGES, 0, 0));
	CHECK_EQ(ksm_smaps_kb(map[0]), PAGES * ksm_page_size() / 1024);
	CHECK_EQ(ksm_child_end(&c), 0);
}

/* New pages of that content merge, but never with what failed. */
static void test_not_reused(void)
{
	unsigned long pfn, new;
	char *a, *b;
	int err;

	need_poison(MADV_HWPOISON);
	ksm_merge_pair(PAGES, SEED, &a, &b);
	pfn = ksm_pfn(0, ksys_page(a, BAD));
	err = inject(ksys_page(a, BAD));
	ksm_check(!err, "MADV_HWPOISON: %s\n", strerror(err));
	CHECK(!madvise(ksys_page(a, BAD), ksm_page_size(), MADV_DONTNEED));
	CHECK(!madvise(ksys_page(b, BAD), ksm_page_size(), MADV_DONTNEED));
	ksm_page_fill(ksys_page(a, BAD), SEED + BAD);
	ksm_page_fill(ksys_page(b, BAD), SEED + BAD);
	ksm_scan(3);
	new = ksm_pfn(0, ksys_page(a, BAD));
	ksm_check(new != pfn, "merged with frame %#lx, which is poisoned\n",
		  pfn);
	CHECK(ksm_pfn(0, ksys_page(b, BAD)) != pfn);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	give_back(pfn);
}

/* A page that is on ksmd's list but merged with nothing. */
static void test_candidate(void)
{
	unsigned long pfn;
	int err;
	char *map;

	need_poison(MADV_HWPOISON);
	map = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	pfn = ksm_pfn(0, ksys_page(map, BAD));
	err = inject(ksys_page(map, BAD));
	ksm_check(!err, "MADV_HWPOISON: %s\n", strerror(err));
	CHECK_EQ(fault_code, BUS_MCEERR_AR);
	CHECK(others_ok(map));
	/* Others of that content merge without it. */
	ksm_map_merge(PAGES, SEED, 1);
	ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(3);
	CHECK_EQ(ksm_get("pages_shared"), PAGES);
	CHECK_EQ(ksm_get("pages_sharing"), 2 * PAGES - 1);
	CHECK(others_ok(map));
	CHECK_EQ(touch(ksys_page(map, BAD), false), BUS_MCEERR_AR);
	ksm_unmap(map, PAGES);
	give_back(pfn);
}

static const struct ksm_case cases[] = {
	{ "soft offline moves a merged page", test_soft },
	{ "hard failure: which process is signalled when", test_hard },
	{ "hard failure of a page mapped twice", test_hard_twice_mapped },
	{ "hard failure of a page not merged", test_candidate },
	{ "nothing is merged with a failed page", test_not_reused },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
