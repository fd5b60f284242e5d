#include "media/dtls.h"

#include "media/base/clock.h"
#include "media/dtls_identity.h"
#include "tests/tap.h"

#include <errno.h>
#include <openssl/ssl.h>

enum { WIRE_MAX = 256, DATAGRAM_MAX = 1500, DATA_MAX = 2048 };

/* Datagrams on their way to one side, in order and without loss. */
struct wire {
    uint8_t data[WIRE_MAX][DATAGRAM_MAX];
    size_t len[WIRE_MAX];
    size_t first, n;
};

struct side {
    struct dtls_identity *identity;
    struct dtls *dtls;
    struct wire *out;
    uint8_t data[DATA_MAX]; /* application data received */
    size_t data_len, sent;
    bool echoes; /* what it receives */
};

struct pair {
    struct wire to_client, to_server;
    struct side client, server;
    int64_t now_us;
};

static struct pair pair; /* too large for the stack */

static void on_send(void *owner, const uint8_t *data, size_t len)
{
    struct side *side = owner;
    struct wire *wire = side->out;

    CHECK(len <= DTLS_MTU && wire->n < WIRE_MAX);
    memcpy(wire->data[wire->n], data, len);
    wire->len[wire->n++] = len;
    side->sent++;
}

static void on_data(void *owner, const uint8_t *data, size_t len)
{
    struct side *side = owner;

    CHECK(side->data_len + len <= DATA_MAX);
    memcpy(side->data + side->data_len, data, len);
    side->data_len += len;
    if (side->echoes)
        CHECK_EQ(dtls_send(side->dtls, data, len), 0);
}

static const struct dtls_handler handler = {.send = on_send, .on_data = on_data};

static void make_session(struct side *side, const struct dtls_fingerprint *peer, bool client)
{
    CHECK_EQ(dtls_new(&side->dtls, side->identity, peer, client, &handler, side), 0);
}

static struct pair *pair_init(void)
{
    struct pair *p = &pair;

    *p = (struct pair){.client.out = &p->to_server, .server.out = &p->to_client};
    CHECK_EQ(dtls_identity_new(&p->client.identity), 0);
    CHECK_EQ(dtls_identity_new(&p->server.identity), 0);
    make_session(&p->client, dtls_identity_fingerprint(p->server.identity), true);
    make_session(&p->server, dtls_identity_fingerprint(p->client.identity), false);
    return p;
}

static void replace_client(struct pair *p, const struct dtls_fingerprint *expected)
{
    dtls_free(p->client.dtls);
    make_session(&p->client, expected, true);
}

static void pair_done(struct pair *p)
{
    dtls_free(p->client.dtls);
    dtls_free(p->server.dtls);
    dtls_identity_free(p->client.identity);
    dtls_identity_free(p->server.identity);
}

static void deliver(struct wire *wire, struct dtls *to, int64_t now_us)
{
    while (wire->first < wire->n) {
        size_t at = wire->first++;

        (void)!dtls_receive(to, wire->data[at], wire->len[at], now_us);
    }
    wire->first = wire->n = 0;
}

/* Deliver everything until both are silent. */
static void settle(struct pair *p)
{
    (void)!dtls_advance(p->server.dtls, p->now_us);
    (void)!dtls_advance(p->client.dtls, p->now_us);
    while (p->to_server.n + p->to_client.n > 0) {
        deliver(&p->to_server, p->server.dtls, p->now_us);
        deliver(&p->to_client, p->client.dtls, p->now_us);
    }
}

static struct pair *connected_pair(void)
{
    struct pair *p = pair_init();

    settle(p);
    CHECK_EQ(dtls_state(p->client.dtls), DTLS_CONNECTED);
    CHECK_EQ(dtls_state(p->server.dtls), DTLS_CONNECTED);
    return p;
}

static struct dtls_fingerprint fingerprint_by(const struct dtls_identity *identity,
                                              enum fingerprint_hash hash)
{
    const X509 *certificate = SSL_CTX_get0_certificate(dtls_identity_context(identity));
    struct dtls_fingerprint fingerprint;

    CHECK_EQ(dtls_identity_digest(&fingerprint, certificate, hash), 0);
    return fingerprint;
}

