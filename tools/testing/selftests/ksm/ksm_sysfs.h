/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files of /sys/kernel/mm/ksm, with good and bad values of each knob
 */
#ifndef KSM_SYSFS_H
#define KSM_SYSFS_H

#include <errno.h>
#include <limits.h>
#include <stddef.h>

struct good {
	const char *text;
	const char *reads;	/* without the newline */
};

struct bad {
	const char *text;
	int err;
};

struct knob {
	const char *name;
	const char *def;	/* default, without the newline */
	const struct good *good;
	const struct bad *bad;
};

static const struct good good_run[] = {
	{ "1", "1" }, { "0", "0" }, { "2", "2" }, { "2\n", "2" },
	{ "1\n", "1" }, { "1", "1" }, { "+2", "2" }, { "00", "0" },
	{ NULL }
};

static const struct bad bad_run[] = {
	{ "3", EINVAL }, { "4", EINVAL }, { "-1", EINVAL }, { "-0", EINVAL },
	{ "1 ", EINVAL }, { " 1", EINVAL }, { "0x1", EINVAL },
	{ "1\n\n", EINVAL }, { "\n", EINVAL }, { "one", EINVAL },
	{ "1,", EINVAL }, { "4294967296", EINVAL }, { "4294967297", EINVAL },
	{ "18446744073709551617", EINVAL }, { NULL }
};

/* Three files take any 32-bit number and nothing else. */
static const struct good good_u32[] = {
	{ "0", "0" }, { "1\n", "1" }, { "12345", "12345" },
	{ "4294967295", "4294967295" }, { "4294967294\n", "4294967294" },
	{ "+7", "7" }, { "007", "7" }, { NULL }
};

static const struct bad bad_u32[] = {
	{ "-1", EINVAL }, { "4294967296", EINVAL },
	{ "18446744073709551616", EINVAL }, { "99999999999999999999999",
	EINVAL }, { "1 ", EINVAL }, { " 1", EINVAL }, { "0x10", EINVAL },
	{ "1\n\n", EINVAL }, { "\n", EINVAL }, { "ten", EINVAL },
	{ "1.5", EINVAL }, { NULL }
};

static const struct good good_nodes[] = {
	{ "0", "0" }, { "1", "1" }, { "0\n", "0" }, { "0", "0" },
	{ "1\n", "1" }, { NULL }
};

static const struct bad bad_nodes[] = {
	{ "2", EINVAL }, { "-1", EINVAL }, { "x", EINVAL }, { "1 ", EINVAL },
	{ "\n", EINVAL }, { "0x1", EINVAL },
	{ "18446744073709551616", ERANGE },
	{ "99999999999999999999999", ERANGE }, { NULL }
};

static const struct good good_sharing[] = {
	{ "2", "2" }, { "3\n", "3" }, { "98304", "98304" },
	{ "2147483647", "2147483647" }, { "256\n", "256" }, { NULL }
};

static const struct bad bad_sharing[] = {
	{ "1", EINVAL }, { "0", EINVAL }, { "-1", EINVAL }, { "-256", EINVAL },
	{ "256 ", EINVAL }, { "0x100", EINVAL }, { "\n", EINVAL },
	{ "many", EINVAL }, { "2147483648", ERANGE }, { "4294967298", ERANGE },
	{ "99999999999999999999999", ERANGE }, { NULL }
};

static const struct good good_bool[] = {
	{ "1", "1" }, { "0\n", "0" }, { "y", "1" }, { "n", "0" },
	{ "Y\n", "1" }, { "N\n", "0" }, { "on", "1" }, { "off\n", "0" },
	{ "t", "1" }, { "f", "0" }, { "10", "1" }, { "01", "0" },
	{ "true", "1" }, { "false", "0" }, { "ON", "1" }, { "OFF", "0" },
	{ NULL }
};

static const struct bad bad_bool[] = {
	{ "2", EINVAL }, { "-1", EINVAL }, { "x", EINVAL }, { "o", EINVAL },
	{ " 1", EINVAL }, { "\n", EINVAL }, { NULL }
};

static const struct good good_mode[] = {
	{ "scan-time", "none [scan-time]" }, { "none", "[none] scan-time" },
	{ "scan-time\n", "none [scan-time]" },
	{ "scan-time", "none [scan-time]" }, { "none\n", "[none] scan-time" },
	{ NULL }
};

static const struct bad bad_mode[] = {
	{ "Scan-time", EINVAL }, { "scan-tim", EINVAL },
	{ "scan-times", EINVAL }, { "none ", EINVAL }, { " none", EINVAL },
	{ "[none]", EINVAL }, { "1", EINVAL }, { "\n", EINVAL }, { NULL }
};

/* Taken as unsigned long, kept as unsigned int, not checked. */
static const struct good good_cpu[] = {
	{ "0", "0" }, { "100\n", "100" }, { "1000", "1000" },
	{ "4294967295", "4294967295" },
#if ULONG_MAX > 4294967295UL
	{ "4294967296", "0" }, { "4294967366", "70" },
#endif
	{ NULL }
};

static const struct good good_ulong[] = {
	{ "0", "0" }, { "1\n", "1" }, { "100000", "100000" },
#if ULONG_MAX > 4294967295UL
	{ "18446744073709551615", "18446744073709551615" },
#else
	{ "4294967295", "4294967295" },
#endif
	{ NULL }
};

static const struct bad bad_ulong[] = {
	{ "-1", EINVAL }, { "1 ", EINVAL }, { " 1", EINVAL },
	{ "0x10", EINVAL }, { "\n", EINVAL }, { "ten", EINVAL }, { NULL }
};

static const struct good good_target[] = {
	{ "1", "1" }, { "2\n", "2" }, { "86400", "86400" }, { NULL }
};

static const struct bad bad_target[] = {
	{ "0", EINVAL }, { "-1", EINVAL }, { "1 ", EINVAL },
	{ "0x10", EINVAL }, { "\n", EINVAL }, { "ten", EINVAL }, { NULL }
};

static const struct knob knobs[] = {
	{ "run", "0", good_run, bad_run },
	{ "pages_to_scan", "100", good_u32, bad_u32 },
	{ "sleep_millisecs", "20", good_u32, bad_u32 },
	{ "merge_across_nodes", "1", good_nodes, bad_nodes },
	{ "max_page_sharing", "256", good_sharing, bad_sharing },
	{ "use_zero_pages", "0", good_bool, bad_bool },
	{ "smart_scan", "1", good_bool, bad_bool },
	{ "stable_node_chains_prune_millisecs", "2000", good_u32, bad_u32 },
	{ "advisor_mode", "[none] scan-time", good_mode, bad_mode },
	{ "advisor_max_cpu", "70", good_cpu, bad_ulong },
	{ "advisor_min_pages_to_scan", "500", good_ulong, bad_ulong },
	{ "advisor_max_pages_to_scan", "30000", good_ulong, bad_ulong },
	{ "advisor_target_scan_time", "200", good_target, bad_target },
};

/* Counters: read-only, a plain decimal number. */
static const char * const counters[] = {
	"pages_scanned", "pages_shared", "pages_sharing", "pages_unshared",
	"pages_skipped", "pages_volatile", "full_scans", "ksm_zero_pages",
	"general_profit", "stable_node_chains", "stable_node_dups",
	"scan_pages", "last_scan_millisecs", "thp_split", "thp_kept",
};

#endif /* KSM_SYSFS_H */
