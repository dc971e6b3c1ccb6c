/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KSM on one page: the objects, the locks and who may call whom.
 *
 * The life of a page
 *
 *	walk.c goes over the page tables; slice.c sees an entry, and judge.c asks
 *	state.c what to think of it:
 *
 *	  new, changed ---> fingerprint.c takes its probe, filter.c counts it
 *	  unchanged    ---> nothing, unless the filter knows its like
 *	  volatile     ---> left alone for a while
 *
 *	An unchanged page with a like is a candidate.  match.c looks for the
 *	like: in the stable tree among the KSM pages, then in the unstable tree
 *	among other candidates.  merge.c compares the bytes with the page taken
 *	out of the page table, and maps the KSM page in its place.
 *
 * Objects
 *
 *	ksm_slot	one registered mm
 *	ksm_table	where the chunks of 512 neighbouring pages of it are
 *	ksm_chunk	the state words of 16 neighbouring pages of an mm
 *	ksm_rmap_item	one page of an mm that is in one of the trees
 *	ksm_stable_node	one KSM page and the list of its mappings
 *	ksm_chain	the KSM pages (dups) that have one key
 *
 * Lock order, outermost first
 *
 *	mem_hotplug_lock, cpus_read_lock
 *	  ksm_scan_mutex
 *	    mmap_lock			one at a time, never two
 *	      folio lock		a second one only by trylock
 *	        anon_vma
 *	          page table lock
 *	  registry_lock		a leaf
 *
 *	ksm_scan_mutex	protects the trees, the state words, the filter, the
 *			counters and the cursor.  Held by ksmd for one batch
 *			and by those who write run, advisor_mode, use_zero_pages
 *			or a knob that answers EBUSY.
 *			Never taken in page faults, reclaim or exit.
 *	folio lock	of a KSM folio: its node's list of rmap_items and
 *			whether they have a slot, the node's pfn and
 *			folio->mapping.  This is all that rmap, migration and
 *			memory failure hold when they come.
 *	registry_lock  the list and hash of slots, and ksm_cursor.slot.
 *
 *	Nothing under ksm_scan_mutex may take cpus_read_lock.
 *
 * What must hold, or memory is corrupted
 *
 *	- No byte is merged on a key: see ksm_merge_into().
 *	- A KSM folio is of order 0, not exclusive, dirty, on the LRU, mapped by
 *	  read-only clean entries only, and carries no reference of ours.
 *	- A node is believed only with a reference on its folio and
 *	  folio->mapping read again after that: see ksm_node_get_folio().
 *	- rmap_walk_ksm() finds each mapping that was attached, and its forks.
 *	- After ksm_exit() nobody touches the page tables of that mm.
 *	- Losing any object above loses savings, never data.
 */
#ifndef _MM_KSM_INTERNAL_H
#define _MM_KSM_INTERNAL_H

#include <linux/hashtable.h>
#include <linux/highmem.h>
#include <linux/ksm.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rmap.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "busted.h"
#include "filter.h"
#include "fingerprint.h"
#include "item.h"
#include "pace.h"
#include "state.h"

/**
 * struct ksm_slot - one registered mm
 * @mm:		holds a reference by mm_count; never NULL
 * @hash:	by mm; registry_lock
 * @list:	all slots in the order of the scan, or those whose mm has
 *		exited; registry_lock
 * @uncounted:	slots whose keys a new filter does not have yet, see recount.c;
 *		registry_lock
 * @tables:	struct ksm_table by address; changed under ksm_scan_mutex only
 * @recent:	the last one found there
 * @bytes:	memory of the tables, their chunks and the rmap_items
 * @seen_epoch:	what the filter's epoch was when this mm's last scan began
 * @seen_room:	the same for ksm_stable_room_epoch
 * @exit_nr:	its place among those that have exited; registry_lock
 * @forks_until: number of the pass after which those that it forked were all
 *		visited; written under the mmap_lock held for writing
 * @forked:	1 if it has forked since its walk began; set under the mmap_lock
 *		held for writing
 * @exited:	its mm has, but ksmd was there: to be put on the other list when
 *		the cursor moves on; registry_lock
 * @dead:	exec gave this mm up half way: let go of it; written under the
 *		mmap_lock held for writing
 */
