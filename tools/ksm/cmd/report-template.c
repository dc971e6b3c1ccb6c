// SPDX-License-Identifier: GPL-2.0-only
#include "report.h"

/* Made of report.html: it is easier to read, and to look at, as a file. */
const char report_template[] =
#include "report.html.inc"
;
