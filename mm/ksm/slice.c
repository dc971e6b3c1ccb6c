// SPDX-License-Identifier: GPL-2.0-only
/*
 * Up to 64 neighbouring entries of a page table: which of their pages deserve
 * a look, and what is seen then.
 *
 * Under one hold of the page table lock, in this order:
 *
 *  1. read the entries;
 *  2. have judge.c say what to do about each page, from what was read;
 *  3. test which of the pages whose entries are dirty are the same as at the
 *     last visit: they seem to rest, and only they are worth a fault of their
 *     writers;
 *  4. mark their folios dirty, then clean their entries;
 *  5. flush the TLBs, before the lock is dropped: reclaim and MADV_FREE leave
 *     out their own flush where they see a clean entry, so that a store
 *     through a stale entry would be lost;
 *  6. only now read content to believe in: what is written from here on sets
 *     the bit again.
 *
 * What comes out is a list of jobs: address, page frame number and probe, but
 * no reference and no lock.
 */
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "internal.h"
#include "judge.h"
#include "slice.h"

/* Probes are announced to the cache this many pages ahead. */
#define PREFETCH_AHEAD	6

/* Every so many passes a key is taken again, whatever the dirty bit says. */
#define RENEW_PASSES	64

static unsigned long chunk_addr(const struct ksm_slice *s, unsigned int g)
{
	return ksm_slice_addr(s, g * KSM_CHUNK_PAGES);
}

/* Can a page be merged at all? */
static bool eligible(struct page *page)
{
	return page && PageAnon(page) && !PageHWPoison(page) &&
	       !is_zone_device_page(page);
}

static bool may_have_page(pte_t pte)
{
	return pte_present(pte) && !pte_special(pte);
}

static bool is_moving(pte_t pte)
{
	return !pte_present(pte) && !pte_none(pte) &&
	       is_migration_entry(pte_to_swp_entry(pte));
}

/* Is its page lent to a device, which may or may not let the CPU read it? */
static bool is_lent(pte_t pte)
{
	swp_entry_t entry;

	if (pte_present(pte) || pte_none(pte))
		return false;
	entry = pte_to_swp_entry(pte);
	return is_device_private_entry(entry) ||
	       is_device_exclusive_entry(entry);
}

/*
 * Is it in a block of entries with one dirty bit?  The hint says how many there
 * are from its place on, which is one for the last of a block as well.  At the
 * first place of the table, where a block would begin, it is the whole block.
 */
static bool in_block(const struct ksm_slice *s, pte_t pte)
{
	return pte_batch_hint(PTR_ALIGN_DOWN(s->ptep, PTRS_PER_PTE *
					     sizeof(pte_t)), pte) > 1;
}

/*
 * Is the page mapped by others, too, since a fork?  Then its dirty bits have to
 * stay where they are: a folio that is marked dirty instead cannot be given up
 * by MADV_FREE, for whoever does it cannot know what the others want.
 *
 * Nor need they go.  Nobody can write to such a page in place, and before it
 * was mapped by others there was a fork: without one since the last visit it is
 * what it was, as long as the entry is read-only.
 */
static bool mapped_elsewhere(struct page *page)
{
	struct folio *folio = page_folio(page);

	return atomic_read(&page->_mapcount) > 0 ||
	       (folio_test_large(folio) && folio_entire_mapcount(folio) > 0);
}

/* Which pages need nothing if they are unchanged */
struct calm {
	bool alone;	/* without an item */
	bool unstable;
	bool stable;
	bool waiting;	/* volatile, changed or not */
};

/* The same for all entries of a slice */
static struct calm how_calm(const struct ksm_slice *s)
{
	const struct ksm_visit *v = s->v;
	bool clean_is_unchanged = v->trust && !s->renew;

	return (struct calm) {
		.alone = clean_is_unchanged && !ksm_filter_moved(v),
		.unstable = clean_is_unchanged && !ksm_room_moved(v),
		.stable = !s->renew,
		.waiting = v->patient,
	};
}

/*
 * Nothing has changed, and nothing new is known.  Not a branch on what differs
 * from page to page: to guess wrong takes longer than all the rest.
 */
