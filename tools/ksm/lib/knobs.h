/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each knob of KSM may be, and how to write it.
 */
#ifndef KSM_LIB_KNOBS_H
#define KSM_LIB_KNOBS_H

#include <stddef.h>

#include "sysfs.h"

enum ksm_knob_kind {
	KSM_KNOB_NUMBER,
	KSM_KNOB_SWITCH,	/* 0 or 1 */
	KSM_KNOB_ADVISOR,	/* none or scan-time */
};

/**
 * struct ksm_knob - a file that can be written
 * @field: its name, and where struct ksm_knobs has it
 * @kind:  how it is written
 * @min:   smallest value that is documented
 * @max:   largest
 * @what:  unit or meaning, for people
 */
struct ksm_knob {
	struct ksm_field field;
	enum ksm_knob_kind kind;
	int64_t min;
	int64_t max;
	const char *what;
};

/* A value as it is written */
struct ksm_knob_text {
	char s[24];
};

extern const struct ksm_knob ksm_knob_table[];
extern const size_t ksm_nr_knobs;

const struct ksm_knob *ksm_knob_find(const char *name);
ksm_figure ksm_knob_parse(const struct ksm_knob *knob, const char *text);
struct ksm_knob_text ksm_knob_print(const struct ksm_knob *knob,
				    ksm_figure value);
ksm_figure ksm_knob_read(const struct ksm_knob *knob);
int ksm_knob_write(const struct ksm_knob *knob, ksm_figure value);

#endif
