// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge of pages: each verdict by itself, then long lives of pages
 * against a model that keeps what it knows in plain variables.
 */
#include <linux/kasan.h>

#include "../triage.h"
#include "testing.h"

#define PFN	0xabcd
#define KEY	0x12345678U

static const struct ksm_observation clean = {
	.pfn = PFN, .trust = true, .smart = true,
};

static const struct ksm_observation dirty = {
	.pfn = PFN, .dirty = true, .trust = true, .smart = true,
};

static const struct ksm_observation unclear = {
	.pfn = PFN, .dirty = true, .smart = true,
};

/* State of a page, according to the documentation */
struct page_model {
	bool known;
	bool quiet;		/* unchanged at the last visit */
	bool lookup;		/* may be looked up, called or not */
	bool keyed;
	bool peeked;		/* key is what a peek saw */
	bool joint;		/* one dirty bit for several pages */
	u16 pfn;
	u32 key;
	unsigned int run;	/* visits in a row that found it written */
	unsigned int level;	/* how often it had to wait, up to 3 */
	unsigned int wait;	/* visits to wait */
};

static bool is_volatile(const struct page_model *m)
{
	return m->run == 4;
}

static void model_end_wait(struct page_model *m)
{
	m->level = 0;
	m->wait = 0;
}

/* 1, 3, then 7 visits are waited for: every 2nd, 4th, 8th is left. */
static void model_back_off(struct page_model *m)
{
	static const unsigned int waits[] = { 0, 1, 3, 7 };

	if (m->level < 3)
		m->level++;
	m->wait = waits[m->level];
}

/* 1, 3, then 4 visits are waited for if the page is volatile. */
static void model_leave_alone(struct page_model *m)
{
	static const unsigned int waits[] = { 0, 1, 3, 4 };

	if (m->level < 3)
		m->level++;
	m->wait = waits[m->level];
}

static void model_written(struct page_model *m)
{
	m->quiet = false;
	m->lookup = true;
	if (is_volatile(m)) {
		m->level = 1;
	} else {
		m->run++;
		model_end_wait(m);
	}
	if (!is_volatile(m))
		return;
	m->keyed = false;
	model_leave_alone(m);
}

/* A volatile page is peeked at, and only when it has waited long enough. */
static enum ksm_verdict model_read(struct page_model *m,
				   const struct ksm_observation *look,
				   enum ksm_verdict verdict)
{
	if (!look->smart && m->run > 2) {
		m->run = 2;
		m->peeked = false;
	}
	return is_volatile(m) && !m->quiet ? KSM_VERDICT_PEEK : verdict;
}

static enum ksm_verdict model_judge(struct page_model *m,
				    const struct ksm_observation *look)
{
	bool was_joint = m->joint;

	if (m->known && m->pfn != look->pfn && look->smart && m->quiet &&
	    m->keyed && !m->run && !m->wait) {
		m->quiet = false;
		m->pfn = look->pfn;
		m->joint = look->joint;
		return KSM_VERDICT_MOVED;
	}
	if (!m->known || m->pfn != look->pfn) {
		*m = (struct page_model){
			.known = true, .lookup = true, .pfn = look->pfn,
			.joint = look->joint,
		};
		return KSM_VERDICT_NEW;
	}
	if (look->smart && is_volatile(m) && !m->quiet && m->wait) {
		m->wait--;
		return KSM_VERDICT_DEFER;
	}
	m->joint = look->joint;
	if (!look->trust || (!look->dirty && !m->quiet))
		return model_read(m, look, KSM_VERDICT_VERIFY);
	if (!look->dirty) {
		m->run = 0;
		return look->renew ? KSM_VERDICT_VERIFY : KSM_VERDICT_UNCHANGED;
	}
	if (!m->quiet || was_joint)
		return model_read(m, look, KSM_VERDICT_PROVE);
	model_written(m);
	return is_volatile(m) ? KSM_VERDICT_DEFER : KSM_VERDICT_CHANGED;
}

static bool model_peeked(struct page_model *m, u32 peek)
{
	if (m->peeked && m->key == peek) {
		m->peeked = false;
		return true;
	}
	m->peeked = true;
	m->key = peek;
	model_leave_alone(m);
	return false;
}

