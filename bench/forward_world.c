#include "bench/forward_world.h"

#include "bench/ice_client.h"
#include "media/base/clock.h"
#include "media/dtls.h"
#include "media/packet.h"
#include "media/rtp.h"
#include "media/seal.h"
#include "media/srtp.h"
#include "media/transport.h"
#include "media/udp_socket.h"
#include "sfu/forwarder.h"
#include "sfu/mail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM = 1,
    TRACK = 1,
    SSRC = 0x5eed,
    SLOT_SSRC = 0x510700,
    VP8_PT = 96,
    VP8_RTX_PT = 97,
    FIRST_PORT = 1024, /* of the clients, who are told apart by it */
    INBOX_MAX = 64,    /* datagrams to clients between two looks at them */
    CONNECT_MS = 2000,
    SECTIONS = 1,
    CLEAR_AT = FORWARD_WORLD_HEAD,
};

static const int64_t KEEP_US = 4 * SECOND;

struct forward_world_client {
    struct forward_world *world;
    struct sockaddr_storage address;
    struct ice_client ice;
    struct transport *transport;
};

/* As Chromium 150 offers them. */
static const struct extension_map chromium = {.id = {
                                                  [EXTENSION_ABS_SEND_TIME] = 2,
                                                  [EXTENSION_TRANSPORT_CC] = 3,
                                                  [EXTENSION_MID] = 4,
                                                  [EXTENSION_PLAYOUT_DELAY] = 5,
                                                  [EXTENSION_COLOR_SPACE] = 8,
                                                  [EXTENSION_VIDEO_ORIENTATION] = 13,
                                              }};

static const struct local_address ours = {.len = 4, .bytes = {10, 0, 0, 1}};

static struct sockaddr_storage address_of(uint32_t client)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)(FIRST_PORT + client))};
    struct sockaddr_storage address = {0};

    in.sin_addr.s_addr = htonl(0x0a000100);
    memcpy(&address, &in, sizeof(in));
    return address;
}

static struct forward_world_client *client_at(const struct forward_world *w,
                                              const struct sockaddr_storage *address)
{
    struct sockaddr_in in;

    memcpy(&in, address, sizeof(in));
    return &w->clients[ntohs(in.sin_port) - FIRST_PORT];
}

/* ------------------------------------------------------------------ from the forwarder */

/* Media is counted; STUN and DTLS wait for their client, who may answer at once. */
static void on_send(void *owner, const struct datagram *datagrams, size_t n)
{
    struct forward_world *w = owner;

    for (size_t i = 0; i < n; i++) {
        enum datagram_kind kind = datagram_kind(datagrams[i].data, datagrams[i].len);
        struct packet *packet;

        if (kind == DATAGRAM_RTP || kind == DATAGRAM_RTCP) {
            w->sent += kind == DATAGRAM_RTP;
            continue;
        }
        packet = w->n_inbox < INBOX_MAX ? packet_new(w->pool) : NULL;
        if (!packet)
            continue;
        memcpy(packet->data, datagrams[i].data, datagrams[i].len);
        packet->len = (uint16_t)datagrams[i].len;
        packet->from = *datagrams[i].to;
        w->inbox[w->n_inbox++] = packet;
    }
}

static void on_post(void *owner, struct mail *mail)
{
    struct forward_world *w = owner;

    if (mail->type == MAIL_STATE && ((const struct mail_state *)mail)->state != PEER_CONNECTED)
        w->failed++;
    mail_free(mail);
}

/* ------------------------------------------------------------------ clients */

static void send_up(struct forward_world_client *c, const uint8_t *data, size_t len)
{
    struct forward_world *w = c->world;
    struct packet *packet = packet_new(forwarder_pool(w->forwarder));

    if (!packet)
        return;
    memcpy(packet->data, data, len);
    packet->len = (uint16_t)len;
    packet->from = c->address;
    packet->to = ours;
    packet->arrival_us = w->now_us;
    forwarder_receive(w->forwarder, &packet, 1, w->now_us);
}

static void on_transport_send(void *owner, const uint8_t *data, size_t len)
{
    send_up(owner, data, len);
}

static void on_state(void *owner, enum transport_state state)
{
    (void)owner;
    (void)state;
}

static void on_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    (void)owner;
    (void)packet;
    (void)now_us;
}

static void on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    (void)owner;
    (void)data;
    (void)len;
    (void)now_us;
}

static const struct transport_handler transport_handler = {
    .send = on_transport_send,
    .on_state = on_state,
    .on_rtp = on_rtp,
    .on_rtcp = on_rtcp,
};

