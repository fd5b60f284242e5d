/**
 * @file srtp_backend.h  What srtp.c asks of a back end; for the files media/srtp*.c and
 * media/seal*.c only.
 */
#ifndef MEDIA_SRTP_BACKEND_H
#define MEDIA_SRTP_BACKEND_H

#include "media/base/attributes.h"
#include "media/srtp.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SRTP_RTCP_HEADER_LEN = 8, /* what SRTCP leaves in clear [bytes] */
    SRTP_RTCP_INDEX_LEN = 4,  /* E bit and index [bytes] */
};

struct srtp_backend_ops {
    int (*start)(void); /* before threads; again does no harm. @return 0; -ENOTSUP */
    /* As the functions of srtp.h. Profile and key lengths are right; a packet to unprotect is long
     * enough for a header without CSRCs and all that is added; one to protect has its room. */
    int (*session_new)(struct srtp_session **ret, const struct srtp_keys *keys);
    void (*session_free)(struct srtp_session *session);
    int (*unprotect_rtp)(struct srtp_session *session, uint8_t *data, size_t *len);
    int (*unprotect_rtcp)(struct srtp_session *session, uint8_t *data, size_t *len);
    int (*protect_rtcp)(struct srtp_session *session, uint8_t *data, size_t *len);
};

/** The part that all back ends have, embedded in theirs. */
struct srtp_session {
    const struct srtp_backend_ops *ops;
    enum srtp_profile profile;
};

/** @return bytes of the authentication tag of `profile` */
size_t srtp_backend_tag_len(enum srtp_profile profile);

/** The back ends. */
extern const struct srtp_backend_ops srtp_libsrtp_ops;
extern const struct srtp_backend_ops srtp_ipsec_mb_ops;

#endif
