#include "sfu/limits.h"

#include "media/base/clock.h"
#include "sfu/config.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdio.h>

enum { JOINS_PER_S = 3, FAILURES_PER_S = 1, IDENTITIES_PER_S = 2 };

static struct limits *limits;
static struct config config;

static void begin(void)
{
    config_init(&config);
    config.max_joins_per_s = JOINS_PER_S;
    config.max_failures_per_s = FAILURES_PER_S;
    config.max_identity_joins_per_s = IDENTITIES_PER_S;
    CHECK_EQ(limits_new(&limits, &config), 0);
}

static uint32_t enter_many(const char *address, uint32_t n, int64_t now_us)
{
    struct message error = {0};
    uint32_t entered = 0;

    for (uint32_t i = 0; i < n; i++)
        entered += limits_enter(limits, address, now_us, &error) == 0;
    return entered;
}

static void an_address_joins_at_its_rate(void)
{
    struct message error = {0};

    begin();
    CHECK_EQ(enter_many("192.0.2.1", 100, SECOND), JOINS_PER_S * LIMITS_BURST_S);
    CHECK_EQ(limits_enter(limits, "192.0.2.1", SECOND, &error), -EBUSY);
    CHECK_STR(error.code, "rate_limited");
    CHECK(error.retry_after_ms >= 333 && error.retry_after_ms <= 335);
    CHECK_EQ(limits_enter(limits, "192.0.2.1", SECOND + error.retry_after_ms * MS, &error), 0);
    CHECK_EQ(enter_many("192.0.2.2", 1, SECOND), 1);
    CHECK_EQ(limits_stats(limits)->joins, 71);
    limits = limits_free(limits);
}

static void a_64_of_ipv6_is_one_address(void)
{
    char address[64];
    uint32_t entered = 0;

    begin();
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(address, sizeof(address), "2001:db8::%x:1", i);
        entered += enter_many(address, 1, SECOND);
    }
    CHECK_EQ(entered, JOINS_PER_S * LIMITS_BURST_S);
    CHECK_EQ(enter_many("2001:db8:0:1::1", 1, SECOND), 1);
    limits = limits_free(limits);
}

static void failed_tokens_shut_the_door_for_a_while(void)
{
    struct message error = {0};

    begin();
    for (int i = 0; i < FAILURES_PER_S * LIMITS_BURST_S; i++)
        limits_failed(limits, "192.0.2.1", SECOND);
    CHECK_EQ(limits_enter(limits, "192.0.2.1", SECOND, &error), -EBUSY);
    CHECK_STR(error.code, "rate_limited");
    CHECK_EQ(limits_enter(limits, "192.0.2.2", SECOND, &error), 0);
    CHECK_EQ(limits_enter(limits, "192.0.2.1", SECOND + 1001 * MS, &error), 0);
    CHECK_EQ(limits_stats(limits)->failures, 1);
    limits = limits_free(limits);
}

static void an_identity_joins_at_its_rate_from_anywhere(void)
{
    struct message error = {0};
    uint32_t entered = 0;

    begin();
    for (int i = 0; i < 100; i++)
        entered += limits_identify(limits, "ada", SECOND, &error) == 0;
    CHECK_EQ(entered, IDENTITIES_PER_S * LIMITS_BURST_S);
    CHECK_EQ(limits_identify(limits, "bob", SECOND, &error), 0);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(limits_identify(limits, "", SECOND, &error), 0); /* tokens of nobody */
    limits = limits_free(limits);
}

static void who_has_no_address_has_no_limit(void)
{
    begin();
    CHECK_EQ(enter_many("", 1000, SECOND), 1000);
    limits = limits_free(limits);
    CHECK_EQ(enter_many("192.0.2.1", 1000, SECOND), 1000); /* nor has a server without */
}

static void a_new_configuration_holds_at_once(void)
{
    begin();
    CHECK_EQ(enter_many("192.0.2.1", 100, SECOND), JOINS_PER_S * LIMITS_BURST_S);
    config.max_joins_per_s = 0;
    limits_set(limits, &config);
    CHECK_EQ(enter_many("192.0.2.1", 100, SECOND), 100);
    limits = limits_free(limits);
}

TAP_CASES(CASE(an_address_joins_at_its_rate), CASE(a_64_of_ipv6_is_one_address),
          CASE(failed_tokens_shut_the_door_for_a_while),
          CASE(an_identity_joins_at_its_rate_from_anywhere), CASE(who_has_no_address_has_no_limit),
          CASE(a_new_configuration_holds_at_once))
