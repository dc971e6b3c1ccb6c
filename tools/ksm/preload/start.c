// SPDX-License-Identifier: GPL-2.0-only
/*
 * From when to when blocks are registered.
 *
 * The first block that could be big starts it, or our constructor, whichever
 * is first: static initialisers of other libraries may run before ours.  Only
 * the environment has to be there.
 *
 * It ends when registering makes no sense (no KSM) or could do harm.  From
 * then on every call is passed through.
 */
#include <errno.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "preload.h"

size_t ksmp_over;

/* Set before ksmp_over, and read by those only who have seen that it is. */
static size_t page_bytes;
static enum ksmp_level level;
static bool begun;

/**
 * ksmp_page() - the size of a page
 *
 * Return: bytes; only after ksmp_start()
 */
size_t ksmp_page(void)
{
	return page_bytes;
}

static void set_over(size_t over)
{
	__atomic_store_n(&ksmp_over, over, __ATOMIC_RELEASE);
}

/* What is less than a page can have no page. */
static size_t over_of(size_t threshold)
{
	return threshold < page_bytes ? page_bytes - 1 : threshold;
}

static void begin(void)
{
	struct ksmp_settings set;

	page_bytes = getauxval(AT_PAGESZ);
	/*
	 * In a setuid program we can be only by /etc/ld.so.preload.  Its
	 * memory is not to be had by asking for it in the environment of
	 * somebody else.
	 */
	if (getauxval(AT_SECURE)) {
		set_over(SIZE_MAX);
		return;
	}
	set = ksmp_settings_read();
	level = set.level;
	set_over(over_of(set.threshold));
}

/**
 * ksmp_start() - read the settings, if that has not been done
 *
 * Whoever comes while another thread is at it does not wait; its block is just
 * not registered.
 *
 * Return: whether ksmp_over is known
 */
bool ksmp_start(void)
{
	int saved = errno;

	if (__atomic_load_n(&ksmp_over, __ATOMIC_ACQUIRE))
		return true;
	if (!environ || __atomic_exchange_n(&begun, true, __ATOMIC_ACQ_REL))
		return false;
	begin();
	errno = saved;
	return true;
}

/**
 * ksmp_stop() - register nothing any more
 */
void ksmp_stop(void)
{
	set_over(SIZE_MAX);
}

/**
 * ksmp_register() - offer pages to KSM
 * @extent: which
 */
void ksmp_register(struct ksmp_extent extent)
{
	if (ksmp_merge(extent) != KSMP_MERGE_NEVER)
		return;
	ksmp_stop();
	if (level >= KSMP_SUMMARY)
		ksmp_say("PID %ld: the kernel refuses: nothing is registered",
			 (long)getpid());
}

__attribute__((constructor)) static void at_start(void)
{
	ksmp_next_find();
	ksmp_start();
}

__attribute__((destructor)) static void at_exit(void)
{
	struct ksmp_sum sum = ksmp_merge_sum();

	if (level >= KSMP_SUMMARY)
		ksmp_say("PID %ld (%s): registered %lu blocks, %llu KiB in all",
			 (long)getpid(), program_invocation_short_name,
			 sum.blocks, sum.bytes / 1024);
}
