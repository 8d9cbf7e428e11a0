// SPDX-License-Identifier: GPL-2.0
/*
 * The counters in the text format of Prometheus, for the textfile collector of
 * its node_exporter.  All samples of a metric stand together there, so each is
 * a text of its own while rescue points are read one after the other.
 */
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "netlink.h"
#include "output.h"
#include "prometheus.h"
#include "text.h"

/* The counters of the module and of rescue points come last. */
enum metric {
	INFO,
	SWITCHED_OFF,
	RESCUE_POINTS,
	EVENTS,
	EVENTS_LOST,
	REFUSED,
	POINT_INFO,
	POINT_ENABLED,
	POINT_OBSERVING,
	POINT_FILE,
	POINT_REFUSED,
	NAMED_METRICS,
	COUNTERS = NAMED_METRICS,
	POINT_COUNTERS = COUNTERS + REASSURE_COUNTERS,
	METRICS = POINT_COUNTERS + REASSURE_COUNTERS,
};

static const struct {
	const char *name;
	const char *type;
	const char *help;
} named[NAMED_METRICS] = {
	[INFO] = { "info", "gauge", "The module; always 1." },
	[SWITCHED_OFF] = { "switched_off", "gauge",
		"1 if the module is switched off, and protects nobody, for this reason." },
	[RESCUE_POINTS] = { "rescue_points", "gauge", "Rescue points." },
	[EVENTS] = { "events_total", "counter",
		"Faults that were noted for a monitor." },
	[EVENTS_LOST] = { "events_lost_total", "counter",
		"Those of the events that nobody has read in time." },
	[REFUSED] = { "refused_total", "counter",
		"Faults in rescue points that were not rescued, deleted ones included." },
	[POINT_INFO] = { "rescue_point_info", "gauge",
		"Where the rescue point is; always 1." },
	[POINT_ENABLED] = { "rescue_point_enabled", "gauge",
		"0 if the rescue point is disabled." },
	[POINT_OBSERVING] = { "rescue_point_observing", "gauge",
		"1 if the rescue point only observes." },
	[POINT_FILE] = { "rescue_point_file", "gauge",
		"1 for what became of the rescue point's file: current, or it needs a refresh." },
	[POINT_REFUSED] = { "rescue_point_refused_total", "counter",
		"Faults in the rescue point that were not rescued." },
};

static const char *const counter_help[REASSURE_COUNTERS] = {
	[REASSURE_COUNTER_CHECKPOINTS] = "Calls that were protected",
	[REASSURE_COUNTER_COMMITS] = "Protected calls that returned",
	[REASSURE_COUNTER_ABANDONED] =
		"Protected calls that were left without returning",
	[REASSURE_COUNTER_RESCUES] = "Faults that were rescued",
	[REASSURE_COUNTER_PAGES_SAVED] = "Pages whose content was copied",
	[REASSURE_COUNTER_PAGES_RESTORED] =
		"Pages that rescues put back or removed",
	[REASSURE_COUNTER_ROLLBACK_NS] = "Time that rescues took",
	[REASSURE_COUNTER_DIFFERENCES] =
		"Rescues after which memory was not as it had been, a defect",
	[REASSURE_COUNTER_SKIPPED] =
		"Calls that returned at once because the budget was spent",
	[REASSURE_COUNTER_DEADLINES] =
		"Those of the rescues that were made because of a deadline",
	[REASSURE_COUNTER_GIVEN_UP] =
		"Calls that were given up because they were blocked while others waited",
	[REASSURE_COUNTER_INJECTED] =
		"Calls that were made to fault by reassurectl inject",
};

struct prometheus {
	struct {
		FILE *out;
		char *samples;
		size_t size;
	} metrics[METRICS];
	/* There is no memory. */
	bool failed;
};

struct label {
	const char *name;
	const char *value;
};

/* Times are in seconds there. */
static bool is_in_ns(int counter)
{
	const char *unit = strrchr(counter_names[counter], '_');

	return unit && !strcmp(unit, "_ns");
}

static void print_name(FILE *to, enum metric metric)
{
	bool point = metric >= POINT_COUNTERS;
	int counter = metric - (point ? POINT_COUNTERS : COUNTERS);
	const char *name;
	int length;

	if (metric < NAMED_METRICS) {
		fprintf(to, "reassure_%s", named[metric].name);
		return;
	}
	name = counter_names[counter];
	length = strlen(name);
	if (is_in_ns(counter))
		length -= strlen("_ns");
	fprintf(to, "reassure_%s%.*s%s_total", point ? "rescue_point_" : "",
		length, name, is_in_ns(counter) ? "_seconds" : "");
}

static void print_head(FILE *to, enum metric metric)
{
	bool point = metric >= POINT_COUNTERS;
	int counter = metric - (point ? POINT_COUNTERS : COUNTERS);

	fputs("# HELP ", to);
	print_name(to, metric);
	if (metric < NAMED_METRICS)
		fprintf(to, " %s", named[metric].help);
	else
		fprintf(to, " %s%s.", counter_help[counter],
			point ? "" : ", in all rescue points, deleted ones included");
	fputs("\n# TYPE ", to);
	print_name(to, metric);
	fprintf(to, " %s\n",
		metric < NAMED_METRICS ? named[metric].type : "counter");
}

