/* One transport against a DTLS session of the test's own; tests/loop/ has two against each other.
 */

#include "media/transport.h"

#include "media/base/clock.h"
#include "media/packet.h"
#include "media/rtp.h"
#include "media/seal.h"
#include "tests/srtp_reference.h"
#include "tests/tap.h"

#include <errno.h>

enum { POOL_PACKETS = 32, WIRE_MAX = 64 };

struct peer {
    struct packet_pool *pool;
    struct dtls_identity *identity, *peer_identity;
    struct transport *transport; /* under test, DTLS server */
    struct dtls *dtls;           /* the peer's, client */
    struct packet *to_transport[WIRE_MAX], *to_peer[WIRE_MAX];
    size_t n_to_transport, n_to_peer;
    enum transport_state states[8];
    size_t n_states;
    size_t rtp, rtcp;
    struct rtp_header last;
    uint8_t last_rtcp[64];
    size_t last_rtcp_len;
};

static struct packet *make_packet(struct peer *p, const uint8_t *data, size_t len)
{
    struct packet *packet = packet_new(p->pool);

    CHECK(packet && len <= PACKET_CAPACITY);
    if (!packet)
        return NULL;
    memcpy(packet->data, data, len);
    packet->len = (uint16_t)len;
    return packet;
}

static void on_send(void *owner, const uint8_t *data, size_t len)
{
    struct peer *p = owner;

    CHECK(p->n_to_peer < WIRE_MAX);
    p->to_peer[p->n_to_peer++] = make_packet(p, data, len);
}

static void on_state(void *owner, enum transport_state state)
{
    struct peer *p = owner;

    CHECK(p->n_states < 8);
    p->states[p->n_states++] = state;
    CHECK_EQ(transport_state(p->transport), state);
}

static void on_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    struct peer *p = owner;

    (void)now_us;
    p->rtp++;
    p->last = packet->rtp;
}

static void on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    struct peer *p = owner;

    (void)now_us;
    CHECK(len <= sizeof(p->last_rtcp));
    p->rtcp++;
    memcpy(p->last_rtcp, data, len);
    p->last_rtcp_len = len;
}

static void peer_sends(void *owner, const uint8_t *data, size_t len)
{
    struct peer *p = owner;

    CHECK(p->n_to_transport < WIRE_MAX);
    p->to_transport[p->n_to_transport++] = make_packet(p, data, len);
}

static void make_transport(struct peer *p, const struct dtls_fingerprint *expected,
                           enum srtp_profile only)
{
    static const struct transport_handler handler = {
        .send = on_send, .on_state = on_state, .on_rtp = on_rtp, .on_rtcp = on_rtcp};
    struct transport_config config = {
        .identity = p->identity, .fingerprint = *expected, .only_profile = only};

    transport_free(p->transport);
    CHECK_EQ(transport_new(&p->transport, &config, &handler, p), 0);
}

static void peer_init(struct peer *p)
{
    static const struct dtls_handler dtls_handler = {.send = peer_sends};
    static bool library_started;

    CHECK(library_started || srtp_global_init() == 0);
    library_started = true;
    *p = (struct peer){.pool = packet_pool_new(POOL_PACKETS)};
    CHECK(p->pool);
    CHECK_EQ(dtls_identity_new(&p->identity), 0);
    CHECK_EQ(dtls_identity_new(&p->peer_identity), 0);
    make_transport(p, dtls_identity_fingerprint(p->peer_identity), SRTP_NONE);
    CHECK_EQ(dtls_new(&p->dtls, p->peer_identity, dtls_identity_fingerprint(p->identity), true,
                      &dtls_handler, p),
             0);
}

static void drop_all(struct packet **packets, size_t *n)
{
    while (*n > 0)
        packet_unref(packets[--*n]);
}

static void peer_done(struct peer *p)
{
    drop_all(p->to_transport, &p->n_to_transport);
    drop_all(p->to_peer, &p->n_to_peer);
    p->transport = transport_free(p->transport);
    p->dtls = dtls_free(p->dtls);
    p->identity = dtls_identity_free(p->identity);
    p->peer_identity = dtls_identity_free(p->peer_identity);
    CHECK_EQ(packet_pool_used(p->pool), 0);
    p->pool = packet_pool_free(p->pool);
}

static void deliver_to_transport(struct peer *p)
{
    for (size_t i = 0; i < p->n_to_transport; i++)
        (void)!transport_receive(p->transport, p->to_transport[i], 0);
    drop_all(p->to_transport, &p->n_to_transport);
}

