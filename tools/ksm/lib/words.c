// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "units.h"
#include "words.h"

/* What the sentences below are about */
struct facts {
	const struct ksm_sample *now;
	struct ksm_rates quick;
	struct ksm_rates trend;
};

__attribute__((format(printf, 2, 3)))
static void say(char *text, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, KSM_HEADLINE_MAX, fmt, args);
	va_end(args);
}

static void say_stopped(const struct facts *facts, char *text)
{
	ksm_figure saved = ksm_saved_bytes(facts->now);

	if (ksm_run_mode(facts->now) == KSM_RUN_UNMERGE)
		say(text, "run is 2: all merging was undone");
	else if (saved > 0)
		say(text, "run is 0; %s stay merged", ksm_size(saved).s);
	else
		say(text, "run is 0: nothing is merged");
}

static void say_gain(const struct facts *facts, char *text, const char *more)
{
	say(text, "%s gained%s",
	    ksm_size(facts->now->counters.general_profit).s, more);
}

static void say_steady(const struct facts *facts, char *text)
{
	double cpu = facts->quick.ksmd_cpu_percent;

	if (isnan(cpu))
		say_gain(facts, text, "");
	else
		say(text, "%s gained for %s of one CPU",
		    ksm_size(facts->now->counters.general_profit).s,
		    ksm_percent(cpu).s);
}

static void say_growing(const struct facts *facts, char *text)
{
	double growth = ksm_growth_per_scan(facts->now, &facts->trend);

	say(text, "what is saved grows by %s per full scan",
	    ksm_percent(100 * growth).s);
}

static void headline(const struct facts *facts, enum ksm_reason reason,
		     char *text)
{
	const struct ksm_counters *at = &facts->now->counters;

	switch (reason) {
	case KSM_NO_KSM:
		return say(text, "this kernel has no KSM");
	case KSM_STALLED:
		return say(text, "ksmd ought to scan, but nothing moves");
	case KSM_STOPPED:
		return say_stopped(facts, text);
	case KSM_ZERO_PACE:
		return say(text, "pages_to_scan is 0: nothing is scanned");
	case KSM_NO_MEMBERS:
		return say(text, "no process has registered memory");
	case KSM_FIRST_SCAN:
		return say(text, "%" PRId64 " of %d full scans done: too "
			   "early to tell", at->full_scans, KSM_FIRST_SCANS);
	case KSM_GROWING:
		return say_growing(facts, text);
	case KSM_COST_OVER_GAIN:
		return say(text, "book-keeping takes %s more than is saved",
			   ksm_size(-at->general_profit).s);
	case KSM_COW_STORM:
		return say(text, "%s copies: merged pages are written to",
			   ksm_rate(facts->trend.cow).s);
	case KSM_SMALL_GAIN:
		return say_gain(facts, text, ", less than 1 % of memory");
	case KSM_MEMORY_PLENTY:
		return say_gain(facts, text, "; memory is plenty without it");
	default:
		return say_steady(facts, text);
	}
}

/**
 * ksm_warning_text() - what a warning means
 * @warning: which
 *
 * Return: a few words, without a full stop
 */
const char *ksm_warning_text(enum ksm_warning warning)
{
	static const char *const texts[KSM_NR_WARNINGS] = {
		[KSM_UNMERGE_SHORT] =
			"if guests diverge this host runs out of memory",
		[KSM_NUMA_CROSS] =
			"merged pages may be of another NUMA node, and slow",
		[KSM_THP_FIGHT] =
			"khugepaged makes the huge pages that merging splits",
		[KSM_ADVISOR_CONFLICT] =
			"the kernel's advisor and ksmtuned both set the pace",
		[KSM_COUNTERS_STALE] =
			"while run is 0, counters miss writes and unmapping",
	};

	return texts[warning];
}

/* What to do about a state; a figure is put into some of them. */
static const char *next_of_reason(enum ksm_reason reason)
{
	static const char *const texts[KSM_NR_REASONS] = {
		[KSM_NO_KSM] = "boot a kernel with CONFIG_KSM=y",
		[KSM_STALLED] = "what does it wait for? `ps -o stat,wchan,"
				"cputime -C ksmd`",
		[KSM_STOPPED] = "`ksm set run=1`",
		[KSM_ZERO_PACE] = "`ksm set pages_to_scan=100`",
		[KSM_NO_MEMBERS] = "start a program with `ksm run`, or a QEMU "
				   "with mem-merge=on",
		[KSM_FIRST_SCAN] = "wait, or hurry: `ksm boost --for 10min`",
		[KSM_GROWING] = "wait, or hurry: `ksm boost --for 10min`",
		[KSM_COST_OVER_GAIN] = "`ksm explain --idle` names those that "
				       "gain nothing",
		[KSM_COW_STORM] = "`ksm top`, key w, names the writers; do not "
				  "register them",
		[KSM_SMALL_GAIN] = "`ksm explain --idle` names those that "
				   "gain nothing",
		[KSM_MEMORY_PLENTY] = "nothing; `ksm set run=0` would do as "
				      "well",
	};

	return texts[reason];
}

/* Most urgent first; the others follow from the reason or need nothing. */
static bool next_of_warning(const struct facts *facts,
			    const struct ksm_verdict *verdict, char *text,
			    size_t size)
{
	if (ksm_verdict_warns(verdict, KSM_UNMERGE_SHORT))
		snprintf(text, size, "add %s of swap",
			 ksm_size(ksm_undo_short_bytes(facts->now)).s);
	else if (ksm_verdict_warns(verdict, KSM_ADVISOR_CONFLICT))
		snprintf(text, size, "`systemctl stop ksmtuned`");
	else if (ksm_verdict_warns(verdict, KSM_THP_FIGHT))
		snprintf(text, size, "keep huge pages out of it: "
			 "MADV_NOHUGEPAGE or MADV_UNMERGEABLE");
	else if (ksm_verdict_warns(verdict, KSM_NUMA_CROSS))
		snprintf(text, size, "`ksm set run=2 merge_across_nodes=0 "
			 "run=1`");
	else
		return false;
	return true;
}

static void next(const struct facts *facts, const struct ksm_verdict *verdict,
		 char *text, size_t size)
{
	const char *first = next_of_reason(verdict->reason);
	ksm_figure idle = facts->now->sums.idle;
	char then[KSM_NEXT_MAX];

	text[0] = '\0';
	if (first)
		snprintf(text, size, "%s", first);
	else if (!next_of_warning(facts, verdict, text, size))
		text[0] = '\0';
	if (verdict->state != KSM_EFFECTIVE || idle <= 0)
		return;
	snprintf(then, sizeof(then), "%s`ksm explain --idle` for the %" PRId64,
		 *text ? "; then " : "", idle);
	if (strlen(text) + strlen(then) < size)
		strcat(text, then);
}

/**
 * ksm_words() - put a verdict into words
 * @view:    the samples it was made of
 * @verdict: the verdict
 * @words:   result
 */
void ksm_words(const struct ksm_view *view, const struct ksm_verdict *verdict,
	       struct ksm_words *words)
{
	struct facts facts = { .now = view->now };

	ksm_rates_between(view->before, view->now, &facts.quick);
	ksm_trend(view, &facts.trend);
	headline(&facts, verdict->reason, words->headline);
	next(&facts, verdict, words->next, sizeof(words->next));
}
