/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scanning fast for some time.
 */
#ifndef KSMCTL_BOOST_H
#define KSMCTL_BOOST_H

#include "figure.h"

#define BOOST_MAX_S	86400

int boost(ksm_figure seconds);

#endif
