// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process explained, for people: 80 columns.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "explain-cmd.h"
#include "units.h"

#define COLUMNS		80
#define PLACE_WIDTH	31

static bool raw;

/* Figures in tables as bytes and plain numbers; sentences are for people. */
void explain_raw(bool raw_figures)
{
	raw = raw_figures;
}

struct ksm_text explain_size(ksm_figure bytes)
{
	return raw ? ksm_raw(bytes) : ksm_size(bytes);
}

struct ksm_text explain_count(ksm_figure count)
{
	return raw ? ksm_raw(count) : ksm_count(count);
}

/**
 * explain_wrap() - print a sentence over as many lines as it takes
 * @begin: what the first line begins with; the others are indented as much
 * @text:  the sentence
 */
void explain_wrap(const char *begin, const char *text)
{
	int indent = strlen(begin), column = indent;
	bool first = true;

	fputs(begin, stdout);
	while (*text) {
		int len = strcspn(text, " ");

		if (!first && column + 1 + len >= COLUMNS) {
			printf("\n%*s", indent, "");
			column = indent;
			first = true;
		}
		printf("%s%.*s", first ? "" : " ", len, text);
		column += len + !first;
		first = false;
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

static const char *name_of(const struct ksm_map *map)
{
	const char *slash = strrchr(map->name, '/');

	if (!map->name[0])
		return "anonymous";
	/* "/memfd:name" and "/SYSV0" say what they are by the slash */
	return slash && slash != map->name ? slash + 1 : map->name;
}

/**
 * explain_print_place() - print which mapping it is
 * @map:   the mapping
 * @width: in so many columns
 */
void explain_print_place(const struct ksm_map *map, int width)
{
	int used = printf("%012" PRIx64 " ", map->start);

	ksm_print_name(name_of(map), width - used);
}

/* Its name, and what KSM says about it */
void explain_print_head(const struct ksm_explained *explained)
{
	const struct ksm_member *member = &explained->member;

	ksm_print_name(member->comm, 0);
	printf(" (%d)", member->pid);
	if (member->unit[0]) {
		printf("  ");
		ksm_print_name(member->unit, 0);
	}
	printf("\nregistered %s, tracked %s pages, merged %s, zero %s, "
	       "profit %s\n\n", explain_size(explained->registered_bytes).s,
	       explain_count(member->stat.rmap_items).s,
	       explain_count(member->stat.merging_pages).s,
	       explain_count(member->stat.zero_pages).s,
	       explain_size(member->stat.profit_bytes).s);
}

static void print_sizes(int64_t size, ksm_figure rss, ksm_figure ksm)
{
	printf(" %8s %8s %8s", explain_size(size).s, explain_size(rss).s,
	       explain_size(ksm).s);
}

static void print_maps(const struct ksm_explained *explained)
{
	printf("%-*s %8s %8s %8s  %-5s  %s\n", PLACE_WIDTH, "mapping", "size",
	       "Rss", "KSM", "merge", "reason");
	for (size_t i = 0; i < explained->maps.count; i++) {
		const struct ksm_finding *finding = &explained->findings[i];
		const struct ksm_map *map = finding->map;

		explain_print_place(map, PLACE_WIDTH);
		print_sizes(map->end - map->start, map->rss_bytes,
			    map->ksm_bytes);
		printf("  %-5s  %s\n", ksm_answer_name(finding->answer),
		       ksm_why_name(finding->reason));
	}
	printf("%-*s", PLACE_WIDTH, "sum");
	print_sizes(explained->size_bytes, explained->rss_bytes,
		    explained->ksm_bytes);
	putchar('\n');
}

static void print_totals(const struct ksm_explained *explained)
{
	printf("\n%-14s %8s %8s\n", "reason", "mappings", "memory");
	for (enum ksm_why i = 0; i < KSM_NR_WHY; i++) {
		const struct ksm_total *total = &explained->totals[i];

		if (total->maps)
			printf("%-14s %8zu %8s  %s\n", ksm_why_name(i),
			       total->maps, explain_size(total->bytes).s,
			       ksm_why_text(i));
	}
}

static void print_samples(const struct ksm_explained *explained)
{
	if (!explained->sampled)
		return;
	printf("\nsampled pages, compared with %s of %s registered\n",
	       explain_size(explained->compared_bytes).s,
	       explain_size(explained->comparable_bytes).s);
	printf("%-*s %8s %8s %8s %8s %8s\n", PLACE_WIDTH, "mapping", "pages",
	       "changed", "unique", "shifted", "equal");
	for (size_t i = 0; i < explained->maps.count; i++) {
		const struct ksm_content *content =
			&explained->findings[i].content;

		if (!content->pages)
			continue;
		explain_print_place(explained->findings[i].map, PLACE_WIDTH);
		printf(" %8u %8u %8u %8u %8u\n", content->pages,
		       content->changed, content->unique - content->shifted,
		       content->shifted, content->pages - content->changed -
					 content->unique);
	}
}

/**
 * explain_print() - print a process
 * @explained: the process
 * @advice:    what to do about it
 */
void explain_print(const struct ksm_explained *explained,
		   const struct ksm_advice *advice)
{
	explain_print_head(explained);
	print_maps(explained);
	print_totals(explained);
	print_samples(explained);
	puts("\nWhat to do");
	for (size_t i = 0; i < advice->count; i++)
		explain_wrap("  - ", advice->text[i]);
}
