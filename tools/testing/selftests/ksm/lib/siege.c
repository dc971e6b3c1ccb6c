// SPDX-License-Identifier: GPL-2.0
/*
 * Measure what adversaries cost; siege.h says how.
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
#include "siege.h"

#define NOBODY		65534
#define ORDINARY_PAGES	8192

#define VICTIM_PAGES	32
#define VICTIM_SEED	555000

/*
 * Innocent pages are merged by the second full pass, or, if somebody held them
 * just then, one or four passes later.
 */
#define VICTIM_PASSES	(2 + 1 + 4)

/* --- Adversaries --------------------------------------------------------- */

char *siege_page(const struct siege_army *a, size_t i)
{
	return a->map + i * a->stride;
}

void siege_map(struct siege_army *a)
{
	a->stride = ksm_page_size();
	a->map = ksm_map(a->pages);
}

void siege_prepare_unique(struct siege_army *a)
{
	siege_map(a);
	ksm_fill(a->map, a->pages, SIEGE_SEED, 1);
	ksm_mergeable(a->map, a->pages);
}

bool siege_verify_unique(struct siege_army *a)
{
	size_t i;

	for (i = 0; i < a->pages; i++)
		if (!ksm_contents_ok(siege_page(a, i), 1, SIEGE_SEED + i, 0))
			return false;
	return true;
}

void siege_next_pass(long long *pass)
{
	while (ksm_get("full_scans") == *pass && ksm_get("run") == 1)
		ksm_sleep_ms(1);
	*pass = ksm_get("full_scans");
}

struct side {
	const struct siege_adversary *adv;
	struct siege_army army;
	struct ksm_child c;
};

