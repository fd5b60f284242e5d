/* What all back ends have in common; seal.c makes the choice of one. */

#include "media/srtp.h"

#include "media/seal.h"
#include "media/srtp_backend.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

enum { RTP_HEADER_MIN = 12 };

struct profile {
    const char *name;
    size_t key_len, salt_len, tag_len; /* [bytes] */
};

/* By enum srtp_profile. */
static const struct profile profiles[] = {
    [SRTP_NONE] = {.name = "none"},
    [SRTP_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, 16},
    [SRTP_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, 16},
    [SRTP_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10},
};

void srtp_profile_lengths(enum srtp_profile profile, size_t *key_len, size_t *salt_len)
{
    *key_len = profiles[profile].key_len;
    *salt_len = profiles[profile].salt_len;
}

const char *srtp_profile_name(enum srtp_profile profile)
{
    return profiles[profile].name;
}

size_t srtp_backend_tag_len(enum srtp_profile profile)
{
    return profiles[profile].tag_len;
}

static const struct srtp_backend_ops *ops_in_use(void)
{
    return seal_backend_in_use() == SEAL_IPSEC_MB ? &srtp_ipsec_mb_ops : &srtp_libsrtp_ops;
}

int srtp_global_init(void)
{
    return ops_in_use()->start();
}

int srtp_session_new(struct srtp_session **ret, const struct srtp_keys *keys)
{
    const struct profile *profile = &profiles[keys->profile];

    if (keys->profile == SRTP_NONE || keys->key_len != profile->key_len ||
        keys->salt_len != profile->salt_len)
        return -EINVAL;
    return ops_in_use()->session_new(ret, keys);
}

struct srtp_session *srtp_session_free(struct srtp_session *s)
{
    if (s)
        s->ops->session_free(s);
    return NULL;
}

/* @return is there no room for a header and what is added? */
static bool is_too_short(const struct srtp_session *s, size_t len, size_t header_min)
{
    return len < header_min + srtp_backend_tag_len(s->profile) || len > INT_MAX;
}

int srtp_session_unprotect_rtp(struct srtp_session *s, uint8_t *data, size_t *len)
{
    if (is_too_short(s, *len, RTP_HEADER_MIN))
        return -EBADMSG;
    return s->ops->unprotect_rtp(s, data, len);
}

int srtp_session_unprotect_rtcp(struct srtp_session *s, uint8_t *data, size_t *len)
{
    if (is_too_short(s, *len, SRTP_RTCP_HEADER_LEN + SRTP_RTCP_INDEX_LEN))
        return -EBADMSG;
    return s->ops->unprotect_rtcp(s, data, len);
}

int srtp_session_protect_rtcp(struct srtp_session *s, uint8_t *data, size_t *len, size_t capacity)
{
    if (*len < SRTP_RTCP_HEADER_LEN || *len > INT_MAX || capacity < *len ||
        capacity - *len < SRTCP_TRAILER_MAX)
        return -EMSGSIZE;
    return s->ops->protect_rtcp(s, data, len);
}
