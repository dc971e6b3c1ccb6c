/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frame of a program: what it starts with, and how it ends
 */
#ifndef KSM_LIB_FRAME_H
#define KSM_LIB_FRAME_H

#include "../../kselftest.h"

/*
 * Check for root and for KSM (else: the whole program is skipped, with the
 * reason), save the knobs, arrange for their return, start the watchdog.
 */
void ksm_setup(void);

/* Seconds until the watchdog ends the program; ksm_setup() sets 170. */
void ksm_watchdog(unsigned int seconds);

/* Print "Bail out! ..." and exit(1); in a child a "# ..." line and _exit(1). */
void ksm_die(const char *fmt, ...)
	__printf(1, 2) __noreturn;

/*
 * Skip the whole program (exit code 4).  Only before ksft_set_plan(); for one
 * case of several use ksft_test_result_skip().
 */
void ksm_skip_all(const char *fmt, ...)
	__printf(1, 2) __noreturn;

#endif /* KSM_LIB_FRAME_H */
