#include "sfu/connection.h"

#include "media/packet.h"
#include "media/rtp.h"
#include "sfu/core.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void end(struct connection *c, enum peer_state state, const char *reason)
{
    if (c->ended)
        return;
    c->ended = true;
    c->end = state;
    (void)snprintf(c->reason, sizeof(c->reason), "%s", reason);
}

static void on_send(void *owner, const uint8_t *data, size_t len)
{
    struct connection *c = owner;

    /* A full queue is counted by egress; DTLS and RTCP both repeat what matters. */
    if (egress_push_datagram(c->core->egress, &c->egress.to, &c->egress.from, data, len) < 0)
        c->core->stats.drop_queue++;
}

static void on_state(void *owner, enum transport_state state)
{
    struct connection *c = owner;

    switch (state) {
    case TRANSPORT_NEW:
    case TRANSPORT_CONNECTING:
        break;
    case TRANSPORT_CONNECTED:
        c->egress.session = transport_seal_session(c->transport);
        c->handler->on_connected(c->owner);
        break;
    case TRANSPORT_FAILED:
        end(c, PEER_FAILED, transport_error(c->transport));
        break;
    case TRANSPORT_CLOSED:
        end(c, PEER_CLOSED, "the peer closed the connection");
        break;
    }
}

static void on_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    struct connection *c = owner;

    c->handler->on_rtp(c->owner, packet, now_us);
}

static void on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    struct connection *c = owner;

    c->handler->on_rtcp(c->owner, data, len, now_us);
}

static const struct transport_handler transport_handler = {
    .send = on_send,
    .on_state = on_state,
    .on_rtp = on_rtp,
    .on_rtcp = on_rtcp,
};

static int read_fingerprint(struct dtls_fingerprint *ret, const struct plan_fingerprint *from)
{
    static const struct {
        const char *name;
        enum fingerprint_hash hash;
    } hashes[] = {
        {"sha-256", FINGERPRINT_SHA256},
        {"sha-384", FINGERPRINT_SHA384},
        {"sha-512", FINGERPRINT_SHA512},
    };

    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        if (strcmp(from->hash, hashes[i].name) != 0 || from->len > sizeof(ret->bytes))
            continue;
        *ret = (struct dtls_fingerprint){.hash = hashes[i].hash, .len = from->len};
        memcpy(ret->bytes, from->bytes, from->len);
        return 0;
    }
    return -EINVAL;
}

static void ice_done(struct connection *c, struct connection_ice *side)
{
    side->ice = ice_lite_free(side->ice);
    demux_remove(c->core->demux, &side->peer);
}

/* Fill `side` from `mail`, and make it known. */
static int ice_init(struct connection *c, struct connection_ice *side, const struct mail_join *mail,
                    int64_t now_us)
{
    int err;

    *side = (struct connection_ice){0};
    (void)snprintf(side->local.ufrag, sizeof(side->local.ufrag), "%s", mail->ufrag);
    (void)snprintf(side->local.pwd, sizeof(side->local.pwd), "%s", mail->pwd);
    (void)snprintf(side->remote.ufrag, sizeof(side->remote.ufrag), "%s", mail->plan->ufrag);
    (void)snprintf(side->remote.pwd, sizeof(side->remote.pwd), "%s", mail->plan->pwd);
    err = ice_lite_new(&side->ice, &side->local, &side->remote, now_us);
    if (err < 0)
        return err;
    if (side == &c->next && strcmp(side->local.ufrag, c->now.local.ufrag) == 0)
        return 0;
    err = demux_add(c->core->demux, &side->peer, side->local.ufrag, c->owner);
    if (err < 0)
        side->ice = ice_lite_free(side->ice);
    return err;
}

int connection_init(struct connection *c, struct core *core, const struct mail_join *mail,
                    const struct connection_handler *handler, void *owner, int64_t now_us)
{
    struct transport_config config = {
        .identity = core->config.identity,
        .dtls_client = mail->plan->dtls_client,
    };
    int err;

    *c = (struct connection){
        .core = core,
        .handler = handler,
        .owner = owner,
        .since_us = now_us,
    };
    egress_peer_init(&c->egress);
    err = read_fingerprint(&config.fingerprint, &mail->plan->fingerprint);
    if (err < 0)
        return err;
    err = transport_new(&c->transport, &config, &transport_handler, c);
    if (err < 0)
        return err;
    return ice_init(c, &c->now, mail, now_us);
}

void connection_done(struct connection *c)
{
    if (!c->core)
        return;
    egress_peer_done(c->core->egress, &c->egress);
    c->egress.session = NULL;
    c->transport = transport_free(c->transport);
    ice_done(c, &c->now);
    ice_done(c, &c->next);
}

int connection_restart_ice(struct connection *c, const struct mail_join *mail, int64_t now_us)
{
    const struct connection_ice *newest = c->next.ice ? &c->next : &c->now;

    if (strcmp(newest->local.ufrag, mail->ufrag) == 0 &&
        strcmp(newest->remote.ufrag, mail->plan->ufrag) == 0 &&
        strcmp(newest->remote.pwd, mail->plan->pwd) == 0)
        return 0;
    ice_done(c, &c->next);
    return ice_init(c, &c->next, mail, now_us);
}

