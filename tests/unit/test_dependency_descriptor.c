#include "media/dependency_descriptor.h"

#include "tests/dd_source.h"
#include "tests/dd_writer.h"
#include "tests/tap.h"

#include <errno.h>

static const char *const modes[] = {
    "L1T1",     "L1T2",     "L1T3",     "L2T1",     "L2T2",     "L2T3", "L3T1", "L3T2", "L3T3",
    "L2T1_KEY", "L2T2_KEY", "L2T3_KEY", "L3T1_KEY", "L3T3_KEY", "S2T1", "S2T3", "S3T1", "S3T3",
};

enum { N_MODES = sizeof(modes) / sizeof(modes[0]) };

/* Two templates, one chain, 640 x 360: written out by hand. */
static const uint8_t l1t1[] = {
    0x80, 0x00, 0x01, /* first packet, template 0, frame 1 */
    0x80,             /* 1 a structure, 0000, and 3 bits of: offset 000000 */
    0x00,             /* 3 bits more, 00000 one target */
    0x3a,             /* 00 the same layer, 11 no more; S (10), S (10) */
    0x41,             /* 0 no fdiffs; 1 0000 0: one before; 1 one chain, which protects all */
    0x01,             /* its diffs: 0, 1 */
    0x81, 0x3f, 0x80, 0xb3, 0x80, /* 1 sizes: 639, 359 */
};

static bool same(const struct dd_frame *a, const struct dd_frame *b)
{
    return a->begins == b->begins && a->ends == b->ends && a->has_structure == b->has_structure &&
           a->has_active == b->has_active && a->template_id == b->template_id &&
           a->number == b->number && a->active_targets == b->active_targets && a->sid == b->sid &&
           a->tid == b->tid && a->dtis == b->dtis && a->n_fdiffs == b->n_fdiffs &&
           memcmp(a->fdiffs, b->fdiffs, sizeof(a->fdiffs)) == 0 &&
           memcmp(a->chain_diffs, b->chain_diffs, sizeof(a->chain_diffs)) == 0;
}

static void vector_by_hand_is_read(void)
{
    struct dd_structure s = {.offset = 9};
    struct dd_frame f;

    CHECK_EQ(dd_read(&f, &s, l1t1, sizeof(l1t1)), 0);
    CHECK(f.begins && !f.ends && f.has_structure && !f.has_active);
    CHECK_EQ(f.number, 1);
    CHECK_EQ(f.active_targets, UINT32_MAX);
    CHECK_EQ(f.dtis, DD_SWITCH);
    CHECK_EQ(f.n_fdiffs, 0);
    CHECK_EQ(f.chain_diffs[0], 0);
    CHECK_EQ(s.offset, 0);
    CHECK_EQ(s.n_templates, 2);
    CHECK_EQ(s.n_targets, 1);
    CHECK_EQ(s.n_chains, 1);
    CHECK_EQ(s.n_spatial, 1);
    CHECK_EQ(s.n_temporal, 1);
    CHECK_EQ(s.targets[0].chain, 0);
    CHECK_EQ(s.width[0], 640);
    CHECK_EQ(s.height[0], 360);
    CHECK_EQ(dd_read(&f, &s, (const uint8_t[]){0x41, 0x12, 0x34}, 3), 0);
    CHECK(!f.begins && f.ends && !f.has_structure);
    CHECK_EQ(f.number, 0x1234);
    CHECK_EQ(f.n_fdiffs, 1);
    CHECK_EQ(f.fdiffs[0], 1);
    CHECK_EQ(f.chain_diffs[0], 1);
}

/* Without sizes and with a custom everything, by hand, after `l1t1`:
 * 00111 flags, 11 R; 01 0010 (3), 11 1111 1111 1111 (4096), 00; 0001 0000 (16), 0 padding */
static void custom_vector_by_hand_is_read(void)
{
    static const uint8_t data[] = {0xc1, 0, 2, 0x3e, 0x97, 0xff, 0xe0, 0x80};
    struct dd_structure s;
    struct dd_frame f;

    CHECK_EQ(dd_read(&f, &s, l1t1, sizeof(l1t1)), 0);
    CHECK_EQ(dd_read(&f, &s, data, sizeof(data)), 0);
    CHECK_EQ(f.dtis, DD_REQUIRED);
    CHECK_EQ(f.n_fdiffs, 2);
    CHECK_EQ(f.fdiffs[0], 3);
    CHECK_EQ(f.fdiffs[1], 4096);
    CHECK_EQ(f.chain_diffs[0], 16);
}

