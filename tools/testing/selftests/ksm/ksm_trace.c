// SPDX-License-Identifier: GPL-2.0
/*
 * The events of the trace group "ksm": their formats, and whether they match
 * the actions of ksmd
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/tracefs.h"

#define PAGES	64
#define FEW	500
#define MANY	4000

struct event {
	const char *name;
	const char *fields;	/* in order, each ends with ';' */
	const char *print;
};

static const struct event events[] = {
	{ "ksm_start_scan", "int seq;u32 rmap_entries;",
	  "seq %d rmap size %d" },
	{ "ksm_stop_scan", "int seq;u32 rmap_entries;",
	  "seq %d rmap size %d" },
	{ "ksm_enter", "void * mm;", "mm %p" },
	{ "ksm_exit", "void * mm;", "mm %p" },
	{ "ksm_merge_one_page",
	  "unsigned long pfn;void * rmap_item;void * mm;int err;",
	  "ksm pfn %lu rmap_item %p mm %p error %d" },
	{ "ksm_merge_with_ksm_page",
	  "void * ksm_page;unsigned long pfn;void * rmap_item;void * mm;int err;",
	  "%spfn %lu rmap_item %p mm %p error %d" },
	{ "ksm_remove_ksm_page", "unsigned long pfn;", "pfn %lu" },
	{ "ksm_remove_rmap_item",
	  "unsigned long pfn;void * rmap_item;void * mm;",
	  "pfn %lu rmap_item %p mm %p" },
	{ "ksm_advisor",
	  "s64 scan_time;unsigned long pages_to_scan;unsigned int cpu_percent;",
	  "ksm scan time %lld pages_to_scan %lu cpu percent %u" },
};

/* The declarations of a format file after the common_ ones, in one string. */
static void collect_fields(char *format, char *fields, size_t size)
{
	char *line, *save = NULL, *end;

	fields[0] = '\0';
	for (line = strtok_r(format, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "\tfield:", 7) || strstr(line, " common_"))
			continue;
		line += 7;
		end = strchr(line, ';');
		if (!end)
			continue;
		end[1] = '\0';
		strncat(fields, line, size - strlen(fields) - 1);
	}
}

static void test_format(const void *arg)
{
	const struct event *ev = arg;
	char text[4096], fields[512], print[256];

	CHECK(ksm_trace_format(ev->name, text, sizeof(text)) > 0);
	snprintf(print, sizeof(print), "\nprint fmt: \"%s\", ", ev->print);
	ksm_check(strstr(text, print), "print fmt: %s\n",
		  strstr(text, "print fmt") ?: "none");
	collect_fields(text, fields, sizeof(fields));
	ksm_check(!strcmp(fields, ev->fields), "want \"%s\", have \"%s\"\n",
		  ev->fields, fields);
}

static int register_child(struct ksm_child *c, void *arg)
{
	char *map = ksm_map_merge(4, 1, 1);

	ksm_mergeable(map, 4);
	ksm_map_merge(4, 1, 1);
	/* Enabling what is registered already is no second entry. */
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		return 1;
	ksm_say(c, 'r');
	return ksm_hear(c) != 'e';
}

static bool note_pointer(const char *event, const char *text, void *arg)
{
	char (*mm)[32] = arg;
	int exit = !strcmp(event, "ksm_exit");

	if (exit || !strcmp(event, "ksm_enter"))
		snprintf(mm[exit], sizeof(mm[exit]), "%s", text);
	return true;
}

static void test_enter_exit(void)
{
	char mm[2][32] = { "", "" };
	struct ksm_child c;

	CHECK(!ksm_trace_start(NULL));
	ksm_child_start(&c, register_child, NULL);
	CHECK(ksm_hear(&c) == 'r');
	CHECK(ksm_trace_count("ksm_enter", NULL, NULL) == 1);
	CHECK(ksm_trace_count("ksm_exit", NULL, NULL) == 0);
	ksm_say(&c, 'e');
	CHECK(ksm_child_wait(&c) == 0);
	ksm_trace_stop();
	CHECK(ksm_trace_count("ksm_enter", NULL, NULL) == 1);
	CHECK(ksm_trace_count("ksm_exit", NULL, NULL) == 1);
	CHECK(ksm_trace_each(note_pointer, mm) >= 2);
	CHECK(!strncmp(mm[0], "mm ", 3) && !strcmp(mm[0], mm[1]));
}

