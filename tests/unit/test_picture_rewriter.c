#include "media/picture_rewriter.h"

#include "tests/tap.h"

#include <errno.h>

static struct frame_info vp8(uint16_t picture, uint8_t tl0)
{
    return (struct frame_info){
        .picture_bits = 15,
        .picture_at = 2,
        .picture = picture & 0x7fff,
        .has_tl0 = true,
        .tl0_at = 4,
        .tl0 = tl0,
        .has_key_index = true,
        .key_index_at = 5,
        .key_index = 30,
    };
}

static int map(struct picture_rewriter *r, uint16_t picture)
{
    struct frame_info frame = vp8(picture, 0);
    struct picture_numbers numbers;
    int err = picture_rewriter_map(r, &frame, &numbers);

    return err < 0 ? err : numbers.picture & 0x7fff;
}

static void leave_out(struct picture_rewriter *r, uint16_t picture)
{
    struct frame_info frame = vp8(picture, 0);

    picture_rewriter_leave_out(r, &frame);
}

static void at_first_nothing_changes(void)
{
    struct picture_rewriter r;

    picture_rewriter_init(&r);
    CHECK_EQ(map(&r, 32767), 32767);
    CHECK_EQ(map(&r, 0), 0);
    CHECK_EQ(map(&r, 32700), 32700);
}

static void another_source_goes_on_where_the_last_ended(void)
{
    struct picture_numbers last = {.picture = 32767, .frame = 65535, .tl0 = 255, .key_index = 31};
    struct frame_info first = vp8(500, 17);
    struct picture_numbers numbers;
    struct picture_rewriter r;

    first.frame_number = 9;
    picture_rewriter_init(&r);
    picture_rewriter_switch(&r, &last, &first);
    CHECK_EQ(picture_rewriter_map(&r, &first, &numbers), 0);
    CHECK_EQ(numbers.picture & 0x7fff, 0);
    CHECK_EQ(numbers.frame, 0);
    CHECK_EQ(numbers.tl0, 0);
    CHECK_EQ(numbers.key_index, 0);
    CHECK_EQ(map(&r, 507), 7); /* what is missing between may come yet */
    CHECK_EQ(map(&r, 503), 3);
}

static void pictures_that_are_left_out_leave_no_gap(void)
{
    struct picture_rewriter r;

    picture_rewriter_init(&r);
    CHECK_EQ(map(&r, 32766), 32766);
    leave_out(&r, 32767);
    leave_out(&r, 32767); /* another packet of it */
    CHECK_EQ(map(&r, 0), 32767);
    leave_out(&r, 1);
    CHECK_EQ(map(&r, 2), 0);
    CHECK_EQ(map(&r, 0), 32767); /* late */
    CHECK_EQ(map(&r, 32766), 32766);
    CHECK_EQ(map(&r, 1), -ERANGE);
    CHECK_EQ(map(&r, 5), 3);
    leave_out(&r, 4); /* a number was kept for it */
    CHECK_EQ(map(&r, 6), 4);
}

static void what_is_too_old_to_tell_is_refused(void)
{
    struct picture_rewriter r;

    picture_rewriter_init(&r);
    CHECK_EQ(map(&r, 100), 100);
    leave_out(&r, 101);
    for (int i = 102; i < 102 + PICTURE_WINDOW; i++)
        CHECK_EQ(map(&r, (uint16_t)i), i - 1);
    CHECK_EQ(map(&r, 100), -ERANGE);
    CHECK_EQ(map(&r, 103), 102);
    CHECK_EQ(map(&r, 5000), 4999); /* a jump */
    CHECK_EQ(map(&r, 5001), 5000);
    CHECK_EQ(map(&r, 4990), 4989);
}

static void short_ids_wrap_at_seven_bits(void)
{
    struct frame_info frame = {.picture_bits = 7, .picture_at = 1};
    struct picture_numbers numbers;
    struct picture_rewriter r;
    const uint8_t payload[] = {0x80, 0x00, 0x55};
    uint8_t lead[FRAME_DESCRIPTOR_MAX];

    picture_rewriter_init(&r);
    for (int i = 120; i < 140; i++) {
        frame.picture = i & 0x7f;
        if (i == 125) {
            picture_rewriter_leave_out(&r, &frame);
            continue;
        }
        CHECK_EQ(picture_rewriter_map(&r, &frame, &numbers), 0);
        CHECK_EQ(picture_rewriter_write(&frame, &numbers, payload, lead), 2);
        CHECK_EQ(lead[1], (i < 125 ? i : i - 1) & 0x7f);
    }
}

static void written_descriptors_keep_all_else(void)
{
    const uint8_t payload[] = {0x90, 0xf0, 0x81, 0x23, 0x45, 0xbe, 0x77};
    struct picture_numbers numbers = {.picture = 0xffff, .tl0 = 9, .key_index = 3};
    struct frame_info frame = vp8(0x123, 0x45);
    uint8_t lead[FRAME_DESCRIPTOR_MAX];

    CHECK_EQ(picture_rewriter_write(&frame, &numbers, payload, lead), 6);
    CHECK_MEM(lead, "\x90\xf0\xff\xff\x09\xa3", 6);
    frame = (struct frame_info){.has_dd = true};
    CHECK_EQ(picture_rewriter_write(&frame, &numbers, payload, lead), 0);
    frame = vp8(1, 1);
    frame.key_index_at = FRAME_DESCRIPTOR_MAX; /* further in than it can be */
    CHECK_EQ(picture_rewriter_write(&frame, &numbers, payload, lead), 0);
}

static void the_later_of_two_numbers_is_found_across_the_wrap(void)
{
    struct picture_numbers n = {.picture = 32767, .frame = 65530, .tl0 = 250, .key_index = 31};
    struct picture_numbers other = {.picture = 2, .frame = 65520, .tl0 = 3, .key_index = 0};

    picture_numbers_raise(&n, &other);
    CHECK_EQ(n.picture, 2);
    CHECK_EQ(n.frame, 65530);
    CHECK_EQ(n.tl0, 3);
    CHECK_EQ(n.key_index, 0);
}

TAP_CASES(CASE(at_first_nothing_changes), CASE(another_source_goes_on_where_the_last_ended),
          CASE(pictures_that_are_left_out_leave_no_gap), CASE(what_is_too_old_to_tell_is_refused),
          CASE(short_ids_wrap_at_seven_bits), CASE(written_descriptors_keep_all_else),
          CASE(the_later_of_two_numbers_is_found_across_the_wrap))
