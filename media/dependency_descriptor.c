#include "media/dependency_descriptor.h"

#include "media/base/bit_reader.h"

#include <errno.h>
#include <string.h>

/* Flags that follow the head of a longer descriptor, highest first. */
enum {
    FLAG_BITS = 5,
    HAS_STRUCTURE = 0x10,
    HAS_ACTIVE = 0x08,
    CUSTOM_DTIS = 0x04,
    CUSTOM_FDIFFS = 0x02,
    CUSTOM_CHAINS = 0x01,
};

/* next_layer_idc */
enum { SAME_LAYER, NEXT_TEMPORAL, NEXT_SPATIAL, NO_MORE };

_Static_assert(sizeof(struct dd_structure) == DD_MAX_TEMPLATES * (8 + 2 + 1 + DD_MAX_CHAINS / 2) +
                                                  DD_MAX_SPATIAL * 4 + DD_MAX_TARGETS * 3 +
                                                  DD_MAX_SPATIAL * DD_MAX_TEMPORAL + 8,
               "compared as bytes");

/* ------------------------------------------------------------------ structure */

static int read_layers(struct dd_structure *s, struct bit_reader *r)
{
    uint8_t sid = 0;
    uint8_t tid = 0;
    uint32_t next;

    do {
        if (s->n_templates == DD_MAX_TEMPLATES || sid == DD_MAX_SPATIAL || tid == DD_MAX_TEMPORAL)
            return -EBADMSG;
        s->layers[s->n_templates++] = (uint8_t)(sid << 4 | tid);
        if (tid >= s->n_temporal)
            s->n_temporal = (uint8_t)(tid + 1);
        next = bit_reader_bits(r, 2);
        if (next == NEXT_TEMPORAL) {
            tid++;
        } else if (next == NEXT_SPATIAL) {
            sid++;
            tid = 0;
        }
    } while (next != NO_MORE && bit_reader_ok(r));
    s->n_spatial = (uint8_t)(sid + 1);
    return 0;
}

static uint64_t read_dtis(struct bit_reader *r, uint8_t n_targets)
{
    uint64_t dtis = 0;

    for (uint8_t i = 0; i < n_targets; i++)
        dtis |= (uint64_t)bit_reader_bits(r, 2) << (2 * i);
    return dtis;
}

static uint16_t read_template_fdiffs(struct bit_reader *r)
{
    uint16_t fdiffs = 0;

    while (bit_reader_flag(r))
        fdiffs |= (uint16_t)(1U << bit_reader_bits(r, 4));
    return fdiffs;
}

static void read_chains(struct dd_structure *s, struct bit_reader *r)
{
    s->n_chains = (uint8_t)bit_reader_ns(r, s->n_targets + 1U);
    for (uint8_t i = 0; i < s->n_targets; i++) {
        s->targets[i].chain = s->n_chains > 0 ? (uint8_t)bit_reader_ns(r, s->n_chains)
                                              : DD_MAX_CHAINS;
    }
    for (uint8_t i = 0; i < s->n_templates; i++) {
        for (uint8_t chain = 0; chain < s->n_chains; chain++)
            s->chain_diffs[i][chain / 2] |= (uint8_t)(bit_reader_bits(r, 4) << (chain % 2 * 4));
    }
}

static uint16_t read_extent(struct bit_reader *r)
{
    uint32_t extent = bit_reader_bits(r, 16) + 1;

    return (uint16_t)(extent < UINT16_MAX ? extent : UINT16_MAX);
}

/* A target comprises the highest layers of what is present in it. */
static void derive_targets(struct dd_structure *s)
{
    memset(s->target_of, DD_NO_TARGET, sizeof(s->target_of));
    for (uint8_t target = 0; target < s->n_targets; target++) {
        struct dd_target *t = &s->targets[target];

        for (uint8_t i = 0; i < s->n_templates; i++) {
            uint8_t sid = s->layers[i] >> 4;
            uint8_t tid = s->layers[i] & 15;

            if (dd_indication(s->dtis[i], target) == DD_NOT_PRESENT)
                continue;
            t->sid = sid > t->sid ? sid : t->sid;
            t->tid = tid > t->tid ? tid : t->tid;
        }
        if (s->target_of[t->sid][t->tid] == DD_NO_TARGET)
            s->target_of[t->sid][t->tid] = target;
    }
}

