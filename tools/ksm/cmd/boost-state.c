// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "boost-state.h"
#include "cmd.h"
#include "knobs.h"
#include "restore.h"
#include "root.h"

static json_t *object_of(const struct ksm_knobs *knobs)
{
	json_t *object = json_object();

	for (size_t i = 0; i < ksm_nr_knobs; i++) {
		const struct ksm_field *field = &ksm_knob_table[i].field;
		ksm_figure value = fig_get(knobs, field);

		if (fig_known(value))
			json_object_set_new(object, field->name,
					    json_integer(value));
	}
	return object;
}

static void parse_knobs(const json_t *object, struct ksm_knobs *knobs)
{
	for (size_t i = 0; i < ksm_nr_knobs; i++) {
		const struct ksm_field *field = &ksm_knob_table[i].field;
		const json_t *value = json_object_get(object, field->name);

		*fig_at(knobs, field) = json_is_integer(value) ?
					json_integer_value(value) : KSM_UNKNOWN;
	}
}

static int make_dir(void)
{
	char path[KSM_PATH_MAX];
	int err = ksm_root_path(path, sizeof(path), "/run");

	if (err)
		return err;
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	ksm_root_path(path, sizeof(path), "/run/ksm");
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

static int write_file(const char *path, const struct ksm_boost *boost)
{
	json_t *file = json_pack("{s:i,s:I,s:I,s:o,s:o}",
				 "pid", boost->pid,
				 "start_ticks", (json_int_t)boost->start_ticks,
				 "until_ms", (json_int_t)boost->until_ms,
				 "old", object_of(&boost->old),
				 "raised", object_of(&boost->raised));
	int err = 0;

	errno = 0;
	if (json_dump_file(file, path, JSON_INDENT(2)))
		err = errno ? -errno : -EIO;
	json_decref(file);
	return err;
}

/**
 * ksm_boost_save() - keep what a boost has to put back
 * @boost: the boost
 *
 * The file is complete from the beginning, and only one boost can have it.
 *
 * Return: 0, -EEXIST if there is a boost already, or another -errno
 */
int ksm_boost_save(const struct ksm_boost *boost)
{
	char path[KSM_PATH_MAX], own[KSM_PATH_MAX];
	int err = make_dir();

	if (err)
		return err;
	ksm_root_path(path, sizeof(path), KSM_BOOST_FILE);
	ksm_root_path(own, sizeof(own), KSM_BOOST_FILE ".%d", boost->pid);
	err = write_file(own, boost);
	if (!err && link(own, path))
		err = -errno;
	unlink(own);
	return err;
}

/**
 * ksm_boost_load() - what does a boost have to put back?
 * @boost: result
 *
 * Return: 0, -ENOENT if there is no boost, -EINVAL if the file is damaged, or
 *         another -errno
 */
int ksm_boost_load(struct ksm_boost *boost)
{
	FILE *file = ksm_root_open(KSM_BOOST_FILE);
	json_int_t start, until;
	json_t *old, *raised, *root;
	int err = 0;

	if (!file)
		return -errno;
	root = json_loadf(file, 0, NULL);
	fclose(file);
	if (!root || json_unpack(root, "{s:i,s:I,s:I,s:o,s:o}",
				 "pid", &boost->pid, "start_ticks", &start,
				 "until_ms", &until, "old", &old,
				 "raised", &raised)) {
		err = -EINVAL;
	} else {
		boost->start_ticks = start;
		boost->until_ms = until;
		parse_knobs(old, &boost->old);
		parse_knobs(raised, &boost->raised);
	}
	json_decref(root);
	return err;
}

/**
 * ksm_boost_started() - when was a process started?
 * @pid: the process; one of this machine, whatever --root is
 *
 * Return: ticks since boot, or KSM_UNKNOWN
 */
ksm_figure ksm_boost_started(int pid)
{
	char path[64], text[1024], *end;
	int64_t ticks;
	FILE *file;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return KSM_UNKNOWN;
	end = fgets(text, sizeof(text), file) ? strrchr(text, ')') : NULL;
	if (end)
		found = sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u "
			       "%*u %*u %*d %*d %*d %*d %*d %*d %*d %*d %"
			       SCNd64, &ticks);
	fclose(file);
	return found == 1 ? ticks : KSM_UNKNOWN;
}

/**
 * ksm_boost_lives() - is the process still there that is to end it?
 * @boost: the boost
 *
 * Return: true if it is
 */
bool ksm_boost_lives(const struct ksm_boost *boost)
{
	ksm_figure ticks = ksm_boost_started(boost->pid);

	return fig_known(ticks) && ticks == boost->start_ticks;
}

/**
 * ksm_boost_undo() - put back what a boost has set
 * @boost: the boost
 *
 * What somebody has changed since then is left as it is.
 *
 * Return: 0, or -errno
 */
int ksm_boost_undo(const struct ksm_boost *boost)
{
	ksm_knob_set ours = 0;

	for (size_t i = 0; i < ksm_nr_knobs; i++) {
		const struct ksm_knob *knob = &ksm_knob_table[i];
		ksm_figure raised = fig_get(&boost->raised, &knob->field);

		if (fig_known(raised) && ksm_knob_read(knob) == raised)
			ours |= ksm_knob_bit(knob);
	}
	return ksm_knobs_restore(&boost->old, ours);
}

/* The boost is over. */
int ksm_boost_forget(void)
{
	char path[KSM_PATH_MAX];

	ksm_root_path(path, sizeof(path), KSM_BOOST_FILE);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

static void time_of(char *text, size_t size, int64_t time_ms)
{
	time_t seconds = time_ms / 1000;
	struct tm local;

	localtime_r(&seconds, &local);
	strftime(text, size, "%H:%M:%S", &local);
}

/**
 * ksm_boost_tell() - say that there is a boost, if there is one
 *
 * Return: 1 if it runs, -1 if it was killed, 0 if there is none
 */
int ksm_boost_tell(void)
{
	struct ksm_boost boost;
	char until[16];
	int err = ksm_boost_load(&boost);

	if (err == -ENOENT)
		return 0;
	if (!err && ksm_boost_lives(&boost)) {
		time_of(until, sizeof(until), boost.until_ms);
		ksm_say("a boost runs until %s (PID %d) and sets knobs back "
			"then; to end it now: ksm boost --stop", until,
			boost.pid);
		return 1;
	}
	ksm_say("a boost was killed, and what it has set is still there; to "
		"undo it: ksm boost --stop");
	return -1;
}
