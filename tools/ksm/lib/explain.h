/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process explained: all its mappings, each with a reason.
 */
#ifndef KSM_LIB_EXPLAIN_H
#define KSM_LIB_EXPLAIN_H

#include "fds.h"
#include "members.h"
#include "reason.h"
#include "sysfs.h"

/**
 * struct ksm_scene - what holds for all processes
 * @knobs:	 of KSM
 * @counters:	 of KSM
 * @page_bytes:	 size of a page
 * @boottime_ms: now, since boot
 */
struct ksm_scene {
	struct ksm_knobs knobs;
	struct ksm_counters counters;
	ksm_figure page_bytes;
	int64_t boottime_ms;
};

/**
 * struct ksm_total - mappings added up
 * @maps:  how many
 * @bytes: resident memory; what is not in there is counted as well: the size of
 *	   hugetlbfs, what is swapped out, and zero pages
 */
struct ksm_total {
	size_t maps;
	int64_t bytes;
};

/**
 * struct ksm_explained - a process
 * @member:	   its name, and what KSM says about it
 * @maps:	   its mappings
 * @fds:	   what it holds open
 * @findings:	   array, one for each mapping
 * @facts:	   what the reasons are found from
 * @pinned_bytes:  how much is pinned, as far as can be told
 * @size_bytes:	   all mappings
 * @rss_bytes:	   resident, without hugetlbfs
 * @ksm_bytes:	   mapped to pages of KSM
 * @registered_bytes: private pages in registered mappings
 * @totals:	   by reason
 * @sampled:	   contents were looked at
 * @compared_bytes: what samples were compared with
 * @comparable_bytes: private pages of all registered mappings on the host that
 *		   could be read
 * @unreadable:	   processes whose memory could not be read to compare
 */
struct ksm_explained {
	struct ksm_member member;
	struct ksm_maps maps;
	struct ksm_fds fds;
	struct ksm_finding *findings;
	struct ksm_facts facts;
	ksm_figure pinned_bytes;
	int64_t size_bytes;
	int64_t rss_bytes;
	int64_t ksm_bytes;
	int64_t registered_bytes;
	struct ksm_total totals[KSM_NR_WHY];
	bool sampled;
	int64_t compared_bytes;
	int64_t comparable_bytes;
	size_t unreadable;
};

/**
 * struct ksm_sampling - how to read memory
 * @limit_bytes: how much of it, for comparison
 * @tell:	 is told from time to time what part of that is done
 */
struct ksm_sampling {
	int64_t limit_bytes;
	void (*tell)(double part);
};

int ksm_scene_read(struct ksm_scene *scene);
int ksm_explain_read(struct ksm_explained *explained,
		     const struct ksm_scene *scene, int pid);
void ksm_explain_judge(struct ksm_explained *explained);
int ksm_explain_sample(struct ksm_explained *explained,
		       const struct ksm_scene *scene,
		       const struct ksm_members *members,
		       const struct ksm_sampling *sampling);
void ksm_explain_free(struct ksm_explained *explained);

enum ksm_why ksm_explain_main(const struct ksm_explained *explained);
int64_t ksm_explain_weight(const struct ksm_explained *explained);

#endif
