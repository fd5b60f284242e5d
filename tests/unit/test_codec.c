#include "media/base/codec.h"

#include "tests/tap.h"

static enum codec by_name(const char *name, uint32_t clock_rate)
{
    return codec_by_name(name, strlen(name), clock_rate);
}

static void every_codec_is_found_by_its_name(void)
{
    for (enum codec codec = CODEC_NONE + 1; codec < CODEC_COUNT; codec++) {
        const struct codec_info *info = codec_info(codec);

        CHECK_EQ(by_name(info->name, info->clock_rate), codec);
    }
}

static void names_are_compared_without_case(void)
{
    CHECK_EQ(by_name("OPUS", 48000), CODEC_OPUS);
    CHECK_EQ(by_name("vp8", 90000), CODEC_VP8);
    CHECK_EQ(by_name("h264", 90000), CODEC_H264);
}

static void other_rates_lengths_and_names_are_none(void)
{
    CHECK_EQ(by_name("opus", 16000), CODEC_NONE);
    CHECK_EQ(by_name("VP", 90000), CODEC_NONE);
    CHECK_EQ(by_name("VP80", 90000), CODEC_NONE);
    CHECK_EQ(by_name("rtx", 90000), CODEC_NONE);
    CHECK_EQ(by_name("", 48000), CODEC_NONE);
    CHECK_EQ(codec_by_name("VP8/90000", 3, 90000), CODEC_VP8);
}

static void facts_are_those_of_the_registrations(void)
{
    CHECK_EQ(codec_info(CODEC_OPUS)->channels, 2);
    CHECK_EQ(codec_info(CODEC_OPUS)->kind, KIND_AUDIO);
    CHECK_EQ(codec_info(CODEC_PCMU)->clock_rate, 8000);
    CHECK_EQ(codec_info(CODEC_PCMU)->channels, 0);
    CHECK_EQ(codec_info(CODEC_AV1)->kind, KIND_VIDEO);
    CHECK_EQ(codec_info(CODEC_AV1)->clock_rate, 90000);
}

static void kinds_have_names(void)
{
    CHECK_STR(media_kind_name(KIND_AUDIO), "audio");
    CHECK_STR(media_kind_name(KIND_VIDEO), "video");
}

TAP_CASES(CASE(every_codec_is_found_by_its_name), CASE(names_are_compared_without_case),
          CASE(other_rates_lengths_and_names_are_none), CASE(facts_are_those_of_the_registrations),
          CASE(kinds_have_names))
