// SPDX-License-Identifier: GPL-2.0
/*
 * Measure the cost of adversaries; adversary.h describes how.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../../kselftest.h"
#include "files.h"
#include "ksm.h"
#include "adversary.h"

#define NOBODY_ID	65534
#define ORDINARY_PAGES	8192

#define BYSTANDER_PAGES	32
#define BYSTANDER_SEED	555000

/*
 * A bystander's pages are merged by the second full pass, or one or four passes
 * later if they had extra references at that time.
 */
#define BYSTANDER_PASSES	(2 + 1 + 4)

/* --- Adversaries --------------------------------------------------------- */

char *adversary_page(const struct adversary_mem *a, size_t i)
{
	return a->map + i * a->stride;
}

void adversary_map(struct adversary_mem *a)
{
	a->stride = ksm_page_size();
	a->map = ksm_map(a->pages);
}

void adversary_prepare_unique(struct adversary_mem *a)
{
	adversary_map(a);
	ksm_fill(a->map, a->pages, ADVERSARY_SEED, 1);
	ksm_mergeable(a->map, a->pages);
}

bool adversary_verify_unique(struct adversary_mem *a)
{
	size_t i;

	for (i = 0; i < a->pages; i++)
		if (!ksm_contents_ok(adversary_page(a, i), 1,
				     ADVERSARY_SEED + i, 0))
			return false;
	return true;
}

void adversary_next_pass(long long *pass)
{
	while (ksm_get("full_scans") == *pass && ksm_get("run") == 1)
		ksm_sleep_ms(1);
	*pass = ksm_get("full_scans");
}

struct adversary_proc {
	const struct adversary *adv;
	struct adversary_mem mem;
	struct ksm_child c;
};

static int adversary_main(struct ksm_child *c, void *arg)
{
	struct adversary_proc *s = arg;
	struct pollfd pfd = { .fd = c->rfd, .events = POLLIN };
	int what;

	/* An ordinary user; the counters are readable for all. */
	if (setgid(NOBODY_ID) || setuid(NOBODY_ID))
		ksm_die("cannot drop privileges: %s", strerror(errno));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	s->adv->prepare(&s->mem);
	ksm_say(c, 'r');
	while ((what = ksm_hear(c)) != 'q') {
		if (what == 'v')
			ksm_say(c, s->adv->verify(&s->mem) ? 'y' : 'n');
		while (what == 'a' && !poll(&pfd, 1, 0))
			s->adv->act(&s->mem);
	}
	_exit(0);
}

/* How many pages can be filled in a second; 0: not known yet */
static size_t pages_per_second;

/* As many pages as the machine has room and time for. */
static size_t scaled(size_t pages)
{
	char buf[4096], *at = NULL;
	size_t room = 0;

	if (ksys_read("/proc/meminfo", buf, sizeof(buf)) > 0)
		at = strstr(buf, "MemAvailable:");
	if (at)
		room = strtoul(at + 13, NULL, 10) * 1024 / ksm_page_size();
	while (pages > 1024 && (pages > room / 4 ||
				(pages_per_second && pages > 2 * pages_per_second)))
		pages /= 2;
	return pages;
}

static void adversary_start(struct adversary_proc *s,
			    const struct adversary *adv)
{
	memset(s, 0, sizeof(*s));
	s->adv = adv;
	s->mem.pages = scaled(adv->pages);
	if (s->mem.pages < adv->pages)
		ksft_print_msg("scaled down from %zu pages to %zu\n",
			       adv->pages, s->mem.pages);
	s->mem.shared = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->mem.shared == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	ksm_child_start(&s->c, adversary_main, s);
	CHECK_EQ(ksm_hear(&s->c), 'r');
}

/* --- The bystander ------------------------------------------------------- */

static int bystander_main(struct ksm_child *c, void *arg)
{
	char *a = ksm_map_merge(BYSTANDER_PAGES, BYSTANDER_SEED, 1);
	char *b = ksm_map_merge(BYSTANDER_PAGES, BYSTANDER_SEED, 1);

	ksm_say(c, 'r');
	ksm_hear(c);
	CHECK(ksm_contents_ok(a, BYSTANDER_PAGES, BYSTANDER_SEED, 1));
	CHECK(ksm_contents_ok(b, BYSTANDER_PAGES, BYSTANDER_SEED, 1));
	CHECK(ksm_same_pages(a, b, BYSTANDER_PAGES));
	ksm_say(c, 'y');
	ksm_hear(c);
	return 0;
}

