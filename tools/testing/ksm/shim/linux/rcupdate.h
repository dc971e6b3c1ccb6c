/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * There is one thread: nobody to be protected from.
 */
#ifndef _KSM_SHIM_RCUPDATE_H
#define _KSM_SHIM_RCUPDATE_H

static inline void rcu_read_lock(void)
{
}

static inline void rcu_read_unlock(void)
{
}

#endif /* _KSM_SHIM_RCUPDATE_H */
