#include "sfu/routing.h"

#include "media/packet.h"
#include "tests/tap.h"

#include <errno.h>

enum { MID_ID = 4, RID_ID = 10, REPAIRED_RID_ID = 11 };

/* An audio m-line "a", a video m-line "v" with SSRCs, a simulcast one "s" without. */
static struct plan_section sections[] = {
    {
        .use = SECTION_PUBLISH,
        .kind = KIND_AUDIO,
        .mid = "a",
        .n_codecs = 1,
        .codecs = {{.codec = CODEC_OPUS, .pt = 111}},
        .extensions = {.id = {[EXTENSION_MID] = MID_ID}},
        .n_layers = 1,
    },
    {
        .use = SECTION_PUBLISH,
        .kind = KIND_VIDEO,
        .mid = "v",
        .n_codecs = 1,
        .codecs = {{.codec = CODEC_VP8, .pt = 96, .rtx_pt = 97}},
        .extensions = {.id = {[EXTENSION_MID] = MID_ID}},
        .n_layers = 1,
        .layers = {{.ssrc = 1000, .rtx_ssrc = 1001}},
    },
    {
        .use = SECTION_PUBLISH,
        .kind = KIND_VIDEO,
        .mid = "s",
        .n_codecs = 1,
        .codecs = {{.codec = CODEC_VP8, .pt = 96, .rtx_pt = 97}},
        .extensions = {.id = {[EXTENSION_MID] = MID_ID,
                              [EXTENSION_RID] = RID_ID,
                              [EXTENSION_REPAIRED_RID] = REPAIRED_RID_ID}},
        .n_layers = 3,
        .layers = {{.rid = "q"}, {.rid = "h"}, {.rid = "f"}},
    },
    {.use = SECTION_SLOT, .kind = KIND_VIDEO, .mid = "x", .ssrc = 5000},
};
static const struct media_plan plan = {.n_sections = 4, .sections = sections};

/* A packet with the extensions that are not NULL. */
static struct packet packet_of(uint32_t ssrc, uint8_t pt, const char *mid, const char *rid,
                               const char *repaired_rid)
{
    struct packet p = {.rtp = {.ssrc = ssrc, .pt = pt, .payload_len = 10}};
    const struct {
        uint8_t id;
        const char *value;
    } values[] = {{MID_ID, mid}, {RID_ID, rid}, {REPAIRED_RID_ID, repaired_rid}};

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (!values[i].value)
            continue;
        p.rtp.extensions[p.rtp.n_extensions++] = (struct rtp_extension){
            .id = values[i].id,
            .len = (uint8_t)strlen(values[i].value),
            .offset = (uint16_t)(20 + 20 * i),
        };
        memcpy(p.data + 20 + 20 * i, values[i].value, strlen(values[i].value));
    }
    return p;
}

static struct routing make(void)
{
    struct routing r;

    routing_init(&r);
    CHECK_EQ(routing_set_plan(&r, &plan), 0);
    return r;
}

static void check_route(struct routing *r, const struct packet *p, uint8_t section, uint8_t layer,
                        bool rtx)
{
    struct route route;

    CHECK_EQ(routing_find(r, p, &route), 0);
    CHECK_EQ(route.section, section);
    CHECK_EQ(route.layer, layer);
    CHECK_EQ(route.rtx, rtx);
}

static void check_unrouted(struct routing *r, const struct packet *p)
{
    struct route route;

    CHECK_EQ(routing_find(r, p, &route), -ENOENT);
}

static void ssrcs_of_the_offer_are_known(void)
{
    struct routing r = make();
    struct packet media = packet_of(1000, 96, NULL, NULL, NULL);
    struct packet rtx = packet_of(1001, 97, NULL, NULL, NULL);
    struct route route;

    check_route(&r, &media, 1, 0, false);
    check_route(&r, &rtx, 1, 0, true);
    CHECK_EQ(routing_find_ssrc(&r, 1000, &route), 0);
    CHECK_EQ(routing_find_ssrc(&r, 1001, &route), -ENOENT);
    routing_done(&r);
}

static void mid_and_rid_teach_an_ssrc(void)
{
    struct routing r = make();
    struct packet first = packet_of(2000, 96, "s", "h", NULL);
    struct packet later = packet_of(2000, 96, NULL, NULL, NULL);
    struct packet rtx = packet_of(2001, 97, "s", NULL, "f");

    check_unrouted(&r, &later);
    check_route(&r, &first, 2, 1, false);
    check_route(&r, &later, 2, 1, false);
    check_route(&r, &rtx, 2, 2, true);
    routing_done(&r);
}

