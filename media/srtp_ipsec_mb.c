/* srtp.h by libipsec-mb, packet by packet. A packet is authenticated before anything is remembered
 * of it or of its SSRC. */

#include "media/srtp_ipsec_mb.h"

#include "media/base/reader.h"
#include "media/base/writer.h"
#include "media/ipsec_mb.h"
#include "media/rollover.h"
#include "media/srtp_backend.h"
#include "media/srtp_head.h"
#include "media/srtp_heard.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROC_LEN = 4,
    RTP_INDEX_BITS = 48,
    RTCP_AAD_LEN = (int)SRTP_RTCP_HEADER_LEN + (int)SRTP_RTCP_INDEX_LEN,
};

static const uint32_t RTCP_ENCRYPTED = UINT32_C(1) << 31; /* E, before the 31 bits of the index */

static_assert((int)SRTP_RTCP_INDEX_LEN + (int)IPSEC_MB_HMAC_LEN <= (int)SRTCP_TRAILER_MAX,
              "written into the caller's room");

/* Kinds of packets with keys of their own. */
enum flow { RTP_IN, RTCP_IN, RTCP_OUT, FLOWS };

struct mb_session {
    struct srtp_session session;
    struct srtp_heard heard;
    struct rollover sent;        /* RTCP, by SSRC of ours */
    struct gcm_key_data *rtp_in; /* expanded when RTP comes: most of an audience send none */
    uint8_t salts[FLOWS][IPSEC_MB_BLOCK_LEN];
    union {
        /* RTCP is rare: to expand its keys anew, 0.1 us, is cheaper than to keep 1 KiB of each. */
        uint8_t gcm[FLOWS][SRTP_CIPHER_KEY_MAX];
        struct ipsec_mb_cm_keys cm[FLOWS];
    } keys; /* allocated as long as the profile needs */
};

/* One packet for the ciphers. */
struct parts {
    uint32_t ssrc;
    uint64_t index;
    const uint8_t *checked; /* what is authenticated; of AES-GCM without the body */
    size_t checked_len;
    uint8_t *body; /* what is encrypted */
    size_t body_len;
    uint8_t *tag;
};

static uint32_t u32_at(const uint8_t *data)
{
    struct reader r = reader_of(data, 4);

    return reader_u32(&r);
}

static void put_u32(uint8_t *out, uint32_t value)
{
    struct writer w = writer_of(out, 4);

    writer_u32(&w, value);
}

static struct mb_session *own(struct srtp_session *session)
{
    return CONTAINER_OF(session, struct mb_session, session);
}

/* Sessions */

static bool is_cm(const struct mb_session *s)
{
    return s->session.profile == SRTP_AES_CM_128_HMAC_SHA1_80;
}

static size_t session_len(enum srtp_profile profile)
{
    size_t keys_len = profile == SRTP_AES_CM_128_HMAC_SHA1_80
                          ? FLOWS * sizeof(struct ipsec_mb_cm_keys)
                          : FLOWS * (size_t)SRTP_CIPHER_KEY_MAX;

    return offsetof(struct mb_session, keys) + keys_len;
}

static void set_keys(const struct ipsec_mb *mb, struct mb_session *s, enum flow flow,
                     const struct srtp_session_keys *keys)
{
    memcpy(s->salts[flow], keys->salt, sizeof(keys->salt));
    if (is_cm(s))
        ipsec_mb_expand_cm(mb, &s->keys.cm[flow], keys);
    else
        memcpy(s->keys.gcm[flow], keys->cipher_key, sizeof(keys->cipher_key));
}

int srtp_ipsec_mb_session_new(struct srtp_session **ret, enum srtp_profile profile,
                              const struct srtp_ipsec_mb_keys *keys)
{
    const struct ipsec_mb *mb;
    struct mb_session *s;

    if (!ipsec_mb_usable())
        return -ENOTSUP;
    mb = ipsec_mb_of_thread();
    s = ipsec_mb_alloc(alignof(struct mb_session), session_len(profile));
    if (!mb || !s) {
        free(s);
        return -ENOMEM;
    }
    s->session = (struct srtp_session){.ops = &srtp_ipsec_mb_ops, .profile = profile};
    srtp_heard_init(&s->heard);
    rollover_init(&s->sent);
    set_keys(mb, s, RTP_IN, &keys->rtp_in);
    set_keys(mb, s, RTCP_IN, &keys->rtcp_in);
    set_keys(mb, s, RTCP_OUT, &keys->rtcp_out);
    *ret = &s->session;
    return 0;
}