static bool steady(const struct calm *calm, pte_t pte, u64 word)
{
	bool clean = !pte_dirty(pte), read_only = !pte_write(pte);
	u16 pfn = pte_pfn(pte);
	bool stable, alone;

	stable = calm->stable & (ksm_word_tag(word) == KSM_TAG_STABLE) &
		 (ksm_word_item_pfn(word) == pfn) & read_only;
	alone = calm->alone & ksm_word_settled(word) &
		(ksm_word_pfn(word) == pfn);
	return may_have_page(pte) & clean & (stable | alone);
}

/* Read the entries.  Return: those about which there is nothing to do. */
static u64 look_over(const struct ksm_slice *s, const struct calm *calm,
		     pte_t *pte)
{
	unsigned int i;
	u64 easy = 0;

	for (i = s->first; i < s->end; i++) {
		const u64 *word = ksm_slice_word(s, i);

		pte[i] = ptep_get(s->ptep + i - s->first);
		if (word)
			easy |= (u64)steady(calm, pte[i], *word) << i;
	}
	return easy;
}

/* The same of a page in the unstable tree; there are few. */
static bool steady_unstable(const struct calm *calm, pte_t pte, u64 word)
{
	struct ksm_rmap_item *item;

	if (!calm->unstable || ksm_word_tag(word) != KSM_TAG_UNSTABLE)
		return false;
	item = ksm_word_item(word);
	return item->pfn == pte_pfn(pte) && !pte_dirty(pte) &&
	       !(item->address & KSM_ITEM_RUN);
}

/* A volatile page that is not even to be looked at */
static bool waits(const struct calm *calm, pte_t pte, u64 word)
{
	return calm->waiting && ksm_word_waits(word) &&
	       ksm_word_pfn(word) == (u16)pte_pfn(pte);
}

enum turn {
	TURN_NONE,	/* to be left as it is */
	TURN_LOST,	/* there is no page */
	TURN_EASY,	/* there is nothing to do */
	TURN_WAIT,	/* one visit less to wait */
	TURN_JUDGE,
};

static enum turn whose_turn(const struct calm *calm, pte_t pte,
			    const u64 *word)
{
	if (is_moving(pte))
		return TURN_NONE;
	/* Nor is what a device has, but that is no KSM page any more. */
	if (is_lent(pte) && word && ksm_word_tag(*word) != KSM_TAG_STABLE)
		return TURN_NONE;
	if (!may_have_page(pte))
		return TURN_LOST;
	if (!word)
		return TURN_NONE;
	if (steady_unstable(calm, pte, *word))
		return TURN_EASY;
	return waits(calm, pte, *word) ? TURN_WAIT : TURN_JUDGE;
}

static void prefetch_items(const struct ksm_slice *s, u64 todo)
{
	const u64 *word;

	for (; todo; todo &= todo - 1) {
		word = ksm_slice_word(s, __ffs64(todo));
		if (word && ksm_word_tag(*word) == KSM_TAG_UNSTABLE)
			prefetch(ksm_word_item(*word));
	}
}

/*
 * Find out from entries and state words where there is anything to do.  Mostly
 * there is not, and then the page must not be touched.
 */
static void sort_entries(struct ksm_slice *s, pte_t *pte)
{
	struct calm calm = how_calm(s);
	u64 todo;
	unsigned int i;

	s->easy = look_over(s, &calm, pte);
	todo = GENMASK_ULL(s->end - 1, s->first) & ~s->easy;
	prefetch_items(s, todo);
	for (; todo; todo &= todo - 1) {
		i = __ffs64(todo);
		switch (whose_turn(&calm, pte[i], ksm_slice_word(s, i))) {
		case TURN_LOST:
			ksm_judge_lost(s, i);
			break;
		case TURN_EASY:
			s->easy |= BIT_ULL(i);
			break;
		case TURN_WAIT:
			s->wait |= BIT_ULL(i);
			break;
		case TURN_JUDGE:
			s->judge |= BIT_ULL(i);
			s->page[i] = vm_normal_page(s->vma,
						    ksm_slice_addr(s, i),
						    pte[i]);
			prefetch(s->page[i]);
			break;
		case TURN_NONE:
			break;
		}
	}
}

