#include "media/dd_history.h"

#include "tests/dd_source.h"
#include "tests/dd_writer.h"
#include "tests/tap.h"

#include <errno.h>

enum { A = 10, B = 30, C = 50 }; /* offsets of structures */

/* Hand in packet `seq`, of the structure with `offset`, whose template `index` it refers to. */
static int hand_in(struct dd_history *h, int64_t seq, uint8_t offset, uint8_t index, bool brings,
                   uint8_t *id)
{
    struct dd_place place = {.seq = seq, .ts = (uint32_t)seq * 3000};
    struct dd_source source;
    struct dd_writer w;
    struct dd_frame sent;
    struct dd_frame f;
    uint8_t data[DD_MAX_LEN];
    size_t len;
    int err;

    dd_source_init(&source, "L1T3", offset, 0);
    w = (struct dd_writer){.structure = &source.structure};
    sent = dd_writer_frame(&source.structure, index, (uint16_t)seq);
    sent.has_structure = brings;
    len = dd_writer_write(&w, &sent, data, sizeof(data));
    err = dd_history_read(h, &f, id, &place, data, len);
    if (err == 0) {
        CHECK_EQ(f.number, (uint16_t)seq);
        CHECK_EQ(f.dtis, sent.dtis);
        CHECK_EQ(dd_history_find(h, *id)->offset, offset);
    }
    return err;
}

static int bring(struct dd_history *h, int64_t seq, uint8_t offset)
{
    uint8_t id;

    return hand_in(h, seq, offset, 0, true, &id);
}

static int refer(struct dd_history *h, int64_t seq, uint8_t offset)
{
    uint8_t id;

    return hand_in(h, seq, offset, 2, false, &id);
}

static void nothing_is_known_before_a_structure(void)
{
    struct dd_history h = {0};

    CHECK_EQ(refer(&h, 100, A), -ENOENT);
    CHECK_EQ(bring(&h, 101, A), 0);
    CHECK_EQ(refer(&h, 102, A), 0);
    CHECK_EQ(refer(&h, 100, A), -ENOENT);
    CHECK(!dd_history_find(&h, 0));
}

static void late_packets_are_read_with_the_structure_of_their_time(void)
{
    struct dd_history h = {0};

    CHECK_EQ(bring(&h, 100, A), 0);
    CHECK_EQ(refer(&h, 101, A), 0);
    CHECK_EQ(bring(&h, 103, B), 0);
    CHECK_EQ(refer(&h, 104, B), 0);
    CHECK_EQ(refer(&h, 102, A), 0);
    CHECK_EQ(refer(&h, 102, B), -ENOENT);
    CHECK_EQ(bring(&h, 110, C), 0);
    CHECK_EQ(refer(&h, 109, B), 0);
    CHECK_EQ(refer(&h, 102, A), -ENOENT); /* gone */
}

static void structure_told_again_is_the_same(void)
{
    struct dd_history h = {0};
    uint8_t first;
    uint8_t id;

    CHECK_EQ(hand_in(&h, 100, A, 0, true, &first), 0);
    CHECK_EQ(hand_in(&h, 200, A, 0, true, &id), 0);
    CHECK_EQ(id, first);
    CHECK_EQ(refer(&h, 150, A), 0);
    CHECK_EQ(hand_in(&h, 300, B, 0, true, &id), 0);
    CHECK(id != first);
    CHECK_EQ(hand_in(&h, 100, A, 0, true, &id), 0); /* read again */
    CHECK_EQ(id, first);
    CHECK_EQ(refer(&h, 301, B), 0);
}

static void structure_that_comes_late_is_good_for_what_follows_it(void)
{
    struct dd_history h = {0};

    CHECK_EQ(bring(&h, 200, B), 0);
    CHECK_EQ(bring(&h, 100, A), 0);
    CHECK_EQ(refer(&h, 150, A), 0);
    CHECK_EQ(refer(&h, 201, B), 0);
    CHECK_EQ(bring(&h, 50, C), -ENOENT); /* two newer ones are kept */
    CHECK_EQ(refer(&h, 150, A), 0);
    CHECK_EQ(bring(&h, 150, C), 0); /* between them */
    CHECK_EQ(refer(&h, 160, C), 0);
    CHECK_EQ(refer(&h, 140, A), -ENOENT);
    CHECK_EQ(refer(&h, 201, B), 0);
    CHECK_EQ(bring(&h, 180, B), 0); /* B was told the second time at 200 */
    CHECK_EQ(refer(&h, 190, B), 0);
    CHECK_EQ(refer(&h, 170, C), 0);
    CHECK_EQ(bring(&h, 120, C), 0);
    CHECK_EQ(refer(&h, 130, C), 0);
}

