/**
 * @file quality_score.h  How well media gets through, as one number for people. Pure.
 */
#ifndef MEDIA_QUALITY_SCORE_H
#define MEDIA_QUALITY_SCORE_H

#include <stdint.h>

enum { QUALITY_SCORE_MAX = 100 };

/** What it is made of; 0: nothing to complain of, or not known. */
struct quality_figures {
    uint32_t loss_permille;    /* packets that did not come, after repair */
    uint32_t rtt_ms;           /* round trip */
    uint32_t jitter_ms;        /* as in receiver reports (RFC 3550 section 6.4.1) */
    uint32_t starved_permille; /* of what was wanted, and there was no room for */
};

/** @return 0: nothing gets through, to QUALITY_SCORE_MAX: nobody notices anything. Below 30 people
 *          give up, from 70 on they do not mind. */
uint8_t quality_score(const struct quality_figures *figures);

#endif
