#include "signaling/plan.h"

#include "signaling/codec_match.h"
#include "signaling/sdp_token.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *section_use_name(enum section_use use)
{
    switch (use) {
    case SECTION_REJECTED:
        return "rejected";
    case SECTION_STOPPED:
        return "stopped";
    case SECTION_PUBLISH:
        return "publish";
    case SECTION_SLOT:
        return "slot";
    case SECTION_DATA:
        return "data";
    }
    assert(false); /* not a use */
    return "rejected";
}

/* Chained: pointers to texts must stay. */
struct plan_text {
    struct plan_text *next;
    char text[];
};

struct media_plan *plan_new(uint32_t n_sections)
{
    struct media_plan *plan = calloc(1, sizeof(*plan));

    if (!plan)
        return NULL;
    atomic_init(&plan->references, 1);
    plan->sections = calloc((size_t)n_sections + 1, sizeof(*plan->sections));
    if (!plan->sections)
        return media_plan_unref(plan);
    plan->n_sections = n_sections;
    return plan;
}

const char *plan_keep_text(struct media_plan *plan, const char *text)
{
    enum { LOOK_BACK = 64 }; /* the slots of an offer say the same over and over */
    struct plan_text *kept = plan->texts;
    size_t size = strlen(text) + 1;

    if (size == 1)
        return "";
    for (int i = 0; kept && i < LOOK_BACK; i++, kept = kept->next) {
        if (strcmp(kept->text, text) == 0)
            return kept->text;
    }
    kept = malloc(sizeof(*kept) + size);
    if (!kept) {
        plan->failed = true;
        return "";
    }
    memcpy(kept->text, text, size);
    kept->next = plan->texts;
    plan->texts = kept;
    return kept->text;
}

void plan_keep_candidates(struct media_plan *plan, const struct plan_candidate *candidates,
                          uint32_t n)
{
    plan->candidates = n > 0 ? calloc(n, sizeof(*candidates)) : NULL;
    plan->n_candidates = plan->candidates ? n : 0;
    plan->failed = plan->failed || plan->n_candidates < n;
    for (uint32_t i = 0; i < plan->n_candidates; i++)
        plan->candidates[i] = candidates[i];
}

void plan_keep_transport(struct media_plan *plan, const struct media_plan *from)
{
    memcpy(plan->ufrag, from->ufrag, sizeof(plan->ufrag));
    memcpy(plan->pwd, from->pwd, sizeof(plan->pwd));
    plan->fingerprint = from->fingerprint;
    plan->dtls_client = from->dtls_client;
    plan->ice_lite = from->ice_lite;
    plan_keep_candidates(plan, from->candidates, from->n_candidates);
}

int media_plan_copy(struct media_plan **ret, const struct media_plan *plan)
{
    struct media_plan *copy = plan_new(plan->n_sections);

    if (!copy)
        return -ENOMEM;
    plan_keep_transport(copy, plan);
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        struct plan_section *section = &copy->sections[i];

        *section = plan->sections[i];
        for (uint8_t k = 0; k < section->n_codecs; k++) {
            if (section->codecs[k].fmtp)
                section->codecs[k].fmtp = plan_keep_text(copy, section->codecs[k].fmtp);
        }
    }
    if (copy->failed) {
        media_plan_unref(copy);
        return -ENOMEM;
    }
    *ret = copy;
    return 0;
}

struct media_plan *media_plan_ref(struct media_plan *plan)
{
    (void)atomic_fetch_add_explicit(&plan->references, 1, memory_order_relaxed);
    return plan;
}

struct media_plan *media_plan_unref(struct media_plan *plan)
{
    struct plan_text *next;

    /* What others read of it happens before the last one frees it. */
    if (!plan || atomic_fetch_sub_explicit(&plan->references, 1, memory_order_acq_rel) > 1)
        return NULL;
    for (struct plan_text *text = plan->texts; text; text = next) {
        next = text->next;
        free(text);
    }
    free(plan->candidates);
    free(plan->sections);
    free(plan);
    return NULL;
}

void plan_reject_section(struct plan_section *section)
{
    struct plan_section rejected = {.use = SECTION_REJECTED, .kind = section->kind};

    memcpy(rejected.mid, section->mid, sizeof(rejected.mid));
    *section = rejected;
}

/* Sender and receiver in the offer's words, from which our names of uses are. A sendrecv m-line is
 * its client's track: what it hears goes through slots. */
static enum section_use use_of(enum sdp_direction direction)
{
    switch (direction) {
    case SDP_SENDRECV:
    case SDP_SENDONLY:
        return SECTION_PUBLISH;
    case SDP_RECVONLY:
        return SECTION_SLOT;
    case SDP_INACTIVE:
        return SECTION_STOPPED;
    }
    return SECTION_REJECTED;
}

