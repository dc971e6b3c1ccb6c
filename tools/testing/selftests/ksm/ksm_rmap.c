// SPDX-License-Identifier: GPL-2.0
/*
 * Every mapping of a KSM page can be found from the page.
 *
 * Three users of the reverse map make that visible: page idle tracking, which
 * sees an access through any mapping, migration, which succeeds only if every
 * mapping was found, and, on machines without nodes to migrate between,
 * swap-out, of which the same is true.  The mappings are those that ksmd made,
 * and what fork, mremap, munmap and mprotect made of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/files.h"
#include "lib/ksm.h"
#include "lib/numa.h"
#include "lib/reclaim.h"
#include "lib/swap.h"

#define PAGES	12
#define SEED	11000
#define IDLE	"/sys/kernel/mm/page_idle/bitmap"

static int nodes[2];
static const char *no_nodes;
static bool have_idle;

/* --- A view of the pages ------------------------------------------------- */

/*
 * A mapper is a process with one or several mappings of the same merged pages.
 * It does what it is told: 'p' page frame at (mapping, page); 't' read it;
 * 'c' check all contents; 'w' write; 'u' unmap; 'f' fork a mapper; 'q' quit.
 */
#define MAX_MAPS	6

struct mapper {
	struct ksm_child c;
	char *map[MAX_MAPS];	/* NULL: none */
	size_t pages[MAX_MAPS];	/* the first so many of PAGES */
	int nr;
};

/*
 * Throw out what the CPU remembers of the page table: it would not look there
 * again, and the kernel would not learn of the access.  A change of protection
 * of this many pages flushes all of them.
 */
static void flush_tlb(void)
{
	static char *big;
	static bool readonly;
	size_t len = 256 * ksm_page_size();

	if (!big) {
		big = ksm_map(256);
		memset(big, 1, len);
	}
	readonly = !readonly;
	CHECK(!mprotect(big, len, readonly ? PROT_READ :
			PROT_READ | PROT_WRITE));
	if (!readonly)
		memset(big, 1, len);
}

static bool check_maps(const struct mapper *m)
{
	int i;

	for (i = 0; i < m->nr; i++) {
		if (m->map[i] &&
		    !ksm_contents_ok(m->map[i], m->pages[i], SEED, 1))
			return false;
	}
	return true;
}

static int mapper_main(struct ksm_child *c, void *arg)
{
	struct mapper *m = arg;
	long map, page;
	int what;

	prctl(PR_SET_PDEATHSIG, 9);
	ksm_say(c, 'r');
	while ((what = ksm_hear(c)) != 'q') {
		if (what < 0)
			return 1;
		if (what == 'c') {
			ksm_say(c, check_maps(m) ? 'y' : 'n');
			continue;
		}
		map = ksm_hear_long(c);
		page = ksm_hear_long(c);
		if (what == 'p') {
			ksm_say_long(c, ksm_pfn(0, ksys_page(m->map[map],
							     page)));
		} else if (what == 't') {
			flush_tlb();
			ksm_say_long(c, *(volatile char *)
				     ksys_page(m->map[map], page));
		} else if (what == 'u') {
			/* From this page on. */
			munmap(ksys_page(m->map[map], page),
			       (m->pages[map] - page) * ksm_page_size());
			m->pages[map] = page;
			ksm_say_long(c, 0);
		} else {
			return 1;
		}
	}
	return 0;
}

static void mapper_start(struct mapper *m)
{
	ksm_child_start(&m->c, mapper_main, m);
	CHECK_EQ(ksm_hear(&m->c), 'r');
}

static long ask(struct mapper *m, char what, int map, size_t page)
{
	ksm_say(&m->c, what);
	ksm_say_long(&m->c, map);
	ksm_say_long(&m->c, page);
	return ksm_hear_long(&m->c);
}

static void mapper_ok(struct mapper *m)
{
	CHECK(ksm_ask(&m->c, 'c'));
}

static void mapper_end(struct mapper *m)
{
	CHECK_EQ(ksm_child_end(&m->c), 0);
}

static void mapper_unmap(struct mapper *m, int map, size_t from)
{
	CHECK_EQ(ask(m, 'u', map, from), 0);
	m->pages[map] = from;
}

/* --- Idle tracking ------------------------------------------------------- */