static bool model_probed(struct page_model *m, enum ksm_verdict verdict,
			 u32 key)
{
	bool same = verdict == KSM_VERDICT_PEEK || (m->keyed && m->key == key);

	m->keyed = true;
	m->key = key;
	if (verdict == KSM_VERDICT_NEW || verdict == KSM_VERDICT_CHANGED)
		return true;
	if (verdict == KSM_VERDICT_MOVED) {
		if (!same) {
			model_end_wait(m);
			m->lookup = true;
		}
		return !same;
	}
	if (!same) {
		model_written(m);
		return true;
	}
	if (!m->quiet)
		model_end_wait(m);
	m->quiet = true;
	if (verdict == KSM_VERDICT_VERIFY)
		m->run = 0;
	return false;
}

static bool model_lookup_due(struct page_model *m, bool moved)
{
	if (!m->wait)
		return moved || m->lookup;
	m->wait--;
	return false;
}

/* Is the probe to be taken?  What a peek sees is @peek. */
static bool takes_probe(u64 *word, enum ksm_verdict verdict, u32 peek)
{
	bool same;

	if (verdict != KSM_VERDICT_PEEK)
		return verdict != KSM_VERDICT_UNCHANGED &&
		       verdict != KSM_VERDICT_DEFER;
	*word = ksm_state_peeked(*word, peek, &same);
	return same;
}

static void expect_word(struct kunit *test, u64 word,
			const struct page_model *m, int step)
{
	u64 flags = KSM_WORD_KNOWN | (m->quiet ? KSM_WORD_QUIET : 0) |
		    (m->lookup ? KSM_WORD_LOOKUP : 0) |
		    (m->keyed ? KSM_WORD_KEYED : 0) |
		    (m->peeked ? KSM_WORD_PEEKED : 0) |
		    (m->joint ? KSM_WORD_JOINT : 0);
	u64 fields = KSM_WORD_STREAK | KSM_WORD_WAIT | KSM_WORD_LEVEL;

	KUNIT_EXPECT_EQ_MSG(test, ksm_word_pfn(word), m->pfn, "step %d", step);
	KUNIT_EXPECT_EQ_MSG(test, ksm_word_streak(word), m->run, "step %d",
			    step);
	KUNIT_EXPECT_EQ_MSG(test, ksm_word_level(word), m->level, "step %d",
			    step);
	KUNIT_EXPECT_EQ_MSG(test, ksm_word_wait(word), m->wait, "step %d",
			    step);
	if (m->keyed || m->peeked)
		KUNIT_EXPECT_EQ_MSG(test, ksm_word_short(word), m->key,
				    "step %d", step);
	/* The flags, and nothing in the bits that have no meaning */
	KUNIT_EXPECT_EQ_MSG(test, word & 0xffff & ~fields, flags, "step %d",
			    step);
	KUNIT_EXPECT_TRUE_MSG(test, ksm_word_inline(word), "step %d", step);
	KUNIT_EXPECT_EQ_MSG(test, ksm_word_unshared(word), m->quiet, "step %d",
			    step);
}

/* One visit; the probe, or what a peek sees, is @key. */
static enum ksm_verdict visit(u64 *word, const struct ksm_observation *look,
			      u32 key)
{
	enum ksm_verdict verdict;
	bool changed;

	*word = ksm_state_judge(*word, look, &verdict);
	if (takes_probe(word, verdict, key))
		*word = ksm_state_probed(*word, verdict, key, &changed);
	return verdict;
}

/* Does triage find that there is nothing to do about a clean entry? */
static bool skips(u64 word)
{
	static const u64 no_keys;
	struct ksm_triage t = ksm_triage_init(&clean, (struct ksm_rechecks) {
		&no_keys, 58,
	});

	return ksm_triage_inline(&t, word, PFN, false, false);
}

