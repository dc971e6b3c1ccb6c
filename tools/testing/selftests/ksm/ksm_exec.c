// SPDX-License-Identifier: GPL-2.0
/*
 * execve(): PR_SET_MEMORY_MERGE is inherited, MADV_MERGEABLE is not.
 *
 * The program executes itself, with a word as its first argument that says
 * what the new image has to check.  A new image that never starts or cannot
 * say what it found is a failure: it answers through a pipe.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#define PAGES		64
#define NEW_IMAGE	"ksm_exec_new_image"

/* Exit status of a new image that passed; others could return 0 as well. */
#define CONTENT		42

/* What the old image says to the new one besides its task. */
struct channel {
	int from_image[2];
	int to_image[2];
};

static int enabled(void)
{
	return prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0);
}

static void *plain_map(size_t pages)
{
	void *map = mmap(NULL, pages * ps(), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	return map;
}

/* --- The new image ------------------------------------------------------- */

static void image_inherits(struct ksm_child *c)
{
	char *heap;

	CHECK(enabled() == 1);
	CHECK(ksm_vma_flag(0, plain_map(4), "mg"));
	heap = sbrk(4 * ps());
	CHECK(heap != (void *)-1 && ksm_vma_flag(0, heap + 3 * ps(), "mg"));
}

static void image_not_inherits(struct ksm_child *c)
{
	struct ksm_stat st;

	CHECK(enabled() == 0);
	CHECK(!ksm_vma_flag(0, plain_map(4), "mg"));
	CHECK(!ksm_stat(0, &st));
	CHECK(st.merging_pages == 0 && st.rmap_items == 0);
}

static void image_stat(struct ksm_child *c, const char *want)
{
	struct ksm_stat st;

	CHECK(!ksm_stat(0, &st));
	CHECK(st.merge_any == (*want == 'y'));
	/* What exec maps itself may or may not be flagged, this must be. */
	ksm_map(1);
	CHECK(!ksm_stat(0, &st));
	CHECK(st.mergeable == (*want == 'y'));
}

/* Without a call of its own its memory gets merged. */
static void image_merges(struct ksm_child *c)
{
	char *map = ksm_map(PAGES);

	ksm_fill(map, PAGES, 77, 0);
	ksm_say(c, 'f');
	CHECK(ksm_hear(c) == 's');
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(ksm_count_pfns(map, PAGES) == 1);
	CHECK(ksm_merging_pages(0) >= PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 77, 0));
	/* And can end it itself. */
	CHECK(!prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0));
	CHECK(ksm_count_pfns(map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 77, 0));
}

/* Exec again and again, the flag has to survive each. */
static void image_chain(struct ksm_child *c, const char *left)
{
	char less[16], rfd[16], wfd[16];
	char *argv[6] = { NEW_IMAGE, "chain", rfd, wfd, less, NULL };
	char *envp[1] = { NULL };

	CHECK(enabled() == 1);
	CHECK(ksm_vma_flag(0, plain_map(1), "mg"));
	if (atoi(left) == 0)
		return;
	snprintf(less, sizeof(less), "%d", atoi(left) - 1);
	snprintf(rfd, sizeof(rfd), "%d", c->rfd);
	snprintf(wfd, sizeof(wfd), "%d", c->wfd);
	execve("/proc/self/exe", argv, envp);
	ksm_check(false, "execve: %s\n", strerror(errno));
}

static int new_image(int argc, char **argv)
{
	struct ksm_child c = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 5)
		return 1;
	c.rfd = atoi(argv[2]);
	c.wfd = atoi(argv[3]);
	if (!strcmp(argv[1], "inherits"))
		image_inherits(&c);
	else if (!strcmp(argv[1], "not-inherits"))
		image_not_inherits(&c);
	else if (!strcmp(argv[1], "stat"))
		image_stat(&c, argv[4]);
	else if (!strcmp(argv[1], "merges"))
		image_merges(&c);
	else if (!strcmp(argv[1], "chain"))
		image_chain(&c, argv[4]);
	else
		return 1;
	ksm_say(&c, 'e');
	return CONTENT;
}

/* --- The old image ------------------------------------------------------- */

static int channel_open(struct channel *ch)
{
	/* No close-on-exec here. */
	return pipe(ch->from_image) || pipe(ch->to_image);
}

/* Become the new image.  Only returns on failure. */
static void become(struct channel *ch, const char *task, const char *arg)
{
	char rfd[16], wfd[16];
	char *argv[6] = {
		NEW_IMAGE, (char *)task, rfd, wfd, (char *)arg, NULL
	};
	char *envp[1] = { NULL };

	close(ch->from_image[0]);
	close(ch->to_image[1]);
	snprintf(rfd, sizeof(rfd), "%d", ch->to_image[0]);
	snprintf(wfd, sizeof(wfd), "%d", ch->from_image[1]);
	execve("/proc/self/exe", argv, envp);
	ksft_print_msg("execve: %s\n", strerror(errno));
}

