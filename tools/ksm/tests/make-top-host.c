// SPDX-License-Identifier: GPL-2.0-only
/*
 * make-top-host DIR [full|empty|stock|waste|no-ksm]: make a host for ksm top.  Then:
 *
 *   ksm --root DIR/now top --before DIR/before
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "figure.h"
#include "top_host.h"

static const char *const kinds[] = {
	[TOP_HOST_FULL] = "full",
	[TOP_HOST_EMPTY] = "empty",
	[TOP_HOST_STOCK] = "stock",
	[TOP_HOST_WASTE] = "waste",
	[TOP_HOST_NO_KSM] = "no-ksm",
};

int main(int argc, char **argv)
{
	const char *kind = argc > 2 ? argv[2] : "full";
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && argc > 1; i++) {
		if (strcmp(kinds[i], kind))
			continue;
		mkdir(argv[1], 0755);
		err = top_host_make(argv[1], i);
		if (err)
			fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
		return !!err;
	}
	fputs("Usage: make-top-host DIR [full|empty|stock|waste|no-ksm]\n",
	      stderr);
	return 2;
}
