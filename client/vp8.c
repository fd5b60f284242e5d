#include "client/vp8.h"

#include "media/base/reader.h"

#include <errno.h>
#include <string.h>

enum { /* RFC 7741 section 4.2 */
       BIT_X = 0x80,
       BIT_S = 0x10,
       PARTITION = 0x07,
       BIT_I = 0x80,
       BIT_L = 0x40,
       BIT_T = 0x20,
       BIT_K = 0x10,
       BIT_M = 0x80,
};

enum { /* RFC 6386 section 9.1 */
       NOT_KEY_FRAME = 0x01,
       KEY_HEADER_LEN = 10,
       SIZE_MASK = 0x3fff,
};

bool vp8_is_key_frame(const uint8_t *frame, size_t len)
{
    return len > 0 && !(frame[0] & NOT_KEY_FRAME);
}

void vp8_packetizer_init(struct vp8_packetizer *p, const uint8_t *frame, size_t len,
                         uint16_t picture)
{
    size_t room = VP8_PAYLOAD_MAX - VP8_DESCRIPTOR_LEN;
    size_t parts = (len + room - 1) / room;

    *p = (struct vp8_packetizer){.frame = frame, .len = len, .picture = picture & INT16_MAX};
    /* Equal parts: segments of one size leave the server's socket in one call. */
    p->part_len = parts > 0 ? (len + parts - 1) / parts : 0;
}

size_t vp8_packetizer_next(struct vp8_packetizer *p, uint8_t *out, bool *last)
{
    size_t n = p->len - p->at < p->part_len ? p->len - p->at : p->part_len;

    if (n == 0)
        return 0;
    out[0] = (uint8_t)(BIT_X | (p->at == 0 ? BIT_S : 0));
    out[1] = BIT_I;
    out[2] = (uint8_t)(BIT_M | p->picture >> 8);
    out[3] = (uint8_t)p->picture;
    memcpy(out + VP8_DESCRIPTOR_LEN, p->frame + p->at, n);
    p->at += n;
    *last = p->at == p->len;
    return VP8_DESCRIPTOR_LEN + n;
}

static void skip_extensions(struct reader *r)
{
    uint8_t bits = reader_u8(r);

    if (bits & BIT_I && reader_u8(r) & BIT_M)
        reader_skip(r, 1);
    if (bits & BIT_L)
        reader_skip(r, 1);
    if (bits & (BIT_T | BIT_K))
        reader_skip(r, 1);
}

int vp8_depacketize(struct vp8_payload *ret, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t first = reader_u8(&r);
    size_t n;

    if (first & BIT_X)
        skip_extensions(&r);
    n = reader_left(&r);
    if (!reader_ok(&r) || n == 0)
        return -EBADMSG;
    *ret = (struct vp8_payload){.starts_frame = first & BIT_S && (first & PARTITION) == 0,
                                .data = payload + (len - n),
                                .len = n};
    ret->key_frame = ret->starts_frame && vp8_is_key_frame(ret->data, n);
    return 0;
}
