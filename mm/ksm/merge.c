// SPDX-License-Identifier: GPL-2.0-only
/*
 * Put one page in the place of another.
 *
 * This is the only place where the content of memory is at stake.  Whatever
 * brought two pages here may be wrong about them.  The page table entry is
 * taken out and flushed from the TLBs; if after that nobody holds the page but
 * its mappings, nobody can write to it.  Only then are the bytes compared, and
 * only if they are equal does another page go into the entry.  In any other
 * case the old entry goes back as it was, and nothing has happened.
 *
 * All under one hold of the page table lock.  The other page is a KSM page or
 * the zero page, which nobody can write to anyway.
 */
#include <linux/memcontrol.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <asm/tlbflush.h>
#include <trace/events/ksm.h>

#include "../internal.h"
#include "internal.h"

/**
 * ksm_vma_mergeable - may pages here be merged?
 * @vma: where
 *
 * Only a COW mapping can be broken again.  In a shadow stack each clean entry
 * means a fault at every write.
 *
 * Context: mmap_lock held.
 * Return: true if they may.
 */
bool ksm_vma_mergeable(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_MERGEABLE) && vma->anon_vma &&
	       is_cow_mapping(vma->vm_flags) &&
	       !(vma->vm_flags & VM_SHADOW_STACK);
}

/**
 * ksm_vma_takes_zero_page - may pages of zeroes here become the zero page?
 * @vma: where
 *
 * Not in a mapping of a file.  Who unmaps the file's pages there, and leaves
 * alone what is private, takes an entry of the zero page for one of the file:
 * the next access would read the file in the place of the zeroes.
 *
 * Context: mmap_lock held.
 * Return: true if they may.
 */
bool ksm_vma_takes_zero_page(const struct vm_area_struct *vma)
{
	return !vma->vm_file && !mm_forbids_zeropage(vma->vm_mm);
}

/**
 * ksm_folio_readable - may the content of a KSM page be looked at?
 * @folio: its folio, with a reference
 *
 * None gets into the memory of a device, see migrate_vma_collect_pmd(); but
 * were one there, to read it would take the machine down.
 *
 * Return: true if it may.
 */
bool ksm_folio_readable(struct folio *folio)
{
	return !PageHWPoison(folio_page(folio, 0)) &&
	       !WARN_ON_ONCE(folio_is_zone_device(folio));
}

/* The VMA in which @addr may be merged, or NULL.  mmap_lock held. */
static struct vm_area_struct *mergeable_vma(struct ksm_slot *slot,
					    unsigned long addr)
{
	struct vm_area_struct *vma;

	if (ksm_slot_exiting(slot))
		return NULL;
	vma = vma_lookup(slot->mm, addr);
	return vma && ksm_vma_mergeable(vma) ? vma : NULL;
}

/*
 * Is it written to where it was looked up?  The entry alone may know: ksmd
 * cleans entries only where it relies on their dirty bits.
 */
static bool entry_dirty(const struct folio_walk *fw)
{
	switch (fw->level) {
	case FW_LEVEL_PTE:
		return pte_dirty(fw->pte);
	case FW_LEVEL_PMD:
		return pmd_dirty(fw->pmd);
	default:
		return false;
	}
}

/* Take a reference on the page at @addr, if it is still @pfn. */
static struct page *pin_page(struct vm_area_struct *vma, unsigned long addr,
			     unsigned long pfn)
{
	struct folio_walk fw;
	struct folio *folio;
	struct page *page = NULL;

	folio = folio_walk_start(&fw, vma, addr, 0);
	if (!folio)
		return NULL;
	if (page_to_pfn(fw.page) == pfn && folio_test_anon(folio) &&
	    !folio_is_zone_device(folio) && !PageHWPoison(fw.page)) {
		page = fw.page;
		folio_get(folio);
		ksm_flush_page(vma, page, addr);
		/* Written to after MADV_FREE, it is wanted: see given_up() */
		if (!folio_test_swapbacked(folio) && entry_dirty(&fw))
			folio_mark_dirty(folio);
	}
	folio_walk_end(&fw, vma);
	return page;
}

