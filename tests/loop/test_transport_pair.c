/* Two transports over a simulated network: handshake and media under loss, delay and disorder. */

#include "bench/netem.h"
#include "media/base/clock.h"
#include "media/packet.h"
#include "media/rtp.h"
#include "media/seal.h"
#include "media/transport.h"
#include "tests/tap.h"

enum {
    POOL_PACKETS = 64,
    PAYLOAD_LEN = 160,
    MEDIA_PACKETS = 50,
    SEEDS = 20,
};

struct side {
    struct dtls_identity *identity;
    struct transport *transport;
    struct netem *out; /* to the other side */
    int64_t now_us;
    int64_t connected_us; /* NEVER_US: not yet */
    int64_t deadline_us;
    uint32_t ssrc;
    uint16_t next_seq;
    uint64_t rtp, rtcp, wrong;
    size_t states;
};

struct pair {
    struct packet_pool *pool;
    struct side client, server;
    int64_t now_us;
};

static void on_send(void *owner, const uint8_t *data, size_t len)
{
    struct side *side = owner;

    netem_push(side->out, 0, data, len, side->now_us);
}

static void on_state(void *owner, enum transport_state state)
{
    struct side *side = owner;

    side->states++;
    if (state == TRANSPORT_CONNECTED)
        side->connected_us = side->now_us;
}

static void on_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    struct side *side = owner;
    const uint8_t *payload = packet->data + packet->rtp.header_len;

    (void)now_us;
    side->rtp++;
    side->wrong += packet->rtp.payload_len != PAYLOAD_LEN || payload[0] != 'm' ||
                   payload[PAYLOAD_LEN - 1] != (uint8_t)packet->rtp.seq;
}

static void on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    struct side *side = owner;

    (void)now_us;
    side->rtcp++;
    side->wrong += len != 8 || data[1] != 201;
}

static const struct transport_handler handler = {
    .send = on_send,
    .on_state = on_state,
    .on_rtp = on_rtp,
    .on_rtcp = on_rtcp,
};

static void make_side(struct side *side, const struct dtls_fingerprint *peer, bool dtls_client,
                      enum srtp_profile only)
{
    struct transport_config config = {
        .identity = side->identity,
        .fingerprint = *peer,
        .dtls_client = dtls_client,
        .only_profile = only,
    };

    side->connected_us = side->deadline_us = NEVER_US;
    side->ssrc = dtls_client ? 0x11111111 : 0x22222222;
    side->next_seq = 65500; /* wraps on the way */
    CHECK_EQ(transport_new(&side->transport, &config, &handler, side), 0);
}

static void init_srtp_once(void)
{
    static bool done;

    CHECK(done || srtp_global_init() == 0);
    done = true;
}

static void pair_init(struct pair *p, const struct netem_config *link, enum srtp_profile only)
{
    struct netem_config back = *link;

    *p = (struct pair){.pool = packet_pool_new(POOL_PACKETS)};
    back.seed = link->seed + 1000;
    init_srtp_once();
    CHECK_EQ(dtls_identity_new(&p->client.identity), 0);
    CHECK_EQ(dtls_identity_new(&p->server.identity), 0);
    p->client.out = netem_new(link);
    p->server.out = netem_new(&back);
    CHECK(p->pool && p->client.out && p->server.out);
    make_side(&p->client, dtls_identity_fingerprint(p->server.identity), true, only);
    make_side(&p->server, dtls_identity_fingerprint(p->client.identity), false, SRTP_NONE);
}

static void side_done(struct side *side)
{
    side->transport = transport_free(side->transport);
    side->identity = dtls_identity_free(side->identity);
    side->out = netem_free(side->out);
}

static void pair_done(struct pair *p)
{
    side_done(&p->client);
    side_done(&p->server);
    CHECK_EQ(packet_pool_used(p->pool), 0);
    p->pool = packet_pool_free(p->pool);
}

