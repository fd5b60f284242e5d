#include "bench/endpoint.h"

#include "bench/endpoint_media.h"
#include "bench/frame_sender.h"
#include "media/address.h"
#include "media/base/clock.h"
#include "media/base/random.h"
#include "media/transport.h"
#include "media/transport_feedback.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/sock_diag.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECEIVE_BUFFER = 2 * 1024 * 1024 };

const char *endpoint_state_name(enum endpoint_state state)
{
    static const char *const names[] = {
        [ENDPOINT_NEW] = "new",
        [ENDPOINT_JOINING] = "joining",
        [ENDPOINT_CONNECTING] = "connecting",
        [ENDPOINT_CONNECTED] = "connected",
        [ENDPOINT_FAILED] = "failed",
        [ENDPOINT_LEFT] = "left",
    };

    return names[state];
}

static void set_state(struct endpoint *e, enum endpoint_state state)
{
    assert(state > e->state);
    e->state = state;
    e->fleet->on_state(e->fleet->owner, e);
}

void endpoint_fail(struct endpoint *e, const char *format, ...)
{
    va_list args;

    if (e->state >= ENDPOINT_FAILED)
        return;
    va_start(args, format);
    (void)vsnprintf(e->error, sizeof(e->error), format, args);
    va_end(args);
    set_state(e, ENDPOINT_FAILED);
}

/* ------------------------------------------------------------------ making one */

static int open_socket(struct endpoint *e)
{
    struct sockaddr_storage any = {.ss_family = e->fleet->config.server.ss_family};
    struct sockaddr_in bound = {0}; /* the port is at the same place in both families */
    socklen_t len = sizeof(any);
    int size = RECEIVE_BUFFER;

    e->fd = socket(any.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (e->fd < 0 || bind(e->fd, (struct sockaddr *)&any, address_len(&any)) < 0 ||
        getsockname(e->fd, (struct sockaddr *)&any, &len) < 0)
        return -errno;
    memcpy(&bound, &any, sizeof(bound));
    e->port = ntohs(bound.sin_port);
    if (setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        (void)setsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    return 0;
}

/* Sources are out of step by the golden ratio: any number of them is spread evenly. */
static int64_t phase_of(uint32_t n, int64_t period_us)
{
    static const uint32_t golden = 0x9e3779b9;

    return (int64_t)((uint64_t)(uint32_t)(n * golden) * (uint64_t)period_us >> 32);
}

static void add_source(struct endpoint *e, const struct source_shape *shape)
{
    uint32_t id = e->id * ENDPOINT_SOURCES + e->n_sources;

    source_init(&e->sources[e->n_sources++], shape, id, phase_of(id, shape->frame_us));
}

int endpoint_new(struct endpoint **ret, struct fleet *fleet, uint32_t id,
                 const struct endpoint_role *role)
{
    struct endpoint *e = calloc(1, sizeof(*e));
    int err;

    if (!e)
        return -ENOMEM;
    e->fd = -1;
    e->fleet = fleet;
    e->id = id;
    e->role = *role;
    e->max_sinks = role->audio_slots + role->video_slots;
    e->sinks = calloc(e->max_sinks ? e->max_sinks : 1, sizeof(*e->sinks));
    err = e->sinks ? open_socket(e) : -ENOMEM;
    if (err < 0) {
        endpoint_free(e);
        return err;
    }
    ice_client_init(&e->ice);
    if (role->audio)
        add_source(e, &fleet->config.audio);
    if (role->video)
        add_source(e, &fleet->config.video);
    *ret = e;
    return 0;
}

struct endpoint *endpoint_free(struct endpoint *e)
{
    if (!e)
        return NULL;
    transport_free(e->transport);
    if (e->fd >= 0)
        (void)close(e->fd);
    free(e->feedback);
    free(e->sinks);
    free(e);
    return NULL;
}

/* ------------------------------------------------------------------ offering */

void endpoint_describe(const struct endpoint *e, struct negotiation_local *ret)
{
    const struct dtls_fingerprint *fingerprint = dtls_identity_fingerprint(e->fleet->identity);
    struct plan_candidate candidate = {
        .port = e->port,
        .component = 1,
        .type = "host",
        .priority = 2130706431, /* RFC 8445 section 5.1.2.1 */
        .foundation = "1",
    };

    *ret = (struct negotiation_local){.n_candidates = 1};
    (void)snprintf(candidate.address, sizeof(candidate.address), "%s", e->fleet->address);
    ret->candidates[0] = candidate;
    (void)snprintf(ret->ufrag, sizeof(ret->ufrag), "%s", e->ice.local.ufrag);
    (void)snprintf(ret->pwd, sizeof(ret->pwd), "%s", e->ice.local.pwd);
    (void)snprintf(ret->cname, sizeof(ret->cname), "bench-%" PRIu32, e->id);
    ret->fingerprint = (struct plan_fingerprint){.hash = "sha-256", .len = fingerprint->len};
    memcpy(ret->fingerprint.bytes, fingerprint->bytes, fingerprint->len);
}

/* Who is silent need not fill what it sends: it offers all codecs, as browsers do. */
static enum codec offered_codec(const struct endpoint *e, enum media_kind kind)
{
    if (e->fleet->config.silent)
        return CODEC_NONE;
    return kind == KIND_AUDIO ? CODEC_OPUS : CODEC_VP8;
}

static void add_section(const struct endpoint *e, struct offer_section *sections, uint32_t *n,
                        enum section_use use, enum media_kind kind)
{
    struct offer_section *section = &sections[*n];

    if (*n == PLAN_MAX_SECTIONS)
        return;
    *section = (struct offer_section){
        .use = use,
        .kind = kind,
        .codecs = {offered_codec(e, kind), CODEC_NONE},
    };
    (void)snprintf(section->mid, sizeof(section->mid), "%" PRIu32, (*n)++);
}

uint32_t endpoint_sections(const struct endpoint *e, struct offer_section *ret)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < e->n_sources; i++) {
        add_section(e, ret, &n, SECTION_PUBLISH, e->sources[i].shape.kind);
        ret[n - 1].ssrc = e->sources[i].ssrc;
        ret[n - 1].rtx_ssrc = ret[n - 1].kind == KIND_VIDEO ? e->sources[i].ssrc + 1 : 0;
    }
    for (uint32_t i = 0; i < e->role.audio_slots; i++)
        add_section(e, ret, &n, SECTION_SLOT, KIND_AUDIO);
    for (uint32_t i = 0; i < e->role.video_slots; i++)
        add_section(e, ret, &n, SECTION_SLOT, KIND_VIDEO);
    return n;
}

