// SPDX-License-Identifier: GPL-2.0-only
/*
 * run-plan: run the programs of a test plan inside the kernel under test
 *
 *	run-plan [-o RESULTS] PLAN
 *
 * As the init process it mounts what the programs need, and powers off at the
 * end.
 *
 * -o	where the results go: a file or a serial port; default standard output
 *
 * A line of the plan is a command, run by execvp() without a shell, in the
 * directory of the plan.  Words of the form OPTION=VALUE before it:
 *
 *	timeout=SECONDS	after which the program is killed (default 300)
 *	skip=REGEX	results that may be skipped: a regular expression that
 *			must match in "NAME # REASON"; a program as a whole has
 *			the name "run"
 *	results=N	how many results there have to be, for a program whose
 *			own plan is known to be wrong
 *
 * A program prints TAP, as kselftest.h does.  It is not parsed here: that and
 * the last two options are the business of scripts/tap-results.  With "stop" in
 * the environment the first failure ends the program and the plan.
 *
 * After each program all its processes are killed, KSM is told to unmerge
 * everything, and its counters have to be zero; and, where they can be told
 * from others, its slab caches empty.
 *
 * Lines of the results: "@start PROGRAM", the program's output after "| ",
 * "@not ok NAME # REASON" for what is found here, "@end PROGRAM HOW SECONDS",
 * where HOW is exit=STATUS, signal=NUMBER, timeout or stopped, and at last
 * "@done".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "slabs.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_ARGS	64
#define MAX_LINE	4096
#define EXIT_SKIP	4
#define KSM_DIR		"/sys/kernel/mm/ksm/"

/* One line of the plan */
struct program {
	char *argv[MAX_ARGS + 1];
	char name[256];
	unsigned int timeout_s;
};

/* How a program ended */
enum how { BY_ITSELF, TIMED_OUT, STOPPED, NOT_STARTED };

static bool any_failure;
static bool stop_at_failure;
static int out_fd = STDOUT_FILENO;
static int kmsg_fd = -1;

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t done = write(fd, text, len);

		if (done < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return;
		}
		text += done;
		len -= done;
	}
}

static void __attribute__((format(printf, 1, 2))) emit(const char *fmt, ...)
{
	char line[MAX_LINE + 512];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	write_all(out_fd, line, len);
	if (!strncmp(line, "@not ok ", 8))
		any_failure = true;
}

/* Into the kernel's log, so that its messages can be told apart */
static void mark(const char *what, const char *name)
{
	char line[512];
	int len = snprintf(line, sizeof(line), "<5>run-plan: %s %s\n", what, name);

	if (kmsg_fd >= 0)
		write_all(kmsg_fd, line, len);
}

static bool starts_with(const char *line, const char *start)
{
	return !strncmp(line, start, strlen(start));
}

/* Pass a line of the program on; note a failure, in case that is to stop it. */
static void take_line(const char *line)
{
	emit("| %s", line);
	if (starts_with(line, "not ok ") || starts_with(line, "Bail out!"))
		any_failure = true;
}

/*
 * Nothing of a program may live on; as init we are the parent of all.
 * Returns false if a process does not die within ten seconds.
 */
static bool kill_group(pid_t group)
{
	double deadline = now_s() + 10;
	pid_t pid;

	kill(-group, SIGKILL);
	if (getpid() == 1)
		kill(-1, SIGKILL);
	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		if (pid)
			continue;
		if (now_s() > deadline)
			return false;
		usleep(1000);
	}
	return true;
}

static bool enough(void)
{
	return stop_at_failure && any_failure;
}

/*
 * Start the program with its output in a pipe, and pass that on until the
 * program itself ends, or has shown enough.  *status is its wait status if it
 * ended by itself.
 */
static enum how run_one(struct program *prog, int *status)
{
	static char line[MAX_LINE];
	double deadline = now_s() + prog->timeout_s;
	bool exited = false;
	size_t used = 0;
	enum how how = BY_ITSELF;
	int pipefd[2];
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC)) {
		emit("@not ok %s: run # no pipe: %m", prog->name);
		return NOT_STARTED;
	}
	pid = fork();
	if (pid < 0) {
		emit("@not ok %s: run # no process: %m", prog->name);
		close(pipefd[0]);
		close(pipefd[1]);
		return NOT_STARTED;
	}
	if (!pid) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, STDIN_FILENO);
		dup2(pipefd[1], STDOUT_FILENO);
		dup2(pipefd[1], STDERR_FILENO);
		execvp(prog->argv[0], prog->argv);
		fprintf(stderr, "cannot execute %s: %s\n", prog->argv[0],
			strerror(errno));
		_exit(127);
	}
	close(pipefd[1]);
	fcntl(pipefd[0], F_SETFL, O_NONBLOCK);

	for (;;) {
		struct pollfd pfd = { .fd = pipefd[0], .events = POLLIN };
		char chunk[MAX_LINE];
		ssize_t got;

		if (!exited && waitpid(pid, status, WNOHANG) == pid)
			exited = true;
		if (enough()) {
			how = STOPPED;
			break;
		}
		if (!exited && now_s() > deadline) {
			how = TIMED_OUT;
			exited = true;
			kill_group(pid);
		}
		if (!exited)
			poll(&pfd, 1, 100);
		got = read(pipefd[0], chunk, sizeof(chunk));
		if (got <= 0) {
			/* children may hold the pipe open: no more waiting */
			if (exited)
				break;
			if (!got)
				usleep(10000);
			continue;
		}
		for (ssize_t i = 0; i < got; i++) {
			if (chunk[i] == '\r')
				continue;
			if (chunk[i] != '\n' && used < sizeof(line) - 1) {
				line[used++] = chunk[i];
				continue;
			}
			line[used] = '\0';
			used = 0;
			take_line(line);
		}
	}
	if (used) {
		line[used] = '\0';
		take_line(line);
	}
	close(pipefd[0]);
	if (!kill_group(pid))
		emit("@not ok %s: end # a process cannot be killed",
		     prog->name);
	return how;
}

