/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many guests fit: what the files of the programs have in common that run
 * in the booted host.
 *
 *   main.c     options of the program that starts guests
 *   run.c      what happens, in which order
 *   fleet.c    the guests
 *   qemus.c    what their QEMUs take
 *   workers.c  the program that starts workers
 *   sample.c   what the kernel says
 *   events.c   lines of JSON, and what all of them are told
 *
 * They say what happens, in lines of JSON; whether that is good enough is for
 * scripts/density-report to judge.
 */
#ifndef KSM_DENSITY_H
#define KSM_DENSITY_H

#include "../guests/guests.h"

#define MAX_GUESTS	200
#define NR_FILES	2

enum protocol {
	ARRIVALS,	/* a guest comes every gap_s, whatever the state */
	ADMISSION,	/* a guest comes when admit_kib are available */
};

/**
 * struct options - what was asked for
 * @setup:	of all guests
 * @protocol:	when a guest comes
 * @gap_s:	between two arrivals, or from a guest's being ready to the next
 *		look at the available memory
 * @admit_kib:	must be available for a guest to be admitted
 * @patience_s:	how long a guest waits for that until the host is full
 * @limit:	no more guests than this
 * @offset_s:	to wait before the first guest
 * @settle_s:	to wait after the last guest
 * @hold_s:	how long all have to stay, from then on
 * @ready_s:	a guest that takes longer to boot is lost
 * @set_kib:	working set of each guest
 * @period_ms:	how often a guest writes a slice of it
 * @seed:	makes the working sets differ from those of other runs
 * @digest:	what the guests' files have to hash to
 */
struct options {
	struct guest_setup setup;
	enum protocol protocol;
	double gap_s;
	long admit_kib;
	double patience_s;
	int limit;
	double offset_s;
	double settle_s;
	double hold_s;
	double ready_s;
	int set_kib;
	int period_ms;
	int seed;
	const char *digest[NR_FILES];
};

extern struct options options;

/* events.c */
void open_events(void);
void __printf(2, 3) emit(const char *event, const char *fmt, ...);
double number(const char *text);
void set_knob(char *text);
void never_kill_me(void);

/* run.c */
int run(void);

/* fleet.c */
void fleet_start_guest(double wait_s);
void fleet_look(bool all);
bool fleet_answer(const char *when);
void fleet_kill(void);
int fleet_size(void);
int fleet_booting(void);
int fleet_lost(void);
pid_t fleet_pid(int i);

/* sample.c */
/* Since boot: time that all tasks stood still for want of memory; pages. */
struct pressure {
	long full_us;
	long swapped_out;
};

long available_kib(void);
void pressure_read(struct pressure *pressure);
void emit_sample(int up, int lost);
void emit_meminfo(const char *when);

/* qemus.c */
void emit_qemu_memory(void);

#endif
