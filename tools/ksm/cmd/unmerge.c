// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "knobs.h"
#include "progress.h"
#include "sample.h"
#include "unmerge.h"
#include "units.h"
#include "wait.h"

#define SHOW_MS	200

/**
 * ksm_unmerge_allowed() - is there enough memory to undo all merging?
 *
 * Return: KSM_EXIT_DONE, or KSM_EXIT_UNSAFE after saying what is lacking
 */
int ksm_unmerge_allowed(void)
{
	struct ksm_sample now;

	ksm_sample_read(&now, NULL);
	if (!(ksm_undo_short_bytes(&now) > 0))
		return KSM_EXIT_DONE;
	ksm_say("run=2 needs %s; there are %s of memory and %s of swap, which "
		"is %s short",
		ksm_size(ksm_saved_bytes(&now)).s,
		ksm_size(now.host.mem_available_bytes).s,
		ksm_size(now.host.swap_free_bytes).s,
		ksm_size(ksm_undo_short_bytes(&now)).s);
	return ksm_fail(KSM_EXIT_UNSAFE, "the kernel would have to kill "
			"programs: add swap, or run=0 to keep what is merged; "
			"--force does it nevertheless");
}

static void show_left(void)
{
	struct ksm_knobs knobs;
	struct ksm_sample now = { .host.page_bytes = sysconf(_SC_PAGESIZE) };

	if (!ksm_progress_seen())
		return;
	ksm_sysfs_read(&knobs, &now.counters);
	ksm_progress("unmerging: %s left", ksm_size(ksm_saved_bytes(&now)).s);
}

static pid_t start_writer(const struct ksm_knob *run)
{
	sigset_t none;
	pid_t pid;

	/* the parent may have it ignored: there would be no status then */
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (pid)
		return pid;
	/* the write is to be interrupted by Ctrl-C */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(-ksm_knob_write(run, KSM_RUN_UNMERGE));
}

static int error_of(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL ? -ENOMEM : -EINTR;
	return -WEXITSTATUS(status);
}

/**
 * ksm_unmerge() - write 2 to run, and show how far it is
 *
 * The write returns when all is done, so it is left to a child.  It is the
 * child, too, that the kernel kills first if memory runs out.
 *
 * Return: 0, or -errno; -EINTR if a signal came
 */
int ksm_unmerge(void)
{
	pid_t pid = start_writer(ksm_knob_find("run"));
	int status, signal;

	if (pid < 0)
		return -errno;
	while (!waitpid(pid, &status, WNOHANG)) {
		signal = ksm_wait_ms(SHOW_MS);
		if (signal)
			kill(pid, signal);
		show_left();
	}
	ksm_progress_end();
	return error_of(status);
}
