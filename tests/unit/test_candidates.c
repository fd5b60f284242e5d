#include "sfu/candidates.h"

#include "sfu/config.h"
#include "tests/tap.h"

static struct config config;
static struct config_error error;
static struct plan_candidate candidates[PLAN_MAX_CANDIDATES];

static void set(const char *key, const char *value)
{
    CHECK_EQ(config_set(&config, key, value, &error), 0);
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static void addresses_to_advertise_are_the_only_ones(void)
{
    config_init(&config);
    set("advertise", "192.0.2.7");
    set("advertise", "2001:db8::7");
    set("advertise", "192.0.2.7");
    set("udp_address", "192.0.2.9");
    CHECK_EQ(candidates_gather(&config, 7882, candidates), 2);
    CHECK_STR(candidates[0].address, "192.0.2.7");
    CHECK_STR(candidates[1].address, "2001:db8::7");
    CHECK_EQ(candidates[0].port, 7882);
    CHECK_EQ(candidates[0].component, 1);
    CHECK_STR(candidates[0].type, "host");
    CHECK(!candidates[0].tcp);
}

static void address_that_media_is_bound_to_is_the_only_one(void)
{
    config_init(&config);
    set("udp_address", "127.0.0.1");
    CHECK_EQ(candidates_gather(&config, 1, candidates), 1);
    CHECK_STR(candidates[0].address, "127.0.0.1");
}

static void interfaces_come_without_link_local_and_with_loopback_last(void)
{
    bool seen_loopback = false;
    uint32_t n;

    config_init(&config);
    n = candidates_gather(&config, 7882, candidates);
    if (n == 0)
        SKIP("no interface is up");
    for (uint32_t i = 0; i < n; i++) {
        CHECK(strncmp(candidates[i].address, "fe80", 4) != 0);
        CHECK(strncmp(candidates[i].address, "169.254.", 8) != 0);
        CHECK(!seen_loopback || is_loopback(candidates[i].address));
        seen_loopback = is_loopback(candidates[i].address);
        CHECK(i == 0 || candidates[i].priority < candidates[i - 1].priority);
    }
}

TAP_CASES(CASE(addresses_to_advertise_are_the_only_ones),
          CASE(address_that_media_is_bound_to_is_the_only_one),
          CASE(interfaces_come_without_link_local_and_with_loopback_last))