static void deliver(struct forward_world *w, struct packet *packet)
{
    struct forward_world_client *c = client_at(w, &packet->from);
    uint8_t reply[ICE_CLIENT_MAX];

    if (datagram_kind(packet->data, packet->len) == DATAGRAM_DTLS) {
        (void)!transport_receive(c->transport, packet, w->now_us);
        return;
    }
    (void)ice_client_receive(&c->ice, packet->data, packet->len, &packet->from, w->now_us, reply);
    transport_start(c->transport, w->now_us);
}

static void advance_client(struct forward_world_client *c)
{
    const uint8_t *check;
    size_t len = ice_client_advance(&c->ice, c->world->now_us, &check);

    if (len > 0)
        send_up(c, check, len);
    if (transport_state(c->transport) == TRANSPORT_CONNECTING)
        (void)!transport_advance(c->transport, c->world->now_us);
}

/* Move on by `us`, for `n` of the clients from `first` on. */
static void pass(struct forward_world *w, int64_t us, uint32_t first, uint32_t n)
{
    w->now_us += us;
    for (uint32_t i = first; i < first + n; i++)
        advance_client(&w->clients[i]);
    if (forwarder_deadline(w->forwarder) <= w->now_us)
        (void)forwarder_advance(w->forwarder, w->now_us);
    forwarder_flush(w->forwarder);
    while (w->n_inbox > 0) {
        struct packet *packet = w->inbox[--w->n_inbox];

        deliver(w, packet);
        packet_unref(packet);
    }
}

void forward_world_pass(struct forward_world *w, int64_t us)
{
    pass(w, us, 0, w->n_clients);
}

/* ------------------------------------------------------------------ setting up */

static struct media_plan *make_plan(const struct forward_world *w, bool publishes,
                                    const struct ice_credentials *remote)
{
    const struct dtls_fingerprint *fingerprint = dtls_identity_fingerprint(w->identity);
    struct media_plan *copy = NULL;
    struct plan_section section = {
        .use = publishes ? SECTION_PUBLISH : SECTION_SLOT,
        .kind = KIND_VIDEO,
        .mid = "0",
        .n_codecs = 1,
        .codecs = {{.codec = CODEC_VP8,
                    .pt = VP8_PT,
                    .rtx_pt = VP8_RTX_PT,
                    .nack = true,
                    .pli = true,
                    .transport_cc = true}},
        .extensions = chromium,
        .rtcp_rsize = true,
        .n_layers = publishes,
        .layers = {{.ssrc = SSRC, .rtx_ssrc = SSRC + 1}},
        .ssrc = publishes ? 0 : SLOT_SSRC,
        .rtx_ssrc = publishes ? 0 : SLOT_SSRC + 1,
    };
    struct media_plan plan = {
        .fingerprint = {.hash = "sha-256", .len = fingerprint->len},
        .n_sections = SECTIONS,
        .sections = &section,
    };

    memcpy(plan.fingerprint.bytes, fingerprint->bytes, fingerprint->len);
    memcpy(plan.ufrag, remote->ufrag, sizeof(remote->ufrag));
    memcpy(plan.pwd, remote->pwd, sizeof(remote->pwd));
    return media_plan_copy(&copy, &plan) < 0 ? NULL : copy;
}

/* Hand the forwarder a MAIL_JOIN. `local` is what it answers to. @return 0; -ENOMEM */
static int join(struct forward_world *w, uint32_t at, const struct ice_credentials *local)
{
    struct mail_join *mail = calloc(1, sizeof(*mail));

    if (!mail)
        return -ENOMEM;
    mail->mail.type = MAIL_JOIN;
    mail->participant = at + 1;
    mail->room = ROOM;
    mail->plan = make_plan(w, at == 0, &w->clients[at].ice.local);
    memcpy(mail->ufrag, local->ufrag, sizeof(local->ufrag));
    memcpy(mail->pwd, local->pwd, sizeof(local->pwd));
    if (at == 0) {
        mail->tracks[mail->n_tracks++] = (struct mail_track){
            .id = TRACK, .mid = "0", .kind = KIND_VIDEO};
    }
    forwarder_mail(w->forwarder, &mail->mail, w->now_us);
    return 0;
}

static bool is_connected(const struct forward_world *w, uint32_t at)
{
    struct forwarder_stats stats;

    forwarder_stats(w->forwarder, &stats);
    return transport_state(w->clients[at].transport) == TRANSPORT_CONNECTED &&
           stats.connected == at + 1;
}

