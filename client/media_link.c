#include "client/media_link.h"

#include "media/base/clock.h"
#include "media/egress.h"
#include "media/packet.h"
#include "media/transport.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_PACKETS = 16384 }; /* stores of what we sent, and video that waits to be complete */

/* What the peer said of itself. */
struct remote {
    bool known;
    uint32_t n_candidates;
    struct ice_credentials credentials;
    struct ice_candidate candidates[PLAN_MAX_CANDIDATES];
};

struct media_link {
    const struct media_link_handler *handler;
    void *owner;
    enum media_link_state state;
    char error[160];
    struct ice_agent *ice;
    struct remote remote;
    struct dtls_identity *identity;
    struct transport *transport; /* NULL before media_link_connect() */
    struct packet_pool *pool;
    struct egress *egress;
    struct egress_peer peer;
    struct rtp_path path;
    int64_t now_us; /* of the call we are in: what comes in by it arrived now */
    struct media_link_stats stats;
};

const char *media_link_state_name(enum media_link_state state)
{
    static const char *const names[] = {
        [LINK_NEW] = "new",
        [LINK_GATHERING] = "gathering",
        [LINK_GATHERED] = "gathered",
        [LINK_CHECKING] = "checking",
        [LINK_CONNECTING] = "connecting",
        [LINK_CONNECTED] = "connected",
        [LINK_FAILED] = "failed",
    };

    return names[state];
}

static void set_state(struct media_link *l, enum media_link_state state)
{
    assert(state > l->state);
    l->state = state;
    l->handler->on_state(l->owner, state);
}

static void fail(struct media_link *l, const char *error)
{
    if (l->state == LINK_FAILED)
        return;
    (void)snprintf(l->error, sizeof(l->error), "%s", error);
    set_state(l, LINK_FAILED);
}

static void send_datagram(struct media_link *l, const uint8_t *data, size_t len)
{
    if (ice_agent_send(l->ice, data, len) < 0) {
        l->stats.send_errors++;
        return;
    }
    l->stats.sent_packets++;
    l->stats.sent_bytes += len;
}

static void on_egress(void *owner, const struct datagram *datagrams, size_t n)
{
    for (size_t i = 0; i < n; i++)
        send_datagram(owner, datagrams[i].data, datagrams[i].len);
}

static void on_transport_send(void *owner, const uint8_t *data, size_t len)
{
    send_datagram(owner, data, len);
}

static void on_transport_state(void *owner, enum transport_state state)
{
    struct media_link *l = owner;

    switch (state) {
    case TRANSPORT_NEW:
    case TRANSPORT_CONNECTING:
        break;
    case TRANSPORT_CONNECTED:
        l->peer.session = transport_seal_session(l->transport);
        set_state(l, LINK_CONNECTED);
        break;
    case TRANSPORT_FAILED:
        (void)snprintf(l->error, sizeof(l->error), "DTLS failed: %s",
                       transport_error(l->transport));
        set_state(l, LINK_FAILED);
        break;
    case TRANSPORT_CLOSED:
        fail(l, "the server closed the media connection");
        break;
    }
}

static void on_transport_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    struct media_link *l = owner;

    l->handler->on_rtp(l->owner, packet, now_us);
}

static void on_transport_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    struct media_link *l = owner;

    l->handler->on_rtcp(l->owner, data, len, now_us);
}

static const struct transport_handler transport_handler = {
    .send = on_transport_send,
    .on_state = on_transport_state,
    .on_rtp = on_transport_rtp,
    .on_rtcp = on_transport_rtcp,
};

static int begin_checks(struct media_link *l)
{
    return ice_agent_set_remote(l->ice, &l->remote.credentials, l->remote.candidates,
                                l->remote.n_candidates);
}

static void on_ice_state(void *owner, enum ice_state state)
{
    struct media_link *l = owner;

    switch (state) {
    case ICE_NEW:
        break;
    case ICE_GATHERING:
        set_state(l, LINK_GATHERING);
        break;
    case ICE_GATHERED:
        set_state(l, LINK_GATHERED);
        if (l->state == LINK_GATHERED && l->remote.known && begin_checks(l) < 0)
            fail(l, "the peer's addresses or credentials cannot be used");
        break;
    case ICE_CHECKING:
        set_state(l, LINK_CHECKING);
        break;
    case ICE_CONNECTED:
        set_state(l, LINK_CONNECTING);
        transport_start(l->transport, l->now_us);
        break;
    case ICE_FAILED:
        fail(l, ice_agent_error(l->ice));
        break;
    }
}

