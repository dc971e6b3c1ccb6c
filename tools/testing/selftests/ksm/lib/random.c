// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers at random: xorshift.
 */
#include <time.h>

#include "../../kselftest.h"
#include "random.h"

__u64 ksm_random(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

__u64 ksm_random_seed(void)
{
	struct timespec ts;
	__u64 seed;

	clock_gettime(CLOCK_REALTIME, &ts);
	seed = ts.tv_sec * 1000000007ULL + ts.tv_nsec;
	ksft_print_msg("seed %llu\n", seed);
	return seed | 1;
}
