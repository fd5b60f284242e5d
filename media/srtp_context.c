#include "media/srtp_context.h"

#include "media/srtp_heard.h"

#include <errno.h>
#include <string.h>

/* By enum srtp_profile. */
static const srtp_profile_t profiles[] = {
    [SRTP_NONE] = srtp_profile_reserved,
    [SRTP_AEAD_AES_128_GCM] = srtp_profile_aead_aes_128_gcm,
    [SRTP_AEAD_AES_256_GCM] = srtp_profile_aead_aes_256_gcm,
    [SRTP_AES_CM_128_HMAC_SHA1_80] = srtp_profile_aes128_cm_sha1_80,
};

int srtp_context_start(void)
{
    static bool started; /* the library counts nothing: a second srtp_init() fails */
    srtp_crypto_policy_t policy;

    if (!started && srtp_init() != srtp_err_status_ok)
        return -ENOTSUP;
    started = true;
    /* A libsrtp2 built without AEAD refuses here. */
    if (srtp_crypto_policy_set_from_profile_for_rtp(&policy, srtp_profile_aead_aes_128_gcm) !=
        srtp_err_status_ok)
        return -ENOTSUP;
    return 0;
}

int srtp_context_error(srtp_err_status_t status)
{
    switch ((int)status) {
    case srtp_err_status_ok:
        return 0;
    case srtp_err_status_auth_fail:
    case srtp_err_status_cant_check: /* SRTCP that says it is not encrypted */
        return -EPERM;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
        return -EEXIST;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
        return -EBADMSG;
    case srtp_err_status_alloc_fail:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

int srtp_context_new(srtp_t *ret, const struct srtp_keys *keys, bool outbound)
{
    srtp_profile_t profile = profiles[keys->profile];
    uint8_t master[SRTP_MASTER_MAX];
    srtp_policy_t policy = {
        .ssrc.type = outbound ? ssrc_any_outbound : ssrc_any_inbound,
        .key = master,
        .window_size = SRTP_RTP_WINDOW,
        .allow_repeat_tx = outbound, /* lost packets are sent again as they were */
    };
    srtp_err_status_t status;

    if (srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile) != srtp_err_status_ok ||
        srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile) != srtp_err_status_ok)
        return -EIO;
    memcpy(master, outbound ? keys->local : keys->remote, sizeof(master));
    status = srtp_create(ret, &policy);
    explicit_bzero(master, sizeof(master));
    if (status == srtp_err_status_bad_param)
        return -EIO; /* of the library's making, not of a packet */
    return srtp_context_error(status);
}
