#include "media/tcp_frame.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void tcp_deframer_init(struct tcp_deframer *d)
{
    d->have = 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t frame_len(const uint8_t *head)
{
    return (size_t)head[0] << 8 | head[1];
}

/* Fill the part of a frame that is kept up to `want` bytes. @return true if it has them now */
static bool fill(struct tcp_deframer *d, struct reader *in, size_t want)
{
    size_t n = smaller(want - d->have, reader_left(in));

    if (n > 0)
        memcpy(d->bytes + d->have, reader_bytes(in, n), n);
    d->have = (uint16_t)(d->have + n);
    return d->have == want;
}

/* A frame of which a part was there before. @return as tcp_deframer_next() */
static int finish(struct tcp_deframer *d, struct reader *in, const uint8_t **frame, size_t *len)
{
    if (d->have < TCP_FRAME_HEAD && !fill(d, in, TCP_FRAME_HEAD))
        return 0;
    *len = frame_len(d->bytes);
    if (*len > TCP_FRAME_MAX)
        return -EMSGSIZE;
    if (!fill(d, in, TCP_FRAME_HEAD + *len))
        return 0;
    d->have = 0;
    *frame = d->bytes + TCP_FRAME_HEAD;
    return 1;
}

/* A frame of which nothing was there: where it is whole it need not be copied. */
static int begin(struct tcp_deframer *d, struct reader *in, const uint8_t **frame, size_t *len)
{
    struct reader look = *in;
    const uint8_t *head = reader_bytes(&look, TCP_FRAME_HEAD);

    if (!head)
        return finish(d, in, frame, len);
    *len = frame_len(head);
    if (*len > reader_left(&look))
        return finish(d, in, frame, len);
    if (*len > TCP_FRAME_MAX)
        return -EMSGSIZE;
    *frame = reader_bytes(&look, *len);
    *in = look;
    return 1;
}

int tcp_deframer_next(struct tcp_deframer *d, struct reader *in, const uint8_t **frame, size_t *len)
{
    int n;

    do
        n = d->have > 0 ? finish(d, in, frame, len) : begin(d, in, frame, len);
    while (n > 0 && *len == 0);
    return n;
}

void tcp_frame_head(uint8_t out[TCP_FRAME_HEAD], size_t len)
{
    assert(len <= UINT16_MAX);
    out[0] = (uint8_t)(len >> 8);
    out[1] = (uint8_t)len;
}

void tcp_queue_init(struct tcp_queue *q)
{
    *q = (struct tcp_queue){0};
}

void tcp_queue_done(struct tcp_queue *q)
{
    free(q->bytes);
    tcp_queue_init(q);
}

/* Make room at the end. @return false: there is none, or no memory */
static bool make_room(struct tcp_queue *q, size_t len)
{
    if (!q->bytes)
        q->bytes = malloc(TCP_QUEUE_BYTES);
    if (!q->bytes)
        return false;
    if (len > TCP_QUEUE_BYTES - q->end) {
        memmove(q->bytes, q->bytes + q->start, q->end - q->start);
        q->end -= q->start;
        q->start = 0;
    }
    return true;
}

static void append(struct tcp_queue *q, const uint8_t *bytes, size_t len)
{
    memcpy(q->bytes + q->end, bytes, len);
    q->end += (uint32_t)len;
}

int tcp_queue_push(struct tcp_queue *q, const uint8_t *data, size_t len)
{
    size_t limit = len <= TCP_SMALL ? TCP_QUEUE_BYTES : TCP_QUEUE_BULK_BYTES;
    uint8_t head[TCP_FRAME_HEAD];

    if (q->end - q->start + TCP_FRAME_HEAD + len > limit)
        return -ENOBUFS;
    if (!make_room(q, TCP_FRAME_HEAD + len))
        return -ENOMEM;
    tcp_frame_head(head, len);
    append(q, head, sizeof(head));
    append(q, data, len);
    return 0;
}

int tcp_queue_push_rest(struct tcp_queue *q, const uint8_t *data, size_t len, size_t sent)
{
    uint8_t head[TCP_FRAME_HEAD];

    assert(q->start == q->end && sent <= TCP_FRAME_HEAD + len && len <= UINT16_MAX);
    if (!make_room(q, TCP_FRAME_HEAD + len))
        return -ENOMEM;
    tcp_frame_head(head, len);
    if (sent < TCP_FRAME_HEAD)
        append(q, head + sent, TCP_FRAME_HEAD - sent);
    sent = sent < TCP_FRAME_HEAD ? 0 : sent - TCP_FRAME_HEAD;
    if (len > sent)
        append(q, data + sent, len - sent);
    return 0;
}

const uint8_t *tcp_queue_peek(const struct tcp_queue *q, size_t *len)
{
    *len = q->end - q->start;
    return q->bytes ? q->bytes + q->start : NULL;
}

void tcp_queue_take(struct tcp_queue *q, size_t len)
{
    assert(len <= q->end - q->start);
    q->start += (uint32_t)len;
    if (q->start == q->end)
        q->start = q->end = 0;
}
