// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "reason.h"

struct reason_text {
	const char *name;
	const char *text;
};

static const struct reason_text texts[KSM_NR_WHY] = {
	[KSM_WHY_UNKNOWN] = { "-", "no reason is known" },
	[KSM_WHY_MERGED] = { "MERGED", "equal pages were found and merged" },
	[KSM_WHY_SHARED_MEMFD] = { "SHARED_MEMFD", "shared memory of a memfd" },
	[KSM_WHY_SHARED_SHM] = { "SHARED_SHM", "shared memory" },
	[KSM_WHY_SHARED_FILE] = { "SHARED_FILE", "shared mapping of a file" },
	[KSM_WHY_HUGETLB] = { "HUGETLB", "pages of hugetlbfs" },
	[KSM_WHY_DEVICE] = { "DEVICE", "memory of a device or the kernel" },
	[KSM_WHY_DROPPABLE] = { "DROPPABLE", "memory the kernel may drop" },
	[KSM_WHY_PROTECTED] = { "PROTECTED", "shadow stack or tagged memory" },
	[KSM_WHY_FILE_CLEAN] = {
		"FILE_CLEAN", "pages of a file, not written to"
	},
	[KSM_WHY_UNTOUCHED] = { "UNTOUCHED", "has no pages of its own yet" },
	[KSM_WHY_SWAPPED] = { "SWAPPED", "all of it is swapped out" },
	[KSM_WHY_ZERO_PAGES] = {
		"~ZERO_PAGES", "zeroes, mapped to the zero page"
	},
	[KSM_WHY_NOT_OPTED_IN] = { "NOT_OPTED_IN", "it is not registered" },
	[KSM_WHY_PINNED] = { "~PINNED", "pinned for a device or io_uring" },
	[KSM_WHY_VOLATILE] = { "~VOLATILE", "written to all the time" },
	[KSM_WHY_UNALIGNED] = {
		"~UNALIGNED", "equal at other offsets in the page"
	},
	[KSM_WHY_UNIQUE] = { "~UNIQUE", "no equal page was found" },
	[KSM_WHY_TOO_NEW] = {
		"TOO_NEW", "KSM has not looked at it often enough"
	},
	[KSM_WHY_HUGE_KEPT] = {
		"HUGE_KEPT", "huge pages that were left whole"
	},
};

/* The code, "-" if there is none. */
const char *ksm_why_name(enum ksm_why reason)
{
	return texts[reason].name;
}

/* The same in some words */
const char *ksm_why_text(enum ksm_why reason)
{
	return texts[reason].text;
}

/* Is it concluded from other things, rather than read? */
bool ksm_why_inferred(enum ksm_why reason)
{
	return texts[reason].name[0] == '~';
}

const char *ksm_answer_name(enum ksm_answer answer)
{
	static const char *const names[] = { "never", "no", "can" };

	return names[answer];
}

/* Is it registered? */
bool ksm_map_registered(const struct ksm_map *map)
{
	return ksm_map_has(map, "mg");
}

static bool has_any(const struct ksm_map *map, const char *const *flags)
{
	for (; *flags; flags++)
		if (ksm_map_has(map, *flags))
			return true;
	return false;
}

static bool begins(const struct ksm_map *map, const char *name)
{
	return !strncmp(map->name, name, strlen(name));
}

static enum ksm_why shared(const struct ksm_map *map)
{
	if (begins(map, "/memfd:"))
		return KSM_WHY_SHARED_MEMFD;
	/* System V, POSIX, and anonymous memory that is shared */
	if (begins(map, "/SYSV") || begins(map, "/dev/shm/") ||
	    begins(map, "/dev/zero") || begins(map, "[anon_shmem:"))
		return KSM_WHY_SHARED_SHM;
	return KSM_WHY_SHARED_FILE;
}

/*
 * Kinds of mappings that the kernel does not register, by its own flags.  The
 * most particular is first: mappings of devices and of hugetlbfs may be shared
 * as well.  Files on DAX cannot be told from others here.
 */
static enum ksm_why never(const struct ksm_map *map)
{
	static const char *const device[] = { "pf", "io", "mm", "de", NULL };
	static const char *const sharing[] = { "sh", "ms", NULL };
	static const char *const protected[] = { "ss", "mt", NULL };

