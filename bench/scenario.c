#include "bench/scenario.h"

const char *scenario_kind_name(enum scenario_kind kind)
{
    static const char *const names[] = {
        [SCENARIO_BROADCAST] = "broadcast",
        [SCENARIO_MEETING] = "meeting",
        [SCENARIO_AUDIO] = "audio",
        [SCENARIO_ROOMS] = "rooms",
        [SCENARIO_JOIN_STORM] = "join-storm",
        [SCENARIO_IDLE] = "idle",
        [SCENARIO_COUNT] = "",
    };

    return names[kind];
}

bool scenario_silent(const struct scenario *s)
{
    return s->kind == SCENARIO_IDLE;
}

/* Those who publish receive, too. */
static bool meets(const struct scenario *s)
{
    return s->kind == SCENARIO_MEETING || s->kind == SCENARIO_IDLE;
}

/* Of a room: connections that only receive. */
static uint32_t receivers(const struct scenario *s)
{
    if (!meets(s))
        return s->subscribers;
    return s->one_way ? s->publishers : 0;
}

uint32_t scenario_publishers(const struct scenario *s)
{
    return s->rooms * s->publishers;
}

uint32_t scenario_endpoints(const struct scenario *s)
{
    return s->rooms * (s->publishers + receivers(s));
}

struct endpoint_role scenario_role(const struct scenario *s, uint32_t n)
{
    uint32_t publishers = scenario_publishers(s);
    bool publishes = n < publishers;
    uint32_t in_room = publishes ? s->publishers : receivers(s);
    uint32_t place = publishes ? n : n - publishers;
    uint32_t slots = meets(s) ? s->publishers - 1 : s->publishers;

    if (scenario_silent(s))
        slots = 1;
    if (publishes && (!meets(s) || s->one_way))
        slots = 0;
    return (struct endpoint_role){
        .room = in_room > 0 ? place / in_room : 0,
        .audio = publishes && s->audio,
        .video = publishes && s->video,
        .audio_slots = s->audio ? slots : 0,
        .video_slots = s->video ? slots : 0,
    };
}
