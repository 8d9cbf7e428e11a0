// SPDX-License-Identifier: GPL-2.0
/* The text format of Prometheus, which a checker reads as promtool does. */
#include <ctype.h>
#include <locale.h>
#include <stdbool.h>

#include "test.h"

#include "names.h"
#include "netlink.h"
#include "prometheus.h"

#define METRICS_MAX 256
#define SERIES_MAX 4096

struct checker {
	/* What has had a HELP, the last of them now. */
	char *metrics[METRICS_MAX];
	size_t nr_metrics;
	char *series[SERIES_MAX];
	size_t nr_series;
	bool has_type;
	bool is_counter;
	/* Of the metric, up to now. */
	size_t nr_samples;
};

static bool is_in(char *const *texts, size_t count, const char *text)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(texts[i], text))
			return true;
	return false;
}

/* How long the name at @text is; 0 for none. */
static size_t name_length(const char *text, bool label)
{
	const char *end = text;

	while (isalnum((unsigned char)*end) || *end == '_' ||
	       (!label && *end == ':'))
		end++;
	if (isdigit((unsigned char)*text) || (label && !strncmp(text, "__", 2)))
		return 0;
	return end - text;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), size = strlen(end);

	return length >= size && !strcmp(text + length - size, end);
}

static const char *check_help(struct checker *checker, char *line)
{
	size_t length = name_length(line, false);

	if (checker->nr_metrics && !checker->nr_samples)
		return "no sample";
	if (!length || line[length] != ' ' || !line[length + 1])
		return "wrong HELP";
	line[length] = 0;
	if (is_in(checker->metrics, checker->nr_metrics, line))
		return "second HELP";
	if (checker->nr_metrics == METRICS_MAX)
		return "too many metrics";
	checker->metrics[checker->nr_metrics++] = line;
	checker->has_type = false;
	checker->nr_samples = 0;
	return NULL;
}

static const char *current(const struct checker *checker)
{
	return checker->nr_metrics ?
	       checker->metrics[checker->nr_metrics - 1] : "";
}

static const char *check_type(struct checker *checker, char *line)
{
	size_t length = name_length(line, false);
	const char *type = line + length + 1;

	if (!length || line[length] != ' ')
		return "wrong TYPE";
	line[length] = 0;
	if (strcmp(line, current(checker)))
		return "TYPE without HELP";
	if (checker->has_type)
		return "second TYPE";
	checker->has_type = true;
	checker->is_counter = !strcmp(type, "counter");
	if (!checker->is_counter && strcmp(type, "gauge"))
		return "unknown type";
	if (checker->is_counter != ends_with(line, "_total"))
		return "_total is for counters";
	if (strstr(line, "_ns") || strstr(line, "_ms"))
		return "unit";
	return NULL;
}

/* Moves @at behind the labels of a sample. */
static const char *check_labels(char **at)
{
	char names[16][64];
	size_t count = 0, length, i;

	do {
		++*at;
		length = name_length(*at, true);
		if (!length || length >= sizeof(names[0]) || count == 16 ||
		    strncmp(*at + length, "=\"", 2))
			return "wrong label";
		snprintf(names[count], sizeof(names[0]), "%.*s", (int)length,
			 *at);
		for (i = 0; i < count; i++)
			if (!strcmp(names[i], names[count]))
				return "label twice";
		count++;
		*at += length + 2;
		for (; **at && **at != '"'; ++*at)
			if (**at == '\\' && (!*++*at || !strchr("\\\"n", **at)))
				return "wrong escape";
		if (**at != '"')
			return "wrong label";
		++*at;
	} while (**at == ',');
	if (**at != '}')
		return "wrong label";
	++*at;
	return NULL;
}

static const char *check_sample(struct checker *checker, char *line)
{
	size_t length = name_length(line, false);
	const char *error = NULL;
	char *at = line + length, *end;
	double value;

	if (!length || length != strlen(current(checker)) ||
	    strncmp(line, current(checker), length) || !checker->has_type)
		return "sample without HELP and TYPE";
	if (*at == '{')
		error = check_labels(&at);
	if (error)
		return error;
	if (*at != ' ')
		return "wrong sample";
	*at++ = 0;
	value = strtod(at, &end);
	if (!isdigit((unsigned char)*at) || *end)
		return "wrong value";
	if (value < 0)
		return "negative";
	if (is_in(checker->series, checker->nr_series, line))
		return "sample twice";
	if (checker->nr_series == SERIES_MAX)
		return "too many samples";
	checker->series[checker->nr_series++] = line;
	checker->nr_samples++;
	return NULL;
}

