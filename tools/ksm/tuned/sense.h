/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How memory stands, and how much of it guests have.
 */
#ifndef KSMTUNED_SENSE_H
#define KSMTUNED_SENSE_H

#include "algo.h"

/**
 * struct tuned_guests - processes that run virtual machines
 * @kib:	their resident memory, KSM_UNKNOWN if there is no /proc
 * @count:	how many they are
 * @unreadable:	processes that may be some, but do not let us look
 */
struct tuned_guests {
	ksm_figure kib;
	int count;
	int unreadable;
};

bool tuned_is_guest_line(const char *line);
void tuned_guests_read(struct tuned_guests *guests);
void tuned_sense(struct tuned_input *input, struct tuned_guests *guests);

#endif
