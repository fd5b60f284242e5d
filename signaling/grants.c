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

bool grants_have_source(const struct grants *g, const char *source)
{
    if (!grants_may_publish(g))
        return false;
    for (uint32_t i = 0; i < g->n_sources; i++) {
        if (strcmp(g->sources[i], source) == 0)
            return true;
    }
    return g->n_sources == 0;
}
