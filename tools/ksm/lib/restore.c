// SPDX-License-Identifier: GPL-2.0-only
#include "restore.h"

/* The set that consists of one knob. */
ksm_knob_set ksm_knob_bit(const struct ksm_knob *knob)
{
	return 1U << (knob - ksm_knob_table);
}

static int put_back(const struct ksm_knobs *to, const char *name)
{
	const struct ksm_knob *knob = ksm_knob_find(name);
	ksm_figure value = fig_get(to, &knob->field);

	if (!fig_known(value) || ksm_knob_read(knob) == value)
		return 0;
	return ksm_knob_write(knob, value);
}

static int keep_first(int err, int next)
{
	return err ? err : next;
}

/**
 * ksm_knobs_restore() - put knobs back to what they were
 * @to:    what they were; what is unknown is left as it is
 * @which: those that may have changed
 *
 * A change of advisor_mode changes pages_to_scan, so it comes first, and
 * pages_to_scan is put back with it; while the advisor is on, that cannot be
 * written.  run comes last: merging goes on with the right values.
 *
 * Return: 0, or the first -errno; all the others are put back nevertheless
 */
int ksm_knobs_restore(const struct ksm_knobs *to, ksm_knob_set which)
{
	const struct ksm_knob *mode = ksm_knob_find("advisor_mode");
	const struct ksm_knob *pace = ksm_knob_find("pages_to_scan");
	const struct ksm_knob *run = ksm_knob_find("run");
	int err = 0;

	if (which & ksm_knob_bit(mode) &&
	    ksm_knob_read(mode) != to->advisor_mode) {
		err = put_back(to, mode->field.name);
		which |= ksm_knob_bit(pace);
	}
	if (to->advisor_mode == KSM_ADVISOR_SCAN_TIME)
		which &= ~ksm_knob_bit(pace);
	for (size_t i = 0; i < ksm_nr_knobs; i++) {
		const struct ksm_knob *knob = &ksm_knob_table[i];

		if (which & 1U << i && knob != mode && knob != run)
			err = keep_first(err, put_back(to, knob->field.name));
	}
	if (which & ksm_knob_bit(run))
		err = keep_first(err, put_back(to, run->field.name));
	return err;
}
