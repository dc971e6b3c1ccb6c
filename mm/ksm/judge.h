/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between slice.c, which reads and cleans entries, and judge.c, which says
 * which of them.
 */
#ifndef _MM_KSM_JUDGE_H
#define _MM_KSM_JUDGE_H

#include "internal.h"
#include "slice.h"

#define KSM_SLICE_CHUNKS	(KSM_SLICE / KSM_CHUNK_PAGES)

/* Probes that are read before the first of them is entered in the filter */
#define KSM_PENDING	8

/**
 * struct ksm_slice - neighbouring entries, and what is planned for them
 * @v:	     the visit it is part of
 * @vma:     where they are
 * @base:    address of entry 0
 * @first:   the first entry that is looked at
 * @end:     the entry after the last
 * @huge:    one huge entry maps all pages
 * @renew:   all keys are taken again
 * @ptep:    entry @first, if not
 * @chunk:   state words; NULL where there was no memory for them
 * @page:    which page an entry maps; valid if it is to be judged
 * @verdict: about it
 * @easy:    entries about which nothing is done
 * @wait:    entries that have one visit less to wait
 * @judge:   entries to be judged
 * @dirty:   entries with a dirty bit of their own
 * @test:    entries to be cleaned if it pays
 * @clean:   entries whose dirty bit goes
 * @probe:   entries whose page is read
 * @work:    entries that use up the pace
 * @skipped: number of entries that do not
 * @pending: probes that are not entered yet
 * @nr_pending: how many
 */
struct ksm_slice {
	struct ksm_visit *v;
	struct vm_area_struct *vma;
	unsigned long base;
	unsigned int first, end;
	bool huge;
	bool renew;
	pte_t *ptep;
	struct ksm_chunk *chunk[KSM_SLICE_CHUNKS];
	struct page *page[KSM_SLICE];
	u8 verdict[KSM_SLICE];
	u64 easy;
	u64 wait;
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

static inline void ksm_slice_set(const struct ksm_slice *s, unsigned int i,
				 u64 new)
{
	ksm_track_set(s->v->slot, ksm_slice_word(s, i), new);
}

/* Has the filter learnt something since this mm was last walked over? */
static inline bool ksm_filter_moved(const struct ksm_visit *v)
{
	return !v->patient || v->slot->seen_epoch != ksm_filter_epoch;
}

static inline bool ksm_room_moved(const struct ksm_visit *v)
{
	return !v->patient || v->slot->seen_room != ksm_stable_room_epoch;
}

void ksm_judge_lost(struct ksm_slice *s, unsigned int i);
void ksm_judge_page(struct ksm_slice *s, unsigned int i, bool dirty,
		    bool shared);
void ksm_judge_probe(struct ksm_slice *s, unsigned int i, u64 probe);

#endif /* _MM_KSM_JUDGE_H */
