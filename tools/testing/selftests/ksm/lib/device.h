/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device of lib/test_hmm.c, which has device memory
 */
#ifndef KSM_LIB_DEVICE_H
#define KSM_LIB_DEVICE_H

#include <stddef.h>

/* NULL if there is one, or the reason why not. */
const char *ksys_device_setup(void);

/*
 * Open it for the memory of the caller.  When it is closed, at the latest when
 * the caller exits, all that is on the device comes back.
 */
int ksys_device_open(void);

/* Move pages there, and back: how many were moved, or -errno. */
long ksys_to_device(int fd, void *addr, size_t pages);
long ksys_from_device(int fd, void *addr, size_t pages);

/*
 * Give the device exclusive access; 0 or -errno.  KSM pages are copied before.
 * The pages stay in ordinary memory, and the next access ends that.
 */
int ksys_device_exclusive(int fd, void *addr, size_t pages);

/* How many of these pages are on the device. */
size_t ksys_on_device(int fd, void *addr, size_t pages);

/*
 * Read them as the device does, which does not bring them back; 0 or -errno.
 * Only at the address where they were when they were moved.
 */
int ksys_device_read(int fd, void *addr, size_t pages, void *to);

#endif /* KSM_LIB_DEVICE_H */
