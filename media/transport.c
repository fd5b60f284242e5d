#include "media/transport.h"

#include "media/base/clock.h"
#include "media/packet.h"
#include "media/rtp.h"
#include "media/seal.h"
#include "media/srtp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_EARLY = 4,            /* DTLS datagrams kept before there is a path */
    RTCP_COMPOUND_MAX = 1400, /* bytes of RTCP in one datagram */
};

struct transport {
    struct transport_handler handler;
    void *owner;
    enum transport_state state;
    struct dtls *dtls;
    struct srtp_session *srtp; /* NULL until connected */
    struct seal_session *seal; /* NULL until connected */
    enum srtp_profile profile;
    struct packet *early[MAX_EARLY];
    size_t n_early;
    const char *error; /* what is wrong beyond dtls_error(); NULL: nothing */
    struct transport_stats stats;
};

static const char *const state_names[] = {
    [TRANSPORT_NEW] = "new",
    [TRANSPORT_CONNECTING] = "connecting",
    [TRANSPORT_CONNECTED] = "connected",
    [TRANSPORT_FAILED] = "failed",
    [TRANSPORT_CLOSED] = "closed",
};

const char *transport_state_name(enum transport_state state)
{
    return state_names[state];
}

static void set_state(struct transport *t, enum transport_state state)
{
    assert(state > t->state && t->state < TRANSPORT_FAILED);
    t->state = state;
    t->handler.on_state(t->owner, state);
}

static void send_dtls(void *owner, const uint8_t *data, size_t len)
{
    struct transport *t = owner;

    t->handler.send(t->owner, data, len);
}

int transport_new(struct transport **ret, const struct transport_config *config,
                  const struct transport_handler *handler, void *owner)
{
    static const struct dtls_handler dtls_handler = {.send = send_dtls};
    struct transport *t = calloc(1, sizeof(*t));
    int err;

    if (!t)
        return -ENOMEM;
    t->handler = *handler;
    t->owner = owner;
    err = dtls_new(&t->dtls, config->identity, &config->fingerprint, config->dtls_client,
                   &dtls_handler, t);
    if (err < 0)
        goto fail;
    if (config->only_profile != SRTP_NONE)
        err = dtls_offer_only(t->dtls, config->only_profile);
    if (err < 0)
        goto fail;
    *ret = t;
    return 0;
fail:
    transport_free(t);
    return err;
}

static void drop_early(struct transport *t)
{
    while (t->n_early > 0)
        packet_unref(t->early[--t->n_early]);
}

struct transport *transport_free(struct transport *t)
{
    if (!t)
        return NULL;
    drop_early(t);
    t->seal = seal_session_free(t->seal);
    t->srtp = srtp_session_free(t->srtp);
    t->dtls = dtls_free(t->dtls);
    free(t);
    return NULL;
}

/* Both directions' contexts from the finished handshake. */
static int derive_keys(struct transport *t)
{
    struct srtp_keys keys;
    int err;

    err = dtls_srtp_keys(t->dtls, &keys);
    if (err < 0)
        return err;
    err = srtp_session_new(&t->srtp, &keys);
    if (err == 0)
        err = seal_session_new(&t->seal, &keys);
    t->profile = keys.profile;
    explicit_bzero(&keys, sizeof(keys));
    return err;
}

static void connect_media(struct transport *t)
{
    int err = derive_keys(t);

    if (err < 0) {
        t->error = err == -ENOTSUP ? "no SRTP profile in common" : "no SRTP context could be made";
        dtls_close(t->dtls);
        set_state(t, TRANSPORT_FAILED);
        return;
    }
    dtls_trim(t->dtls);
    set_state(t, TRANSPORT_CONNECTED);
}

/* Follow what DTLS came to. */
static void follow_dtls(struct transport *t)
{
    if (t->state >= TRANSPORT_FAILED)
        return;
    switch (dtls_state(t->dtls)) {
    case DTLS_HANDSHAKE:
        break;
    case DTLS_CONNECTED:
        if (t->state == TRANSPORT_CONNECTING)
            connect_media(t);
        break;
    case DTLS_CLOSED:
        set_state(t, TRANSPORT_CLOSED);
        break;
    case DTLS_FAILED:
        set_state(t, TRANSPORT_FAILED);
        break;
    }
}

static int receive_dtls(struct transport *t, const uint8_t *data, size_t len, int64_t now_us)
{
    int err;

    err = dtls_receive(t->dtls, data, len, now_us);
    if (err == -EBADMSG)
        t->stats.malformed++;
    follow_dtls(t);
    return err == -EBADMSG ? err : 0;
}

