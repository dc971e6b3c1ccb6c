// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <time.h>

#include "when.h"

static bool matches(const char *text, const char *fmt, struct tm *tm,
		    bool *utc)
{
	const char *end = strptime(text, fmt, tm);

	*utc = end && !strcmp(end, "Z");
	return end && (!*end || *utc);
}

/**
 * ksm_parse_time_ms() - a moment as users write it
 * @text:   "2026-11-29 15:40[:12]", with T for the space and Z at the end for
 *          UTC if one likes; "2026-11-29"; "15:40" of today; "now"
 * @now_ms: the present
 *
 * Return: milliseconds since 1970, or KSM_UNKNOWN
 */
ksm_figure ksm_parse_time_ms(const char *text, int64_t now_ms)
{
	static const char *const formats[] = {
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M",
		"%Y-%m-%dT%H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M",
	};
	time_t now = now_ms / 1000, time;
	struct tm tm;
	bool utc;

	if (!strcmp(text, "now"))
		return now_ms;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		localtime_r(&now, &tm);
		tm.tm_hour = 0;
		tm.tm_min = 0;
		tm.tm_sec = 0;
		if (!matches(text, formats[i], &tm, &utc))
			continue;
		tm.tm_isdst = -1;
		time = utc ? timegm(&tm) : mktime(&tm);
		return time >= 0 ? time * 1000LL : KSM_UNKNOWN;
	}
	return KSM_UNKNOWN;
}

/**
 * ksm_time() - a moment by the local clock
 * @time_ms: the moment
 * @fmt:     as for strftime()
 *
 * Return: the text; "-" if it is unknown
 */
struct ksm_text ksm_time(int64_t time_ms, const char *fmt)
{
	time_t seconds = time_ms / 1000;
	struct ksm_text text = { "-" };
	struct tm local;

	if (!fig_known(time_ms))
		return text;
	localtime_r(&seconds, &local);
	if (!strftime(text.s, sizeof(text.s), fmt, &local))
		text.s[0] = '\0';
	return text;
}
