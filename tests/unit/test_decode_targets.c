#include "sfu/decode_targets.h"

#include "media/dependency_descriptor.h"
#include "tests/tap.h"

/* Two spatial layers, each with a target and a chain, as in L2T1 and L2T1_KEY. */
enum { FULL = 0, KEY = 1, FRAMES = 64 };

struct stream {
    struct decode_targets targets;
    struct dd_structure structure;
    bool key_only; /* the upper layer refers to the lower in key pictures only */
    struct layer_limit limit;
    uint16_t number;
    int16_t last[2]; /* frame of each chain */
    enum frame_fate fates[FRAMES];
};

static enum frame_fate fate_of(const void *owner, uint16_t before)
{
    const struct stream *s = owner;

    return s->fates[(s->number - before) % FRAMES];
}

static struct stream make(bool key_only)
{
    struct stream s = {
        .key_only = key_only,
        .structure = {.n_targets = 2, .n_chains = 2, .n_spatial = 2, .n_temporal = 1},
        .limit = {255, 255},
        .last = {-1, -1},
    };

    s.structure.targets[1] = (struct dd_target){.sid = 1, .chain = 1};
    s.structure.n_templates = 2;
    s.structure.dtis[0] = DD_SWITCH | (key_only ? DD_NOT_PRESENT : DD_REQUIRED) << 2;
    s.structure.dtis[1] = DD_SWITCH << 2;
    decode_targets_init(&s.targets);
    return s;
}

/* One frame. @return true: forwarded */
static bool frame(struct stream *s, uint8_t sid, bool key)
{
    bool below = sid == 0 && (key || !s->key_only);
    struct frame_info f = {
        .has_dd = true,
        .sid = sid,
        .key = key,
        .n_targets = 2,
        .n_chains = 2,
        .active_targets = UINT32_MAX,
        .dtis = sid == 0 ? DD_SWITCH | (below ? (key ? DD_SWITCH : DD_REQUIRED) << 2 : 0)
                         : DD_SWITCH << 2,
    };
    bool forwarded;

    if (key && sid == 0)
        s->last[0] = s->last[1] = -1;
    for (int i = 0; i < 2; i++)
        f.chain_diffs[i] = (uint8_t)(s->last[i] < 0 ? 0 : s->number - s->last[i]);
    if (sid == 0)
        (void)decode_targets_begin_picture(&s->targets, &f, &s->structure, s->limit);
    forwarded = decode_targets_include(&f, s->targets.current);
    decode_targets_note(&s->targets, &f, &s->structure, forwarded, fate_of, s);
    s->fates[s->number % FRAMES] = forwarded ? FATE_FORWARDED : FATE_LEFT_OUT;
    if (sid == 0)
        s->last[0] = (int16_t)s->number;
    if (sid == 1 || below)
        s->last[1] = (int16_t)s->number;
    s->number++;
    return forwarded;
}

/* @return spatial layers that went out, a set */
static int picture(struct stream *s, bool key)
{
    int lower = frame(s, 0, key);

    return lower | frame(s, 1, key) << 1;
}

static void a_lower_target_that_is_part_of_the_higher_is_gone_to_at_once(void)
{
    struct stream s = make(FULL);

    CHECK_EQ(picture(&s, true), 3);
    CHECK_EQ(picture(&s, false), 3);
    s.limit.sid = 0;
    CHECK_EQ(picture(&s, false), 1);
    CHECK_EQ(s.targets.layers.sid, 0);
    CHECK(!s.targets.needs_key);
}

static void one_that_is_not_waits_for_a_key_picture(void)
{
    struct stream s = make(KEY);

    CHECK_EQ(picture(&s, true), 3);
    CHECK_EQ(picture(&s, false), 2);
    s.limit.sid = 0;
    CHECK_EQ(picture(&s, false), 2);
    CHECK(s.targets.needs_key);
    CHECK_EQ(picture(&s, true), 1);
    CHECK(!s.targets.needs_key);
    CHECK_EQ(picture(&s, false), 1);
}

static void a_higher_target_waits_for_a_key_picture(void)
{
    struct stream s = make(FULL);

    s.limit.sid = 0;
    CHECK_EQ(picture(&s, true), 1);
    s.limit.sid = 255;
    CHECK_EQ(picture(&s, false), 1);
    CHECK(s.targets.needs_key);
    CHECK_EQ(picture(&s, false), 1); /* its switch indication is of a chain that is broken */
    CHECK_EQ(picture(&s, true), 3);
    CHECK_EQ(picture(&s, false), 3);
}

static void a_target_that_is_not_active_is_not_gone_to(void)
{
    struct stream s = make(FULL);

    CHECK_EQ(picture(&s, true), 3);
    s.targets.active = 1;
    (void)frame(&s, 0, false);
    CHECK_EQ(s.targets.current, 0);
}

static void lost_frames_may_be_of_any_target_but_the_current(void)
{
    struct stream s = make(FULL);

    s.limit.sid = 0;
    CHECK_EQ(picture(&s, true), 1);
    s.targets.complete = 3; /* as if nothing had been left out yet */
    decode_targets_note_loss(&s.targets, &s.structure);
    CHECK_EQ(s.targets.complete & 3, 1);
    s = make(FULL);
    CHECK_EQ(picture(&s, true), 3);
    decode_targets_note_loss(&s.targets, &s.structure);
    CHECK_EQ(s.targets.complete & 3, 3); /* the lower is part of it */
    s = make(KEY);
    CHECK_EQ(picture(&s, true), 3);
    decode_targets_note_loss(&s.targets, &s.structure);
    CHECK_EQ(s.targets.complete & 3, 2);
}

TAP_CASES(CASE(a_lower_target_that_is_part_of_the_higher_is_gone_to_at_once),
          CASE(one_that_is_not_waits_for_a_key_picture),
          CASE(a_higher_target_waits_for_a_key_picture),
          CASE(a_target_that_is_not_active_is_not_gone_to),
          CASE(lost_frames_may_be_of_any_target_but_the_current))
