/* A client that has missed too much: its worker tells again what it told. */

#include "media/base/clock.h"
#include "sfu/mail.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"

#include <stdlib.h>

enum { ROOM = 1, PUBLISHED = 2, SLOTS = 3 }; /* one sound, one picture; one and two to get them */

static const struct netem_config perfect = {.seed = 1, .delay_us = 5 * MS};

static struct fake_peer *join(struct fake_world *w)
{
    struct fake_peer *p = fake_peer_new(w, 1, 1, 1, 2);

    fake_peer_offer(p, ROOM);
    return p;
}

static void refresh(struct fake_peer *p)
{
    struct mail_participant *mail = calloc(1, sizeof(*mail));

    fake_must(mail, "memory");
    mail->mail.type = MAIL_REFRESH;
    mail->participant = p->id;
    fake_world_send(p->world, p->worker, &mail->mail);
}

/* Its client has lost all it knew; none of these values is one. */
static void forget(struct fake_peer *p)
{
    memset(p->track_of_section, 0xFF, sizeof(p->track_of_section));
    memset(p->reason_of_section, 0xFF, sizeof(p->reason_of_section));
}

static void slots_and_streams_are_told_again_as_they_are(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w);
    struct fake_peer *b = join(w);
    uint32_t tracks[FAKE_MAX_SECTIONS];
    uint32_t mails;

    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(a->track_of_section[PUBLISHED], b->tracks[0].id);
    memcpy(tracks, a->track_of_section, sizeof(tracks));
    mails = a->n_slot_mails;
    forget(a);
    refresh(a);
    fake_world_run(w, 500 * MS);
    CHECK_EQ(a->n_slot_mails, mails + 1);
    for (uint32_t i = PUBLISHED; i < PUBLISHED + SLOTS; i++) {
        CHECK_EQ(a->track_of_section[i], tracks[i]); /* an empty one, too */
        CHECK_EQ(a->reason_of_section[i], STREAM_ACTIVE);
    }
    mails = a->n_slot_mails + b->n_slot_mails;
    fake_world_run(w, 6 * SECOND);
    CHECK_EQ(a->n_slot_mails + b->n_slot_mails, mails); /* once, and to nobody else */
    fake_world_free(w);
}

static void what_is_needed_of_its_pictures_is_told_again(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w);
    struct fake_peer *b = join(w);
    uint32_t wants;

    fake_world_run(w, 2 * SECOND);
    fake_peer_leave(b); /* nobody wants it any more, and says so */
    fake_world_run(w, 5 * SECOND);
    wants = a->n_wants;
    CHECK(wants > 0);
    CHECK_EQ(a->want_of_section[1], 0);
    a->want_of_section[1] = 0xFF;
    refresh(a);
    fake_world_run(w, 6 * SECOND);
    CHECK_EQ(a->n_wants, wants + 1);
    CHECK_EQ(a->want_of_section[1], 0);
    fake_world_free(w);
}

static void slots_that_are_missing_are_asked_for_again(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w);
    uint32_t needs;

    for (int i = 0; i < 3; i++)
        (void)join(w);
    fake_world_run(w, 2 * SECOND);
    needs = a->n_needs;
    CHECK(needs > 0);
    refresh(a);
    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(a->n_needs, needs + 1);
    CHECK_EQ(a->need_audio, 3);
    CHECK_EQ(a->need_video, 3);
    fake_world_free(w);
}

static void who_is_gone_is_told_nothing(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w);
    uint32_t mails;

    fake_world_run(w, 1 * SECOND);
    fake_peer_leave(a);
    mails = a->n_slot_mails;
    refresh(a);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(a->n_slot_mails, mails);
    fake_world_free(w);
}

TAP_CASES(CASE(slots_and_streams_are_told_again_as_they_are),
          CASE(what_is_needed_of_its_pictures_is_told_again),
          CASE(slots_that_are_missing_are_asked_for_again), CASE(who_is_gone_is_told_nothing))
