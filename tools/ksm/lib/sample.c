// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lines.h"
#include "sample.h"

#define SUM(name)	KSM_FIELD(struct ksm_sums, name, #name, 1)

const struct ksm_field ksm_sum_fields[] = {
	SUM(members),
	SUM(idle),
	SUM(unreadable),
	SUM(rss_bytes),
	SUM(tracked_bytes),
	SUM(cow),
};

const size_t ksm_nr_sums = ARRAY_SIZE(ksm_sum_fields);

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/**
 * ksm_sums_of() - add the members up
 * @sums:	result
 * @members:	the members
 * @page_bytes: size of a page
 */
void ksm_sums_of(struct ksm_sums *sums, const struct ksm_members *members,
		 ksm_figure page_bytes)
{
	ksm_fields_unknown(ksm_sum_fields, ksm_nr_sums, sums);
	sums->members = members->count;
	sums->unreadable = members->unreadable;
	sums->idle = 0;
	for (size_t i = 0; i < members->count; i++) {
		const struct ksm_member *member = &members->list[i];
		ksm_figure tracked = ksm_member_tracked_pages(member);

		fig_include(&sums->rss_bytes,
			    fig_mul(member->rss_pages, page_bytes));
		fig_include(&sums->tracked_bytes,
			    fig_mul(tracked, page_bytes));
		fig_include(&sums->cow, member->stat.cow);
		sums->idle += fig_known(member->stat.profit_bytes) &&
			      member->stat.profit_bytes <= 0;
	}
}

static void set_time(struct ksm_sample *sample)
{
	sample->time_ms = clock_ms(CLOCK_REALTIME);
	sample->boottime_ms = clock_ms(CLOCK_BOOTTIME);
}

/**
 * ksm_sample_again() - read again what changes all the time
 * @sample:  as ksm_sample_read() has left it
 * @members: the processes that take part, as they are now
 *
 * This does not go through all processes, which is most of the work.
 *
 * Return: as ksm_sample_read()
 */
int ksm_sample_again(struct ksm_sample *sample,
		     const struct ksm_members *members)
{
	int err;

	set_time(sample);
	err = ksm_sysfs_read(&sample->knobs, &sample->counters);
	ksm_host_again(&sample->host);
	ksm_sums_of(&sample->sums, members, sample->host.page_bytes);
	return err;
}

/**
 * ksm_sample_read() - read everything, now
 * @sample:  result; also after an error all of it is set
 * @members: result, for ksm_members_free(); NULL if they are not wanted
 *
 * Return: 0; -ENOENT if the kernel has no KSM; another -errno if its files or
 *         /proc cannot be read
 */
int ksm_sample_read(struct ksm_sample *sample, struct ksm_members *members)
{
	struct ksm_members own, *list = members ? members : &own;
	int err, members_err;

	memset(sample, 0, sizeof(*sample));
	set_time(sample);
	err = ksm_sysfs_read(&sample->knobs, &sample->counters);
	sample->present = err != -ENOENT;
	ksm_host_read(&sample->host);
	members_err = ksm_members_read(list);
	ksm_sums_of(&sample->sums, list, sample->host.page_bytes);
	if (members_err)
		sample->sums.members = KSM_UNKNOWN;
	if (!members)
		ksm_members_free(list);
	return err ? err : members_err;
}

/* What is in run, without the mark of memory being taken offline. */
ksm_figure ksm_run_mode(const struct ksm_sample *sample)
{
	ksm_figure run = sample->knobs.run;

	return fig_known(run) ? run & KSM_RUN_MASK : KSM_UNKNOWN;
}

/* Memory saved by pages that were merged. */
ksm_figure ksm_merged_bytes(const struct ksm_sample *sample)
{
	return fig_mul(sample->counters.pages_sharing, sample->host.page_bytes);
}

/* Memory saved by mappings of the zero page. */
ksm_figure ksm_zero_bytes(const struct ksm_sample *sample)
{
	return fig_mul(sample->counters.ksm_zero_pages,
		       sample->host.page_bytes);
}

/*
 * Memory saved, book-keeping not yet subtracted.  It is also what undoing all
 * merging takes.
 */
ksm_figure ksm_saved_bytes(const struct ksm_sample *sample)
{
	ksm_figure zero = ksm_zero_bytes(sample);

	/* older kernels do not count zero pages */
	return fig_add(ksm_merged_bytes(sample), fig_or_zero(zero));
}

/* Memory that KSM needs for its book-keeping. */
ksm_figure ksm_metadata_bytes(const struct ksm_sample *sample)
{
	return fig_sub(ksm_saved_bytes(sample),
		       sample->counters.general_profit);
}

/* Memory that KSM has under observation; what was never visited is not in. */
ksm_figure ksm_tracked_bytes(const struct ksm_sample *sample)
{
	const struct ksm_counters *at = &sample->counters;
	ksm_figure pages = fig_add(fig_add(at->pages_shared, at->pages_sharing),
				   fig_add(at->pages_unshared,
					   at->pages_volatile));

	return fig_mul(fig_add(pages, fig_or_zero(at->ksm_zero_pages)),
		       sample->host.page_bytes);
}

/* Memory and swap that could be used at once. */
ksm_figure ksm_spare_bytes(const struct ksm_sample *sample)
{
	return fig_add(sample->host.mem_available_bytes,
		       sample->host.swap_free_bytes);
}

/* What is lacking to undo all merging; not positive if there is enough. */
ksm_figure ksm_undo_short_bytes(const struct ksm_sample *sample)
{
	return fig_sub(ksm_saved_bytes(sample), ksm_spare_bytes(sample));
}
