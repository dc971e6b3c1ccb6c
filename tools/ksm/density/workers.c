// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm-workers OPTION... PROGRAM [ARG]...: what KSM saves where one program runs
 * many times, each with all of its memory registered by prctl().
 *
 *   --workers N	so many (default 16), started one after the other
 *   --gap S		between two of them
 *   --seconds S	how long to ask them for something, all in turn
 *   --period-ms N	between two questions
 *   --digest HEX	what each has to answer when it is asked for its data
 *   --knob FILE=VALUE	written to a file of KSM first
 *
 * A worker is forked and execs PROGRAM.  It says "ready", and answers each line
 * "NUMBER" by "NUMBER RESULT"; all have to give the same result for the same
 * number.  Asked "hash NONCE", it answers "NONCE * 7919 DIGEST" of its data.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "density.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif

#define MAX_WORKERS	128
#define LINE_SIZE	128
#define READY_S		120
#define REPLY_S		60
#define SAMPLE_S	1.0

struct worker {
	pid_t pid;
	int fd;
	char line[LINE_SIZE];
	size_t len;
};

static struct worker workers[MAX_WORKERS];
static int nr_up;
static int nr_lost;
static double next_sample;

static struct {
	int workers;
	double gap_s;
	double seconds;
	double period_ms;
	const char *digest;
	char **program;
} wanted = {
	.workers = 16,
	.gap_s = 3,
	.seconds = 120,
	.period_ms = 100,
	.digest = "",
};

static void sample_in_time(void)
{
	double now = now_s();

	if (now < next_sample)
		return;
	emit_sample(nr_up, nr_lost);
	next_sample = now + SAMPLE_S;
}

static void wait_until(double end)
{
	double left;

	while ((left = end - now_s()) > 0) {
		usleep((left < SAMPLE_S ? left : SAMPLE_S) * 1e6);
		sample_in_time();
	}
}

static void lose(struct worker *worker, const char *why)
{
	emit("lost", "\"guest\":%d,\"why\":\"%s\"",
	     (int)(worker - workers) + 1, why);
	nr_lost++;
}

static bool start(struct worker *worker)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	worker->pid = fork();
	if (!worker->pid) {
		dup2(pair[1], STDIN_FILENO);
		dup2(pair[1], STDOUT_FILENO);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(wanted.program[0], wanted.program);
		fail("%s: %s", wanted.program[0], strerror(errno));
	}
	close(pair[1]);
	worker->fd = pair[0];
	return worker->pid > 0;
}

/* The next line that a worker says, or NULL. */
static char *read_line(struct worker *worker, double timeout_s)
{
	struct pollfd fd = { .fd = worker->fd, .events = POLLIN };
	double end = now_s() + timeout_s;
	ssize_t got;

	worker->len = 0;
	while (worker->len < LINE_SIZE - 1 && now_s() < end) {
		sample_in_time();
		if (poll(&fd, 1, 200) <= 0)
			continue;
		got = read(worker->fd, worker->line + worker->len,
			   LINE_SIZE - 1 - worker->len);
		if (got <= 0)
			return NULL;
		worker->len += got;
		if (worker->line[worker->len - 1] != '\n')
			continue;
		worker->line[worker->len - 1] = '\0';
		return worker->line;
	}
	return NULL;
}

static bool start_all(void)
{
	double begin = now_s(), started;

	for (int i = 0; i < wanted.workers; i++) {
		struct worker *worker = &workers[i];
		char *line;

		wait_until(begin + i * wanted.gap_s);
		started = now_s();
		emit("start_guest", "\"guest\":%d,\"wait_s\":0", i + 1);
		line = start(worker) ? read_line(worker, READY_S) : NULL;
		if (!line || strcmp(line, "ready")) {
			lose(worker, "not ready");
			return false;
		}
		nr_up++;
		emit("guest", "\"guest\":%d,\"boot_s\":%.2f", i + 1,
		     now_s() - started);
	}
	return true;
}

/* Asks a worker; its answer after the number, or NULL. */
static char *ask(struct worker *worker, const char *how, unsigned int number,
		 unsigned int expected)
{
	unsigned int got;
	char *line;
	int at;

	if (dprintf(worker->fd, "%s%u\n", how, number) < 0)
		return NULL;
	line = read_line(worker, REPLY_S);
	if (!line || sscanf(line, "%u %n", &got, &at) != 1 || got != expected)
		return NULL;
	return line + at;
}

