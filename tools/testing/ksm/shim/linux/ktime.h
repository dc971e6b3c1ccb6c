/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/types.h>
typedef s64 ktime_t;
