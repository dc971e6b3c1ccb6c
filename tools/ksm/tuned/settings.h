/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /etc/default/ksm: knobs to set when KSM is switched on.
 */
#ifndef KSMCTL_SETTINGS_H
#define KSMCTL_SETTINGS_H

#include "sysfs.h"

#define SETTINGS_FILE	"/etc/default/ksm"

/**
 * struct settings - what the file says
 * @knobs:	 KSM_UNKNOWN where a knob is to be left as it is
 * @boost_s:	 seconds to scan fast after KSM was switched on
 * @max_kernel_pages: KSM_MAX_KERNEL_PAGES is there
 */
struct settings {
	struct ksm_knobs knobs;
	ksm_figure boost_s;
	bool max_kernel_pages;
};

int settings_read(struct settings *settings);
int settings_apply(const struct settings *settings);

#endif
