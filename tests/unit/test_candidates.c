#include "sfu/candidates.h"

#include "media/address.h"
#include "sfu/config.h"
#include "tests/socket_address.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

static struct config config;
static struct config_error error;
static struct candidates all;
static struct plan_candidate candidates[PLAN_MAX_CANDIDATES];

static const struct candidates_worker third = {
    .index = 2, .udp_port = 7884, .first_udp_port = 7882, .tcp_port = 7882};

static void set(const char *key, const char *value)
{
    CHECK_EQ(config_set(&config, key, value, &error), 0);
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static void check(uint32_t at, const char *address, uint16_t port, const char *type, bool tcp)
{
    CHECK_STR(candidates[at].address, address);
    CHECK_EQ(candidates[at].port, port);
    CHECK_STR(candidates[at].type, type);
    CHECK_EQ(candidates[at].tcp, tcp);
    CHECK_EQ(candidates[at].tcp_passive, tcp);
    CHECK_EQ(candidates[at].component, 1);
    CHECK(at == 0 || candidates[at].priority < candidates[at - 1].priority);
    for (uint32_t i = 0; i < at; i++)
        CHECK(strcmp(candidates[i].foundation, candidates[at].foundation) != 0);
}

static void addresses_to_advertise_are_the_only_ones(void)
{
    config_init(&config);
    set("advertise", "192.0.2.7");
    set("advertise", "2001:db8::7");
    set("advertise", "192.0.2.7");
    set("udp_address", "192.0.2.9");
    candidates_gather(&all, &config);
    CHECK_EQ(all.n, 2);
    CHECK_EQ(candidates_of_worker(&all, &third, candidates), 4);
    check(0, "192.0.2.7", 7884, "host", false);
    check(1, "2001:db8::7", 7884, "host", false);
    check(2, "192.0.2.7", 7882, "host", true);
    check(3, "2001:db8::7", 7882, "host", true);
}

static void ports_of_a_nat_are_told_instead_of_ours(void)
{
    struct candidates_worker other = third;

    config_init(&config);
    set("advertise", "192.0.2.7:40000");
    set("advertise", "[2001:db8::7]:50000");
    candidates_gather(&all, &config);
    CHECK_EQ(candidates_of_worker(&all, &third, candidates), 4);
    check(0, "192.0.2.7", 40002, "host", false);
    check(1, "2001:db8::7", 50002, "host", false);
    check(2, "192.0.2.7", 40000, "host", true);
    check(3, "2001:db8::7", 50000, "host", true);
    other.tcp_port = 443; /* of its own: nothing is known of how it is mapped */
    CHECK_EQ(candidates_of_worker(&all, &other, candidates), 4);
    check(2, "192.0.2.7", 443, "host", true);
}

static void without_tcp_there_is_none(void)
{
    struct candidates_worker other = third;

    other.tcp_port = 0;
    config_init(&config);
    set("advertise", "192.0.2.7");
    candidates_gather(&all, &config);
    CHECK_EQ(candidates_of_worker(&all, &other, candidates), 1);
}

static void address_that_media_is_bound_to_is_the_only_one(void)
{
    config_init(&config);
    set("udp_address", "127.0.0.1");
    candidates_gather(&all, &config);
    CHECK_EQ(all.n, 1);
    CHECK_STR(all.addresses[0].text, "127.0.0.1");
}

static void interfaces_come_without_link_local_and_with_loopback_last(void)
{
    bool seen_loopback = false;

    config_init(&config);
    candidates_gather(&all, &config);
    if (all.n == 0)
        SKIP("no interface is up");
    for (uint32_t i = 0; i < all.n; i++) {
        CHECK(strncmp(all.addresses[i].text, "fe80", 4) != 0);
        CHECK(strncmp(all.addresses[i].text, "169.254.", 8) != 0);
        CHECK(!seen_loopback || is_loopback(all.addresses[i].text));
        seen_loopback = is_loopback(all.addresses[i].text);
    }
    CHECK(candidates_of_worker(&all, &third, candidates) == 2 * all.n);
}

static void local_ones_come_after_those_to_advertise(void)
{
    config_init(&config);
    set("advertise", "local");
    set("advertise", "192.0.2.7");
    set("udp_address", "192.0.2.9");
    candidates_gather(&all, &config);
    CHECK_EQ(all.n, 2);
    CHECK_STR(all.addresses[0].text, "192.0.2.7");
    CHECK_STR(all.addresses[1].text, "192.0.2.9");
    config_init(&config);
    set("advertise", "local");
    candidates_gather(&all, &config);
    for (uint32_t i = 0; i < all.n; i++)
        CHECK(!is_loopback(all.addresses[i].text));
}

static void what_stun_saw_is_told_unless_it_is_known(void)
{
    struct sockaddr_storage mapped = ipv4("203.0.113.5", 61000);
    struct candidates_worker own = third;

    config_init(&config);
    set("advertise", "stun:192.0.2.1:3478");
    set("udp_address", "192.0.2.9");
    candidates_gather(&all, &config);
    own.tcp_port = 0;
    own.mapped = &mapped;
    CHECK_EQ(candidates_of_worker(&all, &own, candidates), 1); /* not known yet */
    own.n_mapped = 1;
    CHECK_EQ(candidates_of_worker(&all, &own, candidates), 2);
    check(0, "192.0.2.9", 7884, "host", false);
    check(1, "203.0.113.5", 61000, "srflx", false);
    mapped = ipv4("192.0.2.9", 7884);
    CHECK_EQ(candidates_of_worker(&all, &own, candidates), 1);
}

static void only_what_says_where_can_be_advertised(void)
{
    static const char *const good[] = {"192.0.2.7",
                                       "192.0.2.7:1",
                                       "2001:db8::7",
                                       "[2001:db8::7]:65535",
                                       "local",
                                       "stun:stun.example.org:3478",
                                       "stun:192.0.2.1:3478",
                                       "stun:[2001:db8::1]:3478"};
    static const char *const bad[] = {"sfu.example.org",
                                      "sfu.example.org:7882",
                                      "192.0.2.7:0",
                                      "192.0.2.7:65536",
                                      "192.0.2.7:",
                                      "[2001:db8::7]",
                                      "192.0.2",
                                      "",
                                      ":1",
                                      "stun:",
                                      "stun:stun.example.org",
                                      "stun:a b:1",
                                      "stun:1.2.3:1",
                                      "locale",
                                      "192.0.2.7:1x"};

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        CHECK(!candidates_check(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(candidates_check(bad[i]));
    config_init(&config);
    CHECK_EQ(config_set(&config, "advertise", "sfu.example.org", &error), -EINVAL);
    CHECK(strstr(error.message, "not a name"));
}

static void the_stun_server_is_found_in_the_list(void)
{
    char host[CANDIDATES_HOST_MAX + 1];
    uint16_t port;

    config_init(&config);
    set("advertise", "192.0.2.7");
    CHECK(!candidates_stun_server(&config, host, &port));
    set("advertise", "stun:stun.example.org:3478");
    CHECK(candidates_stun_server(&config, host, &port));
    CHECK_STR(host, "stun.example.org");
    CHECK_EQ(port, 3478);
}

TAP_CASES(CASE(addresses_to_advertise_are_the_only_ones),
          CASE(ports_of_a_nat_are_told_instead_of_ours), CASE(without_tcp_there_is_none),
          CASE(address_that_media_is_bound_to_is_the_only_one),
          CASE(interfaces_come_without_link_local_and_with_loopback_last),
          CASE(local_ones_come_after_those_to_advertise),
          CASE(what_stun_saw_is_told_unless_it_is_known),
          CASE(only_what_says_where_can_be_advertised), CASE(the_stun_server_is_found_in_the_list))
