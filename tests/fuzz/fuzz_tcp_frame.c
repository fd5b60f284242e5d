/* Any bytes, cut anywhere: the same frames come out as when they come in one piece. */
#include "media/tcp_frame.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number for the frames in `data`, and how many bytes went into them. */
struct outcome {
    uint64_t hash;
    int end;
};

static void hash_bytes(struct outcome *o, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        o->hash = (o->hash ^ data[i]) * UINT64_C(1099511628211);
    o->hash = (o->hash ^ len) * UINT64_C(1099511628211);
}

static struct outcome run(const uint8_t *data, size_t size, size_t piece)
{
    static struct tcp_deframer deframer;
    struct outcome o = {.hash = 1};

    tcp_deframer_init(&deframer);
    for (size_t at = 0; at < size && o.end == 0; at += piece) {
        struct reader in = reader_of(data + at, size - at < piece ? size - at : piece);
        const uint8_t *frame;
        size_t len;

        while ((o.end = tcp_deframer_next(&deframer, &in, &frame, &len)) > 0) {
            assert(len > 0 && len <= TCP_FRAME_MAX);
            hash_bytes(&o, frame, len);
        }
        assert(o.end < 0 || reader_left(&in) == 0);
    }
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, cut;
    size_t piece;

    if (size < 2)
        return 0;
    piece = 1 + data[0];
    whole = run(data + 1, size - 1, size);
    cut = run(data + 1, size - 1, piece);
    assert(whole.hash == cut.hash && whole.end == cut.end);
    (void)whole;
    (void)cut;
    return 0;
}
