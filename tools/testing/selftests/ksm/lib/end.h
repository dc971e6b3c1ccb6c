/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Early ends of a program: bail out, skip, timeout
 */
#ifndef KSM_LIB_END_H
#define KSM_LIB_END_H

#include <stdbool.h>

#include "../../kselftest.h"

/* The caller is the program, and what it forks are its children. */
void ksm_end_setup(void);
bool ksm_is_program(void);

/* Seconds until the watchdog ends the program; ksm_setup() sets 170. */
void ksm_watchdog(unsigned int seconds);

/* Print "Bail out! ..." and exit(1); in a child a "# ..." line and _exit(1). */
void ksm_die(const char *fmt, ...)
	__printf(1, 2) __noreturn;

/*
 * Skip the whole program (exit code 4).  Only before ksm_main(); a case that
 * cannot run calls ksm_skip().
 */
void ksm_skip_all(const char *fmt, ...)
	__printf(1, 2) __noreturn;

#endif /* KSM_LIB_END_H */
