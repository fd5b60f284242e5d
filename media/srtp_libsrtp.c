/* srtp.h by libsrtp2: runs everywhere, and is what the other back end is compared with. */

#include "media/base/reader.h"
#include "media/srtp_backend.h"
#include "media/srtp_context.h"
#include "media/srtp_heard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

struct libsrtp_session {
    struct srtp_session session;
    srtp_t inbound, outbound;
    struct srtp_heard heard; /* only which: libsrtp2 knows itself what was seen */
};

static struct libsrtp_session *own(struct srtp_session *session)
{
    return CONTAINER_OF(session, struct libsrtp_session, session);
}

static void session_free(struct srtp_session *session)
{
    struct libsrtp_session *s = own(session);

    if (s->inbound)
        (void)srtp_dealloc(s->inbound);
    if (s->outbound)
        (void)srtp_dealloc(s->outbound);
    srtp_heard_done(&s->heard);
    free(s);
}

static int session_new(struct srtp_session **ret, const struct srtp_keys *keys)
{
    struct libsrtp_session *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    s->session = (struct srtp_session){.ops = &srtp_libsrtp_ops, .profile = keys->profile};
    srtp_heard_init(&s->heard);
    err = srtp_context_new(&s->inbound, keys, false);
    if (err < 0)
        goto fail;
    err = srtp_context_new(&s->outbound, keys, true);
    if (err < 0)
        goto fail;
    *ret = &s->session;
    return 0;
fail:
    session_free(&s->session);
    return err;
}

/* libsrtp2 keeps state for every SSRC that authenticates, as many as the peer likes. */
static int note_ssrc(struct libsrtp_session *s, uint32_t ssrc)
{
    struct srtp_seen *seen;
    uint32_t forgotten = 0;
    int result = srtp_heard_note(&s->heard, ssrc, &seen, &forgotten);

    if (result == 1)
        (void)srtp_remove_stream(s->inbound, htonl(forgotten));
    return result < 0 ? result : 0;
}

/* @return the big-endian number `at` bytes into the packet, which has them */
static uint32_t u32_at(const uint8_t *data, size_t at)
{
    struct reader r = reader_of(data + at, 4);

    return reader_u32(&r);
}

static int unprotect_rtp(struct srtp_session *session, uint8_t *data, size_t *len)
{
    struct libsrtp_session *s = own(session);
    uint32_t ssrc = u32_at(data, 8);
    int octets = (int)*len;
    srtp_err_status_t status = srtp_unprotect(s->inbound, data, &octets);

    if (status != srtp_err_status_ok)
        return srtp_context_error(status);
    *len = (size_t)octets;
    return note_ssrc(s, ssrc);
}

static int unprotect_rtcp(struct srtp_session *session, uint8_t *data, size_t *len)
{
    struct libsrtp_session *s = own(session);
    uint32_t ssrc = u32_at(data, 4);
    int octets = (int)*len;
    srtp_err_status_t status = srtp_unprotect_rtcp(s->inbound, data, &octets);

    if (status != srtp_err_status_ok)
        return srtp_context_error(status);
    *len = (size_t)octets;
    return note_ssrc(s, ssrc);
}

static int protect_rtcp(struct srtp_session *session, uint8_t *data, size_t *len)
{
    int octets = (int)*len;

    if (srtp_protect_rtcp(own(session)->outbound, data, &octets) != srtp_err_status_ok)
        return -EIO;
    *len = (size_t)octets;
    return 0;
}

const struct srtp_backend_ops srtp_libsrtp_ops = {
    .start = srtp_context_start,
    .session_new = session_new,
    .session_free = session_free,
    .unprotect_rtp = unprotect_rtp,
    .unprotect_rtcp = unprotect_rtcp,
    .protect_rtcp = protect_rtcp,
};