static void idle_word(unsigned long pfn, uint64_t *word, bool write)
{
	int fd = open(IDLE, O_RDWR | O_CLOEXEC);
	ssize_t ret;

	CHECK(fd >= 0);
	if (write)
		ret = pwrite(fd, word, sizeof(*word), pfn / 64 * 8);
	else
		ret = pread(fd, word, sizeof(*word), pfn / 64 * 8);
	CHECK_EQ(ret, sizeof(*word));
	close(fd);
}

/*
 * Idle tracking knows pages on the LRU only.  What ksmd copied in order to
 * merge it waits in a per-CPU cache, like any new page.
 */
static void drain_lru(void)
{
	CHECK(!ksys_write("/proc/sys/vm/drop_caches", "1"));
}

static void set_idle(unsigned long pfn)
{
	uint64_t word = 1ULL << pfn % 64;

	idle_word(pfn, &word, true);
}

static bool is_idle(unsigned long pfn)
{
	uint64_t word;

	idle_word(pfn, &word, false);
	return word >> pfn % 64 & 1;
}

/* Idle until this mapping of the page is used. */
static void seen_through(struct mapper *m, int map, size_t page,
			 unsigned long pfn)
{
	CHECK_EQ(ask(m, 'p', map, page), pfn);
	set_idle(pfn);
	if (!is_idle(pfn)) {
		/* The page may be locked. */
		ksm_sleep_ms(50);
		set_idle(pfn);
	}
	ksm_check(is_idle(pfn), "pfn %#lx does not become idle\n", pfn);
	ask(m, 't', map, page);
	ksm_check(!is_idle(pfn),
		  "access by pid %d, mapping %d, page %zu went unnoticed\n",
		  m->c.pid, map, page);
}

/* --- What has to hold ---------------------------------------------------- */

/*
 * Page i of all these mappings is one page frame, which has exactly so many
 * mappings; each of them is seen by idle tracking; they all move together.
 */
static void check_all(struct mapper **m, int nr)
{
	unsigned long pfn, now;
	long count;
	size_t page;
	int i, k, node;

	if (have_idle)
		drain_lru();
	for (page = 0; page < PAGES; page++) {
		pfn = 0;
		count = 0;
		for (i = 0; i < nr; i++) {
			for (k = 0; k < m[i]->nr; k++) {
				if (m[i]->pages[k] <= page)
					continue;
				now = ask(m[i], 'p', k, page);
				if (!pfn)
					pfn = now;
				CHECK_EQ(now, pfn);
				count++;
			}
		}
		if (!pfn)
			continue;
		CHECK_EQ(ksm_kpagecount(pfn), count);
		for (i = 0; have_idle && i < nr; i++) {
			for (k = 0; k < m[i]->nr; k++) {
				if (m[i]->pages[k] > page)
					seen_through(m[i], k, page, pfn);
			}
		}
		for (i = 0; !no_nodes && i < nr; i++) {
			for (k = 0; k < m[i]->nr; k++) {
				void *at = ksys_page(m[i]->map[k], page);

				if (m[i]->pages[k] <= page)
					continue;
				node = ksys_page_node(m[i]->c.pid, at);
				node = node == nodes[0] ? nodes[1] : nodes[0];
				CHECK_EQ(ksys_move_page(m[i]->c.pid, at, node),
					 node);
			}
		}
		now = 0;
		for (i = 0; i < nr; i++) {
			for (k = 0; k < m[i]->nr; k++) {
				if (m[i]->pages[k] <= page)
					continue;
				if (!now)
					now = ask(m[i], 'p', k, page);
				CHECK_EQ(ask(m[i], 'p', k, page), now);
			}
		}
		CHECK_EQ(ksm_kpagecount(now), count);
	}
	for (i = 0; i < nr; i++)
		mapper_ok(m[i]);
}

static bool all_out(struct mapper **m, int nr)
{
	size_t page;
	int i, k;

	for (i = 0; i < nr; i++) {
		for (k = 0; k < m[i]->nr; k++) {
			for (page = 0; page < m[i]->pages[k]; page++) {
				if (ksm_pfn(m[i]->c.pid,
					    ksys_page(m[i]->map[k], page)))
					return false;
			}
		}
	}
	return true;
}

