/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process of the torture program
 */
#ifndef KSM_TORTURE_PROCESS_H
#define KSM_TORTURE_PROCESS_H

#include "world.h"

/* Be the process of this slot, with new memory; does not return. */
void torture_process(struct torture_slot *s) __noreturn;

/* The same, by a program that was executed */
int torture_executed(int fd, int slot);

#endif /* KSM_TORTURE_PROCESS_H */