static void state_first_visit(struct kunit *test)
{
	enum ksm_verdict verdict;
	bool changed = false;
	u64 word;

	word = ksm_state_judge(0, &clean, &verdict);
	KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_NEW);
	KUNIT_EXPECT_EQ(test, word, ksm_state_new(PFN));
	KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
	word = ksm_state_probed(word, verdict, KEY, &changed);
	KUNIT_EXPECT_TRUE(test, changed);
	KUNIT_EXPECT_EQ(test, ksm_word_short(word), KEY);
	KUNIT_EXPECT_EQ(test, ksm_word_pfn(word), PFN);
	KUNIT_EXPECT_TRUE(test, word & KSM_WORD_KEYED);

	/* Dirty or not, trusted or not: it was never seen. */
	ksm_state_judge(0, &dirty, &verdict);
	KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_NEW);
	ksm_state_judge(0, &unclear, &verdict);
	KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_NEW);
}

/* One that was quiet may have been migrated: the probe tells. */
static void expect_moved(struct kunit *test, struct ksm_observation look)
{
	u64 quiet = ksm_state_unique(ksm_state_quiet(PFN, KEY)), word = quiet;
	enum ksm_verdict verdict;
	bool changed = true;

	look.pfn ^= 1;
	word = ksm_state_judge(word, &look, &verdict);
	KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_MOVED);
	/* With the same probe it is as it was, but has to be quiet once more */
	word = ksm_state_probed(word, verdict, KEY, &changed);
	KUNIT_EXPECT_FALSE(test, changed);
	KUNIT_EXPECT_EQ(test, word,
			ksm_state_unique(ksm_state_quiet(look.pfn, KEY)) &
			~KSM_WORD_QUIET);
	visit(&word, &look, KEY);
	KUNIT_EXPECT_EQ(test, word,
			ksm_state_unique(ksm_state_quiet(look.pfn, KEY)));
	/* With another one it is another page. */
	word = ksm_state_judge(quiet, &look, &verdict);
	word = ksm_state_probed(word, verdict, KEY + 1, &changed);
	KUNIT_EXPECT_TRUE(test, changed);
	KUNIT_EXPECT_EQ(test, word, (ksm_state_quiet(look.pfn, KEY + 1)) &
			~KSM_WORD_QUIET);
}

static void state_moved(struct kunit *test)
{
	const struct ksm_observation seen[] = { clean, dirty, unclear };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(seen); i++)
		expect_moved(test, seen[i]);
}

/* Another page where none was quiet: all state is dropped. */
static void state_other_page(struct kunit *test)
{
	const struct ksm_observation seen[] = { clean, dirty, unclear };
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		for (bit = 0; bit < 16; bit++) {
			struct ksm_observation look = seen[i];
			enum ksm_verdict verdict;
			u64 word = ksm_state_quiet(PFN, KEY);
			int visits = 7;

			/* Quiet or as volatile as can be */
			while (bit % 2 && visits--)
				visit(&word, &dirty, KEY);
			/* smart_scan=0 takes no page for one that it knows. */
			look.smart = bit % 2;
			look.pfn ^= BIT(bit);
			word = ksm_state_judge(word, &look, &verdict);
			KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_NEW);
			KUNIT_EXPECT_EQ(test, word, ksm_state_new(look.pfn));
		}
	}
}

static void state_unchanged(struct kunit *test)
{
	struct ksm_observation renew = clean;
	enum ksm_verdict verdict;
	bool changed = true;
	u64 word = 0;
	int i;

	/* Two equal probes, and from then on the entry is enough. */
	KUNIT_EXPECT_EQ(test, visit(&word, &clean, KEY), KSM_VERDICT_NEW);
	KUNIT_EXPECT_EQ(test, visit(&word, &clean, KEY), KSM_VERDICT_VERIFY);
	for (i = 0; i < 20; i++) {
		word = ksm_state_judge(word, &clean, &verdict);
		KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_UNCHANGED);
		KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
		KUNIT_EXPECT_EQ(test, ksm_word_short(word), KEY);
	}

	/* Now and then the key is taken all the same. */
	renew.renew = true;
	word = ksm_state_judge(word, &renew, &verdict);
	KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_VERIFY);
	word = ksm_state_probed(word, verdict, KEY, &changed);
	KUNIT_EXPECT_FALSE(test, changed);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
	word = ksm_state_judge(word, &renew, &verdict);
	word = ksm_state_probed(word, verdict, KEY + 1, &changed);
	KUNIT_EXPECT_TRUE(test, changed);
	KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
	KUNIT_EXPECT_EQ(test, ksm_word_short(word), KEY + 1);
}

