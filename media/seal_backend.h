/**
 * @file seal_backend.h  What seal.c asks of a back end, and what it does for them; for the files
 * media/seal*.c only.
 */
#ifndef MEDIA_SEAL_BACKEND_H
#define MEDIA_SEAL_BACKEND_H

#include "media/base/attributes.h"
#include "media/rollover.h"
#include "media/seal.h"
#include "media/srtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seal_backend_ops {
    bool (*usable)(void); /* is it built, and can this processor run it? Any thread */
    /* As seal_session_new(); the lengths in `keys` are right. */
    int (*session_new)(struct seal_session **ret, const struct srtp_keys *keys);
    void (*session_free)(struct seal_session *session);
    /* As seal_batch(), for sessions of this back end only. */
    size_t (*batch)(struct seal_packet *packets, size_t n);
};

/** The part that all back ends have, embedded in theirs. */
struct seal_session {
    const struct seal_backend_ops *ops;
    size_t overhead;       /* bytes of the tag */
    struct rollover index; /* of each SSRC */
};

/** For a back end's session_new() and session_free(). */
void seal_session_init(struct seal_session *s, const struct seal_backend_ops *ops,
                       enum srtp_profile profile);
void seal_session_done(struct seal_session *s);

/** Where a packet stands in its stream; with the keys it decides every byte. */
struct seal_place {
    uint32_t ssrc;
    uint64_t index; /* roll-over counter << 16 | sequence number */
};

/**
 * Check a packet's header and lengths and take its index. To be called once per packet, in order.
 *
 * @return false: must not be sealed
 */
bool seal_place_of(const struct seal_packet *packet, struct seal_place *ret);

/** The back ends. */
extern const struct seal_backend_ops seal_srtp_ops;
extern const struct seal_backend_ops seal_ipsec_mb_ops;

#endif
