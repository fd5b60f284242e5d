#include "media/stun.h"

#include "media/address.h"
#include "tests/stun_request.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

/* RFC 5769 section 2.1: the controlled agent h6vY asks evtj. */
static const uint8_t sample_request[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
    0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
    0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
    0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
    0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
    0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
};

/* RFC 5769 section 2.2: 192.0.2.1 port 32853. */
static const uint8_t sample_ipv4_response[] = {
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
    0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
};

/* RFC 5769 section 2.3: 2001:db8:1234:5678:11:2233:4455:6677 port 32853. */
static const uint8_t sample_ipv6_response[] = {
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa,
    0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14,
    0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75,
    0xbf, 0xe3, 0xed, 0x41, 0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c,
};

static const uint8_t sample_id[12] = {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
                                      0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};
static const char sample_password[] = "VOkJxbRl1RmTxUk/WvJxBt";
static const struct stun_expected sample = {.username = "evtj:h6vY", .password = sample_password};

static struct sockaddr_storage sample_ipv4(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(32853)};
    struct sockaddr_storage address = {0};

    CHECK_EQ(inet_pton(AF_INET, "192.0.2.1", &in.sin_addr), 1);
    memcpy(&address, &in, sizeof(in));
    return address;
}

static struct sockaddr_storage sample_ipv6(void)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(32853)};
    struct sockaddr_storage address = {0};

    CHECK_EQ(inet_pton(AF_INET6, "2001:db8:1234:5678:11:2233:4455:6677", &in6.sin6_addr), 1);
    memcpy(&address, &in6, sizeof(in6));
    return address;
}

static struct stun_request sample_check(void)
{
    struct stun_request request = {.username = "evtj:h6vY", .password = sample_password};

    memcpy(request.id, sample_id, sizeof(sample_id));
    return request;
}

/* Answer `request` from 192.0.2.1. */
static int answer(const struct stun_request *request, uint8_t *reply, struct stun_check *check)
{
    struct sockaddr_storage from = sample_ipv4();
    uint8_t data[STUN_REQUEST_MAX];
    size_t len = stun_request_write(data, request);

    return stun_check_answer(&sample, data, len, &from, reply, check);
}

static void sample_request_is_authentic(void)
{
    struct sockaddr_storage from = sample_ipv4();
    uint8_t reply[STUN_REPLY_MAX];
    struct stun_check check;
    char ufrag[STUN_UFRAG_MAX + 1];

    CHECK_EQ(stun_peek_ufrag(sample_request, sizeof(sample_request), ufrag), 0);
    CHECK_STR(ufrag, "evtj");
    CHECK_EQ(
        stun_check_answer(&sample, sample_request, sizeof(sample_request), &from, reply, &check),
        0);
}

static void sample_responses_are_what_our_tests_take_as_right(void)
{
    struct sockaddr_storage v4 = sample_ipv4();
    struct sockaddr_storage v6 = sample_ipv6();
    struct stun_reply reply;

    CHECK_EQ(stun_reply_read(&reply, sample_ipv4_response, sizeof(sample_ipv4_response),
                             sample_password),
             0);
    CHECK(reply.success && reply.integrity && address_equal(&reply.mapped, &v4));
    CHECK_EQ(stun_reply_read(&reply, sample_ipv6_response, sizeof(sample_ipv6_response),
                             sample_password),
             0);
    CHECK(reply.success && reply.integrity && address_equal(&reply.mapped, &v6));
}

static void mapped_address_is_the_one_of_the_sample_responses(void)
{
    enum { MAPPED_AT = 36 }; /* behind SOFTWARE, which we do not write */
    struct stun_request request = sample_check();
    struct sockaddr_storage v4 = sample_ipv4();
    struct sockaddr_storage v6 = sample_ipv6();
    uint8_t data[STUN_REQUEST_MAX];
    uint8_t reply[STUN_REPLY_MAX];
    struct stun_check check;
    size_t len = stun_request_write(data, &request);

    CHECK_EQ(stun_check_answer(&sample, data, len, &v4, reply, &check), 0);
    CHECK(check.accepted && check.reply_len == 64);
    CHECK_MEM(reply + 20, sample_ipv4_response + MAPPED_AT, 12);
    CHECK_EQ(stun_check_answer(&sample, data, len, &v6, reply, &check), 0);
    CHECK(check.accepted && check.reply_len == 76);
    CHECK_MEM(reply + 20, sample_ipv6_response + MAPPED_AT, 24);
}

static void success_is_authentic_and_carries_the_transaction(void)
{
    struct stun_request request = sample_check();
    struct sockaddr_storage from = sample_ipv4();
    uint8_t bytes[STUN_REPLY_MAX];
    struct stun_check check;
    struct stun_reply reply;

    CHECK_EQ(answer(&request, bytes, &check), 0);
    CHECK_EQ(stun_reply_read(&reply, bytes, check.reply_len, sample_password), 0);
    CHECK(reply.success && reply.integrity);
    CHECK_MEM(reply.id, sample_id, sizeof(sample_id));
    CHECK(address_equal(&reply.mapped, &from));
}

