/**
 * @file answering.h  A server that answers offers, for test cases: offer, answer and plan of the
 * last exchange, and checks that hold for every answer.
 */
#ifndef TESTS_ANSWERING_H
#define TESTS_ANSWERING_H

#include "media/base/text.h"
#include "signaling/negotiation.h"
#include "signaling/sdp.h"
#include "tests/sdp_text.h"
#include "tests/tap.h"

#include <stdbool.h>
#include <stddef.h>

struct answering {
    struct sdp_text offer;
    struct text answer;
    struct negotiation *server;
    const struct media_plan *plan; /* after the last success; NULL before */
    struct negotiation_error error;
};

/** Free everything; zeroed and ended are the same. */
static inline void answering_end(struct answering *a)
{
    a->server = negotiation_free(a->server);
    a->plan = NULL;
    text_done(&a->answer);
}

/** Begin with a new server; ends what was before. `policy` NULL: the default. */
static inline void answering_begin(struct answering *a, const struct negotiation_policy *policy)
{
    answering_end(a);
    text_init(&a->answer, SDP_MAX_BYTES);
    CHECK_EQ(negotiation_new(&a->server, policy ? policy : &negotiation_default_policy), 0);
}

/** Answer a->offer. Whatever is answered, our own reader knows every line of it. @return as
 *  negotiation_answer() */
static inline int answering_answer(struct answering *a)
{
    struct negotiation_local local = sdp_text_local();
    struct sdp *sdp = NULL;
    int err = negotiation_answer(a->server, &local, a->offer.data, a->offer.len, &a->answer,
                                 &a->error);
    bool whole;

    a->plan = negotiation_plan(a->server);
    if (err < 0) {
        CHECK_STR(text_str(&a->answer), "");
        return err;
    }
    whole = sdp_read(&sdp, text_str(&a->answer), a->answer.len, &a->error) == 0 &&
            sdp->n_unknown == 0 && sdp->n_sections == a->plan->n_sections;
    sdp_free(sdp);
    CHECK(whole);
    return 0;
}

/** @return true if m-line number `section` (-1: what is before the first) has the line `line` */
static inline bool answering_says(const struct answering *a, int section, const char *line)
{
    return sdp_text_has(text_str(&a->answer), section, line);
}

/** @return how many lines of the answer begin with `prefix` */
static inline size_t answering_count(const struct answering *a, const char *prefix)
{
    return sdp_text_count(text_str(&a->answer), prefix);
}

#endif
