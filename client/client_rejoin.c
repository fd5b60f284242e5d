#include "client/client_internal.h"

#include "client/call.h"
#include "client/client.h"
#include "client/options.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Joining anew after the call, or its media, was lost: the server was started again, or the network
 * is another one. */

enum {
    PAUSE_MIN_MS = 1000, /* of the first try at most; it doubles */
    PAUSE_DOUBLINGS = 4,
};

static const int64_t GIVE_UP_US = 60 * SECOND;

/* Random, so that not all come at the same time. */
static uint32_t choose_pause(const struct client *c)
{
    uint32_t doublings = c->rejoin.tries < PAUSE_DOUBLINGS ? c->rejoin.tries : PAUSE_DOUBLINGS;
    uint32_t told_ms = call_rejoin(c->call)->after_ms;

    return told_ms > 0 ? told_ms : random_u32() % (PAUSE_MIN_MS << doublings);
}

static bool may_rejoin(const struct client *c)
{
    if (c->options->no_reconnect || c->peer || c->ended || c->kill_us != NEVER_US)
        return false;
    return c->rejoin.had_media &&
           (call_state(c->call) != CALL_ENDED || call_rejoin(c->call)->allowed);
}

/* What the old call knows and the new one needs. */
static void keep_words(struct client *c)
{
    struct client_rejoin *r = &c->rejoin;
    const struct call_rejoin *told = call_rejoin(c->call);

    if (told->room[0])
        memcpy(r->room, told->room, sizeof(r->room));
    if (told->token[0]) {
        free(r->token);
        r->token = strdup(told->token);
    }
}

bool client_rejoin_later(struct client *c, int64_t now_us)
{
    struct client_rejoin *r = &c->rejoin;
    uint32_t pause_ms;

    if (r->leaving)
        return true;
    if (!may_rejoin(c))
        return false;
    if (!r->since_us) {
        r->since_us = now_us;
        r->tries = 0;
    }
    if (now_us - r->since_us >= GIVE_UP_US)
        return false;
    pause_ms = choose_pause(c);
    log_warn("client", "the call was lost, joining anew: pause_ms=%" PRIu32 " reason=\"%s\"",
             pause_ms, call_error(c->call));
    r->tries++;
    r->due_us = now_us + pause_ms * MS;
    r->leaving = true;
    keep_words(c);
    call_leave(c->call); /* media alone may have failed: the old place is not needed */
    client_arm(c, r->due_us);
    return true;
}

void client_rejoin_advance(struct client *c, int64_t now_us)
{
    struct client_rejoin *r = &c->rejoin;
    char why[CLIENT_REASON_MAX + 1];

    if (now_us < r->due_us || c->kill_us != NEVER_US)
        return;
    r->due_us = NEVER_US;
    r->leaving = false;
    client_disconnect(c);
    verdict_init(&c->verdict, c->options, now_us);
    if (client_connect(c) < 0) {
        memcpy(why, c->reason, sizeof(why)); /* it is written there again */
        client_end(c, CLIENT_FAILED, "%s", why);
    }
}

void client_rejoin_done(struct client *c)
{
    if (c->rejoin.since_us) {
        log_info("client", "joined anew: tries=%" PRIu32 " away_ms=%" PRId64, c->rejoin.tries,
                 (clock_now_us() - c->rejoin.since_us) / MS);
    }
    c->rejoin.had_media = true;
    c->rejoin.since_us = 0;
}
