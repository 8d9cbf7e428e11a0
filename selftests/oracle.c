// SPDX-License-Identifier: GPL-2.0
/*
 * What a rollback leaves different is found where the module looks for it.  A
 * module of the tests changes the program's memory after each rollback.
 */
#include <signal.h>
#include <stdlib.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

/* Nothing is mapped here. */
#define NOWHERE		0x10000000UL

/* What the pages of the area are to the call. */
enum page {
	WRITTEN,
	NOT_WRITTEN,
	FRESH,
	NEVER_TOUCHED,
	PAGES,
};

static unsigned char *area;

static unsigned char *page(enum page which)
{
	return area + which * PAGE_SIZE;
}

static long __noipa victim(void)
{
	memset(page(WRITTEN), 2, PAGE_SIZE);
	memset(page(FRESH), 2, PAGE_SIZE);
	touch_read(BAD_ADDRESS);
	return 1;
}

static int program(void *arg)
{
	memset(page(WRITTEN), 1, PAGE_SIZE);
	memset(page(NOT_WRITTEN), 1, PAGE_SIZE);
	CHECK(victim() == RESCUED);
	return 0;
}

static unsigned long unverified(void)
{
	char text[32];

	return read_text(PARAMETERS "unverified", text, sizeof(text)) ? -1 :
	       strtoul(text, NULL, 10);
}

FIXTURE(oracle)
{
	char verify[8];
	unsigned long unverified;
};

FIXTURE_SETUP(oracle)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, read_text(PARAMETERS "verify", self->verify,
			       sizeof(self->verify)));
	ASSERT_EQ(0, write_text(PARAMETERS "verify", "Y"));
	self->unverified = unverified();
	area = private_memory(PAGES * PAGE_SIZE);
	ASSERT_EQ(0, rescue_point_protect(victim));
}

FIXTURE_TEARDOWN(oracle)
{
	EXPECT_EQ(self->unverified, unverified());
	/* Which the module does after a difference. */
	EXPECT_TRUE(module_is_off_for(events_since_mark(REASSURE_COUNTER_DIFFERENCES) ?
				      "difference" : "no"));
	EXPECT_EQ(0, module_switch(true));
	write_text(PARAMETERS "verify", self->verify);
	test_end(_metadata->passed);
}

/* How many differences are found when @what is changed after a rollback. */
static uint64_t differences(struct __test_metadata *_metadata,
			    const char *what, unsigned long address)
{
	char parameters[64];

	snprintf(parameters, sizeof(parameters), "change=%s address=%lu", what,
		 address);
	EXPECT_EQ(0, test_module_load("spoil_rollback", parameters));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(0, test_module_unload("spoil_rollback"));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	return events_since_mark(REASSURE_COUNTER_DIFFERENCES);
}

TEST_F(oracle, finds_nothing)
{
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_DIFFERENCES));
}

TEST_F(oracle, finds_a_page_that_the_call_wrote)
{
	EXPECT_EQ(1, differences(_metadata, "write",
				 (unsigned long)page(WRITTEN) + 77));
}

TEST_F(oracle, finds_a_page_that_the_call_did_not_write)
{
	EXPECT_EQ(1, differences(_metadata, "write",
				 (unsigned long)page(NOT_WRITTEN)));
}

TEST_F(oracle, finds_a_page_that_the_call_touched_first)
{
	EXPECT_EQ(1, differences(_metadata, "write",
				 (unsigned long)page(FRESH) + PAGE_SIZE - 1));
}

TEST_F(oracle, finds_a_page_that_nobody_had_touched)
{
	EXPECT_EQ(1, differences(_metadata, "write",
				 (unsigned long)page(NEVER_TOUCHED)));
}

TEST_F(oracle, finds_that_a_page_is_not_mapped)
{
	EXPECT_EQ(1, differences(_metadata, "unmap",
				 (unsigned long)page(NOT_WRITTEN)));
}

TEST_F(oracle, finds_that_a_page_without_content_is_not_mapped)
{
	EXPECT_EQ(1, differences(_metadata, "unmap",
				 (unsigned long)page(NEVER_TOUCHED)));
}

TEST_F(oracle, finds_a_mapping_that_was_not_there)
{
	EXPECT_EQ(1, differences(_metadata, "map", NOWHERE));
}

TEST_F(oracle, does_not_look_at_dead_stack)
{
	EXPECT_EQ(0, differences(_metadata, "write",
				 (unsigned long)__builtin_frame_address(0) -
				 16 * PAGE_SIZE));
}

TEST_HARNESS_MAIN
