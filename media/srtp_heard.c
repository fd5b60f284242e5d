#include "media/srtp_heard.h"

#include "media/srtp.h"

#include <errno.h>
#include <stdlib.h>

enum { CAPACITY_MIN = 2 };

void srtp_heard_init(struct srtp_heard *h)
{
    *h = (struct srtp_heard){0};
}

void srtp_heard_done(struct srtp_heard *h)
{
    free(h->ssrcs);
    free(h->seen);
    srtp_heard_init(h);
}

/* @return where `ssrc` is; `n`: nowhere */
static uint16_t find(const struct srtp_heard *h, uint32_t ssrc)
{
    uint16_t at = h->latest;

    if (LIKELY(at < h->n && h->ssrcs[at].ssrc == ssrc))
        return at;
    at = 0;
    while (at < h->n && h->ssrcs[at].ssrc != ssrc)
        at++;
    return at;
}

const struct srtp_seen *srtp_heard_find(struct srtp_heard *h, uint32_t ssrc)
{
    uint16_t at = find(h, ssrc);

    if (at == h->n)
        return NULL;
    h->latest = at; /* the note that follows finds it there */
    return &h->seen[at];
}

static int grow(struct srtp_heard *h)
{
    size_t capacity = h->capacity ? 2 * (size_t)h->capacity : CAPACITY_MIN;
    struct srtp_heard_ssrc *ssrcs = reallocarray(h->ssrcs, capacity, sizeof(*ssrcs));
    struct srtp_seen *seen;

    if (!ssrcs)
        return -ENOMEM;
    h->ssrcs = ssrcs;
    seen = reallocarray(h->seen, capacity, sizeof(*seen));
    if (!seen)
        return -ENOMEM;
    h->seen = seen;
    h->capacity = (uint16_t)capacity;
    return 0;
}

/* @return where the SSRC is that was silent for longest */
static uint16_t quietest(const struct srtp_heard *h)
{
    uint16_t ret = 0;

    for (uint16_t i = 1; i < h->n; i++) {
        if (h->uses - h->ssrcs[i].last_use > h->uses - h->ssrcs[ret].last_use)
            ret = i;
    }
    return ret;
}

int srtp_heard_note(struct srtp_heard *h, uint32_t ssrc, struct srtp_seen **ret,
                    uint32_t *forgotten)
{
    uint16_t at = find(h, ssrc);
    bool is_new = at == h->n;
    bool is_full = h->n == SRTP_MAX_SSRCS;

    if (UNLIKELY(is_new)) {
        if (!is_full && h->n == h->capacity && grow(h) < 0)
            return -ENOMEM;
        if (is_full) {
            at = quietest(h);
            *forgotten = h->ssrcs[at].ssrc;
        } else {
            h->n++;
        }
        h->seen[at] = (struct srtp_seen){0};
    }
    h->ssrcs[at] = (struct srtp_heard_ssrc){.ssrc = ssrc, .last_use = ++h->uses};
    h->latest = at;
    *ret = &h->seen[at];
    return is_new && is_full;
}
