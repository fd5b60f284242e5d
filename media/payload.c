#include "media/payload.h"

#include "media/base/reader.h"
#include "media/base/writer.h"

#include <errno.h>

/*
 * Read the block headers (RFC 2198 section 3), copying them with `pt` to `w`.
 *
 * @return length of the headers, and *primary the offset of the last block; -EBADMSG
 */
static int red_walk(const uint8_t *payload, size_t len, uint8_t pt, struct writer *w,
                    size_t *primary)
{
    struct reader r = reader_of(payload, len);
    size_t redundant = 0;
    uint8_t first = reader_u8(&r);

    while (first & 0x80) {
        uint32_t rest = reader_u24(&r); /* 14 bits of time offset, 10 of length */

        redundant += rest & 0x3ff;
        writer_u8(w, (uint8_t)(0x80 | pt));
        writer_u24(w, rest);
        first = reader_u8(&r);
    }
    writer_u8(w, pt);
    if (!reader_ok(&r) || redundant > reader_left(&r))
        return -EBADMSG;
    *primary = r.at + redundant;
    return (int)r.at;
}

int payload_red_primary(const uint8_t *payload, size_t len)
{
    struct writer none = writer_of(NULL, 0);
    size_t primary;
    int err = red_walk(payload, len, 0, &none, &primary);

    return err < 0 ? err : (int)primary;
}

int payload_red_headers(const uint8_t *payload, size_t len, uint8_t pt, uint8_t *out,
                        size_t capacity)
{
    struct writer w = writer_of(out, capacity);
    size_t primary;
    int headers_len = red_walk(payload, len, pt & 127, &w, &primary);

    if (headers_len < 0)
        return headers_len;
    return writer_ok(&w) ? headers_len : -EMSGSIZE;
}

int payload_red_write(uint8_t pt, const struct red_block *blocks, size_t n, uint8_t *out,
                      size_t capacity)
{
    struct writer w = writer_of(out, capacity);

    for (size_t i = n - 1; i > 0; i--) {
        writer_u8(&w, (uint8_t)(0x80 | pt));
        writer_u24(&w, (uint32_t)blocks[i].age << 10 | blocks[i].len);
    }
    writer_u8(&w, pt);
    for (size_t i = n; i-- > 0;)
        writer_bytes(&w, blocks[i].data, blocks[i].len);
    return writer_ok(&w) ? (int)w.len : -EMSGSIZE;
}
