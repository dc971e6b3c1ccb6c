// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <string.h>

#include "template.h"

/* A place to be filled in: what is between {{ and }} */
struct tag {
	char kind;		/* '#', '^', '/', or 0 for a name alone */
	char name[48];
	const char *begin;	/* where it stands in the text */
	const char *end;	/* what comes after it */
};

/* The element, and what is around it */
struct scope {
	const json_t *data;
	const struct scope *around;
};

static void print_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void print_value(FILE *out, const json_t *value)
{
	if (json_is_string(value))
		print_escaped(out, json_string_value(value));
	else if (json_is_integer(value))
		fprintf(out, "%" JSON_INTEGER_FORMAT,
			json_integer_value(value));
	else if (json_is_real(value))
		fprintf(out, "%.1f", json_real_value(value));
}

static const json_t *find(const struct scope *scope, const char *name)
{
	const json_t *value = NULL;

	if (!strcmp(name, "."))
		return scope->data;
	for (; scope && !value; scope = scope->around)
		value = json_object_get(scope->data, name);
	return value;
}

/* The next tag before @limit; what is no tag is text. */
static bool next_tag(const char *text, const char *limit, struct tag *tag)
{
	const char *end, *name;
	size_t len;

	tag->begin = memmem(text, limit - text, "{{", 2);
	end = tag->begin ? memmem(tag->begin, limit - tag->begin, "}}", 2) :
			   NULL;
	if (!end)
		return false;
	name = tag->begin + 2;
	tag->kind = strchr("#^/", *name) ? *name++ : 0;
	len = end - name;
	if (len >= sizeof(tag->name))
		len = sizeof(tag->name) - 1;
	memcpy(tag->name, name, len);
	tag->name[len] = '\0';
	tag->end = end + 2;
	return true;
}

/* The {{/name}} of a section, with sections of the same name inside it */
static bool find_close(const struct tag *open, const char *limit,
		       struct tag *close)
{
	const char *text = open->end;
	int depth = 1;

	while (next_tag(text, limit, close)) {
		text = close->end;
		if (strcmp(close->name, open->name) || !close->kind)
			continue;
		depth += close->kind == '/' ? -1 : 1;
		if (!depth)
			return true;
	}
	return false;
}

static bool is_there(const json_t *value)
{
	if (json_is_array(value))
		return json_array_size(value);
	if (json_is_string(value))
		return json_string_length(value);
	return value && !json_is_null(value) && !json_is_false(value);
}

static void print_text(FILE *out, const char *text, const char *limit,
		       const struct scope *scope);

static void print_section(FILE *out, const struct tag *open,
			  const struct tag *close, const struct scope *scope)
{
	const json_t *value = find(scope, open->name);
	struct scope inner = { value, scope };

	if (open->kind == '^') {
		if (!is_there(value))
			print_text(out, open->end, close->begin, scope);
		return;
	}
	if (!json_is_array(value)) {
		if (is_there(value))
			print_text(out, open->end, close->begin, &inner);
		return;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		inner.data = json_array_get(value, i);
		print_text(out, open->end, close->begin, &inner);
	}
}

static void print_text(FILE *out, const char *text, const char *limit,
		       const struct scope *scope)
{
	struct tag tag, close;

	while (next_tag(text, limit, &tag)) {
		fwrite(text, 1, tag.begin - text, out);
		text = tag.end;
		if (!tag.kind) {
			print_value(out, find(scope, tag.name));
		} else if (tag.kind != '/' && find_close(&tag, limit, &close)) {
			print_section(out, &tag, &close, scope);
			text = close.end;
		}
	}
	fwrite(text, 1, limit - text, out);
}

/**
 * ksm_template_print() - fill in
 * @out:  where the result goes
 * @text: the template
 * @data: an object
 */
void ksm_template_print(FILE *out, const char *text, const json_t *data)
{
	const struct scope scope = { data, NULL };

	print_text(out, text, text + strlen(text), &scope);
}
