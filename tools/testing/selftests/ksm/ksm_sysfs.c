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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kselftest.h"
#include "ksm_sysfs.h"
#include "lib/ksm.h"

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

/*
 * The defaults, noted before the first case: each case begins with writes of
 * all knobs.
 */
static bool default_ok[ARRAY_SIZE(knobs)];

static void note_defaults(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		const struct knob *k = &knobs[i];

		if (!is_wanted(k->name))
			default_ok[i] = !ksm_has(k->name);
		else
			default_ok[i] = mode_is(k->name, 0644) &&
					reads(k->name, k->def);
	}
}

static void test_default(const void *arg)
{
	CHECK(default_ok[(const struct knob *)arg - knobs]);
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

static void test_counter(const void *arg)
{
	const char *name = arg;
	char path[128], text[64] = "";
	bool negative;
	ssize_t len;

	/* Only this one can be: it subtracts what the metadata costs. */
	negative = !strcmp(name, "general_profit");
	CHECK(mode_is(name, 0444));
	len = ksm_read_text(name, text, sizeof(text));
	ksm_check(len > 0 && is_decimal(text, len, negative), "%s: \"%s\"\n",
		  name, text);
	snprintf(path, sizeof(path), KSM_SYSFS "%s", name);
	ksm_check(open(path, O_WRONLY) < 0 && errno == EACCES,
		  "%s: opening for write is not refused\n", name);
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

static void skip_unless_wanted(const char *name)
{
	if (!is_wanted(name))
		ksm_skip("kernel without CONFIG_NUMA");
}

static void test_good_values(const void *arg)
{
	const struct knob *k = arg;

	skip_unless_wanted(k->name);
	CHECK(accepts(k));
}

static void test_bad_values(const void *arg)
{
	const struct knob *k = arg;

	skip_unless_wanted(k->name);
	CHECK(refuses(k));
}

/* A write of no bytes succeeds and does nothing, for every knob. */
static void test_empty_write(void)
{
	char before[1024], after[1024], path[128];
	size_t i;

	ksm_set("pages_to_scan", 4321);
	all_texts(before, sizeof(before));
	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		int fd;

		if (!ksm_has(knobs[i].name))
			continue;
		snprintf(path, sizeof(path), KSM_SYSFS "%s", knobs[i].name);
		fd = open(path, O_WRONLY);
		ksm_check(fd >= 0 && !write(fd, "", 0), "%s: %s\n",
			  knobs[i].name, strerror(errno));
		close(fd);
	}
	all_texts(after, sizeof(after));
	CHECK(!strcmp(before, after));
}

/* Does the file, read from its start, begin with this line? */
static bool rereads(int fd, const char *line)
{
	ssize_t len = strlen(line);
	char text[64] = "";

	if (lseek(fd, 0, SEEK_SET))
		return false;
	if (read(fd, text, sizeof(text)) == len && !strncmp(text, line, len))
		return true;
	ksft_print_msg("last read: \"%.10s\"\n", text);
	return false;
}

/* Monitors open a file once and rewind it. */
static void test_reread(void)
{
	char text[64], path[] = KSM_SYSFS "pages_sharing";
	const size_t n = 64;
	char *map;
	int fd;

	ksm_set("smart_scan", 0);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && rereads(fd, "0\n"));
	map = ksm_map_merge(n, 1, 0);
	ksm_scan(3);
	CHECK(rereads(fd, "63\n"));
	CHECK_EQ(read(fd, text, sizeof(text)), 0);
	ksm_unmergeable(map, n);
	ksm_run();
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
	CHECK(rereads(fd, "0\n"));
	CHECK(ksm_contents_ok(map, n, 1, 0));
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

/* --- run ----------------------------------------------------------------- */

#define MERGED	600
#define ZEROES	50

/* Merged pages in chains, and zero pages */
static void merge_some(char **map, char **zero)
{
	ksm_set("smart_scan", 0);
	ksm_set("max_page_sharing", 10);
	ksm_set("use_zero_pages", 1);
	*map = ksm_map_merge(MERGED, 7, 0);
	*zero = ksm_map(ZEROES);
	memset(*zero, 0, ZEROES * ps());
	ksm_mergeable(*zero, ZEROES);
	ksm_scan(3);
	CHECK(ksm_get("pages_sharing") > MERGED / 2);
	CHECK_EQ(ksm_get("ksm_zero_pages"), ZEROES);
}

/* When the write of 2 returns, everything is done already. */
static void test_unmerge_is_synchronous(void)
{
	char *map, *zero;

	merge_some(&map, &zero);
	/* Also while ksmd is running, and with no newline. */
	ksm_run();
	CHECK(!ksm_write_text("run", "2") && all_zero());
	CHECK_EQ(ksm_count_pfns(map, MERGED), MERGED);
	CHECK_EQ(ksm_count_merged(map, MERGED), 0);
	CHECK(ksm_contents_ok(map, MERGED, 7, 0));
	CHECK(!zero[0] && !memcmp(zero, zero + 1, ZEROES * ps() - 1));
}

static void test_merge_after_unmerge(void)
{
	char *map, *zero;

	merge_some(&map, &zero);
	ksm_run();
	CHECK(!ksm_write_text("run", "2"));
	ksm_scan(3);
	CHECK(ksm_counts_are(MERGED / 10, MERGED - MERGED / 10, 0, 0));
	CHECK_EQ(ksm_get("ksm_zero_pages"), ZEROES);
	CHECK(ksm_contents_ok(map, MERGED, 7, 0));
}

/* The same value again is no action. */
static void test_unmerge_twice(void)
{
	char *map, *zero;

	merge_some(&map, &zero);
	CHECK(!ksm_write_text("run", "2"));
	CHECK(!ksm_write_text("run", "2") && all_zero());
	CHECK(reads("run", "2"));
}

/* run=0 leaves what is merged as it is. */
static void test_stop_keeps(void)
{
	const size_t n = 32;
	char *map;

	ksm_set("smart_scan", 0);
	map = ksm_map_merge(n, 3, 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, n - 1, 0, 0) && reads("run", "0"));
	CHECK_EQ(ksm_count_merged(map, n), n);
	CHECK(ksm_contents_ok(map, n, 3, 0));
}

