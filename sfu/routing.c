#include "sfu/routing.h"

#include "media/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void routing_init(struct routing *r)
{
    *r = (struct routing){0};
    memset(r->section_of_pt, ROUTING_NONE, sizeof(r->section_of_pt));
}

void routing_done(struct routing *r)
{
    free(r->ssrcs);
    free(r->routes);
    routing_init(r);
}

/* Linear: a participant has a handful of SSRCs, and numbers side by side are quick to pass. */
static size_t find_ssrc(const struct routing *r, uint32_t ssrc)
{
    size_t at = 0;

    while (at < r->n_ssrcs && r->ssrcs[at] != ssrc)
        at++;
    return at;
}

static int grow(struct routing *r)
{
    uint32_t max_ssrcs = r->max_ssrcs ? r->max_ssrcs * 2 : 8;
    uint32_t *ssrcs;
    struct route *routes;

    if (r->n_ssrcs < r->max_ssrcs)
        return 0;
    if (max_ssrcs > ROUTING_MAX_SSRCS)
        return -ENOSPC;
    ssrcs = realloc(r->ssrcs, max_ssrcs * sizeof(*ssrcs));
    if (!ssrcs)
        return -ENOMEM;
    r->ssrcs = ssrcs;
    routes = realloc(r->routes, max_ssrcs * sizeof(*routes));
    if (!routes)
        return -ENOMEM;
    r->routes = routes;
    r->max_ssrcs = max_ssrcs;
    return 0;
}

/* Remember where `ssrc` belongs; what was known of it before no longer holds. */
static int learn(struct routing *r, uint32_t ssrc, struct route route)
{
    size_t at = find_ssrc(r, ssrc);

    if (at == r->n_ssrcs) {
        int err = grow(r);

        if (err < 0)
            return err;
        r->n_ssrcs++;
    }
    r->ssrcs[at] = ssrc;
    r->routes[at] = route;
    return 0;
}

static const struct plan_section *section_of(const struct routing *r, size_t at)
{
    return &r->plan->sections[at];
}

static bool publishes(const struct media_plan *plan, size_t section)
{
    return section < plan->n_sections && plan->sections[section].use == SECTION_PUBLISH;
}

static bool may_publish(const struct media_plan *plan, size_t section)
{
    return publishes(plan, section) ||
           (section < plan->n_sections && plan->sections[section].use == SECTION_STOPPED);
}

/* Is section `at` still the m-line that it was under the plan before? One that is stopped goes on
 * with the same SSRCs, and Chrome does not tell their rids again. */
static bool is_same(const struct media_plan *before, const struct media_plan *now, size_t at)
{
    return may_publish(before, at) && may_publish(now, at) &&
           strcmp(before->sections[at].mid, now->sections[at].mid) == 0;
}

static void forget_ended(struct routing *r, const struct media_plan *plan)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < r->n_ssrcs; i++) {
        uint8_t section = r->routes[i].section;

        if (!is_same(r->plan, plan, section) ||
            (publishes(plan, section) && r->routes[i].layer >= plan->sections[section].n_layers))
            continue;
        r->ssrcs[kept] = r->ssrcs[i];
        r->routes[kept++] = r->routes[i];
    }
    r->n_ssrcs = kept;
}

static int learn_section(struct routing *r, uint8_t at, const struct plan_section *section)
{
    int err;

    for (uint8_t i = 0; i < section->n_layers; i++) {
        const struct plan_layer *layer = &section->layers[i];

        if (layer->ssrc) {
            err = learn(r, layer->ssrc, (struct route){.section = at, .layer = i});
            if (err < 0 && err != -ENOSPC)
                return err;
        }
        if (layer->rtx_ssrc) {
            err = learn(r, layer->rtx_ssrc, (struct route){.section = at, .layer = i, .rtx = true});
            if (err < 0 && err != -ENOSPC)
                return err;
        }
    }
    return 0;
}

static void note_payload_type(struct routing *r, uint8_t pt, uint8_t section)
{
    uint8_t *place = &r->section_of_pt[pt & 0x7f];

    if (*place == ROUTING_NONE)
        *place = section;
    else if (*place != section)
        *place = ROUTING_MANY;
}

static void note_section(struct routing *r, uint8_t at, const struct plan_section *section)
{
    for (size_t i = 0; i < section->n_codecs; i++) {
        note_payload_type(r, section->codecs[i].pt, at);
        if (section->codecs[i].rtx_pt)
            note_payload_type(r, section->codecs[i].rtx_pt, at);
    }
}

