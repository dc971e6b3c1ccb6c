/* SPDX-License-Identifier: GPL-2.0-only */
/* Included before anything else, as the kernel's own build does. */
#include <linux/kernel.h>
