/* seal.h by libsrtp2: one packet after the other, through a copy. */

#include "media/seal_backend.h"
#include "media/srtp_context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct srtp_seal_session {
    struct seal_session session;
    srtp_t context;
};

static struct srtp_seal_session *own(struct seal_session *session)
{
    return CONTAINER_OF(session, struct srtp_seal_session, session);
}

static bool usable(void)
{
    return srtp_context_start() == 0;
}

static int session_new(struct seal_session **ret, const struct srtp_keys *keys)
{
    struct srtp_seal_session *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    err = srtp_context_new(&s->context, keys, true);
    if (err < 0) {
        free(s);
        return err;
    }
    seal_session_init(&s->session, &seal_srtp_ops, keys->profile);
    *ret = &s->session;
    return 0;
}

static void session_free(struct seal_session *session)
{
    struct srtp_seal_session *s = own(session);

    seal_session_done(&s->session);
    (void)srtp_dealloc(s->context);
    free(s);
}

/* @return bytes of the sealed packet; 0: must not be sealed */
static uint16_t seal_one(const struct seal_packet *packet)
{
    size_t head_len = (size_t)packet->head_len + packet->lead_len;
    int len = (int)(head_len + packet->payload_len);
    struct seal_place place; /* libsrtp2 finds the same */

    if (!seal_place_of(packet, &place))
        return 0;
    memcpy(packet->out, packet->head, head_len);
    if (packet->payload_len > 0 && packet->payload != packet->out + head_len)
        memcpy(packet->out + head_len, packet->payload, packet->payload_len);
    if (srtp_protect(own(packet->session)->context, packet->out, &len) != srtp_err_status_ok)
        return 0;
    return (uint16_t)len;
}

static size_t batch(struct seal_packet *packets, size_t n)
{
    size_t sealed = 0;

    for (size_t i = 0; i < n; i++) {
        packets[i].out_len = seal_one(&packets[i]);
        sealed += packets[i].out_len > 0;
    }
    return sealed;
}

const struct seal_backend_ops seal_srtp_ops = {
    .usable = usable,
    .session_new = session_new,
    .session_free = session_free,
    .batch = batch,
};
