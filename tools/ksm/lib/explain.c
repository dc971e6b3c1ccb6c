// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explain.h"
#include "lines.h"
#include "root.h"

/* Memory that may not be moved, of /proc/PID/status */
struct locks {
	ksm_figure pinned_bytes;
	ksm_figure locked_bytes;
};

static const struct ksm_field lock_fields[] = {
	KSM_FIELD(struct locks, pinned_bytes, "VmPin", 1024),
	KSM_FIELD(struct locks, locked_bytes, "VmLck", 1024),
};

/**
 * ksm_scene_read() - read what holds for all processes
 * @scene: result
 *
 * Return: 0; -ENOENT if the kernel has no KSM; another -errno
 */
int ksm_scene_read(struct ksm_scene *scene)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	scene->boottime_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	scene->page_bytes = sysconf(_SC_PAGESIZE);
	return ksm_sysfs_read(&scene->knobs, &scene->counters);
}

static int64_t size_of(const struct ksm_map *map)
{
	return map->end - map->start;
}

/*
 * Nothing is merged before the end of the second full scan.  Where the kernel
 * does not say how long one takes, a process that is younger than all scans
 * goes unnoticed here; what is not tracked shows it then.
 */
static bool is_early(const struct ksm_explained *explained,
		     const struct ksm_scene *scene)
{
	const struct ksm_counters *counters = &scene->counters;
	ksm_figure start_ms = fig_mul(explained->member.start_ticks,
				      1000 / sysconf(_SC_CLK_TCK));
	ksm_figure age_ms = fig_sub(scene->boottime_ms, start_ms);

	if (fig_known(counters->full_scans) && counters->full_scans < 2)
		return true;
	return fig_known(age_ms) && fig_known(counters->last_scan_millisecs) &&
	       age_ms < 2 * counters->last_scan_millisecs;
}

static void find_facts(struct ksm_explained *explained,
		       const struct ksm_scene *scene)
{
	const struct ksm_stat *stat = &explained->member.stat;
	struct ksm_facts *facts = &explained->facts;

	for (size_t i = 0; i < explained->maps.count; i++) {
		const struct ksm_map *map = &explained->maps.list[i];

		if (ksm_map_registered(map))
			explained->registered_bytes +=
				fig_or_zero(map->anonymous_bytes);
	}
	facts->unseen_bytes = fig_sub(explained->registered_bytes,
				      fig_mul(stat->rmap_items,
					      scene->page_bytes));
	facts->zero_bytes = fig_mul(stat->zero_pages, scene->page_bytes);
	facts->thp_kept = scene->counters.thp_kept;
	facts->early = is_early(explained, scene);
}

/*
 * Pins are in VmPin, but vfio counts its own as locked memory: what is more
 * than the locked mappings are.
 */
static ksm_figure pinned_bytes(const struct ksm_explained *explained)
{
	struct locks locks;
	FILE *file = ksm_root_open("/proc/%d/status", explained->member.pid);
	int64_t vfio;

	ksm_lines_read(file, lock_fields, ARRAY_SIZE(lock_fields), &locks);
	if (file)
		fclose(file);
	if (fig_or_zero(explained->fds.vfio) <= 0)
		return locks.pinned_bytes;
	vfio = fig_or_zero(locks.locked_bytes);
	for (size_t i = 0; i < explained->maps.count; i++)
		if (ksm_map_has(&explained->maps.list[i], "lo"))
			vfio -= size_of(&explained->maps.list[i]);
	return fig_add(fig_or_zero(locks.pinned_bytes), vfio > 0 ? vfio : 0);
}

/* The unmerged mapping with most memory that is not called pinned yet */
static struct ksm_finding *largest_unpinned(struct ksm_explained *explained)
{
	struct ksm_finding *largest = NULL;

	for (size_t i = 0; i < explained->maps.count; i++) {
		struct ksm_finding *finding = &explained->findings[i];
		const struct ksm_map *map = finding->map;

		if (finding->pinned_bytes || fig_or_zero(map->ksm_bytes) ||
		    fig_or_zero(map->rss_bytes) <= 0)
			continue;
		if (!largest || map->rss_bytes > largest->map->rss_bytes)
			largest = finding;
	}
	return largest;
}

/*
 * Rings of io_uring tell which addresses they have pinned.  Others do not; as
 * they pin whole guests or large buffers, the largest mappings are taken for
 * theirs, until what is pinned is used up.
 */
