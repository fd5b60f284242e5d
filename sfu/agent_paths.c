#include "sfu/agent_paths.h"

#include "media/base/list.h"
#include "media/base/log.h"
#include "media/base/map.h"
#include "media/ice_agent.h"
#include "media/packet.h"
#include "media/path.h"
#include "media/udp_socket.h"
#include "sfu/config.h"
#include "sfu/ice_servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BATCH = 64 };

/** An agent: of nobody yet, or of a participant. */
struct agent {
    struct list link;
    struct agent_paths *paths;
    struct ice_agent *ice;
    struct event *readable, *timer;
    uint32_t number;      /* of its path */
    uint32_t participant; /* 0: nobody's yet */
    bool told;            /* control knows of it */
    bool dead;            /* to be freed outside of its own handlers */
    int64_t gathered_us;
    struct sockaddr_storage path; /* once it is connected */
};

/** Where a host of ice_servers is. */
struct known_host {
    char host[ICE_URL_HOST_MAX + 1];
    char address[ICE_ADDRESS_MAX + 1];
};

struct agent_paths {
    struct event_base *base;
    struct config *config;
    struct packet_pool *pool;
    struct agent_paths_handler handler;
    void *owner;
    uint32_t worker, last_number, n_ready;
    struct list agents;
    struct map by_number, by_participant;
    struct event *tick;
    size_t n_hosts;
    struct known_host hosts[CONFIG_LIST_MAX];
    struct packet *batch[MAX_BATCH]; /* what an agent has got in this turn */
    size_t n_batch;
};

/* Servers */

static void learn_host(struct agent_paths *a, const struct ice_url *url)
{
    struct known_host *host = &a->hosts[a->n_hosts];

    if (a->n_hosts == ARRAY_LEN(a->hosts))
        return;
    if (ice_url_resolve(url, host->address, sizeof(host->address)) < 0) {
        log_warn("agents", "no such host, left out: ice_server=%s", url->host);
        return;
    }
    (void)snprintf(host->host, sizeof(host->host), "%s", url->host);
    a->n_hosts++;
}

static void learn_hosts(struct agent_paths *a)
{
    for (uint32_t i = 0; i < a->config->ice_servers.n; i++) {
        struct ice_server server;

        if (ice_server_parse(&server, a->config->ice_servers.text[i]) == 0)
            learn_host(a, &server.url);
    }
}

static const char *find_address(const struct agent_paths *a, const char *host)
{
    for (size_t i = 0; i < a->n_hosts; i++) {
        if (strcmp(a->hosts[i].host, host) == 0)
            return a->hosts[i].address;
    }
    return NULL;
}

static void add_server(const struct agent_paths *a, struct ice_agent_servers *out, const char *text,
                       const struct message_ice_server *of)
{
    struct ice_url url;
    const char *address = ice_url_parse(&url, text) == 0 ? find_address(a, url.host) : NULL;
    struct ice_relay *relay = &out->relays[out->n_relays];

    if (!address || url.kind == ICE_URL_TURN_TLS)
        return;
    if (url.kind == ICE_URL_STUN) {
        (void)snprintf(out->stun_address, sizeof(out->stun_address), "%s", address);
        out->stun_port = url.port;
        return;
    }
    if (out->n_relays == ICE_AGENT_MAX_RELAYS)
        return;
    *relay = (struct ice_relay){.port = url.port, .tcp = url.kind == ICE_URL_TURN_TCP};
    (void)snprintf(relay->address, sizeof(relay->address), "%s", address);
    (void)snprintf(relay->user, sizeof(relay->user), "%s", of->username);
    (void)snprintf(relay->password, sizeof(relay->password), "%s", of->credential);
    out->n_relays++;
}

/* Passwords expire: they are made for each agent. */
static void find_servers(const struct agent_paths *a, struct ice_agent_servers *ret)
{
    struct message_ice_server servers[MESSAGE_MAX_ICE_SERVERS];
    uint32_t n = ice_servers_fill(a->config, "sluice", clock_wall_us() / SECOND, servers);

    *ret = (struct ice_agent_servers){0};
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < servers[i].n_urls; j++)
            add_server(a, ret, servers[i].urls[j], &servers[i]);
    }
}

