/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text with places to be filled in: the part of Mustache that a page needs.
 *
 *   {{name}}                 the text or number of that name, for HTML
 *   {{#name}}...{{/name}}    for each element of a list, or once for an object,
 *                            a text or true; not for "", false or null
 *   {{^name}}...{{/name}}    if the former would not be there at all
 *
 * Names are looked for in the element, then in what is around it; "." is the
 * element itself.
 */
#ifndef KSM_LIB_TEMPLATE_H
#define KSM_LIB_TEMPLATE_H

#include <jansson.h>
#include <stdio.h>

void ksm_template_print(FILE *out, const char *text, const json_t *data);

#endif
