/* What one more participant costs in heap: with whom nothing happens but that it is there. Limits
 * are some third above what is measured, for other versions of the libraries. */

#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/packet.h"
#include "media/seal.h"
#include "media/srtp.h"
#include "sfu/config.h"
#include "sfu/direct_call.h"
#include "sfu/directory.h"
#include "sfu/session.h"
#include "signaling/message.h"
#include "signaling/websocket.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"
#include "tests/test_offer.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PAIRS_MAX = 200,
    PARTICIPANTS_MAX = 12,
    WIRE_MAX = 16,
    SESSIONS_MAX = 200,
    WEBSOCKETS_MAX = 200,
    LIBSRTP2 = 64 * 1024, /* of three contexts */
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { COUNTS = 0 }; /* another allocator */
#else
enum { COUNTS = 1 };
#endif

static int64_t heap(void)
{
    struct mallinfo2 info = mallinfo2();

    return (int64_t)(info.uordblks + info.hblkhd);
}

/* Measure `few` and `many`: what is there once does not count. `use` says what `n` of them use. */
static void check_each(int64_t (*use)(size_t n), size_t few, size_t many, int64_t max)
{
    int64_t each;

    if (!COUNTS)
        SKIP("under a sanitizer");
    (void)use(few); /* what libraries keep from their first use on */
    each = (use(many) - use(few)) / (int64_t)(many - few);
    printf("# %" PRId64 " bytes each, limit %" PRId64 "\n", each, max);
    CHECK(each <= max);
}

/* libsrtp2 runs where libipsec-mb does not, and needs more. */
static int64_t srtp_extra(void)
{
    return seal_backend_in_use() == SEAL_SRTP ? LIBSRTP2 : 0;
}

/* ------------------------------------------------------------------ transports */

struct wire {
    uint8_t data[WIRE_MAX][DTLS_MTU];
    size_t len[WIRE_MAX];
    size_t n;
};

struct transports {
    struct dtls_identity *identity;
    struct packet_pool *pool;
    struct wire wires[2]; /* to the client, to the server */
    struct transport *sides[2];
};

static struct transports transports;

static void on_transport_send(void *owner, const uint8_t *data, size_t len)
{
    struct wire *wire = owner;

    CHECK(wire->n < WIRE_MAX && len <= DTLS_MTU);
    memcpy(wire->data[wire->n], data, len);
    wire->len[wire->n++] = len;
}

static void on_transport_state(void *owner, enum transport_state state)
{
    (void)owner;
    (void)state;
}

static void on_no_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    (void)owner;
    (void)packet;
    (void)now_us;
}

static void on_no_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    (void)owner;
    (void)data;
    (void)len;
    (void)now_us;
}

static void deliver(struct wire *wire, struct transport *to)
{
    for (size_t i = 0; i < wire->n; i++) {
        struct packet *packet = packet_new(transports.pool);

        CHECK(packet != NULL);
        memcpy(packet->data, wire->data[i], wire->len[i]);
        packet->len = (uint16_t)wire->len[i];
        (void)!transport_receive(to, packet, 0);
        packet_unref(packet);
    }
    wire->n = 0;
}

/* Side 0 is the client; each writes to the wire of the other. */
static void connect_pair(struct transport **pair)
{
    static const struct transport_handler handler = {
        .send = on_transport_send,
        .on_state = on_transport_state,
        .on_rtp = on_no_rtp,
        .on_rtcp = on_no_rtcp,
    };
    struct transport_config config = {
        .identity = transports.identity,
        .fingerprint = *dtls_identity_fingerprint(transports.identity),
    };

    for (int i = 0; i < 2; i++) {
        config.dtls_client = i == 0;
        CHECK_EQ(transport_new(&pair[i], &config, &handler, &transports.wires[!i]), 0);
    }
    transport_start(pair[1], 0);
    transport_start(pair[0], 0);
    while (transports.wires[0].n + transports.wires[1].n > 0) {
        deliver(&transports.wires[1], pair[1]);
        deliver(&transports.wires[0], pair[0]);
    }
    CHECK_EQ(transport_state(pair[0]), TRANSPORT_CONNECTED);
    CHECK_EQ(transport_state(pair[1]), TRANSPORT_CONNECTED);
}

static int64_t use_of_transports(size_t n)
{
    static struct transport *pairs[PAIRS_MAX][2];
    int64_t used;

    CHECK_EQ(srtp_global_init(), 0);
    CHECK_EQ(dtls_identity_new(&transports.identity), 0);
    transports.pool = packet_pool_new(2 * WIRE_MAX);
    CHECK(transports.pool != NULL);
    used = -heap();
    for (size_t i = 0; i < n; i++)
        connect_pair(pairs[i]);
    used += heap();
    for (size_t i = 0; i < n; i++) {
        transport_free(pairs[i][0]);
        transport_free(pairs[i][1]);
    }
    packet_pool_free(transports.pool);
    dtls_identity_free(transports.identity);
    return used / 2;
}

static void a_connected_transport_takes_3_kib(void)
{
    check_each(use_of_transports, 20, PAIRS_MAX, 3 * 1024 + srtp_extra());
}

/* ------------------------------------------------------------------ a worker's participants */

static int64_t use_of_participants(size_t n)
{
    static const struct netem_config link = {.delay_us = 5 * MS, .seed = 1};
    struct fake_world *w = fake_world_new(&link, NULL);
    int64_t used = -heap();

    for (size_t i = 0; i < n; i++) {
        struct fake_peer *p = fake_peer_new(w, 1, 1, 1, 1);

        p->source_wait_us = 3600 * SECOND;
        fake_peer_offer(p, 1);
    }
    fake_world_run(w, 1 * SECOND);
    for (size_t i = 0; i < n; i++)
        CHECK(w->peers[i]->connected);
    for (size_t i = 0; i < n; i++)
        w->peers[i] = fake_peer_free(w->peers[i]);
    w->n_peers = 0;
    used += heap(); /* the clients are no more, the forwarder does not know */
    fake_world_free(w);
    return used;
}

