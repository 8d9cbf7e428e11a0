// SPDX-License-Identifier: GPL-2.0
/*
 * A rescue point is bound to a build of a file, which may be replaced, written
 * to, or unmounted.
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

static struct {
	uint32_t inside, go_on;
} *shared;

FIXTURE(bound)
{
	char dir[64], copy[128], other[128];
	char program[4096], second[4096], library[4096];
};

FIXTURE_SETUP(bound)
{
	ASSERT_EQ(0, test_begin());
	shared = shared_memory(PAGE_SIZE);
	file_beside_us(self->program, "bound-victim");
	file_beside_us(self->second, "bound-victim-2");
	file_beside_us(self->library, "libvictim.so");
	strcpy(self->dir, "/dev/shm/reassure.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->copy, sizeof(self->copy), "%s/copy", self->dir);
	snprintf(self->other, sizeof(self->other), "%s/other", self->dir);
}

FIXTURE_TEARDOWN(bound)
{
	char command[100];

	test_end(_metadata->passed);
	munmap(shared, PAGE_SIZE);
	snprintf(command, sizeof(command), "rm -rf %s", self->dir);
	EXPECT_EQ(0, system(command));
}

static bool probe_exits;

/* The second build's function, in a copy of it. */
static int protect(const char *path, bool build_id)
{
	struct rescue_point rp = {
		.path = path,
		.build_id = build_id,
		.probe_exits = probe_exits,
	};
	int ret = file_symbol(path, "bound_victim", &rp.offset);

	return ret ?: rescue_point_add(&rp);
}

static int rebind(const char *path)
{
	struct rescue_point rp = {
		.path = path,
		.build_id = true,
		.probe_exits = probe_exits,
	};
	int ret = file_symbol(path, "bound_victim", &rp.offset);

	return ret ?: rescue_point_rebind(&rp);
}

static int execute_rescued(void *path)
{
	execl(path, path, "rescued", "-77", NULL);
	return 99;
}

static int execute_plain(void *path)
{
	execl(path, path, "plain", NULL);
	return 99;
}

/* A program that answers calls. */
struct server {
	const char *path;
	int to[2], from[2];
	pid_t pid;
};

static int execute_server(void *arg)
{
	struct server *server = arg;

	dup2(server->to[0], STDIN_FILENO);
	dup2(server->from[1], STDOUT_FILENO);
	execl(server->path, server->path, "serve", NULL);
	return 99;
}

static void server_start(struct server *server, const char *path)
{
	server->path = path;
	CHECK(!pipe2(server->to, O_CLOEXEC) && !pipe2(server->from, O_CLOEXEC));
	server->pid = child_start(execute_server, server);
	close(server->to[0]);
	close(server->from[1]);
}

/* 1 when the call returned, r when it was rescued, 0 when the server died. */
static char server_call(struct server *server, char call)
{
	char answer = '0';

	if (write(server->to[1], &call, 1) != 1 ||
	    read(server->from[0], &answer, 1) != 1)
		return '0';
	return answer;
}

static int server_stop(struct server *server)
{
	close(server->to[1]);
	close(server->from[0]);
	return child_wait(server->pid);
}