static void ids_are_not_those_of_structures_that_went(void)
{
    struct dd_history h = {0};
    uint8_t before = 0;

    for (int i = 0; i < 600; i++) {
        uint8_t id;

        CHECK_EQ(hand_in(&h, i, i % 2 ? A : B, 0, true, &id), 0);
        CHECK(id != 0 && id != before);
        CHECK(dd_history_find(&h, id));
        CHECK(i == 0 || dd_history_find(&h, before));
        before = id;
    }
}

static void cleared_history_gives_other_ids(void)
{
    struct dd_history h = {0};
    uint8_t before;
    uint8_t id;

    CHECK_EQ(hand_in(&h, 60000, A, 0, true, &before), 0);
    dd_history_clear(&h);
    CHECK(!dd_history_find(&h, before));
    CHECK_EQ(refer(&h, 60001, A), -ENOENT);
    CHECK_EQ(hand_in(&h, 10, A, 0, true, &id), 0);
    CHECK(id != before);
}

static void malformed_is_told(void)
{
    struct dd_history h = {0};
    struct dd_place place = {.seq = 1};
    struct dd_frame f;
    uint8_t id;

    CHECK_EQ(dd_history_read(&h, &f, &id, &place, (const uint8_t[]){0, 0}, 2), -EBADMSG);
    CHECK_EQ(dd_history_read(&h, &f, &id, &place, (const uint8_t[]){0, 0, 0, 0x80}, 4), -EBADMSG);
    CHECK_EQ(refer(&h, 2, A), -ENOENT);
}

static void key_picture_is_all_its_layers(void)
{
    struct dd_history h = {0};
    struct dd_source source;
    struct dd_writer w = {.structure = &source.structure};

    dd_source_init(&source, "L3T3_KEY", 0, 65534);
    for (int i = 0; i < 60; i++) {
        struct dd_frame sent = dd_source_next(&source, i == 30);
        struct dd_place place = {.seq = 100 + i, .ts = (uint32_t)(i / 3) * 3000};
        struct dd_frame f;
        uint8_t data[DD_MAX_LEN];
        uint8_t id;
        size_t len = dd_writer_write(&w, &sent, data, sizeof(data));

        CHECK_EQ(dd_history_read(&h, &f, &id, &place, data, len), 0);
        CHECK_EQ(dd_history_is_key(&h, place.ts), i < 3 || (i >= 30 && i < 33));
    }
}

static void key_picture_is_the_newest_that_can_be_decoded_alone(void)
{
    struct dd_history h = {0};
    uint8_t id;

    CHECK_EQ(bring(&h, 100, A), 0);
    CHECK_EQ(bring(&h, 200, A), 0);
    CHECK_EQ(bring(&h, 100, A), 0); /* read again */
    CHECK(dd_history_is_key(&h, 200 * 3000));
    CHECK(!dd_history_is_key(&h, 100 * 3000));
    CHECK_EQ(hand_in(&h, 300, A, 1, true, &id), 0); /* refers to another frame */
    CHECK(dd_history_is_key(&h, 200 * 3000));
}

TAP_CASES(CASE(nothing_is_known_before_a_structure),
          CASE(late_packets_are_read_with_the_structure_of_their_time),
          CASE(structure_told_again_is_the_same),
          CASE(structure_that_comes_late_is_good_for_what_follows_it),
          CASE(ids_are_not_those_of_structures_that_went), CASE(cleared_history_gives_other_ids),
          CASE(malformed_is_told), CASE(key_picture_is_all_its_layers),
          CASE(key_picture_is_the_newest_that_can_be_decoded_alone))