/**
 * ksm_page_pin - take a reference on a page
 * @slot: whose
 * @addr: where it was seen
 * @pfn:  which it was
 *
 * Context: may sleep; takes mmap_lock for reading.
 * Return: the page, or NULL if it is no longer there.
 */
struct page *ksm_page_pin(struct ksm_slot *slot, unsigned long addr,
			  unsigned long pfn)
{
	struct vm_area_struct *vma;
	struct page *page = NULL;

	mmap_read_lock(slot->mm);
	vma = mergeable_vma(slot, addr);
	if (vma)
		page = pin_page(vma, addr, pfn);
	mmap_read_unlock(slot->mm);
	return page;
}

/**
 * ksm_page_digest - digest of a page
 * @slot:   whose
 * @addr:   where it was seen
 * @pfn:    which it was
 * @digest: the result
 *
 * Context: may sleep; takes mmap_lock for reading.
 * Return: KSM_DONE or KSM_GONE.
 */
enum ksm_result ksm_page_digest(struct ksm_slot *slot, unsigned long addr,
				unsigned long pfn, u64 *digest)
{
	struct page *page = ksm_page_pin(slot, addr, pfn);
	void *content;

	if (!page)
		return KSM_GONE;
	content = kmap_local_page(page);
	*digest = ksm_digest(content);
	kunmap_local(content);
	put_page(page);
	return KSM_DONE;
}

/*
 * Does nobody but its mappings, the swap cache and the caller hold the page?
 * Others might write to it, now or later, without a page table entry.
 *
 * A relative that forks or exits changes both counts, one after the other.
 */
static bool held_by_nobody_else(struct folio *folio)
{
	int mapcount = folio_mapcount(folio);
	int refcount;

	smp_rmb();	/* mapcount, then refcount ... */
	refcount = folio_ref_count(folio);
	smp_rmb();	/* ... then mapcount again */
	return refcount == mapcount + 1 + folio_test_swapcache(folio) &&
	       mapcount == folio_mapcount(folio);
}

/**
 * ksm_page_held - would it be in vain to try and merge a page?
 * @page: of ksm_page_pin()
 *
 * Return: true if somebody else holds it; a hint, it may change at any time.
 */
bool ksm_page_held(struct page *page)
{
	struct folio *folio = page_folio(page);

	if (folio_test_large(folio))
		return folio_maybe_dma_pinned(folio);
	return !held_by_nobody_else(folio);
}

/*
 * Was the folio given up by MADV_FREE?  If it was written to after that, it is
 * an ordinary one again, and only reclaim has not noticed yet: say so, which
 * takes effect when the LRU caches have been drained.
 *
 * If it is given up right now, ksm_node_bind() makes it dirty, so it stays.
 */
static bool given_up(struct folio *folio)
{
	if (folio_test_swapbacked(folio))
		return false;
	if (folio_test_dirty(folio) && folio_isolate_lru(folio)) {
		folio_set_swapbacked(folio);
		folio_putback_lru(folio);
	}
	return true;
}

/*
 * Split the large folio of a page that is held here and locked, unless somebody
 * else holds a page of it, too.  Who has it mapped pays for that.
 */
static bool split(struct mm_struct *mm, struct page *page)
{
	if (split_huge_page(page)) {
		ksm_count(&ksm_counters.thp_kept, 1);
		return false;
	}
	ksm_count(&ksm_counters.thp_split, 1);
	ksm_count(&mm->ksm_thp_split, 1);
	return true;
}

/* Lock a page we hold a reference on, alone in its folio.  Never waits. */
static enum ksm_result lock_alone(struct mm_struct *mm, struct page *page)
{
	struct folio *folio = page_folio(page);

