/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the init programs of the guests share; they answer on the console to
 * what guest.c sends: "COMMAND NUMBER", answered by what the command prints and
 * "<STATUS:NUMBER * 7919>".
 *
 * Why no shell, and why the kernel computes the digests: where QEMU emulates
 * the CPU that runs the host, an interrupt that KVM injects into a guest is,
 * rarely, delivered a second time before the first has executed an instruction.
 * A guest in kernel mode runs its handler twice and never notices.  One in user
 * mode dies: the second interrupt finds a kernel that has not switched to its
 * own GS yet.  So a guest spends its time in the kernel.
 */
#ifndef KSM_GUESTS_INIT_H
#define KSM_GUESTS_INIT_H

void init_console(void);
/* Executes a line of the console; @execute returns the command's status. */
void init_answer(const char *line, int (*execute)(const char *command));
/* Prints the SHA-256 of each file as sha256sum does, returns a status. */
int init_hash(const char *const paths[], int nr);
void init_off(void);

#endif
