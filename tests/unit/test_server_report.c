#include "sfu/server_report.h"

#include "sfu/forwarder.h"
#include "sfu/limits.h"
#include "sfu/process_usage.h"
#include "sfu/server.h"
#include "sfu/webhooks.h"
#include "signaling/http_server.h"
#include "tests/unit/session_fixture.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

static struct forwarder_stats workers[2];
static struct server_status status;
static struct http_stats http;
static struct webhook_stats webhooks;
static struct process_usage process;
static const struct limits_stats limits;
static struct server_report source;
static struct text out;

/* Ada and Bob are in the room, and the server has two workers. */
static void begin_report(void)
{
    begin();
    (void)join(ada, "demo", "Ada", "a");
    (void)join(bob, "demo", "Bob \"B\"", "A");
    (void)expect(ada, MESSAGE_PARTICIPANT);
    memset(workers, 0, sizeof(workers));
    status = (struct server_status){.rooms = 1, .participants = 2, .workers = 2};
    http = (struct http_stats){.messages_in = 5};
    source = (struct server_report){.directory = host.directory,
                                    .status = &status,
                                    .http = &http,
                                    .workers = workers,
                                    .webhooks = &webhooks,
                                    .process = &process,
                                    .limits = &limits};
    text_init(&out, 64 * 1024);
}

static void end_report(void)
{
    text_done(&out);
    end();
}

static void check_has(const char *line)
{
    if (!strstr(text_str(&out), line))
        printf("# no \"%s\" in\n%s\n", line, text_str(&out));
    CHECK(strstr(text_str(&out), line));
}

static void tell_quality(struct client *client, uint8_t score)
{
    struct mail_quality mail = {.mail = {.type = MAIL_QUALITY}};

    mail.quality = calloc(1, sizeof(*mail.quality));
    CHECK(mail.quality);
    mail.quality->score = score;
    mail.quality->estimate_bps = 2000000;
    session_mail(client->session, &mail.mail, now_us);
    CHECK(!mail.quality);
    (void)expect(client, MESSAGE_QUALITY);
}

static void metrics_have_a_line_for_each_worker(void)
{
    begin_report();
    workers[1].rtp_out = 77;
    server_report_metrics(&source, &out);
    check_has("# TYPE sluice_rtp_out_total counter\nsluice_rtp_out_total{worker=\"0\"} 0\n"
              "sluice_rtp_out_total{worker=\"1\"} 77\n");
    check_has("# TYPE sluice_rooms gauge\nsluice_rooms 1\n");
    check_has("sluice_messages_in_total 5\n");
    end_report();
}

static void metrics_tell_how_many_are_well_off(void)
{
    begin_report();
    tell_quality(ada, 90);
    tell_quality(ada, 100);
    tell_quality(bob, 29);
    server_report_metrics(&source, &out);
    check_has("sluice_participants_quality{level=\"bad\"} 1\n"
              "sluice_participants_quality{level=\"fair\"} 0\n"
              "sluice_participants_quality{level=\"good\"} 1\n");
    end_report();
}

static void every_counter_of_the_workers_is_a_metric(void)
{
    enum { COUNTERS = sizeof(struct forwarder_stats) / sizeof(uint64_t) };
    char line[64];

    begin_report();
    for (uint64_t i = 0; i < COUNTERS; i++) {
        uint64_t value = 1000 + i;

        memcpy((char *)&workers[0] + i * sizeof(value), &value, sizeof(value));
    }
    server_report_metrics(&source, &out);
    for (int i = 0; i < COUNTERS; i++) {
        (void)snprintf(line, sizeof(line), "{worker=\"0\"} %d\n", 1000 + i);
        check_has(line);
    }
    end_report();
}

static void every_counter_of_http_is_a_metric(void)
{
    enum { COUNTERS = offsetof(struct http_stats, connections) / sizeof(uint64_t) };
    char value[32];

    begin_report();
    for (uint64_t i = 0; i < COUNTERS; i++) {
        uint64_t number = 7000 + i;

        memcpy((char *)&http + i * sizeof(number), &number, sizeof(number));
    }
    server_report_metrics(&source, &out);
    for (int i = 0; i < COUNTERS; i++) {
        (void)snprintf(value, sizeof(value), " %d\n", 7000 + i);
        check_has(value);
    }
    end_report();
}

static void the_process_has_the_names_that_all_programs_have(void)
{
    begin_report();
    process = (struct process_usage){.cpu_us = 12345678, .resident_bytes = 77};
    server_report_metrics(&source, &out);
    check_has("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 12.345678\n");
    check_has("process_resident_memory_bytes 77\n");
    check_has("sluice_build_info{version=\"");
    end_report();
}

/* @return the name at the start of `line`, cut to fit */
static const char *name_at(const char *line, char name[128])
{
    size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");

    (void)snprintf(name, 128, "%.*s", (int)len, line);
    return name;
}

static void every_metric_has_help_and_type_by_its_name(void)
{
    char name[128], help[160], type[160];
    size_t n = 0;

    begin_report();
    server_report_metrics(&source, &out);
    for (const char *line = text_str(&out); *line; line = strchr(line, '\n') + 1) {
        size_t len;

        if (*line == '#')
            continue;
        len = strlen(name_at(line, name));
        (void)snprintf(help, sizeof(help), "# HELP %s ", name);
        check_has(help);
        (void)snprintf(type, sizeof(type), "# TYPE %s %s\n", name,
                       len > 6 && strcmp(name + len - 6, "_total") == 0 ? "counter" : "gauge");
        check_has(type);
        CHECK(strchr(line, '\n'));
        n++;
    }
    CHECK(n > 100);
    end_report();
}

/* @return the file, NUL-terminated; the caller frees it */
static char *read_dashboard(void)
{
    char path[1024];
    FILE *file;
    char *text = calloc(1, 1024 * 1024);

    const char *folder = getenv("SLUICE_SOURCE_DIR"); /* NOLINT(concurrency-mt-unsafe) */

    CHECK(text && folder);
    (void)snprintf(path, sizeof(path), "%s/docs/grafana/sluice.json", folder);
    file = fopen(path, "re");
    CHECK(file);
    CHECK(fread(text, 1, 1024 * 1024 - 1, file) > 0);
    CHECK_EQ(fclose(file), 0);
    return text;
}

static void the_dashboard_asks_for_metrics_that_there_are(void)
{
    static const char *const prefixes[] = {"sluice_", "process_"};
    char name[128], type[160];
    char *dashboard = read_dashboard();
    json_t *json = json_loads(dashboard, 0, NULL);
    size_t n = 0;

    CHECK(json);
    json_decref(json);
    begin_report();
    server_report_metrics(&source, &out);
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        for (const char *at = dashboard; (at = strstr(at, prefixes[i])); at++) {
            (void)snprintf(type, sizeof(type), "# TYPE %s ", name_at(at, name));
            check_has(type);
            n++;
        }
    }
    CHECK(n > 30);
    free(dashboard);
    end_report();
}

TAP_CASES(CASE(metrics_have_a_line_for_each_worker), CASE(metrics_tell_how_many_are_well_off),
          CASE(every_counter_of_the_workers_is_a_metric), CASE(every_counter_of_http_is_a_metric),
          CASE(the_process_has_the_names_that_all_programs_have),
          CASE(every_metric_has_help_and_type_by_its_name),
          CASE(the_dashboard_asks_for_metrics_that_there_are))