/* An entry is cleaned only for a page that has kept its probe. */
static void state_proved(struct kunit *test)
{
	enum ksm_verdict verdict;
	bool changed = true;
	u64 word = 0;

	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY), KSM_VERDICT_NEW);
	word = ksm_state_judge(word, &dirty, &verdict);
	KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_PROVE);
	KUNIT_EXPECT_FALSE(test, ksm_word_has_key(word, ~KEY));
	KUNIT_EXPECT_TRUE(test, ksm_word_has_key(word, KEY));
	word = ksm_state_probed(word, verdict, KEY, &changed);
	KUNIT_EXPECT_FALSE(test, changed);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
	KUNIT_EXPECT_TRUE(test, ksm_state_lookup_due(&word, false));
	KUNIT_EXPECT_EQ(test, visit(&word, &clean, 0), KSM_VERDICT_UNCHANGED);
	word = ksm_state_unique(word);
	KUNIT_EXPECT_TRUE(test, skips(word));

	/* A probe that was never taken is not equal to any. */
	KUNIT_EXPECT_FALSE(test, ksm_word_has_key(ksm_state_new(PFN), 0));
}

static void state_changed(struct kunit *test)
{
	u64 word = 0;
	int i;

	visit(&word, &dirty, KEY);
	for (i = 1; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY + i),
				KSM_VERDICT_PROVE);
		KUNIT_EXPECT_EQ(test, ksm_word_short(word), KEY + i);
		KUNIT_EXPECT_EQ(test, ksm_word_streak(word), i);
		KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
	}
	/* One quiet visit, and once it is seen clean it has all its lives. */
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY + 3), KSM_VERDICT_PROVE);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
	KUNIT_EXPECT_EQ(test, ksm_word_streak(word), 3);
	KUNIT_EXPECT_FALSE(test, skips(word));
	KUNIT_EXPECT_EQ(test, visit(&word, &clean, 0), KSM_VERDICT_UNCHANGED);
	KUNIT_EXPECT_EQ(test, ksm_word_streak(word), 0);
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY), KSM_VERDICT_CHANGED);
	KUNIT_EXPECT_EQ(test, ksm_word_streak(word), 1);
}

/* Written where no probe looks: cleaned every other time, up to four times. */
static void state_deceiving(struct kunit *test)
{
	u64 word = 0;
	int i;

	visit(&word, &dirty, KEY);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY),
				KSM_VERDICT_PROVE);
		KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
		KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY),
				i < 3 ? KSM_VERDICT_CHANGED :
					KSM_VERDICT_DEFER);
		KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
	}
	KUNIT_EXPECT_EQ(test, ksm_word_wait(word), 1);
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY), KSM_VERDICT_DEFER);
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY), KSM_VERDICT_PEEK);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY),
				KSM_VERDICT_DEFER);
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY), KSM_VERDICT_PEEK);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
	/* Now it is known for that: cleaned once in ten visits. */
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY), KSM_VERDICT_DEFER);
	for (i = 0; i < 9; i++) {
		KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
		visit(&word, &dirty, KEY);
	}
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
}

/* A page that is always written: a peek after 1, 3, then always 4 visits */
static void state_volatile(struct kunit *test)
{
	static const int gaps[] = { 1, 3, 4, 4, 4, 4 };
	unsigned int i;
	u64 word = 0;
	u32 key = KEY;
	int gap;

	for (i = 0; i < 5; i++)
		visit(&word, &dirty, ++key);
	KUNIT_EXPECT_EQ(test, ksm_word_streak(word), KSM_STREAK_VOLATILE);
	for (i = 0; i < ARRAY_SIZE(gaps); i++) {
		for (gap = 0; gap < gaps[i]; gap++) {
			KUNIT_EXPECT_TRUE(test, ksm_word_defers(word));
			KUNIT_EXPECT_EQ(test, visit(&word, &dirty, ++key),
					KSM_VERDICT_DEFER);
		}
		KUNIT_EXPECT_FALSE(test, ksm_word_defers(word));
		KUNIT_EXPECT_EQ(test, visit(&word, &dirty, ++key),
				KSM_VERDICT_PEEK);
		KUNIT_EXPECT_FALSE(test, word & KSM_WORD_KEYED);
		KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
	}
	/* Two equal peeks end all this. */
	for (gap = 0; gap < 9; gap++) {
		KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
		visit(&word, &dirty, KEY);
	}
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY), KSM_VERDICT_PEEK);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
	KUNIT_EXPECT_EQ(test, ksm_word_short(word), KEY);
	KUNIT_EXPECT_TRUE(test, ksm_state_lookup_due(&word, false));
	KUNIT_EXPECT_EQ(test, visit(&word, &clean, KEY), KSM_VERDICT_UNCHANGED);
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY), KSM_VERDICT_CHANGED);
}