/* Every mapping can be taken away, and every process gets its page back. */
static void swap_all(struct mapper **m, int nr)
{
	uint64_t end = ksm_now_ms() + KSM_DEADLINE_MS / 8;
	bool out;
	int i;

	do {
		ksys_reclaim(64 * PAGES * ksm_page_size());
		out = all_out(m, nr);
	} while (!out && ksm_now_ms() < end);
	ksm_check(out, "not every mapping can be swapped out\n");
	for (i = 0; i < nr; i++)
		mapper_ok(m[i]);
}

/* In this run ksmd comes by before anything else is tried. */
static bool visited;

/* Before and after ksmd has come by. */
static void check_twice(struct mapper **m, int nr)
{
	int i;

	if (visited)
		ksm_scan(2);
	check_all(m, nr);
	if (no_nodes) {
		swap_all(m, nr);
		ksm_scan(2);
		for (i = 0; i < nr; i++)
			mapper_ok(m[i]);
		return;
	}
	ksm_scan(2);
	check_all(m, nr);
}

/*
 * nr merged mappings in this process, for children to inherit.  They stay in
 * use until drop_mine(): without that the parent would be one more mapper.
 */
static void map_mine(struct mapper *m, int nr)
{
	memset(m, 0, sizeof(*m));
	m->nr = nr;
	while (nr--) {
		m->map[nr] = ksm_map_merge(PAGES, SEED, 1);
		m->pages[nr] = PAGES;
	}
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, (m->nr - 1) * PAGES, 0, 0));
}

static void drop_mine(struct mapper *m)
{
	int i;

	for (i = 0; i < m->nr; i++)
		ksm_unmap(m->map[i], PAGES);
}

static void test_one_process(void)
{
	struct mapper m, *all[] = { &m };

	map_mine(&m, 3);
	mapper_start(&m);
	drop_mine(&m);
	/* Only the child has them, and ksmd has not been there. */
	check_twice(all, 1);
	mapper_end(&m);
}

static void test_children(void)
{
	struct mapper mine, m[4], *all[4];
	int i;

	map_mine(&mine, 2);
	for (i = 0; i < 4; i++) {
		m[i] = mine;
		mapper_start(&m[i]);
		all[i] = &m[i];
	}
	drop_mine(&mine);
	check_twice(all, 4);
	for (i = 0; i < 4; i++)
		mapper_end(&m[i]);
}

/* Mappings of unrelated processes */
static int unrelated_main(struct ksm_child *c, void *arg)
{
	struct mapper *m = arg;

	m->nr = 1;
	m->pages[0] = PAGES;
	/* Each process has its own address. */
	ksm_map(1 + (long)m->map[0]);
	m->map[0] = ksm_map_merge(PAGES, SEED, 1);
	ksm_say_long(c, (long)m->map[0]);
	return mapper_main(c, m);
}

static void unrelated_start(struct mapper *m, long where)
{
	memset(m, 0, sizeof(*m));
	m->nr = 1;
	m->pages[0] = PAGES;
	m->map[0] = (char *)where;
	ksm_child_start(&m->c, unrelated_main, m);
	m->map[0] = (char *)ksm_hear_long(&m->c);
	CHECK_EQ(ksm_hear(&m->c), 'r');
}

static void test_unrelated(void)
{
	struct mapper m[5], *all[5];
	int i;

	for (i = 0; i < 5; i++) {
		unrelated_start(&m[i], i * 3);
		all[i] = &m[i];
	}
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, 4 * PAGES, 0, 0));
	check_twice(all, 5);
	for (i = 0; i < 5; i++)
		mapper_end(&m[i]);
}

/*
 * Generations: each forks the next and then unmaps a part, so that a page
 * remains only in some of them.
 */
#define DEPTH	4

/* Shared: where a mapper of a tree talks to the test through pipes. */
struct tree {
	struct mapper m[DEPTH];
	int to[DEPTH][2];
	int from[DEPTH][2];
};

static int tree_main(struct tree *t, int depth)
{
	struct ksm_child c;
	pid_t pid;

	c.pid = 0;
	c.rfd = t->to[depth][0];
	c.wfd = t->from[depth][1];
	if (depth + 1 < DEPTH) {
		pid = fork();
		if (pid < 0)
			return 1;
		if (!pid)
			_exit(tree_main(t, depth + 1));
		t->m[depth + 1].c.pid = pid;
	}
	ksm_say_long(&c, getpid());
	return mapper_main(&c, &t->m[depth]);
}

