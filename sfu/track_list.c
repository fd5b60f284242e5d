#include "sfu/track_list.h"

#include "sfu/refuse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct plan_section *find_section(const struct media_plan *plan, const char *mid)
{
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        if (strcmp(plan->sections[i].mid, mid) == 0)
            return &plan->sections[i];
    }
    return NULL;
}

static const struct message_track_offer *find_description(
    const struct message_track_offer *descriptions, uint32_t n, const char *mid)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(descriptions[i].mid, mid) == 0)
            return &descriptions[i];
    }
    return NULL;
}

static const struct message_track *find_known(const struct message_track *known, uint32_t n,
                                              const struct plan_section *section)
{
    for (uint32_t i = 0; i < n; i++) {
        if (known[i].kind == section->kind && strcmp(known[i].mid, section->mid) == 0)
            return &known[i];
    }
    return NULL;
}

/* @return what is wrong with it, NULL: nothing */
static const char *judge(const struct plan_section *section,
                         const struct message_track_offer *description)
{
    if (!section)
        return "is not in the offer";
    if (section->use == SECTION_REJECTED)
        return NULL;
    if (section->use != SECTION_PUBLISH)
        return "is not sent by you";
    if (section->kind != description->kind)
        return section->kind == KIND_AUDIO ? "is audio in the offer" : "is video in the offer";
    return NULL;
}

int track_list_check(const struct media_plan *plan, const struct message_track_offer *descriptions,
                     uint32_t n, struct message *error)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct message_track_offer *description = &descriptions[i];
        const char *wrong = judge(find_section(plan, description->mid), description);

        if (find_description(descriptions, i, description->mid))
            wrong = "is described twice";
        if (!wrong)
            continue;
        return refuse(error, "bad_track", "tracks: the m-line with mid \"%s\" %s", description->mid,
                      wrong);
    }
    return 0;
}

static const char *usual_source(enum media_kind kind)
{
    return kind == KIND_AUDIO ? "microphone" : "camera";
}

static const char *source_of(const struct plan_section *section,
                             const struct message_track_offer *description,
                             const struct message_track *known)
{
    if (description && description->source[0])
        return description->source;
    return known ? known->source : usual_source(section->kind);
}

const char *track_list_source(const struct plan_section *section,
                              const struct message_track_offer *descriptions, uint32_t n,
                              const struct message_track *known, uint32_t n_known)
{
    return source_of(section, find_description(descriptions, n, section->mid),
                     find_known(known, n_known, section));
}

static struct message_track make_track(const struct plan_section *section,
                                       const struct message_track_offer *description,
                                       const struct message_track *known)
{
    struct message_track track = {.kind = section->kind, .max_bps = section->max_bps};
    const char *source = source_of(section, description, known);

    (void)snprintf(track.mid, sizeof(track.mid), "%s", section->mid);
    (void)snprintf(track.source, sizeof(track.source), "%s", source);
    track.muted = description ? description->muted : known && known->muted;
    return track;
}

uint32_t track_list_make(const struct media_plan *plan,
                         const struct message_track_offer *descriptions, uint32_t n,
                         const struct message_track *known, uint32_t n_known,
                         struct message_track ret[MESSAGE_MAX_TRACKS])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < plan->n_sections && count < MESSAGE_MAX_TRACKS; i++) {
        const struct plan_section *section = &plan->sections[i];

        if (section->use != SECTION_PUBLISH)
            continue;
        ret[count++] = make_track(section, find_description(descriptions, n, section->mid),
                                  find_known(known, n_known, section));
    }
    return count;
}

uint32_t track_list_count(const struct media_plan *plan, enum section_use use)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < plan->n_sections; i++)
        count += plan->sections[i].use == use;
    return count;
}
