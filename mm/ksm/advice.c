// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of the advisor, without a clock or a lock.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "advisor.h"

/* Weight of a new value in the average, in percent */
#define KSM_ADVICE_WEIGHT		30

/* ksmd gets this share of a CPU even if less was allowed, in percent */
#define KSM_ADVICE_MIN_CPU		10

/* So many pages per batch spread the work over the target time. */
static u64 ksm_advice_pages_for_target(const struct ksm_advice *in)
{
	u64 target_ms = min_t(u64, in->target_s, U32_MAX) * MSEC_PER_SEC;
	/* If a batch itself took no time */
	u64 batches = max_t(u64, 1,
			    div64_u64(target_ms, max(in->sleep_ms, 1U)));

	return div64_u64(in->work + batches - 1, batches);
}

/* So many pages per batch use up the CPU share. */
static u64 ksm_advice_pages_for_cpu(const struct ksm_advice *in)
{
	u64 share_ns =
		(u64)max_t(unsigned int, in->max_cpu, KSM_ADVICE_MIN_CPU) *
		(NSEC_PER_SEC / 100);
	u64 page_ns;

	if (!in->work)
		return U64_MAX;
	page_ns = max_t(u64, 1, div64_u64(in->cpu_ns, in->work));
	return div64_u64(div64_u64(share_ns, page_ns) * max(in->sleep_ms, 1U),
			 MSEC_PER_SEC);
}

/**
 * ksm_advise - choose pages_to_scan for the next pass
 * @in: figures of the last pass
 *
 * A pass with little work is no reason for small batches: a batch of unchanged
 * pages is cheap, and when there is more to do again, the scan must not begin
 * at a crawl.  So there is a smallest value, too.
 *
 * Return: from 1 to U32_MAX.
 */
unsigned long ksm_advise(const struct ksm_advice *in)
{
	u64 want = min(ksm_advice_pages_for_target(in),
		       ksm_advice_pages_for_cpu(in));
	u64 cap = clamp_t(u64, in->max_pages, 1, U32_MAX);
	u64 now = min_t(u64, in->pages_now, cap);

	want = clamp_t(u64, want, clamp_t(u64, in->min_pages, 1, cap), cap);
	/* Rounded towards the wanted value, so that it is reached. */
	if (want >= now)
		return now +
		       div64_u64((want - now) * KSM_ADVICE_WEIGHT + 99, 100);
	return now - div64_u64((now - want) * KSM_ADVICE_WEIGHT + 99, 100);
}

/**
 * ksm_advice_cpu_percent - compute the CPU share of the last pass
 * @in: figures of the last pass
 *
 * Return: percent of one CPU.
 */
unsigned int ksm_advice_cpu_percent(const struct ksm_advice *in)
{
	return div64_u64(in->cpu_ns * 100, max_t(u64, 1, in->wall_ns));
}