/* Give `to` what has arrived on `link`, and let it do what is due. */
static void turn(struct pair *p, struct side *to, struct netem *link)
{
    uint8_t data[NETEM_DATAGRAM_MAX];
    size_t len;

    to->now_us = p->now_us;
    while (netem_pop(link, p->now_us, NULL, data, &len)) {
        struct packet *packet = packet_new(p->pool);

        CHECK(len <= PACKET_CAPACITY);
        if (!packet)
            break;
        memcpy(packet->data, data, len);
        packet->len = (uint16_t)len;
        (void)!transport_receive(to->transport, packet, p->now_us);
        packet_unref(packet);
    }
    to->deadline_us = transport_advance(to->transport, p->now_us);
}

/* Run until `until_us`, or until nothing will happen any more. */
static void run_until(struct pair *p, int64_t until_us)
{
    int64_t next_us;

    for (;;) {
        turn(p, &p->server, p->client.out);
        turn(p, &p->client, p->server.out);
        next_us = clock_earlier(
            clock_earlier(p->client.deadline_us, p->server.deadline_us),
            clock_earlier(netem_deadline(p->client.out), netem_deadline(p->server.out)));
        if (next_us > until_us)
            break;
        p->now_us = next_us > p->now_us ? next_us : p->now_us;
    }
    p->now_us = until_us;
}

static void start(struct pair *p)
{
    transport_start(p->server.transport, p->now_us);
    transport_start(p->client.transport, p->now_us);
}

static bool connected(const struct pair *p)
{
    return transport_state(p->client.transport) == TRANSPORT_CONNECTED &&
           transport_state(p->server.transport) == TRANSPORT_CONNECTED;
}

static void send_rtp(struct pair *p, struct side *side)
{
    struct rtp_write header = {.pt = 111, .seq = side->next_seq, .ssrc = side->ssrc};
    uint8_t head[RTP_HEADER_LEN];
    uint8_t payload[PAYLOAD_LEN] = {'m'};
    uint8_t out[RTP_HEADER_LEN + PAYLOAD_LEN + SRTP_TRAILER_MAX];
    struct seal_packet sealed = {
        .session = transport_seal_session(side->transport),
        .head = head,
        .head_len = sizeof(head),
        .payload = payload,
        .payload_len = sizeof(payload),
        .out = out,
    };

    CHECK_EQ(rtp_write_header(head, sizeof(head), &header), sizeof(head));
    payload[PAYLOAD_LEN - 1] = (uint8_t)side->next_seq++;
    CHECK_EQ(seal_batch(&sealed, 1), 1);
    netem_push(side->out, 0, out, sealed.out_len, p->now_us);
}

static void exchange_media(struct pair *p)
{
    static const uint8_t receiver_report[8] = {0x80, 201, 0, 1, 0, 0, 0, 1};

    for (size_t i = 0; i < MEDIA_PACKETS; i++) {
        p->client.now_us = p->server.now_us = p->now_us;
        send_rtp(p, &p->client);
        send_rtp(p, &p->server);
        CHECK_EQ(transport_send_rtcp(p->client.transport, receiver_report, 8), 0);
        CHECK_EQ(transport_send_rtcp(p->server.transport, receiver_report, 8), 0);
        run_until(p, p->now_us + 20 * MS);
    }
    run_until(p, p->now_us + SECOND);
}

static void media_flows_with(enum srtp_profile only, enum srtp_profile expected)
{
    struct netem_config link = {.seed = 1, .delay_us = 20 * MS};
    struct pair p;

    pair_init(&p, &link, only);
    start(&p);
    run_until(&p, SECOND);
    CHECK(connected(&p));
    CHECK_EQ(transport_profile(p.client.transport), expected);
    CHECK_EQ(transport_profile(p.server.transport), expected);
    exchange_media(&p);
    CHECK_EQ(p.client.rtp, MEDIA_PACKETS);
    CHECK_EQ(p.server.rtp, MEDIA_PACKETS);
    CHECK_EQ(p.client.rtcp, MEDIA_PACKETS);
    CHECK_EQ(p.server.rtcp, MEDIA_PACKETS);
    CHECK_EQ(p.client.wrong + p.server.wrong, 0);
    pair_done(&p);
}

static void best_profile_is_chosen_and_media_flows(void)
{
    media_flows_with(SRTP_NONE, SRTP_AEAD_AES_128_GCM);
}

