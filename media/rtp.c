#include "media/rtp.h"

#include "media/base/clock.h"
#include "media/base/reader.h"
#include "media/base/writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    VERSION = 2,
    PROFILE_ONE_BYTE = 0xbede,
    PROFILE_TWO_BYTE = 0x1000, /* low four bits: appbits, ignored */
    ONE_BYTE_MAX_ID = 14,
    ONE_BYTE_MAX_LEN = 16,
    ONE_BYTE_STOP_ID = 15, /* RFC 8285 section 4.2: ignore what follows */
};

static void keep_extension(struct rtp_header *h, uint8_t id, size_t len, size_t offset)
{
    if (h->n_extensions == RTP_MAX_EXTENSIONS)
        return;
    h->extensions[h->n_extensions++] = (struct rtp_extension){
        .id = id,
        .len = (uint8_t)len,
        .offset = (uint16_t)offset,
    };
}

/* `start` is the offset of the elements in the packet. */
static void parse_one_byte(struct rtp_header *h, struct reader *r, size_t start)
{
    while (reader_left(r) > 0) {
        uint8_t head = reader_u8(r);
        uint8_t id = head >> 4;
        size_t len = (size_t)(head & 15) + 1;

        if (head == 0) /* padding between elements */
            continue;
        if (id == 0 || id == ONE_BYTE_STOP_ID)
            return;
        keep_extension(h, id, len, start + r->at);
        reader_skip(r, len);
    }
}

static void parse_two_byte(struct rtp_header *h, struct reader *r, size_t start)
{
    while (reader_left(r) > 0) {
        uint8_t id = reader_u8(r);
        size_t len;

        if (id == 0) /* padding between elements */
            continue;
        len = reader_u8(r);
        keep_extension(h, id, len, start + r->at);
        reader_skip(r, len);
    }
}

static void parse_extensions(struct rtp_header *h, struct reader *r)
{
    uint16_t profile = reader_u16(r);
    size_t len = (size_t)reader_u16(r) * 4;
    size_t start = r->at;
    struct reader elements = reader_sub(r, len);

    if (profile == PROFILE_ONE_BYTE)
        parse_one_byte(h, &elements, start);
    else if ((profile & 0xfff0) == PROFILE_TWO_BYTE)
        parse_two_byte(h, &elements, start);
    if (!reader_ok(&elements))
        r->failed = true;
}

int rtp_parse(struct rtp_header *ret, const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    struct reader fixed = reader_sub(&r, RTP_HEADER_LEN); /* of known length: checked but once */
    uint8_t first = reader_u8(&fixed);
    uint8_t second = reader_u8(&fixed);
    struct rtp_header h;

    if (first >> 6 != VERSION || len > UINT16_MAX)
        return -EBADMSG;
    h.n_csrcs = first & 15;
    h.marker = second >> 7;
    h.pt = second & 127;
    h.seq = reader_u16(&fixed);
    h.ts = reader_u32(&fixed);
    h.ssrc = reader_u32(&fixed);
    h.n_extensions = 0;
    h.padding_len = 0;
    reader_skip(&r, (size_t)h.n_csrcs * 4);
    if (first & 0x10)
        parse_extensions(&h, &r);
    if (!reader_ok(&r))
        return -EBADMSG;
    if (first & 0x20) {
        h.padding_len = data[len - 1];
        if (h.padding_len == 0 || h.padding_len > reader_left(&r))
            return -EBADMSG;
    }
    h.header_len = (uint16_t)r.at;
    h.payload_len = (uint16_t)(reader_left(&r) - h.padding_len);
    *ret = h;
    return 0;
}

const struct rtp_extension *rtp_find_extension(const struct rtp_header *h, uint8_t id)
{
    if (id == 0)
        return NULL;
    for (size_t i = 0; i < h->n_extensions; i++) {
        if (h->extensions[i].id == id)
            return &h->extensions[i];
    }
    return NULL;
}

static bool needs_two_bytes(const struct rtp_write *h)
{
    for (size_t i = 0; i < h->n_extensions; i++) {
        const struct rtp_extension_value *e = &h->extensions[i];

        if (e->id > ONE_BYTE_MAX_ID || e->len > ONE_BYTE_MAX_LEN || e->len == 0)
            return true;
    }
    return false;
}

static void write_extensions(struct writer *w, const struct rtp_write *h)
{
    bool two_bytes = needs_two_bytes(h);
    size_t start;
    size_t words;

    writer_u16(w, two_bytes ? PROFILE_TWO_BYTE : PROFILE_ONE_BYTE);
    writer_u16(w, 0);
    start = w->len;
    for (size_t i = 0; i < h->n_extensions; i++) {
        const struct rtp_extension_value *e = &h->extensions[i];

        assert(e->id != 0);
        if (two_bytes) {
            writer_u8(w, e->id);
            writer_u8(w, e->len);
        } else {
            writer_u8(w, (uint8_t)(e->id << 4 | (e->len - 1)));
        }
        writer_bytes(w, e->value, e->len);
    }
    while ((w->len - start) % 4 != 0 && writer_ok(w))
        writer_u8(w, 0);
    words = (w->len - start) / 4;
    if (writer_ok(w))
        writer_patch_u16(w, start - 2, (uint16_t)words);
}

uint32_t rtp_send_time(int64_t now_us)
{
    return (uint32_t)(((uint64_t)(now_us % (64 * SECOND)) << 18) / SECOND) & 0xffffff;
}

int rtp_write_header(uint8_t *out, size_t capacity, const struct rtp_write *h)
{
    struct writer w = writer_of(out, capacity);
    unsigned padding = h->padding ? 0x20 : 0;
    unsigned extended = h->n_extensions > 0 ? 0x10 : 0;
    unsigned marker = h->marker ? 0x80 : 0;

    assert(h->n_csrcs <= RTP_MAX_CSRCS && h->pt <= 127);
    writer_u8(&w, (uint8_t)(VERSION << 6 | padding | extended | h->n_csrcs));
    writer_u8(&w, (uint8_t)(marker | h->pt));
    writer_u16(&w, h->seq);
    writer_u32(&w, h->ts);
    writer_u32(&w, h->ssrc);
    for (size_t i = 0; i < h->n_csrcs; i++)
        writer_u32(&w, h->csrcs[i]);
    if (extended)
        write_extensions(&w, h);
    return writer_ok(&w) ? (int)w.len : -EMSGSIZE;
}

enum datagram_kind datagram_kind(const uint8_t *data, size_t len)
{
    if (len < 2)
        return DATAGRAM_UNKNOWN;
    if (data[0] <= 3)
        return DATAGRAM_STUN;
    if (data[0] >= 20 && data[0] <= 63)
        return DATAGRAM_DTLS;
    if (data[0] < 128 || data[0] > 191)
        return DATAGRAM_UNKNOWN;
    return data[1] >= 192 && data[1] <= 223 ? DATAGRAM_RTCP : DATAGRAM_RTP;
}