static void emit_end(const struct program *prog, enum how how, int status,
		     double seconds)
{
	char text[32];

	if (how == TIMED_OUT)
		strcpy(text, "timeout");
	else if (how == STOPPED)
		strcpy(text, "stopped");
	else if (how == NOT_STARTED)
		strcpy(text, "not-started");
	else if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "signal=%d", WTERMSIG(status));
	else
		snprintf(text, sizeof(text), "exit=%d", WEXITSTATUS(status));
	if (how == TIMED_OUT || (how == BY_ITSELF && status &&
				 WEXITSTATUS(status) != EXIT_SKIP))
		any_failure = true;
	emit("@end %s %s %.1f", prog->name, text, seconds);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

static long read_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return text[0] ? strtol(text, NULL, 10) : -1;
}

/* Said once: it is not the fault of the programs that follow. */
static void tell_leaks(const struct program *prog, const struct slab *slab,
		       int nr)
{
	static struct slab left[MAX_SLABS];

	for (int i = 0; i < nr; i++) {
		if (slab[i].objects && (strcmp(left[i].name, slab[i].name) ||
					left[i].objects != slab[i].objects))
			emit("@not ok %s: state after it # %ld objects of %s",
			     prog->name, slab[i].objects, slab[i].name);
		left[i] = slab[i];
	}
}

/* No process is registered any more, so after a little while KSM holds nothing. */
static void check_slabs(const struct program *prog)
{
	struct slab slab[MAX_SLABS];

	write_file(KSM_DIR "run", "1");
	tell_leaks(prog, slab, slabs_in_use(slab, 10));
	write_file(KSM_DIR "run", "0");
}

/*
 * Put KSM back to how it came up, and look whether the program left something
 * behind that no process accounts for.  What one program left is not held
 * against the next.
 */
static void check_ksm(const struct program *prog)
{
	static const char * const defaults[][2] = {
		{ "advisor_mode", "none" },
		{ "advisor_max_cpu", "70" },
		{ "advisor_min_pages_to_scan", "500" },
		{ "advisor_max_pages_to_scan", "30000" },
		{ "advisor_target_scan_time", "200" },
		{ "pages_to_scan", "100" },
		{ "sleep_millisecs", "20" },
		{ "merge_across_nodes", "1" },
		{ "max_page_sharing", "256" },
		{ "use_zero_pages", "0" },
		{ "smart_scan", "1" },
		{ "stable_node_chains_prune_millisecs", "2000" },
		{ "run", "0" },
	};
	static const char * const zero[] = {
		"pages_shared", "pages_sharing", "pages_unshared",
		"pages_volatile", "ksm_zero_pages", "stable_node_chains",
		"stable_node_dups",
	};
	static long left[ARRAY_SIZE(zero)];
	char path[128];

	if (access(KSM_DIR "run", F_OK))
		return;
	if (!write_file(KSM_DIR "run", "2"))
		emit("@not ok %s: state after it # cannot unmerge: %m",
		     prog->name);
	for (size_t i = 0; i < ARRAY_SIZE(zero); i++) {
		long value;

		snprintf(path, sizeof(path), KSM_DIR "%s", zero[i]);
		value = read_number(path);
		if (value && value != left[i])
			emit("@not ok %s: state after it # %s is %ld",
			     prog->name, zero[i], value);
		left[i] = value;
	}
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		snprintf(path, sizeof(path), KSM_DIR "%s", defaults[i][0]);
		if (access(path, F_OK))
			continue;
		if (!write_file(path, defaults[i][1]))
			emit("@not ok %s: state after it # cannot set %s: %m",
			     prog->name, defaults[i][0]);
	}
	check_slabs(prog);
}

/* Fill in the program of a plan line; false if the line has none. */
static bool parse_plan_line(char *line, struct program *prog)
{
	char *word, *next = NULL;
	int args = 0;

	memset(prog, 0, sizeof(*prog));
	prog->timeout_s = 300;
	for (word = strtok_r(line, " \t\n", &next); word;
	     word = strtok_r(NULL, " \t\n", &next)) {
		if (!args && *word == '#')
			return false;
		if (!args && starts_with(word, "timeout=")) {
			prog->timeout_s = strtoul(word + 8, NULL, 10);
		} else if (!args && (starts_with(word, "skip=") ||
				     starts_with(word, "results="))) {
			continue;
		} else if (args < MAX_ARGS) {
			size_t used = strlen(prog->name);

			prog->argv[args++] = word;
			snprintf(prog->name + used, sizeof(prog->name) - used,
				 "%s%s", used ? " " : "",
				 args == 1 && !strncmp(word, "./", 2) ?
				 word + 2 : word);
		}
	}
	return args > 0;
}