static int session_new(struct srtp_session **ret, const struct srtp_keys *keys)
{
    struct srtp_ipsec_mb_keys all;
    int err;

    err = srtp_kdf_session_keys(&all.rtp_in, keys->profile, SRTP_KDF_RTP, keys->remote);
    if (err == 0)
        err = srtp_kdf_session_keys(&all.rtcp_in, keys->profile, SRTP_KDF_RTCP, keys->remote);
    if (err == 0)
        err = srtp_kdf_session_keys(&all.rtcp_out, keys->profile, SRTP_KDF_RTCP, keys->local);
    if (err == 0)
        err = srtp_ipsec_mb_session_new(ret, keys->profile, &all);
    explicit_bzero(&all, sizeof(all));
    return err;
}

static void session_free(struct srtp_session *session)
{
    struct mb_session *s = own(session);

    if (s->rtp_in)
        explicit_bzero(s->rtp_in, sizeof(*s->rtp_in));
    free(s->rtp_in);
    srtp_heard_done(&s->heard);
    rollover_done(&s->sent);
    explicit_bzero(s, session_len(session->profile));
    free(s);
}

static int start(void)
{
    return ipsec_mb_usable() ? 0 : -ENOTSUP;
}

/* The ciphers */

static void expand_gcm(const struct ipsec_mb *mb, const struct mb_session *s, enum flow flow,
                       struct gcm_key_data *ret)
{
    ipsec_mb_gcm(mb, s->session.profile)->expand(s->keys.gcm[flow], ret);
}

/* The body is decrypted whether or not it is authentic. @return 0; -EPERM */
static int open_gcm(struct ipsec_mb *mb, const struct mb_session *s, enum flow flow,
                    const struct gcm_key_data *keys, const struct parts *p)
{
    const struct ipsec_mb_gcm_calls *calls = ipsec_mb_gcm(mb, s->session.profile);
    uint8_t iv[IPSEC_MB_GCM_IV_LEN];
    uint8_t tag[IPSEC_MB_GCM_TAG_LEN];

    ipsec_mb_gcm_iv(iv, s->salts[flow], p->ssrc, p->index);
    calls->decrypt(keys, &mb->context, p->body, p->body, p->body_len, iv, p->checked,
                   p->checked_len, tag, sizeof(tag));
    return CRYPTO_memcmp(tag, p->tag, sizeof(tag)) == 0 ? 0 : -EPERM;
}

/* @return 0; -EPERM; -EIO */
static int open_cm(const struct ipsec_mb *mb, const struct mb_session *s, enum flow flow,
                   const struct parts *p)
{
    const struct ipsec_mb_cm_keys *keys = &s->keys.cm[flow];
    uint8_t iv[IPSEC_MB_BLOCK_LEN];
    uint8_t tag[IPSEC_MB_HMAC_LEN];
    int err;

    err = ipsec_mb_cm_hash(mb, keys, p->checked, p->checked_len, tag);
    if (err < 0)
        return err;
    if (CRYPTO_memcmp(tag, p->tag, IPSEC_MB_CM_TAG_LEN) != 0)
        return -EPERM;
    ipsec_mb_cm_iv(iv, s->salts[flow], p->ssrc, p->index);
    return ipsec_mb_cm_crypt(mb, keys, iv, p->body, p->body, p->body_len);
}

/* RTP received */

static int open_rtp_gcm(struct ipsec_mb *mb, struct mb_session *s, const struct parts *p)
{
    if (UNLIKELY(!s->rtp_in)) {
        s->rtp_in = ipsec_mb_alloc(alignof(struct gcm_key_data), sizeof(*s->rtp_in));
        if (!s->rtp_in)
            return -ENOMEM;
        expand_gcm(mb, s, RTP_IN, s->rtp_in);
    }
    return open_gcm(mb, s, RTP_IN, s->rtp_in, p);
}

/* RFC 3711 section 4.2: the roll-over counter is hashed after the packet, where the tag is. */
static int open_rtp_cm(const struct ipsec_mb *mb, const struct mb_session *s, struct parts p)
{
    uint8_t tag[IPSEC_MB_CM_TAG_LEN];

    memcpy(tag, p.tag, sizeof(tag));
    put_u32(p.tag, (uint32_t)(p.index >> 16));
    p.checked_len += p.body_len + ROC_LEN;
    p.tag = tag;
    return open_cm(mb, s, RTP_IN, &p);
}

