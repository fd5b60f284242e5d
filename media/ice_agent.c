#include "media/ice_agent.h"

#include "media/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <nice/agent.h>
#include <nice/interfaces.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    MAX_FDS = 512,       /* 64 local addresses with UDP, TCP and relays, and the wake-up of GLib */
    MAX_ITERATIONS = 64, /* of GLib's loop in one advance, so that our owner gets its turn */
    GATHER_TIMEOUT_S = 5,
    STUN_RETRANSMISSIONS =
        4, /* 0.2 + 0.4 + 0.8 + 1.6 s: a dead server is given up within the above */
    CLOSE_TRIES = 50,
    CLOSE_TRY_MS = 5,
    COMPONENT = 1,              /* RTP and RTCP share it */
    TYPE_PREFERENCE_SHIFT = 24, /* in a priority, RFC 8445 section 5.1.2.1 */
    RELAYED_BY_UDP = 30,        /* libnice's type preference of it; by TCP it is 20 */
};

static const int64_t STRAGGLERS_US = 200 * MS;

/* How patient libnice is with one request. Servers that a socket of ours cannot reach delay every
 * call, and libnice does not tell a server that answered with an address it knows already: 1 s.
 * Checks may meet a bad network: 8 s. */
struct patience {
    guint first_ms, times;
};
static const struct patience gathering_patience = {.first_ms = 250, .times = 3};
static const struct patience checking_patience = {.first_ms = 500, .times = 5};

struct ice_agent {
    const struct ice_agent_handler *handler;
    void *owner;
    struct ice_agent_config config;
    struct ice_agent_servers servers;
    enum ice_state state;
    char error[128];
    struct ice_credentials credentials;
    int64_t gather_deadline_us;
    GMainContext *context;
    NiceAgent *nice;
    guint stream; /* 0: none */
    int epoll_fd;
    GPollFD fds[MAX_FDS]; /* what epoll watches */
    int n_fds;
    bool found, gathered, closed; /* told by libnice; found: a candidate since the last advance */
    bool closing;                 /* in ice_agent_free() */
    bool advancing;               /* in ice_agent_advance() */
};

static bool may_move(enum ice_state from, enum ice_state to)
{
    return from != ICE_FAILED && to > from;
}

static void set_state(struct ice_agent *a, enum ice_state state)
{
    bool legal = may_move(a->state, state);

    assert(legal);
    (void)legal; /* release builds */
    a->state = state;
    a->handler->on_state(a->owner, state);
}

static void fail(struct ice_agent *a, const char *error)
{
    if (a->state == ICE_FAILED)
        return;
    (void)snprintf(a->error, sizeof(a->error), "%s", error);
    set_state(a, ICE_FAILED);
}

static void on_gathering_done(NiceAgent *nice, guint stream, gpointer owner)
{
    struct ice_agent *a = owner;

    (void)nice;
    (void)stream;
    a->gathered = true;
}

/* @return true if there is at least one candidate of each kind that can be */
static bool has_all_kinds(const struct ice_agent *a)
{
    struct ice_candidate candidates[ICE_AGENT_MAX_CANDIDATES];
    size_t n = ice_agent_candidates(a, candidates, ICE_AGENT_MAX_CANDIDATES);
    bool reflexive = !a->servers.stun_address[0] || a->config.relay_only;
    bool relayed = a->servers.n_relays == 0;

    for (size_t i = 0; i < n; i++) {
        reflexive = reflexive || candidates[i].type == ICE_SERVER_REFLEXIVE;
        relayed = relayed || candidates[i].type == ICE_RELAYED;
    }
    return reflexive && relayed;
}

static void on_new_candidate(NiceAgent *nice, NiceCandidate *candidate, gpointer owner)
{
    struct ice_agent *a = owner;

    (void)nice;
    (void)candidate;
    a->found = true;
}

static void on_component_state(NiceAgent *nice, guint stream, guint component, guint state,
                               gpointer owner)
{
    struct ice_agent *a = owner;

    (void)nice;
    (void)stream;
    (void)component;
    if ((state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY) &&
        a->state == ICE_CHECKING)
        set_state(a, ICE_CONNECTED);
    else if (state == NICE_COMPONENT_STATE_FAILED && a->state == ICE_CONNECTED)
        fail(a, "the path broke: the peer stopped answering");
    else if (state == NICE_COMPONENT_STATE_FAILED && a->state == ICE_CHECKING)
        fail(a, "no path to the peer: none of its addresses answered");
}

