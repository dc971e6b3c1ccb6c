/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frame of a program: what it starts with, and what it leaves behind
 */
#ifndef KSM_LIB_FRAME_H
#define KSM_LIB_FRAME_H

/*
 * Check for root and for KSM (else: the whole program is skipped, with the
 * reason), save the knobs, arrange for their return, start the watchdog.
 */
void ksm_setup(void);

#endif /* KSM_LIB_FRAME_H */
