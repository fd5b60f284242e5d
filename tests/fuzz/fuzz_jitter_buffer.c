/* Any bytes: packets, pauses and takes. Each step is five bytes: what to do, and two numbers. */
#include "client/jitter_buffer.h"

#include "media/base/clock.h"
#include "media/base/reader.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAME = 960, MAX_STEPS = 4096 };

static struct jitter_buffer buffer;

/* A stream of frames that steps may stretch, jump or send astray. */
struct source {
    uint16_t seq;
    uint32_t ts;
};

static void put(struct source *source, uint8_t how, uint16_t a, uint16_t b, int64_t now_us)
{
    static uint8_t payload[JITTER_PAYLOAD_MAX];
    struct jitter_packet packet = {
        .samples = FRAME, .source = how, .has_fec = how & 0x80, .data = payload, .len = 3};

    source->seq = (uint16_t)(source->seq + 1);
    source->ts += FRAME;
    if (how & 1)
        source->seq = (uint16_t)(source->seq + a);
    if (how & 2)
        source->ts += (uint32_t)b * FRAME;
    if (how & 4)
        source->ts = (uint32_t)a << 16 | b;
    if (how & 8)
        packet.samples = b;
    packet.seq = (uint16_t)(source->seq - (how & 16 ? a % 8 : 0));
    packet.ts = source->ts - (how & 16 ? a % 8 * (uint32_t)FRAME : 0);
    (void)(jitter_buffer_put(&buffer, &packet, now_us) == 0);
}

static void take(bool quiet, int64_t now_us)
{
    struct jitter_play play;

    jitter_buffer_take(&buffer, quiet, now_us, &play);
    assert(play.samples >= 1 && play.samples <= JITTER_MAX_SAMPLES);
    assert((play.data != NULL) == (play.action == JITTER_DECODE || play.action == JITTER_DISCARD ||
                                   play.action == JITTER_FEC));
    assert(!play.data || play.len == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    struct source source = {0};
    int64_t now_us = SECOND;

    jitter_buffer_init(&buffer, 0, 0);
    for (int i = 0; i < MAX_STEPS && reader_left(&r) >= 5; i++) {
        uint8_t how = reader_u8(&r);
        uint16_t a = reader_u16(&r);
        uint16_t b = reader_u16(&r);

        if (how & 0x40) {
            now_us += how & 0x20 ? a * MS : a * US;
            take(b & 1, now_us);
        } else {
            put(&source, how, a, b, now_us);
        }
        assert(jitter_buffer_target_us(&buffer) >= 40 * MS);
        assert(jitter_buffer_target_us(&buffer) <= 500 * MS);
    }
    return 0;
}
