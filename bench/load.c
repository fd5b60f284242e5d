#include "bench/load.h"

#include "bench/call_tracer.h"
#include "bench/endpoint.h"
#include "bench/fleet.h"
#include "bench/load_loop.h"
#include "bench/measure.h"
#include "bench/server_probe.h"
#include "bench/target.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/srtp.h"

#include <assert.h>
#include <errno.h>
#include <event2/http.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t TICK_US = 10 * SECOND;
static const int64_t PROGRESS_US = 500 * MS;
static const int64_t DRAIN_US = 300 * MS; /* for what is under way when publishers fall silent */
static const int64_t FIRST_MEDIA_US = 5 * SECOND;
static const int64_t CALLS_US = 1 * SECOND;  /* counting costs the server time: not in the window */
static const int64_t TRACE_US = 2 * SECOND;  /* the same by a tracer, which is slow to begin */
static const int64_t SETTLE_US = 1 * SECOND; /* what a traced server is behind by is over then */

struct load {
    const struct bench_options *options;
    struct load_result *result;
    char *reason;
    struct load_loop loop;
    struct fleet fleet;
    struct target *target;
    struct endpoint **endpoints;
    uint32_t n, n_publishers;
    uint32_t n_allowed; /* that may join already */
    uint32_t n_begun, n_connected, n_failed;
    const char *phase;
    bool terminal; /* standard error is one */
    int64_t tick_us, progress_us;
};

static int fail(struct load *l, int err, const char *format, ...) PRINTF_LIKE(3, 4);
static int fail(struct load *l, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(l->reason, LOAD_REASON_MAX + 1, format, args);
    va_end(args);
    return err;
}

/* ------------------------------------------------------------------ while time passes */

static void show_progress(struct load *l, int64_t now_us)
{
    if (l->options->quiet || now_us < l->progress_us)
        return;
    l->progress_us = l->terminal ? now_us + PROGRESS_US : NEVER_US; /* a file gets one a phase */
    (void)fprintf(stderr, "%s%s: %" PRIu32 " of %" PRIu32 " connected%s", l->terminal ? "\r" : "",
                  l->phase, l->n_connected, l->n, l->terminal ? "\033[K" : "\n");
}

static void set_phase(struct load *l, const char *phase)
{
    l->phase = phase;
    l->progress_us = 0;
    show_progress(l, clock_now_us());
}

static void begin_endpoints(struct load *l, int64_t now_us)
{
    while (l->n_begun < l->n_allowed &&
           l->n_begun - l->n_connected - l->n_failed < (uint32_t)l->options->concurrency) {
        struct endpoint *e = l->endpoints[l->n_begun++];
        int err = target_join(l->target, e);

        e->begun_us = now_us;
        if (err < 0)
            endpoint_fail(e, "cannot begin to join: %s", err_name(err));
    }
}

static void tick(struct load *l, int64_t now_us)
{
    if (now_us < l->tick_us)
        return;
    l->tick_us = now_us + TICK_US;
    for (uint32_t i = 0; i < l->n_begun; i++)
        target_tick(l->target, l->endpoints[i]);
}

/* Let time pass until `us` have, or `done` says so. @return 0; -EINTR */
static int run_for(struct load *l, int64_t us, bool (*done)(const struct load *l))
{
    int64_t end_us = clock_now_us() + us;
    int64_t now_us;

    while ((now_us = clock_now_us()) < end_us && !(done && done(l))) {
        if (load_loop_interrupted(&l->loop))
            return fail(l, -EINTR, "interrupted");
        begin_endpoints(l, now_us);
        tick(l, now_us);
        show_progress(l, now_us);
        load_loop_turn(&l->loop, end_us);
    }
    return 0;
}

static void on_state(void *owner, struct endpoint *e)
{
    struct load *l = owner;
    struct load_result *r = l->result;

    if (e->state == ENDPOINT_CONNECTED) {
        l->n_connected++;
        histogram_add(&r->connected_us, clock_now_us() - e->joined_us);
    } else if (e->state == ENDPOINT_FAILED) {
        l->n_connected -= e->connected_us != 0;
        if (l->n_failed++ == 0)
            (void)snprintf(r->error, sizeof(r->error), "%s", e->error);
    }
    load_loop_wake(&l->loop, e, clock_now_us());
}

