/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_LOCKDEP_H
#define _KSM_SHIM_LOCKDEP_H

#include <assert.h>

/* There is one thread here: a lock is held or it is not. */
#define lockdep_assert_held(lock)	assert((lock)->held)

#endif /* _KSM_SHIM_LOCKDEP_H */
