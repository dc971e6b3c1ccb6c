// SPDX-License-Identifier: GPL-2.0-only
/*
 * The KSMP_ variables.  A value that cannot be used is named, and the default
 * taken: a program is not to fail because of a typing error in them.
 */
#include <stdlib.h>

#include "preload.h"

#define THRESHOLD_NAME "KSMP_MERGE_THRESHOLD"
#define THRESHOLD_DEFAULT 32768
#define LEVEL_NAME "KSMP_LOG_LEVEL"
#define LEVEL_DEFAULT KSMP_ERRORS

/**
 * ksmp_parse() - a number, decimal digits and nothing else
 * @text:   what to read
 * @max:    the greatest number that will do
 * @number: set if it is one
 *
 * Return: whether it is one
 */
bool ksmp_parse(const char *text, size_t max, size_t *number)
{
	size_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		size_t digit = (size_t)(unsigned char)*text - '0';

		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value) || value > max)
			return false;
	}
	*number = value;
	return true;
}

/* What is printed must not move the cursor. */
static void printable(const char *text, char *out, size_t space)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < space; i++)
		out[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
	out[i] = 0;
}

static void complain(const char *name, const char *text, const char *wanted,
		     size_t used)
{
	char shown[48];

	printable(text, shown, sizeof(shown));
	ksmp_say("%s=%s is not %s; using %zu", name, shown, wanted, used);
}

/* An empty variable is one that was taken back. */
static bool given(const char *name, const char **text)
{
	*text = getenv(name);
	return *text && **text;
}

static enum ksmp_level read_level(void)
{
	const char *text;
	size_t level = LEVEL_DEFAULT;

	if (given(LEVEL_NAME, &text) &&
	    !ksmp_parse(text, KSMP_SUMMARY, &level))
		complain(LEVEL_NAME, text, "0, 1 or 2", LEVEL_DEFAULT);
	return level;
}

/**
 * ksmp_settings_read() - from the environment, with messages
 *
 * Return: settings that can be used
 */
struct ksmp_settings ksmp_settings_read(void)
{
	struct ksmp_settings set = { .threshold = THRESHOLD_DEFAULT };
	const char *text;

	set.level = read_level();
	if (given(THRESHOLD_NAME, &text) &&
	    !ksmp_parse(text, SIZE_MAX, &set.threshold) &&
	    set.level >= KSMP_ERRORS)
		complain(THRESHOLD_NAME, text,
			 "a number of bytes, such as 65536", THRESHOLD_DEFAULT);
	return set;
}
