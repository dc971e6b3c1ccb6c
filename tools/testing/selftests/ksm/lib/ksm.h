/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every KSM selftest needs.  A program is a table of cases:
 *
 *	ksft_print_header();
 *	ksm_setup();
 *	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
 *
 * ksm_main() runs each case in a process of its own and brings KSM into a
 * known state before it; cases.h has the details.  ksm_setup() remembers every
 * knob; they are put back when the process that called it ends, however it
 * ends (exit, a fatal signal it can catch, a hang that the watchdog cuts
 * short).
 *
 * Other functions of lib/ report no TAP result.  A broken environment ends the
 * program with "Bail out!"; in a forked child it ends the child with exit
 * status 1.
 *
 * ksm_ is what is about KSM, ksys_ what is about the rest of the system.  A
 * function that finds a kernel feature missing returns the reason as text, to
 * be given to ksm_skip_all() or ksm_skip(); NULL means all is well.
 */
#ifndef KSM_LIB_KSM_H
#define KSM_LIB_KSM_H

#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cases.h"
#include "child.h"
#include "clock.h"
#include "end.h"
#include "frame.h"
#include "knobs.h"
#include "memory.h"
#include "pages.h"
#include "proc.h"
#include "scan.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#define PR_GET_MEMORY_MERGE	68
#endif

#endif /* KSM_LIB_KSM_H */
