/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Transparent huge pages
 */
#ifndef KSM_LIB_THP_H
#define KSM_LIB_THP_H

#include <stddef.h>
#include <stdint.h>

/* Size of a PMD-mapped huge page, or 0 if there are none here. */
size_t ksys_thp_size(void);

/*
 * Set a file of /sys/kernel/mm/transparent_hugepage, until the process that
 * was the first to set one ends or restores them.  A case that sets any has to
 * restore what it set.
 */
const char *ksys_thp_set(const char *file, const char *value);
void ksys_thp_restore(void);

/*
 * Aligned private anonymous memory between guards, MADV_HUGEPAGE, filled page
 * by page; NULL if the kernel did not give huge pages.
 */
char *ksys_map_thp(size_t huge, uint64_t seed, uint64_t step);

#endif /* KSM_LIB_THP_H */
