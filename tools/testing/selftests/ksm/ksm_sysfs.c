// SPDX-License-Identifier: GPL-2.0
/*
 * Every file of /sys/kernel/mm/ksm: presence, mode, format, default, good and
 * bad values with their errno, and the side effects a write promises.
 *
 * Run it first after boot, or after programs that put the knobs back: the
 * defaults are checked before anything is written.
 */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

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

static_assert(ARRAY_SIZE(knobs) + ARRAY_SIZE(counters) == 28,
	      "the directory has 28 files");

/* The one file that only kernels with CONFIG_NUMA have. */
static bool is_wanted(const char *name)
{
	return strcmp(name, "merge_across_nodes") ||
	       !access("/sys/devices/system/node", F_OK);
}

static bool mode_is(const char *name, mode_t mode)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), KSM_SYSFS "%s", name);
	if (stat(path, &st)) {
		ksft_print_msg("%s: %s\n", name, strerror(errno));
		return false;
	}
	if (st.st_mode == (S_IFREG | mode) && !st.st_uid && !st.st_gid)
		return true;
	ksft_print_msg("%s: mode %o, owner %d:%d\n", name, st.st_mode,
		       st.st_uid, st.st_gid);
	return false;
}

/* The file's whole text is this and a newline. */
static bool reads(const char *name, const char *want)
{
	char have[128];
	ssize_t len = ksm_read_text(name, have, sizeof(have));
	size_t n = strlen(want);

	if (len == (ssize_t)n + 1 && !strncmp(have, want, n) &&
	    have[n] == '\n')
		return true;
	ksft_print_msg("%s: want \"%s\\n\", have \"%s\" (%zd)\n", name, want,
		       have, len);
	return false;
}

static void test_defaults(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		const struct knob *k = &knobs[i];

		if (!is_wanted(k->name))
			ksft_test_result(!ksm_has(k->name),
					 "%s: absent without NUMA\n", k->name);
		else
			ksft_test_result(mode_is(k->name, 0644) &&
					 reads(k->name, k->def),
					 "%s: mode 0644, default \"%s\"\n",
					 k->name, k->def);
	}
}

static bool is_decimal(const char *text, ssize_t len, bool may_be_negative)
{
	const char *p = text;

	if (may_be_negative && *p == '-')
		p++;
	/* No leading zero, no blank, nothing after the one newline. */
	if (*p == '0' && p[1] != '\n')
		return false;
	if (*p < '0' || *p > '9')
		return false;
	p += strspn(p, "0123456789");
	return *p == '\n' && p + 1 == text + len;
}

static void test_counter(const char *name)
{
	bool ok = mode_is(name, 0444), negative;
	char path[128], text[64];
	ssize_t len;
	int fd;

	/* Only this one can be: it subtracts what the metadata costs. */
	negative = !strcmp(name, "general_profit");
	len = ksm_read_text(name, text, sizeof(text));
	if (len <= 0 || !is_decimal(text, len, negative)) {
		ksft_print_msg("%s: \"%s\"\n", name, text);
		ok = false;
	}
	snprintf(path, sizeof(path), KSM_SYSFS "%s", name);
	fd = open(path, O_WRONLY);
	if (fd >= 0 || errno != EACCES) {
		ksft_print_msg("%s: opening for write: %s\n", name,
			       fd < 0 ? strerror(errno) : "allowed");
		ok = false;
	}
	if (fd >= 0)
		close(fd);
	ksft_test_result(ok, "%s: mode 0444, a number, cannot be written\n",
			 name);
}

static bool accepts(const struct knob *k)
{
	const struct good *g;
	bool ok = true;
	int err;

	for (g = k->good; g->text; g++) {
		err = ksm_write_text(k->name, g->text);
		if (err) {
			ksft_print_msg("%s: \"%s\" refused: %s\n", k->name,
				       g->text, strerror(-err));
			ok = false;
		} else if (!reads(k->name, g->reads)) {
			ok = false;
		}
	}
	return ok;
}

/* Text of all knobs one after another: a bad write may change none of them. */
static void all_texts(char *buf, size_t size)
{
	size_t i, at = 0;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		if (!ksm_has(knobs[i].name))
			continue;
		if (ksm_read_text(knobs[i].name, buf + at, size - at) > 0)
			at += strlen(buf + at);
	}
}