static void deliver_to_peer(struct peer *p)
{
    for (size_t i = 0; i < p->n_to_peer; i++)
        (void)!dtls_receive(p->dtls, p->to_peer[i]->data, p->to_peer[i]->len, 0);
    drop_all(p->to_peer, &p->n_to_peer);
}

static void settle(struct peer *p)
{
    (void)!dtls_advance(p->dtls, 0);
    while (p->n_to_transport + p->n_to_peer > 0) {
        deliver_to_transport(p);
        deliver_to_peer(p);
    }
}

static void connect_peer(struct peer *p)
{
    transport_start(p->transport, 0);
    settle(p);
    CHECK_EQ(transport_state(p->transport), TRANSPORT_CONNECTED);
}

/* An RTP packet of the peer, sealed with the keys it agreed on. */
static struct packet *sealed_by_peer(struct peer *p, uint16_t seq)
{
    struct rtp_write header = {.pt = 111, .seq = seq, .ssrc = 7};
    uint8_t plain[RTP_HEADER_LEN + 20] = {0};
    uint8_t sealed[sizeof(plain) + SRTP_TRAILER_MAX];
    struct srtp_reference reference;
    struct srtp_keys keys;
    size_t len;

    CHECK_EQ(dtls_srtp_keys(p->dtls, &keys), 0);
    CHECK_EQ(rtp_write_header(plain, sizeof(plain), &header), RTP_HEADER_LEN);
    srtp_reference_derive_rtp(&reference, keys.profile, keys.local);
    len = srtp_reference_seal_rtp(&reference, 0, plain, RTP_HEADER_LEN, sizeof(plain), sealed);
    return make_packet(p, sealed, len);
}

static struct packet *report_of_peer(struct peer *p, uint32_t index)
{
    static const uint8_t report[8] = {0x80, 201, 0, 1, 0, 0, 0, 7};
    uint8_t sealed[sizeof(report) + SRTCP_TRAILER_MAX];
    struct srtp_reference reference;
    struct srtp_keys keys;
    size_t len;

    CHECK_EQ(dtls_srtp_keys(p->dtls, &keys), 0);
    srtp_reference_derive_rtcp(&reference, keys.profile, keys.local);
    len = srtp_reference_seal_rtcp(&reference, index, report, sizeof(report), sealed);
    return make_packet(p, sealed, len);
}

static int receive(struct peer *p, struct packet *packet)
{
    int err = transport_receive(p->transport, packet, 0);

    packet_unref(packet);
    return err;
}

static void states_are_gone_through_once_each(void)
{
    struct peer p;

    peer_init(&p);
    CHECK_EQ(transport_state(p.transport), TRANSPORT_NEW);
    CHECK(!transport_seal_session(p.transport));
    CHECK_EQ(transport_profile(p.transport), SRTP_NONE);
    connect_peer(&p);
    transport_start(p.transport, 0);
    CHECK_EQ(p.n_states, 2);
    CHECK_EQ(p.states[0], TRANSPORT_CONNECTING);
    CHECK_EQ(p.states[1], TRANSPORT_CONNECTED);
    CHECK(transport_seal_session(p.transport));
    CHECK_EQ(transport_profile(p.transport), SRTP_AEAD_AES_128_GCM);
    CHECK_STR(transport_error(p.transport), "");
    peer_done(&p);
}

static void early_client_hello_is_kept_until_the_start(void)
{
    struct peer p;

    peer_init(&p);
    (void)!dtls_advance(p.dtls, 0);
    CHECK_EQ(p.n_to_transport, 1);
    deliver_to_transport(&p);
    CHECK_EQ(p.n_to_peer, 0);
    CHECK_EQ(transport_advance(p.transport, 0), NEVER_US);
    transport_start(p.transport, 0);
    CHECK(p.n_to_peer > 0);
    settle(&p);
    CHECK_EQ(transport_state(p.transport), TRANSPORT_CONNECTED);
    peer_done(&p);
}

static void only_four_early_datagrams_are_kept(void)
{
    static const uint8_t record[14] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 99};
    struct peer p;

    peer_init(&p);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(receive(&p, make_packet(&p, record, sizeof(record))), 0);
    CHECK_EQ(packet_pool_used(p.pool), 4);
    CHECK_EQ(receive(&p, make_packet(&p, record, sizeof(record))), -ENOTCONN);
    CHECK_EQ(transport_stats(p.transport)->too_early, 1);
    peer_done(&p);
}

