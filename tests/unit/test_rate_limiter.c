#include "signaling/rate_limiter.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <stdio.h>

enum { MAX_KEYS = 64, PER_S = 10, BURST = 20 };

static struct rate_limiter *make(void)
{
    struct rate_limiter *r = NULL;

    CHECK_EQ(rate_limiter_new(&r, MAX_KEYS, PER_S, BURST), 0);
    return r;
}

/* @return how many of `n` were taken */
static uint32_t take_many(struct rate_limiter *r, const char *key, uint32_t n, int64_t now_us)
{
    uint32_t taken = 0;

    for (uint32_t i = 0; i < n; i++)
        taken += rate_limiter_take(r, key, 1, now_us) == 0;
    return taken;
}

static void each_key_has_a_bucket_of_its_own(void)
{
    struct rate_limiter *r = make();

    CHECK_EQ(take_many(r, "192.0.2.1", 100, SECOND), BURST);
    CHECK_EQ(take_many(r, "192.0.2.2", 100, SECOND), BURST);
    CHECK_EQ(take_many(r, "192.0.2.1", 100, 2 * SECOND), PER_S);
    CHECK_EQ(rate_limiter_refused(r), 250);
    rate_limiter_free(r);
}

static void looking_takes_nothing(void)
{
    struct rate_limiter *r = make();

    for (int i = 0; i < 100; i++)
        CHECK_EQ(rate_limiter_wait(r, "a", 1, SECOND), 0);
    CHECK_EQ(take_many(r, "a", BURST, SECOND), BURST);
    CHECK(rate_limiter_wait(r, "a", 1, SECOND) > 0);
    CHECK_EQ(rate_limiter_wait(r, "b", 1, SECOND), 0);
    CHECK_EQ(rate_limiter_refused(r), 0);
    rate_limiter_free(r);
}

/* The table stays as it was made: there is no other memory. */
static void a_million_addresses_do_not_free_the_one_that_was_refused(void)
{
    struct rate_limiter *r = make();
    uint32_t taken, passed = 0;
    char key[RATE_LIMITER_KEY_MAX];

    taken = take_many(r, "192.0.2.1", 100, SECOND);
    for (uint32_t i = 0; i < 1000000; i++) {
        (void)snprintf(key, sizeof(key), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        passed += rate_limiter_take(r, key, 1, SECOND) == 0;
        if (i % 10000 == 0)
            taken += take_many(r, "192.0.2.1", 1, SECOND);
    }
    CHECK_EQ(taken, BURST);
    CHECK_EQ(passed, 1000000); /* nobody else pays for it */
    rate_limiter_free(r);
}

static void full_buckets_make_room_first(void)
{
    struct rate_limiter *r = make();
    char key[RATE_LIMITER_KEY_MAX];

    CHECK_EQ(take_many(r, "busy", 15, SECOND), 15);
    for (uint32_t i = 0; i < 100 * MAX_KEYS; i++) {
        (void)snprintf(key, sizeof(key), "idle-%u", i);
        CHECK_EQ(rate_limiter_take(r, key, 1, SECOND), 0);
    }
    CHECK_EQ(take_many(r, "busy", 100, SECOND), BURST - 15);
    rate_limiter_free(r);
}

static void other_limits_hold_at_once(void)
{
    struct rate_limiter *r = make();

    CHECK_EQ(take_many(r, "a", 100, SECOND), BURST);
    rate_limiter_set(r, PER_S, 2 * BURST);
    CHECK_EQ(take_many(r, "a", 100, SECOND), BURST);
    rate_limiter_set(r, 0, 1);
    CHECK_EQ(take_many(r, "a", 100, SECOND), 100);
    rate_limiter_free(r);
}

static void an_ipv6_host_is_its_64(void)
{
    static const char *const pairs[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
        {"2001:db8:1:2::1", "2001:db8:1:2::"},
        {"fe80::1%eth0", "fe80::"},
        {"who knows", "who knows"},
        {"", ""},
    };
    char key[RATE_LIMITER_KEY_MAX];

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        CHECK_STR(rate_limiter_address_key(pairs[i][0], key), pairs[i][1]);
}

static void loopback_is_known_in_every_guise(void)
{
    CHECK(rate_limiter_is_loopback("127.0.0.1"));
    CHECK(rate_limiter_is_loopback("127.9.9.9"));
    CHECK(rate_limiter_is_loopback("::1"));
    CHECK(rate_limiter_is_loopback("::ffff:127.0.0.1"));
    CHECK(!rate_limiter_is_loopback("128.0.0.1"));
    CHECK(!rate_limiter_is_loopback("::2"));
    CHECK(!rate_limiter_is_loopback(""));
}

TAP_CASES(CASE(each_key_has_a_bucket_of_its_own), CASE(looking_takes_nothing),
          CASE(a_million_addresses_do_not_free_the_one_that_was_refused),
          CASE(full_buckets_make_room_first), CASE(other_limits_hold_at_once),
          CASE(an_ipv6_host_is_its_64), CASE(loopback_is_known_in_every_guise))