	if (!folio_trylock(folio))
		return KSM_BUSY;
	if (given_up(folio)) {
		folio_unlock(folio);
		return KSM_BUSY;
	}
	if (!folio_test_anon(folio) || folio_test_ksm(folio)) {
		folio_unlock(folio);
		return KSM_GONE;
	}
	if (folio_test_large(folio) && !split(mm, page)) {
		folio_unlock(page_folio(page));
		return KSM_BUSY;
	}
	/* Looked at again when it counts; this spares the writer a fault. */
	if (!held_by_nobody_else(page_folio(page))) {
		folio_unlock(page_folio(page));
		return KSM_BUSY;
	}
	return KSM_DONE;
}

/* A page table entry that is taken out of use */
struct taken {
	struct vm_area_struct *vma;
	unsigned long addr;
	struct page *page;
	pte_t *ptep;
	pte_t old;
	spinlock_t *ptl;
	struct mmu_notifier_range range;
};

/* Put back what was there. */
static void give_back(struct taken *t)
{
	set_pte_at(t->vma->vm_mm, t->addr, t->ptep, t->old);
}

static void finish(struct taken *t)
{
	if (t->ptep)
		pte_unmap_unlock(t->ptep, t->ptl);
	if (ksm_busted(KSM_FAULT_FLUSH))
		flush_tlb_page(t->vma, t->addr);
	mmu_notifier_invalidate_range_end(&t->range);
}

/*
 * Take the entry of a locked page away from everybody.
 *
 * On KSM_DONE nobody can write to the page until the caller has filled in
 * another entry or called give_back().  finish() is due in any case.
 */
static enum ksm_result take_out(struct taken *t)
{
	struct mm_struct *mm = t->vma->vm_mm;
	struct folio *folio = page_folio(t->page);
	pmd_t *pmd;

	t->ptep = NULL;
	mmu_notifier_range_init(&t->range, MMU_NOTIFY_CLEAR, 0, mm, t->addr,
				t->addr + PAGE_SIZE);
	mmu_notifier_invalidate_range_start(&t->range);

	pmd = mm_find_pmd(mm, t->addr);
	if (!pmd)
		return KSM_GONE;
	t->ptep = pte_offset_map_lock(mm, pmd, t->addr, &t->ptl);
	if (!t->ptep)
		return KSM_GONE;
	t->old = ptep_get(t->ptep);
	if (!pte_present(t->old) || pte_pfn(t->old) != page_to_pfn(t->page))
		return KSM_GONE;

	flush_cache_page(t->vma, t->addr, pte_pfn(t->old));
	if (ksm_busted(KSM_FAULT_FLUSH))	/* see finish() */
		t->old = ptep_get_and_clear(mm, t->addr, t->ptep);
	else
		t->old = ptep_clear_flush(t->vma, t->addr, t->ptep);
	/* What was written until now has to be seen by the comparison. */
	ksm_flush_page(t->vma, t->page, t->addr);
	/*
	 * GUP-fast takes its reference before it reads the entry again: it
	 * sees the entry gone, or we see its reference.
	 */
	smp_mb();
	if (held_by_nobody_else(folio))
		return KSM_DONE;
	give_back(t);
	return KSM_BUSY;
}

/* The last step before an entry is shared; fails if GUP pinned the page. */
static bool make_shared(struct page *page)
{
	return !PageAnonExclusive(page) ||
	       !folio_try_share_anon_rmap_pte(page_folio(page), page);
}

/**
 * ksm_pte_inherit - keep the bits of an entry that user space may watch
 * @new: another entry in its place
 * @old: what it was
 *
 * Return: @new, with those bits of @old.
 */
pte_t ksm_pte_inherit(pte_t new, pte_t old)
{
	if (pte_soft_dirty(old))
		new = pte_mksoft_dirty(new);
	if (pte_uffd_wp(old))
		new = pte_mkuffd_wp(new);
	return new;
}