/* Agents */

static void *free_ice(void *ice)
{
    ice_agent_free(ice);
    return NULL;
}

/* Giving a relayed address back waits for the relay: not on the thread of the media. */
static void free_aside(struct ice_agent *ice)
{
    pthread_attr_t attributes;
    pthread_t thread;
    bool begun = false;

    if (!ice)
        return;
    if (pthread_attr_init(&attributes) == 0) {
        (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        begun = pthread_create(&thread, &attributes, free_ice, ice) == 0;
        (void)pthread_attr_destroy(&attributes);
    }
    if (!begun)
        ice_agent_free(ice);
}

static void agent_free(struct agent *g)
{
    struct agent_paths *a = g->paths;

    a->n_ready -= g->participant == 0;
    (void)map_remove(&a->by_number, &g->number, sizeof(g->number));
    if (g->participant)
        (void)map_remove(&a->by_participant, &g->participant, sizeof(g->participant));
    list_unlink(&g->link);
    if (g->readable)
        event_free(g->readable);
    if (g->timer)
        event_free(g->timer);
    free_aside(g->ice);
    free(g);
}

static void advance(struct agent *g);

static void on_due(evutil_socket_t fd, short what, void *owner)
{
    (void)fd;
    (void)what;
    advance(owner);
}

static void on_state(void *owner, enum ice_state state)
{
    struct agent *g = owner;

    if (state == ICE_GATHERED)
        g->gathered_us = clock_now_us();
    else if (state == ICE_FAILED)
        g->dead = true;
}

static void flush_batch(struct agent_paths *a)
{
    if (a->n_batch > 0)
        a->handler.receive(a->owner, a->batch, a->n_batch);
    a->n_batch = 0;
}

static void on_data(void *owner, const uint8_t *data, size_t len)
{
    struct agent *g = owner;
    struct agent_paths *a = g->paths;
    struct packet *packet = len <= PACKET_CAPACITY ? packet_new(a->pool) : NULL;

    if (!packet || !path_is(&g->path)) {
        packet_unref(packet); /* before a path is chosen DTLS comes again */
        return;
    }
    memcpy(packet->data, data, len);
    packet->len = (uint16_t)len;
    packet->from = g->path;
    packet->to = (struct local_address){0};
    a->batch[a->n_batch++] = packet;
    if (a->n_batch == MAX_BATCH)
        flush_batch(a);
}

static int make_ice(struct agent *g)
{
    static const struct ice_agent_handler handler = {.on_state = on_state, .on_data = on_data};
    struct ice_agent_config config = {.controlling = false};
    struct ice_agent_servers servers;
    int err = ice_agent_new(&g->ice, &config, &handler, g);

    if (err < 0)
        return err;
    find_servers(g->paths, &servers);
    err = ice_agent_set_servers(g->ice, &servers);
    return err < 0 ? err : ice_agent_gather(g->ice, clock_now_us());
}

/* One more that gathers; without memory or descriptors the next tick tries again. */
static void make_agent(struct agent_paths *a)
{
    struct agent *g = calloc(1, sizeof(*g));

    if (!g)
        return;
    g->paths = a;
    g->number = ++a->last_number;
    list_append(&a->agents, &g->link);
    a->n_ready++;
    if (map_put(&a->by_number, &g->number, sizeof(g->number), g) < 0 || make_ice(g) < 0)
        goto fail;
    g->readable = event_new(a->base, ice_agent_fd(g->ice), EV_READ | EV_PERSIST, on_due, g);
    g->timer = event_new(a->base, -1, 0, on_due, g);
    if (!g->readable || !g->timer || event_add(g->readable, NULL) < 0)
        goto fail;
    advance(g);
    return;
fail:
    agent_free(g);
}

static struct plan_candidate plan_candidate_of(const struct ice_candidate *from)
{
    struct plan_candidate candidate = {
        .priority = from->priority, .port = from->port, .component = 1};

    (void)snprintf(candidate.type, sizeof(candidate.type), "%s",
                   ice_candidate_type_name(from->type));
    (void)snprintf(candidate.foundation, sizeof(candidate.foundation), "%s", from->foundation);
    (void)snprintf(candidate.address, sizeof(candidate.address), "%s", from->address);
    return candidate;
}

static void tell_control(struct agent *g)
{
    struct mail_agent *mail = calloc(1, sizeof(*mail));
    struct ice_candidate found[MAIL_AGENT_CANDIDATES];

    if (!mail)
        return; /* the next turn tries again */
    mail->mail.type = MAIL_AGENT;
    mail->worker = g->paths->worker;
    mail->since_us = g->gathered_us;
    mail->credentials = *ice_agent_credentials(g->ice);
    mail->n_candidates = (uint32_t)ice_agent_candidates(g->ice, found, MAIL_AGENT_CANDIDATES);
    for (uint32_t i = 0; i < mail->n_candidates; i++)
        mail->candidates[i] = plan_candidate_of(&found[i]);
    g->told = true;
    g->paths->handler.post(g->paths->owner, &mail->mail);
}

static void peer_address(const struct ice_candidate *candidate, struct sockaddr_storage *ret)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(candidate->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(candidate->port)};

    *ret = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, candidate->address, &v4.sin_addr) == 1)
        memcpy(ret, &v4, sizeof(v4));
    else if (inet_pton(AF_INET6, candidate->address, &v6.sin6_addr) == 1)
        memcpy(ret, &v6, sizeof(v6));
}

