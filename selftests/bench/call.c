// SPDX-License-Identifier: GPL-2.0
/*
 * What one call of a function costs that writes one byte on each of some
 * pages: by itself, when a probe or a rescue point is on it, and with a
 * checkpoint made in user space.  Meant for a machine that counts a
 * nanosecond an instruction, where the time stamp counter counts instructions.
 */
#include <alloca.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "burden.h"
#include "busy.h"
#include "cold.h"
#include "crowd.h"
#include "function.h"
#include "rival.h"

#define ROUNDS_MAX	99

struct settings {
	struct call call;
	const struct rival *rival;
	long calls;
	long rounds;
	long warm_up;
	long settle;
	long crowd;
	long mappings;
	long files;
	long threads;
	long depth;
	long busy;
	long work;
	int wall_clock;
	int hold;
};

static _Noreturn void print_usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: call [OPTION...]\n"
		"Prints how many cycles of the time stamp counter a call takes.\n"
		"  --function NAME  stepped or emulated (its first instruction), or below or\n"
		"                   emulated_below (writes to its own stack frame)\n"
		"  --pages N        it writes a byte on each of N pages\n"
		"  --rss MB         the pages are of an area so large\n"
		"  --mode NAME      plain, or with copies, fork or undo as its checkpoint\n"
		"  --calls N        in a round; of each round the mean is taken\n"
		"  --rounds N       of whose means the median is printed, so that a few\n"
		"                   interruptions do not count\n"
		"  --warm-up N      calls before\n"
		"  --mappings N     so many more\n"
		"  --files N        so many more are open\n"
		"  --threads N      so many more sleep\n"
		"  --busy N         N threads call, each after some work\n"
		"  --work N         which takes N instructions\n"
		"  --depth N        inside N calls of the function 'around'\n"
		"  --crash          the function crashes, and is expected to be rescued\n"
		"  --cold N         each call writes to other pages, and N calls that write none\n"
		"                   are before it; prints what each page costs more than none\n"
		"  --wall-clock     print nanoseconds of the monotonic clock\n"
		"  --crowd N        so many processes call when told to by a line on standard\n"
		"                   input; prints no figures\n"
		"  --hold           after the warm-up say \"ready\" and do nothing\n");
	exit(status);
}

static long parse_number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 0) {
		fprintf(stderr, "bench: '%s' is not a number\n", text);
		exit(2);
	}
	return value;
}

