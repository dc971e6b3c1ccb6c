// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one place that calls madvise().
 */
#include <errno.h>
#include <sys/mman.h>

#include "preload.h"

static struct ksmp_sum sum;

/*
 * EINVAL: the kernel has no KSM, as the addresses are right.  ENOSYS and EPERM
 * are what filters of system calls answer.  All else has to do with this very
 * block: another thread may have unmapped it, or memory is short.
 */
static bool is_final(int error)
{
	return error == EINVAL || error == ENOSYS || error == EPERM;
}

/**
 * ksmp_merge() - register pages with KSM
 * @extent: which; none is fine
 *
 * Leaves errno alone.
 *
 * Return: whether it was done, or what may be expected
 */
enum ksmp_merge ksmp_merge(struct ksmp_extent extent)
{
	size_t bytes = extent.end - extent.start;
	int saved = errno;
	bool final;

	if (!bytes || !ksmp_room())
		return KSMP_MERGE_NOT_NOW;
	if (madvise((void *)extent.start, bytes, MADV_MERGEABLE)) {
		final = is_final(errno);
		errno = saved;
		return final ? KSMP_MERGE_NEVER : KSMP_MERGE_NOT_NOW;
	}
	__atomic_add_fetch(&sum.blocks, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&sum.bytes, bytes, __ATOMIC_RELAXED);
	return KSMP_MERGE_DONE;
}

/**
 * ksmp_merge_sum() - what was registered up to now
 *
 * Return: the sums; threads that are at it may be half in them
 */
struct ksmp_sum ksmp_merge_sum(void)
{
	return (struct ksmp_sum) {
		.blocks = __atomic_load_n(&sum.blocks, __ATOMIC_RELAXED),
		.bytes = __atomic_load_n(&sum.bytes, __ATOMIC_RELAXED),
	};
}