/* --- Two knobs that must not change while anything is merged ------------- */

#define SHARERS	32

static char *merge_sharers(void)
{
	char *map = ksm_map_merge(SHARERS, 4, 0);

	ksm_set("smart_scan", 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, SHARERS - 1, 0, 0));
	return map;
}

static void check_still_merged(char *map)
{
	CHECK(ksm_counts_are(1, SHARERS - 1, 0, 0));
	CHECK(ksm_contents_ok(map, SHARERS, 4, 0));
}

static void test_busy_sharing(void)
{
	char *map = merge_sharers();

	CHECK_EQ(ksm_write_text("max_page_sharing", "257"), -EBUSY);
	CHECK(reads("max_page_sharing", "256"));
	CHECK_EQ(ksm_write_text("max_page_sharing", "256"), 0);
	CHECK_EQ(ksm_write_text("max_page_sharing", "1"), -EINVAL);
	check_still_merged(map);
}

static void test_busy_nodes(void)
{
	char *map;

	skip_unless_wanted("merge_across_nodes");
	map = merge_sharers();
	CHECK_EQ(ksm_write_text("merge_across_nodes", "0"), -EBUSY);
	CHECK(reads("merge_across_nodes", "1"));
	CHECK_EQ(ksm_write_text("merge_across_nodes", "1"), 0);
	CHECK_EQ(ksm_write_text("merge_across_nodes", "2"), -EINVAL);
	check_still_merged(map);
}

static void test_busy_no_more(void)
{
	char *map = merge_sharers();

	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK_EQ(ksm_write_text("max_page_sharing", "98304"), 0);
	if (ksm_has("merge_across_nodes"))
		CHECK_EQ(ksm_write_text("merge_across_nodes", "0"), 0);
	CHECK(ksm_contents_ok(map, SHARERS, 4, 0));
}

/* --- advisor_mode -------------------------------------------------------- */

static void test_advisor_same(void)
{
	ksm_set("pages_to_scan", 1234);
	CHECK_EQ(ksm_write_text("advisor_mode", "none"), 0);
	CHECK(reads("pages_to_scan", "1234"));
}

static void test_advisor_change(void)
{
	CHECK_EQ(ksm_write_text("advisor_mode", "scan-time"), 0);
	CHECK(reads("pages_to_scan", "500"));
	CHECK_EQ(ksm_write_text("advisor_mode", "none"), 0);
	CHECK(reads("pages_to_scan", "100"));
	ksm_set("advisor_min_pages_to_scan", 777);
	CHECK(reads("pages_to_scan", "100"));
	CHECK_EQ(ksm_write_text("advisor_mode", "scan-time"), 0);
	CHECK(reads("pages_to_scan", "777"));
}

