// SPDX-License-Identifier: GPL-2.0
/* Which symbols a typed name means. */
#include "test.h"

#include "matching.h"

static void test_c(void **state)
{
	(void)state;
	assert_int_equal(match_symbol("f", "f"), MATCH_SYMBOL);
	assert_int_equal(match_symbol("f", "g"), MATCH_NONE);
	assert_int_equal(match_symbol("f", "ff"), MATCH_NONE);
	assert_int_equal(match_symbol("ff", "f"), MATCH_NONE);
	assert_int_equal(match_symbol("f.cold", "f"), MATCH_NONE);
	assert_int_equal(match_symbol("f.cold", "f.cold"), MATCH_SYMBOL);
}

static void test_versions(void **state)
{
	(void)state;
	assert_int_equal(match_symbol("f@@V2", "f"), MATCH_SYMBOL);
	assert_int_equal(match_symbol("f@V1", "f"), MATCH_SYMBOL);
	assert_int_equal(match_symbol("f@@V2", "f@@V2"), MATCH_SYMBOL);
	assert_int_equal(match_symbol("f@@V2", "f@V2"), MATCH_SYMBOL);
	assert_int_equal(match_symbol("f@V1", "f@V1"), MATCH_SYMBOL);
	assert_int_equal(match_symbol("f@V1", "f@@V1"), MATCH_NONE);
	assert_int_equal(match_symbol("f@V1", "f@V2"), MATCH_NONE);
	assert_int_equal(match_symbol("f", "f@V1"), MATCH_NONE);
	assert_int_equal(match_symbol("f", "f@"), MATCH_NONE);
	assert_int_equal(match_symbol("_ZN4shop3payEi@@V", "shop::pay"),
			 MATCH_WITHOUT_PARAMETERS);
}

static void test_cxx(void **state)
{
	static const struct {
		const char *symbol;
		const char *wanted;
		enum match match;
	} cases[] = {
		{ "_ZN4shop3payEi", "_ZN4shop3payEi", MATCH_SYMBOL },
		{ "_ZN4shop3payEi", "shop::pay(int)", MATCH_DEMANGLED },
		{ "_ZN4shop3payEi", "shop::pay", MATCH_WITHOUT_PARAMETERS },
		{ "_ZN4shop3payEi", "pay", MATCH_NONE },
		{ "_ZN4shop3payEi", "shop::pay(", MATCH_NONE },
		{ "_ZN4shop3payEi", "shop::pay()", MATCH_NONE },
		{ "_ZN4shop3payEmPKc", "shop::pay(unsigned long,char const*)",
		  MATCH_DEMANGLED },
		{ "_ZNK4shop4cart5totalEv", "shop::cart::total() const",
		  MATCH_DEMANGLED },
		{ "_ZNK4shop4cart5totalEv", "shop::cart::total",
		  MATCH_WITHOUT_PARAMETERS },
		{ "_ZN4shop4cartclEi", "shop::cart::operator()(int)",
		  MATCH_DEMANGLED },
		{ "_ZN4shop4cartclEi", "shop::cart::operator()",
		  MATCH_WITHOUT_PARAMETERS },
		{ "_ZN4shop4cartclEi", "shop::cart::operator", MATCH_NONE },
		{ "_ZN4shop7largestIiEET_S1_S1_",
		  "int shop::largest<int>(int, int)", MATCH_DEMANGLED },
		{ "_ZN4shop7largestIiEET_S1_S1_",
		  "shop::largest<int>(int, int)", MATCH_DEMANGLED },
		{ "_ZN4shop7largestIiEET_S1_S1_", "shop::largest<int>",
		  MATCH_WITHOUT_PARAMETERS },
		{ "_ZN4shop12_GLOBAL__N_16hiddenEPFviE",
		  "shop::(anonymous namespace)::hidden",
		  MATCH_WITHOUT_PARAMETERS },
		{ "_ZN4shop12_GLOBAL__N_16hiddenEPFviE",
		  "shop::(anonymous namespace)::hidden(void (*)(int))",
		  MATCH_DEMANGLED },
		{ "_ZN4shop8checkoutEi.cold", "shop::checkout", MATCH_NONE },
		{ "_ZN4shop8checkoutEi.cold", "shop::checkout(int)",
		  MATCH_NONE },
		{ "_ZN4shop8checkoutEi.cold",
		  "shop::checkout(int) [clone .cold]", MATCH_DEMANGLED },
		{ "_ZnotMangled", "notMangled", MATCH_NONE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (match_symbol(cases[i].symbol, cases[i].wanted) !=
		    cases[i].match)
			fail_msg("%s for '%s'", cases[i].symbol,
				 cases[i].wanted);
}

static void test_nearest(void **state)
{
	static const char *const names[] = {
		"unrelated", "ap_invoke_handler", "ap_run_handler",
		"invoke_handlers", "ap_invoke_handle", "ap_invoke_handler",
		"x", "xap_invoke_handlerx", "another", "ap_invok_handlerr",
		"apinvokehandler",
	};
	struct nearest nearest = { .wanted = "ap_invoke_handlr" };
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		nearest_consider(&nearest, names[i]);
	assert_int_equal(nearest.count, NEAREST);
	assert_string_equal(nearest.names[0], "ap_invoke_handler");
	assert_string_equal(nearest.names[1], "ap_invoke_handle");
	for (k = 1; k < nearest.count; k++) {
		assert_true(nearest.distances[k - 1] <= nearest.distances[k]);
		assert_string_not_equal(nearest.names[k], "ap_invoke_handler");
	}
	nearest_free(&nearest);
}

static void test_nearest_parts(void **state)
{
	struct nearest nearest = { .wanted = "handler" };
	char *longest;

	(void)state;
	nearest_consider(&nearest, "a_very_long_name_of_a_request_handler_in_it");
	nearest_consider(&nearest, "different");
	nearest_consider(&nearest, "_ZN4shop7handlerEi@@V");
	assert_int_equal(nearest.count, 2);
	assert_string_equal(nearest.names[0], "shop::handler");
	nearest_free(&nearest);

	/* A name of any length. */
	longest = malloc(5001);
	memset(longest, 'a', 5000);
	longest[5000] = 0;
	nearest.wanted = longest;
	nearest_consider(&nearest, "aaa");
	nearest.wanted = "aaaa";
	nearest_consider(&nearest, longest);
	nearest_free(&nearest);
	free(longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_cxx),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_nearest_parts),
	};

	return cmocka_run_group_tests_name("matching", tests, NULL, NULL);
}
