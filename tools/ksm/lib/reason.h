/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a mapping merges, or why it does not.
 */
#ifndef KSM_LIB_REASON_H
#define KSM_LIB_REASON_H

#include "content.h"
#include "maps.h"

/* Can KSM merge pages of this mapping? */
enum ksm_answer {
	KSM_NEVER,	/* it is of a kind that KSM leaves alone */
	KSM_NO,		/* not as it is now */
	KSM_CAN,
};

enum ksm_why {
	KSM_WHY_UNKNOWN,	/* nothing is known that is in the way */
	KSM_WHY_MERGED,
	KSM_WHY_SHARED_MEMFD,
	KSM_WHY_SHARED_SHM,
	KSM_WHY_SHARED_FILE,
	KSM_WHY_HUGETLB,
	KSM_WHY_DEVICE,
	KSM_WHY_DROPPABLE,
	KSM_WHY_PROTECTED,
	KSM_WHY_FILE_CLEAN,
	KSM_WHY_UNTOUCHED,
	KSM_WHY_SWAPPED,
	KSM_WHY_ZERO_PAGES,
	KSM_WHY_NOT_OPTED_IN,
	KSM_WHY_PINNED,
	KSM_WHY_VOLATILE,
	KSM_WHY_UNALIGNED,
	KSM_WHY_UNIQUE,
	KSM_WHY_TOO_NEW,
	KSM_WHY_HUGE_KEPT,
	KSM_NR_WHY,
};

/**
 * struct ksm_facts - of the process and the host
 * @unseen_bytes: registered memory that KSM does not track yet
 * @zero_bytes:   memory that KSM mapped to the zero page
 * @thp_kept:     huge pages left whole on this host; unknown on stock kernels
 * @early:        there were less than two full scans since it began
 */
struct ksm_facts {
	ksm_figure unseen_bytes;
	ksm_figure zero_bytes;
	ksm_figure thp_kept;
	bool early;
};

/**
 * struct ksm_finding - what is known about one mapping
 * @map:          the mapping
 * @pinned_bytes: how much of it is pinned, as far as can be told
 * @content:      what was found by sampling it; no pages if it was not
 * @reason:       why
 * @answer:       can it merge?
 */
struct ksm_finding {
	const struct ksm_map *map;
	int64_t pinned_bytes;
	struct ksm_content content;
	enum ksm_why reason;
	enum ksm_answer answer;
};

void ksm_why_find(struct ksm_finding *finding,
		  const struct ksm_facts *facts);

bool ksm_map_mergeable(const struct ksm_map *map);
bool ksm_map_registered(const struct ksm_map *map);

const char *ksm_answer_name(enum ksm_answer answer);
const char *ksm_why_name(enum ksm_why reason);
const char *ksm_why_text(enum ksm_why reason);
bool ksm_why_inferred(enum ksm_why reason);

#endif
