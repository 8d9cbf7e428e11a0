// SPDX-License-Identifier: GPL-2.0
/* The table of verbs. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reassurectl.h"

#define VERBS \
	"add, set, list, show, status, monitor, top, report, enable, disable, on, off, inject, refresh, check, apply, save"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{ "add", cmd_add,
	  "add --exe PATH (--function NAME | --offset N) --return VALUE|void\n"
	  "    [--name NAME] [--signals LIST] [--handled rescue|leave]\n"
	  "    [--shared refuse|leave|restore] [--budget N/SECONDS|unlimited]\n"
	  "    [--exhausted die|skip] [--deadline MS] [--threads stop|run]\n"
	  "    [--watchdog MS] [--escalate N] [--mode rescue|observe]\n"
	  "    [--exits auto|return|all] [--landings auto|none]\n"
	  "    [--enabled yes|no] [--allow-setuid yes|no] [--cgroup PATH]...\n"
	  "    [--unit NAME.service]... [--build-id HEX]\n"
	  "\n"
	  "Makes a function a rescue point: a fatal signal in it rolls the process\n"
	  "back to its entry and makes it return VALUE.\n"
	  "\n"
	  "  --exe PATH        the executable or shared library\n"
	  "  --function NAME   the function, C++ names as they are or demangled\n"
	  "  --offset N        instead: offset of an instruction in the file\n"
	  "  --return VALUE    what it returns then: a signed 64-bit number, or void\n"
	  "  --name NAME       default: the function's name, or FILE+0xOFFSET\n"
	  "  --signals LIST    of SEGV,BUS,FPE,ILL,ABRT (default) and TRAP,SYS\n"
	  "  --handled WHAT    a fault for which the program has a handler:\n"
	  "                    rescue it (default) or leave it to the handler\n"
	  "  --shared WHAT     a call that wrote to shared memory: refuse to rescue\n"
	  "                    it (default), leave what it wrote, or restore that\n"
	  "  --budget LIMIT    at most N rescues in SECONDS (default 20/3600),\n"
	  "                    or unlimited\n"
	  "  --exhausted WHAT  when that is spent: die of the next fault (default),\n"
	  "                    or skip the function, which returns VALUE at once\n"
	  "  --deadline MS     a call that takes longer is rescued as if it had\n"
	  "                    crashed; default: none\n"
	  "  --threads WHAT    while one thread is in the function, the others stop\n"
	  "                    (default), or run, for programs whose threads have\n"
	  "                    little in common: a rollback takes back what they wrote\n"
	  "                    meanwhile, too, but for their own stacks; in both cases\n"
	  "                    only one of them is in the function at a time\n"
	  "  --watchdog MS     when a call is blocked for longer while other threads\n"
	  "                    wait for it, they go on and the call is not rescued;\n"
	  "                    default: 20\n"
	  "  --escalate N      when it was rescued N times inside one call of another\n"
	  "                    rescue point, the next fault takes that one back;\n"
	  "                    default: 3\n"
	  "  --mode WHAT       rescue (default), or observe: do all but the rescue and\n"
	  "                    count under 'refused' what would have been rescued\n"
	  "                    (observed)\n"
	  "  --exits HOW       how it is noticed that the function is left: by a\n"
	  "                    return probe, by a probe at all its exits, for\n"
	  "                    programs with C++ exceptions or that switch stacks,\n"
	  "                    or as the file needs it (auto, default)\n"
	  "  --landings WHICH  where longjmp(), C++ exceptions and setcontext() end in\n"
	  "                    the program and its C library: probe these places, so\n"
	  "                    that a call that is left is known to be (auto,\n"
	  "                    default), or none\n"
	  "  --enabled         no: leave calls alone until 'reassurectl enable NAME';\n"
	  "                    default: yes\n"
	  "  --allow-setuid    yes: also programs that gained privileges when they\n"
	  "                    were executed; default: no\n"
	  "  --cgroup PATH     only processes in this cgroup or below it, like\n"
	  "                    /system.slice/NAME.service; may be given several times;\n"
	  "                    default: all\n"
	  "  --unit NAME       only processes of this unit of systemd, which runs now:\n"
	  "                    the same as --cgroup with its cgroup\n"
	  "  --build-id HEX    the build-id that the file must have; default: any\n" },
	{ "list", cmd_list,
	  "list [--json]\n\nShows the rescue points and their counters.\n" },
	{ "show", cmd_show,
	  "show NAME... [--json]\n"
	  "\n"
	  "Shows all there is to know of rescue points: whether they protect and, if\n"
	  "not, why; their places, settings, and each of their counters.\n"
	  "Write -- before a NAME that begins with two dashes.\n" },
	{ "status", cmd_status,
	  "status [--json | --prometheus]\n"
	  "\n"
	  "Shows the counters of all rescue points together.\n"
	  "\n"
	  "  --prometheus      these and those of each, for the textfile collector of\n"
	  "                    Prometheus's node_exporter\n" },
	{ "monitor", cmd_monitor,
	  "monitor [--json] [--count N]\n"
	  "\n"
	  "Shows faults in protected programs as they come, until it is interrupted:\n"
	  "what became of them, and the functions that had called each other.\n"
	  "\n"
	  "  --json            one object a line\n"
	  "  --count N         only the next N\n" },
	{ "top", cmd_top,
	  "top [--interval SECONDS] [--count N] [--sort calls|cost|rescues] [--json]\n"
	  "\n"
	  "Shows again and again what rescue points have counted since the last time,\n"
	  "in its place on a terminal, until q is pressed or it is interrupted.\n"
	  "\n"
	  "  --interval SECONDS  default: 2\n"
	  "  --count N           only N times\n"
	  "  --sort WHAT         by calls (default), by cost: pages saved, then time of\n"
	  "                      rollbacks; or by rescues, then what was refused\n"
	  "  --json              one object a line\n" },
	{ "report", cmd_report,
	  "report collect [--directory DIR] [--quota SIZE] [--files N] [--count N]\n"
	  "       reassurectl report list [--directory DIR] [--json]\n"
	  "       reassurectl report show ID... [--directory DIR] [--json]\n"
	  "       reassurectl report group [--directory DIR] [--json]\n"
	  "       reassurectl report delete ID... | --all [--directory DIR]\n"
	  "\n"
	  "Keeps a report of each fault in protected programs, until it is interrupted,\n"
	  "and shows those that were kept: each, or how many had the same place.\n"
	  "\n"
	  "  --directory DIR   where they are; default: /var/lib/reassure\n"
	  "  --quota SIZE      remove the oldest before there are more bytes than this,\n"
	  "                    like 500M or 2G; default: 64M\n"
	  "  --files N         or more reports than this; default: 4096\n"
	  "  --count N         keep only the next N\n"
	  "  --json            one object a line\n"
	  "  --all             delete all reports\n" },
	{ "set", cmd_set,
	  "set NAME [--return VALUE|void] [--signals LIST]\n"
	  "    [--handled rescue|leave] [--shared refuse|leave|restore]\n"
	  "    [--budget N/SECONDS|unlimited] [--exhausted die|skip]\n"
	  "    [--deadline MS|none] [--threads stop|run] [--watchdog MS]\n"
	  "    [--escalate N] [--mode rescue|observe] [--enabled yes|no]\n"
	  "    [--allow-setuid yes|no] [--cgroup PATH]... [--cgroup all]\n"
	  "    [--unit NAME.service]...\n"
	  "\n"
	  "Changes a rescue point that is in use; 'reassurectl help add' explains the\n"
	  "options.  What is not given stays as it is, and so do the counters.  Calls\n"
	  "that are inside keep what they began with.  Cgroups that are given replace\n"
	  "those before.\n"
	  "Write -- before a NAME that begins with two dashes.\n" },
	{ "enable", cmd_enable,
	  "enable NAME... | --all\n"
	  "\n"
	  "Lets rescue points that were disabled protect calls again.\n"
	  "Write -- before a NAME that begins with two dashes.\n" },
	{ "disable", cmd_disable,
	  "disable NAME... | --all\n"
	  "\n"
	  "Lets programs alone as if there were no rescue point, until it is enabled.\n"
	  "Settings and counters stay.  Calls that are inside are committed.\n"
	  "Write -- before a NAME that begins with two dashes.\n" },
	{ "on", cmd_on,
	  "on\n"
	  "\n"
	  "Switches the whole module on again, whatever it was switched off for.\n"
	  "Rescue points that are disabled stay so.\n" },
	{ "off", cmd_off,
	  "off\n"
	  "\n"
	  "Switches the whole module off: no program is protected until 'reassurectl on'.\n"
	  "Rescue points, settings and counters stay.  Calls that are inside are\n"
	  "committed.  The module does so by itself after a defect of its own.\n" },
	{ "inject", cmd_inject,
	  "inject NAME --signal SIGNAL [--count N | --every N]\n"
	  "inject NAME --off\n"
	  "\n"
	  "Lets calls of a rescue point fault, to see whether the program really\n"
	  "handles the error that they return then.  The fault strikes when the function\n"
	  "begins, behind its first instruction at the latest.  It is rescued as any\n"
	  "other, at the cost of the budget; and where it is not, because the budget is\n"
	  "spent or for another reason, THE PROGRAM DIES OF IT as of a real one.\n"
	  "\n"
	  "  --signal SIGNAL   of which signal, out of those of the rescue point\n"
	  "  --count N         the next N calls, of all processes together; default: 1\n"
	  "  --every N         of N calls the last, again and again until --off\n"
	  "  --off             no calls any more\n"
	  "\n"
	  "Calls count that open a checkpoint.  It ends, too, when the rescue point is\n"
	  "changed, moved, disabled or deleted, or the module is switched off.\n"
	  "Write -- before a NAME that begins with two dashes.\n" },
	{ "refresh", cmd_refresh,
	  "refresh [NAME [--exe PATH]]\n"
	  "\n"
	  "Looks the functions of rescue points up again where the file was replaced,\n"
	  "or written to, and moves the rescue points there.\n"
	  "Settings and counters stay.  Programs that still run the old file are not\n"
	  "protected any more.\n"
	  "\n"
	  "  NAME              only this one; default: all that 'list' says it of\n"
	  "  --exe PATH        the new file; default: the one at the old one's path\n" },
	{ "check", cmd_check,
	  "check [--json] FILE|DIRECTORY...\n"
	  "\n"
	  "Reads configuration files, reassure.conf(5), looks up what they name in the\n"
	  "installed programs, and says all that is wrong.  Changes nothing, and needs\n"
	  "neither the module nor root.  Of a directory the files *.conf are read.\n" },
	{ "apply", cmd_apply,
	  "apply [--prune] [--dry-run] [--json] FILE|DIRECTORY...\n"
	  "\n"
	  "Makes the rescue points what configuration files say, all of them or none,\n"
	  "and prints what changed.  What is so already is let alone.\n"
	  "\n"
	  "  --prune           delete the rescue points that are in no file\n"
	  "  --dry-run         print only what would change\n" },
	{ "save", cmd_save,
	  "save\n\nPrints the rescue points as a configuration file, reassure.conf(5).\n" },
	{ "delete", cmd_delete,
	  "delete NAME | --all\n\n"
	  "Deletes a rescue point, or all.  Calls that are inside are committed.\n"
	  "Write -- before a NAME that begins with two dashes.\n" },
	{}
};

static void print_message(const char *format, va_list arguments)
{
	fputs("reassurectl: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

int failed(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	return EXIT_FAILED;
}

int usage_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	fputs("Try 'reassurectl help'.\n", stderr);
	return EXIT_USAGE;
}

static void print_help(void)
{
	fputs("usage: reassurectl VERB [OPTION...]\n\n"
	      "Keeps programs alive when they crash: names functions that know how to\n"
	      "return an error, and shows what became of them.\n\n"
	      "  add      make a function a rescue point\n"
	      "  list     show the rescue points\n"
	      "  show     show all of some of them\n"
	      "  status   show the counters\n"
	      "  monitor  show faults as they come\n"
	      "  top      show what rescue points do now\n"
	      "  report   keep reports of faults, and show them\n"
	      "  set      change a rescue point\n"
	      "  disable  let calls alone for a while\n"
	      "  enable   protect them again\n"
	      "  off      protect nobody, whatever the rescue points say\n"
	      "  on       protect again\n"
	      "  inject   let calls fault, to see what the program does\n"
	      "  refresh  find rescue points again in files that were replaced\n"
	      "  delete   delete rescue points\n"
	      "  check    look for mistakes in configuration files\n"
	      "  apply    make the rescue points what configuration files say\n"
	      "  save     print the rescue points as a configuration file\n"
	      "  help     this text, or that of a verb\n\n"
	      "'reassurectl help VERB' explains a verb, reassurectl(8) everything.\n",
	      stdout);
}

static const struct verb *find_verb(const char *name)
{
	const struct verb *verb;

	for (verb = verbs; verb->name; verb++)
		if (!strcmp(verb->name, name))
			return verb;
	return NULL;
}

static int help_verb(const char *name)
{
	const struct verb *verb = find_verb(name);

	if (!verb)
		return usage_error("unknown verb '%s': " VERBS " and delete are known",
				   name);
	printf("usage: reassurectl %s", verb->help);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	const struct verb *verb;
	int i;

	if (argc < 2)
		return usage_error("a verb is missing: " VERBS " or delete");
	if (!strcmp(argv[1], "help")) {
		if (argc > 2)
			return help_verb(argv[2]);
		print_help();
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help();
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("reassurectl " REASSURECTL_VERSION);
		return EXIT_OK;
	}
	verb = find_verb(argv[1]);
	if (!verb)
		return usage_error("unknown verb '%s': " VERBS " and delete are known",
				   argv[1]);
	for (i = 2; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return help_verb(argv[1]);
	return verb->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int ret;

	/* Symbols are read from this machine, not asked for in the network. */
	unsetenv("DEBUGINFOD_URLS");
	ret = run(argc, argv);
	if (fflush(stdout) || ferror(stdout))
		return failed("cannot write the output: %s", strerror(errno));
	return ret;
}