static pte_t shared_pte(struct taken *t, struct page *page)
{
	pte_t pte = mk_pte(page, t->vma->vm_page_prot);

	if (ksm_busted(KSM_FAULT_PROTECT) && (t->vma->vm_flags & VM_WRITE))
		pte = pte_mkwrite(pte_mkdirty(pte), t->vma);
	else
		pte = pte_mkclean(pte_wrprotect(pte));
	return ksm_pte_inherit(pte, t->old);
}

/**
 * ksm_page_same - may one page take the place of the other?
 * @one:   a page that does not change
 * @other: another one
 *
 * An architecture may have more in a page than its bytes: pages_identical()
 * knows of the tags of arm64.
 *
 * Return: true if they are equal.
 */
bool ksm_page_same(struct page *one, struct page *other)
{
	const void *a, *b;
	bool same;

	if (ksm_busted(KSM_FAULT_COMPARE))
		return true;
	a = kmap_local_page(one);
	b = kmap_local_page(other);
	same = ksm_content_same(a, b);
	kunmap_local(b);
	kunmap_local(a);
	if (same && IS_ENABLED(CONFIG_ARM64_MTE))
		same = pages_identical(one, other);
	return same;
}

/* The page lost the mapping that was taken out. */
static void drop_mapping(struct taken *t)
{
	struct folio *folio = page_folio(t->page);

	/* Other mappings of it may rely on what this one knew. */
	if (pte_dirty(t->old))
		folio_mark_dirty(folio);
	folio_remove_rmap_pte(folio, t->page, t->vma);
	if (!folio_mapped(folio))
		folio_free_swap(folio);
	folio_put(folio);
}

static void map_ksm_page(struct taken *t, struct folio *kfolio)
{
	struct page *kpage = folio_page(kfolio, 0);

	folio_get(kfolio);
	/*
	 * MADV_FREE by the only one who mapped it so far may have made it
	 * clean and disposable.  Reclaim keeps a dirty page.
	 */
	folio_mark_dirty(kfolio);
	if (ksm_busted(KSM_FAULT_REFERENCE))
		folio_get(kfolio);
	folio_add_anon_rmap_pte(kfolio, kpage, t->vma, t->addr, RMAP_NONE);
	set_pte_at(t->vma->vm_mm, t->addr, t->ptep, shared_pte(t, kpage));
}

static void map_zero_page(struct taken *t)
{
	pte_t pte = pfn_pte(my_zero_pfn(t->addr), t->vma->vm_page_prot);

	/* Dirty is how is_ksm_zero_pte() knows it from other zero pages. */
	pte = pte_mkdirty(pte_mkspecial(pte_wrprotect(pte)));
	/* Which is not a write that user space was to know of. */
	pte = pte_clear_soft_dirty(pte);
	ksm_map_zero_page(t->vma->vm_mm);
	dec_mm_counter(t->vma->vm_mm, MM_ANONPAGES);
	pte = ksm_pte_inherit(pte, t->old);
	set_pte_at(t->vma->vm_mm, t->addr, t->ptep, pte);
}

/* Replace @page, locked and held once, by @kfolio or by the zero page. */
static enum ksm_result replace(struct vm_area_struct *vma, unsigned long addr,
			       struct page *page, struct folio *kfolio)
{
	struct taken t = { .vma = vma, .addr = addr, .page = page };
	struct page *by = kfolio ? folio_page(kfolio, 0) :
				   pfn_to_page(my_zero_pfn(addr));
	enum ksm_result result = take_out(&t);

	if (result == KSM_DONE) {
		if (!ksm_page_same(page, by))
			result = KSM_DIFFERENT;
		else if (!make_shared(page))
			result = KSM_BUSY;
		if (result != KSM_DONE)
			give_back(&t);
	}
	if (result == KSM_DONE) {
		if (kfolio)
			map_ksm_page(&t, kfolio);
		else
			map_zero_page(&t);
		drop_mapping(&t);
	}
	finish(&t);
	return result;
}

