/* Any bytes: a header that parses lies inside the packet, and written again it parses the same. */
#include "media/rtp.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const struct rtp_header *h, size_t size)
{
    assert((size_t)h->header_len + h->payload_len + h->padding_len == size);
    assert(h->n_extensions <= RTP_MAX_EXTENSIONS);
    for (size_t i = 0; i < h->n_extensions; i++) {
        const struct rtp_extension *e = &h->extensions[i];

        assert(e->id > 0 && e->offset + e->len <= h->header_len);
        assert(rtp_find_extension(h, e->id)->id == e->id);
    }
}

static void check_same(const struct rtp_header *a, const uint8_t *a_data,
                       const struct rtp_header *b, const uint8_t *b_data)
{
    assert(a->marker == b->marker && a->pt == b->pt && a->seq == b->seq);
    assert(a->ts == b->ts && a->ssrc == b->ssrc && a->n_csrcs == b->n_csrcs);
    assert(a->n_extensions == b->n_extensions);
    for (size_t i = 0; i < a->n_extensions; i++) {
        const struct rtp_extension *x = &a->extensions[i];
        const struct rtp_extension *y = &b->extensions[i];

        assert(x->id == y->id && x->len == y->len);
        assert(memcmp(a_data + x->offset, b_data + y->offset, x->len) == 0);
    }
}

static void write_again(const struct rtp_header *h, const uint8_t *data)
{
    struct rtp_extension_value values[RTP_MAX_EXTENSIONS];
    struct rtp_write w = {
        .marker = h->marker,
        .pt = h->pt,
        .seq = h->seq,
        .ts = h->ts,
        .ssrc = h->ssrc,
        .n_csrcs = h->n_csrcs,
        .n_extensions = h->n_extensions,
        .extensions = values,
    };
    uint8_t out[RTP_HEADER_LEN + 4 * RTP_MAX_CSRCS + 4 + RTP_MAX_EXTENSIONS * 257 + 3];
    struct rtp_header again;
    int len;
    int err;

    for (size_t i = 0; i < h->n_extensions; i++) {
        const struct rtp_extension *e = &h->extensions[i];

        values[i] = (struct rtp_extension_value){e->id, e->len, data + e->offset};
    }
    len = rtp_write_header(out, sizeof(out), &w);
    assert(len > 0);
    err = rtp_parse(&again, out, (size_t)len);
    assert(err == 0);
    (void)err;
    check_same(h, data, &again, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtp_header h;

    (void)datagram_kind(data, size);
    if (rtp_parse(&h, data, size) < 0)
        return 0;
    check_inside(&h, size);
    write_again(&h, data);
    return 0;
}