/* If the entry is not trusted, the probe decides. */
static void state_untrusted(struct kunit *test)
{
	enum ksm_verdict verdict = KSM_VERDICT_NEW;
	bool changed = true;
	u64 word = 0;
	u32 key = KEY;
	int i;

	visit(&word, &unclear, key);
	for (i = 0; i < 10; i++) {
		word = ksm_state_judge(word, &unclear, &verdict);
		KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_VERIFY);
		word = ksm_state_probed(word, verdict, key, &changed);
		KUNIT_EXPECT_FALSE(test, changed);
		KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
	}
	for (i = 0; i < 4; i++) {
		word = ksm_state_judge(word, &unclear, &verdict);
		KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_VERIFY);
		word = ksm_state_probed(word, verdict, ++key, &changed);
		KUNIT_EXPECT_TRUE(test, changed);
		KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
	}
	/* Volatile by now, and to be waited for; then it is peeked at. */
	KUNIT_EXPECT_EQ(test, visit(&word, &unclear, ++key), KSM_VERDICT_DEFER);
	KUNIT_EXPECT_EQ(test, visit(&word, &unclear, ++key), KSM_VERDICT_PEEK);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, visit(&word, &unclear, key),
				KSM_VERDICT_DEFER);
	KUNIT_EXPECT_EQ(test, visit(&word, &unclear, key), KSM_VERDICT_PEEK);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
	/* If the peek was mistaken, the wait is a long one. */
	KUNIT_EXPECT_EQ(test, visit(&word, &unclear, ++key),
			KSM_VERDICT_VERIFY);
	KUNIT_EXPECT_EQ(test, ksm_word_wait(word), 3);
	KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
}

/* However often a page changed, an equal probe ends it. */
static void state_not_smart(struct kunit *test)
{
	struct ksm_observation not_smart = unclear;
	enum ksm_verdict verdict;
	bool changed = true;
	u64 word = 0;
	u32 key = KEY;
	int i, changes;

	/* Volatile, with a wait, when smart_scan is switched off */
	for (i = 0; i < 8; i++)
		visit(&word, &unclear, ++key);
	KUNIT_EXPECT_EQ(test, ksm_word_streak(word), KSM_STREAK_VOLATILE);

	not_smart.smart = false;
	for (changes = 1; changes < 12; changes++) {
		for (i = 0; i < changes; i++) {
			word = ksm_state_judge(word, &not_smart, &verdict);
			KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_VERIFY);
			word = ksm_state_probed(word, verdict, ++key, &changed);
			KUNIT_EXPECT_TRUE(test, changed);
		}
		word = ksm_state_judge(word, &not_smart, &verdict);
		word = ksm_state_probed(word, verdict, key, &changed);
		KUNIT_EXPECT_FALSE_MSG(test, changed, "%d changes", changes);
		KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
		KUNIT_EXPECT_EQ(test, ksm_word_streak(word), 0);
		KUNIT_EXPECT_EQ(test, ksm_word_wait(word), 0);
	}
}