static bool refuses(const struct knob *k)
{
	char before[1024], after[1024];
	const struct bad *b;
	bool ok = true;
	int err;

	/* From a value that is neither the default nor zero, if there is. */
	if (ksm_write_text(k->name, k->good[0].text))
		return false;
	all_texts(before, sizeof(before));
	for (b = k->bad; b->text; b++) {
		err = ksm_write_text(k->name, b->text);
		if (err != -b->err) {
			ksft_print_msg("%s: \"%s\": want %s, have %s\n",
				       k->name, b->text, strerror(b->err),
				       strerror(-err));
			ok = false;
		}
		all_texts(after, sizeof(after));
		if (strcmp(before, after)) {
			ksft_print_msg("%s: \"%s\" changed something\n",
				       k->name, b->text);
			ok = false;
		}
	}
	return ok;
}

static void test_writes(const struct knob *k)
{
	if (!is_wanted(k->name)) {
		ksft_test_result_skip("%s: good values: kernel without CONFIG_NUMA\n",
				      k->name);
		ksft_test_result_skip("%s: bad values: kernel without CONFIG_NUMA\n",
				      k->name);
		return;
	}
	ksm_fresh(true);
	ksft_test_result(accepts(k), "%s: good values\n", k->name);
	ksm_fresh(true);
	ksft_test_result(refuses(k), "%s: bad values change nothing\n",
			 k->name);
}

/* A write of no bytes succeeds and does nothing, for every knob. */
static void test_empty_write(void)
{
	char before[1024], after[1024], path[128];
	bool ok = true;
	size_t i;

	ksm_fresh(true);
	ksm_set("pages_to_scan", 4321);
	all_texts(before, sizeof(before));
	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		int fd;

		if (!ksm_has(knobs[i].name))
			continue;
		snprintf(path, sizeof(path), KSM_SYSFS "%s", knobs[i].name);
		fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, "", 0)) {
			ksft_print_msg("%s: %s\n", knobs[i].name,
				       strerror(errno));
			ok = false;
		}
		if (fd >= 0)
			close(fd);
	}
	all_texts(after, sizeof(after));
	ksft_test_result(ok && !strcmp(before, after),
			 "a write of no bytes is a success that changes nothing\n");
}

/* Monitors open a file once and rewind it. */
static void test_reread(void)
{
	char text[64] = "", path[] = KSM_SYSFS "pages_sharing";
	const size_t n = 64;
	bool ok;
	char *map;
	int fd;

	ksm_fresh(false);
	fd = open(path, O_RDONLY);
	ok = fd >= 0 && read(fd, text, sizeof(text)) == 2 &&
	     !strncmp(text, "0\n", 2);
	map = ksm_map_merge(n, 1, 0);
	ksm_scan(3);
	ok = ok && !lseek(fd, 0, SEEK_SET) &&
	     read(fd, text, sizeof(text)) == 3 && !strncmp(text, "63\n", 3);
	ok = ok && read(fd, text, sizeof(text)) == 0;
	ksm_unmergeable(map, n);
	ksm_run();
	ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS);
	ok = ok && !lseek(fd, 0, SEEK_SET) &&
	     read(fd, text, sizeof(text)) == 2 && !strncmp(text, "0\n", 2);
	if (!ok)
		ksft_print_msg("last read: \"%.10s\"\n", text);
	close(fd);
	ksft_test_result(ok && ksm_contents_ok(map, n, 1, 0),
			 "an open file shows new values after lseek()\n");
	ksm_unmap(map, n);
}

static bool all_zero(void)
{
	static const char * const names[] = {
		"pages_shared", "pages_sharing", "pages_unshared",
		"pages_volatile", "full_scans", "ksm_zero_pages",
		"stable_node_chains", "stable_node_dups", "scan_pages",
		"last_scan_millisecs",
	};
	struct ksm_stat st;
	bool ok = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		ok &= reads(names[i], "0");
	if (ksm_stat(0, &st) || st.merging_pages || st.rmap_items ||
	    st.zero_pages) {
		ksft_print_msg("ksm_stat: merging %ld items %ld zero %ld\n",
			       st.merging_pages, st.rmap_items,
			       st.zero_pages);
		ok = false;
	}
	return ok;
}

