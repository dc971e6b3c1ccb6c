/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What to do about what was explained, in plain sentences.
 */
#ifndef KSM_LIB_ADVICE_H
#define KSM_LIB_ADVICE_H

#include "explain.h"

#define KSM_ADVICE_MAX	16

/**
 * struct ksm_advice - sentences
 * @text:  each of them, the most important first
 * @count: how many
 */
struct ksm_advice {
	char *text[KSM_ADVICE_MAX];
	size_t count;
};

void ksm_advise(struct ksm_advice *advice,
		const struct ksm_explained *explained,
		const struct ksm_scene *scene);
void ksm_advice_free(struct ksm_advice *advice);

#endif
