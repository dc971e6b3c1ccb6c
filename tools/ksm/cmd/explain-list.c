// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm explain --all, --idle: many processes, a line each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "explain-cmd.h"
#include "progress.h"
#include "units.h"

/* The processes in question, and how many could not be read */
struct list {
	const struct ksm_scene *scene;
	bool idle;
	struct ksm_explained *entries;
	size_t count;
	size_t unreadable;
};

static bool wanted(const struct list *list,
		   const struct ksm_explained *explained)
{
	ksm_figure profit = explained->member.stat.profit_bytes;

	return !list->idle || (fig_known(profit) && profit <= 0);
}

static int add(struct list *list, int pid)
{
	size_t size = (list->count + 1) * sizeof(*list->entries);
	struct ksm_explained *entries = realloc(list->entries, size);
	int err;

	if (!entries)
		return -ENOMEM;
	list->entries = entries;
	err = ksm_explain_read(&entries[list->count], list->scene, pid);
	if (!err && wanted(list, &entries[list->count])) {
		list->count++;
		return 0;
	}
	ksm_explain_free(&entries[list->count]);
	list->unreadable += err == -EACCES || err == -EPERM;
	return err == -ENOMEM ? err : 0;
}

static bool is_member(const struct ksm_members *members, int pid)
{
	for (size_t i = 0; i < members->count; i++)
		if (members->list[i].pid == pid)
			return true;
	return false;
}

static bool has_guest(int pid)
{
	struct ksm_fds fds;
	bool has;

	ksm_fds_read(pid, &fds);
	has = fig_or_zero(fds.kvm) > 0;
	ksm_fds_free(&fds);
	return has;
}

/*
 * A guest of which nothing can merge registers nothing, so it is no member;
 * but just that is what one wants to know.
 */
static int add_guests(struct list *list, const struct ksm_members *members)
{
	struct ksm_proc_list procs;
	int pid, err = ksm_proc_open(&procs);

	if (err)
		return err;
	while (!err && (pid = ksm_proc_next(&procs)) > 0)
		if (!is_member(members, pid) && has_guest(pid))
			err = add(list, pid);
	ksm_proc_close(&procs);
	return err;
}

static int by_rss(const void *left, const void *right)
{
	const struct ksm_explained *a = left, *b = right;

	if (a->rss_bytes != b->rss_bytes)
		return a->rss_bytes < b->rss_bytes ? 1 : -1;
	return a->member.pid > b->member.pid ? 1 : -1;
}

static int collect(struct list *list)
{
	struct ksm_members members;
	int err = ksm_members_read(&members);

	list->unreadable = members.unreadable;
	for (size_t i = 0; i < members.count && !err; i++) {
		ksm_progress("reading the mappings of process %zu of %zu",
			     i + 1, members.count);
		err = add(list, members.list[i].pid);
	}
	if (!err)
		err = add_guests(list, &members);
	ksm_progress_end();
	ksm_members_free(&members);
	if (list->count)
		qsort(list->entries, list->count, sizeof(*list->entries),
		      by_rss);
	return err;
}

static void print_entry(const struct ksm_explained *explained)
{
	enum ksm_why reason = ksm_explain_main(explained);
	int64_t all = ksm_explain_weight(explained);
	int64_t part = explained->totals[reason].bytes;

	printf("%7d ", explained->member.pid);
	ksm_print_name(explained->member.comm, 16);
	printf(" %8s %8s %9s  %-12s  %s%s\n",
	       explain_size(explained->rss_bytes).s,
	       explain_size(explained->ksm_bytes).s,
	       explain_size(explained->member.stat.profit_bytes).s,
	       ksm_why_name(reason),
	       ksm_percent(all ? 100.0 * part / all : 0).s,
	       ksm_stat_takes_part(&explained->member.stat) ? "" : " *");
}

static void print_advice(const struct ksm_explained *explained,
			 const struct ksm_scene *scene)
{
	struct ksm_advice advice;

	ksm_advise(&advice, explained, scene);
	if (advice.count)
		explain_wrap("        ", advice.text[0]);
	ksm_advice_free(&advice);
}

static void print_text(const struct list *list)
{
	bool outside = false;

	if (!list->count) {
		puts(list->idle ? "No process that takes part gains nothing." :
				  "No process takes part in KSM.");
		return;
	}
	printf("%7s %-16s %8s %8s %9s  %-12s  %s\n", "PID", "command", "Rss",
	       "KSM", "profit", "main reason", "of memory");
	for (size_t i = 0; i < list->count; i++) {
		print_entry(&list->entries[i]);
		if (list->idle)
			print_advice(&list->entries[i], list->scene);
		outside |= !ksm_stat_takes_part(
			&list->entries[i].member.stat);
	}
	if (outside)
		puts("* a guest that takes no part in KSM");
	if (!list->idle)
		puts("\n`ksm explain PID` has more of each.");
}

static json_t *json_list(const struct list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array,
				      explain_json_process(&list->entries[i]));
	return json_pack("{s:i, s:o, s:I}",
			 "schema_version", KSM_EXPLAIN_SCHEMA,
			 "processes", array,
			 "unreadable_processes", (json_int_t)list->unreadable);
}

static int show(const struct list *list, bool json)
{
	int code = KSM_EXIT_DONE;

	if (json)
		code = explain_json_print(json_list(list));
	else
		print_text(list);
	if (!code && list->unreadable)
		code = explain_unreadable(list->unreadable);
	return code;
}

/**
 * explain_list() - show all processes that take part
 * @scene: what holds for all
 * @idle:  only those that gain nothing
 * @json:  for programs
 *
 * Return: the exit code
 */
int explain_list(const struct ksm_scene *scene, bool idle, bool json)
{
	struct list list = { .scene = scene, .idle = idle };
	int err = collect(&list), code;

	if (err)
		code = ksm_fail(ksm_exit_of(err), "cannot read /proc: %s",
				strerror(-err));
	else
		code = show(&list, json);
	for (size_t i = 0; i < list.count; i++)
		ksm_explain_free(&list.entries[i]);
	free(list.entries);
	return code;
}
