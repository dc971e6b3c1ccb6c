/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A control group from which memory is reclaimed, to swap for example
 */
#ifndef KSM_LIB_RECLAIM_H
#define KSM_LIB_RECLAIM_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Put the caller and what it forks into a control group of its own, from
 * which memory can be reclaimed; it is removed when the program ends.
 */
const char *ksys_cgroup_setup(void);

/* The same and so much swap; skips all cases if that is not possible. */
void ksys_reclaim_setup(size_t swap_bytes);

/* Leave it again, for the group above. */
void ksys_cgroup_leave(void);

/* How much memory the group uses. */
size_t ksys_cgroup_bytes(void);

/* No more than that, and no swap; 0: as before.  Returns 0 or -errno. */
int ksys_cgroup_limit(size_t bytes);

/*
 * Ask for reclaim until none of these pages is present; -1 on timeout.  With
 * run=0 only.  What is unmapped is not yet gone: a KSM page may stay in the
 * swap cache as what it was, while it is written or in a per-CPU batch.
 * Returns how many of them seem to be there, after a little time for them.
 */
long ksys_swap_out(const void *addr, size_t pages);

/* A file of the group: length or -errno; 0 or -errno. */
ssize_t ksys_cgroup_read(const char *file, char *buf, size_t size);
int ksys_cgroup_write(const char *file, const char *text);

/* One round of reclaim from the group, whatever comes of it. */
void ksys_reclaim(size_t bytes);

/* How many pages of the range are swapped out right now. */
size_t ksys_count_swapped(const void *addr, size_t pages);

#endif /* KSM_LIB_RECLAIM_H */
