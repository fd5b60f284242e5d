/* Any bytes: as a payload of every codec, and as RED. The first byte is the new payload type. */
#include "media/payload.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_red(uint8_t pt, const uint8_t *payload, size_t len)
{
    uint8_t headers[256];
    int primary = payload_red_primary(payload, len);
    int headers_len = payload_red_headers(payload, len, pt, headers, sizeof(headers));

    assert((primary < 0) == (headers_len < 0) || headers_len == -EMSGSIZE);
    if (headers_len < 0)
        return;
    assert(headers_len > 0 && headers_len <= primary && (size_t)primary <= len);
    assert((headers[headers_len - 1] & 0x80) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint16_t width;
    uint16_t height;

    if (size == 0)
        return 0;
    for (int codec = CODEC_NONE; codec < CODEC_COUNT; codec++)
        (void)payload_starts_key_frame((enum codec)codec, data + 1, size - 1);
    if (payload_vp8_size(data + 1, size - 1, &width, &height) == 0)
        assert(payload_starts_key_frame(CODEC_VP8, data + 1, size - 1));
    read_red(data[0] & 127, data + 1, size - 1);
    return 0;
}
