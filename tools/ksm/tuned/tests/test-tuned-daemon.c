// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksmtuned from outside: on a tree of files, with signals and kills.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"
#include "root.h"

#define KSM	"sys/kernel/mm/ksm/"
#define STATE	"run/ksmtuned.state"
#define PID	"run/ksmtune.pid"

static void assert_file(const char *path, const char *expected)
{
	char text[256];

	fixture_read(path, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void assert_knobs(const char *run, const char *pages, const char *ms)
{
	assert_file(KSM "run", run);
	assert_file(KSM "pages_to_scan", pages);
	assert_file(KSM "sleep_millisecs", ms);
}

static void assert_absent(const char *path)
{
	assert_int_equal(access(fixture_path(path), F_OK), -1);
}

static void set_free(const char *kib)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "MemTotal: 16777216 kB\nMemFree: %s kB\nBuffers: 0 kB\nCached: 0 kB\n",
		 kib);
	fixture_write("proc/meminfo", text);
}

static void make_short(void)
{
	set_free("1000000");
}

static void make_plenty(void)
{
	set_free("9000000");
}

/* The guest has 15 GiB: with the threshold, more than there is. */
static void fill_guest(void)
{
	char text[64];

	snprintf(text, sizeof(text), "9000000 %ld 0 0 0 0 0\n",
		 15 * 1024 * 1024 / (sysconf(_SC_PAGESIZE) / 1024));
	fixture_write("proc/200/statm", text);
}

static int run(struct child *child, const char *program, const char *one,
	       const char *two)
{
	child_start(child, program, one, two, NULL);
	return child_end(child);
}

static void end_daemon(struct child *daemon)
{
	child_kill(daemon, SIGTERM);
	assert_int_equal(child_end(daemon), 0);
}

static void test_stops_when_plenty(void **state)
{
	struct child daemon;

	(void)state;
	fixture_open("tuned");
	fixture_write(KSM "run", "1\n");
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "decision=stop cause=start total_kib=16777216 free_kib=9000000 committed_kib=");
	child_expect(&daemon, "guests=1 threshold_kib=3355443 run=0 pages_to_scan=100 sleep_millisecs=20: ");
	assert_knobs("0", "100", "20");
	end_daemon(&daemon);
	assert_knobs("1", "100", "20");
	assert_absent(STATE);
	assert_absent(PID);
}

static void test_cycle(void **state)
{
	struct child daemon, command;

	(void)state;
	fixture_open("tuned");
	make_short();
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "decision=boost cause=start");
	assert_knobs("1", "300", "10");
	child_kill(&daemon, SIGUSR1);
	child_expect(&daemon, "decision=boost cause=request");
	assert_knobs("1", "600", "10");
	make_plenty();
	fill_guest();
	assert_int_equal(run(&command, "ksmtuned", "retune", NULL), 0);
	child_expect(&daemon, "decision=decay cause=request");
	assert_knobs("1", "550", "10");
	fixture_remove("proc/200");
	child_kill(&daemon, SIGUSR1);
	child_expect(&daemon, "decision=stop cause=request");
	assert_knobs("0", "550", "10");
	end_daemon(&daemon);
	assert_knobs("0", "100", "20");
}

static void test_interval(void **state)
{
	struct child daemon;

	(void)state;
	fixture_open("tuned");
	fixture_write("etc/ksmtuned.conf", "KSM_MONITOR_INTERVAL=1\n");
	make_short();
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "cause=start");
	child_expect(&daemon, "decision=boost cause=interval");
	child_expect(&daemon, "decision=boost cause=interval");
	end_daemon(&daemon);
}

static void test_reload(void **state)
{
	struct child daemon;
	char text[4096];

	(void)state;
	fixture_open("tuned");
	make_short();
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "cause=start");
	fixture_write("etc/ksmtuned.conf",
		      "KSM_NPAGES_BOOST=1\nLOGFILE=/var/log/ksmtuned\nDEBUG=1\n");
	child_kill(&daemon, SIGHUP);
	child_expect(&daemon, "guest pid=200 comm=qemu-system-x86");
	child_expect(&daemon, "decision=boost cause=reload");
	assert_knobs("1", "301", "10");
	fixture_read("var/log/ksmtuned", text, sizeof(text));
	assert_non_null(strstr(text, "decision=boost cause=reload"));
	/* a file that is of no use changes nothing */
	assert_int_equal(chmod(fixture_path("etc/ksmtuned.conf"), 0666), 0);
	child_kill(&daemon, SIGHUP);
	child_expect(&daemon, "chmod o-w");
	child_expect(&daemon, "the settings stay as they were");
	child_expect(&daemon, "decision=boost cause=reload");
	assert_knobs("1", "302", "10");
	end_daemon(&daemon);
}

static void test_logfile_fails(void **state)
{
	struct child daemon;

	(void)state;
	fixture_open("tuned");
	fixture_write("etc/ksmtuned.conf", "LOGFILE=/nowhere/ksmtuned\n");
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "cannot write to LOGFILE");
	child_kill(&daemon, SIGUSR1);
	child_expect(&daemon, "cause=request");
	child_expect_none(&daemon, "cannot write to LOGFILE", 300);
	end_daemon(&daemon);
}