/* A huge page that is split passes its dirty bit on to all its pages. */
static void state_joint_bit(struct kunit *test)
{
	struct ksm_observation joint = clean, written = dirty;
	enum ksm_verdict verdict;
	bool changed;
	u64 word = 0;

	joint.joint = true;
	visit(&word, &joint, KEY);
	visit(&word, &joint, KEY);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));

	word = ksm_state_judge(word, &written, &verdict);
	KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_PROVE);
	word = ksm_state_probed(word, verdict, KEY, &changed);
	KUNIT_EXPECT_FALSE(test, changed);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
	KUNIT_EXPECT_EQ(test, ksm_word_streak(word), 0);

	/* Once only: from here on the bit is its own. */
	word = ksm_state_judge(word, &written, &verdict);
	KUNIT_EXPECT_EQ(test, verdict, KSM_VERDICT_CHANGED);
}

/* When an unchanged page may look for a duplicate */
static void state_lookups(struct kunit *test)
{
	static const int dues[] = { 2, 4, 8, 8, 8 };
	u64 word = ksm_state_quiet(PFN, KEY);
	unsigned int i;
	int visits;

	KUNIT_EXPECT_TRUE(test, ksm_state_lookup_due(&word, false));
	word = ksm_state_unique(word);
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_FALSE(test, ksm_state_lookup_due(&word, false));
	KUNIT_EXPECT_TRUE(test, ksm_state_lookup_due(&word, true));

	/* A failure is tried again later, moved or not. */
	for (i = 0; i < ARRAY_SIZE(dues); i++) {
		word = ksm_state_failed(word);
		for (visits = 1; visits < dues[i]; visits++) {
			KUNIT_EXPECT_FALSE(test,
					   ksm_state_lookup_due(&word, true));
			KUNIT_EXPECT_EQ(test, visit(&word, &clean, KEY),
					KSM_VERDICT_UNCHANGED);
		}
		KUNIT_EXPECT_TRUE(test, ksm_state_lookup_due(&word, false));
	}
	KUNIT_EXPECT_EQ(test, ksm_word_short(word), KEY);
	KUNIT_EXPECT_EQ(test, ksm_word_pfn(word), PFN);
	word = ksm_state_unique(word);
	KUNIT_EXPECT_EQ(test, ksm_word_level(word), 0);
}

/* Extra references are often gone soon. */
static void state_held(struct kunit *test)
{
	static const int dues[] = { 1, 4, 8, 8 };
	u64 word = ksm_state_quiet(PFN, KEY);
	unsigned int i;
	int visits;

	for (i = 0; i < ARRAY_SIZE(dues); i++) {
		word = ksm_state_held(word);
		for (visits = 1; visits < dues[i]; visits++)
			KUNIT_EXPECT_FALSE(test,
					   ksm_state_lookup_due(&word, true));
		KUNIT_EXPECT_TRUE(test, ksm_state_lookup_due(&word, false));
	}
	KUNIT_EXPECT_EQ(test, ksm_word_short(word), KEY);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
}

/* A write after a failure: not only its wait is over, its level is, too. */
static void state_failure_forgotten(struct kunit *test)
{
	u64 word = ksm_state_quiet(PFN, KEY);
	int i;

	for (i = 0; i < 5; i++)
		word = ksm_state_failed(word);
	KUNIT_EXPECT_EQ(test, ksm_word_wait(word), 7);
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY + 1),
			KSM_VERDICT_CHANGED);
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY + 1), KSM_VERDICT_PROVE);
	KUNIT_EXPECT_TRUE(test, ksm_state_lookup_due(&word, false));
}

/*
 * A page that has only seemed to be quiet spends visits in the unstable tree.
 * They are no reason to begin its streak again.
 */
static void state_queued_keeps_streak(struct kunit *test)
{
	u64 word = 0;
	int i;

	visit(&word, &dirty, KEY);
	for (i = 0; i < 3; i++) {
		visit(&word, &dirty, KEY);
		KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
		word = ksm_state_queued(ksm_state_failed(word));
		KUNIT_EXPECT_EQ(test, ksm_word_streak(word), i);
		KUNIT_EXPECT_EQ(test, ksm_word_wait(word), 0);
		KUNIT_EXPECT_EQ(test, ksm_word_level(word), 0);
		KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY),
				KSM_VERDICT_CHANGED);
	}
	visit(&word, &dirty, KEY);
	word = ksm_state_queued(word);
	KUNIT_EXPECT_EQ(test, visit(&word, &dirty, KEY), KSM_VERDICT_DEFER);
	KUNIT_EXPECT_EQ(test, ksm_word_streak(word), KSM_STREAK_VOLATILE);
}