struct ksm_slot {
	struct mm_struct *mm;
	struct hlist_node hash;
	struct list_head list;
	struct list_head uncounted;
	struct rb_root tables;
	struct ksm_table *recent;
	unsigned long bytes;
	unsigned long seen_epoch;
	unsigned long seen_room;
	unsigned long exit_nr;
	unsigned long forks_until;
	unsigned int forked;
	bool exited;
	bool dead;
};

/* Nobody but exit may touch its page tables; checked under mmap_lock. */
static inline bool ksm_slot_exiting(const struct ksm_slot *slot)
{
	return READ_ONCE(slot->dead) || !atomic_read(&slot->mm->mm_users);
}

#define KSM_CHUNK_PAGES		16
#define KSM_CHUNK_SHIFT		(PAGE_SHIFT + 4)
#define KSM_CHUNK_BYTES		BIT(KSM_CHUNK_SHIFT)

/**
 * struct ksm_chunk - the state words of KSM_CHUNK_PAGES neighbouring pages
 * @word: what is known of each page, see state.h
 */
struct ksm_chunk {
	u64 word[KSM_CHUNK_PAGES];
};

#define KSM_TABLE_CHUNKS	32
#define KSM_TABLE_PAGES		(KSM_TABLE_CHUNKS * KSM_CHUNK_PAGES)
#define KSM_TABLE_BYTES		((unsigned long)KSM_TABLE_PAGES << PAGE_SHIFT)

/**
 * struct ksm_table - where the chunks of KSM_TABLE_PAGES neighbouring pages are
 * @rb:	   place in ksm_slot.tables
 * @addr:  of the first page; a multiple of KSM_TABLE_BYTES
 * @chunk: in the order of address; NULL where nothing is known
 */
struct ksm_table {
	struct rb_node rb;
	unsigned long addr;
	struct ksm_chunk *chunk[KSM_TABLE_CHUNKS];
};

static inline bool ksm_chunk_empty(const struct ksm_chunk *chunk)
{
	return !memchr_inv(chunk, 0, sizeof(*chunk));
}

/**
 * struct ksm_chain - the KSM pages of one key
 * @rb:		place in the stable tree
 * @key:	immutable
 * @dups:	its nodes, those with room for a mapping first
 * @nr_dups:	how many
 * @pruned:	when ksm_chain_prune() last looked, in jiffies
 */
struct ksm_chain {
	struct rb_node rb;
	struct ksm_key key;
	struct list_head dups;
	unsigned int nr_dups;
	unsigned long pruned;
};

/* More different contents than this under one key stay unmerged. */
#define KSM_MAX_CONTENTS	4

/**
 * struct ksm_stable_node - one KSM page
 * @chain:	where it belongs; NULL while it is in no tree
 * @dup:	place in ksm_chain.dups
 * @items:	its mappings and orphans, see orphan.c; folio lock
 * @check:	place in the list of nodes without a known mapping, see node.c
 * @pfn:	its page; changed under the folio lock, read without
 * @nr_items:	how many of @items are mappings
 * @moves:	how often the page was migrated; folio lock, read without
 * @content:	which of the chain's contents: nodes of one chain differ in this
 *		if two contents happen to have the same probe and digest
 * @nid:	the NUMA node its key was made for
 */
struct ksm_stable_node {
	struct ksm_chain *chain;
	struct list_head dup;
	struct hlist_head items;
	struct list_head check;
	unsigned long pfn;
	unsigned int nr_items;
	unsigned int moves;
	u8 content;
	short nid;
};

/* What became of an attempt */
enum ksm_result {
	KSM_DONE,	/* it worked */
	KSM_DIFFERENT,	/* the bytes differ */
	KSM_GONE,	/* the page is no longer there */
	KSM_BUSY,	/* somebody holds it or its lock: later */
	KSM_RETRY,	/* not now, though nobody holds it: later */
	KSM_NOMEM,	/* no memory for our own objects: later */
};

/* tunables.c: the knobs, their defaults and units */
#define KSM_RUN_STOP	0UL
#define KSM_RUN_MERGE	1UL
#define KSM_RUN_UNMERGE	2UL
#define KSM_RUN_OFFLINE	4UL	/* memory is going offline: all wait */

extern unsigned long ksm_run;
extern unsigned int ksm_pages_to_scan;
extern unsigned int ksm_sleep_ms;
extern unsigned int ksm_max_page_sharing;
extern unsigned int ksm_prune_ms;
extern bool ksm_merge_across_nodes;
extern bool ksm_use_zero_pages;
extern bool ksm_smart_scan;