static void on_ice_data(void *owner, const uint8_t *data, size_t len)
{
    struct media_link *l = owner;
    struct packet *packet;

    l->stats.received_packets++;
    l->stats.received_bytes += len;
    if (!l->transport || len > PACKET_CAPACITY)
        return;
    packet = packet_new(l->pool);
    if (!packet)
        return;
    memcpy(packet->data, data, len);
    packet->len = (uint16_t)len;
    packet->arrival_us = l->now_us;
    if (transport_receive(l->transport, packet, l->now_us) < 0)
        l->stats.bad_packets++;
    packet_unref(packet);
}

static const struct ice_agent_handler ice_handler = {
    .on_state = on_ice_state,
    .on_data = on_ice_data,
};

int media_link_new(struct media_link **ret, const struct ice_agent_config *ice,
                   const struct media_link_handler *handler, void *owner)
{
    struct media_link *l = calloc(1, sizeof(*l));
    int err = -ENOMEM;

    if (!l)
        return -ENOMEM;
    l->handler = handler;
    l->owner = owner;
    egress_peer_init(&l->peer);
    l->pool = packet_pool_new(POOL_PACKETS);
    l->egress = egress_new(on_egress, l);
    if (!l->pool || !l->egress)
        goto fail;
    l->path = (struct rtp_path){.egress = l->egress, .peer = &l->peer};
    err = dtls_identity_new(&l->identity);
    if (err < 0)
        goto fail;
    err = ice_agent_new(&l->ice, ice, &ice_handler, l);
    if (err < 0)
        goto fail;
    *ret = l;
    return 0;
fail:
    media_link_free(l);
    return err;
}

struct media_link *media_link_free(struct media_link *l)
{
    bool was_connected;

    if (!l)
        return NULL;
    if (l->egress)
        egress_peer_done(l->egress, &l->peer);
    was_connected = l->state == LINK_CONNECTED;
    l->state = LINK_FAILED; /* so that closing is no news to our owner */
    if (was_connected)
        transport_close(l->transport);
    l->transport = transport_free(l->transport);
    l->ice = ice_agent_free(l->ice);
    l->identity = dtls_identity_free(l->identity);
    l->egress = egress_free(l->egress);
    l->pool = packet_pool_free(l->pool);
    free(l);
    return NULL;
}

int media_link_gather(struct media_link *l, const struct ice_agent_servers *servers, int64_t now_us)
{
    int err = ice_agent_set_servers(l->ice, servers);

    if (err < 0)
        return err;
    l->now_us = now_us;
    return ice_agent_gather(l->ice, now_us);
}

static struct plan_candidate plan_candidate_of(const struct ice_candidate *candidate)
{
    struct plan_candidate plan = {
        .port = candidate->port,
        .component = 1,
        .tcp = candidate->transport != ICE_UDP,
        .tcp_passive = candidate->transport == ICE_TCP_PASSIVE,
        .priority = candidate->priority,
    };

    (void)snprintf(plan.address, sizeof(plan.address), "%s", candidate->address);
    (void)snprintf(plan.type, sizeof(plan.type), "%s", ice_candidate_type_name(candidate->type));
    (void)snprintf(plan.foundation, sizeof(plan.foundation), "%s", candidate->foundation);
    return plan;
}

void media_link_describe(const struct media_link *l, struct negotiation_local *ret)
{
    const struct ice_credentials *credentials = ice_agent_credentials(l->ice);
    const struct dtls_fingerprint *fingerprint = dtls_identity_fingerprint(l->identity);
    struct ice_candidate candidates[PLAN_MAX_CANDIDATES];

    (void)snprintf(ret->ufrag, sizeof(ret->ufrag), "%s", credentials->ufrag);
    (void)snprintf(ret->pwd, sizeof(ret->pwd), "%s", credentials->pwd);
    ret->ice_lite = false;
    ret->n_candidates = (uint32_t)ice_agent_candidates(l->ice, candidates, PLAN_MAX_CANDIDATES);
    for (uint32_t i = 0; i < ret->n_candidates; i++)
        ret->candidates[i] = plan_candidate_of(&candidates[i]);
    ret->fingerprint = (struct plan_fingerprint){.hash = "sha-256", .len = fingerprint->len};
    assert(fingerprint->hash == FINGERPRINT_SHA256);
    memcpy(ret->fingerprint.bytes, fingerprint->bytes, fingerprint->len);
}

