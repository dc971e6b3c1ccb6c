/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_KERNEL_H
#define _KSM_SHIM_KERNEL_H

#include <limits.h>
#include <linux/types.h>
#include <linux/kconfig.h>
#include_next <linux/kernel.h>

/* As in the kernel: two types may meet if the result is the same for both. */
#undef min
#undef max
#undef min_t
#undef max_t
#define shim_compare(x, y, op) ({		\
	__auto_type __a = (x);			\
	__auto_type __b = (y);			\
	__a op __b ? __a : __b; })
#define min(x, y)		shim_compare(x, y, <)
#define max(x, y)		shim_compare(x, y, >)
#define min_t(type, x, y)	min((type)(x), (type)(y))
#define max_t(type, x, y)	max((type)(x), (type)(y))
#define max3(x, y, z)		max(max(x, y), z)
#define swap(a, b) ({				\
	__auto_type __swap = (a);		\
	(a) = (b);				\
	(b) = __swap; })
#define clamp_t(type, v, lo, hi) \
	min_t(type, max_t(type, v, lo), hi)

#ifndef U64_MAX
#define U64_MAX			((u64)~0ULL)
#endif
#ifndef U32_MAX
#define U32_MAX			((u32)~0U)
#endif

/* Sections and attributes of the kernel */
#ifndef __init
#define __init
#endif
#define __ro_after_init

#define pr_info(...)		printf("# " __VA_ARGS__)

#endif /* _KSM_SHIM_KERNEL_H */