static void tree_start(struct tree *t, const struct mapper *mine)
{
	pid_t pid;
	int i;

	for (i = 0; i < DEPTH; i++) {
		t->m[i] = *mine;
		CHECK(!pipe(t->to[i]));
		CHECK(!pipe(t->from[i]));
		t->m[i].c.rfd = t->from[i][0];
		t->m[i].c.wfd = t->to[i][1];
	}
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		_exit(tree_main(t, 0));
	for (i = 0; i < DEPTH; i++) {
		t->m[i].c.pid = ksm_hear_long(&t->m[i].c);
		CHECK_EQ(ksm_hear(&t->m[i].c), 'r');
	}
}

static void test_generations(void)
{
	struct mapper mine, *all[DEPTH];
	struct tree t;
	int i;

	map_mine(&mine, 2);
	tree_start(&t, &mine);
	drop_mine(&mine);
	for (i = 0; i < DEPTH; i++)
		all[i] = &t.m[i];
	check_all(all, DEPTH);
	/* Fewer and fewer of them keep the later pages. */
	for (i = 0; i < DEPTH - 1; i++) {
		mapper_unmap(&t.m[i], 0, 3 + 3 * i);
		mapper_unmap(&t.m[i], 1, 2 + 4 * i);
		check_all(all, DEPTH);
	}
	check_twice(all, DEPTH);
	/* The first two go: children outlive their parents. */
	ksm_say(&t.m[0].c, 'q');
	ksm_say(&t.m[1].c, 'q');
}

/* Orphans: a grandchild has the pages, none of its ancestors any more. */
static void test_orphans(void)
{
	struct mapper mine, *last;
	struct tree t;
	int i;

	map_mine(&mine, 2);
	tree_start(&t, &mine);
	drop_mine(&mine);
	for (i = 0; i < DEPTH - 1; i++) {
		mapper_unmap(&t.m[i], 0, 0);
		mapper_unmap(&t.m[i], 1, 0);
	}
	last = &t.m[DEPTH - 1];
	check_twice(&last, 1);
}

/*
 * VMAs split, cut and put together again: the page keeps its place in the
 * anon_vma, whatever the VMA over it looks like.
 */
static void test_split(void)
{
	size_t ps = ksm_page_size();
	struct mapper mine, m[2], *all[2] = { &m[0], &m[1] };
	size_t i;

	map_mine(&mine, 2);
	/* One VMA for each page, then a fork, then together again. */
	for (i = 0; i < PAGES; i += 2)
		CHECK(!mprotect(ksys_page(mine.map[0], i), ps, PROT_READ));
	CHECK(ksm_vma_count(0, mine.map[0], PAGES * ps) > 1);
	m[0] = mine;
	mapper_start(&m[0]);
	CHECK(!mprotect(mine.map[0], PAGES * ps, PROT_READ | PROT_WRITE));
	CHECK_EQ(ksm_vma_count(0, mine.map[0], PAGES * ps), 1);
	m[1] = mine;
	mapper_start(&m[1]);
	drop_mine(&mine);
	check_all(all, 2);
	mapper_unmap(&m[0], 0, 5);
	mapper_unmap(&m[1], 1, 9);
	check_twice(all, 2);
	mapper_end(&m[0]);
	mapper_end(&m[1]);
}

/*
 * mremap: what moves is unmerged first and merged again by ksmd, at an address
 * that differs from the place the VMA has in its anon_vma.
 */