static void test_kill_and_restore(void **state)
{
	struct child daemon, command;

	(void)state;
	fixture_open("tuned");
	make_short();
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "decision=boost");
	assert_int_equal(run(&command, "ksmtuned", "restore", NULL), 1);
	assert_knobs("1", "300", "10");
	child_kill(&daemon, SIGKILL);
	assert_int_equal(child_end(&daemon), -SIGKILL);
	assert_knobs("1", "300", "10");
	assert_int_equal(run(&command, "ksmtuned", "restore", NULL), 0);
	assert_knobs("0", "100", "20");
	assert_absent(STATE);
	assert_absent(PID);
	assert_int_equal(run(&command, "ksmtuned", "retune", NULL), 1);
}

/* Without systemd nobody calls restore: the next one does not take what the
 * killed one left for what was found.
 */
static void test_kill_and_start(void **state)
{
	struct child daemon;

	(void)state;
	fixture_open("tuned");
	make_short();
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "decision=boost");
	child_kill(&daemon, SIGKILL);
	child_end(&daemon);
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "pages_to_scan restored: 300 -> 100");
	child_expect(&daemon, "decision=boost");
	assert_knobs("1", "300", "10");
	end_daemon(&daemon);
	assert_knobs("0", "100", "20");
}

/* A pipe or journal that is gone is no reason to leave the pace behind. */
static void test_nobody_listens(void **state)
{
	struct child daemon;
	int status;

	(void)state;
	fixture_open("tuned");
	make_short();
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "decision=boost");
	close(daemon.fd);
	child_kill(&daemon, SIGUSR1);
	child_kill(&daemon, SIGTERM);
	assert_int_equal(waitpid(daemon.pid, &status, 0), daemon.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_knobs("0", "100", "20");
}

static void test_one_only(void **state)
{
	struct child daemon, second;
	char text[32];

	(void)state;
	fixture_open("tuned");
	/* that a file is there proves nothing */
	fixture_write(PID, "1\n");
	assert_int_equal(run(&second, "ksmtuned", "retune", NULL), 1);
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "cause=start");
	snprintf(text, sizeof(text), "%d", daemon.pid);
	assert_file(PID, text);
	assert_int_equal(run(&second, "ksmtuned", NULL, NULL), 1);
	assert_non_null(strstr(second.text, text));
	assert_int_equal(run(&second, "ksmtuned", "--once", NULL), 1);
	assert_file(PID, text);
	end_daemon(&daemon);
}

static void test_advisor(void **state)
{
	struct child daemon;

	(void)state;
	fixture_open("tuned");
	fixture_write(KSM "advisor_mode", "none [scan-time]\n");
	make_short();
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "left to the kernel's advisor");
	child_expect(&daemon, "decision=boost");
	assert_knobs("1", "100", "20");
	child_kill(&daemon, SIGUSR1);
	child_expect_none(&daemon, "advisor", 500);
	assert_knobs("1", "100", "20");
	fixture_write(KSM "advisor_mode", "[none] scan-time\n");
	child_kill(&daemon, SIGUSR1);
	child_expect(&daemon, "ksmtuned's again");
	child_expect(&daemon, "decision=boost");
	assert_file(KSM "sleep_millisecs", "10");
	end_daemon(&daemon);
	assert_knobs("0", "100", "20");
}

static void test_unmerged_is_left(void **state)
{
	struct child daemon;

	(void)state;
	fixture_open("tuned");
	make_short();
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "decision=boost");
	fixture_write(KSM "run", "2\n");
	child_kill(&daemon, SIGUSR1);
	child_expect(&daemon, "decision=leave");
	assert_knobs("2", "300", "10");
	end_daemon(&daemon);
	assert_knobs("2", "100", "20");
}

static void test_pressure_absent(void **state)
{
	struct child daemon;

	(void)state;
	fixture_open("tuned");
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "memory pressure does not wake ksmtuned");
	child_expect(&daemon, "cause=start");
	end_daemon(&daemon);
	fixture_write("etc/ksmtuned.conf", "KSM_PSI_STALL_MSEC=0\n");
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "cause=start");
	child_expect_none(&daemon, "pressure", 100);
	end_daemon(&daemon);
}

/* Two of these on one CPU, and each of them waits. */
static pid_t start_spinner(void)
{
	pid_t pid = fork();
	cpu_set_t set;

	if (pid)
		return pid;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	alarm(60);
	for (;;)
		;
}

/*
 * The pressure of CPUs is reported as that of memory is, and is easy to make:
 * its file stands in for the other one.
 */
