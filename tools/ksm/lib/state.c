// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "knobs.h"
#include "root.h"
#include "say.h"
#include "state.h"

static const char *const names[STATE_NR] = {
	[STATE_PAGES_TO_SCAN] = "pages_to_scan",
	[STATE_SLEEP_MILLISECS] = "sleep_millisecs",
	[STATE_ADVISOR_MODE] = "advisor_mode",
	[STATE_RUN] = "run",
};

/* The file's name of a knob. */
const char *state_knob_name(enum state_knob which)
{
	return names[which];
}

/* What a knob is, without what says that memory is being taken offline. */
ksm_figure state_knob_read(enum state_knob which)
{
	ksm_figure value = ksm_knob_read(ksm_knob_find(names[which]));

	if (which == STATE_RUN && fig_known(value))
		value &= KSM_RUN_MASK;
	return value;
}

/**
 * state_knob_set() - write a knob, where it is something new
 * @which: the knob
 * @value: the value, or KSM_UNKNOWN for none
 *
 * Return: 0, or -errno as the kernel has it
 */
int state_knob_set(enum state_knob which, ksm_figure value)
{
	ksm_figure now = state_knob_read(which);

	if (!fig_known(value) || !fig_known(now) || now == value)
		return 0;
	return ksm_knob_write(ksm_knob_find(names[which]), value);
}

/**
 * state_find() - note what there is
 * @state: result
 * @path:  file that is to keep it; it is not written yet
 */
void state_find(struct state *state, const char *path)
{
	state->path = path;
	state->until_ms = KSM_UNKNOWN;
	for (int i = 0; i < STATE_NR; i++) {
		struct state_values *values = &state->knob[i];

		values->found = state_knob_read(i);
		values->before = values->found;
		values->set = KSM_UNKNOWN;
	}
}

/**
 * state_plan() - note what is to be written
 * @state: what is known
 * @which: the knob
 * @value: the value, or KSM_UNKNOWN for none
 *
 * What another program wrote since counts as found from now on.
 *
 * Return: whether state_save() and state_write() are needed: not if the knob
 * has this value, or this kernel has no such knob
 */
bool state_plan(struct state *state, enum state_knob which, ksm_figure value)
{
	struct state_values *values = &state->knob[which];
	ksm_figure now = state_knob_read(which);

	if (!fig_known(value) || !fig_known(now))
		return false;
	if (now != values->before && now != values->set)
		values->found = now;
	if (now == value)
		return false;
	values->before = now;
	values->set = value;
	return true;
}

static int print(const struct state *state, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
				O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int err = 0;

	if (!file)
		return -errno;
	for (int i = 0; i < STATE_NR; i++)
		fprintf(file, "%s %" PRId64 " %" PRId64 " %" PRId64 "\n",
			names[i], state->knob[i].found, state->knob[i].before,
			state->knob[i].set);
	if (fig_known(state->until_ms))
		fprintf(file, "until %" PRId64 "\n", state->until_ms);
	err = ferror(file) ? -EIO : 0;
	return fclose(file) ? -errno : err;
}

/**
 * state_save() - keep what is known in its file
 * @state: what is known
 *
 * Return: 0, or -errno; then the file is as it was
 */
int state_save(const struct state *state)
{
	char path[KSM_PATH_MAX], new[KSM_PATH_MAX];
	int err = ksm_root_path(path, sizeof(path), "%s", state->path);

	if (!err)
		err = ksm_root_path(new, sizeof(new), "%s.new", state->path);
	if (err)
		return err;
	/* left over from a kill */
	unlink(new);
	err = print(state, new);
	if (!err && rename(new, path))
		err = -errno;
	if (err)
		unlink(new);
	return err;
}

/**
 * state_write() - write what was planned
 * @state: what is known, saved
 * @which: the knob
 *
 * Return: 0, or -errno as the kernel has it
 */
