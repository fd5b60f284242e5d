/**
 * @file srtp_ipsec_mb.h  The libipsec-mb back end's way in for known session keys: published test
 * vectors give those, not the master keys they come from. For tests and srtp_ipsec_mb.c.
 */
#ifndef MEDIA_SRTP_IPSEC_MB_H
#define MEDIA_SRTP_IPSEC_MB_H

#include "media/base/attributes.h"
#include "media/srtp.h"
#include "media/srtp_kdf.h"

/** All that a session derives. */
struct srtp_ipsec_mb_keys {
    struct srtp_session_keys rtp_in, rtcp_in, rtcp_out;
};

/**
 * As srtp_session_new(), of session keys; only where the build has the back end.
 *
 * @return 0; -ENOTSUP: not on this processor; -ENOMEM
 */
MUST_USE int srtp_ipsec_mb_session_new(struct srtp_session **ret, enum srtp_profile profile,
                                       const struct srtp_ipsec_mb_keys *keys);

#endif