static void judge_entry(struct ksm_slice *s, unsigned int i, pte_t pte)
{
	bool dirty = pte_dirty(pte), shared = in_block(s, pte);
	struct page *page = s->page[i];

	if (!eligible(page)) {
		ksm_judge_lost(s, i);
		return;
	}
	if (!PageKsm(page) && mapped_elsewhere(page)) {
		shared = true;
		dirty = dirty && (pte_write(pte) || s->v->forked);
	}
	ksm_judge_page(s, i, dirty, shared);
}

/* Stop planning where the batch ends. */
static bool slice_full(struct ksm_slice *s, unsigned int i)
{
	if (!s->work || hweight64(s->work) < s->v->pace->left)
		return false;
	s->end = i + 1;
	return true;
}

static void finish_easy_entries(struct ksm_slice *s)
{
	u64 below = GENMASK_ULL(s->end - 1, 0), todo, *word;

	s->skipped += hweight64((s->easy | s->wait) & below);
	/* No counter depends on that. */
	for (todo = s->wait & below; todo; todo &= todo - 1) {
		word = ksm_slice_word(s, __ffs64(todo));
		*word = ksm_state_waited(*word);
	}
}

static void judge_table(struct ksm_slice *s)
{
	pte_t pte[KSM_SLICE];
	unsigned int i;
	u64 todo;

	sort_entries(s, pte);
	for (todo = s->judge; todo; todo &= todo - 1) {
		i = __ffs64(todo);
		judge_entry(s, i, pte[i]);
		if (slice_full(s, i))
			break;
	}
	finish_easy_entries(s);
}

/* Steps 4 and 5 */
static void clean_entries(struct ksm_slice *s)
{
	unsigned int from = __ffs64(s->clean), to = fls64(s->clean), i;

	arch_enter_lazy_mmu_mode();
	for (i = from; i < to; i++) {
		if (!(s->clean & BIT_ULL(i)))
			continue;
		folio_mark_dirty(page_folio(s->page[i]));
		clear_young_dirty_ptes(s->vma, ksm_slice_addr(s, i),
				       s->ptep + i - s->first, 1,
				       CYDP_CLEAR_DIRTY);
	}
	arch_leave_lazy_mmu_mode();
	flush_tlb_range(s->vma, ksm_slice_addr(s, from), ksm_slice_addr(s, to));
}

static u64 entry_probe(const struct ksm_slice *s, unsigned int i)
{
	struct page *page = s->page[i];
	void *content;
	u64 probe;

	ksm_flush_page(s->vma, page, ksm_slice_addr(s, i));
	content = kmap_local_page(page);
	probe = ksm_probe(content);
	kunmap_local(content);
	return probe ^ ksm_scope(s->v->slot->mm,
				 ksm_page_nid(page_to_pfn(page)));
}

static void enter_pending(struct ksm_slice *s)
{
	unsigned int n;

	for (n = 0; n < s->nr_pending; n++)
		ksm_judge_probe(s, s->pending[n].entry, s->pending[n].probe);
	s->nr_pending = 0;
}

/* Read it; meanwhile the filter's cache lines for those before are fetched. */
static void probe_entry(struct ksm_slice *s, unsigned int i)
{
	u64 probe = entry_probe(s, i);

	ksm_filter_prefetch(ksm_short(probe));
	s->pending[s->nr_pending].entry = i;
	s->pending[s->nr_pending].probe = probe;
	if (++s->nr_pending == KSM_PENDING)
		enter_pending(s);
}

/* Does a volatile page seem to have come to rest? */
static bool peek_entry(struct ksm_slice *s, unsigned int i)
{
	void *content;
	u64 word;
	u32 peek;
	bool same;

	ksm_flush_page(s->vma, s->page[i], ksm_slice_addr(s, i));
	content = kmap_local_page(s->page[i]);
	peek = ksm_peek(content);
	kunmap_local(content);
	word = ksm_state_peeked(*ksm_slice_word(s, i), peek, &same);
	ksm_slice_set(s, i, word);
	return same;
}