static int read_fingerprint(const struct plan_fingerprint *plan, struct dtls_fingerprint *ret)
{
    static const char *const hashes[] = {
        [FINGERPRINT_SHA256] = "sha-256",
        [FINGERPRINT_SHA384] = "sha-384",
        [FINGERPRINT_SHA512] = "sha-512",
    };

    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        if (strcmp(plan->hash, hashes[i]) != 0 || plan->len > sizeof(ret->bytes))
            continue;
        ret->hash = (enum fingerprint_hash)i;
        ret->len = plan->len;
        memcpy(ret->bytes, plan->bytes, plan->len);
        return 0;
    }
    return -EINVAL;
}

static struct ice_candidate ice_candidate_of(const struct plan_candidate *plan)
{
    int type = ice_candidate_type_parse(plan->type);
    struct ice_candidate candidate = {
        .type = type < 0 ? ICE_HOST : (enum ice_candidate_type)type,
        .transport = !plan->tcp          ? ICE_UDP
                     : plan->tcp_passive ? ICE_TCP_PASSIVE
                                         : ICE_TCP_ACTIVE,
        .port = plan->port,
        .priority = plan->priority,
    };

    (void)snprintf(candidate.address, sizeof(candidate.address), "%s", plan->address);
    (void)snprintf(candidate.foundation, sizeof(candidate.foundation), "%s", plan->foundation);
    return candidate;
}

static void keep_remote(struct media_link *l, const struct media_plan *plan)
{
    struct remote *remote = &l->remote;

    (void)snprintf(remote->credentials.ufrag, sizeof(remote->credentials.ufrag), "%s", plan->ufrag);
    (void)snprintf(remote->credentials.pwd, sizeof(remote->credentials.pwd), "%s", plan->pwd);
    for (uint32_t i = 0; i < plan->n_candidates; i++)
        remote->candidates[i] = ice_candidate_of(&plan->candidates[i]);
    remote->n_candidates = plan->n_candidates;
    remote->known = true;
}

int media_link_connect(struct media_link *l, const struct media_plan *plan, int64_t now_us)
{
    struct transport_config config = {.identity = l->identity, .dtls_client = plan->dtls_client};
    int err = read_fingerprint(&plan->fingerprint, &config.fingerprint);

    if (err < 0)
        return err;
    l->now_us = now_us;
    err = transport_new(&l->transport, &config, &transport_handler, l);
    if (err < 0)
        return err;
    keep_remote(l, plan);
    return l->state == LINK_GATHERED ? begin_checks(l) : 0;
}

int media_link_fd(const struct media_link *l)
{
    return ice_agent_fd(l->ice);
}

int64_t media_link_advance(struct media_link *l, int64_t now_us)
{
    int64_t ice_us;
    int64_t transport_us = NEVER_US;

    l->now_us = now_us;
    ice_us = ice_agent_advance(l->ice, now_us);
    if (l->state == LINK_CONNECTING || l->state == LINK_CONNECTED)
        transport_us = transport_advance(l->transport, now_us);
    egress_flush(l->egress);
    return ice_us < transport_us ? ice_us : transport_us;
}

struct rtp_path *media_link_path(struct media_link *l)
{
    return &l->path;
}

struct packet_pool *media_link_pool(struct media_link *l)
{
    return l->pool;
}

void media_link_flush(struct media_link *l)
{
    egress_flush(l->egress);
}

int media_link_send_rtcp(struct media_link *l, const uint8_t *data, size_t len)
{
    return l->transport ? transport_send_rtcp(l->transport, data, len) : -ENOTCONN;
}

enum media_link_state media_link_state(const struct media_link *l)
{
    return l->state;
}

const char *media_link_error(const struct media_link *l)
{
    return l->error;
}

struct media_link_stats media_link_stats(const struct media_link *l)
{
    return l->stats;
}

int media_link_ice_path(const struct media_link *l, struct ice_path *ret)
{
    return ice_agent_path(l->ice, ret);
}

const char *media_link_cipher(const struct media_link *l)
{
    return l->state == LINK_CONNECTED ? srtp_profile_name(transport_profile(l->transport)) : "";
}
