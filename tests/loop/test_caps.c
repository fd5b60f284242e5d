/* How much a publisher may send, as it hears of it from the worker: by REMB, where it takes nothing
 * else. */

#include "media/base/clock.h"
#include "sfu/mail.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"

#include <stdlib.h>

enum { ROOM = 1, AUDIO = 0, VIDEO = 1, AUDIO_BPS = 64000 };

static struct fake_world *w;
static struct fake_peer *a;

static void begin(void)
{
    static const struct netem_config perfect = {.seed = 1, .delay_us = 10 * MS};

    w = fake_world_new(&perfect, NULL);
    a = fake_peer_new(w, 1, 1, 0, 0);
    a->wants_remb = true;
    a->strips_extensions = true; /* so that there is no other feedback */
}

/* Let it come, and another second pass. @return what REMB says now [bit/s] */
static uint64_t heard_bps(void)
{
    uint64_t before = a->remb;

    fake_world_run(w, 3 * SECOND);
    CHECK(a->remb > before);
    return a->remb_bps;
}

static void end(void)
{
    (void)fake_world_free(w);
}

static void send_cap(uint32_t track, uint32_t max_bps)
{
    struct mail_cap *mail = calloc(1, sizeof(*mail));

    CHECK(mail);
    mail->mail.type = MAIL_CAP;
    mail->participant = a->id;
    mail->track = track;
    mail->max_bps = max_bps;
    fake_world_send(w, 0, &mail->mail);
}

/* REMB has 18 bits of precision. */
static bool is_about(uint64_t bps, uint64_t wanted_bps)
{
    return bps > wanted_bps - wanted_bps / 1000 && bps <= wanted_bps;
}

static void without_limits_much_may_be_sent(void)
{
    begin();
    fake_peer_offer(a, ROOM);
    CHECK(is_about(heard_bps(), 5000000));
    end();
}

static void limits_of_the_offer_are_added_up(void)
{
    begin();
    fake_peer_offer(a, ROOM);
    a->tracks[VIDEO].max_bps = 500000;
    fake_peer_offer(a, ROOM);
    CHECK(is_about(heard_bps(), 500000 + AUDIO_BPS));
    a->tracks[AUDIO].max_bps = 20000;
    fake_peer_offer(a, ROOM);
    CHECK(is_about(heard_bps(), 520000));
    end();
}

static void a_limit_can_change_and_go(void)
{
    begin();
    fake_peer_offer(a, ROOM);
    send_cap(a->tracks[VIDEO].id, 300000);
    CHECK(is_about(heard_bps(), 300000 + AUDIO_BPS));
    send_cap(a->tracks[VIDEO].id, 4000000000);
    CHECK(is_about(heard_bps(), 5000000));
    send_cap(a->tracks[VIDEO].id, 0);
    CHECK(is_about(heard_bps(), 5000000));
    end();
}

static void limits_of_what_is_gone_are_passed_over(void)
{
    begin();
    send_cap(4711, 300000); /* has not joined */
    fake_peer_offer(a, ROOM);
    send_cap(4711, 300000);
    CHECK(is_about(heard_bps(), 5000000));
    end();
}

TAP_CASES(CASE(without_limits_much_may_be_sent), CASE(limits_of_the_offer_are_added_up),
          CASE(a_limit_can_change_and_go), CASE(limits_of_what_is_gone_are_passed_over))