static int remember_rtp(struct mb_session *s, uint32_t ssrc, uint64_t index)
{
    struct srtp_seen *seen;
    uint32_t forgotten;
    int result = srtp_heard_note(&s->heard, ssrc, &seen, &forgotten);

    if (result < 0)
        return result;
    replay_note(seen->rtp, SRTP_RTP_WINDOW, &seen->rtp_newest, index);
    return 0;
}

static int unprotect_rtp(struct srtp_session *session, uint8_t *data, size_t *len)
{
    struct mb_session *s = own(session);
    struct ipsec_mb *mb = ipsec_mb_of_thread();
    size_t clear_len = *len - srtp_backend_tag_len(session->profile);
    const struct srtp_seen *seen;
    struct srtp_head head;
    struct parts p;
    int err;

    assert(data);
    if (!mb)
        return -ENOMEM;
    if (!srtp_head_read(&head, data, *len))
        return -EBADMSG;
    seen = srtp_heard_find(&s->heard, head.ssrc);
    p = (struct parts){
        .ssrc = head.ssrc,
        .index = rollover_guess(seen ? seen->rtp_newest : 0, head.seq),
        .checked = data,
        .checked_len = head.len,
        .body = data + head.len,
        .body_len = clear_len - head.len,
        .tag = data + clear_len,
    };
    if (seen && replay_refuses(seen->rtp, SRTP_RTP_WINDOW, seen->rtp_newest, p.index))
        return -EEXIST;
    if (head.len > clear_len)
        return -EBADMSG;
    if (p.index >> RTP_INDEX_BITS)
        return -EPERM;
    err = is_cm(s) ? open_rtp_cm(mb, s, p) : open_rtp_gcm(mb, s, &p);
    if (err < 0)
        return err;
    *len = clear_len;
    return remember_rtp(s, p.ssrc, p.index);
}

/* RTCP */

/* RFC 7714 section 9.2: the header, then what follows the tag. */
static void write_aad(uint8_t *aad, const uint8_t *header, uint32_t trailer)
{
    memcpy(aad, header, SRTP_RTCP_HEADER_LEN);
    put_u32(aad + SRTP_RTCP_HEADER_LEN, trailer);
}

static int open_rtcp_gcm(struct ipsec_mb *mb, const struct mb_session *s, struct parts p,
                         uint32_t trailer)
{
    uint8_t aad[RTCP_AAD_LEN];
    uint8_t tag[IPSEC_MB_GCM_TAG_LEN];
    struct gcm_key_data keys;
    int err;

    if (trailer & RTCP_ENCRYPTED) {
        write_aad(aad, p.checked, trailer);
        p.checked = aad;
        p.checked_len = sizeof(aad);
    } else { /* section 9.3: all is authenticated, and the trailer after it, where the tag is */
        memcpy(tag, p.tag, sizeof(tag));
        put_u32(p.tag, trailer);
        p.checked_len += p.body_len + SRTP_RTCP_INDEX_LEN;
        p.body_len = 0;
        p.tag = tag;
    }
    expand_gcm(mb, s, RTCP_IN, &keys);
    err = open_gcm(mb, s, RTCP_IN, &keys, &p);
    explicit_bzero(&keys, sizeof(keys));
    return err;
}

/* RFC 3711 section 3.4: the trailer comes before the tag, and is authenticated with the rest. */
static int open_rtcp_cm(const struct ipsec_mb *mb, const struct mb_session *s, struct parts p)
{
    p.checked_len += p.body_len + SRTP_RTCP_INDEX_LEN;
    p.tag += SRTP_RTCP_INDEX_LEN;
    return open_cm(mb, s, RTCP_IN, &p);
}

static int remember_rtcp(struct mb_session *s, uint32_t ssrc, uint64_t index)
{
    struct srtp_seen *seen;
    uint32_t forgotten;
    int result = srtp_heard_note(&s->heard, ssrc, &seen, &forgotten);

    if (result < 0)
        return result;
    replay_note(seen->rtcp, SRTP_RTCP_WINDOW, &seen->rtcp_newest, index);
    return 0;
}