static int fight(struct ksm_child *c, void *arg)
{
	struct side *s = arg;
	struct pollfd pfd = { .fd = c->rfd, .events = POLLIN };
	int what;

	/* The counters are readable for all, and that is all one needs. */
	if (setgid(NOBODY) || setuid(NOBODY))
		ksm_die("cannot become nobody: %s", strerror(errno));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	s->adv->prepare(&s->army);
	ksm_say(c, 'r');
	while ((what = ksm_hear(c)) != 'q') {
		if (what == 'v')
			ksm_say(c, s->adv->verify(&s->army) ? 'y' : 'n');
		while (what == 'a' && !poll(&pfd, 1, 0))
			s->adv->act(&s->army);
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

static void join_side(struct side *s, const struct siege_adversary *adv)
{
	memset(s, 0, sizeof(*s));
	s->adv = adv;
	s->army.pages = scaled(adv->pages);
	if (s->army.pages < adv->pages)
		ksft_print_msg("scaled down from %zu pages to %zu\n",
			       adv->pages, s->army.pages);
	s->army.board = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->army.board == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	ksm_child_start(&s->c, fight, s);
	must_eq(ksm_hear(&s->c), 'r');
}

/* --- The innocent -------------------------------------------------------- */

static int victim(struct ksm_child *c, void *arg)
{
	char *a = ksm_map_merge(VICTIM_PAGES, VICTIM_SEED, 1);
	char *b = ksm_map_merge(VICTIM_PAGES, VICTIM_SEED, 1);

	ksm_say(c, 'r');
	ksm_hear(c);
	must(ksm_contents_ok(a, VICTIM_PAGES, VICTIM_SEED, 1));
	must(ksm_contents_ok(b, VICTIM_PAGES, VICTIM_SEED, 1));
	must(ksys_same_pages(a, b, VICTIM_PAGES));
	ksm_say(c, 'y');
	ksm_hear(c);
	return 0;
}

/* While everything goes on: an innocent process comes, and is merged. */
static void try_victim(void)
{
	struct ksm_child c;

	ksm_child_start(&c, victim, NULL);
	must_eq(ksm_hear(&c), 'r');
	must_eq(ksm_wait_scans(VICTIM_PASSES, KSM_DEADLINE_MS), 0);
	must_eq(ksm_merging_pages(c.pid), 2 * VICTIM_PAGES);
	ksm_say(&c, 'v');
	must_eq(ksm_hear(&c), 'y');
	ksm_say(&c, 'q');
	must_eq(ksm_child_wait(&c), 0);
}

/* --- Measuring ----------------------------------------------------------- */

/* What a page costs, in ns of ksmd's CPU time */
struct cost {
	long settle;
	long learn;
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
 * Some clocks tick a hundred times a second only, so a figure is taken over a
 * while.  On emulated machines what others do on the host counts, too: the
 * best of a few figures is the least wrong.
 */
#define ENOUGH_US	100000
#define ROUNDS		3
#define TRIES		3

/*
 * Who is written to all the time is found out in every other pass, four times,
 * and rests for one pass and for three before the pause is as long as it gets.
 */
#define LEARNING_PASSES	(4 * 2 + 1 + 3)

/* Keys are renewed in one of 64 passes, which is part of what a pass costs. */
#define RENEWAL_PASSES	64

static bool enough(long us, uint64_t since)
{
	return us >= ENOUGH_US || ksm_now_ms() - since > ksys_budget_ms() / 4;
}

static long settle_once(size_t pages)
{
	uint64_t start = ksm_now_ms();
	long us = 0, before;
	unsigned int n = 0;

	do {
		/* This is not done by ksmd; it forgets all. */
		must_eq(ksm_unmerge_all(), 0);
		before = ksmd_us();
		ksm_scan(3);
		us += ksmd_us() - before;
		n++;
	} while (!enough(us, start));
	return us * 1000LL / n / pages;
}

/* What each page cost in each of some passes */
struct watch {
	const struct siege_army *a;
	unsigned long fresh;
	long passes;
	long us;
};

static void watch_begin(struct watch *w, const struct siege_army *a)
{
	w->a = a;
	w->fresh = KSM_READ(a->board->fresh);
	w->us = ksmd_us();
	w->passes = ksm_get("full_scans");
}

/* Did these passes renew each key once?  Or would more of them take too long? */
static bool renewed(const struct watch *w, uint64_t since)
{
	return ksm_get("full_scans") >= w->passes + RENEWAL_PASSES ||
	       ksm_now_ms() - since > KSM_DEADLINE_MS;
}

static long watch_end(const struct watch *w)
{
	long passes = ksm_get("full_scans") - w->passes;
	long us = ksmd_us() - w->us;
	unsigned long fresh = KSM_READ(w->a->board->fresh) - w->fresh;

	if (fresh)
		ksft_print_msg("%lu new mappings in %ld passes\n", fresh,
			       passes);
	/* What is new is old in the next pass, or has to be forgotten. */
	return us * 1000LL / (passes * (long long)w->a->pages + 2 * fresh);
}

static long pass_once(const struct siege_army *a, bool still)
{
	uint64_t start = ksm_now_ms();
	struct watch w;

	watch_begin(&w, a);
	do {
		must_eq(ksm_wait_scans(1, KSM_DEADLINE_MS), 0);
	} while (!enough(ksmd_us() - w.us, start) ||
		 (still && !renewed(&w, start)));
	return watch_end(&w);
}

static void lower(long *least, long cost)
{
	if (cost < *least)
		*least = cost;
}

static void measure_settle(size_t pages, unsigned int entries, long *least)
{
	uint64_t start = ksm_now_ms();
	int i;

	for (i = 0; i < ROUNDS; i++) {
		lower(least, settle_once(pages) / entries);
		if (ksm_now_ms() - start > ksys_budget_ms() / 2)
			break;
	}
}

/* The first passes over an adversary that acts; others need but two. */
static void measure_learn(const struct siege_army *a, bool still, long *least)
{
	struct watch w;

	watch_begin(&w, a);
	ksm_run();
	must_eq(ksm_wait_scans(still ? 2 : LEARNING_PASSES, KSM_DEADLINE_MS), 0);
	if (!still)
		lower(least, watch_end(&w));
}

static void measure_pass(const struct siege_army *a, bool still,
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

/* Keeps the least of what @cost was and now is. */
static void measure(struct side *s, struct cost *cost, bool victims)
{
	unsigned int entries = s->adv->entries ?: 1;
	bool still = !s->adv->act;

	measure_settle(s->army.pages, entries, &cost->settle);
	if (!still)
		ksm_say(&s->c, 'a');
	measure_learn(&s->army, still, &cost->learn);
	measure_pass(&s->army, still, entries, &cost->pass);
	if (victims)
		try_victim();
	ksm_stop();
}

/* It stops acting, too. */
static void verify(struct side *s)
{
	ksm_say(&s->c, 'v');
	must_eq(ksm_hear(&s->c), 'y');
}

static void leave_side(struct side *s)
{
	ksm_say(&s->c, 'q');
	must_eq(ksm_child_wait(&s->c), 0);
	munmap(s->army.board, ksm_page_size());
}

void siege_begin(void)
{
	static const struct siege_adversary adv = {
		.pages = ORDINARY_PAGES, .prepare = siege_prepare_unique,
		.verify = siege_verify_unique,
	};
	uint64_t start = ksm_now_ms();
	struct side s;

	ksm_fresh(true);
	join_side(&s, &adv);
	pages_per_second = s.army.pages * 1000 / (ksm_now_ms() - start + 1);
	measure(&s, &ordinary, false);
	verify(&s);
	leave_side(&s);
	/* A figure of nothing has no multiples. */
	if (!ordinary.settle || !ordinary.pass)
		ksm_die("ksmd seems to need no time");
	ksft_print_msg("ordinary pages: settle %ld ns, pass %ld ns\n",
		       ordinary.settle, ordinary.pass);
}

static bool within(const char *what, long cost, long usual, unsigned int times)
{
	ksft_print_msg("%s: %ld ns, ordinary %ld ns: %ld.%02ld times, up to %u allowed\n",
		       what, cost, usual, cost / usual,
		       cost * 100 / usual % 100, times);
	return cost <= usual * times;
}

static bool cheap(const struct siege_adversary *adv, const struct cost *cost)
{
	bool ok;

	if (adv->entries > 1)
		ksft_print_msg("figures are for each of %u entries\n",
			       adv->entries);
	ok = within("settle", cost->settle, ordinary.settle, adv->settle);
	if (!adv->act)
		return within("pass", cost->pass, ordinary.pass, adv->pass) &&
		       ok;
	ok &= within("learn, of settle", cost->learn, ordinary.settle,
		     adv->pass);
	return within("pass, of settle", cost->pass, ordinary.settle,
		      adv->pass) && ok;
}

/* What others do at the same time can make figures worse, but never better. */
void siege(const struct siege_adversary *adv)
{
	struct cost cost = COST_UNKNOWN;
	int tries = TRIES;
	struct side s;
	bool ok;

	ksm_set("smart_scan", 1);
	join_side(&s, adv);
	do {
		measure(&s, &cost, true);
		verify(&s);
		ok = cheap(adv, &cost);
	} while (!ok && --tries);
	leave_side(&s);
	must(ok);
}
