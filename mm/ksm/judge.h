/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between sort.c, which finds the entries that need something done, judge.c,
 * which decides what, and slice.c, which cleans entries and reads pages.
 */
#ifndef _MM_KSM_JUDGE_H
#define _MM_KSM_JUDGE_H

#include "internal.h"
#include "merge.h"
#include "slice.h"
#include "triage.h"

#define KSM_SLICE_CHUNKS	(KSM_SLICE / KSM_CHUNK_PAGES)

/* Probes that are read before the first of them is entered in the filter */
#define KSM_PENDING	8

/**
 * struct ksm_slice - neighbouring entries, and what is planned for them
 * @v:	     the visit it is part of
 * @vma:     VMA of the entries
 * @base:    address of entry 0
 * @first:   the first entry that is visited
 * @end:     the entry after the last
 * @huge:    one huge entry maps all pages
 * @renew:   all keys are taken again
 * @rechecks: the keys of which unchanged pages look for a duplicate
 * @ptep:    entry @first, if not @huge
 * @chunk:   state words; NULL where there was no memory for them
 * @page:    page that an entry maps; valid if it is to be judged
 * @verdict: what ksm_state_judge() has decided
 * @skip:    entries about which nothing is done
 * @defer:   entries that have one visit less to wait
 * @judge:   entries to be judged
 * @dirty:   entries with a dirty bit of their own
 * @test:    entries to be cleaned if the content is the same
 * @clean:   entries to be cleaned
 * @probe:   entries whose page is read
 * @work:    entries that use up the pace
 * @skipped: number of entries that do not
 * @pending: probes that are not entered yet
 * @nr_pending: number of those
 */
struct ksm_slice {
	struct ksm_visit *v;
	struct vm_area_struct *vma;
	unsigned long base;
	unsigned int first, end;
	bool huge;
	bool renew;
	struct ksm_rechecks rechecks;
	pte_t *ptep;
	struct ksm_chunk *chunk[KSM_SLICE_CHUNKS];
	struct page *page[KSM_SLICE];
	u8 verdict[KSM_SLICE];
	u64 skip;
	u64 defer;
	u64 judge;
	u64 dirty;
	u64 test;
	u64 clean;
	u64 probe;
	u64 work;
	unsigned int skipped;
	struct {
		unsigned int entry;
		u64 probe;
	} pending[KSM_PENDING];
	unsigned int nr_pending;
};

static inline unsigned long ksm_slice_addr(const struct ksm_slice *s,
					   unsigned int i)
{
	return s->base + i * PAGE_SIZE;
}

static inline u64 *ksm_slice_word(const struct ksm_slice *s, unsigned int i)
{
	struct ksm_chunk *chunk = s->chunk[i / KSM_CHUNK_PAGES];

	return chunk ? &chunk->word[i % KSM_CHUNK_PAGES] : NULL;
}

/* The inline word of a page that is not merged, if it is in the tree, too */
static inline u64 ksm_slice_known(const struct ksm_slice *s, unsigned int i)
{
	u64 word = *ksm_slice_word(s, i);

	return ksm_word_unstable(word) ? ksm_item_word(ksm_word_item(word)) :
					 word;
}

/*
 * Is the entry in a block of entries with one dirty bit?  The hint says how
 * many there are from its place on, which is one for the last of a block as
 * well.  At the first place of the table, where a block would begin, it is the
 * whole block.
 */
static inline bool ksm_slice_in_block(const struct ksm_slice *s, pte_t pte)
{
	return pte_batch_hint(PTR_ALIGN_DOWN(s->ptep, PTRS_PER_PTE *
					     sizeof(pte_t)), pte) > 1;
}

/* sort.c */
void ksm_sort(struct ksm_slice *s, pte_t *pte);

/* judge.c */
bool ksm_judge_asked(struct ksm_slice *s, unsigned int i, unsigned long pfn);
void ksm_judge_lost(struct ksm_slice *s, unsigned int i);
void ksm_judge_page(struct ksm_slice *s, unsigned int i, bool dirty,
		    bool joint);
void ksm_judge_probe(struct ksm_slice *s, unsigned int i, u64 probe);

#endif /* _MM_KSM_JUDGE_H */
