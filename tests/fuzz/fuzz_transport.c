/*
 * Datagrams for a transport, each with its length in one byte before it (times four). The first
 * byte: before the start (0), in the handshake (1), or connected (any other).
 */

#include "media/base/clock.h"
#include "media/base/reader.h"
#include "media/packet.h"
#include "media/srtp.h"
#include "media/transport.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_PACKETS = 256, LENGTH_UNIT = 4, TURNS = 4 };

static struct packet_pool *pool;

/* Datagrams go straight to the other side, by way of a queue. */
struct side {
    struct transport *transport;
    struct packet *inbox[POOL_PACKETS];
    size_t n;
    struct side *other;
};

static void put(struct side *to, const uint8_t *data, size_t len)
{
    struct packet *packet = packet_new(pool);

    if (!packet)
        return;
    memcpy(packet->data, data, len);
    packet->len = (uint16_t)len;
    to->inbox[to->n++] = packet;
}

static void on_send(void *owner, const uint8_t *data, size_t len)
{
    struct side *side = owner;

    put(side->other, data, len);
}

static void on_state(void *owner, enum transport_state state)
{
    (void)owner;
    (void)state;
}

static void on_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    (void)owner;
    (void)now_us;
    assert(packet->rtp.header_len + packet->rtp.payload_len + packet->rtp.padding_len ==
           packet->len);
    (void)packet;
}

static void on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    (void)owner;
    (void)data;
    (void)len;
    (void)now_us;
}

static void receive_inbox(struct side *side)
{
    for (size_t i = 0; i < side->n; i++) {
        (void)!transport_receive(side->transport, side->inbox[i], 0);
        packet_unref(side->inbox[i]);
    }
    side->n = 0;
}

static void connect_sides(struct side *client, struct side *server)
{
    transport_start(client->transport, 0);
    for (int i = 0; i < TURNS; i++) {
        receive_inbox(server);
        receive_inbox(client);
    }
    if (transport_state(server->transport) != TRANSPORT_CONNECTED)
        abort();
}

static void feed(struct side *server, struct reader *r)
{
    while (reader_left(r) > 0) {
        size_t len = (size_t)reader_u8(r) * LENGTH_UNIT;
        size_t taken = len < reader_left(r) ? len : reader_left(r);

        put(server, reader_bytes(r, taken), taken);
        receive_inbox(server);
        (void)!transport_advance(server->transport, SECOND);
    }
}

static void make_side(struct side *side, struct side *other, const struct dtls_identity *identity,
                      bool dtls_client)
{
    static const struct transport_handler handler = {
        .send = on_send, .on_state = on_state, .on_rtp = on_rtp, .on_rtcp = on_rtcp};
    struct transport_config config = {
        .identity = identity,
        .fingerprint = *dtls_identity_fingerprint(identity),
        .dtls_client = dtls_client,
    };

    *side = (struct side){.other = other};
    if (transport_new(&side->transport, &config, &handler, side) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dtls_identity *identity; /* kept: making one takes longer than all else */
    struct reader r = reader_of(data, size);
    uint8_t stage = reader_u8(&r);
    struct side client;
    struct side server;

    if (!identity && (dtls_identity_new(&identity) < 0 || srtp_global_init() < 0))
        abort();
    pool = packet_pool_new(POOL_PACKETS);
    make_side(&client, &server, identity, true);
    make_side(&server, &client, identity, false);
    if (stage > 0)
        transport_start(server.transport, 0);
    if (stage > 1)
        connect_sides(&client, &server);
    feed(&server, &r);
    receive_inbox(&client);
    receive_inbox(&server);
    transport_free(client.transport);
    transport_free(server.transport);
    while (client.n > 0)
        packet_unref(client.inbox[--client.n]);
    pool = packet_pool_free(pool);
    return 0;
}