/* RFC 8829, section 5.1.2: all of these name SRTP keyed by DTLS; over what, the candidates tell. */
static bool protocol_known(const char *protocol)
{
    static const char *const protocols[] = {
        "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF",
        "TCP/DTLS/RTP/SAVP", "RTP/SAVPF",        "RTP/SAVP",
    };

    for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
        if (strcmp(protocol, protocols[i]) == 0)
            return true;
    }
    return false;
}

void plan_read_extensions(struct extension_map *map, const struct sdp_section *section,
                          enum sdp_direction flow)
{
    *map = (struct extension_map){.id = {0}};
    for (uint32_t i = 0; i < section->n_extensions; i++) {
        const struct sdp_extension *extension = &section->extensions[i];

        if (extension->direction == SDP_SENDRECV || extension->direction == flow ||
            (flow == SDP_INACTIVE && extension->direction != SDP_INACTIVE))
            map->id[extension->extension] = extension->id;
    }
}

static uint32_t rtx_ssrc_of(const struct sdp_section *section, uint32_t ssrc)
{
    for (uint32_t i = 0; i < section->n_groups; i++) {
        const struct sdp_ssrc_group *group = &section->groups[i];

        if (group->semantics == SDP_GROUP_FID && group->n_ssrcs == 2 && group->ssrcs[0] == ssrc)
            return group->ssrcs[1];
    }
    return 0;
}

static bool is_rtx_ssrc(const struct sdp_section *section, uint32_t ssrc)
{
    for (uint32_t i = 0; i < section->n_groups; i++) {
        const struct sdp_ssrc_group *group = &section->groups[i];

        if (group->semantics == SDP_GROUP_FID && group->n_ssrcs == 2 && group->ssrcs[1] == ssrc)
            return true;
    }
    return false;
}

void plan_read_ssrc(const struct sdp_section *section, uint32_t *ssrc, uint32_t *rtx_ssrc)
{
    *ssrc = 0;
    *rtx_ssrc = 0;
    for (uint32_t i = 0; i < section->n_ssrcs; i++) {
        if (is_rtx_ssrc(section, section->ssrcs[i]))
            continue;
        *ssrc = section->ssrcs[i];
        *rtx_ssrc = rtx_ssrc_of(section, *ssrc);
        return;
    }
}

/* @return true if a=rid offers to send this layer as payload type `pt` */
static bool rid_usable(const struct sdp_section *offered, struct sdp_span id, uint8_t pt)
{
    for (uint32_t i = 0; i < offered->n_rids; i++) {
        const struct sdp_rid *rid = &offered->rids[i];
        const char *pts = rid->pts;
        struct sdp_span word;
        uint32_t number;

        if (!rid->send || strlen(rid->id) != id.len || memcmp(rid->id, id.start, id.len) != 0)
            continue;
        if (pts[0] == '\0')
            return true;
        while (sdp_token_next(&pts, ',', &word)) {
            if (sdp_token_number(word, 127, &number) && number == pt)
                return true;
        }
        return false;
    }
    return false;
}

static bool has_layer(const struct plan_section *section, struct sdp_span id)
{
    for (uint8_t i = 0; i < section->n_layers; i++) {
        const char *rid = section->layers[i].rid;

        if (strlen(rid) == id.len && memcmp(rid, id.start, id.len) == 0)
            return true;
    }
    return false;
}

/* "h,h2" or "~h": take the first alternative that we can use, paused or not. */
static void read_rid_layer(struct plan_section *section, const struct sdp_section *offered,
                           struct sdp_span alternatives)
{
    char list[SDP_MAX_RIDS * (PLAN_RID_MAX + 2) + 1];
    const char *at = list;
    struct sdp_span id;

    if (section->n_layers == PLAN_MAX_LAYERS || alternatives.len >= sizeof(list))
        return;
    memcpy(list, alternatives.start, alternatives.len);
    list[alternatives.len] = '\0';
    while (sdp_token_next(&at, ',', &id)) {
        if (id.start[0] == '~') {
            id.start++;
            id.len--;
        }
        if (!rid_usable(offered, id, section->codecs[0].pt) || has_layer(section, id))
            continue;
        memcpy(section->layers[section->n_layers++].rid, id.start, id.len);
        return;
    }
}

/* RFC 8853. Chromium refuses an answer with simulcast but without the rid extension, and without it
 * we could not tell the layers apart. */
static void read_rid_layers(struct plan_section *section, const struct sdp_section *offered)
{
    const char *list = offered->simulcast_send;
    struct sdp_span alternatives;

    if (section->extensions.id[EXTENSION_RID] == 0)
        return;
    while (sdp_token_next(&list, ';', &alternatives))
        read_rid_layer(section, offered, alternatives);
}