static void media_flows_with_aes_256(void)
{
    media_flows_with(SRTP_AEAD_AES_256_GCM, SRTP_AEAD_AES_256_GCM);
}

static void media_flows_with_aes_cm(void)
{
    media_flows_with(SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AES_CM_128_HMAC_SHA1_80);
}

static void handshake_without_loss_takes_two_round_trips(void)
{
    struct netem_config link = {.seed = 1, .delay_us = 20 * MS};
    struct pair p;

    pair_init(&p, &link, SRTP_NONE);
    start(&p);
    run_until(&p, SECOND);
    CHECK_EQ(p.server.connected_us, 60 * MS);
    CHECK_EQ(p.client.connected_us, 80 * MS);
    CHECK_EQ(p.client.deadline_us, NEVER_US);
    CHECK_EQ(p.server.deadline_us, NEVER_US);
    pair_done(&p);
}

static void handshake_survives_30_percent_loss(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct netem_config link = {
            .seed = seed,
            .delay_us = 40 * MS,
            .jitter_us = 20 * MS,
            .loss = 0.3,
            .reorder = 0.1,
            .duplicate = 0.1,
        };
        struct pair p;

        pair_init(&p, &link, SRTP_NONE);
        start(&p);
        run_until(&p, 10 * SECOND);
        printf("# seed %" PRIu64 ": client after %" PRId64 " ms, server after %" PRId64 " ms\n",
               seed, p.client.connected_us / MS, p.server.connected_us / MS);
        CHECK(connected(&p));
        exchange_media(&p);
        CHECK(p.client.rtp > MEDIA_PACKETS / 2 && p.client.rtp <= MEDIA_PACKETS);
        CHECK(p.server.rtp > MEDIA_PACKETS / 2 && p.server.rtp <= MEDIA_PACKETS);
        CHECK_EQ(p.client.wrong + p.server.wrong, 0);
        pair_done(&p);
    }
}

static void handshake_survives_bursts_of_loss(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct netem_config link = {
            .seed = seed, .delay_us = 100 * MS, .burst_start = 0.2, .burst_len = 3};
        struct pair p;

        pair_init(&p, &link, SRTP_NONE);
        start(&p);
        run_until(&p, 20 * SECOND);
        CHECK(connected(&p));
        pair_done(&p);
    }
}

static void wrong_fingerprint_fails_with_words(void)
{
    struct netem_config link = {.seed = 1, .delay_us = 20 * MS};
    struct pair p;

    pair_init(&p, &link, SRTP_NONE);
    transport_free(p.client.transport);
    make_side(&p.client, dtls_identity_fingerprint(p.client.identity), true, SRTP_NONE);
    start(&p);
    run_until(&p, SECOND);
    CHECK_EQ(transport_state(p.client.transport), TRANSPORT_FAILED);
    CHECK_STR(transport_error(p.client.transport),
              "peer's certificate does not match its fingerprint");
    CHECK_EQ(transport_state(p.server.transport), TRANSPORT_FAILED);
    CHECK(strstr(transport_error(p.server.transport), "bad certificate"));
    pair_done(&p);
}

static void closing_reaches_the_other_side(void)
{
    struct netem_config link = {.seed = 1, .delay_us = 20 * MS};
    struct pair p;

    pair_init(&p, &link, SRTP_NONE);
    start(&p);
    run_until(&p, SECOND);
    p.client.now_us = p.now_us;
    transport_close(p.client.transport);
    run_until(&p, 2 * SECOND);
    CHECK_EQ(transport_state(p.server.transport), TRANSPORT_CLOSED);
    pair_done(&p);
}

TAP_CASES(CASE(best_profile_is_chosen_and_media_flows), CASE(media_flows_with_aes_256),
          CASE(media_flows_with_aes_cm), CASE(handshake_without_loss_takes_two_round_trips),
          CASE(handshake_survives_30_percent_loss), CASE(handshake_survives_bursts_of_loss),
          CASE(wrong_fingerprint_fails_with_words), CASE(closing_reaches_the_other_side))
