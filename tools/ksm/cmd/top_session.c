// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "root.h"
#include "top_session.h"

static int read_other_root(struct top_reader *reader, const char *dir)
{
	char root[KSM_PATH_MAX];
	int err;

	strcpy(root, ksm_root());
	if (ksm_root_set(dir))
		return -ENAMETOOLONG;
	err = top_read(reader);
	ksm_root_set(root);
	return err;
}

/* Without what others have kept the charts begin empty, that is all. */
static int begin_data(struct top_data *data, const struct top_reader *reader)
{
	int64_t now = reader->sample.time_ms;
	struct ksm_history history;
	int err;

	ksm_history_read(KSM_HISTORY_DIR, now - TOP_SPAN_MS, now, &history);
	err = top_data_begin(data, &history);
	ksm_history_free(&history);
	if (err)
		return err;
	return top_data_update(data, &reader->sample, &reader->members);
}

/**
 * top_session_begin() - read for the first time
 * @session: all 0 but for what the user wants; for top_session_end(), also
 *	     after an error
 * @before:  root directory of the first reading, if that is another; or NULL
 *
 * Return: 0, or -errno; -ENOENT if there is no KSM, which can be shown
 */
int top_session_begin(struct top_session *session, const char *before)
{
	struct top_reader *reader = &session->reader;
	int err, memory;

	err = before ? read_other_root(reader, before) : top_read(reader);
	if (err && err != -ENOENT)
		return err;
	memory = begin_data(&session->data, reader);
	/* what is open there is of no use any more */
	if (before)
		top_reader_free(reader);
	return memory ? memory : err;
}

/**
 * top_session_update() - read again
 * @session: what was known
 *
 * Return: 0, or -errno; -ENOENT if there is no KSM, which can be shown
 */
int top_session_update(struct top_session *session)
{
	struct top_reader *reader = &session->reader;
	int err = top_read(reader), memory;

	if (err && err != -ENOENT)
		return err;
	/* in a directory time stands still */
	if (reader->sample.boottime_ms == session->data.now.boottime_ms)
		return err;
	memory = top_data_update(&session->data, &reader->sample,
				 &reader->members);
	return memory ? memory : err;
}

/**
 * top_session_draw() - draw a frame
 * @session: what is known; the result is in @session->frame
 * @rows:    height of the window
 * @columns: its width
 *
 * Return: 0, or -ENOMEM
 */
int top_session_draw(struct top_session *session, int rows, int columns)
{
	struct top_frame *frame = &session->frame;
	int err;

	top_table_free(&session->table);
	err = top_table_make(&session->table, &session->data,
			     &session->ui.order);
	if (!err && (frame->rows != rows || frame->columns != columns))
		err = top_frame_resize(frame, rows, columns);
	if (!err)
		top_view(frame, &session->ui, &session->data, &session->table);
	return err;
}

/* Give everything back. */
void top_session_end(struct top_session *session)
{
	top_reader_free(&session->reader);
	top_data_free(&session->data);
	top_table_free(&session->table);
	top_text_clear(&session->ui.text);
	top_frame_free(&session->frame);
}
