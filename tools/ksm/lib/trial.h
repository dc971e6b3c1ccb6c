/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a trial with prctl() has shown: which mappings are worth registering.
 */
#ifndef KSM_LIB_TRIAL_H
#define KSM_LIB_TRIAL_H

#include "explain.h"

/**
 * struct ksm_tried - a mapping that took part
 * @finding: the mapping
 * @share:   part of its private pages that is merged, 0 to 1
 * @worth:   whether to register it
 */
struct ksm_tried {
	const struct ksm_finding *finding;
	double share;
	bool worth;
};

/**
 * struct ksm_trial - of a process
 * @list:	 array of the @count registered mappings that have private
 *		 pages, those with most merged memory first
 * @count:	 number of @list
 * @worth:	 how many of them are worth it
 * @watched_bytes: private pages in all of them
 * @worth_watched_bytes: in those that are worth it
 * @ksm_bytes:	 merged in all of them
 * @worth_ksm_bytes: in those that are worth it
 */
struct ksm_trial {
	struct ksm_tried *list;
	size_t count;
	size_t worth;
	int64_t watched_bytes;
	int64_t worth_watched_bytes;
	int64_t ksm_bytes;
	int64_t worth_ksm_bytes;
};

int ksm_trial_judge(struct ksm_trial *trial,
		    const struct ksm_explained *explained);
void ksm_trial_free(struct ksm_trial *trial);

#endif
