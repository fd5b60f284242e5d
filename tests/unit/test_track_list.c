#include "sfu/track_list.h"

#include "tests/tap.h"

#include <errno.h>

static struct plan_section sections[] = {
    {.use = SECTION_PUBLISH, .kind = KIND_AUDIO, .mid = "0"},
    {.use = SECTION_PUBLISH, .kind = KIND_VIDEO, .mid = "1"},
    {.use = SECTION_SLOT, .kind = KIND_VIDEO, .mid = "2"},
    {.use = SECTION_REJECTED, .kind = KIND_VIDEO, .mid = "3"},
    {.use = SECTION_STOPPED, .kind = KIND_VIDEO, .mid = "4"},
};
static const struct media_plan plan = {.n_sections = ARRAY_LEN(sections), .sections = sections};

static int check(struct message_track_offer description)
{
    struct message error = {0};
    int err = track_list_check(&plan, &description, 1, &error);

    CHECK_STR(error.code, err < 0 ? "bad_track" : "");
    return err;
}

static void only_published_m_lines_can_be_described(void)
{
    CHECK_EQ(check((struct message_track_offer){"0", KIND_AUDIO, "microphone", false}), 0);
    CHECK_EQ(check((struct message_track_offer){"2", KIND_VIDEO, "camera", false}), -EINVAL);
    CHECK_EQ(check((struct message_track_offer){"4", KIND_VIDEO, "camera", false}), -EINVAL);
    CHECK_EQ(check((struct message_track_offer){"9", KIND_VIDEO, "camera", false}), -EINVAL);
}

static void rejected_m_line_may_be_described(void)
{
    CHECK_EQ(check((struct message_track_offer){"3", KIND_VIDEO, "camera", false}), 0);
}

static void kind_must_be_that_of_the_offer(void)
{
    CHECK_EQ(check((struct message_track_offer){"0", KIND_VIDEO, "camera", false}), -EINVAL);
}

static void second_description_of_an_m_line_is_refused(void)
{
    const struct message_track_offer twice[] = {{"0", KIND_AUDIO, "microphone", false},
                                                {"0", KIND_AUDIO, "microphone", false}};
    struct message error = {0};

    CHECK_EQ(track_list_check(&plan, twice, 2, &error), -EINVAL);
    CHECK(strstr(error.text, "twice"));
}

static void m_line_without_description_is_a_microphone_or_a_camera(void)
{
    struct message_track tracks[MESSAGE_MAX_TRACKS];

    CHECK_EQ(track_list_make(&plan, NULL, 0, NULL, 0, tracks), 2);
    CHECK_STR(tracks[0].source, "microphone");
    CHECK_STR(tracks[0].mid, "0");
    CHECK_STR(tracks[1].source, "camera");
    CHECK(!tracks[1].muted);
}

static void description_goes_over_what_was_known(void)
{
    const struct message_track known[] = {
        {.kind = KIND_AUDIO, .mid = "0", .source = "screen_audio", .muted = true},
        {.kind = KIND_VIDEO, .mid = "1", .source = "screen", .muted = true}};
    const struct message_track_offer description = {"1", KIND_VIDEO, "", false};
    struct message_track tracks[MESSAGE_MAX_TRACKS];

    CHECK_EQ(track_list_make(&plan, &description, 1, known, 2, tracks), 2);
    CHECK_STR(tracks[0].source, "screen_audio");
    CHECK(tracks[0].muted);
    CHECK_STR(tracks[1].source, "screen");
    CHECK(!tracks[1].muted);
}

static void list_ends_at_its_maximum(void)
{
    static struct plan_section many[MESSAGE_MAX_TRACKS + 1];
    struct media_plan large = {.n_sections = MESSAGE_MAX_TRACKS + 1, .sections = many};
    struct message_track tracks[MESSAGE_MAX_TRACKS];

    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i].use = SECTION_PUBLISH;
    CHECK_EQ(track_list_make(&large, NULL, 0, NULL, 0, tracks), MESSAGE_MAX_TRACKS);
}

static void uses_are_counted(void)
{
    CHECK_EQ(track_list_count(&plan, SECTION_PUBLISH), 2);
    CHECK_EQ(track_list_count(&plan, SECTION_SLOT), 1);
    CHECK_EQ(track_list_count(&plan, SECTION_DATA), 0);
}

TAP_CASES(CASE(only_published_m_lines_can_be_described), CASE(rejected_m_line_may_be_described),
          CASE(kind_must_be_that_of_the_offer), CASE(second_description_of_an_m_line_is_refused),
          CASE(m_line_without_description_is_a_microphone_or_a_camera),
          CASE(description_goes_over_what_was_known), CASE(list_ends_at_its_maximum),
          CASE(uses_are_counted))
