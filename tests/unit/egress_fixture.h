/** @file egress_fixture.h  An egress whose datagrams are kept, for the tests of egress.c. */
#ifndef TESTS_UNIT_EGRESS_FIXTURE_H
#define TESTS_UNIT_EGRESS_FIXTURE_H

#include "media/address.h"
#include "media/base/clock.h"
#include "media/egress.h"
#include "media/packet.h"
#include "media/rtp.h"
#include "media/seal.h"
#include "media/srtp.h"
#include "tests/tap.h"

#include <netinet/in.h>
#include <string.h>

enum { POOL_PACKETS = 256, LOG_MAX = 4096, LEN_MAX = 2048 };

/* What was handed to send(). */
struct sent {
    size_t calls, n, longest_call;
    struct sockaddr_storage to[LOG_MAX];
    struct local_address from[LOG_MAX];
    size_t len[LOG_MAX];
    uint8_t data[LOG_MAX][LEN_MAX];
};
static struct sent sent; /* too large for the stack */

struct fixture {
    struct packet_pool *pool;
    struct egress *egress;
    struct srtp_keys keys;
    struct seal_session *session;
};

static inline void on_send(void *owner, const struct datagram *datagrams, size_t n)
{
    struct sent *s = owner;

    CHECK(n > 0 && n <= UDP_SEND_BATCH);
    s->calls++;
    s->longest_call = n > s->longest_call ? n : s->longest_call;
    for (size_t i = 0; i < n; i++, s->n++) {
        size_t at = s->n % LOG_MAX;

        s->to[at] = *datagrams[i].to;
        s->from[at] = *datagrams[i].from;
        s->len[at] = datagrams[i].len;
        memcpy(s->data[at], datagrams[i].data, datagrams[i].len);
    }
}

static inline void fixture_init(struct fixture *f)
{
    static bool library_started;

    CHECK(library_started || srtp_global_init() == 0);
    library_started = true;
    sent.calls = sent.n = sent.longest_call = 0;
    *f = (struct fixture){.pool = packet_pool_new(POOL_PACKETS),
                          .egress = egress_new(on_send, &sent),
                          .keys.profile = SRTP_AEAD_AES_128_GCM};
    CHECK(f->pool && f->egress);
    srtp_profile_lengths(f->keys.profile, &f->keys.key_len, &f->keys.salt_len);
    memset(f->keys.local, 7, sizeof(f->keys.local));
    memset(f->keys.remote, 7, sizeof(f->keys.remote));
    CHECK_EQ(seal_session_new(&f->session, &f->keys), 0);
}

static inline void fixture_done(struct fixture *f)
{
    f->egress = egress_free(f->egress);
    f->session = seal_session_free(f->session);
    CHECK_EQ(packet_pool_used(f->pool), 0);
    f->pool = packet_pool_free(f->pool);
}

static inline struct sockaddr_storage address_of(uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_storage address = {0};

    memcpy(&address, &in, sizeof(in));
    return address;
}

static inline uint16_t port_of(size_t at)
{
    struct sockaddr_in in;

    memcpy(&in, &sent.to[at], sizeof(in));
    return ntohs(in.sin_port);
}

/* 10.0.0.`host` of ours. */
static inline struct local_address local_of(uint8_t host)
{
    return (struct local_address){.len = 4, .bytes = {10, 0, 0, host}};
}

static inline bool left_from(size_t at, uint8_t host)
{
    return sent.from[at].len == 4 && sent.from[at].bytes[3] == host;
}

static inline void make_peer(struct fixture *f, struct egress_peer *peer, uint16_t port)
{
    egress_peer_init(peer);
    peer->session = f->session;
    peer->to = address_of(port);
    peer->from = local_of((uint8_t)port);
}

static inline struct packet *make_packet(struct fixture *f, size_t len)
{
    struct packet *packet = packet_new(f->pool);

    CHECK(packet);
    for (size_t i = 0; i < len; i++)
        packet->data[i] = (uint8_t)(i * 3);
    packet->len = (uint16_t)len;
    return packet;
}

static inline void fill_head(struct egress_head *head, uint32_t ssrc, uint16_t seq)
{
    struct rtp_write header = {.pt = 96, .seq = seq, .ssrc = ssrc};
    int len;

    CHECK(head);
    len = rtp_write_header(head->bytes, sizeof(head->bytes), &header);
    CHECK_EQ(len, RTP_HEADER_LEN);
    head->head_len = (uint16_t)len;
    head->lead_len = 0;
}

/* Queue a packet with `payload_len` bytes of payload that may be padded. */
static inline void push_paddable(struct fixture *f, struct egress_peer *peer, uint32_t ssrc,
                                 uint16_t seq, uint16_t payload_len)
{
    struct packet *packet = make_packet(f, payload_len);
    struct egress_head *head = egress_push(f->egress, peer, packet, 0, payload_len);

    fill_head(head, ssrc, seq);
    head->may_pad = true;
    packet_unref(packet);
}

/* The same with a payload that is all lead. */
static inline struct egress_head *push_lead(struct fixture *f, struct egress_peer *peer,
                                            uint16_t seq, uint16_t lead_len)
{
    struct egress_head *head = egress_push(f->egress, peer, NULL, 0, 0);

    fill_head(head, 1, seq);
    memset(head->bytes + head->head_len, 1, lead_len);
    head->lead_len = lead_len;
    head->may_pad = true;
    return head;
}

/* Decrypt what was sent at `at`. @return its length */
static inline size_t open_sent(const struct fixture *f, size_t at)
{
    struct srtp_session *receiver = NULL;
    size_t len = sent.len[at];

    CHECK_EQ(srtp_session_new(&receiver, &f->keys), 0);
    CHECK_EQ(srtp_session_unprotect_rtp(receiver, sent.data[at], &len), 0);
    srtp_session_free(receiver);
    return len;
}

#endif