static const char *line_of(const struct dd_structure *s, uint8_t at)
{
    static char line[128];
    struct dd_frame f = dd_writer_frame(s, at, 0);
    size_t len = (size_t)snprintf(line, sizeof(line), "%d %d ", f.sid, f.tid);

    for (uint8_t i = 0; i < f.n_fdiffs; i++)
        len += (size_t)snprintf(line + len, sizeof(line) - len, "%d,", f.fdiffs[i]);
    for (uint8_t i = 0; i < s->n_chains; i++)
        len += (size_t)snprintf(line + len, sizeof(line) - len, " %d", f.chain_diffs[i]);
    line[len++] = ' ';
    for (uint8_t i = 0; i < s->n_targets; i++)
        line[len++] = "-DSR"[dd_indication(f.dtis, i)];
    line[len] = 0;
    return line;
}

/* Of the specification, A.10.2.1 and A.10.2.2. */
static void modes_are_those_of_the_specification(void)
{
    static const char *const l1t3[] = {"0 0  0 SSS", "0 0 4, 4 SSS", "0 1 2, 2 SD-", "0 2 1, 1 D--",
                                       "0 2 1, 3 D--"};
    static const char *const l3t3[] = {
        "0 0  0 0 0 SSSSSSSSS",      "0 0 12, 12 11 10 RRRRRRSSS", "0 1 6, 6 5 4 RR-RR-SD-",
        "0 2 3, 3 2 1 R--R--D--",    "0 2 3, 9 8 7 R--R--D--",     "1 0 1, 1 1 1 SSSSSS---",
        "1 0 1,12, 1 1 1 RRRSSS---", "1 1 1,6, 7 6 5 RR-SD----",   "1 2 1,3, 4 3 2 R--D-----",
        "1 2 1,3, 10 9 8 R--D-----", "2 0 1, 2 1 1 SSS------",     "2 0 1,12, 2 1 1 SSS------",
        "2 1 1,6, 8 7 6 SD-------",  "2 2 1,3, 5 4 3 D--------",   "2 2 1,3, 11 10 9 D--------",
    };
    struct dd_source s;

    dd_source_init(&s, "L1T3", 0, 0);
    CHECK_EQ(s.structure.n_templates, 5);
    for (uint8_t i = 0; i < 5; i++)
        CHECK_STR(line_of(&s.structure, i), l1t3[i]);
    dd_source_init(&s, "L3T3", 0, 0);
    CHECK_EQ(s.structure.n_templates, 15);
    for (uint8_t i = 0; i < 15; i++)
        CHECK_STR(line_of(&s.structure, i), l3t3[i]);
}

static void every_mode_is_read_as_written(void)
{
    for (size_t m = 0; m < N_MODES; m++) {
        struct dd_structure kept = {.n_templates = 0};
        struct dd_source s;

        dd_source_init(&s, modes[m], (uint8_t)(m * 7 % 64), 65530);
        for (int i = 0; i < 100; i++) {
            struct dd_frame sent = dd_source_next(&s, i == 30);
            struct dd_writer w = {.structure = &s.structure, .custom = i % 5 == 4};
            uint8_t data[DD_MAX_LEN];
            size_t len = dd_writer_write(&w, &sent, data, sizeof(data));
            struct dd_frame f;

            CHECK(len >= DD_HEAD_LEN);
            CHECK(sent.has_structure || w.custom || len == DD_HEAD_LEN); /* all are templates */
            CHECK_EQ(dd_read(&f, &kept, data, len), 0);
            CHECK(same(&f, &sent));
            CHECK_MEM(&kept, &s.structure, sizeof(kept));
        }
    }
}

/* A xorshift generator. */
static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void derive(struct dd_structure *s)
{
    memset(s->target_of, DD_NO_TARGET, sizeof(s->target_of));
    for (uint8_t target = s->n_targets; target-- > 0;) {
        struct dd_target *t = &s->targets[target];

        for (uint8_t i = 0; i < s->n_templates; i++) {
            if (!dd_indication(s->dtis[i], target))
                continue;
            if (s->layers[i] >> 4 > t->sid)
                t->sid = s->layers[i] >> 4;
            if ((s->layers[i] & 15) > t->tid)
                t->tid = s->layers[i] & 15;
        }
        s->target_of[t->sid][t->tid] = target;
    }
}

static uint64_t random_dtis(uint32_t *state, uint8_t n)
{
    uint64_t dtis = (uint64_t)next(state) << 32 | next(state);

    return n < 32 ? dtis & ((1ULL << (2 * n)) - 1) : dtis;
}

