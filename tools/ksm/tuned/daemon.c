// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"
#include "daemon.h"
#include "log.h"
#include "notify.h"
#include "psi.h"
#include "ready.h"
#include "single.h"
#include "step.h"
#include "units.h"

/* While memory stays short, decide no more often than this because of it. */
#define PRESSURE_PAUSE_MS	5000

/**
 * struct daemon - all it knows
 * @config:	  settings
 * @state:	  what it found, and wrote
 * @npages:	  batch chosen last
 * @signals:	  file that has the signals
 * @psi:	  file that wakes under pressure, or -1
 * @advisor:	  the kernel's advisor was on when last looked at
 * @unreadable:	  some processes could not be looked at
 * @decided_ms:	  when it decided last
 * @ended:	  told to end
 */
struct daemon {
	struct tuned_config config;
	struct state state;
	int64_t npages;
	int signals;
	int psi;
	bool advisor;
	bool unreadable;
	int64_t decided_ms;
	bool ended;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int open_signals(void)
{
	sigset_t set;

	/* It ends when told to, not because its output is not read any more. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void watch_pressure(struct daemon *daemon)
{
	if (daemon->psi >= 0)
		close(daemon->psi);
	daemon->psi = -1;
	if (!daemon->config.psi_stall_ms)
		return;
	daemon->psi = psi_open(daemon->config.psi_stall_ms);
	if (daemon->psi < 0)
		log_say(LOG_NOTICE, "memory pressure does not wake ksmtuned: /proc/pressure/memory: %s",
			strerror(-daemon->psi));
}

/* A file that is of no use does not undo what was set by a better one. */
static void configure(struct daemon *daemon, bool again)
{
	struct tuned_config config;
	int err = tuned_conf_read(&config);

	if (err && again)
		log_say(LOG_NOTICE, "the settings stay as they were");
	else
		daemon->config = config;
	log_config(daemon->config.logfile, daemon->config.debug);
	watch_pressure(daemon);
}

/* What concerns all decisions is said when it changes, not each time. */
static void say_changes(struct daemon *daemon, const struct step *step)
{
	bool unreadable = step->guests.unreadable > 0;

	if (step->input.advisor != daemon->advisor)
		log_say(LOG_NOTICE, "advisor_mode is %s: pages_to_scan and sleep_millisecs are %s",
			step->input.advisor ? "scan-time" : "none",
			step->input.advisor ? "left to the kernel's advisor" :
			"ksmtuned's again");
	if (unreadable && !daemon->unreadable)
		log_say(LOG_WARNING, "%d process%s cannot be looked at: guests among them are not counted; CAP_SYS_PTRACE is needed",
			step->guests.unreadable,
			ksm_plural(step->guests.unreadable, "es"));
	daemon->advisor = step->input.advisor;
	daemon->unreadable = unreadable;
}

static void decide(struct daemon *daemon, enum tuned_cause cause)
{
	struct step step;

	step_decide(&step, &daemon->config, cause, daemon->npages);
	say_changes(daemon, &step);
	step_apply(&step, &daemon->state);
	step_log(&step);
	daemon->npages = step.decision.npages;
	daemon->decided_ms = now_ms();
	notify("READY=1\nSTATUS=%s: %s",
	       tuned_verdict_name(step.decision.verdict), step.decision.reason);
}

static enum tuned_cause reload(struct daemon *daemon)
{
	notify("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now_ms() * 1000);
	configure(daemon, true);
	return TUNED_RELOAD;
}

/* Signals that came together are answered by one decision. */
static enum tuned_cause take_signals(struct daemon *daemon)
{
	enum tuned_cause cause = TUNED_REQUEST;
	struct signalfd_siginfo info;

	while (read(daemon->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			cause = reload(daemon);
		else if (info.ssi_signo != SIGUSR1)
			daemon->ended = true;
	}
	return cause;
}

static bool take_pressure(struct daemon *daemon, short events)
{
	if (events & (POLLERR | POLLNVAL)) {
		log_say(LOG_NOTICE, "memory pressure does not wake ksmtuned any more");
		close(daemon->psi);
		daemon->psi = -1;
		return false;
	}
	return events & POLLPRI;
}

/* 1: decide, for @cause; 0: something else, or nothing, has come up */
static int wait_once(struct daemon *daemon, enum tuned_cause *cause)
{
	int64_t passed = now_ms() - daemon->decided_ms;
	int64_t left = daemon->config.interval_s * 1000 - passed;
	bool patient = passed < PRESSURE_PAUSE_MS;
	struct pollfd files[2] = {
		{ .fd = daemon->signals, .events = POLLIN },
		{ .fd = patient ? -1 : daemon->psi, .events = POLLPRI },
	};

	if (left <= 0)
		return 1;
	if (patient && daemon->psi >= 0 && left > PRESSURE_PAUSE_MS - passed)
		left = PRESSURE_PAUSE_MS - passed;
	if (poll(files, 2, left) <= 0)
		return 0;
	if (files[0].revents) {
		*cause = take_signals(daemon);
		return 1;
	}
	*cause = TUNED_PRESSURE;
	return take_pressure(daemon, files[1].revents);
}

static enum tuned_cause wait_for_cause(struct daemon *daemon)
{
	enum tuned_cause cause;

	do {
		cause = TUNED_INTERVAL;
	} while (!wait_once(daemon, &cause));
	return cause;
}

static void loop(struct daemon *daemon)
{
	decide(daemon, TUNED_START);
	for (;;) {
		enum tuned_cause cause = wait_for_cause(daemon);

		if (daemon->ended)
			break;
		decide(daemon, cause);
	}
	notify("STOPPING=1");
}

/* One that was killed left its values behind: they are not what is normal. */
static int find(struct state *state)
{
	int err;

	state_recover(BOOST_STATE);
	state_recover(TUNED_STATE);
	state_find(state, TUNED_STATE);
	err = state_save(state);
	if (err)
		log_say(LOG_ERR, "%s cannot be written: %s", TUNED_STATE,
			strerror(-err));
	return err;
}

static int begin(void)
{
	int err = single_begin(TUNED_LOCK);

	if (!err)
		err = single_write_pid();
	if (err == -EAGAIN)
		log_say(LOG_ERR, "ksmtuned runs already, as process %d: `ksmtuned retune' makes it decide now",
			single_holder(TUNED_LOCK));
	else if (err)
		log_say(LOG_ERR, "cannot begin in /run: %s", strerror(-err));
	return err;
}

/**
 * daemon_main() - run until SIGTERM
 *
 * Return: exit code
 */
int daemon_main(void)
{
	struct daemon daemon = { .psi = -1 };
	int err, status = status_ready(true);

	if (status)
		return status;
	err = begin();
	if (err)
		return status_of(err);
	daemon.signals = open_signals();
	if (daemon.signals < 0) {
		log_say(LOG_ERR, "signals: %s", strerror(errno));
		return STATUS_FAILED;
	}
	err = find(&daemon.state);
	if (!err) {
		configure(&daemon, false);
		loop(&daemon);
		err = state_restore(&daemon.state);
	}
	single_remove_pid();
	return status_of(err);
}
