/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that ksm top has in its hands.
 */
#ifndef KSM_TOP_SESSION_H
#define KSM_TOP_SESSION_H

#include "top_read.h"
#include "top_view.h"

/**
 * struct top_session - from what is read to what is seen
 * @reader: reads
 * @data:   keeps what was read
 * @ui:	    what the user wants to see of it
 * @table:  the processes, as wanted
 * @frame:  the screen
 */
struct top_session {
	struct top_reader reader;
	struct top_data data;
	struct top_ui ui;
	struct top_table table;
	struct top_frame frame;
};

int top_session_begin(struct top_session *session, const char *before);
int top_session_update(struct top_session *session);
int top_session_draw(struct top_session *session, int rows, int columns);
void top_session_end(struct top_session *session);

#endif
