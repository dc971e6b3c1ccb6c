// SPDX-License-Identifier: GPL-2.0
/*
 * Full scans, and the counters that say what came of them.
 */
#include <errno.h>
#include <stdio.h>

#include "cases.h"
#include "clock.h"
#include "end.h"
#include "knobs.h"
#include "memory.h"
#include "pages.h"
#include "scan.h"

int ksm_wait_scans(unsigned int n, unsigned int timeout_ms)
{
	__u64 end = ksm_now_ms() + timeout_ms;
	/* The pass under way ends first. */
	long long goal = ksm_get("full_scans") + n + 1;

	while (ksm_get("full_scans") < goal) {
		if (ksm_now_ms() > end)
			return -ETIMEDOUT;
		ksm_sleep_ms(1);
	}
	return 0;
}

void ksm_scan(unsigned int n)
{
	long long before = ksm_get("full_scans");

	ksm_run();
	if (ksm_wait_scans(n, KSM_DEADLINE_MS))
		ksm_die("no %u full scans within %u s: full_scans %lld -> %lld",
			n, KSM_DEADLINE_MS / 1000, before,
			ksm_get("full_scans"));
	ksm_stop();
}

struct value_wait {
	const char *knob;
	long long value;
};

static bool value_reached(void *arg)
{
	const struct value_wait *w = arg;

	return ksm_get(w->knob) == w->value;
}

bool ksm_wait_value(const char *knob, long long value, unsigned int timeout_ms)
{
	struct value_wait w = { knob, value };

	return ksm_poll(value_reached, &w, timeout_ms);
}

void ksm_counters(struct ksm_counters *c)
{
	c->shared = ksm_get("pages_shared");
	c->sharing = ksm_get("pages_sharing");
	c->unshared = ksm_get("pages_unshared");
	c->volatiles = ksm_get("pages_volatile");
	c->zero = ksm_get("ksm_zero_pages");
	c->scanned = ksm_get("pages_scanned");
	c->skipped = ksm_get("pages_skipped");
	c->full_scans = ksm_get("full_scans");
	c->chains = ksm_get("stable_node_chains");
	c->dups = ksm_get("stable_node_dups");
	c->profit = ksm_get("general_profit");
}

bool ksm_counts_are(long shared, long sharing, long unshared, long volatiles)
{
	struct ksm_counters c;

	ksm_counters(&c);
	if (c.shared == shared && c.sharing == sharing &&
	    c.unshared == unshared && c.volatiles == volatiles)
		return true;
	printf("# shared/sharing/unshared/volatile: want %ld/%ld/%ld/%ld, have %ld/%ld/%ld/%ld\n",
	       shared, sharing, unshared, volatiles,
	       c.shared, c.sharing, c.unshared, c.volatiles);
	return false;
}

/* For as long as more than one scan may be needed: see scan.h. */
bool ksm_scan_until(long shared, long sharing, long unshared)
{
	int pass;

	for (pass = 0; pass < 4; pass++) {
		ksm_scan(1);
		if (ksm_get("pages_shared") == shared &&
		    ksm_get("pages_sharing") == sharing &&
		    ksm_get("pages_unshared") == unshared)
			break;
	}
	return ksm_counts_are(shared, sharing, unshared, 0);
}

void ksm_merge_pair(size_t pages, __u64 seed, char **a, char **b)
{
	*a = ksm_map_merge(pages, seed, 1);
	*b = ksm_map_merge(pages, seed, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(pages, pages, 0, 0));
	CHECK(ksm_same_pages(*a, *b, pages));
}
