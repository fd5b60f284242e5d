#include "media/rtx.h"

#include "media/base/reader.h"
#include "media/base/writer.h"
#include "media/packet.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Put the fields that an original has of its own over those of its RTX packet. */
static void patch_header(uint8_t *data, uint8_t pt, uint16_t seq, uint32_t ssrc)
{
    struct writer w = writer_of(data + 1, RTP_HEADER_LEN - 1);

    writer_u8(&w, (uint8_t)((data[1] & 0x80) | pt));
    writer_u16(&w, seq);
    (void)writer_reserve(&w, 4); /* timestamp */
    writer_u32(&w, ssrc);
    assert(writer_ok(&w));
}

int rtx_unwrap(struct packet *packet, uint32_t ssrc, uint8_t pt)
{
    struct rtp_header *h = &packet->rtp;
    uint8_t *payload = packet->data + h->header_len;
    struct reader r = reader_of(payload, h->payload_len);
    uint16_t seq = reader_u16(&r);

    assert(packet->refs == 1 && pt <= 127);
    assert(h->header_len + h->payload_len + h->padding_len == packet->len);
    if (h->payload_len == 0)
        return -ENODATA;
    if (!reader_ok(&r))
        return -EBADMSG;
    memmove(payload, payload + RTX_LEAD_LEN,
            (size_t)h->payload_len + h->padding_len - RTX_LEAD_LEN);
    packet->len -= RTX_LEAD_LEN;
    h->payload_len -= RTX_LEAD_LEN;
    h->pt = pt;
    h->seq = seq;
    h->ssrc = ssrc;
    patch_header(packet->data, pt, seq, ssrc);
    return 0;
}

int rtx_write_head(struct rtx_sender *s, const struct rtp_write *original, uint8_t *out,
                   size_t capacity)
{
    struct rtp_write h = *original;
    struct writer lead;
    int len;

    h.ssrc = s->ssrc;
    h.pt = s->pt;
    h.seq = s->seq;
    len = rtp_write_header(out, capacity, &h);
    if (len < 0)
        return len;
    lead = writer_of(out + len, capacity - (size_t)len);
    writer_u16(&lead, original->seq);
    if (!writer_ok(&lead))
        return -EMSGSIZE;
    s->seq++;
    return len;
}
