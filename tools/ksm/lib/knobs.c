// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "knobs.h"
#include "root.h"

#define KNOB(name, kind, min, max, what) \
	{ { #name, offsetof(struct ksm_knobs, name), 1 }, \
	  KSM_KNOB_##kind, min, max, what }

/* Ranges: Documentation/ABI/testing/sysfs-kernel-mm-ksm */
const struct ksm_knob ksm_knob_table[] = {
	KNOB(run, NUMBER, 0, 2,
	     "0 stop, 1 merge, 2 stop and undo all merging"),
	KNOB(pages_to_scan, NUMBER, 0, UINT32_MAX, "pages of one batch"),
	KNOB(sleep_millisecs, NUMBER, 0, UINT32_MAX, "ms between batches"),
	KNOB(merge_across_nodes, SWITCH, 0, 1, "merge pages of all NUMA nodes"),
	KNOB(max_page_sharing, NUMBER, 2, INT32_MAX, "mappings of one page"),
	KNOB(use_zero_pages, SWITCH, 0, 1, "map pages of zeroes to one page"),
	KNOB(smart_scan, SWITCH, 0, 1, "pass over what does not change"),
	KNOB(stable_node_chains_prune_millisecs, NUMBER, 0, UINT32_MAX,
	     "ms between searches for freed pages"),
	KNOB(advisor_mode, ADVISOR, KSM_ADVISOR_NONE, KSM_ADVISOR_SCAN_TIME,
	     "none or scan-time"),
	/* The file takes more, but ksmd is one thread. */
	KNOB(advisor_max_cpu, NUMBER, 0, 100, "percent of one CPU"),
	KNOB(advisor_min_pages_to_scan, NUMBER, 0, INT64_MAX,
	     "pages of one batch"),
	KNOB(advisor_max_pages_to_scan, NUMBER, 0, INT64_MAX,
	     "pages of one batch"),
	KNOB(advisor_target_scan_time, NUMBER, 1, INT64_MAX,
	     "seconds for a full scan"),
};

const size_t ksm_nr_knobs = ARRAY_SIZE(ksm_knob_table);

/**
 * ksm_knob_find() - the knob of a name
 * @name: of its file
 *
 * Return: the knob, or NULL
 */
const struct ksm_knob *ksm_knob_find(const char *name)
{
	for (size_t i = 0; i < ksm_nr_knobs; i++)
		if (!strcmp(ksm_knob_table[i].field.name, name))
			return &ksm_knob_table[i];
	return NULL;
}

static ksm_figure parse_switch(const char *text)
{
	static const char *const words[][2] = {
		{ "0", "1" }, { "n", "y" }, { "no", "yes" }, { "off", "on" },
		{ "false", "true" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (int value = 0; value < 2; value++)
			if (!strcasecmp(words[i][value], text))
				return value;
	return KSM_UNKNOWN;
}

/* As written, or as shown: "[none] scan-time" */
static ksm_figure parse_advisor(const char *text)
{
	if (!strcmp(text, "none") || strstr(text, "[none]"))
		return KSM_ADVISOR_NONE;
	if (!strcmp(text, "scan-time") || strstr(text, "[scan-time]"))
		return KSM_ADVISOR_SCAN_TIME;
	return KSM_UNKNOWN;
}

static ksm_figure parse_text(const struct ksm_knob *knob, const char *text)
{
	switch (knob->kind) {
	case KSM_KNOB_SWITCH:
		return parse_switch(text);
	case KSM_KNOB_ADVISOR:
		return parse_advisor(text);
	default:
		return ksm_parse_figure(text);
	}
}

/**
 * ksm_knob_parse() - what a user wants a knob to be
 * @knob: the knob
 * @text: a number; for a switch also a word such as "on"
 *
 * Return: the value, or KSM_UNKNOWN if @text is none or out of range
 */
ksm_figure ksm_knob_parse(const struct ksm_knob *knob, const char *text)
{
	ksm_figure value = parse_text(knob, text);

	if (value < knob->min || value > knob->max)
		return KSM_UNKNOWN;
	return value;
}

/**
 * ksm_knob_print() - a value as the file of a knob takes it
 * @knob:  the knob
 * @value: a known value
 *
 * Return: the text
 */
struct ksm_knob_text ksm_knob_print(const struct ksm_knob *knob,
				    ksm_figure value)
{
	struct ksm_knob_text text;

	if (knob->kind == KSM_KNOB_ADVISOR)
		strcpy(text.s, value == KSM_ADVISOR_NONE ? "none" :
							   "scan-time");
	else
		snprintf(text.s, sizeof(text.s), "%" PRId64, value);
	return text;
}

/**
 * ksm_knob_read() - what a knob is now
 * @knob: the knob
 *
 * The value need not be in the documented range.
 *
 * Return: the value, or KSM_UNKNOWN
 */
ksm_figure ksm_knob_read(const struct ksm_knob *knob)
{
	char text[64];

	if (ksm_root_read(text, sizeof(text), KSM_SYSFS "/%s",
			  knob->field.name) < 0)
		return KSM_UNKNOWN;
	return parse_text(knob, text);
}

/**
 * ksm_knob_write() - set a knob
 * @knob:  the knob
 * @value: what to write; its range is not checked here
 *
 * Return: 0, or -errno as the kernel has it; -ENOENT if there is no such file
 */
int ksm_knob_write(const struct ksm_knob *knob, ksm_figure value)
{
	struct ksm_knob_text text = ksm_knob_print(knob, value);
	char path[KSM_PATH_MAX];

	snprintf(path, sizeof(path), KSM_SYSFS "/%s", knob->field.name);
	strcat(text.s, "\n");
	return ksm_root_write(path, text.s);
}