static void both_sides_export_the_same_keys(void)
{
    struct pair *p = connected_pair();
    struct srtp_keys client;
    struct srtp_keys server;

    CHECK_EQ(dtls_srtp_keys(p->client.dtls, &client), 0);
    CHECK_EQ(dtls_srtp_keys(p->server.dtls, &server), 0);
    CHECK_EQ(client.profile, SRTP_AEAD_AES_128_GCM);
    CHECK_EQ(server.profile, SRTP_AEAD_AES_128_GCM);
    CHECK_EQ(client.key_len, 16);
    CHECK_EQ(client.salt_len, 12);
    CHECK_MEM(client.local, server.remote, SRTP_MASTER_MAX);
    CHECK_MEM(client.remote, server.local, SRTP_MASTER_MAX);
    CHECK(memcmp(client.local, client.remote, 16) != 0);
    CHECK(memcmp(client.local + 16, client.remote + 16, 12) != 0);
    pair_done(p);
}

static void there_are_no_keys_before_the_handshake(void)
{
    struct pair *p = pair_init();
    struct srtp_keys keys;

    CHECK_EQ(dtls_srtp_keys(p->client.dtls, &keys), -ENOTCONN);
    CHECK_EQ(dtls_send(p->client.dtls, (const uint8_t *)"x", 1), -ENOTCONN);
    pair_done(p);
}

static void handshake_takes_one_flight_each_and_no_repeat(void)
{
    struct pair *p = connected_pair();

    CHECK_EQ(p->client.sent, 2);
    CHECK_EQ(p->server.sent, 2);
    CHECK_EQ(dtls_advance(p->client.dtls, SECOND), NEVER_US);
    CHECK_EQ(dtls_advance(p->server.dtls, SECOND), NEVER_US);
    pair_done(p);
}

static void fingerprint_may_be_of_any_hash(void)
{
    static const enum fingerprint_hash hashes[] = {FINGERPRINT_SHA256, FINGERPRINT_SHA384,
                                                   FINGERPRINT_SHA512};

    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        struct pair *p = pair_init();
        struct dtls_fingerprint expected = fingerprint_by(p->server.identity, hashes[i]);

        replace_client(p, &expected);
        settle(p);
        CHECK_EQ(dtls_state(p->client.dtls), DTLS_CONNECTED);
        pair_done(p);
    }
}

static void wrong_fingerprint_fails_on_both_sides(void)
{
    static const enum fingerprint_hash hashes[] = {FINGERPRINT_SHA256, FINGERPRINT_SHA384,
                                                   FINGERPRINT_SHA512};

    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        struct pair *p = pair_init();
        struct dtls_fingerprint expected = fingerprint_by(p->server.identity, hashes[i]);

        expected.bytes[expected.len - 1] ^= 1;
        replace_client(p, &expected);
        settle(p);
        CHECK_EQ(dtls_state(p->client.dtls), DTLS_FAILED);
        CHECK_STR(dtls_error(p->client.dtls), "peer's certificate does not match its fingerprint");
        CHECK_EQ(dtls_state(p->server.dtls), DTLS_FAILED);
        CHECK(strstr(dtls_error(p->server.dtls), "alert"));
        pair_done(p);
    }
}

static void server_checks_the_fingerprint_too(void)
{
    struct pair *p = pair_init();
    struct dtls_fingerprint expected = fingerprint_by(p->client.identity, FINGERPRINT_SHA256);

    expected.bytes[0] ^= 1;
    dtls_free(p->server.dtls);
    make_session(&p->server, &expected, false);
    settle(p);
    CHECK_EQ(dtls_state(p->server.dtls), DTLS_FAILED);
    CHECK_STR(dtls_error(p->server.dtls), "peer's certificate does not match its fingerprint");
    pair_done(p);
}

static void fingerprint_length_must_fit_its_hash(void)
{
    struct pair *p = pair_init();
    struct dtls_fingerprint expected = fingerprint_by(p->client.identity, FINGERPRINT_SHA256);
    struct dtls *dtls = NULL;

    expected.hash = FINGERPRINT_SHA384;
    CHECK_EQ(dtls_new(&dtls, p->server.identity, &expected, false, &handler, NULL), -EINVAL);
    pair_done(p);
}

static void one_profile_can_be_asked_for(void)
{
    struct pair *p = pair_init();
    struct srtp_keys keys;

    CHECK_EQ(dtls_offer_only(p->client.dtls, SRTP_NONE), -EINVAL);
    CHECK_EQ(dtls_offer_only(p->client.dtls, SRTP_AES_CM_128_HMAC_SHA1_80), 0);
    settle(p);
    CHECK_EQ(dtls_srtp_keys(p->server.dtls, &keys), 0);
    CHECK_EQ(keys.profile, SRTP_AES_CM_128_HMAC_SHA1_80);
    CHECK_EQ(keys.salt_len, 14);
    pair_done(p);
}