void routing_extensions(const struct media_plan *plan, struct extension_map *ret)
{
    *ret = (struct extension_map){{0}};
    for (size_t i = 0; i < plan->n_sections; i++) {
        const struct extension_map *ids = &plan->sections[i].extensions;

        for (size_t k = 0; k < EXTENSION_COUNT && publishes(plan, i); k++) {
            if (ret->id[k] == 0)
                ret->id[k] = ids->id[k];
        }
    }
}

int routing_set_plan(struct routing *r, const struct media_plan *plan)
{
    int err = 0;

    if (r->plan)
        forget_ended(r, plan);
    r->plan = plan;
    routing_extensions(plan, &r->extensions);
    memset(r->section_of_pt, ROUTING_NONE, sizeof(r->section_of_pt));
    for (size_t i = 0; i < plan->n_sections; i++) {
        if (!publishes(plan, i))
            continue;
        note_section(r, (uint8_t)i, &plan->sections[i]);
        err = learn_section(r, (uint8_t)i, &plan->sections[i]);
        if (err < 0)
            return err;
    }
    return 0;
}

static bool is_rtx_pt(const struct plan_section *section, uint8_t pt)
{
    for (size_t i = 0; i < section->n_codecs; i++) {
        if (section->codecs[i].rtx_pt && section->codecs[i].rtx_pt == pt)
            return true;
    }
    return false;
}

/* @return the value of `extension` in `packet` [*len bytes], or NULL */
static const char *text_of(const struct routing *r, const struct packet *packet,
                           enum extension extension, size_t *len)
{
    const struct rtp_extension *e;

    e = rtp_find_extension(&packet->rtp, r->extensions.id[extension]);
    if (!e || e->len == 0)
        return NULL;
    *len = e->len;
    return (const char *)packet->data + e->offset;
}

static bool equals(const char *name, const char *text, size_t len)
{
    return strlen(name) == len && memcmp(name, text, len) == 0;
}

static int find_layer(const struct plan_section *section, const char *rid, size_t len)
{
    for (int i = 0; i < section->n_layers; i++) {
        if (equals(section->layers[i].rid, rid, len))
            return i;
    }
    return -ENOENT;
}

/* The layer by rid or repaired-rid, or the only one there is. */
static int choose_layer(const struct routing *r, const struct packet *packet, struct route *ret)
{
    const struct plan_section *section = section_of(r, ret->section);
    const char *rid;
    size_t len;
    int layer;

    ret->rtx = is_rtx_pt(section, packet->rtp.pt);
    ret->layer = 0;
    if (section->n_layers == 1)
        return 0;
    rid = text_of(r, packet, ret->rtx ? EXTENSION_REPAIRED_RID : EXTENSION_RID, &len);
    if (!rid)
        return -ENOENT;
    layer = find_layer(section, rid, len);
    if (layer < 0)
        return layer;
    ret->layer = (uint8_t)layer;
    return 0;
}

static int choose_section(const struct routing *r, const struct packet *packet, struct route *ret)
{
    size_t len;
    const char *mid = text_of(r, packet, EXTENSION_MID, &len);
    uint8_t section = r->section_of_pt[packet->rtp.pt];

    for (size_t i = 0; mid && i < r->plan->n_sections; i++) {
        if (publishes(r->plan, i) && equals(r->plan->sections[i].mid, mid, len)) {
            ret->section = (uint8_t)i;
            return 0;
        }
    }
    if (mid || section == ROUTING_NONE || section == ROUTING_MANY)
        return -ENOENT;
    ret->section = section;
    return 0;
}

int routing_find(struct routing *r, const struct packet *packet, struct route *ret)
{
    size_t at = find_ssrc(r, packet->rtp.ssrc);
    struct route route = {0};
    int err;

    if (at < r->n_ssrcs) {
        *ret = r->routes[at];
        return 0;
    }
    /* Chrome probes before any media with padding on SSRCs it told nobody, 0 among them. */
    if (!r->plan || packet->rtp.ssrc == 0 || packet->rtp.payload_len == 0)
        return -ENOENT;
    err = choose_section(r, packet, &route);
    if (err < 0)
        return err;
    err = choose_layer(r, packet, &route);
    if (err < 0)
        return err;
    err = learn(r, packet->rtp.ssrc, route);
    if (err < 0)
        return err;
    *ret = route;
    return 0;
}

int routing_find_ssrc(const struct routing *r, uint32_t ssrc, struct route *ret)
{
    size_t at = find_ssrc(r, ssrc);

    if (at == r->n_ssrcs || r->routes[at].rtx)
        return -ENOENT;
    *ret = r->routes[at];
    return 0;
}
