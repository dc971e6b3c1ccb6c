// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "units.h"

/* Less than that of a process' memory is not worth a sentence. */
#define WORTH_PERCENT	5

static void __attribute__((format(printf, 2, 3)))
say(struct ksm_advice *advice, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (text && advice->count < KSM_ADVICE_MAX)
		advice->text[advice->count++] = text;
	else
		free(text);
}

/* What may be said about one reason; @size is of the memory it holds for */
struct topic {
	struct ksm_advice *advice;
	const struct ksm_explained *explained;
	const struct ksm_scene *scene;
	enum ksm_why reason;
	const char *size;
};

static bool is_guest(const struct topic *topic)
{
	return fig_or_zero(topic->explained->fds.kvm) > 0;
}

static void shared(const struct topic *topic)
{
	bool memfd = topic->reason == KSM_WHY_SHARED_MEMFD;
	const char *kind = memfd ? " (memfd)" : "";

	if (is_guest(topic))
		say(topic->advice, "%s of guest RAM is shared memory%s: it "
		    "never merges. Start QEMU with share=off; vhost-user and "
		    "virtiofs need shared memory: choose.", topic->size, kind);
	else
		say(topic->advice, "%s is shared memory%s: it never merges. "
		    "Only private anonymous memory does.", topic->size, kind);
}

static void hugetlb(const struct topic *topic)
{
	if (is_guest(topic))
		say(topic->advice, "%s of guest RAM is in pages of hugetlbfs, "
		    "which never merge. Start QEMU without them (libvirt: "
		    "without <hugepages/>); it then uses transparent huge "
		    "pages, which do.", topic->size);
	else
		say(topic->advice, "%s is in pages of hugetlbfs, which never "
		    "merge. Transparent huge pages (MADV_HUGEPAGE) do.",
		    topic->size);
}

static void not_opted_in(const struct topic *topic)
{
	if (is_guest(topic))
		say(topic->advice, "%s of private memory is not registered. "
		    "Start QEMU with -machine mem-merge=on and without "
		    "merge=off (libvirt: without <nosharepages/>).",
		    topic->size);
	else
		say(topic->advice, "%s of private memory is not registered. "
		    "To try whether that pays, start the program with `ksm "
		    "run -- COMMAND`, or its unit with MemoryKSM=yes; then "
		    "see `ksm explain --advise %d`.", topic->size,
		    topic->explained->member.pid);
}

/* How to make KSM look; false if it does already */
static bool is_stopped(const struct topic *topic)
{
	const struct ksm_knobs *knobs = &topic->scene->knobs;

	if (fig_known(knobs->run) &&
	    (knobs->run & KSM_RUN_MASK) != KSM_RUN_MERGE)
		say(topic->advice, "%s is registered, but KSM is stopped: "
		    "`ksm set run=1`.", topic->size);
	else if (knobs->pages_to_scan == 0)
		say(topic->advice, "%s is registered, but KSM scans nothing: "
		    "`ksm set pages_to_scan=100`.", topic->size);
	else
		return false;
	return true;
}

static void too_new(const struct topic *topic)
{
	ksm_figure last = topic->scene->counters.last_scan_millisecs;

	if (is_stopped(topic))
		return;
	if (fig_known(last) && last > 0)
		say(topic->advice, "%s is too new to tell: wait for two full "
		    "scans (the last took %s), or hurry them with `ksm boost "
		    "--for 10min`.", topic->size, ksm_duration(last / 1e3).s);
	else
		say(topic->advice, "%s is too new to tell: wait for two full "
		    "scans, or hurry them with `ksm boost --for 10min`.",
		    topic->size);
}

static void huge_kept(const struct topic *topic)
{
	say(topic->advice, "%s is in huge pages that were left whole: nothing "
	    "in them has an equal, or they were in use when they were to be "
	    "split. `ksm explain --sample %d` tells which, by reading "
	    "memory.", topic->size, topic->explained->member.pid);
}

static void pinned(const struct topic *topic)
{
	const struct ksm_fds *fds = &topic->explained->fds;

	if (fig_or_zero(fds->vfio) > 0)
		say(topic->advice, "%s seems to be pinned for a device that "
		    "was passed through (vfio): pinned pages never merge. "
		    "Without the device they would.", topic->size);
	else if (fds->nr_fixed)
		say(topic->advice, "%s seems to be pinned as fixed buffers of "
		    "io_uring: pinned pages never merge. Do not register "
		    "that memory.", topic->size);
	else
		say(topic->advice, "%s seems to be pinned (VmPin): pinned "
		    "pages never merge. Do not register that memory.",
		    topic->size);
}