static void on_receive(NiceAgent *nice, guint stream, guint component, guint len, gchar *data,
                       gpointer owner)
{
    struct ice_agent *a = owner;

    (void)nice;
    (void)stream;
    (void)component;
    if (!a->closing) /* else read and forgotten: what is not read keeps its source ready for ever */
        a->handler->on_data(a->owner, (const uint8_t *)data, len);
}

static void on_closed(GObject *source, GAsyncResult *result, gpointer owner)
{
    struct ice_agent *a = owner;

    (void)source;
    (void)result;
    a->closed = true;
}

static int add_local_address(struct ice_agent *a, const char *text)
{
    NiceAddress *address = nice_address_new();
    bool ok = nice_address_set_from_string(address, text) &&
              nice_agent_add_local_address(a->nice, address);

    nice_address_free(address);
    return ok ? 0 : -EINVAL;
}

/* libnice leaves loopback out, and on a machine with nothing else would never end gathering. */
static int add_local_addresses(struct ice_agent *a)
{
    GList *addresses = nice_interfaces_get_local_ips(FALSE);
    int added = 0;

    for (GList *it = addresses; it && added < NICE_CANDIDATE_MAX_LOCAL_ADDRESSES; it = it->next) {
        if (add_local_address(a, it->data) == 0)
            added++;
    }
    g_list_free_full(addresses, g_free);
    if (added > 0 && !a->config.loopback)
        return 0;
    return add_local_address(a, "127.0.0.1");
}

static void set_patience(struct ice_agent *a, const struct patience *patience)
{
    g_object_set(a->nice, "stun-initial-timeout", patience->first_ms, "stun-max-retransmissions",
                 patience->times, NULL);
}

static int make_nice_agent(struct ice_agent *a)
{
    a->context = g_main_context_new();
    a->nice = nice_agent_new_full(a->context, NICE_COMPATIBILITY_RFC5245,
                                  NICE_AGENT_OPTION_CONSENT_FRESHNESS);
    g_object_set(a->nice, "controlling-mode", (gboolean)a->config.controlling, "upnp", FALSE,
                 "ice-tcp", (gboolean)a->config.tcp, "force-relay", (gboolean)a->config.relay_only,
                 NULL);
    set_patience(a, &gathering_patience);
    g_signal_connect(a->nice, "candidate-gathering-done", G_CALLBACK(on_gathering_done), a);
    g_signal_connect(a->nice, "new-candidate-full", G_CALLBACK(on_new_candidate), a);
    g_signal_connect(a->nice, "component-state-changed", G_CALLBACK(on_component_state), a);
    a->stream = nice_agent_add_stream(a->nice, 1);
    if (a->stream == 0)
        return -ENOMEM;
    if (!nice_agent_set_local_credentials(a->nice, a->stream, a->credentials.ufrag,
                                          a->credentials.pwd))
        return -ENOMEM;
    nice_agent_attach_recv(a->nice, a->stream, COMPONENT, a->context, on_receive, a);
    return 0;
}

int ice_agent_new(struct ice_agent **ret, const struct ice_agent_config *config,
                  const struct ice_agent_handler *handler, void *owner)
{
    struct ice_agent *a = calloc(1, sizeof(*a));
    int err;

    if (!a)
        return -ENOMEM;
    a->handler = handler;
    a->owner = owner;
    a->config = *config;
    a->gather_deadline_us = NEVER_US;
    ice_credentials_make(&a->credentials);
    a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (a->epoll_fd < 0) {
        err = -errno;
        goto fail;
    }
    err = make_nice_agent(a);
    if (err < 0)
        goto fail;
    *ret = a;
    return 0;
fail:
    ice_agent_free(a);
    return err;
}

/* The relay keeps an allocation for ten minutes unless told; the telling needs an answer. */
static void close_nice_agent(struct ice_agent *a)
{
    struct epoll_event event;

    a->closing = true;
    g_signal_handlers_disconnect_by_data(a->nice, a);
    if (a->servers.n_relays > 0)
        nice_agent_close_async(a->nice, on_closed, a);
    else
        a->closed = true;
    for (int i = 0; i < CLOSE_TRIES && !a->closed; i++) {
        for (int j = 0; j < MAX_ITERATIONS && !a->closed; j++)
            (void)g_main_context_iteration(a->context, FALSE);
        if (!a->closed)
            (void)epoll_wait(a->epoll_fd, &event, 1, CLOSE_TRY_MS);
    }
    nice_agent_remove_stream(a->nice, a->stream);
    g_object_unref(a->nice);
}

struct ice_agent *ice_agent_free(struct ice_agent *a)
{
    if (!a)
        return NULL;
    if (a->nice)
        close_nice_agent(a);
    if (a->context)
        g_main_context_unref(a->context);
    if (a->epoll_fd >= 0)
        close(a->epoll_fd);
    free(a);
    return NULL;
}