static int read_structure(struct dd_structure *s, struct bit_reader *r)
{
    int err;

    *s = (struct dd_structure){.offset = (uint8_t)bit_reader_bits(r, 6)};
    s->n_targets = (uint8_t)(bit_reader_bits(r, 5) + 1);
    err = read_layers(s, r);
    if (err < 0)
        return err;
    for (uint8_t i = 0; i < s->n_templates; i++)
        s->dtis[i] = read_dtis(r, s->n_targets);
    for (uint8_t i = 0; i < s->n_templates; i++)
        s->fdiffs[i] = read_template_fdiffs(r);
    read_chains(s, r);
    derive_targets(s);
    if (bit_reader_flag(r)) {
        for (uint8_t sid = 0; sid < s->n_spatial; sid++) {
            s->width[sid] = read_extent(r);
            s->height[sid] = read_extent(r);
        }
    }
    return bit_reader_ok(r) ? 0 : -EBADMSG;
}

/* ------------------------------------------------------------------ frame */

static void take_fdiffs(struct dd_frame *f, uint16_t fdiffs)
{
    for (uint16_t i = 0; fdiffs >> i; i++) {
        if (fdiffs >> i & 1)
            f->fdiffs[f->n_fdiffs++] = (uint16_t)(i + 1);
    }
}

static int read_fdiffs(struct dd_frame *f, struct bit_reader *r)
{
    uint32_t size;

    while ((size = bit_reader_bits(r, 2)) > 0) {
        if (f->n_fdiffs == DD_MAX_FDIFFS)
            return -EBADMSG;
        f->fdiffs[f->n_fdiffs++] = (uint16_t)(bit_reader_bits(r, 4 * size) + 1);
    }
    return 0;
}

static uint8_t chain_diff(const struct dd_structure *s, uint8_t at, uint8_t chain)
{
    return s->chain_diffs[at][chain / 2] >> (chain % 2 * 4) & 15;
}

static int read_definition(struct dd_frame *f, const struct dd_structure *s, uint32_t flags,
                           struct bit_reader *r)
{
    uint8_t at = (uint8_t)(f->template_id - s->offset) % DD_MAX_TEMPLATES;

    if (at >= s->n_templates)
        return f->has_structure ? -EBADMSG : -ENOENT;
    f->sid = s->layers[at] >> 4;
    f->tid = s->layers[at] & 15;
    f->dtis = flags & CUSTOM_DTIS ? read_dtis(r, s->n_targets) : s->dtis[at];
    if (!(flags & CUSTOM_FDIFFS))
        take_fdiffs(f, s->fdiffs[at]);
    else if (read_fdiffs(f, r) < 0)
        return -EBADMSG;
    for (uint8_t chain = 0; chain < s->n_chains; chain++) {
        f->chain_diffs[chain] = flags & CUSTOM_CHAINS ? (uint8_t)bit_reader_bits(r, 8)
                                                      : chain_diff(s, at, chain);
    }
    return bit_reader_ok(r) ? 0 : -EBADMSG;
}

static struct dd_frame read_head(const uint8_t *data)
{
    return (struct dd_frame){
        .begins = data[0] & 0x80,
        .ends = data[0] & 0x40,
        .template_id = data[0] & 0x3f,
        .number = (uint16_t)(data[1] << 8 | data[2]),
        .active_targets = UINT32_MAX,
    };
}

/* One that brings a structure. */
static int read_first(struct dd_frame *f, struct dd_structure *ret, uint32_t flags,
                      struct bit_reader *r)
{
    struct dd_structure s;
    int err;

    f->has_structure = true;
    err = read_structure(&s, r);
    if (err < 0)
        return err;
    if (flags & HAS_ACTIVE)
        f->active_targets = bit_reader_bits(r, s.n_targets);
    err = read_definition(f, &s, flags, r);
    if (err < 0)
        return err;
    *ret = s;
    return 0;
}

int dd_read(struct dd_frame *ret, struct dd_structure *s, const uint8_t *data, size_t len)
{
    struct bit_reader r;
    struct dd_frame f;
    uint32_t flags = 0;
    int err;

    if (len < DD_HEAD_LEN)
        return -EBADMSG;
    f = read_head(data);
    r = bit_reader_of(data + DD_HEAD_LEN, len - DD_HEAD_LEN);
    if (len > DD_HEAD_LEN)
        flags = bit_reader_bits(&r, FLAG_BITS);
    f.has_active = flags & HAS_ACTIVE;
    if (flags & HAS_STRUCTURE) {
        err = read_first(&f, s, flags, &r);
    } else {
        if (flags & HAS_ACTIVE)
            f.active_targets = bit_reader_bits(&r, s->n_targets);
        err = read_definition(&f, s, flags, &r);
    }
    if (err == 0)
        *ret = f;
    return err;
}

/* ------------------------------------------------------------------ writing */

int dd_write_number(uint8_t *out, size_t capacity, const uint8_t *data, size_t len, uint16_t number)
{
    if (len < DD_HEAD_LEN)
        return -EBADMSG;
    if (len > capacity)
        return -EMSGSIZE;
    memcpy(out, data, len);
    out[1] = (uint8_t)(number >> 8);
    out[2] = (uint8_t)number;
    return (int)len;
}