	if (ksm_map_has(map, "ht"))
		return KSM_WHY_HUGETLB;
	if (has_any(map, device) || begins(map, "[vsyscall]"))
		return KSM_WHY_DEVICE;
	/* the 's' of perms is "ms"; it is there without VmFlags as well */
	if (has_any(map, sharing) || map->perms[3] == 's')
		return shared(map);
	if (ksm_map_has(map, "dp"))
		return KSM_WHY_DROPPABLE;
	if (has_any(map, protected))
		return KSM_WHY_PROTECTED;
	return KSM_WHY_UNKNOWN;
}

/* Is it of a kind that KSM takes? */
bool ksm_map_mergeable(const struct ksm_map *map)
{
	return never(map) == KSM_WHY_UNKNOWN;
}

/* Nothing is there that could be merged */
static enum ksm_why empty(const struct ksm_map *map,
			  const struct ksm_facts *facts)
{
	if (fig_or_zero(map->anonymous_bytes))
		return KSM_WHY_UNKNOWN;
	if (fig_or_zero(map->swap_bytes))
		return KSM_WHY_SWAPPED;
	if (map->inode)
		return KSM_WHY_FILE_CLEAN;
	if (ksm_map_registered(map) && fig_or_zero(facts->zero_bytes) > 0)
		return KSM_WHY_ZERO_PAGES;
	return KSM_WHY_UNTOUCHED;
}

/* Most pages decide, as there is one answer for all of them. */
static enum ksm_why by_content(const struct ksm_content *content)
{
	if (!content->pages)
		return KSM_WHY_UNKNOWN;
	if (2 * content->changed > content->pages)
		return KSM_WHY_VOLATILE;
	if (2 * content->shifted > content->pages)
		return KSM_WHY_UNALIGNED;
	if (2 * content->unique > content->pages)
		return KSM_WHY_UNIQUE;
	return KSM_WHY_UNKNOWN;
}

static bool half(ksm_figure part, ksm_figure of)
{
	return fig_or_zero(part) > 0 && 2 * part >= fig_or_zero(of);
}

/* It is registered and has pages, but none is merged. */
static enum ksm_why unmerged(const struct ksm_finding *finding,
			     const struct ksm_facts *facts)
{
	const struct ksm_map *map = finding->map;
	enum ksm_why reason;

	if (half(finding->pinned_bytes, map->anonymous_bytes))
		return KSM_WHY_PINNED;
	reason = by_content(&finding->content);
	if (reason != KSM_WHY_UNKNOWN)
		return reason;
	if (facts->early || half(facts->unseen_bytes, map->anonymous_bytes))
		return KSM_WHY_TOO_NEW;
	if (half(map->huge_bytes, map->anonymous_bytes) && facts->thp_kept)
		return KSM_WHY_HUGE_KEPT;
	return KSM_WHY_UNKNOWN;
}

static enum ksm_why find(const struct ksm_finding *finding,
			 const struct ksm_facts *facts)
{
	const struct ksm_map *map = finding->map;
	enum ksm_why reason = never(map);

	if (reason != KSM_WHY_UNKNOWN)
		return reason;
	if (fig_or_zero(map->ksm_bytes) > 0)
		return KSM_WHY_MERGED;
	reason = empty(map, facts);
	if (reason != KSM_WHY_UNKNOWN)
		return reason;
	if (!ksm_map_registered(map))
		return KSM_WHY_NOT_OPTED_IN;
	return unmerged(finding, facts);
}

static enum ksm_answer answer(const struct ksm_finding *finding)
{
	switch (finding->reason) {
	case KSM_WHY_FILE_CLEAN:
	case KSM_WHY_UNTOUCHED:
	case KSM_WHY_SWAPPED:
		return KSM_NO;
	default:
		break;
	}
	if (!ksm_map_mergeable(finding->map))
		return KSM_NEVER;
	return ksm_map_registered(finding->map) ? KSM_CAN : KSM_NO;
}

/**
 * ksm_why_find() - decide why a mapping merges or does not
 * @finding: its input is filled in; reason and answer are the result
 * @facts:   of its process
 */
void ksm_why_find(struct ksm_finding *finding,
		  const struct ksm_facts *facts)
{
	finding->reason = find(finding, facts);
	finding->answer = answer(finding);
}