int ice_agent_set_servers(struct ice_agent *a, const struct ice_agent_servers *servers)
{
    assert(servers->n_relays <= ICE_AGENT_MAX_RELAYS);
    if (a->state != ICE_NEW || a->servers.n_relays > 0)
        return -EALREADY;
    if (servers->stun_address[0]) {
        g_object_set(a->nice, "stun-server", servers->stun_address, "stun-server-port",
                     (guint)servers->stun_port, NULL);
    }
    for (size_t i = 0; i < servers->n_relays; i++) {
        const struct ice_relay *relay = &servers->relays[i];

        if (!nice_agent_set_relay_info(
                a->nice, a->stream, COMPONENT, relay->address, relay->port, relay->user,
                relay->password, relay->tcp ? NICE_RELAY_TYPE_TURN_TCP : NICE_RELAY_TYPE_TURN_UDP))
            return -EINVAL;
    }
    a->servers = *servers;
    return 0;
}

int ice_agent_gather(struct ice_agent *a, int64_t now_us)
{
    int err;

    if (a->state != ICE_NEW)
        return -EALREADY;
    err = add_local_addresses(a);
    if (err < 0)
        return -EIO;
    if (!nice_agent_gather_candidates(a->nice, a->stream))
        return -EIO;
    a->gather_deadline_us = now_us + (a->config.gather_timeout_us > 0 ? a->config.gather_timeout_us
                                                                      : GATHER_TIMEOUT_S * SECOND);
    set_state(a, ICE_GATHERING);
    return 0;
}

const struct ice_credentials *ice_agent_credentials(const struct ice_agent *a)
{
    return &a->credentials;
}

static enum ice_transport transport_of(const NiceCandidate *candidate)
{
    switch (candidate->transport) {
    case NICE_CANDIDATE_TRANSPORT_UDP:
        return ICE_UDP;
    case NICE_CANDIDATE_TRANSPORT_TCP_PASSIVE:
        return ICE_TCP_PASSIVE;
    case NICE_CANDIDATE_TRANSPORT_TCP_ACTIVE:
    case NICE_CANDIDATE_TRANSPORT_TCP_SO:
        return ICE_TCP_ACTIVE;
    }
    return ICE_UDP;
}

static enum ice_candidate_type type_of(const NiceCandidate *candidate)
{
    switch (candidate->type) {
    case NICE_CANDIDATE_TYPE_HOST:
        return ICE_HOST;
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
        return ICE_SERVER_REFLEXIVE;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
        return ICE_PEER_REFLEXIVE;
    case NICE_CANDIDATE_TYPE_RELAYED:
        return ICE_RELAYED;
    }
    return ICE_HOST;
}

static struct ice_candidate candidate_of(const NiceCandidate *nice)
{
    struct ice_candidate candidate = {
        .type = type_of(nice),
        .transport = transport_of(nice),
        .port = (uint16_t)nice_address_get_port(&nice->addr),
        .priority = nice->priority,
    };
    char address[NICE_ADDRESS_STRING_LEN];

    nice_address_to_string(&nice->addr, address);
    (void)snprintf(candidate.address, sizeof(candidate.address), "%s", address);
    (void)snprintf(candidate.foundation, sizeof(candidate.foundation), "%s", nice->foundation);
    return candidate;
}

size_t ice_agent_candidates(const struct ice_agent *a, struct ice_candidate *out, size_t max)
{
    GSList *candidates = nice_agent_get_local_candidates(a->nice, a->stream, COMPONENT);
    size_t n = 0;

    for (GSList *it = candidates; it && n < max; it = it->next) {
        const NiceCandidate *candidate = it->data;

        if (!a->config.relay_only || candidate->type == NICE_CANDIDATE_TYPE_RELAYED)
            out[n++] = candidate_of(candidate);
    }
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
    return n;
}

