#include "tests/test_offer.h"

#include "media/base/text.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static struct offer_section section_of(char line, uint32_t place)
{
    bool video = line == 'v' || line == 'V' || line == '-';
    struct offer_section section = {
        .use = SECTION_SLOT,
        .kind = video ? KIND_VIDEO : KIND_AUDIO,
        .codecs = {video ? CODEC_VP8 : CODEC_OPUS},
    };

    if (line == '-')
        section.use = SECTION_STOPPED;
    if (line == 'a' || line == 'v') {
        section.use = SECTION_PUBLISH;
        section.ssrc = 1000 + place;
    }
    (void)snprintf(section.mid, sizeof(section.mid), "%u", place);
    return section;
}

char *test_offer_make(const char *lines, uint64_t version)
{
    static const struct negotiation_local local = {
        .ufrag = "user",
        .pwd = "passwordpasswordpassword",
        .fingerprint = {.hash = "sha-256", .len = 32},
        .cname = "test",
    };
    struct offer_section sections[PLAN_MAX_SECTIONS];
    struct text offer;
    uint32_t n = 0;

    for (; lines[n] && n < PLAN_MAX_SECTIONS; n++)
        sections[n] = section_of(lines[n], n);
    text_init(&offer, SDP_MAX_BYTES);
    if (offer_write(&offer, &local, sections, n, 1, version) < 0)
        abort();
    return text_take(&offer);
}
