// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "assign.h"
#include "boost.h"
#include "knobs.h"
#include "log.h"
#include "root.h"
#include "settings.h"

#define PREFIX		"KSM_"

/* KSM_PAGES_TO_SCAN is the knob pages_to_scan. */
static const struct ksm_knob *knob_of(const char *key)
{
	char name[64];
	size_t i;

	if (strncmp(key, PREFIX, strlen(PREFIX)) ||
	    strlen(key) >= sizeof(name))
		return NULL;
	key += strlen(PREFIX);
	for (i = 0; key[i]; i++) {
		/* not every spelling is a key */
		if (islower((unsigned char)key[i]))
			return NULL;
		name[i] = tolower((unsigned char)key[i]);
	}
	name[i] = '\0';
	return ksm_knob_find(name);
}

static const char *take_boost(struct settings *settings, const char *value)
{
	ksm_figure seconds = ksm_parse_figure(value);

	if (seconds < 0 || seconds > BOOST_MAX_S)
		return "it takes seconds, from 0 to 86400";
	settings->boost_s = seconds;
	return NULL;
}

static const char *take_knob(struct settings *settings,
			     const struct ksm_knob *knob, const char *value)
{
	static char error[120];
	ksm_figure figure = ksm_knob_parse(knob, value);

	if (!strcmp(knob->field.name, "run"))
		return "use `systemctl start ksm' and `systemctl stop ksm'";
	if (!fig_known(figure)) {
		snprintf(error, sizeof(error),
			 "the value is out of range; it is %s", knob->what);
		return error;
	}
	*fig_at(&settings->knobs, &knob->field) = figure;
	return NULL;
}

static const char *take(void *to, const char *name, const char *value)
{
	struct settings *settings = to;
	const struct ksm_knob *knob;

	if (!strcmp(name, "KSM_MAX_KERNEL_PAGES")) {
		settings->max_kernel_pages = true;
		return NULL;
	}
	if (!strcmp(name, "KSM_BOOT_BOOST"))
		return take_boost(settings, value);
	knob = knob_of(name);
	if (!knob)
		return "there is no such key: see ksmctl(8)";
	/* nothing is a way to leave a knob alone */
	return value[0] ? take_knob(settings, knob, value) : NULL;
}

/**
 * settings_read() - read the file
 * @settings: result
 *
 * Return: 0, also if there is no file; -errno if it is of no use
 */
int settings_read(struct settings *settings)
{
	for (size_t i = 0; i < ksm_nr_knobs; i++)
		*fig_at(&settings->knobs, &ksm_knob_table[i].field) =
			KSM_UNKNOWN;
	settings->boost_s = 0;
	settings->max_kernel_pages = false;
	return assign_read(SETTINGS_FILE, take, settings);
}

static const char *hint(const struct ksm_knob *knob, int err)
{
	if (err == -ENOENT)
		return "this kernel has no such knob";
	if (err == -EBUSY)
		return "there are merged pages: write 2 to run before";
	if (err == -EINVAL && !strcmp(knob->field.name, "pages_to_scan"))
		return "advisor_mode is not none";
	return strerror(-err);
}

static int set(const struct ksm_knob *knob, ksm_figure value)
{
	int err;

	/* Some are EBUSY even to what they are. */
	if (!fig_known(value) || ksm_knob_read(knob) == value)
		return 0;
	err = ksm_knob_write(knob, value);
	if (err)
		log_say(LOG_WARNING, "%s is not set to %s: %s",
			knob->field.name, ksm_knob_print(knob, value).s,
			hint(knob, err));
	return err;
}

/**
 * settings_apply() - set the knobs
 * @settings: what to
 *
 * The advisor goes first if it is to be off, so that pages_to_scan can be
 * written, and last if it is to be on, so that it begins with its own knobs.
 *
 * Return: 0, or the -errno of the first that failed; the others are set
 */
int settings_apply(const struct settings *settings)
{
	const struct ksm_knob *advisor = ksm_knob_find("advisor_mode");
	ksm_figure mode = settings->knobs.advisor_mode;
	int first = mode == KSM_ADVISOR_NONE ? set(advisor, mode) : 0;

	if (settings->max_kernel_pages)
		log_say(LOG_WARNING, SETTINGS_FILE ": KSM_MAX_KERNEL_PAGES has no effect: KSM pages can be swapped out, and are not limited any more");
	for (size_t i = 0; i < ksm_nr_knobs; i++) {
		const struct ksm_knob *knob = &ksm_knob_table[i];
		int err = knob == advisor ? 0 :
			  set(knob, fig_get(&settings->knobs, &knob->field));

		first = first ? first : err;
	}
	if (mode != KSM_ADVISOR_NONE) {
		int err = set(advisor, mode);

		first = first ? first : err;
	}
	return first;
}
