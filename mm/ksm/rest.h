/* SPDX-License-Identifier: GPL-2.0-only */
/* How closely ksmd watches unchanged pages, see rest.c */
#ifndef _MM_KSM_REST_H
#define _MM_KSM_REST_H

#include <linux/types.h>

/**
 * struct ksm_rest - how closely unchanged pages are watched
 * @quiet_ns: so long in each batch, in nanoseconds
 * @spent_ns: so long in this pass up to now
 * @merged:   pages merged in this pass up to now
 * @found:    there was a find in this pass
 * @called:   a find is to be expected; written without a lock
 */
struct ksm_rest {
	u64 quiet_ns;
	u64 spent_ns;
	unsigned long merged;
	bool found;
	bool called;
};

void ksm_rest_call(struct ksm_rest *rest);
void ksm_rest_answer_call(struct ksm_rest *rest);
void ksm_rest_wake_if_found(struct ksm_rest *rest, unsigned long new_pages,
			    unsigned long tracked);
void ksm_rest_begin_pass(struct ksm_rest *rest);
void ksm_rest_end_pass(struct ksm_rest *rest, unsigned int sleep_ms);

#endif /* _MM_KSM_REST_H */