static int waiting_child(struct ksm_child *c, void *arg)
{
	return ksm_hear(c) != 'e';
}

static void test_enter_fork(void)
{
	struct ksm_child c[5];
	size_t i;

	ksm_map_merge(4, 1, 0);
	CHECK(!ksm_trace_start(NULL));
	for (i = 0; i < ARRAY_SIZE(c); i++)
		ksm_child_start(&c[i], waiting_child, NULL);
	CHECK(ksm_trace_count("ksm_enter", NULL, NULL) == ARRAY_SIZE(c));
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		ksm_say(&c[i], 'e');
		CHECK(ksm_child_wait(&c[i]) == 0);
	}
	ksm_trace_stop();
	CHECK(ksm_trace_count("ksm_exit", NULL, NULL) == ARRAY_SIZE(c));
}

struct scans {
	long starts;
	long stops;
	int seq;		/* of the last start */
	unsigned int last_size;	/* of the last stop */
	bool wrong;
};

static bool check_scan(const char *event, const char *text, void *arg)
{
	struct scans *s = arg;
	unsigned int size;
	int seq, end = 0;

	if (strcmp(event, "ksm_start_scan") && strcmp(event, "ksm_stop_scan"))
		return true;
	if (sscanf(text, "seq %d rmap size %u%n", &seq, &size, &end) != 2 ||
	    text[end])
		s->wrong = true;
	if (!strcmp(event, "ksm_start_scan")) {
		/* Every pass has the next number. */
		if (s->starts && seq != s->seq + 1)
			s->wrong = true;
		s->starts++;
		s->seq = seq;
	} else {
		/* A stop without a start: it began before the capture. */
		if (s->starts && seq != s->seq)
			s->wrong = true;
		s->stops++;
		s->last_size = size;
	}
	if (s->wrong)
		ksft_print_msg("%s: %s\n", event, text);
	return !s->wrong;
}

/* One start and one stop per full scan. */
static void test_scans(void)
{
	struct scans s = { 0 };
	long before, after;

	ksm_set("smart_scan", 0);
	ksm_set("sleep_millisecs", 1);
	ksm_map_merge(PAGES, 1, 0);
	ksm_map_merge(PAGES, 100, 1);
	ksm_scan(2);
	before = ksm_get("full_scans");
	CHECK(!ksm_trace_start(NULL));
	ksm_scan(10);
	ksm_trace_stop();
	after = ksm_get("full_scans");
	CHECK(ksm_trace_each(check_scan, &s) > 0);
	CHECK(!s.wrong);
	ksft_print_msg("%ld full scans, %ld starts, %ld stops\n",
		       after - before, s.starts, s.stops);
	CHECK(after - before >= 10);
	CHECK(s.stops == after - before);
	CHECK(labs(s.starts - s.stops) <= 1);
	CHECK(s.last_size == 2 * PAGES);
}

static bool check_merge(const char *event, const char *text, void *arg)
{
	unsigned long pfn;
	char item[32], mm[32];
	int err, end = 0;

	if (strcmp(event, "ksm_merge_with_ksm_page"))
		return true;
	if (!strncmp(text, "ksm ", 4))
		text += 4;
	if (sscanf(text, "pfn %lu rmap_item %31s mm %31s error %d%n", &pfn,
		   item, mm, &err, &end) == 4 && !text[end] && pfn)
		return true;
	ksft_print_msg("odd line: %s\n", text);
	*(bool *)arg = false;
	return false;
}

