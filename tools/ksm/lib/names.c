// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <string.h>

#include "names.h"

/* What a first byte says: how many follow, and its bits of the character */
static size_t first_byte(unsigned char byte, uint32_t *ch)
{
	if (byte < 0x80) {
		*ch = byte;
		return 0;
	}
	if (byte >= 0xc2 && byte < 0xe0) {
		*ch = byte & 0x1f;
		return 1;
	}
	if (byte >= 0xe0 && byte < 0xf0) {
		*ch = byte & 0x0f;
		return 2;
	}
	*ch = byte & 0x07;
	return byte >= 0xf0 && byte < 0xf5 ? 3 : SIZE_MAX;
}

/* The bytes of the next character; 0 if it is not UTF-8. */
static size_t decode(const char *text, uint32_t *ch)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	size_t more = first_byte(*text, ch);

	if (more == SIZE_MAX)
		return 0;
	for (size_t i = 1; i <= more; i++) {
		/* this includes the 0 at the end */
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*ch = *ch << 6 | (text[i] & 0x3f);
	}
	if (*ch < least[more] || *ch > 0x10ffff ||
	    (*ch >= 0xd800 && *ch < 0xe000))
		return 0;
	return more + 1;
}

static bool is_control(uint32_t ch)
{
	return ch < 0x20 || (ch >= 0x7f && ch < 0xa0);
}

/**
 * ksm_name_clean() - make a name one that can be shown
 * @name: the name; becomes UTF-8 without control characters: what is
 *        something else is '?'
 */
void ksm_name_clean(char *name)
{
	char *to = name;

	while (*name) {
		uint32_t ch;
		size_t len = decode(name, &ch);

		if (!len || is_control(ch)) {
			*to++ = '?';
			name += len ? len : 1;
			continue;
		}
		memmove(to, name, len);
		to += len;
		name += len;
	}
	*to = '\0';
}

/**
 * ksm_name_next() - the next character of a clean name
 * @name: where it begins; not at the end of the name
 *
 * Return: where the one after it begins
 */
const char *ksm_name_next(const char *name)
{
	do
		name++;
	while ((*name & 0xc0) == 0x80);
	return name;
}
