/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects in use of slab caches
 */
#ifndef KSM_LIB_SLAB_H
#define KSM_LIB_SLAB_H

/*
 * Skips all cases unless the caches of KSM can be seen, each for itself.
 * Caches of equal objects are made one, unless the kernel was booted with
 * slab_nomerge.
 */
void ksys_slab_setup(void);

/*
 * Objects, and their bytes, in all caches whose names begin with this.  What
 * lies in the lists of CPUs is put back before, so that it does not count.
 */
long ksys_slab_objects(const char *prefix);
long ksys_slab_bytes(const char *prefix);

/* Print the caches whose names begin with this and that have objects. */
void ksys_slab_print(const char *prefix);

#endif /* KSM_LIB_SLAB_H */