/* Each mapping that becomes one of a KSM page is told once. */
static void test_merge(void)
{
	bool fine = true;
	long good, bad;
	char *map, pfn[64];

	CHECK(!ksm_trace_start("ksm_merge_with_ksm_page"));
	map = ksm_map_merge(PAGES, 1, 0);
	ksm_map_merge(PAGES, 100, 1);
	ksm_scan(3);
	ksm_trace_stop();
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	good = ksm_trace_count("ksm_merge_with_ksm_page", " error 0", NULL);
	bad = ksm_trace_count("ksm_merge_with_ksm_page", " error ", NULL) -
	      good;
	ksft_print_msg("%ld merges, %ld failures\n", good, bad);
	CHECK(good == PAGES);
	CHECK(ksm_trace_each(check_merge, &fine) >= PAGES && fine);
	/* Pages that join an existing KSM page have the prefix. */
	CHECK(ksm_trace_count("ksm_merge_with_ksm_page", "ksm pfn ",
			      " error 0") >= PAGES - 2);
	/* The page that became the KSM page was told as well. */
	snprintf(pfn, sizeof(pfn), "pfn %lu ", ksm_pfn(0, map));
	CHECK(ksm_trace_count("ksm_merge_with_ksm_page", pfn, " error 0") >=
	      1);

	/* A page that joins later. */
	CHECK(!ksm_trace_start("ksm_merge_with_ksm_page"));
	ksm_map_merge(1, 1, 0);
	ksm_scan(3);
	ksm_trace_stop();
	CHECK(ksm_trace_count("ksm_merge_with_ksm_page", "ksm pfn ",
			      " error 0") == 1);
	CHECK(ksm_contents_ok(map, PAGES, 1, 0));
}

struct zeroed {
	unsigned long pfn;	/* of the zero page */
	char item[PAGES][32];
	long told;
	long wrong;
};

/* The name of a pointer in an event, NULL included */
static bool is_null(const char *pointer)
{
	return !strcmp(pointer, "(null)") ||
	       !pointer[strspn(pointer, "0x")];
}

static bool check_zero(const char *event, const char *text, void *arg)
{
	struct zeroed *z = arg;
	unsigned long pfn;
	int err, end = 0;
	char mm[32];

	if (strcmp(event, "ksm_merge_one_page"))
		return true;
	if (z->told < PAGES &&
	    sscanf(text, "ksm pfn %lu rmap_item %31s mm %31s error %d%n", &pfn,
		   z->item[z->told], mm, &err, &end) == 4 &&
	    !text[end] && !err && pfn == z->pfn &&
	    !is_null(z->item[z->told]) && !is_null(mm)) {
		z->told++;
		return true;
	}
	ksft_print_msg("odd line: %s\n", text);
	z->wrong++;
	return false;
}

static void test_zero(void)
{
	char *map = ksm_map(PAGES);
	struct zeroed z = { 0 };

	ksm_set("use_zero_pages", 1);
	memset(map, 0, PAGES * ksm_page_size());
	ksm_mergeable(map, PAGES);
	CHECK(!ksm_trace_start(NULL));
	ksm_scan(3);
	ksm_trace_stop();
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	CHECK(ksm_trace_count("ksm_merge_one_page", "ksm pfn ",
			      " error 0") == PAGES);
	CHECK(ksm_trace_count("ksm_merge_with_ksm_page", " error 0",
			      NULL) == 0);
	/* Each is told with its item, and with the page that it became. */
	z.pfn = ksm_pfn(0, map);
	CHECK(ksm_trace_each(check_zero, &z) >= PAGES && !z.wrong);
	CHECK(z.told == PAGES);
}

