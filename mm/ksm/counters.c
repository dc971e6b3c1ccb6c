// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics.  counters.h tells what each means.
 */
#include "internal.h"

/* Held for one batch of a scan, or one change across which none may go on */
DEFINE_MUTEX(ksm_scan_mutex);

struct ksm_counters ksm_counters;

/* Of the slots: they are allocated under mmap_lock, without ksm_scan_mutex. */
atomic_long_t ksm_slot_bytes = ATOMIC_LONG_INIT(0);

atomic_long_t ksm_zero_pages = ATOMIC_LONG_INIT(0);

/**
 * ksm_account - account memory for what is known of an mm
 * @slot:  slot of the mm
 * @bytes: what was allocated, negative if it was freed
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
 * ksm_general_profit - compute the memory saved, less what KSM takes itself
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