/* ------------------------------------------------------------------ making everybody */

static int find_server(struct load *l, struct sockaddr_storage *ret)
{
    const char *url = l->options->sluice ? l->options->sluice
                      : l->options->whip ? l->options->whip
                                         : l->options->janus;
    struct evhttp_uri *uri = evhttp_uri_parse(url);
    const char *host = uri ? evhttp_uri_get_host(uri) : NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    char literal[64];
    int err = EAI_NONAME;

    if (host && host[0] == '[') { /* an IPv6 address keeps its brackets */
        (void)snprintf(literal, sizeof(literal), "%.*s", (int)strcspn(host + 1, "]"), host + 1);
        host = literal;
    }
    if (host)
        err = getaddrinfo(host, "9", &hints, &found);
    if (err == 0) {
        memcpy(ret, found->ai_addr, found->ai_addrlen);
        freeaddrinfo(found);
    }
    if (uri)
        evhttp_uri_free(uri);
    return err == 0 ? 0 : fail(l, -EINVAL, "cannot find the host of %s", url);
}

static int make_target(struct load *l)
{
    const struct bench_options *o = l->options;
    struct event_base *base = load_loop_base(&l->loop);

    switch (o->target) {
    case TARGET_SLUICE:
        l->target = target_sluice_new(base, o->sluice, o->room);
        break;
    case TARGET_WHIP:
        l->target = target_whip_new(base, o->whip, o->whep, o->room);
        break;
    case TARGET_JANUS:
        l->target = target_janus_new(base, o->janus, o->room);
        break;
    }
    return l->target ? 0 : -ENOMEM;
}

static int make_fleet(struct load *l)
{
    const struct bench_options *o = l->options;
    struct fleet_config config = {
        .audio = source_audio((size_t)o->audio_bytes),
        .video = source_video((uint64_t)o->bitrate_bps, (uint32_t)o->fps),
        .profile = o->profile,
        .gro = o->gro,
        .plain = o->plain,
        .reports = !o->no_reports,
        .feedback_us = o->plain ? 0 : o->feedback_ms * MS,
        .silent = scenario_silent(&o->scenario),
    };
    int err;

    err = find_server(l, &config.server);
    if (err < 0)
        return err;
    l->fleet.on_state = on_state;
    l->fleet.owner = l;
    err = fleet_init(&l->fleet, &config);
    return err < 0 ? fail(l, err, "cannot begin: %s", err_name(err)) : 0;
}

/* Of those who receive, `verify` are looked at closely, the first and the last among them. */
static bool is_verified(const struct load *l, uint32_t i)
{
    uint64_t first = l->options->scenario.kind == SCENARIO_MEETING ? 0 : l->n_publishers;
    uint64_t n = l->n - first;
    uint64_t wanted = (uint64_t)l->options->verify;

    if (scenario_silent(&l->options->scenario))
        return false;
    if (i < first || l->endpoints[i]->max_sinks == 0)
        return false;
    return wanted >= n || (i - first) * wanted / n != (i - first + 1) * wanted / n;
}

static int make_endpoint(struct load *l, uint32_t i)
{
    struct endpoint_role role = scenario_role(&l->options->scenario, i);
    struct endpoint *e;
    int err;

    err = endpoint_new(&l->endpoints[i], &l->fleet, i, &role);
    if (err < 0)
        return fail(l, err, "cannot open socket %" PRIu32 ": %s", i, err_name(err));
    e = l->endpoints[i];
    e->verified = is_verified(l, i);
    if (e->verified)
        e->mode = RECEIVE_TIMED;
    else if (e->n_sources == 0)
        e->mode = RECEIVE_HEADERS;
    err = receiver_prepare(l->fleet.receiver, e->fd, e->mode);
    if (err == 0)
        err = load_loop_add(&l->loop, e);
    return err < 0 ? fail(l, err, "cannot watch a socket: %s", err_name(err)) : 0;
}

