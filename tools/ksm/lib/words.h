/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A verdict in words: what is the matter, and what to do next.
 */
#ifndef KSM_LIB_WORDS_H
#define KSM_LIB_WORDS_H

#include "verdict.h"

/* With state and reason before it, a headline fits into 80 columns. */
#define KSM_HEADLINE_MAX	56
#define KSM_NEXT_MAX		75

struct ksm_words {
	char headline[KSM_HEADLINE_MAX];
	char next[KSM_NEXT_MAX];	/* "" if nothing is to be done */
};

void ksm_words(const struct ksm_view *view, const struct ksm_verdict *verdict,
	       struct ksm_words *words);
const char *ksm_warning_text(enum ksm_warning warning);

#endif