static void random_structure(struct dd_structure *s, uint32_t *state)
{
    uint8_t layer = 0;

    *s = (struct dd_structure){
        .offset = next(state) % 64,
        .n_targets = (uint8_t)(1 + next(state) % (next(state) % 4 ? 9 : DD_MAX_TARGETS)),
        .n_templates = (uint8_t)(1 + next(state) % (next(state) % 4 ? 12 : DD_MAX_TEMPLATES)),
        .n_temporal = 1,
    };
    s->n_chains = (uint8_t)(next(state) % (s->n_targets + 1U));
    for (uint8_t i = 0; i < s->n_templates; i++) {
        uint32_t step = next(state) % 6;

        if (step == 1 && (layer & 15) + 1 < DD_MAX_TEMPORAL && i > 0)
            layer++;
        else if (step == 2 && (layer >> 4) + 1 < DD_MAX_SPATIAL && i > 0)
            layer = (uint8_t)((layer & 0xf0) + 0x10);
        s->layers[i] = layer;
        if ((layer & 15) >= s->n_temporal)
            s->n_temporal = (uint8_t)((layer & 15) + 1);
        s->n_spatial = (uint8_t)((layer >> 4) + 1);
        s->dtis[i] = random_dtis(state, s->n_targets);
        s->fdiffs[i] = (uint16_t)(next(state) & next(state) >> 16);
        for (uint8_t chain = 0; chain < s->n_chains; chain++)
            s->chain_diffs[i][chain / 2] |= (uint8_t)(next(state) % 16 << (chain % 2 * 4));
    }
    for (uint8_t i = 0; i < s->n_targets; i++)
        s->targets[i].chain = (uint8_t)(s->n_chains ? next(state) % s->n_chains : DD_MAX_CHAINS);
    for (uint8_t sid = 0, sized = next(state) % 2; sized && sid < s->n_spatial; sid++) {
        s->width[sid] = (uint16_t)(1 + next(state) % 8192);
        s->height[sid] = (uint16_t)(1 + next(state) % 8192);
    }
    derive(s);
}

static struct dd_frame random_frame(const struct dd_structure *s, uint32_t *state)
{
    struct dd_frame f = dd_writer_frame(s, (uint8_t)(next(state) % s->n_templates),
                                        (uint16_t)next(state));

    f.begins = next(state) % 2;
    f.ends = next(state) % 2;
    f.has_active = next(state) % 3 == 0;
    if (f.has_active)
        f.active_targets = (uint32_t)(next(state) & ((1ULL << s->n_targets) - 1));
    if (next(state) % 3 == 0)
        f.dtis = random_dtis(state, s->n_targets);
    if (next(state) % 3 == 0) {
        memset(f.fdiffs, 0, sizeof(f.fdiffs));
        f.n_fdiffs = (uint8_t)(next(state) % (DD_MAX_FDIFFS + 1));
        for (uint8_t i = 0; i < f.n_fdiffs; i++)
            f.fdiffs[i] = (uint16_t)(1 + next(state) % (1U << (4 * (1 + next(state) % 3))));
    }
    for (uint8_t i = 0; f.number % 3 == 0 && i < s->n_chains; i++)
        f.chain_diffs[i] = (uint8_t)next(state);
    return f;
}

static void random_structures_are_read_as_written(void)
{
    uint32_t state = 20240611;

    for (int i = 0; i < 2000; i++) {
        struct dd_structure s;
        struct dd_structure kept;
        struct dd_writer w = {.structure = &s};

        random_structure(&s, &state);
        for (int k = 0; k < 10; k++) {
            struct dd_frame sent = random_frame(&s, &state);
            uint8_t data[4096];
            struct dd_frame f;
            size_t len;

            sent.has_structure = k == 0;
            len = dd_writer_write(&w, &sent, data, sizeof(data));
            CHECK_EQ(dd_read(&f, &kept, data, len), 0);
            CHECK(same(&f, &sent));
            CHECK_MEM(&kept, &s, sizeof(s));
        }
    }
}

static void cut_descriptor_is_malformed_and_changes_nothing(void)
{
    struct dd_structure kept = {.offset = 9};
    struct dd_frame f = {.number = 77};

    /* the last byte is one bit and padding */
    for (size_t len = 0; len < sizeof(l1t1); len++) {
        CHECK_EQ(dd_read(&f, &kept, l1t1, len), len == DD_HEAD_LEN ? -ENOENT : -EBADMSG);
        CHECK_EQ(f.number, 77);
        CHECK_EQ(kept.offset, 9);
    }
}

static void unknown_template_is_told_from_malformed(void)
{
    struct dd_structure s = {.n_templates = 0};
    struct dd_frame f;
    uint8_t data[sizeof(l1t1)];

    CHECK_EQ(dd_read(&f, &s, (const uint8_t[]){0xc0, 0, 1}, 3), -ENOENT);
    CHECK_EQ(dd_read(&f, &s, l1t1, sizeof(l1t1)), 0);
    CHECK_EQ(dd_read(&f, &s, (const uint8_t[]){0xc2, 0, 1}, 3), -ENOENT);
    CHECK_EQ(dd_read(&f, &s, (const uint8_t[]){0xff, 0, 1}, 3), -ENOENT);
    memcpy(data, l1t1, sizeof(data));
    data[0] |= 2; /* not of its own structure */
    CHECK_EQ(dd_read(&f, &s, data, sizeof(data)), -EBADMSG);
}