/* Nodes that go are told by PFN; nothing else is. */
static void test_remove(void)
{
	const size_t nodes = 8;
	char *map[8], pfn[8][64];
	size_t i;

	for (i = 0; i < nodes; i++)
		map[i] = ksm_map_merge(4, 50 + i, 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(nodes, 3 * nodes, 0, 0));
	for (i = 0; i < nodes; i++)
		snprintf(pfn[i], sizeof(pfn[i]), "pfn %lu",
			 ksm_pfn(0, map[i]));
	CHECK(!ksm_trace_start("ksm_remove_ksm_page"));
	CHECK(!ksm_unmerge_all());
	ksm_trace_stop();
	CHECK(ksm_trace_count("ksm_remove_ksm_page", NULL, NULL) ==
	      (long)nodes);
	for (i = 0; i < nodes; i++)
		CHECK(ksm_trace_count("ksm_remove_ksm_page", pfn[i],
				      NULL) >= 1);

	/* The same when the contents went away by themselves. */
	ksm_scan(3);
	CHECK(ksm_counts_are(nodes, 3 * nodes, 0, 0));
	CHECK(!ksm_trace_start("ksm_remove_ksm_page"));
	for (i = 0; i < nodes / 2; i++)
		ksm_fill(map[i], 4, 1000 + 4 * i, 1);
	ksm_run();
	CHECK(ksm_wait_value("pages_shared", nodes / 2, KSM_DEADLINE_MS));
	ksm_stop();
	ksm_trace_stop();
	CHECK(ksm_trace_count("ksm_remove_ksm_page", NULL, NULL) ==
	      (long)nodes / 2);
}

struct advice {
	unsigned long high;
	unsigned long last;
	long count;
};

static bool check_advice(const char *event, const char *text, void *arg)
{
	struct advice *a = arg;
	unsigned long pages;
	unsigned int cpu;
	long long time;
	int end = 0;

	if (strcmp(event, "ksm_advisor"))
		return true;
	if (sscanf(text, "ksm scan time %lld pages_to_scan %lu cpu percent %u%n",
		   &time, &pages, &cpu, &end) != 3 || text[end] || time < 0 ||
	    !pages || pages > a->high || cpu > 100) {
		ksft_print_msg("odd line: %s\n", text);
		return false;
	}
	a->count++;
	a->last = pages;
	return true;
}

/* The advisor speaks once after each full scan, and is obeyed. */
static void test_advisor(void)
{
	struct advice a = { 3000, 0, 0 };
	long before, after;

	ksm_set("sleep_millisecs", 10);
	ksm_map_merge(PAGES, 1, 1);
	ksm_set("advisor_min_pages_to_scan", 10);
	ksm_set("advisor_max_pages_to_scan", 3000);
	CHECK(!ksm_write_text("advisor_mode", "scan-time"));
	CHECK(!ksm_trace_start("ksm_advisor"));
	before = ksm_get("full_scans");
	ksm_scan(8);
	after = ksm_get("full_scans");
	ksm_trace_stop();
	CHECK(ksm_trace_each(check_advice, &a) == a.count);
	ksft_print_msg("%ld full scans, %ld events, pages_to_scan %lu\n",
		       after - before, a.count, a.last);
	/* The first full scan may only start the clock. */
	CHECK(a.count <= after - before && a.count >= after - before - 1);
	CHECK(ksm_get("pages_to_scan") == (long long)a.last);

	CHECK(!ksm_write_text("advisor_mode", "none"));
	CHECK(!ksm_trace_start("ksm_advisor"));
	ksm_scan(3);
	ksm_trace_stop();
	CHECK(ksm_trace_count("ksm_advisor", NULL, NULL) == 0);
}

struct advised {
	unsigned long low, high, last;
	long count;
};

static bool note_advice(const char *event, const char *text, void *arg)
{
	struct advised *a = arg;
	unsigned long pages;

	if (sscanf(text, "ksm scan time %*d pages_to_scan %lu", &pages) != 1)
		return false;
	if (!a->count || pages < a->low)
		a->low = pages;
	if (pages > a->high)
		a->high = pages;
	a->last = pages;
	a->count++;
	return true;
}

static bool advice_above(void *arg)
{
	return ksm_get("pages_to_scan") > *(long long *)arg;
}

static bool advice_below(void *arg)
{
	return ksm_get("pages_to_scan") < *(long long *)arg;
}

