/** @file same_grants.h  Are two sets of grants the same? */
#ifndef TESTS_SAME_GRANTS_H
#define TESTS_SAME_GRANTS_H

#include "signaling/grants.h"

#include <stdbool.h>
#include <string.h>

static inline bool same_grants(const struct grants *a, const struct grants *b)
{
    bool same = strcmp(a->identity, b->identity) == 0 && strcmp(a->name, b->name) == 0 &&
                strcmp(a->room, b->room) == 0 && a->n_sources == b->n_sources &&
                a->expires_s == b->expires_s;

    same = same && a->join == b->join && a->publish == b->publish && a->subscribe == b->subscribe;
    same = same && a->data == b->data && a->hidden == b->hidden && a->admin == b->admin &&
           a->record == b->record;
    for (uint32_t i = 0; same && i < a->n_sources; i++)
        same = strcmp(a->sources[i], b->sources[i]) == 0;
    return same;
}

#endif
