// SPDX-License-Identifier: GPL-2.0-only
/*
 * Explaining by what is in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

/* A mapping that samples can be compared with */
struct part {
	int pid;
	uint64_t start;
	uint64_t end;
	int64_t bytes;
};

struct parts {
	struct part *list;
	size_t count;
	int64_t bytes;
	size_t unreadable;
};

static bool worth_it(const struct ksm_map *map)
{
	return ksm_map_registered(map) && ksm_map_mergeable(map) &&
	       fig_or_zero(map->anonymous_bytes) > 0;
}

static int add_part(struct parts *parts, int pid, const struct ksm_map *map)
{
	size_t size = (parts->count + 1) * sizeof(*parts->list);
	struct part *list = realloc(parts->list, size);

	if (!list)
		return -ENOMEM;
	parts->list = list;
	list[parts->count++] = (struct part){
		pid, map->start, map->end, map->anonymous_bytes,
	};
	parts->bytes += map->anonymous_bytes;
	return 0;
}

static int add_parts(struct parts *parts, int pid, const struct ksm_maps *maps)
{
	int err = 0;

	for (size_t i = 0; i < maps->count && !err; i++)
		if (worth_it(&maps->list[i]))
			err = add_part(parts, pid, &maps->list[i]);
	return err;
}

static int add_member(struct parts *parts, int pid)
{
	struct ksm_maps maps;
	int err = ksm_maps_read(pid, &maps);

	if (!err)
		err = add_parts(parts, pid, &maps);
	else if (err == -EACCES || err == -EPERM)
		parts->unreadable++;
	ksm_maps_free(&maps);
	return err == -ENOMEM ? err : 0;
}

static int find_parts(struct parts *parts,
		      const struct ksm_explained *explained,
		      const struct ksm_members *members)
{
	int err = add_parts(parts, explained->member.pid, &explained->maps);

	for (size_t i = 0; i < members->count && !err; i++)
		if (members->list[i].pid != explained->member.pid)
			err = add_member(parts, members->list[i].pid);
	return err;
}

/* Each mapping is read in part, by the same fraction, if all is too much. */
static void compare(struct ksm_sampler *sampler, struct parts *parts,
		    int64_t page_bytes, const struct ksm_sampling *sampling)
{
	int64_t limit_bytes = sampling->limit_bytes, done_bytes = 0;
	double fraction = parts->bytes > limit_bytes ?
			  (double)limit_bytes / parts->bytes : 1;
	int denied = 0;

	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->list[i];
		size_t pages = ceil(part->bytes / page_bytes * fraction);

		sampling->tell(fig_ratio(done_bytes, parts->bytes));
		done_bytes += part->bytes;
		if (part->pid == denied)
			continue;
		if (ksm_sampler_compare(sampler, part->pid, part->start,
					part->end, pages)) {
			denied = part->pid;
			parts->unreadable++;
		}
	}
}

static struct ksm_finding *largest_new(struct ksm_explained *explained,
				       const bool *taken)
{
	struct ksm_finding *largest = NULL;

	for (size_t i = 0; i < explained->maps.count; i++) {
		struct ksm_finding *finding = &explained->findings[i];
		ksm_figure bytes = finding->map->anonymous_bytes;

		if (!taken[i] && worth_it(finding->map) &&
		    (!largest || bytes > largest->map->anonymous_bytes))
			largest = finding;
	}
	return largest;
}

/* The largest mappings first, as there is a limit on how many; how many? */
static int take(struct ksm_sampler *sampler, struct ksm_explained *explained)
{
	bool *taken = calloc(explained->maps.count, sizeof(*taken));
	struct ksm_finding *finding;
	int count = 0;

	if (!taken)
		return -ENOMEM;
	while ((finding = largest_new(explained, taken))) {
		size_t nr = finding - explained->findings;

		taken[nr] = true;
		if (ksm_sampler_take(sampler, nr, finding->map->start,
				     finding->map->end))
			break;
		count++;
	}
	free(taken);
	ksm_sampler_ready(sampler);
	return count;
}

static void keep_results(struct ksm_explained *explained,
			 const struct ksm_sampler *sampler,
			 const struct parts *parts, int64_t page_bytes)
{
	for (size_t i = 0; i < explained->maps.count; i++)
		ksm_sampler_result(sampler, i, &explained->findings[i].content);
	explained->sampled = true;
	explained->compared_bytes = ksm_sampler_compared(sampler) * page_bytes;
	explained->comparable_bytes = parts->bytes;
	explained->unreadable = parts->unreadable;
	ksm_explain_judge(explained);
}

/**
 * ksm_explain_sample() - find reasons in the content of memory as well
 * @explained:	 the process, after ksm_explain_read(); it is changed
 * @scene:	 what holds for all
 * @members:	 the processes it may share with
 * @sampling:	 how much, and what to call meanwhile
 *
 * Takes a second at least.
 *
 * Return: 0, or -errno: -EACCES if its memory must not be read; -ENODATA if
 *	   nothing that is registered has pages
 */
int ksm_explain_sample(struct ksm_explained *explained,
		       const struct ksm_scene *scene,
		       const struct ksm_members *members,
		       const struct ksm_sampling *sampling)
{
	struct parts parts = { 0 };
	struct ksm_sampler *sampler;
	int err = ksm_sampler_new(&sampler, explained->member.pid);

	if (err)
		return err;
	err = take(sampler, explained);
	if (err > 0)
		err = find_parts(&parts, explained, members);
	else if (!err)
		err = -ENODATA;
	if (!err) {
		compare(sampler, &parts, scene->page_bytes, sampling);
		ksm_sampler_again(sampler);
		keep_results(explained, sampler, &parts, scene->page_bytes);
	}
	free(parts.list);
	ksm_sampler_free(sampler);
	return err;
}