static void no_common_profile_is_told(void)
{
    struct pair *p = pair_init();
    struct srtp_keys keys;

    CHECK_EQ(dtls_offer_only(p->client.dtls, SRTP_AES_CM_128_HMAC_SHA1_80), 0);
    CHECK_EQ(dtls_offer_only(p->server.dtls, SRTP_AEAD_AES_256_GCM), 0);
    settle(p);
    CHECK_EQ(dtls_srtp_keys(p->client.dtls, &keys), -ENOTSUP);
    CHECK_EQ(dtls_srtp_keys(p->server.dtls, &keys), -ENOTSUP);
    pair_done(p);
}

static void application_data_goes_both_ways_also_after_trimming(void)
{
    struct pair *p = connected_pair();
    uint8_t large[DTLS_MTU + 1] = {0};

    CHECK_EQ(dtls_send(p->client.dtls, (const uint8_t *)"hello", 5), 0);
    settle(p);
    CHECK_EQ(p->server.data_len, 5);
    CHECK_MEM(p->server.data, "hello", 5);
    dtls_trim(p->client.dtls);
    dtls_trim(p->server.dtls);
    CHECK_EQ(dtls_send(p->server.dtls, (const uint8_t *)"good bye", 8), 0);
    settle(p);
    CHECK_EQ(p->client.data_len, 8);
    CHECK_MEM(p->client.data, "good bye", 8);
    CHECK_EQ(dtls_send(p->client.dtls, large, sizeof(large)), -EMSGSIZE);
    CHECK_EQ(dtls_send(p->client.dtls, large, 0), -EMSGSIZE);
    pair_done(p);
}

static void answers_to_one_datagram_share_datagrams_up_to_the_mtu(void)
{
    enum { RECORDS = 3, LEN = 400 };
    struct pair *p = connected_pair();
    uint8_t together[DATAGRAM_MAX];
    uint8_t data[LEN] = {'e'};
    size_t len = 0;

    p->server.echoes = true;
    for (int i = 0; i < RECORDS; i++)
        CHECK_EQ(dtls_send(p->client.dtls, data, sizeof(data)), 0);
    for (size_t i = 0; i < p->to_server.n; i++) {
        memcpy(together + len, p->to_server.data[i], p->to_server.len[i]);
        len += p->to_server.len[i];
    }
    p->to_server.n = 0;
    CHECK_EQ(dtls_receive(p->server.dtls, together, len, 0), 0);
    CHECK_EQ(p->server.data_len, RECORDS * LEN);
    CHECK_EQ(p->to_client.n, 2);
    settle(p);
    CHECK_EQ(p->client.data_len, RECORDS * LEN);
    pair_done(p);
}

static void closing_is_told_to_the_peer(void)
{
    struct pair *p = connected_pair();

    dtls_trim(p->client.dtls);
    dtls_trim(p->server.dtls);
    dtls_close(p->server.dtls);
    CHECK_EQ(dtls_state(p->server.dtls), DTLS_CLOSED);
    settle(p);
    CHECK_EQ(dtls_state(p->client.dtls), DTLS_CLOSED);
    CHECK_STR(dtls_error(p->client.dtls), "");
    CHECK_EQ(dtls_send(p->client.dtls, (const uint8_t *)"x", 1), -ENOTCONN);
    pair_done(p);
}

static void lost_last_flight_is_repeated_when_the_client_repeats(void)
{
    struct pair *p = pair_init();

    (void)!dtls_advance(p->client.dtls, 0);
    deliver(&p->to_server, p->server.dtls, 0);
    deliver(&p->to_client, p->client.dtls, 0);
    deliver(&p->to_server, p->server.dtls, 0);
    CHECK_EQ(dtls_state(p->server.dtls), DTLS_CONNECTED);
    CHECK(p->to_client.n > 0);
    p->to_client.n = 0; /* lost */
    dtls_trim(p->server.dtls);
    p->now_us = dtls_advance(p->client.dtls, MS);
    CHECK_EQ(p->now_us, 100 * MS);
    settle(p);
    CHECK_EQ(dtls_state(p->client.dtls), DTLS_CONNECTED);
    CHECK_EQ(dtls_state(p->server.dtls), DTLS_CONNECTED);
    pair_done(p);
}

