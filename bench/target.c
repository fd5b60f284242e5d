#include "bench/target.h"

#include <stdlib.h>

struct target *target_free(struct target *t)
{
    free(t);
    return NULL;
}

int target_join(struct target *t, struct endpoint *e)
{
    return t->calls->join(t, e);
}

void target_leave(struct target *t, struct endpoint *e)
{
    t->calls->leave(t, e);
}

void target_release(struct target *t, struct endpoint *e)
{
    t->calls->release(t, e);
}

void target_tick(struct target *t, struct endpoint *e)
{
    if (t->calls->tick)
        t->calls->tick(t, e);
}