static NiceCandidate *nice_candidate_of(const struct ice_agent *a,
                                        const struct ice_candidate *candidate)
{
    static const NiceCandidateType types[] = {
        [ICE_HOST] = NICE_CANDIDATE_TYPE_HOST,
        [ICE_SERVER_REFLEXIVE] = NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE,
        [ICE_PEER_REFLEXIVE] = NICE_CANDIDATE_TYPE_PEER_REFLEXIVE,
        [ICE_RELAYED] = NICE_CANDIDATE_TYPE_RELAYED,
    };
    static const NiceCandidateTransport transports[] = {
        [ICE_UDP] = NICE_CANDIDATE_TRANSPORT_UDP,
        [ICE_TCP_ACTIVE] = NICE_CANDIDATE_TRANSPORT_TCP_ACTIVE,
        [ICE_TCP_PASSIVE] = NICE_CANDIDATE_TRANSPORT_TCP_PASSIVE,
    };
    NiceCandidate *nice = nice_candidate_new(types[candidate->type]);

    nice->transport = transports[candidate->transport];
    nice->stream_id = a->stream;
    nice->component_id = COMPONENT;
    nice->priority = candidate->priority;
    (void)snprintf(nice->foundation, sizeof(nice->foundation), "%s", candidate->foundation);
    if (!nice_address_set_from_string(&nice->addr, candidate->address)) {
        nice_candidate_free(nice);
        return NULL;
    }
    nice_address_set_port(&nice->addr, candidate->port);
    return nice;
}

/* For g_slist_free_full(); NULL: none can be used. */
static GSList *nice_candidates_of(const struct ice_agent *a, const struct ice_candidate *candidates,
                                  size_t n)
{
    GSList *list = NULL;

    for (size_t i = 0; i < n; i++) {
        NiceCandidate *candidate = nice_candidate_of(a, &candidates[i]);

        if (candidate)
            list = g_slist_append(list, candidate);
    }
    return list;
}

int ice_agent_expect(struct ice_agent *a, const struct ice_credentials *credentials)
{
    if (a->state != ICE_GATHERED)
        return -EALREADY;
    if (!ice_credentials_valid(credentials) ||
        !nice_agent_set_remote_credentials(a->nice, a->stream, credentials->ufrag,
                                           credentials->pwd))
        return -EINVAL;
    set_patience(a, &checking_patience);
    set_state(a, ICE_CHECKING);
    return 0;
}

void ice_agent_add_remote(struct ice_agent *a, const struct ice_candidate *candidates, size_t n)
{
    GSList *list;

    if (a->state != ICE_CHECKING && a->state != ICE_CONNECTED)
        return;
    list = nice_candidates_of(a, candidates, n);
    if (list)
        (void)nice_agent_set_remote_candidates(a->nice, a->stream, COMPONENT, list);
    g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
}

int ice_agent_set_remote(struct ice_agent *a, const struct ice_credentials *credentials,
                         const struct ice_candidate *candidates, size_t n)
{
    GSList *list = NULL;
    int taken;

    if (a->state != ICE_GATHERED)
        return -EALREADY;
    if (!ice_credentials_valid(credentials))
        return -EINVAL;
    if (!nice_agent_set_remote_credentials(a->nice, a->stream, credentials->ufrag,
                                           credentials->pwd))
        return -EINVAL;
    list = nice_candidates_of(a, candidates, n);
    if (!list)
        return -EINVAL;
    set_patience(a, &checking_patience);
    set_state(a, ICE_CHECKING);
    taken = nice_agent_set_remote_candidates(a->nice, a->stream, COMPONENT, list);
    g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
    return taken > 0 ? 0 : -EINVAL;
}

int ice_agent_send(struct ice_agent *a, const uint8_t *data, size_t len)
{
    if (a->state != ICE_CONNECTED)
        return -ENOTCONN;
    /* libnice wants a char pointer and does not write to it */
    return nice_agent_send(a->nice, a->stream, COMPONENT, (guint)len, (const gchar *)data) ==
                   (gint)len
               ? 0
               : -EAGAIN;
}

int ice_agent_fd(const struct ice_agent *a)
{
    return a->epoll_fd;
}

static uint32_t epoll_events_of(const GPollFD *fd)
{
    return (fd->events & G_IO_IN ? EPOLLIN : 0U) | (fd->events & G_IO_OUT ? EPOLLOUT : 0U) |
           (fd->events & G_IO_PRI ? EPOLLPRI : 0U);
}

static bool is_among(const GPollFD *fds, int n, int fd)
{
    for (int i = 0; i < n; i++) {
        if (fds[i].fd == fd)
            return true;
    }
    return false;
}

/* Modify first: a descriptor may have been closed, left epoll by that, and been opened anew under
 * the same number since the last time. */