static void silence_fails_after_30_seconds(void)
{
    struct pair *p = pair_init();
    int64_t now_us = 5 * SECOND;

    for (int64_t next_us; (next_us = dtls_advance(p->client.dtls, now_us)) != NEVER_US;) {
        CHECK(next_us > now_us);
        now_us = next_us;
        p->to_server.n = 0;
    }
    CHECK_EQ(now_us, 35 * SECOND);
    CHECK_EQ(dtls_state(p->client.dtls), DTLS_FAILED);
    CHECK_STR(dtls_error(p->client.dtls), "no answer to the DTLS handshake");
    CHECK_EQ(dtls_advance(p->server.dtls, 0), DTLS_HANDSHAKE_TIMEOUT_S * SECOND);
    CHECK_EQ(dtls_advance(p->server.dtls, DTLS_HANDSHAKE_TIMEOUT_S * SECOND), NEVER_US);
    CHECK_EQ(dtls_state(p->server.dtls), DTLS_FAILED);
    pair_done(p);
}

static void what_is_no_record_is_malformed(void)
{
    static const uint8_t version[13] = {22, 3, 3};
    static const uint8_t type[13] = {19, 0xfe, 0xfd};
    static const uint8_t cut[13] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    struct pair *p = pair_init();

    CHECK_EQ(dtls_receive(p->server.dtls, version, 0, 0), -EBADMSG);
    CHECK_EQ(dtls_receive(p->server.dtls, version, sizeof(version), 0), -EBADMSG);
    CHECK_EQ(dtls_receive(p->server.dtls, type, sizeof(type), 0), -EBADMSG);
    CHECK_EQ(dtls_receive(p->server.dtls, cut, sizeof(cut), 0), -EBADMSG);
    CHECK_EQ(dtls_receive(p->server.dtls, cut, sizeof(cut) - 1, 0), -EBADMSG);
    settle(p);
    CHECK_EQ(dtls_state(p->server.dtls), DTLS_CONNECTED);
    pair_done(p);
}

static void nothing_is_taken_after_the_end(void)
{
    static const uint8_t record[13] = {23, 0xfe, 0xfd};
    struct pair *p = connected_pair();

    dtls_close(p->client.dtls);
    CHECK_EQ(dtls_receive(p->client.dtls, record, sizeof(record), 0), -ECONNABORTED);
    pair_done(p);
}

static void forged_records_do_not_end_a_session(void)
{
    static const uint8_t alert[15] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40};
    static const uint8_t data[16] = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 99, 0, 3, 'x', 'y', 'z'};
    struct pair *p = connected_pair();

    CHECK_EQ(dtls_receive(p->server.dtls, alert, sizeof(alert), 0), 0);
    CHECK_EQ(dtls_receive(p->server.dtls, data, sizeof(data), 0), 0);
    CHECK_EQ(dtls_state(p->server.dtls), DTLS_CONNECTED);
    CHECK_EQ(p->server.data_len, 0);
    pair_done(p);
}

static void identities_are_not_numbered(void)
{
    struct dtls_identity *identity;

    for (int i = 0; i < 150; i++) {
        CHECK_EQ(dtls_identity_new(&identity), 0);
        identity = dtls_identity_free(identity);
    }
}

TAP_CASES(CASE(both_sides_export_the_same_keys), CASE(there_are_no_keys_before_the_handshake),
          CASE(handshake_takes_one_flight_each_and_no_repeat), CASE(fingerprint_may_be_of_any_hash),
          CASE(wrong_fingerprint_fails_on_both_sides), CASE(server_checks_the_fingerprint_too),
          CASE(fingerprint_length_must_fit_its_hash), CASE(one_profile_can_be_asked_for),
          CASE(no_common_profile_is_told),
          CASE(application_data_goes_both_ways_also_after_trimming),
          CASE(answers_to_one_datagram_share_datagrams_up_to_the_mtu),
          CASE(closing_is_told_to_the_peer),
          CASE(lost_last_flight_is_repeated_when_the_client_repeats),
          CASE(silence_fails_after_30_seconds), CASE(what_is_no_record_is_malformed),
          CASE(nothing_is_taken_after_the_end), CASE(forged_records_do_not_end_a_session),
          CASE(identities_are_not_numbered))
