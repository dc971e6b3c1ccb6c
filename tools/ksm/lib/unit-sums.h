/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members by the unit of systemd that they belong to.
 */
#ifndef KSM_LIB_UNIT_SUMS_H
#define KSM_LIB_UNIT_SUMS_H

#include "members.h"

/**
 * struct ksm_unit_sum - over the members of one unit
 * @name:	   of the unit, as systemd writes it; "" for those without one
 * @processes:	   how many
 * @tracked_bytes: memory under observation
 * @merged_bytes:  of it mapped to pages of KSM; the first mapping of a page
 *		   counts like the others
 * @zero_bytes:	   mapped to the zero page
 * @profit_bytes:  both of these, less the book-keeping for the unit
 * @cow:	   copies because of writes
 *
 * Sums leave out what is unknown, but are unknown if all of it is.
 */
struct ksm_unit_sum {
	char name[KSM_UNIT_MAX];
	ksm_figure processes;
	ksm_figure tracked_bytes;
	ksm_figure merged_bytes;
	ksm_figure zero_bytes;
	ksm_figure profit_bytes;
	ksm_figure cow;
};

/**
 * struct ksm_unit_sums - of all units
 * @list:  array of @count, in the order of their names
 * @count: how many
 */
struct ksm_unit_sums {
	struct ksm_unit_sum *list;
	size_t count;
};

extern const struct ksm_field ksm_unit_fields[];
extern const size_t ksm_nr_unit_fields;

int ksm_unit_sums_of(struct ksm_unit_sums *sums,
		     const struct ksm_members *members, ksm_figure page_bytes);
void ksm_unit_sums_free(struct ksm_unit_sums *sums);

#endif
