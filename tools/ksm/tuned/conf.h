/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /etc/ksmtuned.conf
 */
#ifndef KSMTUNED_CONF_H
#define KSMTUNED_CONF_H

#include "algo.h"

#define TUNED_CONF	"/etc/ksmtuned.conf"

void tuned_conf_default(struct tuned_config *config);
int tuned_conf_read(struct tuned_config *config);

#endif