static void state_pointers(struct kunit *test)
{
	struct ksm_rmap_item *item;
	u64 word;

	item = kunit_kzalloc(test, sizeof(*item), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, item);
	/* As ksm_item_alloc() does: a word has no room for a tag of KASAN. */
	item = kasan_reset_tag(item);
	word = ksm_word_of_item(item, KSM_TAG_UNSTABLE);
	KUNIT_EXPECT_PTR_EQ(test, ksm_word_item(word), item);
	KUNIT_EXPECT_EQ(test, ksm_word_tag(word), KSM_TAG_UNSTABLE);
	KUNIT_EXPECT_TRUE(test, ksm_word_unshared(word));
	KUNIT_EXPECT_FALSE(test, ksm_word_inline(word));
	item->pfn = 0xfedc0 + PFN;
	word = ksm_word_of_item(item, KSM_TAG_STABLE);
	KUNIT_EXPECT_PTR_EQ(test, ksm_word_item(word), item);
	KUNIT_EXPECT_EQ(test, ksm_word_item_pfn(word), (u16)item->pfn);
	KUNIT_EXPECT_TRUE(test, ksm_word_stable(word));
	word = ksm_word_of_item(item, KSM_TAG_STABLE_LOST);
	KUNIT_EXPECT_PTR_EQ(test, ksm_word_item(word), item);
	KUNIT_EXPECT_NE(test, ksm_word_tag(word), KSM_TAG_STABLE);
	KUNIT_EXPECT_TRUE(test, ksm_word_stable(word));
	KUNIT_EXPECT_FALSE(test, ksm_word_unshared(word));
	KUNIT_EXPECT_FALSE(test, ksm_word_inline(word));
	KUNIT_EXPECT_FALSE(test, ksm_word_inline(0));
	KUNIT_EXPECT_FALSE(test, ksm_word_unshared(0));
	KUNIT_EXPECT_EQ(test, ksm_short(0x89abcdef01234567ULL), 0x89abcdefU);
}

/* What a page at an address may go through, in any order */
static void random_look(struct ksm_random *random, struct ksm_observation *look)
{
	if (ksm_random_chance(random, 3))
		look->pfn = ksm_random(random);
	look->dirty = ksm_random_chance(random, 60);
	look->trust = ksm_random_chance(random, 80);
	look->smart = ksm_random_chance(random, 90);
	look->renew = ksm_random_chance(random, 10);
	look->joint = ksm_random_chance(random, 20);
}

static void random_visit(struct kunit *test, struct ksm_random *random,
			 u64 *word, struct page_model *m,
			 struct ksm_observation *look, int step)
{
	enum ksm_verdict verdict, expected;
	bool changed = false;
	u32 key = m->key;

	random_look(random, look);
	expected = model_judge(m, look);
	*word = ksm_state_judge(*word, look, &verdict);
	KUNIT_EXPECT_EQ_MSG(test, verdict, expected, "step %d", step);
	expect_word(test, *word, m, step);
	if (ksm_random_chance(random, 50))
		key = ksm_random(random);
	if (!takes_probe(word, verdict, key)) {
		if (verdict == KSM_VERDICT_PEEK)
			KUNIT_EXPECT_FALSE_MSG(test, model_peeked(m, key),
					       "step %d", step);
		return;
	}
	if (verdict == KSM_VERDICT_PEEK) {
		KUNIT_EXPECT_TRUE_MSG(test, model_peeked(m, key), "step %d",
				      step);
		key = ksm_random(random);
	}
	*word = ksm_state_probed(*word, verdict, key, &changed);
	KUNIT_EXPECT_EQ_MSG(test, changed, model_probed(m, verdict, key),
			    "step %d", step);
}

