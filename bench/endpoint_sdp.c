#include "bench/endpoint_sdp.h"

#include "bench/endpoint.h"
#include "bench/plain_sdp.h"
#include "media/base/clock.h"
#include "media/base/random.h"

#include <errno.h>
#include <string.h>

int endpoint_sdp_offer(const struct endpoint *e, struct text *out)
{
    struct offer_section sections[PLAN_MAX_SECTIONS];
    struct negotiation_local local;
    struct text offer;
    int err;

    endpoint_describe(e, &local);
    text_init(&offer, SDP_MAX_BYTES);
    err = offer_write(&offer, &local, sections, endpoint_sections(e, sections), random_u64(), 1);
    if (err == 0 && e->fleet->config.plain)
        plain_sdp_append(out, text_str(&offer));
    else if (err == 0)
        text_append_n(out, text_str(&offer), offer.len);
    text_done(&offer);
    return err == 0 && !text_ok(out) ? -EMSGSIZE : err;
}

void endpoint_sdp_take_answer(struct endpoint *e, const char *answer, size_t len)
{
    struct offer_section sections[PLAN_MAX_SECTIONS];
    uint32_t n = endpoint_sections(e, sections);
    struct negotiation_error error = {0};
    struct media_plan *plan = NULL;

    if (answer_read(&plan, answer, len, sections, n, &error) < 0) {
        endpoint_fail(e, "the server's answer cannot be used: %s", error.message);
        return;
    }
    endpoint_connect(e, plan, false, clock_now_us());
    media_plan_unref(plan);
}

/* @param negotiation  set in any case, for negotiation_free() */
static int answer(const struct endpoint *e, const char *offer, struct negotiation **negotiation,
                  struct text *out, struct negotiation_error *error)
{
    struct negotiation_policy policy = {
        .audio = {CODEC_OPUS},
        .video = {CODEC_VP8},
        .max_sections = PLAN_MAX_SECTIONS,
        .max_publish = PLAN_MAX_SECTIONS,
    };
    struct negotiation_local local;
    int err;

    *negotiation = NULL;
    endpoint_describe(e, &local);
    err = negotiation_new(negotiation, &policy);
    if (err < 0)
        return err;
    return negotiation_answer(*negotiation, &local, offer, strlen(offer), out, error);
}

int endpoint_sdp_answer(struct endpoint *e, const char *offer, struct text *out)
{
    struct negotiation_error error = {0};
    struct negotiation *negotiation;
    struct text plain;
    int err;

    text_init(&plain, SDP_MAX_BYTES);
    if (e->fleet->config.plain)
        plain_sdp_append(&plain, offer);
    err = answer(e, e->fleet->config.plain ? text_str(&plain) : offer, &negotiation, out, &error);
    if (err < 0)
        endpoint_fail(e, "the server's offer cannot be used: %s", error.message);
    else
        endpoint_connect(e, negotiation_plan(negotiation), true, clock_now_us());
    text_done(&plain);
    negotiation_free(negotiation);
    return e->state >= ENDPOINT_FAILED ? -EINVAL : 0;
}