static void content(const struct topic *topic)
{
	switch (topic->reason) {
	case KSM_WHY_VOLATILE:
		say(topic->advice, "%s is written to all the time, so it "
		    "cannot merge. Do not register it.", topic->size);
		break;
	case KSM_WHY_UNALIGNED:
		say(topic->advice, "%s has its like at other offsets in the "
		    "page. Make large blocks begin at a page boundary: "
		    "posix_memalign(), or mmap() itself, or run the program "
		    "with `ksm-wrapper`.", topic->size);
		break;
	default:
		say(topic->advice, "%s has no equal among the %s of registered "
		    "memory it was compared with. If that stays so, do not "
		    "register it.", topic->size,
		    ksm_size(topic->explained->compared_bytes).s);
	}
}

static void swapped(const struct topic *topic)
{
	say(topic->advice, "%s is swapped out. KSM looks at memory only: it "
	    "can merge once it is back.", topic->size);
}

static void unknown(const struct topic *topic)
{
	if (is_stopped(topic))
		return;
	if (topic->explained->sampled)
		say(topic->advice, "%s has equal pages, and nothing is known "
		    "that is in their way: they may merge soon. `ksm trace` "
		    "shows attempts that fail.", topic->size);
	else
		say(topic->advice, "%s was looked at, and nothing merged. "
		    "`ksm explain --sample %d` tells why, by reading memory.",
		    topic->size, topic->explained->member.pid);
}

static void (*const speakers[KSM_NR_WHY])(const struct topic *topic) = {
	[KSM_WHY_UNKNOWN] = unknown,
	[KSM_WHY_SHARED_MEMFD] = shared,
	[KSM_WHY_SHARED_SHM] = shared,
	[KSM_WHY_HUGETLB] = hugetlb,
	[KSM_WHY_SWAPPED] = swapped,
	[KSM_WHY_NOT_OPTED_IN] = not_opted_in,
	[KSM_WHY_PINNED] = pinned,
	[KSM_WHY_VOLATILE] = content,
	[KSM_WHY_UNALIGNED] = content,
	[KSM_WHY_UNIQUE] = content,
	[KSM_WHY_TOO_NEW] = too_new,
	[KSM_WHY_HUGE_KEPT] = huge_kept,
};

/* Is there enough of it to speak about? */
static bool matters(const struct ksm_explained *explained,
		    enum ksm_why reason)
{
	const struct ksm_total *total = &explained->totals[reason];
	int64_t all = ksm_explain_weight(explained);

	return speakers[reason] && total->bytes > 0 &&
	       100 * total->bytes >= WORTH_PERCENT * all;
}

/* The reason with most memory that was not spoken about yet */
static enum ksm_why next(const struct ksm_explained *explained,
			 const bool *done)
{
	enum ksm_why best = KSM_NR_WHY;

	for (enum ksm_why i = 0; i < KSM_NR_WHY; i++) {
		if (done[i] || !matters(explained, i))
			continue;
		if (best == KSM_NR_WHY ||
		    explained->totals[i].bytes > explained->totals[best].bytes)
			best = i;
	}
	return best;
}

static void conclude(struct ksm_advice *advice,
		     const struct ksm_explained *explained)
{
	ksm_figure profit = explained->member.stat.profit_bytes;

	if (explained->ksm_bytes > 0 && fig_known(profit) && profit <= 0)
		say(advice, "What merges does not pay for the book-keeping: "
		    "the profit is %s.", ksm_size(profit).s);
	else if (!advice->count && explained->ksm_bytes > 0)
		say(advice, "Nothing: it merges.");
	else if (!advice->count)
		say(advice, "Nothing: there is no memory that could merge.");
}

/**
 * ksm_advise() - say what to do
 * @advice:    result, for ksm_advice_free()
 * @explained: the process
 * @scene:     what holds for all
 */
void ksm_advise(struct ksm_advice *advice,
		const struct ksm_explained *explained,
		const struct ksm_scene *scene)
{
	bool done[KSM_NR_WHY] = { false };
	enum ksm_why reason;

	memset(advice, 0, sizeof(*advice));
	while ((reason = next(explained, done)) != KSM_NR_WHY) {
		struct ksm_text size =
			ksm_size(explained->totals[reason].bytes);
		struct topic topic = {
			advice, explained, scene, reason, size.s,
		};

		done[reason] = true;
		speakers[reason](&topic);
	}
	conclude(advice, explained);
}

/* Give back what ksm_advise() has made. */
void ksm_advice_free(struct ksm_advice *advice)
{
	while (advice->count)
		free(advice->text[--advice->count]);
}
