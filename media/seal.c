/* What all back ends have in common, and the choice of one. */

#include "media/seal.h"

#include "media/seal_backend.h"
#include "media/srtp_backend.h"
#include "media/srtp_head.h"

#include <assert.h>
#include <errno.h>

static_assert((int)SEAL_SSRCS_MAX == (int)ROLLOVER_MAX, "seal.h says it for our callers");

enum { RTP_VERSION = 2 };

/* By enum seal_backend. */
static const struct seal_backend_ops *const backends[] = {
    [SEAL_AUTO] = NULL,
    [SEAL_SRTP] = &seal_srtp_ops,
    [SEAL_IPSEC_MB] = &seal_ipsec_mb_ops,
};

/* Written before there are threads. */
static enum seal_backend chosen = SEAL_AUTO;

const char *seal_backend_name(enum seal_backend backend)
{
    static const char *const names[] = {
        [SEAL_AUTO] = "auto",
        [SEAL_SRTP] = "libsrtp2",
        [SEAL_IPSEC_MB] = "libipsec-mb",
    };

    return names[backend];
}

int seal_set_backend(enum seal_backend backend)
{
    if (backend != SEAL_AUTO && !backends[backend]->usable())
        return -ENOTSUP;
    chosen = backend;
    return 0;
}

enum seal_backend seal_backend_in_use(void)
{
    if (chosen != SEAL_AUTO)
        return chosen;
    return seal_ipsec_mb_ops.usable() ? SEAL_IPSEC_MB : SEAL_SRTP;
}

int seal_session_new(struct seal_session **ret, const struct srtp_keys *keys)
{
    size_t key_len;
    size_t salt_len;

    srtp_profile_lengths(keys->profile, &key_len, &salt_len);
    if (keys->profile == SRTP_NONE || keys->key_len != key_len || keys->salt_len != salt_len)
        return -EINVAL;
    return backends[seal_backend_in_use()]->session_new(ret, keys);
}

void seal_session_init(struct seal_session *s, const struct seal_backend_ops *ops,
                       enum srtp_profile profile)
{
    s->ops = ops;
    s->overhead = srtp_backend_tag_len(profile);
    rollover_init(&s->index);
}

void seal_session_done(struct seal_session *s)
{
    rollover_done(&s->index);
}

struct seal_session *seal_session_free(struct seal_session *s)
{
    if (!s)
        return NULL;
    s->ops->session_free(s);
    return NULL;
}

size_t seal_overhead(const struct seal_session *s)
{
    return s->overhead;
}

bool seal_place_of(const struct seal_packet *packet, struct seal_place *ret)
{
    struct srtp_head head;

    if (!srtp_head_read(&head, packet->head, packet->head_len) || head.len != packet->head_len ||
        head.version != RTP_VERSION)
        return false;
    if ((size_t)packet->head_len + packet->lead_len + packet->payload_len + SRTP_TRAILER_MAX >
        UINT16_MAX)
        return false;
    ret->ssrc = head.ssrc;
    return rollover_index(&packet->session->index, head.ssrc, head.seq, &ret->index) == 0;
}

size_t seal_batch(struct seal_packet *packets, size_t n)
{
    size_t sealed = 0;

    /* In practice all sessions have one back end, and looking at each of them here brings them into
     * the cache side by side. */
    for (size_t at = 0; at < n;) {
        const struct seal_backend_ops *ops = packets[at].session->ops;
        size_t end = at + 1;

        while (end < n && packets[end].session->ops == ops)
            end++;
        sealed += ops->batch(packets + at, end - at);
        at = end;
    }
    return sealed;
}
