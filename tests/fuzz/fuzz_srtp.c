/* Sealed packets of strangers, packets of all shapes that we seal or a peer sealed, and streams of
 * sealed packets in any order. Both back ends must say the same. The first byte chooses the profile
 * (2 bits), RTCP or RTP, and what is done. */

#include "media/base/reader.h"
#include "media/base/writer.h"
#include "media/seal.h"
#include "media/srtp.h"
#include "tests/srtp_reference.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    DATA_MAX = 1500,
    PROFILE_BITS = 3,
    RTCP_BIT = 4,
    SEAL_BIT = 8,
    STREAM_BIT = 16,
    RTP_HEADER_LEN = 12,
    RTCP_HEADER_LEN = 8,
};

/* One peer, received by both back ends. */
struct peer {
    struct srtp_keys keys;
    struct srtp_session *theirs; /* libsrtp2 */
    struct srtp_session *ours;   /* libipsec-mb; NULL: not here */
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static struct srtp_session *new_session(enum seal_backend backend, const struct srtp_keys *keys)
{
    struct srtp_session *session = NULL;

    if (seal_set_backend(backend) == 0)
        must(srtp_session_new(&session, keys) == 0);
    return session;
}

static void peer_init(struct peer *p, enum srtp_profile profile)
{
    *p = (struct peer){.keys.profile = profile};
    srtp_profile_lengths(profile, &p->keys.key_len, &p->keys.salt_len);
    memset(p->keys.local, 1, sizeof(p->keys.local));
    memset(p->keys.remote, 1, sizeof(p->keys.remote));
    p->theirs = new_session(SEAL_SRTP, &p->keys);
    p->ours = new_session(SEAL_IPSEC_MB, &p->keys);
    must(p->theirs && seal_set_backend(SEAL_AUTO) == 0);
}

static void peer_done(struct peer *p)
{
    srtp_session_free(p->theirs);
    srtp_session_free(p->ours);
}

static int unprotect(struct srtp_session *session, uint8_t *data, size_t *len, bool rtcp)
{
    size_t sealed_len = *len;
    int err = rtcp ? srtp_session_unprotect_rtcp(session, data, len)
                   : srtp_session_unprotect_rtp(session, data, len);

    must(err < 0 || *len < sealed_len);
    return err;
}

/* In blocks of exactly this size, so that a read past the end is seen. */
static void receive(struct peer *p, const uint8_t *data, size_t len, bool rtcp)
{
    uint8_t *left = malloc(len + 1);
    uint8_t *right = malloc(len + 1);
    size_t left_len = len;
    size_t right_len = len;
    int err;

    must(left && right);
    memcpy(left + 1, data, len);
    memcpy(right + 1, data, len);
    err = unprotect(p->theirs, left + 1, &left_len, rtcp);
    if (p->ours) {
        must(unprotect(p->ours, right + 1, &right_len, rtcp) == err);
        must(err < 0 || left_len == right_len);
        must(err < 0 || memcmp(left + 1, right + 1, left_len) == 0);
    }
    free(left);
    free(right);
}

static void seal(struct peer *p, const uint8_t *data, size_t len)
{
    uint8_t out[DATA_MAX + SRTP_TRAILER_MAX];
    size_t head_len = len > 1 && data[1] < len ? data[1] : len;
    struct seal_packet packet = {.head = data,
                                 .head_len = (uint16_t)head_len,
                                 .payload = data + head_len,
                                 .payload_len = (uint16_t)(len - head_len),
                                 .out = out};

    must(seal_session_new(&packet.session, &p->keys) == 0);
    if (seal_batch(&packet, 1) == 1)
        receive(p, out, packet.out_len, false);
    seal_session_free(packet.session);
}

static void protect_rtcp(struct peer *p, const uint8_t *data, size_t len)
{
    uint8_t theirs[DATA_MAX + SRTCP_TRAILER_MAX];
    uint8_t ours[DATA_MAX + SRTCP_TRAILER_MAX];
    size_t our_len = len;
    int err;

    memcpy(theirs, data, len);
    memcpy(ours, data, len);
    err = srtp_session_protect_rtcp(p->theirs, theirs, &len, sizeof(theirs));
    if (p->ours) {
        must(srtp_session_protect_rtcp(p->ours, ours, &our_len, sizeof(ours)) == err);
        must(err < 0 || (our_len == len && memcmp(ours, theirs, len) == 0));
    }
    if (err == 0)
        receive(p, theirs, len, true);
}

/* Each four bytes move a stream's number and send a packet under it. */
static void send_streams(struct peer *p, const uint8_t *data, size_t len)
{
    uint64_t newest[256] = {0};
    struct srtp_reference rtp;
    struct srtp_reference rtcp;
    struct reader r = reader_of(data, len);

    srtp_reference_derive_rtp(&rtp, p->keys.profile, p->keys.remote);
    srtp_reference_derive_rtcp(&rtcp, p->keys.profile, p->keys.remote);
    while (reader_left(&r) >= 4) {
        uint8_t what = reader_u8(&r);
        uint8_t ssrc = reader_u8(&r);
        uint64_t index = (newest[ssrc] + (uint64_t)(int16_t)reader_u16(&r)) & UINT32_MAX;
        uint8_t clear[RTP_HEADER_LEN + 64] = {0x80, 96};
        uint8_t out[sizeof(clear) + SRTCP_TRAILER_MAX];
        struct writer w = writer_of(clear, sizeof(clear));
        size_t out_len;

        newest[ssrc] = index;
        writer_u16(&w, what & RTCP_BIT ? 0x80c8 : 0x8060);
        writer_u16(&w, (uint16_t)index);
        if (!(what & RTCP_BIT))
            writer_u32(&w, 0);
        writer_u32(&w, ssrc);
        out_len = what & RTCP_BIT
                      ? srtp_reference_seal_rtcp(&rtcp, (uint32_t)index & INT32_MAX, clear,
                                                 RTCP_HEADER_LEN + (what >> 3), out)
                      : srtp_reference_seal_rtp(&rtp, (uint32_t)(index >> 16), clear,
                                                RTP_HEADER_LEN, RTP_HEADER_LEN + (what >> 3), out);
        if (what & 1)
            out[ssrc % out_len] ^= what;
        receive(p, out, out_len, what & RTCP_BIT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer p;
    uint8_t choice;

    if (size == 0 || size > DATA_MAX || (data[0] & PROFILE_BITS) == SRTP_NONE)
        return 0;
    choice = *data++;
    size--;
    peer_init(&p, (enum srtp_profile)(choice & PROFILE_BITS));
    if (choice & STREAM_BIT)
        send_streams(&p, data, size);
    else if (!(choice & SEAL_BIT))
        receive(&p, data, size, choice & RTCP_BIT);
    else if (choice & RTCP_BIT)
        protect_rtcp(&p, data, size);
    else
        seal(&p, data, size);
    peer_done(&p);
    return 0;
}