static void media_before_the_keys_is_counted(void)
{
    static const uint8_t rtp[40] = {0x80, 111};
    static const uint8_t rtcp[40] = {0x80, 201};
    struct peer p;

    peer_init(&p);
    CHECK_EQ(receive(&p, make_packet(&p, rtp, sizeof(rtp))), -ENOTCONN);
    transport_start(p.transport, 0);
    CHECK_EQ(receive(&p, make_packet(&p, rtcp, sizeof(rtcp))), -ENOTCONN);
    CHECK_EQ(transport_stats(p.transport)->too_early, 2);
    CHECK_EQ(transport_send_rtcp(p.transport, rtcp, 8), -ENOTCONN);
    peer_done(&p);
}

static void rtp_is_decrypted_and_parsed(void)
{
    struct peer p;

    peer_init(&p);
    connect_peer(&p);
    CHECK_EQ(receive(&p, sealed_by_peer(&p, 500)), 0);
    CHECK_EQ(p.rtp, 1);
    CHECK_EQ(p.last.seq, 500);
    CHECK_EQ(p.last.ssrc, 7);
    CHECK_EQ(p.last.payload_len, 20);
    CHECK_EQ(transport_stats(p.transport)->rtp_packets, 1);
    CHECK_EQ(transport_stats(p.transport)->rtp_bytes, RTP_HEADER_LEN + 20);
    peer_done(&p);
}

static void replayed_and_forged_rtp_is_counted(void)
{
    struct packet *forged;
    struct peer p;

    peer_init(&p);
    connect_peer(&p);
    CHECK_EQ(receive(&p, sealed_by_peer(&p, 500)), 0);
    CHECK_EQ(receive(&p, sealed_by_peer(&p, 500)), -EEXIST);
    forged = sealed_by_peer(&p, 501);
    forged->data[20] ^= 1;
    CHECK_EQ(receive(&p, forged), -EPERM);
    CHECK_EQ(p.rtp, 1);
    CHECK_EQ(transport_stats(p.transport)->replayed, 1);
    CHECK_EQ(transport_stats(p.transport)->bad_auth, 1);
    peer_done(&p);
}

static void rtcp_goes_both_ways(void)
{
    static const uint8_t report[8] = {0x80, 201, 0, 1, 0, 0, 0, 9};
    static const uint8_t long_report[1401] = {0x80, 201};
    struct srtp_reference reference;
    uint8_t expected[8 + SRTCP_TRAILER_MAX];
    struct srtp_keys keys;
    struct peer p;
    size_t len;

    peer_init(&p);
    connect_peer(&p);
    CHECK_EQ(receive(&p, report_of_peer(&p, 1)), 0);
    CHECK_EQ(p.rtcp, 1);
    CHECK_EQ(p.last_rtcp_len, 8);
    CHECK_EQ(p.last_rtcp[7], 7);
    CHECK_EQ(transport_stats(p.transport)->rtcp_packets, 1);
    CHECK_EQ(transport_send_rtcp(p.transport, report, sizeof(report)), 0);
    CHECK_EQ(dtls_srtp_keys(p.dtls, &keys), 0);
    srtp_reference_derive_rtcp(&reference, keys.profile, keys.remote);
    len = srtp_reference_seal_rtcp(&reference, 1, report, sizeof(report), expected);
    CHECK_EQ(p.n_to_peer, 1);
    CHECK_EQ(p.to_peer[0]->len, len);
    CHECK_MEM(p.to_peer[0]->data, expected, len);
    CHECK_EQ(transport_send_rtcp(p.transport, long_report, sizeof(long_report)), -EMSGSIZE);
    peer_done(&p);
}

static void what_is_none_of_ours_is_malformed(void)
{
    static const uint8_t stun[20] = {0, 1};
    static const uint8_t unknown[20] = {0xff};
    static const uint8_t broken_dtls[20] = {22, 3, 3};
    struct peer p;

    peer_init(&p);
    connect_peer(&p);
    CHECK_EQ(receive(&p, make_packet(&p, stun, sizeof(stun))), -EBADMSG);
    CHECK_EQ(receive(&p, make_packet(&p, unknown, sizeof(unknown))), -EBADMSG);
    CHECK_EQ(receive(&p, make_packet(&p, broken_dtls, sizeof(broken_dtls))), -EBADMSG);
    CHECK_EQ(receive(&p, make_packet(&p, stun, 0)), -EBADMSG);
    CHECK_EQ(transport_stats(p.transport)->malformed, 4);
    peer_done(&p);
}