static int make_endpoints(struct load *l)
{
    int err = 0;

    l->n = scenario_endpoints(&l->options->scenario);
    l->n_publishers = scenario_publishers(&l->options->scenario);
    l->result->endpoints = l->n;
    l->endpoints = calloc(l->n, sizeof(struct endpoint *));
    if (!l->endpoints)
        return -ENOMEM;
    for (uint32_t i = 0; i < l->n && err == 0; i++)
        err = make_endpoint(l, i);
    return err;
}

/* ------------------------------------------------------------------ joining */

/* In a storm some may be lost: how many is what it is about. */
static bool may_fail(const struct load *l)
{
    return l->options->scenario.kind == SCENARIO_JOIN_STORM && l->n_allowed > l->n_publishers;
}

static bool all_joined(const struct load *l)
{
    if (l->n_failed > 0 && !may_fail(l))
        return true;
    return l->n_connected + l->n_failed == l->n_allowed;
}

static bool all_receive(const struct load *l)
{
    if (scenario_silent(&l->options->scenario))
        return true;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct endpoint *e = l->endpoints[i];

        if (e->max_sinks > 0 && e->media_us == 0 && e->state == ENDPOINT_CONNECTED)
            return false;
    }
    return true;
}

static void give_up_waiting(struct load *l)
{
    for (uint32_t i = 0; i < l->n_allowed; i++) {
        if (l->endpoints[i]->state < ENDPOINT_CONNECTED)
            endpoint_fail(l->endpoints[i], "not connected within %" PRId64 " s",
                          l->options->timeout);
    }
    l->n_begun = l->n_allowed;
}

static int join(struct load *l, uint32_t n)
{
    int err;

    l->n_allowed = n;
    err = run_for(l, l->options->timeout * SECOND, all_joined);
    if (err < 0)
        return err;
    if (may_fail(l))
        give_up_waiting(l);
    if (l->n_failed > 0 && (!may_fail(l) || l->n_connected <= l->n_publishers))
        return fail(l, -ECONNREFUSED, "%" PRIu32 " of %" PRIu32 " connected, then: %s",
                    l->n_connected, l->n, l->result->error);
    if (l->n_connected + l->n_failed < n)
        return fail(l, -ECONNREFUSED, "%" PRIu32 " of %" PRIu32 " connected in %" PRId64 " s",
                    l->n_connected, l->n, l->options->timeout);
    return 0;
}

static int join_all(struct load *l)
{
    int64_t begin_us;
    int err;

    set_phase(l, "publishers join");
    err = join(l, l->n_publishers);
    if (err < 0)
        return err;
    set_phase(l, "subscribers join");
    begin_us = clock_now_us();
    err = join(l, l->n);
    if (err < 0)
        return err;
    l->result->join_us = clock_now_us() - begin_us;
    l->result->failed = l->n_failed;
    err = run_for(l, FIRST_MEDIA_US, all_receive);
    if (err < 0)
        return err;
    if (!all_receive(l))
        return fail(l, -ECONNREFUSED, "everybody is connected, but not everybody gets media");
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->endpoints[i]->media_us != 0)
            histogram_add(&l->result->media_us,
                          l->endpoints[i]->media_us - l->endpoints[i]->joined_us);
    }
    return 0;
}

/* ------------------------------------------------------------------ measuring */

struct totals {
    uint64_t sent, packets, bytes;
};

static struct totals count_totals(const struct load *l)
{
    struct totals totals = {0};

    for (uint32_t i = 0; i < l->n; i++) {
        const struct endpoint *e = l->endpoints[i];

        for (uint32_t j = 0; j < e->n_sources; j++)
            totals.sent += e->sources[j].packets;
        for (uint32_t j = 0; j < e->n_sinks; j++) {
            totals.packets += e->sinks[j].packets;
            totals.bytes += e->sinks[j].bytes;
        }
    }
    return totals;
}

static void begin_window(struct load *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        struct endpoint *e = l->endpoints[i];

        for (uint32_t j = 0; j < e->n_sources; j++)
            e->window_sent[j] = e->sources[j].packets;
        for (uint32_t j = 0; j < e->n_sinks; j++)
            sink_begin_window(&e->sinks[j]);
    }
    l->fleet.findings = (struct sink_findings){0};
    l->fleet.late_us = (struct histogram){0};
}

