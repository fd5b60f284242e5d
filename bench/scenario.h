/** @file scenario.h  Who is in which room and does what. Plain values; not tied to a thread. */
#ifndef BENCH_SCENARIO_H
#define BENCH_SCENARIO_H

#include "bench/endpoint.h"
#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum scenario_kind {
    SCENARIO_BROADCAST,
    SCENARIO_MEETING,
    SCENARIO_AUDIO,
    SCENARIO_ROOMS,
    SCENARIO_JOIN_STORM,
    SCENARIO_IDLE,
    SCENARIO_COUNT
};
/** @return "broadcast" and the like; static storage */
const char *scenario_kind_name(enum scenario_kind kind);

enum { SCENARIO_MAX_ENDPOINTS = 20000 };

struct scenario {
    enum scenario_kind kind;
    uint32_t publishers;  /* of a room */
    uint32_t subscribers; /* of a room; of meeting and idle: none, publishers receive each other */
    uint32_t rooms;
    bool audio, video;
    bool one_way; /* a connection publishes or receives, never both */
};

/** @return true if nobody sends media: everybody is connected, and that is all */
bool scenario_silent(const struct scenario *s);
/** @return how many endpoints there are, those that publish first */
uint32_t scenario_endpoints(const struct scenario *s);
/** @return how many of them publish */
uint32_t scenario_publishers(const struct scenario *s);
/** @return what the n-th one does */
struct endpoint_role scenario_role(const struct scenario *s, uint32_t n);

#endif