void endpoint_joining(struct endpoint *e, int64_t now_us)
{
    if (e->state != ENDPOINT_NEW)
        return;
    e->joined_us = now_us;
    set_state(e, ENDPOINT_JOINING);
}

/* ------------------------------------------------------------------ connecting */

static void on_transport_state(void *owner, enum transport_state state)
{
    struct endpoint *e = owner;

    switch (state) {
    case TRANSPORT_NEW:
    case TRANSPORT_CONNECTING:
        break;
    case TRANSPORT_CONNECTED:
        set_state(e, ENDPOINT_CONNECTED);
        break;
    case TRANSPORT_FAILED:
        endpoint_fail(e, "DTLS failed: %s", transport_error(e->transport));
        break;
    case TRANSPORT_CLOSED:
        endpoint_fail(e, "the server closed the media connection");
        break;
    }
}

static const struct transport_handler transport_handler = {
    .send = endpoint_media_send,
    .on_state = on_transport_state,
    .on_rtp = endpoint_media_on_rtp,
    .on_rtcp = endpoint_media_on_rtcp,
};

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

/* @return true if the candidate is of our address family */
static bool read_candidate(const struct plan_candidate *candidate, sa_family_t family,
                           struct sockaddr_storage *ret)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(candidate->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(candidate->port)};

    *ret = (struct sockaddr_storage){0};
    if (candidate->tcp)
        return false;
    if (family == AF_INET && inet_pton(AF_INET, candidate->address, &in.sin_addr) == 1) {
        memcpy(ret, &in, sizeof(in));
        return true;
    }
    if (family == AF_INET6 && inet_pton(AF_INET6, candidate->address, &in6.sin6_addr) == 1) {
        memcpy(ret, &in6, sizeof(in6));
        return true;
    }
    return false;
}

/* The address that signaling goes to, if it is offered: we know that it can be reached. */
static void choose_candidate(struct endpoint *e, const struct media_plan *plan)
{
    const struct sockaddr_storage *server = &e->fleet->config.server;
    struct sockaddr_storage address;
    uint8_t key[ADDRESS_KEY_MAX];
    uint8_t server_key[ADDRESS_KEY_MAX];
    enum { HOST_AT = 3 }; /* in a key, after family and port */

    (void)address_key(server, server_key);
    for (uint32_t i = 0; i < plan->n_candidates; i++) {
        if (!read_candidate(&plan->candidates[i], server->ss_family, &address))
            continue;
        if (e->remote.ss_family == 0)
            e->remote = address;
        (void)address_key(&address, key);
        if (memcmp(key + HOST_AT, server_key + HOST_AT, sizeof(key) - HOST_AT) == 0) {
            e->remote = address;
            return;
        }
    }
}

