#include "sfu/layer_selector.h"

#include "media/dependency_descriptor.h"
#include "tests/tap.h"

/* A packet of a picture that is one frame of one packet; each picture has a timestamp of its own.
 */
static struct selector_verdict give(struct layer_selector *s, const struct frame_info *frame)
{
    struct selector_packet packet = {
        .frame = frame, .ts = frame->picture * 3000U + 1, .newest = true};

    return layer_selector_decide(s, &packet);
}

static struct selector_verdict give_late(struct layer_selector *s, const struct frame_info *frame)
{
    struct selector_packet packet = {.frame = frame, .ts = frame->picture * 3000U + 1};

    return layer_selector_decide(s, &packet);
}

static struct frame_info picture(uint16_t id, uint8_t tid)
{
    return (struct frame_info){
        .picture_bits = 15, .picture = id, .tid = tid, .begins = true, .ends = true};
}

static struct frame_info key_picture(uint16_t id)
{
    struct frame_info frame = picture(id, 0);

    frame.key = frame.starts_key = true;
    return frame;
}

static bool passes(struct layer_selector *s, struct frame_info frame)
{
    return give(s, &frame).forward;
}

static struct layer_selector limited(uint8_t sid, uint8_t tid)
{
    struct layer_selector s;

    layer_selector_init(&s, 0);
    layer_selector_set_limit(&s, (struct layer_limit){sid, tid});
    return s;
}

static void temporal_layers_go_down_with_the_next_picture(void)
{
    struct layer_selector s = limited(255, 255);

    CHECK(passes(&s, picture(1, 0)));
    CHECK(passes(&s, picture(2, 2)));
    layer_selector_set_limit(&s, (struct layer_limit){255, 0});
    CHECK(passes(&s, picture(2, 2))); /* the rest of it */
    CHECK(!passes(&s, picture(3, 1)));
    CHECK(passes(&s, picture(5, 0)));
    CHECK_EQ(layer_selector_current(&s).tid, 0);
}

static void temporal_layers_go_up_one_by_one_where_nothing_from_before_is_needed(void)
{
    struct layer_selector s = limited(255, 0);
    struct frame_info sync = picture(4, 2);

    CHECK(passes(&s, picture(1, 0)));
    layer_selector_set_limit(&s, (struct layer_limit){255, 2});
    CHECK(!passes(&s, picture(2, 1)));
    sync.up_switch = true;
    CHECK(!passes(&s, sync)); /* of layer 2, and 1 is not there */
    sync = picture(5, 1);
    sync.up_switch = true;
    CHECK(passes(&s, sync));
    CHECK(!passes(&s, picture(6, 2)));
    sync = picture(7, 2);
    sync.up_switch = true;
    CHECK(passes(&s, sync));
    CHECK(passes(&s, picture(8, 2)));
}

static void they_go_up_after_a_picture_that_says_so(void)
{
    struct layer_selector s = limited(255, 0);
    struct frame_info base = picture(2, 0);

    CHECK(passes(&s, picture(1, 0)));
    layer_selector_set_limit(&s, (struct layer_limit){255, 2});
    base.up_follows = true;
    CHECK(passes(&s, base));
    CHECK(passes(&s, picture(3, 2)));
    CHECK(passes(&s, picture(4, 1)));
    CHECK(!layer_selector_needs_key(&s, 1));
}

static void late_packets_share_the_fate_of_their_picture(void)
{
    struct layer_selector s = limited(255, 0);
    struct frame_info frame = picture(2, 1);

    CHECK(passes(&s, picture(1, 0)));
    CHECK(!passes(&s, frame));
    layer_selector_set_limit(&s, (struct layer_limit){255, 255});
    CHECK(passes(&s, key_picture(9)));
    CHECK(!give_late(&s, &frame).forward);
    frame = picture(5, 1); /* none of it was there: as it was then */
    CHECK(!give_late(&s, &frame).forward);
    frame = picture(6, 0);
    CHECK(give_late(&s, &frame).forward);
}

static void spatial_layers_go_up_with_a_key_picture_only(void)
{
    struct layer_selector s = limited(0, 255);
    struct frame_info upper = picture(1, 0);

    upper.sid = 1;
    CHECK(passes(&s, key_picture(1)));
    CHECK(!passes(&s, upper));
    layer_selector_set_limit(&s, (struct layer_limit){1, 255});
    upper.picture = 2;
    CHECK(passes(&s, picture(2, 0)));
    CHECK(!passes(&s, upper));
    CHECK(layer_selector_needs_key(&s, 3));
    CHECK(!layer_selector_needs_key(&s, 1)); /* there is no other */
    CHECK(passes(&s, key_picture(3)));
    upper.picture = 3;
    CHECK(passes(&s, upper));
    CHECK(!layer_selector_needs_key(&s, 3));
}

