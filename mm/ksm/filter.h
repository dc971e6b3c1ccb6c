/* SPDX-License-Identifier: GPL-2.0-only */
/* May another page have this key?  See filter.c */
#ifndef _MM_KSM_FILTER_H
#define _MM_KSM_FILTER_H

#include <linux/types.h>

extern unsigned long ksm_filter_removals;

bool ksm_filter_wants_resize(unsigned long pages);
bool ksm_filter_resize(unsigned long pages);
void ksm_filter_free(void);
unsigned long ksm_filter_bytes(void);
void ksm_filter_prefetch(u32 short_key);
void ksm_filter_recount(u32 short_key);
void ksm_filter_add(u32 short_key);
void ksm_filter_remove(u32 short_key);
bool ksm_filter_may_match(u32 short_key);

#endif /* _MM_KSM_FILTER_H */
