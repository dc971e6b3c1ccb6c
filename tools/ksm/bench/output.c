// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was found out, as one JSON object in one line.  It goes to the file
 * named by results= on the kernel's command line.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "bench.h"

#define MAX_POINTS	20000

struct point {
	const char *series;
	double x, y;
};

static char texts[4096], values[4096];
static struct point points[MAX_POINTS];
static unsigned int nr_points;

static void append(char *to, size_t size, const char *format, ...)
{
	size_t used = strlen(to);
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(to + used, size - used, format, args);
	va_end(args);
	if (len < 0 || used + len >= size)
		abort();
}

/* Neither may need escaping in JSON. */
void out_text(const char *key, const char *value)
{
	append(texts, sizeof(texts), "\"%s\": \"%s\", ", key, value);
}

void out_number(const char *key, double value)
{
	append(texts, sizeof(texts), "\"%s\": %.10g, ", key, value);
}

/* A figure that is compared between the kernels */
void out_value(const char *metric, double value)
{
	append(values, sizeof(values), "%s\"%s\": %.10g", *values ? ", " : "",
	       metric, value);
	printf("bench: %s %.6g\n", metric, value);
}

/* A point of a curve; the points of a series have to come in one go. */
void out_point(const char *series, double x, double y)
{
	if (nr_points < MAX_POINTS)
		points[nr_points++] = (struct point){ series, x, y };
}

void out_write(void)
{
	const char *path = getenv("results"), *series = NULL;
	FILE *file = path ? fopen(path, "a") : stdout;
	unsigned int i;

	if (!file)
		abort();
	fprintf(file, "{%s\"values\": {%s}, \"series\": {", texts, values);
	for (i = 0; i < nr_points; i++) {
		if (!series || strcmp(series, points[i].series))
			fprintf(file, "%s\"%s\": [", series ? "], " : "",
				points[i].series);
		else
			fprintf(file, ", ");
		series = points[i].series;
		fprintf(file, "[%.7g, %.7g]", points[i].x, points[i].y);
	}
	fprintf(file, "%s}}\n", series ? "]" : "");
	if (fclose(file))
		abort();
}

/* The reason goes where the figures would have gone. */
void die(const char *format, ...)
{
	char reason[512];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	printf("bench: %s\n", reason);
	out_text("error", reason);
	out_write();
	sync();
	reboot(RB_POWER_OFF);
	exit(1);
}
