// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the logic of KSM finds around it in user space, and the program that
 * runs the suites.
 */
#include <stdarg.h>

#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/sched/clock.h>
#include <linux/vmalloc.h>

#include "internal.h"
#include "testing.h"

unsigned long jiffies = 1000;
u64 shim_clock_tick;
long shim_alloc_budget = -1;
unsigned long shim_alloc_failures;
long shim_objects;

u64 local_clock(void)
{
	static u64 now;

	return now += shim_clock_tick;
}

/* --- memory ------------------------------------------------------------ */

struct kmem_cache {
	size_t size;
};

static bool may_allocate(void)
{
	if (shim_alloc_budget < 0)
		return true;
	if (!shim_alloc_budget) {
		shim_alloc_failures++;
		return false;
	}
	shim_alloc_budget--;
	return true;
}

static void *must(void *memory)
{
	if (!memory) {
		printf("Bail out! out of memory\n");
		exit(1);
	}
	return memory;
}

/* As much as any object here asks for */
#define OBJECT_ALIGN	64

static void *zeroed(size_t size)
{
	void *object;

	size += -size % OBJECT_ALIGN;
	object = must(aligned_alloc(OBJECT_ALIGN, size));
	return memset(object, 0, size);
}

struct kmem_cache *shim_cache(size_t size, unsigned int flags)
{
	static struct kmem_cache caches[8];
	static unsigned int nr;

	assert(nr < ARRAY_SIZE(caches));
	caches[nr].size = size;
	return &caches[nr++];
}

void *kmem_cache_zalloc(struct kmem_cache *cache, unsigned int gfp)
{
	if (!may_allocate())
		return NULL;
	shim_objects++;
	return zeroed(cache->size);
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	shim_objects--;
	free(object);
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects)
{
	while (nr)
		kmem_cache_free(cache, objects[--nr]);
}

void *__vmalloc(unsigned long size, unsigned int gfp)
{
	void *area;

	if (!may_allocate())
		return NULL;
	shim_objects++;
	area = must(aligned_alloc(PAGE_SIZE,
				  (size + PAGE_SIZE - 1) & PAGE_MASK));
	memset(area, gfp & __GFP_ZERO ? 0 : 0x5a, size);
	return area;
}

void vfree(const void *address)
{
	if (!address)
		return;
	shim_objects--;
	free((void *)address);
}

void *memchr_inv(const void *start, int c, size_t size)
{
	const unsigned char *byte = start;

	for (; size; size--, byte++)
		if (*byte != (unsigned char)c)
			return (void *)byte;
	return NULL;
}

/* --- those parts of KSM that are not here ------------------------------ */

bool ksm_registry_empty(void)
{
	return true;
}

bool ksm_node_none_left(void)
{
	return true;
}

/* --- KUnit ------------------------------------------------------------- */

struct shim_buffer {
	struct shim_buffer *next;
	u64 data[] __aligned(OBJECT_ALIGN);
};

struct kunit_suite *shim_suites;

void shim_add_suite(struct kunit_suite *suite)
{
	struct kunit_suite **link = &shim_suites;

	while (*link)
		link = &(*link)->next;
	*link = suite;
}

void *kunit_kzalloc(struct kunit *test, size_t size, unsigned int gfp)
{
	struct shim_buffer *buffer = zeroed(sizeof(*buffer) + size);

	buffer->next = test->buffers;
	test->buffers = buffer;
	return buffer->data;
}

void *kunit_kcalloc(struct kunit *test, size_t nr, size_t size,
		    unsigned int gfp)
{
	return kunit_kzalloc(test, nr * size, gfp);
}

void shim_fail(struct kunit *test, const char *file, int line,
	       const char *format, ...)
{
	va_list args;

	test->status = KUNIT_FAILURE;
	printf("    # %s: FAILED at %s:%d\n    #   ", test->name, file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void shim_more(struct kunit *test, const char *format, ...)
{
	va_list args;

	if (!format[1])
		return;
	printf("    #  ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void shim_abort(struct kunit *test)
{
	longjmp(test->abort, 1);
}

static void run_case(struct kunit_suite *suite, struct kunit_case *one,
		     struct kunit *test)
{
	*test = (struct kunit){ .name = one->name };
	if (!setjmp(test->abort)) {
		if (suite->init && suite->init(test))
			shim_fail(test, __FILE__, __LINE__, "cannot begin");
		else
			one->run_case(test);
	}
	if (suite->exit && !setjmp(test->abort))
		suite->exit(test);
	while (test->buffers) {
		struct shim_buffer *next = test->buffers->next;

		free(test->buffers);
		test->buffers = next;
	}
}

/* Returns whether it failed; to be skipped is a failure here. */
static bool run_and_report(struct kunit_suite *suite, struct kunit_case *one,
			   unsigned int number)
{
	static struct kunit test;

	run_case(suite, one, &test);
	printf("%sok %u - %s.%s%s%s\n", test.status ? "not " : "", number,
	       suite->name, one->name,
	       test.status == KUNIT_SKIPPED ? " # skipped: " : "",
	       test.status_comment);
	fflush(stdout);
	return test.status;
}

u64 ksm_test_seed(void)
{
	const char *text = getenv("KSM_TEST_SEED");

	return text ? strtoull(text, NULL, 0) : KSM_TEST_SEED;
}

void ksm_test_random_bytes(void *buf, size_t len)
{
	static struct ksm_random random;
	unsigned char *byte = buf;

	if (!random.state)
		random.state = ksm_test_seed() ^ 0x5ecce7;
	while (len--)
		*byte++ = ksm_random(&random);
}

int main(void)
{
	struct kunit_suite *suite;
	struct kunit_case *one;
	unsigned int nr = 0, failed = 0;

	ksm_fingerprint_seed(ksm_test_random_bytes);
	if (ksm_table_init() || ksm_track_init() || ksm_item_init() || ksm_stable_init())
		return 1;
	for (suite = shim_suites; suite; suite = suite->next)
		for (one = suite->test_cases; one->run_case; one++)
			nr++;
	printf("TAP version 13\n1..%u\n# seed %#llx\n", nr,
	       (unsigned long long)ksm_test_seed());
	nr = 0;
	for (suite = shim_suites; suite; suite = suite->next)
		for (one = suite->test_cases; one->run_case; one++)
			failed += run_and_report(suite, one, ++nr);
	return !!failed;
}
