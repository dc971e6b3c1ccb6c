// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trial.h"

/*
 * ksmd reads all that is registered, at least once.  Where less than one page
 * in ten is merged, nine are read for nothing.
 */
#define WORTH_SHARE	0.1

static bool took_part(const struct ksm_map *map)
{
	return ksm_map_registered(map) && fig_or_zero(map->anonymous_bytes) > 0;
}

static int by_merged(const void *left, const void *right)
{
	const struct ksm_tried *one = left, *other = right;
	const struct ksm_map *a = one->finding->map;
	const struct ksm_map *b = other->finding->map;

	if (a->ksm_bytes != b->ksm_bytes)
		return a->ksm_bytes < b->ksm_bytes ? 1 : -1;
	return a->start > b->start ? 1 : -1;
}

static void add(struct ksm_trial *trial, const struct ksm_finding *finding)
{
	struct ksm_tried *tried = &trial->list[trial->count++];
	int64_t watched = finding->map->anonymous_bytes;
	int64_t merged = fig_or_zero(finding->map->ksm_bytes);

	tried->finding = finding;
	tried->share = (double)merged / watched;
	tried->worth = tried->share >= WORTH_SHARE;
	trial->watched_bytes += watched;
	trial->ksm_bytes += merged;
	if (tried->worth) {
		trial->worth++;
		trial->worth_watched_bytes += watched;
		trial->worth_ksm_bytes += merged;
	}
}

/**
 * ksm_trial_judge() - which mappings are worth registering?
 * @trial:     result, for ksm_trial_free()
 * @explained: the process; must last as long as @trial
 *
 * Return: 0, or -ENOMEM
 */
int ksm_trial_judge(struct ksm_trial *trial,
		    const struct ksm_explained *explained)
{
	memset(trial, 0, sizeof(*trial));
	trial->list = calloc(explained->maps.count, sizeof(*trial->list));
	if (!trial->list)
		return -ENOMEM;
	for (size_t i = 0; i < explained->maps.count; i++)
		if (took_part(explained->findings[i].map))
			add(trial, &explained->findings[i]);
	qsort(trial->list, trial->count, sizeof(*trial->list), by_merged);
	return 0;
}

/* Give back what ksm_trial_judge() has made. */
void ksm_trial_free(struct ksm_trial *trial)
{
	free(trial->list);
	memset(trial, 0, sizeof(*trial));
}
