/* Sealed packets of strangers, and packets of all shapes that we seal or a peer sealed. The first
 * byte chooses the profile (2 bits), RTCP or RTP, and what is done. */

#include "media/seal.h"
#include "media/srtp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DATA_MAX = 1500, PROFILE_BITS = 3, RTCP_BIT = 4, SEAL_BIT = 8 };

static struct srtp_keys make_keys(enum srtp_profile profile)
{
    struct srtp_keys keys = {.profile = profile};

    srtp_profile_lengths(profile, &keys.key_len, &keys.salt_len);
    memset(keys.local, 1, sizeof(keys.local));
    memset(keys.remote, 1, sizeof(keys.remote));
    return keys;
}

/* In a block of exactly this size, so that a read past the end is seen. */
static void unprotect(struct srtp_session *session, const uint8_t *data, size_t len, bool rtcp)
{
    uint8_t *exact = malloc(len + 1);
    size_t plain_len = len;
    int err;

    if (!exact)
        abort();
    memcpy(exact + 1, data, len);
    err = rtcp ? srtp_session_unprotect_rtcp(session, exact + 1, &plain_len)
               : srtp_session_unprotect_rtp(session, exact + 1, &plain_len);
    assert(err < 0 || plain_len < len);
    (void)err;
    free(exact);
}

static void seal(struct srtp_session *session, const struct srtp_keys *keys, const uint8_t *data,
                 size_t len)
{
    uint8_t out[DATA_MAX + SRTP_TRAILER_MAX];
    size_t head_len = len > 1 && data[1] < len ? data[1] : len;
    struct seal_packet packet = {.head = data,
                                 .head_len = (uint16_t)head_len,
                                 .payload = data + head_len,
                                 .payload_len = (uint16_t)(len - head_len),
                                 .out = out};

    if (seal_session_new(&packet.session, keys) < 0)
        return;
    if (seal_batch(&packet, 1) == 1)
        unprotect(session, out, packet.out_len, false);
    seal_session_free(packet.session);
}

static void protect_rtcp(struct srtp_session *session, const uint8_t *data, size_t len)
{
    uint8_t out[DATA_MAX + SRTCP_TRAILER_MAX];

    memcpy(out, data, len);
    if (srtp_session_protect_rtcp(session, out, &len, sizeof(out)) == 0)
        unprotect(session, out, len, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool library_started;
    struct srtp_session *session = NULL;
    struct srtp_keys keys;
    uint8_t choice;

    if (!library_started && srtp_global_init() < 0)
        abort();
    library_started = true;
    if (size == 0 || size > DATA_MAX || (data[0] & PROFILE_BITS) == SRTP_NONE)
        return 0;
    choice = *data++;
    size--;
    keys = make_keys((enum srtp_profile)(choice & PROFILE_BITS));
    if (srtp_session_new(&session, &keys) < 0)
        return 0;
    if (!(choice & SEAL_BIT))
        unprotect(session, data, size, choice & RTCP_BIT);
    else if (choice & RTCP_BIT)
        protect_rtcp(session, data, size);
    else
        seal(session, &keys, data, size);
    srtp_session_free(session);
    return 0;
}