static int unprotect_rtcp(struct srtp_session *session, uint8_t *data, size_t *len)
{
    struct mb_session *s = own(session);
    struct ipsec_mb *mb = ipsec_mb_of_thread();
    size_t clear_len = *len - SRTP_RTCP_INDEX_LEN - srtp_backend_tag_len(session->profile);
    const struct srtp_seen *seen;
    uint32_t trailer;
    struct parts p;
    int err;

    assert(data);
    if (!mb)
        return -ENOMEM;
    trailer = u32_at(data + (is_cm(s) ? clear_len : *len - SRTP_RTCP_INDEX_LEN));
    p = (struct parts){
        .ssrc = u32_at(data + 4),
        .index = trailer & ~RTCP_ENCRYPTED,
        .checked = data,
        .checked_len = SRTP_RTCP_HEADER_LEN,
        .body = data + SRTP_RTCP_HEADER_LEN,
        .body_len = clear_len - SRTP_RTCP_HEADER_LEN,
        .tag = data + clear_len,
    };
    if (is_cm(s) && !(trailer & RTCP_ENCRYPTED))
        return -EPERM;
    seen = srtp_heard_find(&s->heard, p.ssrc);
    if (seen && replay_refuses(seen->rtcp, SRTP_RTCP_WINDOW, seen->rtcp_newest, p.index))
        return -EEXIST;
    err = is_cm(s) ? open_rtcp_cm(mb, s, p) : open_rtcp_gcm(mb, s, p, trailer);
    if (err < 0)
        return err;
    *len = clear_len;
    return remember_rtcp(s, p.ssrc, p.index);
}

static void seal_rtcp_gcm(struct ipsec_mb *mb, const struct mb_session *s, const struct parts *p)
{
    const struct ipsec_mb_gcm_calls *calls = ipsec_mb_gcm(mb, s->session.profile);
    uint32_t trailer = RTCP_ENCRYPTED | (uint32_t)p->index;
    uint8_t aad[RTCP_AAD_LEN];
    uint8_t iv[IPSEC_MB_GCM_IV_LEN];
    struct gcm_key_data keys;

    write_aad(aad, p->checked, trailer);
    ipsec_mb_gcm_iv(iv, s->salts[RTCP_OUT], p->ssrc, p->index);
    expand_gcm(mb, s, RTCP_OUT, &keys);
    calls->encrypt(&keys, &mb->context, p->body, p->body, p->body_len, iv, aad, sizeof(aad), p->tag,
                   IPSEC_MB_GCM_TAG_LEN);
    explicit_bzero(&keys, sizeof(keys));
    put_u32(p->tag + IPSEC_MB_GCM_TAG_LEN, trailer);
}

static int seal_rtcp_cm(const struct ipsec_mb *mb, const struct mb_session *s,
                        const struct parts *p)
{
    const struct ipsec_mb_cm_keys *keys = &s->keys.cm[RTCP_OUT];
    uint8_t *trailer = p->body + p->body_len;
    uint8_t iv[IPSEC_MB_BLOCK_LEN];
    int err;

    ipsec_mb_cm_iv(iv, s->salts[RTCP_OUT], p->ssrc, p->index);
    err = ipsec_mb_cm_crypt(mb, keys, iv, p->body, p->body, p->body_len);
    if (err < 0)
        return err;
    put_u32(trailer, RTCP_ENCRYPTED | (uint32_t)p->index);
    return ipsec_mb_cm_hash(mb, keys, p->checked,
                            p->checked_len + p->body_len + SRTP_RTCP_INDEX_LEN,
                            trailer + SRTP_RTCP_INDEX_LEN);
}

static int protect_rtcp(struct srtp_session *session, uint8_t *data, size_t *len)
{
    struct mb_session *s = own(session);
    struct ipsec_mb *mb = ipsec_mb_of_thread();
    struct parts p = {
        .ssrc = u32_at(data + 4),
        .checked = data,
        .checked_len = SRTP_RTCP_HEADER_LEN,
        .body = data + SRTP_RTCP_HEADER_LEN,
        .body_len = *len - SRTP_RTCP_HEADER_LEN,
        .tag = data + *len,
    };

    if (!mb || rollover_next(&s->sent, p.ssrc, RTCP_ENCRYPTED - 1, &p.index) < 0)
        return -EIO;
    if (!is_cm(s))
        seal_rtcp_gcm(mb, s, &p);
    else if (seal_rtcp_cm(mb, s, &p) < 0)
        return -EIO;
    *len += SRTP_RTCP_INDEX_LEN + srtp_backend_tag_len(session->profile);
    return 0;
}

const struct srtp_backend_ops srtp_ipsec_mb_ops = {
    .start = start,
    .session_new = session_new,
    .session_free = session_free,
    .unprotect_rtp = unprotect_rtp,
    .unprotect_rtcp = unprotect_rtcp,
    .protect_rtcp = protect_rtcp,
};
