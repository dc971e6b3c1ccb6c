// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "wait.h"

static sigset_t ends;

/**
 * ksm_wait_init() - from now on signals end a wait, and not the program
 *
 * Those are SIGINT, SIGTERM and SIGHUP.  They are blocked, so that none is lost
 * between two waits.
 */
void ksm_wait_init(void)
{
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
}

/* Time since boot, with the time that the machine was suspended. */
int64_t ksm_boottime_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/**
 * ksm_wait_until() - wait
 * @boottime_ms: until this time since boot
 *
 * Return: 0, or the signal that came
 */
int ksm_wait_until(int64_t boottime_ms)
{
	struct timespec timeout;
	int64_t left;
	int signal;

	do {
		left = boottime_ms - ksm_boottime_ms();
		if (left < 0)
			left = 0;
		timeout.tv_sec = left / 1000;
		timeout.tv_nsec = left % 1000 * 1000000;
		signal = sigtimedwait(&ends, NULL, &timeout);
		/* a debugger, or a stop and SIGCONT */
	} while (signal < 0 && errno == EINTR);
	return signal < 0 ? 0 : signal;
}

/**
 * ksm_wait_next() - when it is time again
 * @last:     when it was last, since boot
 * @interval: how often, in ms
 *
 * Return: the next moment since boot.  Those that were missed, as while the
 *         machine was suspended, are not made up for
 */
int64_t ksm_wait_next(int64_t last, int64_t interval)
{
	int64_t next = last + interval, now = ksm_boottime_ms();

	return next > now ? next : now;
}

/**
 * ksm_wait_ms() - wait
 * @ms: for so long
 *
 * Return: 0, or the signal that came
 */
int ksm_wait_ms(int64_t ms)
{
	return ksm_wait_until(ksm_boottime_ms() + ms);
}