static void test_mremap(void)
{
	size_t ps = ksm_page_size(), half = PAGES / 2;
	struct mapper mine, m[3], *all[3] = { &m[0], &m[1], &m[2] };
	char *to;
	int i;

	map_mine(&mine, 3);
	to = ksm_map(PAGES);
	CHECK(mremap(mine.map[0], PAGES * ps, PAGES * ps,
		     MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	CHECK(ksm_contents_ok(to, PAGES, SEED, 1));
	CHECK(ksm_none_merged(to, PAGES));
	mine.map[0] = to;
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, 2 * PAGES, 0, 0));
	m[0] = mine;
	mapper_start(&m[0]);
	/* Only the second half of another one. */
	to = ksm_map(PAGES);
	CHECK(!munmap(ksys_page(to, half), half * ps));
	CHECK(mremap(ksys_page(mine.map[1], half), half * ps, half * ps,
		     MREMAP_MAYMOVE | MREMAP_FIXED, ksys_page(to, half)) ==
	      ksys_page(to, half));
	CHECK(mremap(mine.map[1], half * ps, half * ps,
		     MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	CHECK(ksm_contents_ok(to, PAGES, SEED, 1));
	mine.map[1] = to;
	ksm_scan(2);
	m[1] = mine;
	mapper_start(&m[1]);
	ksm_scan(2);
	m[2] = mine;
	mapper_start(&m[2]);
	drop_mine(&mine);
	check_twice(all, 3);
	for (i = 0; i < 3; i++)
		mapper_end(&m[i]);
}

/* Anonymous pages that a fork shares before anything is merged. */
static void test_merged_after_fork(void)
{
	struct mapper mine, m[3], *all[3];
	int i;

	memset(&mine, 0, sizeof(mine));
	mine.nr = 2;
	for (i = 0; i < 2; i++) {
		mine.map[i] = ksm_map_merge(PAGES, SEED, 1);
		mine.pages[i] = PAGES;
	}
	for (i = 0; i < 3; i++) {
		m[i] = mine;
		mapper_start(&m[i]);
		all[i] = &m[i];
	}
	drop_mine(&mine);
	CHECK(ksm_scan_until(PAGES, 5 * PAGES, 0));
	check_twice(all, 3);
	for (i = 0; i < 3; i++)
		mapper_end(&m[i]);
}

/* Does this machine note accesses where idle tracking looks for them? */
static bool idle_works(void)
{
	char *page, *other;
	unsigned long pfn;
	bool works;

	if (access(IDLE, R_OK | W_OK))
		return false;
	/* Merged where it was: such a page is on the LRU for certain. */
	ksm_fresh(KSM_SMART_SCAN_OFF);
	page = ksm_map_merge(1, SEED, 0);
	other = ksm_map_merge(1, SEED, 0);
	ksm_scan(2);
	pfn = ksm_pfn(0, page);
	set_idle(pfn);
	works = is_idle(pfn);
	flush_tlb();
	works = works && ksm_page_ok(page, SEED) && !is_idle(pfn);
	ksm_unmap(page, 1);
	ksm_unmap(other, 1);
	return works;
}

static void test_one_process_known(void)
{
	visited = true;
	test_one_process();
}

static void test_children_known(void)
{
	visited = true;
	test_children();
}

static void test_generations_known(void)
{
	visited = true;
	test_generations();
}

static void test_split_known(void)
{
	visited = true;
	test_split();
}

static void test_mremap_known(void)
{
	visited = true;
	test_mremap();
}

static const struct ksm_case cases[] = {
	{ "a child alone", test_one_process },
	{ "several children", test_children },
	{ "unrelated processes", test_unrelated },
	{ "generations, partly unmapped", test_generations },
	{ "orphans", test_orphans },
	{ "VMAs split and merged", test_split },
	{ "mremap", test_mremap },
	{ "forked first, merged later", test_merged_after_fork },
	/* Where pages go to swap there is but one trial: both have a turn. */
	{ "a child alone, known", test_one_process_known },
	{ "several children, known", test_children_known },
	{ "generations, known", test_generations_known },
	{ "VMAs split and merged, known", test_split_known },
	{ "mremap, known", test_mremap_known },
};

#define NR_FIRST	8

int main(void)
{
	const char *why;
	size_t nr;

	ksft_print_header();
	ksm_setup();
	no_nodes = ksys_two_nodes(nodes);
	have_idle = idle_works();
	if (no_nodes) {
		why = ksys_swap_setup(64UL << 20);
		if (!why)
			why = ksys_cgroup_setup();
		if (why)
			ksm_skip_all("%s, and %s", no_nodes, why);
	}
	ksft_print_msg("idle tracking: %s; pages move to %s\n",
		       have_idle ? "yes" : "no", no_nodes ? "swap" : "nodes");
	nr = NR_FIRST;
	if (no_nodes)
		nr = ARRAY_SIZE(cases);
	ksm_main(cases, nr, KSM_SMART_SCAN_OFF);
}