static const int result_errno[] = {
	[KSM_DONE]	= 0,
	[KSM_DIFFERENT]	= -EFAULT,
	[KSM_GONE]	= -ESTALE,
	[KSM_BUSY]	= -EBUSY,
	[KSM_RETRY]	= -EAGAIN,
	[KSM_NOMEM]	= -ENOMEM,
};

static enum ksm_result zero_pinned(struct vm_area_struct *vma,
				   unsigned long addr, struct page *page)
{
	enum ksm_result result;

	if (!ksm_vma_takes_zero_page(vma) ||
	    !ksm_page_same(page, pfn_to_page(my_zero_pfn(addr))))
		return KSM_DIFFERENT;
	result = lock_alone(vma->vm_mm, page);
	if (result != KSM_DONE)
		return result;
	result = replace(vma, addr, page, NULL);
	folio_unlock(page_folio(page));
	return result;
}

/**
 * ksm_merge_zero - put the zero page in the place of a page of zeroes
 * @item: of the page; in no tree, attached to nothing
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: KSM_DONE, KSM_DIFFERENT, KSM_GONE or KSM_BUSY.
 */
enum ksm_result ksm_merge_zero(struct ksm_rmap_item *item)
{
	unsigned long addr = item->address & PAGE_MASK;
	struct mm_struct *mm = item->slot->mm;
	enum ksm_result result = KSM_GONE;
	struct vm_area_struct *vma;
	struct page *page;

	mmap_read_lock(mm);
	vma = mergeable_vma(item->slot, addr);
	page = vma ? pin_page(vma, addr, item->pfn) : NULL;
	if (page) {
		result = zero_pinned(vma, addr, page);
		put_page(page);
	}
	mmap_read_unlock(mm);
	trace_ksm_merge_one_page(item, mm, my_zero_pfn(addr),
				 result_errno[result]);
	return result;
}

/* Both pages held; compare before anybody is disturbed. */
static enum ksm_result merge_pinned(struct vm_area_struct *vma,
				    struct ksm_rmap_item *item,
				    struct page *page,
				    struct ksm_stable_node *node,
				    struct folio *kfolio)
{
	unsigned long addr = item->address & PAGE_MASK;
	struct page *kpage = folio_page(kfolio, 0);
	enum ksm_result result;

	/* Not even to be read. */
	if (!ksm_folio_readable(kfolio))
		return KSM_RETRY;
	/* It may have been migrated since its node was looked up. */
	if (ksm_page_nid(page_to_pfn(page)) != ksm_page_nid(folio_pfn(kfolio)))
		return KSM_RETRY;
	if (!ksm_page_same(page, kpage))
		return KSM_DIFFERENT;
	result = lock_alone(vma->vm_mm, page);
	if (result != KSM_DONE)
		return result;
	result = replace(vma, addr, page, kfolio);
	folio_unlock(page_folio(page));
	if (result == KSM_DONE)
		ksm_node_attach(node, kfolio, item, vma->anon_vma,
				linear_page_index(vma, addr));
	return result;
}

/**
 * ksm_merge_into - put a KSM page in the place of a page
 * @item:   of the page; in no tree, attached to nothing
 * @node:   of the KSM page
 * @kfolio: the KSM page, with a reference
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: KSM_DONE, with @item attached; KSM_DIFFERENT, KSM_GONE, KSM_BUSY or
 * KSM_RETRY.
 */
enum ksm_result ksm_merge_into(struct ksm_rmap_item *item,
			       struct ksm_stable_node *node,
			       struct folio *kfolio)
{
	unsigned long addr = item->address & PAGE_MASK;
	struct mm_struct *mm = item->slot->mm;
	unsigned long pfn = item->pfn;
	enum ksm_result result = KSM_GONE;
	struct vm_area_struct *vma;
	struct page *page = NULL;