/* As package managers do it: the new file takes the name of the old one. */
TEST_F(bound, to_a_file_that_is_replaced)
{
	struct counters counters;
	struct server server;

	ASSERT_EQ(0, file_copy(self->program, self->copy));
	ASSERT_EQ(0, file_copy(self->second, self->other));
	ASSERT_EQ(0, protect(self->copy, true));
	server_start(&server, self->copy);
	EXPECT_EQ('r', server_call(&server, 'f'));
	EXPECT_EQ(REASSURE_FILE_CURRENT, rescue_point_file_state("test"));
	ASSERT_EQ(0, rename(self->other, self->copy));
	EXPECT_EQ(REASSURE_FILE_REPLACED, rescue_point_file_state("test"));
	/* What runs the old file is protected, the new one is left alone. */
	EXPECT_EQ('r', server_call(&server, 'f'));
	EXPECT_EQ(0, child_run(execute_plain, self->copy));
	EXPECT_EQ(-SIGSEGV, child_run(execute_rescued, self->copy));
	EXPECT_EQ(0, refused_since_mark(REASSURE_REFUSED_STALE));

	EXPECT_EQ(0, rebind(self->copy));
	EXPECT_EQ(REASSURE_FILE_CURRENT, rescue_point_file_state("test"));
	EXPECT_EQ(0, child_run(execute_plain, self->copy));
	EXPECT_EQ(0, child_run(execute_rescued, self->copy));
	EXPECT_EQ(0, counters_read("test", &counters));
	EXPECT_EQ(3, counters.events[REASSURE_COUNTER_RESCUES]);
	EXPECT_EQ('1', server_call(&server, 'n'));
	EXPECT_EQ('0', server_call(&server, 'f'));
	EXPECT_EQ(-SIGSEGV, server_stop(&server));
}

static int refused_rebind(const char *path, int error)
{
	struct rescue_point rp = { .path = path };

	return rescue_point_rebind(&rp) == error ? 0 : 1;
}

/* What cannot be, changes nothing. */
TEST_F(bound, to_another_file_in_vain)
{
	struct rescue_point taken = {
		.path = self->other,
		.name = "other",
	};
	struct rescue_point rp = { .path = self->other, .name = "nothing" };

	ASSERT_EQ(0, file_copy(self->program, self->copy));
	ASSERT_EQ(0, file_copy(self->second, self->other));
	ASSERT_EQ(0, protect(self->copy, true));
	ASSERT_EQ(0, file_symbol(self->other, "bound_victim", &taken.offset));
	EXPECT_EQ(0, rescue_point_add(&taken));
	EXPECT_EQ(-EEXIST, rebind(self->other));
	EXPECT_EQ(0, refused_rebind("/dev/null", -EINVAL));
	EXPECT_EQ(0, refused_rebind("/proc/self/maps", -ENOEXEC));
	rp.offset = taken.offset;
	EXPECT_EQ(-ENOENT, rescue_point_rebind(&rp));
	EXPECT_EQ(0, rescue_point_delete("other"));
	/* Exits do not come to a place where there were none. */
	probe_exits = true;
	EXPECT_EQ(-EOPNOTSUPP, rebind(self->copy));
	probe_exits = false;
	EXPECT_EQ(REASSURE_FILE_CURRENT, rescue_point_file_state("test"));
	EXPECT_EQ(0, child_run(execute_rescued, self->copy));
	/* And once more what can be. */
	EXPECT_EQ(0, rebind(self->other));
	EXPECT_EQ(0, child_run(execute_rescued, self->other));
	EXPECT_EQ(-SIGSEGV, child_run(execute_rescued, self->copy));
}

/* At the place of the old build's function the new one has other code. */
static void check_other_code(struct __test_metadata *_metadata,
			     const char *program, const char *second)
{
	uint64_t victim_place, sled;

	ASSERT_EQ(0, file_symbol(program, "bound_victim", &victim_place));
	ASSERT_EQ(0, file_symbol(second, "sled", &sled));
	ASSERT_GT(victim_place, sled);
	ASSERT_LT(victim_place, sled + 5 * 2048);
	/* Not at the beginning of an instruction. */
	ASSERT_NE(0, (victim_place - sled - 2) % 5);
}