static void mid_alone_is_enough_without_simulcast(void)
{
    struct routing r = make();
    struct packet video = packet_of(3000, 96, "v", NULL, NULL);
    struct packet rtx = packet_of(3001, 97, "v", NULL, NULL);
    struct packet simulcast = packet_of(3002, 96, "s", NULL, NULL);
    struct packet unknown_rid = packet_of(3003, 96, "s", "z", NULL);
    struct packet unknown_mid = packet_of(3004, 111, "b", NULL, NULL);

    check_route(&r, &video, 1, 0, false);
    check_route(&r, &rtx, 1, 0, true);
    check_unrouted(&r, &simulcast);
    check_unrouted(&r, &unknown_rid);
    check_unrouted(&r, &unknown_mid);
    routing_done(&r);
}

static void payload_type_counts_where_only_one_has_it(void)
{
    struct routing r = make();
    struct packet audio = packet_of(4000, 111, NULL, NULL, NULL);
    struct packet video = packet_of(4001, 96, NULL, NULL, NULL);
    struct packet unknown = packet_of(4002, 50, NULL, NULL, NULL);

    check_route(&r, &audio, 0, 0, false);
    check_unrouted(&r, &video);
    check_unrouted(&r, &unknown);
    routing_done(&r);
}

static void probes_teach_nothing(void)
{
    struct routing r = make();
    struct packet zero = packet_of(0, 111, NULL, NULL, NULL);
    struct packet padding = packet_of(4000, 111, NULL, NULL, NULL);

    padding.rtp.payload_len = 0;
    check_unrouted(&r, &zero);
    check_unrouted(&r, &padding);
    routing_done(&r);
}

static void an_ssrc_too_many_is_not_routed(void)
{
    struct routing r = make();
    struct route route;

    for (uint32_t i = 2; i < ROUTING_MAX_SSRCS; i++) {
        struct packet p = packet_of(10000 + i, 111, "a", NULL, NULL);

        CHECK_EQ(routing_find(&r, &p, &route), 0);
    }
    for (uint32_t i = 0; i < 100; i++) {
        struct packet p = packet_of(20000 + i, 111, "a", NULL, NULL);

        CHECK_EQ(routing_find(&r, &p, &route), -ENOSPC);
    }
    CHECK_EQ(r.n_ssrcs, ROUTING_MAX_SSRCS);
    routing_done(&r);
}

static void a_new_plan_keeps_what_still_publishes(void)
{
    struct plan_section changed[ARRAY_LEN(sections)];
    struct media_plan now = {.n_sections = 4, .sections = changed};
    struct routing r = make();
    struct packet audio = packet_of(4000, 111, "a", NULL, NULL);
    struct packet simulcast = packet_of(2000, 96, "s", "h", NULL);
    struct packet later = packet_of(4000, 111, NULL, NULL, NULL);
    struct packet later_simulcast = packet_of(2000, 96, NULL, NULL, NULL);

    check_route(&r, &audio, 0, 0, false);
    check_route(&r, &simulcast, 2, 1, false);
    memcpy(changed, sections, sizeof(sections));
    changed[1].use = SECTION_STOPPED;
    memcpy(changed[2].mid, "t", 2); /* recycled */
    CHECK_EQ(routing_set_plan(&r, &now), 0);
    check_route(&r, &later, 0, 0, false);
    check_unrouted(&r, &later_simulcast);
    CHECK_EQ(r.n_ssrcs, 3); /* the two of the m-line that is stopped are kept */
    routing_done(&r);
}

static void what_is_stopped_goes_on_with_the_ssrcs_it_taught(void)
{
    struct plan_section changed[ARRAY_LEN(sections)];
    struct media_plan stopped = {.n_sections = 4, .sections = changed};
    struct media_plan again = {.n_sections = 4, .sections = (struct plan_section *)sections};
    struct routing r = make();
    struct packet simulcast = packet_of(2000, 96, "s", "h", NULL);
    struct packet later = packet_of(2000, 96, NULL, NULL, NULL);

    check_route(&r, &simulcast, 2, 1, false);
    memcpy(changed, sections, sizeof(sections));
    changed[2] = (struct plan_section){.use = SECTION_STOPPED, .kind = KIND_VIDEO};
    memcpy(changed[2].mid, sections[2].mid, sizeof(changed[2].mid));
    CHECK_EQ(routing_set_plan(&r, &stopped), 0);
    CHECK_EQ(routing_set_plan(&r, &again), 0);
    check_route(&r, &later, 2, 1, false);
    routing_done(&r);
}

TAP_CASES(CASE(ssrcs_of_the_offer_are_known), CASE(mid_and_rid_teach_an_ssrc),
          CASE(mid_alone_is_enough_without_simulcast),
          CASE(payload_type_counts_where_only_one_has_it), CASE(probes_teach_nothing),
          CASE(an_ssrc_too_many_is_not_routed), CASE(a_new_plan_keeps_what_still_publishes),
          CASE(what_is_stopped_goes_on_with_the_ssrcs_it_taught))
