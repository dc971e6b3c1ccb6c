/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The knobs of KSM, and a known state of them all
 */
#ifndef KSM_LIB_KNOBS_H
#define KSM_LIB_KNOBS_H

#include <stdbool.h>
#include <sys/types.h>

#define KSM_SYSFS		"/sys/kernel/mm/ksm/"

bool ksm_has(const char *knob);

/* Whole text of a knob, NUL-terminated; length or -errno. */
ssize_t ksm_read_text(const char *knob, char *buf, size_t size);

/* One write(2) of exactly this text; 0 or -errno. */
int ksm_write_text(const char *knob, const char *text);

/* Numeric read and write that must work. */
long long ksm_get(const char *knob);
void ksm_set(const char *knob, unsigned long long value);

enum ksm_smart_scan {
	KSM_SMART_SCAN_OFF,
	KSM_SMART_SCAN_ON,
};

/*
 * Known state: everything unmerged, run=0, every knob at its default but
 * smart_scan as given, sleep_millisecs=0 and pages_to_scan=5000 so that scans
 * are quick.
 */
void ksm_fresh(enum ksm_smart_scan smart_scan);

void ksm_run(void);		/* run=1 */
void ksm_stop(void);		/* run=0; ksmd is between batches after it */
int ksm_unmerge_all(void);	/* run=2, even if it was 2 already; 0/-errno */

#endif /* KSM_LIB_KNOBS_H */
