#include "client/verdict.h"

#include "media/base/clock.h"
#include "tests/tap.h"

static const struct options options = {.server = "ws://h:1/ws", .record = "x.wav"};

static struct verdict joined(void)
{
    struct verdict v;
    struct plan_candidate candidate = {.address = "192.0.2.1", .port = 7882};
    struct media_plan plan = {.n_candidates = 1, .candidates = &candidate};

    verdict_init(&v, &options, 0);
    verdict_on_link(&v, LINK_GATHERED, 1 * SECOND);
    verdict_on_call(&v, CALL_JOINED, 2 * SECOND);
    verdict_on_plan(&v, &plan, 0);
    verdict_on_link(&v, LINK_CHECKING, 2 * SECOND);
    return v;
}

static bool says(const char *text, const char *what)
{
    return text && strstr(text, what);
}

static void a_server_that_does_not_answer_is_named(void)
{
    struct verdict v;

    verdict_init(&v, &options, 0);
    CHECK_EQ(verdict_deadline(&v), 10 * SECOND);
    CHECK(!verdict_now(&v, NULL, NULL, 10 * SECOND - 1));
    CHECK(says(verdict_now(&v, NULL, NULL, 10 * SECOND), "no answer from ws://h:1/ws"));
}

static void a_media_address_that_does_not_answer_is_named(void)
{
    struct verdict v = joined();

    CHECK_EQ(verdict_deadline(&v), 17 * SECOND);
    CHECK(!verdict_now(&v, NULL, NULL, 17 * SECOND - 1));
    CHECK(says(verdict_now(&v, NULL, NULL, 17 * SECOND), "192.0.2.1 port 7882"));
    CHECK(says(verdict_on_failure(&v, "no path"), "192.0.2.1 port 7882"));
}

static void a_handshake_that_does_not_end_is_told_apart(void)
{
    struct verdict v = joined();

    verdict_on_link(&v, LINK_CONNECTING, 3 * SECOND);
    CHECK(says(verdict_now(&v, NULL, NULL, 17 * SECOND), "DTLS"));
    CHECK(says(verdict_on_failure(&v, "wrong certificate"), "wrong certificate"));
}

static void a_connection_that_breaks_is_lost(void)
{
    struct verdict v = joined();

    verdict_on_link(&v, LINK_CONNECTED, 3 * SECOND);
    CHECK_EQ(verdict_deadline(&v), NEVER_US);
    CHECK(!verdict_now(&v, NULL, NULL, 100 * SECOND));
    verdict_on_link(&v, LINK_FAILED, 100 * SECOND);
    CHECK(says(verdict_on_failure(&v, "timeout"), "was lost: timeout"));
}

static void leaving_before_media_is_a_failure(void)
{
    struct verdict v = joined();

    CHECK(says(verdict_at_end(&v, NULL, 3 * SECOND), "before media"));
}

static void who_leaves_waits_for_nothing(void)
{
    struct verdict v = joined();

    verdict_on_call(&v, CALL_LEAVING, 3 * SECOND);
    CHECK(!verdict_now(&v, NULL, NULL, 100 * SECOND));
}

TAP_CASES(CASE(a_server_that_does_not_answer_is_named),
          CASE(a_media_address_that_does_not_answer_is_named),
          CASE(a_handshake_that_does_not_end_is_told_apart), CASE(a_connection_that_breaks_is_lost),
          CASE(leaving_before_media_is_a_failure), CASE(who_leaves_waits_for_nothing))
