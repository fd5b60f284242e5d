#include "signaling/grants.h"

#include <string.h>

void grants_open(struct grants *ret)
{
    *ret = (struct grants){
        .room = "*", .join = true, .publish = true, .subscribe = true, .data = true};
}

bool grants_have_room(const struct grants *g, const char *room)
{
    return strcmp(g->room, "*") == 0 || strcmp(g->room, room) == 0;
}

bool grants_may_publish(const struct grants *g)
{
    return g->publish && !g->hidden;
}

static bool is_of_kind(const char *source, enum media_kind kind)
{
    static const struct {
        const char *source;
        enum media_kind kind;
    } usual[] = {{"microphone", KIND_AUDIO},
                 {"screen_audio", KIND_AUDIO},
                 {"camera", KIND_VIDEO},
                 {"screen", KIND_VIDEO}};

    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        if (strcmp(usual[i].source, source) == 0)
            return usual[i].kind == kind;
    }
    return true;
}

bool grants_have_source(const struct grants *g, enum media_kind kind, const char *source)
{
    if (!grants_may_publish(g))
        return false;
    if (g->n_sources > 0 && !is_of_kind(source, kind))
        return false;
    for (uint32_t i = 0; i < g->n_sources; i++) {
        if (strcmp(g->sources[i], source) == 0)
            return true;
    }
    return g->n_sources == 0;
}
