/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_MUTEX_H
#define _KSM_SHIM_MUTEX_H

#include <linux/lockdep.h>
#include <linux/types.h>

struct mutex {
	bool held;
};

#define DEFINE_MUTEX(name)	struct mutex name

static inline struct mutex *mutex_lock(struct mutex *lock)
{
	assert(!lock->held);
	lock->held = true;
	return lock;
}

static inline void mutex_unlock(struct mutex *lock)
{
	assert(lock->held);
	lock->held = false;
}

static inline void shim_unguard(struct mutex **lock)
{
	mutex_unlock(*lock);
}

/* guard(mutex)(&lock) holds it to the end of the block. */
#define guard(kind)		shim_guard_##kind
#define shim_guard_mutex(lock)						\
	struct mutex *shim_guarded					\
		__attribute__((cleanup(shim_unguard), unused)) =	\
		mutex_lock(lock)

#endif /* _KSM_SHIM_MUTEX_H */
