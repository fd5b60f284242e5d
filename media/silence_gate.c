#include "media/silence_gate.h"

#include "media/speech_activity.h"

enum silence silence_of(unsigned len, int level)
{
    if (len <= SILENCE_GATE_DTX)
        return SILENCE_COMFORT;
    return level == SPEECH_LEVEL_SILENCE ? SILENCE_DIGITAL : SILENCE_NONE;
}

static bool is_due(const struct silence_gate *g, int64_t now_us)
{
    if (now_us - g->passed_us >= SILENCE_GATE_INTERVAL_US)
        return true;
    return g->kind == SILENCE_DIGITAL ? now_us - g->since_us < SILENCE_GATE_PATIENCE_US
                                      : g->n < SILENCE_GATE_FIRST;
}

bool silence_gate_pass(struct silence_gate *g, enum silence kind, int64_t now_us)
{
    if (kind == SILENCE_NONE) {
        g->kind = SILENCE_NONE;
        return true;
    }
    if (g->kind == SILENCE_NONE)
        *g = (struct silence_gate){.since_us = now_us, .passed_us = now_us};
    g->kind = kind;
    if (!is_due(g, now_us))
        return false;
    if (g->n < SILENCE_GATE_FIRST)
        g->n++;
    g->passed_us = now_us;
    return true;
}
