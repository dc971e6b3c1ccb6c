/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing a file so that others see the old one or the new one, never a half.
 */
#ifndef KSM_REPLACE_H
#define KSM_REPLACE_H

#include <stdio.h>
#include <sys/types.h>

/* Prints into @file. Return: 0, or -errno */
typedef int (*ksm_print)(FILE *file, const void *arg);

int ksm_replace_file(const char *name, mode_t mode, ksm_print print,
		     const void *arg);
int ksm_print_to(FILE *file, ksm_print print, const void *arg);

#endif
