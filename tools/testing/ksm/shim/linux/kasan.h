/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pointers have no tags here.
 */
#ifndef _KSM_SHIM_KASAN_H
#define _KSM_SHIM_KASAN_H

static inline void *kasan_reset_tag(const void *address)
{
	return (void *)address;
}

#endif /* _KSM_SHIM_KASAN_H */
