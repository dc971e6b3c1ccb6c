/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_CACHE_H
#define _KSM_SHIM_CACHE_H

#include <linux/kernel.h>

#define __cacheline_aligned	__attribute__((aligned(64)))

#endif /* _KSM_SHIM_CACHE_H */