static void open_path(struct agent *g)
{
    struct sockaddr_storage peer;
    struct ice_path path;

    if (ice_agent_path(g->ice, &path) < 0)
        return;
    peer_address(&path.remote, &peer);
    path_address(&g->path, PATH_AGENT, g->number, &peer);
    g->paths->handler.open_path(g->paths->owner, g->participant, &g->path);
}

static void arm(struct agent *g, int64_t due_us, int64_t now_us)
{
    int64_t wait_us = due_us > now_us ? due_us - now_us : 0;
    struct timeval wait = {.tv_sec = wait_us / SECOND, .tv_usec = wait_us % SECOND};

    if (due_us == NEVER_US)
        (void)event_del(g->timer);
    else
        (void)event_add(g->timer, &wait);
}

/* May free `g`. */
static void advance(struct agent *g)
{
    struct agent_paths *a = g->paths;
    int64_t now_us = clock_now_us();
    int64_t due_us = ice_agent_advance(g->ice, now_us);

    if (!g->dead && g->gathered_us && !g->told)
        tell_control(g);
    if (!g->dead && !path_is(&g->path) && ice_agent_state(g->ice) == ICE_CONNECTED)
        open_path(g);
    flush_batch(a);
    if (g->dead)
        agent_free(g);
    else
        arm(g, due_us, now_us);
    a->handler.end_turn(a->owner);
}

/* Mail */

static struct ice_candidate ice_candidate_of(const struct plan_candidate *from)
{
    struct ice_candidate candidate = {.priority = from->priority, .port = from->port};
    int type = ice_candidate_type_parse(from->type);

    candidate.type = type < 0 ? ICE_HOST : (enum ice_candidate_type)type;
    (void)snprintf(candidate.address, sizeof(candidate.address), "%s", from->address);
    (void)snprintf(candidate.foundation, sizeof(candidate.foundation), "%s", from->foundation);
    return candidate;
}

static void add_candidates(struct agent *g, const struct media_plan *plan)
{
    struct ice_candidate candidates[PLAN_MAX_CANDIDATES];
    size_t n = 0;

    for (uint32_t i = 0; plan && i < plan->n_candidates; i++) {
        if (!plan->candidates[i].tcp)
            candidates[n++] = ice_candidate_of(&plan->candidates[i]);
    }
    ice_agent_add_remote(g->ice, candidates, n);
    advance(g);
}