static void the_marker_is_on_the_highest_layer_that_goes_out(void)
{
    struct layer_selector s = limited(1, 255);
    struct frame_info frame = key_picture(1);

    CHECK(!give(&s, &frame).ends_picture);
    frame.sid = 1;
    frame.ends = false;
    CHECK(!give(&s, &frame).ends_picture);
    frame.ends = true;
    CHECK(give(&s, &frame).ends_picture);
    frame.sid = 2;
    CHECK(!give(&s, &frame).forward);
    frame.sid = 1;
    CHECK(layer_selector_recall(
              &s, &(struct selector_packet){.frame = &frame, .ts = frame.picture * 3000U + 1})
              .ends_picture);
}

static void a_picture_that_was_begun_goes_on(void)
{
    struct layer_selector s;
    struct frame_info frame = picture(7, 2);

    layer_selector_init(&s, 7 * 3000U + 1);
    layer_selector_set_limit(&s, (struct layer_limit){0, 0});
    CHECK(give(&s, &frame).forward);
    frame = picture(6, 2);
    CHECK(give_late(&s, &frame).forward);
    CHECK(!passes(&s, picture(8, 2)));
    frame = picture(7, 2);
    CHECK(give_late(&s, &frame).forward);
}

static void it_is_open_once_all_goes_out(void)
{
    struct layer_selector s = limited(255, 0);

    CHECK(passes(&s, picture(1, 0)));
    CHECK(!layer_selector_is_open(&s));
    layer_selector_set_limit(&s, (struct layer_limit){255, 255});
    CHECK(passes(&s, picture(2, 0)));
    CHECK(!layer_selector_is_open(&s));
    CHECK(passes(&s, key_picture(3)));
    CHECK(layer_selector_is_open(&s));
}

/* Three temporal layers of VP8 as Chromium describes them; of three encodings, whose frames it
 * numbers together, this is one. */
static const struct {
    uint8_t tid, dtis;
} chromium[8] = {{0, 0x2a}, {2, 0x10}, {1, 0x28}, {2, 0x10},
                 {0, 0x3e}, {2, 0x10}, {1, 0x24}, {2, 0x10}};

static struct dd_structure three_temporal_layers(void)
{
    struct dd_structure structure = {
        .n_targets = 3, .n_chains = 1, .n_spatial = 1, .n_temporal = 3, .n_templates = 3};

    for (uint8_t i = 0; i < 3; i++) {
        structure.targets[i].tid = i;
        structure.dtis[i] = chromium[i == 0 ? 0 : i == 1 ? 2 : 1].dtis;
    }
    return structure;
}

/* Give the n-th frame. @return true: it was forwarded */
static bool give_described(struct layer_selector *s, const struct dd_structure *structure,
                           uint16_t n, uint16_t seq)
{
    struct frame_info frame = {
        .has_dd = true,
        .frame_number = 3 * n,
        .tid = chromium[n % 8].tid,
        .dtis = chromium[n % 8].dtis,
        .n_targets = 3,
        .n_chains = 1,
        .chain_diffs = {(uint8_t)(n % 4 == 0 ? 12 : n % 4 * 3)},
        .active_targets = UINT32_MAX,
        .begins = true,
        .ends = true,
    };
    struct selector_packet packet = {
        .frame = &frame, .structure = structure, .ts = n * 3000U + 1, .seq = seq, .newest = true};

    return layer_selector_decide(s, &packet).forward;
}

static void frames_that_are_numbered_with_those_of_other_encodings_are_not_lost(void)
{
    struct dd_structure structure = three_temporal_layers();
    struct layer_selector s = limited(255, 0);
    uint16_t n = 0;

    for (; n < 17; n++)
        CHECK_EQ(give_described(&s, &structure, n, n), chromium[n % 8].tid == 0);
    layer_selector_set_limit(&s, (struct layer_limit){255, 255});
    for (; n < 24; n++)
        (void)give_described(&s, &structure, n, n);
    CHECK_EQ(layer_selector_current(&s).tid, 2);
    for (; n < 40; n++)
        CHECK(give_described(&s, &structure, n, n));
}

static void what_is_lost_may_be_needed_by_higher_layers(void)
{
    struct dd_structure structure = three_temporal_layers();
    struct layer_selector s = limited(255, 0);
    uint16_t n = 0;

    for (; n < 17; n++)
        (void)give_described(&s, &structure, n, n);
    layer_selector_set_limit(&s, (struct layer_limit){255, 255});
    CHECK(!give_described(&s, &structure, 18, 18)); /* 17 did not come */
}

TAP_CASES(CASE(temporal_layers_go_down_with_the_next_picture),
          CASE(temporal_layers_go_up_one_by_one_where_nothing_from_before_is_needed),
          CASE(they_go_up_after_a_picture_that_says_so),
          CASE(late_packets_share_the_fate_of_their_picture),
          CASE(spatial_layers_go_up_with_a_key_picture_only),
          CASE(the_marker_is_on_the_highest_layer_that_goes_out),
          CASE(a_picture_that_was_begun_goes_on), CASE(it_is_open_once_all_goes_out),
          CASE(frames_that_are_numbered_with_those_of_other_encodings_are_not_lost),
          CASE(what_is_lost_may_be_needed_by_higher_layers))
