// SPDX-License-Identifier: GPL-2.0
/*
 * Time, and waiting.
 */
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "clock.h"

__u64 ksm_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

void ksm_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

unsigned int ksm_slowness(void)
{
	static unsigned int slow;
	__u64 start, x = 1, best = UINT64_MAX;
	int round, i;

	if (slow)
		return slow;
	/* Three million dependent steps: some 5 ms on an ordinary machine. */
	for (round = 0; round < 3; round++) {
		struct timespec a, b;

		clock_gettime(CLOCK_MONOTONIC, &a);
		for (i = 0; i < 3000000; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		clock_gettime(CLOCK_MONOTONIC, &b);
		start = (b.tv_sec - a.tv_sec) * 1000000000ULL +
			b.tv_nsec - a.tv_nsec;
		if (start < best)
			best = start;
	}
	/* Keep x alive; it is never zero. */
	slow = x ? best / 6000000 : 1;
	if (!slow)
		slow = 1;
	return slow;
}

bool ksm_poll(bool (*cond)(void *arg), void *arg, unsigned int timeout_ms)
{
	__u64 end = ksm_now_ms() + timeout_ms;

	while (!cond(arg)) {
		if (ksm_now_ms() > end)
			return false;
		ksm_sleep_ms(1);
	}
	return true;
}

unsigned int ksys_budget_ms(void)
{
	return ksm_slowness() > 4 ? 8000 : 3000;
}