static bool print_label(FILE *to, const struct label *label)
{
	char *clean = text_utf8(label->value), *c;

	if (!clean)
		return false;
	fprintf(to, "%s=\"", label->name);
	for (c = clean; *c; c++) {
		if (*c == '\n')
			fputs("\\n", to);
		else if (*c == '\\' || *c == '"')
			fprintf(to, "\\%c", *c);
		else
			fputc(*c, to);
	}
	fputc('"', to);
	free(clean);
	return true;
}

/* All but the value; @labels are ended by a NULL name. */
static FILE *begin(struct prometheus *metrics, enum metric metric,
		   const struct label *labels)
{
	FILE *out = metrics->metrics[metric].out;
	const struct label *label;

	print_name(out, metric);
	for (label = labels; label->name; label++) {
		fputc(label == labels ? '{' : ',', out);
		metrics->failed |= !print_label(out, label);
	}
	if (label != labels)
		fputc('}', out);
	fputc(' ', out);
	return out;
}

static void add(struct prometheus *metrics, enum metric metric,
		const struct label *labels, __u64 value)
{
	fprintf(begin(metrics, metric, labels), "%llu\n", value);
}

/* One that is 1, of all that there may be, so that each has a value always. */
static void add_choice(struct prometheus *metrics, enum metric metric,
		       const struct label *labels, const char *const *names,
		       int first, int last, int chosen)
{
	struct label all[3];
	int i, which;

	memcpy(all, labels, sizeof(all));
	for (which = 0; all[which].value; which++)
		;
	for (i = first; i <= last; i++) {
		all[which].value = names[i];
		add(metrics, metric, all, i == chosen);
	}
}

static void add_counters(struct prometheus *metrics, enum metric first,
			 const struct label *labels,
			 const struct kernel_answer *answer)
{
	__u64 value;
	int i;

	for (i = 0; i < REASSURE_COUNTERS; i++) {
		value = answer->counters[i];
		if (is_in_ns(i))
			fprintf(begin(metrics, first + i, labels),
				"%llu.%09llu\n", value / 1000000000,
				value % 1000000000);
		else
			add(metrics, first + i, labels, value);
	}
}

void prometheus_add_status(const struct kernel_answer *answer, void *data)
{
	const struct label none[] = { {} };
	const struct label version[] = {
		{ "version", answer->version ?: "" }, {},
	};
	const struct label off[3] = { { "reason", NULL } };
	struct label reason[] = { { "reason", NULL }, {} };
	struct prometheus *metrics = data;
	int i;

	add(metrics, INFO, version, 1);
	add_choice(metrics, SWITCHED_OFF, off, off_names,
		   REASSURE_OFF_NOT + 1, REASSURE_OFF_MAX, answer->off);
	add(metrics, RESCUE_POINTS, none, answer->rescue_points);
	add(metrics, EVENTS, none, answer->events);
	add(metrics, EVENTS_LOST, none, answer->events_lost);
	add_counters(metrics, COUNTERS, none, answer);
	for (i = 0; i < REASSURE_REFUSALS; i++) {
		reason->value = refusal_names[i];
		add(metrics, REFUSED, reason, answer->refused[i]);
	}
}

void prometheus_add_point(const struct kernel_answer *answer, void *data)
{
	char build_id[BUILD_ID_TEXT_SIZE];
	const struct label name[] = { { "rescue_point", answer->name }, {} };
	const struct label place[] = {
		{ "rescue_point", answer->name },
		{ "exe", answer->path ?: "" },
		{ "function", answer->function ?: "" },
		{ "build_id", build_id },
		{}
	};
	const struct label file[3] = {
		{ "rescue_point", answer->name }, { "state", NULL },
	};
	struct label reason[] = {
		{ "rescue_point", answer->name }, { "reason", NULL }, {},
	};
	struct prometheus *metrics = data;
	int i;

	build_id_text(answer, build_id);
	add(metrics, POINT_INFO, place, 1);
	add(metrics, POINT_ENABLED, name, answer->enabled);
	add(metrics, POINT_OBSERVING, name,
	    answer->mode == REASSURE_MODE_OBSERVE);
	add_choice(metrics, POINT_FILE, file, file_state_names,
		   REASSURE_FILE_CURRENT, REASSURE_FILE_MAX,
		   answer->file_state);
	add_counters(metrics, POINT_COUNTERS, name, answer);
	for (i = 0; i < REASSURE_REFUSALS; i++) {
		reason[1].value = refusal_names[i];
		add(metrics, POINT_REFUSED, reason, answer->refused[i]);
	}
}

bool prometheus_print(FILE *to, struct prometheus *metrics)
{
	bool good = !metrics->failed;
	FILE *out;
	int i;

	for (i = 0; i < METRICS; i++) {
		out = metrics->metrics[i].out;
		good &= out && !ferror(out);
		if (out)
			good &= !fclose(out);
	}
	for (i = 0; i < METRICS; i++) {
		if (to && good && metrics->metrics[i].size) {
			print_head(to, i);
			fputs(metrics->metrics[i].samples, to);
		}
		free(metrics->metrics[i].samples);
	}
	free(metrics);
	return good;
}

struct prometheus *prometheus_new(void)
{
	struct prometheus *metrics = calloc(1, sizeof(*metrics));
	int i;

	for (i = 0; metrics && i < METRICS; i++) {
		metrics->metrics[i].out =
			open_memstream(&metrics->metrics[i].samples,
				       &metrics->metrics[i].size);
		if (metrics->metrics[i].out)
			continue;
		prometheus_print(NULL, metrics);
		return NULL;
	}
	return metrics;
}