/* Simulcast of before rids: a=ssrc-group:SIM lists the layers, lowest first. */
static void read_ssrc_layers(struct plan_section *section, const struct sdp_section *offered)
{
    for (uint32_t i = 0; i < offered->n_groups && section->n_layers == 0; i++) {
        const struct sdp_ssrc_group *group = &offered->groups[i];

        if (group->semantics != SDP_GROUP_SIM)
            continue;
        for (uint32_t j = 0; j < group->n_ssrcs && j < PLAN_MAX_LAYERS; j++) {
            section->layers[section->n_layers++] = (struct plan_layer){
                .ssrc = group->ssrcs[j],
                .rtx_ssrc = rtx_ssrc_of(offered, group->ssrcs[j]),
            };
        }
    }
}

static void read_layers(struct plan_section *section, const struct sdp_section *offered)
{
    section->n_layers = 0;
    read_rid_layers(section, offered);
    if (section->n_layers == 0)
        read_ssrc_layers(section, offered);
    if (section->n_layers == 0) {
        section->n_layers = 1;
        plan_read_ssrc(offered, &section->layers[0].ssrc, &section->layers[0].rtx_ssrc);
    }
}

void plan_answer_section(struct media_plan *plan, struct plan_section *section,
                         const struct sdp_section *offered, bool bundled,
                         const struct negotiation_policy *policy)
{
    enum sdp_direction direction = offered->direction;
    const enum codec *wanted;

    if (policy->plays_only && direction == SDP_SENDRECV)
        direction = SDP_RECVONLY;
    *section = (struct plan_section){.use = SECTION_REJECTED};
    (void)snprintf(section->mid, sizeof(section->mid), "%s", offered->mid);
    if (strcmp(offered->media, "video") == 0)
        section->kind = KIND_VIDEO;
    else if (strcmp(offered->media, "audio") != 0)
        return;
    if (!sdp_section_live(offered)) {
        section->use = SECTION_STOPPED;
        return;
    }
    if (!bundled || !protocol_known(offered->protocol))
        return;
    section->use = use_of(direction);
    section->rtcp_rsize = offered->rtcp_rsize;
    plan_read_extensions(&section->extensions, offered,
                         direction == SDP_SENDRECV ? SDP_SENDONLY : direction);
    wanted = section->kind == KIND_AUDIO ? policy->audio : policy->video;
    if (section->use == SECTION_PUBLISH)
        codec_match_publish(plan, section, offered, wanted);
    else
        codec_match_slot(plan, section, offered, wanted);
    if (section->n_codecs == 0)
        plan_reject_section(section);
    if (section->use == SECTION_PUBLISH)
        read_layers(section, offered);
}

bool plan_section_accepted(const struct plan_section *section, const struct sdp_section *offered)
{
    switch (section->use) {
    case SECTION_PUBLISH:
    case SECTION_SLOT:
        return true;
    case SECTION_STOPPED:
        return sdp_section_live(offered);
    case SECTION_REJECTED:
    case SECTION_DATA:
        return false;
    }
    return false;
}

bool plan_section_has_rtx(const struct plan_section *section)
{
    for (uint8_t i = 0; i < section->n_codecs; i++) {
        if (section->codecs[i].rtx_pt != 0)
            return true;
    }
    return false;
}

const struct sdp_section *plan_tagged_section(const struct media_plan *plan, const struct sdp *sdp)
{
    for (uint32_t i = 0; i < sdp->n_bundle; i++) {
        for (uint32_t j = 0; j < sdp->n_sections; j++) {
            if (plan_section_accepted(&plan->sections[j], &sdp->sections[j]) &&
                strcmp(plan->sections[j].mid, sdp->bundle[i]) == 0)
                return &sdp->sections[j];
        }
    }
    for (uint32_t j = 0; j < sdp->n_sections; j++) {
        if (plan_section_accepted(&plan->sections[j], &sdp->sections[j]))
            return &sdp->sections[j];
    }
    return NULL;
}

int plan_read_transport(struct media_plan *plan, const struct sdp *sdp,
                        const struct sdp_section *section, struct negotiation_error *error)
{
    if (section->ufrag[0] == '\0' || section->pwd[0] == '\0') {
        return sdp_fail(error, -EBADMSG, "no_ice",
                        "line %" PRIu32 ": the m-line has no a=ice-ufrag or no a=ice-pwd",
                        section->line);
    }
    if (section->fingerprint.len == 0) {
        return sdp_fail(error, -EBADMSG, "no_fingerprint",
                        "line %" PRIu32 ": the m-line has no a=fingerprint%s", section->line,
                        section->fingerprint_unknown
                            ? " of sha-256, sha-384 or sha-512; other hashes are not taken"
                            : "");
    }
    (void)snprintf(plan->ufrag, sizeof(plan->ufrag), "%s", section->ufrag);
    (void)snprintf(plan->pwd, sizeof(plan->pwd), "%s", section->pwd);
    plan->fingerprint = section->fingerprint;
    plan->ice_lite = sdp->session.ice_lite;
    plan_keep_candidates(plan, section->candidates, section->n_candidates);
    return 0;
}
