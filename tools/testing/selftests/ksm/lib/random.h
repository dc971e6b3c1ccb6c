/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers
 */
#ifndef KSM_LIB_RANDOM_H
#define KSM_LIB_RANDOM_H

#include <linux/types.h>

/* The next one; the state must not be 0. */
__u64 ksm_random(__u64 *state);

/* A state that is another one each time, and printed. */
__u64 ksm_random_seed(void);

#endif /* KSM_LIB_RANDOM_H */
