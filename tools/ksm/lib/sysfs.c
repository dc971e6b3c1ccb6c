// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "knobs.h"
#include "lines.h"
#include "root.h"
#include "sysfs.h"

#define COUNTER(name)	KSM_FIELD(struct ksm_counters, name, #name, 1)

const struct ksm_field ksm_counter_fields[] = {
	COUNTER(pages_shared),
	COUNTER(pages_sharing),
	COUNTER(pages_unshared),
	COUNTER(pages_volatile),
	COUNTER(pages_scanned),
	COUNTER(pages_skipped),
	COUNTER(full_scans),
	COUNTER(ksm_zero_pages),
	COUNTER(stable_node_chains),
	COUNTER(stable_node_dups),
	COUNTER(general_profit),
	COUNTER(scan_pages),
	COUNTER(last_scan_millisecs),
	COUNTER(thp_split),
	COUNTER(thp_kept),
};

const size_t ksm_nr_counters = ARRAY_SIZE(ksm_counter_fields);

/* Every kernel with KSM has the file run, and all users may read it. */
static int presence(void)
{
	char text[16];
	ssize_t len = ksm_root_read(text, sizeof(text), KSM_SYSFS "/run");

	return len < 0 ? len : 0;
}

/**
 * ksm_sysfs_read() - read all files of /sys/kernel/mm/ksm
 * @knobs:    result; a file that is not there or holds no number is unknown
 * @counters: result, likewise
 *
 * Return: 0, -ENOENT if there is no KSM, or another -errno if it is there but
 *         cannot be read
 */
int ksm_sysfs_read(struct ksm_knobs *knobs, struct ksm_counters *counters)
{
	for (size_t i = 0; i < ksm_nr_knobs; i++)
		*fig_at(knobs, &ksm_knob_table[i].field) =
			ksm_knob_read(&ksm_knob_table[i]);
	for (size_t i = 0; i < ksm_nr_counters; i++)
		*fig_at(counters, &ksm_counter_fields[i]) =
			ksm_root_figure(KSM_SYSFS "/%s",
					ksm_counter_fields[i].name);
	return presence();
}