static void run_plan(FILE *plan)
{
	char line[MAX_LINE];

	while (!enough() && fgets(line, sizeof(line), plan)) {
		struct program prog;
		int status = 0;
		double begin;
		enum how how;

		if (!parse_plan_line(line, &prog))
			continue;
		emit("@start %s", prog.name);
		mark("start", prog.name);
		begin = now_s();
		how = run_one(&prog, &status);
		mark("end", prog.name);
		check_ksm(&prog);
		emit_end(&prog, how, status, now_s() - begin);
	}
}

static void mount_one(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, NULL) && errno != EBUSY &&
	    errno != ENODEV && errno != ENOENT)
		fprintf(stderr, "run-plan: cannot mount %s: %m\n", dir);
}

/* The header of a swap device, version 1; there is no mkswap here. */
static bool format_swap(const char *device)
{
	long page_size = sysconf(_SC_PAGESIZE);
	uint32_t *info;
	char *header;
	off_t bytes;
	bool ok;
	int fd;

	fd = open(device, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	header = calloc(1, page_size);
	bytes = lseek(fd, 0, SEEK_END);
	info = (uint32_t *)(header + 1024);
	info[0] = 1;
	info[1] = bytes / page_size - 1;
	memcpy(header + page_size - 10, "SWAPSPACE2", 10);
	ok = pwrite(fd, header, page_size, 0) == page_size && !fsync(fd);
	free(header);
	close(fd);
	return ok;
}

/* Swap on a compressed RAM disk, where the kernel has one */
static void set_up_swap(const char *size)
{
	if (!write_file("/sys/block/zram0/disksize", size))
		return;
	if (!format_swap("/dev/zram0") || swapon("/dev/zram0", 0))
		fprintf(stderr, "run-plan: no swap: %m\n");
}

/* An initramfs has no /dev/console before devtmpfs is mounted. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	if (fd < 0)
		return;
	for (int std = 0; std <= STDERR_FILENO; std++)
		if (fcntl(std, F_GETFD) < 0)
			dup2(fd, std);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void be_init(void)
{
	struct rlimit core = { 0, 0 };

	mount_one("proc", "/proc");
	mount_one("sysfs", "/sys");
	mount_one("devtmpfs", "/dev");
	open_console();
	mkdir("/dev/pts", 0755);
	mount_one("devpts", "/dev/pts");
	mount_one("tmpfs", "/dev/shm");
	mount_one("tmpfs", "/tmp");
	mount_one("tmpfs", "/run");
	mount_one("debugfs", "/sys/kernel/debug");
	mount_one("tracefs", "/sys/kernel/tracing");
	mount_one("cgroup2", "/sys/fs/cgroup");
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/tmp", 1);
	setrlimit(RLIMIT_CORE, &core);
	kmsg_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	/* programs that test for memory pressure say a lot */
	write_file("/proc/sys/kernel/printk_devkmsg", "on");
	set_up_swap(getenv("swap") ? getenv("swap") : "256M");
}

static void open_results(const char *path)
{
	struct termios tio;

	out_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC,
		      0644);
	if (out_fd < 0) {
		fprintf(stderr, "run-plan: cannot open %s: %m\n", path);
		out_fd = STDOUT_FILENO;
		return;
	}
	if (!tcgetattr(out_fd, &tio)) {
		cfmakeraw(&tio);
		cfsetspeed(&tio, B115200);
		tcsetattr(out_fd, TCSANOW, &tio);
	}
}

int main(int argc, char **argv)
{
	const char *results = getenv("results");
	const char *path = getenv("plan");
	bool init = getpid() == 1;
	char *slash, *dir;
	FILE *plan;
	int opt;

	while ((opt = getopt(argc, argv, "o:")) != -1) {
		switch (opt) {
		case 'o':
			results = optarg;
			break;
		default:
			return 2;
		}
	}
	if (optind < argc)
		path = argv[optind];
	if (!path)
		path = "/tests/plan";
	if (init)
		be_init();
	if (results)
		open_results(results);
	stop_at_failure = getenv("stop");

	plan = fopen(path, "re");
	if (plan) {
		dir = strdup(path);
		slash = strrchr(dir, '/');
		if (slash) {
			*slash = '\0';
			if (chdir(dir))
				emit("@not ok plan: directory # %m");
		}
		mark("begin", path);
		run_plan(plan);
		emit("@done");
		mark("done", path);
	} else {
		emit("@not ok plan: open # %s: %m", path);
	}
	if (init) {
		sync();
		if (!isatty(out_fd) || !tcdrain(out_fd))
			usleep(100000);
		reboot(RB_POWER_OFF);
	}
	return !plan;
}
