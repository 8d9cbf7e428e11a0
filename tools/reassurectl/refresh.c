// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "netlink.h"
#include "parse.h"
#include "place.h"
#include "reassurectl.h"
#include "symbols.h"

struct refresh {
	/* NULL for all. */
	const char *name;
	/* NULL for the path of before. */
	const char *exe;
	int found;
	int ret;
};

static bool is_same_build(const struct kernel_answer *answer,
			  const struct place *place)
{
	return answer->build_id_size &&
	       answer->build_id_size == place->build_id_size &&
	       !memcmp(answer->build_id, place->build_id,
		       place->build_id_size);
}

/* Only a name can be found in another build. */
static bool find_again(const struct kernel_answer *answer, struct place *place,
		       struct symbols *symbols, char *error)
{
	place->offset = answer->offset;
	place->function = answer->function;
	if (answer->function)
		return symbols_find(symbols, answer->function, &place->offset,
				    error);
	return is_same_build(answer, place) ||
	       wrong(error,
		     "it was added by --offset, which another build has elsewhere; delete it and add it again");
}

/* Of a function whose exits were probed they are again. */
static bool find_exits(const struct kernel_answer *answer, struct place *place,
		       struct symbols *symbols, char *error)
{
	if (!answer->exits)
		return true;
	place->nr_exits = symbols_exits(symbols, place->offset, place->exits,
					REASSURE_EXITS_MAX, error);
	return place->nr_exits;
}

static bool is_current(const struct kernel_answer *answer)
{
	bool current = answer->file_state == REASSURE_FILE_CURRENT;
	int i;

	for (i = 0; i < answer->nr_landings; i++)
		current &= answer->landings[i].file_state ==
			   REASSURE_FILE_CURRENT;
	return current;
}

/* Finds all of @place but the file itself. */
static bool find_all(const struct kernel_answer *answer, struct place *place,
		     struct symbols *symbols, const char *path)
{
	char error[ERROR_SIZE];

	/* Landings are wanted only where there were some. */
	if (find_again(answer, place, symbols, error) &&
	    find_exits(answer, place, symbols, error) &&
	    (!answer->nr_landings ||
	     place_find_landings(place, symbols, path, error)))
		return true;
	failed("%s stays as it was: %s", answer->name, error);
	return false;
}

static int rebind(const struct kernel_answer *answer, const char *path)
{
	char error[ERROR_SIZE];
	struct symbols *symbols;
	struct place place = {};
	int ret = EXIT_FAILED;

	symbols = place_open(&place, path, error);
	if (!symbols)
		return failed("%s stays as it was: %s", answer->name, error);
	if (find_all(answer, &place, symbols, path) &&
	    !kernel_rebind(answer->name, &place)) {
		printf("%s: now at 0x%llx of %s\n", answer->name,
		       place.offset, path);
		ret = EXIT_OK;
	}
	place_close(&place, symbols);
	return ret;
}

static void visit(const struct kernel_answer *answer, void *data)
{
	struct refresh *refresh = data;

	if (refresh->name && strcmp(answer->name, refresh->name))
		return;
	refresh->found++;
	if (!refresh->exe && is_current(answer)) {
		if (refresh->name)
			printf("%s: the file is as it was\n", answer->name);
		return;
	}
	if (!refresh->exe && !answer->path)
		refresh->ret = failed("%s: the file has no path; see --exe",
				      answer->name);
	else if (rebind(answer, refresh->exe ?: answer->path))
		refresh->ret = EXIT_FAILED;
}

static bool parse(struct refresh *refresh, int argc, char **argv, char *error)
{
	int at = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1;

	if (argc == 1)
		return true;
	if (at >= argc || (at == 1 && !strncmp(argv[at], "--", 2)))
		return wrong(error,
			     "refresh takes the NAME of a rescue point first, or nothing; write -- before a name that begins with two dashes");
	refresh->name = argv[at++];
	if (!parse_name(refresh->name, error))
		return wrong(error,
			     "refresh: '%s' is not the name of a rescue point",
			     refresh->name);
	if (at + 1 == argc && !strncmp(argv[at], "--exe=", 6))
		refresh->exe = argv[at] + 6;
	else if (at + 2 == argc && !strcmp(argv[at], "--exe"))
		refresh->exe = argv[at + 1];
	else if (at < argc)
		return wrong(error,
			     "refresh: unknown argument '%s'; it takes --exe PATH",
			     argv[at]);
	return true;
}

int cmd_refresh(int argc, char **argv)
{
	struct refresh refresh = {};
	char error[ERROR_SIZE];

	if (!parse(&refresh, argc, argv, error))
		return usage_error("%s", error);
	if (kernel_list(visit, &refresh))
		return EXIT_FAILED;
	if (refresh.name && !refresh.found)
		return failed("cannot refresh %s: there is no rescue point of this name",
			      refresh.name);
	return refresh.ret;
}
