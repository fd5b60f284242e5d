#include "sfu/session_limits.h"

#include "sfu/limits.h"
#include "tests/unit/session_fixture.h"

enum { PER_S = 3, BURST = PER_S * SESSION_LIMITS_BURST_S };

static void begin_limited(void)
{
    begin();
    CHECK_EQ(limits_new(&host.limits, &config), 0);
}

static void end_limited(void)
{
    struct limits *limits = host.limits;

    end();
    limits_free(limits);
}

static void ping(struct client *client)
{
    say_text(client, "{\"t\":\"ping\",\"id\":7}");
}

/* @return the refusal */
static const struct message *expect_refused(struct client *client, uint64_t id)
{
    const struct message *error = expect(client, MESSAGE_ERROR);

    CHECK_STR(error->code, "rate_limited");
    CHECK_EQ(error->id, id);
    CHECK(error->retry_after_ms > 0);
    return error;
}

static void who_sends_too_much_is_told_to_wait(void)
{
    uint32_t wait_ms;

    begin_limited();
    config.max_messages_per_s = PER_S;
    for (int i = 0; i < BURST; i++) {
        ping(ada);
        expect(ada, MESSAGE_PONG);
    }
    ping(ada);
    wait_ms = expect_refused(ada, 7)->retry_after_ms;
    CHECK(wait_ms >= 333 && wait_ms <= 335);
    now_us += wait_ms * MS;
    ping(ada);
    expect(ada, MESSAGE_PONG);
    CHECK_EQ(ada->close_code, 0);
    CHECK_EQ(limits_stats(host.limits)->messages, 1);
    end_limited();
}

static void who_goes_on_is_dismissed(void)
{
    begin_limited();
    config.max_messages_per_s = PER_S;
    for (int i = 0; i < BURST; i++) {
        ping(ada);
        expect(ada, MESSAGE_PONG);
    }
    for (int i = 0; i < SESSION_LIMITS_REFUSALS; i++) {
        CHECK_EQ(ada->close_code, 0);
        ping(ada);
        expect_refused(ada, 7);
        ada->n_heard = ada->n_read = 0;
    }
    ping(ada);
    CHECK_STR(expect(ada, MESSAGE_GO)->code, "rate_limited");
    CHECK_EQ(ada->close_code, 1008);
    CHECK_EQ(limits_stats(host.limits)->dismissed, 1);
    end_limited();
}

static void who_asks_a_little_too_often_for_hours_stays(void)
{
    begin_limited();
    config.max_messages_per_s = PER_S;
    for (int i = 0; i < 1000; i++, now_us += SECOND / (PER_S + 1)) {
        ping(ada);
        ada->n_heard = ada->n_read = 0;
    }
    CHECK_EQ(ada->close_code, 0);
    CHECK(limits_stats(host.limits)->messages > 100);
    end_limited();
}

static void long_messages_count_by_their_bytes(void)
{
    char json[2000];

    begin_limited();
    config.max_bytes_per_s = 1000;
    (void)snprintf(json, sizeof(json), "{\"t\":\"ping\",\"id\":7,\"x\":\"%01900d\"}", 0);
    for (int i = 0; i < 2; i++) {
        say_text(ada, json);
        expect(ada, MESSAGE_PONG);
    }
    say_text(ada, json);
    expect_refused(ada, 0); /* too long to be read for its id */
    CHECK_EQ(limits_stats(host.limits)->bytes, 1);
    end_limited();
}

static void what_others_are_told_of_has_a_limit_of_its_own(void)
{
    uint32_t track;
    char mute[96];

    begin_limited();
    config.max_changes_per_s = PER_S;
    track = join(ada, "demo", "Ada", "a")->tracks[0].id;
    (void)snprintf(mute, sizeof(mute),
                   "{\"t\":\"mute\",\"id\":9,\"track\":\"t-%08x\",\"muted\":true}", track);
    for (int i = 0; i < BURST; i++) {
        say_text(ada, mute);
        expect(ada, MESSAGE_OK);
    }
    drop_mails();
    say_text(ada, mute);
    expect_refused(ada, 9);
    CHECK_EQ(n_mails, 0);
    CHECK_EQ(limits_stats(host.limits)->changes, 1);
    ping(ada);
    expect(ada, MESSAGE_PONG);
    end_limited();
}

static void each_entry_of_a_view_counts(void)
{
    const char *view =
        "{\"t\":\"view\",\"id\":8,\"views\":[{\"mid\":\"0\",\"width\":320,\"height\":180},"
        "{\"mid\":\"1\",\"paused\":true}]}";

    begin_limited();
    config.max_views_per_s = PER_S;
    join(ada, "demo", "Ada", "VV");
    for (int i = 0; i < BURST / 2; i++) {
        say_text(ada, view);
        expect(ada, MESSAGE_OK);
    }
    drop_mails();
    say_text(ada, view);
    expect_refused(ada, 8);
    CHECK_EQ(n_mails, 0);
    CHECK_EQ(limits_stats(host.limits)->views, 1);
    end_limited();
}

static void joins_count_by_address(void)
{
    struct message error = {0};

    begin_limited();
    config.max_joins_per_s = 1;
    limits_set(host.limits, &config);
    session_limits_set_address(ada->session, "192.0.2.1");
    session_limits_set_address(bob->session, "127.0.0.1");
    for (int i = 0; i < LIMITS_BURST_S; i++)
        CHECK_EQ(session_limits_enter(ada->session, now_us, &error), 0);
    say_text(ada, "{\"t\":\"join\",\"id\":3,\"room\":\"demo\",\"offer\":\"v=0\"}");
    expect_refused(ada, 3);
    for (int i = 0; i < 100; i++) /* a reverse proxy on this host */
        CHECK_EQ(session_limits_enter(bob->session, now_us, &error), 0);
    end_limited();
}

TAP_CASES(CASE(who_sends_too_much_is_told_to_wait), CASE(who_goes_on_is_dismissed),
          CASE(who_asks_a_little_too_often_for_hours_stays),
          CASE(long_messages_count_by_their_bytes),
          CASE(what_others_are_told_of_has_a_limit_of_its_own), CASE(each_entry_of_a_view_counts),
          CASE(joins_count_by_address))
