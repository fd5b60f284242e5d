#include "media/dd_history.h"

#include <errno.h>
#include <string.h>

static uint8_t other(const struct dd_history *h)
{
    return h->newest ^ 1;
}

static bool has(const struct dd_history *h, uint8_t at, const struct dd_structure *s)
{
    return h->kept[at].id && memcmp(&h->kept[at].structure, s, sizeof(*s)) == 0;
}

static void put(struct dd_history *h, uint8_t at, const struct dd_structure *s, int64_t seq)
{
    h->last_id = h->last_id < UINT8_MAX ? (uint8_t)(h->last_id + 1) : 1;
    h->kept[at].id = h->last_id;
    h->kept[at].since = seq;
    h->kept[at].structure = *s;
}

/* @return index of the structure that is good for packet `seq`; -1: none */
static int good_for(const struct dd_history *h, int64_t seq)
{
    if (h->kept[h->newest].id && seq >= h->kept[h->newest].since)
        return h->newest;
    if (h->kept[other(h)].id && seq >= h->kept[other(h)].since)
        return other(h);
    return -1;
}

/* Keep what packet `seq`, older than the newest structure, brings. @return index; -1: too old */
static int keep_late(struct dd_history *h, const struct dd_structure *s, int64_t seq, int before)
{
    uint8_t after = before >= 0 || !h->kept[other(h)].id ? h->newest : other(h);

    if (has(h, after, s)) { /* was told again before this came */
        h->kept[after].since = seq;
        return after;
    }
    if (after == other(h))
        return -1;
    put(h, other(h), s, seq);
    return other(h);
}

/* Keep what packet `seq` brings. @return index of it; -1: too old */
static int keep(struct dd_history *h, const struct dd_structure *s, int64_t seq)
{
    int before = good_for(h, seq);
    bool empty = !h->kept[h->newest].id;

    if (before >= 0 && has(h, (uint8_t)before, s))
        return before;
    if (!empty && before != h->newest)
        return keep_late(h, s, seq, before);
    if (!empty)
        h->newest = other(h);
    put(h, h->newest, s, seq);
    return h->newest;
}

static void note_key(struct dd_history *h, const struct dd_frame *f, const struct dd_place *place)
{
    if (!f->begins || f->n_fdiffs > 0 || (h->has_key && place->seq < h->key_seq))
        return;
    h->has_key = true;
    h->key_ts = place->ts;
    h->key_seq = place->seq;
}

int dd_history_read(struct dd_history *h, struct dd_frame *ret, uint8_t *id,
                    const struct dd_place *place, const uint8_t *data, size_t len)
{
    struct dd_structure s;
    int at;
    int err;

    if (!dd_has_structure(data, len)) {
        at = good_for(h, place->seq);
        if (at < 0)
            return len < DD_HEAD_LEN ? -EBADMSG : -ENOENT;
        *id = h->kept[at].id;
        return dd_read(ret, &h->kept[at].structure, data, len);
    }
    err = dd_read(ret, &s, data, len);
    if (err < 0)
        return err;
    at = keep(h, &s, place->seq);
    if (at < 0)
        return -ENOENT;
    *id = h->kept[at].id;
    note_key(h, ret, place);
    return 0;
}

void dd_history_clear(struct dd_history *h)
{
    *h = (struct dd_history){.last_id = h->last_id};
}

const struct dd_structure *dd_history_find(const struct dd_history *h, uint8_t id)
{
    for (size_t i = 0; i < DD_HISTORY; i++) {
        if (id && h->kept[i].id == id)
            return &h->kept[i].structure;
    }
    return NULL;
}

bool dd_history_is_key(const struct dd_history *h, uint32_t ts)
{
    return h->has_key && ts == h->key_ts;
}