/* When the write of 2 returns, everything is done already. */
static void test_unmerge_is_synchronous(void)
{
	const size_t n = 600, z = 50;
	size_t pfns;
	char *map, *zero;
	bool ok;

	ksm_fresh(false);
	ksm_set("max_page_sharing", 10);
	ksm_set("use_zero_pages", 1);
	map = ksm_map_merge(n, 7, 0);
	zero = ksm_map(z);
	memset(zero, 0, z * ksm_page_size());
	ksm_mergeable(zero, z);
	ksm_scan(3);
	ok = ksm_get("pages_sharing") > (long)n / 2 &&
	     ksm_get("ksm_zero_pages") == (long)z;
	if (!ok)
		ksft_print_msg("nothing to unmerge: %lld sharing, %lld zero\n",
			       ksm_get("pages_sharing"),
			       ksm_get("ksm_zero_pages"));
	/* Also while ksmd is running, and with no newline. */
	ksm_run();
	ok = !ksm_write_text("run", "2") && all_zero() && ok;
	pfns = ksm_count_pfns(map, n);
	if (pfns != n || ksm_count_merged(map, n)) {
		ksft_print_msg("%zu PFNs, %zu still merged\n", pfns,
			       ksm_count_merged(map, n));
		ok = false;
	}
	ok &= ksm_contents_ok(map, n, 7, 0) && !zero[0] &&
	      !memcmp(zero, zero + 1, z * ksm_page_size() - 1);
	ksft_test_result(ok, "run=2 returns when all is unmerged and zeroed\n");

	/* It can all be merged again. */
	ksm_scan(3);
	ksft_test_result(ksm_counts_are(n / 10, n - n / 10, 0, 0) &&
			 reads("ksm_zero_pages", "50") &&
			 ksm_contents_ok(map, n, 7, 0),
			 "after run=2 and run=1 all is merged again\n");

	/* The same value again is no action. */
	ksm_stop();
	ksm_write_text("run", "2");
	ksft_test_result(!ksm_write_text("run", "2") && all_zero() &&
			 reads("run", "2"),
			 "run=2 twice\n");
	ksm_unmap(map, n);
	ksm_unmap(zero, z);
}

/* run=0 leaves what is merged as it is. */
static void test_stop_keeps(void)
{
	const size_t n = 32;
	char *map;
	bool ok;

	ksm_fresh(false);
	map = ksm_map_merge(n, 3, 0);
	ksm_scan(3);
	ok = ksm_counts_are(1, n - 1, 0, 0) && reads("run", "0") &&
	     ksm_count_merged(map, n) == n;
	ksft_test_result(ok && ksm_contents_ok(map, n, 3, 0),
			 "run=0 keeps pages merged\n");
	ksm_unmap(map, n);
}

/* Two knobs must not change while anything is merged. */
static void test_busy(void)
{
	const size_t n = 32;
	bool ok;
	char *map;

	ksm_fresh(false);
	map = ksm_map_merge(n, 4, 0);
	ksm_scan(3);
	ok = ksm_counts_are(1, n - 1, 0, 0);
	ok = ksm_write_text("max_page_sharing", "257") == -EBUSY &&
	     reads("max_page_sharing", "256") &&
	     !ksm_write_text("max_page_sharing", "256") &&
	     ksm_write_text("max_page_sharing", "1") == -EINVAL && ok;
	ksft_test_result(ok, "max_page_sharing: EBUSY while pages are shared\n");

	if (!is_wanted("merge_across_nodes")) {
		ksft_test_result_skip("merge_across_nodes: EBUSY: kernel without CONFIG_NUMA\n");
	} else {
		ok = ksm_write_text("merge_across_nodes", "0") == -EBUSY &&
		     reads("merge_across_nodes", "1") &&
		     !ksm_write_text("merge_across_nodes", "1") &&
		     ksm_write_text("merge_across_nodes", "2") == -EINVAL;
		ksft_test_result(ok, "merge_across_nodes: EBUSY while pages are shared\n");
	}
	ok = ksm_counts_are(1, n - 1, 0, 0) && ksm_contents_ok(map, n, 4, 0);
	/* Free again once all is unmerged. */
	ok &= !ksm_unmerge_all() && !ksm_write_text("max_page_sharing", "98304");
	if (ksm_has("merge_across_nodes"))
		ok &= !ksm_write_text("merge_across_nodes", "0");
	ksft_test_result(ok, "both can be changed after run=2\n");
	ksm_unmap(map, n);
}

