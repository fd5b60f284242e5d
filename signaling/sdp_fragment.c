#include "signaling/sdp_fragment.h"

#include "signaling/plan.h"
#include "signaling/sdp.h"
#include "signaling/sdp_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A fragment is a description without its head: RFC 8840 section 9.2. */
static const char head[] = "v=0\n";

/* @return the m-line that is about ICE; what stands before all, where none is */
static const struct sdp_section *find_section(const struct sdp *sdp)
{
    for (uint32_t i = 0; i < sdp->n_sections; i++) {
        if (sdp->sections[i].ufrag[0] || sdp->sections[i].pwd[0] || sdp->sections[i].n_candidates)
            return &sdp->sections[i];
    }
    return sdp->n_sections > 0 ? &sdp->sections[0] : &sdp->session;
}

static int take(struct sdp_fragment *ret, const struct sdp *sdp, struct negotiation_error *error)
{
    const struct sdp_section *section = find_section(sdp);

    if (!section->ufrag[0] && !section->pwd[0] && sdp->n_sections == 0)
        return sdp_fail(error, -EBADMSG, "no_ice", "neither an m-line nor a=ice-ufrag");
    if (!section->ufrag[0] != !section->pwd[0])
        return sdp_fail(error, -EBADMSG, "no_ice", "a=ice-ufrag and a=ice-pwd go together");
    *ret = (struct sdp_fragment){.n_candidates = section->n_candidates};
    (void)snprintf(ret->ufrag, sizeof(ret->ufrag), "%s", section->ufrag);
    (void)snprintf(ret->pwd, sizeof(ret->pwd), "%s", section->pwd);
    (void)snprintf(ret->mid, sizeof(ret->mid), "%s", section->mid);
    memcpy(ret->candidates, section->candidates,
           section->n_candidates * sizeof(ret->candidates[0]));
    return 0;
}

int sdp_fragment_read(struct sdp_fragment *ret, const char *text, size_t len,
                      struct negotiation_error *error)
{
    struct sdp *sdp = NULL;
    struct text whole;
    int err = -ENOMEM;

    if (len > SDP_MAX_BYTES - sizeof(head))
        return sdp_fail(error, -E2BIG, "sdp_too_large", "%zu bytes, %d are allowed", len,
                        SDP_MAX_BYTES - (int)sizeof(head));
    text_init(&whole, SDP_MAX_BYTES);
    text_append(&whole, head);
    text_append_n(&whole, text, len);
    if (text_ok(&whole))
        err = sdp_read(&sdp, text_str(&whole), whole.len, error);
    else
        (void)sdp_fail(error, -ENOMEM, "no_memory", "out of memory");
    text_done(&whole);
    if (err < 0)
        return err;
    err = take(ret, sdp, error);
    sdp_free(sdp);
    return err;
}

static bool is_in_use(const struct plan_section *section)
{
    return section->use == SECTION_PUBLISH || section->use == SECTION_SLOT;
}

static void write_group(struct text *out, const struct media_plan *plan)
{
    text_append(out, "a=group:BUNDLE");
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        if (is_in_use(&plan->sections[i]))
            text_printf(out, " %s", plan->sections[i].mid);
    }
    text_append(out, "\r\n");
}

void sdp_fragment_write(struct text *out, const struct negotiation_local *local,
                        const struct media_plan *plan)
{
    const struct plan_section *tagged = NULL;

    for (uint32_t i = 0; i < plan->n_sections && !tagged; i++)
        tagged = is_in_use(&plan->sections[i]) ? &plan->sections[i] : NULL;
    if (local->ice_lite)
        text_append(out, "a=ice-lite\r\n");
    write_group(out, plan);
    if (tagged)
        text_printf(out, "m=%s 9 UDP/TLS/RTP/SAVPF %u\r\na=mid:%s\r\n",
                    media_kind_name(tagged->kind), tagged->codecs[0].pt, tagged->mid);
    sdp_write_ice(out, local);
}