/* Writes to its pages until told to stop. */
static int busy_writer(struct ksm_child *c, void *arg)
{
	struct pollfd pfd = { .fd = c->rfd, .events = POLLIN };
	unsigned int round = 0;
	char *map = arg;
	size_t i;

	while (!poll(&pfd, 1, 1)) {
		for (i = 0; i < FEW; i += 7)
			ksm_page_fill(map + i * ksm_page_size(), 50000 + i);
		round++;
	}
	for (i = 0; i < FEW; i++) {
		if (!ksm_contents_ok(map + i * ksm_page_size(), 1,
				     i % 7 ? 1 + i : 50000 + i, 0))
			return 1;
	}
	return !round;
}

/*
 * With work to do it finds its way from far too many pages a batch to fewer,
 * and when there is more work to more again, always within the bounds.
 */
static void test_advisor_at_work(void)
{
	const long long top = 200, near = top / 8;
	struct advised a = { 0 };
	struct ksm_child c;
	char *few, *many;
	long long low;

	ksm_set("smart_scan", 0);
	ksm_set("sleep_millisecs", 10);
	few = ksm_map_merge(FEW, 1, 1);
	ksm_set("advisor_target_scan_time", 1);
	ksm_set("advisor_max_pages_to_scan", top);
	/* Where it starts */
	ksm_set("advisor_min_pages_to_scan", top);
	CHECK(!ksm_write_text("advisor_mode", "scan-time"));
	CHECK(ksm_get("pages_to_scan") == top);
	ksm_set("advisor_min_pages_to_scan", 5);
	CHECK(!ksm_trace_start("ksm_advisor"));
	ksm_child_start(&c, busy_writer, few);
	ksm_run();
	CHECK(ksm_poll(advice_below, (void *)&near, KSM_DEADLINE_MS));
	/* Enough for more than that in a batch */
	many = ksm_map_merge(MANY, 100000, 1);
	low = ksm_get("pages_to_scan");
	CHECK(ksm_poll(advice_above, &low, KSM_DEADLINE_MS));
	ksm_stop();
	ksm_trace_stop();
	ksm_say(&c, 'e');
	CHECK(ksm_child_wait(&c) == 0);
	CHECK(ksm_trace_each(note_advice, &a) == a.count);
	ksft_print_msg("%ld events, pages_to_scan %lu to %lu, at last %lu\n",
		       a.count, a.low, a.high, a.last);
	CHECK(a.count >= 3);
	CHECK(a.low >= 5 && a.high <= (unsigned long)top);
	CHECK(ksm_get("pages_to_scan") == (long long)a.last);
	CHECK(ksm_contents_ok(few, FEW, 1, 1));
	CHECK(ksm_contents_ok(many, MANY, 100000, 1));
}

static const struct ksm_case cases[] = {
	{ "ksm_enter and ksm_exit: once per process", test_enter_exit },
	{ "ksm_enter and ksm_exit: every fork", test_enter_fork },
	{ "ksm_start_scan and ksm_stop_scan: every full scan", test_scans },
	{ "ksm_merge_with_ksm_page: every merged mapping", test_merge },
	{ "ksm_merge_one_page: every zero page", test_zero },
	{ "ksm_remove_ksm_page: every node that goes", test_remove },
	{ "ksm_advisor: every full scan", test_advisor },
	{ "ksm_advisor: at work, within the bounds", test_advisor_at_work },
};

/* A case that fails leaves tracing on. */
static void stop_tracing(void)
{
	if (ksm_is_program())
		ksm_trace_stop();
}

int main(void)
{
	size_t i;
	int err;

	ksft_print_header();
	ksm_setup();
	err = ksm_trace_setup();
	if (err)
		ksm_skip_all("no tracefs (CONFIG_EVENT_TRACING): %s",
			     strerror(-err));
	for (i = 0; i < ARRAY_SIZE(events); i++)
		ksm_add_case(test_format, &events[i], "format of %s",
			     events[i].name);
	atexit(stop_tracing);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