/* An ordinary process that comes while the adversary acts must be merged. */
static void check_bystander(void)
{
	struct ksm_child c;

	ksm_child_start(&c, bystander_main, NULL);
	CHECK_EQ(ksm_hear(&c), 'r');
	CHECK_EQ(ksm_wait_scans(BYSTANDER_PASSES, KSM_DEADLINE_MS), 0);
	CHECK_EQ(ksm_merging_pages(c.pid), 2 * BYSTANDER_PAGES);
	ksm_say(&c, 'v');
	CHECK_EQ(ksm_hear(&c), 'y');
	ksm_say(&c, 'q');
	CHECK_EQ(ksm_child_wait(&c), 0);
}

/* --- Measuring ----------------------------------------------------------- */

/* Cost of a page in ns of ksmd's CPU time */
struct cost {
	long initial;
	long backoff;
	long pass;
};

#define COST_UNKNOWN	{ LONG_MAX, LONG_MAX, LONG_MAX }

static struct cost ordinary = COST_UNKNOWN;

/* CPU time ksmd has used, in microseconds. */
static long ksmd_us(void)
{
	char path[64], buf[128];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", ksm_ksmd_pid());
	if (ksys_read(path, buf, sizeof(buf)) <= 0)
		ksm_die("kernel without CONFIG_SCHEDSTATS");
	return strtoull(buf, NULL, 10) / 1000;
}

/*
 * Some clocks tick only a hundred times a second, so measurements take some
 * time.  On emulated machines other load of the host counts, too: the least of
 * a few measurements is the most accurate.
 */
#define ENOUGH_US	100000
#define ROUNDS		3
#define TRIES		3

/*
 * Pages that change all the time are found changed in every other pass, four
 * times, and are skipped for one pass and for three before the number of passes
 * to skip has its maximum.
 */
#define BACKOFF_PASSES	(4 * 2 + 1 + 3)

/* Each probe is renewed in one of 64 passes, which is part of their cost. */
#define RENEWAL_PASSES	64

static bool enough(long us, uint64_t since)
{
	return us >= ENOUGH_US || ksm_now_ms() - since > ksys_budget_ms() / 4;
}

static long initial_once(size_t pages)
{
	uint64_t start = ksm_now_ms();
	long us = 0, before;
	unsigned int n = 0;

	do {
		/* The writer does this, and ksmd starts over. */
		CHECK_EQ(ksm_unmerge_all(), 0);
		before = ksmd_us();
		ksm_scan(3);
		us += ksmd_us() - before;
		n++;
	} while (!enough(us, start));
	return us * 1000LL / n / pages;
}

/* What each page cost in each of some passes */
struct watch {
	const struct adversary_mem *a;
	unsigned long fresh;
	long passes;
	long us;
};

static void watch_begin(struct watch *w, const struct adversary_mem *a)
{
	w->a = a;
	w->fresh = KSM_READ(a->shared->fresh);
	w->us = ksmd_us();
	w->passes = ksm_get("full_scans");
}

/* Did these passes renew each probe once?  Or would more take too long? */
static bool renewed(const struct watch *w, uint64_t since)
{
	return ksm_get("full_scans") >= w->passes + RENEWAL_PASSES ||
	       ksm_now_ms() - since > KSM_DEADLINE_MS;
}

static long watch_end(const struct watch *w)
{
	long passes = ksm_get("full_scans") - w->passes;
	long us = ksmd_us() - w->us;
	unsigned long fresh = KSM_READ(w->a->shared->fresh) - w->fresh;

	if (fresh)
		ksft_print_msg("%lu new mappings in %ld passes\n", fresh,
			       passes);
	/* New mappings are visited again or dropped in the next pass. */
	return us * 1000LL / (passes * (long long)w->a->pages + 2 * fresh);
}

static long pass_once(const struct adversary_mem *a, bool still)
{
	uint64_t start = ksm_now_ms();
	struct watch w;

	watch_begin(&w, a);
	do {
		CHECK_EQ(ksm_wait_scans(1, KSM_DEADLINE_MS), 0);
	} while (!enough(ksmd_us() - w.us, start) ||
		 (still && !renewed(&w, start)));
	return watch_end(&w);
}

static void lower(long *least, long cost)
{
	if (cost < *least)
		*least = cost;
}

