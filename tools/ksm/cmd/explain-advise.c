// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm explain --advise: which mappings a program should register itself.
 */
#include <stdio.h>

#include "cmd.h"
#include "explain-cmd.h"
#include "units.h"

#define PLACE_WIDTH	40

static double percent(int64_t part, int64_t of)
{
	return of ? 100.0 * part / of : 0;
}

static const char *verdict(const struct ksm_tried *tried)
{
	return tried->worth ? "register" : "leave out";
}

static void print_maps(const struct ksm_trial *trial)
{
	printf("%-*s %8s %8s  %7s  %s\n", PLACE_WIDTH, "mapping", "Rss", "KSM",
	       "KSM/Rss", "advice");
	for (size_t i = 0; i < trial->count; i++) {
		const struct ksm_tried *tried = &trial->list[i];
		const struct ksm_map *map = tried->finding->map;

		explain_print_place(map, PLACE_WIDTH);
		printf(" %8s %8s  %7s  %s\n", explain_size(map->anonymous_bytes).s,
		       explain_size(map->ksm_bytes).s,
		       ksm_percent(100 * tried->share).s, verdict(tried));
	}
}

static void print_result(const struct ksm_trial *trial)
{
	char text[256];

	putchar('\n');
	if (!trial->worth) {
		explain_wrap("", "Nothing here is worth registering.");
		return;
	}
	snprintf(text, sizeof(text), "Call madvise(ADDRESS, LENGTH, "
		 "MADV_MERGEABLE) for %zu of %zu mappings: that keeps %s of "
		 "what merges (%s), and ksmd has to watch %s of the memory.",
		 trial->worth, trial->count,
		 ksm_percent(percent(trial->worth_ksm_bytes,
				     trial->ksm_bytes)).s,
		 ksm_size(trial->worth_ksm_bytes).s,
		 ksm_percent(percent(trial->worth_watched_bytes,
				     trial->watched_bytes)).s);
	explain_wrap("", text);
	explain_wrap("", "Addresses differ from run to run: know the mappings "
		     "by size and name. Where malloc() made them, run the "
		     "program with `ksm-wrapper`.");
}

/* Why not to rely on it yet; NULL if one can */
static const char *doubt(const struct ksm_explained *explained)
{
	const struct ksm_facts *facts = &explained->facts;

	if (facts->early || fig_or_zero(facts->unseen_bytes) >
			    explained->registered_bytes / 10)
		return "Too soon: KSM has not looked at all of it often "
		       "enough. Wait for two full scans, then ask again.";
	if (explained->member.stat.merge_any == 0)
		return "This is no trial of the whole process: only what it "
		       "registers itself is judged. `ksm run -- COMMAND` "
		       "starts it with all its memory registered.";
	return NULL;
}

static int print_text(const struct ksm_explained *explained,
		      const struct ksm_trial *trial)
{
	const char *but = doubt(explained);

	explain_print_head(explained);
	print_maps(trial);
	print_result(trial);
	if (but)
		explain_wrap("! ", but);
	return KSM_EXIT_DONE;
}

static json_t *json_maps(const struct ksm_trial *trial)
{
	json_t *maps = json_array();

	for (size_t i = 0; i < trial->count; i++) {
		const struct ksm_tried *tried = &trial->list[i];
		json_t *map = explain_json_map(tried->finding);

		json_object_set_new(map, "merged_ratio",
				    json_real(tried->share));
		json_object_set_new(map, "register",
				    json_boolean(tried->worth));
		json_array_append_new(maps, map);
	}
	return maps;
}

static int print_json(const struct ksm_explained *explained,
		      const struct ksm_trial *trial)
{
	const char *but = doubt(explained);

	return explain_json_print(json_pack(
		"{s:i, s:o, s:o, s:I, s:I, s:I, s:I, s:s?}",
		"schema_version", KSM_EXPLAIN_SCHEMA,
		"process", explain_json_process(explained),
		"mappings", json_maps(trial),
		"watched_bytes", (json_int_t)trial->watched_bytes,
		"merged_bytes", (json_int_t)trial->ksm_bytes,
		"register_watched_bytes",
		(json_int_t)trial->worth_watched_bytes,
		"register_merged_bytes", (json_int_t)trial->worth_ksm_bytes,
		"doubt", but));
}

/**
 * explain_advise() - say which mappings to register
 * @explained: a process that runs with all its memory registered
 * @json:      for programs
 *
 * Return: the exit code
 */
int explain_advise(const struct ksm_explained *explained, bool json)
{
	struct ksm_trial trial;
	int code;

	if (ksm_trial_judge(&trial, explained))
		return ksm_fail(KSM_EXIT_FAILED, "out of memory");
	if (!trial.count)
		code = ksm_fail(KSM_EXIT_FAILED, "process %d has registered "
				"nothing: start it with `ksm run -- COMMAND`, "
				"and ask again after two full scans",
				explained->member.pid);
	else if (json)
		code = print_json(explained, &trial);
	else
		code = print_text(explained, &trial);
	ksm_trial_free(&trial);
	return code;
}
