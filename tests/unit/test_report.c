#include "bench/report.h"
#include "media/base/clock.h"
#include "tests/tap.h"

#include <jansson.h>

static const struct bench_options options = {
    .scenario = {.kind = SCENARIO_BROADCAST, .publishers = 1, .subscribers = 2, .rooms = 1},
    .bitrate_bps = 1500000,
    .profile = SRTP_AEAD_AES_128_GCM,
};
static struct load_result r;
static struct text out;

/* 3 connections, 2 s, 1,000 packets of which 10 are lost, 0.5 s of CPU time. */
static void begin(void)
{
    r = (struct load_result){
        .endpoints = 3,
        .connected = 3,
        .window_us = 2 * SECOND,
        .sent = 500,
        .packets = 990,
        .bytes = 250000,
        .expected = 1000,
        .lost = 10,
        .probed = true,
        .server = {.user_us = 300000, .system_us = 200000},
        .memory_before_kib = 1000,
        .memory_after_kib = 1300,
        .generator_us = 100000,
        .calls_per_packet = -1,
        .findings = {.packets = 400, .gaps = 3},
    };
    for (int i = 1; i <= 1000; i++)
        histogram_add(&r.findings.delay_us, i * 10);
    text_init(&out, 64 * 1024);
}

static json_t *write_json(void)
{
    json_t *root;

    report_json(&out, &options, &r);
    root = json_loads(text_str(&out), 0, NULL);
    CHECK(json_is_object(root));
    return root;
}

static double number(json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    CHECK(json_is_number(value));
    return json_number_value(value);
}

static void close_to(double value, double expected)
{
    CHECK(value > expected * 0.96 - 1e-9 && value < expected * 1.04 + 1e-9);
}

static void json_has_every_figure_of_a_run(void)
{
    json_t *root;

    begin();
    root = write_json();
    close_to(number(root, "packets_per_s"), 495);
    close_to(number(root, "gbit_per_s"), 0.001);
    close_to(number(root, "loss_percent"), 1);
    close_to(number(root, "server_cpu_s"), 0.5);
    close_to(number(root, "packets_per_cpu_s"), 1980);
    close_to(number(root, "cpu_us_per_packet"), 505);
    close_to(number(root, "memory_kib_per_connection"), 100);
    close_to(number(json_object_get(root, "delay_ms"), "p50"), 5);
    close_to(number(json_object_get(root, "delay_ms"), "p99"), 9.9);
    close_to(number(json_object_get(root, "delay_ms"), "p999"), 9.99);
    close_to(number(json_object_get(root, "verified"), "missing"), 3);
    close_to(number(json_object_get(root, "generator"), "core_percent"), 5);
    CHECK_EQ(json_array_size(json_object_get(root, "warnings")), 0);
    json_decref(root);
    text_done(&out);
}

static void what_is_not_known_is_null(void)
{
    json_t *root;

    begin();
    r.probed = false;
    root = write_json();
    CHECK(json_is_null(json_object_get(root, "server_cpu_s")));
    CHECK(json_is_null(json_object_get(root, "cpu_us_per_packet")));
    CHECK(json_is_null(json_object_get(root, "calls_per_packet")));
    json_decref(root);
    text_done(&out);
}

static void a_run_in_which_nothing_came_is_json_all_the_same(void)
{
    begin();
    r = (struct load_result){.endpoints = 3, .calls_per_packet = -1};
    json_decref(write_json());
    text_done(&out);
}

static bool is_warned(const char *of)
{
    const char *warnings[REPORT_WARNINGS];
    int n = report_warnings(&r, warnings);

    CHECK(warnings[n] == NULL);
    for (int i = 0; i < n; i++) {
        if (strstr(warnings[i], of))
            return true;
    }
    return false;
}

static void a_generator_at_its_limit_is_told(void)
{
    begin();
    CHECK(!report_saturated(&r));
    r.generator_us = r.window_us * 95 / 100;
    CHECK(report_saturated(&r));
    CHECK(is_warned("90 % of a core"));
    begin();
    for (int i = 0; i < 100; i++)
        histogram_add(&r.late_us, 8 * MS);
    CHECK(report_saturated(&r));
    CHECK(is_warned("5 ms late"));
    begin();
    r.generator_drops = 1;
    CHECK(report_saturated(&r));
    CHECK(is_warned("overflowed"));
}

static void all_warnings_at_once_have_room(void)
{
    begin();
    r.generator_us = r.window_us;
    r.generator_drops = r.send_errors = r.bad_packets = r.findings.wrong = r.findings.reordered = 1;
    r.calls_traced = true;
    histogram_add(&r.late_us, SECOND);
    CHECK(is_warned("strace"));
    json_decref(write_json());
    text_done(&out);
}

static void the_table_names_who_could_not_connect(void)
{
    begin();
    r.failed = 1;
    (void)snprintf(r.error, sizeof(r.error), "refused");
    report_table(&out, &options, &r);
    CHECK(strstr(text_str(&out), "1 of 3: refused") != NULL);
    text_done(&out);
}

TAP_CASES(CASE(json_has_every_figure_of_a_run), CASE(what_is_not_known_is_null),
          CASE(a_run_in_which_nothing_came_is_json_all_the_same),
          CASE(a_generator_at_its_limit_is_told), CASE(all_warnings_at_once_have_room),
          CASE(the_table_names_who_could_not_connect))