/* Does a page that was written still have the probe of the last visit? */
static bool prove_entry(struct ksm_slice *s, unsigned int i)
{
	u64 probe = entry_probe(s, i);

	if (ksm_state_same(*ksm_slice_word(s, i), ksm_short(probe)))
		return true;
	ksm_judge_probe(s, i, probe);
	return false;
}

/* Step 3 for one page; the probe to believe in is taken in step 6. */
static void test_entry(struct ksm_slice *s, unsigned int i)
{
	bool same = s->verdict[i] == KSM_PEEK ? peek_entry(s, i) :
						prove_entry(s, i);

	if (!same)
		return;
	s->probe |= BIT_ULL(i);
	s->clean |= s->dirty & BIT_ULL(i);
}

static void prefetch_entry(const struct ksm_slice *s, unsigned int i)
{
	/* Highmem would have to be mapped, which costs more than it saves. */
	if (PageHighMem(s->page[i]))
		return;
	if (s->verdict[i] == KSM_PEEK)
		ksm_peek_prefetch(page_address(s->page[i]));
	else
		ksm_probe_prefetch(page_address(s->page[i]));
}

static void read_entries(struct ksm_slice *s, u64 todo,
			 void (*read)(struct ksm_slice *s, unsigned int i))
{
	unsigned int n = 0;
	u64 ahead = todo;

	for (; todo; todo &= todo - 1) {
		for (; ahead && n < PREFETCH_AHEAD; ahead &= ahead - 1, n++)
			prefetch_entry(s, __ffs64(ahead));
		n--;
		read(s, __ffs64(todo));
	}
}

/* Steps 3 to 6 */
static void read_pages(struct ksm_slice *s)
{
	read_entries(s, s->test, test_entry);
	if (s->clean)
		clean_entries(s);
	read_entries(s, s->probe, probe_entry);
	enter_pending(s);
}

static void finish_slice(struct ksm_slice *s)
{
	u64 read = s->test | s->probe;
	unsigned int g;

	if (read)
		ksm_count(&ksm_counters.scanned, hweight64(read));
	ksm_count(s->v->patient ? &ksm_counters.skipped :
				  &ksm_counters.scanned, s->skipped);
	ksm_count(&ksm_counters.scan_pages, s->skipped + hweight64(read));
	ksm_cursor.work += hweight64(s->work);
	ksm_pace_work(s->v->pace, hweight64(s->work),
		      s->skipped + hweight64(read & ~s->work));
	for (g = 0; g < KSM_SLICE_CHUNKS; g++)
		if (s->chunk[g] && ksm_chunk_empty(s->chunk[g]))
			ksm_track_trim(s->v->slot, chunk_addr(s, g));
}

/*
 * The pages of files are not ours: in each pass chunks would be made for them
 * in vain.  Without the lock, so this is a hint.
 */
static bool may_have_anon(struct ksm_slice *s, unsigned long addr, pte_t pte)
{
	return may_have_page(pte) && eligible(vm_normal_page(s->vma, addr, pte));
}

/* Which entries have a page that may be merged? */
static u64 present_entries(struct ksm_slice *s, pmd_t *pmd)
{
	pte_t *ptep = pte_offset_map(pmd, ksm_slice_addr(s, s->first));
	u64 present = 0;
	unsigned int i;

	if (!ptep)
		return 0;
	for (i = s->first; i < s->end; i++)
		if (may_have_anon(s, ksm_slice_addr(s, i),
				  ptep_get_lockless(ptep + i - s->first)))
			present |= BIT_ULL(i);
	pte_unmap(ptep);
	return present;
}

/* The same for a huge page, which is anonymous as a whole or not at all */
static u64 huge_entries(struct ksm_slice *s, pmd_t *pmd)
{
	pmd_t entry = pmdp_get_lockless(pmd);
	struct page *head = NULL;

	if (pmd_present(entry) && pmd_trans_huge(entry))
		head = vm_normal_page_pmd(s->vma, s->base & HPAGE_PMD_MASK,
					  entry);
	return head && PageAnon(head) ? ~0ULL : 0;
}

