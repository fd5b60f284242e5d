#include "sfu/server_report.h"

#include "sfu/forwarder.h"
#include "sfu/server.h"
#include "sfu/webhooks.h"
#include "signaling/http_server.h"
#include "tests/unit/session_fixture.h"

static struct forwarder_stats workers[2];
static struct server_status status;
static struct http_stats http;
static struct webhook_stats webhooks;
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
                                    .webhooks = &webhooks};
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

TAP_CASES(CASE(metrics_have_a_line_for_each_worker), CASE(metrics_tell_how_many_are_well_off),
          CASE(every_counter_of_the_workers_is_a_metric))