int state_write(const struct state *state, enum state_knob which)
{
	return ksm_knob_write(ksm_knob_find(names[which]),
			      state->knob[which].set);
}

static int parse_line(struct state *state, const char *line)
{
	struct state_values values;
	char name[32];

	if (sscanf(line, "until %" SCNd64, &state->until_ms) == 1)
		return 0;
	if (sscanf(line, "%31s %" SCNd64 " %" SCNd64 " %" SCNd64, name,
		   &values.found, &values.before, &values.set) != 4)
		return -EINVAL;
	for (int i = 0; i < STATE_NR; i++) {
		if (strcmp(names[i], name))
			continue;
		state->knob[i] = values;
		return 0;
	}
	return -EINVAL;
}

/**
 * state_load() - read the file
 * @state: result; a knob that is not in it was not written
 * @path:  the file
 *
 * Return: 0; -ENOENT if there is none, or another -errno
 */
int state_load(struct state *state, const char *path)
{
	FILE *file = ksm_root_open("%s", path);
	char line[160];
	int err = 0;

	if (!file)
		return -errno;
	state->path = path;
	state->until_ms = KSM_UNKNOWN;
	for (int i = 0; i < STATE_NR; i++)
		state->knob[i] = (struct state_values){
			KSM_UNKNOWN, KSM_UNKNOWN, KSM_UNKNOWN };
	while (!err && fgets(line, sizeof(line), file))
		err = parse_line(state, line);
	fclose(file);
	return err;
}

static int put_back(const struct state_values *values, enum state_knob which)
{
	ksm_figure now = state_knob_read(which), value = values->found;
	int err;

	if (!fig_known(values->set) || !fig_known(value))
		return 0;
	/* The advisor was switched on: the pace is its own now. */
	if (which == STATE_PAGES_TO_SCAN &&
	    state_knob_read(STATE_ADVISOR_MODE) == KSM_ADVISOR_SCAN_TIME)
		return 0;
	/* Unmerging is not what the end of a program asks for. */
	if (which == STATE_RUN && value != KSM_RUN_MERGE)
		value = KSM_RUN_STOP;
	if (now == values->found || now == value)
		return 0;
	if (now != values->set && now != values->before) {
		log_say(LOG_INFO, "%s is left at %" PRId64 ": another program wrote it",
			names[which], fig_or_zero(now));
		return 0;
	}
	err = ksm_knob_write(ksm_knob_find(names[which]), value);
	log_say(err ? LOG_ERR : LOG_INFO, "%s restored: %" PRId64 " -> %" PRId64 "%s%s",
		names[which], now, value, err ? ": " : "",
		err ? strerror(-err) : "");
	return err;
}

static int remove_file(const char *name)
{
	char path[KSM_PATH_MAX];
	int err = ksm_root_path(path, sizeof(path), "%s", name);

	return err ? err : unlink(path) && errno != ENOENT ? -errno : 0;
}

/**
 * state_restore() - put back what was found, and remove the file
 * @state: what is known
 *
 * Values that another program wrote meanwhile stay.  run becomes 0 or 1 only.
 * If something cannot be put back, the file stays, to try again.
 *
 * Return: 0, or -errno
 */
int state_restore(const struct state *state)
{
	int first = 0;

	for (int i = 0; i < STATE_NR; i++) {
		int err = put_back(&state->knob[i], i);

		first = first ? first : err;
	}
	return first ? first : remove_file(state->path);
}

/**
 * state_recover() - put back what a program found that was killed
 * @path: the file that was left
 *
 * Return: 0, also if there is no such file; or -errno
 */
int state_recover(const char *path)
{
	struct state state;
	int err = state_load(&state, path);

	if (err == -ENOENT)
		return 0;
	if (!err)
		return state_restore(&state);
	log_say(LOG_ERR, "%s: of no use, removed: %s", path, strerror(-err));
	remove_file(path);
	return err;
}