static u64 chunk_mask(unsigned int g)
{
	return GENMASK_ULL(KSM_CHUNK_PAGES - 1, 0) << (g * KSM_CHUNK_PAGES);
}

/* Make the chunks that are missing where there are pages. */
static void make_chunks(struct ksm_slice *s, pmd_t *pmd)
{
	u64 missing = 0;
	unsigned int g;

	for (g = 0; g < KSM_SLICE_CHUNKS; g++)
		if (!s->chunk[g])
			missing |= chunk_mask(g);
	if (!missing)
		return;
	missing &= s->huge ? huge_entries(s, pmd) : present_entries(s, pmd);
	for (g = 0; g < KSM_SLICE_CHUNKS; g++)
		if (missing & chunk_mask(g))
			s->chunk[g] = ksm_track_chunk(s->v->slot,
						      chunk_addr(s, g), true);
}

/* Before a lock is taken, as this allocates. */
static void load_chunks(struct ksm_slice *s, pmd_t *pmd)
{
	ksm_track_chunks(s->v->slot, s->base, s->chunk, KSM_SLICE_CHUNKS);
	make_chunks(s, pmd);
	/* Keys are renewed slice by slice, each in another one of the passes */
	if ((s->base / KSM_SLICE_BYTES + ksm_cursor.pass) % RENEW_PASSES == 0)
		s->renew = true;
}

static void visit_table(struct ksm_slice *s, pmd_t *pmd)
{
	spinlock_t *ptl;

	s->ptep = pte_offset_map_lock(s->vma->vm_mm, pmd,
				      ksm_slice_addr(s, s->first), &ptl);
	if (!s->ptep)
		return;
	judge_table(s);
	if (s->test | s->clean | s->probe)
		read_pages(s);
	pte_unmap_unlock(s->ptep, ptl);
}

/*
 * A page that is mapped by a huge entry.  There is one dirty bit for all: if
 * it is set, each page's probe has to tell.  It is not cleared.
 */
static void visit_huge(struct ksm_slice *s, pmd_t *pmd)
{
	unsigned long addr = ksm_slice_addr(s, s->first);
	struct page *head = NULL;
	spinlock_t *ptl;
	unsigned int i;
	bool dirty;

	ptl = pmd_trans_huge_lock(pmd, s->vma);
	if (!ptl)
		return;
	if (pmd_present(*pmd))
		head = vm_normal_page_pmd(s->vma, addr & HPAGE_PMD_MASK, *pmd);
	dirty = pmd_dirty(*pmd);
	for (i = s->first; i < s->end; i++, addr += PAGE_SIZE) {
		s->page[i] = !head ? NULL :
			nth_page(head, (addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
		if (!eligible(s->page[i]))
			ksm_judge_lost(s, i);
		else if (ksm_slice_word(s, i))
			ksm_judge_page(s, i, dirty, true);
		if (slice_full(s, i))
			break;
	}
	if (s->test | s->probe)
		read_pages(s);
	spin_unlock(ptl);
}

/**
 * ksm_visit_slice - look at neighbouring pages
 * @v:	  the visit to their mm; gets the jobs that come out of it
 * @vma:  where they are
 * @pmd:  of their page table, or of their huge page
 * @addr: the first one
 * @end:  address after the last; within the same aligned KSM_SLICE_BYTES
 *
 * Context: ksm_scan_mutex held, and the mmap_lock; may sleep.
 * Return: the address to go on with; before @end if the batch is over.
 */
unsigned long ksm_visit_slice(struct ksm_visit *v, struct vm_area_struct *vma,
			      pmd_t *pmd, unsigned long addr,
			      unsigned long end)
{
	struct ksm_slice s = { .v = v, .vma = vma };

	s.base = ALIGN_DOWN(addr, KSM_SLICE_BYTES);
	s.first = (addr - s.base) >> PAGE_SHIFT;
	s.end = (end - s.base) >> PAGE_SHIFT;
	s.huge = pmd_trans_huge(pmdp_get_lockless(pmd));
	load_chunks(&s, pmd);
	if (s.huge)
		visit_huge(&s, pmd);
	else
		visit_table(&s, pmd);
	finish_slice(&s);
	return ksm_slice_addr(&s, s.end);
}