static int64_t advance(struct transport *t, int64_t now_us)
{
    int64_t deadline_us = dtls_advance(t->dtls, now_us);

    follow_dtls(t);
    return deadline_us;
}

void transport_start(struct transport *t, int64_t now_us)
{
    if (t->state != TRANSPORT_NEW)
        return;
    set_state(t, TRANSPORT_CONNECTING);
    (void)advance(t, now_us);
    for (size_t i = 0; i < t->n_early; i++)
        (void)receive_dtls(t, t->early[i]->data, t->early[i]->len, now_us);
    drop_early(t);
}

/* Libnice peers send the ClientHello as soon as they have a path, which may be before we have. */
static int keep_early(struct transport *t, struct packet *in)
{
    if (t->n_early == MAX_EARLY) {
        t->stats.too_early++;
        return -ENOTCONN;
    }
    t->early[t->n_early++] = packet_ref(in);
    return 0;
}

/* Count a datagram that was not taken. @return `err` */
static int count_drop(struct transport *t, int err)
{
    switch (err) {
    case -EPERM:
        t->stats.bad_auth++;
        break;
    case -EEXIST:
        t->stats.replayed++;
        break;
    case -ENOTCONN:
        t->stats.too_early++;
        break;
    default:
        t->stats.malformed++;
        break;
    }
    return err;
}

static int receive_rtp(struct transport *t, struct packet *in, int64_t now_us)
{
    size_t len = in->len;
    int err;

    err = srtp_session_unprotect_rtp(t->srtp, in->data, &len);
    if (err == 0)
        err = rtp_parse(&in->rtp, in->data, len);
    if (err < 0)
        return count_drop(t, err);
    in->len = (uint16_t)len;
    t->stats.rtp_packets++;
    t->stats.rtp_bytes += len;
    t->handler.on_rtp(t->owner, in, now_us);
    return 0;
}

static int receive_rtcp(struct transport *t, struct packet *in, int64_t now_us)
{
    size_t len = in->len;
    int err;

    err = srtp_session_unprotect_rtcp(t->srtp, in->data, &len);
    if (err < 0)
        return count_drop(t, err);
    in->len = (uint16_t)len;
    t->stats.rtcp_packets++;
    t->handler.on_rtcp(t->owner, in->data, len, now_us);
    return 0;
}

int transport_receive(struct transport *t, struct packet *in, int64_t now_us)
{
    enum datagram_kind kind = datagram_kind(in->data, in->len);

    if (kind == DATAGRAM_DTLS && t->state == TRANSPORT_NEW)
        return keep_early(t, in);
    if (kind == DATAGRAM_DTLS)
        return receive_dtls(t, in->data, in->len, now_us);
    if (kind != DATAGRAM_RTP && kind != DATAGRAM_RTCP)
        return count_drop(t, -EBADMSG);
    if (t->state != TRANSPORT_CONNECTED)
        return count_drop(t, -ENOTCONN);
    if (kind == DATAGRAM_RTP)
        return receive_rtp(t, in, now_us);
    return receive_rtcp(t, in, now_us);
}

int transport_send_rtcp(struct transport *t, const uint8_t *data, size_t len)
{
    uint8_t sealed[RTCP_COMPOUND_MAX + SRTCP_TRAILER_MAX];
    int err;

    if (t->state != TRANSPORT_CONNECTED)
        return -ENOTCONN;
    if (len > RTCP_COMPOUND_MAX)
        return -EMSGSIZE;
    memcpy(sealed, data, len);
    err = srtp_session_protect_rtcp(t->srtp, sealed, &len, sizeof(sealed));
    if (err < 0)
        return err;
    t->handler.send(t->owner, sealed, len);
    return 0;
}

struct seal_session *transport_seal_session(struct transport *t)
{
    return t->state == TRANSPORT_CONNECTED ? t->seal : NULL;
}

void transport_close(struct transport *t)
{
    if (t->state >= TRANSPORT_FAILED)
        return;
    dtls_close(t->dtls);
    set_state(t, TRANSPORT_CLOSED);
}

int64_t transport_advance(struct transport *t, int64_t now_us)
{
    if (t->state == TRANSPORT_NEW || t->state >= TRANSPORT_FAILED)
        return NEVER_US;
    return advance(t, now_us);
}

enum transport_state transport_state(const struct transport *t)
{
    return t->state;
}

const char *transport_error(const struct transport *t)
{
    return t->error ? t->error : dtls_error(t->dtls);
}

enum srtp_profile transport_profile(const struct transport *t)
{
    return t->profile;
}

const struct transport_stats *transport_stats(const struct transport *t)
{
    return &t->stats;
}
