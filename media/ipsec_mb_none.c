/* In place of ipsec_mb.c and its back ends where the build has no libipsec-mb. */

#include "media/seal_backend.h"
#include "media/seal_ipsec_mb.h"
#include "media/srtp_backend.h"
#include "media/srtp_ipsec_mb.h"

#include <errno.h>

static bool usable(void)
{
    return false;
}

int seal_ipsec_mb_session_new(struct seal_session **ret, enum srtp_profile profile,
                              const struct srtp_session_keys *keys)
{
    (void)ret;
    (void)profile;
    (void)keys;
    return -ENOTSUP;
}

int srtp_ipsec_mb_session_new(struct srtp_session **ret, enum srtp_profile profile,
                              const struct srtp_ipsec_mb_keys *keys)
{
    (void)ret;
    (void)profile;
    (void)keys;
    return -ENOTSUP;
}

const struct seal_backend_ops seal_ipsec_mb_ops = {.usable = usable};
const struct srtp_backend_ops srtp_ipsec_mb_ops = {0};
