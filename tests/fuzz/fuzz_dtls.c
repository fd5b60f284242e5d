/*
 * The first byte 0: datagrams for a fresh server session, each with its length in one byte before
 * it (times four); 255: the same for one that is connected. Otherwise: a handshake, some data and
 * the good-bye, of which the datagram of that number is changed: the rest of the input is XORed
 * into it, from the offset that the second byte times four is.
 */

#include "media/base/clock.h"
#include "media/base/reader.h"
#include "media/dtls.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DATAGRAM_MAX = 1500, QUEUE_MAX = 64, LENGTH_UNIT = 4, TURNS = 8, CONNECTED_FIRST = 255 };

struct queue {
    uint8_t data[QUEUE_MAX][DATAGRAM_MAX];
    size_t len[QUEUE_MAX];
    size_t n;
};

struct handshake {
    struct queue to_client, to_server;
    struct reader change; /* what to XOR in */
    size_t change_at, offset, n;
};

static struct handshake handshake; /* too large for the stack */

static void enqueue(struct queue *queue, const uint8_t *data, size_t len)
{
    size_t at = handshake.offset;

    if (queue->n == QUEUE_MAX || len > DATAGRAM_MAX)
        return;
    memcpy(queue->data[queue->n], data, len);
    queue->len[queue->n] = len;
    if (++handshake.n == handshake.change_at) {
        while (at < len && reader_left(&handshake.change) > 0)
            queue->data[queue->n][at++] ^= reader_u8(&handshake.change);
    }
    queue->n++;
}

static void client_sends(void *owner, const uint8_t *data, size_t len)
{
    (void)owner;
    enqueue(&handshake.to_server, data, len);
}

static void server_sends(void *owner, const uint8_t *data, size_t len)
{
    (void)owner;
    enqueue(&handshake.to_client, data, len);
}

static void deliver(struct queue *queue, struct dtls *to)
{
    for (size_t i = 0; i < queue->n; i++)
        (void)!dtls_receive(to, queue->data[i], queue->len[i], 0);
    queue->n = 0;
}

static void run_handshake(struct dtls *client, struct dtls *server)
{
    int64_t now_us = 0;

    for (int i = 0; i < TURNS; i++, now_us += SECOND) {
        (void)!dtls_advance(client, now_us);
        deliver(&handshake.to_server, server);
        deliver(&handshake.to_client, client);
        (void)!dtls_advance(server, now_us);
    }
}

/* @return true if both ends got there */
static bool is_up(const struct dtls *client, const struct dtls *server)
{
    return dtls_state(client) == DTLS_CONNECTED && dtls_state(server) == DTLS_CONNECTED;
}

static void talk(struct dtls *client, struct dtls *server)
{
    static const uint8_t data[100] = "hello";

    for (size_t len = 1; len < sizeof(data); len += 33)
        (void)!dtls_send(client, data, len);
    dtls_close(client);
    deliver(&handshake.to_server, server);
    deliver(&handshake.to_client, client);
}

static void receive_all(struct dtls *server, struct reader *r)
{
    while (reader_left(r) > 0) {
        size_t len = (size_t)reader_u8(r) * LENGTH_UNIT;
        size_t taken = len < reader_left(r) ? len : reader_left(r);

        (void)!dtls_receive(server, reader_bytes(r, taken), taken, 0);
        handshake.to_client.n = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dtls_handler to_server = {.send = client_sends};
    static const struct dtls_handler to_client = {.send = server_sends};
    static struct dtls_identity *identity; /* kept: making one takes longer than all else */
    struct reader r = reader_of(data, size);
    struct dtls *client = NULL;
    struct dtls *server = NULL;
    const struct dtls_fingerprint *fingerprint;

    if (!identity && dtls_identity_new(&identity) < 0)
        abort();
    fingerprint = dtls_identity_fingerprint(identity);
    if (dtls_new(&client, identity, fingerprint, true, &to_server, NULL) < 0 ||
        dtls_new(&server, identity, fingerprint, false, &to_client, NULL) < 0)
        abort();
    handshake.to_client.n = handshake.to_server.n = handshake.n = 0;
    handshake.change_at = reader_u8(&r);
    if (handshake.change_at == CONNECTED_FIRST) {
        run_handshake(client, server);
        receive_all(server, &r);
    } else if (handshake.change_at > 0) {
        handshake.offset = (size_t)reader_u8(&r) * LENGTH_UNIT;
        handshake.change = r;
        run_handshake(client, server);
        if (is_up(client, server))
            talk(client, server);
    } else {
        receive_all(server, &r);
    }
    dtls_free(client);
    dtls_free(server);
    return 0;
}
