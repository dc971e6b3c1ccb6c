// SPDX-License-Identifier: GPL-2.0-only
#define NCURSES_WIDECHAR 1
#include <errno.h>
#include <ncurses.h>
#include <stdlib.h>
#include <unistd.h>

#include "top_keys.h"
#include "top_screen.h"

/* Everything can be told apart in black and white, too. */
static const struct {
	attr_t mono;
	attr_t colour;
	short front;
	short back;
} looks[TOP_NR_STYLES] = {
	[TOP_PLAIN] = { A_NORMAL, A_NORMAL, -1, -1 },
	[TOP_BOLD] = { A_BOLD, A_BOLD, -1, -1 },
	[TOP_DIM] = { A_DIM, A_DIM, -1, -1 },
	[TOP_BAR] = { A_BOLD, A_BOLD, -1, -1 },
	[TOP_HEAD] = { A_REVERSE, A_REVERSE, -1, -1 },
	[TOP_HEAD_SORT] = { A_REVERSE | A_BOLD | A_UNDERLINE,
			    A_REVERSE | A_BOLD | A_UNDERLINE, -1, -1 },
	[TOP_SELECTED] = { A_REVERSE, A_NORMAL, COLOR_BLACK, COLOR_CYAN },
	[TOP_GOOD] = { A_BOLD, A_BOLD, COLOR_GREEN, -1 },
	[TOP_WARN] = { A_UNDERLINE, A_NORMAL, COLOR_YELLOW, -1 },
	[TOP_BAD] = { A_BOLD | A_UNDERLINE, A_BOLD, COLOR_RED, -1 },
	[TOP_GAIN] = { A_NORMAL, A_NORMAL, COLOR_GREEN, -1 },
	[TOP_CPU] = { A_NORMAL, A_NORMAL, COLOR_CYAN, -1 },
};

static bool coloured;

static void begin_colours(void)
{
	const char *no_color = getenv("NO_COLOR");

	coloured = has_colors() && !(no_color && *no_color) &&
		   start_color() == OK && use_default_colors() == OK;
	if (!coloured)
		return;
	for (short i = 0; i < TOP_NR_STYLES; i++)
		init_pair(i + 1, looks[i].front, looks[i].back);
}

/**
 * top_screen_begin() - take the terminal
 *
 * Return: 0, or -ENOTTY if standard input and output are no terminal that
 *         ncurses can use
 */
int top_screen_begin(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    !newterm(NULL, stdout, stdin))
		return -ENOTTY;
	cbreak();
	noecho();
	nonl();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	/* Esc alone should not take a second */
	set_escdelay(50);
	begin_colours();
	return 0;
}

/* Give the terminal back as it was. */
void top_screen_end(void)
{
	endwin();
}

/**
 * top_screen_size() - how large the window is now
 * @rows:    its height
 * @columns: its width
 */
void top_screen_size(int *rows, int *columns)
{
	getmaxyx(stdscr, *rows, *columns);
}

static void draw_cell(int row, int column, const struct top_cell *cell)
{
	attr_t attributes = coloured ? looks[cell->style].colour :
				       looks[cell->style].mono;
	wchar_t text[2] = { cell->ch, L'\0' };
	cchar_t ch;

	setcchar(&ch, text, attributes, coloured ? cell->style + 1 : 0, NULL);
	mvadd_wch(row, column, &ch);
}

/* Show a frame; what changed since the last one goes to the terminal. */
void top_screen_draw(const struct top_frame *frame)
{
	for (int row = 0; row < frame->rows; row++)
		for (int column = 0; column < frame->columns; column++)
			draw_cell(row, column,
				  top_cell_at(frame, row, column));
	refresh();
}

static unsigned int special_key(wint_t key)
{
	switch (key) {
	case KEY_UP:
		return TOP_KEY_UP;
	case KEY_DOWN:
		return TOP_KEY_DOWN;
	case KEY_PPAGE:
		return TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TOP_KEY_HOME;
	case KEY_END:
		return TOP_KEY_END;
	case KEY_ENTER:
		return TOP_KEY_ENTER;
	case KEY_BACKSPACE:
		return TOP_KEY_BACKSPACE;
	default:
		return TOP_KEY_OTHER;
	}
}

static unsigned int character(wint_t key)
{
	switch (key) {
	case '\r':
	case '\n':
		return TOP_KEY_ENTER;
	case 0x1b:
		return TOP_KEY_ESCAPE;
	case '\b':
	case 0x7f:
		return TOP_KEY_BACKSPACE;
	case 0x0c:	/* ^L: something was written into the window */
		clearok(curscr, TRUE);
		return TOP_KEY_OTHER;
	default:
		return key;
	}
}

/**
 * top_screen_key() - a key that was pressed
 *
 * Return: as top_key() takes it; TOP_KEY_OTHER also if the size of the window
 *         has changed; 0 if there is none
 */
unsigned int top_screen_key(void)
{
	wint_t key;

	switch (get_wch(&key)) {
	case KEY_CODE_YES:
		return special_key(key);
	case OK:
		return character(key);
	default:
		return 0;
	}
}
