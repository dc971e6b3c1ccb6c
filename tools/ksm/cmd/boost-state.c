// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <unistd.h>

#include "boost-state.h"
#include "cmd.h"
#include "root.h"
#include "single.h"
#include "state.h"
#include "when.h"

/**
 * ksm_boost_is_kept() - is there still something to put back?
 *
 * Return: false as well if another program has put it back
 */
bool ksm_boost_is_kept(void)
{
	char path[KSM_PATH_MAX];

	return !ksm_root_path(path, sizeof(path), BOOST_STATE) &&
	       !access(path, F_OK);
}

/**
 * ksm_boost_tell() - say that there is a boost, if there is one
 *
 * Return: 1 if it runs, -1 if it was killed, 0 if there is none
 */
int ksm_boost_tell(void)
{
	pid_t pid = single_holder(BOOST_LOCK);
	struct state state;

	if (pid > 0) {
		if (state_load(&state, BOOST_STATE))
			state.until_ms = KSM_UNKNOWN;
		ksm_say("a boost runs until %s (PID %d) and sets knobs back "
			"then; to end it now: ksm boost --stop",
			ksm_time(state.until_ms, "%H:%M:%S").s, pid);
		return 1;
	}
	if (!ksm_boost_is_kept())
		return 0;
	ksm_say("a boost was killed, and what it has set is still there; to "
		"undo it: ksm boost --stop");
	return -1;
}
