// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run: guests come by one of the protocols until there are enough or the
 * host is full; some time later all answer; all have to stay for a time without
 * pressure; all answer once more.
 *
 * A guest lost, or a wrong answer, ends the run.
 */
#include <unistd.h>

#include "density.h"

/* How often to look whether something happened, and to say how it is. */
#define LOOK_US		(50 * 1000)
#define SAMPLE_S	1.0

/*
 * When a guest is not even started, though arrivals do not wait: all tasks
 * stood still for a tenth of the time since the last one, or there is not even
 * swap for what a QEMU takes at once.  What comes after that tells nothing: the
 * next process is killed for want of memory.
 */
#define FULL_SHARE	0.1
#define FULL_KIB	(32 * 1024)

static double next_sample;

static void emit_state(void)
{
	emit_sample(fleet_size() - fleet_booting(), fleet_lost());
}

/* Looks at what happened; true as long as all is well. */
static bool look(void)
{
	double now = now_s();
	bool sample = now >= next_sample;

	fleet_look(sample);
	if (sample) {
		emit_state();
		next_sample = now + SAMPLE_S;
	}
	return !fleet_lost();
}

static bool wait_until(double end)
{
	double left;

	while ((left = end - now_s()) > 0) {
		usleep(left * 1e6 < LOOK_US ? left * 1e6 : LOOK_US);
		if (!look())
			return false;
	}
	return look();
}

static bool wait_booted(void)
{
	while (fleet_booting()) {
		usleep(LOOK_US);
		if (!look())
			return false;
	}
	return !fleet_lost();
}

static bool host_is_full(struct pressure *last)
{
	long swap_kib = file_field("/proc/meminfo", "SwapFree");
	struct pressure now;
	double share;

	pressure_read(&now);
	share = (now.full_us - last->full_us) / (options.gap_s * 1e6);
	*last = now;
	if (share < FULL_SHARE && available_kib() + swap_kib >= FULL_KIB)
		return false;
	emit("full", "\"psi_full\":%.4f,\"available_kib\":%ld,\"swap_free_kib\":%ld",
	     share, available_kib(), swap_kib);
	return true;
}

static bool arrivals(void)
{
	double start = now_s();
	struct pressure last;

	pressure_read(&last);
	for (int i = 0; i < options.limit; i++) {
		if (!wait_until(start + i * options.gap_s))
			return false;
		if (i && host_is_full(&last))
			break;
		fleet_start_guest(0);
	}
	return wait_booted();
}

/* Waits until a guest may be admitted; false when patience is at its end. */
static bool admitted(double *wait_s)
{
	double start = now_s();

	while (available_kib() < options.admit_kib) {
		*wait_s = now_s() - start;
		if (*wait_s > options.patience_s) {
			emit("full", "\"available_kib\":%ld", available_kib());
			return false;
		}
		if (!wait_until(now_s() + 1))
			return false;
	}
	*wait_s = now_s() - start;
	return true;
}

static bool admission(void)
{
	double wait_s;

	for (int i = 0; i < options.limit; i++) {
		if (!admitted(&wait_s))
			break;
		fleet_start_guest(wait_s);
		if (!wait_booted() || !wait_until(now_s() + options.gap_s))
			break;
	}
	return !fleet_lost();
}

static bool hold(void)
{
	struct pressure before, after;
	double start = now_s();
	bool all_well;

	pressure_read(&before);
	all_well = wait_until(start + options.hold_s);
	pressure_read(&after);
	emit("hold",
	     "\"seconds\":%.1f,\"psi_full_us\":%ld,\"swapped_out\":%ld",
	     now_s() - start, after.full_us - before.full_us,
	     after.swapped_out - before.swapped_out);
	return all_well;
}

/**
 * run() - do all of it
 *
 * Return: 0 if it came to its end, however that was
 */
int run(void)
{
	bool all_well;

	next_sample = now_s();
	all_well = wait_until(now_s() + options.offset_s);
	emit_meminfo("before the first guest");
	all_well = all_well &&
		   (options.protocol == ARRIVALS ? arrivals() : admission());
	emit("arrived", "\"guests\":%d,\"lost\":%d", fleet_size(),
	     fleet_lost());
	all_well = all_well && wait_until(now_s() + options.settle_s) &&
		   fleet_answer("settled") && hold() && fleet_answer("held");
	emit_state();
	emit_meminfo("at the end");
	emit_qemu_memory();
	emit("end", "\"guests\":%d,\"lost\":%d,\"all_well\":%s", fleet_size(),
	     fleet_lost(), all_well ? "true" : "false");
	fleet_kill();
	return 0;
}
