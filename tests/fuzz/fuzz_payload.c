/* Any bytes as RED. The first byte is the new payload type. */
#include "media/payload.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t headers[256];
    int primary;
    int headers_len;

    if (size == 0)
        return 0;
    primary = payload_red_primary(data + 1, size - 1);
    headers_len = payload_red_headers(data + 1, size - 1, data[0] & 127, headers, sizeof(headers));
    assert((primary < 0) == (headers_len < 0) || headers_len == -EMSGSIZE);
    if (headers_len < 0)
        return 0;
    assert(headers_len > 0 && headers_len <= primary && (size_t)primary <= size - 1);
    assert((headers[headers_len - 1] & 0x80) == 0);
    return 0;
}