static void nomination_is_seen(void)
{
    struct stun_request request = sample_check();
    uint8_t reply[STUN_REPLY_MAX];
    struct stun_check check;

    CHECK_EQ(answer(&request, reply, &check), 0);
    CHECK(!check.nominates);
    request.use_candidate = true;
    CHECK_EQ(answer(&request, reply, &check), 0);
    CHECK(check.nominates);
}

static void peer_that_wants_to_be_controlled_is_told_487(void)
{
    struct stun_request request = sample_check();
    uint8_t bytes[STUN_REPLY_MAX];
    struct stun_check check;
    struct stun_reply reply;

    request.role = STUN_REQUEST_CONTROLLED;
    CHECK_EQ(answer(&request, bytes, &check), 0);
    CHECK(!check.accepted);
    CHECK_EQ(stun_reply_read(&reply, bytes, check.reply_len, sample_password), 0);
    CHECK_EQ(reply.error_code, 487);
    CHECK(reply.integrity);
}

static void no_reply_is_longer_than_its_request(void)
{
    struct stun_request request = sample_check();
    uint8_t data[STUN_REQUEST_MAX], bytes[STUN_REPLY_MAX];
    struct stun_expected expected = {"a:b", sample_password};
    struct sockaddr_storage from = sample_ipv4();
    struct stun_check check;
    size_t len;

    request.username = "a:b";
    for (int extra = 0; extra < 2; extra++) {
        request.extra = extra ? 0x7fff : 0;
        len = stun_request_write(data, &request);
        CHECK_EQ(stun_check_answer(&expected, data, len, &from, bytes, &check), 0);
        CHECK(check.reply_len <= len);
        CHECK_EQ(check.reply_len > 0, !extra); /* 420 would be longer */
    }
}

static void attribute_we_must_understand_is_told_420(void)
{
    struct stun_request request = sample_check();
    uint8_t bytes[STUN_REPLY_MAX];
    struct stun_check check;
    struct stun_reply reply;

    request.extra = 0x7fff;
    CHECK_EQ(answer(&request, bytes, &check), 0);
    CHECK(!check.accepted);
    CHECK_EQ(stun_reply_read(&reply, bytes, check.reply_len, sample_password), 0);
    CHECK_EQ(reply.error_code, 420);
    request.extra = 0xC057; /* of libwebrtc: optional */
    CHECK_EQ(answer(&request, bytes, &check), 0);
    CHECK(check.accepted);
}

static void stranger_gets_no_reply(void)
{
    struct stun_request wrong_password = sample_check();
    struct stun_request wrong_user = sample_check();
    struct stun_request cut_user = sample_check();
    struct stun_request no_user = sample_check();
    struct stun_request no_integrity = sample_check();
    uint8_t reply[STUN_REPLY_MAX];
    struct stun_check check;

    wrong_password.password = "VOkJxbRl1RmTxUk/WvJxBu";
    wrong_user.username = "evtj:other";
    cut_user.username = "evtj:h6v";
    no_user.username = NULL;
    no_integrity.password = NULL;
    CHECK_EQ(answer(&wrong_password, reply, &check), -EPERM);
    CHECK_EQ(answer(&wrong_user, reply, &check), -EPERM);
    CHECK_EQ(answer(&cut_user, reply, &check), -EPERM);
    CHECK_EQ(answer(&no_user, reply, &check), -EPERM);
    CHECK_EQ(answer(&no_integrity, reply, &check), -EPERM);
}

static void fingerprint_must_be_there_and_right(void)
{
    struct stun_request request = sample_check();
    struct sockaddr_storage from = sample_ipv4();
    uint8_t data[STUN_REQUEST_MAX];
    uint8_t reply[STUN_REPLY_MAX];
    struct stun_check check;
    size_t len;

    request.no_fingerprint = true;
    CHECK_EQ(answer(&request, reply, &check), -EBADMSG);
    request.no_fingerprint = false;
    len = stun_request_write(data, &request);
    data[len - 1] ^= 1;
    CHECK_EQ(stun_check_answer(&sample, data, len, &from, reply, &check), -EBADMSG);
}

static void every_changed_bit_of_a_check_is_noticed(void)
{
    enum { COVERED_LEN = 76 + 24 }; /* up to the end of MESSAGE-INTEGRITY */
    struct sockaddr_storage from = sample_ipv4();
    uint8_t data[sizeof(sample_request)];
    uint8_t reply[STUN_REPLY_MAX];
    struct stun_check check;

    for (size_t bit = 0; bit < COVERED_LEN * 8; bit++) {
        memcpy(data, sample_request, sizeof(data));
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(stun_check_answer(&sample, data, sizeof(data), &from, reply, &check) < 0);
    }
}