static void rewrite(struct __test_metadata *_metadata, const char *program,
		    const char *second, const char *copy, bool build_id)
{
	check_other_code(_metadata, program, second);
	ASSERT_EQ(0, file_copy(program, copy));
	ASSERT_EQ(0, protect(copy, build_id));
	EXPECT_EQ(0, child_run(execute_rescued, (void *)copy));
	ASSERT_EQ(0, file_overwrite(second, copy));
	/* The kernel would have put a breakpoint into the sled. */
	EXPECT_EQ(0, child_run(execute_plain, (void *)copy));
	EXPECT_LT(0, refused_since_mark(REASSURE_REFUSED_STALE));
	EXPECT_EQ(-SIGSEGV, child_run(execute_rescued, (void *)copy));
	EXPECT_EQ(REASSURE_FILE_REWRITTEN, rescue_point_file_state("test"));
	EXPECT_EQ(0, rebind(copy));
	EXPECT_EQ(REASSURE_FILE_CURRENT, rescue_point_file_state("test"));
	EXPECT_EQ(0, child_run(execute_plain, (void *)copy));
	EXPECT_EQ(0, child_run(execute_rescued, (void *)copy));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(bound, to_a_file_that_is_rewritten)
{
	rewrite(_metadata, self->program, self->second, self->copy, true);
}

TEST_F(bound, to_a_file_that_is_rewritten_and_whose_exits_are_probed)
{
	probe_exits = true;
	rewrite(_metadata, self->program, self->second, self->copy, true);
}

TEST_F(bound, to_a_file_that_is_rewritten_without_a_build_id)
{
	rewrite(_metadata, self->program, self->second, self->copy, false);
}

/* And put back. */
TEST_F(bound, to_a_file_that_is_rewritten_twice)
{
	int log = kernel_log_open();

	ASSERT_EQ(0, file_copy(self->program, self->copy));
	ASSERT_EQ(0, protect(self->copy, true));
	/* The same content is the same build. */
	ASSERT_EQ(0, file_overwrite(self->program, self->copy));
	EXPECT_EQ(REASSURE_FILE_REWRITTEN, rescue_point_file_state("test"));
	EXPECT_EQ(0, child_run(execute_rescued, self->copy));
	/* Who asks does not read the file. */
	ASSERT_EQ(0, file_overwrite(self->second, self->copy));
	EXPECT_EQ(REASSURE_FILE_REWRITTEN, rescue_point_file_state("test"));
	ASSERT_EQ(0, file_overwrite(self->program, self->copy));
	EXPECT_FALSE(kernel_log_has(log, "holds another build", NULL, 0));
	EXPECT_EQ(0, child_run(execute_rescued, self->copy));
	/* Who maps it does. */
	ASSERT_EQ(0, file_overwrite(self->second, self->copy));
	EXPECT_EQ(0, child_run(execute_plain, self->copy));
	EXPECT_TRUE(kernel_log_has(log, "holds another build", NULL, 0));
	/* Once it is known to be another, it is not trusted again. */
	ASSERT_EQ(0, file_overwrite(self->program, self->copy));
	EXPECT_EQ(-SIGSEGV, child_run(execute_rescued, self->copy));
	EXPECT_EQ(REASSURE_FILE_REWRITTEN, rescue_point_file_state("test"));
	EXPECT_FALSE(kernel_log_has(log, "holds another build", NULL, 0));
	/* Until it is looked up again; the place is the same. */
	EXPECT_EQ(0, rebind(self->copy));
	EXPECT_EQ(0, child_run(execute_rescued, self->copy));
	close(log);
}

static int overwrite(const char *path, uint64_t offset, const char *content,
		     size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done = pwrite(fd, content, size, offset);

	close(fd);
	return done == (ssize_t)size ? 0 : -1;
}

/*
 * Where the function of the new build is, the old one was, but with another
 * instruction, which the kernel must not execute in the place of the new one.
 */
TEST_F(bound, to_a_place_with_another_instruction)
{
	uint64_t place, build_id;

	ASSERT_EQ(0, file_copy(self->program, self->copy));
	ASSERT_EQ(0, file_symbol(self->copy, "bound_victim", &place));
	ASSERT_EQ(0, file_build_id(self->copy, &build_id));
	ASSERT_EQ(0, protect(self->copy, true));
	EXPECT_EQ(0, child_run(execute_rescued, self->copy));
	ASSERT_EQ(0, overwrite(self->copy, place, "\x90\x90", 2));
	ASSERT_EQ(0, overwrite(self->copy, build_id, "new", 3));
	EXPECT_EQ(0, child_run(execute_plain, self->copy));
	EXPECT_EQ(-EBUSY, rebind(self->copy));
	EXPECT_NE(NULL, strstr(rescue_point_error(), "rename it to this path"));
	EXPECT_EQ(REASSURE_FILE_REWRITTEN, rescue_point_file_state("test"));
	/* Nor when nobody knows any more. */
	EXPECT_EQ(0, rescue_point_delete("test"));
	EXPECT_EQ(-EBUSY, protect(self->copy, true));
	EXPECT_EQ(0, child_run(execute_plain, self->copy));
	EXPECT_EQ(-SIGSEGV, child_run(execute_rescued, self->copy));
	/* As it says. */
	ASSERT_EQ(0, file_copy(self->copy, self->other));
	ASSERT_EQ(0, rename(self->other, self->copy));
	EXPECT_EQ(0, protect(self->copy, true));
	EXPECT_EQ(0, child_run(execute_plain, self->copy));
	EXPECT_EQ(0, child_run(execute_rescued, self->copy));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
}

/* Another instruction, in what says that it is the same build. */
TEST_F(bound, to_a_place_that_is_patched)
{
	uint64_t place;

	ASSERT_EQ(0, file_copy(self->program, self->copy));
	ASSERT_EQ(0, file_symbol(self->copy, "bound_victim", &place));
	ASSERT_EQ(0, protect(self->copy, true));
	EXPECT_EQ(0, child_run(execute_rescued, self->copy));
	ASSERT_EQ(0, overwrite(self->copy, place, "\x90\x90", 2));
	EXPECT_EQ(0, child_run(execute_plain, self->copy));
	EXPECT_LT(0, refused_since_mark(REASSURE_REFUSED_STALE));
	EXPECT_EQ(-SIGSEGV, child_run(execute_rescued, self->copy));
}

/* The last instruction of the old build's function. */
TEST_F(bound, to_a_place_that_was_an_exit)
{
	struct rescue_point rp = {
		.path = self->copy,
		.probe_exits = true,
	};

	ASSERT_EQ(0, file_copy(self->program, self->copy));
	ASSERT_EQ(0, file_symbol(self->copy, "bound_victim", &rp.offset));
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, rescue_point_delete("test"));
	rp.offset += 15;
	rp.probe_exits = false;
	ASSERT_EQ(0, overwrite(self->copy, rp.offset, "\x90", 1));
	EXPECT_EQ(-EBUSY, rescue_point_add(&rp));
	/* Where nothing was probed it is free. */
	rp.offset++;
	EXPECT_EQ(0, rescue_point_add(&rp));
}