static void probe_memory(struct load *l, uint64_t *ret)
{
    if (l->options->server_pid && server_probe_memory((pid_t)l->options->server_pid, ret) < 0)
        *ret = 0;
}

static struct server_cpu probe_cpu(struct load *l)
{
    struct server_cpu cpu = {0};

    if (l->options->server_pid)
        l->result->probed = server_probe_cpu((pid_t)l->options->server_pid, &cpu) == 0;
    return cpu;
}

static int run_window(struct load *l)
{
    struct load_result *r = l->result;
    struct server_cpu server;
    struct cpu_time generator;
    int64_t idle_us;
    struct totals before;
    struct totals after;
    int64_t begin_us;
    int err;

    begin_window(l);
    before = count_totals(l);
    server = probe_cpu(l);
    generator = measure_cpu(RUSAGE_SELF);
    idle_us = load_loop_idle_us(&l->loop);
    begin_us = clock_now_us();
    err = run_for(l, l->options->seconds * SECOND, NULL);
    if (err < 0)
        return err;
    r->window_us = clock_now_us() - begin_us;
    r->generator_us = measure_cpu_us_since(RUSAGE_SELF, generator) -
                      (load_loop_idle_us(&l->loop) - idle_us);
    r->server = probe_cpu(l);
    r->server.user_us -= server.user_us;
    r->server.system_us -= server.system_us;
    r->server.exact_us -= server.exact_us;
    after = count_totals(l);
    r->sent = after.sent - before.sent;
    r->packets = after.packets - before.packets;
    r->bytes = after.bytes - before.bytes;
    probe_memory(l, &r->memory_after_kib);
    return 0;
}

static void note_calls(struct load *l, uint64_t calls, uint64_t packets_before)
{
    uint64_t packets = count_totals(l).packets - packets_before;

    if (packets > 0)
        l->result->calls_per_packet = (double)calls / (double)packets;
}

static int trace_calls(struct load *l)
{
    uint64_t packets = count_totals(l).packets;
    struct call_tracer tracer;
    uint64_t calls;
    int err;

    if (call_tracer_start(&tracer, (pid_t)l->options->server_pid) < 0)
        return 0;
    err = run_for(l, TRACE_US, NULL);
    if (call_tracer_stop(&tracer, &calls) < 0)
        return err;
    l->result->calls_traced = true;
    note_calls(l, calls, packets);
    return err < 0 ? err : run_for(l, SETTLE_US, NULL);
}

static int count_calls(struct load *l)
{
    struct call_counter *counter;
    uint64_t packets = count_totals(l).packets;
    int err;

    if (l->options->server_pid == 0)
        return 0;
    set_phase(l, "counting system calls");
    counter = call_counter_new((pid_t)l->options->server_pid);
    if (!counter)
        return l->options->count_syscalls ? trace_calls(l) : 0;
    err = run_for(l, CALLS_US, NULL);
    note_calls(l, call_counter_read(counter), packets);
    call_counter_free(counter);
    return err;
}

static uint64_t sent_by(const struct endpoint *e)
{
    uint64_t sent = 0;

    for (uint32_t i = 0; i < e->n_sources; i++)
        sent += e->sources[i].packets - e->window_sent[i];
    return sent;
}

/* What numbers say does not show a stream that stands still, nor its missing end: what was sent in
 * the room does, where everybody receives all of it. */
static void add_loss(struct load *l, const struct endpoint *e, const uint64_t *room_sent)
{
    uint64_t expected = 0;
    uint64_t packets = 0;
    uint64_t sent = room_sent[e->role.room] - sent_by(e);
    bool receives_all = l->options->scenario.kind != SCENARIO_MEETING ||
                        !l->options->scenario.one_way;

    for (uint32_t i = 0; i < e->n_sinks; i++) {
        expected += sink_window_expected(&e->sinks[i]);
        packets += sink_window_packets(&e->sinks[i]);
    }
    if (e->state != ENDPOINT_CONNECTED)
        return;
    if (receives_all && e->max_sinks > 0 && e->n_sinks == e->max_sinks && sent > expected)
        expected = sent;
    l->result->expected += expected;
    l->result->lost += expected > packets ? expected - packets : 0;
    l->result->generator_drops += endpoint_drops(e);
}

