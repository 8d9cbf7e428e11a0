// SPDX-License-Identifier: GPL-2.0
/* Texts that others have chosen, as people get to see them. */
#include "test.h"

#include "text.h"

static void assert_printed(const char *text, const char *wanted)
{
	size_t size;
	char *printed;
	FILE *stream = open_memstream(&printed, &size);

	assert_non_null(stream);
	text_print(stream, text);
	fclose(stream);
	assert_string_equal(printed, wanted);
	free(printed);
}

static void assert_unchanged(const char *text)
{
	assert_printed(text, text);
}

static void test_shown(void **state)
{
	(void)state;
	assert_unchanged("");
	assert_unchanged(" !server-1.2 ~");
	assert_unchanged("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	/* Bytes from 0x80 to 0x9f are part of these. */
	assert_unchanged("\xc5\x9b\xc3\x84\xd0\x90\xe4\xb8\x80\xed\x9f\xbf");
	/* What is next to what is not shown. */
	assert_unchanged("\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa");
}

static void test_obeyed(void **state)
{
	(void)state;
	assert_printed("\x01-\n-\x1b[1m-\x1f-\x7f", "?-?-?[1m-?-?");
	assert_printed("\xc2\x80-\xc2\x9b-\xc2\x9f", "?-?-?");
	assert_printed("\xe2\x80\xa8-\xe2\x80\xae-\xe2\x81\xa6-\xe2\x81\xa9",
		       "?-?-?-?");
}

static void test_no_utf8(void **state)
{
	(void)state;
	assert_printed("\x9b-\xe9-\xff", "?-?-?");
	assert_printed("\xe2\x82", "??");
	assert_printed("\xf0\x9f\x98", "???");
	/* What follows is shown. */
	assert_printed("\xc5z\xe2\x80\xc3\xa9", "?z??\xc3\xa9");
	/* Too long, and no characters. */
	assert_printed("\xc0\x9b \xe0\x82\x9b \xed\xa0\x80 \xf4\x90\x80\x80",
		       "?? ??? ??? ????");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_obeyed),
		cmocka_unit_test(test_no_utf8),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