/* All in turn, until the time is over; all have to agree. */
static bool serve(void)
{
	double end = now_s() + wanted.seconds;
	char first[LINE_SIZE] = "";
	unsigned int asked = 0;

	while (now_s() < end) {
		struct worker *worker = &workers[asked % nr_up];
		unsigned int number = asked / nr_up;
		char *answer = ask(worker, "", number, number);

		if (!answer) {
			lose(worker, "does not answer");
			return false;
		}
		if (worker == workers) {
			snprintf(first, sizeof(first), "%s", answer);
		} else if (strcmp(answer, first)) {
			emit("wrong", "\"guest\":%d,\"why\":\"another answer\"",
			     (int)(worker - workers) + 1);
			return false;
		}
		asked++;
		wait_until(now_s() + wanted.period_ms / 1000);
	}
	emit("served", "\"questions\":%u", asked);
	return true;
}

static bool right_data(struct worker *worker)
{
	unsigned int nonce;
	char *digest;

	if (getrandom(&nonce, sizeof(nonce), 0) < 0)
		fail("no random numbers");
	digest = ask(worker, "hash ", nonce, nonce * 7919);
	if (digest && !strcmp(digest, wanted.digest))
		return true;
	emit("wrong", "\"guest\":%d,\"why\":\"the hash of its data\"",
	     (int)(worker - workers) + 1);
	return false;
}

static bool answer(const char *when)
{
	double begin = now_s();
	int right = 0;

	for (int i = 0; i < nr_up; i++)
		right += right_data(&workers[i]);
	emit("answers", "\"when\":\"%s\",\"right\":%d,\"of\":%d,\"seconds\":%.1f",
	     when, right, nr_up, now_s() - begin);
	return right == nr_up;
}

static bool hold(void)
{
	struct pressure before, after;
	double begin = now_s();
	bool all_well;

	pressure_read(&before);
	all_well = serve();
	pressure_read(&after);
	emit("hold", "\"seconds\":%.1f,\"psi_full_us\":%ld,\"swapped_out\":%ld",
	     now_s() - begin, after.full_us - before.full_us,
	     after.swapped_out - before.swapped_out);
	return all_well;
}

static void parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "workers",	required_argument, NULL, 'w' },
		{ "gap",	required_argument, NULL, 'g' },
		{ "seconds",	required_argument, NULL, 's' },
		{ "period-ms",	required_argument, NULL, 'p' },
		{ "digest",	required_argument, NULL, 'd' },
		{ "knob",	required_argument, NULL, 'K' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (option) {
		case 'w':
			wanted.workers = number(optarg);
			break;
		case 'g':
			wanted.gap_s = number(optarg);
			break;
		case 's':
			wanted.seconds = number(optarg);
			break;
		case 'p':
			wanted.period_ms = number(optarg);
			break;
		case 'd':
			wanted.digest = optarg;
			break;
		case 'K':
			set_knob(optarg);
			break;
		default:
			exit(2);
		}
	}
	if (wanted.workers < 1 || wanted.workers > MAX_WORKERS)
		fail("1 to %d workers", MAX_WORKERS);
	wanted.program = argv + optind;
	if (!*wanted.program)
		fail("no program");
}

int main(int argc, char **argv)
{
	bool all_well;

	signal(SIGPIPE, SIG_IGN);
	open_events();
	parse(argc, argv);
	/* the workers inherit it, over fork() and over execve() */
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		fail("PR_SET_MEMORY_MERGE: %s", strerror(errno));
	emit_meminfo("before the first");
	next_sample = now_s();
	all_well = start_all();
	emit("arrived", "\"guests\":%d,\"lost\":%d", nr_up, nr_lost);
	all_well = all_well && answer("settled") && hold() && answer("held");
	emit_sample(nr_up, nr_lost);
	emit_meminfo("at the end");
	emit("end", "\"guests\":%d,\"lost\":%d,\"all_well\":%s", nr_up, nr_lost,
	     all_well ? "true" : "false");
	return 0;
}