static void find_pins(struct ksm_explained *explained)
{
	ksm_figure left = pinned_bytes(explained);
	struct ksm_finding *finding;

	explained->pinned_bytes = left;
	left = fig_or_zero(left);
	for (size_t i = 0; i < explained->maps.count; i++) {
		finding = &explained->findings[i];
		finding->pinned_bytes =
			ksm_fds_fixed_bytes(&explained->fds,
					    finding->map->start,
					    finding->map->end);
		left -= finding->pinned_bytes;
	}
	while (left > 0 && (finding = largest_unpinned(explained))) {
		ksm_figure rss = finding->map->rss_bytes;

		finding->pinned_bytes = left < rss ? left : rss;
		left -= finding->pinned_bytes;
	}
}

/* Some memory is not counted in Rss, but matters all the same. */
static int64_t weight(const struct ksm_finding *finding)
{
	switch (finding->reason) {
	case KSM_WHY_HUGETLB:
		return size_of(finding->map);
	case KSM_WHY_SWAPPED:
		return finding->map->swap_bytes;
	default:
		return fig_or_zero(finding->map->rss_bytes);
	}
}

/* It is not known which mappings the zero pages are in, only how many. */
static void weigh_zero_pages(struct ksm_explained *explained)
{
	struct ksm_total *total = &explained->totals[KSM_WHY_ZERO_PAGES];

	if (total->maps)
		total->bytes = explained->facts.zero_bytes;
}

/**
 * ksm_explain_judge() - find the reasons, and add up
 * @explained: the process, with all that is known about it
 */
void ksm_explain_judge(struct ksm_explained *explained)
{
	memset(explained->totals, 0, sizeof(explained->totals));
	explained->size_bytes = 0;
	explained->rss_bytes = 0;
	explained->ksm_bytes = 0;
	for (size_t i = 0; i < explained->maps.count; i++) {
		struct ksm_finding *finding = &explained->findings[i];
		const struct ksm_map *map = finding->map;

		ksm_why_find(finding, &explained->facts);
		explained->totals[finding->reason].maps++;
		explained->totals[finding->reason].bytes += weight(finding);
		explained->size_bytes += size_of(map);
		explained->rss_bytes += fig_or_zero(map->rss_bytes);
		explained->ksm_bytes += fig_or_zero(map->ksm_bytes);
	}
	weigh_zero_pages(explained);
}

static int read_all(struct ksm_explained *explained, int pid)
{
	int err = ksm_member_read(pid, &explained->member);

	if (!err)
		err = ksm_maps_read(pid, &explained->maps);
	if (!err && !explained->maps.count)
		err = -ENODATA;
	if (err)
		return err;
	explained->findings = calloc(explained->maps.count,
				     sizeof(*explained->findings));
	if (!explained->findings)
		return -ENOMEM;
	for (size_t i = 0; i < explained->maps.count; i++)
		explained->findings[i].map = &explained->maps.list[i];
	/* without these, pins are only seen in VmPin */
	err = ksm_fds_read(pid, &explained->fds);
	return err == -ENOMEM ? err : 0;
}

/**
 * ksm_explain_read() - explain a process
 * @explained: result, for ksm_explain_free(), also after an error
 * @scene:     what holds for all
 * @pid:       the process
 *
 * Return: 0, or -errno as ksm_member_read()
 */
int ksm_explain_read(struct ksm_explained *explained,
		     const struct ksm_scene *scene, int pid)
{
	int err;

	memset(explained, 0, sizeof(*explained));
	err = read_all(explained, pid);
	if (err)
		return err;
	find_facts(explained, scene);
	find_pins(explained);
	ksm_explain_judge(explained);
	return 0;
}

/* Give back what ksm_explain_read() has made. */
void ksm_explain_free(struct ksm_explained *explained)
{
	ksm_maps_free(&explained->maps);
	ksm_fds_free(&explained->fds);
	free(explained->findings);
	explained->findings = NULL;
}

/**
 * ksm_explain_main() - the reason that holds for most of the memory
 * @explained: the process
 *
 * Return: the reason; KSM_WHY_UNKNOWN if there is none
 */
enum ksm_why ksm_explain_main(const struct ksm_explained *explained)
{
	enum ksm_why main = KSM_WHY_UNKNOWN;

	for (enum ksm_why i = 0; i < KSM_NR_WHY; i++)
		if (explained->totals[i].bytes > explained->totals[main].bytes)
			main = i;
	return main;
}

/* All memory, as it is counted in the totals. */
int64_t ksm_explain_weight(const struct ksm_explained *explained)
{
	int64_t bytes = 0;

	for (enum ksm_why i = 0; i < KSM_NR_WHY; i++)
		bytes += explained->totals[i].bytes;
	return bytes;
}