static uint8_t first_pt(const struct plan_section *section)
{
    return section->n_codecs > 0 ? section->codecs[0].pt : 0;
}

static void apply_source(struct source *s, const struct plan_section *section)
{
    s->pt = first_pt(section);
    s->extensions = section->extensions;
    (void)snprintf(s->mid, sizeof(s->mid), "%.*s", SOURCE_MID_MAX, section->mid);
}

/* Streams as negotiated: payload types, extensions, and the SSRCs we will get where the server
 * tells them. */
static void apply_sections(struct endpoint *e, const struct media_plan *plan, bool answered)
{
    enum section_use received = answered ? SECTION_PUBLISH : SECTION_SLOT;

    for (uint32_t i = 0; i < plan->n_sections; i++) {
        const struct plan_section *section = &plan->sections[i];

        if (section->use == received) {
            *(section->kind == KIND_AUDIO ? &e->audio_pt : &e->video_pt) = first_pt(section);
            endpoint_media_add_sink(e, answered ? section->layers[0].ssrc : section->ssrc);
            if (section->extensions.id[EXTENSION_TRANSPORT_CC])
                e->transport_cc_id = section->extensions.id[EXTENSION_TRANSPORT_CC];
        } else if (section->use == SECTION_PUBLISH && i < e->n_sources) {
            apply_source(&e->sources[i], section);
        }
    }
}

/* @return 0; -ENOMEM */
static int begin_feedback(struct endpoint *e)
{
    const struct fleet_config *config = &e->fleet->config;

    if (e->transport_cc_id == 0 || config->feedback_us == 0 || config->silent)
        return 0;
    e->feedback = malloc(sizeof(*e->feedback));
    if (!e->feedback)
        return -ENOMEM;
    feedback_recorder_init(e->feedback);
    return 0;
}

static void start_ice(struct endpoint *e, const struct media_plan *plan, bool answered,
                      int64_t now_us)
{
    struct ice_credentials remote = {0};

    (void)snprintf(remote.ufrag, sizeof(remote.ufrag), "%s", plan->ufrag);
    (void)snprintf(remote.pwd, sizeof(remote.pwd), "%s", plan->pwd);
    ice_client_start(&e->ice, &remote, !answered || plan->ice_lite, now_us);
}

void endpoint_connect(struct endpoint *e, const struct media_plan *plan, bool answered,
                      int64_t now_us)
{
    struct transport_config config = {
        .identity = e->fleet->identity,
        .dtls_client = plan->dtls_client,
        .only_profile = e->fleet->config.profile,
    };

    if (e->state != ENDPOINT_JOINING)
        return;
    choose_candidate(e, plan);
    if (e->remote.ss_family == 0) {
        endpoint_fail(e, "the server names no UDP address that we could use");
        return;
    }
    if (connect(e->fd, (struct sockaddr *)&e->remote, address_len(&e->remote)) < 0) {
        endpoint_fail(e, "there is no way to the server's media address");
        return;
    }
    if (read_fingerprint(&plan->fingerprint, &config.fingerprint) < 0 ||
        transport_new(&e->transport, &config, &transport_handler, e) < 0) {
        endpoint_fail(e, "the server's fingerprint cannot be used");
        return;
    }
    apply_sections(e, plan, answered);
    if (begin_feedback(e) < 0) {
        endpoint_fail(e, "out of memory");
        return;
    }
    start_ice(e, plan, answered, now_us);
    set_state(e, ENDPOINT_CONNECTING);
}

void endpoint_leave(struct endpoint *e)
{
    if (e->state >= ENDPOINT_FAILED)
        return;
    set_state(e, ENDPOINT_LEFT); /* first: closing is no news then */
    if (e->transport)
        transport_close(e->transport);
}

/* ------------------------------------------------------------------ the rest */

void endpoint_mute(struct endpoint *e)
{
    for (uint32_t i = 0; i < e->n_sources; i++)
        e->sources[i].due_us = NEVER_US;
}

uint64_t endpoint_drops(const struct endpoint *e)
{
    uint32_t values[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof(values);

    if (getsockopt(e->fd, SOL_SOCKET, SO_MEMINFO, values, &len) < 0)
        return 0;
    return values[SK_MEMINFO_DROPS];
}