	mmap_read_lock(mm);
	vma = mergeable_vma(item->slot, addr);
	if (vma)
		page = pin_page(vma, addr, pfn);
	if (page) {
		folio_lock(kfolio);
		if (READ_ONCE(kfolio->mapping) == ksm_node_mapping(node))
			result = merge_pinned(vma, item, page, node, kfolio);
		else
			result = KSM_RETRY;
		folio_unlock(kfolio);
		put_page(page);
	}
	mmap_read_unlock(mm);
	trace_ksm_merge_with_ksm_page(item, mm, pfn, folio_page(kfolio, 0),
				      result_errno[result]);
	return result;
}

/* Write-protect a locked page where it is, and make it the page of @node. */
static enum ksm_result promote_itself(struct vm_area_struct *vma,
				      struct ksm_rmap_item *item,
				      struct page *page,
				      struct ksm_stable_node *node)
{
	unsigned long addr = item->address & PAGE_MASK;
	struct taken t = { .vma = vma, .addr = addr, .page = page };
	struct folio *folio = page_folio(page);
	enum ksm_result result = take_out(&t);

	if (result == KSM_DONE && !make_shared(page)) {
		give_back(&t);
		result = KSM_BUSY;
	}
	if (result == KSM_DONE) {
		ksm_node_bind(node, folio);
		set_pte_at(vma->vm_mm, addr, t.ptep, shared_pte(&t, page));
	}
	finish(&t);
	if (result == KSM_DONE)
		ksm_node_attach(node, folio, item, vma->anon_vma,
				linear_page_index(vma, addr));
	return result;
}

/* A copy of @page to become a KSM page: locked, charged, not on the LRU yet */
static struct folio *make_copy(struct vm_area_struct *vma, unsigned long addr,
			       struct page *page)
{
	struct folio *copy;

	/* The node of the page is part of its key. */
	copy = __folio_alloc_node(GFP_HIGHUSER_MOVABLE | __GFP_THISNODE |
				  __GFP_NORETRY | __GFP_NOWARN, 0,
				  page_to_nid(page));
	if (!copy)
		return NULL;
	/* Nobody is to be killed for it where a control group is full. */
	if (mem_cgroup_charge(copy, vma->vm_mm, GFP_KERNEL | __GFP_NORETRY) ||
	    copy_mc_user_highpage(folio_page(copy, 0), page, addr, vma)) {
		folio_put(copy);
		return NULL;
	}
	__folio_set_locked(copy);
	__folio_set_swapbacked(copy);
	__folio_mark_uptodate(copy);
	return copy;
}

/* Map a new KSM page in the place of a locked page. */
static enum ksm_result promote_copy(struct vm_area_struct *vma,
				    struct ksm_rmap_item *item,
				    struct page *page,
				    struct ksm_stable_node *node)
{
	unsigned long addr = item->address & PAGE_MASK;
	struct folio *copy = make_copy(vma, addr, page);
	enum ksm_result result;

	if (!copy)
		return KSM_NOMEM;
	ksm_node_bind(node, copy);
	result = replace(vma, addr, page, copy);
	if (result == KSM_DONE) {
		ksm_node_attach(node, copy, item, vma->anon_vma,
				linear_page_index(vma, addr));
		folio_add_lru(copy);
	} else {
		WRITE_ONCE(copy->mapping, NULL);
	}
	folio_unlock(copy);
	folio_put(copy);
	return result;
}

static enum ksm_result promote_pinned(struct vm_area_struct *vma,
				      struct ksm_rmap_item *item,
				      struct page *page,
				      struct ksm_stable_node *node,
				      struct page *like)
{
	enum ksm_result result;