static void peer_that_leaves_closes_the_transport(void)
{
    struct packet *late;
    struct peer p;

    peer_init(&p);
    connect_peer(&p);
    late = sealed_by_peer(&p, 500);
    dtls_close(p.dtls);
    settle(&p);
    CHECK_EQ(transport_state(p.transport), TRANSPORT_CLOSED);
    CHECK_EQ(p.n_states, 3);
    CHECK(!transport_seal_session(p.transport));
    CHECK_EQ(receive(&p, late), -ENOTCONN);
    peer_done(&p);
}

static void closing_tells_the_peer_once(void)
{
    struct peer p;

    peer_init(&p);
    connect_peer(&p);
    transport_close(p.transport);
    transport_close(p.transport);
    CHECK_EQ(p.n_to_peer, 1);
    CHECK_EQ(p.n_states, 3);
    deliver_to_peer(&p);
    CHECK_EQ(dtls_state(p.dtls), DTLS_CLOSED);
    CHECK_EQ(transport_advance(p.transport, SECOND), NEVER_US);
    peer_done(&p);
}

static void closing_before_the_handshake_is_silent(void)
{
    struct peer p;

    peer_init(&p);
    transport_close(p.transport);
    CHECK_EQ(p.n_to_peer, 0);
    CHECK_EQ(transport_state(p.transport), TRANSPORT_CLOSED);
    transport_start(p.transport, 0);
    CHECK_EQ(transport_state(p.transport), TRANSPORT_CLOSED);
    peer_done(&p);
}

static void no_common_profile_fails_with_words(void)
{
    struct peer p;

    peer_init(&p);
    make_transport(&p, dtls_identity_fingerprint(p.peer_identity), SRTP_AEAD_AES_256_GCM);
    CHECK_EQ(dtls_offer_only(p.dtls, SRTP_AES_CM_128_HMAC_SHA1_80), 0);
    transport_start(p.transport, 0);
    settle(&p);
    CHECK_EQ(transport_state(p.transport), TRANSPORT_FAILED);
    CHECK_STR(transport_error(p.transport), "no SRTP profile in common");
    CHECK_EQ(dtls_state(p.dtls), DTLS_CLOSED);
    peer_done(&p);
}

static void wrong_certificate_fails_with_words(void)
{
    struct peer p;

    peer_init(&p);
    make_transport(&p, dtls_identity_fingerprint(p.identity), SRTP_NONE);
    transport_start(p.transport, 0);
    settle(&p);
    CHECK_EQ(transport_state(p.transport), TRANSPORT_FAILED);
    CHECK_STR(transport_error(p.transport), "peer's certificate does not match its fingerprint");
    CHECK_EQ(transport_advance(p.transport, SECOND), NEVER_US);
    peer_done(&p);
}

static void silent_peer_fails_after_30_seconds(void)
{
    struct peer p;

    peer_init(&p);
    transport_start(p.transport, 0);
    CHECK_EQ(transport_advance(p.transport, 0), DTLS_HANDSHAKE_TIMEOUT_S * SECOND);
    CHECK_EQ(transport_advance(p.transport, DTLS_HANDSHAKE_TIMEOUT_S * SECOND), NEVER_US);
    CHECK_EQ(transport_state(p.transport), TRANSPORT_FAILED);
    CHECK_STR(transport_error(p.transport), "no answer to the DTLS handshake");
    peer_done(&p);
}

static void every_state_has_a_name(void)
{
    CHECK_STR(transport_state_name(TRANSPORT_NEW), "new");
    CHECK_STR(transport_state_name(TRANSPORT_CONNECTING), "connecting");
    CHECK_STR(transport_state_name(TRANSPORT_CONNECTED), "connected");
    CHECK_STR(transport_state_name(TRANSPORT_FAILED), "failed");
    CHECK_STR(transport_state_name(TRANSPORT_CLOSED), "closed");
}

TAP_CASES(CASE(states_are_gone_through_once_each), CASE(early_client_hello_is_kept_until_the_start),
          CASE(only_four_early_datagrams_are_kept), CASE(media_before_the_keys_is_counted),
          CASE(rtp_is_decrypted_and_parsed), CASE(replayed_and_forged_rtp_is_counted),
          CASE(rtcp_goes_both_ways), CASE(what_is_none_of_ours_is_malformed),
          CASE(peer_that_leaves_closes_the_transport), CASE(closing_tells_the_peer_once),
          CASE(closing_before_the_handshake_is_silent), CASE(no_common_profile_fails_with_words),
          CASE(wrong_certificate_fails_with_words), CASE(silent_peer_fails_after_30_seconds),
          CASE(every_state_has_a_name))
