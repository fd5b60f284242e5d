#include "media/stun_probe.h"

#include "media/address.h"
#include "tests/socket_address.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

static struct stun_probe probe;
static uint8_t request[STUN_PROBE_LEN];

static void start(void)
{
    struct sockaddr_storage server = ipv4("192.0.2.1", 3478);

    stun_probe_start(&probe, &server, SECOND);
    CHECK_EQ(stun_probe_deadline(&probe), SECOND);
    CHECK(stun_probe_poll(&probe, SECOND, request));
}

/* An answer of `type` with one attribute. @return its length */
static size_t answer(uint8_t out[128], uint16_t type, uint16_t attribute, const uint8_t *value,
                     uint8_t len)
{
    memcpy(out, request, STUN_PROBE_LEN);
    out[0] = (uint8_t)(type >> 8);
    out[1] = (uint8_t)type;
    out[2] = 0;
    out[3] = (uint8_t)(4 + len);
    out[20] = (uint8_t)(attribute >> 8);
    out[21] = (uint8_t)attribute;
    out[22] = 0;
    out[23] = len;
    memcpy(out + 24, value, len);
    return 24U + len;
}

static int take(const uint8_t *data, size_t len, const char *host, uint16_t port)
{
    struct sockaddr_storage from = ipv4(host, port);

    return stun_probe_receive(&probe, data, len, &from);
}

/* 203.0.113.5:61000, under the cookie. */
static const uint8_t xored[] = {0,          1,        61000 / 256 ^ 0x21, 61000 % 256 ^ 0x12,
                                203 ^ 0x21, 0 ^ 0x12, 113 ^ 0xa4,         5 ^ 0x42};
static const uint8_t plain[] = {0, 1, 61000 / 256, 61000 % 256, 203, 0, 113, 5};

static void the_address_is_found_in_either_form(void)
{
    struct sockaddr_storage expected = ipv4("203.0.113.5", 61000);
    uint8_t data[128];

    start();
    CHECK_EQ(take(data, answer(data, 0x0101, 0x0020, xored, 8), "192.0.2.1", 3478), 0);
    CHECK_EQ(probe.state, STUN_PROBE_DONE);
    CHECK(address_equal(&probe.mapped, &expected));
    CHECK_EQ(stun_probe_deadline(&probe), NEVER_US);
    start();
    CHECK_EQ(take(data, answer(data, 0x0101, 0x0001, plain, 8), "192.0.2.1", 3478), 0);
    CHECK(address_equal(&probe.mapped, &expected));
}

static void an_ipv6_address_is_under_the_transaction_too(void)
{
    uint8_t value[20] = {0,           2,           0x1e ^ 0x21, 0xd2 ^ 0x12,
                         0x20 ^ 0x21, 0x01 ^ 0x12, 0x0d ^ 0xa4, 0xb8 ^ 0x42};
    uint8_t data[128];
    char text[ADDRESS_TEXT_MAX];

    start();
    for (size_t i = 0; i < 12; i++)
        value[8 + i] = probe.transaction[i] ^ (i == 11 ? 7 : 0);
    CHECK_EQ(take(data, answer(data, 0x0101, 0x0020, value, 20), "192.0.2.1", 3478), 0);
    CHECK_STR(address_text(&probe.mapped, text), "[2001:db8::7]:7890");
}

static void only_the_server_answers(void)
{
    uint8_t data[128];
    size_t len;

    start();
    len = answer(data, 0x0101, 0x0020, xored, 8);
    CHECK_EQ(take(data, len, "192.0.2.2", 3478), -ENOENT);
    CHECK_EQ(take(data, len, "192.0.2.1", 3479), -ENOENT);
    data[19] ^= 1;
    CHECK_EQ(take(data, len, "192.0.2.1", 3478), -ENOENT);
    data[19] ^= 1;
    CHECK_EQ(take(data, len - 1, "192.0.2.1", 3478), -EBADMSG);
    CHECK_EQ(take(data, 19, "192.0.2.1", 3478), -ENOENT);
    CHECK_EQ(probe.state, STUN_PROBE_ASKING);
    CHECK_EQ(take(data, len, "192.0.2.1", 3478), 0);
    CHECK_EQ(take(data, len, "192.0.2.1", 3478), -ENOENT); /* again */
}

static void an_answer_without_an_address_is_none(void)
{
    static const uint8_t short_one[] = {0, 1, 1, 2, 3, 4, 5};
    static const uint8_t other_family[] = {0, 3, 1, 2, 3, 4, 5, 6};
    uint8_t data[128];

    start();
    CHECK_EQ(take(data, answer(data, 0x0101, 0x8022, plain, 8), "192.0.2.1", 3478), -EBADMSG);
    CHECK_EQ(take(data, answer(data, 0x0101, 0x0020, short_one, 7), "192.0.2.1", 3478), -EBADMSG);
    CHECK_EQ(take(data, answer(data, 0x0101, 0x0020, other_family, 8), "192.0.2.1", 3478),
             -EBADMSG);
    CHECK_EQ(probe.state, STUN_PROBE_ASKING);
    CHECK_EQ(take(data, answer(data, 0x0111, 0x0009, plain, 8), "192.0.2.1", 3478), 0);
    CHECK_EQ(probe.state, STUN_PROBE_FAILED);
}

static void silence_is_asked_again_and_given_up(void)
{
    int64_t now_us = SECOND;
    int asked = 1;

    start();
    CHECK(!stun_probe_poll(&probe, now_us, request));
    while (stun_probe_deadline(&probe) != NEVER_US) {
        now_us = stun_probe_deadline(&probe);
        asked += stun_probe_poll(&probe, now_us, request);
    }
    CHECK_EQ(asked, STUN_PROBE_TRIES);
    CHECK_EQ(probe.state, STUN_PROBE_FAILED);
    CHECK_EQ(now_us, SECOND + 15500 * MS);
}

TAP_CASES(CASE(the_address_is_found_in_either_form),
          CASE(an_ipv6_address_is_under_the_transaction_too), CASE(only_the_server_answers),
          CASE(an_answer_without_an_address_is_none), CASE(silence_is_asked_again_and_given_up))
