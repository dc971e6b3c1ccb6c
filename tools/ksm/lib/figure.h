/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers that may be unknown.
 *
 * Kernels differ in the files and lines they have.  A number that could not be
 * read is KSM_UNKNOWN, and so is whatever is computed from it, so that nobody
 * takes an absent figure for a zero.  Overflow makes a figure unknown as well.
 */
#ifndef KSM_LIB_FIGURE_H
#define KSM_LIB_FIGURE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t ksm_figure;

#define KSM_UNKNOWN	INT64_MIN

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/**
 * struct ksm_field - one figure of a struct, by its name
 * @name:   of the file, line or JSON member
 * @offset: of the ksm_figure in the struct
 * @unit:   what one of it is, in the unit of the figure (1024 for "kB")
 */
struct ksm_field {
	const char *name;
	size_t offset;
	int64_t unit;
};

static inline ksm_figure *fig_at(void *base, const struct ksm_field *field)
{
	return (ksm_figure *)((char *)base + field->offset);
}

static inline ksm_figure fig_get(const void *base,
				 const struct ksm_field *field)
{
	return *(const ksm_figure *)((const char *)base + field->offset);
}

static inline bool fig_known(ksm_figure f)
{
	return f != KSM_UNKNOWN;
}

static inline ksm_figure fig_add(ksm_figure a, ksm_figure b)
{
	ksm_figure sum;

	if (!fig_known(a) || !fig_known(b) ||
	    __builtin_add_overflow(a, b, &sum))
		return KSM_UNKNOWN;
	return sum;
}

static inline ksm_figure fig_sub(ksm_figure a, ksm_figure b)
{
	ksm_figure difference;

	if (!fig_known(a) || !fig_known(b) ||
	    __builtin_sub_overflow(a, b, &difference))
		return KSM_UNKNOWN;
	return difference;
}

static inline ksm_figure fig_mul(ksm_figure a, ksm_figure b)
{
	ksm_figure product;

	if (!fig_known(a) || !fig_known(b) ||
	    __builtin_mul_overflow(a, b, &product))
		return KSM_UNKNOWN;
	return product;
}

/* Sums over what is known; unknown if nothing is. */
static inline void fig_include(ksm_figure *sum, ksm_figure f)
{
	if (fig_known(f))
		*sum = fig_known(*sum) ? fig_add(*sum, f) : f;
}

/* What cannot be known is NAN here; comparisons with it are false. */
static inline double fig_double(ksm_figure f)
{
	return fig_known(f) ? (double)f : NAN;
}

static inline double fig_ratio(ksm_figure a, ksm_figure b)
{
	return b ? fig_double(a) / fig_double(b) : NAN;
}

/* The nearest figure; unknown if there is none. */
static inline ksm_figure fig_round(double value)
{
	return fabs(value) < 9.2e18 ? llround(value) : KSM_UNKNOWN;
}

/* The figure, or 0 where it does not matter that it is unknown. */
static inline ksm_figure fig_or_zero(ksm_figure f)
{
	return fig_known(f) ? f : 0;
}

#endif
