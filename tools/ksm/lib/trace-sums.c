// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "trace-sums.h"

/* What the errors of an attempt mean, as the admin guide has it */
static const struct {
	int error;
	const char *name;
	const char *text;
} errors[] = {
	{ -EBUSY, "EBUSY", "in use: pinned, locked, or read" },
	{ -EFAULT, "EFAULT", "the bytes differ, or not mapped" },
	{ -ESTALE, "ESTALE", "the page is no longer there" },
	{ -EAGAIN, "EAGAIN", "KSM page moved or unreadable" },
	{ -ENOMEM, "ENOMEM", "no memory" },
};

static int index_of(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].error == error)
			return i;
	return -1;
}

/* "EBUSY"; "other" for those that KSM does not use */
const char *ksm_error_name(int error)
{
	int i = index_of(error);

	return i < 0 ? "other" : errors[i].name;
}

/* What it means, in a few words. */
const char *ksm_error_text(int error)
{
	int i = index_of(error);

	return i < 0 ? "not known to this program" : errors[i].text;
}

/* Names in JSON, so they stay. */
const char *ksm_attempt_name(enum ksm_attempt attempt)
{
	static const char *const names[KSM_NR_ATTEMPTS] = {
		[KSM_ATTEMPT_KSM_PAGE] = "with_ksm_page",
		[KSM_ATTEMPT_ITSELF] = "become_ksm_page",
		[KSM_ATTEMPT_ZERO_PAGE] = "with_zero_page",
	};

	return names[attempt];
}

static void count_error(struct ksm_trace_sums *sums, int error)
{
	struct ksm_error_count *at = sums->errors;
	struct ksm_error_count *end = at + sums->nr_errors;

	while (at < end && at->error != error)
		at++;
	if (at == end && sums->nr_errors < KSM_ERRORS_MAX)
		sums->nr_errors++;
	else if (at == end)
		at--;
	if (!at->count)
		at->error = error;
	at->count++;
}

static enum ksm_attempt attempt_of(const struct ksm_event *event)
{
	if (event->kind == KSM_EVENT_MERGE_ONE_PAGE)
		return KSM_ATTEMPT_ZERO_PAGE;
	return event->with_ksm_page ? KSM_ATTEMPT_KSM_PAGE :
				      KSM_ATTEMPT_ITSELF;
}

/* One more event; @sums begins as all zeroes. */
void ksm_trace_count(struct ksm_trace_sums *sums,
		     const struct ksm_event *event)
{
	enum ksm_attempt attempt;

	sums->events[event->kind]++;
	if (!ksm_event_is_attempt(event))
		return;
	attempt = attempt_of(event);
	sums->attempts[attempt]++;
	if (!event->error)
		return;
	sums->failed[attempt]++;
	count_error(sums, event->error);
}

static int by_count(const void *a, const void *b)
{
	const struct ksm_error_count *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return y->error - x->error;
}

/* The most frequent errors first. */
void ksm_trace_sort(struct ksm_trace_sums *sums)
{
	qsort(sums->errors, sums->nr_errors, sizeof(sums->errors[0]), by_count);
}

/**
 * ksm_trace_total() - add up
 * @counts: what
 * @nr:     how many
 *
 * Return: the sum
 */
int64_t ksm_trace_total(const int64_t *counts, size_t nr)
{
	int64_t total = 0;

	for (size_t i = 0; i < nr; i++)
		total += counts[i];
	return total;
}
