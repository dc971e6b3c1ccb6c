/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bring duplicates together.
 */
#ifndef _MM_KSM_MATCH_H
#define _MM_KSM_MATCH_H

#include "merge.h"

struct ksm_pass;

/* chain.c */
struct ksm_chain *ksm_chain_find(const struct ksm_key *key);
enum ksm_result ksm_chain_join(struct ksm_chain *chain, struct ksm_candidate *c,
			       struct ksm_rmap_item *item);
enum ksm_result ksm_chain_enlist(struct ksm_stable_node *node,
				 struct folio *folio,
				 const struct ksm_key *expected);
void ksm_chain_rehome(struct ksm_stable_node *node);
enum ksm_result ksm_chain_get_readable(struct ksm_stable_node *node,
				       struct folio **foliop);

/* match.c */
void ksm_match_candidate(struct ksm_pass *pass, struct ksm_candidate *c);
void ksm_match_mapping(struct ksm_candidate *c);

#endif /* _MM_KSM_MATCH_H */
