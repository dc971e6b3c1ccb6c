/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measures the KSM of the kernel it runs on.
 *
 * The first process of the booted system is the controller: it turns the
 * knobs, reads ksmd's CPU time and writes down the figures.  The memory is
 * that of its children, the workers, who do what they are told through a pipe.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE		4096UL
#define PAGE_WORDS	(PAGE / sizeof(uint64_t))
#define MIB		(1UL << 20)
#define NSEC		1000000000ULL

/* --- content.c: what is in a page, made from a number --- */

uint64_t content_hash(uint64_t x);
void content_random(uint64_t *page, uint64_t id);
void content_near_twin(uint64_t *page, uint64_t id);
void content_sampled_twin(uint64_t *page, uint64_t id);

/* --- memory.c: the workers and their memory --- */

#define MAX_WORKERS	8
#define MAX_AREAS	4

/**
 * struct area - a range of memory that each worker has
 * @pages: how many pages in each worker
 * @stride: bytes from one page to the next, at least PAGE
 * @content: number of the content that the page with this role has in this
 *	worker; it has a new one for each generation if the page is rewritten
 *	or replaced.
 *	Roles are 0 to @pages - 1, dealt out to the pages at random.
 * @fill: makes the content from its number
 * @copies: roles below this have a like elsewhere
 * @rewritten: roles from this one on are rewritten by area_rewrite_start()
 */
struct area {
	unsigned long pages;
	unsigned long stride;
	uint64_t (*content)(const struct area *area, unsigned int worker,
			    unsigned long role, uint64_t generation);
	void (*fill)(uint64_t *page, uint64_t id);
	unsigned long copies;
	unsigned long rewritten;

	/* private: memory.c's own */
	char *base;
	uint32_t *roles;	/* [worker][page] */
	uint64_t *behind;	/* [worker][page], see area_write_behind() */
	uint32_t *replaced;	/* [worker][page], see area_replace() */
};

extern struct area areas[MAX_AREAS];
extern unsigned int nr_workers;	/* to be set before the first area_add() */

struct area *area_add(unsigned long mib);
void workers_start(bool notifier);
void area_fill(struct area *area);
void area_register(struct area *area);
void area_rewrite_start(struct area *area);
void area_rewrite_stop(void);
uint64_t area_rewritten_by(unsigned int worker);
uint64_t area_rewritten_pages(void);
uint64_t area_touch(struct area *area, unsigned long below);
void area_write_behind(struct area *area, unsigned long from, unsigned long to,
		       unsigned long role);
void area_replace(struct area *area, unsigned long from, unsigned long to,
		  unsigned long role);
void verify_all(void);
unsigned long pages_total(void);
unsigned long copies_total(void);

/* --- sets.c: sets of pages that several cases use --- */

struct area *set_unique(unsigned long mib);
struct area *set_mix(unsigned long mib);
struct area *set_production(unsigned long mib);

/* --- ksm.c: the knobs and the counters --- */

struct cost {
	uint64_t cpu_ns;
	uint64_t scans;
};

void ksm_open(void);
long ksm_get(const char *file);
void ksm_set(const char *file, long value);
bool ksm_is_stock(void);
void ksm_fast(void);
void ksm_smart(bool smart);
unsigned long ksm_mapped(void);
uint64_t ksmd_cpu_ns(void);
void wait_scans(unsigned long scans);
void wait_merged(unsigned long pages);
struct cost cost_of_scans(unsigned long scans, uint64_t least_ns);
uint64_t now_ns(void);
void sleep_ms(unsigned long ms);

/* --- output.c: one JSON object --- */

void out_text(const char *key, const char *value);
void out_number(const char *key, double value);
void out_value(const char *metric, double value);
void out_point(const char *series, double x, double y);
void out_write(void);
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* --- main.c --- */

extern unsigned int set_mib;	/* size of the set, where a case does not say */
double random_share(void);

/* --- table.c --- */

/**
 * struct bench_case - one boot
 * @name: as in CASE=
 * @run: what to do in it
 * @stock_smart: what smart_scan is on the base's kernel; ours has its default
 * @memory_mib: of the machine
 * @rounds: if not said otherwise
 * @qemu: on QEMU, with sets of this many MiB; else on UML
 */
struct bench_case {
	const char *name;
	void (*run)(const struct bench_case *self);
	bool stock_smart;
	unsigned int memory_mib;
	unsigned int rounds;
	unsigned int qemu;
};

const struct bench_case *case_find(const char *name);
void table_print(void);

/* What table.c lists */
void run_steady(const struct bench_case *self);
void run_drip(const struct bench_case *self);
void run_drip_1pct(const struct bench_case *self);
void run_drip_exit(const struct bench_case *self);
void run_rest(const struct bench_case *self);
void run_guests(const struct bench_case *self);
void run_guests_written(const struct bench_case *self);
void run_growth(const struct bench_case *self);
void run_cold_unique(const struct bench_case *self);
void run_cold_merge(const struct bench_case *self);
void run_near_twins(const struct bench_case *self);
void run_sampled_twins(const struct bench_case *self);
void run_production_mix(const struct bench_case *self);
void run_late_duplicate(const struct bench_case *self);
void run_late_duplicate_default(const struct bench_case *self);
void run_metadata(const struct bench_case *self);
void run_sparse(const struct bench_case *self);
void run_writer_slowdown(const struct bench_case *self);
void run_write_fault(const struct bench_case *self);
void run_unmerge(const struct bench_case *self);

#endif /* BENCH_H */