	if (!ksm_page_same(page, like))
		return KSM_DIFFERENT;
	result = lock_alone(vma->vm_mm, page);
	if (result != KSM_DONE)
		return result;
	/*
	 * A page that relatives map, too, is copied.  They may not be
	 * registered, and then nothing would lead the reverse map to them once
	 * this mapping is gone.  And fork() flushes the parent's TLBs only
	 * after the child can be merged: a store through a stale entry would
	 * go to the KSM page.
	 */
	if (folio_mapcount(page_folio(page)) > 1)
		result = promote_copy(vma, item, page, node);
	else
		result = promote_itself(vma, item, page, node);
	folio_unlock(page_folio(page));
	return result;
}

/* Split the large folio of a page that the caller alone holds. */
static bool part(struct mm_struct *mm, struct page *page)
{
	bool done;

	if (!folio_trylock(page_folio(page)))
		return false;
	done = split(mm, page);
	folio_unlock(page_folio(page));
	return done;
}

/**
 * ksm_merge_promote - make a page a KSM page
 * @item: of the page; in no tree, attached to nothing
 * @node: belongs to no page yet
 * @like: another page, held, that is to be merged with it afterwards; if they
 *	  differ already, nothing is done
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: KSM_DONE, with @item attached; KSM_DIFFERENT, KSM_GONE, KSM_BUSY or
 * KSM_NOMEM.
 */
enum ksm_result ksm_merge_promote(struct ksm_rmap_item *item,
				  struct ksm_stable_node *node,
				  struct page *like)
{
	unsigned long addr = item->address & PAGE_MASK;
	struct mm_struct *mm = item->slot->mm;
	unsigned long pfn = item->pfn;
	enum ksm_result result = KSM_GONE;
	struct vm_area_struct *vma;
	struct page *page;

	mmap_read_lock(mm);
	vma = mergeable_vma(item->slot, addr);
	page = vma ? pin_page(vma, addr, pfn) : NULL;
	if (page && page_folio(page) == page_folio(like)) {
		/* Two references would keep their folio from being split. */
		put_page(page);
		page = NULL;
		result = KSM_BUSY;
		if (part(mm, like))
			page = pin_page(vma, addr, pfn);
	}
	if (page) {
		result = promote_pinned(vma, item, page, node, like);
		put_page(page);
	}
	mmap_read_unlock(mm);
	trace_ksm_merge_with_ksm_page(item, mm, pfn, NULL,
				      result_errno[result]);
	return result;
}

/**
 * ksm_merge_join - attach a mapping of a KSM page that came by itself
 * @item:  of the mapping; in no tree, attached to nothing
 * @nodep: set to the node if the result is KSM_DONE
 *
 * By fork, or by swapping in.  max_page_sharing is for merges: this mapping
 * exists, and to make it private would take memory.
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: KSM_DONE, with @item attached; KSM_GONE; or KSM_DIFFERENT if the KSM
 * page has no node any more, or one that is in no tree.
 */
enum ksm_result ksm_merge_join(struct ksm_rmap_item *item,
			       struct ksm_stable_node **nodep)
{
	unsigned long addr = item->address & PAGE_MASK;
	enum ksm_result result = KSM_GONE;
	struct ksm_stable_node *node;
	struct vm_area_struct *vma;
	struct folio *folio;
	struct page *page;

	mmap_read_lock(item->slot->mm);
	vma = mergeable_vma(item->slot, addr);
	page = vma ? pin_page(vma, addr, item->pfn) : NULL;
	if (!page)
		goto out;
	folio = page_folio(page);
	folio_lock(folio);
	if (folio_test_ksm(folio)) {
		node = ksm_folio_node(folio);
		/* One without a chain was to be made private again. */
		if (node && node->chain) {
			ksm_node_attach(node, folio, item, vma->anon_vma,
					linear_page_index(vma, addr));
			*nodep = node;
			result = KSM_DONE;
		} else {
			result = KSM_DIFFERENT;
		}
	}
	folio_unlock(folio);
	put_page(page);
out:
	mmap_read_unlock(item->slot->mm);
	return result;
}