static struct settings parse_options(int argc, char **argv)
{
	enum {
		FUNCTION, PAGES, RSS, MODE, CALLS, ROUNDS, WARM_UP, MAPPINGS,
		FILES, THREADS, BUSY, WORK, DEPTH, CRASH, COLD, WALL_CLOCK, CROWD, HOLD, HELP
	};
	static const struct option options[] = {
		{ "function", required_argument, NULL, FUNCTION },
		{ "pages", required_argument, NULL, PAGES },
		{ "rss", required_argument, NULL, RSS },
		{ "mode", required_argument, NULL, MODE },
		{ "calls", required_argument, NULL, CALLS },
		{ "rounds", required_argument, NULL, ROUNDS },
		{ "warm-up", required_argument, NULL, WARM_UP },
		{ "mappings", required_argument, NULL, MAPPINGS },
		{ "files", required_argument, NULL, FILES },
		{ "threads", required_argument, NULL, THREADS },
		{ "busy", required_argument, NULL, BUSY },
		{ "work", required_argument, NULL, WORK },
		{ "depth", required_argument, NULL, DEPTH },
		{ "crash", no_argument, NULL, CRASH },
		{ "cold", required_argument, NULL, COLD },
		{ "wall-clock", no_argument, NULL, WALL_CLOCK },
		{ "crowd", required_argument, NULL, CROWD },
		{ "hold", no_argument, NULL, HOLD },
		{ "help", no_argument, NULL, HELP },
		{ }
	};
	struct settings set = {
		.call.function = stepped,
		.call.pages = 1,
		.rival = find_rival("plain"),
		.calls = 256,
		.rounds = 9,
		.warm_up = 200,
		.settle = -1,
	};
	long rss = 8, *number;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		number = NULL;
		switch (option) {
		case FUNCTION:
			set.call.function = find_function(optarg);
			break;
		case MODE:
			set.rival = find_rival(optarg);
			break;
		case PAGES:
			number = &set.call.pages;
			break;
		case RSS:
			number = &rss;
			break;
		case CALLS:
			number = &set.calls;
			break;
		case ROUNDS:
			number = &set.rounds;
			break;
		case WARM_UP:
			number = &set.warm_up;
			break;
		case MAPPINGS:
			number = &set.mappings;
			break;
		case FILES:
			number = &set.files;
			break;
		case THREADS:
			number = &set.threads;
			break;
		case COLD:
			number = &set.settle;
			break;
		case CROWD:
			number = &set.crowd;
			break;
		case BUSY:
			number = &set.busy;
			break;
		case WORK:
			number = &set.work;
			break;
		case DEPTH:
			number = &set.depth;
			break;
		case CRASH:
			set.call.crash = 1;
			break;
		case WALL_CLOCK:
			set.wall_clock = 1;
			break;
		case HOLD:
			set.hold = 1;
			break;
		default:
			print_usage(option == HELP ? 0 : 2);
		}
		if (number)
			*number = parse_number(optarg);
	}
	set.call.area_pages = rss * (1 << 20) / PAGE_SIZE;
	if (optind < argc || !set.call.function || !set.rival || !set.calls ||
	    !set.rounds || set.rounds > ROUNDS_MAX ||
	    set.call.pages > PAGES_MAX || set.call.pages > set.call.area_pages)
		print_usage(2);
	if (set.settle >= 0 && (!set.call.pages || set.call.area_pages <
				set.call.pages * set.calls)) {
		fprintf(stderr, "bench: the area has too few cold pages\n");
		exit(2);
	}
	return set;
}

static unsigned long long now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static unsigned long long now(const struct settings *set)
{
	return set->wall_clock ? now_ns() : __rdtsc();
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void call_in_turn(const struct settings *set)
{
	long i;

	for (i = 0; i < set->calls; i++)
		set->rival->call(&set->call);
}

static void print_cost(const void *data)
{
	const struct settings *set = data;
	double means[ROUNDS_MAX];
	unsigned long long start;
	long round, calls;
	char *pad;

	/*
	 * Of the stack's last page only what lies above the stack pointer
	 * counts: half of it, where chance would give more or less.
	 */
	pad = alloca(((unsigned long)&pad - PAGE_SIZE / 2) % PAGE_SIZE);
	asm volatile("" : : "r" (pad));

	calls = set->calls * (set->busy ? set->busy : 1);
	for (round = 0; round < set->rounds; round++) {
		start = now(set);
		if (set->busy)
			call_in_busy_threads();
		else
			call_in_turn(set);
		means[round] = (double)(now(set) - start) / calls;
	}
	qsort(means, set->rounds, sizeof(*means), compare);
	printf("%.*f\n", set->wall_clock ? 1 : 0, means[set->rounds / 2]);
}

int main(int argc, char **argv)
{
	struct settings set = parse_options(argc, argv);
	long i;

	if (set.crowd) {
		run_crowd(&set.call, set.crowd, set.calls, set.warm_up);
		return 0;
	}
	make_area(&set.call);
	add_mappings(set.mappings);
	open_files(set.files);
	start_threads(set.threads);
	if (set.rival->prepare)
		set.rival->prepare(&set.call);
	if (set.settle >= 0) {
		printf("%llu\n", cold_page_cost(&set.call, set.calls,
						set.warm_up, set.settle));
		return 0;
	}
	for (i = 0; i < set.warm_up; i++)
		set.rival->call(&set.call);
	if (set.hold) {
		puts("ready");
		fflush(stdout);
		pause();
		return 0;
	}
	start_busy_threads(&set.call, set.busy, set.calls, set.work);
	if (set.depth)
		around(set.depth, print_cost, &set);
	else
		print_cost(&set);
	return 0;
}
