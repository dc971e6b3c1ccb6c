/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Undoing all merging, which can take long and much memory.
 */
#ifndef KSM_UNMERGE_H
#define KSM_UNMERGE_H

int ksm_unmerge_allowed(void);
int ksm_unmerge(void);

#endif
