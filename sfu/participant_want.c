#include "sfu/participant_want.h"

#include "media/base/clock.h"
#include "sfu/core.h"
#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/track.h"
#include "sfu/track_ladder.h"

#include <stdio.h>
#include <stdlib.h>

static void tell(struct participant *p, const struct track *t)
{
    struct mail_want *mail = calloc(1, sizeof(*mail));

    if (!mail) {
        p->core->stats.drop_memory++;
        return;
    }
    mail->mail.type = MAIL_WANT;
    mail->participant = p->id;
    mail->want.track = t->id;
    mail->want.n_layers = t->section->n_layers;
    for (uint8_t i = 0; i < t->section->n_layers; i++) {
        struct message_want_layer *layer = &mail->want.layers[i];

        (void)snprintf(layer->rid, sizeof(layer->rid), "%s", t->section->layers[i].rid);
        layer->active = t->want.told >> i & 1;
    }
    core_post(p->core, &mail->mail);
}

void participant_want_tell_all(struct participant *p)
{
    for (uint32_t i = 0; i < p->tracks.n; i++) {
        struct track *t = p->tracks.tracks[i];

        if (t->kind == KIND_VIDEO && t->want.spoke)
            tell(p, t);
    }
}

int64_t participant_want_advance(struct participant *p, int64_t now_us)
{
    int64_t next_us = NEVER_US;

    for (uint32_t i = 0; i < p->tracks.n; i++) {
        struct track *t = p->tracks.tracks[i];
        uint8_t needed;
        int64_t due_us;

        if (t->kind != KIND_VIDEO)
            continue;
        (void)track_update_wishes(t);
        needed = track_needed_layers(t, now_us);
        if (needed)
            needed |= 1; /* what is left at once where a path suddenly becomes narrow */
        if (layer_want_update(&t->want, needed, now_us))
            tell(p, t);
        due_us = layer_want_deadline(&t->want);
        next_us = due_us < next_us ? due_us : next_us;
    }
    return next_us;
}