static void measure_initial(size_t pages, unsigned int entries, long *least)
{
	uint64_t start = ksm_now_ms();
	int i;

	for (i = 0; i < ROUNDS; i++) {
		lower(least, initial_once(pages) / entries);
		if (ksm_now_ms() - start > ksys_budget_ms() / 2)
			break;
	}
}

/* The first passes over an adversary that acts; others need only two. */
static void measure_backoff(const struct adversary_mem *a, bool still,
			    long *least)
{
	struct watch w;

	watch_begin(&w, a);
	ksm_run();
	CHECK_EQ(ksm_wait_scans(still ? 2 : BACKOFF_PASSES,
				KSM_DEADLINE_MS), 0);
	if (!still)
		lower(least, watch_end(&w));
}

static void measure_pass(const struct adversary_mem *a, bool still,
			 unsigned int entries, long *least)
{
	uint64_t start = ksm_now_ms();
	int i;

	for (i = 0; i < ROUNDS; i++) {
		lower(least, pass_once(a, still) / entries);
		if (ksm_now_ms() - start > ksys_budget_ms() / 2)
			break;
	}
}

/* Lower @cost to what is measured now. */
static void measure(struct adversary_proc *s, struct cost *cost,
		    bool bystanders)
{
	unsigned int entries = s->adv->entries ?: 1;
	bool still = !s->adv->act;

	measure_initial(s->mem.pages, entries, &cost->initial);
	if (!still)
		ksm_say(&s->c, 'a');
	measure_backoff(&s->mem, still, &cost->backoff);
	measure_pass(&s->mem, still, entries, &cost->pass);
	if (bystanders)
		check_bystander();
	ksm_stop();
}

/* The adversary checks its contents; it stops acting, too. */
static void verify(struct adversary_proc *s)
{
	ksm_say(&s->c, 'v');
	CHECK_EQ(ksm_hear(&s->c), 'y');
}

static void adversary_end(struct adversary_proc *s)
{
	ksm_say(&s->c, 'q');
	CHECK_EQ(ksm_child_wait(&s->c), 0);
	munmap(s->mem.shared, ksm_page_size());
}

void adversary_calibrate(void)
{
	static const struct adversary adv = {
		.pages = ORDINARY_PAGES, .prepare = adversary_prepare_unique,
		.verify = adversary_verify_unique,
	};
	uint64_t start = ksm_now_ms();
	struct adversary_proc s;

	ksm_fresh(KSM_SMART_SCAN_ON);
	adversary_start(&s, &adv);
	pages_per_second = s.mem.pages * 1000 / (ksm_now_ms() - start + 1);
	measure(&s, &ordinary, false);
	verify(&s);
	adversary_end(&s);
	/* Bounds are multiples of these. */
	if (!ordinary.initial || !ordinary.pass)
		ksm_die("ksmd seems to need no time");
	ksft_print_msg("ordinary pages: initial %ld ns, pass %ld ns\n",
		       ordinary.initial, ordinary.pass);
}

static bool within(const char *what, long cost, long usual, unsigned int times)
{
	ksft_print_msg("%s: %ld ns, ordinary %ld ns: %ld.%02ld times, up to %u allowed\n",
		       what, cost, usual, cost / usual,
		       cost * 100 / usual % 100, times);
	return cost <= usual * times;
}

static bool cheap(const struct adversary *adv, const struct cost *cost)
{
	bool ok;

	if (adv->entries > 1)
		ksft_print_msg("figures are for each of %u entries\n",
			       adv->entries);
	ok = within("initial", cost->initial, ordinary.initial, adv->initial);
	if (!adv->act)
		return within("pass", cost->pass, ordinary.pass, adv->pass) &&
		       ok;
	ok &= within("backoff, of initial", cost->backoff, ordinary.initial,
		     adv->pass);
	return within("pass, of initial", cost->pass, ordinary.initial,
		      adv->pass) && ok;
}

/* Other load can only raise costs, so the least of a few tries counts. */
void adversary_test(const struct adversary *adv)
{
	struct cost cost = COST_UNKNOWN;
	int tries = TRIES;
	struct adversary_proc s;
	bool ok;

	ksm_set("smart_scan", 1);
	adversary_start(&s, adv);
	do {
		measure(&s, &cost, true);
		verify(&s);
		ok = cheap(adv, &cost);
	} while (!ok && --tries);
	adversary_end(&s);
	CHECK(ok);
}
