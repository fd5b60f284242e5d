#include "media/srtp.h"

#include "media/base/reader.h"
#include "media/srtp_context.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPLAY_WINDOW =
        1024, /* packets: 2 s of video at 4 Mbit/s may come late by RTX-less resending */
    RTP_HEADER_MIN = 12,
    RTCP_HEADER_MIN = 8,
    SRTCP_INDEX_LEN = 4,
};

/* One SSRC heard from the peer. */
struct heard {
    uint32_t ssrc;
    uint32_t last_use; /* value of srtp_session.uses */
};

struct srtp_session {
    enum srtp_profile profile;
    srtp_t inbound, outbound;
    uint32_t uses;
    size_t n_heard, last_heard; /* last_heard: where the latest was found */
    struct heard heard[SRTP_MAX_SSRCS];
};

struct profile {
    const char *name;
    size_t key_len, salt_len, tag_len;
    srtp_profile_t library;
};

/* By enum srtp_profile. */
static const struct profile profiles[] = {
    [SRTP_NONE] = {.name = "none", .library = srtp_profile_reserved},
    [SRTP_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, 16, srtp_profile_aead_aes_128_gcm},
    [SRTP_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, 16, srtp_profile_aead_aes_256_gcm},
    [SRTP_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10,
                                      srtp_profile_aes128_cm_sha1_80},
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

size_t srtp_context_tag_len(enum srtp_profile profile)
{
    return profiles[profile].tag_len;
}

int srtp_global_init(void)
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
    const struct profile *profile = &profiles[keys->profile];
    uint8_t master[SRTP_MASTER_MAX];
    srtp_policy_t policy = {
        .ssrc.type = outbound ? ssrc_any_outbound : ssrc_any_inbound,
        .key = master,
        .window_size = REPLAY_WINDOW,
        .allow_repeat_tx = outbound, /* lost packets are sent again as they were */
    };
    srtp_err_status_t status;

    if (keys->profile == SRTP_NONE || keys->key_len != profile->key_len ||
        keys->salt_len != profile->salt_len)
        return -EINVAL;
    if (srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile->library) !=
            srtp_err_status_ok ||
        srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile->library) !=
            srtp_err_status_ok)
        return -EIO;
    memcpy(master, outbound ? keys->local : keys->remote, sizeof(master));
    status = srtp_create(ret, &policy);
    explicit_bzero(master, sizeof(master));
    if (status == srtp_err_status_bad_param)
        return -EIO; /* of the library's making, not of a packet */
    return srtp_context_error(status);
}

int srtp_session_new(struct srtp_session **ret, const struct srtp_keys *keys)
{
    struct srtp_session *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    s->profile = keys->profile;
    err = srtp_context_new(&s->inbound, keys, false);
    if (err < 0)
        goto fail;
    err = srtp_context_new(&s->outbound, keys, true);
    if (err < 0)
        goto fail;
    *ret = s;
    return 0;
fail:
    srtp_session_free(s);
    return err;
}

struct srtp_session *srtp_session_free(struct srtp_session *s)
{
    if (!s)
        return NULL;
    if (s->inbound)
        (void)srtp_dealloc(s->inbound);
    if (s->outbound)
        (void)srtp_dealloc(s->outbound);
    free(s);
    return NULL;
}

/* @return index of the SSRC that was silent for longest, which libsrtp2 has now forgotten */
static size_t forget_quietest(struct srtp_session *s)
{
    size_t quietest = 0;

    for (size_t i = 1; i < s->n_heard; i++) {
        if (s->uses - s->heard[i].last_use > s->uses - s->heard[quietest].last_use)
            quietest = i;
    }
    (void)srtp_remove_stream(s->inbound, htonl(s->heard[quietest].ssrc));
    return quietest;
}

/* libsrtp2 keeps state for every SSRC that authenticates, as many as the peer likes. */
static void note_ssrc(struct srtp_session *s, uint32_t ssrc)
{
    size_t at = s->last_heard;

    if (at >= s->n_heard || s->heard[at].ssrc != ssrc) {
        at = 0;
        while (at < s->n_heard && s->heard[at].ssrc != ssrc)
            at++;
    }
    if (at == SRTP_MAX_SSRCS)
        at = forget_quietest(s);
    else if (at == s->n_heard)
        s->n_heard++;
    s->heard[at] = (struct heard){.ssrc = ssrc, .last_use = ++s->uses};
    s->last_heard = at;
}

/* @return the big-endian number `at` bytes into the packet, which has them */
static uint32_t u32_at(const uint8_t *data, size_t at)
{
    struct reader r = reader_of(data + at, 4);

    return reader_u32(&r);
}

/* What both kinds have in common. `min_len` is checked here because libsrtp2 looks for the tag
 * before it knows that the packet is long enough to have one. */
static int unprotect(struct srtp_session *s, uint8_t *data, size_t *len, bool rtcp)
{
    size_t min_len = srtp_context_tag_len(s->profile) +
                     (rtcp ? RTCP_HEADER_MIN + SRTCP_INDEX_LEN : RTP_HEADER_MIN);
    srtp_err_status_t status;
    uint32_t ssrc;
    int octets;

    if (*len < min_len || *len > INT_MAX)
        return -EBADMSG;
    octets = (int)*len;
    ssrc = u32_at(data, rtcp ? 4 : 8);
    status = rtcp ? srtp_unprotect_rtcp(s->inbound, data, &octets)
                  : srtp_unprotect(s->inbound, data, &octets);
    if (status != srtp_err_status_ok)
        return srtp_context_error(status);
    note_ssrc(s, ssrc);
    *len = (size_t)octets;
    return 0;
}

int srtp_session_unprotect_rtp(struct srtp_session *s, uint8_t *data, size_t *len)
{
    return unprotect(s, data, len, false);
}

int srtp_session_unprotect_rtcp(struct srtp_session *s, uint8_t *data, size_t *len)
{
    return unprotect(s, data, len, true);
}

int srtp_session_protect_rtcp(struct srtp_session *s, uint8_t *data, size_t *len, size_t capacity)
{
    srtp_err_status_t status;
    int octets;

    if (*len < RTCP_HEADER_MIN || *len > INT_MAX || capacity < *len ||
        capacity - *len < SRTCP_TRAILER_MAX)
        return -EMSGSIZE;
    octets = (int)*len;
    status = srtp_protect_rtcp(s->outbound, data, &octets);
    if (status != srtp_err_status_ok)
        return -EIO;
    *len = (size_t)octets;
    return 0;
}
