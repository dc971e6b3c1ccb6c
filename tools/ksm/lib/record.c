// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "days.h"
#include "knobs.h"
#include "names.h"
#include "record.h"

/* null for what is unknown */
json_t *ksm_json_figure(ksm_figure figure)
{
	return fig_known(figure) ? json_integer(figure) : json_null();
}

/* The container that a unit is in, or null; of a name like ksm_proc_unit()'s */
json_t *ksm_json_container(const char *name)
{
	const char *unit = ksm_unit_name(name);

	return unit > name ? json_stringn(name, unit - 1 - name) : json_null();
}

static ksm_figure figure_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : KSM_UNKNOWN;
}

/* Unknown figures are left out, which saves room. */
static json_t *object_of(const void *base, const struct ksm_field *fields,
			 size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		ksm_figure figure = fig_get(base, &fields[i]);

		if (fig_known(figure))
			json_object_set_new(object, fields[i].name,
					    json_integer(figure));
	}
	return object;
}

static void parse_object(const json_t *object, void *base,
			 const struct ksm_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		*fig_at(base, &fields[i]) = figure_of(object, fields[i].name);
}

static json_t *record_of_knobs(const struct ksm_knobs *knobs)
{
	json_t *object = json_object();

	for (size_t i = 0; i < ksm_nr_knobs; i++) {
		const struct ksm_field *field = &ksm_knob_table[i].field;

		json_object_set_new(object, field->name,
				    ksm_json_figure(fig_get(knobs, field)));
	}
	return object;
}

/* All knobs by their names; the advisor's mode in words. */
json_t *ksm_json_knobs(const struct ksm_knobs *knobs)
{
	static const char *const words[] = {
		[KSM_ADVISOR_NONE] = "none",
		[KSM_ADVISOR_SCAN_TIME] = "scan-time",
	};
	json_t *object = record_of_knobs(knobs), *mode = NULL;

	if (knobs->advisor_mode >= 0 &&
	    knobs->advisor_mode < (ksm_figure)ARRAY_SIZE(words))
		mode = json_string(words[knobs->advisor_mode]);
	json_object_set_new(object, "advisor_mode", mode ? mode : json_null());
	return object;
}

/**
 * ksm_record_of() - a sample as JSON
 * @sample: the sample
 *
 * Return: an object, or NULL if there is no memory
 */
json_t *ksm_record_of(const struct ksm_sample *sample)
{
	const struct ksm_host *host = &sample->host;

	return json_pack("{sI,sI,sb,s:s,s:s,s:s,s:o,s:o,s:o,s:o}",
			 "time_ms", (json_int_t)sample->time_ms,
			 "boottime_ms", (json_int_t)sample->boottime_ms,
			 "present", sample->present,
			 "hostname", host->hostname,
			 "release", host->release,
			 "boot_id", host->boot_id,
			 "knobs", record_of_knobs(&sample->knobs),
			 "counters", object_of(&sample->counters,
					       ksm_counter_fields,
					       ksm_nr_counters),
			 "host", object_of(host, ksm_host_fields,
					   ksm_nr_host_fields),
			 "members", object_of(&sample->sums, ksm_sum_fields,
					      ksm_nr_sums));
}

static void parse_name(const json_t *record, const char *key, char *name,
		       size_t size)
{
	const char *text = json_string_value(json_object_get(record, key));

	snprintf(name, size, "%s", text ? text : "");
	/* it may have been cut within a character */
	ksm_name_clean(name);
}

static void parse_host(const json_t *record, struct ksm_host *host)
{
	parse_name(record, "hostname", host->hostname, sizeof(host->hostname));
	parse_name(record, "release", host->release, sizeof(host->release));
	parse_name(record, "boot_id", host->boot_id, sizeof(host->boot_id));
	parse_object(json_object_get(record, "host"), host, ksm_host_fields,
		     ksm_nr_host_fields);
}

/**
 * ksm_record_parse() - a sample from JSON
 * @record: the object
 * @sample: result; figures that are not there are unknown
 *
 * Return: 0, or -EINVAL if it has no time that can be
 */
int ksm_record_parse(const json_t *record, struct ksm_sample *sample)
{
	const json_t *knobs = json_object_get(record, "knobs");

	memset(sample, 0, sizeof(*sample));
	sample->time_ms = figure_of(record, "time_ms");
	sample->boottime_ms = figure_of(record, "boottime_ms");
	if (!ksm_time_is_sane(sample->time_ms) ||
	    !ksm_time_is_sane(sample->boottime_ms))
		return -EINVAL;
	sample->present = json_is_true(json_object_get(record, "present"));
	for (size_t i = 0; i < ksm_nr_knobs; i++)
		*fig_at(&sample->knobs, &ksm_knob_table[i].field) =
			figure_of(knobs, ksm_knob_table[i].field.name);
	parse_object(json_object_get(record, "counters"), &sample->counters,
		     ksm_counter_fields, ksm_nr_counters);
	parse_object(json_object_get(record, "members"), &sample->sums,
		     ksm_sum_fields, ksm_nr_sums);
	parse_host(record, &sample->host);
	return 0;
}