/* A descriptor written as bits; zeros follow. */
struct text {
    uint8_t bytes[DD_MAX_LEN];
    size_t n; /* bits */
};

static void add(struct text *t, const char *bits)
{
    for (; *bits; bits++) {
        if (*bits == ' ')
            continue;
        t->bytes[t->n / 8] |= (uint8_t)((*bits == '1') << (7 - t->n % 8));
        t->n++;
    }
}

/* A structure whose first template is followed by `n` of `step`: no indications, no fdiffs, no
 * chains. */
static int read_layers(struct dd_structure *ret, size_t n, const char *step)
{
    struct text t = {.n = 0};
    struct dd_frame f;

    add(&t, "11000000 0000000000000001 10000 000000 00000");
    for (size_t i = 0; i < n; i++)
        add(&t, step);
    add(&t, "11");
    return dd_read(&f, ret, t.bytes, sizeof(t.bytes));
}

static void limits_are_kept(void)
{
    struct dd_structure s;

    CHECK_EQ(read_layers(&s, DD_MAX_SPATIAL - 1, "10"), 0);
    CHECK_EQ(s.n_spatial, DD_MAX_SPATIAL);
    CHECK_EQ(read_layers(&s, DD_MAX_SPATIAL, "10"), -EBADMSG);
    CHECK_EQ(read_layers(&s, DD_MAX_TEMPORAL - 1, "01"), 0);
    CHECK_EQ(s.n_temporal, DD_MAX_TEMPORAL);
    CHECK_EQ(read_layers(&s, DD_MAX_TEMPORAL, "01"), -EBADMSG);
    CHECK_EQ(read_layers(&s, DD_MAX_TEMPLATES - 1, "00"), 0);
    CHECK_EQ(s.n_templates, DD_MAX_TEMPLATES);
    CHECK_EQ(read_layers(&s, DD_MAX_TEMPLATES, "00"), -EBADMSG);
}

static void references_have_a_limit(void)
{
    struct text t = {.n = 0};
    struct dd_structure s;
    struct dd_frame f;

    CHECK_EQ(dd_read(&f, &s, l1t1, sizeof(l1t1)), 0);
    add(&t, "11000000 0000000000000001 00010");
    for (int i = 0; i < DD_MAX_FDIFFS; i++)
        add(&t, "01 0000");
    CHECK_EQ(dd_read(&f, &s, t.bytes, sizeof(t.bytes)), 0);
    CHECK_EQ(f.n_fdiffs, DD_MAX_FDIFFS);
    add(&t, "01 0000");
    CHECK_EQ(dd_read(&f, &s, t.bytes, sizeof(t.bytes)), -EBADMSG);
}

static void largest_sizes_fit(void)
{
    struct text t = {.n = 0};
    struct dd_structure s;
    struct dd_frame f;

    add(&t, "11000000 0000000000000001 10000 000000 00000 11 00 0 0 1");
    add(&t, "1111111111111111 1111111111111110");
    CHECK_EQ(dd_read(&f, &s, t.bytes, sizeof(t.bytes)), 0);
    CHECK_EQ(s.n_chains, 0);
    CHECK_EQ(s.targets[0].chain, DD_MAX_CHAINS);
    CHECK_EQ(s.width[0], UINT16_MAX); /* 65536 */
    CHECK_EQ(s.height[0], UINT16_MAX);
}

static void another_number_is_written(void)
{
    uint8_t out[sizeof(l1t1)];

    CHECK_EQ(dd_write_number(out, sizeof(out), l1t1, sizeof(l1t1), 0xabcd), sizeof(l1t1));
    CHECK_EQ(out[0], 0x80);
    CHECK_EQ(out[1], 0xab);
    CHECK_EQ(out[2], 0xcd);
    CHECK_MEM(out + 3, l1t1 + 3, sizeof(l1t1) - 3);
    CHECK_EQ(dd_write_number(out, sizeof(out) - 1, l1t1, sizeof(l1t1), 1), -EMSGSIZE);
    CHECK_EQ(dd_write_number(out, sizeof(out), l1t1, 2, 1), -EBADMSG);
}

TAP_CASES(CASE(vector_by_hand_is_read), CASE(custom_vector_by_hand_is_read),
          CASE(modes_are_those_of_the_specification), CASE(every_mode_is_read_as_written),
          CASE(random_structures_are_read_as_written),
          CASE(cut_descriptor_is_malformed_and_changes_nothing),
          CASE(unknown_template_is_told_from_malformed), CASE(limits_are_kept),
          CASE(references_have_a_limit), CASE(largest_sizes_fit), CASE(another_number_is_written))
