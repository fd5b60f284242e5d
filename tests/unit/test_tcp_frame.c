#include "media/tcp_frame.h"

#include "tests/tap.h"

#include <errno.h>

/* Frames that came out, one after the other with their lengths before them. */
struct sink {
    uint8_t bytes[64 * 1024];
    size_t len, frames;
};

static struct tcp_deframer deframer;
static struct sink sink;
static uint8_t stream[64 * 1024];

/* Append a frame of `len` bytes that are all `fill`. @return where the next one goes */
static size_t put(size_t at, size_t len, uint8_t fill)
{
    tcp_frame_head(stream + at, len);
    memset(stream + at + TCP_FRAME_HEAD, fill, len);
    return at + TCP_FRAME_HEAD + len;
}

/* Feed bytes of the stream in pieces of `piece`. @return what the last one gave */
static int feed(size_t len, size_t piece)
{
    int more = 0;

    tcp_deframer_init(&deframer);
    sink.len = sink.frames = 0;
    for (size_t at = 0; at < len && more == 0; at += piece) {
        struct reader in = reader_of(stream + at, len - at < piece ? len - at : piece);
        const uint8_t *frame;
        size_t n;

        while ((more = tcp_deframer_next(&deframer, &in, &frame, &n)) > 0) {
            tcp_frame_head(sink.bytes + sink.len, n);
            memcpy(sink.bytes + sink.len + TCP_FRAME_HEAD, frame, n);
            sink.len += TCP_FRAME_HEAD + n;
            sink.frames++;
        }
        CHECK(more < 0 || reader_left(&in) == 0);
    }
    return more;
}

static void frames_come_out_however_the_stream_is_cut(void)
{
    static const size_t pieces[] = {1, 2, 3, 5, 16, 1000, 4096, sizeof(stream)};
    size_t len = put(0, 1, 1);

    len = put(len, 100, 2);
    len = put(len, TCP_FRAME_MAX, 3);
    len = put(len, 20, 4);
    len = put(len, 1200, 5);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        CHECK_EQ(feed(len, pieces[i]), 0);
        CHECK_EQ(sink.frames, 5);
        CHECK_MEM(sink.bytes, stream, len);
    }
}

static void frames_without_bytes_are_left_out(void)
{
    size_t len = put(0, 0, 0);

    len = put(len, 3, 7);
    len = put(len, 0, 0);
    CHECK_EQ(feed(len, 1), 0);
    CHECK_EQ(sink.frames, 1);
    CHECK_EQ(feed(len, len), 0);
    CHECK_EQ(sink.frames, 1);
}

static void what_is_no_frame_is_found_out(void)
{
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    size_t len = put(0, 10, 1);

    memcpy(stream + len, request, sizeof(request));
    CHECK_EQ(feed(len + sizeof(request), 4096), -EMSGSIZE);
    CHECK_EQ(sink.frames, 1);
    CHECK_EQ(feed(len + sizeof(request), 1), -EMSGSIZE);
    CHECK_EQ(sink.frames, 1);
    len = put(0, TCP_FRAME_MAX + 1, 1);
    CHECK_EQ(feed(len, len), -EMSGSIZE);
    CHECK_EQ(feed(2, 2), -EMSGSIZE); /* no need for the rest of it */
}

static void the_end_of_a_stream_may_be_part_of_a_frame(void)
{
    size_t len = put(0, 100, 1);

    CHECK_EQ(feed(len - 1, 50), 0);
    CHECK_EQ(sink.frames, 0);
}

static void a_queue_gives_what_was_put_in(void)
{
    struct tcp_queue q;
    const uint8_t *bytes;
    size_t len = put(0, 300, 1);
    size_t got = 0;

    len = put(len, 1000, 2);
    tcp_queue_init(&q);
    (void)tcp_queue_peek(&q, &got);
    CHECK_EQ(got, 0);
    CHECK_EQ(tcp_queue_push(&q, stream + TCP_FRAME_HEAD, 300), 0);
    CHECK_EQ(tcp_queue_push(&q, stream + 2 * TCP_FRAME_HEAD + 300, 1000), 0);
    bytes = tcp_queue_peek(&q, &got);
    CHECK_EQ(got, len);
    CHECK_MEM(bytes, stream, len);
    tcp_queue_take(&q, 7);
    bytes = tcp_queue_peek(&q, &got);
    CHECK_EQ(got, len - 7);
    CHECK_MEM(bytes, stream + 7, len - 7);
    tcp_queue_done(&q);
}

static void the_rest_of_a_frame_goes_first(void)
{
    static const size_t cuts[] = {1, 2, 3, 302};
    size_t len = put(0, 300, 9);

    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct tcp_queue q;
        const uint8_t *bytes;
        size_t got;

        tcp_queue_init(&q);
        CHECK_EQ(tcp_queue_push_rest(&q, stream + TCP_FRAME_HEAD, 300, cuts[i]), 0);
        bytes = tcp_queue_peek(&q, &got);
        CHECK_EQ(got, len - cuts[i]);
        CHECK(got == 0 || memcmp(bytes, stream + cuts[i], got) == 0);
        tcp_queue_done(&q);
    }
}

static void a_full_queue_takes_small_ones_longer(void)
{
    struct tcp_queue q;
    size_t large = 0;
    size_t small = 0;
    size_t len;

    tcp_queue_init(&q);
    while (tcp_queue_push(&q, stream, 1200) == 0)
        large++;
    CHECK_EQ(large, TCP_QUEUE_BULK_BYTES / 1202);
    while (tcp_queue_push(&q, stream, TCP_SMALL) == 0)
        small++;
    CHECK(small >= (TCP_QUEUE_BYTES - TCP_QUEUE_BULK_BYTES) / (TCP_SMALL + TCP_FRAME_HEAD));
    CHECK_EQ(tcp_queue_push(&q, stream, TCP_SMALL), -ENOBUFS);
    (void)tcp_queue_peek(&q, &len);
    CHECK(len <= TCP_QUEUE_BYTES);
    tcp_queue_take(&q, 50000);
    CHECK_EQ(tcp_queue_push(&q, stream, 1200), 0); /* what was taken is room again */
    tcp_queue_done(&q);
}

TAP_CASES(CASE(frames_come_out_however_the_stream_is_cut), CASE(frames_without_bytes_are_left_out),
          CASE(what_is_no_frame_is_found_out), CASE(the_end_of_a_stream_may_be_part_of_a_frame),
          CASE(a_queue_gives_what_was_put_in), CASE(the_rest_of_a_frame_goes_first),
          CASE(a_full_queue_takes_small_ones_longer))