enum ksm_advisor_mode {
	KSM_ADVISOR_NONE,
	KSM_ADVISOR_SCAN_TIME,
};

extern enum ksm_advisor_mode ksm_advisor_mode;
extern unsigned int ksm_advisor_max_cpu;
extern unsigned long ksm_advisor_min_pages;
extern unsigned long ksm_advisor_max_pages;
extern unsigned long ksm_advisor_target_s;

#define KSM_DEFAULT_PAGES_TO_SCAN	100

/**
 * struct ksm_counters - every statistic; written under ksm_scan_mutex
 * @shared:	KSM pages that have a mapping
 * @sharing:	further mappings of them, so the pages saved
 * @unshared:	pages that were unchanged when last seen, but unique
 * @tracked:	pages with a state word
 * @scanned:	pages whose content was read
 * @skipped:	pages passed over because nothing said they had changed
 * @chains:	chains of two or more dups
 * @dups:	nodes in those chains
 * @full_scans:	passes over everything since boot or since run was set to 2
 * @bytes:	memory held by all our objects
 * @collisions:	candidates given up because their key had KSM_MAX_CONTENTS
 * @scan_pages:	pages looked at in this pass; after it, in the last one
 * @scan_ms:	milliseconds from the begin to the end of the last pass
 * @thp_split:	large folios that were split, so that a page could be merged
 * @thp_kept:	times that one was to be split, but was in use elsewhere
 */
struct ksm_counters {
	unsigned long shared;
	unsigned long sharing;
	unsigned long unshared;
	unsigned long tracked;
	unsigned long scanned;
	unsigned long skipped;
	unsigned long chains;
	unsigned long dups;
	unsigned long full_scans;
	unsigned long bytes;
	unsigned long collisions;
	unsigned long scan_pages;
	unsigned long scan_ms;
	unsigned long thp_split;
	unsigned long thp_kept;
};

/* May one more page be merged into that of the node? */
static inline bool ksm_node_has_room(const struct ksm_stable_node *node)
{
	return node->nr_items < READ_ONCE(ksm_max_page_sharing);
}

/*
 * Will ksmd come by?  With a batch of nothing it does not, as if it were told
 * to stop.
 */
static inline bool ksm_scanning(void)
{
	return (READ_ONCE(ksm_run) & KSM_RUN_MERGE) &&
	       READ_ONCE(ksm_pages_to_scan);
}

/* counters.c */
extern struct mutex ksm_scan_mutex;
extern struct ksm_counters ksm_counters;
extern atomic_long_t ksm_slot_bytes;
void ksm_account(struct ksm_slot *slot, long bytes);

/* A failed allocation means that a page is skipped, so do not try hard. */
#define KSM_GFP_TRACK	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/**
 * ksm_count - change a counter
 * @counter: one of ksm_counters, or a counter of an mm that only we write
 * @by: what to add
 *
 * Context: ksm_scan_mutex held; readers take no lock.
 */
static inline void ksm_count(unsigned long *counter, long by)
{
	WRITE_ONCE(*counter, *counter + by);
}

long ksm_general_profit(void);

/* domain.c */
u64 ksm_scope(const struct mm_struct *mm, int nid);
u64 ksm_probe_of_zero_page(const struct mm_struct *mm, unsigned long pfn);
int ksm_page_nid(unsigned long pfn);

/* unstable.c */
struct ksm_rmap_item *ksm_unstable_first(u64 probe);
struct ksm_rmap_item *ksm_unstable_find(const struct ksm_key *key);
void ksm_unstable_insert(struct ksm_rmap_item *item);
void ksm_unstable_erase(struct ksm_rmap_item *item);

/* stable.c */
extern unsigned long ksm_stable_room_epoch;
bool ksm_stable_has(u64 probe);
struct ksm_chain *ksm_stable_find(const struct ksm_key *key);
struct ksm_chain *ksm_chain_alloc(const struct ksm_key *key);
void ksm_chain_free(struct ksm_chain *chain);
struct ksm_chain *ksm_stable_link(struct ksm_stable_node *node,
				  struct ksm_chain *chain);
void ksm_stable_unlink(struct ksm_stable_node *node);
void ksm_stable_resort(struct ksm_stable_node *node);
struct ksm_chain *ksm_stable_next(struct ksm_chain *chain);
struct ksm_chain *ksm_stable_after(const struct ksm_key *key);
int __init ksm_stable_init(void);

