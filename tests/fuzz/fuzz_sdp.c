/*
 * Any bytes: an offer and, behind a NUL (or else the same again), a re-offer; and the answer to an
 * offer of ours. What we answer, our own reader knows every line of, and the plan is within its
 * limits.
 */
#include "signaling/sdp.h"
#include "tests/sdp_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must hold in every build. */
static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_plan(const struct media_plan *plan)
{
    require(plan->n_sections <= PLAN_MAX_SECTIONS);
    require(plan->n_candidates <= PLAN_MAX_CANDIDATES);
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        const struct plan_section *section = &plan->sections[i];
        bool flows = section->use == SECTION_PUBLISH || section->use == SECTION_SLOT;

        require(section->n_codecs <= PLAN_MAX_CODECS && section->n_layers <= PLAN_MAX_LAYERS);
        require(!flows || (section->n_codecs > 0 && section->mid[0] != '\0'));
        require(section->use != SECTION_PUBLISH || section->n_layers > 0);
    }
}

static void check_answer(const struct text *answer, const struct media_plan *plan)
{
    struct negotiation_error error;
    struct sdp *sdp = NULL;

    require(sdp_read(&sdp, text_str(answer), answer->len, &error) == 0);
    require(sdp->n_unknown == 0 && sdp->n_sections == plan->n_sections);
    for (uint32_t i = 0; i < sdp->n_sections; i++) {
        enum section_use use = plan->sections[i].use;

        require(strcmp(sdp->sections[i].mid, plan->sections[i].mid) == 0);
        require((use == SECTION_PUBLISH) == (sdp->sections[i].direction == SDP_RECVONLY));
        require((use == SECTION_SLOT) == (sdp->sections[i].direction == SDP_SENDONLY));
        require(use != SECTION_SLOT || plan->sections[i].ssrc == sdp->sections[i].ssrcs[0]);
    }
    sdp_free(sdp);
}

static void answer(struct negotiation *n, const uint8_t *data, size_t size)
{
    const struct negotiation_local local = sdp_text_local();
    struct negotiation_error error = {.code = ""};
    struct text text;

    text_init(&text, 1 << 20);
    if (negotiation_answer(n, &local, (const char *)data, size, &text, &error) == 0) {
        check_plan(negotiation_plan(n));
        check_answer(&text, negotiation_plan(n));
    } else {
        require(error.code[0] != '\0' && error.message[0] != '\0' && text.len == 0);
    }
    text_done(&text);
}

static const struct offer_section sections[] = {
    {.use = SECTION_PUBLISH, .kind = KIND_AUDIO, .mid = "0", .ssrc = 1},
    {.use = SECTION_SLOT, .kind = KIND_VIDEO, .mid = "1"},
};

static void read_answer(const uint8_t *data, size_t size)
{
    struct negotiation_error error = {.code = ""};
    struct media_plan *plan = NULL;

    if (answer_read(&plan, (const char *)data, size, sections, 2, &error) == 0)
        check_plan(plan);
    else
        require(error.code[0] != '\0' && error.message[0] != '\0' && !plan);
    media_plan_unref(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t first = nul ? (size_t)(nul - data) : size;
    struct negotiation *n = NULL;

    if (negotiation_new(&n, &negotiation_default_policy) < 0)
        return 0;
    answer(n, data, first);
    if (nul)
        answer(n, nul + 1, size - first - 1);
    else
        answer(n, data, size);
    negotiation_free(n);
    read_answer(data, first);
    return 0;
}
