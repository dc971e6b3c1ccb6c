// SPDX-License-Identifier: GPL-2.0
/*
 * A round: processes are started, replaced when they end, and killed at times,
 * until the storm is over.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/knobs.h"
#include "../lib/proc.h"
#include "outside.h"
#include "process.h"
#include "round.h"
#include "world.h"

/* Milliseconds between two that are killed, on average */
#define KILL_MS		400

/* Of the process that runs the rounds */
static struct {
	uint64_t name;
	uint64_t started;	/* processes, which gives them their names */
	pid_t visitor, disturber;
	long sharing;		/* when last seen */
} now;

static pid_t start(void (*fn)(uint64_t), uint64_t name)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGALRM, SIG_DFL);
	fn(name);
	_exit(0);
}

static void start_root(void)
{
	struct torture_slot *s = torture_slot_take();
	pid_t pid;

	if (!s)
		return;
	s->name = torture_mix(now.name, now.started++);
	s->depth = 0;
	pid = fork();
	if (!pid)
		torture_process(s);
	if (pid < 0) {
		torture_fail("fork: %s\n", strerror(errno));
		torture_slot_put(s);
	} else {
		__atomic_store_n(&s->pid, pid, __ATOMIC_SEQ_CST);
	}
}

static struct torture_slot *slot_of(pid_t pid)
{
	size_t i;

	for (i = 0; i < TORTURE_SLOTS; i++)
		if (world->slot[i].taken && world->slot[i].pid == pid)
			return &world->slot[i];
	return NULL;
}

static void ended(pid_t pid, int status)
{
	struct torture_slot *s = slot_of(pid);
	bool killed = s && s->killed && WIFSIGNALED(status);

	if (pid == now.visitor)
		now.visitor = 0;
	if (pid == now.disturber)
		now.disturber = 0;
	if (status && !killed)
		torture_fail("process %d ends with status %#x\n", pid, status);
	if (s) {
		torture_slot_put(s);
		torture_slot_drop_unmade(pid);
	}
}

/* How many processes with pages there are */
static unsigned int reap(void)
{
	unsigned int n = 0;
	int status;
	size_t i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(pid, status);
	for (i = 0; i < TORTURE_SLOTS; i++)
		n += world->slot[i].taken != 0;
	return n;
}

static void kill_one(uint64_t r)
{
	struct torture_slot *s = &world->slot[r % TORTURE_SLOTS];

	if (!__atomic_load_n(&s->open, __ATOMIC_SEQ_CST))
		return;
	torture_slot_close(s);
	s->killed = 1;
	kill(s->pid, SIGKILL);
	world->tried[KIND_KILL]++;
	world->done[KIND_KILL]++;
}

static void watch(struct torture_report *r)
{
	long sharing = ksm_get("pages_sharing");

	if (sharing > now.sharing)
		r->effect[EFFECT_MERGES] += sharing - now.sharing;
	else
		r->effect[EFFECT_UNMERGES] += now.sharing - sharing;
	now.sharing = sharing;
}

static const struct {
	enum torture_effect effect;
	const char *name;
} counters[] = {
	{ EFFECT_COW, "cow_ksm" },
	{ EFFECT_SWAP_OUTS, "pswpout" },
	{ EFFECT_SWAP_INS, "pswpin" },
	{ EFFECT_KSM_SWAP_INS, "ksm_swpin_copy" },
	{ EFFECT_MIGRATIONS, "pgmigrate_success" },
	{ EFFECT_THP_SPLITS, "thp_split_page" },
};

/* What this counter has, times sign; those that the kernel lacks are 0. */
static void add_counters(struct torture_report *r, int sign)
{
	size_t i;
	long n;

	for (i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		n = ksm_vmstat(counters[i].name);
		if (n > 0)
			r->effect[counters[i].effect] += sign * n;
	}
}

static void storm(unsigned int ms, struct torture_report *r)
{
	uint64_t end = ksm_now_ms() + ms, next = ksm_now_ms() + KILL_MS, kills;
	unsigned int n;

	for (kills = 0; torture_storm() && ksm_now_ms() < end;) {
		for (n = reap(); n < TORTURE_ROOTS; n++)
			start_root();
		watch(r);
		if (ksm_now_ms() > next) {
			uint64_t x = torture_mix(now.name, ++kills);

			kill_one(x);
			next = ksm_now_ms() + (x >> 8) % (2 * KILL_MS);
		}
		ksm_sleep_ms(3);
	}
}

static bool outsiders_gone(void *arg)
{
	reap();
	return !now.visitor && !now.disturber;
}

static bool all_gone(void *arg)
{
	return !reap();
}

static void kill_all(void)
{
	struct torture_slot *s;

	for (s = world->slot; s < world->slot + TORTURE_SLOTS; s++)
		if (s->taken && s->pid > 0) {
			s->killed = 1;
			kill(s->pid, SIGKILL);
		}
}

/* After a failure the processes need not be able to end by themselves. */
static void end_all(void)
{
	__atomic_store_n(&world->phase, PHASE_END, __ATOMIC_SEQ_CST);
	if (!world->failed && !ksm_poll(all_gone, NULL, KSM_DEADLINE_MS))
		torture_fail("processes do not end\n");
	kill_all();
	if (!ksm_poll(all_gone, NULL, KSM_DEADLINE_MS))
		torture_fail("processes cannot be killed\n");
}

void torture_round(uint64_t nr, unsigned int storm_ms,
		   struct torture_report *r)
{
	uint64_t start_ms = ksm_now_ms();
	long before = torture_lru_pages();

	memset(&now, 0, sizeof(now));
	now.name = torture_mix(world->seed, nr);
	memset(world->slot, 0, sizeof(world->slot));
	add_counters(r, -1);
	__atomic_store_n(&world->phase, PHASE_STORM, __ATOMIC_SEQ_CST);
	ksm_write_text("pages_to_scan", "1000");
	ksm_run();
	now.visitor = start(torture_visitor, torture_mix(now.name, 1ULL << 32));
	now.disturber = start(torture_disturber,
			      torture_mix(now.name, 2ULL << 32));
	storm(storm_ms, r);
	__atomic_store_n(&world->phase, PHASE_REST, __ATOMIC_SEQ_CST);
	if (!ksm_poll(outsiders_gone, NULL, KSM_DEADLINE_MS))
		torture_fail("visitor %d or disturber %d does not end\n",
			     now.visitor, now.disturber);
	torture_rest();
	end_all();
	torture_after(before);
	add_counters(r, 1);
	r->roots += now.started;
	r->rounds++;
	r->ms += ksm_now_ms() - start_ms;
}
