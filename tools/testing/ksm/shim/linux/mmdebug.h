/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_MMDEBUG_H
#define _KSM_SHIM_MMDEBUG_H

#include <assert.h>

#define VM_WARN_ON_ONCE(condition)	assert(!(condition))

#endif /* _KSM_SHIM_MMDEBUG_H */