static void test_pressure(void **state)
{
	static const char real[] = "/proc/pressure/cpu";
	int fd = open(real, O_RDWR);
	struct child daemon;
	pid_t spinners[2];

	(void)state;
	if (fd < 0)
		skip();
	close(fd);
	fixture_open("tuned");
	fixture_write("proc/pressure/.keep", "");
	assert_int_equal(symlink(real, fixture_path("proc/pressure/memory")),
			 0);
	make_short();
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "cause=start");
	spinners[0] = start_spinner();
	spinners[1] = start_spinner();
	child_expect(&daemon, "decision=boost cause=pressure");
	for (int i = 0; i < 2; i++) {
		kill(spinners[i], SIGKILL);
		waitpid(spinners[i], NULL, 0);
	}
	end_daemon(&daemon);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 30 };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_true(strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void assert_message(int fd, const char *start)
{
	char text[1024];
	ssize_t len = recv(fd, text, sizeof(text) - 1, 0);

	assert_true(len > 0);
	text[len] = '\0';
	if (strncmp(text, start, strlen(start)))
		fail_msg("expected \"%s\", got \"%s\"", start, text);
}

static void test_notify(void **state)
{
	struct child daemon;
	int fd;

	(void)state;
	fixture_open("tuned");
	fd = listen_at(fixture_path("run/notify"));
	setenv("NOTIFY_SOCKET", fixture_path("run/notify"), 1);
	child_start(&daemon, "ksmtuned", NULL);
	unsetenv("NOTIFY_SOCKET");
	assert_message(fd, "READY=1\nSTATUS=stop: ");
	child_kill(&daemon, SIGHUP);
	assert_message(fd, "RELOADING=1\nMONOTONIC_USEC=");
	assert_message(fd, "READY=1\nSTATUS=stop: ");
	end_daemon(&daemon);
	assert_message(fd, "STOPPING=1");
	close(fd);
}

/* Lines for the journal begin with their priority. */
static void test_journal(void **state)
{
	struct child child;
	struct stat st;
	char stream[64];
	int fds[2];

	(void)state;
	fixture_open("tuned");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fstat(fds[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	child.pid = fork();
	if (!child.pid) {
		char path[KSM_PATH_MAX];

		setenv("JOURNAL_STREAM", stream, 1);
		dup2(fds[1], STDERR_FILENO);
		snprintf(path, sizeof(path), "%s/ksmtuned", getenv("KSM_BIN"));
		execl(path, "ksmtuned", "--root", ksm_root(), "retune", NULL);
		_exit(127);
	}
	close(fds[1]);
	child.fd = fds[0];
	child.len = 0;
	child.text[0] = '\0';
	child_expect(&child, "<3>ksmtuned does not run");
	assert_int_equal(child_end(&child), 1);
}

static void test_dry_run(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	make_short();
	child_start(&child, "ksmtuned", "--once", "--dry-run", NULL);
	child_expect(&child, "memory     16.0 GiB, 977 MiB of it free");
	child_expect(&child, "guests     1 process with");
	child_expect(&child, "decision   boost: free memory is below");
	child_expect(&child, "pages_to_scan    100 -> 300");
	child_expect(&child, "sleep_millisecs  20 -> 10");
	child_expect(&child, "run              0 -> 1");
	assert_int_equal(child_end(&child), 0);
	assert_knobs("0", "100", "20");
	assert_absent(STATE);
}

static void test_once(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	make_short();
	assert_int_equal(run(&child, "ksmtuned", "--once", NULL), 0);
	assert_knobs("1", "300", "10");
	assert_int_equal(run(&child, "ksmtuned", "--once", NULL), 0);
	assert_knobs("1", "600", "10");
	assert_absent(STATE);
}

static void test_usage(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	assert_int_equal(run(&child, "ksmtuned", "dance", NULL), 2);
	assert_int_equal(run(&child, "ksmtuned", "--dance", NULL), 2);
	assert_int_equal(run(&child, "ksmtuned", "--dry-run", NULL), 2);
	assert_int_equal(run(&child, "ksmtuned", "--once", "retune"), 2);
	assert_int_equal(run(&child, "ksmtuned", "retune", "now"), 2);
	assert_int_equal(run(&child, "ksmtuned", "--help", NULL), 0);
	fixture_remove("sys");
	assert_int_equal(run(&child, "ksmtuned", NULL, NULL), 3);
	assert_non_null(strstr(child.text, "CONFIG_KSM=y"));
	assert_int_equal(run(&child, "ksmtuned", "--once", "--dry-run"), 3);
}

/* Where the file of what was found cannot be kept, nothing is changed. */
static void test_no_run(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	make_short();
	fixture_remove("run");
	assert_int_equal(run(&child, "ksmtuned", NULL, NULL), 1);
	assert_non_null(strstr(child.text, "/run"));
	assert_knobs("0", "100", "20");
}

static int teardown(void **state)
{
	child_stop_all();
	return fixture_teardown(state);
}

#define TEST(name)	cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stops_when_plenty),
		TEST(test_cycle),
		TEST(test_interval),
		TEST(test_reload),
		TEST(test_logfile_fails),
		TEST(test_kill_and_restore),
		TEST(test_kill_and_start),
		TEST(test_nobody_listens),
		TEST(test_one_only),
		TEST(test_advisor),
		TEST(test_unmerged_is_left),
		TEST(test_pressure_absent),
		TEST(test_pressure),
		TEST(test_notify),
		TEST(test_journal),
		TEST(test_dry_run),
		TEST(test_once),
		TEST(test_usage),
		TEST(test_no_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