static void on_join(struct agent_paths *a, const struct mail_join *mail)
{
    struct ice_credentials theirs = {0};

    LIST_FOREACH(link, &a->agents) {
        struct agent *g = CONTAINER_OF(link, struct agent, link);

        if (g->participant || strcmp(ice_agent_credentials(g->ice)->ufrag, mail->ufrag) != 0)
            continue;
        (void)snprintf(theirs.ufrag, sizeof(theirs.ufrag), "%s", mail->plan->ufrag);
        (void)snprintf(theirs.pwd, sizeof(theirs.pwd), "%s", mail->plan->pwd);
        if (map_put(&a->by_participant, &mail->participant, sizeof(mail->participant), g) < 0)
            return;
        g->participant = mail->participant;
        a->n_ready--;
        if (ice_agent_expect(g->ice, &theirs) == 0)
            add_candidates(g, mail->plan);
        make_agent(a);
        return;
    }
}

static struct agent *find(const struct agent_paths *a, uint32_t participant)
{
    return map_get(&a->by_participant, &participant, sizeof(participant));
}

void agent_paths_mail(struct agent_paths *a, const struct mail *mail)
{
    struct agent *g;

    if (mail->type == MAIL_JOIN) {
        on_join(a, (const struct mail_join *)mail);
    } else if (mail->type == MAIL_UPDATE) {
        g = find(a, ((const struct mail_join *)mail)->participant);
        if (g)
            add_candidates(g, ((const struct mail_join *)mail)->plan);
    } else if (mail->type == MAIL_LEAVE) {
        g = find(a, ((const struct mail_participant *)mail)->participant);
        if (g)
            agent_free(g);
    }
}

void agent_paths_send(struct agent_paths *a, uint32_t number, const struct datagram *datagrams,
                      size_t n)
{
    struct agent *g = map_get(&a->by_number, &number, sizeof(number));

    for (size_t i = 0; g && i < n; i++)
        (void)!ice_agent_send(g->ice, datagrams[i].data, datagrams[i].len); /* as UDP loses it */
}

/* Keep enough of them, and none that is too old. */
static void on_tick(evutil_socket_t fd, short what, void *owner)
{
    struct agent_paths *a = owner;
    int64_t now_us = clock_now_us();

    (void)fd;
    (void)what;
    LIST_FOREACH_SAFE(link, &a->agents) {
        struct agent *g = CONTAINER_OF(link, struct agent, link);

        if (!g->participant && g->gathered_us && now_us - g->gathered_us >= AGENT_STALE_US)
            agent_free(g);
    }
    while (a->n_ready < AGENTS_READY) {
        uint32_t before = a->n_ready;

        make_agent(a);
        if (a->n_ready == before)
            break;
    }
}

static int begin(struct agent_paths *a, const struct config *settings)
{
    struct timeval second = {.tv_sec = 1};

    a->config = malloc(sizeof(*settings));
    a->tick = event_new(a->base, -1, EV_PERSIST, on_tick, a);
    if (!a->config || !a->tick || event_add(a->tick, &second) < 0)
        return -ENOMEM;
    *a->config = *settings;
    learn_hosts(a);
    event_active(a->tick, EV_TIMEOUT, 0); /* as soon as the loop runs */
    return 0;
}

int agent_paths_new(struct agent_paths **ret, struct event_base *base,
                    const struct agent_paths_config *config,
                    const struct agent_paths_handler *handler, void *owner)
{
    struct agent_paths *a = calloc(1, sizeof(*a));
    int err;

    if (!a)
        return -ENOMEM;
    a->base = base;
    a->worker = config->worker;
    a->pool = config->pool;
    a->handler = *handler;
    a->owner = owner;
    list_init(&a->agents);
    map_init(&a->by_number);
    map_init(&a->by_participant);
    err = begin(a, config->settings);
    if (err < 0) {
        agent_paths_free(a);
        return err;
    }
    *ret = a;
    return 0;
}

struct agent_paths *agent_paths_free(struct agent_paths *a)
{
    if (!a)
        return NULL;
    LIST_FOREACH_SAFE(link, &a->agents)
        agent_free(CONTAINER_OF(link, struct agent, link));
    if (a->tick)
        event_free(a->tick);
    map_done(&a->by_number);
    map_done(&a->by_participant);
    free(a->config);
    free(a);
    return NULL;
}
