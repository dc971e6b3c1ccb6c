// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "fixture.h"
#include "template.h"

static void gives(const char *text, const char *data, const char *expected)
{
	json_t *object = json_loads(data, 0, NULL);
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	assert_non_null(object);
	ksm_template_print(out, text, object);
	fclose(out);
	assert_string_equal(result, expected);
	free(result);
	json_decref(object);
}

static void names_are_filled_in(void **state)
{
	(void)state;
	gives("", "{}", "");
	gives("no places } {", "{}", "no places } {");
	gives("a{{b}}c", "{\"b\":\"-\"}", "a-c");
	gives("{{a}}{{b}}", "{\"a\":7,\"b\":2.25}", "72.2");
	gives("a{{none}}c{{b}}", "{\"b\":null}", "ac");
	gives("{{open", "{\"open\":1}", "{{open");
}

static void text_is_escaped(void **state)
{
	(void)state;
	gives("<b title='{{a}}'>", "{\"a\":\"<i>&\\\"'{{b}}\",\"b\":1}",
	      "<b title='&lt;i&gt;&amp;&quot;&#39;{{b}}'>");
}

static void sections(void **state)
{
	(void)state;
	gives("{{#l}}{{a}},{{/l}}", "{\"l\":[{\"a\":1},{\"a\":2}]}", "1,2,");
	gives("{{#l}}{{.}}{{/l}}{{^l}}x{{/l}}", "{\"l\":[\"a\",\"b\"]}", "ab");
	gives("{{#l}}a{{/l}}{{^l}}none{{/l}}", "{\"l\":[]}", "none");
	gives("{{#t}}a{{/t}}{{#f}}b{{/f}}{{#n}}c{{/n}}{{#e}}d{{/e}}",
	      "{\"t\":true,\"f\":false,\"n\":null,\"e\":\"\"}", "a");
	gives("{{#o}}{{a}}{{/o}}", "{\"o\":{\"a\":1}}", "1");
}

static void what_is_around_is_seen(void **state)
{
	(void)state;
	gives("{{#l}}{{a}}{{b}} {{/l}}{{a}}",
	      "{\"a\":0,\"b\":9,\"l\":[{\"a\":1},{\"a\":2}]}", "19 29 0");
	gives("{{#a}}{{#a}}{{b}}{{/a}}{{^b}}c{{/b}}{{/a}}",
	      "{\"a\":{\"b\":1}}", "1");
	gives("{{#label}}<{{label}}>{{/label}}", "{\"label\":\"x\"}", "<x>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_filled_in),
		cmocka_unit_test(text_is_escaped),
		cmocka_unit_test(sections),
		cmocka_unit_test(what_is_around_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
