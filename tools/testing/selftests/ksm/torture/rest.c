// SPDX-License-Identifier: GPL-2.0
/*
 * What has to hold when nothing changes any more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/files.h"
#include "../lib/knobs.h"
#include "../lib/pages.h"
#include "../lib/proc.h"
#include "../lib/reclaim.h"
#include "../lib/scan.h"
#include "outside.h"
#include "round.h"
#include "world.h"

/* Pages that the control group may have more than before a round */
#define LRU_SLACK	64

#define for_each_slot(s)						\
	for ((s) = world->slot; (s) < world->slot + TORTURE_SLOTS; (s)++)\
		if ((s)->taken)

static bool all_looked(void *arg)
{
	struct torture_slot *s;

	for_each_slot(s)
		if (__atomic_load_n(&s->looked, __ATOMIC_SEQ_CST) !=
		    world->looks)
			return __atomic_load_n(&world->failed,
					       __ATOMIC_RELAXED);
	return true;
}

static void say_late(const struct torture_slot *s)
{
	char path[64], where[64] = "?";

	snprintf(path, sizeof(path), "/proc/%d/wchan", s->pid);
	ksys_read(path, where, sizeof(where));
	torture_fail("process %d, made by %d, does not come to rest: it is in %s\n",
		     s->pid, s->taken, where);
}

void torture_look(void)
{
	struct torture_slot *s;

	__atomic_add_fetch(&world->looks, 1, __ATOMIC_SEQ_CST);
	if (ksm_poll(all_looked, NULL, KSM_DEADLINE_MS))
		return;
	for_each_slot(s)
		if (s->looked != world->looks)
			say_late(s);
}

/* --- All KSM pages can be swapped out ------------------------------------ */

static bool is_ksm_page(unsigned long pfn)
{
	return pfn && (ksm_kpageflags(pfn) &
		       (KSM_KPF_KSM | KSM_KPF_ZERO_PAGE)) == KSM_KPF_KSM;
}

static void say_stuck(const struct torture_slot *s, size_t i, unsigned long pfn)
{
	ksft_print_msg("process %d page %zu: pfn %#lx has flags %#llx and %ld mappings\n",
		       s->pid, i, pfn, ksm_kpageflags(pfn), ksm_kpagecount(pfn));
}

/* KSM pages of a process that are in memory */
static size_t present_ksm_pages(const struct torture_slot *s, bool say)
{
	unsigned long pfn;
	size_t i, n = 0;

	for (i = 0; i < TORTURE_PAGES; i++) {
		if (!(s->page[i].flags & PAGE_MAPPED))
			continue;
		pfn = ksm_pfn(s->pid, torture_address(s, i));
		if (!is_ksm_page(pfn))
			continue;
		n++;
		if (say)
			say_stuck(s, i, pfn);
	}
	return n;
}

static size_t all_present_ksm_pages(bool say)
{
	struct torture_slot *s;
	size_t n = 0;

	for_each_slot(s)
		n += present_ksm_pages(s, say);
	return n;
}

/*
 * A page one of whose mappings the reverse map does not find stays.  Others
 * may need some rounds, as they are in batches of CPUs or being written.
 */
static void swap_out_all(void)
{
	uint64_t end = ksm_now_ms() + KSM_DEADLINE_MS / 4;
	size_t n;

	if (world->lacks[KIND_RECLAIM][0])
		return;
	do {
		ksys_reclaim(64UL << 20);
		n = all_present_ksm_pages(false);
	} while (n && ksm_now_ms() < end);
	if (!n)
		return;
	all_present_ksm_pages(true);
	torture_fail("%zu KSM pages cannot be swapped out\n", n);
}

/* --- The counters add up ------------------------------------------------- */

static void audit(void)
{
	struct torture_slot *s;
	struct ksm_counters c;
	long merging = 0;

	for_each_slot(s)
		merging += ksm_merging_pages(s->pid);
	ksm_counters(&c);
	if (c.shared + c.sharing != merging)
		torture_fail("pages_shared %ld, pages_sharing %ld, but processes have %ld merging pages\n",
			     c.shared, c.sharing, merging);
}

void torture_rest(void)
{
	torture_plain_knobs();
	torture_look();
	if (world->failed)
		return;
	swap_out_all();
	torture_look();
	ksm_run();
	if (ksm_wait_scans(3, KSM_DEADLINE_MS))
		torture_fail("no three full scans\n");
	ksm_stop();
	audit();
	torture_look();
	if (ksm_unmerge_all())
		torture_fail("run=2 is refused\n");
	audit();
	torture_look();
}

/* --- Nothing is left ----------------------------------------------------- */

long torture_lru_pages(void)
{
	static const char * const lists[] = {
		"\ninactive_anon ", "\nactive_anon ", "\nunevictable ",
	};
	char text[4096];
	long bytes = 0;
	size_t i;

	if (ksys_cgroup_read("memory.stat", text, sizeof(text)) < 0)
		return -1;
	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		const char *line = strstr(text, lists[i]);

		if (line)
			bytes += atol(line + strlen(lists[i]));
	}
	return bytes / (long)ps();
}

/* What CPUs have in batches is put back by dropping caches. */
static void check_memory(long before)
{
	uint64_t end = ksm_now_ms() + KSM_DEADLINE_MS / 4;
	long left;

	do {
		ksys_write("/proc/sys/vm/drop_caches", "1");
		left = torture_lru_pages() - before;
		if (left <= LRU_SLACK)
			return;
		ksm_sleep_ms(50);
	} while (ksm_now_ms() < end);
	torture_fail("%ld pages are not given back\n", left);
}

void torture_after(long before)
{
	static const char * const zero[] = {
		"pages_shared", "pages_sharing", "pages_unshared",
		"ksm_zero_pages",
	};
	size_t i;

	if (world->failed)
		return;
	ksm_run();
	for (i = 0; i < sizeof(zero) / sizeof(*zero); i++)
		if (!ksm_wait_value(zero[i], 0, KSM_DEADLINE_MS))
			torture_fail("%s is %lld when all have ended\n",
				     zero[i], ksm_get(zero[i]));
	ksm_stop();
	if (before >= 0)
		check_memory(before);
}
