// SPDX-License-Identifier: GPL-2.0-only
#include <time.h>

#include "json.h"
#include "record.h"

/* null for what is unknown */
static json_t *real(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *boolean(ksm_figure value)
{
	return fig_known(value) ? json_boolean(value) : json_null();
}

/* UTC, as RFC 3339 has it; null if it is unknown */
json_t *ksm_json_time(ksm_figure time_ms)
{
	time_t seconds = time_ms / 1000;
	struct tm utc;
	char text[32];

	if (!fig_known(time_ms))
		return json_null();
	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return json_string(text);
}

static json_t *seconds_of_ms(ksm_figure ms)
{
	return real(fig_double(ms) / 1000);
}

static json_t *host_of(const struct ksm_host *host)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}",
			 "name", host->hostname,
			 "release", host->release,
			 "ksm_by_keys", boolean(host->by_keys),
			 "page_bytes", ksm_json_figure(host->page_bytes),
			 "numa_nodes", ksm_json_figure(host->nodes),
			 "mem_total_bytes",
			 ksm_json_figure(host->mem_total_bytes));
}

static json_t *warnings_of(const struct ksm_verdict *verdict)
{
	json_t *list = json_array();

	for (int i = 0; i < KSM_NR_WARNINGS; i++)
		if (ksm_verdict_warns(verdict, i))
			json_array_append_new(list,
					      json_pack("{s:s,s:s}", "code",
							ksm_warning_name(i),
							"text",
							ksm_warning_text(i)));
	return list;
}

static json_t *verdict_of(const struct ksm_status *status)
{
	const struct ksm_verdict *verdict = &status->verdict;
	const char *next = status->words.next;

	return json_pack("{s:s,s:s,s:s,s:o,s:o}",
			 "state", ksm_state_name(verdict->state),
			 "reason", ksm_reason_name(verdict->reason),
			 "headline", status->words.headline,
			 "warnings", warnings_of(verdict),
			 "next", *next ? json_string(next) : json_null());
}

static json_t *saving_of(const struct ksm_sample *now)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}",
			 "saved_bytes", ksm_json_figure(ksm_saved_bytes(now)),
			 "merged_bytes", ksm_json_figure(ksm_merged_bytes(now)),
			 "zero_bytes", ksm_json_figure(ksm_zero_bytes(now)),
			 "metadata_bytes",
			 ksm_json_figure(ksm_metadata_bytes(now)),
			 "profit_bytes",
			 ksm_json_figure(now->counters.general_profit),
			 "tracked_bytes",
			 ksm_json_figure(ksm_tracked_bytes(now)));
}

static json_t *pages_of(const struct ksm_counters *at)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
			 "shared", ksm_json_figure(at->pages_shared),
			 "sharing", ksm_json_figure(at->pages_sharing),
			 "unshared", ksm_json_figure(at->pages_unshared),
			 "volatile", ksm_json_figure(at->pages_volatile),
			 "zero", ksm_json_figure(at->ksm_zero_pages),
			 "scanned_total", ksm_json_figure(at->pages_scanned),
			 "skipped_total", ksm_json_figure(at->pages_skipped));
}

static json_t *ksmd_of(const struct ksm_status *status)
{
	double cpu = fig_double(status->view.now->host.ksmd_cpu_ns) / 1e9;

	return json_pack("{s:o,s:o,s:o,s:o}",
			 "cpu_percent", real(status->quick.ksmd_cpu_percent),
			 "cpu_hour_percent",
			 real(status->hour.ksmd_cpu_percent),
			 "cpu_seconds_total", real(cpu),
			 "yield_bytes_per_cpu_percent",
			 real(ksm_yield_bytes(status)));
}

static json_t *trend_of(const struct ksm_status *status)
{
	return json_pack("{s:o,s:o,s:o,s:o}",
			 "window_seconds", real(status->trend.seconds),
			 "full_scans", real(status->trend.full_scans),
			 "saved_bytes_per_minute",
			 real(60 * status->trend.saved_bytes),
			 "converged_since", ksm_json_time(status->converged_ms));
}

static json_t *scan_of(const struct ksm_sample *now)
{
	const struct ksm_counters *at = &now->counters;

	return json_pack("{s:o,s:o,s:o,s:o,s:o}",
			 "full_scans_total", ksm_json_figure(at->full_scans),
			 "visited_pages", ksm_json_figure(at->scan_pages),
			 "done_percent", real(100 * ksm_scan_progress(now)),
			 "remaining_seconds",
			 real(ksm_scan_remaining_seconds(now)),
			 "last_scan_seconds",
			 seconds_of_ms(at->last_scan_millisecs));
}

static json_t *copies_of(const struct ksm_status *status)
{
	const struct ksm_host *host = &status->view.now->host;

	return json_pack("{s:o,s:o,s:o,s:o}",
			 "cow_per_second", real(status->quick.cow),
			 "swapin_per_second",
			 real(status->quick.swapin_copies),
			 "cow_total", ksm_json_figure(host->cow_ksm),
			 "swapin_total",
			 ksm_json_figure(host->swapin_copies));
}

static json_t *huge_of(const struct ksm_counters *at)
{
	return json_pack("{s:o,s:o}",
			 "split_total", ksm_json_figure(at->thp_split),
			 "kept", ksm_json_figure(at->thp_kept));
}

static json_t *members_of(const struct ksm_sums *sums)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o}",
			 "processes", ksm_json_figure(sums->members),
			 "gain_nothing", ksm_json_figure(sums->idle),
			 "unreadable", ksm_json_figure(sums->unreadable),
			 "rss_bytes", ksm_json_figure(sums->rss_bytes),
			 "tracked_bytes",
			 ksm_json_figure(sums->tracked_bytes));
}

static ksm_figure short_of(const struct ksm_sample *now)
{
	ksm_figure bytes = ksm_undo_short_bytes(now);

	return fig_known(bytes) && bytes < 0 ? 0 : bytes;
}

static json_t *undo_of(const struct ksm_sample *now)
{
	return json_pack("{s:o,s:o,s:o,s:o}",
			 "needed_bytes", ksm_json_figure(ksm_saved_bytes(now)),
			 "mem_available_bytes",
			 ksm_json_figure(now->host.mem_available_bytes),
			 "swap_free_bytes",
			 ksm_json_figure(now->host.swap_free_bytes),
			 "short_bytes", ksm_json_figure(short_of(now)));
}

/**
 * ksm_json_status() - the status as JSON
 * @status: the status
 *
 * Return: an object, or NULL if there is no memory
 */
json_t *ksm_json_status(const struct ksm_status *status)
{
	const struct ksm_sample *now = status->view.now;

	return json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,"
			 "s:o,s:o}",
			 "schema_version", KSM_SCHEMA_VERSION,
			 "time", ksm_json_time(now->time_ms),
			 "host", host_of(&now->host),
			 "verdict", verdict_of(status),
			 "saving", saving_of(now),
			 "pages", pages_of(&now->counters),
			 "ksmd", ksmd_of(status),
			 "trend", trend_of(status),
			 "scan", scan_of(now),
			 "copies", copies_of(status),
			 "huge_pages", huge_of(&now->counters),
			 "members", members_of(&now->sums),
			 "undo", undo_of(now),
			 "knobs", ksm_json_knobs(&now->knobs));
}