static void cut_request_is_malformed(void)
{
    struct sockaddr_storage from = sample_ipv4();
    uint8_t reply[STUN_REPLY_MAX];
    char ufrag[STUN_UFRAG_MAX + 1];
    struct stun_check check;

    for (size_t len = 0; len < sizeof(sample_request); len++) {
        uint8_t *exact = malloc(len + 1); /* + 1: malloc(0) may be NULL */

        CHECK(exact);
        memcpy(exact, sample_request, len);
        CHECK_EQ(stun_check_answer(&sample, exact, len, &from, reply, &check), -EBADMSG);
        CHECK_EQ(stun_peek_ufrag(exact, len, ufrag), -EBADMSG);
        free(exact);
    }
}

static void short_integrity_is_not_read_past(void)
{
    /* libnice reads 20 bytes of it whatever its length says; here only FINGERPRINT follows */
    static const uint8_t empty_integrity[4] = {0, 8, 0, 0};
    struct stun_request request = {
        .username = "evtj:h6vY", .raw = empty_integrity, .raw_len = sizeof(empty_integrity)};
    struct sockaddr_storage from = sample_ipv4();
    uint8_t data[STUN_REQUEST_MAX];
    uint8_t reply[STUN_REPLY_MAX];
    size_t len = stun_request_write(data, &request);
    uint8_t *exact = malloc(len);
    struct stun_check check;

    CHECK(exact);
    memcpy(exact, data, len);
    CHECK_EQ(stun_check_answer(&sample, exact, len, &from, reply, &check), -EBADMSG);
    free(exact);
}

static void only_binding_requests_are_looked_at(void)
{
    static const uint16_t others[] = {0x0101, 0x0111, 0x0011, 0x0003};
    uint8_t data[sizeof(sample_request)];
    char ufrag[STUN_UFRAG_MAX + 1];

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        memcpy(data, sample_request, sizeof(data));
        data[0] = (uint8_t)(others[i] >> 8);
        data[1] = (uint8_t)others[i];
        CHECK_EQ(stun_peek_ufrag(data, sizeof(data), ufrag), -EBADMSG);
    }
}

static void ufrag_is_what_is_before_the_colon(void)
{
    struct stun_request request = {.username = "nocolon"};
    uint8_t data[STUN_REQUEST_MAX];
    char ufrag[STUN_UFRAG_MAX + 1];

    CHECK_EQ(stun_peek_ufrag(data, stun_request_write(data, &request), ufrag), 0);
    CHECK_STR(ufrag, "nocolon");
    request.username = ":theirs";
    CHECK_EQ(stun_peek_ufrag(data, stun_request_write(data, &request), ufrag), -EBADMSG);
    request.username = NULL;
    CHECK_EQ(stun_peek_ufrag(data, stun_request_write(data, &request), ufrag), -ENOENT);
}

static void longest_user_names_are_served_and_longer_refused(void)
{
    struct sockaddr_storage from = sample_ipv6();
    char username[2 * STUN_UFRAG_MAX + 3];
    struct stun_expected expected = {.username = username, .password = sample_password};
    struct stun_request request = {.username = username, .password = sample_password};
    uint8_t data[STUN_REQUEST_MAX];
    uint8_t reply[STUN_REPLY_MAX];
    char ufrag[STUN_UFRAG_MAX + 1];
    struct stun_check check;
    size_t len;

    memset(username, 'u', sizeof(username));
    username[STUN_UFRAG_MAX] = ':';
    username[STUN_USERNAME_MAX] = '\0';
    len = stun_request_write(data, &request);
    CHECK_EQ(stun_peek_ufrag(data, len, ufrag), 0);
    CHECK_EQ(strlen(ufrag), STUN_UFRAG_MAX);
    CHECK_EQ(stun_check_answer(&expected, data, len, &from, reply, &check), 0);
    CHECK(check.accepted && check.reply_len > 0);
    username[STUN_UFRAG_MAX] = 'u';
    username[STUN_UFRAG_MAX + 1] = ':';
    CHECK_EQ(stun_peek_ufrag(data, stun_request_write(data, &request), ufrag), -EBADMSG);
}

TAP_CASES(CASE(sample_request_is_authentic),
          CASE(sample_responses_are_what_our_tests_take_as_right),
          CASE(mapped_address_is_the_one_of_the_sample_responses),
          CASE(success_is_authentic_and_carries_the_transaction), CASE(nomination_is_seen),
          CASE(peer_that_wants_to_be_controlled_is_told_487),
          CASE(no_reply_is_longer_than_its_request), CASE(attribute_we_must_understand_is_told_420),
          CASE(stranger_gets_no_reply), CASE(fingerprint_must_be_there_and_right),
          CASE(every_changed_bit_of_a_check_is_noticed), CASE(cut_request_is_malformed),
          CASE(short_integrity_is_not_read_past), CASE(only_binding_requests_are_looked_at),
          CASE(ufrag_is_what_is_before_the_colon),
          CASE(longest_user_names_are_served_and_longer_refused))
