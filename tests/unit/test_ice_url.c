#include "signaling/ice_url.h"

#include "tests/tap.h"

#include <errno.h>

static void a_turn_url_names_host_port_and_transport(void)
{
    struct ice_url url;

    CHECK_EQ(ice_url_parse(&url, "turn:turn.example.org"), 0);
    CHECK_STR(url.host, "turn.example.org");
    CHECK_EQ(url.port, 3478);
    CHECK_EQ(url.kind, ICE_URL_TURN_UDP);
    CHECK_EQ(ice_url_parse(&url, "turn:192.0.2.1:80?transport=tcp"), 0);
    CHECK_STR(url.host, "192.0.2.1");
    CHECK_EQ(url.port, 80);
    CHECK_EQ(url.kind, ICE_URL_TURN_TCP);
    CHECK_EQ(ice_url_parse(&url, "turn:[2001:db8::1]:5349?transport=udp"), 0);
    CHECK_STR(url.host, "2001:db8::1");
    CHECK_EQ(url.port, 5349);
    CHECK_EQ(url.kind, ICE_URL_TURN_UDP);
}

static void turn_over_tls_has_a_port_of_its_own(void)
{
    struct ice_url url;

    CHECK_EQ(ice_url_parse(&url, "turns:turn.example.org"), 0);
    CHECK_EQ(url.kind, ICE_URL_TURN_TLS);
    CHECK_EQ(url.port, 5349);
    CHECK_EQ(ice_url_parse(&url, "turns:turn.example.org:443?transport=tcp"), 0);
    CHECK_EQ(url.port, 443);
    CHECK_STR(ice_url_kind_name(url.kind), "TURN over TLS");
}

static void dtls_towards_a_server_is_told_apart(void)
{
    struct ice_url url;

    CHECK_EQ(ice_url_parse(&url, "turns:turn.example.org?transport=udp"), -ENOTSUP);
    CHECK_EQ(ice_url_parse(&url, "stuns:turn.example.org"), -ENOTSUP);
}

static void a_stun_url_has_no_transport(void)
{
    struct ice_url url;

    CHECK_EQ(ice_url_parse(&url, "stun:stun.example.org"), 0);
    CHECK_EQ(url.kind, ICE_URL_STUN);
    CHECK_EQ(url.port, 3478);
    CHECK_EQ(ice_url_parse(&url, "stun:stun.example.org?transport=tcp"), -EINVAL);
}

static void a_stun_server_needs_no_scheme(void)
{
    struct ice_url url;

    CHECK_EQ(ice_url_parse_stun(&url, "stun.example.org:19302"), 0);
    CHECK_STR(url.host, "stun.example.org");
    CHECK_EQ(url.port, 19302);
    CHECK_EQ(ice_url_parse_stun(&url, "stun:[::1]"), 0);
    CHECK_STR(url.host, "::1");
}

static void what_is_wrong_is_refused(void)
{
    static const char *const wrong[] = {
        "",
        "turn:",
        "turn::1",
        "turn:a:0",
        "turn:a:",
        "turn:a:x",
        "turn:a:65536",
        "turn:a:123456",
        "turn:[::1",
        "turn:[::1]x",
        "turn:a?transport",
        "turn:a?transport=tls",
        "turn:[]:1",
        "stun:",
        "turn.example.org",
        "turn:a b",
        "turn:a\"",
        "turns:a?transport=x",
        "http:a",
    };
    struct ice_url url;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        CHECK_EQ(ice_url_parse(&url, wrong[i]), -EINVAL);
}

static void a_literal_is_its_own_address(void)
{
    struct ice_url url = {.host = "127.0.0.1"};
    char address[64];

    CHECK_EQ(ice_url_resolve(&url, address, sizeof(address)), 0);
    CHECK_STR(address, "127.0.0.1");
    CHECK_EQ(ice_url_resolve(&url, address, 4), -ENAMETOOLONG);
}

TAP_CASES(CASE(a_turn_url_names_host_port_and_transport), CASE(turn_over_tls_has_a_port_of_its_own),
          CASE(dtls_towards_a_server_is_told_apart), CASE(a_stun_url_has_no_transport),
          CASE(a_stun_server_needs_no_scheme), CASE(what_is_wrong_is_refused),
          CASE(a_literal_is_its_own_address))
