#include "tests/dd_source.h"

#include "tests/dd_writer.h"

#include <assert.h>
#include <string.h>

static uint8_t tid_of(const struct dd_source *s, uint8_t position)
{
    static const uint8_t tids[DD_SOURCE_TEMPORAL][4] = {{0}, {0, 1}, {0, 2, 1, 2}};

    return tids[s->n_temporal - 1][position];
}

static uint8_t period(const struct dd_source *s)
{
    return (uint8_t)(1 << (s->n_temporal - 1));
}

/* Is the frame of spatial layer `sid` part of what is needed for layer `top`? */
static bool is_part(const struct dd_source *s, uint8_t sid, uint8_t top)
{
    switch (s->kind) {
    case DD_SOURCE_FULL:
        return sid <= top;
    case DD_SOURCE_KEY:
        return s->key ? sid <= top : sid == top;
    case DD_SOURCE_SIMULCAST:
        return sid == top;
    }
    assert(false);
    return false;
}

static enum dd_indication indication(const struct dd_source *s, const struct dd_frame *f,
                                     uint8_t sid, uint8_t tid)
{
    if (!is_part(s, f->sid, sid) || f->tid > tid)
        return DD_NOT_PRESENT;
    if (f->sid < sid && !s->key)
        return DD_REQUIRED;
    return f->tid == 0 || f->tid < tid ? DD_SWITCH : DD_DISCARDABLE;
}

static void add_fdiff(const struct dd_source *s, struct dd_frame *f, int64_t number)
{
    f->fdiffs[f->n_fdiffs++] = (uint16_t)(s->number - number);
}

static void find_references(const struct dd_source *s, struct dd_frame *f)
{
    int64_t newest = -1;
    uint8_t highest = f->tid > 0 ? (uint8_t)(f->tid - 1) : 0;

    if (f->sid > 0 && is_part(s, (uint8_t)(f->sid - 1), f->sid))
        add_fdiff(s, f, s->number - 1);
    if (s->key)
        return;
    for (uint8_t tid = 0; tid <= highest; tid++) {
        if (s->last[f->sid][tid] > newest)
            newest = s->last[f->sid][tid];
    }
    add_fdiff(s, f, newest);
}

/* The first template that the frame is like. */
static uint8_t find_template(const struct dd_structure *s, const struct dd_frame *f)
{
    for (uint8_t i = 0; i < s->n_templates; i++) {
        struct dd_frame t = dd_writer_frame(s, i, f->number);

        if (t.sid == f->sid && t.tid == f->tid && t.dtis == f->dtis && t.n_fdiffs == f->n_fdiffs &&
            memcmp(t.fdiffs, f->fdiffs, sizeof(t.fdiffs)) == 0 &&
            memcmp(t.chain_diffs, f->chain_diffs, sizeof(t.chain_diffs)) == 0)
            return t.template_id;
    }
    return DD_MAX_TEMPLATES;
}

static struct dd_frame make_frame(const struct dd_source *s)
{
    struct dd_frame f = {
        .begins = true,
        .ends = true,
        .has_structure = s->key && s->sid == 0,
        .number = (uint16_t)s->number,
        .active_targets = UINT32_MAX,
        .sid = s->sid,
        .tid = tid_of(s, s->position),
    };
    uint8_t target = 0;

    find_references(s, &f);
    for (uint8_t sid = s->n_spatial; sid-- > 0;) {
        for (uint8_t tid = s->n_temporal; tid-- > 0; target++)
            f.dtis |= (uint64_t)indication(s, &f, sid, tid) << (2 * target);
        if (s->chains[sid] >= 0)
            f.chain_diffs[sid] = (uint8_t)(s->number - s->chains[sid]);
    }
    return f;
}

static void advance(struct dd_source *s, const struct dd_frame *f)
{
    s->last[f->sid][f->tid] = s->number;
    for (uint8_t chain = 0; chain < s->n_spatial; chain++) {
        if (f->tid == 0 && is_part(s, f->sid, chain))
            s->chains[chain] = s->number;
    }
    s->number++;
    if (++s->sid < s->n_spatial)
        return;
    s->sid = 0;
    s->key = false;
    s->position = (uint8_t)((s->position + 1) % period(s));
}

static void begin_key(struct dd_source *s)
{
    s->key = true;
    s->position = 0;
    memset(s->last, 0xff, sizeof(s->last));
    memset(s->chains, 0xff, sizeof(s->chains));
}

struct dd_frame dd_source_next(struct dd_source *s, bool key)
{
    struct dd_frame f;

    if (key && s->sid == 0)
        begin_key(s);
    f = make_frame(s);
    f.template_id = find_template(&s->structure, &f);
    advance(s, &f);
    return f;
}

static void add_template(struct dd_structure *s, const struct dd_frame *f)
{
    uint8_t at = s->n_templates++;

    assert(at < DD_MAX_TEMPLATES);
    s->layers[at] = (uint8_t)(f->sid << 4 | f->tid);
    s->dtis[at] = f->dtis;
    for (uint8_t i = 0; i < f->n_fdiffs; i++)
        s->fdiffs[at] |= (uint16_t)(1U << (f->fdiffs[i] - 1));
    for (uint8_t chain = 0; chain < s->n_chains; chain++)
        s->chain_diffs[at][chain / 2] |= (uint8_t)(f->chain_diffs[chain] << (chain % 2 * 4));
}

/* Templates of one layer, in the order in which frames need them. */
static void add_templates(struct dd_source *s, uint8_t layer)
{
    int n = 2 * period(s) * s->n_spatial;

    s->sid = 0;
    for (int i = 0; i <= n; i++) {
        struct dd_frame f = dd_source_next(s, i == 0);

        if ((f.sid << 4 | f.tid) == layer && f.template_id == DD_MAX_TEMPLATES)
            add_template(&s->structure, &f);
    }
}

static void make_structure(struct dd_source *s)
{
    struct dd_structure *t = &s->structure;

    memset(t->target_of, DD_NO_TARGET, sizeof(t->target_of));
    t->n_spatial = t->n_chains = s->n_spatial;
    t->n_temporal = s->n_temporal;
    for (uint8_t sid = s->n_spatial; sid-- > 0;) {
        for (uint8_t tid = s->n_temporal; tid-- > 0; t->n_targets++) {
            t->targets[t->n_targets] = (struct dd_target){.sid = sid, .tid = tid, .chain = sid};
            t->target_of[sid][tid] = t->n_targets;
        }
    }
    for (uint8_t sid = 0; sid < s->n_spatial; sid++) {
        for (uint8_t tid = 0; tid < s->n_temporal; tid++)
            add_templates(s, (uint8_t)(sid << 4 | tid));
    }
}

void dd_source_init(struct dd_source *s, const char *mode, uint8_t offset, int64_t number)
{
    *s = (struct dd_source){
        .kind = mode[0] == 'S'         ? DD_SOURCE_SIMULCAST
                : strstr(mode, "_KEY") ? DD_SOURCE_KEY
                                       : DD_SOURCE_FULL,
        .n_spatial = (uint8_t)(mode[1] - '0'),
        .n_temporal = (uint8_t)(mode[3] - '0'),
        .structure.offset = offset,
    };
    assert(s->n_spatial > 0 && s->n_spatial <= DD_SOURCE_SPATIAL);
    assert(s->n_temporal > 0 && s->n_temporal <= DD_SOURCE_TEMPORAL);
    make_structure(s);
    s->number = number;
    s->sid = 0;
    begin_key(s);
}