/* A check with the new credentials nominated a path: the old ones are over. */
static void adopt_next(struct connection *c)
{
    bool shares_ufrag = c->next.peer.ufrag[0] == '\0';

    c->now.ice = ice_lite_free(c->now.ice);
    c->now.ice = c->next.ice;
    c->now.local = c->next.local;
    c->now.remote = c->next.remote;
    c->next.ice = NULL;
    if (!shares_ufrag && demux_rename(c->core->demux, &c->now.peer, &c->next.peer) < 0)
        end(c, PEER_FAILED, "out of memory");
}

static void feed_early(struct connection *c, const struct sockaddr_storage *from, int64_t now_us)
{
    struct packet *early = demux_take_early(c->core->demux, from, now_us);

    while (early) {
        connection_receive(c, early, now_us);
        packet_unref(early);
        early = demux_take_early(c->core->demux, from, now_us);
    }
}

/* Does a check from there change where media goes? */
static bool moves_path(const struct connection *c, const struct sockaddr_storage *from,
                       bool nominates, int64_t now_us)
{
    if (nominates || c->egress.to.ss_family == AF_UNSPEC)
        return true;
    return now_us - c->heard_us >= CONNECTION_SILENT_US && !address_equal(&c->egress.to, from);
}

/* A check proved where it came from: take datagrams from there, and send there if it is the path to
 * use. Peers drop what comes from another address of ours than the one they sent to, so that one is
 * half of the path; a check of another pair than the nominated one must not change it.
 */
static void use_path(struct connection *c, const struct packet *check, bool nominates,
                     int64_t now_us)
{
    const struct sockaddr_storage *from = &check->from;

    if (demux_bind(c->core->demux, &c->now.peer, from, now_us) < 0) {
        c->core->stats.drop_ice++;
        return;
    }
    c->checked = true;
    ice_lite_keep(c->now.ice, now_us);
    if (moves_path(c, from, nominates, now_us)) {
        c->egress.to = *from;
        c->egress.from = check->to;
    }
    if (address_equal(&c->egress.to, from))
        c->heard_us = now_us;
    transport_start(c->transport, now_us);
    feed_early(c, from, now_us);
}

void connection_receive_stun(struct connection *c, struct packet *packet, int64_t now_us)
{
    uint8_t reply[ICE_REPLY_MAX];
    struct ice_result result = {0};
    int err = -EPERM;

    if (c->ended)
        return;
    if (c->next.ice) {
        err = ice_lite_receive(c->next.ice, packet->data, packet->len, &packet->from, now_us, reply,
                               &result);
        if (err == 0 && result.nominates)
            adopt_next(c);
    }
    if (err < 0)
        err = ice_lite_receive(c->now.ice, packet->data, packet->len, &packet->from, now_us, reply,
                               &result);
    if (err < 0 || c->ended) {
        c->core->stats.drop_ice++;
        return;
    }
    if (result.reply_len > 0 && egress_push_datagram(c->core->egress, &packet->from, &packet->to,
                                                     reply, result.reply_len) < 0)
        c->core->stats.drop_queue++;
    use_path(c, packet, result.nominates, now_us);
}

int connection_open_path(struct connection *c, const struct sockaddr_storage *path, int64_t now_us)
{
    int err = demux_bind(c->core->demux, &c->now.peer, path, now_us);

    if (err < 0 || c->ended)
        return err;
    c->checked = true;
    c->egress.to = *path;
    c->egress.from = (struct local_address){0};
    c->heard_us = now_us;
    ice_lite_keep(c->now.ice, now_us);
    transport_start(c->transport, now_us);
    feed_early(c, path, now_us);
    return 0;
}

void connection_receive(struct connection *c, struct packet *packet, int64_t now_us)
{
    enum datagram_kind kind = datagram_kind(packet->data, packet->len);

    if (c->ended)
        return;
    if (transport_receive(c->transport, packet, now_us) < 0) {
        c->core->stats.drop_transport++;
    } else if (kind != DATAGRAM_DTLS && now_us != c->kept_us &&
               address_equal(&packet->from, &c->egress.to)) {
        c->kept_us = c->heard_us = now_us; /* once in a turn will do */
        ice_lite_keep(c->now.ice, now_us);
        demux_keep(c->core->demux, &packet->from, now_us);
    }
}

/* @return when the peer's silence lasts too long [us] */
static int64_t silence_deadline(const struct connection *c)
{
    return c->checked ? ice_lite_consent_deadline(c->now.ice) : c->since_us + FORWARDER_CONNECT_US;
}

static void end_silent(struct connection *c)
{
    char reason[sizeof(c->reason)];

    if (c->checked) {
        end(c, PEER_CONSENT_LOST, "no sign of life for 30 s");
        return;
    }
    (void)snprintf(reason, sizeof(reason),
                   "no connectivity check arrived; is UDP port %" PRIu16 " reachable?",
                   c->core->config.port);
    end(c, PEER_FAILED, reason);
}

int64_t connection_advance(struct connection *c, int64_t now_us)
{
    int64_t silence_us = silence_deadline(c);
    int64_t transport_us;

    if (!c->ended && silence_us <= now_us)
        end_silent(c);
    if (c->ended)
        return NEVER_US;
    transport_us = transport_advance(c->transport, now_us);
    return transport_us < silence_us ? transport_us : silence_us;
}

bool connection_is_up(const struct connection *c)
{
    return c->egress.session && !c->ended;
}

void connection_close(struct connection *c)
{
    c->ended = true;
    if (c->transport && c->egress.to.ss_family != AF_UNSPEC)
        transport_close(c->transport);
}
