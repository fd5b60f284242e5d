/* Any bytes: as an IVF file; its frames are cut into RTP payloads and put together again. */
#include "client/ivf.h"
#include "client/vp8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct ivf_frame *frame)
{
    struct vp8_packetizer packetizer;
    struct vp8_payload part;
    uint8_t payload[VP8_PAYLOAD_MAX];
    bool last = frame->len == 0;
    size_t at = 0;

    vp8_packetizer_init(&packetizer, frame->data, frame->len, (uint16_t)frame->pts);
    while (!last) {
        size_t len = vp8_packetizer_next(&packetizer, payload, &last);
        int err = vp8_depacketize(&part, payload, len);

        assert(err == 0 && part.starts_frame == (at == 0));
        at += part.len;
    }
    assert(at == frame->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ivf ivf;
    struct ivf_frame frame;
    struct vp8_payload part;

    (void)(vp8_depacketize(&part, data, size) == 0);
    if (ivf_parse(&ivf, data, size) < 0)
        return 0;
    while (ivf_next(&ivf, &frame) > 0) {
        assert(frame.data >= data && frame.data + frame.len <= data + size);
        round_trip(&frame);
    }
    ivf_rewind(&ivf);
    assert(ivf.at <= size);
    return 0;
}
