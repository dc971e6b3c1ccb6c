// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live display: waits for keys, for time to pass, and for ksm explain.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "root.h"
#include "top_child.h"
#include "top_options.h"
#include "top_pages.h"
#include "top_screen.h"
#include "top_session.h"

static volatile sig_atomic_t told_to_end;

static void end(int signal)
{
	(void)signal;
	told_to_end = 1;
}

/* The terminal has to be given back; poll() returns after a signal. */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = end };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/**
 * struct live - the display
 * @session:  what is known and shown
 * @child:    ksm explain, if it runs
 * @explained: about which process
 * @delay_ms: between two updates
 * @next_ms:  when the next one is due
 * @quit:     whether the user has enough
 */
struct live {
	struct top_session session;
	struct top_child child;
	int explained;
	int64_t delay_ms;
	int64_t next_ms;
	bool quit;
};

static int draw(struct live *live)
{
	int rows, columns, err;

	top_screen_size(&rows, &columns);
	err = top_session_draw(&live->session, rows, columns);
	if (!err)
		top_screen_draw(&live->session.frame);
	return err;
}

static int update(struct live *live)
{
	live->next_ms = now_ms() + live->delay_ms;
	return top_session_update(&live->session);
}

static const struct ksm_member *selected(const struct top_session *session)
{
	const struct top_row *row =
		&session->table.rows[session->ui.selected];

	return &row->process->member;
}

static void show_help(struct top_ui *ui)
{
	top_text_clear(&ui->text);
	if (!top_page_help(&ui->text))
		top_ui_show_text(ui);
}

static void show_maps(struct top_session *session)
{
	const struct ksm_member *member = selected(session);
	struct top_ui *ui = &session->ui;
	int err;

	top_text_clear(&ui->text);
	err = top_page_maps(&ui->text, member->pid, member->comm);
	if (err)
		snprintf(ui->message, sizeof(ui->message),
			 "cannot read the mappings of %d: %s", member->pid,
			 strerror(-err));
	else
		top_ui_show_text(ui);
}

static void explain(struct live *live)
{
	struct top_ui *ui = &live->session.ui;
	char root[KSM_PATH_MAX], pid[16];
	char *argv[] = { "ksm", "--root", root, "explain", pid, NULL };
	int err;

	top_child_stop(&live->child);
	strcpy(root, ksm_root());
	live->explained = selected(&live->session)->pid;
	snprintf(pid, sizeof(pid), "%d", live->explained);
	err = top_child_start(&live->child, argv, live->session.frame.columns);
	if (err)
		snprintf(ui->message, sizeof(ui->message), "ksm explain: %s",
			 strerror(-err));
	else
		snprintf(ui->message, sizeof(ui->message),
			 "ksm explain %s ...", pid);
}

/* Show what it has said, also if that is what went wrong. */
static void explained(struct live *live)
{
	struct top_ui *ui = &live->session.ui;
	int status = live->child.status;

	top_text_clear(&ui->text);
	snprintf(ui->text.title, sizeof(ui->text.title), "ksm explain %d",
		 live->explained);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		snprintf(ui->text.head, sizeof(ui->text.head), "it failed (%d)",
			 WIFEXITED(status) ? WEXITSTATUS(status) :
					     128 + WTERMSIG(status));
	if (live->child.text && top_text_split(&ui->text, live->child.text))
		return;
	ui->message[0] = '\0';
	top_ui_show_text(ui);
	top_child_stop(&live->child);
}

static void handle_key(struct live *live, unsigned int key)
{
	struct top_session *session = &live->session;

	switch (top_key(&session->ui, &session->table, key)) {
	case TOP_SHOW_HELP:
		show_help(&session->ui);
		break;
	case TOP_SHOW_MAPS:
		show_maps(session);
		break;
	case TOP_EXPLAIN:
		explain(live);
		break;
	case TOP_QUIT:
		live->quit = true;
		break;
	case TOP_NOTHING:
		break;
	}
}

/* Each key sees what the one before has done to the table. */
static int handle_keys(struct live *live)
{
	unsigned int key;
	int err = 0;

	while (!err && !live->quit && (key = top_screen_key())) {
		handle_key(live, key);
		err = draw(live);
	}
	return err;
}

static int wait_for_something(struct live *live)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = live->child.pid ? live->child.fd : -1,
		  .events = POLLIN },
	};
	int64_t left = live->next_ms - now_ms();

	if (poll(fds, 2, left > 0 ? left : 0) < 0 && errno != EINTR)
		return -errno;
	/* the terminal is gone */
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		live->quit = true;
	if (fds[1].revents && !top_child_read(&live->child))
		explained(live);
	return handle_keys(live);
}

static int step(struct live *live)
{
	int err = wait_for_something(live);

	if (err || live->quit || now_ms() < live->next_ms)
		return err ? err : draw(live);
	err = update(live);
	return err ? err : draw(live);
}

static int run(struct live *live)
{
	int err = draw(live);

	while (!err && !live->quit && !told_to_end)
		err = step(live);
	return err;
}

static int run_on_screen(struct live *live)
{
	int err = top_screen_begin();

	if (err)
		return ksm_fail(KSM_EXIT_USAGE, "top: this is no terminal, or "
				"TERM is wrong; --once prints a frame");
	catch_signals();
	err = run(live);
	top_screen_end();
	top_child_stop(&live->child);
	if (err)
		return ksm_fail_sysfs(err);
	return KSM_EXIT_DONE;
}

/**
 * top_live() - show it, until the user has enough
 * @options: what was asked for
 *
 * Return: exit code
 */
int top_live(const struct top_options *options)
{
	struct live live = {
		.session.ui.order = options->order,
		.session.frame.utf8 = top_use_utf8(options),
		.delay_ms = options->delay_ms,
	};
	int err = top_session_begin(&live.session, options->before), code;

	live.next_ms = now_ms() + live.delay_ms;
	code = err ? ksm_fail_sysfs(err) : run_on_screen(&live);
	top_session_end(&live.session);
	return code;
}