/* What comes of a lookup */
static void random_outcome(struct kunit *test, struct ksm_random *random,
			   u64 *word, struct page_model *m, int step)
{
	bool moved = ksm_random_chance(random, 50);

	switch (ksm_random_below(random, 8)) {
	case 0:
		*word = ksm_state_failed(*word);
		model_back_off(m);
		m->lookup = true;
		break;
	case 1:
		*word = ksm_state_unique(*word);
		model_end_wait(m);
		m->lookup = false;
		break;
	case 2:
	case 3:
		KUNIT_EXPECT_EQ_MSG(test, ksm_state_lookup_due(word, moved),
				    model_lookup_due(m, moved), "step %d",
				    step);
		break;
	case 4:
		*word = ksm_state_held(*word);
		m->lookup = true;
		if (m->level) {
			model_back_off(m);
			break;
		}
		m->level = 1;
		m->wait = 0;
		break;
	}
}

static void state_random_life(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	struct page_model m = { };
	struct ksm_observation look = { .pfn = 1 };
	u64 word = 0;
	int step;

	for (step = 0; step < KSM_TEST_ROUNDS(20000); step++) {
		random_visit(test, &random, &word, &m, &look, step);
		expect_word(test, word, &m, step);
		random_outcome(test, &random, &word, &m, step);
		expect_word(test, word, &m, step);
		if (ksm_test_failed(test))
			return;
	}
}

/*
 * A page with a real dirty bit, that is written, and at last is not.  Where
 * there is no trust the bit is always set, and tells nothing.
 */
static int visits_until_quiet(struct kunit *test, struct ksm_random *random,
			      int busy, bool trust)
{
	bool bit = true, changed;
	enum ksm_verdict verdict;
	u32 content = 1;
	u64 word = 0;
	int visits;

	for (visits = -busy; visits < 20; visits++) {
		struct ksm_observation look = {
			.pfn = PFN, .dirty = bit || !trust, .trust = trust,
			.smart = true,
		};

		word = ksm_state_judge(word, &look, &verdict);
		if (verdict == KSM_VERDICT_PROVE &&
		    ksm_word_has_key(word, content))
			bit = false;
		if (takes_probe(&word, verdict, content)) {
			word = ksm_state_probed(word, verdict, content,
						&changed);
			if (verdict == KSM_VERDICT_PEEK)
				bit = false;
		}
		if (visits >= 0 && ksm_word_unshared(word)) {
			KUNIT_EXPECT_EQ(test, ksm_word_short(word), content);
			return visits + 1;
		}
		if (visits < 0 && ksm_random_chance(random, 95)) {
			/* Not every write is where the probe looks. */
			content += ksm_random_chance(random, 80);
			bit = true;
		}
	}
	return visits;
}

static void expect_quiet(struct kunit *test, bool trust, int limit)
{
	struct ksm_random random = { ksm_test_seed() };
	int worst = 0, round;

	for (round = 1; round < KSM_TEST_ROUNDS(400); round++) {
		int busy = round % 200;
		int visits = visits_until_quiet(test, &random, busy, trust);

		/* A page that is not volatile: written, then unchanged. */
		if (busy < 4)
			KUNIT_EXPECT_LE(test, visits, 2);
		worst = max(worst, visits);
	}
	KUNIT_EXPECT_EQ(test, worst, limit);
}

static void state_quiet_in_time(struct kunit *test)
{
	/* Two peeks, each after it was skipped for 4 visits */
	expect_quiet(test, true, 10);
}

static void state_quiet_by_probe(struct kunit *test)
{
	/* The same, whatever the dirty bit says */
	expect_quiet(test, false, 10);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(state_first_visit),
	KUNIT_CASE(state_moved),
	KUNIT_CASE(state_other_page),
	KUNIT_CASE(state_unchanged),
	KUNIT_CASE(state_proved),
	KUNIT_CASE(state_changed),
	KUNIT_CASE(state_deceiving),
	KUNIT_CASE(state_volatile),
	KUNIT_CASE(state_untrusted),
	KUNIT_CASE(state_not_smart),
	KUNIT_CASE(state_joint_bit),
	KUNIT_CASE(state_lookups),
	KUNIT_CASE(state_held),
	KUNIT_CASE(state_failure_forgotten),
	KUNIT_CASE(state_queued_keeps_streak),
	KUNIT_CASE(state_pointers),
	KUNIT_CASE(state_random_life),
	KUNIT_CASE(state_quiet_in_time),
	KUNIT_CASE(state_quiet_by_probe),
	{}
};

static struct kunit_suite state_suite = {
	.name = "ksm_state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
