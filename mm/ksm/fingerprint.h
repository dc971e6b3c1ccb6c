/* SPDX-License-Identifier: GPL-2.0-only */
/* Keyed hashes of a page.  See fingerprint.c */
#ifndef _MM_KSM_FINGERPRINT_H
#define _MM_KSM_FINGERPRINT_H

#include <linux/types.h>

/* Cache lines that make up a probe, and their size in bytes */
#define KSM_PROBE_LINES		4
#define KSM_PROBE_LINE		64

void ksm_fingerprint_seed(void (*random)(void *buf, size_t len));
void ksm_peek_prefetch(const void *page);
u32 ksm_peek(const void *page);
void ksm_probe_prefetch(const void *page);
u64 ksm_probe(const void *page);
u64 ksm_digest(const void *page);
u64 ksm_probe_of_zeroes(void);
bool ksm_content_same(const void *page, const void *other);

#endif /* _MM_KSM_FINGERPRINT_H */
