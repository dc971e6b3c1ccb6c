// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every statistic in one place; what each means is said at its struct.
 */
#include "internal.h"

struct ksm_counters ksm_counters;

atomic_long_t ksm_zero_pages = ATOMIC_LONG_INIT(0);

/**
 * ksm_general_profit - memory saved, less what saving it costs
 *
 * Context: Any; exact between two batches.
 * Return: bytes, negative if KSM costs more than it saves.
 */
long ksm_general_profit(void)
{
	long saved = READ_ONCE(ksm_counters.sharing) +
		     atomic_long_read(&ksm_zero_pages);

	return saved * PAGE_SIZE - READ_ONCE(ksm_counters.bytes);
}
