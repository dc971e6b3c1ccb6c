// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "members.h"
#include "root.h"

#define STAT(name, line)	KSM_FIELD(struct ksm_stat, name, line, 1)

static const struct ksm_field stat_fields[] = {
	STAT(rmap_items, "ksm_rmap_items"),
	STAT(zero_pages, "ksm_zero_pages"),
	STAT(merging_pages, "ksm_merging_pages"),
	STAT(profit_bytes, "ksm_process_profit"),
	STAT(cow, "ksm_cow"),
	STAT(thp_split, "ksm_thp_split"),
};

static const struct ksm_field answer_fields[] = {
	STAT(merge_any, "ksm_merge_any"),
	STAT(mergeable, "ksm_mergeable"),
};

static void parse_line(char *line, struct ksm_stat *stat)
{
	char *name, *value;

	if (!ksm_line_value(line, &name, &value))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(stat_fields); i++)
		if (!strcmp(stat_fields[i].name, name))
			*fig_at(stat, &stat_fields[i]) =
				ksm_parse_figure(value);
	for (size_t i = 0; i < ARRAY_SIZE(answer_fields); i++)
		if (!strcmp(answer_fields[i].name, name))
			*fig_at(stat, &answer_fields[i]) =
				!strcmp(value, "yes");
}

static int nothing_known(struct ksm_stat *stat)
{
	ksm_fields_unknown(stat_fields, ARRAY_SIZE(stat_fields), stat);
	ksm_fields_unknown(answer_fields, ARRAY_SIZE(answer_fields), stat);
	return 0;
}

/**
 * ksm_stat_parse() - what ksm_stat says, once it was read
 * @text: its content; is cut into pieces
 * @stat: result
 *
 * Return: 0, or -ENODATA if there is nothing: the process has no memory
 */
int ksm_stat_parse(char *text, struct ksm_stat *stat)
{
	char *line;

	nothing_known(stat);
	while ((line = strsep(&text, "\n")))
		parse_line(line, stat);
	return fig_known(stat->rmap_items) || fig_known(stat->merging_pages) ?
	       0 : -ENODATA;
}

/**
 * ksm_stat_read() - what KSM says about one process
 * @pid:  the process
 * @stat: result
 *
 * Return: 0, or -errno: it may have ended (-ENOENT, -ESRCH), be another user's
 *         (-EACCES, -EPERM) or have no memory of its own (-ENODATA)
 */
int ksm_stat_read(int pid, struct ksm_stat *stat)
{
	char text[KSM_STAT_MAX];
	ssize_t len = ksm_root_read(text, sizeof(text), "/proc/%d/ksm_stat",
				    pid);

	return len < 0 ? len : ksm_stat_parse(text, stat);
}

/**
 * ksm_stat_takes_part() - does this process take part in KSM?
 * @stat: of the process
 *
 * Return: true if it does
 */
bool ksm_stat_takes_part(const struct ksm_stat *stat)
{
	return stat->merge_any == 1 || stat->mergeable == 1 ||
	       fig_or_zero(stat->rmap_items) ||
	       fig_or_zero(stat->merging_pages) ||
	       fig_or_zero(stat->zero_pages);
}

/**
 * ksm_member_read() - all about one process, whether it takes part or not
 * @pid:    the process
 * @member: result
 *
 * Return: 0, or -errno as ksm_stat_read()
 */
int ksm_member_read(int pid, struct ksm_member *member)
{
	struct ksm_proc_stat proc;
	int err = ksm_stat_read(pid, &member->stat);

	/* before 6.1 kernels have no such file; then the process is here */
	if (err == -ENOENT)
		err = nothing_known(&member->stat);
	if (!err)
		err = ksm_proc_stat(pid, &proc);
	if (err)
		return err;
	member->pid = pid;
	member->start_ticks = proc.start_ticks;
	strcpy(member->comm, proc.comm);
	member->rss_pages = ksm_proc_rss_pages(pid);
	ksm_proc_unit(pid, member->unit, sizeof(member->unit));
	return 0;
}

static int append(struct ksm_members *members, const struct ksm_member *member)
{
	size_t count = members->count;
	struct ksm_member *list = members->list;

	/* grow at 0, 16, 32, 64 ... */
	if (!count || (count >= 16 && !(count & (count - 1)))) {
		list = realloc(list, (count ? 2 * count : 16) * sizeof(*list));
		if (!list)
			return -ENOMEM;
		members->list = list;
	}
	list[members->count++] = *member;
	return 0;
}

/* Threads of the kernel have no memory, though one may not read that. */
static bool has_memory(int pid)
{
	struct ksm_proc_stat stat;

	return !ksm_proc_stat(pid, &stat) && !stat.kthread;
}

static int add(struct ksm_members *members, int pid)
{
	struct ksm_member member;
	int err = ksm_stat_read(pid, &member.stat);

	if (err == -EACCES || err == -EPERM)
		members->unreadable += has_memory(pid);
	if (err || !ksm_stat_takes_part(&member.stat) ||
	    ksm_member_read(pid, &member))
		return 0;
	return append(members, &member);
}

/**
 * ksm_members_read() - find all processes that take part
 * @members: result, for ksm_members_free(), also after an error
 *
 * Return: 0, or -errno: /proc could not be read, or -ENOMEM
 */
int ksm_members_read(struct ksm_members *members)
{
	struct ksm_proc_list list;
	int pid, err;

	memset(members, 0, sizeof(*members));
	err = ksm_proc_open(&list);
	if (err)
		return err;
	while (!err && (pid = ksm_proc_next(&list)) > 0)
		err = add(members, pid);
	ksm_proc_close(&list);
	return err;
}

/* Give back what ksm_members_read() has made. */
void ksm_members_free(struct ksm_members *members)
{
	free(members->list);
	memset(members, 0, sizeof(*members));
}

/* Pages that KSM has under observation; zero pages are no longer tracked. */
ksm_figure ksm_member_tracked_pages(const struct ksm_member *member)
{
	return fig_add(member->stat.rmap_items, member->stat.zero_pages);
}

/* Pages that are mapped to a page of KSM or to the zero page. */
ksm_figure ksm_member_merged_pages(const struct ksm_member *member)
{
	return fig_add(member->stat.merging_pages, member->stat.zero_pages);
}