/* Fork, let prepare() do its work in the child, exec. */
static void launch(struct ksm_child *c, const char *task, const char *arg,
		   int (*prepare)(void))
{
	struct channel ch;

	if (channel_open(&ch))
		ksm_die("pipe: %s", strerror(errno));
	fflush(stdout);
	c->pid = fork();
	if (c->pid < 0)
		ksm_die("fork: %s", strerror(errno));
	if (!c->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!prepare())
			become(&ch, task, arg);
		_exit(1);
	}
	close(ch.from_image[1]);
	close(ch.to_image[0]);
	c->rfd = ch.from_image[0];
	c->wfd = ch.to_image[1];
}

static void finish(struct ksm_child *c)
{
	int last = ksm_hear(c), status = ksm_child_wait(c);

	CHECK(last == 'e');
	CHECK(status == CONTENT);
}

static int prepare_any(void)
{
	return prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
}

static int prepare_nothing(void)
{
	return 0;
}

static int prepare_madvise(void)
{
	ksm_map_merge(PAGES, 1, 0);
	return 0;
}

static int prepare_on_and_off(void)
{
	return prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0) ||
	       prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
}

/* Merged pages of the old image have to go with it. */
static int prepare_any_merged(void)
{
	char *map;

	if (prepare_any())
		return 1;
	map = ksm_map(PAGES);
	ksm_fill(map, PAGES, 3, 0);
	if (ksm_wait_scans(3, KSM_DEADLINE_MS))
		return 1;
	return ksm_count_merged(map, PAGES) != PAGES ||
	       !ksm_contents_ok(map, PAGES, 3, 0);
}

static void test_inherits(void)
{
	struct ksm_child c;

	launch(&c, "inherits", "", prepare_any);
	finish(&c);
}

static void test_inherits_merged(void)
{
	struct ksm_child c;

	ksm_run();
	launch(&c, "inherits", "", prepare_any_merged);
	finish(&c);
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
}

static void test_not_inherits(void)
{
	int (* const prepare[])(void) = {
		prepare_nothing, prepare_madvise, prepare_on_and_off,
	};
	struct ksm_child c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(prepare); i++) {
		launch(&c, "not-inherits", "", prepare[i]);
		finish(&c);
	}
}

static void test_stat(void)
{
	struct ksm_child c;

	launch(&c, "stat", "yes", prepare_any);
	finish(&c);
	launch(&c, "stat", "no", prepare_madvise);
	finish(&c);
}

static void test_merges(void)
{
	struct ksm_child c;

	launch(&c, "merges", "", prepare_any);
	CHECK(ksm_hear(&c) == 'f');
	ksm_run();
	CHECK(!ksm_wait_scans(3, KSM_DEADLINE_MS));
	CHECK(ksm_get("pages_sharing") >= PAGES - 1);
	ksm_say(&c, 's');
	finish(&c);
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
}

static void test_chain(void)
{
	struct ksm_child c;

	launch(&c, "chain", "10", prepare_any);
	finish(&c);
}

/* A program that cannot be executed leaves everything as it was. */
static void test_failed_exec(void)
{
	char *argv[2] = { "x" }, *envp[1] = { NULL };
	char name[] = "/tmp/ksm_exec.XXXXXX", *map;
	int fd, i;

	CHECK(!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	map = ksm_map(PAGES);
	ksm_fill(map, PAGES, 5, 0);
	ksm_scan(3);
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	ksm_run();
	fd = mkstemp(name);
	CHECK(fd >= 0);
	CHECK(write(fd, "no program", 10) == 10);
	CHECK(!fchmod(fd, 0755));
	close(fd);
	for (i = 0; i < 200; i++) {
		CHECK(execve(name, argv, envp) == -1 && errno == ENOEXEC);
		CHECK(execve("/nonexistent", argv, envp) == -1 &&
		      errno == ENOENT);
	}
	unlink(name);
	CHECK(enabled() == 1);
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 5, 0));
}

/* Images come and go while ksmd works on them. */
static void test_storm(void)
{
	__u64 end = ksm_now_ms() + 2000;
	unsigned int rounds = 0;
	struct ksm_child c[4];
	size_t i;

	ksm_run();
	while (ksm_now_ms() < end || rounds < 3) {
		for (i = 0; i < ARRAY_SIZE(c); i++)
			launch(&c[i], i & 1 ? "chain" : "inherits", "3",
			       prepare_any);
		for (i = 0; i < ARRAY_SIZE(c); i++)
			finish(&c[i]);
		rounds++;
	}
	ksft_print_msg("%u rounds\n", rounds);
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_unshared", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_volatile", 0, KSM_DEADLINE_MS));
}

static const struct ksm_case cases[] = {
	{ "a merge-any process executes a merge-any image", test_inherits },
	{ "also when it had merged pages", test_inherits_merged },
	{ "madvise, or a prctl taken back, is not inherited",
	  test_not_inherits },
	{ "ksm_merge_any and ksm_mergeable of the new image", test_stat },
	{ "memory of the new image merges", test_merges },
	{ "inherited over eleven execs", test_chain },
	{ "a failed exec changes nothing", test_failed_exec },
	{ "many execs under a running ksmd", test_storm },
};

int main(int argc, char **argv)
{
	if (argc && !strcmp(argv[0], NEW_IMAGE))
		return new_image(argc, argv);
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