/* table.c */
struct ksm_table *ksm_table_find(struct ksm_slot *slot, unsigned long addr);
struct ksm_table *ksm_table_make(struct ksm_slot *slot, unsigned long addr);
void ksm_table_trim(struct ksm_slot *slot, struct ksm_table *table);
struct ksm_table *ksm_table_next(struct ksm_slot *slot, unsigned long addr);
struct ksm_table *ksm_table_after(struct ksm_table *table);
int __init ksm_table_init(void);

/* track.c */
u64 *ksm_track_word(struct ksm_slot *slot, unsigned long addr);
struct ksm_chunk *ksm_track_chunk(struct ksm_slot *slot, unsigned long addr,
				  bool create);
void ksm_track_chunks(struct ksm_slot *slot, unsigned long addr,
		      struct ksm_chunk **chunk, unsigned int nr);
void ksm_track_trim(struct ksm_slot *slot, unsigned long addr);
void ksm_track_set(struct ksm_slot *slot, u64 *word, u64 new);
unsigned long ksm_track_next(struct ksm_slot *slot, unsigned long addr);
void ksm_track_drop_range(struct ksm_slot *slot, unsigned long start,
			  unsigned long end,
			  bool (*detach)(struct ksm_rmap_item *item));
struct ksm_rmap_item *ksm_item_alloc(struct ksm_slot *slot, unsigned long addr);
void ksm_item_free(struct ksm_rmap_item *item);
void ksm_item_disown(struct ksm_rmap_item *item);
void ksm_item_doubt(struct ksm_rmap_item *item);
bool ksm_track_recount(struct ksm_slot *slot, unsigned long *addr,
		       unsigned int nr);
int __init ksm_track_init(void);

/* orphan.c */
void ksm_orphan_forked(struct ksm_slot *slot);
bool ksm_orphan_needed(const struct ksm_rmap_item *item, struct folio *folio);
void ksm_orphan_add(struct ksm_rmap_item *item);
void ksm_orphan_free(struct ksm_rmap_item *item);
void ksm_orphans_missed(void);
void ksm_orphans_begin_pass(void);
struct ksm_rmap_item *ksm_orphans_next(void);

/* node.c */
struct ksm_stable_node *ksm_node_alloc(void);
void ksm_node_free(struct ksm_stable_node *node);
enum ksm_result ksm_node_get_folio(struct ksm_stable_node *node,
				   struct folio **foliop);
void ksm_node_bind(struct ksm_stable_node *node, struct folio *folio);
void ksm_node_attach(struct ksm_stable_node *node, struct folio *folio,
		     struct ksm_rmap_item *item, struct anon_vma *anon_vma,
		     pgoff_t index);
bool ksm_node_detach(struct ksm_rmap_item *item);
void ksm_node_drop_orphans(unsigned long nr);
void ksm_node_forget(struct ksm_stable_node *node);
bool ksm_node_check(bool keep_cached, unsigned long nr);
void ksm_node_forget_range(unsigned long start, unsigned long end);
bool ksm_node_none_left(void);
bool ksm_node_unchecked(void);
void ksm_chain_prune(struct ksm_chain *chain);
int __init ksm_node_init(void);

static inline struct ksm_stable_node *ksm_folio_node(const struct folio *folio)
{
	return (void *)((unsigned long)READ_ONCE(folio->mapping) &
			~PAGE_MAPPING_FLAGS);
}

static inline void *ksm_node_mapping(const struct ksm_stable_node *node)
{
	return (void *)((unsigned long)node | PAGE_MAPPING_KSM);
}

/*
 * Where caches alias, what user space has written may be in lines that the
 * kernel's own mapping of the page does not see: before content is read.
 */
static inline void ksm_flush_page(struct vm_area_struct *vma, struct page *page,
				  unsigned long addr)
{
	flush_anon_page(vma, page, addr);
	flush_dcache_page(page);
}

/* merge.c */
bool ksm_vma_mergeable(const struct vm_area_struct *vma);
bool ksm_vma_takes_zero_page(const struct vm_area_struct *vma);
enum ksm_result ksm_page_digest(struct ksm_slot *slot, unsigned long addr,
				unsigned long pfn, u64 *digest);
bool ksm_folio_readable(struct folio *folio);
bool ksm_page_held(struct page *page);
bool ksm_page_same(struct page *one, struct page *other);
struct page *ksm_page_pin(struct ksm_slot *slot, unsigned long addr,
			  unsigned long pfn);
