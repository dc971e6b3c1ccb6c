// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace-event.h"

static bool mm_of(const char *text, struct ksm_event *event)
{
	return sscanf(text, "mm %23s", event->mm) == 1;
}

static bool scan_of(const char *text, struct ksm_event *event)
{
	return sscanf(text, "seq %" SCNd64 " rmap size %" SCNd64,
		      &event->scans, &event->tracked) == 2;
}

static bool attempt_of(const char *text, struct ksm_event *event)
{
	event->with_ksm_page = !strncmp(text, "ksm ", 4);
	return sscanf(text + (event->with_ksm_page ? 4 : 0),
		      "pfn %" SCNd64 " rmap_item %23s mm %23s error %" SCNd64,
		      &event->pfn, event->rmap_item, event->mm,
		      &event->error) == 4;
}

static bool page_of(const char *text, struct ksm_event *event)
{
	return sscanf(text, "pfn %" SCNd64, &event->pfn) == 1;
}

static bool item_of(const char *text, struct ksm_event *event)
{
	return sscanf(text, "pfn %" SCNd64 " rmap_item %23s mm %23s",
		      &event->pfn, event->rmap_item, event->mm) == 3;
}

static bool advisor_of(const char *text, struct ksm_event *event)
{
	return sscanf(text, "ksm scan time %" SCNd64 " pages_to_scan %" SCNd64
		      " cpu percent %" SCNd64, &event->scan_seconds,
		      &event->pages_to_scan, &event->cpu_percent) == 3;
}

/* The formats are those of include/trace/events/ksm.h. */
static const struct {
	const char *name;
	bool (*parse)(const char *text, struct ksm_event *event);
} kinds[KSM_NR_EVENTS] = {
	[KSM_EVENT_ENTER] = { "ksm_enter", mm_of },
	[KSM_EVENT_EXIT] = { "ksm_exit", mm_of },
	[KSM_EVENT_START_SCAN] = { "ksm_start_scan", scan_of },
	[KSM_EVENT_STOP_SCAN] = { "ksm_stop_scan", scan_of },
	[KSM_EVENT_MERGE_WITH_KSM_PAGE] = { "ksm_merge_with_ksm_page",
					    attempt_of },
	[KSM_EVENT_MERGE_ONE_PAGE] = { "ksm_merge_one_page", attempt_of },
	[KSM_EVENT_REMOVE_KSM_PAGE] = { "ksm_remove_ksm_page", page_of },
	[KSM_EVENT_REMOVE_RMAP_ITEM] = { "ksm_remove_rmap_item", item_of },
	[KSM_EVENT_ADVISOR] = { "ksm_advisor", advisor_of },
};

/* Names of the kernel's events are part of its interface. */
const char *ksm_event_name(enum ksm_event_kind kind)
{
	return kinds[kind].name;
}

/**
 * ksm_event_find() - an event by its name
 * @name: with "ksm_" before it, or without
 *
 * Return: enum ksm_event_kind, or -1
 */
int ksm_event_find(const char *name)
{
	for (int i = 0; i < KSM_NR_EVENTS; i++)
		if (!strcmp(kinds[i].name, name) ||
		    !strcmp(kinds[i].name + strlen("ksm_"), name))
			return i;
	return -1;
}

/* Whether it tells of a merge, done or failed. */
bool ksm_event_is_attempt(const struct ksm_event *event)
{
	return event->kind == KSM_EVENT_MERGE_WITH_KSM_PAGE ||
	       event->kind == KSM_EVENT_MERGE_ONE_PAGE;
}

static void nothing_known(struct ksm_event *event)
{
	memset(event, 0, sizeof(*event));
	event->pfn = KSM_UNKNOWN;
	event->error = KSM_UNKNOWN;
	event->scans = KSM_UNKNOWN;
	event->tracked = KSM_UNKNOWN;
	event->scan_seconds = KSM_UNKNOWN;
	event->pages_to_scan = KSM_UNKNOWN;
	event->cpu_percent = KSM_UNKNOWN;
}

static char *trim_end(char *text, char *end)
{
	while (end > text && end[-1] == ' ')
		end--;
	*end = '\0';
	return end;
}

/* A program may call itself anything: not all of it is fit for a terminal. */
static void copy_comm(char *comm, const char *from)
{
	size_t len = 0;

	from += strspn(from, " ");
	if (!strcmp(from, "<...>"))
		from = "";
	for (; *from && len < KSM_COMM_MAX - 1; from++)
		comm[len++] = *from > ' ' && *from < 0x7f ? *from :
			      *from == ' ' ? ' ' : '?';
	comm[len] = '\0';
}

/* "  COMM-PID  ( TGID) ": TGID only if it was asked for */
static bool parse_task(char *text, char *end, struct ksm_event *event)
{
	char *dash;

	end = trim_end(text, end);
	if (end > text && end[-1] == ')') {
		end = strrchr(text, '(');
		if (!end)
			return false;
		trim_end(text, end);
	}
	dash = strrchr(text, '-');
	if (!dash || sscanf(dash, "-%d", &event->pid) != 1)
		return false;
	*dash = '\0';
	copy_comm(event->comm, text);
	return true;
}

/* "  COMM-PID  [CPU] FLAGS SECONDS.MICROSECONDS", FLAGS may be missing */
static bool parse_head(char *head, struct ksm_event *event)
{
	char *time = strrchr(head, ' '), *cpu = strrchr(head, '[');
	int64_t seconds, us;

	if (!time || !cpu || cpu > time ||
	    sscanf(time, " %" SCNd64 ".%6" SCNd64, &seconds, &us) != 2)
		return false;
	event->time_us = seconds * 1000000 + us;
	return parse_task(head, cpu, event);
}

/* The last of them: what comes before it was chosen by the program. */
static char *find_event(char *line)
{
	char *at = NULL;

	for (char *next = line; (next = strstr(next, ": ksm_")); next++)
		at = next;
	return at;
}

/**
 * ksm_event_parse() - what a line tells
 * @line:  of trace_pipe; is cut into pieces
 * @event: result
 *
 * Return: whether it is an event of KSM
 */
bool ksm_event_parse(char *line, struct ksm_event *event)
{
	char *name = find_event(line), *text;
	int kind;

	nothing_known(event);
	if (!name)
		return false;
	*name = '\0';
	name += 2;
	text = strstr(name, ": ");
	if (!text)
		return false;
	*text = '\0';
	kind = ksm_event_find(name);
	if (kind < 0)
		return false;
	event->kind = kind;
	return kinds[kind].parse(text + 2, event) && parse_head(line, event);
}

/**
 * ksm_event_lost() - how many events were lost
 * @line: of trace_pipe
 *
 * Return: how many, or 0 if this line is about something else
 */
ksm_figure ksm_event_lost(const char *line)
{
	int64_t lost;
	int cpu;

	if (sscanf(line, "CPU:%d [LOST %" SCNd64 " EVENTS]", &cpu, &lost) != 2)
		return 0;
	return lost;
}