static void watch(struct ice_agent *a, const GPollFD *fds, int n)
{
    for (int i = 0; i < a->n_fds; i++) {
        if (!is_among(fds, n, a->fds[i].fd))
            (void)epoll_ctl(a->epoll_fd, EPOLL_CTL_DEL, a->fds[i].fd, NULL);
    }
    for (int i = 0; i < n; i++) {
        struct epoll_event event = {.events = epoll_events_of(&fds[i]), .data.fd = fds[i].fd};

        if (is_among(fds, i, fds[i].fd)) {
            /* GLib lists a descriptor once per source and kind of event: watch for all of them */
            for (int j = 0; j < i; j++)
                event.events |= fds[j].fd == fds[i].fd ? epoll_events_of(&fds[j]) : 0U;
        }
        if (epoll_ctl(a->epoll_fd, EPOLL_CTL_MOD, fds[i].fd, &event) < 0)
            (void)epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, fds[i].fd, &event);
    }
    memcpy(a->fds, fds, (size_t)n * sizeof(*fds));
    a->n_fds = n;
}

/* Ask GLib what it waits for. @return how long it would wait [ms], -1: for ever */
static int watch_context(struct ice_agent *a)
{
    GPollFD fds[MAX_FDS];
    gint priority = G_MAXINT;
    gint timeout_ms = -1;
    int n;

    if (g_main_context_prepare(a->context, &priority))
        timeout_ms = 0;
    n = g_main_context_query(a->context, G_MAXINT, &timeout_ms, fds, MAX_FDS);
    watch(a, fds, n < MAX_FDS ? n : MAX_FDS);
    return timeout_ms;
}

static void end_gathering(struct ice_agent *a)
{
    struct ice_candidate first;

    a->gather_deadline_us = NEVER_US;
    if (ice_agent_candidates(a, &first, 1) > 0)
        set_state(a, ICE_GATHERED);
    else if (a->config.relay_only)
        fail(a, "the TURN server gave no address: it is unreachable, or user or password is wrong");
    else
        fail(a, "this machine has no usable network address");
}

/* libnice waits until every server has answered or timed out on every address of ours, some of
 * which can never reach it. Once there is something of all kinds, only stragglers are waited for.
 */
static void shorten_gathering(struct ice_agent *a, int64_t now_us)
{
    if (!a->found)
        return;
    a->found = false;
    if (has_all_kinds(a) && now_us + STRAGGLERS_US < a->gather_deadline_us)
        a->gather_deadline_us = now_us + STRAGGLERS_US;
}

static int64_t min_deadline(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

int64_t ice_agent_advance(struct ice_agent *a, int64_t now_us)
{
    int timeout_ms;

    if (a->advancing)
        return NEVER_US; /* called by a handler: the outer call goes on */
    a->advancing = true;
    (void)g_main_context_acquire(a->context); /* ours alone */
    for (int i = 0; i < MAX_ITERATIONS && g_main_context_iteration(a->context, FALSE); i++)
        ;
    if (a->state == ICE_GATHERING)
        shorten_gathering(a, now_us);
    if (a->state == ICE_GATHERING && (a->gathered || now_us >= a->gather_deadline_us))
        end_gathering(a);
    timeout_ms = watch_context(a);
    g_main_context_release(a->context);
    a->advancing = false;
    return min_deadline(timeout_ms < 0 ? NEVER_US : now_us + timeout_ms * MS,
                        a->gather_deadline_us);
}

enum ice_state ice_agent_state(const struct ice_agent *a)
{
    return a->state;
}

const char *ice_agent_error(const struct ice_agent *a)
{
    return a->error;
}

/* libnice does not say in public how it reaches a relay: the relay's address tells, and where it is
 * the same for UDP and TCP, its own type preference. */
static void find_way_to_relay(const struct ice_agent *a, const NiceCandidate *candidate,
                              struct ice_path *path)
{
    bool by_udp = candidate->priority >> TYPE_PREFERENCE_SHIFT >= RELAYED_BY_UDP;
    NiceAddress relay;
    char address[NICE_ADDRESS_STRING_LEN];

    if (candidate->type != NICE_CANDIDATE_TYPE_RELAYED)
        return;
    nice_candidate_relay_address(candidate, &relay);
    nice_address_to_string(&relay, address);
    for (size_t i = 0; i < a->servers.n_relays; i++) {
        const struct ice_relay *known = &a->servers.relays[i];

        if (known->port != nice_address_get_port(&relay) || strcmp(known->address, address) != 0 ||
            known->tcp == by_udp)
            continue;
        path->relay_tcp = known->tcp;
        path->relay_tls = known->tls;
    }
}

int ice_agent_path(const struct ice_agent *a, struct ice_path *ret)
{
    NiceCandidate *local = NULL;
    NiceCandidate *remote = NULL;

    if (!nice_agent_get_selected_pair(a->nice, a->stream, COMPONENT, &local, &remote))
        return -ENOTCONN;
    *ret = (struct ice_path){.local = candidate_of(local), .remote = candidate_of(remote)};
    find_way_to_relay(a, local, ret);
    return 0;
}