static void test_advisor_in_charge(void)
{
	ksm_set("advisor_min_pages_to_scan", 777);
	CHECK_EQ(ksm_write_text("advisor_mode", "scan-time"), 0);
	CHECK_EQ(ksm_write_text("pages_to_scan", "100"), -EINVAL);
	CHECK_EQ(ksm_write_text("pages_to_scan", "777"), -EINVAL);
	CHECK_EQ(ksm_write_text("pages_to_scan", "x"), -EINVAL);
	CHECK(reads("pages_to_scan", "777"));
	CHECK_EQ(ksm_write_text("advisor_mode", "none"), 0);
	CHECK_EQ(ksm_write_text("pages_to_scan", "101"), 0);
	CHECK(reads("pages_to_scan", "101"));
}

/* --- The directory ------------------------------------------------------- */

/* Through the mode bits: root itself passes them. */
static void test_not_root(void)
{
	char before[1024], after[1024], path[128], text[64];
	struct stat st;
	size_t i;

	all_texts(before, sizeof(before));
	if (seteuid(65534))
		ksm_skip("seteuid() failed");
	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(path, sizeof(path), KSM_SYSFS "%s", knobs[i].name);
		if (stat(path, &st))
			continue;
		CHECK(open(path, O_WRONLY) < 0 && errno == EACCES);
		CHECK(ksm_read_text(knobs[i].name, text, sizeof(text)) > 0);
	}
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		CHECK(ksm_read_text(counters[i], text, sizeof(text)) > 0);
	CHECK(!seteuid(0));
	all_texts(after, sizeof(after));
	CHECK(!strcmp(before, after));
}

/* More files are allowed; they must all be readable. */
static void test_directory(void)
{
	struct dirent *de;
	char text[256];
	int files = 0;
	DIR *dir;

	dir = opendir(KSM_SYSFS);
	CHECK(dir);
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		files++;
		ksm_check(ksm_read_text(de->d_name, text, sizeof(text)) > 0,
			  "%s cannot be read\n", de->d_name);
	}
	closedir(dir);
	ksft_print_msg("%d files\n", files);
	CHECK(files >= 27 + is_wanted("merge_across_nodes"));
}

static const struct ksm_case cases[] = {
	{ "the directory has all files, all readable", test_directory },
	{ "a write of no bytes is a success that changes nothing",
	  test_empty_write },
	{ "an open file shows new values after lseek()", test_reread },
	{ "run=2 returns when all is unmerged and zeroed",
	  test_unmerge_is_synchronous },
	{ "after run=2 and run=1 all is merged again",
	  test_merge_after_unmerge },
	{ "run=2 twice", test_unmerge_twice },
	{ "run=0 keeps pages merged", test_stop_keeps },
	{ "max_page_sharing: EBUSY while pages are shared",
	  test_busy_sharing },
	{ "merge_across_nodes: EBUSY while pages are shared",
	  test_busy_nodes },
	{ "both can be changed after run=2", test_busy_no_more },
	{ "advisor_mode: the same mode again resets nothing",
	  test_advisor_same },
	{ "advisor_mode: a change resets pages_to_scan", test_advisor_change },
	{ "pages_to_scan: EINVAL while an advisor is in charge",
	  test_advisor_in_charge },
	{ "all users may read, only root may write", test_not_root },
};

static void add_table_cases(void)
{
	const struct knob *k;
	size_t i;

	for (k = knobs; k < knobs + ARRAY_SIZE(knobs); k++) {
		if (is_wanted(k->name))
			ksm_add_case(test_default, k,
				     "%s: mode 0644, default \"%s\"", k->name,
				     k->def);
		else
			ksm_add_case(test_default, k,
				     "%s: absent without NUMA", k->name);
	}
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		ksm_add_case(test_counter, counters[i],
			     "%s: mode 0444, a number, cannot be written",
			     counters[i]);
	for (k = knobs; k < knobs + ARRAY_SIZE(knobs); k++) {
		ksm_add_case(test_good_values, k, "%s: good values", k->name);
		ksm_add_case(test_bad_values, k,
			     "%s: bad values change nothing", k->name);
	}
}

int main(void)
{
	ksft_print_header();
	ksm_setup();
	note_defaults();
	add_table_cases();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
