/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Setup of a program, and cleanup at its end
 */
#ifndef KSM_LIB_FRAME_H
#define KSM_LIB_FRAME_H

/*
 * Check for root and for KSM (else: the whole program is skipped, with the
 * reason), save the knobs, arrange for their return, start the watchdog.
 */
void ksm_setup(void);

#endif /* KSM_LIB_FRAME_H */
