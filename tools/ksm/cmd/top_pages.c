// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "top_columns.h"
#include "top_data.h"
#include "top_pages.h"
#include "units.h"

static const char help[] =
"Keys\n"
"  g c w         sort by gain, by cost, by copies per second\n"
"  t             units with their processes, units only, processes only\n"
"  /             filter: part of a name, unit or PID; Esc takes it away\n"
"  arrows, PgUp, PgDn, Home, End   choose a process\n"
"  Enter         the mappings of the process, from its smaps\n"
"  e             what ksm explain says about the process\n"
"  q             quit, or back\n"
"\n"
"Columns.  K, M, G are KiB, MiB, GiB; - is what this kernel does not tell.\n"
"  RSS           resident memory (in wide windows)\n"
"  TRACKED       memory that KSM has under observation\n"
"  MERGED        of that, mapped to pages of KSM\n"
"  ZERO          mapped to the page of zeroes\n"
"  COST          book-keeping for this process (wide, or sorted by it)\n"
"  GAIN          merged and zero less book-keeping.  The copy that is kept\n"
"                counts for each process: the sum is more than was gained\n"
"  GAIN%         part of the memory that the process would need without KSM\n"
"  COPY/s        merged pages that it wrote to, per second: each was copied\n"
"  WHY           why it gains what it does:\n";

/**
 * top_page_help() - what keys and columns are
 * @text: result, empty before
 *
 * Return: 0, or -ENOMEM
 */
int top_page_help(struct top_text *text)
{
	char *lines = strdup(help);
	int err = lines ? top_text_split(text, lines) : -1;

	free(lines);
	for (int why = 0; !err && why < TOP_NR_WHY; why++)
		err = top_text_add(text, "      %-9s %s", top_why_name(why),
				   top_why_text(why));
	strcpy(text->title, "Help");
	return err;
}

/* Most of KSM first, then the largest: what matters, and what might. */
static int compare_maps(const void *left, const void *right)
{
	const struct ksm_map *a = left, *b = right;

	if (a->ksm_bytes != b->ksm_bytes)
		return a->ksm_bytes < b->ksm_bytes ? 1 : -1;
	if (a->rss_bytes != b->rss_bytes)
		return a->rss_bytes < b->rss_bytes ? 1 : -1;
	return a->start < b->start ? -1 : a->start > b->start;
}

static int add_map(struct top_text *text, const struct ksm_map *map)
{
	double part = 100 * fig_ratio(map->ksm_bytes, map->rss_bytes);
	char percent[16] = "-";

	if (!isnan(part))
		snprintf(percent, sizeof(percent), "%.0f %%", part);
	return top_text_add(text, "%16" PRIx64 " %7s %7s %7s %6s  %-4s  %s",
			    map->start,
			    top_short_size(map->end - map->start).s,
			    top_short_size(map->rss_bytes).s,
			    top_short_size(map->ksm_bytes).s, percent,
			    ksm_map_has(map, "mg") ? "yes" : "no",
			    map->name[0] ? map->name : "(anonymous)");
}

/**
 * top_lines_of_maps() - a line for each mapping
 * @text: result, empty before
 * @maps: the mappings; are sorted
 *
 * Return: 0, or -ENOMEM
 */
int top_lines_of_maps(struct top_text *text, struct ksm_maps *maps)
{
	int err = 0;

	qsort(maps->list, maps->count, sizeof(*maps->list), compare_maps);
	snprintf(text->head, sizeof(text->head),
		 "%16s %7s %7s %7s %6s  %-4s  %s", "ADDRESS", "SIZE", "RSS",
		 "KSM", "KSM%", "OPT", "NAME");
	for (size_t i = 0; !err && i < maps->count; i++)
		err = add_map(text, &maps->list[i]);
	return err;
}

/**
 * top_page_maps() - the mappings of a process
 * @text: result, empty before
 * @pid:  the process
 * @comm: its name
 *
 * Return: 0, or -errno
 */
int top_page_maps(struct top_text *text, int pid, const char *comm)
{
	struct ksm_maps maps;
	int err = ksm_maps_read(pid, &maps);

	if (!err)
		err = top_lines_of_maps(text, &maps);
	snprintf(text->title, sizeof(text->title),
		 "Mappings of %d (%s): %zu; OPT: registered for merging", pid,
		 comm, maps.count);
	ksm_maps_free(&maps);
	return err;
}