static void test_advisor(void)
{
	bool ok;

	ksm_fresh(true);
	ksm_set("pages_to_scan", 1234);
	ok = !ksm_write_text("advisor_mode", "none") &&
	     reads("pages_to_scan", "1234");
	ksft_test_result(ok, "advisor_mode: the same mode again resets nothing\n");

	ok = !ksm_write_text("advisor_mode", "scan-time") &&
	     reads("pages_to_scan", "500");
	ok = !ksm_write_text("advisor_mode", "none") &&
	     reads("pages_to_scan", "100") && ok;
	ksm_set("advisor_min_pages_to_scan", 777);
	ok = reads("pages_to_scan", "100") &&
	     !ksm_write_text("advisor_mode", "scan-time") &&
	     reads("pages_to_scan", "777") && ok;
	ksft_test_result(ok, "advisor_mode: a change resets pages_to_scan\n");

	ok = ksm_write_text("pages_to_scan", "100") == -EINVAL &&
	     ksm_write_text("pages_to_scan", "777") == -EINVAL &&
	     ksm_write_text("pages_to_scan", "x") == -EINVAL &&
	     reads("pages_to_scan", "777");
	ok = !ksm_write_text("advisor_mode", "none") &&
	     !ksm_write_text("pages_to_scan", "101") &&
	     reads("pages_to_scan", "101") && ok;
	ksft_test_result(ok, "pages_to_scan: EINVAL while an advisor is in charge\n");
}

static void test_not_root(void)
{
	char before[1024], after[1024], path[128], text[64];
	struct stat st;
	bool ok = true;
	size_t i;
	int fd;

	/* Through the mode bits: root itself passes them. */
	all_texts(before, sizeof(before));
	if (seteuid(65534)) {
		ksft_test_result_skip("writes by others: seteuid() failed\n");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(path, sizeof(path), KSM_SYSFS "%s", knobs[i].name);
		if (stat(path, &st))
			continue;
		fd = open(path, O_WRONLY);
		ok &= fd < 0 && errno == EACCES;
		if (fd >= 0)
			close(fd);
		ok &= ksm_read_text(knobs[i].name, text, sizeof(text)) > 0;
	}
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		ok &= ksm_read_text(counters[i], text, sizeof(text)) > 0;
	if (seteuid(0))
		ksm_die("cannot become root again");
	all_texts(after, sizeof(after));
	ksft_test_result(ok && !strcmp(before, after),
			 "everybody may read, only root may write\n");
}

/* More files are allowed; they must all be readable. */
static void test_directory(void)
{
	struct dirent *de;
	bool ok = true;
	char text[256];
	int files = 0;
	DIR *dir;

	dir = opendir(KSM_SYSFS);
	if (!dir)
		ksm_die("cannot open " KSM_SYSFS);
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		files++;
		if (ksm_read_text(de->d_name, text, sizeof(text)) <= 0) {
			ksft_print_msg("%s cannot be read\n", de->d_name);
			ok = false;
		}
	}
	closedir(dir);
	ok &= files >= 23 + is_wanted("merge_across_nodes");
	ksft_test_result(ok, "the directory has all files, all readable (%d)\n",
			 files);
}

int main(void)
{
	size_t i;

	ksft_print_header();
	ksm_setup();
	ksft_set_plan(3 * ARRAY_SIZE(knobs) + ARRAY_SIZE(counters) + 14);

	test_defaults();
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		test_counter(counters[i]);
	test_directory();
	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		test_writes(&knobs[i]);
	test_empty_write();
	test_reread();
	test_unmerge_is_synchronous();
	test_stop_keeps();
	test_busy();
	test_advisor();
	test_not_root();
	ksft_finished();
}