/* What is wrong with @text, or NULL. */
static const char *check(const char *text)
{
	struct checker checker = {};
	char *copy = strdup(text), *rest = copy, *line;
	const char *error = NULL;

	if (!ends_with(text, "\n"))
		error = "no newline at the end";
	if (mbstowcs(NULL, text, 0) == (size_t)-1)
		error = "no UTF-8";
	while (!error && (line = strsep(&rest, "\n")) && rest) {
		if (!strncmp(line, "# HELP ", 7))
			error = check_help(&checker, line + 7);
		else if (!strncmp(line, "# TYPE ", 7))
			error = check_type(&checker, line + 7);
		else
			error = check_sample(&checker, line);
	}
	if (!error && !checker.nr_samples)
		error = "no sample";
	free(copy);
	return error;
}

#define HEAD "# HELP a A.\n# TYPE a gauge\n"

static void test_checker(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} samples[] = {
		{ HEAD "a 1\n", NULL },
		{ HEAD "a{b=\"\\\\\\\"\\n,}\",c=\"\"} 1.5\na{b=\"x\"} 2\n", NULL },
		{ "", "no newline" },
		{ HEAD "a 1", "no newline" },
		{ HEAD, "no sample" },
		{ "a 1\n", "without HELP and TYPE" },
		{ "# TYPE a gauge\na 1\n", "TYPE without HELP" },
		{ "# HELP a A.\na 1\n", "without HELP and TYPE" },
		{ "# HELP a\n# TYPE a gauge\na 1\n", "wrong HELP" },
		{ HEAD "b 1\n", "without HELP and TYPE" },
		{ HEAD "a{b=\"x\"} 1\na{b=\"x\"} 2\n", "sample twice" },
		{ HEAD "a 1\n" HEAD "a{b=\"x\"} 1\n", "second HELP" },
		{ HEAD "# TYPE a gauge\na 1\n", "second TYPE" },
		{ HEAD "a 1\n# HELP b B.\n# TYPE b gauge\na{b=\"x\"} 1\n",
			"without HELP and TYPE" },
		{ HEAD "# HELP b B.\n# TYPE b gauge\nb 1\n", "no sample" },
		{ "# HELP 1a A.\n# TYPE 1a gauge\n1a 1\n", "wrong HELP" },
		{ "# HELP a-b A.\n# TYPE a-b gauge\na-b 1\n", "wrong HELP" },
		{ "# HELP a A.\n# TYPE a counter\na 1\n", "_total" },
		{ "# HELP a A.\n# TYPE a count\na 1\n", "unknown type" },
		{ "# HELP a_ns A.\n# TYPE a_ns gauge\na_ns 1\n", "unit" },
		{ HEAD "a{1=\"x\"} 1\n", "wrong label" },
		{ HEAD "a{__b=\"x\"} 1\n", "wrong label" },
		{ HEAD "a{b:c=\"x\"} 1\n", "wrong label" },
		{ HEAD "a{b=x} 1\n", "wrong label" },
		{ HEAD "a{b=\"x\"y\"} 1\n", "wrong label" },
		{ HEAD "a{b=\"x\ny\"} 1\n", "wrong label" },
		{ HEAD "a{b=\"x\",b=\"y\"} 1\n", "label twice" },
		{ HEAD "a{b=\"\\x\"} 1\n", "wrong escape" },
		{ HEAD "a{b=\"\\", "no newline" },
		{ HEAD "a{b=\"\\\n", "wrong escape" },
		{ HEAD "a{b=\"\xff\"} 1\n", "no UTF-8" },
		{ HEAD "a  1\n", "wrong value" },
		{ HEAD "a x\n", "wrong value" },
		{ HEAD "a 1 1700000000\n", "wrong value" },
		{ HEAD "a -1\n", "wrong value" },
	};
	const char *error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		error = check(samples[i].text);
		if (!error != !samples[i].error ||
		    (error && !strstr(error, samples[i].error)))
			fail_msg("%s: %s", samples[i].text, error ?: "right");
	}
}

/* The metrics of the module and of @points. */
static char *print(const struct kernel_answer *points, size_t count)
{
	struct prometheus *metrics = prometheus_new();
	struct kernel_answer status = {
		.version = "1.2.3",
		.off = REASSURE_OFF_DIFFERENCE,
		.rescue_points = count,
		.events = 5,
		.events_lost = 2,
	};
	char *text = NULL;
	size_t size, i;
	FILE *to;

	for (i = 0; i < REASSURE_COUNTERS; i++)
		status.counters[i] = 1ull << 63 | i;
	for (i = 0; i < REASSURE_REFUSALS; i++)
		status.refused[i] = 3000 + i;
	to = open_memstream(&text, &size);
	assert_non_null(metrics);
	assert_non_null(to);
	prometheus_add_status(&status, metrics);
	for (i = 0; i < count; i++)
		prometheus_add_point(&points[i], metrics);
	assert_true(prometheus_print(to, metrics));
	assert_int_equal(fclose(to), 0);
	if (check(text))
		fail_msg("%s:\n%s", check(text), text);
	return text;
}