/* Make client `at`, and wait until it is connected. @return 0; -errno */
static int connect_client(struct forward_world *w, uint32_t at)
{
    struct forward_world_client *c = &w->clients[at];
    struct transport_config config = {
        .identity = w->identity,
        .fingerprint = *dtls_identity_fingerprint(w->identity),
        .dtls_client = true,
        .only_profile = SRTP_AEAD_AES_128_GCM,
    };
    struct ice_credentials local;
    int err;

    c->world = w;
    c->address = address_of(at);
    ice_client_init(&c->ice);
    ice_credentials_make(&local);
    err = transport_new(&c->transport, &config, &transport_handler, c);
    if (err < 0)
        return err;
    w->n_clients++;
    err = join(w, at, &local);
    if (err < 0)
        return err;
    ice_client_start(&c->ice, &local, true, w->now_us);
    for (int i = 0; i < CONNECT_MS && !is_connected(w, at); i++)
        pass(w, 1 * MS, at, 1);
    return is_connected(w, at) ? 0 : -ETIMEDOUT;
}

static int make_forwarder(struct forward_world *w)
{
    static const struct forwarder_handler handler = {.send = on_send, .post = on_post};
    struct forwarder_config config = {.port = 7882, .limits = forwarder_default_limits};
    int err = dtls_identity_new(&w->identity);

    if (err < 0)
        return err;
    config.identity = w->identity;
    return forwarder_new(&w->forwarder, &config, &handler, w);
}

struct forward_world *forward_world_new(uint32_t subscribers)
{
    struct forward_world *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->now_us = 1000 * SECOND;
    w->clients = calloc(subscribers + 1UL, sizeof(*w->clients));
    w->inbox = calloc(INBOX_MAX, sizeof(struct packet *));
    w->pool = packet_pool_new(INBOX_MAX);
    if (!w->clients || !w->inbox || !w->pool || make_forwarder(w) < 0)
        return forward_world_free(w);
    for (uint32_t i = 0; i <= subscribers; i++) {
        if (connect_client(w, i) < 0)
            return forward_world_free(w);
        if (w->now_us % KEEP_US < 10 * MS) /* the others' signs of life */
            forward_world_pass(w, 10 * MS);
    }
    return w;
}

struct forward_world *forward_world_free(struct forward_world *w)
{
    if (!w)
        return NULL;
    for (uint32_t i = 0; i < w->n_clients; i++)
        w->clients[i].transport = transport_free(w->clients[i].transport);
    w->forwarder = forwarder_free(w->forwarder);
    while (w->n_inbox > 0)
        packet_unref(w->inbox[--w->n_inbox]);
    w->pool = packet_pool_free(w->pool);
    w->identity = dtls_identity_free(w->identity);
    free((void *)w->inbox);
    free(w->clients);
    free(w);
    return NULL;
}

/* ------------------------------------------------------------------ media */

void forward_world_write(struct forward_world *w, uint8_t *out)
{
    uint8_t transport_seq[2] = {(uint8_t)(w->transport_seq >> 8), (uint8_t)w->transport_seq};
    const struct rtp_extension_value extensions[] = {
        {.id = chromium.id[EXTENSION_TRANSPORT_CC], .len = 2, .value = transport_seq},
        {.id = chromium.id[EXTENSION_MID], .len = 1, .value = (const uint8_t *)"0"},
    };
    struct rtp_write head = {
        .pt = VP8_PT,
        .seq = w->seq,
        .ts = w->ts,
        .ssrc = SSRC,
        .n_extensions = ARRAY_LEN(extensions),
        .extensions = extensions,
    };

    /* The descriptor says that a partition begins, the first bit of the frame that all can decode
     * it: the first packet is a key frame, the others go on with one. */
    memset(out, w->seq, FORWARD_WORLD_PACKET);
    (void)!rtp_write_header(out, FORWARD_WORLD_HEAD, &head);
    out[CLEAR_AT] = w->seq == 0 ? 0x10 : 0;
    out[CLEAR_AT + 1] = 0;
    w->seq++;
    w->transport_seq++;
    w->ts += 375;
}

size_t forward_world_make(struct forward_world *w, struct packet **packets, size_t n)
{
    struct forward_world_client *publisher = &w->clients[0];

    for (size_t i = 0; i < n; i++) {
        struct packet *packet = packet_new(forwarder_pool(w->forwarder));
        uint8_t clear[FORWARD_WORLD_PACKET];
        struct seal_packet seal = {
            .session = transport_seal_session(publisher->transport),
            .head = clear,
            .head_len = FORWARD_WORLD_HEAD,
            .payload = clear + FORWARD_WORLD_HEAD,
            .payload_len = FORWARD_WORLD_PACKET - FORWARD_WORLD_HEAD,
        };

        if (!packet)
            return i;
        forward_world_write(w, clear);
        seal.out = packet->data;
        (void)seal_batch(&seal, 1);
        packet->len = seal.out_len;
        packet->from = publisher->address;
        packet->to = ours;
        packet->arrival_us = w->now_us;
        packets[i] = packet;
    }
    return n;
}
