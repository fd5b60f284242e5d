/* seal.h by libsrtp2: one packet after the other, through a copy. */

#include "media/seal.h"

#include "media/srtp_context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct seal_session {
    srtp_t context;
    size_t overhead;
};

int seal_session_new(struct seal_session **ret, const struct srtp_keys *keys)
{
    struct seal_session *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    s->overhead = srtp_context_tag_len(keys->profile);
    err = srtp_context_new(&s->context, keys, true);
    if (err < 0) {
        free(s);
        return err;
    }
    *ret = s;
    return 0;
}

struct seal_session *seal_session_free(struct seal_session *s)
{
    if (!s)
        return NULL;
    (void)srtp_dealloc(s->context);
    free(s);
    return NULL;
}

size_t seal_overhead(const struct seal_session *s)
{
    return s->overhead;
}

/* @return bytes of the sealed packet; 0: malformed or too old */
static uint16_t seal_one(const struct seal_packet *packet)
{
    size_t head_len = (size_t)packet->head_len + packet->lead_len;
    int len = (int)(head_len + packet->payload_len);

    if (head_len + packet->payload_len + SRTP_TRAILER_MAX > UINT16_MAX)
        return 0;
    memcpy(packet->out, packet->head, head_len);
    if (packet->payload_len > 0)
        memcpy(packet->out + head_len, packet->payload, packet->payload_len);
    if (srtp_protect(packet->session->context, packet->out, &len) != srtp_err_status_ok)
        return 0;
    return (uint16_t)len;
}

size_t seal_batch(struct seal_packet *packets, size_t n)
{
    size_t sealed = 0;

    for (size_t i = 0; i < n; i++) {
        packets[i].out_len = seal_one(&packets[i]);
        sealed += packets[i].out_len > 0;
    }
    return sealed;
}