/* Nor is one protected that mapped the library before it was written to. */
static int library_program(void *path)
{
	void *handle = dlopen(path, RTLD_NOW);
	long (*victim)(int fault);

	CHECK(handle);
	victim = dlsym(handle, "library_victim");
	CHECK(victim && victim(1) == RESCUED);
	meet_signal(&shared->inside);
	meet_await(&shared->go_on);
	victim(1);
	return 0;
}

static int wait_with_library(void *path)
{
	void *handle = dlopen(path, RTLD_NOW);
	long (*victim)(int fault);

	CHECK(handle);
	victim = dlsym(handle, "library_victim");
	CHECK(victim && victim(0) == 1);
	meet_signal(&shared->inside);
	meet_await(&shared->go_on);
	CHECK(victim(1) == RESCUED);
	return 0;
}

static int load_library(void *path)
{
	return dlopen(path, RTLD_NOW) ? 0 : 1;
}

static int flip(const char *path, uint64_t offset)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char byte;
	int ret = -1;

	if (fd >= 0 && pread(fd, &byte, 1, offset) == 1) {
		byte ^= 1;
		ret = pwrite(fd, &byte, 1, offset) == 1 ? 0 : -1;
	}
	close(fd);
	return ret;
}

TEST_F(bound, to_a_library_that_is_rewritten)
{
	struct rescue_point rp = { .path = self->copy, .build_id = true };
	uint64_t build_id;
	pid_t child;

	ASSERT_EQ(0, file_copy(self->library, self->copy));
	ASSERT_EQ(0, file_symbol(self->copy, "library_victim", &rp.offset));
	ASSERT_EQ(0, file_build_id(self->copy, &build_id));
	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(library_program, self->copy);
	meet_await(&shared->inside);
	/* The last byte of the build-id and nothing else. */
	ASSERT_EQ(0, flip(self->copy, build_id + BUILD_ID_SIZE - 1));
	EXPECT_EQ(0, refused_since_mark(REASSURE_REFUSED_STALE));
	EXPECT_EQ(0, child_run(load_library, self->copy));
	EXPECT_LT(0, refused_since_mark(REASSURE_REFUSED_STALE));
	/* The program may have code of both builds. */
	EXPECT_EQ(-EBUSY, rescue_point_rebind(&rp));
	EXPECT_NE(NULL, strstr(rescue_point_error(), "end it first"));
	meet_signal(&shared->go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	/* Programs that have come since do not matter. */
	shared->inside = 0;
	shared->go_on = 0;
	child = child_start(wait_with_library, self->copy);
	meet_await(&shared->inside);
	EXPECT_EQ(0, rescue_point_rebind(&rp));
	EXPECT_EQ(REASSURE_FILE_CURRENT, rescue_point_file_state("test"));
	/* From now on the file is as it was. */
	EXPECT_EQ(0, rescue_point_rebind(&rp));
	meet_signal(&shared->go_on);
	EXPECT_EQ(0, child_wait(child));
}

static void wait_inside(void)
{
	meet_signal(&shared->inside);
	meet_await(&shared->go_on);
}

/* It sleeps inside while the library turns out to be another. */
static int sleeping_program(void *path)
{
	void *handle = dlopen(path, RTLD_NOW);
	long (*victim)(int fault);
	void (**inside)(void);

	CHECK(handle);
	victim = dlsym(handle, "library_victim");
	inside = dlsym(handle, "library_inside");
	CHECK(victim && inside);
	*inside = wait_inside;
	victim(1);
	return 0;
}

static void rewrite_while_inside(struct __test_metadata *_metadata,
				 const char *library, char *copy,
				 bool probe_exits)
{
	struct rescue_point rp = {
		.path = copy,
		.build_id = true,
		.probe_exits = probe_exits,
	};
	uint64_t build_id;
	pid_t child;

	ASSERT_EQ(0, file_copy(library, copy));
	ASSERT_EQ(0, file_symbol(copy, "library_victim", &rp.offset));
	ASSERT_EQ(0, file_build_id(copy, &build_id));
	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(sleeping_program, copy);
	meet_await(&shared->inside);
	ASSERT_EQ(0, flip(copy, build_id + BUILD_ID_SIZE - 1));
	EXPECT_EQ(0, child_run(load_library, copy));
	/* Without its doing. */
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_COMMITS, 1));
	meet_signal(&shared->go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(bound, to_a_library_that_is_rewritten_while_a_call_is_inside)
{
	rewrite_while_inside(_metadata, self->library, self->copy, false);
}

TEST_F(bound, to_a_library_that_is_rewritten_while_exits_are_probed)
{
	rewrite_while_inside(_metadata, self->library, self->copy, true);
}

/* Without its landings it is a rescue point all the same, and says so. */
TEST_F(bound, to_a_file_beside_landings_that_are_rewritten)
{
	struct rescue_point rp = {
		.path = self->program,
		.landing_path = self->copy,
	};

	ASSERT_EQ(0, file_symbol(self->program, "bound_victim", &rp.offset));
	ASSERT_EQ(0, file_copy(self->library, self->copy));
	ASSERT_EQ(0, file_symbol(self->copy, "library_victim",
				 &rp.landing_offset));
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_STREQ("", rescue_point_error());
	EXPECT_EQ(1, rescue_point_landings_probed("test"));
	/* A process that maps what is there now is left alone. */
	ASSERT_EQ(0, flip(self->copy, rp.landing_offset + 8));
	EXPECT_EQ(0, child_run(load_library, self->copy));
	EXPECT_EQ(REASSURE_FILE_CURRENT, rescue_point_file_state("test"));
	EXPECT_EQ(0, child_run(execute_rescued, self->program));
	ASSERT_EQ(0, rescue_point_delete("test"));
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_NE(NULL, strstr(rescue_point_error(), "not all landings"));
	EXPECT_EQ(0, rescue_point_landings_probed("test"));
	EXPECT_EQ(0, child_run(load_library, self->copy));
	EXPECT_EQ(0, child_run(execute_rescued, self->program));
	/* Another file in its place. */
	ASSERT_EQ(0, unlink(self->copy));
	ASSERT_EQ(0, file_copy(self->library, self->copy));
	ASSERT_EQ(0, rescue_point_rebind(&rp));
	EXPECT_STREQ("", rescue_point_error());
	EXPECT_EQ(1, rescue_point_landings_probed("test"));
	EXPECT_EQ(0, child_run(execute_rescued, self->program));
}

/* Written to between the tool's look and the module's. */
TEST_F(bound, to_another_build_than_was_read)
{
	struct rescue_point rp = { .path = self->copy, .build_id = true };

	ASSERT_EQ(0, file_copy(self->program, self->copy));
	ASSERT_EQ(0, file_symbol(self->copy, "bound_victim", &rp.offset));
	rp.build_id_flipped = true;
	EXPECT_EQ(-ESTALE, rescue_point_add(&rp));
	EXPECT_NE(NULL, strstr(rescue_point_error(), "has changed"));
	EXPECT_EQ(-ENOENT, rescue_point_file_state("test"));
}

/* A mount is busy while it has a rescue point, and nobody's afterwards. */
TEST_F(bound, to_a_file_whose_mount_goes)
{
	char below[128];

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mkdir(self->other, 0755));
	ASSERT_EQ(0, mount("none", self->other, "tmpfs", 0, ""));
	snprintf(below, sizeof(below), "%.100s/program", self->other);
	ASSERT_EQ(0, file_copy(self->program, below));
	ASSERT_EQ(0, file_copy(self->program, self->copy));
	ASSERT_EQ(0, protect(below, true));
	EXPECT_EQ(0, child_run(execute_rescued, below));
	EXPECT_EQ(-1, umount(self->other));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, child_run(execute_rescued, below));
	/* The rescue point moves away, or is deleted. */
	EXPECT_EQ(0, rebind(self->copy));
	EXPECT_EQ(0, umount(self->other));
	ASSERT_EQ(0, mount("none", self->other, "tmpfs", 0, ""));
	ASSERT_EQ(0, file_copy(self->program, below));
	EXPECT_EQ(0, rebind(below));
	EXPECT_EQ(-1, umount(self->other));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, rescue_point_delete("test"));
	EXPECT_EQ(0, umount(self->other));
}

/* So it is by landings. */
TEST_F(bound, to_a_file_beside_landings_whose_mount_goes)
{
	struct rescue_point rp = { .path = self->program };
	char below[128];

	ASSERT_EQ(0, file_symbol(self->program, "bound_victim", &rp.offset));
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mkdir(self->other, 0755));
	ASSERT_EQ(0, mount("none", self->other, "tmpfs", 0, ""));
	snprintf(below, sizeof(below), "%.100s/library", self->other);
	ASSERT_EQ(0, file_copy(self->library, below));
	rp.landing_path = below;
	rp.landing_offset = 1 << 30;
	EXPECT_EQ(-ERANGE, rescue_point_add(&rp));
	rp.landing_offset = 0;
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-1, umount(self->other));
	EXPECT_EQ(EBUSY, errno);
	rp.landing_path = NULL;
	EXPECT_EQ(0, rescue_point_rebind(&rp));
	EXPECT_EQ(0, umount(self->other));
}

TEST_HARNESS_MAIN
