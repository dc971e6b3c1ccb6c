// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process explained, for programs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "explain-cmd.h"
#include "record.h"

/* A number, or null */
json_t *explain_json_figure(ksm_figure figure)
{
	return fig_known(figure) ? json_integer(figure) : json_null();
}

static json_t *json_address(uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	return json_string(text);
}

static json_t *json_reason(enum ksm_why reason)
{
	const char *name = ksm_why_name(reason);

	if (reason == KSM_WHY_UNKNOWN)
		return json_null();
	return json_string(name + ksm_why_inferred(reason));
}

static json_t *json_sample(const struct ksm_content *content)
{
	if (!content->pages)
		return json_null();
	return json_pack("{s:i, s:i, s:i, s:i}", "pages", content->pages,
			 "changed_pages", content->changed,
			 "unique_pages", content->unique - content->shifted,
			 "shifted_pages", content->shifted);
}

/* What is known about a mapping */
json_t *explain_json_map(const struct ksm_finding *finding)
{
	const struct ksm_map *map = finding->map;

	return json_pack(
		"{s:o, s:o, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:b,"
		" s:I, s:s, s:o, s:b, s:o}",
		"start", json_address(map->start),
		"end", json_address(map->end),
		"name", map->name,
		"permissions", map->perms,
		"vm_flags", map->vmflags,
		"size_bytes", (json_int_t)(map->end - map->start),
		"rss_bytes", explain_json_figure(map->rss_bytes),
		"anonymous_bytes", explain_json_figure(map->anonymous_bytes),
		"ksm_bytes", explain_json_figure(map->ksm_bytes),
		"huge_bytes", explain_json_figure(map->huge_bytes),
		"swap_bytes", explain_json_figure(map->swap_bytes),
		"registered", ksm_map_registered(map),
		"pinned_bytes", (json_int_t)finding->pinned_bytes,
		"merge", ksm_answer_name(finding->answer),
		"reason", json_reason(finding->reason),
		"inferred", ksm_why_inferred(finding->reason),
		"sample", json_sample(&finding->content));
}

/* Its name, and what KSM says about it */
json_t *explain_json_process(const struct ksm_explained *explained)
{
	const struct ksm_member *member = &explained->member;
	const char *unit = ksm_unit_name(member->unit);
	const struct ksm_stat *stat = &member->stat;

	return json_pack(
		"{s:i, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o,"
		" s:b, s:o, s:o}",
		"pid", member->pid,
		"command", member->comm,
		"unit", *unit ? json_string(unit) : json_null(),
		"container", ksm_json_container(member->unit),
		"size_bytes", (json_int_t)explained->size_bytes,
		"rss_bytes", (json_int_t)explained->rss_bytes,
		"ksm_bytes", (json_int_t)explained->ksm_bytes,
		"registered_bytes", (json_int_t)explained->registered_bytes,
		"tracked_pages", explain_json_figure(stat->rmap_items),
		"zero_pages", explain_json_figure(stat->zero_pages),
		"profit_bytes", explain_json_figure(stat->profit_bytes),
		"pinned_bytes", explain_json_figure(explained->pinned_bytes),
		"member", ksm_stat_takes_part(stat),
		"virtual_machines", explain_json_figure(explained->fds.kvm),
		"main_reason",
		json_reason(ksm_explain_main(explained)));
}

static json_t *json_maps(const struct ksm_explained *explained)
{
	json_t *maps = json_array();

	for (size_t i = 0; i < explained->maps.count; i++)
		json_array_append_new(maps, explain_json_map(
			&explained->findings[i]));
	return maps;
}

static json_t *json_totals(const struct ksm_explained *explained)
{
	json_t *totals = json_array();

	for (enum ksm_why i = 0; i < KSM_NR_WHY; i++) {
		const struct ksm_total *total = &explained->totals[i];

		if (total->maps)
			json_array_append_new(totals, json_pack(
				"{s:o, s:b, s:i, s:I}",
				"reason", json_reason(i),
				"inferred", ksm_why_inferred(i),
				"mappings", (int)total->maps,
				"bytes", (json_int_t)total->bytes));
	}
	return totals;
}

static json_t *json_compared(const struct ksm_explained *explained)
{
	if (!explained->sampled)
		return json_null();
	return json_pack("{s:I, s:I}",
			 "compared_bytes",
			 (json_int_t)explained->compared_bytes,
			 "comparable_bytes",
			 (json_int_t)explained->comparable_bytes);
}

static json_t *json_advice(const struct ksm_advice *advice)
{
	json_t *array = json_array();

	for (size_t i = 0; i < advice->count; i++)
		json_array_append_new(array, json_string(advice->text[i]));
	return array;
}

/**
 * explain_json() - a process as JSON
 * @explained: the process
 * @advice:    what to do about it
 *
 * Return: an object, or NULL without memory
 */
json_t *explain_json(const struct ksm_explained *explained,
		     const struct ksm_advice *advice)
{
	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}",
			 "schema_version", KSM_EXPLAIN_SCHEMA,
			 "process", explain_json_process(explained),
			 "mappings", json_maps(explained),
			 "totals", json_totals(explained),
			 "sample", json_compared(explained),
			 "advice", json_advice(advice));
}

/**
 * explain_json_print() - print and give back
 * @json: what to print, or NULL if it could not be made
 *
 * Return: the exit code
 */
int explain_json_print(json_t *json)
{
	int err;

	if (!json)
		return ksm_fail(KSM_EXIT_FAILED, "out of memory");
	err = json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	json_decref(json);
	putchar('\n');
	if (err || fflush(stdout))
		return ksm_fail(KSM_EXIT_FAILED, "cannot write the result");
	return KSM_EXIT_DONE;
}
