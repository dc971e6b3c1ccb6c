/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Swap on zram
 */
#ifndef KSM_LIB_SWAP_H
#define KSM_LIB_SWAP_H

#include <stddef.h>

/*
 * Make a zram device of this size, format it and swap to it in preference to
 * any other; it is taken down when the program ends.
 */
const char *ksys_swap_setup(size_t bytes);
int ksys_swapoff(void);		/* 0 or -errno */
int ksys_swapon(void);		/* again; 0 or -errno */

/* Name of the block device that zram provides, for other uses; or reason. */
const char *ksys_zram_setup(size_t bytes, char *dev, size_t size);

#endif /* KSM_LIB_SWAP_H */
