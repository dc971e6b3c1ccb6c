// SPDX-License-Identifier: GPL-2.0-only
/*
 * One frame as plain text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "root.h"
#include "top_options.h"
#include "top_session.h"

#define ROWS		24
#define COLUMNS		80
#define SIZE_MOST	2000

/* As shells set them; what makes no sense is as good as nothing. */
static int size_from(const char *name, int otherwise)
{
	const char *text = getenv(name);
	ksm_figure size = text ? ksm_parse_figure(text) : KSM_UNKNOWN;

	return size > 0 && size <= SIZE_MOST ? size : otherwise;
}

static void wait_ms(int64_t ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* What happens per second takes two readings; a directory does not change. */
static int read_twice(struct top_session *session,
		      const struct top_options *options)
{
	int err = top_session_begin(session, options->before);

	if (err && err != -ENOENT)
		return err;
	if (options->before)
		return top_session_update(session);
	if (err || *ksm_root())
		return err;
	wait_ms(options->delay_ms);
	return top_session_update(session);
}

static int print(struct top_session *session)
{
	int err = top_session_draw(session, size_from("LINES", ROWS),
				   size_from("COLUMNS", COLUMNS));

	if (!err)
		err = top_frame_write(&session->frame, stdout);
	if (err)
		return ksm_fail(KSM_EXIT_FAILED, "top: %s", strerror(-err));
	if (!top_view_fits(&session->frame))
		return KSM_EXIT_FAILED;
	return session->data.now.sums.unreadable > 0 ? KSM_EXIT_UNREADABLE :
						       KSM_EXIT_DONE;
}

/**
 * top_once() - print one frame
 * @options: what was asked for
 *
 * Return: exit code
 */
int top_once(const struct top_options *options)
{
	struct top_session session = {
		.ui.order = options->order,
		.frame.utf8 = top_use_utf8(options),
	};
	int err = read_twice(&session, options), code;

	if (!err || err == -ENOENT)
		code = print(&session);
	else
		code = ksm_fail_sysfs(err);
	top_session_end(&session);
	return err == -ENOENT && !code ? KSM_EXIT_NO_KSM : code;
}