static void a_participant_of_a_worker_takes_20_kib(void)
{
    check_each(use_of_participants, 2, PARTICIPANTS_MAX, 20 * 1024 + srtp_extra());
}

/* ------------------------------------------------------------------ sessions */

static void drop_mail(void *owner, uint32_t worker, struct mail *mail)
{
    (void)owner;
    (void)worker;
    mail_free(mail);
}

static void describe(void *owner, uint32_t worker, struct negotiation_local *ret)
{
    (void)owner;
    (void)worker;
    ret->ice_lite = true;
    ret->fingerprint = (struct plan_fingerprint){.hash = "sha-256", .len = 32};
}

static void count_joined(void *peer, const char *json, size_t len)
{
    size_t *joined = peer;

    (void)len;
    *joined += strstr(json, "\"joined\"") != NULL;
}

static void close_nothing(void *peer, uint16_t code, const char *reason)
{
    (void)peer;
    (void)code;
    (void)reason;
}

static void join_room(struct session *s, size_t room)
{
    struct message m = {.type = MESSAGE_JOIN, .id = 1, .sdp = test_offer_make("avAV", 1)};
    struct text json;

    (void)snprintf(m.room, sizeof(m.room), "room-%zu", room);
    text_init(&json, MESSAGE_MAX_BYTES);
    CHECK_EQ(message_write(&json, &m), 0);
    session_receive(s, text_str(&json), json.len, SECOND);
    text_done(&json);
    message_done(&m);
}

static int64_t use_of_sessions(size_t n)
{
    enum { EACH_ROOM = 10 };
    static const struct session_sink sink = {.send = count_joined, .close = close_nothing};
    static const struct directory_handler handler = {.deliver = session_deliver};
    static struct session *sessions[SESSIONS_MAX];
    static struct config config;
    struct directory_limits limits = {SESSIONS_MAX, SESSIONS_MAX, SESSIONS_MAX};
    struct session_host host = {.config = &config, .post = drop_mail, .describe = describe};
    size_t joined = 0;
    int64_t used;

    log_set_level(LOG_ERROR);
    config_init(&config);
    CHECK_EQ(directory_new(&host.directory, &limits, 1, &handler), 0);
    CHECK_EQ(direct_calls_new(&host.calls), 0);
    used = -heap();
    for (size_t i = 0; i < n; i++) {
        CHECK_EQ(session_new(&sessions[i], &host, SESSION_WEBSOCKET, &sink, &joined, SECOND), 0);
        join_room(sessions[i], i / EACH_ROOM);
    }
    for (size_t i = 0; i < n; i++)
        session_confirm(sessions[i], UINT64_MAX); /* a ping was answered */
    used += heap();
    CHECK_EQ(joined, n);
    for (size_t i = 0; i < n; i++)
        session_free(sessions[i], SECOND);
    directory_free(host.directory);
    direct_calls_free(host.calls);
    return used;
}

static void a_joined_session_takes_6_kib(void)
{
    check_each(use_of_sessions, 20, SESSIONS_MAX, 6 * 1024);
}

/* ------------------------------------------------------------------ WebSockets */

static void answer(void *owner, const char *text, size_t len)
{
    struct websocket **ws = owner;

    CHECK_EQ(websocket_send(*ws, text, len), 0);
}

static void on_close(void *owner, uint16_t code, const char *reason)
{
    (void)owner;
    (void)code;
    (void)reason;
}

/* Accepted, and a message each way. @return the peer's descriptor */
static int open_websocket(struct websocket **ws, struct event_base *base)
{
    static const struct websocket_handler handler = {.on_message = answer, .on_close = on_close};
    static const char hello[] = "\x81\x85\0\0\0\0hello";
    struct bufferevent *bev;
    char answered[64];
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    bev = bufferevent_socket_new(base, fds[0], BEV_OPT_CLOSE_ON_FREE);
    CHECK(bev != NULL);
    CHECK_EQ(websocket_accept(ws, base, bev, &handler, ws), 0);
    CHECK_EQ(write(fds[1], hello, sizeof(hello) - 1), (ssize_t)sizeof(hello) - 1);
    for (int i = 0; i < 4; i++)
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
    CHECK_EQ(read(fds[1], answered, sizeof(answered)), 7);
    return fds[1];
}

static int64_t use_of_websockets(size_t n)
{
    static struct websocket *sockets[WEBSOCKETS_MAX];
    static int peers[WEBSOCKETS_MAX];
    struct event_base *base = event_base_new();
    int64_t used = -heap();

    CHECK(base != NULL);
    for (size_t i = 0; i < n; i++)
        peers[i] = open_websocket(&sockets[i], base);
    used += heap();
    for (size_t i = 0; i < n; i++) {
        websocket_free(sockets[i]);
        (void)close(peers[i]);
    }
    event_base_free(base);
    return used;
}

static void a_silent_websocket_takes_3_kib(void)
{
    check_each(use_of_websockets, 20, WEBSOCKETS_MAX, 3 * 1024);
}

TAP_CASES(CASE(a_connected_transport_takes_3_kib), CASE(a_participant_of_a_worker_takes_20_kib),
          CASE(a_joined_session_takes_6_kib), CASE(a_silent_websocket_takes_3_kib))