static int count_loss(struct load *l)
{
    uint64_t *room_sent = calloc(l->options->scenario.rooms, sizeof(*room_sent));

    if (!room_sent)
        return -ENOMEM;
    for (uint32_t i = 0; i < l->n; i++)
        room_sent[l->endpoints[i]->role.room] += sent_by(l->endpoints[i]);
    for (uint32_t i = 0; i < l->n; i++)
        add_loss(l, l->endpoints[i], room_sent);
    free(room_sent);
    return 0;
}

static int measure(struct load *l)
{
    int err;

    set_phase(l, "warming up");
    load_loop_media_first(&l->loop, true);
    err = run_for(l, l->options->warm_up * SECOND, NULL);
    if (err < 0)
        return err;
    err = count_calls(l);
    if (err < 0)
        return err;
    set_phase(l, "measuring");
    err = run_window(l);
    if (err < 0)
        return err;
    for (uint32_t i = 0; i < l->n; i++)
        endpoint_mute(l->endpoints[i]);
    err = run_for(l, DRAIN_US, NULL);
    if (err == 0)
        err = count_loss(l);
    if (err == 0 && l->n_failed > l->result->failed)
        return fail(l, -ECONNREFUSED, "lost %" PRIu32 " of %" PRIu32 " connections: %s",
                    l->n_failed - l->result->failed, l->n, l->result->error);
    return err;
}

/* ------------------------------------------------------------------ the whole */

static void leave_all(struct load *l)
{
    load_loop_media_first(&l->loop, false);
    for (uint32_t i = 0; i < l->n_begun; i++) {
        if (!l->endpoints[i])
            continue;
        endpoint_leave(l->endpoints[i]);
        target_leave(l->target, l->endpoints[i]);
    }
    l->n_allowed = 0;
    (void)run_for(l, DRAIN_US, NULL);
    for (uint32_t i = 0; i < l->n_begun; i++)
        target_release(l->target, l->endpoints[i]);
}

static void free_all(struct load *l)
{
    for (uint32_t i = 0; l->endpoints && i < l->n; i++) {
        if (l->endpoints[i])
            load_loop_remove(&l->loop, l->endpoints[i]);
        endpoint_free(l->endpoints[i]);
    }
    free(l->endpoints);
    l->target = target_free(l->target);
    fleet_done(&l->fleet);
    load_loop_done(&l->loop);
}

static int start(struct load *l)
{
    int err = load_loop_init(&l->loop);

    if (err == 0 && l->options->poll)
        load_loop_poll(&l->loop);
    if (err == 0)
        err = srtp_global_init();
    if (err == 0)
        err = make_fleet(l);
    if (err == 0)
        err = make_target(l);
    if (err == 0)
        err = make_endpoints(l);
    return err;
}

int load_run(const struct bench_options *options, struct load_result *ret, char *reason)
{
    struct load l = {.options = options, .result = ret, .reason = reason, .phase = ""};
    int err;

    *ret = (struct load_result){.calls_per_packet = -1};
    l.terminal = isatty(STDERR_FILENO);
    (void)snprintf(reason, LOAD_REASON_MAX + 1, "out of memory");
    err = start(&l);
    if (err == 0) {
        probe_memory(&l, &ret->memory_before_kib);
        err = join_all(&l);
        if (err == 0)
            err = measure(&l);
        ret->connected = l.n_connected;
        ret->send_errors = l.fleet.send_errors;
        ret->key_requests = l.fleet.key_requests;
        ret->bad_packets = l.fleet.bad_packets;
        ret->feedback_packets = l.fleet.feedback_packets;
        ret->feedback_received = l.fleet.feedback_received;
        ret->late_us = l.fleet.late_us;
        ret->findings = l.fleet.findings;
        leave_all(&l);
    }
    if (!options->quiet && l.terminal)
        (void)fputs("\r\033[K", stderr);
    free_all(&l);
    return err;
}
