// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "boost.h"
#include "knobs.h"
#include "log.h"
#include "single.h"
#include "state.h"

/*
 * With a pause of 20 ms this is a GiB of new memory in 5 s, if there is a CPU
 * to read it that fast.  It costs nothing when there is nothing to do.
 */
#define BOOST_PAGES	5000

/* Why not; NULL if nothing is against it */
static const char *objection(ksm_figure seconds)
{
	if (seconds <= 0)
		return "no time is set for it";
	if (single_holder(TUNED_LOCK) > 0)
		return "ksmtuned runs, and sets the pace";
	if (ksm_knob_read(ksm_knob_find("advisor_mode")) ==
	    KSM_ADVISOR_SCAN_TIME)
		return "the kernel's advisor sets the pace";
	if (fig_or_zero(state_knob_read(STATE_PAGES_TO_SCAN)) >= BOOST_PAGES)
		return "the pace is as high as that already";
	return NULL;
}

static sigset_t signals_to_end(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return set;
}

static ksm_figure wall_clock_ms(void)
{
	return time(NULL) * 1000LL;
}

static int raise_pace(struct state *state, ksm_figure seconds)
{
	int err;

	state_find(state, BOOST_STATE);
	state->until_ms = fig_add(wall_clock_ms(), fig_mul(seconds, 1000));
	if (!state_plan(state, STATE_PAGES_TO_SCAN, BOOST_PAGES))
		return -ENODATA;
	err = state_save(state);
	return err ? err : state_write(state, STATE_PAGES_TO_SCAN);
}

static ksm_figure boottime_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

static void wait_for(const sigset_t *end, ksm_figure seconds)
{
	ksm_figure until = fig_add(boottime_s(), seconds);
	struct timespec left;

	do {
		left = (struct timespec){ .tv_sec = until - boottime_s() };
		if (left.tv_sec < 0)
			left.tv_sec = 0;
		/* a stop and SIGCONT are no reason to end it */
	} while (sigtimedwait(end, NULL, &left) < 0 && errno == EINTR);
}

static int boost_for(ksm_figure seconds)
{
	sigset_t end = signals_to_end();
	struct state state;
	int err;

	sigprocmask(SIG_BLOCK, &end, NULL);
	err = raise_pace(&state, seconds);
	if (err) {
		log_say(LOG_ERR, "cannot scan faster: %s", strerror(-err));
		return err;
	}
	log_say(LOG_INFO, "pages_to_scan is %d for %lld s", BOOST_PAGES,
		(long long)seconds);
	wait_for(&end, seconds);
	/* by the file: ksmtuned takes it away when it begins */
	return state_recover(BOOST_STATE);
}

/**
 * boost() - scan fast for some time, then as before
 * @seconds: for how long
 *
 * SIGTERM ends it before its time.  After a kill, state_recover() does.
 *
 * Return: 0, or -errno
 */
int boost(ksm_figure seconds)
{
	int err = single_begin(BOOST_LOCK);
	const char *why;

	if (err && err != -EAGAIN) {
		log_say(LOG_ERR, "cannot begin in /run: %s", strerror(-err));
		return err;
	}
	if (!err)
		state_recover(BOOST_STATE);
	why = err ? "another one is under way" : objection(seconds);
	if (!why)
		return boost_for(seconds);
	log_say(LOG_INFO, "no boost: %s", why);
	return 0;
}
