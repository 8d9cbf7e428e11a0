// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue points in other files than the test itself: shared libraries,
 * programs that are not position-independent, files on overlays, behind
 * symbolic links and bind mounts.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/files.h"
#include "lib/reassure_test.h"

static char program[4096], library[4096];

FIXTURE(library)
{
	char dir[64];
};

FIXTURE_SETUP(library)
{
	ASSERT_EQ(0, test_begin_alone());
	file_beside_us(program, "library-victim");
	file_beside_us(library, "libvictim.so");
	strcpy(self->dir, "/dev/shm/reassure.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
}

FIXTURE_TEARDOWN(library)
{
	char command[100];

	test_end_alone(_metadata->passed);
	snprintf(command, sizeof(command), "rm -rf %s", self->dir);
	EXPECT_EQ(0, system(command));
}

static int protect(const char *path)
{
	struct rescue_point rp = { .path = path };
	int ret = file_symbol(path, "library_victim", &rp.offset);

	return ret ?: rescue_point_add(&rp);
}

static int execute(void *path)
{
	execl(path, path, "-77", NULL);
	return 1;
}

static int use_library(void *path)
{
	void *handle = dlopen(path, RTLD_NOW);
	long (*victim)(int fault);
	int *written, i;

	CHECK(handle);
	victim = dlsym(handle, "library_victim");
	written = dlsym(handle, "library_written");
	CHECK(victim && written);
	for (i = 0; i < 3; i++) {
		CHECK(victim(1) == RESCUED && *written == 1);
		CHECK(victim(0) == 1 && *written == 2);
		*written = 1;
	}
	/* Loaded again, perhaps elsewhere. */
	CHECK(!dlclose(handle));
	handle = dlopen(path, RTLD_NOW);
	CHECK(handle);
	victim = dlsym(handle, "library_victim");
	CHECK(victim && victim(1) == RESCUED);
	return 0;
}

TEST_F(library, shared)
{
	ASSERT_EQ(0, protect(library));
	EXPECT_EQ(0, child_run(use_library, library));
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(library, program_that_is_not_position_independent)
{
	ASSERT_EQ(0, protect(program));
	EXPECT_EQ(0, child_run(execute, program));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The same content in another file is another program. */
TEST_F(library, copy_is_not_protected)
{
	char copied[128];

	snprintf(copied, sizeof(copied), "%s/copy", self->dir);
	ASSERT_EQ(0, file_copy(program, copied));
	ASSERT_EQ(0, protect(program));
	EXPECT_EQ(-SIGSEGV, child_run(execute, copied));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
}

TEST_F(library, behind_a_symbolic_link)
{
	char copied[128], soft[128], hard[128];

	snprintf(copied, sizeof(copied), "%s/copy", self->dir);
	snprintf(soft, sizeof(soft), "%s/soft", self->dir);
	snprintf(hard, sizeof(hard), "%s/hard", self->dir);
	ASSERT_EQ(0, file_copy(program, copied));
	ASSERT_EQ(0, symlink("copy", soft));
	ASSERT_EQ(0, link(copied, hard));
	ASSERT_EQ(0, protect(soft));
	EXPECT_EQ(0, child_run(execute, copied));
	EXPECT_EQ(0, child_run(execute, soft));
	EXPECT_EQ(0, child_run(execute, hard));
	EXPECT_EQ(9, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* A container's file: what is mapped is the file below. */
struct overlay {
	char lower[96], upper[96], work[96], merged[96];
};

static int make_overlay(const char *dir, struct overlay *overlay)
{
	char options[400];

	snprintf(overlay->lower, 96, "%s/lower", dir);
	snprintf(overlay->upper, 96, "%s/upper", dir);
	snprintf(overlay->work, 96, "%s/work", dir);
	snprintf(overlay->merged, 96, "%s/merged", dir);
	if (mkdir(overlay->lower, 0755) || mkdir(overlay->upper, 0755) ||
	    mkdir(overlay->work, 0755) || mkdir(overlay->merged, 0755))
		return -errno;
	snprintf(options, sizeof(options),
		 "lowerdir=%s,upperdir=%s,workdir=%s", overlay->lower,
		 overlay->upper, overlay->work);
	return mount("overlay", overlay->merged, "overlay", 0, options) ?
	       -errno : 0;
}

TEST_F(library, on_an_overlay)
{
	char below[128], merged[128], fresh[128];
	struct overlay overlay;

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (make_overlay(self->dir, &overlay))
		SKIP(return, "no overlay on this file system");
	snprintf(below, sizeof(below), "%s/program", overlay.lower);
	snprintf(merged, sizeof(merged), "%s/program", overlay.merged);
	snprintf(fresh, sizeof(fresh), "%s/fresh", overlay.merged);
	/* One of the lower layer, one of the upper. */
	EXPECT_EQ(0, file_copy(program, below));
	EXPECT_EQ(0, file_copy(program, fresh));
	EXPECT_EQ(0, protect(merged));
	EXPECT_EQ(0, child_run(execute, merged));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	/* In use, so that the overlay cannot go. */
	EXPECT_EQ(-1, umount(overlay.merged));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, rescue_points_flush());
	EXPECT_EQ(0, protect(fresh));
	EXPECT_EQ(0, child_run(execute, fresh));
	EXPECT_EQ(6, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, rescue_points_flush());
	EXPECT_EQ(0, umount(overlay.merged));
}

/* The file is removed, and replaced as an upgrade does. */
TEST_F(library, that_is_replaced)
{
	char copied[128];

	snprintf(copied, sizeof(copied), "%s/copy", self->dir);
	ASSERT_EQ(0, file_copy(program, copied));
	ASSERT_EQ(0, protect(copied));
	ASSERT_EQ(0, unlink(copied));
	ASSERT_EQ(0, file_copy(program, copied));
	EXPECT_EQ(-SIGSEGV, child_run(execute, copied));
	ASSERT_EQ(0, rescue_points_flush());
	ASSERT_EQ(0, protect(copied));
	EXPECT_EQ(0, child_run(execute, copied));
}

TEST_HARNESS_MAIN
