// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "unit-sums.h"

#define SUM(name)	KSM_FIELD(struct ksm_unit_sum, name, #name, 1)

const struct ksm_field ksm_unit_fields[] = {
	SUM(processes),
	SUM(tracked_bytes),
	SUM(merged_bytes),
	SUM(zero_bytes),
	SUM(profit_bytes),
	SUM(cow),
};

const size_t ksm_nr_unit_fields = ARRAY_SIZE(ksm_unit_fields);

static void sum_of(struct ksm_unit_sum *sum, const struct ksm_member *member,
		   ksm_figure page_bytes)
{
	const struct ksm_stat *stat = &member->stat;

	strcpy(sum->name, member->unit);
	sum->processes = 1;
	sum->tracked_bytes = fig_mul(ksm_member_tracked_pages(member),
				     page_bytes);
	sum->merged_bytes = fig_mul(stat->merging_pages, page_bytes);
	sum->zero_bytes = fig_mul(stat->zero_pages, page_bytes);
	sum->profit_bytes = stat->profit_bytes;
	sum->cow = stat->cow;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct ksm_unit_sum *)a)->name,
		      ((const struct ksm_unit_sum *)b)->name);
}

static void add(struct ksm_unit_sum *to, const struct ksm_unit_sum *sum)
{
	for (size_t i = 0; i < ksm_nr_unit_fields; i++)
		fig_include(fig_at(to, &ksm_unit_fields[i]),
			    fig_get(sum, &ksm_unit_fields[i]));
}

/* Those of one name follow each other, and become one. */
static size_t put_together(struct ksm_unit_sum *list, size_t count)
{
	size_t last = 0;

	for (size_t i = 1; i < count; i++) {
		if (strcmp(list[last].name, list[i].name))
			list[++last] = list[i];
		else
			add(&list[last], &list[i]);
	}
	return count ? last + 1 : 0;
}

/**
 * ksm_unit_sums_of() - add the members up, unit by unit
 * @sums:	result, for ksm_unit_sums_free()
 * @members:	the members
 * @page_bytes: size of a page
 *
 * Return: 0, or -ENOMEM
 */
int ksm_unit_sums_of(struct ksm_unit_sums *sums,
		     const struct ksm_members *members, ksm_figure page_bytes)
{
	struct ksm_unit_sum *list = calloc(members->count + 1, sizeof(*list));

	sums->list = list;
	sums->count = 0;
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < members->count; i++)
		sum_of(&list[i], &members->list[i], page_bytes);
	qsort(list, members->count, sizeof(*list), by_name);
	sums->count = put_together(list, members->count);
	return 0;
}

/* Give back what ksm_unit_sums_of() has made. */
void ksm_unit_sums_free(struct ksm_unit_sums *sums)
{
	free(sums->list);
	memset(sums, 0, sizeof(*sums));
}
