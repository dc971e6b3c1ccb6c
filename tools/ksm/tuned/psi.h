/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Being woken when programs wait for memory.
 */
#ifndef KSMTUNED_PSI_H
#define KSMTUNED_PSI_H

int psi_open(int stall_ms);

#endif