static void test_status(void **state)
{
	char *text = print(NULL, 0), line[128];
	int i;

	(void)state;
	assert_contains(text, "\nreassure_info{version=\"1.2.3\"} 1\n");
	assert_contains(text, "\nreassure_switched_off{reason=\"difference\"} 1\n");
	assert_contains(text, "\nreassure_switched_off{reason=\"rollback\"} 0\n");
	assert_null(strstr(text, "reason=\"no\""));
	assert_contains(text, "\nreassure_rescue_points 0\n");
	assert_contains(text, "\nreassure_events_total 5\n");
	assert_contains(text, "\nreassure_events_lost_total 2\n");
	assert_contains(text,
			"\n# TYPE reassure_rescues_total counter\n"
			"reassure_rescues_total 9223372036854775811\n");
	assert_contains(text,
			"\nreassure_rollback_seconds_total 9223372036.854775814\n");
	for (i = 0; i < REASSURE_REFUSALS; i++) {
		sprintf(line, "\nreassure_refused_total{reason=\"%s\"} %d\n",
			refusal_names[i], 3000 + i);
		assert_contains(text, line);
	}
	/* A new counter has its text. */
	assert_null(strstr(text, "(null)"));
	/* Without rescue points they have no metrics. */
	assert_null(strstr(text, "rescue_point_"));
	free(text);
}

#define POINT "reassure_rescue_point_"
#define FIRST "{rescue_point=\"first\""
#define SECOND "{rescue_point=\"-a.b+_\""

static void test_points(void **state)
{
	struct kernel_answer points[] = {
		{ .name = "first", .path = "/a \"b\"\\c\nd\xff", .enabled = true,
		  .function = "f", .build_id = (const __u8 *)"\x0a\xff",
		  .build_id_size = 2, .file_state = REASSURE_FILE_REPLACED },
		{ .name = "-a.b+_", .mode = REASSURE_MODE_OBSERVE },
	};
	char *text, line[128];
	int i;

	(void)state;
	points[0].counters[REASSURE_COUNTER_ROLLBACK_NS] = 1000000001;
	points[1].counters[REASSURE_COUNTER_RESCUES] = 7;
	for (i = 0; i < REASSURE_REFUSALS; i++)
		points[1].refused[i] = 100 + i;
	text = print(points, 2);
	assert_contains(text,
			"\n# TYPE reassure_rescue_point_info gauge\n"
			POINT "info" FIRST
			",exe=\"/a \\\"b\\\"\\\\c\\nd\357\277\275\",function=\"f\",build_id=\"0aff\"} 1\n"
			POINT "info" SECOND ",exe=\"\",function=\"\",build_id=\"\"} 1\n");
	assert_contains(text, POINT "enabled" FIRST "} 1\n"
			POINT "enabled" SECOND "} 0\n");
	assert_contains(text, POINT "observing" FIRST "} 0\n"
			POINT "observing" SECOND "} 1\n");
	assert_contains(text, POINT "file" FIRST ",state=\"current\"} 0\n"
			POINT "file" FIRST ",state=\"replaced\"} 1\n"
			POINT "file" FIRST ",state=\"rewritten\"} 0\n"
			POINT "file" SECOND ",state=\"current\"} 1\n");
	assert_contains(text, POINT "rollback_seconds_total" FIRST "} 1.000000001\n");
	assert_contains(text, POINT "rescues_total" FIRST "} 0\n"
			POINT "rescues_total" SECOND "} 7\n");
	for (i = 0; i < REASSURE_REFUSALS; i++) {
		sprintf(line, "\n" POINT "refused_total" SECOND ",reason=\"%s\"} %d\n",
			refusal_names[i], 100 + i);
		assert_contains(text, line);
	}
	for (i = 0; i < REASSURE_COUNTERS; i++)
		if (i != REASSURE_COUNTER_ROLLBACK_NS) {
			sprintf(line, "\n" POINT "%s_total" FIRST "} 0\n",
				counter_names[i]);
			assert_contains(text, line);
		}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checker),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_points),
	};

	/* For what is UTF-8. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("prometheus", tests, NULL, NULL);
}
