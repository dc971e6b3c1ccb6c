// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every statistic in one place; what each means is said at its struct.
 */
#include "internal.h"

/*
 * One batch of scanning, or one change that nobody may scan across.
 * See the lock order in internal.h.
 */
DEFINE_MUTEX(ksm_scan_mutex);

struct ksm_counters ksm_counters;

/* Of the slots: they come and go under mmap_lock, without ksm_scan_mutex. */
atomic_long_t ksm_slot_bytes = ATOMIC_LONG_INIT(0);

atomic_long_t ksm_zero_pages = ATOMIC_LONG_INIT(0);

/**
 * ksm_account - memory for what is known of an mm came or went
 * @slot:  of the mm
 * @bytes: how much, negative if it went
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_account(struct ksm_slot *slot, long bytes)
{
	lockdep_assert_held(&ksm_scan_mutex);
	ksm_count(&slot->bytes, bytes);
	ksm_count(&ksm_counters.bytes, bytes);
}

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

	return saved * PAGE_SIZE - READ_ONCE(ksm_counters.bytes) -
	       atomic_long_read(&ksm_slot_bytes);
}
