/**
 * @file seal_ipsec_mb.h  The libipsec-mb back end's way in for known session keys: published test
 * vectors give those, not the master keys they come from. For tests and seal_ipsec_mb.c.
 */
#ifndef MEDIA_SEAL_IPSEC_MB_H
#define MEDIA_SEAL_IPSEC_MB_H

#include "media/base/attributes.h"
#include "media/seal.h"
#include "media/srtp_kdf.h"

/**
 * As seal_session_new(), of session keys; only where the build has the back end.
 *
 * @return 0; -ENOTSUP: not on this processor; -ENOMEM
 */
MUST_USE int seal_ipsec_mb_session_new(struct seal_session **ret, enum srtp_profile profile,
                                       const struct srtp_session_keys *keys);

#endif
