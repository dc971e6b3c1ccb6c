/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_PREFETCH_H
#define _KSM_SHIM_PREFETCH_H

#define prefetch(address)	__builtin_prefetch(address)
#define prefetchw(address)	__builtin_prefetch(address, 1)

#endif /* _KSM_SHIM_PREFETCH_H */