enum ksm_result ksm_merge_zero(struct ksm_rmap_item *item);
enum ksm_result ksm_merge_into(struct ksm_rmap_item *item,
			       struct ksm_stable_node *node,
			       struct folio *kfolio);
enum ksm_result ksm_merge_promote(struct ksm_rmap_item *item,
				  struct ksm_stable_node *node,
				  struct page *like);
enum ksm_result ksm_merge_join(struct ksm_rmap_item *item,
			       struct ksm_stable_node **nodep);
pte_t ksm_pte_inherit(pte_t new, pte_t old);

/* unmerge.c */
struct folio *ksm_alloc_private(struct vm_area_struct *vma, unsigned long addr);
int ksm_unmerge_range(struct vm_area_struct *vma, unsigned long start,
		      unsigned long end, bool interruptible);
int ksm_unmerge_page(struct ksm_slot *slot, unsigned long addr);

/**
 * struct ksm_cursor - where the scan is
 * @slot:	in which mm, NULL between two passes; also registry_lock
 * @addr:	the next address there
 * @swept:	below this address the state words agree with the page tables
 * @epoch:	of the filter when this mm's walk began
 * @room:	ksm_stable_room_epoch at that time
 * @mergeable:	a mergeable VMA was seen in this mm, or one may have come to be
 *		behind the cursor
 * @forked:	this mm has forked between its last walk's begin and this one's
 * @pass:	number of this pass, for things done every so many passes; read
 *		without ksm_scan_mutex by fork
 * @new_pages:	pages first seen in this pass
 * @work:	pages read, searched or merged in this pass
 */
struct ksm_cursor {
	struct ksm_slot *slot;
	unsigned long addr;
	unsigned long swept;
	unsigned long epoch;
	unsigned long room;
	bool mergeable;
	bool forked;
	unsigned long pass;
	unsigned long new_pages;
	unsigned long work;
};

/*
 * Some 6.12 define the flag with fewer bits than a long has: its complement
 * must not take the flags above with it.
 */
static inline vm_flags_t ksm_flags_unmergeable(vm_flags_t flags)
{
	return flags & ~(vm_flags_t)VM_MERGEABLE;
}

/* registry.c */
extern struct ksm_cursor ksm_cursor;
extern wait_queue_head_t ksm_wait;
struct ksm_slot *ksm_registry_next(struct ksm_slot *slot);
bool ksm_registry_empty(void);
void ksm_registry_remove(struct ksm_slot *slot);
void ksm_registry_rewind(void);
bool ksm_registry_has_exited(void);
struct ksm_slot *ksm_registry_exited(void);
void ksm_registry_pass_ended(void);
bool ksm_registry_exits_due(void);
void ksm_registry_uncount_all(void);
struct ksm_slot *ksm_registry_uncounted(void);
void ksm_registry_counted(struct ksm_slot *slot);
void ksm_registry_free(struct ksm_slot *slot);
unsigned long ksm_mm_bytes(struct mm_struct *mm);
int __init ksm_registry_init(void);

/* recount.c */
bool ksm_recounting(void);
bool ksm_recount(void);
void ksm_recount_drop(void);

/* match.c */
void ksm_match_candidate(struct ksm_slot *slot, unsigned long addr,
			 unsigned long pfn, u64 probe);
void ksm_match_join(struct ksm_slot *slot, unsigned long addr,
		    unsigned long pfn);
extern bool ksm_match_was_busy;

/* walk.c */
bool ksm_walk(unsigned long pages);
bool ksm_walk_exited(void);
int ksm_walk_unmerge_all(void);
void ksm_walk_forget_all(void);

/* hotplug.c */
#ifdef CONFIG_MEMORY_HOTREMOVE
void ksm_offline_wait(void);
#else
static inline void ksm_offline_wait(void)
{
}
#endif

/* advisor.c */
void ksm_advisor_start_scan(void);
void ksm_advisor_stop_scan(unsigned long work);
void ksm_advisor_set_mode(enum ksm_advisor_mode mode);

/* ksmd.c */
void ksmd_pace_changed(void);
int ksm_set_run(unsigned long value);
int ksm_set_max_page_sharing(unsigned int value);
int ksm_set_merge_across_nodes(bool value);
void ksm_set_use_zero_pages(bool value);

#endif /* _MM_KSM_INTERNAL_H */
