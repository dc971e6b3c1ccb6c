/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/mm.h>

extern atomic_long_t ksm_zero_pages;
