/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is in memory, as far as it matters for merging: does it change, is
 * there anything equal, or would there be at another offset?
 *
 * Some pages of the mappings in question are sampled.  They are compared with
 * pages of all that is registered, up to a limit, and looked at once more some
 * time later.  Contents are read into one buffer, which takes no part in KSM
 * and is wiped; only hashes with a random key are kept, as long as it takes.
 */
#ifndef KSM_LIB_CONTENT_H
#define KSM_LIB_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#define KSM_SAMPLE_PAGES	64	/* of a mapping */
#define KSM_SAMPLE_MAPS		32	/* mappings of a process */

/**
 * struct ksm_content - what was found in the pages sampled of one mapping
 * @pages:   how many were sampled
 * @changed: of these, had changed when they were read again
 * @unique:  had not, and have no equal among the pages read
 * @shifted: of the unique ones, have their like at another offset in the page
 *
 * The others have not changed and have an equal.
 */
struct ksm_content {
	unsigned int pages;
	unsigned int changed;
	unsigned int unique;
	unsigned int shifted;
};

struct ksm_sampler;

int ksm_sampler_new(struct ksm_sampler **sampler, int pid);
int ksm_sampler_take(struct ksm_sampler *sampler, size_t map, uint64_t start,
		     uint64_t end);
void ksm_sampler_ready(struct ksm_sampler *sampler);
int ksm_sampler_compare(struct ksm_sampler *sampler, int pid, uint64_t start,
			uint64_t end, size_t pages);
void ksm_sampler_again(struct ksm_sampler *sampler);
void ksm_sampler_result(const struct ksm_sampler *sampler, size_t map,
			struct ksm_content *content);
size_t ksm_sampler_compared(const struct ksm_sampler *sampler);
void ksm_sampler_free(struct ksm_sampler *sampler);

#endif
