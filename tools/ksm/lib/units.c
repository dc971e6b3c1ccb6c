// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

static const struct ksm_text unknown = { "-" };

/**
 * ksm_size() - memory, with three digits: "6.12 GiB", "71 MiB", "512 B"
 * @bytes: how much; may be negative
 *
 * Return: the text; "-" for what is unknown
 */
struct ksm_text ksm_size(ksm_figure bytes)
{
	static const char *const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
	};
	double value = fig_double(bytes);
	struct ksm_text text;
	size_t i = 0;
	int digits;

	if (!fig_known(bytes))
		return unknown;
	/* 1023.6 KiB would be shown as 1024 */
	while (fabs(value) >= 1023.5) {
		value /= 1024;
		i++;
	}
	digits = fabs(value) < 9.995 ? 2 : fabs(value) < 99.95 ? 1 : 0;
	snprintf(text.s, sizeof(text.s), "%.*f %s", i ? digits : 0, value,
		 units[i]);
	return text;
}

/**
 * ksm_count() - a number with its thousands set apart: "1,902"
 * @count: the number; may be negative
 *
 * Return: the text; "-" for what is unknown
 */
struct ksm_text ksm_count(ksm_figure count)
{
	struct ksm_text text;
	char digits[24], *out = text.s;
	int len;

	if (!fig_known(count))
		return unknown;
	len = snprintf(digits, sizeof(digits), "%" PRId64, count);
	for (int i = 0; i < len; i++) {
		*out++ = digits[i];
		if (isdigit((unsigned char)digits[i]) && i + 1 < len &&
		    (len - i - 1) % 3 == 0)
			*out++ = ',';
	}
	*out = '\0';
	return text;
}

/* A number as it is. */
struct ksm_text ksm_raw(ksm_figure figure)
{
	struct ksm_text text;

	if (!fig_known(figure))
		return unknown;
	snprintf(text.s, sizeof(text.s), "%" PRId64, figure);
	return text;
}

/**
 * ksm_duration() - a time: "41 s", "12 min", "3.5 h", "2 days"
 * @seconds: how long
 *
 * Return: the text; "-" for what is unknown
 */
struct ksm_text ksm_duration(double seconds)
{
	struct ksm_text text;

	if (isnan(seconds))
		return unknown;
	if (seconds < 0.9995)
		snprintf(text.s, sizeof(text.s), "%.0f ms", seconds * 1000);
	else if (seconds < 119.5)
		snprintf(text.s, sizeof(text.s), "%.0f s", seconds);
	else if (seconds < 119.5 * 60)
		snprintf(text.s, sizeof(text.s), "%.0f min", seconds / 60);
	else if (seconds < 47.95 * 3600)
		snprintf(text.s, sizeof(text.s), "%.1f h", seconds / 3600);
	else
		snprintf(text.s, sizeof(text.s), "%.0f days",
			 seconds / 86400);
	return text;
}

/**
 * ksm_rate() - how often per second: "12/s", "0.3/s"
 * @per_second: how often
 *
 * Return: the text; "-" for what is unknown
 */
struct ksm_text ksm_rate(double per_second)
{
	struct ksm_text text;

	if (isnan(per_second))
		return unknown;
	if (per_second && fabs(per_second) < 9.95)
		snprintf(text.s, sizeof(text.s), "%.1f/s", per_second);
	else
		snprintf(text.s, sizeof(text.s), "%.30s/s",
			 ksm_count(fig_round(per_second)).s);
	return text;
}

/* "0.9 %" */
struct ksm_text ksm_percent(double percent)
{
	struct ksm_text text;

	if (isnan(percent))
		return unknown;
	snprintf(text.s, sizeof(text.s), "%.*f %%",
		 fabs(percent) < 9.95 ? 1 : 0, percent);
	return text;
}

/**
 * ksm_plural() - what a word ends with: "1 process", "2 processes"
 * @count:  how many
 * @ending: of the plural
 *
 * Return: @ending, or "" if there is one
 */
const char *ksm_plural(int64_t count, const char *ending)
{
	return count == 1 ? "" : ending;
}

/**
 * ksm_parse_duration_ms() - a time as users write it
 * @text: a number and its unit: ms, s, min (or m), h, d; s if there is none
 *
 * Return: milliseconds, or KSM_UNKNOWN if it is no such time, or 0
 */
ksm_figure ksm_parse_duration_ms(const char *text)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "sec", 1000 },
		{ "m", 60000 }, { "min", 60000 }, { "h", 3600000 },
		{ "d", 86400000 },
	};
	double value, ms;
	char *end;

	if (!isdigit((unsigned char)*text))
		return KSM_UNKNOWN;
	value = strtod(text, &end);
	while (*end == ' ')
		end++;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(units[i].name, end))
			continue;
		ms = value * units[i].ms;
		return ms >= 1 && ms < 1e15 ? (ksm_figure)ms : KSM_UNKNOWN;
	}
	return KSM_UNKNOWN;
}
