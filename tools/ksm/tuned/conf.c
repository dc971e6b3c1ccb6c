// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "assign.h"
#include "conf.h"
#include "log.h"
#include "root.h"

/**
 * struct key - a number in the file
 * @field:   its name, and where struct tuned_config has it
 * @min:     smallest value
 * @max:     largest; if 0, the sign may be left out
 * @preset:  what it is if not set
 */
struct key {
	struct ksm_field field;
	int64_t min;
	int64_t max;
	int64_t preset;
};

#define KEY(name, member, min, max, preset) \
	{ { name, offsetof(struct tuned_config, member), 1 }, min, max, preset }

/* The file pages_to_scan takes no more. */
#define NPAGES_MAX	UINT32_MAX

static const struct key keys[] = {
	KEY("KSM_MONITOR_INTERVAL", interval_s, 1, 86400, 60),
	KEY("KSM_SLEEP_MSEC", sleep_ms, 1, 60000, 10),
	KEY("KSM_NPAGES_BOOST", boost, 0, NPAGES_MAX, 300),
	KEY("KSM_NPAGES_DECAY", decay, -(int64_t)NPAGES_MAX, 0, -50),
	KEY("KSM_NPAGES_MIN", npages_min, 1, NPAGES_MAX, 64),
	KEY("KSM_NPAGES_MAX", npages_max, 1, NPAGES_MAX, 1250),
	KEY("KSM_THRES_COEF", thres_coef, 0, 100, 20),
	KEY("KSM_THRES_CONST", thres_const_kib, 0, INT64_MAX / 2048, 2048),
	KEY("KSM_PSI_STALL_MSEC", psi_stall_ms, 0, 2000, 200),
	KEY("DEBUG", debug, 0, 1, 0),
};

#define NR_KEYS	ARRAY_SIZE(keys)

/**
 * tuned_conf_default() - what holds without a file
 * @config: result
 */
void tuned_conf_default(struct tuned_config *config)
{
	for (size_t i = 0; i < NR_KEYS; i++)
		*fig_at(config, &keys[i].field) = keys[i].preset;
	config->logfile[0] = '\0';
}

static const char *take_number(struct tuned_config *config,
			       const struct key *key, const char *text)
{
	static char error[120];
	ksm_figure value = ksm_parse_figure(text);

	if (fig_known(value) && value > 0 && key->max == 0)
		value = -value;
	if (!fig_known(value) || value < key->min || value > key->max) {
		snprintf(error, sizeof(error),
			 "it takes a number from %lld to %lld",
			 (long long)key->min, (long long)key->max);
		return error;
	}
	*fig_at(config, &key->field) = value;
	return NULL;
}

static const char *take_logfile(struct tuned_config *config, const char *text)
{
	if (text[0] && text[0] != '/')
		return "it takes an absolute path";
	if (strlen(text) >= sizeof(config->logfile))
		return "the path is too long";
	strcpy(config->logfile, text);
	return NULL;
}

static const char *take(void *to, const char *name, const char *value)
{
	if (!strcmp(name, "LOGFILE"))
		return take_logfile(to, value);
	for (size_t i = 0; i < NR_KEYS; i++)
		if (!strcmp(name, keys[i].field.name))
			return take_number(to, &keys[i], value);
	return "there is no such key: see ksmtuned.conf(5)";
}

/**
 * tuned_conf_read() - read the file
 * @config: result: the defaults, and what the file says in place of them
 *
 * Return: 0, or -errno if there is a file that is of no use
 */
int tuned_conf_read(struct tuned_config *config)
{
	struct tuned_config preset;
	int err;

	tuned_conf_default(&preset);
	*config = preset;
	err = assign_read(TUNED_CONF, take, config);
	if (config->npages_min > config->npages_max) {
		log_say(LOG_WARNING, "%s: KSM_NPAGES_MIN is more than KSM_NPAGES_MAX: %lld and %lld are used",
			TUNED_CONF, (long long)preset.npages_min,
			(long long)preset.npages_max);
		config->npages_min = preset.npages_min;
		config->npages_max = preset.npages_max;
	}
	return err;
}
